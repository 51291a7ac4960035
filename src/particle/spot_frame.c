/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One frame: peaks of the filtered image, spots fitted to the raw pixels, those that lie together
 * at once; what is left over is searched again. */
#include "spot_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define JOIN_WIDTHS 4.0    /* nearer ones are fitted together */
#define CROWDED_WIDTHS 3.0 /* nearer ones are flagged */
#define EDGE_WIDTHS 2.0
#define SAME_WIDTHS 0.5 /* nearer ones are one */
/* A spot beside a brighter one must have this share of its light: no real spot is a Gaussian. */
#define SKIRT_SHARE 0.12
/* Candidates below this share of the wanted significance are not worth a second look. */
#define HOPELESS 0.7
#define LABEL_WIDTHS 1.5
#define RING_SD 0.6 /* how far the median of a ring may be off, in s.d. of a pixel */
enum { RING = 32, FLUX_ROUNDS = 6, MOST_REACH = 127 };

typedef struct pair {
    double d2;
    uint32_t a, b;
} pair;

typedef struct ring {
    long x[RING], y[RING];
} ring;

/* A frame as it is fitted: borrowed. */
typedef struct view {
    ng_image image;
    const unsigned char *bad; /* or NULL */
    float lowest, highest;
} view;

struct ng_spots {
    ng_detect_choices choices;
    size_t width, height;
    ng_blob_filter filter;
    double answer;                       /* of the filter to a spot of height 1 */
    double bend, slope_noise, slope_own; /* of the peak: see put_quick() */
    double own;
    double border[2][NG_BLOB_TAPS]; /* of the noise that far from the border, over that inside */
    ng_image mended, seen, left;    /* `mended` only where pixels are not finite, or dark */
    view view;                      /* what is fitted */
    float *line;
    unsigned char *bad;
    ng_blob_peak *peak;
    uint32_t *label;
    ng_spot *spot, *second; /* second: the same where the intensities come from */
    ng_particle *particle;
    const ng_spot **other;
    uint32_t *parent, *size, *member;
    double *x, *y;
    size_t n, room;
    pair *pair;
    size_t n_pairs, pair_room;
    ng_grid grid;
    ng_spot_work work;
    ring ring;
    unsigned char *flux_bad;
    ng_image flux;
};

size_t ng_spot_reach(double width)
{
    return (size_t)fmin(floor(4.0 * width + 1.5), MOST_REACH);
}

/* ---- making ------------------------------------------------------------------------------ */

void ng_spots_destroy(ng_spots *s)
{
    if (s == NULL) {
        return;
    }
    ng_image_free(&s->mended);
    ng_image_free(&s->seen);
    ng_image_free(&s->left);
    ng_image_free(&s->flux);
    ng_free(s->line);
    ng_free(s->bad);
    ng_free(s->flux_bad);
    ng_free(s->peak);
    ng_free(s->label);
    ng_free(s->spot);
    ng_free(s->second);
    ng_free(s->particle);
    ng_free(s->other);
    ng_free(s->parent);
    ng_free(s->size);
    ng_free(s->member);
    ng_free(s->x);
    ng_free(s->y);
    ng_free(s->pair);
    ng_grid_free(&s->grid);
    ng_spot_work_free(&s->work);
    ng_free(s);
}

/* S.d. of a spot as its pixels, each a mean over its area, show it. */
static double seen_width(double width)
{
    return sqrt(width * width + 1.0 / 12.0);
}

/* Answers of the filter to a spot of height 1: its height and bend, and what noise and the spot's
 * own photons do to height and slope. */
static void prepare_filter(ng_spots *s)
{
    const double w = seen_width(s->choices.spot.width_px);
    s->filter =
        ng_blob_filter_make(s->choices.options.filter, NG_SPOT_FILTER * s->choices.spot.width_px);
    const long r = (long)s->filter.radius;
    double beside = 0.0;
    for (long y = -r; y <= r; y++) {
        for (long x = -r; x <= r; x++) {
            const double k = ng_blob_filter_at(&s->filter, x, y);
            const double slope = 0.5 * (ng_blob_filter_at(&s->filter, x + 1, y) -
                                        ng_blob_filter_at(&s->filter, x - 1, y));
            const double g = exp(-0.5 * (double)(x * x + y * y) / (w * w));
            s->answer += k * g;
            beside += k * exp(-0.5 * (double)((x + 1) * (x + 1) + y * y) / (w * w));
            s->own += k * k * g;
            s->slope_noise += slope * slope;
            s->slope_own += slope * slope * g;
        }
    }
    s->bend = 2.0 * (s->answer - beside);
}

