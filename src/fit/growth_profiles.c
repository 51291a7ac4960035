/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growth rate against size at chosen times ([Kim] Figs. 2 and 4), and the potential solved from it
 * ([Kim] Fig. 5). The flux of single particles is their growth rate spread by the density's kernel,
 * J_n/N = <K(n - n_i) dn_i/dt>.
 */
#include "fit_internal.h"

#include <math.h>
#include <stdlib.h>

#define PROFILES 9
#define PROFILE_SIZES 60
#define RECONSTRUCTED 40   /* sizes at which the potential is solved */
#define CENTRAL_SHARE 0.05 /* of a frame's particles left out at each end of its sizes */
#define SUPPORT 5.0        /* kernel widths beyond which it is nothing */

/* Flux of one frame on `count` sizes even in ln n, and what the model says there. */
typedef struct flux_sample {
    size_t count;
    double n[PROFILE_SIZES], p[PROFILE_SIZES], score[PROFILE_SIZES], flux[PROFILE_SIZES];
    double attach[PROFILE_SIZES], detach[PROFILE_SIZES]; /* J/N = S attach - detach exp(mu) */
} flux_sample;

typedef struct flux_scratch {
    rate_members members;
    double *n, *growth, *weight, *sorted;
} flux_scratch;

static void flux_scratch_free(flux_scratch *s)
{
    ng_rate_members_free(&s->members);
    ng_free(s->n);
    ng_free(s->growth);
    ng_free(s->weight);
    ng_free(s->sorted);
}

static ng_status flux_scratch_create(const ng_trajectories *t, flux_scratch *s, ng_error *err)
{
    *s = (flux_scratch){0};
    ng_status status = ng_rate_members_create(t, NULL, &s->members, err);
    if (status != NG_OK) {
        return status;
    }
    size_t most = s->members.most + 1;
    s->n = NG_NEW(double, most);
    s->growth = NG_NEW(double, most);
    s->weight = NG_NEW(double, most);
    s->sorted = NG_NEW(double, 2 * most);
    return s->n && s->growth && s->weight && s->sorted
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %zu particles", most);
}

/* Particles of a frame whose growth rate is known. */
static size_t collect(const ng_trajectories *t, size_t frame, flux_scratch *s)
{
    size_t count = 0;
    for (size_t i = s->members.first[frame]; i < s->members.first[frame + 1]; i++) {
        size_t k = s->members.point[i];
        if (t->n[k] >= RATE_N_MIN && isfinite(t->growth_per_s[k])) {
            s->n[count] = t->n[k];
            s->growth[count] = t->growth_per_s[k];
            s->weight[count] = 1.0;
            count++;
        }
    }
    return count;
}

/* Density and flux at size index i of the sample. */
static void spread(const flux_scratch *s, size_t particles, double h, flux_sample *out, size_t i)
{
    double ln = log(out->n[i]), p = 0.0, slope = 0.0, flux = 0.0;
    for (size_t j = 0; j < particles; j++) {
        double z = (ln - log(s->n[j])) / h;
        if (fabs(z) < SUPPORT) {
            double k = exp(-0.5 * z * z);
            p += k;
            slope -= k * z / h;
            /* a particle's rate in ln n, turned back at the size where it is counted */
            flux += k * s->growth[j] / s->n[j];
        }
    }
    double norm = 1.0 / (sqrt(2.0 * M_PI) * h * (double)particles);
    out->p[i] = p * norm / out->n[i];
    out->score[i] = p > 0.0 ? (slope / p - 1.0) / out->n[i] : 0.0;
    out->flux[i] = flux * norm;
}

/* @return false when the frame holds too few different sizes. */
static bool sample_flux(const ng_trajectories *t, size_t frame, flux_scratch *s, flux_sample *out)
{
    size_t particles = collect(t, frame, s);
    if (particles < 5) {
        return false;
    }
    double h = ng_density_bandwidth(s->n, s->weight, particles, s->sorted);
    for (size_t i = 0; i < particles; i++) {
        s->sorted[i] = s->n[i];
    }
    qsort(s->sorted, particles, sizeof *s->sorted, ng_fit_compare_doubles);
    double low = log(fmax(s->sorted[0], RATE_N_MIN)), high = log(s->sorted[particles - 1]);
    if (!(h > 0.0) || !(high > low)) {
        return false;
    }
    out->count = PROFILE_SIZES;
    for (size_t i = 0; i < PROFILE_SIZES; i++) {
        out->n[i] = exp(low + (high - low) * (double)i / (PROFILE_SIZES - 1));
        spread(s, particles, h, out, i);
    }
    return true;
}

/* Rates of the fitted law at the sample's sizes; the flux J_n lies between n and n+1. */
static void model_flux(const ng_rate_problem *p, size_t slot, flux_sample *s)
{
    double delta = p->data.nodes->delta[p->delta_index[slot]];
    for (size_t i = 0; i < s->count; i++) {
        double n = fmax(s->n[i] - 0.5, RATE_N_MIN);
        double rate = ng_attachment_rate(&p->parameters, delta, p->data.sigma_s_nm, n);
        s->attach[i] = rate * s->p[i] * (1.0 - 0.5 * s->score[i]);
        s->detach[i] = rate * s->p[i] * (1.0 + 0.5 * s->score[i]);
    }
}

