/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "link_shift.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define SAMPLE_FRAMES 40  /* in which distances of neighbours are measured */
#define SAMPLE_POINTS 500 /* a frame */
#define MAX_STEPS 20000   /* that the law of steps is taken from */
#define MANY_SAME 500     /* at the place of another: perhaps there are no positions */
#define CHANCE 0.2        /* probability of a chance neighbour within the spacing */
#define LEAST_FOR_DRIFT 5 /* particles; fewer cannot tell it from their own motion */
#define GATE_MOST 30.0    /* in s.d. of a step */
#define GATE_LEAST 4.0
#define RAYLEIGH_MEDIAN 1.17741 /* of a step in the plane, in s.d. of one coordinate */
#define RAYLEIGH_BEYOND_3 0.01111
#define RAREST_LONG 2e-4 /* share of long steps that is never excluded */
#define MAD 1.4826       /* s.d. of a normal law over its median absolute deviation */

static size_t stride_of(size_t n, size_t most)
{
    return n > most ? n / most : 1;
}

/* ---- spacing --------------------------------------------------------------------------- */

/* The middle 90 % of the frame's particles along one axis; `scratch` holds them. */
static double extent(const double *at, size_t n, double *scratch)
{
    memcpy(scratch, at, n * sizeof *at);
    double low = ng_quantile(scratch, n, 0.05);
    return (ng_quantile(scratch, n, 0.95) - low) / 0.9;
}

typedef struct neighbours {
    double *distance; /* owned: to nearest neighbours */
    double *scratch;  /* owned */
    size_t n;
    size_t looked, same; /* of those asked, with another at the very same place */
    double extent;       /* largest of any frame */
    ng_grid grid;
} neighbours;

static ng_status measure_frame(neighbours *s, const ng_points *points, size_t f, ng_error *err)
{
    const size_t from = points->first[f], n = points->first[f + 1] - from;
    const double *x = points->x + from, *y = points->y + from;
    const double width = extent(x, n, s->scratch), height = extent(y, n, s->scratch);
    s->extent = fmax(s->extent, fmax(width, height));
    double cell = 2.0 * sqrt(fmax(width * height, 1e-12) / (double)n);
    if (n < 2 || !(cell > 0.0)) {
        return NG_OK;
    }
    ng_status status = ng_grid_fill(&s->grid, x, y, n, cell, err);
    for (size_t i = 0; i < n && status == NG_OK; i += stride_of(n, SAMPLE_POINTS)) {
        double d2 = 0.0;
        size_t j = ng_grid_nearest(&s->grid, x[i], y[i], cell, i, &d2);
        s->looked++;
        if (j != NG_NONE && d2 == 0.0) {
            s->same++;
            continue; /* one particle that was seen twice says nothing of the others */
        }
        if (s->n < 2 * SAMPLE_FRAMES * SAMPLE_POINTS) {
            s->distance[s->n++] = j != NG_NONE ? sqrt(d2) : cell;
        }
    }
    return status;
}

static size_t largest_frame(const ng_points *points)
{
    size_t most = 0;
    for (size_t f = 0; f < points->n_frames; f++) {
        size_t n = points->first[f + 1] - points->first[f];
        most = n > most ? n : most;
    }
    return most;
}

/* Density around a particle from distances of nearest neighbours, and from it the radius to where
 * chance neighbours become likely. */
