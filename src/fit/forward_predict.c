/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The test of the fit: the master equation carries the sizes at which particles were first seen
 * forward, and its moments are those that the microscope, with its noise, would measure.
 */
#include "forward_internal.h"

#include <nucgrow/solve.h>

#include <math.h>
#include <string.h>

#define STEP_S 0.25 /* of the master equation, at most; errors in docs/master-equation.md */
#define STEPS_PER_FRAME 4.0
#define SPEEDS 4       /* quadrature over the particles' speeds */
#define NOISE_POINTS 5 /* quadrature over the noise */
#define REACH 5.0      /* s.d. to which a particle's first size is spread */
#define ENLARGE 2      /* times that the range of sizes may be doubled */
#define GONE 2.0       /* a track that ends below this times the smallest x has dissolved */

/* Gauss-Hermite, for a normal variable of variance 1. */
static const double speed_node[SPEEDS] = {-2.334414218338977, -0.7419637843027258,
                                          0.7419637843027258, 2.334414218338977};
static const double speed_weight[SPEEDS] = {0.04587585476806848, 0.4541241452319317,
                                            0.4541241452319317, 0.04587585476806848};
static const double noise_node[NOISE_POINTS] = {-2.856970013872806, -1.355626179974266, 0.0,
                                                1.355626179974266, 2.856970013872806};
static const double noise_weight[NOISE_POINTS] = {0.01125741132772069, 0.2220759220056126,
                                                  0.5333333333333333, 0.2220759220056126,
                                                  0.01125741132772069};

ng_status ng_forward_moments_create(size_t n_frames, forward_moments *out, ng_error *err)
{
    *out = (forward_moments){.n_frames = n_frames};
    double *all = NG_NEW(double, (NG_MOMENT_MAX + 2) * n_frames);
    if (!all) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu frames", n_frames);
    }
    out->variance = all;
    for (int q = 1; q <= NG_MOMENT_MAX; q++) {
        out->moment[q] = all + (size_t)q * n_frames;
    }
    out->mean = out->moment[1];
    return NG_OK;
}

void ng_forward_moments_free(forward_moments *m)
{
    ng_free(m->variance);
    *m = (forward_moments){0};
}

/* ---- what comes in and what goes --------------------------------------------------------- */

/* First sight of a particle and when it is lost again. */
typedef struct entry {
    double mean, variance, weight; /* of x */
    unsigned frame, last;          /* last: n_frames when it stays, or when it dissolves */
} entry;

typedef struct prediction {
    const forward_case *c;
    const double *x;
    forward_problem p;
    ng_size_range sizes;
    size_t count, sets;
    double tau; /* s.d. of ln speed */
    double top_share;
    entry *entry;
    size_t n_entries;
    ng_master *master;
    double *attach, *detach, *density, *power; /* power: measured <n^q> at each size */
} prediction;

/* The kernels of a first sample all begin at once. */
static void kernel_entries(prediction *a)
{
    const forward_flask *flask = a->c->like.flask;
    for (size_t q = 0; q < flask->n_kernels; q++) {
        a->entry[q] = (entry){.weight = 1.0, .last = (unsigned)a->c->data.n_frames};
        ng_forward_flask_begin(flask, &a->c->layout, a->x, q, &a->entry[q].mean,
                               &a->entry[q].variance);
    }
}

static void find_entries(prediction *a, const double *weight)
{
    const forward_data *d = &a->c->data;
    size_t first_frames = a->c->options->first_frames;
    for (size_t i = 0; i < d->n_tracks; i++) {
        entry *e = &a->entry[i];
        size_t k = d->first[i], end = d->first[i + 1];
        while (k < end && !isfinite(d->x[k])) {
            k++;
        }
        *e = (entry){.weight = k < end ? (weight ? weight[i] : 1.0) : 0.0};
        if (k == end) {
            continue;
        }
        ng_forward_first_sight(&a->p, a->x, i, first_frames, &e->mean, &e->variance);
        e->frame = d->frame[k];
        while (end > k + 1 && !isfinite(d->x[end - 1])) {
            end--;
        }
        bool dissolved = d->x[end - 1] < GONE * a->p.rates[0].x_min;
        e->last = dissolved || d->frame[end - 1] + 1 >= d->n_frames ? (unsigned)d->n_frames
                                                                    : d->frame[end - 1];
    }
}

/* A size estimated with an error of its own scatters more than the sizes do: draw each estimate
 * towards the mean of those that were first seen with it (all at once, or later). */
static void shrink(prediction *a, bool later)
{
    double n = 0.0, sum = 0.0, square = 0.0, own = 0.0;
    for (size_t i = 0; i < a->n_entries; i++) {
        const entry *e = &a->entry[i];
        if ((e->frame > 0) == later && e->weight > 0.0) {
            n += e->weight;
            sum += e->weight * e->mean;
            square += e->weight * e->mean * e->mean;
            own += e->weight * e->variance;
        }
    }
    if (n < 2.0) {
        return;
    }
    double mean = sum / n, scatter = (square / n - mean * mean) * n / (n - 1.0);
    double true_scatter = fmax(scatter - own / n, 0.05 * scatter);
    for (size_t i = 0; i < a->n_entries; i++) {
        entry *e = &a->entry[i];
        if ((e->frame > 0) == later && e->weight > 0.0) {
            double share = true_scatter / (true_scatter + e->variance);
            e->mean = mean + share * (e->mean - mean);
            e->variance *= share;
        }
    }
}

