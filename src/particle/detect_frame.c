/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One frame: pieces of the mask, a disk fitted to the raw pixels of each, the mask drawn anew at
 * the level of the fit, shapes. */
#include "detector.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

/* A radius that comes out so much larger than the start is fitted again with more pixels. */
#define GROWN_PX 1.5
#define BLUR_LEAST_SIGNIFICANCE 8.0
/* So far the height may exceed the significance when both are weighed. */
#define MOST_HIGHER 0.5
enum { SWEEPS = 2 };

double ng_whole_blur(double blur_px)
{
    return sqrt(blur_px * blur_px + 1.0 / 12.0);
}

/* ---- making ------------------------------------------------------------------------------ */

void ng_detector_destroy(ng_detector *detector)
{
    if (detector == NULL) {
        return;
    }
    ng_spots_destroy(detector->spots);
    ng_raw_spots_destroy(detector->raw_spots);
    ng_disk_table_destroy(detector->own_table);
    ng_mask_work_free(&detector->mask);
    ng_free(detector->pixels.x);
    ng_free(detector->pixels.y);
    ng_free(detector->pixels.f);
    ng_free(detector->candidate);
    ng_free(detector->before);
    ng_free(detector->particle);
    ng_free(detector);
}

static bool allocate_pixels(ng_fit_pixels *p, size_t most)
{
    p->most = most;
    p->x = NG_NEW(float, most);
    p->y = NG_NEW(float, most);
    p->f = NG_NEW(float, most);
    return p->x != NULL && p->y != NULL && p->f != NULL;
}

ng_status ng_detector_create_with(const ng_disk_table *table, const ng_detect_choices *choices,
                                  size_t width, size_t height, ng_detector **out, ng_error *err)
{
    *out = NULL;
    ng_detector *d = NG_NEW(ng_detector, 1);
    if (d == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure frames");
    }
    d->table = table;
    d->choices = *choices;
    if (choices->options.kind == NG_DETECT_SPOT) {
        ng_status made = choices->spot.raw_frames > 0
                             ? ng_raw_spots_create(choices, width, height, &d->raw_spots, err)
                             : ng_spots_create(choices, width, height, &d->spots, err);
        if (made != NG_OK) {
            ng_detector_destroy(d);
            return made;
        }
        *out = d;
        return NG_OK;
    }
    d->blur = ng_whole_blur(choices->options.blur_px);
    ng_status status = ng_mask_work_create(&choices->options, width, height, &d->mask, err);
    if (status == NG_OK && !allocate_pixels(&d->pixels, width * height)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to measure frames of %zu x %zu pixels", width,
                         height);
    }
    if (status != NG_OK) {
        ng_detector_destroy(d);
        return status;
    }
    *out = d;
    return NG_OK;
}

ng_status ng_detector_create(const ng_detect_choices *choices, size_t width, size_t height,
                             ng_detector **out, ng_error *err)
{
    ng_disk_table *table = NULL;
    const bool disks = choices->options.kind == NG_DETECT_DISK;
    *out = NULL;
    ng_status status = disks ? ng_disk_table_create(&table, err) : NG_OK;
    if (status == NG_OK) {
        status = ng_detector_create_with(table, choices, width, height, out, err);
    }
    if (status == NG_OK) {
        (*out)->own_table = table;
    } else {
        ng_disk_table_destroy(table);
    }
    return status;
}

ng_status ng_detector_reserve(ng_detector *d, size_t n, ng_error *err)
{
    if (n <= d->room) {
        return NG_OK;
    }
    const size_t room = 2 * n;
    void *candidates = ng_realloc(d->candidate, room, sizeof *d->candidate);
    d->candidate = candidates != NULL ? candidates : d->candidate;
    void *before = ng_realloc(d->before, room, sizeof *d->before);
    d->before = before != NULL ? before : d->before;
    void *particles = ng_realloc(d->particle, room, sizeof *d->particle);
    d->particle = particles != NULL ? particles : d->particle;
    if (candidates == NULL || before == NULL || particles == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles in a frame", n);
    }
    d->room = room;
    return NG_OK;
}

/* ---- pixels of a fit --------------------------------------------------------------------- */

