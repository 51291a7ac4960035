/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stripes once more, from the frames themselves.
 *
 * Bands are compared where their passbands overlap. The frames tell more: what the stripes bring in
 * from beyond, where light can only be positive, and each pixel with its own noise. With the object
 * that a few passes of the joint reconstruction find, k and phase of each direction make one step
 * of Fisher's scoring on the Poisson likelihood; then the object is found anew, and they make
 * another. The object takes the side of the stripes that it was made with, so that a step goes only
 * the part 1 - r of the way: r is what the second step is of the first, and the rest of the
 * geometric series is known. Likewise 1 - r of the information of a known object is left. Source:
 * Meng, Rubin, J. Am. Stat. Assoc. 86, 899 (1991). The modulation is left alone, since an object of
 * few passes is too smooth for it.
 */
#include "pattern_internal.h"
#include "reconstruct_internal.h"

#include <string.h>

/* Passes for an object: with half as many the errors grow by a tenth, with twice as many they
 * shrink by a twentieth. */
#define PASSES 8
/* Strips and blocks of the field from which the scatter of the scores is taken. */
#define BLOCKS 16
/* Further than this from where the bands put them, in standard errors, is no refinement. */
#define FAR 5
#define MOST_R 0.8

enum { KX, KY, PHASE, UNKNOWNS };

/* Of a direction: sums over a strip. */
typedef struct strip {
    double score[BLOCKS][UNKNOWNS], information[UNKNOWNS][UNKNOWNS];
} strip;

typedef struct scoring {
    ng_sim_reconstructor *r;
    const ng_sim_subset *subset;
    float background;
    size_t strip_side, block_side; /* pixels; of strips even */
    strip strip[BLOCKS];
} scoring;

/* What a direction's frames say. */
typedef struct verdict {
    double move[UNKNOWNS], information[UNKNOWNS][UNKNOWNS], scatter[UNKNOWNS][UNKNOWNS];
} verdict;

/* ---- scores ---- */

/* Expected are x, and x cos, x sin of the stripes, blurred. The blur is so much smaller than the
 * field that the slope by k is that by the phase times the distance from the centre. */
static void score_row(const scoring *s, size_t row, const float *even, const ng_cf *wave,
                      strip *out)
{
    const ng_sim_grid *g = &s->r->grid;
    const ng_sim_layout *layout = &s->r->pattern.layout;
    const ng_sim_subset *set = s->subset;
    const double y =
        2 * NG_SIM_PI * ((double)row - (double)g->top - 0.5 * ((double)layout->height - 1));
    for (size_t i = 0; i < layout->width; i++) {
        const size_t at = g->left + i;
        const double x = 2 * NG_SIM_PI * ((double)i - 0.5 * ((double)layout->width - 1));
        const double by[UNKNOWNS] = {x, y, 1};
        double score = 0, information = 0;
        for (size_t p = 0; p < set->frames; p++) {
            const ng_sim_response t = set->term[p];
            const float light =
                t.even * even[2 * at] + t.cosine * wave[at].re + t.sine * wave[at].im;
            const float expected = ng_larger(light, 0.0F) + s->background;
            const float slope = t.sine * wave[at].re - t.cosine * wave[at].im;
            const float data = set->data[(p * g->height + row) * g->width + at];
            score += (double)(slope * (data / expected - 1));
            information += (double)(slope * slope / expected);
        }
        for (int a = 0; a < UNKNOWNS; a++) {
            out->score[i / s->block_side][a] += score * by[a];
            for (int b = 0; b <= a; b++) {
                out->information[a][b] += information * by[a] * by[b];
            }
        }
    }
}

