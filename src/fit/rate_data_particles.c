/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of the default estimator: each particle's own growth rate. Dividing the flux at size n by
 * the density there, what a particle of size n is expected to do between two frames is J_n / (N p)
 * = S k^a (1 - s/2) - k^d (1 + s/2),  s = d ln p / dn: the drift, and through the slope of the
 * density the correlation between a particle's size and the chance steps that brought it there.
 * Least squares over particles with the variance of a measured rate as weight is the flux residual
 * weighted by 1/p: no size is binned or trimmed. What noise does to sizes and rates on average is
 * taken out of them, see remove_noise.
 */
#include "fit_internal.h"

#include <gsl/gsl_math.h>
#include <math.h>
#include <stdlib.h>

#define EDGE 3              /* smoothing is poor within this many frames of a trajectory's end */
#define MIN_PARTICLES 3     /* in a frame: two numbers are fitted to it on the way */
#define SCORE_BANDWIDTH 1.5 /* times Silverman's: slopes need more smoothing than densities */
#define CHI_SQUARE_MEDIAN 0.45494 /* of one degree of freedom */
#define OUTLIER 3.0   /* standard deviations beyond which a rate counts as one this far out */
#define SCORE_MAX 0.5 /* |s| beyond this (per monomer) is noise */

/* The particles of one frame that take part. */
typedef struct frame_sample {
    size_t count;
    double *n, *growth, *weight, *p, *score, *scratch;
    ng_smoothed_noise *noise; /* owned */
} frame_sample;

static void sample_frame(const ng_trajectories *t, const rate_members *m, size_t f, frame_sample *s)
{
    size_t edge = t->noise_gain < 1.0 ? EDGE : 0;
    s->count = 0;
    for (size_t i = m->first[f]; i < m->first[f + 1]; i++) {
        size_t k = m->point[i];
        bool is_inside = m->before[i] >= edge && m->after[i] >= edge;
        if (t->n[k] >= RATE_N_MIN && isfinite(t->growth_per_s[k]) && is_inside) {
            s->noise[s->count] = ng_trajectories_noise_at(t, m->before[i], m->after[i]);
            s->n[s->count] = t->n[k];
            s->growth[s->count] = t->growth_per_s[k];
            s->weight[s->count] = m->weight[i];
            s->count++;
        }
    }
}

static ng_status sample_create(size_t most, frame_sample *s, ng_error *err)
{
    double *memory = NG_NEW(double, 7 * most + 1);
    ng_smoothed_noise *noise = NG_NEW(ng_smoothed_noise, most + 1);
    if (!memory || !noise) {
        ng_free(memory);
        ng_free(noise);
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu particles", most);
    }
    *s = (frame_sample){.n = memory,
                        .growth = memory + most,
                        .weight = memory + 2 * most,
                        .p = memory + 3 * most,
                        .score = memory + 4 * most,
                        .scratch = memory + 5 * most,
                        .noise = noise};
    return NG_OK;
}

/* Squared misfit of each particle's rate from the frame's straight line in n, into s->scratch. */
static void line_residuals(frame_sample *s)
{
    double w = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        w += s->weight[i];
        x += s->weight[i] * s->n[i];
        y += s->weight[i] * s->growth[i];
    }
    x /= w;
    y /= w;
    for (size_t i = 0; i < s->count; i++) {
        xx += s->weight[i] * (s->n[i] - x) * (s->n[i] - x);
        xy += s->weight[i] * (s->n[i] - x) * (s->growth[i] - y);
    }
    double slope = xx > 0.0 ? xy / xx : 0.0;
    for (size_t i = 0; i < s->count; i++) {
        double r = s->growth[i] - y - slope * (s->n[i] - x);
        s->scratch[i] = r * r;
    }
}

/* Variance of a measured growth rate: scale * n^power, over all frames. */
typedef struct rate_variance {
    double scale, power;
} rate_variance;

/* Straight-line fit sums of ln r^2 against ln n. */
typedef struct line_sums {
    double w, x, y, xx, xy;
} line_sums;

static void add_to_line(const frame_sample *s, line_sums *l)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->scratch[i] > 0.0) {
            double x = log(s->n[i]), y = log(s->scratch[i]), w = s->weight[i];
            l->w += w;
            l->x += w * x;
            l->y += w * y;
            l->xx += w * x * x;
            l->xy += w * x * y;
        }
    }
}

