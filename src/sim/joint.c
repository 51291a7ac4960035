/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Richardson-Lucy on all frames together, one direction (subset) after the other.
 *
 * H(I_p x) of all phases of a direction is put together from three images, x, x cos and x sin of
 * the stripes, and what goes back likewise: three transforms each way, whatever the number of
 * phases. Between the transforms everything is done on the rows and columns just at hand.
 */
#include "reconstruct_internal.h"

#include <math.h>
#include <string.h>

/* A block of the object for the stopping rule, fine pixels; also the rows of one task. */
#define SIDE 8
/* Blocks below this many standard deviations of the background's noise do not count as lit. */
#define LIT 5
#define SETTLED 0.01
#define STILL_CHANGING 0.25
#define MOST_PASSES 40
#define LEAST_PASSES 12
/* Where the frame sees less than this of the light, there is nothing to go by. */
#define LEAST_COVERAGE 0.02F
/* Least light of the first object on a camera pixel, in units of the background. */
#define FLOOR 0.003F
/* Part of the background on a camera pixel that each of its fine pixels may answer for: with it in
 * both sides of the update (x + z) <- (x + z) * correction, dark places become dark in a few
 * passes. Below 1/4 by as much as the stripes may brighten it. Source: Fessler, Hero, IEEE
 * Trans. Image Process. 4, 1417 (1995), section IV (ML-EM-3). */
#define RESERVE 0.2F

typedef struct joint {
    ng_sim_reconstructor *r;
    const ng_sim_subset *old, *new; /* whose update is due, whose light comes next; may be NULL */
    size_t components;              /* 3, or 1 without stripes */
    float background;
    float reserve;  /* background that a fine pixel may answer for */
    float momentum; /* of the last pass's change, to be added; below 0: none */
    bool bold;      /* of the update that is due: corrections are taken to the power 3/2 */
    size_t frames;  /* of all subsets */
    float floor;    /* of the first object */
    double *sums;   /* of blocks, when wanted: `now` */
    double *now, *before;
} joint;

static size_t components_of(const ng_sim_subset *s)
{
    return s->striped ? 3 : 1;
}

/* ---- rows of the fine grid: update, then the light of the next direction --------------------- */

/* cos and sin of the stripes along a row. */
typedef struct stripes {
    const ng_cf *x;
    ng_cf y;
} stripes;

static inline ng_cf stripe(const stripes *s, size_t i)
{
    return ng_cf_mul(s->x[i], s->y);
}

/* Of all its frames together. */
static ng_sim_response response_of(const ng_sim_subset *s)
{
    ng_sim_response sum = {0, 0, 0};
    for (size_t p = 0; p < s->frames; p++) {
        sum.even += s->term[p].even;
        sum.cosine += s->term[p].cosine;
        sum.sine += s->term[p].sine;
    }
    return sum;
}

/* A row of the object. `even`, at every other place, and `back`: what came back as x, and as its
 * cos and sin. */
static inline void update_row(const joint *j, size_t row, const float *even, const ng_cf *back,
                              bool striped)
{
    const ng_sim_reconstructor *r = j->r;
    const size_t n = r->grid.fine.width;
    const ng_sim_response all = response_of(j->old);
    const stripes wave = {j->old->wave_x, striped ? j->old->wave_y[row] : (ng_cf){0, 0}};
    const float *coverage = r->coverage + row * n, reserve = j->reserve;
    float *restrict x = r->object + row * n;
    const bool bold = j->bold;
    for (size_t i = 0; i < n; i++) {
        float gain = even[2 * i], total = all.even;
        if (striped) {
            const ng_cf w = stripe(&wave, i);
            gain += back[i].re * w.re + back[i].im * w.im;
            total += all.cosine * w.re + all.sine * w.im;
        }
        const float correction = ng_larger(gain / (coverage[i] * total), 0.0F);
        const float power = bold ? sqrtf(correction) : 1.0F;
        const float next = ng_larger((x[i] + reserve) * correction * power - reserve, 0.0F);
        x[i] = coverage[i] > LEAST_COVERAGE ? next : 0.0F;
    }
}

