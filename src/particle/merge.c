/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_internal.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define PI 3.14159265358979323846
#define WINDOW 8         /* points on each side that sizes are averaged over */
#define FAR 4.0          /* spacings: partners by chance, however wide the gate */
#define REACH 1.0        /* between edges, in gates */
#define FAR_MERGES 0.05  /* share of merges whose edges were anywhere within the reach */
#define SURE 12.0        /* no single piece of evidence counts more */
#define SHARE_ADDED 0.85 /* of E's area that M gains; equal disks: 0.6 relaxed, 1 not relaxed */
#define SPREAD_ADDED 0.4 /* s.d. of that share */
#define ODD_JUMPS 0.03   /* share of sizes that jump without a merge, and how far in ln(area) */
#define ODD_JUMP_SIZE 0.3
#define SPREAD_SHIFT 0.3 /* s.d. of how far M steps to the common centre, over that distance */
#define STAYED 0.2       /* share of merges in which it does not */
#define MOST_SHIFT 6.0   /* passes, too, step to the common centre */
#define ODD_STEP 0.3     /* how far the odd ones step, in radii of both */
#define LATE 6.0         /* frames before the end of the movie in which none can be told */
#define LATE_EACH 2.0    /* evidence against it for each of them */
#define SMALL_SHARE 0.6  /* of M's area: a single point below it is noise rather than a particle */
#define SMALL_ALONE 16.0 /* evidence against such a point */
#define ROUNDING 0.03    /* s.d. of ln(area) of what has become one: it need not be a sphere */
#define BADLY 0.01       /* share of merges whose sizes say nothing */
#define EM_ROUNDS 20
#define LEAST_JUMP 1.5 /* where there are sizes, nearness alone does not make a merge: */
#define NOT_ALONE 0.4  /* its score is at most this */

/* ---- walking along a track, either way ------------------------------------------------- */

static size_t forward(const ng_judge *j, size_t k, bool split)
{
    return split ? j->points->previous[k] : j->points->next[k];
}

static size_t backward(const ng_judge *j, size_t k, bool split)
{
    return forward(j, k, !split);
}

/* Whether an event lies between two points of a track. */
static bool event_between(const ng_judge *j, size_t a, size_t b)
{
    return j->boundary[a > b ? a : b];
}

/* Mean of ln(area) and its scatter over the points from `k` on, up to the next event. */
typedef struct level {
    double mean, frame; /* mean frame */
    double scatter2;    /* sum of squared differences of neighbours, halved */
    double measured2;   /* mean of the squared standard errors that the table has */
    size_t n, n_scatter;
    double slope;    /* per point */
    double solidity; /* mean; NAN unknown */
} level;

static double frame_of(const ng_judge *j, size_t k)
{
    return (double)j->points->frame[j->points->at[k]];
}

static const ng_particle *particle_at(const ng_judge *j, size_t k)
{
    return &j->particles->item[j->points->item[k]];
}

static double squared(double x)
{
    return isfinite(x) ? x * x : 0.0;
}

static level measure_level(const ng_judge *j, size_t k, bool ahead, bool split)
{
    level l = {.n = 0};
    double last = (double)NAN, first = (double)NAN, solidity = 0.0;
    const double far = 2.0 * WINDOW, origin = frame_of(j, k);
    while (k != NG_NONE && l.n < WINDOW && fabs(frame_of(j, k) - origin) <= far) {
        const double size = j->points->size[k];
        if (!isnan(size)) {
            l.mean += size;
            const ng_particle *item = particle_at(j, k);
            l.frame += frame_of(j, k);
            l.measured2 += squared(2.0 * item->radius_se_nm / item->radius_nm);
            solidity += item->solidity;
            if (!isnan(last)) {
                /* a jump is no noise */
                l.scatter2 += fmin((size - last) * (size - last), 0.25) / 2.0;
                l.n_scatter++;
            } else {
                first = size;
            }
            last = size;
            l.n++;
        }
        const size_t to = ahead ? forward(j, k, split) : backward(j, k, split);
        k = to != NG_NONE && event_between(j, k, to) ? NG_NONE : to;
    }
    l.mean = l.n > 0 ? l.mean / (double)l.n : (double)NAN;
    l.frame = l.n > 0 ? l.frame / (double)l.n : (double)NAN;
    l.measured2 = l.n > 0 ? l.measured2 / (double)l.n : 0.0;
    l.solidity = l.n > 0 ? solidity / (double)l.n : (double)NAN;
    l.slope = l.n > 2 ? (last - first) / (double)(l.n - 1) : 0.0;
    return l;
}