static double line_slope(const line_sums *l)
{
    double spread = l->w * l->xx - l->x * l->x;
    return spread > 1e-9 * l->w * l->w ? (l->w * l->xy - l->x * l->y) / spread : 0.0;
}

/* The power from ln r^2 against ln n over all frames; the scale from the median of r^2 n^-power,
 * which a few wrong links in the tracks do not move. */
static ng_status growth_variance(const ng_trajectories *t, const rate_members *m, frame_sample *s,
                                 rate_variance *out, ng_error *err)
{
    line_sums line = {0};
    size_t count = 0;
    double *r = NG_NEW(double, t->n_points);
    *out = (rate_variance){1.0, 0.0};
    if (!r) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu points", t->n_points);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t f = 0; f < t->n_frames; f++) {
            sample_frame(t, m, f, s);
            if (s->count < MIN_PARTICLES) {
                continue;
            }
            line_residuals(s);
            if (pass == 0) {
                add_to_line(s, &line);
                continue;
            }
            for (size_t i = 0; i < s->count; i++) {
                r[count++] = s->scratch[i] * pow(s->n[i], -out->power);
            }
        }
        out->power = fmin(fmax(line_slope(&line), -1.0), 3.0);
    }
    qsort(r, count, sizeof *r, ng_fit_compare_doubles);
    double median = count > 0 ? ng_fit_percentile(r, count, 0.5) : 0.0;
    out->scale = median > 0.0 ? median / CHI_SQUARE_MEDIAN : 1.0;
    ng_free(r);
    return NG_OK;
}

/* Density slope at each particle; 0 where the frame is too small to tell. */
static void score_frame(frame_sample *s)
{
    double h = SCORE_BANDWIDTH * ng_density_bandwidth(s->n, s->weight, s->count, s->scratch);
    if (!(h > 0.0)) {
        for (size_t i = 0; i < s->count; i++) {
            s->score[i] = 0.0;
        }
        return;
    }
    ng_density_at_points(s->n, s->weight, s->count, h, s->p, s->score);
    for (size_t i = 0; i < s->count; i++) {
        s->score[i] = fmin(fmax(s->score[i], -SCORE_MAX), SCORE_MAX);
    }
}

static void frame_moments(const frame_sample *s, rate_frame *row, double *number)
{
    double w = 0.0, x = 0.0, xx = 0.0;
    for (size_t i = 0; i < s->count; i++) {
        w += s->weight[i];
        x += s->weight[i] * s->n[i];
    }
    for (size_t i = 0; i < s->count; i++) {
        xx += s->weight[i] * (s->n[i] - x / w) * (s->n[i] - x / w);
    }
    row->mean = x / w;
    row->variance = xx / w;
    *number = w;
}

/* Huber's weight of a squared residual from the frame's line. */
static double outlier_share(double square, double variance)
{
    double z = sqrt(square / variance);
    return z > OUTLIER ? OUTLIER / z : 1.0;
}

/* Time between frame f and its neighbours, where there are two. */
static double step_s(const ng_trajectories *t, size_t f)
{
    bool is_inside = f > 0 && f + 1 < t->n_frames;
    return is_inside ? 0.5 * (t->time_s[f + 1] - t->time_s[f - 1]) : t->frame_s;
}

/*
 * Expected true size and true growth rate of particle i of frame f. Noise of variance w(n)
 * scatters particles from where there are many to where there are few. With q = d ln(w p)/dn a
 * size is off by -gain w q on average (Tweedie's formula; Efron, J. Am. Stat. Assoc. 106, 1602
 * (2011)), and a rate whose noise goes with that of the size, near the ends of a trajectory, by
 * -cross w q per frame.
 * Areas are measured without bias, so that n ~ area^(3/2) is too large by w/6n on average.
 */
static void remove_noise(const ng_trajectories *t, const frame_sample *s, size_t f, size_t i,
                         double *n, double *growth)
{
    double seen = s->n[i], w = gsl_pow_2(t->noise_scale * pow(seen, t->noise_power));
    double q = s->score[i] + 2.0 * t->noise_power / seen;
    double size = seen + w * (s->noise[i].gain * q - 1.0 / (6.0 * seen));
    *n = fmin(fmax(size, 0.5 * seen), 2.0 * seen);
    *growth = s->growth[i] + w * s->noise[i].cross * q / step_s(t, f);
}