static ng_box box_around(const ng_detector *d, double x, double y, double reach)
{
    const double w = (double)d->mask.smooth.width, h = (double)d->mask.smooth.height;
    return (ng_box){.x0 = (size_t)fmax(0.0, ceil(x - reach)),
                    .y0 = (size_t)fmax(0.0, ceil(y - reach)),
                    .x1 = (size_t)fmax(0.0, fmin(w, floor(x + reach) + 1.0)),
                    .y1 = (size_t)fmax(0.0, fmin(h, floor(y + reach) + 1.0))};
}

void ng_candidate_note(ng_candidate *c, uint32_t neighbour)
{
    for (size_t k = 0; k < c->n_neighbours; k++) {
        if (c->neighbour[k] == neighbour) {
            return;
        }
    }
    if (c->n_neighbours < NG_MOST_NEIGHBOURS) {
        c->neighbour[c->n_neighbours++] = neighbour;
    }
}

/* Whether a pixel is within the reach of one of the first n disks. */
static bool is_within(const ng_patch *p, size_t n, size_t x, size_t y)
{
    for (size_t k = 0; k < n; k++) {
        const double dx = (double)x - p->x[k], dy = (double)y - p->y[k];
        if (dx * dx + dy * dy <= p->reach[k] * p->reach[k]) {
            return true;
        }
    }
    return false;
}

static bool is_own(const ng_patch *p, uint32_t label)
{
    size_t k = 0;
    while (k < p->n && p->own[k] != label) {
        k++;
    }
    return k < p->n;
}

/* Pixels of one row around disk k that no disk before it has. */
static void gather_row(ng_detector *d, const ng_image *raw, const ng_patch *patch, size_t k,
                       size_t y, ng_candidate *c)
{
    const double dy = (double)y - patch->y[k], left = patch->reach[k] * patch->reach[k] - dy * dy;
    const double half = sqrt(fmax(left, 0.0)), w = (double)raw->width;
    const size_t first = (size_t)fmax(0.0, ceil(patch->x[k] - half));
    const size_t end = (size_t)fmax(0.0, fmin(w, floor(patch->x[k] + half) + 1.0));
    const float sign = (float)d->choices.options.polarity, *f = raw->pixel + y * raw->width;
    const uint32_t *labels = d->mask.label + y * raw->width;
    ng_fit_pixels *p = &d->pixels;
    for (size_t x = first; x < end; x++) {
        const uint32_t label = labels[x];
        if (k > 0 && is_within(patch, k, x, y)) {
            continue;
        }
        if (label != 0 && !is_own(patch, label)) {
            ng_candidate_note(c, label);
            continue;
        }
        p->x[p->n] = (float)x;
        p->y[p->n] = (float)y;
        p->f[p->n++] = sign * f[x];
    }
}

void ng_detector_gather(ng_detector *detector, const ng_image *raw, const ng_patch *patch,
                        ng_candidate *c)
{
    detector->pixels.n = 0;
    for (size_t k = 0; k < patch->n; k++) {
        const ng_box box = box_around(detector, patch->x[k], patch->y[k], patch->reach[k]);
        for (size_t y = box.y0; y < box.y1; y++) {
            gather_row(detector, raw, patch, k, y, c);
        }
    }
}

void ng_detector_subtract(ng_detector *detector, const ng_candidate *c)
{
    const ng_detector *d = detector;
    const ng_fit_pixels *p = &d->pixels;
    ng_disk_row row;
    for (size_t k = 0; k < c->n_neighbours; k++) {
        const ng_candidate *other = &d->candidate[c->neighbour[k] - 1];
        const double *v = d->before[c->neighbour[k] - 1];
        if (!other->fitted || !other->keep) {
            continue;
        }
        ng_disk_table_row(d->table, v[NG_FIT_R] / d->blur, &row);
        for (size_t i = 0; i < p->n; i++) {
            const double rho = hypot((double)p->x[i] - v[NG_FIT_X], (double)p->y[i] - v[NG_FIT_Y]);
            const double u = (rho - v[NG_FIT_R]) / d->blur;
            p->f[i] -= (float)(v[NG_FIT_C] * ng_disk_row_D(&row, u));
        }
    }
}

static ng_patch patch_around(const ng_candidate *c, uint32_t own, double reach)
{
    return (ng_patch){.own = {own},
                      .x = {c->fit.value[NG_FIT_X]},
                      .y = {c->fit.value[NG_FIT_Y]},
                      .reach = {reach},
                      .n = 1};
}

