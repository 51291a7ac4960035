/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames as spectra, and the bands in them. */
#include "pattern_internal.h"

#include <math.h>
#include <string.h>

/* A short taper keeps the edges out of the spectra; the window goes over what has been filtered,
 * which near the edges is wrong. Pixels, and shares of a side that they do not exceed. */
#define TAPER 5
#define WINDOW 20
#define WINDOW_SHARE 0.15
/* The noise is measured from here on, in units of the cutoff; the axes hold what the edges
 * leave. */
#define BEYOND 1.04
#define AXIS 2.5

/* ---- what all directions share ---- */

static float edge(size_t i, size_t n, double begin, double width)
{
    const double inside = fmin((double)i + 0.5, (double)n - 0.5 - (double)i) - begin;
    const double t = fmax(0, fmin(1, inside / width));
    return (float)pow(sin(0.5 * NG_SIM_PI * t), 2);
}

static void fill_windows(float *taper, float *window, size_t n, double *share, double *spread)
{
    const double width = fmin(WINDOW, WINDOW_SHARE * (double)n);
    double of_taper = 0, of_window = 0, moment = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = 2 * NG_SIM_PI * ((double)i - 0.5 * ((double)n - 1));
        taper[i] = edge(i, n, 0, TAPER);
        window[i] = edge(i, n, TAPER, width);
        of_taper += (double)taper[i] * (double)taper[i];
        of_window += (double)window[i] * (double)window[i];
        moment += (double)window[i] * (double)window[i] * x * x;
    }
    *share *= of_window / of_taper;
    *spread = moment / of_window;
}

static void fill_tables(ng_sim_search *s)
{
    const ng_sim_layout *layout = s->layout;
    s->share = 1;
    fill_windows(s->taper_x, s->window_x, layout->width, &s->share, &s->spread_x);
    fill_windows(s->taper_y, s->window_y, layout->height, &s->share, &s->spread_y);
    const double per_um = 1e3 / s->optics->pixel_nm;
    for (size_t i = 0; i <= NG_SIM_RADIAL; i++) {
        s->radial[i] = (float)ng_sim_otf(s->optics, s->cutoff * per_um * (double)i / NG_SIM_RADIAL);
    }
    s->radial[NG_SIM_RADIAL + 1] = 0;
    for (size_t i = 0; i < s->plane.width * s->plane.height; i++) {
        const double kx = ng_sim_bin(i % s->plane.width, s->plane.width);
        const double ky = ng_sim_bin(i / s->plane.width, s->plane.height);
        s->transfer[i] = (float)ng_sim_transfer(s->optics, kx * per_um, ky * per_um);
    }
}

/* Frame f tapered, its mean taken off, into the real or imaginary part of `out`. */
static void place_frame(const ng_sim_search *s, size_t f, bool imaginary, ng_cf *out)
{
    const size_t width = s->layout->width, height = s->layout->height;
    const float *frame = s->frames + f * width * height;
    double sum = 0;
    for (size_t i = 0; i < width * height; i++) {
        sum += (double)frame[i];
    }
    const float mean = (float)(sum / ((double)width * (double)height));
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            const float value = (frame[y * width + x] - mean) * s->taper_x[x] * s->taper_y[y];
            *(imaginary ? &out[y * s->plane.width + x].im : &out[y * s->plane.width + x].re) =
                value;
        }
    }
}

void ng_sim_search_mean(ng_sim_search *s)
{
    for (size_t i = 0; i < s->plane.width * s->plane.height; i++) {
        s->mean_spectrum[i] = (ng_cf){s->mean[i], 0};
    }
    ng_sim_plane_forward(&s->plane, s->mean_spectrum);
    s->mean_noise = ng_sim_noise_power(s, s->mean_spectrum);
}

static void fill_mean(ng_sim_search *s, ng_cf *work)
{
    const size_t n = s->plane.width * s->plane.height, frames = ng_sim_layout_frames(s->layout);
    for (size_t f = 0; f < frames; f++) {
        memset(work, 0, n * sizeof *work);
        place_frame(s, f, false, work);
        for (size_t i = 0; i < n; i++) {
            s->mean[i] += work[i].re / (float)frames;
        }
    }
    ng_sim_search_mean(s);
}