/* Sum of products of two half kernels folded at a border `at` pixels away. */
static double folded(const float *a, const float *b, size_t radius, size_t at)
{
    double sum = 0.0;
    for (size_t i = 0; i <= at + radius; i++) {
        /* pixel i is met on the way out, and once more behind the mirror */
        const size_t straight = i > at ? i - at : at - i, back = i + at + 1;
        const double p = (straight <= radius ? (double)a[straight] : 0.0) +
                         (back <= radius ? (double)a[back] : 0.0);
        const double q = (straight <= radius ? (double)b[straight] : 0.0) +
                         (back <= radius ? (double)b[back] : 0.0);
        sum += p * q;
    }
    return sum;
}

/* Mirrored pixels count twice, so that noise is stronger near the border. */
static void prepare_border(ng_spots *s)
{
    const ng_blob_filter *f = &s->filter;
    const size_t r = f->radius;
    for (size_t at = 0; at < r; at++) {
        double along = 0.0, down = 0.0;
        for (int a = 0; a < 2; a++) {
            for (int b = 0; b < 2; b++) {
                along +=
                    folded(f->column[a], f->column[b], r, r) * folded(f->row[a], f->row[b], r, at);
                down +=
                    folded(f->column[a], f->column[b], r, at) * folded(f->row[a], f->row[b], r, r);
            }
        }
        s->border[0][at] = sqrt(along) / f->noise;
        s->border[1][at] = sqrt(down) / f->noise;
    }
}

/* S.d. of the filtered noise at a pixel, over that of a pixel. */
static double noise_at(const ng_spots *s, size_t x, size_t y)
{
    const size_t r = s->filter.radius;
    const size_t left = s->width - 1 - x, below = s->height - 1 - y;
    const size_t side = x < left ? x : left, edge = y < below ? y : below;
    return s->filter.noise * (side < r ? s->border[0][side] : 1.0) *
           (edge < r ? s->border[1][edge] : 1.0);
}

/* Pixels around the origin, at `radius` and one further by turns. */
static void make_ring(double radius, ring *out)
{
    for (int k = 0; k < RING; k++) {
        const double turn = 2.0 * PI * (double)k / RING, r = radius + (k % 2 == 0 ? 0.0 : 1.0);
        out->x[k] = lround(r * cos(turn));
        out->y[k] = lround(r * sin(turn));
    }
}

/* No two are neighbours. */
static size_t most_peaks(const ng_spots *s)
{
    return (s->width / 2 + 1) * (s->height / 2 + 1);
}

static ng_status make_images(ng_spots *s, ng_error *err)
{
    ng_image *const image[] = {&s->mended, &s->seen, &s->left};
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < sizeof image / sizeof image[0]; i++) {
        status = ng_image_create(s->width, s->height, image[i], err);
    }
    return status;
}

ng_status ng_spots_create(const ng_detect_choices *choices, size_t width, size_t height,
                          ng_spots **out, ng_error *err)
{
    *out = NULL;
    ng_spots *s = NG_NEW(ng_spots, 1);
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure spots");
    }
    s->choices = *choices;
    s->width = width;
    s->height = height;
    prepare_filter(s);
    prepare_border(s);
    make_ring((double)ng_spot_reach(choices->spot.width_px) + 0.5, &s->ring);
    ng_status status = make_images(s, err);
    s->line = NG_NEW(float, ng_blob_scratch(&s->filter, width));
    s->bad = NG_NEW(unsigned char, width *height);
    s->peak = NG_NEW(ng_blob_peak, most_peaks(s));
    s->label = NG_NEW(uint32_t, width * height);
    if (status == NG_OK &&
        (s->line == NULL || s->bad == NULL || s->peak == NULL || s->label == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for frames of %zu x %zu pixels", width, height);
    }
    if (status != NG_OK) {
        ng_spots_destroy(s);
        return status;
    }
    *out = s;
    return NG_OK;
}

void ng_spots_gather(ng_spots *spots, ng_spot_residual *residual)
{
    spots->work.residual = residual;
}