static ng_status measure_spacing(const ng_points *points, ng_motion *motion, ng_error *err)
{
    neighbours s = {.distance = NG_NEW(double, 2 * SAMPLE_FRAMES * SAMPLE_POINTS),
                    .scratch = NG_NEW(double, largest_frame(points))};
    ng_status status = NG_OK;
    if (s.distance == NULL || s.scratch == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to measure how dense the particles lie");
    }
    for (size_t f = 0; f < points->n_frames && status == NG_OK;
         f += stride_of(points->n_frames, SAMPLE_FRAMES)) {
        status = measure_frame(&s, points, f, err);
    }
    if (status == NG_OK && s.same > MANY_SAME && 2 * s.same > s.looked) {
        status = NG_FAIL(err, NG_INVALID,
                         "%zu of %zu particles that were looked at lie exactly where another of "
                         "their frame does, so that nobody can be told apart; are these positions?",
                         s.same, s.looked);
    }
    double median = s.n > 0 ? ng_median(s.distance, s.n) : 0.0;
    bool few = points->n < 4 * points->n_frames;
    motion->choice.density_per_nm2 = median > 0.0 ? log(2.0) / (PI * median * median) : (double)NAN;
    motion->spacing_nm = median * sqrt(CHANCE / log(2.0));
    if (few || !(motion->spacing_nm > 0.0)) {
        motion->spacing_nm = fmax(motion->spacing_nm, s.extent);
    }
    if (!(motion->spacing_nm > 0.0)) {
        motion->spacing_nm = 1.0; /* nothing moves and nothing is beside anything */
    }
    ng_free(s.distance);
    ng_free(s.scratch);
    ng_grid_free(&s.grid);
    return status;
}

/* ---- steps and drift ------------------------------------------------------------------- */

typedef struct survey {
    ng_shifter shifter;
    ng_shift *shift; /* owned: from each frame to the next */
    double *step2;   /* owned: MAX_STEPS squared steps per frame of time */
    double *size;    /* owned: differences of ln(area) */
    double *scratch; /* owned: as many as there are frames, or MAX_STEPS */
    size_t n_steps, n_sizes;
} survey;

static void survey_free(survey *s)
{
    ng_shifter_free(&s->shifter);
    ng_free(s->shift);
    ng_free(s->step2);
    ng_free(s->size);
    ng_free(s->scratch);
}

static ng_status survey_make(survey *s, const ng_points *points, ng_error *err)
{
    size_t most = points->n_frames > MAX_STEPS ? points->n_frames : MAX_STEPS;
    s->shift = NG_NEW(ng_shift, points->n_frames);
    s->step2 = NG_NEW(double, MAX_STEPS);
    s->size = NG_NEW(double, MAX_STEPS);
    s->scratch = NG_NEW(double, most);
    if (s->shift == NULL || s->step2 == NULL || s->size == NULL || s->scratch == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure steps");
    }
    return ng_shifter_make(&s->shifter, err);
}

/* Steps of evenly spread frames, as many as there is room for. */
static void keep_steps(survey *s, const ng_points *points, size_t f)
{
    double frames = (double)(points->frame[f + 1] - points->frame[f]);
    size_t per_frame = MAX_STEPS / (points->n_frames < 1000 ? points->n_frames : 1000);
    size_t skip = stride_of(points->n_frames, 1000);
    if (f % skip != 0) {
        return;
    }
    size_t stride = stride_of(s->shifter.n_step, per_frame > 0 ? per_frame : 1);
    for (size_t i = 0; i < s->shifter.n_step && s->n_steps < MAX_STEPS; i += stride) {
        const ng_step *step = &s->shifter.step[i];
        s->step2[s->n_steps++] = step->distance2 / frames;
        if (!isnan(step->size)) {
            s->size[s->n_sizes++] = step->size / frames;
        }
    }
}

static ng_status survey_frames(survey *s, const ng_points *points, const ng_motion *motion,
                               bool drift, const ng_run *run, ng_error *err)
{
    ng_shift guess = {0.0, 0.0, 0};
    ng_status status = NG_OK;
    for (size_t f = 0; f + 1 < points->n_frames && status == NG_OK; f++) {
        if (!drift && f % stride_of(points->n_frames, 1000) != 0) {
            continue;
        }
        double radius = motion->spacing_nm;
        status = ng_shift_measure(&s->shifter, points, f, f + 1, radius, &guess, &s->shift[f], err);
        if (status != NG_OK) {
            break;
        }
        keep_steps(s, points, f);
        if (s->shift[f].n >= LEAST_FOR_DRIFT) {
            /* drift goes on, but the step after a jump is an ordinary one */
            bool jump = hypot(s->shift[f].dx - guess.dx, s->shift[f].dy - guess.dy) > radius;
            guess = jump ? guess : s->shift[f];
        }
        if (f % 256 == 0 && !ng_run_progress(run, "drift", f, points->n_frames)) {
            status = NG_FAIL(err, NG_CANCELLED, "interrupted while the drift was measured");
        }
    }
    return status;
}

