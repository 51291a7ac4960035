/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moments of bins, summed over windows by an integral image of the bins, linear between them. */
#include "image_internal.h"

#include <math.h>
#include <string.h>

enum { BINS_PER_WINDOW = 8, SUM = 0, SQUARE, COUNT, MOMENTS };

struct ng_local {
    size_t width, height, bin, columns, rows, reach; /* reach: bins to each side of a window */
    float origin;
    double *table[MOMENTS]; /* (columns + 1)(rows + 1) each: sums over all bins above and left */
    double *line[MOMENTS];  /* columns + 1 each: of the rows of a window */
    float *column[MOMENTS]; /* width each */
    float *node[2];         /* mean and s.d. at the middle of each bin */
    float *wide[2][2];      /* of each, two rows of nodes drawn out to all columns */
    uint32_t *before;       /* of each column: the node at or before it, */
    float *share;           /* and the share of the next */
};

void ng_local_destroy(ng_local *local)
{
    if (local == NULL) {
        return;
    }
    for (size_t k = 0; k < MOMENTS; k++) {
        ng_free(local->table[k]);
        ng_free(local->line[k]);
        ng_free(local->column[k]);
    }
    for (size_t k = 0; k < 2; k++) {
        ng_free(local->node[k]);
        ng_free(local->wide[k][0]);
        ng_free(local->wide[k][1]);
    }
    ng_free(local->before);
    ng_free(local->share);
    ng_free(local);
}

static bool allocate(ng_local *l)
{
    l->before = NG_NEW(uint32_t, l->width);
    l->share = NG_NEW(float, l->width);
    bool good = l->before != NULL && l->share != NULL;
    for (size_t k = 0; k < MOMENTS; k++) {
        l->table[k] = NG_NEW(double, (l->columns + 1) * (l->rows + 1));
        l->line[k] = NG_NEW(double, l->columns + 1);
        l->column[k] = NG_NEW(float, l->width);
        good = good && l->table[k] != NULL && l->line[k] != NULL && l->column[k] != NULL;
    }
    for (size_t k = 0; k < 2; k++) {
        l->node[k] = NG_NEW(float, l->columns * l->rows);
        l->wide[k][0] = NG_NEW(float, l->width);
        l->wide[k][1] = NG_NEW(float, l->width);
        good = good && l->node[k] != NULL && l->wide[k][0] != NULL && l->wide[k][1] != NULL;
    }
    return good;
}

/* The node at or before pixel x, and the share of the next: nodes lie in the middle of their
 * bins. */
static size_t node_before(size_t x, size_t bin, size_t n, float *share)
{
    *share = 0.0f;
    if (2 * x + 1 <= bin || n < 2) {
        return 0;
    }
    const size_t twice = 2 * x + 1 - bin, i = twice / (2 * bin);
    if (i > n - 2) {
        *share = 1.0f;
        return n - 2;
    }
    *share = (float)(twice % (2 * bin)) / (float)(2 * bin);
    return i;
}

ng_status ng_local_create(size_t width, size_t height, size_t window_px, ng_local **out,
                          ng_error *err)
{
    *out = NULL;
    ng_local *l = NG_NEW(ng_local, 1);
    if (l != NULL) {
        l->width = width;
        l->height = height;
        l->bin = window_px / BINS_PER_WINDOW > 1 ? window_px / BINS_PER_WINDOW : 1;
        l->columns = (width + l->bin - 1) / l->bin;
        l->rows = (height + l->bin - 1) / l->bin;
        l->reach = (window_px / l->bin) / 2;
    }
    if (l == NULL || !allocate(l)) {
        ng_local_destroy(l);
        return NG_FAIL(err, NG_MEMORY, "no memory for local means of %zu x %zu pixels", width,
                       height);
    }
    for (size_t x = 0; x < width; x++) {
        l->before[x] = (uint32_t)node_before(x, l->bin, l->columns, &l->share[x]);
    }
    *out = l;
    return NG_OK;
}

/* ---- sums -------------------------------------------------------------------------------- */

