/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every crystal of a movie fitted. */
#include <nucgrow/crystals.h>

#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#define ITERATIONS_TO_COMPARE 25
#define WEAKEST 0.05 /* this part of the crystals has points that should not have been seen */

ng_crystals_options ng_crystals_defaults(void)
{
    return (ng_crystals_options){.curve = ng_curve_defaults(),
                                 .avrami = true,
                                 .diffusion = true,
                                 .choose = true,
                                 .law = ng_radius_law_find("depletion"),
                                 .split = 0.8,
                                 .slow_end = 0.99,
                                 .least_points = 5,
                                 .bootstrap = 500,
                                 .seed = 1};
}

/* ---- the points of a crystal ---------------------------------------------------------------- */

typedef enum measure { INTENSITY, VOLUME, RADIUS } measure;

static double measured(const ng_particle *p, measure what, double *se)
{
    const double r = p->radius_nm;
    if ((p->flag & NG_FLAG_SATURATED) != 0) {
        return (double)NAN;
    }
    switch (what) {
    case INTENSITY:
        *se = p->intensity_se;
        return p->intensity;
    case VOLUME:
        *se = 3 * r * r * p->radius_se_nm;
        return r * r * r;
    default:
        *se = p->radius_se_nm;
        return r;
    }
}

typedef struct points {
    double *time_s, *y, *se; /* parts of one allocation that starts at time_s */
    ng_curve_data data;
} points;

/* Standard errors of a weak point are small by chance where counts are few; an error below a tenth
 * of the median would let one point rule. */
static void keep_errors_even(points *p)
{
    double sorted[64];
    size_t n = 0;
    const size_t stride = p->data.n / 64 + 1;
    for (size_t i = 0; i < p->data.n && n < 64; i += stride) {
        sorted[n++] = p->se[i];
    }
    gsl_sort(sorted, 1, n);
    const double least = n > 0 ? 0.1 * gsl_stats_median_from_sorted_data(sorted, 1, n) : 0;
    for (size_t i = 0; i < p->data.n; i++) {
        p->se[i] = fmax(p->se[i], least);
    }
}

/* ---- one crystal ---------------------------------------------------------------------------- */

typedef struct job {
    const ng_particles *tracks;
    const ng_track_span *span;
    const ng_crystals_options *options;
    measure avrami;
    ng_crystal *out;
    points *room;    /* one a worker */
    bool light;      /* there are intensities: radii were made of them */
    double limit[3]; /* of detection, by measure */
} job;

static void gather(const job *j, const ng_track_span *span, measure what, points *out)
{
    bool errors = true;
    const ng_particles *tracks = j->tracks;
    out->data = (ng_curve_data){.time_s = out->time_s,
                                .y = out->y,
                                .power = what == RADIUS && j->light ? 3 : 1,
                                .counted = j->light,
                                .limit = j->limit[what]};
    for (size_t i = 0; i < span->n; i++) {
        const ng_particle *p = &tracks->item[span->first + i];
        double se = (double)NAN;
        const double y = measured(p, what, &se);
        if (isfinite(y) && isfinite(p->time_s)) {
            out->time_s[out->data.n] = p->time_s;
            out->y[out->data.n] = y;
            out->se[out->data.n++] = se;
            errors = errors && se > 0 && isfinite(se);
        }
    }
    if (errors) {
        keep_errors_even(out);
        out->data.se = out->se;
    }
}

/* Times of growth by the law, counted from its birth, and whether they were seen. */
static void split_growth(const ng_crystals_options *o, ng_crystal *c)
{
    const ng_curve_fit *fit = &c->diffusion;
    double final_nm = (double)NAN, birth_s = (double)NAN;
    c->fast_s = c->slow_s = (double)NAN;
    for (size_t j = 0; j < fit->law->n_parameters; j++) {
        if (strcmp(fit->law->info[j].name, "final_nm") == 0) {
            final_nm = fit->parameter[j].value;
        }
        if (strcmp(fit->law->info[j].name, "t0_s") == 0) {
            birth_s = fit->parameter[j].value;
        }
    }
    if (!isfinite(final_nm) || !isfinite(birth_s)) {
        return;
    }
    const double far = c->last_s + 100 * (c->last_s - birth_s);
    const double fast = ng_curve_fit_time(fit, o->split * final_nm, birth_s, far);
    const double end = ng_curve_fit_time(fit, o->slow_end * final_nm, birth_s, far);
    c->split_reached = fast <= c->last_s;
    c->end_reached = end <= c->last_s;
    c->fast_s = c->split_reached ? fast - birth_s : (double)NAN;
    c->slow_s = c->end_reached ? end - fast : (double)NAN;
}