static void describe_steps(survey *s, ng_motion *motion)
{
    ng_track_choices *c = &motion->choice;
    size_t beyond = 0, outer = 0;
    c->step_nm = c->long_steps = (double)NAN;
    if (s->n_steps == 0) {
        return;
    }
    memcpy(s->scratch, s->step2, s->n_steps * sizeof *s->step2);
    c->step_nm = sqrt(ng_median(s->scratch, s->n_steps)) / RAYLEIGH_MEDIAN;
    const double usual2 = 9.0 * c->step_nm * c->step_nm;
    const double most2 = motion->spacing_nm * motion->spacing_nm;
    for (size_t i = 0; i < s->n_steps; i++) {
        beyond += s->step2[i] > usual2;
        outer += s->step2[i] > 0.5 * most2;
    }
    /* Neighbours by chance lie anywhere: they fill the outer half of the area, where hardly any
     * step reaches, as densely as the rest. Where steps reach it, long ones cannot be told. */
    const double chance = (double)outer * (most2 - usual2) / (0.5 * most2);
    const double share = ((double)beyond - chance) / (double)s->n_steps - RAYLEIGH_BEYOND_3;
    c->long_steps = usual2 < 0.5 * most2 ? fmax(share, 0.0) : 0.0;
}

/* Size noise from differences, which hold it twice. */
static void describe_sizes(survey *s, ng_motion *motion)
{
    ng_track_choices *c = &motion->choice;
    c->size_noise = c->growth_per_frame = (double)NAN;
    if (s->n_sizes < 10) {
        return;
    }
    c->growth_per_frame = ng_median(s->size, s->n_sizes);
    size_t still = 0;
    for (size_t i = 0; i < s->n_sizes; i++) {
        still += s->size[i] == 0.0;
        s->scratch[i] = fabs(s->size[i] - c->growth_per_frame);
    }
    c->size_noise = MAD * ng_median(s->scratch, s->n_sizes) / sqrt(2.0);
    motion->has_sizes = still < s->n_sizes; /* else the size is a setting of the detector */
    double noise = fmax(c->size_noise, 0.03);
    motion->size_cost_scale = motion->has_sizes ? 1.0 / (2.0 * noise * noise) : 0.0;
}

/* ---- which drift ----------------------------------------------------------------------- */

typedef struct drift_test {
    double dx, dy;         /* median shift of one frame */
    double mean_x, mean_y; /* of all shifts */
    double chi2;           /* mean square deviation from it, in standard errors */
    double mean_z;         /* |median shift| in its standard errors */
    double worst_z, jump_nm;
    size_t n;
} drift_test;

static double frames_between(const ng_points *points, size_t f)
{
    return (double)(points->frame[f + 1] - points->frame[f]);
}

static double median_component(survey *s, const ng_points *points, bool vertical, size_t *n)
{
    *n = 0;
    for (size_t f = 0; f + 1 < points->n_frames; f++) {
        if (s->shift[f].n >= LEAST_FOR_DRIFT) {
            double shift = vertical ? s->shift[f].dy : s->shift[f].dx;
            s->scratch[(*n)++] = shift / frames_between(points, f);
        }
    }
    return *n > 0 ? ng_median(s->scratch, *n) : 0.0;
}