/* Rows `row` and `row + 1`. pair: what came back, as [x of both rows], [cos, sin] of either. */
static void update_rows(const joint *j, size_t row, ng_cf *const pair[4])
{
    for (size_t k = 0; k < 2; k++) {
        const float *even = &pair[0]->re + k;
        if (j->components == 3) {
            update_row(j, row + k, even, pair[1 + k], true);
        } else {
            update_row(j, row + k, even, NULL, false);
        }
    }
}

static void light_rows(const joint *j, size_t row, ng_cf *const pair[4])
{
    const ng_sim_reconstructor *r = j->r;
    const size_t n = r->grid.fine.width;
    const float *x = r->object + row * n;
    for (size_t i = 0; i < n; i++) {
        pair[0][i] = (ng_cf){x[i], x[n + i]};
    }
    for (size_t k = 0; k + 1 < j->components; k++, x += n) {
        const stripes wave = {j->new->wave_x, j->new->wave_y[row + k]};
        for (size_t i = 0; i < n; i++) {
            const ng_cf w = stripe(&wave, i);
            pair[1 + k][i] = (ng_cf){x[i] * w.re, x[i] * w.im};
        }
    }
}

void ng_sim_rows_back(const ng_sim_lattice *l, ng_cf *const spectrum[3], size_t components,
                      size_t row, ng_cf *const pair[4])
{
    const size_t at = row * l->columns, next = at + l->columns;
    ng_sim_lattice_rows_backward(l, spectrum[0] + at, spectrum[0] + next, pair[3], pair[0]);
    if (components == 3) {
        ng_sim_lattice_rows_backward(l, spectrum[1] + at, spectrum[2] + at, pair[3], pair[1]);
        ng_sim_lattice_rows_backward(l, spectrum[1] + next, spectrum[2] + next, pair[3], pair[2]);
    }
}

void ng_sim_rows_forth(const ng_sim_lattice *l, ng_cf *const spectrum[3], size_t components,
                       size_t row, ng_cf *const pair[4])
{
    const size_t at = row * l->columns, next = at + l->columns;
    ng_sim_lattice_rows_forward(l, pair[0], pair[3], spectrum[0] + at, spectrum[0] + next);
    if (components == 3) {
        ng_sim_lattice_rows_forward(l, pair[1], pair[3], spectrum[1] + at, spectrum[2] + at);
        ng_sim_lattice_rows_forward(l, pair[2], pair[3], spectrum[1] + next, spectrum[2] + next);
    }
}

static size_t blocks_across(const ng_sim_reconstructor *r)
{
    return (r->grid.fine.width + SIDE - 1) / SIDE;
}

static void add_row_sums(const ng_sim_reconstructor *r, size_t row, double *sums)
{
    const size_t n = r->grid.fine.width;
    const float *x = r->object + row * n;
    for (size_t i = 0; i < n; i++) {
        sums[i / SIDE] += (double)x[i];
    }
}

/* Richardson-Lucy settles as 1/passes; going on in the direction of the last pass makes that
 * 1/passes^2. Until then the light that has not been drawn together counts as too much. */
static void push_rows(const joint *j, size_t row)
{
    const size_t n = 2 * j->r->grid.fine.width;
    const float momentum = j->momentum;
    float *restrict x = j->r->object + row / 2 * n, *restrict before = j->r->spare + row / 2 * n;
    for (size_t i = 0; i < n; i++) {
        const float now = x[i];
        x[i] = ng_larger(now + momentum * (now - before[i]), 0.0F);
        before[i] = now;
    }
}

static ng_status fine_rows(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const joint *j = context;
    ng_sim_reconstructor *r = j->r;
    const size_t n = r->grid.fine.width, end = r->grid.fine.height;
    ng_cf *scratch = ng_sim_scratch(r, worker);
    ng_cf *const pair[4] = {scratch, scratch + n, scratch + 2 * n, scratch + 3 * n};
    double *sums = j->sums != NULL ? j->sums + index * blocks_across(r) : NULL;
    if (sums != NULL) {
        memset(sums, 0, blocks_across(r) * sizeof *sums);
    }
    for (size_t row = index * SIDE; row < (index + 1) * SIDE && row < end; row += 2) {
        if (j->old != NULL) {
            ng_sim_rows_back(&r->grid.fine, r->fine_spectrum, j->components, row, pair);
            update_rows(j, row, pair);
        }
        if (j->momentum >= 0) {
            push_rows(j, row);
        }
        if (sums != NULL) {
            add_row_sums(r, row, sums);
            add_row_sums(r, row + 1, sums);
        }
        if (j->new != NULL) {
            light_rows(j, row, pair);
            ng_sim_rows_forth(&r->grid.fine, r->fine_spectrum, j->components, row, pair);
        }
    }
    return NG_OK;
}

