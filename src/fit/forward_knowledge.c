/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How well the parameters are known. The sizes of one particle all carry the same early error, so
 * their likelihood, as if independent, overstates what they say: the scores of whole particles tell
 * by how much (Godambe's sandwich).
 */
#include "forward_internal.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#define EDGE 1e-6              /* of the range: nearer to a bound is at it */
#define LEAST_EIGENVALUE 1e-11 /* of the largest, in scaled parameters: below is rounding */
#define LEAST_SHARE 0.25       /* particles left over after each parameter took one, at least */

void ng_forward_knowledge_free(forward_knowledge *k)
{
    ng_free(k->naive);
    ng_free(k->robust);
    ng_free(k->eigenvalue);
    *k = (forward_knowledge){0};
}

static void find_free(const forward_layout *l, const forward_result *r, const double *x,
                      forward_knowledge *k)
{
    k->n = 0;
    for (size_t i = 0; i < l->n; i++) {
        double edge = EDGE * (l->upper[i] - l->lower[i]);
        bool inside = x[i] > l->lower[i] + edge && x[i] < l->upper[i] - edge;
        k->calibration[i] = 1.0;
        if (inside && !l->fixed[i] && r->information[i * l->n + i] > 0.0) {
            k->index[k->n++] = i;
        }
    }
}

/* Inverse of the information. It is scaled to a unit diagonal first, so that one parameter's unit
 * does not decide what counts as rounding. */
static ng_status invert(const forward_layout *l, const forward_result *r, forward_knowledge *k,
                        ng_error *err)
{
    size_t n = k->n;
    gsl_matrix *m = gsl_matrix_alloc(n, n), *vector = gsl_matrix_alloc(n, n);
    gsl_vector *value = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *w = gsl_eigen_symmv_alloc(n);
    ng_status status = NG_OK;
    double scale[FORWARD_MAX];
    if (!m || !vector || !value || !w) {
        status = NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu parameters", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        scale[i] = 1.0 / sqrt(r->information[k->index[i] * l->n + k->index[i]]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double h = r->information[k->index[i] * l->n + k->index[j]];
            gsl_matrix_set(m, i, j, h * scale[i] * scale[j]);
        }
    }
    gsl_eigen_symmv(m, value, vector, w);
    gsl_eigen_symmv_sort(value, vector, GSL_EIGEN_SORT_VAL_DESC);
    double least = LEAST_EIGENVALUE * gsl_vector_get(value, 0);
    for (size_t i = 0; i < n; i++) {
        k->eigenvalue[i] = gsl_vector_get(value, i);
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t q = 0; q < n; q++) {
                sum += gsl_matrix_get(vector, i, q) * gsl_matrix_get(vector, j, q) /
                       fmax(gsl_vector_get(value, q), least);
            }
            k->naive[i * n + j] = sum * scale[i] * scale[j];
        }
    }

out:
    gsl_matrix_free(m);
    gsl_matrix_free(vector);
    gsl_vector_free(value);
    gsl_eigen_symmv_free(w);
    return status;
}

/* Sum over particles of score score'; the pieces of one particle count as one. */
static size_t outer_scores(const forward_data *d, const forward_layout *l, const double *weight,
                           const double *score, const forward_knowledge *k, double *out)
{
    size_t particles = 0;
    memset(out, 0, k->n * k->n * sizeof *out);
    for (size_t i = 0; i < d->n_tracks;) {
        double sum[FORWARD_MAX] = {0};
        size_t origin = d->origin[i];
        for (; i < d->n_tracks && d->origin[i] == origin; i++) {
            for (size_t a = 0; a < k->n; a++) {
                sum[a] += (weight ? weight[i] : 1.0) * score[i * l->n + k->index[a]];
            }
        }
        particles++;
        for (size_t a = 0; a < k->n; a++) {
            for (size_t b = 0; b < k->n; b++) {
                out[a * k->n + b] += sum[a] * sum[b];
            }
        }
    }
    return particles;
}