/* Add a particle to the density: Gaussian in x, of integral `weight`, on n >= n_min. */
static void deposit(const prediction *a, const entry *e, double weight)
{
    double sd = sqrt(fmax(e->variance, 1e-12)), low = fmax(e->mean - REACH * sd, 0.0);
    double high = fmax(e->mean + REACH * sd, 0.0), n_min = (double)a->sizes.n_min;
    size_t from = (size_t)fmax(floor(low * sqrt(low)) - n_min, 0.0);
    size_t to = (size_t)fmax(ceil(high * sqrt(high)) - n_min, 0.0) + 1;
    double sum = 0.0;
    from = from < a->count ? from : a->count - 1;
    to = to < a->count ? to : a->count;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = from; i < to; i++) {
            double root = cbrt(n_min + (double)i), z = (root * root - e->mean) / sd;
            double p = exp(-0.5 * fmin(z * z, 50.0)) / root;
            if (pass == 0) {
                sum += p;
            } else {
                a->density[i] += weight * p / sum;
            }
        }
    }
}

static bool has_change(const prediction *a, unsigned frame)
{
    for (size_t i = 0; i < a->n_entries; i++) {
        const entry *e = &a->entry[i];
        if (e->weight > 0.0 && (e->frame == frame || e->last == frame)) {
            return true;
        }
    }
    return false;
}

/* Let particles in that are first seen in a frame, and take out, whatever their size, as many as
 * were lost in it. */
static ng_status change(prediction *a, unsigned frame, double *dissolved, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t set = 0; status == NG_OK && set < a->sets; set++) {
        double share = a->sets > 1 ? speed_weight[set] : 1.0, lost = 0.0;
        ng_size_state state;
        ng_master_state(a->master, set, &state);
        ng_master_density(a->master, set, a->density);
        *dissolved += state.dissolved;
        for (size_t i = 0; i < a->n_entries; i++) {
            lost += a->entry[i].last + 1 == frame ? share * a->entry[i].weight : 0.0;
        }
        double stay = state.number > 0.0 ? fmax(1.0 - lost / state.number, 0.0) : 0.0;
        for (size_t i = 0; lost > 0.0 && i < a->count; i++) {
            a->density[i] *= stay;
        }
        for (size_t i = 0; i < a->n_entries; i++) {
            if (a->entry[i].frame == frame && a->entry[i].weight > 0.0) {
                deposit(a, &a->entry[i], share * a->entry[i].weight);
            }
        }
        status = ng_master_set_density(a->master, set, a->density, err);
    }
    return status;
}

/* ---- what is measured -------------------------------------------------------------------- */

static void measured_powers(const prediction *a)
{
    const forward_data *d = &a->c->data;
    double factor = exp(a->x[a->c->layout.noise]) * d->noise_scale;
    for (size_t i = 0; i < a->count; i++) {
        double root = cbrt((double)a->sizes.n_min + (double)i), x = root * root;
        double sd = factor * pow(x, d->noise_power), *row = a->power + i * NG_MOMENT_MAX;
        memset(row, 0, NG_MOMENT_MAX * sizeof *row);
        for (size_t k = 0; k < NOISE_POINTS; k++) {
            double seen = fmax(x + sd * noise_node[k], 0.0), n = seen * sqrt(seen);
            double power = noise_weight[k];
            for (size_t q = 0; q < NG_MOMENT_MAX; q++) {
                power *= n;
                row[q] += power;
            }
        }
    }
}

static void measure(const prediction *a, size_t frame, forward_moments *out)
{
    double number = 0.0, sum[NG_MOMENT_MAX] = {0};
    for (size_t set = 0; set < a->sets; set++) {
        ng_master_density(a->master, set, a->density);
        for (size_t i = 0; i < a->count; i++) {
            if (a->density[i] > 0.0) {
                number += a->density[i];
                for (size_t q = 0; q < NG_MOMENT_MAX; q++) {
                    sum[q] += a->density[i] * a->power[i * NG_MOMENT_MAX + q];
                }
            }
        }
    }
    for (size_t q = 0; q < NG_MOMENT_MAX; q++) {
        out->moment[q + 1][frame] = number > 0.0 ? sum[q] / number : (double)NAN;
    }
    double mean = out->moment[1][frame];
    out->variance[frame] = out->moment[2][frame] - mean * mean;
}

/* ---- the run ----------------------------------------------------------------------------- */

