/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of the published estimator: how fast the survival function psi_n moves at every integer
 * size, d psi_{n+1}/dt = S k_n^a p_n - k_{n+1}^d p_{n+1} - psi_{n+1} g,   g = dlnN/dt, with g taken
 * from the mean equation, g = (S <k^a> - <k^d> - d<n>/dt) / (<n> - 1).
 */
#include "fit_internal.h"

#include <math.h>

#define MIN_SIZES 10 /* a window with fewer sizes says nothing */

/* Distribution of every frame over its own sizes lo..hi. */
typedef struct distributions {
    size_t n_frames;
    long *lo, *hi;
    size_t *offset; /* of a frame's first size in p and psi */
    double *p, *psi;
    bool *usable;
    double *mean, *variance, *dmean_dt;
} distributions;

static void distributions_free(distributions *d)
{
    ng_free(d->lo);
    ng_free(d->hi);
    ng_free(d->offset);
    ng_free(d->p);
    ng_free(d->psi);
    ng_free(d->usable);
    ng_free(d->mean);
    ng_free(d->variance);
    ng_free(d->dmean_dt);
}

/* Sizes, mean, variance and mean growth rate of one frame. */
static void frame_statistics(const ng_trajectories *t, const rate_members *m, size_t f,
                             distributions *d)
{
    double sum = 0.0, s1 = 0.0, s2 = 0.0, growing = 0.0, growth = 0.0;
    double lo = (double)INFINITY, hi = -(double)INFINITY;
    for (size_t i = m->first[f]; i < m->first[f + 1]; i++) {
        double n = t->n[m->point[i]], v = t->growth_per_s[m->point[i]], w = m->weight[i];
        sum += w;
        s1 += w * n;
        growing += isfinite(v) ? w : 0.0;
        growth += isfinite(v) ? w * v : 0.0;
        lo = fmin(lo, n);
        hi = fmax(hi, n);
    }
    d->mean[f] = s1 / sum;
    for (size_t i = m->first[f]; i < m->first[f + 1]; i++) {
        double dn = t->n[m->point[i]] - d->mean[f];
        s2 += m->weight[i] * dn * dn;
    }
    d->variance[f] = s2 / sum;
    d->dmean_dt[f] = growing > 0.0 ? growth / growing : (double)NAN;
    d->usable[f] = sum > 0.0 && hi > lo;
    d->lo[f] = d->usable[f] ? (long)lo : 0;
    d->hi[f] = d->usable[f] ? (long)hi : -1;
}

/* Gaussian over `window` frames, cut and renormalised at the ends; s.d. = window/5. */
static void smooth_series(double *x, size_t n, long window, double *scratch)
{
    long before = window / 2, after = window % 2 == 0 ? window / 2 - 1 : window / 2;
    double sd = (double)window / 5.0;
    for (long i = 0; i < (long)n; i++) {
        double sum = 0.0, norm = 0.0;
        for (long j = i - before; j <= i + after; j++) {
            if (j >= 0 && j < (long)n && isfinite(x[j])) {
                double w = exp(-0.5 * (double)((j - i) * (j - i)) / (sd * sd));
                sum += w * x[j];
                norm += w;
            }
        }
        scratch[i] = sum / norm;
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = scratch[i];
    }
}

static ng_status smooth_moments(distributions *d, long window, double frame_s, ng_error *err)
{
    if (window <= 1) {
        return NG_OK;
    }
    double *scratch = NG_NEW(double, d->n_frames);
    if (!scratch) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu frames", d->n_frames);
    }
    smooth_series(d->mean, d->n_frames, window, scratch);
    smooth_series(d->variance, d->n_frames, window, scratch);
    ng_status status = ng_spline_slopes(d->mean, d->n_frames, frame_s, d->dmean_dt, err);
    ng_free(scratch);
    return status;
}

static ng_status estimate_densities(const ng_trajectories *t, const rate_members *m,
                                    distributions *d, ng_error *err)
{
    size_t total = 0;
    for (size_t f = 0; f < d->n_frames; f++) {
        d->offset[f] = total;
        total += (size_t)(d->hi[f] - d->lo[f] + 1);
    }
    if (total > 200000000u) {
        return NG_FAIL(err, NG_INVALID,
                       "preset published tabulates every size in every frame: %zu sizes are too "
                       "many; use the default preset or check the calibration",
                       total);
    }
    double *n = NG_NEW(double, m->most);
    d->p = NG_NEW(double, total);
    d->psi = NG_NEW(double, total);
    if (!n || !d->p || !d->psi) {
        ng_free(n);
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu sizes", total);
    }
    for (size_t f = 0; f < d->n_frames; f++) {
        size_t count = m->first[f + 1] - m->first[f];
        for (size_t i = 0; i < count; i++) {
            n[i] = t->n[m->point[m->first[f] + i]];
        }
        d->usable[f] = d->usable[f] &&
                       ng_density_published(n, m->weight + m->first[f], count, d->lo[f], d->hi[f],
                                            d->p + d->offset[f], d->psi + d->offset[f]);
    }
    ng_free(n);
    return NG_OK;
}

