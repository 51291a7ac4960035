/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a pattern is to be trusted, and why not. */
#include "pattern_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The brightest pixels, where the object is in focus and bright. */
#define BRIGHT 0.02

const char *ng_sim_order_name(ng_sim_order order)
{
    return order == NG_SIM_ANGLE_MAJOR ? "angle-major" : "phase-major";
}

static void refuse(ng_sim_direction *d, const char *format, ...) NG_PRINTF(2, 3);

static void refuse(ng_sim_direction *d, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->reason, sizeof d->reason, format, arguments);
    va_end(arguments);
    d->trusted = false;
}

static void judge_direction(const ng_sim_pattern *pattern, const ng_sim_pattern_options *o,
                            ng_sim_direction *d)
{
    const double cutoff = ng_sim_cutoff_per_um(&pattern->optics) * 1e-3 * pattern->optics.pixel_nm;
    const double k = hypot(d->kx, d->ky) / cutoff;
    double low = o->ring_min, high = o->ring_max;
    if (isfinite(o->pattern_na)) {
        const double middle =
            2 * o->pattern_na / o->pattern_wavelength_nm * pattern->optics.pixel_nm / cutoff;
        low = 0.9 * middle;
        high = 1.1 * middle;
    }
    if (!(d->peak >= o->least_peak) && !(d->explained >= o->least_explained)) {
        refuse(d,
               "no stripes stand out: the correlation peak is %.1f times the median (%.1f is asked "
               "for) and explains %.0f %% of what moves with the frames",
               isfinite(d->peak) ? d->peak : 0, o->least_peak, 100 * d->explained);
    } else if (!(k > 0.98 * low && k < 1.02 * high)) {
        refuse(d, "the stripes found, at %.2f of the cutoff, lie outside of the ring %.2f to %.2f",
               k, low, high);
    } else if (!(d->modulation >= o->least_modulation) || !(d->modulation > 3 * d->modulation_se)) {
        refuse(d, "the modulation is %.2f +- %.2f; at least %.2f is asked for", d->modulation,
               d->modulation_se, o->least_modulation);
    } else if (!(d->modulation < 1.25)) {
        refuse(d,
               "the modulation is %.2f, more than light can have; check --na, --wavelength-nm, "
               "--pixel-nm and --otf",
               d->modulation);
    } else if (!d->trusted) {
        refuse(d, "the search for the stripes did not settle");
    }
}

static double angle_between(const ng_sim_direction *a, const ng_sim_direction *b)
{
    const double turn = atan2(a->ky, a->kx) - atan2(b->ky, b->kx);
    return 180 / NG_SIM_PI * fabs(remainder(turn, NG_SIM_PI));
}

/* Directions of one microscope have about the same period and stand apart. */
static void judge_together(ng_sim_pattern *pattern)
{
    const size_t n = pattern->layout.directions;
    const double even = 180.0 / (double)n;
    for (size_t i = 0; i < n && pattern->trusted; i++) {
        for (size_t j = 0; j < i && pattern->trusted; j++) {
            const ng_sim_direction *a = &pattern->direction[j], *b = &pattern->direction[i];
            const double ratio = hypot(a->kx, a->ky) / hypot(b->kx, b->ky);
            if (angle_between(a, b) < 0.3 * even) {
                pattern->trusted = false;
                snprintf(pattern->reason, sizeof pattern->reason,
                         "directions %zu and %zu show stripes only %.1f degrees apart; check the "
                         "order of the frames (--order, --directions, --phases)",
                         j + 1, i + 1, angle_between(a, b));
            } else if (fabs(log(ratio)) > 0.15) {
                pattern->trusted = false;
                snprintf(pattern->reason, sizeof pattern->reason,
                         "directions %zu and %zu disagree: periods of %.0f and %.0f nm", j + 1,
                         i + 1, pattern->optics.pixel_nm / hypot(a->kx, a->ky),
                         pattern->optics.pixel_nm / hypot(b->kx, b->ky));
            }
        }
    }
}

static void warn_phases(const ng_sim_pattern *pattern, ng_warnings *warnings)
{
    for (size_t d = 0; d < pattern->layout.directions; d++) {
        if (!pattern->direction[d].equal_steps) {
            ng_warnings_add(warnings, "phases-unequal",
                            "direction %zu: the stripes do not move in equal steps; phases are "
                            "taken as the frames show them",
                            d + 1);
        }
    }
}

void ng_sim_pattern_judge(ng_sim_pattern *pattern, const ng_sim_pattern_options *options,
                          ng_warnings *warnings)
{
    pattern->trusted = true;
    for (size_t d = 0; d < pattern->layout.directions; d++) {
        ng_sim_direction *dir = &pattern->direction[d];
        judge_direction(pattern, options, dir);
        if (!dir->trusted && pattern->trusted) {
            pattern->trusted = false;
            snprintf(pattern->reason, sizeof pattern->reason, "direction %zu: %s", d + 1,
                     dir->reason);
        }
    }
    judge_together(pattern);
    warn_phases(pattern, warnings);
}

/* ---- contrast to noise ---- */

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Over the brightest pixels of the direction's mean frame: height of the stripes, free of what
 * noise adds to it, over the noise of one frame. */
double ng_sim_contrast_to_noise(const ng_sim_search *s, const ng_sim_camera *camera, size_t d,
                                ng_sim_bands *scratch, const ng_sim_direction *direction)
{
    const ng_sim_layout *layout = s->layout;
    const size_t n = layout->width * layout->height, phases = layout->phases;
    float *mean = (float *)(void *)scratch->work[0], *sorted = (float *)(void *)scratch->work[1];
    const float *frame[NG_SIM_MAX_PHASES];
    for (size_t p = 0; p < phases; p++) {
        frame[p] = s->frames + ng_sim_layout_index(layout, d, p) * n;
    }
    for (size_t i = 0; i < n; i++) {
        mean[i] = 0;
        for (size_t p = 0; p < phases; p++) {
            mean[i] += frame[p][i] / (float)phases;
        }
        sorted[i] = mean[i];
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    const float least = sorted[(size_t)((1 - BRIGHT) * (double)(n - 1))];
    double amplitude = 0, noise = 0;
    for (size_t i = 0; i < n; i++) {
        if (mean[i] < least) {
            continue;
        }
        double re = 0, im = 0;
        for (size_t p = 0; p < phases; p++) {
            re += 2 * (double)frame[p][i] * cos(direction->phase[p]) / (double)phases;
            im -= 2 * (double)frame[p][i] * sin(direction->phase[p]) / (double)phases;
        }
        const double variance = fmax(camera->gain * ((double)mean[i] - camera->offset), 0) +
                                camera->read_noise * camera->read_noise;
        amplitude += re * re + im * im - 4 * variance / (double)phases;
        noise += variance;
    }
    return noise > 0 && amplitude > 0 ? 2 * sqrt(amplitude / noise) : 0;
}