/* ---- fitting ----------------------------------------------------------------------------- */

static double mean_over_piece(const ng_detector *d, const ng_image *raw, uint32_t own)
{
    const ng_piece *p = &d->mask.piece[own - 1];
    double sum = 0.0;
    for (size_t y = p->y0; y < p->y1; y++) {
        for (size_t x = p->x0; x < p->x1; x++) {
            const size_t i = y * raw->width + x;
            sum += d->mask.label[i] == own ? (double)raw->pixel[i] : 0.0;
        }
    }
    return (double)d->choices.options.polarity * sum / fmax((double)p->area, 1.0);
}

/* Values of the mask: where a fit starts, and what stands where none succeeds. */
static void start(ng_detector *d, const ng_image *raw, uint32_t own)
{
    const ng_piece *p = &d->mask.piece[own - 1];
    ng_candidate *c = &d->candidate[own - 1];
    const double sign = d->choices.options.form == NG_THRESHOLD_RELATIVE
                            ? (double)d->choices.options.polarity
                            : 0.0;
    *c = (ng_candidate){.start_r = sqrt((double)p->area / acos(-1.0)), .keep = true};
    c->fit.value[NG_FIT_X] = p->x;
    c->fit.value[NG_FIT_Y] = p->y;
    c->fit.value[NG_FIT_R] = c->start_r;
    c->fit.value[NG_FIT_B] = p->background + sign * d->choices.options.offset_counts;
    c->fit.value[NG_FIT_C] = mean_over_piece(d, raw, own) - c->fit.value[NG_FIT_B];
    c->noise = d->choices.noise;
}

/* Of a disk less than half of which is seen, any radius fits what noise leaves. */
static bool centre_is_seen(const ng_image *raw, const ng_disk_fit *fit)
{
    const double x = fit->value[NG_FIT_X] + 0.5, y = fit->value[NG_FIT_Y] + 0.5;
    return x >= 0.0 && y >= 0.0 && x <= (double)raw->width && y <= (double)raw->height;
}

static void fit_once(ng_detector *d, const ng_image *raw, uint32_t own, bool neighbours)
{
    ng_candidate *c = &d->candidate[own - 1];
    const double margin = NG_MARGIN_BLURS * d->blur + NG_MARGIN_PX;
    double reach = fmax(c->start_r, c->fit.value[NG_FIT_R]) + margin;
    c->fit.wants_shape = true;
    for (int again = 0; again < 2; again++) {
        const double x = c->fit.value[NG_FIT_X], y = c->fit.value[NG_FIT_Y];
        const ng_patch patch = patch_around(c, own, reach);
        ng_detector_gather(d, raw, &patch, c);
        if (neighbours) {
            ng_detector_subtract(d, c);
        }
        ng_disk_fit_run(d->table, d->blur, &d->pixels, reach, c->start_r + d->blur, &c->fit);
        const double away = hypot(c->fit.value[NG_FIT_X] - x, c->fit.value[NG_FIT_Y] - y);
        const double needed = c->fit.value[NG_FIT_R] + away + margin;
        if (!(needed > reach + GROWN_PX)) {
            break;
        }
        reach = needed;
    }
    const double left = c->fit.chi2 / fmax((double)c->fit.n - NG_FIT_N, 1.0);
    c->fitted = c->fit.converged && centre_is_seen(raw, &c->fit);
    c->noise = sqrt(left);
    c->significance = sqrt(fmax(c->fit.chi2_flat - c->fit.chi2, 0.0) / left);
}

static void fall_back(ng_detector *d, const ng_image *raw, uint32_t own)
{
    ng_candidate *c = &d->candidate[own - 1];
    const double significance = c->significance;
    start(d, raw, own);
    c->significance = significance;
}

void ng_detector_refit(ng_detector *detector, const ng_image *raw, uint32_t own)
{
    start(detector, raw, own);
    fit_once(detector, raw, own, true);
}

/* Height and significance see the same pixels through different weights: their mean tells particles
 * from noise better than either. A denoiser that leaves no noise must not vouch for a weak fit. */
static double evidence(const ng_detector *d, uint32_t own)
{
    const double significance = d->candidate[own - 1].significance;
    const double height = fmin((double)d->mask.piece[own - 1].peak, significance + MOST_HIGHER);
    return d->choices.options.form == NG_THRESHOLD_RELATIVE ? significance
                                                            : 0.5 * (height + significance);
}