ng_status ng_sim_search_open(const ng_sim_pattern *pattern, const float *frames,
                             const ng_sim_pattern_options *options, ng_sim_search *out,
                             ng_error *err)
{
    const ng_sim_layout *layout = &pattern->layout;
    const ng_sim_optics *optics = &pattern->optics;
    *out =
        (ng_sim_search){.layout = layout, .optics = optics, .options = options, .frames = frames};
    out->cutoff = ng_sim_cutoff_per_um(optics) * 1e-3 * optics->pixel_nm;
    out->ring_min = options->ring_min * out->cutoff;
    out->ring_max = options->ring_max * out->cutoff;
    if (isfinite(options->pattern_na)) {
        const double k =
            2 * options->pattern_na / options->pattern_wavelength_nm * optics->pixel_nm;
        out->ring_min = 0.9 * k;
        out->ring_max = 1.1 * k;
    }
    ng_status status = ng_sim_plane_create(ng_sim_good_length(layout->width),
                                           ng_sim_good_length(layout->height), &out->plane, err);
    if (status != NG_OK) {
        return status;
    }
    const size_t n = out->plane.width * out->plane.height;
    out->taper_x = NG_NEW(float, layout->width);
    out->taper_y = NG_NEW(float, layout->height);
    out->window_x = NG_NEW(float, layout->width);
    out->window_y = NG_NEW(float, layout->height);
    out->radial = NG_NEW(float, NG_SIM_RADIAL + 2);
    out->transfer = NG_NEW(float, n);
    out->mean = NG_NEW(float, n);
    out->mean_spectrum = ng_sim_plane_new(&out->plane);
    ng_cf *work = ng_sim_plane_new(&out->plane);
    if (out->taper_x == NULL || out->taper_y == NULL || out->window_x == NULL ||
        out->window_y == NULL || out->radial == NULL || out->transfer == NULL ||
        out->mean == NULL || out->mean_spectrum == NULL || work == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "out of memory for spectra of %zu x %zu", out->plane.width,
                         out->plane.height);
        ng_sim_search_close(out);
    } else {
        fill_tables(out);
        fill_mean(out, work);
    }
    ng_sim_aligned_free(work);
    return status;
}

void ng_sim_search_close(ng_sim_search *s)
{
    ng_sim_plane_free(&s->plane);
    ng_free(s->taper_x);
    ng_free(s->taper_y);
    ng_free(s->window_x);
    ng_free(s->window_y);
    ng_free(s->radial);
    ng_free(s->transfer);
    ng_free(s->mean);
    ng_sim_aligned_free(s->mean_spectrum);
    *s = (ng_sim_search){0};
}

double ng_sim_noise_power(const ng_sim_search *s, const ng_cf *spectrum)
{
    const size_t width = s->plane.width, height = s->plane.height;
    double sum = 0;
    size_t count = 0;
    for (size_t y = 0; y < height; y++) {
        const double ky = ng_sim_bin(y, height);
        double row = 0;
        for (size_t x = 0; x < width; x++) {
            const double kx = ng_sim_bin(x, width);
            if (kx * kx + ky * ky > BEYOND * BEYOND * s->cutoff * s->cutoff &&
                fabs(kx) * (double)width > AXIS && fabs(ky) * (double)height > AXIS) {
                row += (double)ng_cf_norm(spectrum[y * width + x]);
                count++;
            }
        }
        sum += row;
    }
    return count > 0 ? sum / (double)count : 0;
}

/* ---- one direction ---- */

ng_status ng_sim_bands_open(const ng_sim_search *s, ng_sim_bands *out, ng_error *err)
{
    const size_t n = s->plane.width * s->plane.height;
    *out = (ng_sim_bands){.even = NG_NEW(float, n),
                          .band0 = ng_sim_plane_new(&s->plane),
                          .band1 = ng_sim_plane_new(&s->plane)};
    bool complete = out->even != NULL && out->band0 != NULL && out->band1 != NULL;
    for (size_t i = 0; i < 3; i++) {
        out->work[i] = ng_sim_plane_new(&s->plane);
        complete = complete && out->work[i] != NULL;
    }
    for (size_t i = 0; i < 3; i++) {
        out->keep[i] = ng_sim_plane_new(&s->plane);
        complete = complete && out->keep[i] != NULL;
    }
    for (size_t p = 0; p < s->layout->phases; p++) {
        out->frame[p] = ng_sim_plane_new(&s->plane);
        complete = complete && out->frame[p] != NULL;
    }
    if (!complete) {
        ng_sim_bands_close(out);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu spectra of %zu x %zu",
                       s->layout->phases + 9, s->plane.width, s->plane.height);
    }
    return NG_OK;
}

