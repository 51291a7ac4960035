/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a fit says of its own movie: uptake, supersaturation, where it starts. */
#include "predict_internal.h"

#include <math.h>

/* The kernels of a start may hold this share of the variance of ln n at most. */
#define KERNEL_SHARE 0.5
/* Noise may explain this share of the variance of ln n at most. */
#define NOISE_SHARE 0.9

/* Trajectories, and to which time of the fit each point belongs. */
typedef struct movie {
    ng_trajectories t;
    const ng_fit_file *fit;
    size_t *time;      /* per frame: index of the fit's time, n_times where none */
    double *noise_var; /* per point: of n, after smoothing */
    double *weight;    /* per trajectory */
} movie;

static void movie_free(movie *m)
{
    ng_trajectories_free(&m->t);
    ng_free(m->time);
    ng_free(m->noise_var);
    ng_free(m->weight);
}

static void match_frames(movie *m)
{
    const ng_fit_file *fit = m->fit;
    size_t i = 0;
    for (size_t f = 0; f < m->t.n_frames; f++) {
        const double time_s = m->t.time_s[f];
        const double near = 1e-6 * fmax(fabs(time_s), 1.0);
        while (i < fit->n_times && fit->time_s[i] < time_s - near) {
            i++;
        }
        m->time[f] = i < fit->n_times && fit->time_s[i] <= time_s + near ? i : fit->n_times;
    }
}

static void find_noise(movie *m)
{
    const ng_trajectories *t = &m->t;
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            const ng_smoothed_noise left =
                ng_trajectories_noise_at(t, k - t->first[i], t->first[i + 1] - 1 - k);
            const double sd = t->noise_scale * pow(t->n[k], t->noise_power);
            const double variance = sd * sd * left.gain;
            m->noise_var[k] = isfinite(variance) ? variance : 0.0;
        }
    }
}

static ng_status movie_make(const ng_fit_file *fit, movie *m, ng_error *err)
{
    *m = (movie){.fit = fit};
    ng_status status = ng_trajectories_make(&fit->tracks, &fit->settings, &m->t, NULL, err);
    if (status != NG_OK) {
        return status;
    }
    m->time = NG_NEW(size_t, m->t.n_frames);
    m->noise_var = NG_NEW(double, m->t.n_points);
    m->weight = NG_NEW(double, m->t.n_tracks);
    if (!m->time || !m->noise_var || !m->weight) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for %zu trajectories", m->t.n_tracks);
    }
    match_frames(m);
    find_noise(m);
    return NG_OK;
}

/* ---- averages over the particles of each time -------------------------------------------- */

/* Sums per time of the fit, of the particles then seen. */
typedef struct sums {
    double *particles, *growing, *growth; /* growing: those whose rate is known */
    double *n, *n2, *noise, *attach, *detach, *attach_n, *detach_n;
    double *all; /* owned; the arrays lie in it */
} sums;

enum { N_SUMS = 10 };

static bool sums_make(size_t n, sums *s)
{
    double **const part[N_SUMS] = {&s->particles, &s->growing, &s->growth, &s->n,
                                   &s->n2,        &s->noise,   &s->attach, &s->detach,
                                   &s->attach_n,  &s->detach_n};
    s->all = NG_NEW(double, N_SUMS *n);
    for (size_t i = 0; s->all != NULL && i < N_SUMS; i++) {
        *part[i] = s->all + i * n;
    }
    return s->all != NULL;
}

static void add_point(const movie *m, const ng_growth_law *law, size_t k, double weight, sums *s)
{
    const size_t i = m->time[m->t.frame[k]];
    if (i == m->fit->n_times || weight == 0.0) {
        return;
    }
    const double n = fmax(m->t.n[k], NG_SOLVE_N_MIN), growth = m->t.growth_per_s[k];
    const double up = ng_attachment_rate(&law->parameters, law->delta, law->sigma_s_nm, n);
    const double down = ng_detachment_rate(&law->parameters, law->delta, law->sigma_s_nm, n);
    s->particles[i] += weight;
    s->n[i] += weight * m->t.n[k];
    s->n2[i] += weight * m->t.n[k] * m->t.n[k];
    s->noise[i] += weight * m->noise_var[k];
    s->attach[i] += weight * up;
    s->detach[i] += weight * down;
    s->attach_n[i] += weight * up * n;
    s->detach_n[i] += weight * down * n;
    if (isfinite(growth)) {
        s->growing[i] += weight;
        s->growth[i] += weight * growth;
    }
}

static void add_all(const movie *m, const ng_growth_law *law, sums *s)
{
    for (size_t i = 0; i < N_SUMS * m->fit->n_times; i++) {
        s->all[i] = 0.0;
    }
    for (size_t i = 0; i < m->t.n_tracks; i++) {
        for (size_t k = m->t.first[i]; k < m->t.first[i + 1]; k++) {
            add_point(m, law, k, m->weight[i], s);
        }
    }
}