/* ---- rows of the camera: what is seen against what was expected ------------------------------ */

/* `answer` of a row, which holds zeros, from what was `expected`; k: which of the two rows in the
 * first of either. `even` is scratch. */
static void compare_row(const joint *j, size_t row, size_t k, ng_cf *const expected[4],
                        ng_cf *const answer[4], float *restrict even)
{
    const ng_sim_reconstructor *r = j->r;
    const size_t left = r->grid.left, right = left + r->pattern.layout.width;
    const float *light_even = &expected[0]->re + k, background = j->background;
    const ng_cf *wave = expected[1 + k];
    ng_cf *restrict back = answer[1 + k];
    const float *data = j->new->data + row * r->grid.width;
    memset(even, 0, right * sizeof *even);
    for (size_t p = 0; p < j->new->frames; p++, data += r->grid.width * r->grid.height) {
        const ng_sim_response t = j->new->term[p];
        for (size_t i = left; i < right; i++) {
            const float light =
                t.even * light_even[2 * i] + t.cosine * wave[i].re + t.sine * wave[i].im;
            const float ratio = data[i] / (ng_larger(light, 0.0F) + background);
            even[i] += t.even * ratio;
            back[i].re += t.cosine * ratio;
            back[i].im += t.sine * ratio;
        }
    }
    for (size_t i = left; i < right; i++) {
        *(k == 0 ? &answer[0][i].re : &answer[0][i].im) = even[i];
    }
}

static ng_status coarse_rows(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const joint *j = context;
    ng_sim_reconstructor *r = j->r;
    const size_t n = r->grid.width, row = 2 * index, top = r->grid.top;
    ng_cf *s = ng_sim_scratch(r, worker);
    ng_cf *const expected[4] = {s, s + n, s + 2 * n, s + 3 * n};
    ng_cf *const answer[4] = {s + 4 * n, s + 5 * n, s + 6 * n, s + 3 * n};
    memset(s, 0, 7 * n * sizeof *s);
    ng_sim_rows_back(&r->grid.coarse, r->coarse_spectrum, j->components, row, expected);
    for (size_t k = 0; k < 2; k++) {
        if (row + k >= top && row + k < top + r->pattern.layout.height) {
            compare_row(j, row + k, k, expected, answer, &s[3 * n].re);
        }
    }
    ng_sim_rows_forth(&r->grid.coarse, r->coarse_spectrum, j->components, row, answer);
    return NG_OK;
}

/* ---- columns --------------------------------------------------------------------------------- */

static ng_status columns_down(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const joint *j = context;
    ng_sim_reconstructor *r = j->r;
    const size_t blocks = r->grid.fine.columns / NG_SIM_BLOCK, c = index / blocks;
    ng_sim_grid_down(&r->grid, r->fine_spectrum[c], r->coarse_spectrum[c],
                     index % blocks * NG_SIM_BLOCK, ng_sim_scratch(r, worker));
    return NG_OK;
}

static ng_status columns_up(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    const joint *j = context;
    ng_sim_reconstructor *r = j->r;
    const size_t blocks = r->grid.fine.columns / NG_SIM_BLOCK, c = index / blocks;
    ng_sim_grid_up(&r->grid, r->coarse_spectrum[c], r->fine_spectrum[c],
                   index % blocks * NG_SIM_BLOCK, ng_sim_scratch(r, worker));
    return NG_OK;
}

/* ---- passes ---------------------------------------------------------------------------------- */