/* A search that was cut short gives an upper bound of the law's AIC: good enough to lose by. */
static bool usable(const ng_curve_fit *fit)
{
    return (fit->state == NG_CURVE_OK || fit->state == NG_CURVE_NOT_CONVERGED) && fit->scale > 0;
}

/* All laws without intervals; AIC at the least scale and with the least inflation of the residuals,
 * which are those of the richest law that fits. */
static ng_status compare(const ng_curve_data *data, const ng_crystals_options *o, ng_crystal *c,
                         ng_error *err)
{
    ng_curve_fit fit[NG_RADIUS_LAWS_MAX];
    ng_curve_options quick = o->curve;
    double scale = (double)INFINITY, effective = 1, least = (double)INFINITY;
    quick.intervals = false;
    quick.max_iterations = ITERATIONS_TO_COMPARE;
    for (size_t i = 0; i < ng_n_radius_laws; i++) {
        ng_status status = ng_curve_fit_run(ng_radius_laws[i], data, &quick, &fit[i], err);
        if (status != NG_OK) {
            return status;
        }
        if (fit[i].state == NG_CURVE_OK && usable(&fit[i]) && fit[i].scale < scale) {
            scale = fit[i].scale;
            effective = fit[i].effective;
        }
    }
    for (size_t i = 0; i < ng_n_radius_laws; i++) {
        c->aic[i] =
            usable(&fit[i]) ? ng_curve_fit_aic(&fit[i], data, scale, effective) : (double)INFINITY;
        if (c->aic[i] < least) {
            least = c->aic[i];
            c->chosen = ng_radius_laws[i];
        }
    }
    for (size_t i = 0; i < ng_n_radius_laws; i++) {
        c->aic[i] = isfinite(c->aic[i]) ? c->aic[i] - least : (double)NAN;
    }
    return NG_OK;
}

static ng_status fit_radius(const ng_curve_data *data, const ng_crystals_options *o, ng_crystal *c,
                            ng_error *err)
{
    ng_status status = ng_curve_fit_run(o->law, data, &o->curve, &c->diffusion, err);
    if (status == NG_OK && c->diffusion.state == NG_CURVE_OK) {
        split_growth(o, c);
    }
    if (status == NG_OK && o->choose) {
        status = compare(data, o, c, err);
    }
    if (status != NG_OK || c->chosen == NULL) {
        return status;
    }
    if (c->chosen == o->law) {
        c->best = c->diffusion;
        return NG_OK;
    }
    return ng_curve_fit_run(c->chosen, data, &o->curve, &c->best, err);
}