/* Where a value is missing: the line between its neighbours, or the nearest one. */
static bool fill_gaps(const double *time_s, double *x, size_t n)
{
    size_t before = n;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            continue;
        }
        for (size_t k = before == n ? 0 : before + 1; k < i; k++) {
            const double part =
                before == n ? 1.0 : (time_s[k] - time_s[before]) / (time_s[i] - time_s[before]);
            x[k] = before == n ? x[i] : x[before] + part * (x[i] - x[before]);
        }
        before = i;
    }
    for (size_t k = before + 1; before < n && k < n; k++) {
        x[k] = x[before];
    }
    return before < n;
}

/* Ex situ no particle is seen twice: then the mean size tells. */
static double mean_slope(const ng_fit_file *fit, const sums *s, size_t i)
{
    const size_t a = i > 0 ? i - 1 : 0, b = i + 1 < fit->n_times ? i + 1 : i;
    return (s->n[b] / s->particles[b] - s->n[a] / s->particles[a]) /
           (fit->time_s[b] - fit->time_s[a]);
}

static bool find_uptake(const ng_fit_file *fit, const sums *s, ng_inferred_set *set)
{
    const bool followed = !fit->tracks.ex_situ;
    for (size_t i = 0; i < fit->n_times; i++) {
        set->uptake_per_s[i] = followed ? s->growth[i] / s->growing[i] : mean_slope(fit, s, i);
    }
    if (!fill_gaps(fit->time_s, set->uptake_per_s, fit->n_times)) {
        return false;
    }
    for (size_t i = 0; i < fit->n_times; i++) {
        const double taken = s->particles[i] * set->uptake_per_s[i] + s->detach[i];
        set->supersaturation[i] = fmax(taken / s->attach[i], 0.0);
    }
    return fill_gaps(fit->time_s, set->supersaturation, fit->n_times);
}

/* What the estimate alone gives. */
static void find_moments(const ng_fit_file *fit, const sums *s, ng_inferred *out)
{
    const ng_inferred_set *set = &out->set[0];
    for (size_t i = 0; i < fit->n_times; i++) {
        const double mean = s->n[i] / s->particles[i], S = set->supersaturation[i];
        const double together = (S * s->attach_n[i] - s->detach_n[i]) / s->particles[i];
        const double j = (S * s->attach[i] - s->detach[i]) / s->particles[i];
        out->seen_mean[i] = mean;
        out->seen_var[i] =
            fmax(s->n2[i] / s->particles[i] - mean * mean - s->noise[i] / s->particles[i], 0.0);
        out->eta_inf2[i] = j > 0.0 ? (together - mean * j) / (mean * j) : (double)NAN;
    }
}

/* ---- where it starts --------------------------------------------------------------------- */

/* Sizes of the first time into the set; returns the mean variance of their ln n by noise. */
static double first_sizes(const movie *m, ng_inferred_set *set)
{
    double noise = 0.0, all = 0.0;
    for (size_t i = 0; i < m->t.n_tracks; i++) {
        for (size_t k = m->t.first[i]; k < m->t.first[i + 1] && m->weight[i] > 0.0; k++) {
            if (m->time[m->t.frame[k]] != 0) {
                continue;
            }
            const double n = m->t.n[k];
            set->start_n[set->n_start] = n;
            set->start_weight[set->n_start++] = m->weight[i];
            noise += m->weight[i] * m->noise_var[k] / (n * n);
            all += m->weight[i];
        }
    }
    return all > 0.0 ? noise / all : 0.0;
}

/* Draw the points together, so that with their kernels and without noise ln n varies as it should,
 * and the mean stays. */
static void draw_together(ng_inferred_set *set, double noise, double bandwidth)
{
    double all = 0.0, centre = 0.0, variance = 0.0, mean = 0.0, new_mean = 0.0;
    for (size_t i = 0; i < set->n_start; i++) {
        all += set->start_weight[i];
        centre += set->start_weight[i] * log(set->start_n[i]);
        mean += set->start_weight[i] * set->start_n[i];
    }
    centre /= all;
    for (size_t i = 0; i < set->n_start; i++) {
        const double d = log(set->start_n[i]) - centre;
        variance += set->start_weight[i] * d * d / all;
    }
    const double wanted = variance - fmin(noise, NOISE_SHARE * variance);
    const double kernel = fmin(bandwidth * bandwidth, KERNEL_SHARE * wanted);
    const double factor = variance > 0.0 ? sqrt((wanted - kernel) / variance) : 0.0;
    set->start_spread = sqrt(kernel);
    for (size_t i = 0; i < set->n_start; i++) {
        set->start_n[i] = exp(centre + factor * (log(set->start_n[i]) - centre));
        new_mean += set->start_weight[i] * set->start_n[i] * exp(0.5 * kernel);
    }
    for (size_t i = 0; i < set->n_start; i++) {
        set->start_n[i] *= mean / new_mean;
    }
}