static void fill_frame(const ng_trajectories *t, const frame_sample *s, rate_variance v,
                       rate_data *out, rate_frame *row)
{
    double number, n, growth;
    frame_moments(s, row, &number);
    row->lever_scale = 1.0;
    for (size_t i = 0; i < s->count; i++) {
        size_t at = row->begin + i;
        remove_noise(t, s, row->frame, i, &n, &growth);
        double variance = v.scale * pow(s->n[i], v.power);
        double root = sqrt(s->weight[i] / variance * outlier_share(s->scratch[i], variance));
        /* a flux J_n lies between n and n+1 */
        out->node[at] = ng_rate_nodes_find(out->nodes, fmax(n - 0.5, RATE_N_MIN));
        out->attach[at] = root * (1.0 - 0.5 * s->score[i]);
        out->detach[at] = root * (1.0 + 0.5 * s->score[i]);
        out->y[at] = root * growth;
        out->mean_lever[at] = s->weight[i] / (number * root);
        out->lever[at] = 2.0 * (s->n[i] - row->mean) * out->mean_lever[at];
        row->yy += out->y[at] * out->y[at];
        row->variance_observed += out->lever[at] * out->y[at];
        row->mean_observed += out->mean_lever[at] * out->y[at];
    }
}

static ng_status lay_out(const ng_trajectories *t, const rate_members *m, frame_sample *s,
                         rate_data *out, ng_error *err)
{
    size_t rows = 0;
    out->frame = NG_NEW(rate_frame, t->n_frames);
    if (!out->frame) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu frames", t->n_frames);
    }
    for (size_t f = 0; f < t->n_frames; f++) {
        sample_frame(t, m, f, s);
        if (s->count < MIN_PARTICLES) {
            continue;
        }
        rate_frame *row = &out->frame[out->n_frames++];
        row->frame = f;
        row->time_s = t->time_s[f];
        row->begin = row->window_begin = rows;
        row->end = row->window_end = rows + s->count;
        out->max_rows = s->count > out->max_rows ? s->count : out->max_rows;
        rows += s->count;
    }
    if (out->n_frames < RATE_MIN_FRAMES) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "%zu frames hold %d or more growing particles of %d monomers or more; a fit "
                       "needs at least %d (longer tracks, or --no-smooth)",
                       out->n_frames, MIN_PARTICLES, RATE_N_MIN, RATE_MIN_FRAMES);
    }
    out->n_residuals = rows;
    return ng_rate_data_alloc(out, out->n_frames, rows, err);
}

static void normalise(const ng_growth_fit_options *o, rate_data *out)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < out->n_frames; i++) {
        rate_frame *row = &out->frame[i];
        row->scale = ng_rate_frame_weight(o, i, out->n_frames) / (double)out->n_residuals;
        low = fmin(low, row->variance);
        high = fmax(high, row->variance);
    }
    out->variance_range = high > low ? high - low : 1.0;
    out->variance_scale = 1.0;
}

ng_status ng_rate_data_particles(const ng_trajectories *t, const double *weight,
                                 const ng_growth_fit_options *o, const rate_nodes *nodes,
                                 rate_data *out, ng_error *err)
{
    ng_status status = NG_OK;
    rate_members m = {0};
    frame_sample s = {0};
    *out = (rate_data){.nodes = nodes, .sigma_s_nm = t->sigma_s_nm};

    status = ng_rate_members_create(t, weight, &m, err);
    if (status != NG_OK) {
        goto out;
    }
    status = sample_create(m.most, &s, err);
    if (status != NG_OK) {
        goto out;
    }
    rate_variance v;
    status = growth_variance(t, &m, &s, &v, err);
    if (status == NG_OK) {
        status = lay_out(t, &m, &s, out, err);
    }
    if (status != NG_OK) {
        goto out;
    }
    for (size_t i = 0; i < out->n_frames; i++) {
        sample_frame(t, &m, out->frame[i].frame, &s);
        score_frame(&s);
        line_residuals(&s);
        fill_frame(t, &s, v, out, &out->frame[i]);
    }
    normalise(o, out);

out:
    if (status != NG_OK) {
        ng_rate_data_free(out);
    }
    ng_free(s.n);
    ng_free(s.noise);
    ng_rate_members_free(&m);
    return status;
}