static ng_status distributions_create(const ng_trajectories *t, const rate_members *m,
                                      const ng_growth_fit_options *o, distributions *d,
                                      ng_error *err)
{
    size_t n = t->n_frames;
    *d = (distributions){.n_frames = n};
    d->lo = NG_NEW(long, n);
    d->hi = NG_NEW(long, n);
    d->offset = NG_NEW(size_t, n);
    d->usable = NG_NEW(bool, n);
    d->mean = NG_NEW(double, n);
    d->variance = NG_NEW(double, n);
    d->dmean_dt = NG_NEW(double, n);
    if (!d->lo || !d->hi || !d->offset || !d->usable || !d->mean || !d->variance || !d->dmean_dt) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu frames", n);
    }
    for (size_t f = 0; f < n; f++) {
        frame_statistics(t, m, f, d);
    }
    ng_status status = smooth_moments(d, o->series_window, t->frame_s, err);
    return status == NG_OK ? estimate_densities(t, m, d, err) : status;
}

/* d psi/dt at a frame: the cubic through frames -1..2, shorter at the ends. */
typedef struct stencil {
    int first, last;
    double weight[4]; /* of frames first..last, times the frame interval */
} stencil;

static stencil time_stencil(size_t f, size_t n)
{
    if (f == 0) {
        return (stencil){0, 1, {-1.0, 1.0}};
    }
    if (f + 1 == n) {
        return (stencil){-1, 0, {-1.0, 1.0}};
    }
    if (f + 2 == n) {
        return (stencil){-1, 1, {-0.5, 0.0, 0.5}};
    }
    return (stencil){-1, 2, {-1.0 / 3.0, -0.5, 1.0, -1.0 / 6.0}};
}

/* Sizes n of J_n at which all frames of the stencil have a distribution, trimmed at both ends. */
static bool frame_window(const distributions *d, size_t f, long trim, long *first, long *last)
{
    stencil s = time_stencil(f, d->n_frames);
    long lo = d->lo[f], hi = d->hi[f];
    bool usable = isfinite(d->dmean_dt[f]) && d->mean[f] > 1.0;
    for (int o = s.first; o <= s.last; o++) {
        size_t g = (size_t)((long)f + o);
        usable = usable && d->usable[g];
        lo = d->lo[g] > lo ? d->lo[g] : lo;
        hi = d->hi[g] < hi ? d->hi[g] : hi;
    }
    *first = lo - 1 + trim;
    *last = hi - 1 - trim;
    if (*first < RATE_N_MIN) {
        *first = RATE_N_MIN;
    }
    return usable && *last - *first + 1 >= MIN_SIZES;
}

static double mean_of(const distributions *d, size_t f)
{
    double sum = 0.0;
    for (long n = d->lo[f]; n <= d->hi[f]; n++) {
        sum += (double)n * d->p[d->offset[f] + (size_t)(n - d->lo[f])];
    }
    return sum;
}

/* p_n over the frame's sizes; those below RATE_N_MIN take no part. The first row's is 0, so that
 * the row before it, the last of the frame before, has no p_{n+1}. */
static void fill_density(const distributions *d, rate_data *out, rate_frame *row, long first)
{
    size_t f = row->frame;
    const double *p = d->p + d->offset[f];
    for (size_t i = row->begin; i < row->end; i++) {
        long n = first + (long)(i - row->begin);
        out->attach[i] = n >= d->lo[f] && n >= RATE_N_MIN ? p[n - d->lo[f]] : 0.0;
    }
}

/* d psi/dt, psi and their sums over the window. */
static void fill_window(const distributions *d, rate_data *out, rate_frame *row, long first,
                        double frame_s)
{
    stencil s = time_stencil(row->frame, d->n_frames);
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = row->window_begin; i < row->window_end; i++) {
        long n = first + (long)(i - row->begin);
        double slope = 0.0;
        for (int o = s.first; o <= s.last; o++) {
            size_t g = (size_t)((long)row->frame + o);
            slope += s.weight[o - s.first] * d->psi[d->offset[g] + (size_t)(n + 1 - d->lo[g])];
        }
        slope /= frame_s;
        low = fmin(low, slope);
        high = fmax(high, slope);
        out->psi[i] = d->psi[d->offset[row->frame] + (size_t)(n + 1 - d->lo[row->frame])];
        out->y[i] = slope - out->psi[i] * d->dmean_dt[row->frame] * row->psi_scale;
        row->yy += out->y[i] * out->y[i];
        row->ypsi += out->y[i] * out->psi[i];
        row->psipsi += out->psi[i] * out->psi[i];
    }
    double count = (double)(row->window_end - row->window_begin), range = high - low;
    row->scale /= count * range * range;
}