static ng_status fit_one(void *context, size_t index, int worker, ng_error *err)
{
    const job *j = context;
    const ng_crystals_options *o = j->options;
    points *room = &j->room[worker];
    ng_crystal *c = &j->out[index];
    const ng_track_span *span = &j->span[index];
    ng_status status = NG_OK;
    *c = (ng_crystal){.track = span->track, .n_points = span->n};
    c->first_s = j->tracks->item[span->first].time_s;
    c->last_s = j->tracks->item[span->first + span->n - 1].time_s;
    c->fast_s = c->slow_s = (double)NAN;
    for (size_t i = 0; i < NG_RADIUS_LAWS_MAX; i++) {
        c->aic[i] = (double)NAN;
    }
    if (o->avrami) {
        gather(j, span, j->avrami, room);
        c->n_points = room->data.n;
        status =
            ng_curve_fit_run(&ng_curve_avrami_crystal, &room->data, &o->curve, &c->avrami, err);
    }
    if (status == NG_OK && o->diffusion) {
        gather(j, span, RADIUS, room);
        c->n_points = room->data.n;
        status = fit_radius(&room->data, o, c, err);
    }
    return status;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static ng_status open_rooms(job *j, size_t points_most, int workers, ng_error *err)
{
    j->room = NG_NEW(points, (size_t)workers);
    for (int w = 0; j->room != NULL && w < workers; w++) {
        double *space = NG_NEW(double, 3 * points_most);
        if (space == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu points", points_most);
        }
        j->room[w].time_s = space;
        j->room[w].y = space + points_most;
        j->room[w].se = space + 2 * points_most;
    }
    return j->room != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for the fits");
}

static void close_rooms(job *j, int workers)
{
    for (int w = 0; j->room != NULL && w < workers; w++) {
        ng_free(j->room[w].time_s);
    }
    ng_free(j->room);
}

/* Tracks with enough points come first in `span`; returns how many. */
static size_t keep_long(ng_track_span *span, size_t n, size_t least, size_t *most)
{
    size_t kept = 0;
    *most = 0;
    for (size_t i = 0; i < n; i++) {
        if (span[i].n >= least) {
            *most = span[i].n > *most ? span[i].n : *most;
            span[kept++] = span[i];
        }
    }
    return kept;
}

static bool any_finite(const ng_particles *tracks, measure what)
{
    double unused;
    for (size_t i = 0; i < tracks->n; i++) {
        if (tracks->item[i].track >= 0 && isfinite(measured(&tracks->item[i], what, &unused))) {
            return true;
        }
    }
    return false;
}

/* What the weakest point of all but a few crystals has: below it they were not seen. A limit that
 * is not sharp is met too low by this, never too high. */
static ng_status find_limit(job *j, size_t n_spans, measure what, ng_error *err)
{
    double unused, *least = NG_NEW(double, n_spans);
    size_t n = 0;
    if (least == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu crystals", n_spans);
    }
    for (size_t i = 0; i < n_spans; i++) {
        double weakest = (double)INFINITY;
        for (size_t k = 0; k < j->span[i].n; k++) {
            const double y = measured(&j->tracks->item[j->span[i].first + k], what, &unused);
            weakest = y < weakest ? y : weakest;
        }
        if (isfinite(weakest)) {
            least[n++] = weakest;
        }
    }
    gsl_sort(least, 1, n);
    j->limit[what] = n > 0 ? gsl_stats_quantile_from_sorted_data(least, 1, n, WEAKEST) : 0;
    ng_free(least);
    return NG_OK;
}

static ng_status find_limits(job *j, size_t n_spans, ng_error *err)
{
    ng_status status = j->light ? find_limit(j, n_spans, INTENSITY, err) : NG_OK;
    return status == NG_OK && j->light ? find_limit(j, n_spans, RADIUS, err) : status;
}

static ng_status check_values(const ng_particles *tracks, const ng_crystals_options *o,
                              measure avrami, ng_error *err)
{
    if (o->diffusion && !any_finite(tracks, RADIUS)) {
        return NG_FAIL(err, NG_INVALID,
                       "the tracks have no radii; --material and --final-radius-nm make them of "
                       "intensities, or run `nucgrow radius` first");
    }
    return o->avrami && !any_finite(tracks, avrami)
               ? NG_FAIL(err, NG_INVALID, "the tracks have neither intensities nor radii")
               : NG_OK;
}

static void warn_of_states(const ng_crystals *crystals, const ng_crystals_options *o,
                           ng_warnings *warnings)
{
    size_t failed[2][NG_N_CURVE_STATES] = {{0}};
    for (size_t i = 0; i < crystals->n; i++) {
        failed[0][crystals->item[i].avrami.state] += o->avrami;
        failed[1][crystals->item[i].diffusion.state] += o->diffusion;
    }
    for (int k = 0; k < 2; k++) {
        for (int s = NG_CURVE_TOO_FEW; s < NG_N_CURVE_STATES; s++) {
            if (failed[k][s] > 0) {
                ng_warnings_add(warnings, ng_curve_state_name((ng_curve_state)s),
                                "%zu of %zu crystals: %s (%s)", failed[k][s], crystals->n,
                                ng_curve_state_name((ng_curve_state)s),
                                k == 0 ? "Avrami" : "growth by diffusion");
            }
        }
    }
    if (crystals->dropped > 0) {
        ng_warnings_add(warnings, "tracks-short",
                        "%zu tracks have fewer than %zu points and were "
                        "not fitted",
                        crystals->dropped, o->least_points);
    }
}

/* Errors that are there, but not at all points, or not positive, are not used at all. */
static void warn_of_errors(const job *j, size_t n_spans, ng_warnings *warnings)
{
    size_t unusable = 0;
    for (size_t i = 0; i < n_spans; i++) {
        size_t values = 0, errors = 0, good = 0;
        for (size_t k = 0; k < j->span[i].n; k++) {
            double se = (double)NAN;
            const ng_particle *p = &j->tracks->item[j->span[i].first + k];
            if (isfinite(measured(p, j->avrami, &se))) {
                values++;
                errors += isnan(se) ? 0 : 1;
                good += se > 0 && isfinite(se);
            }
        }
        unusable += errors > 0 && good < values;
    }
    if (unusable > 0) {
        ng_warnings_add(warnings, "errors-unusable",
                        "%zu of %zu crystals have standard errors that are missing, 0 or less at "
                        "some points; there all points weigh the same",
                        unusable, n_spans);
    }
}

ng_status ng_crystals_fit(const ng_particles *tracks, const ng_crystals_options *options,
                          const ng_run *run, ng_crystals *out, ng_warnings *warnings, ng_error *err)
{
    ng_track_span *span = NULL;
    size_t n = 0, most = 0;
    const int workers = ng_run_threads(run);
    job j = {.tracks = tracks, .options = options};
    *out = (ng_crystals){0};
    j.light = any_finite(tracks, INTENSITY);
    j.avrami = j.light ? INTENSITY : VOLUME;
    ng_status status = check_values(tracks, options, j.avrami, err);
    if (status == NG_OK) {
        status = ng_track_spans(tracks, &span, &n, err);
    }
    if (status != NG_OK) {
        return status;
    }
    out->n = keep_long(span, n, options->least_points, &most);
    out->dropped = n - out->n;
    if (out->n == 0) {
        status = NG_FAIL(err, NG_TOO_LITTLE, "no track has %zu points or more (%zu tracks)",
                         options->least_points, n);
        goto out;
    }
    out->item = NG_NEW(ng_crystal, out->n);
    j.span = span;
    j.out = out->item;
    status = out->item == NULL ? NG_FAIL(err, NG_MEMORY, "no memory for %zu crystals", out->n)
                               : open_rooms(&j, most, workers, err);
    status = status == NG_OK ? find_limits(&j, out->n, err) : status;
    if (status == NG_OK) {
        status = ng_parallel_for(out->n, fit_one, &j, run, "crystals", err);
    }
    if (status == NG_OK) {
        warn_of_states(out, options, warnings);
        warn_of_errors(&j, out->n, warnings);
    }
out:
    close_rooms(&j, workers);
    ng_free(span);
    if (status != NG_OK) {
        ng_crystals_free(out);
    }
    return status;
}

void ng_crystals_free(ng_crystals *crystals)
{
    if (crystals != NULL) {
        ng_free(crystals->item);
        *crystals = (ng_crystals){0};
    }
}

/* ---- together ------------------------------------------------------------------------------- */

ng_status ng_crystals_summarise(const double *value, size_t n, size_t bootstrap, double level,
                                uint64_t seed, ng_crystals_median *out, ng_error *err)
{
    const double nan = (double)NAN;
    *out = (ng_crystals_median){0, nan, nan, nan, nan, nan};
    double *space = NG_NEW(double, 2 * n + bootstrap);
    gsl_rng *rng = ng_random_open(seed, 0);
    if (space == NULL || rng == NULL) {
        ng_free(space);
        ng_random_close(rng);
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu values", n);
    }
    double *sorted = space, *drawn = space + n, *medians = space + 2 * n;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(value[i])) {
            sorted[out->n++] = value[i];
        }
    }
    if (out->n > 0) {
        gsl_sort(sorted, 1, out->n);
        out->median = out->lower = out->upper =
            gsl_stats_median_from_sorted_data(sorted, 1, out->n);
        out->quartile_low = gsl_stats_quantile_from_sorted_data(sorted, 1, out->n, 0.25);
        out->quartile_high = gsl_stats_quantile_from_sorted_data(sorted, 1, out->n, 0.75);
    }
    for (size_t b = 0; b < bootstrap && out->n > 0; b++) {
        for (size_t i = 0; i < out->n; i++) {
            drawn[i] = sorted[gsl_rng_uniform_int(rng, out->n)];
        }
        medians[b] = gsl_stats_median(drawn, 1, out->n);
    }
    if (bootstrap > 1 && out->n > 0) {
        gsl_sort(medians, 1, bootstrap);
        out->lower = fmin(out->median, gsl_stats_quantile_from_sorted_data(medians, 1, bootstrap,
                                                                           (1 - level) / 2));
        out->upper = fmax(out->median, gsl_stats_quantile_from_sorted_data(medians, 1, bootstrap,
                                                                           (1 + level) / 2));
    }
    ng_free(space);
    ng_random_close(rng);
    return NG_OK;
}
