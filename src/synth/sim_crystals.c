/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crystals in a field under structured illumination: born one by one, growing by diffusion, each in
 * a cell of its own, blinking. */
#include "blink.h"
#include "sim_internal.h"

#include <nucgrow/crystal.h>
#include <nucgrow/crystallization.h>

#include <jansson.h>
#include <math.h>

/* Streams of blinking: behind those of the scene. */
#define STREAM_BLINK (((uint64_t)1 << 31) + 16)

static ng_conditions conditions_of(const ng_synth_sim_source *s, double critical_nm)
{
    return (ng_conditions){.critical_nm = critical_nm,
                           .product_nm2_per_s = s->product_nm2_per_s,
                           .final_nm = s->final_nm,
                           .growth = NG_GROWTH_DEPLETION};
}

static void draw(const ng_synth_sim_options *o, gsl_rng *rng, ng_synth_sim_source *s)
{
    s->kind = NG_SYNTH_SIM_CRYSTAL;
    ng_synth_sim_place(o, rng, s);
    s->light = o->crystal_counts;
    s->birth_s = gsl_rng_uniform(rng) * o->nucleation_s;
    s->final_nm = o->final_nm * exp(gsl_ran_gaussian(rng, o->final_spread));
    s->final_nm = fmax(s->final_nm, 1.05 * o->critical_nm);
    s->product_nm2_per_s = o->product_nm2_per_s * exp(gsl_ran_gaussian(rng, o->product_spread));
    s->t0_s = s->birth_s - ng_depletion_time(o->critical_nm / s->final_nm, 0) * s->final_nm *
                               s->final_nm / s->product_nm2_per_s;
}

/* Cube of the radius over the median final one, times the part of the set in which it shines. */
static void shine(const ng_synth_sim_options *o, const ng_synth_sim_source *s, gsl_rng *rng,
                  float *share)
{
    const ng_conditions c = conditions_of(s, o->critical_nm);
    ng_synth_blink light = ng_synth_blink_start(o->on_s, o->off_s, rng);
    for (size_t set = 0; set < (size_t)o->sets; set++) {
        const double time_s = o->frame_s * (double)set, age = time_s - s->birth_s;
        const double part = ng_synth_blink_part(&light, rng, time_s - o->frame_s, time_s);
        const double r = age > 0 ? ng_conditions_radius(&c, age) / o->final_nm : 0;
        share[set] = (float)(r * r * r * part);
    }
}

bool ng_synth_sim_crystals(ng_synth_sim *scene, gsl_rng *rng)
{
    const ng_synth_sim_options *o = &scene->options;
    const size_t n = scene->n_sources - scene->first_crystal;
    for (size_t i = 0; i < n; i++) {
        ng_synth_sim_source *s = &scene->source[scene->first_crystal + i];
        gsl_rng *blink = ng_random_open(scene->seed, STREAM_BLINK + i);
        if (blink == NULL) {
            return false;
        }
        draw(o, rng, s);
        shine(o, s, blink, scene->share + i * (size_t)o->sets);
        ng_random_close(blink);
    }
    return true;
}

json_t *ng_synth_sim_crystals_json(const ng_synth_sim *scene)
{
    static const char *const name[] = {"birth_s",  "t0_s", "product_nm2_per_s",
                                       "final_nm", "x_nm", "y_nm"};
    json_t *track = json_array(), *column[6];
    for (size_t k = 0; k < 6; k++) {
        column[k] = json_array();
    }
    for (size_t i = scene->first_crystal; i < scene->n_sources; i++) {
        const ng_synth_sim_source *s = &scene->source[i];
        const double nm = scene->options.pixel_nm;
        const double value[6] = {s->birth_s,  s->t0_s,   s->product_nm2_per_s,
                                 s->final_nm, s->x * nm, s->y * nm};
        if (!ng_synth_sim_inside(&scene->options, s->x, s->y)) {
            continue;
        }
        json_array_append_new(track, json_integer((json_int_t)i + 1));
        for (size_t k = 0; k < 6; k++) {
            json_array_append_new(column[k], ng_json_real(value[k]));
        }
    }
    json_t *all = json_pack("{s:o}", "track", track);
    for (size_t k = 0; k < 6; k++) {
        json_object_set_new(all, name[k], column[k]);
    }
    return all;
}
