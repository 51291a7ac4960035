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
    return f->dimmest * pow(light / f->least, f->power);
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

/* Pixels near a spot carry its label; of two the nearer one's. */
static void draw_labels(ng_spots *s)
{
    const double r = fmax(LABEL_WIDTHS * s->choices.spot.width_px, 1.0);
    memset(s->label, 0, s->width * s->height * sizeof *s->label);
    for (size_t k = 0; k < s->n; k++) {
        const ng_spot *spot = &s->spot[k];
        const size_t x0 = (size_t)fmax(ceil(spot->x - r), 0.0);
        const size_t y0 = (size_t)fmax(ceil(spot->y - r), 0.0);
        for (size_t y = y0; y < s->height && (double)y <= spot->y + r; y++) {
            for (size_t x = x0; x < s->width && (double)x <= spot->x + r; x++) {
                const double dx = (double)x - spot->x, dy = (double)y - spot->y;
                uint32_t *label = &s->label[y * s->width + x];
                if (dx * dx + dy * dy > r * r) {
                    continue;
                }
                const ng_spot *had = *label > 0 ? &s->spot[*label - 1] : NULL;
                if (had == NULL || pow((double)x - had->x, 2.0) + pow((double)y - had->y, 2.0) >
                                       dx * dx + dy * dy) {
                    *label = (uint32_t)k + 1;
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
    draw_labels(s);
}