static void fit_all(ng_detector *d, const ng_image *raw)
{
    const size_t n = d->mask.n;
    for (uint32_t own = 1; own <= n; own++) {
        ng_candidate *c = &d->candidate[own - 1];
        fit_once(d, raw, own, false);
        c->keep = !(evidence(d, own) < d->choices.options.min_contrast);
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t i = 0; i < n; i++) {
            memcpy(d->before[i], d->candidate[i].fit.value, sizeof d->before[i]);
        }
        for (uint32_t own = 1; own <= n; own++) {
            const ng_candidate *c = &d->candidate[own - 1];
            if (c->keep && c->n_neighbours > 0) {
                fit_once(d, raw, own, true);
            }
        }
    }
}

/* ---- the mask, drawn anew ---------------------------------------------------------------- */

/* What the smoothed image holds at the edge of the fitted disk. */
static double edge_level(const ng_detector *d, const ng_candidate *c)
{
    const ng_detect_options *o = &d->choices.options;
    const double smooth = o->denoise == NG_DENOISE_GAUSSIAN ? o->smooth_px : 0.0;
    const double blur = hypot(d->blur, smooth), R = c->fit.value[NG_FIT_R] / blur;
    return c->fit.value[NG_FIT_B] + c->fit.value[NG_FIT_C] * ng_disk_profile(R, R);
}

static void draw(ng_detector *d, uint32_t own, uint32_t label, ng_box *box)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const ng_piece *p = &d->mask.piece[own - 1];
    const double x0 = c->fit.value[NG_FIT_X], y0 = c->fit.value[NG_FIT_Y];
    const double r = c->fit.value[NG_FIT_R] + 0.5, level = edge_level(d, c);
    ng_box b = box_around(d, x0, y0, r);
    b = (ng_box){b.x0 < p->x0 ? b.x0 : p->x0, b.y0 < p->y0 ? b.y0 : p->y0,
                 b.x1 > p->x1 ? b.x1 : p->x1, b.y1 > p->y1 ? b.y1 : p->y1};
    *box = b;
    for (size_t y = b.y0; y < b.y1; y++) {
        for (size_t x = b.x0; x < b.x1; x++) {
            const size_t i = y * d->mask.smooth.width + x;
            const double dx = (double)x - x0, dy = (double)y - y0;
            const uint32_t was = d->mask.label[i];
            const bool near = was == own || (was == 0 && dx * dx + dy * dy <= r * r);
            const bool inside =
                c->fitted ? near && (double)d->mask.smooth.pixel[i] >= level : was == own;
            if (inside && d->mask.crop_label[i] == 0) {
                d->mask.crop_label[i] = label;
            }
        }
    }
}

/* ---- what leaves ------------------------------------------------------------------------- */

static bool is_saturated(const ng_detector *d, const ng_image *raw, uint32_t own)
{
    const ng_piece *p = &d->mask.piece[own - 1];
    const double least = d->choices.least, most = d->choices.most;
    for (size_t y = p->y0; !isnan(least) && y < p->y1; y++) {
        for (size_t x = p->x0; x < p->x1; x++) {
            const size_t i = y * raw->width + x;
            const double f = (double)raw->pixel[i];
            if (d->mask.label[i] == own && (f <= least || f >= most)) {
                return true;
            }
        }
    }
    return false;
}

bool ng_candidates_crowd(const ng_detector *detector, const ng_candidate *a, const ng_candidate *b)
{
    const double *p = a->fit.value, *q = b->fit.value;
    const double gap =
        hypot(p[NG_FIT_X] - q[NG_FIT_X], p[NG_FIT_Y] - q[NG_FIT_Y]) - p[NG_FIT_R] - q[NG_FIT_R];
    return a->keep && b->keep && gap < NG_CROWDED_BLURS * detector->blur;
}

static bool is_crowded(const ng_detector *d, const ng_candidate *c)
{
    size_t k = 0;
    while (k < c->n_neighbours && !ng_candidates_crowd(d, c, &d->candidate[c->neighbour[k] - 1])) {
        k++;
    }
    return k < c->n_neighbours;
}