/* Grow one array; what it held stays. */
#define GROW(array, n)                                                                             \
    do {                                                                                           \
        void *more = ng_realloc(array, n, sizeof *(array));                                        \
        if (more == NULL) {                                                                        \
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu spots in a frame", (size_t)(n));     \
        }                                                                                          \
        (array) = more;                                                                            \
    } while (0)

static ng_status make_room(ng_spots *s, size_t n, ng_error *err)
{
    if (n <= s->room) {
        return NG_OK;
    }
    const size_t room = 2 * n;
    GROW(s->spot, room);
    GROW(s->second, room);
    GROW(s->particle, room);
    GROW(s->other, room);
    GROW(s->parent, room);
    GROW(s->size, room);
    GROW(s->member, room);
    GROW(s->x, room);
    GROW(s->y, room);
    s->room = room;
    return NG_OK;
}

/* ---- pixels ------------------------------------------------------------------------------ */

/* Bright on dark and finite, with a note of what was not; most movies are so already. `copy` and
 * `bad` are room. */
static view look_at(const ng_image *image, ng_polarity polarity, ng_image *copy, unsigned char *bad)
{
    const size_t n = image->width * image->height;
    view v = {.image = *image};
    const bool finite = ng_image_range(image, &v.lowest, &v.highest);
    if (finite && polarity == NG_BRIGHT) {
        return v;
    }
    for (size_t i = 0; i < n; i++) {
        bad[i] = (unsigned char)(isfinite(image->pixel[i]) ? 0 : 1);
        copy->pixel[i] = (float)polarity * image->pixel[i];
    }
    v.image = *copy;
    if (!finite) {
        (void)ng_image_mend(copy);
        v.bad = bad;
    }
    (void)ng_image_range(copy, &v.lowest, &v.highest);
    return v;
}

static const ng_image *prepare(ng_spots *s, const ng_image *const *window, size_t n, size_t centre)
{
    const ng_polarity polarity = s->choices.options.polarity;
    s->view = look_at(window[centre], polarity, &s->mended, s->bad);
    if (n < 2 || s->choices.options.average_frames < 2) {
        return &s->view.image;
    }
    ng_image_mean(window, n, &s->seen);
    for (size_t i = 0; i < s->width * s->height; i++) {
        s->seen.pixel[i] *= (float)polarity;
    }
    (void)ng_image_mend(&s->seen);
    return &s->seen;
}

/* ---- candidates -------------------------------------------------------------------------- */

/* The upper median: the largest that at most half of the others are below. */
CLONES static float middle_of(const float value[RING])
{
    int below[RING] = {0};
    float middle = -INFINITY;
    for (int j = 0; j < RING; j++) {
        for (int i = 0; i < RING; i++) {
            below[i] += value[j] < value[i];
        }
    }
    for (int i = 0; i < RING; i++) {
        const float candidate = below[i] <= RING / 2 ? value[i] : -INFINITY;
        middle = candidate > middle ? candidate : middle;
    }
    return middle;
}

/* Median of a ring around a place. */
static double ring_background(const ng_image *image, double at_x, double at_y, const ring *around)
{
    const long x = lround(at_x), y = lround(at_y), w = (long)image->width, h = (long)image->height;
    const long reach = around->x[1] + 1;
    float value[RING];
    if (x >= reach && y >= reach && x + reach < w && y + reach < h) {
        for (int k = 0; k < RING; k++) {
            value[k] = image->pixel[(y + around->y[k]) * w + x + around->x[k]];
        }
        return (double)middle_of(value);
    }
    size_t n = 0;
    for (int k = 0; k < RING; k++) {
        const long i = x + around->x[k], j = y + around->y[k];
        if (i >= 0 && j >= 0 && i < w && j < h) {
            value[n++] = image->pixel[j * w + i];
        }
    }
    return n > 0 ? (double)ng_select(value, n, n / 2) : 0.0;
}

static ng_spot_noise noise_of(const ng_pixel_noise *n)
{
    return (ng_spot_noise){.level = n->level, .gain = n->gain, .background = n->background};
}

/* Peaks of the filtered image become candidates behind those that are there. */
static ng_status add_peaks(ng_spots *s, const ng_image *image, bool again, ng_error *err)
{
    const ng_spot_choices *c = &s->choices.spot;
    const ng_spot_noise noise = noise_of(&c->noise);
    /* a ring is no exact measure of the background */
    const double dim = fmin(c->dim, c->noise.background) - RING_SD * sqrt(c->noise.level);
    const double w = c->width_px;
    const double least = c->candidate * s->filter.noise * sqrt(ng_spot_variance(&noise, dim));
    const size_t n =
        ng_image_blobs(image, &s->filter, (float)least, s->line, s->peak, most_peaks(s));
    ng_status status = make_room(s, s->n + n, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        ng_spot *spot = &s->spot[s->n];
        *spot = (ng_spot){.width = w, .fresh = true};
        spot->x_var = spot->y_var = spot->flux_var = spot->width_var = (double)NAN;
        const ng_blob_peak *peak = &s->peak[i];
        spot->x = peak->x;
        spot->y = peak->y;
        spot->background = ring_background(&s->view.image, spot->x, spot->y, &s->ring);
        spot->z = peak->height / (noise_at(s, peak->column, peak->row) *
                                  sqrt(ng_spot_variance(&noise, spot->background)));
        spot->flux = peak->height / s->answer * 2.0 * PI * pow(seen_width(w), 2.0);
        s->n += spot->z >= c->candidate || again;
    }
    return status;
}

/* ---- who lies beside whom ---------------------------------------------------------------- */

typedef struct visit {
    ng_spots *s;
    uint32_t from;
    double nearest2;
    bool out_of_memory;
} visit;

static void note_pair(void *context, size_t index, double d2)
{
    visit *v = context;
    ng_spots *s = v->s;
    if (index <= v->from || v->out_of_memory) {
        return;
    }
    if (s->n_pairs == s->pair_room) {
        const size_t room = 2 * s->pair_room + 256;
        pair *more = ng_realloc(s->pair, room, sizeof *more);
        if (more == NULL) {
            v->out_of_memory = true;
            return;
        }
        s->pair = more;
        s->pair_room = room;
    }
    s->pair[s->n_pairs++] = (pair){d2, v->from, (uint32_t)index};
}

static int by_distance(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    if (a->d2 != b->d2) {
        return a->d2 < b->d2 ? -1 : 1;
    }
    return a->a != b->a ? (a->a < b->a ? -1 : 1) : (a->b > b->b) - (a->b < b->b);
}

/* All pairs whose light may meet, nearest first. */
static ng_status find_pairs(ng_spots *s, const ng_spot *spot, double reach, ng_error *err)
{
    visit v = {.s = s};
    s->n_pairs = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->x[i] = spot[i].x;
        s->y[i] = spot[i].y;
    }
    ng_status status = ng_grid_fill(&s->grid, s->x, s->y, s->n, reach, err);
    for (size_t i = 0; status == NG_OK && i < s->n; i++) {
        v.from = (uint32_t)i;
        ng_grid_near(&s->grid, s->x[i], s->y[i], reach, note_pair, &v);
    }
    if (v.out_of_memory) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for the neighbours of %zu spots", s->n);
    }
    if (status == NG_OK && s->n_pairs > 1) {
        qsort(s->pair, s->n_pairs, sizeof *s->pair, by_distance);
    }
    return status;
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Groups of spots that are fitted together: nearest pairs first, none too large. Members of a group
 * follow each other in s->member; s->size of a root is its number. */
static void join(ng_spots *s, double within)
{
    for (uint32_t i = 0; i < s->n; i++) {
        s->parent[i] = i;
        s->size[i] = 1;
    }
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < within * within; k++) {
        const uint32_t a = root_of(s->parent, s->pair[k].a), b = root_of(s->parent, s->pair[k].b);
        if (a != b && s->size[a] + s->size[b] <= NG_SPOT_CLUSTER) {
            s->parent[a > b ? a : b] = a > b ? b : a;
            s->size[a > b ? b : a] += s->size[a > b ? a : b];
        }
    }
}