static ng_status score_strip(void *context, size_t index, int worker, ng_error *err)
{
    (void)err;
    scoring *s = context;
    const ng_sim_grid *g = &s->r->grid;
    const size_t n = g->width, bottom = g->top + s->r->pattern.layout.height;
    ng_cf *scratch = ng_sim_scratch(s->r, worker);
    ng_cf *const pair[4] = {scratch, scratch + n, scratch + 2 * n, scratch + 3 * n};
    const size_t end = (index + 1) * s->strip_side;
    for (size_t row = index * s->strip_side; row < end && row < g->height; row += 2) {
        ng_sim_rows_back(&g->coarse, s->r->coarse_spectrum, 3, row, pair);
        for (size_t k = 0; k < 2; k++) {
            if (row + k >= g->top && row + k < bottom) {
                score_row(s, row + k, &pair[0]->re + k, pair[1 + k], &s->strip[index]);
            }
        }
    }
    return NG_OK;
}

static void sum_up(const scoring *s, verdict *out)
{
    double score[UNKNOWNS] = {0};
    *out = (verdict){.move = {0}};
    for (size_t i = 0; i < BLOCKS; i++) {
        for (int a = 0; a < UNKNOWNS; a++) {
            for (int b = 0; b <= a; b++) {
                out->information[a][b] += s->strip[i].information[a][b];
                out->information[b][a] = out->information[a][b];
            }
            for (size_t j = 0; j < BLOCKS; j++) {
                score[a] += s->strip[i].score[j][a];
                for (int b = 0; b < UNKNOWNS; b++) {
                    out->scatter[a][b] += s->strip[i].score[j][a] * s->strip[i].score[j][b];
                }
            }
        }
    }
    double inverse[UNKNOWNS][UNKNOWNS];
    if (ng_sim_invert3(out->information, inverse)) {
        for (int a = 0; a < UNKNOWNS; a++) {
            for (int b = 0; b < UNKNOWNS; b++) {
                out->move[a] += inverse[a][b] * score[b];
            }
        }
    }
}

/* ---- a round ---- */

static ng_status score_all(scoring *s, const ng_sim_subset *subset, const ng_run *run, verdict *out,
                           ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t d = 0; status == NG_OK && d < s->r->pattern.layout.directions; d++) {
        s->subset = &subset[d];
        memset(s->strip, 0, sizeof s->strip);
        status = ng_sim_joint_light(s->r, s->subset, run, err);
        status = status != NG_OK ? status : ng_sim_loop(BLOCKS, score_strip, s, run, err);
        sum_up(s, &out[d]);
    }
    return status;
}

/* The object for the stripes of `pattern`, and what it says of them. */
static ng_status make_round(const ng_sim_pattern *pattern, const float *frames, const ng_run *run,
                            verdict *out, ng_error *err)
{
    ng_sim_reconstruct_options options = ng_sim_reconstruct_defaults();
    ng_sim_subset subset[NG_SIM_MAX_DIRECTIONS];
    ng_sim_run_info info;
    scoring *s = NG_NEW(scoring, 1);
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the likelihood");
    }
    options.passes = PASSES;
    ng_status status =
        ng_sim_reconstructor_create(pattern, &options, ng_run_threads(run), &s->r, err);
    if (status == NG_OK) {
        const ng_run inner = ng_sim_inner_run(s->r, run);
        s->strip_side = 2 * ((s->r->grid.height + 2 * BLOCKS - 1) / (2 * BLOCKS));
        s->block_side = (pattern->layout.width + BLOCKS - 1) / BLOCKS;
        ng_sim_load_frames(s->r, frames);
        s->background = (float)ng_sim_background(s->r);
        ng_sim_all_subsets(s->r, subset);
        status = ng_sim_joint(s->r, subset, pattern->layout.directions, (double)s->background,
                              &inner, &info, err);
        status = status != NG_OK ? status : score_all(s, subset, &inner, out, err);
    }
    ng_sim_reconstructor_destroy(s->r);
    ng_free(s);
    return status;
}

/* ---- from the rounds to the stripes ---- */

static void move_direction(const ng_sim_layout *layout, const double *move, double by,
                           ng_sim_direction *d)
{
    const double x = 0.5 * ((double)layout->width - 1), y = 0.5 * ((double)layout->height - 1);
    d->kx += by * move[KX];
    d->ky += by * move[KY];
    for (size_t p = 0; p < layout->phases; p++) {
        const double turn = by * (move[PHASE] - 2 * NG_SIM_PI * (move[KX] * x + move[KY] * y));
        d->phase[p] = remainder(d->phase[p] + turn, 2 * NG_SIM_PI);
    }
}