/* Columns of a row of bins: down first, which vector units can follow. A bin has few rows. */
NG_VECTOR_CLONES static void add_row(const float *restrict row, float origin, float *restrict sum,
                                     float *restrict square, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        const float v = row[x] - origin;
        sum[x] += v;
        square[x] += v * v;
    }
}

NG_VECTOR_CLONES static void add_row_but(const float *restrict row,
                                         const unsigned char *restrict skip, float origin,
                                         float *const column[MOMENTS], size_t n)
{
    float *restrict sum = column[SUM], *restrict square = column[SQUARE];
    float *restrict count = column[COUNT];
    for (size_t x = 0; x < n; x++) {
        const float weight = skip[x] != 0 ? 0.0f : 1.0f;
        const float v = weight * (row[x] - origin);
        sum[x] += v;
        square[x] += v * v;
        count[x] += weight - 1.0f;
    }
}

static void add_bins(const ng_local *l, size_t bin_row)
{
    for (size_t k = 0; k < MOMENTS; k++) {
        double *out = l->table[k] + (bin_row + 1) * (l->columns + 1) + 1;
        for (size_t i = 0, x = 0; i < l->columns; i++) {
            const size_t end = x + l->bin < l->width ? x + l->bin : l->width;
            float sum = 0.0f;
            for (; x < end; x++) {
                sum += l->column[k][x];
            }
            out[i] = (double)sum;
        }
    }
}

static void add_bin_row(const ng_local *l, const ng_image *image, const unsigned char *skip,
                        size_t bin_row)
{
    const size_t first = bin_row * l->bin;
    const size_t last = first + l->bin < l->height ? first + l->bin : l->height;
    for (size_t x = 0; x < l->width; x++) {
        l->column[SUM][x] = l->column[SQUARE][x] = 0.0f;
        l->column[COUNT][x] = (float)(last - first);
    }
    for (size_t y = first; y < last; y++) {
        const float *row = image->pixel + y * l->width;
        if (skip != NULL) {
            add_row_but(row, skip + y * l->width, l->origin, l->column, l->width);
        } else {
            add_row(row, l->origin, l->column[SUM], l->column[SQUARE], l->width);
        }
    }
    add_bins(l, bin_row);
}

static void sum_up(const ng_local *l, double *table)
{
    const size_t stride = l->columns + 1;
    for (size_t j = 1; j <= l->rows; j++) {
        double *row = table + j * stride, sum = 0.0;
        for (size_t i = 1; i <= l->columns; i++) {
            sum += row[i];
            row[i] = sum + row[i - stride];
        }
    }
}

static void fill(ng_local *l, const ng_image *image, const unsigned char *skip)
{
    const size_t stride = l->columns + 1;
    l->origin = image->pixel[l->height / 2 * l->width + l->width / 2];
    for (size_t k = 0; k < MOMENTS; k++) {
        memset(l->table[k], 0, stride * (l->rows + 1) * sizeof *l->table[k]);
    }
    for (size_t j = 0; j < l->rows; j++) {
        add_bin_row(l, image, skip, j);
    }
    for (size_t k = 0; k < MOMENTS; k++) {
        sum_up(l, l->table[k]);
    }
}

/* ---- nodes ------------------------------------------------------------------------------- */

/* Bins or nodes up to `reach` before and after one of n. */
static void range_around(size_t at, size_t reach, size_t n, size_t *first, size_t *end)
{
    *first = at > reach ? at - reach : 0;
    *end = at + reach < n ? at + reach + 1 : n;
}

/* Sums over the rows of bins `first` to `end` of all columns before each. */
static void rows_between(const ng_local *l, const double *table, size_t first, size_t end,
                         double *restrict out)
{
    const double *top = table + first * (l->columns + 1), *low = table + end * (l->columns + 1);
    for (size_t i = 0; i <= l->columns; i++) {
        out[i] = low[i] - top[i];
    }
}

/* Mean and s.d. from sums; false where no pixel counts. */
static inline bool moments(const ng_local *l, const double sum[MOMENTS], float *mean, float *sd)
{
    if (!(sum[COUNT] >= 1.0)) {
        return false;
    }
    const double each = 1.0 / sum[COUNT], m = sum[SUM] * each;
    const double variance = sum[SQUARE] * each - m * m;
    *mean = (float)((double)l->origin + m);
    *sd = (float)sqrt(variance > 0.0 ? variance : 0.0);
    return true;
}