/* ---- fitting in groups ------------------------------------------------------------------- */

/* Pairs of each spot lie scattered; they are put in order once a round: start[i] .. start[i+1]. */
typedef struct adjacency {
    uint32_t *start, *to;
} adjacency;

static ng_status sort_pairs(const ng_spots *s, adjacency *a, ng_error *err)
{
    a->start = NG_NEW(uint32_t, s->n + 2);
    a->to = NG_NEW(uint32_t, 2 * s->n_pairs + 1);
    if (a->start == NULL || a->to == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the neighbours of %zu spots", s->n);
    }
    for (size_t k = 0; k < s->n_pairs; k++) {
        a->start[s->pair[k].a + 2]++;
        a->start[s->pair[k].b + 2]++;
    }
    for (size_t i = 2; i < s->n + 2; i++) {
        a->start[i] += a->start[i - 1];
    }
    for (size_t k = 0; k < s->n_pairs; k++) {
        const pair *p = &s->pair[k];
        a->to[a->start[p->a + 1]++] = p->b;
        a->to[a->start[p->b + 1]++] = p->a;
    }
    return NG_OK;
}

/* Neighbours of a group that are not in it; `near`: one whose light matters in its pixels. */
static size_t gather_others(ng_spots *s, const ng_spot *spot, const adjacency *a, uint32_t root,
                            const uint32_t *member, size_t n, bool *near)
{
    const double matters = (double)ng_spot_reach(spot[root].width) + spot[root].width;
    size_t found = 0;
    *near = false;
    for (size_t m = 0; m < n; m++) {
        for (uint32_t k = a->start[member[m]]; k < a->start[member[m] + 1]; k++) {
            const ng_spot *other = &spot[a->to[k]];
            bool known = root_of(s->parent, a->to[k]) == root;
            for (size_t i = 0; i < found && !known && n > 1; i++) {
                known = s->other[i] == other;
            }
            if (!known) {
                const double dx = other->x - spot[member[m]].x, dy = other->y - spot[member[m]].y;
                *near = *near || dx * dx + dy * dy < matters * matters;
                s->other[found++] = other;
            }
        }
    }
    return found;
}