static unsigned flags_of(const ng_detector *d, const ng_image *raw, uint32_t own)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const ng_piece *p = &d->mask.piece[own - 1];
    const double *v = c->fit.value, r = v[NG_FIT_R] + 0.5;
    const double w = (double)raw->width, h = (double)raw->height;
    const bool outside = v[NG_FIT_X] < r - 0.5 || v[NG_FIT_Y] < r - 0.5 || v[NG_FIT_X] > w - r ||
                         v[NG_FIT_Y] > h - r;
    unsigned flag = p->edge || outside ? NG_FLAG_EDGE : 0;
    flag |= is_crowded(d, c) ? NG_FLAG_CROWDED : 0;
    flag |= c->fitted ? 0 : NG_FLAG_NO_FIT;
    flag |= is_saturated(d, raw, own) ? NG_FLAG_SATURATED : 0;
    flag |= p->split ? NG_FLAG_SPLIT : 0;
    flag |= c->joint ? NG_FLAG_JOINT : 0;
    return flag;
}

/* Standard errors from the information matrix and the noise that the fit leaves; the intensity is
 * C pi r^2, whose error follows from those of C and r and their covariance. */
static void put_errors(const ng_candidate *c, double pixel_nm, ng_particle *out)
{
    double v[15];
    out->x_se_nm = out->y_se_nm = out->radius_se_nm = out->intensity_se = (double)NAN;
    if (!c->fitted || (!c->joint && !ng_disk_fit_covariance(c->fit.information, v))) {
        return;
    }
    memcpy(v, c->joint ? c->covariance : v, sizeof v);
    const double pi = acos(-1.0), r = c->fit.value[NG_FIT_R], C = c->fit.value[NG_FIT_C];
    const double by_r = 2.0 * pi * r * C, by_C = pi * r * r;
    const double variance = by_r * by_r * v[5] + 2.0 * by_r * by_C * v[8] + by_C * by_C * v[9];
    out->x_se_nm = c->noise * sqrt(v[0]) * pixel_nm;
    out->y_se_nm = c->noise * sqrt(v[2]) * pixel_nm;
    out->radius_se_nm = c->noise * sqrt(v[5]) * pixel_nm;
    out->intensity_se = c->noise * sqrt(variance);
}

static void put_particle(const ng_detector *d, const ng_candidate *c, const ng_shape *shape,
                         ng_particle *out)
{
    const double *v = c->fit.value, pixel_nm = d->choices.options.pixel_nm;
    const double r = v[NG_FIT_R], pi = acos(-1.0);
    out->x_nm = out->x_raw_nm = v[NG_FIT_X] * pixel_nm;
    out->y_nm = out->y_raw_nm = v[NG_FIT_Y] * pixel_nm;
    out->radius_nm = r * pixel_nm;
    out->area_nm2 = pi * r * r * pixel_nm * pixel_nm;
    out->contrast = v[NG_FIT_C];
    out->intensity = v[NG_FIT_C] * pi * r * r;
    out->background = v[NG_FIT_B] * (double)d->choices.options.polarity;
    out->snr = c->noise > 0.0 ? v[NG_FIT_C] / c->noise : (double)INFINITY;
    out->circularity = shape->circularity;
    out->solidity = shape->solidity;
    out->ellipse_ratio = shape->ellipse_ratio;
    out->edge_nm = c->fitted ? c->fit.edge_px * pixel_nm : (double)NAN;
    put_errors(c, pixel_nm, out);
}

static size_t finish(ng_detector *d, const ng_image *raw)
{
    const size_t width = raw->width;
    size_t n = 0;
    memset(d->mask.crop_label, 0, width * raw->height * sizeof *d->mask.crop_label);
    for (uint32_t own = 1; own <= d->mask.n; own++) {
        const ng_candidate *c = &d->candidate[own - 1];
        if (c->keep) {
            ng_box box;
            const uint32_t label = (uint32_t)++n;
            draw(d, own, label, &box);
            const ng_shape shape = ng_shape_of(d->mask.crop_label, width, box, label, d->mask.line);
            ng_particle *out = &d->particle[n - 1];
            *out = (ng_particle){.track = -1, .particle = (long)n};
            put_particle(d, c, &shape, out);
            out->flag = flags_of(d, raw, own);
        }
    }
    return n;
}