static ng_status set_rates(prediction *a, size_t interval, ng_error *err)
{
    ng_growth_parameters parameters;
    double delta = ng_forward_basis_value(&a->c->shape, a->x + a->c->layout.shape, interval);
    ng_rate_from_coordinates(a->x, &parameters);
    double kr = parameters.kr;
    ng_status status = NG_OK;
    for (size_t set = 0; status == NG_OK && set < a->sets; set++) {
        parameters.kr = a->sets > 1 ? kr * exp(a->tau * speed_node[set]) : kr;
        status = ng_size_rates(&parameters, delta, a->c->data.sigma_s_nm, &a->sizes, a->attach,
                               a->detach, err);
        if (status == NG_OK) {
            status = ng_master_set_rates(a->master, set, a->attach, a->detach, err);
        }
    }
    return status;
}

static ng_status open_master(prediction *a, const ng_time_law *S, ng_error *err)
{
    ng_master_options o = ng_master_defaults();
    o.sizes = a->sizes;
    o.sets = a->sets;
    o.top_share = a->top_share;
    o.step_s = fmin(STEP_S, a->c->data.frame_s / STEPS_PER_FRAME);
    ng_status status = ng_master_create(&o, &a->master, NULL, err);
    for (size_t set = 0; status == NG_OK && set < a->sets; set++) {
        status = ng_master_set_laws(a->master, set, S, NULL, err);
    }
    return status == NG_OK ? set_rates(a, 0, err) : status;
}

static ng_status advance_all(prediction *a, forward_moments *out, ng_error *err)
{
    const forward_data *d = &a->c->data;
    double dissolved = 0.0;
    ng_status status = NG_OK;
    for (size_t f = 0; status == NG_OK && f < d->n_frames; f++) {
        if (f > 0) {
            if (a->c->layout.n_shape > 1) {
                status = set_rates(a, f - 1, err);
            }
            if (status == NG_OK) {
                status = ng_master_advance(a->master, (double)f * d->frame_s, err);
            }
        }
        if (status == NG_OK && has_change(a, (unsigned)f)) {
            status = change(a, (unsigned)f, &dissolved, err);
        }
        if (status == NG_OK) {
            measure(a, f, out);
        }
    }
    for (size_t set = 0; set < a->sets; set++) {
        ng_size_state state;
        ng_master_state(a->master, set, &state);
        dissolved += state.dissolved;
    }
    out->dissolved = dissolved;
    return status;
}

static void prediction_close(prediction *a)
{
    ng_master_destroy(a->master);
    ng_free(a->attach);
    ng_free(a->power);
    a->master = NULL;
    a->attach = a->power = NULL;
}

/* One run on sizes up to n_max. */
static ng_status run_on(prediction *a, long n_max, const ng_time_law *S, forward_moments *out,
                        ng_error *err)
{
    a->sizes = (ng_size_range){.n_min = NG_SOLVE_N_MIN, .n_max = n_max};
    a->count = ng_size_count(&a->sizes);
    a->attach = NG_NEW(double, 3 * a->count);
    a->power = NG_NEW(double, NG_MOMENT_MAX * a->count);
    if (!a->attach || !a->power) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu sizes", a->count);
    }
    a->detach = a->attach + a->count;
    a->density = a->detach + a->count;
    measured_powers(a);
    ng_status status = open_master(a, S, err);
    return status == NG_OK ? advance_all(a, out, err) : status;
}

ng_status ng_forward_predict(const forward_case *c, const double *weight, const double *x,
                             forward_moments *out, ng_error *err)
{
    prediction a = {.c = c, .x = x, .sets = 1};
    forward_result *r = NG_NEW(forward_result, 1);
    a.n_entries = c->like.flask ? c->like.flask->n_kernels : c->data.n_tracks;
    a.entry = NG_NEW(entry, a.n_entries);
    ng_status status = r && a.entry
                           ? ng_forward_problem_create(&c->like, &a.p, err)
                           : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for a prediction");
    if (status != NG_OK) {
        goto out;
    }
    ng_forward_evaluate(&a.p, x, false, r, NULL, NULL);
    if (c->layout.spread != FORWARD_NONE) {
        a.sets = SPEEDS;
        a.tau = exp(x[c->layout.spread]);
    }
    if (c->like.flask) {
        kernel_entries(&a);
    } else {
        find_entries(&a, weight);
        shrink(&a, false);
        shrink(&a, true);
    }
    ng_time_law S = ng_law_table(c->middle_s, a.p.S, c->supersaturation.count);
    long n_max = (long)ceil(fmax(c->data.n_largest, 20.0 * NG_SOLVE_N_MIN));
    a.top_share = ng_master_defaults().top_share;
    for (int i = 0; i <= ENLARGE; i++) {
        /* a law under which sizes run away is a result too: let them gather at the end at last */
        out->ran_away = i == ENLARGE;
        a.top_share = i == ENLARGE ? 1.0 : a.top_share;
        status = run_on(&a, n_max, &S, out, err);
        prediction_close(&a);
        /* NG_INVALID: sizes have reached the end of the range */
        if (status != NG_INVALID) {
            break;
        }
        n_max *= 2;
    }

out:
    ng_forward_problem_free(&a.p);
    ng_free(a.entry);
    ng_free(r);
    return status;
}