/* Members of all groups, by root: counting. */
static void list_members(ng_spots *s, uint32_t *first)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (root_of(s->parent, i) == i) {
            first[i] = at;
            at += s->size[i];
        }
    }
    for (uint32_t i = 0; i < s->n; i++) {
        s->member[first[root_of(s->parent, i)]++] = i;
    }
}

/* A group that does not settle loses its weakest member, until it does. */
static ng_status fit_group(ng_spots *s, const ng_spot_scene *scene, ng_spot **group, size_t n,
                           size_t others, ng_error *err)
{
    ng_status status = ng_spot_fit(&s->work, scene, group, n, s->other, others, err);
    while (status == NG_OK && n > 1 && !group[0]->fitted && !scene->fixed_places) {
        size_t weakest = 0;
        for (size_t k = 1; k < n; k++) {
            weakest = group[k]->flux < group[weakest]->flux ? k : weakest;
        }
        group[weakest]->z = group[weakest]->flux = 0.0;
        group[weakest] = group[--n];
        status = ng_spot_fit(&s->work, scene, group, n, s->other, others, err);
    }
    return status;
}

/* One round over all groups; `fresh_only`: those with a member that something happened to. */
static ng_status fit_round(ng_spots *s, const ng_spot_scene *scene, ng_spot *spot, bool fresh_only,
                           ng_error *err)
{
    adjacency near = {NULL, NULL};
    uint32_t *first = NULL;
    ng_status status = find_pairs(s, spot, (double)scene->reach + 3.0 * scene->width, err);
    status = status == NG_OK ? sort_pairs(s, &near, err) : status;
    if (status == NG_OK) {
        first = NG_NEW(uint32_t, s->n + 1);
        status = first != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for %zu spots", s->n);
    }
    if (status == NG_OK) {
        join(s, JOIN_WIDTHS * scene->width);
        list_members(s, first);
    }
    for (uint32_t i = 0; status == NG_OK && i < s->n; i++) {
        if (s->parent[i] != i) {
            continue;
        }
        ng_spot *group[NG_SPOT_CLUSTER];
        const size_t n = s->size[i];
        const uint32_t *member = s->member + first[i] - n; /* list_members moved `first` on */
        bool fresh = false;
        for (size_t k = 0; k < n; k++) {
            group[k] = &spot[member[k]];
            fresh = fresh || group[k]->fresh;
        }
        bool beside = false;
        const size_t others = gather_others(s, spot, &near, i, member, n, &beside);
        if (fresh || (!fresh_only && (beside || (scene->fixed_places && others > 0)))) {
            status = fit_group(s, scene, group, n, others, err);
        }
        for (size_t k = 0; k < n; k++) {
            spot[member[k]].fresh = false;
        }
    }
    ng_free(near.start);
    ng_free(near.to);
    ng_free(first);
    return status;
}

/* ---- what stays -------------------------------------------------------------------------- */

/* Those nearer than `within` to a spot that goes or comes are to be fitted anew. */
static void refresh(ng_spots *s, size_t index, double within)
{
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < within * within; k++) {
        const pair *p = &s->pair[k];
        s->spot[p->a].fresh = s->spot[p->a].fresh || p->b == index;
        s->spot[p->b].fresh = s->spot[p->b].fresh || p->a == index;
    }
}