static drift_test test_drift(survey *s, const ng_points *points, double step_nm)
{
    drift_test t = {0};
    double weight = 0.0;
    t.dx = median_component(s, points, false, &t.n);
    t.dy = median_component(s, points, true, &t.n);
    for (size_t f = 0; f + 1 < points->n_frames; f++) {
        if (s->shift[f].n < LEAST_FOR_DRIFT) {
            continue;
        }
        double frames = frames_between(points, f);
        /* the standard error of a median of normal values */
        double se = 1.2533 * step_nm * sqrt(frames / (double)s->shift[f].n);
        double x = s->shift[f].dx - frames * t.dx, y = s->shift[f].dy - frames * t.dy;
        t.chi2 += (x * x + y * y) / (2.0 * se * se * (double)t.n);
        t.worst_z = fmax(t.worst_z, hypot(x, y) / se);
        t.mean_x += s->shift[f].dx / (frames * (double)t.n);
        t.mean_y += s->shift[f].dy / (frames * (double)t.n);
        t.jump_nm = fmax(t.jump_nm, hypot(s->shift[f].dx, s->shift[f].dy));
        weight += 1.0 / (se * se);
    }
    t.mean_z = t.n > 0 ? hypot(t.dx, t.dy) * sqrt(weight) / 1.2533 : 0.0;
    return t;
}

static ng_drift_kind choose_drift(const drift_test *t)
{
    if (t->chi2 > 2.0 || t->worst_z > 8.0) {
        return NG_DRIFT_FREE;
    }
    return t->mean_z > 5.0 ? NG_DRIFT_CONSTANT : NG_DRIFT_NONE;
}

static void take_out(ng_points *points, const survey *s, const drift_test *t, ng_drift_kind kind)
{
    double x = 0.0, y = 0.0;
    for (size_t f = 0; f < points->n_frames; f++) {
        for (size_t k = points->first[f]; k < points->first[f + 1]; k++) {
            points->x[k] -= x;
            points->y[k] -= y;
        }
        if (f + 1 < points->n_frames) {
            bool known = kind == NG_DRIFT_FREE && s->shift[f].n >= LEAST_FOR_DRIFT;
            x += known ? s->shift[f].dx : frames_between(points, f) * t->dx;
            y += known ? s->shift[f].dy : frames_between(points, f) * t->dy;
        }
    }
}

static void settle_drift(survey *s, ng_points *points, ng_motion *motion, ng_warnings *warnings)
{
    ng_track_choices *c = &motion->choice;
    /* where nothing moves, the median is exact: any common step is drift */
    double step = fmax(c->step_nm, 1e-3 * motion->spacing_nm);
    drift_test t = test_drift(s, points, step);
    if (points->n_frames > 1 && 2 * t.n < points->n_frames - 1) {
        ng_warnings_add(warnings, "drift-unknown",
                        "fewer than %d particles have a partner in most frames, which does not "
                        "tell drift from their own motion; none was taken out",
                        LEAST_FOR_DRIFT);
        return;
    }
    c->drift = choose_drift(&t);
    if (c->drift == NG_DRIFT_NONE) {
        return;
    }
    c->drift_x_nm = c->drift == NG_DRIFT_FREE ? t.mean_x : t.dx;
    c->drift_y_nm = c->drift == NG_DRIFT_FREE ? t.mean_y : t.dy;
    c->drift_jump_nm = c->drift == NG_DRIFT_FREE ? t.jump_nm : hypot(t.dx, t.dy);
    if (c->drift_jump_nm > 3.0 * hypot(t.dx, t.dy) && c->drift_jump_nm > motion->spacing_nm) {
        ng_warnings_add(warnings, "drift-jumps",
                        "the picture jumps by up to %.3g nm from one frame to the next; tracks "
                        "were linked across",
                        c->drift_jump_nm);
    }
    take_out(points, s, &t, c->drift);
}

/* ---- costs ----------------------------------------------------------------------------- */

/* Median radius; 0: no sizes. */
static double usual_radius(survey *s, const ng_points *points)
{
    size_t n = 0;
    for (size_t k = 0; k < points->n && n < MAX_STEPS; k += stride_of(points->n, MAX_STEPS)) {
        if (!isnan(points->size[k])) {
            s->scratch[n++] = points->size[k];
        }
    }
    return n > 0 ? exp(0.5 * (ng_median(s->scratch, n) - log(PI))) : 0.0;
}