static size_t row_tasks(const ng_sim_reconstructor *r)
{
    return (r->grid.fine.height + SIDE - 1) / SIDE;
}

static ng_status fine_step(joint *j, const ng_run *run, ng_error *err)
{
    return ng_sim_loop(row_tasks(j->r), fine_rows, j, run, err);
}

static size_t column_tasks(const joint *j)
{
    return j->components * j->r->grid.fine.columns / NG_SIM_BLOCK;
}

/* Light of j->new from the fine grid to the camera and back as corrections. */
static ng_status there_and_back(joint *j, const ng_run *run, ng_error *err)
{
    const ng_sim_grid *g = &j->r->grid;
    const size_t columns = column_tasks(j);
    ng_status status = ng_sim_loop(columns, columns_down, j, run, err);
    if (status == NG_OK) {
        status = ng_sim_loop(g->height / 2, coarse_rows, j, run, err);
    }
    return status != NG_OK ? status : ng_sim_loop(columns, columns_up, j, run, err);
}

/* Share of the lit blocks that changed by more than SETTLED since `before`. */
static double still_changing(const ng_sim_reconstructor *r, const double *now, const double *before,
                             double least)
{
    size_t lit = 0, changing = 0;
    for (size_t i = 0; i < row_tasks(r) * blocks_across(r); i++) {
        if (now[i] > least) {
            lit++;
            changing += fabs(now[i] - before[i]) > SETTLED * now[i];
        }
    }
    return lit == 0 ? 0 : (double)changing / (double)lit;
}

/* The first object: the mean of the frames over 3 x 3 pixels without its background. From an even
 * start the dark places take many passes to become dark, and lend their light to the dim ones. */
static ng_status first_rows(void *context, size_t y, int worker, ng_error *err)
{
    (void)worker;
    (void)err;
    const joint *j = context;
    ng_sim_reconstructor *r = j->r;
    const size_t w = r->grid.width, h = r->grid.height, fine = r->grid.fine.width;
    const size_t from = y > 0 ? y - 1 : 0, to = y + 1 < h ? y + 1 : y;
    float *out = r->object + 2 * y * fine;
    for (size_t x = 0; x < w; x++) {
        const size_t left = x > 0 ? x - 1 : 0, right = x + 1 < w ? x + 1 : x;
        float sum = 0;
        for (size_t row = from; row <= to; row++) {
            for (size_t column = left; column <= right; column++) {
                sum += r->mean[row * w + column];
            }
        }
        const float light = 0.25F * ng_larger(sum / 9 - j->background, j->floor);
        out[2 * x] = out[2 * x + 1] = out[fine + 2 * x] = out[fine + 2 * x + 1] = light;
    }
    return NG_OK;
}

/* Nesterov's weights; the first pass leaves nothing to go on with. */
static float momentum_of(long pass)
{
    return pass == 0 ? -1 : (float)(pass - 1) / (float)(pass + 2);
}

/* One direction after the other. Corrections to the power 3/2 (`bold`) settle in two thirds of the
 * passes whatever the light over the background (squared ones do not), but leave the image with too
 * much of what the last direction says; a pass without it mends that. */
static ng_status make_pass(joint *j, const ng_sim_subset *subset, size_t n, long pass, bool bold,
                           const ng_run *run, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t d = 0; status == NG_OK && d < n; d++) {
        j->new = &subset[d];
        j->components = components_of(j->new);
        /* The update left by the last direction is seen at the start of the next pass. */
        j->sums = d == 0 && pass > 0 ? j->now : NULL;
        j->momentum = d == 0 ? momentum_of(pass) : -1;
        status = fine_step(j, run, err);
        status = status != NG_OK ? status : there_and_back(j, run, err);
        j->old = j->new;
        j->bold = bold;
    }
    return status;
}