/* The weaker of two that have moved onto each other. */
static void unite(ng_spots *s)
{
    const double w = s->choices.spot.width_px, same = SAME_WIDTHS * w;
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < pow(JOIN_WIDTHS * w, 2.0); k++) {
        ng_spot *a = &s->spot[s->pair[k].a], *b = &s->spot[s->pair[k].b];
        if (hypot(a->x - b->x, a->y - b->y) < same) {
            ng_spot *weaker = a->z < b->z ? a : b;
            weaker->z = 0.0;
        }
    }
}

/* Drop those below; @return whether any neighbour of one is left to be fitted anew. */
static bool drop(ng_spots *s, double least)
{
    size_t kept = 0, gone = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->spot[i].z >= least)) {
            refresh(s, i, JOIN_WIDTHS * s->choices.spot.width_px);
            gone++;
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->spot[i].z >= least) {
            s->spot[kept++] = s->spot[i];
        }
    }
    s->n = kept;
    s->n_pairs = 0; /* they count other spots */
    return gone > 0;
}

/* Light of a near spot that a new one must not be a ripple of. */
typedef struct skirt {
    const ng_spot *spot;
    double most;
} skirt;

static void look_at_skirt(void *context, size_t index, double d2)
{
    skirt *k = context;
    (void)d2;
    k->most = fmax(k->most, k->spot[index].flux);
}

/* Search what the fitted spots leave of the frame. */
static ng_status search_rest(ng_spots *s, ng_error *err)
{
    const double w = s->choices.spot.width_px;
    const size_t before = s->n, total = s->width * s->height;
    memcpy(s->left.pixel, s->view.image.pixel, total * sizeof *s->left.pixel);
    for (size_t i = 0; i < s->n; i++) {
        ng_spot_draw(&s->spot[i], -1.0, ng_spot_reach(w), &s->left);
        s->x[i] = s->spot[i].x;
        s->y[i] = s->spot[i].y;
    }
    ng_status status = add_peaks(s, &s->left, true, err);
    if (status == NG_OK && before > 0) {
        status = ng_grid_fill(&s->grid, s->x, s->y, before, JOIN_WIDTHS * w, err);
    }
    size_t kept = before;
    for (size_t i = before; status == NG_OK && i < s->n; i++) {
        skirt k = {s->spot, 0.0};
        const ng_spot *candidate = &s->spot[i];
        if (before > 0) {
            ng_grid_near(&s->grid, candidate->x, candidate->y, JOIN_WIDTHS * w, look_at_skirt, &k);
        }
        if (k.most > 0.0 && candidate->flux >= SKIRT_SHARE * k.most) {
            s->spot[kept++] = *candidate;
        }
    }
    s->n = kept;
    return status;
}

static ng_spot_scene scene_of(const ng_spots *s)
{
    const ng_spot_choices *c = &s->choices.spot;
    const double most = s->choices.most;
    return (ng_spot_scene){
        .image = &s->view.image,
        .bad = s->view.bad,
        .lowest = s->view.lowest,
        .highest = s->view.highest,
        .noise = noise_of(&c->noise),
        .most = isnan(most) || s->choices.options.polarity == NG_DARK ? (double)INFINITY : most,
        .width = c->width_px,
        .free_width = s->choices.options.free_width,
        .reach = ng_spot_reach(c->width_px)};
}

static ng_status fit_all(ng_spots *s, double least_z, ng_error *err)
{
    const ng_spot_scene scene = scene_of(s);
    ng_status status = fit_round(s, &scene, s->spot, false, err);
    if (status == NG_OK) {
        unite(s);
        (void)drop(s, HOPELESS * least_z);
        status = search_rest(s, err);
    }
    status = status == NG_OK ? fit_round(s, &scene, s->spot, false, err) : status;
    if (status == NG_OK) {
        unite(s);
        if (drop(s, least_z)) {
            status = fit_round(s, &scene, s->spot, true, err);
            (void)drop(s, least_z); /* what that took the light from */
        }
    }
    return status;
}

static int by_place(const void *left, const void *right)
{
    const ng_spot *a = left, *b = right;
    if (a->y != b->y) {
        return a->y < b->y ? -1 : 1;
    }
    return (a->x > b->x) - (a->x < b->x);
}

