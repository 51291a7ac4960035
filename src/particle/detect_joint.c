/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks that touch: a piece that two disks explain better than one becomes two, and disks that
 * crowd are fitted together, so that each one's errors know of the others. */
#include "detector.h"

#include <math.h>
#include <string.h>

/* A piece is tried whose outline is so many standard errors longer along one axis, */
#define TRIED_ELONGATION 3.5
/* or whose pixels lie to one side of the disk, by this share of its radius and so many px. */
#define TRIED_SHARE 0.28
#define TRIED_PX 1.0
/* Two disks must have an Akaike criterion, n ln chi2 + 2 values, lower by so much than one disk and
 * than one ellipse; but only lower than an ellipse that is longer than this ratio of its axes; */
#define AIC_LOWER 8.0
#define LONG_RATIO 0.65
/* and lie apart by this share of the sum of their radii, which parts of an ellipse do not. */
#define LEAST_APART 0.6
/* Contrasts of two in one piece differ by no more than this factor. */
#define LIKE_CONTRAST 3.0
enum { STARTS = 4, ELLIPSE_VALUES = NG_FIT_N + 2, PAIR_VALUES = 2 * NG_FIT_B + 1 };

/* Where the centroid of a piece lies, seen from the disk that was fitted. */
typedef struct place {
    double away, angle;
} place;

static place centroid_from(const ng_detector *d, uint32_t own)
{
    const double *v = d->candidate[own - 1].fit.value;
    const ng_piece *p = &d->mask.piece[own - 1];
    const double dx = p->x - v[NG_FIT_X], dy = p->y - v[NG_FIT_Y];
    return (place){hypot(dx, dy), atan2(dy, dx)};
}

static bool is_long(const ng_candidate *c)
{
    return c->fit.elongation > TRIED_ELONGATION * c->noise;
}

/* A fit that failed on its way to a larger disk may have met two. */
static bool looks_double(const ng_detector *d, uint32_t own)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const double r = c->fit.value[NG_FIT_R], off = centroid_from(d, own).away;
    return is_long(c) || (!c->fitted && r > c->start_r) || off > fmax(TRIED_PX, TRIED_SHARE * r);
}

static void put_disk(const double one[NG_FIT_N], double away, double angle, double r, double *out)
{
    memcpy(out, one, NG_FIT_N * sizeof *out);
    out[NG_FIT_X] += away * cos(angle);
    out[NG_FIT_Y] += away * sin(angle);
    out[NG_FIT_R] = r;
}

/* Two on the long axis of the one disk, alike or not; or the disk is one of them, and the other
 * beside it where the rest of the piece is. */
static void start_pair(const ng_detector *d, uint32_t own, size_t start, ng_joint_fit *fit)
{
    static const double offset[][2] = {{0.7, -0.7}, {0.35, -0.95}, {0.95, -0.35}};
    static const double share[][2] = {{0.7, 0.7}, {0.85, 0.45}, {0.45, 0.85}};
    const ng_candidate *c = &d->candidate[own - 1];
    const double *v = c->fit.value, r = v[NG_FIT_R];
    *fit = (ng_joint_fit){.disks = 2};
    if (start < STARTS - 1) {
        for (size_t k = 0; k < 2; k++) {
            put_disk(v, offset[start][k] * r, c->fit.angle, share[start][k] * r, fit->value[k]);
        }
    } else {
        const double rest = sqrt(fmax(c->start_r * c->start_r - r * r, 1.0));
        put_disk(v, 0.0, 0.0, r, fit->value[0]);
        put_disk(v, r + rest, centroid_from(d, own).angle, rest, fit->value[1]);
    }
}

/* The pixels of a piece and around it, its neighbours taken off. */
static void gather_piece(ng_detector *d, const ng_image *raw, uint32_t own)
{
    ng_candidate *c = &d->candidate[own - 1];
    const ng_piece *p = &d->mask.piece[own - 1];
    const double half = 0.5 * hypot((double)(p->x1 - p->x0), (double)(p->y1 - p->y0));
    const ng_patch patch = {.own = {own},
                            .x = {p->x},
                            .y = {p->y},
                            .reach = {half + NG_MARGIN_BLURS * d->blur},
                            .n = 1};
    ng_detector_gather(d, raw, &patch, c);
    ng_detector_subtract(d, c);
}

static ng_disk_fit fit_one(const ng_detector *d, uint32_t own, bool from_mask, double most_r)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const ng_piece *p = &d->mask.piece[own - 1];
    ng_disk_fit one = c->fit;
    one.wants_shape = false;
    if (from_mask) {
        one.value[NG_FIT_X] = p->x;
        one.value[NG_FIT_Y] = p->y;
        one.value[NG_FIT_R] = c->start_r;
    }
    ng_disk_fit_run(d->table, d->blur, &d->pixels, most_r, c->start_r + d->blur, &one);
    return one;
}

