/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

void ng_bootstrap_weights(gsl_rng *rng, size_t n, double *weight)
{
    for (size_t i = 0; i < n; i++) {
        weight[i] = 0.0;
    }
    for (size_t i = 0; i < n; i++) {
        weight[(size_t)(gsl_rng_uniform(rng) * (double)n)] += 1.0;
    }
}

static size_t count_particles(const ng_trajectories *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_tracks; i++) {
        n += i == 0 || t->origin[i] != t->origin[i - 1] ? 1 : 0;
    }
    return n;
}

void ng_bootstrap_trajectories(gsl_rng *rng, const ng_trajectories *t, double *weight)
{
    size_t particle = count_particles(t);
    ng_bootstrap_weights(rng, particle, weight);
    /* Spread from the end, so that a particle's weight is read before its place is taken. */
    for (size_t i = t->n_tracks; i-- > 0;) {
        bool is_last_piece = i + 1 == t->n_tracks || t->origin[i] != t->origin[i + 1];
        particle -= is_last_piece ? 1 : 0;
        weight[i] = weight[particle];
    }
}
