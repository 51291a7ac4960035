/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What leaves: spots as particles, with flags and labels. */
#include "spot_frame.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define EDGE_WIDTHS 2.0
#define LABEL_WIDTHS 1.5

/* Noise whose grain is as wide as `grain` tells less than as many white pixels: what that does to
 * the variance of a flux, and of a place with the square of the last factor. */
static double grain_factor(double grain, double width, int power)
{
    const double g2 = grain * grain, w2 = width * width;
    return fmax(4.0 * PI * g2 * pow(w2 / (w2 + g2), power), 1.0);
}

static double factor_at(const ng_spot_factor *f, double flux)
{
    const double light = fmin(fmax(flux, f->least), f->most);
    return f->most > f->least ? f->dimmest * pow(light / f->least, f->power) : f->dimmest;
}

static void put_particle(const ng_spots *s, const ng_spot *spot, const ng_spot *light, size_t index,
                         ng_particle *out)
{
    const ng_spot_choices *c = &s->choices.spot;
    const ng_spot_noise noise = ng_spot_noise_of(&c->noise);
    const double nm = s->choices.options.pixel_nm, w = spot->width;
    const bool own = light == spot;
    const double place = factor_at(&c->place, spot->flux) * grain_factor(c->noise.grain_px, w, 2);
    const double sum =
        own ? factor_at(&c->light, spot->flux) * grain_factor(c->noise.grain_px, w, 1)
            : grain_factor(c->flux_noise.grain_px, c->flux_width_px, 1);
    *out = ng_particle_unknown();
    out->particle = (long)index + 1;
    out->x_nm = out->x_raw_nm = spot->x * nm;
    out->y_nm = out->y_raw_nm = spot->y * nm;
    out->x_se_nm = sqrt(spot->x_var * place) * nm;
    out->y_se_nm = sqrt(spot->y_var * place) * nm;
    out->intensity = light->flux;
    out->intensity_se = light->fitted || own ? sqrt(light->flux_var * sum) : (double)NAN;
    out->background = light->background * (double)s->choices.options.polarity;
    out->contrast = spot->flux / (2.0 * PI * pow(ng_spot_seen_width(w), 2.0));
    out->snr = out->contrast / sqrt(ng_spot_variance(&noise, spot->background));
    out->edge_nm = s->choices.options.free_width && spot->fitted
                       ? sqrt(fmax(w * w - 1.0 / 12.0, 0.0)) * nm
                       : (double)NAN;
    out->flag = spot->flag | light->flag;
}

static void flag_places(ng_spots *s)
{
    const double w = s->choices.spot.width_px, crowded = NG_SPOT_CROWDED_WIDTHS * w;
    const double right = (double)s->width - 1.0 - EDGE_WIDTHS * w;
    const double bottom = (double)s->height - 1.0 - EDGE_WIDTHS * w;
    for (size_t i = 0; i < s->n; i++) {
        const ng_spot *spot = &s->spot[i];
        const bool edge = spot->x < EDGE_WIDTHS * w || spot->y < EDGE_WIDTHS * w ||
                          spot->x > right || spot->y > bottom;
        s->particle[i].flag |= edge ? NG_FLAG_EDGE : 0;
        const bool fitted = spot->fitted || !s->choices.options.fit;
        s->particle[i].flag |= fitted ? 0 : NG_FLAG_NO_FIT;
    }
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < crowded * crowded; k++) {
        s->particle[s->pair[k].a].flag |= NG_FLAG_CROWDED;
        s->particle[s->pair[k].b].flag |= NG_FLAG_CROWDED;
    }
}

void ng_spot_labels(const ng_particle *particle, size_t n, double pixel_nm, double r, size_t width,
                    size_t height, uint32_t *label)
{
    memset(label, 0, width * height * sizeof *label);
    for (size_t k = 0; k < n; k++) {
        const double px = particle[k].x_raw_nm / pixel_nm, py = particle[k].y_raw_nm / pixel_nm;
        const size_t x0 = (size_t)fmax(ceil(px - r), 0.0), y0 = (size_t)fmax(ceil(py - r), 0.0);
        for (size_t y = y0; y < height && (double)y <= py + r; y++) {
            for (size_t x = x0; x < width && (double)x <= px + r; x++) {
                const double d2 = pow((double)x - px, 2.0) + pow((double)y - py, 2.0);
                uint32_t *at = &label[y * width + x];
                const ng_particle *had = *at > 0 ? &particle[*at - 1] : NULL;
                if (d2 <= r * r &&
                    (had == NULL || pow((double)x - had->x_raw_nm / pixel_nm, 2.0) +
                                            pow((double)y - had->y_raw_nm / pixel_nm, 2.0) >
                                        d2)) {
                    *at = (uint32_t)k + 1;
                }
            }
        }
    }
}

void ng_spots_fill_table(ng_spots *s, const ng_spot *light)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!s->choices.options.fit) {
            ng_spots_put_quick(s, &s->spot[i]);
        }
        put_particle(s, &s->spot[i], &light[i], i, &s->particle[i]);
    }
    if (s->n > 0) {
        flag_places(s);
    }
    ng_spot_labels(s->particle, s->n, s->choices.options.pixel_nm,
                   fmax(LABEL_WIDTHS * s->choices.spot.width_px, 1.0), s->width, s->height,
                   s->label);
}
