/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory of the residual's data, and the particles seen in each frame. */
#include "fit_internal.h"

#include <math.h>

#define PADDING 9 /* vector loads may read past the last row */

ng_status ng_rate_data_alloc(rate_data *d, size_t n_frames, size_t n_rows, ng_error *err)
{
    size_t n = n_rows + PADDING;
    d->n_frames = n_frames;
    d->n_rows = n_rows;
    d->attach = NG_NEW(double, n);
    if (!d->attach) {
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu rows", n_rows);
    }
    /* the detachment column of the psi-flux, p_{n+1}, is the attachment column one row on */
    d->detach = d->psi_flux ? d->attach + 1 : NG_NEW(double, n);
    d->y = NG_NEW(double, n);
    d->lever = d->psi_flux ? NULL : NG_NEW(double, n);
    d->psi = d->psi_flux ? NG_NEW(double, n) : NULL;
    d->mean_lever = d->psi_flux ? NULL : NG_NEW(double, n);
    d->node = d->psi_flux ? NULL : NG_NEW(unsigned, n);
    d->first_node = NG_NEW(size_t, n_frames);
    if (!d->detach || !d->y || !d->first_node ||
        (d->psi_flux ? !d->psi : !d->lever || !d->mean_lever || !d->node)) {
        ng_rate_data_free(d);
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu rows in %zu frames",
                       n_rows, n_frames);
    }
    return NG_OK;
}

void ng_rate_data_free(rate_data *d)
{
    ng_free(d->frame);
    ng_free(d->node);
    ng_free(d->first_node);
    if (!d->psi_flux) {
        ng_free(d->detach);
    }
    ng_free(d->attach);
    ng_free(d->y);
    ng_free(d->psi);
    ng_free(d->lever);
    ng_free(d->mean_lever);
    *d = (rate_data){0};
}

double ng_rate_frame_weight(const ng_growth_fit_options *o, size_t frame, size_t n_frames)
{
    double share = n_frames > 1 ? (double)frame / (double)(n_frames - 1) : 0.0;
    return o->frame_weight_first + share * (o->frame_weight_last - o->frame_weight_first);
}

ng_status ng_rate_members_create(const ng_trajectories *t, const double *weight, rate_members *out,
                                 ng_error *err)
{
    *out = (rate_members){0};
    out->first = NG_NEW(size_t, t->n_frames + 1);
    out->point = NG_NEW(size_t, t->n_points);
    out->weight = NG_NEW(double, t->n_points);
    out->before = NG_NEW(size_t, t->n_points);
    out->after = NG_NEW(size_t, t->n_points);
    if (!out->first || !out->point || !out->weight || !out->before || !out->after) {
        ng_rate_members_free(out);
        return NG_FAIL(err, NG_MEMORY, "rate estimator: no memory for %zu points", t->n_points);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            out->first[t->frame[k] + 1] += !weight || weight[i] > 0.0;
        }
    }
    for (size_t f = 0; f < t->n_frames; f++) {
        out->most = out->first[f + 1] > out->most ? out->first[f + 1] : out->most;
        out->first[f + 1] += out->first[f];
    }
    /* filling moves every first[f] to the start of f+1; moved back below */
    for (size_t i = 0; i < t->n_tracks; i++) {
        for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
            if (!weight || weight[i] > 0.0) {
                size_t slot = out->first[t->frame[k]]++;
                out->point[slot] = k;
                out->weight[slot] = weight ? weight[i] : 1.0;
                out->before[slot] = k - t->first[i];
                out->after[slot] = t->first[i + 1] - 1 - k;
            }
        }
    }
    for (size_t f = t->n_frames; f > 0; f--) {
        out->first[f] = out->first[f - 1];
    }
    out->first[0] = 0;
    return NG_OK;
}

void ng_rate_members_free(rate_members *m)
{
    ng_free(m->first);
    ng_free(m->point);
    ng_free(m->weight);
    ng_free(m->before);
    ng_free(m->after);
    *m = (rate_members){0};
}