/* ---- evidence -------------------------------------------------------------------------- */

static double normal(double x, double variance)
{
    return exp(-x * x / (2.0 * variance)) / sqrt(2.0 * PI * variance);
}

static double clip(double evidence)
{
    return fmin(fmax(evidence, -SURE), SURE);
}

/* Of one measurement of M: what all particles show, and what it shows itself. */
static double noise2(const ng_judge *j, const level *a, const level *b)
{
    double pooled = fmax(j->motion->choice.size_noise, 0.02);
    double n = (double)(a->n_scatter + b->n_scatter);
    return (WINDOW * pooled * pooled + a->scatter2 + b->scatter2) / (WINDOW + n);
}

/* Of the mean of a level. A particle that the border cuts, say, is measured worse than others. */
static double variance_of(const level *l, double noise)
{
    return fmax(noise, l->measured2) / (double)l->n;
}

/* By how much M's ln(area) changed, growth taken off, and E's area over M's. */
typedef struct jump {
    double value, share, variance;
    double unsure2; /* variance of ln(share) */
    bool known;
} jump;

static jump measure_jump(const ng_judge *j, const level *ended, const level *before,
                         const level *after)
{
    jump out = {.known = false};
    if (!j->motion->has_sizes || ended->n == 0 || before->n == 0 || after->n == 0) {
        return out;
    }
    const double growth = j->motion->choice.growth_per_frame;
    const double noise = noise2(j, before, after);
    out.value = after->mean - before->mean - growth * (after->frame - before->frame);
    out.share = exp(ended->mean - before->mean);
    out.variance = variance_of(before, noise) + variance_of(after, noise);
    out.unsure2 = ended->measured2 / (double)ended->n;
    out.known = true;
    return out;
}

/* Did M's size jump as it would by taking up E? */
static double jump_evidence(const ng_judge *j, const level *ended, const level *before,
                            const level *after)
{
    const jump s = measure_jump(j, ended, before, after);
    if (!s.known) {
        return 0.0;
    }
    double expected = log1p(SHARE_ADDED * s.share);
    double slope = s.share / (1.0 + SHARE_ADDED * s.share);
    double spread = SPREAD_ADDED * slope + 0.03;
    double wide = spread * spread + SHARE_ADDED * SHARE_ADDED * slope * slope * s.unsure2;
    double merged = normal(s.value - expected, s.variance + wide) + 1e-4;
    double still = (1.0 - ODD_JUMPS) * normal(s.value, s.variance) +
                   ODD_JUMPS * normal(s.value, s.variance + ODD_JUMP_SIZE * ODD_JUMP_SIZE);
    return clip(log(merged / (still + 1e-12)));
}

/* Share of a normal law around `x` between two values. */
static double within(double x, double sd, double low, double high)
{
    return gsl_cdf_ugaussian_P((x - low) / sd) - gsl_cdf_ugaussian_P((x - high) / sd);
}

/* Two that lie on each other show any area between the larger one's and the sum of both, each as
 * likely. What has become one shows that of the sphere of both volumes, or more as long as it has
 * not relaxed; some are measured badly. */
static double relaxed_evidence(const ng_judge *j, const level *ended, const level *before,
                               const level *after)
{
    const jump s = measure_jump(j, ended, before, after);
    if (!s.known) {
        return 0.0;
    }
    const double sd = sqrt(s.variance), wide = hypot(sd, ROUNDING);
    const double both = log1p(s.share), sphere = 2.0 / 3.0 * log1p(pow(s.share, 1.5));
    const double slope = exp(s.value); /* of the area over that of its logarithm */
    const double lying = slope * within(s.value, sd, 0.0, both) / s.share;
    const double relaxing = slope * within(s.value, wide, sphere, both) / (exp(both) - exp(sphere));
    const double merged = 0.5 * normal(s.value - sphere, wide * wide) + 0.5 * relaxing;
    return log((1.0 - BADLY) * merged / fmax(lying, 1e-6) + BADLY);
}

double ng_judge_jump(const ng_judge *j, size_t end, size_t other, size_t later)
{
    const level ended = measure_level(j, end, false, false);
    const level before = measure_level(j, other, false, false);
    const level after = measure_level(j, later, true, false);
    return jump_evidence(j, &ended, &before, &after);
}