/* What the second moves are of the first, in the metric of the information. */
static double ratio_of(const verdict *first, const verdict *second, size_t n)
{
    double product = 0, square = 0;
    for (size_t d = 0; d < n; d++) {
        for (int a = 0; a < UNKNOWNS; a++) {
            for (int b = 0; b < UNKNOWNS; b++) {
                const double by = second[d].information[a][b] * first[d].move[b];
                product += second[d].move[a] * by;
                square += first[d].move[a] * by;
            }
        }
    }
    return square > 0 ? fmax(0, fmin(MOST_R, product / square)) : 0;
}

/* Inverse information around the scatter of the scores. */
static void set_errors(const ng_sim_layout *layout, verdict *v, double left, ng_sim_direction *d)
{
    double inverse[UNKNOWNS][UNKNOWNS], covariance[UNKNOWNS][UNKNOWNS] = {{0}};
    ng_sim_invert3(v->information, inverse);
    for (int i = 0; i < UNKNOWNS * UNKNOWNS * UNKNOWNS * UNKNOWNS; i++) {
        const int a = i % 3, b = i / 3 % 3, k = i / 9 % 3, l = i / 27;
        covariance[a][b] += inverse[a][k] * v->scatter[k][l] * inverse[l][b] / (left * left);
    }
    const double by[UNKNOWNS] = {-NG_SIM_PI * ((double)layout->width - 1),
                                 -NG_SIM_PI * ((double)layout->height - 1), 1};
    double variance = 0;
    for (int a = 0; a < UNKNOWNS; a++) {
        for (int b = 0; b < UNKNOWNS; b++) {
            variance += by[a] * by[b] * covariance[a][b];
        }
    }
    d->kx_se = sqrt(covariance[KX][KX]);
    d->ky_se = sqrt(covariance[KY][KY]);
    d->phase_centre_se = hypot(sqrt(covariance[PHASE][PHASE]), d->step_se[0]);
    for (size_t p = 0; p < layout->phases; p++) {
        d->phase_se[p] = hypot(sqrt(variance), d->step_se[p]);
    }
}

static bool is_near(const ng_sim_direction *from, const double *move)
{
    return fabs(move[KX]) < FAR * from->kx_se && fabs(move[KY]) < FAR * from->ky_se &&
           fabs(move[PHASE]) < FAR * from->phase_centre_se;
}

ng_status ng_sim_pattern_sharpen(ng_sim_pattern *pattern, const float *frames, const ng_run *run,
                                 ng_error *err)
{
    const ng_sim_layout *layout = &pattern->layout;
    verdict round[2][NG_SIM_MAX_DIRECTIONS];
    ng_sim_pattern moved = *pattern;
    ng_run silent = ng_run_defaults();
    silent.threads = ng_run_threads(run);
    for (int i = 0; i < 2; i++) {
        const ng_status status = make_round(&moved, frames, &silent, round[i], err);
        if (status != NG_OK) {
            return status;
        }
        for (size_t d = 0; i == 0 && d < layout->directions; d++) {
            move_direction(layout, round[0][d].move, 1, &moved.direction[d]);
        }
    }
    const double left = 1 - ratio_of(round[0], round[1], layout->directions);
    bool near = true;
    for (size_t d = 0; d < layout->directions; d++) {
        double whole[UNKNOWNS];
        for (int a = 0; a < UNKNOWNS; a++) {
            whole[a] = round[0][d].move[a] + round[1][d].move[a] / left;
        }
        near = near && is_near(&pattern->direction[d], whole);
        move_direction(layout, round[1][d].move, 1 / left, &moved.direction[d]);
        set_errors(layout, &round[1][d], left, &moved.direction[d]);
    }
    if (near) {
        *pattern = moved;
    }
    return NG_OK;
}