static double model_at(const ng_rate_problem *p, size_t slot, const flux_sample *s, size_t i)
{
    double delta = p->data.nodes->delta[p->delta_index[slot]];
    double mu = ng_potential(&p->parameters, delta, fmax(s->n[i] - 0.5, RATE_N_MIN));
    return p->supersaturation[slot] * s->attach[i] - s->detach[i] * exp(mu);
}

/* Mean squared misfit over the squared range of the data, as the published cost of a frame. */
static double frame_cost(const ng_rate_problem *p, size_t slot, const flux_sample *s)
{
    double low = (double)INFINITY, high = -(double)INFINITY, sum = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        double r = s->flux[i] - model_at(p, slot, s, i);
        low = fmin(low, s->flux[i]);
        high = fmax(high, s->flux[i]);
        sum += r * r;
    }
    return high > low ? sum / (double)s->count / ((high - low) * (high - low)) : 0.0;
}

/* ---- profiles ---------------------------------------------------------------------------- */

static ng_status profile_create(size_t count, ng_growth_profile *out, ng_error *err)
{
    out->n = NG_NEW(double, 4 * count);
    if (!out->n) {
        return NG_FAIL(err, NG_MEMORY, "growth fit: no memory for a profile of %zu sizes", count);
    }
    out->count = count;
    out->p = out->n + count;
    out->flux_data_per_s = out->n + 2 * count;
    out->flux_model_per_s = out->n + 3 * count;
    return NG_OK;
}

static ng_status profile_particles(const ng_rate_problem *p, size_t slot, const flux_sample *s,
                                   ng_growth_profile *out, ng_error *err)
{
    ng_status status = profile_create(s->count, out, err);
    for (size_t i = 0; status == NG_OK && i < s->count; i++) {
        out->n[i] = s->n[i];
        out->p[i] = s->p[i];
        out->flux_data_per_s[i] = s->flux[i];
        out->flux_model_per_s[i] = model_at(p, slot, s, i);
    }
    return status;
}

/* The rows that were fitted, thinned: J_n/N = d psi/dt + psi g against S k^a p - k^d p. */
static ng_status profile_psi_flux(ng_rate_problem *p, size_t slot, double *model,
                                  ng_growth_profile *out, ng_error *err)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[slot];
    size_t window = f->window_end - f->window_begin, left = f->window_begin - f->begin;
    size_t count = window < 2 * PROFILE_SIZES ? window : 2 * PROFILE_SIZES;
    ng_status status = profile_create(count, out, err);
    if (status != NG_OK) {
        return status;
    }
    double total = 0.0;
    ng_rate_model_rows(p, slot, model);
    for (size_t i = 0; i < f->end - f->begin; i++) {
        total += model[i];
    }
    for (size_t j = 0; j < count; j++) {
        size_t i = left + j * (window - 1) / (count > 1 ? count - 1 : 1);
        out->n[j] = d->nodes->n[d->first_node[slot] + i];
        out->p[j] = d->attach[f->begin + i];
        out->flux_data_per_s[j] = d->y[f->begin + i] + d->psi[f->begin + i] * f->psi_scale * total;
        out->flux_model_per_s[j] = model[i];
    }
    return NG_OK;
}

/* ---- reconstructed potential ------------------------------------------------------------- */

typedef struct reconstruction {
    double n[RECONSTRUCTED];
    double supply[RECONSTRUCTED], loss[RECONSTRUCTED]; /* sums of S a - flux and of d */
    double sum[RECONSTRUCTED], square[RECONSTRUCTED];  /* of ln of their ratio, frame by frame */
    size_t frames[RECONSTRUCTED];
} reconstruction;

static void reconstruction_sizes(const ng_trajectories *t, reconstruction *r)
{
    double low = (double)INFINITY, high = 0.0;
    for (size_t k = 0; k < t->n_points; k++) {
        if (t->n[k] >= RATE_N_MIN) {
            low = fmin(low, t->n[k]);
            high = fmax(high, t->n[k]);
        }
    }
    for (size_t i = 0; i < RECONSTRUCTED; i++) {
        r->n[i] = low * pow(high / low, (double)i / (RECONSTRUCTED - 1));
    }
}

/* Solve the flux of one frame for exp(mu) at the sizes that its particles cover well. */
static void reconstruct_frame(const ng_rate_problem *p, size_t slot, const flux_sample *s,
                              const double *sorted, size_t particles, reconstruction *r)
{
    double low = ng_fit_percentile(sorted, particles, CENTRAL_SHARE);
    double high = ng_fit_percentile(sorted, particles, 1.0 - CENTRAL_SHARE);
    double first = log(s->n[0]), step = log(s->n[s->count - 1] / s->n[0]) / (double)(s->count - 1);
    for (size_t i = 0; i < RECONSTRUCTED; i++) {
        if (r->n[i] < low || r->n[i] > high) {
            continue;
        }
        size_t j =
            (size_t)fmin(fmax(round((log(r->n[i]) - first) / step), 0.0), (double)(s->count - 1));
        double supply = p->supersaturation[slot] * s->attach[j] - s->flux[j];
        r->supply[i] += supply;
        r->loss[i] += s->detach[j];
        if (supply > 0.0) {
            double mu = log(supply / s->detach[j]);
            r->sum[i] += mu;
            r->square[i] += mu * mu;
            r->frames[i]++;
        }
    }
}