ng_status ng_spots_find(ng_spots *s, const ng_image *const *window, size_t n, size_t centre,
                        double least_z, const ng_spot **out, size_t *n_out, ng_error *err)
{
    const ng_image *seen = prepare(s, window, n, centre);
    s->n = 0;
    ng_status status = add_peaks(s, seen, false, err);
    if (status == NG_OK && s->choices.options.fit) {
        status = fit_all(s, least_z, err);
    } else if (status == NG_OK) {
        s->n_pairs = 0;
        (void)drop(s, least_z);
    }
    if (status == NG_OK && s->n > 1) {
        qsort(s->spot, s->n, sizeof *s->spot, by_place);
    }
    *out = s->spot;
    *n_out = s->n;
    return status;
}

/* ---- intensities from another stack ------------------------------------------------------ */

static ng_status use_flux(ng_spots *s, const ng_image *flux, ng_error *err)
{
    const ng_spot_choices *c = &s->choices.spot;
    const double ratio = s->choices.options.pixel_nm / c->flux_pixel_nm;
    if (s->flux.width != flux->width || s->flux.height != flux->height) {
        ng_image_free(&s->flux);
        ng_free(s->flux_bad);
        s->flux_bad = NG_NEW(unsigned char, flux->width * flux->height);
        ng_status status = ng_image_create(flux->width, flux->height, &s->flux, err);
        if (status != NG_OK || s->flux_bad == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for a frame of intensities");
        }
    }
    const view v = look_at(flux, s->choices.options.polarity, &s->flux, s->flux_bad);
    const ng_spot_scene scene = {.image = &v.image,
                                 .bad = v.bad,
                                 .lowest = v.lowest,
                                 .highest = v.highest,
                                 .noise = noise_of(&c->flux_noise),
                                 .most = (double)INFINITY,
                                 .width = c->flux_width_px,
                                 .fixed_places = true,
                                 .reach = ng_spot_reach(c->flux_width_px)};
    ring around;
    make_ring((double)scene.reach + 0.5, &around);
    for (size_t i = 0; i < s->n; i++) {
        ng_spot *spot = &s->second[i];
        *spot = s->spot[i];
        spot->x = (s->spot[i].x + 0.5) * ratio - 0.5;
        spot->y = (s->spot[i].y + 0.5) * ratio - 0.5;
        spot->width = scene.width;
        spot->background = ring_background(&v.image, spot->x, spot->y, &around);
        spot->flux = spot->flux_var = 0.0;
        spot->fresh = true;
    }
    ng_status status = NG_OK;
    for (int round = 0; status == NG_OK && round < FLUX_ROUNDS; round++) {
        status = fit_round(s, &scene, s->second, false, err);
    }
    return status;
}

/* ---- what leaves ------------------------------------------------------------------------- */

/* Noise whose grain is as wide as `grain` tells less than as many white pixels: what that does to
 * the variance of a flux, and of a place with the square of the last factor. */
static double grain_factor(double grain, double width, int power)
{
    const double g2 = grain * grain, w2 = width * width;
    return fmax(4.0 * PI * g2 * pow(w2 / (w2 + g2), power), 1.0);
}

/* Without a fit: the filter is linear, so that noise goes through it as through any sum. */
static void put_quick(const ng_spots *s, ng_spot *spot)
{
    const ng_spot_noise noise = noise_of(&s->choices.spot.noise);
    const double area = 2.0 * PI * pow(seen_width(spot->width), 2.0), A = spot->flux / area;
    const double v = ng_spot_variance(&noise, spot->background), photons = noise.gain * A;
    const double place = (v * s->slope_noise + photons * s->slope_own) / pow(A * s->bend, 2.0);
    spot->x_var = spot->y_var = place;
    spot->flux_var =
        pow(area / s->answer, 2.0) * (v * pow(s->filter.noise, 2.0) + photons * s->own);
}