/* Passes until the image has settled, and one more. */
static ng_status make_passes(joint *j, const ng_sim_subset *subset, size_t n, double least,
                             const ng_run *run, ng_sim_run_info *info, ng_error *err)
{
    const bool automatic = j->r->options.passes == 0;
    const long most = automatic ? MOST_PASSES : j->r->options.passes;
    bool last = false;
    for (long pass = 0; !last; pass++) {
        last = info->settled || pass + 1 == most;
        ng_status status = make_pass(j, subset, n, pass, !last, run, err);
        if (status != NG_OK) {
            return status;
        }
        if (pass > 0) {
            info->changing = pass > 1 ? still_changing(j->r, j->now, j->before, least) : 1;
            double *swap = j->now;
            j->now = j->before;
            j->before = swap;
        }
        info->passes = pass + 1;
        info->settled = info->settled ||
                        (automatic && pass + 2 >= LEAST_PASSES && info->changing <= STILL_CHANGING);
        if (!ng_run_progress(run, "passes", (size_t)pass + 1, (size_t)most)) {
            return NG_FAIL(err, NG_CANCELLED, "stopped after pass %ld", pass + 1);
        }
    }
    return NG_OK;
}

ng_status ng_sim_joint(ng_sim_reconstructor *r, const ng_sim_subset *subset, size_t n,
                       double background, const ng_run *run, ng_sim_run_info *info, ng_error *err)
{
    joint j = {.r = r, .background = (float)background, .now = r->lit};
    j.before = r->lit + row_tasks(r) * blocks_across(r);
    j.reserve = RESERVE * (float)background;
    for (size_t d = 0; d < n; d++) {
        j.frames += subset[d].frames;
    }
    j.floor = FLOOR * (float)background + 1e-6F; /* nowhere zero, else nothing could grow there */
    const double least =
        LIT * sqrt(SIDE * SIDE / 4.0 * background * r->pattern.camera.gain / (double)j.frames);
    info->changing = 1;
    info->settled = false;
    ng_status status = ng_sim_loop(r->grid.height, first_rows, &j, run, err);
    status = status != NG_OK ? status : make_passes(&j, subset, n, least, run, info, err);
    j.new = NULL;
    j.momentum = -1;
    j.sums = NULL;
    return status != NG_OK ? status : fine_step(&j, run, err);
}

ng_status ng_sim_joint_light(ng_sim_reconstructor *r, const ng_sim_subset *subset,
                             const ng_run *run, ng_error *err)
{
    joint j = {.r = r, .new = subset, .components = components_of(subset), .momentum = -1};
    const ng_status status = fine_step(&j, run, err);
    return status != NG_OK ? status : ng_sim_loop(column_tasks(&j), columns_down, &j, run, err);
}

/* ---- H^T 1 ----------------------------------------------------------------------------------- */

ng_status ng_sim_joint_coverage(ng_sim_reconstructor *r, ng_error *err)
{
    (void)err;
    const ng_sim_grid *g = &r->grid;
    const size_t right = g->left + r->pattern.layout.width;
    const size_t bottom = g->top + r->pattern.layout.height, n = g->width;
    ng_cf *scratch = ng_sim_scratch(r, 0), *line = scratch + g->fine.width;
    for (size_t row = 0; row < g->height; row += 2) {
        for (size_t i = 0; i < n; i++) {
            const bool inside = i >= g->left && i < right;
            scratch[i].re = inside && row >= g->top && row < bottom ? 1 : 0;
            scratch[i].im = inside && row + 1 >= g->top && row + 1 < bottom ? 1 : 0;
        }
        ng_sim_lattice_rows_forward(&g->coarse, scratch, line,
                                    r->coarse_spectrum[0] + row * g->coarse.columns,
                                    r->coarse_spectrum[0] + (row + 1) * g->coarse.columns);
    }
    for (size_t c = 0; c < g->fine.columns; c += NG_SIM_BLOCK) {
        ng_sim_grid_up(g, r->coarse_spectrum[0], r->fine_spectrum[0], c, scratch);
    }
    for (size_t row = 0; row < g->fine.height; row += 2) {
        const ng_cf *at = r->fine_spectrum[0] + row * g->fine.columns;
        ng_sim_lattice_rows_backward(&g->fine, at, at + g->fine.columns, line, scratch);
        for (size_t i = 0; i < g->fine.width; i++) {
            r->coverage[row * g->fine.width + i] = scratch[i].re;
            r->coverage[(row + 1) * g->fine.width + i] = scratch[i].im;
        }
    }
    return NG_OK;
}