static double normal_in_plane(double dx, double dy, double variance)
{
    return exp(-(dx * dx + dy * dy) / (2.0 * variance)) / (2.0 * PI * variance);
}

/* Squared standard error of a coordinate, as the table has it. */
static double place2(const ng_judge *j, size_t k)
{
    const ng_particle *item = particle_at(j, k);
    return 0.5 * (squared(item->x_se_nm) + squared(item->y_se_nm));
}

/* Did M step to the common centre? */
static double shift_evidence(const ng_judge *j, const ng_meeting *m)
{
    const ng_points *p = j->points;
    const double step = j->motion->choice.step_nm;
    if (isnan(m->radius1_nm) || isnan(m->radius2_nm) || !(step > 0.0)) {
        return 0.0;
    }
    const double area1 = m->radius1_nm * m->radius1_nm, area2 = m->radius2_nm * m->radius2_nm;
    const double share = area1 / (area1 + area2);
    const double to_x = share * (p->x[m->end] - p->x[m->other]);
    const double to_y = share * (p->y[m->end] - p->y[m->other]);
    const double dx = p->x[m->joined] - p->x[m->other], dy = p->y[m->joined] - p->y[m->other];
    const double frames = fabs(frame_of(j, m->joined) - frame_of(j, m->other));
    const double variance = frames * step * step + place2(j, m->other) + place2(j, m->joined) +
                            share * share * (place2(j, m->end) + place2(j, m->other));
    const double odd = ODD_STEP * ODD_STEP * (area1 + area2);
    const double spread = SPREAD_SHIFT * SPREAD_SHIFT * (to_x * to_x + to_y * to_y);
    const double still = (1.0 - ODD_JUMPS) * normal_in_plane(dx, dy, variance) +
                         ODD_JUMPS * normal_in_plane(dx, dy, variance + odd);
    const double merged =
        (1.0 - STAYED) * normal_in_plane(dx - to_x, dy - to_y, variance + spread) + STAYED * still;
    return fmin(log(merged / still), MOST_SHIFT);
}

/* Edges of two that merge are no further apart. */
static double reach_of(const ng_motion *motion)
{
    return REACH * fmin(motion->choice.gate_nm, FAR * motion->spacing_nm);
}

/* Were they as near as particles that merge, rather than as any two? */
static double edge_evidence(const ng_judge *j, double distance, double contact)
{
    const ng_track_choices *c = &j->motion->choice;
    const double step = isnan(c->step_nm) ? 0.0 : c->step_nm;
    /* without sizes nobody knows where they touch: near is what is nearer than neighbours are */
    const double blind = fmax(2.0 * step, 0.5 * j->motion->spacing_nm);
    const double inside = contact > 0.0 ? 0.2 * contact + step : blind;
    const double outside = contact > 0.0 ? 2.0 * step + 0.15 * contact : blind;
    const double edge = distance - contact;
    const double scale = edge < 0.0 ? inside : outside;
    const double reach = contact + reach_of(j->motion);
    double near = exp(-edge * edge / (2.0 * scale * scale + 1e-300)) /
                  (sqrt(PI / 2.0) * (inside + outside) + 1e-300);
    double merged = (1.0 - FAR_MERGES) * near + FAR_MERGES / reach;
    double density = c->density_per_nm2 > 0.0 ? c->density_per_nm2 : 1.0 / (PI * reach * reach);
    double chance = density * 2.0 * PI * fmax(distance, 0.1 * reach);
    return clip(log(merged / chance));
}