void ng_detector_flux(ng_detector *detector, const ng_image *mean)
{
    detector->flux = mean;
}

void ng_detector_raw(ng_detector *detector, const float *frames, size_t set)
{
    detector->raw = frames;
    detector->raw_set = set;
}

ng_status ng_detector_measure(ng_detector *detector, const ng_image *const *window, size_t n,
                              size_t centre, ng_detect_frame *out, ng_error *err)
{
    ng_detector *d = detector;
    const ng_image *raw = window[centre];
    if (d->raw_spots != NULL) {
        ng_status status = ng_raw_spots_measure(d->raw_spots, d->raw, d->raw_set, out, err);
        out->pixel = raw->pixel;
        return status;
    }
    if (d->spots != NULL) {
        return ng_spots_measure(d->spots, window, n, centre, d->flux, out, err);
    }
    *out = (ng_detect_frame){.width = raw->width, .height = raw->height, .pixel = raw->pixel};
    ng_status status = ng_mask_find(&d->mask, &d->choices, window, n, centre, err);
    if (status == NG_OK) {
        status = ng_detector_reserve(d, d->mask.n, err);
    }
    if (status != NG_OK) {
        return status;
    }
    for (uint32_t own = 1; own <= d->mask.n; own++) {
        start(d, raw, own);
    }
    if (d->choices.options.fit) {
        fit_all(d, raw);
        status = ng_detector_joint(d, raw, err);
    }
    if (status != NG_OK) {
        return status;
    }
    for (uint32_t own = 1; d->choices.options.fit && own <= d->mask.n; own++) {
        if (!d->candidate[own - 1].fitted) {
            fall_back(d, raw, own);
        }
    }
    out->n = finish(d, raw);
    out->particle = d->particle;
    out->label = d->mask.crop_label;
    return NG_OK;
}

/* ---- for the choice of options ----------------------------------------------------------- */

double ng_detector_peaks(const ng_detector *detector, double least)
{
    double sum = 0.0;
    for (size_t i = 0; i < detector->mask.n; i++) {
        const double peak = (double)detector->mask.piece[i].peak;
        sum += peak >= least ? peak * peak : 0.0;
    }
    return sum;
}

/* Weak disks say nothing of the blur, and crowded ones something wrong. */
static bool tells_blur(const ng_detector *d, uint32_t own)
{
    const ng_candidate *c = &d->candidate[own - 1];
    const ng_piece *p = &d->mask.piece[own - 1];
    return c->keep && c->fitted && c->n_neighbours == 0 && !p->edge && !p->split &&
           c->significance >= BLUR_LEAST_SIGNIFICANCE;
}

static void simulate(ng_detector *d, const ng_candidate *c, double most_r,
                     const ng_blur_trial *trial)
{
    ng_disk_fit fit = c->fit;
    ng_disk_fit_run(d->table, trial->truth, &d->pixels, most_r, c->start_r, &fit);
    ng_disk_fit_draw(d->table, trial->truth, fit.value, &d->pixels);
    for (size_t k = 0; k < d->pixels.n; k++) {
        d->pixels.f[k] += (float)gsl_ran_gaussian_ziggurat(trial->rng, c->noise);
    }
}

void ng_detector_blur_costs(ng_detector *detector, const ng_image *raw, const double *blur,
                            size_t n, const ng_blur_trial *trial, double *cost, size_t *used)
{
    ng_detector *d = detector;
    for (uint32_t own = 1; own <= d->mask.n; own++) {
        if (!tells_blur(d, own)) {
            continue;
        }
        ng_candidate c = d->candidate[own - 1];
        const double r = c.fit.value[NG_FIT_R];
        const double most_r = r + NG_MARGIN_BLURS * blur[n - 1] + NG_MARGIN_PX;
        const ng_patch patch = patch_around(&c, own, fmin(most_r, 2.0 * r + 12.0));
        ng_detector_gather(d, raw, &patch, &c);
        if (trial != NULL) {
            simulate(d, &c, most_r, trial);
        }
        for (size_t k = 0; k < n; k++) {
            ng_disk_fit fit = c.fit;
            fit.wants_shape = false;
            ng_disk_fit_run(d->table, blur[k], &d->pixels, most_r, c.start_r, &fit);
            cost[k] += fit.chi2 / (c.noise * c.noise);
        }
        *used += 1;
    }
}