static ng_status keep_reconstruction(const reconstruction *r, ng_growth_fit *fit, ng_error *err)
{
    fit->reconstructed_n = NG_NEW(double, 3 * RECONSTRUCTED);
    fit->reconstructed_frames = NG_NEW(size_t, RECONSTRUCTED);
    if (!fit->reconstructed_n || !fit->reconstructed_frames) {
        return NG_FAIL(err, NG_MEMORY, "growth fit: no memory for %d sizes", RECONSTRUCTED);
    }
    fit->reconstructed_kT = fit->reconstructed_n + RECONSTRUCTED;
    fit->reconstructed_sd_kT = fit->reconstructed_n + 2 * RECONSTRUCTED;
    for (size_t i = 0; i < RECONSTRUCTED; i++) {
        double count = (double)r->frames[i];
        if (r->frames[i] < 3 || !(r->supply[i] > 0.0)) {
            continue;
        }
        size_t to = fit->n_reconstructed++;
        double mean = r->sum[i] / count;
        fit->reconstructed_n[to] = r->n[i];
        fit->reconstructed_kT[to] = log(r->supply[i] / r->loss[i]);
        fit->reconstructed_sd_kT[to] = sqrt(fmax(r->square[i] / count - mean * mean, 0.0));
        fit->reconstructed_frames[to] = r->frames[i];
    }
    return NG_OK;
}

/* ---- the cost in the published normalisation ------------------------------------------------ */

static ng_status particle_flux_cost(ng_rate_problem *p, const ng_trajectories *t, double *cost,
                                    ng_error *err)
{
    flux_scratch s = {0};
    flux_sample sample;
    double sum = 0.0;
    size_t used = 0;
    ng_status status = flux_scratch_create(t, &s, err);
    for (size_t slot = 0; status == NG_OK && slot < p->data.n_frames; slot++) {
        if (sample_flux(t, p->data.frame[slot].frame, &s, &sample)) {
            model_flux(p, slot, &sample);
            sum += frame_cost(p, slot, &sample);
            used++;
        }
    }
    *cost = used > 0 ? sum / (double)used : 0.0;
    flux_scratch_free(&s);
    return status;
}

ng_status ng_growth_flux_cost(ng_rate_problem *p, const ng_trajectories *t,
                              const ng_rate_cost *evaluated, double *cost, ng_error *err)
{
    *cost = evaluated->growth_rate; /* the psi-flux has it already */
    return p->data.psi_flux ? NG_OK : particle_flux_cost(p, t, cost, err);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Frames of the profiles: evenly over the run, ends left out. */
static bool is_profile_frame(size_t slot, size_t n_frames, size_t next)
{
    size_t wanted = n_frames <= PROFILES ? next : (2 * next + 1) * n_frames / (2 * PROFILES);
    return next < PROFILES && slot == wanted;
}

ng_status ng_growth_profiles(ng_rate_problem *p, const ng_trajectories *t, ng_growth_fit *fit,
                             ng_error *err)
{
    flux_scratch s = {0};
    flux_sample sample;
    reconstruction r = {0};
    size_t next = 0;
    double *model = NG_NEW(double, p->data.max_rows + 1);
    fit->profile = NG_NEW(ng_growth_profile, PROFILES);
    ng_status status = flux_scratch_create(t, &s, err);
    if (status == NG_OK && (!model || !fit->profile)) {
        status = NG_FAIL(err, NG_MEMORY, "growth fit: no memory for profiles");
    }
    reconstruction_sizes(t, &r);
    for (size_t slot = 0; status == NG_OK && slot < fit->n_frames; slot++) {
        bool shown = is_profile_frame(slot, fit->n_frames, next);
        next += shown;
        if (!sample_flux(t, fit->frame[slot], &s, &sample)) {
            continue;
        }
        model_flux(p, slot, &sample);
        reconstruct_frame(p, slot, &sample, s.sorted, collect(t, fit->frame[slot], &s), &r);
        if (shown) {
            ng_growth_profile *out = &fit->profile[fit->n_profiles++];
            out->time_s = fit->time_s[slot];
            out->supersaturation = fit->supersaturation[slot];
            out->delta = fit->delta[slot];
            status = p->data.psi_flux ? profile_psi_flux(p, slot, model, out, err)
                                      : profile_particles(p, slot, &sample, out, err);
        }
    }
    if (status == NG_OK) {
        status = keep_reconstruction(&r, fit, err);
    }
    flux_scratch_free(&s);
    ng_free(model);
    return status;
}