/* Akaike's criterion that two disks must stay below, where one disk can be found as this. */
static double most_aic(const ng_detector *d, uint32_t own, const ng_disk_fit *one, double most_r)
{
    const double n = (double)one->n, reach = d->candidate[own - 1].start_r + d->blur;
    double ratio;
    const double ellipse =
        ng_ellipse_fit_chi2(d->table, d->blur, &d->pixels, most_r, reach, one->value, &ratio);
    const double lower = ratio > LONG_RATIO ? AIC_LOWER : 0.0;
    return fmin(n * log(one->chi2) + 2.0 * NG_FIT_N - AIC_LOWER,
                n * log(ellipse) + 2.0 * ELLIPSE_VALUES - lower);
}

static bool are_two(const double a[NG_FIT_N], const double b[NG_FIT_N])
{
    const double apart = hypot(a[NG_FIT_X] - b[NG_FIT_X], a[NG_FIT_Y] - b[NG_FIT_Y]);
    return apart > LEAST_APART * (a[NG_FIT_R] + b[NG_FIT_R]) &&
           a[NG_FIT_C] < LIKE_CONTRAST * b[NG_FIT_C] && b[NG_FIT_C] < LIKE_CONTRAST * a[NG_FIT_C];
}

/* The best of several starts; they end where the best so far is hardly better than one disk. */
static bool try_starts(const ng_detector *d, uint32_t own, double least_aic, double most_r,
                       ng_joint_fit *best)
{
    const bool long_one = is_long(&d->candidate[own - 1]);
    const double most[2] = {most_r, most_r};
    double aic = -INFINITY;
    best->chi2 = INFINITY;
    for (size_t k = 0; k < STARTS && aic + (k > 1 ? AIC_LOWER : 0.0) < least_aic; k++) {
        ng_joint_fit pair;
        start_pair(d, own, long_one ? k : STARTS - 1 - k, &pair);
        ng_joint_fit_run(d->table, d->blur, &d->pixels, most, most, &pair);
        if (pair.chi2 < best->chi2) {
            *best = pair;
        }
        aic = (double)best->n * log(best->chi2) + 2.0 * PAIR_VALUES;
    }
    return best->converged && aic < least_aic;
}

static bool find_pair(ng_detector *d, const ng_image *raw, uint32_t own, ng_joint_fit *best)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const double most_r = 1.5 * fmax(c->start_r, c->fit.value[NG_FIT_R]);
    gather_piece(d, raw, own);
    const ng_disk_fit one = fit_one(d, own, false, most_r);
    const double n = (double)one.n, one_aic = n * log(one.chi2) + 2.0 * NG_FIT_N;
    if (!try_starts(d, own, one_aic, most_r, best) || !are_two(best->value[0], best->value[1])) {
        return false;
    }
    const ng_disk_fit other = fit_one(d, own, true, most_r);
    return n * log(best->chi2) + 2.0 * PAIR_VALUES <
           fmin(most_aic(d, own, &one, most_r), most_aic(d, own, &other, most_r));
}

/* What a joint fit found of one of its disks. */
static void take(const ng_joint_fit *fit, size_t k, ng_candidate *c)
{
    memcpy(c->fit.value, fit->value[k], sizeof fit->value[k]);
    memcpy(c->covariance, fit->covariance[k], sizeof fit->covariance[k]);
    c->noise = sqrt(fit->chi2 / fmax((double)fit->n - 4.0 * (double)fit->disks - 1.0, 1.0));
    c->fitted = c->joint = true;
}

static ng_status divide(ng_detector *d, uint32_t own, const ng_joint_fit *pair, ng_error *err)
{
    ng_status status = ng_mask_divide(&d->mask, own, pair->value[0], pair->value[1], err);
    if (status == NG_OK) {
        status = ng_detector_reserve(d, d->mask.n, err);
    }
    if (status != NG_OK) {
        return status;
    }
    const uint32_t other = (uint32_t)d->mask.n;
    ng_candidate *a = &d->candidate[own - 1], *b = &d->candidate[other - 1];
    *b = *a;
    take(pair, 0, a);
    take(pair, 1, b);
    memcpy(d->before[own - 1], a->fit.value, sizeof d->before[own - 1]);
    memcpy(d->before[other - 1], b->fit.value, sizeof d->before[other - 1]);
    for (size_t k = 0; k < b->n_neighbours; k++) {
        ng_candidate_note(&d->candidate[b->neighbour[k] - 1], other);
    }
    ng_candidate_note(a, other);
    ng_candidate_note(b, own);
    return NG_OK;
}

/* ---- groups ------------------------------------------------------------------------------ */

