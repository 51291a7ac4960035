/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "blink.h"

#include <math.h>

ng_synth_blink ng_synth_blink_start(double on_s, double off_s, gsl_rng *rng)
{
    ng_synth_blink light = {.on_s = on_s, .off_s = off_s};
    light.on = gsl_rng_uniform(rng) * (on_s + off_s) < on_s;
    light.until_s = gsl_ran_exponential(rng, light.on || !(off_s > 0) ? on_s : off_s);
    return light;
}

static void flip(ng_synth_blink *light, gsl_rng *rng)
{
    light->on = !light->on;
    light->until_s += gsl_ran_exponential(rng, light->on ? light->on_s : light->off_s);
}

double ng_synth_blink_part(ng_synth_blink *light, gsl_rng *rng, double from_s, double to_s)
{
    double bright = 0, at = from_s;
    if (!(light->off_s > 0)) {
        return 1;
    }
    while (light->until_s < to_s) {
        bright += light->on ? fmax(light->until_s - at, 0) : 0;
        at = fmax(light->until_s, at);
        flip(light, rng);
    }
    bright += light->on ? to_s - at : 0;
    return bright / (to_s - from_s);
}