static void put_particle(const ng_spots *s, const ng_spot *spot, const ng_spot *light, size_t index,
                         ng_particle *out)
{
    const ng_spot_choices *c = &s->choices.spot;
    const ng_spot_noise noise = noise_of(&c->noise);
    const double nm = s->choices.options.pixel_nm, w = spot->width;
    const bool own = light == spot;
    const double place = grain_factor(c->noise.grain_px, w, 2);
    const double sum = own ? grain_factor(c->noise.grain_px, w, 1)
                           : grain_factor(c->flux_noise.grain_px, c->flux_width_px, 1);
    *out = ng_particle_unknown();
    out->particle = (long)index + 1;
    out->x_nm = out->x_raw_nm = spot->x * nm;
    out->y_nm = out->y_raw_nm = spot->y * nm;
    out->x_se_nm = sqrt(spot->x_var * place) * nm;
    out->y_se_nm = sqrt(spot->y_var * place) * nm;
    out->intensity = light->flux;
    out->intensity_se = light->fitted || own ? sqrt(light->flux_var * sum) : (double)NAN;
    out->background = light->background * (double)s->choices.options.polarity;
    out->contrast = spot->flux / (2.0 * PI * pow(seen_width(w), 2.0));
    out->snr = out->contrast / sqrt(ng_spot_variance(&noise, spot->background));
    out->edge_nm = s->choices.options.free_width && spot->fitted
                       ? sqrt(fmax(w * w - 1.0 / 12.0, 0.0)) * nm
                       : (double)NAN;
    out->flag = spot->flag | light->flag;
}

static void flag_places(ng_spots *s)
{
    const double w = s->choices.spot.width_px, crowded = CROWDED_WIDTHS * w;
    const double right = (double)s->width - 1.0 - EDGE_WIDTHS * w;
    const double bottom = (double)s->height - 1.0 - EDGE_WIDTHS * w;
    for (size_t i = 0; i < s->n; i++) {
        const ng_spot *spot = &s->spot[i];
        const bool edge = spot->x < EDGE_WIDTHS * w || spot->y < EDGE_WIDTHS * w ||
                          spot->x > right || spot->y > bottom;
        s->particle[i].flag |= edge ? NG_FLAG_EDGE : 0;
        const bool fitted = spot->fitted || !s->choices.options.fit;
        s->particle[i].flag |= fitted ? 0 : NG_FLAG_NO_FIT;
    }
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < crowded * crowded; k++) {
        s->particle[s->pair[k].a].flag |= NG_FLAG_CROWDED;
        s->particle[s->pair[k].b].flag |= NG_FLAG_CROWDED;
    }
}

/* Pixels near a spot carry its label; of two the nearer one's. */
static void draw_labels(ng_spots *s)
{
    const double r = fmax(LABEL_WIDTHS * s->choices.spot.width_px, 1.0);
    memset(s->label, 0, s->width * s->height * sizeof *s->label);
    for (size_t k = 0; k < s->n; k++) {
        const ng_spot *spot = &s->spot[k];
        const size_t x0 = (size_t)fmax(ceil(spot->x - r), 0.0);
        const size_t y0 = (size_t)fmax(ceil(spot->y - r), 0.0);
        for (size_t y = y0; y < s->height && (double)y <= spot->y + r; y++) {
            for (size_t x = x0; x < s->width && (double)x <= spot->x + r; x++) {
                const double dx = (double)x - spot->x, dy = (double)y - spot->y;
                uint32_t *label = &s->label[y * s->width + x];
                if (dx * dx + dy * dy > r * r) {
                    continue;
                }
                const ng_spot *had = *label > 0 ? &s->spot[*label - 1] : NULL;
                if (had == NULL || pow((double)x - had->x, 2.0) + pow((double)y - had->y, 2.0) >
                                       dx * dx + dy * dy) {
                    *label = (uint32_t)k + 1;
                }
            }
        }
    }
}

ng_status ng_spots_measure(ng_spots *s, const ng_image *const *window, size_t n, size_t centre,
                           const ng_image *flux, ng_detect_frame *out, ng_error *err)
{
    const ng_spot *found = NULL;
    const ng_image *raw = window[centre];
    *out = (ng_detect_frame){.width = raw->width, .height = raw->height, .pixel = raw->pixel};
    ng_status status =
        ng_spots_find(s, window, n, centre, s->choices.options.c, &found, &out->n, err);
    if (status == NG_OK && flux != NULL && s->n > 0) {
        status = use_flux(s, flux, err);
    }
    if (status == NG_OK && s->n > 0) {
        status = find_pairs(s, s->spot, CROWDED_WIDTHS * s->choices.spot.width_px, err);
    }
    if (status != NG_OK) {
        return status;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (!s->choices.options.fit) {
            put_quick(s, &s->spot[i]);
        }
        put_particle(s, &s->spot[i], flux != NULL ? &s->second[i] : &s->spot[i], i,
                     &s->particle[i]);
    }
    if (s->n > 0) {
        flag_places(s);
    }
    draw_labels(s);
    out->particle = s->particle;
    out->label = s->label;
    return NG_OK;
}