/* Those who crowd, one after another; more than `most` are counted, not kept. */
static size_t collect(const ng_detector *d, uint32_t first, unsigned char *seen, uint32_t *group)
{
    size_t n = 0;
    group[n++] = first;
    seen[first - 1] = 1;
    for (size_t at = 0; at < n; at++) {
        const ng_candidate *c = &d->candidate[group[at] - 1];
        for (size_t k = 0; k < c->n_neighbours; k++) {
            const uint32_t other = c->neighbour[k];
            if (seen[other - 1] == 0 && d->candidate[other - 1].fitted &&
                ng_candidates_crowd(d, c, &d->candidate[other - 1])) {
                seen[other - 1] = 1;
                group[n++] = other;
            }
        }
    }
    return n;
}

static void fit_group(ng_detector *d, const ng_image *raw, const uint32_t *group, size_t n,
                      ng_joint_fit *fit)
{
    ng_patch patch = {.n = n};
    ng_candidate all = {.n_neighbours = 0};
    *fit = (ng_joint_fit){.disks = n};
    double most_r[NG_JOINT_MOST], reach[NG_JOINT_MOST];
    for (size_t k = 0; k < n; k++) {
        const ng_candidate *c = &d->candidate[group[k] - 1];
        const double *v = c->fit.value;
        memcpy(fit->value[k], v, sizeof fit->value[k]);
        patch.own[k] = group[k];
        patch.x[k] = v[NG_FIT_X];
        patch.y[k] = v[NG_FIT_Y];
        patch.reach[k] = v[NG_FIT_R] + NG_MARGIN_BLURS * d->blur + NG_MARGIN_PX;
        most_r[k] = patch.reach[k];
        reach[k] = v[NG_FIT_R] + d->blur;
    }
    ng_detector_gather(d, raw, &patch, &all);
    ng_detector_subtract(d, &all);
    ng_joint_fit_run(d->table, d->blur, &d->pixels, most_r, reach, fit);
}

/* Two halves of a piece become one disk again. */
static void reunite(ng_detector *d, const ng_image *raw, uint32_t own, uint32_t other)
{
    d->candidate[other - 1].keep = false;
    ng_mask_unite(&d->mask, own, other);
    ng_detector_refit(d, raw, own);
}

/* Fitted with all that is around, two parts of a piece may turn out to be a disk and some noise:
 * those who stay in the group, counted. */
static size_t reunite_parts(ng_detector *d, const ng_image *raw, const ng_joint_fit *fit,
                            uint32_t *group, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n && d->candidate[group[i] - 1].keep; k++) {
            const bool parts = d->mask.piece[group[i] - 1].split &&
                               d->mask.piece[group[k] - 1].split && d->candidate[group[k] - 1].keep;
            if (parts && !are_two(fit->value[i], fit->value[k])) {
                reunite(d, raw, group[i], group[k]);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (d->candidate[group[i] - 1].keep) {
            group[kept++] = group[i];
        }
    }
    return kept;
}

static void settle_group(ng_detector *d, const ng_image *raw, uint32_t *group, size_t n)
{
    ng_joint_fit fit;
    fit_group(d, raw, group, n, &fit);
    const size_t kept = fit.converged ? reunite_parts(d, raw, &fit, group, n) : n;
    if (kept < n) {
        fit.converged = false;
        if (kept > 1) {
            fit_group(d, raw, group, kept, &fit);
        }
    }
    for (size_t k = 0; fit.converged && k < kept; k++) {
        take(&fit, k, &d->candidate[group[k] - 1]);
    }
}

static void fit_groups(ng_detector *d, const ng_image *raw)
{
    unsigned char *seen = d->mask.skip;
    memset(seen, 0, d->mask.n);
    for (uint32_t own = 1; own <= d->mask.n; own++) {
        const ng_candidate *c = &d->candidate[own - 1];
        if (seen[own - 1] == 0 && c->keep && c->fitted && c->n_neighbours > 0) {
            const size_t n = collect(d, own, seen, d->mask.order);
            if (n > 1 && n <= NG_JOINT_MOST) {
                settle_group(d, raw, d->mask.order, n);
            }
        }
    }
}

static void note_values(ng_detector *d)
{
    for (size_t i = 0; i < d->mask.n; i++) {
        memcpy(d->before[i], d->candidate[i].fit.value, sizeof d->before[i]);
    }
}

ng_status ng_detector_joint(ng_detector *detector, const ng_image *raw, ng_error *err)
{
    ng_detector *d = detector;
    const size_t pieces = d->mask.n;
    ng_status status = NG_OK;
    note_values(d);
    for (uint32_t own = 1; status == NG_OK && own <= pieces; own++) {
        ng_joint_fit pair;
        if (d->choices.options.split && d->candidate[own - 1].keep && looks_double(d, own) &&
            find_pair(d, raw, own, &pair)) {
            status = divide(d, own, &pair, err);
        }
    }
    if (status == NG_OK) {
        note_values(d);
        fit_groups(d, raw);
    }
    return status;
}
