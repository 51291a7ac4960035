/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One particle as a birth-death process whose birth rate follows S(t). */
#include "synth_internal.h"
#include "synth_random.h"

#include <math.h>

#define FIRST_COUNT 4096
#define MAX_COUNT ((size_t)(NG_SYNTH_N_MAX - NG_SYNTH_N_MIN) + 1)

ng_status ng_synth_rates_reserve(ng_synth_rates *rates, const ng_synth_ensemble_options *options,
                                 long n, ng_error *err)
{
    size_t wanted = (size_t)(n - NG_SYNTH_N_MIN) + 1;
    if (wanted <= rates->count) {
        return NG_OK;
    }
    size_t count = rates->count > 0 ? rates->count : FIRST_COUNT;
    while (count < wanted) {
        count *= 2;
    }
    count = count < MAX_COUNT ? count : MAX_COUNT;
    ng_synth_rate *rate = ng_realloc(rates->rate, count, sizeof *rate);
    if (rate == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory for the rates of %zu sizes", count);
    }
    for (size_t i = rates->count; i < count; i++) {
        double size = (double)NG_SYNTH_N_MIN + (double)i;
        rate[i].up =
            ng_attachment_rate(&options->parameters, options->delta, options->sigma_s_nm, size);
        rate[i].down =
            ng_detachment_rate(&options->parameters, options->delta, options->sigma_s_nm, size);
    }
    *rates = (ng_synth_rates){.first = NG_SYNTH_N_MIN, .count = count, .rate = rate};
    return NG_OK;
}

void ng_synth_rates_free(ng_synth_rates *rates)
{
    ng_free(rates->rate);
    *rates = (ng_synth_rates){0};
}

ng_synth_stop ng_synth_advance(const ng_synth_rates *rates, const ng_synth_stretch *stretch,
                               uint64_t max_events, ng_synth_random *random, ng_synth_state *state)
{
    const double S_start = stretch->start_supersaturation;
    const double S_top =
        fmax(S_start, S_start + stretch->slope_per_s * (stretch->end_s - stretch->start_s));
    double t = state->time_s;
    size_t i = (size_t)(state->n - rates->first);
    uint64_t events = state->events;
    ng_synth_random draws = *random; /* a copy stays in registers */
    ng_synth_stop stop = NG_SYNTH_SPENT;
    while (events < max_events) {
        /* A size below the first one wraps to a huge index: one test serves both ends. */
        if (i >= rates->count) {
            stop = i > SIZE_MAX / 2 ? NG_SYNTH_BELOW : NG_SYNTH_ABOVE;
            break;
        }
        const ng_synth_rate rate = rates->rate[i];
        const double up_top = S_top * rate.up;
        const double top = up_top + rate.down;
        t -= log(ng_synth_uniform(&draws)) / top;
        if (!(t < stretch->end_s)) {
            t = stretch->end_s;
            stop = NG_SYNTH_END;
            break;
        }
        /* Thinning: candidates come at the highest rate of the stretch; those between the rate of
         * now and the highest one are no events. Sums of comparisons, because which branch is
         * taken cannot be predicted. */
        const double S = S_start + stretch->slope_per_s * (t - stretch->start_s);
        const double pick = ng_synth_uniform(&draws) * top;
        const size_t up = pick < S * rate.up;
        const size_t down = pick >= up_top;
        i += up - down;
        events += up + down;
    }
    *random = draws;
    *state = (ng_synth_state){.time_s = t, .n = rates->first + (long)i, .events = events};
    return stop;
}
