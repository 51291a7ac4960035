/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One particle that follows the schedule of an ensemble from its birth on. */
#include "synth_internal.h"

#include <gsl/gsl_randist.h>
#include <math.h>

#define MAX_EVENTS UINT64_C(1000000000) /* a particle; half a minute of work */

static long draw_start_n(const ng_synth_ensemble_options *options, gsl_rng *rng)
{
    double n = 0;
    do {
        n = round(options->start_n * exp(options->start_spread * gsl_ran_gaussian(rng, 1)));
    } while (n < NG_SYNTH_N_MIN || n > NG_SYNTH_N_MAX);
    return (long)n;
}

static double draw_birth_s(const ng_synth_ensemble_options *options, gsl_rng *rng)
{
    const bool late = gsl_rng_uniform(rng) < options->late_fraction;
    const double time_s = gsl_rng_uniform(rng) * options->nucleation_s;
    return late ? time_s : 0;
}

void ng_synth_growth_start(ng_synth_growth *g, gsl_rng *rng)
{
    g->state.n = draw_start_n(g->options, rng);
    g->state.time_s = draw_birth_s(g->options, rng);
    g->random = ng_synth_random_from(rng);
}

static ng_status refuse_growth(const ng_synth_growth *g, ng_error *err)
{
    if (g->state.n > NG_SYNTH_N_MAX) {
        return NG_FAIL(err, NG_INVALID,
                       "a particle grew beyond %d monomers at %.6g s; lower the supersaturation, "
                       "--kr or --frames",
                       NG_SYNTH_N_MAX, g->state.time_s);
    }
    return NG_FAIL(err, NG_INVALID,
                   "a particle of %ld monomers went through %llu events by %.6g s; lower the "
                   "supersaturation, --kr or --frames",
                   g->state.n, (unsigned long long)g->state.events, g->state.time_s);
}

/* The stretch stays the same while the table grows: its highest S decides which numbers are drawn,
 * and another worker's table may be long enough already. */
static ng_status grow_over(ng_synth_growth *g, const ng_synth_stretch *stretch, ng_error *err)
{
    for (;;) {
        switch (ng_synth_advance(g->rates, stretch, MAX_EVENTS, &g->random, &g->state)) {
        case NG_SYNTH_END:
            return NG_OK;
        case NG_SYNTH_BELOW:
            g->dissolved = true;
            return NG_OK;
        case NG_SYNTH_SPENT:
            return refuse_growth(g, err);
        case NG_SYNTH_ABOVE:
            break;
        }
        if (g->state.n > NG_SYNTH_N_MAX) {
            return refuse_growth(g, err);
        }
        ng_status status = ng_synth_rates_reserve(g->rates, g->options, g->state.n, err);
        if (status != NG_OK) {
            return status;
        }
    }
}

ng_status ng_synth_growth_until(ng_synth_growth *g, double end_s, ng_error *err)
{
    ng_status status = NG_OK;
    while (status == NG_OK && !g->dissolved && g->state.time_s < end_s) {
        const ng_synth_stretch stretch =
            ng_synth_schedule_stretch(g->options, g->state.time_s, end_s);
        status = grow_over(g, &stretch, err);
    }
    return status;
}