static ng_status sandwich(const forward_problem *p, const double *score, forward_knowledge *k,
                          ng_error *err)
{
    size_t n = k->n;
    double *work = NG_NEW(double, 2 * n * n);
    if (!work) {
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu parameters", n);
    }
    size_t particles = outer_scores(p->data, p->layout, p->weight, score, k, work);
    double m = (double)particles, left = fmax(m - (double)n, LEAST_SHARE * m);
    gsl_matrix_view J = gsl_matrix_view_array(work, n, n);
    gsl_matrix_view half = gsl_matrix_view_array(work + n * n, n, n);
    gsl_matrix_view H = gsl_matrix_view_array(k->naive, n, n);
    gsl_matrix_view out = gsl_matrix_view_array(k->robust, n, n);
    (void)gsl_blas_dgemm(CblasNoTrans, CblasNoTrans, m / left, &H.matrix, &J.matrix, 0.0,
                         &half.matrix);
    (void)gsl_blas_dgemm(CblasNoTrans, CblasNoTrans, 1.0, &half.matrix, &H.matrix, 0.0,
                         &out.matrix);
    for (size_t i = 0; i < n; i++) {
        k->calibration[k->index[i]] = k->robust[i * n + i] / k->naive[i * n + i];
    }
    ng_free(work);
    return NG_OK;
}

/* Observations divided by 1 + 2 sum of the innovations' autocorrelation, summed to where it first
 * vanishes. */
static double effective_observations(const forward_data *d, const double *innovation)
{
    double zero = 0.0, total = 1.0, observed = 0.0;
    for (size_t k = 0; k < d->n_points; k++) {
        if (isfinite(innovation[k])) {
            zero += innovation[k] * innovation[k];
            observed += 1.0;
        }
    }
    for (size_t lag = 1; lag < d->n_frames; lag++) {
        double sum = 0.0, pairs = 0.0;
        for (size_t i = 0; i < d->n_tracks; i++) {
            for (size_t k = d->first[i] + lag; k < d->first[i + 1]; k++) {
                double product = innovation[k] * innovation[k - lag];
                if (isfinite(product)) {
                    sum += product;
                    pairs += 1.0;
                }
            }
        }
        if (!(sum > 0.0)) {
            break;
        }
        total += 2.0 * sum / zero;
        if (pairs < 2.0) {
            break;
        }
    }
    return observed / total;
}

ng_status ng_forward_knowledge_make(const forward_problem *like, const double *x,
                                    forward_knowledge *out, ng_error *err)
{
    const forward_layout *l = like->layout;
    const forward_data *d = like->data;
    forward_problem p = {0};
    *out = (forward_knowledge){0};
    forward_result *r = NG_NEW(forward_result, 1);
    double *score = NG_NEW(double, d->n_tracks * l->n + d->n_points);
    double *innovation = score + d->n_tracks * l->n;
    out->naive = NG_NEW(double, l->n * l->n);
    out->robust = NG_NEW(double, l->n * l->n);
    out->eigenvalue = NG_NEW(double, l->n);
    ng_status status =
        r && score && out->naive && out->robust && out->eigenvalue
            ? ng_forward_problem_create(like, &p, err)
            : NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu parameters", l->n);
    if (status == NG_OK) {
        for (size_t k = 0; k < d->n_points; k++) {
            innovation[k] = (double)NAN;
        }
        ng_forward_evaluate(&p, x, true, r, innovation, score);
        find_free(l, r, x, out);
        out->effective = like->flask ? (double)d->n_points : effective_observations(d, innovation);
    }
    if (status == NG_OK && out->n > 0) {
        status = invert(l, r, out, err);
    }
    if (status == NG_OK && out->n > 0 && like->flask) {
        /* samples are too few for that; what they share is part of their likelihood */
        memcpy(out->robust, out->naive, out->n * out->n * sizeof *out->robust);
    } else if (status == NG_OK && out->n > 0) {
        status = sandwich(&p, score, out, err);
    }
    ng_forward_problem_free(&p);
    ng_free(score);
    ng_free(r);
    if (status != NG_OK) {
        ng_forward_knowledge_free(out);
    }
    return status;
}

double ng_forward_variance(const forward_knowledge *k, const double *covariance,
                           const double *slope, double *step)
{
    double variance = 0.0, moved[FORWARD_MAX] = {0};
    for (size_t i = 0; i < k->n; i++) {
        for (size_t j = 0; j < k->n; j++) {
            moved[k->index[i]] += covariance[i * k->n + j] * slope[k->index[j]];
        }
        variance += moved[k->index[i]] * slope[k->index[i]];
    }
    for (size_t i = 0; step && i < FORWARD_MAX; i++) {
        step[i] = variance > 0.0 ? moved[i] / variance : 0.0;
    }
    return variance;
}