/* `common` is a motion of all particles that was not taken out. The middle of two that meet jumps
 * by up to a radius, however little they move. */
static void choose_gate(ng_motion *motion, const ng_track_options *options, double common,
                        double radius, ng_warnings *warnings)
{
    ng_track_choices *c = &motion->choice;
    const double spacing = motion->spacing_nm;
    if (!(c->step_nm > 0.0)) {
        c->gate_nm = isnan(options->gate_nm) ? spacing : options->gate_nm;
        c->step_nm = isnan(c->step_nm) ? (double)NAN : 0.0;
        return;
    }
    const double most = fmax(GATE_MOST * c->step_nm, radius);
    c->gate_nm = fmin(fmax(spacing, GATE_LEAST * c->step_nm), most) + common;
    if (!isnan(options->gate_nm)) {
        c->gate_nm = options->gate_nm;
    } else if (GATE_LEAST * c->step_nm > 1.5 * spacing) {
        ng_warnings_add(warnings, "gate-crowded",
                        "particles move %.3g nm (s.d.) between frames, where chance neighbours "
                        "are %.3g nm away: many links are guesses; take frames faster",
                        c->step_nm, spacing);
    }
}

void ng_motion_tabulate(ng_motion *motion)
{
    const ng_track_choices *c = &motion->choice;
    const double gate2 = c->gate_nm * c->gate_nm;
    const double step = fmax(isnan(c->step_nm) ? 0.0 : c->step_nm, 0.02 * c->gate_nm);
    const double step2 = step * step;
    const double tail = fmin(fmax(isnan(c->long_steps) ? 0.0 : c->long_steps, RAREST_LONG), 0.3);
    for (size_t i = 0; i <= NG_COST_BINS; i++) {
        double distance2 = gate2 * (double)i / NG_COST_BINS;
        double usual = (1.0 - tail) * exp(-distance2 / (2.0 * step2)) / (2.0 * PI * step2);
        motion->cost[i] = -2.0 * log(usual + tail / (PI * gate2));
    }
}

double ng_motion_cost(const ng_motion *motion, double distance2, double frames)
{
    const double gate2 = motion->choice.gate_nm * motion->choice.gate_nm;
    const double at = distance2 / (frames * gate2) * NG_COST_BINS;
    const double more = frames > 1.0 ? 2.0 * log(frames) : 0.0;
    if (at >= NG_COST_BINS) {
        return motion->cost[NG_COST_BINS] + more;
    }
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    return more + motion->cost[i] + part * (motion->cost[i + 1] - motion->cost[i]);
}

double ng_size_cost(const ng_motion *motion, double a, double b)
{
    const double most = 6.0; /* sizes jump in merges, and masks fail */
    const double difference = b - a;
    if (!(motion->size_cost_scale > 0.0) || isnan(difference)) {
        return 0.0;
    }
    return fmin(difference * difference * motion->size_cost_scale, most);
}

ng_status ng_motion_find(ng_points *points, const ng_track_options *options, const ng_run *run,
                         ng_motion *out, ng_warnings *warnings, ng_error *err)
{
    survey s = {.n_steps = 0};
    *out = (ng_motion){.has_sizes = false};
    ng_status status = measure_spacing(points, out, err);
    if (status == NG_OK) {
        status = survey_make(&s, points, err);
    }
    if (status == NG_OK) {
        status = survey_frames(&s, points, out, options->drift, run, err);
    }
    if (status == NG_OK) {
        describe_steps(&s, out);
        describe_sizes(&s, out);
        if (options->drift) {
            settle_drift(&s, points, out, warnings);
        }
        drift_test common = test_drift(&s, points, 1.0);
        choose_gate(out, options, options->drift ? 0.0 : hypot(common.dx, common.dy),
                    usual_radius(&s, points), warnings);
        ng_motion_tabulate(out);
    }
    survey_free(&s);
    return status;
}