static void fill_nodes(const ng_local *l)
{
    const size_t stride = l->columns + 1, last = l->rows * stride + l->columns;
    const double all[MOMENTS] = {l->table[SUM][last], l->table[SQUARE][last],
                                 l->table[COUNT][last]};
    float whole_mean = l->origin, whole_sd = 0.0f;
    (void)moments(l, all, &whole_mean, &whole_sd);
    for (size_t j = 0, i = 0; j < l->rows; j++) {
        size_t first, end;
        range_around(j, l->reach, l->rows, &first, &end);
        for (size_t k = 0; k < MOMENTS; k++) {
            rows_between(l, l->table[k], first, end, l->line[k]);
        }
        for (size_t c = 0; c < l->columns; c++, i++) {
            double sum[MOMENTS];
            range_around(c, l->reach, l->columns, &first, &end);
            for (size_t k = 0; k < MOMENTS; k++) {
                sum[k] = l->line[k][end] - l->line[k][first];
            }
            if (!moments(l, sum, &l->node[0][i], &l->node[1][i])) {
                l->node[0][i] = whole_mean;
                l->node[1][i] = whole_sd;
            }
        }
    }
}

/* Variances averaged over the nodes up to `reach` away; the table of squares is free by now. */
static void steady_sd(const ng_local *l, size_t reach)
{
    double *table = l->table[SQUARE];
    for (size_t j = 0, i = 0; j < l->rows; j++) {
        for (size_t c = 0; c < l->columns; c++, i++) {
            const double sd = (double)l->node[1][i];
            table[(j + 1) * (l->columns + 1) + c + 1] = sd * sd;
        }
    }
    sum_up(l, table);
    for (size_t j = 0, i = 0; j < l->rows; j++) {
        size_t top, bottom, first, end;
        range_around(j, reach, l->rows, &top, &bottom);
        rows_between(l, table, top, bottom, l->line[0]);
        for (size_t c = 0; c < l->columns; c++, i++) {
            range_around(c, reach, l->columns, &first, &end);
            const double sum = l->line[0][end] - l->line[0][first];
            l->node[1][i] =
                (float)sqrt((sum > 0.0 ? sum : 0.0) / (double)((bottom - top) * (end - first)));
        }
    }
}

/* ---- between nodes ----------------------------------------------------------------------- */

static void expand_row(const ng_local *l, const float *node, float *out)
{
    const size_t step = l->columns > 1;
    for (size_t x = 0; x < l->width; x++) {
        const float *at = node + l->before[x];
        out[x] = at[0] + l->share[x] * (at[step] - at[0]);
    }
}

NG_VECTOR_CLONES static void between(const float *restrict low, const float *restrict high,
                                     float share, float *restrict out, size_t n)
{
    for (size_t x = 0; x < n; x++) {
        out[x] = low[x] + share * (high[x] - low[x]);
    }
}

/* All rows of one kind of node. */
static void expand(ng_local *l, size_t kind, ng_image *out)
{
    float **wide = l->wide[kind];
    const float *node = l->node[kind];
    const size_t step = l->rows > 1 ? l->columns : 0;
    size_t at = 0;
    expand_row(l, node, wide[0]);
    expand_row(l, node + step, wide[1]);
    for (size_t y = 0; y < l->height; y++) {
        float share;
        const size_t j = node_before(y, l->bin, l->rows, &share);
        if (j != at) {
            float *low = wide[0];
            wide[0] = wide[1];
            wide[1] = low;
            expand_row(l, node + (j + 1) * l->columns, wide[1]);
            at = j;
        }
        between(wide[0], wide[1], share, out->pixel + y * l->width, l->width);
    }
}

void ng_local_moments(ng_local *local, const ng_image *image, const unsigned char *skip,
                      size_t around, ng_image *mean, ng_image *sd)
{
    ng_local *l = local;
    fill(l, image, skip);
    fill_nodes(l);
    if (around > 0) {
        steady_sd(l, 2 * l->reach * around);
    }
    expand(l, 0, mean);
    expand(l, 1, sd);
}