static void fill_frame(const ng_trajectories *t, const distributions *d, rate_data *out,
                       rate_frame *row, size_t index)
{
    size_t f = row->frame;
    long first = (d->lo[f] > RATE_N_MIN ? d->lo[f] : RATE_N_MIN) - 1;
    double growth = d->mean[f] - 1.0;
    out->first_node[index] = (size_t)(first - 1);
    row->time_s = t->time_s[f];
    row->mean = d->mean[f];
    row->variance = d->variance[f];
    row->psi_scale = 1.0 / growth;
    row->variance_growth = (growth * growth - d->variance[f]) / growth;
    row->variance_observed = d->dmean_dt[f] * row->variance_growth;
    row->lever_scale = 2.0;
    row->lever_offset = 1.0 - 2.0 * mean_of(d, f);
    fill_density(d, out, row, first);
    fill_window(d, out, row, first, t->frame_s);
}

/* Where each usable frame's rows will lie. */
static size_t lay_out(const distributions *d, long trim, rate_data *out)
{
    size_t rows = 0;
    for (size_t f = 0; f < d->n_frames; f++) {
        long first = 0, last = 0;
        if (!frame_window(d, f, trim, &first, &last)) {
            continue;
        }
        long bottom = (d->lo[f] > RATE_N_MIN ? d->lo[f] : RATE_N_MIN) - 1;
        rate_frame *row = &out->frame[out->n_frames++];
        row->frame = f;
        row->begin = rows;
        row->end = rows + (size_t)(d->hi[f] - bottom + 1);
        row->window_begin = rows + (size_t)(first - bottom);
        row->window_end = rows + (size_t)(last - bottom + 1);
        out->n_residuals += row->window_end - row->window_begin;
        out->max_rows =
            row->end - row->begin > out->max_rows ? row->end - row->begin : out->max_rows;
        rows = row->end;
    }
    return rows;
}

static void variance_scale(const ng_growth_fit_options *o, rate_data *out)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < out->n_frames; i++) {
        low = fmin(low, out->frame[i].variance);
        high = fmax(high, out->frame[i].variance);
    }
    out->variance_range = high > low ? high - low : 1.0;
    out->variance_scale = o->variance_scale;
}

ng_status ng_rate_data_psi_flux(const ng_trajectories *t, const double *weight,
                                const ng_growth_fit_options *o, const rate_nodes *nodes,
                                rate_data *out, ng_error *err)
{
    ng_status status = NG_OK;
    distributions d = {0};
    rate_members m = {0};
    *out = (rate_data){.nodes = nodes, .sigma_s_nm = t->sigma_s_nm, .psi_flux = true};

    status = ng_rate_members_create(t, weight, &m, err);
    if (status != NG_OK) {
        goto out;
    }
    status = distributions_create(t, &m, o, &d, err);
    if (status != NG_OK) {
        goto out;
    }
    out->frame = NG_NEW(rate_frame, t->n_frames);
    if (!out->frame) {
        status = NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu frames", t->n_frames);
        goto out;
    }
    size_t rows = lay_out(&d, o->size_trim, out);
    if (out->n_frames < RATE_MIN_FRAMES) {
        status = NG_FAIL(err, NG_TOO_LITTLE,
                         "%zu frames have a window of sizes left after trimming %ld at each end: "
                         "the sizes differ too little; lower --size-trim%s",
                         out->n_frames, o->size_trim,
                         o->samples != NULL ? "" : ", or use the default preset");
        goto out;
    }
    status = ng_rate_data_alloc(out, out->n_frames, rows, err);
    if (status != NG_OK) {
        goto out;
    }
    for (size_t i = 0; i < out->n_frames; i++) {
        out->frame[i].scale = ng_rate_frame_weight(o, i, out->n_frames) / (double)out->n_frames;
        fill_frame(t, &d, out, &out->frame[i], i);
    }
    variance_scale(o, out);

out:
    if (status != NG_OK) {
        ng_rate_data_free(out);
    }
    distributions_free(&d);
    ng_rate_members_free(&m);
    return status;
}