void ng_sim_bands_close(ng_sim_bands *b)
{
    ng_free(b->even);
    ng_sim_aligned_free(b->band0);
    ng_sim_aligned_free(b->band1);
    for (size_t i = 0; i < 3; i++) {
        ng_sim_aligned_free(b->work[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        ng_sim_aligned_free(b->keep[i]);
    }
    for (size_t p = 0; p < NG_SIM_MAX_PHASES; p++) {
        ng_sim_aligned_free(b->frame[p]);
    }
    *b = (ng_sim_bands){0};
}

/* Spectra a and b of two real images from that of a + i b, which lies in `a`. */
static void part(const ng_sim_plane *plane, ng_cf *a, ng_cf *b)
{
    const size_t w = plane->width, h = plane->height;
    for (size_t y = 0; y <= h / 2; y++) {
        const size_t my = (h - y) % h;
        for (size_t x = 0; x < w; x++) {
            const size_t i = y * w + x, j = my * w + (w - x) % w;
            if (j < i && y == my) {
                continue;
            }
            const ng_cf z = a[i], m = a[j];
            a[i] = (ng_cf){0.5F * (z.re + m.re), 0.5F * (z.im - m.im)};
            b[i] = (ng_cf){0.5F * (z.im + m.im), 0.5F * (m.re - z.re)};
            a[j] = (ng_cf){a[i].re, -a[i].im};
            b[j] = (ng_cf){b[i].re, -b[i].im};
        }
    }
}

void ng_sim_bands_load(const ng_sim_search *s, size_t d, ng_sim_bands *b)
{
    const size_t n = s->plane.width * s->plane.height, phases = s->layout->phases;
    b->d = d;
    for (size_t p = 0; p < phases; p += 2) {
        memset(b->frame[p], 0, n * sizeof(ng_cf));
        place_frame(s, ng_sim_layout_index(s->layout, d, p), false, b->frame[p]);
        if (p + 1 < phases) {
            place_frame(s, ng_sim_layout_index(s->layout, d, p + 1), true, b->frame[p]);
        }
        ng_sim_plane_forward(&s->plane, b->frame[p]);
        if (p + 1 < phases) {
            part(&s->plane, b->frame[p], b->frame[p + 1]);
        }
    }
}

bool ng_sim_invert3(double a[3][3], double inverse[3][3])
{
    const double det = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                       a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                       a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            const int p = (j + 1) % 3, q = (j + 2) % 3, r = (i + 1) % 3, t = (i + 2) % 3;
            inverse[i][j] = (a[p][r] * a[q][t] - a[p][t] * a[q][r]) / det;
        }
    }
    return fabs(det) > 1e-9 * fabs(a[0][0] * a[1][1] * a[2][2]);
}

void ng_sim_frame_weights(size_t phases, const double *phase, const double *intensity,
                          double weight[3][NG_SIM_MAX_PHASES])
{
    double column[3][NG_SIM_MAX_PHASES], normal[3][3] = {{0}}, inverse[3][3];
    for (size_t p = 0; p < phases; p++) {
        column[0][p] = intensity[p];
        column[1][p] = intensity[p] * cos(phase[p]);
        column[2][p] = -intensity[p] * sin(phase[p]);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j <= i; j++) {
                normal[i][j] += column[i][p] * column[j][p];
                normal[j][i] = normal[i][j];
            }
        }
    }
    const bool regular = ng_sim_invert3(normal, inverse);
    for (int i = 0; i < 3; i++) {
        for (size_t p = 0; p < phases; p++) {
            weight[i][p] = 0;
            for (int j = 0; regular && j < 3; j++) {
                weight[i][p] += inverse[i][j] * column[j][p];
            }
        }
    }
}

void ng_sim_bands_separate(const ng_sim_search *s, const double *phase, const double *intensity,
                           ng_sim_bands *b)
{
    const size_t n = s->plane.width * s->plane.height, phases = s->layout->phases;
    double weight[3][NG_SIM_MAX_PHASES];
    ng_sim_frame_weights(phases, phase, intensity, weight);
    memset(b->band0, 0, n * sizeof *b->band0);
    memset(b->band1, 0, n * sizeof *b->band1);
    for (size_t p = 0; p < phases; p++) {
        const float w0 = (float)weight[0][p];
        const ng_cf w1 = {(float)(0.5 * weight[1][p]), (float)(0.5 * weight[2][p])};
        for (size_t i = 0; i < n; i++) {
            const ng_cf z = b->frame[p][i], z1 = ng_cf_mul(w1, z);
            b->band0[i].re += w0 * z.re;
            b->band0[i].im += w0 * z.im;
            b->band1[i].re += z1.re;
            b->band1[i].im += z1.im;
        }
    }
    b->noise0 = ng_sim_noise_power(s, b->band0);
    b->noise1 = ng_sim_noise_power(s, b->band1);
    memcpy(b->work[0], b->band0, n * sizeof *b->band0);
    ng_sim_plane_backward(&s->plane, b->work[0]);
    for (size_t i = 0; i < n; i++) {
        b->even[i] = b->work[0][i].re / (float)n;
    }
}

void ng_sim_bands_share(const ng_sim_search *s, ng_sim_bands *b)
{
    const size_t n = s->plane.width * s->plane.height;
    memcpy(b->band0, s->mean_spectrum, n * sizeof *b->band0);
    memcpy(b->even, s->mean, n * sizeof *b->even);
    b->noise0 = s->mean_noise;
}
