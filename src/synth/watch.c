/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the microscope makes of one particle: positions, noisy areas, missed frames. */
#include "synth_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <math.h>

/* Standard error of the radius: that of the area, carried over at the measured area. */
static double radius_error(const ng_synth_ensemble_options *options, double radius_nm)
{
    const double rounding = options->whole_pixels ? 1.0 / 12 : 0; /* variance of a uniform cell */
    const double area_var = gsl_pow_2(options->area_noise_px) + rounding;
    if (!(area_var > 0)) {
        return (double)NAN;
    }
    return sqrt(area_var) * gsl_pow_2(options->pixel_nm) / (2 * M_PI * radius_nm);
}

static double measured_area_px(const ng_synth_ensemble_options *options, double n, double noise_px)
{
    const double radius_px = ng_radius_from_monomers(n, options->sigma_s_nm) / options->pixel_nm;
    const double area_px = M_PI * radius_px * radius_px + noise_px;
    return options->whole_pixels ? round(area_px) : area_px;
}

size_t ng_synth_watch(const ng_synth_ensemble_options *options, const int32_t *true_n, gsl_rng *rng,
                      ng_track_point *point, double *n_true)
{
    const double step_nm = sqrt(2 * options->diffusion_nm2_per_s * options->frame_s);
    double x_nm = options->field_nm * gsl_rng_uniform(rng);
    double y_nm = options->field_nm * gsl_rng_uniform(rng);
    size_t seen = 0;
    for (long frame = 0; frame < options->frames; frame++) {
        /* All numbers of a frame are drawn whether used or not, so that an option changes only what
         * it names. */
        const double noise_px = gsl_ran_gaussian(rng, 1) * options->area_noise_px;
        const bool missed = gsl_rng_uniform(rng) < options->gap_rate;
        x_nm = ng_synth_reflect(x_nm + gsl_ran_gaussian(rng, 1) * step_nm, 0, options->field_nm);
        y_nm = ng_synth_reflect(y_nm + gsl_ran_gaussian(rng, 1) * step_nm, 0, options->field_nm);
        const double n = true_n[frame];
        const double area_px = measured_area_px(options, n, noise_px);
        if (n == 0 || n < options->detection_n || missed || !(area_px > 0)) {
            continue;
        }
        const double radius_nm = options->pixel_nm * sqrt(area_px / M_PI);
        point[seen] = (ng_track_point){.frame = frame,
                                       .time_s = (double)frame * options->frame_s,
                                       .x_nm = x_nm,
                                       .y_nm = y_nm,
                                       .radius_nm = radius_nm,
                                       .radius_se_nm = radius_error(options, radius_nm)};
        n_true[seen] = n;
        seen++;
    }
    return seen;
}