/* Other ways to end: it faded, it left the picture, the movie ended, the mask bridged a gap. */
static double other_evidence(const ng_judge *j, const ng_meeting *m, const level *ended,
                             const level *after)
{
    const ng_points *p = j->points;
    const ng_particle *item = particle_at(j, m->end);
    const double last = (double)p->frame[m->split ? 0 : p->n_frames - 1];
    const double left = fabs(last - frame_of(j, m->end));
    const double step = isnan(j->motion->choice.step_nm) ? 0.0 : j->motion->choice.step_nm;
    const double margin = ng_point_radius(p, m->end) + 2.0 * step;
    double evidence = left < LATE ? -LATE_EACH * (LATE - left) : 0.0;
    /* slopes run from the event outwards: a positive one is a particle that shrank to its end */
    if (ended->n >= 4 && ended->slope * (double)(ended->n - 1) > 0.4) {
        evidence -= 3.0;
    }
    const size_t one = backward(j, m->end, m->split);
    const size_t two = one != NG_NONE ? backward(j, one, m->split) : NG_NONE;
    const size_t first = one != NG_NONE ? one : m->end;
    /* perhaps no particle at all, and the less so the smaller it is; who was there as the movie
     * began may be one */
    if (two == NG_NONE && p->at[first] != (m->split ? p->n_frames - 1 : 0)) {
        const bool small = p->size[m->end] < p->size[m->other] + log(SMALL_SHARE);
        evidence -= one != NG_NONE ? 2.0 : small ? SMALL_ALONE : 4.0;
    }
    if (item->x_raw_nm - j->points->low_x < margin || j->points->high_x - item->x_raw_nm < margin ||
        item->y_raw_nm - j->points->low_y < margin || j->points->high_y - item->y_raw_nm < margin) {
        evidence -= 1.0;
    }
    if (after->solidity < 0.85) {
        evidence -= 3.0;
    }
    return evidence;
}

/* At the frame of a point, the mean carried there by the growth of all. */
static double radius_at(const ng_judge *j, const level *l, size_t k)
{
    const double growth = j->motion->choice.growth_per_frame;
    const double carried = isnan(growth) ? 0.0 : growth * (frame_of(j, k) - l->frame);
    return l->n > 0 ? exp(0.5 * (l->mean + carried - log(PI))) : (double)NAN;
}

static void weigh(const ng_judge *j, ng_meeting *m)
{
    const ng_points *p = j->points;
    const level ended = measure_level(j, m->end, false, m->split);
    const level before = measure_level(j, m->other, false, m->split);
    const level after = measure_level(j, m->joined, true, m->split);
    const double r1 = radius_at(j, &ended, m->end), r2 = radius_at(j, &before, m->other);
    const bool sized = j->motion->has_sizes && !isnan(r1) && !isnan(r2);
    m->distance_nm = hypot(p->x[m->end] - p->x[m->other], p->y[m->end] - p->y[m->other]);
    m->radius1_nm = r1;
    m->radius2_nm = r2;
    m->joined_radius_nm = radius_at(j, &after, m->joined);
    m->jump = jump_evidence(j, &ended, &before, &after);
    m->shift = shift_evidence(j, m);
    m->relaxed = relaxed_evidence(j, &ended, &before, &after);
    m->evidence = edge_evidence(j, m->distance_nm, sized ? r1 + r2 : 0.0) + m->jump + m->shift +
                  other_evidence(j, m, &ended, &after);
}

/* ---- who was near ---------------------------------------------------------------------- */

typedef struct finder {
    const ng_judge *judge;
    bool split, found;
    size_t end, frame_first;
    ng_meeting best;
} finder;

static void consider(finder *f, size_t other, size_t joined)
{
    const ng_points *p = f->judge->points;
    ng_meeting m = {.split = f->split, .end = f->end, .other = other, .joined = joined};
    double contact = f->judge->motion->has_sizes
                         ? ng_point_radius(p, f->end) + ng_point_radius(p, other)
                         : f->judge->motion->spacing_nm;
    double distance = hypot(p->x[f->end] - p->x[other], p->y[f->end] - p->y[other]);
    if (distance - contact > reach_of(f->judge->motion)) {
        return;
    }
    weigh(f->judge, &m);
    if (!f->found || m.evidence > f->best.evidence) {
        f->best = m;
        f->found = true;
    }
}

/* One that is there in the same frame and goes on. */
static void see_beside(void *context, size_t index, double distance2)
{
    finder *f = context;
    size_t k = f->frame_first + index;
    size_t joined = forward(f->judge, k, f->split);
    (void)distance2;
    if (k != f->end && joined != NG_NONE) {
        consider(f, k, joined);
    }
}

/* One that was not seen in this frame, but before and after. */
static void see_after(void *context, size_t index, double distance2)
{
    finder *f = context;
    const ng_points *p = f->judge->points;
    size_t k = f->frame_first + index;
    size_t other = backward(f->judge, k, f->split);
    (void)distance2;
    if (other == NG_NONE || other == f->end) {
        return;
    }
    size_t at = p->at[f->end];
    if (f->split ? p->at[other] > at : p->at[other] < at) {
        consider(f, other, k);
    }
}

void ng_meetings_free(ng_meetings *meetings)
{
    ng_free(meetings->item);
    *meetings = (ng_meetings){0};
}

