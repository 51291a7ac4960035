/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the forward estimator sees of trajectories: raw sizes, without the few that are no sizes. */
#include "forward_internal.h"

#include <math.h>

#define OUTLIER 5.0    /* s.d. of the noise between a raw and a smoothed size */
#define MARGIN_N 1.5   /* rates are tabulated up to this times the largest size */
#define NOISE_MIN 0.01 /* of x: rounding of exact sizes */

static double area_of(double n)
{
    double root = cbrt(n);
    return root * root;
}

/* s.d. of x = n^(2/3) where that of n is scale n^power. */
static void noise_of(const ng_trajectories *t, forward_data *out)
{
    out->noise_power = 1.5 * (t->noise_power - 1.0 / 3.0);
    out->noise_scale = fmax(2.0 / 3.0 * t->noise_scale, NOISE_MIN);
}

static bool is_outlier(const forward_data *d, double seen, double smooth)
{
    double x = area_of(fmax(smooth, 1.0));
    return fabs(seen - x) > OUTLIER * d->noise_scale * pow(x, d->noise_power);
}

static void copy_points(const ng_trajectories *t, forward_data *out)
{
    for (size_t k = 0; k < t->n_points; k++) {
        out->frame[k] = t->frame[k];
        out->x[k] = (double)NAN;
        if (!isfinite(t->n_raw[k])) {
            continue;
        }
        double x = area_of(t->n_raw[k]);
        if (is_outlier(out, x, t->n[k])) {
            out->outliers++;
            continue;
        }
        out->x[k] = x;
        out->n_observed++;
        out->n_largest = fmax(out->n_largest, t->n_raw[k]);
    }
}

ng_status ng_forward_data_make(const ng_trajectories *t, forward_data *out, ng_error *err)
{
    *out = (forward_data){.n_tracks = t->n_tracks,
                          .n_points = t->n_points,
                          .n_frames = t->n_frames,
                          .frame_s = t->frame_s,
                          .sigma_s_nm = t->sigma_s_nm};
    out->first = NG_NEW(size_t, t->n_tracks + 1);
    out->origin = NG_NEW(size_t, t->n_tracks);
    out->frame = NG_NEW(unsigned, t->n_points);
    out->x = NG_NEW(double, t->n_points);
    if (!out->first || !out->origin || !out->frame || !out->x) {
        ng_forward_data_free(out);
        return NG_FAIL(err, NG_MEMORY, "forward fit: no memory for %zu points", t->n_points);
    }
    for (size_t i = 0; i < t->n_tracks; i++) {
        out->first[i] = t->first[i];
        out->origin[i] = t->origin[i];
    }
    out->first[t->n_tracks] = t->first[t->n_tracks];
    noise_of(t, out);
    copy_points(t, out);
    out->n_largest *= MARGIN_N;
    if (out->n_observed < t->n_tracks + 2) {
        ng_forward_data_free(out);
        return NG_FAIL(
            err, NG_TOO_LITTLE,
            "forward fit: %zu tracks were seen only once each; it needs tracks over time",
            t->n_tracks);
    }
    return NG_OK;
}

void ng_forward_data_free(forward_data *data)
{
    ng_free(data->first);
    ng_free(data->origin);
    ng_free(data->frame);
    ng_free(data->x);
    *data = (forward_data){0};
}