static ng_status find_start(const movie *m, ng_inferred_set *set, double *noise, ng_error *err)
{
    set->start_n = NG_NEW(double, m->t.n_tracks);
    set->start_weight = NG_NEW(double, m->t.n_tracks);
    double *scratch = NG_NEW(double, 2 * m->t.n_tracks);
    if (!set->start_n || !set->start_weight || !scratch) {
        ng_free(scratch);
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for %zu sizes", m->t.n_tracks);
    }
    *noise = first_sizes(m, set);
    if (set->n_start > 0) {
        const double bandwidth =
            ng_density_bandwidth(set->start_n, set->start_weight, set->n_start, scratch);
        draw_together(set, *noise, bandwidth);
    }
    ng_free(scratch);
    return set->n_start > 0 ? NG_OK
                            : NG_FAIL(err, NG_TOO_LITTLE,
                                      "the fit's tracks hold no particle at %g s, its first time",
                                      m->fit->time_s[0]);
}

/* ---- sets -------------------------------------------------------------------------------- */

static ng_status make_set(movie *m, size_t b, sums *s, ng_inferred *out, uint64_t seed,
                          ng_error *err)
{
    const ng_fit_file *fit = m->fit;
    ng_inferred_set *set = &out->set[b];
    double noise = 0.0;
    set->law = (ng_growth_law){b == 0 ? fit->best : fit->replicate[b - 1],
                               b == 0 ? fit->delta : fit->replicate_delta[b - 1], fit->sigma_s_nm};
    set->uptake_per_s = NG_NEW(double, fit->n_times);
    set->supersaturation = NG_NEW(double, fit->n_times);
    gsl_rng *rng = ng_random_open(seed, b);
    if (!set->uptake_per_s || !set->supersaturation || rng == NULL) {
        ng_random_close(rng);
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for replicate %zu", b);
    }
    for (size_t i = 0; i < m->t.n_tracks; i++) {
        m->weight[i] = 1.0;
    }
    if (b > 0) {
        ng_bootstrap_trajectories(rng, &m->t, m->weight);
    }
    ng_random_close(rng);
    add_all(m, &set->law, s);
    if (!find_uptake(fit, s, set)) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "the fit's tracks are too short to tell how fast particles grow");
    }
    if (b == 0) {
        find_moments(fit, s, out);
    }
    ng_status status = find_start(m, set, &noise, err);
    out->start_noise = b == 0 ? sqrt(noise) : out->start_noise;
    return status;
}

static void set_free(ng_inferred_set *set)
{
    ng_free(set->uptake_per_s);
    ng_free(set->supersaturation);
    ng_free(set->start_n);
    ng_free(set->start_weight);
}

ng_status ng_inferred_make(const ng_fit_file *fit, size_t replicates, const ng_run *run,
                           ng_inferred *out, ng_warnings *warnings, ng_error *err)
{
    movie m;
    sums s = {0};
    *out = (ng_inferred){.n_sets = 0};
    replicates = replicates < fit->n_replicates ? replicates : fit->n_replicates;
    ng_status status = movie_make(fit, &m, err);
    out->set = NG_NEW(ng_inferred_set, replicates + 1);
    out->eta_inf2 = NG_NEW(double, fit->n_times);
    out->seen_mean = NG_NEW(double, fit->n_times);
    out->seen_var = NG_NEW(double, fit->n_times);
    if (status == NG_OK && (!out->set || !out->eta_inf2 || !out->seen_mean || !out->seen_var ||
                            !sums_make(fit->n_times, &s))) {
        status = NG_FAIL(err, NG_MEMORY, "predict: no memory for %zu replicates", replicates);
    }
    for (size_t b = 0; status == NG_OK && b <= replicates; b++) {
        out->n_sets = b + 1;
        status = make_set(&m, b, &s, out, run != NULL ? run->seed : 1, err);
        if (status == NG_TOO_LITTLE && b > 0) {
            /* a sample without a single growing particle */
            status = NG_OK;
            ng_warnings_add(warnings, "replicate-empty",
                            "A resampling of the particles says nothing of growth; bands rest on "
                            "%zu replicates.",
                            b - 1);
            set_free(&out->set[b]);
            out->n_sets = b;
            break;
        }
        if (status == NG_OK && !ng_run_progress(run, "reading the movie", b + 1, replicates + 1)) {
            status = NG_FAIL(err, NG_CANCELLED, "cancelled");
        }
    }
    ng_free(s.all);
    movie_free(&m);
    if (status != NG_OK) {
        ng_inferred_free(out);
    }
    return status;
}

void ng_inferred_free(ng_inferred *inferred)
{
    for (size_t b = 0; inferred->set != NULL && b < inferred->n_sets; b++) {
        set_free(&inferred->set[b]);
    }
    ng_free(inferred->set);
    ng_free(inferred->eta_inf2);
    ng_free(inferred->seen_mean);
    ng_free(inferred->seen_var);
    *inferred = (ng_inferred){.n_sets = 0};
}