static ng_status add(ng_meetings *list, const ng_meeting *m, ng_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = 2 * list->capacity + 64;
        ng_meeting *larger = ng_realloc(list->item, capacity, sizeof *larger);
        if (larger == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu meetings", capacity);
        }
        list->item = larger;
        list->capacity = capacity;
    }
    list->item[list->n++] = *m;
    return NG_OK;
}

/* Ends of one frame: points of it, or of the frame after, may have taken them up. */
typedef struct frame_search {
    const ng_judge *judge;
    ng_grid grid[2];
    size_t filled[2]; /* frame of each grid, or NG_NONE */
    double reach;
    bool split;
    ng_meetings *out;
} frame_search;

/* The frame that is looked at after another is there already, as that was looked at last. */
static ng_status grid_of(frame_search *s, size_t f, size_t other, const ng_grid **out,
                         ng_error *err)
{
    const ng_points *p = s->judge->points;
    const size_t from = p->first[f], at = s->filled[0] == f || s->filled[1] == other ? 0 : 1;
    ng_status status = NG_OK;
    if (s->filled[at] != f) {
        s->filled[at] = f;
        status = ng_grid_fill(&s->grid[at], p->x + from, p->y + from, p->first[f + 1] - from,
                              s->reach, err);
    }
    *out = &s->grid[at];
    return status;
}

static ng_status search_end(frame_search *s, size_t end, size_t after, const ng_grid *here,
                            const ng_grid *there, ng_error *err)
{
    const ng_points *p = s->judge->points;
    finder f = {.judge = s->judge, .split = s->split, .end = end};
    f.frame_first = p->first[p->at[end]];
    ng_grid_near(here, p->x[end], p->y[end], s->reach, see_beside, &f);
    f.frame_first = p->first[after];
    ng_grid_near(there, p->x[end], p->y[end], s->reach, see_after, &f);
    s->out->ends += backward(s->judge, end, s->split) != NG_NONE;
    return f.found ? add(s->out, &f.best, err) : NG_OK;
}

static ng_status search_frame(frame_search *s, size_t f, size_t after, ng_error *err)
{
    const ng_points *p = s->judge->points;
    const ng_grid *here = NULL, *there = NULL;
    ng_status status = NG_OK;
    for (size_t k = p->first[f]; k < p->first[f + 1] && status == NG_OK; k++) {
        if (forward(s->judge, k, s->split) != NG_NONE) {
            continue;
        }
        if (here == NULL) {
            status = grid_of(s, f, after, &here, err);
            if (status == NG_OK) {
                status = grid_of(s, after, f, &there, err);
            }
        }
        if (status == NG_OK) {
            status = search_end(s, k, after, here, there, err);
        }
    }
    return status;
}

/* How common merges are among ends follows from the evidence itself (expectation, maximisation). */
static void score_all(ng_meetings *list, bool sized)
{
    double odds = 0.3;
    for (int round = 0; round < EM_ROUNDS; round++) {
        double sum = 0.0;
        for (size_t i = 0; i < list->n; i++) {
            ng_meeting *m = &list->item[i];
            m->score = 1.0 / (1.0 + exp(-m->evidence) / odds);
            if (sized && m->jump + m->shift < LEAST_JUMP) {
                m->score = fmin(m->score, NOT_ALONE);
            }
            sum += m->score;
        }
        double others = fmax((double)list->ends - sum, 0.5);
        odds = fmin(fmax(sum / others, 0.05), 2.0);
    }
}

ng_status ng_meetings_find(const ng_judge *judge, bool split, ng_meetings *out, ng_error *err)
{
    const ng_points *p = judge->points;
    const double contact =
        judge->motion->has_sizes ? 2.0 * ng_largest_radius(p) : judge->motion->spacing_nm;
    frame_search s = {.judge = judge, .split = split, .filled = {NG_NONE, NG_NONE}, .out = out};
    s.reach = contact + reach_of(judge->motion);
    ng_status status = NG_OK;
    *out = (ng_meetings){0};
    for (size_t f = 0; f + 1 < p->n_frames && status == NG_OK; f++) {
        status = split ? search_frame(&s, f + 1, f, err) : search_frame(&s, f, f + 1, err);
    }
    if (status == NG_OK) {
        score_all(out, judge->motion->has_sizes);
    } else {
        ng_meetings_free(out);
    }
    ng_grid_free(&s.grid[0]);
    ng_grid_free(&s.grid[1]);
    return status;
}
