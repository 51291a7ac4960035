/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a frame to pieces: denoise, threshold against the surroundings, components, watershed. */
#include "detect_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Pixels that stand out so far, and their neighbours, do not count as background. Of smoothed noise
 * (0.5 to 5 px) this leaves out some as well: the mean of the rest is low by 0.11 and its s.d. is
 * 0.905 of the whole, each to 0.02. */
#define BACKGROUND_LEVEL 2.0
#define BACKGROUND_MEAN 0.11
#define BACKGROUND_SD 0.905
/* Smoothing a constant leaves no noise but this share of it. */
#define ROUNDING (4.0f * FLT_EPSILON)
/* Noise varies more slowly than the mean: its s.d. is averaged over so many windows around. */
#define WINDOWS_AROUND 1
/* Peaks of the distance that stand out less belong together, in px and as a share. */
#define SPLIT_DEPTH_PX 0.75
#define SPLIT_SHARE 0.25
/* The tails of clear neighbours flow together: of each component only what reaches this share
 * of its own height counts. */
#define LEVEL_OF_TOP 0.35
/* Smaller components, and those that fill a squarish box, are not divided. */
#define SPLIT_LEAST_PX 16
#define COMPACT_FILL 0.68
#define COMPACT_ASPECT 1.4

/* ---- memory ------------------------------------------------------------------------------ */

static bool allocate(ng_mask_work *w, size_t width, size_t height)
{
    const size_t n = width * height;
    w->mask = NG_NEW(unsigned char, n);
    w->skip = NG_NEW(unsigned char, n);
    w->label = NG_NEW(uint32_t, n);
    w->crop_label = NG_NEW(uint32_t, n);
    w->order = NG_NEW(uint32_t, n + n / 2 + 2);
    w->parent = NG_NEW(uint32_t, n + 1);
    w->line = NG_NEW(float, NG_LINE(width, height));
    return w->mask != NULL && w->skip != NULL && w->label != NULL && w->crop_label != NULL &&
           w->order != NULL && w->parent != NULL && w->line != NULL;
}

ng_status ng_mask_work_create(const ng_detect_options *options, size_t width, size_t height,
                              ng_mask_work *work, ng_error *err)
{
    ng_image *const image[] = {&work->smooth, &work->mean, &work->sd, &work->scratch[0],
                               &work->scratch[1]};
    *work = (ng_mask_work){.n = 0};
    if (width > 0 && height > UINT32_MAX / 2 / width) {
        return NG_FAIL(err, NG_INVALID, "frames of %zu x %zu pixels are too large to measure",
                       width, height);
    }
    ng_status status =
        ng_local_create(width, height, (size_t)options->window_px, &work->local, err);
    if (status == NG_OK && options->form == NG_THRESHOLD_RELATIVE) {
        status = ng_integral_create(width, height, &work->integral, err);
    }
    for (size_t i = 0; status == NG_OK && i < sizeof image / sizeof image[0]; i++) {
        status = ng_image_create(width, height, image[i], err);
    }
    if (status == NG_OK && !allocate(work, width, height)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to measure frames of %zu x %zu pixels", width,
                         height);
    }
    if (status != NG_OK) {
        ng_mask_work_free(work);
    }
    return status;
}

void ng_mask_work_free(ng_mask_work *work)
{
    ng_image_free(&work->smooth);
    ng_image_free(&work->mean);
    ng_image_free(&work->sd);
    ng_image_free(&work->scratch[0]);
    ng_image_free(&work->scratch[1]);
    ng_integral_free(&work->integral);
    ng_local_destroy(work->local);
    ng_free(work->mask);
    ng_free(work->skip);
    ng_free(work->label);
    ng_free(work->crop_label);
    ng_free(work->order);
    ng_free(work->parent);
    ng_free(work->line);
    ng_free(work->piece);
    *work = (ng_mask_work){.n = 0};
}

/* ---- smoothing --------------------------------------------------------------------------- */

static const ng_image *averaged(ng_mask_work *w, const ng_detect_options *o,
                                const ng_image *const *window, size_t n, size_t centre)
{
    if (o->average_frames <= 1) {
        return window[centre];
    }
    const size_t half = (size_t)o->average_frames / 2;
    const size_t first = centre > half ? centre - half : 0;
    const size_t last = centre + half < n ? centre + half : n - 1;
    ng_image_mean(window + first, last - first + 1, &w->sd);
    return &w->sd;
}

static void denoise(ng_mask_work *w, const ng_detect_options *o, const ng_image *const *window,
                    size_t n, size_t centre, double noise)
{
    const ng_image *in = averaged(w, o, window, n, centre);
    const ng_perona_malik diffusion = ng_perona_malik_defaults(noise);
    const ng_nl_means means = ng_nl_means_defaults(noise);
    switch (o->denoise) {
    case NG_DENOISE_NONE:
        ng_image_gaussian(in, 0.0, &w->scratch[0], &w->smooth);
        break;
    case NG_DENOISE_GAUSSIAN:
        ng_image_gaussian(in, o->smooth_px, &w->scratch[0], &w->smooth);
        break;
    case NG_DENOISE_MEDIAN:
        ng_image_median(in, (int)o->smooth_px, &w->smooth);
        break;
    case NG_DENOISE_PERONA_MALIK:
        ng_image_perona_malik(in, &diffusion, &w->scratch[0], &w->smooth);
        break;
    case NG_DENOISE_NL_MEANS:
        ng_image_nl_means(window, n, centre, &means, w->scratch, &w->smooth);
        break;
    }
}

/* ---- threshold --------------------------------------------------------------------------- */

NG_VECTOR_CLONES static void turn(ng_image *image, double factor, double offset)
{
    const size_t n = image->width * image->height;
    const float a = (float)factor, b = (float)(factor * offset);
    for (size_t i = 0; i < n; i++) {
        image->pixel[i] = a * image->pixel[i] - b;
    }
}

NG_VECTOR_CLONES static void over_level(const ng_mask_work *w, float level, unsigned char *mask)
{
    const size_t n = w->smooth.width * w->smooth.height;
    const float *f = w->smooth.pixel, *m = w->mean.pixel, *sd = w->sd.pixel;
    for (size_t i = 0; i < n; i++) {
        mask[i] = f[i] - m[i] > level * sd[i];
    }
}

/* A pixel beside one that stands out is no background either. */
NG_VECTOR_CLONES static void widen(const unsigned char *in, size_t width, size_t height,
                                   unsigned char *out)
{
    memcpy(out, in, width * height);
    for (size_t i = 1; i < width * height; i++) {
        out[i] |= in[i - 1];
        out[i - 1] |= in[i];
    }
    for (size_t i = width; i < width * height; i++) {
        out[i] |= in[i - width];
        out[i - width] |= in[i];
    }
}

NG_VECTOR_CLONES static void make_whole(ng_mask_work *w)
{
    const size_t n = w->smooth.width * w->smooth.height;
    const float scale = (float)(1.0 / BACKGROUND_SD), shift = (float)BACKGROUND_MEAN;
    float *m = w->mean.pixel, *sd = w->sd.pixel;
    for (size_t i = 0; i < n; i++) {
        const float whole = scale * sd[i], least = ROUNDING * fabsf(m[i]);
        sd[i] = whole > least ? whole : least;
        m[i] += shift * sd[i];
    }
}

/* Mean and s.d. of the background alone: what stands out at first is left out the second time. */
static void threshold_by_sigma(ng_mask_work *w, const ng_detect_choices *c)
{
    turn(&w->smooth, (double)c->options.polarity, 0.0);
    ng_local_moments(w->local, &w->smooth, NULL, 0, &w->mean, &w->sd);
    over_level(w, (float)BACKGROUND_LEVEL, w->mask);
    widen(w->mask, w->smooth.width, w->smooth.height, w->skip);
    ng_local_moments(w->local, &w->smooth, w->skip, WINDOWS_AROUND, &w->mean, &w->sd);
    make_whole(w);
    over_level(w, (float)c->level, w->mask);
}

static void threshold_relative(ng_mask_work *w, const ng_detect_choices *c)
{
    const ng_detect_options *o = &c->options;
    const ng_threshold how = {
        .polarity = o->polarity, .window_px = (size_t)o->window_px, .t = o->t};
    turn(&w->smooth, 1.0, o->offset_counts);
    ng_integral_fill(&w->integral, &w->smooth, NULL);
    ng_image_threshold(&w->smooth, &w->integral, &how, w->mask);
    ng_local_moments(w->local, &w->smooth, NULL, 0, &w->mean, &w->sd);
    turn(&w->smooth, (double)o->polarity, 0.0);
    turn(&w->mean, (double)o->polarity, 0.0);
}

/* ---- pieces ------------------------------------------------------------------------------ */

static ng_status make_room(ng_mask_work *w, size_t n, ng_error *err)
{
    if (n <= w->room) {
        return NG_OK;
    }
    ng_piece *more = ng_realloc(w->piece, 2 * n, sizeof *more);
    if (more == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles in a frame", n);
    }
    w->piece = more;
    w->room = 2 * n;
    return NG_OK;
}

static void enclose(ng_piece *p, size_t x, size_t y)
{
    p->x0 = x < p->x0 ? x : p->x0;
    p->y0 = y < p->y0 ? y : p->y0;
    p->x1 = x + 1 > p->x1 ? x + 1 : p->x1;
    p->y1 = y + 1 > p->y1 ? y + 1 : p->y1;
    p->area++;
}

static void add_to_piece(ng_piece *p, size_t x, size_t y, float above, float sd)
{
    const float height = sd > 0.0f ? above / sd : 0.0f;
    enclose(p, x, y);
    p->x += (double)x;
    p->y += (double)y;
    p->peak = height > p->peak ? height : p->peak;
    p->top = above > p->top ? above : p->top;
}

static void conclude_piece(const ng_mask_work *w, ng_piece *p)
{
    const size_t width = w->smooth.width, height = w->smooth.height;
    const double n = p->area > 0 ? (double)p->area : 1.0; /* a part may be a hole's alone */
    p->x /= n;
    p->y /= n;
    p->edge = p->x0 == 0 || p->y0 == 0 || p->x1 == width || p->y1 == height;
    p->background = (double)w->mean.pixel[(size_t)(p->y + 0.5) * width + (size_t)(p->x + 0.5)];
}

/* The first pixel of a piece from `at` on: most belong to none, and are passed by fours. */
static inline size_t next_label(const uint32_t *label, size_t at, size_t end)
{
    while (at < end && label[at] == 0) {
        at++;
        while (at + 4 <= end && (label[at] | label[at + 1] | label[at + 2] | label[at + 3]) == 0) {
            at += 4;
        }
    }
    return at < end ? at : end;
}

static void measure_components(ng_mask_work *w)
{
    const size_t width = w->smooth.width, height = w->smooth.height;
    for (size_t k = 0; k < w->n; k++) {
        w->piece[k] = (ng_piece){.x0 = width, .y0 = height};
    }
    for (size_t y = 0; y < height; y++) {
        const uint32_t *label = w->label + y * width;
        for (size_t x = next_label(label, 0, width); x < width;
             x = next_label(label, x + 1, width)) {
            const size_t i = y * width + x;
            const float above = w->smooth.pixel[i] - w->mean.pixel[i];
            add_to_piece(&w->piece[label[x] - 1], x, y, above, w->sd.pixel[i]);
        }
    }
}

ng_status ng_mask_divide(ng_mask_work *work, uint32_t own, const double first[3],
                         const double second[3], ng_error *err)
{
    const size_t width = work->smooth.width;
    ng_status status = make_room(work, work->n + 1, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_piece whole = work->piece[own - 1], none = {.x0 = width, .y0 = work->smooth.height};
    ng_piece *const part[2] = {&work->piece[own - 1], &work->piece[work->n]};
    *part[0] = *part[1] = none;
    for (size_t y = whole.y0; y < whole.y1; y++) {
        for (size_t x = whole.x0; x < whole.x1; x++) {
            const size_t i = y * width + x;
            if (work->label[i] == own) {
                const double a = hypot((double)x - first[0], (double)y - first[1]) - first[2];
                const double b = hypot((double)x - second[0], (double)y - second[1]) - second[2];
                const float above = work->smooth.pixel[i] - work->mean.pixel[i];
                add_to_piece(part[b < a], x, y, above, work->sd.pixel[i]);
                work->label[i] = b < a ? (uint32_t)work->n + 1 : own;
            }
        }
    }
    work->n++;
    for (size_t k = 0; k < 2; k++) {
        part[k]->split = true;
        if (part[k]->area > 0) {
            conclude_piece(work, part[k]);
        }
    }
    return NG_OK;
}

void ng_mask_unite(ng_mask_work *work, uint32_t own, uint32_t other)
{
    ng_piece *whole = &work->piece[own - 1], *part = &work->piece[other - 1];
    const double a = (double)whole->area, b = (double)part->area;
    for (size_t y = part->y0; y < part->y1; y++) {
        for (size_t x = part->x0; x < part->x1; x++) {
            uint32_t *label = &work->label[y * work->smooth.width + x];
            *label = *label == other ? own : *label;
        }
    }
    whole->x0 = part->x0 < whole->x0 ? part->x0 : whole->x0;
    whole->y0 = part->y0 < whole->y0 ? part->y0 : whole->y0;
    whole->x1 = part->x1 > whole->x1 ? part->x1 : whole->x1;
    whole->y1 = part->y1 > whole->y1 ? part->y1 : whole->y1;
    whole->x = (a * whole->x + b * part->x) / (a + b);
    whole->y = (a * whole->y + b * part->y) / (a + b);
    whole->area += part->area;
    whole->edge = whole->edge || part->edge;
    whole->peak = whole->peak > part->peak ? whole->peak : part->peak;
    whole->split = false;
}

static bool is_conspicuous(const ng_piece *p, const ng_detect_options *o)
{
    return (double)p->area >= o->min_area_px &&
           (o->form == NG_THRESHOLD_RELATIVE || (double)p->peak >= o->c);
}

/* One disk fills pi/4 of its box, which is nearly a square; two fill less, or a longer one. */
static bool is_compact(const ng_piece *p)
{
    const double width = (double)(p->x1 - p->x0), height = (double)(p->y1 - p->y0);
    return p->area < SPLIT_LEAST_PX ||
           ((double)p->area >= COMPACT_FILL * width * height &&
            fmax(width, height) <= COMPACT_ASPECT * fmin(width, height));
}

/* The pixels of a component that reach a share of its height, and their area and box. */
static ng_piece take_crop(const ng_mask_work *w, const ng_piece *p, uint32_t own,
                          unsigned char *crop)
{
    const float least = (float)LEVEL_OF_TOP * p->top;
    ng_piece kept = {.x0 = p->x1, .y0 = p->y1};
    for (size_t y = p->y0, i = 0; y < p->y1; y++) {
        const size_t row = y * w->smooth.width;
        for (size_t x = p->x0; x < p->x1; x++, i++) {
            const bool high = w->smooth.pixel[row + x] - w->mean.pixel[row + x] >= least;
            crop[i] = w->label[row + x] == own && high;
            if (crop[i] != 0) {
                enclose(&kept, x, y);
            }
        }
    }
    return kept;
}

/* Fill holes and divide one component; returns the number of parts, in work->crop_label. */
static uint32_t divide(ng_mask_work *w, const ng_piece *p, uint32_t own, bool split)
{
    const size_t width = p->x1 - p->x0, height = p->y1 - p->y0;
    unsigned char *crop = w->skip;
    const ng_piece kept = take_crop(w, p, own, crop);
    ng_fill_holes(crop, width, height, p->area, w->order);
    if (!split || is_compact(&kept)) {
        for (size_t i = 0; i < width * height; i++) {
            w->crop_label[i] = crop[i];
        }
        return 1;
    }
    ng_distance(crop, width, height, w->line, w->scratch[0].pixel);
    return ng_watershed(w->scratch[0].pixel, crop, width, height, SPLIT_DEPTH_PX, SPLIT_SHARE,
                        w->order, w->parent, w->crop_label);
}

/* Parts take their labels, from `first` + 1 on, and are measured. */
static void put_crop(ng_mask_work *w, const ng_piece *p, uint32_t own, uint32_t first)
{
    for (size_t y = p->y0, i = 0; y < p->y1; y++) {
        for (size_t x = p->x0; x < p->x1; x++, i++) {
            const size_t at = y * w->smooth.width + x;
            if (w->crop_label[i] != 0 && (w->label[at] == own || w->label[at] == 0)) {
                const float above = w->smooth.pixel[at] - w->mean.pixel[at];
                w->label[at] = first + w->crop_label[i];
                add_to_piece(&w->piece[w->label[at] - 1], x, y, above, w->sd.pixel[at]);
            }
        }
    }
}

/* Pieces have labels beyond those of the components; what is dropped becomes 0. */
NG_VECTOR_CLONES static void renumber(uint32_t *label, size_t n, uint32_t components)
{
    for (size_t i = 0; i < n; i++) {
        label[i] = label[i] > components ? label[i] - components : 0;
    }
}

/* Components become pieces, in their order. */
static ng_status cut(ng_mask_work *w, uint32_t components, const ng_detect_options *o,
                     ng_error *err)
{
    const ng_piece none = {.x0 = w->smooth.width, .y0 = w->smooth.height};
    uint32_t pieces = 0;
    for (uint32_t own = 1; own <= components; own++) {
        const ng_piece p = w->piece[own - 1];
        if (!is_conspicuous(&p, o)) {
            continue;
        }
        const uint32_t parts = divide(w, &p, own, o->split), first = components + pieces;
        ng_status status = make_room(w, (size_t)first + parts, err);
        if (status != NG_OK) {
            return status;
        }
        for (uint32_t k = 0; k < parts; k++) {
            w->piece[first + k] = none;
            w->piece[first + k].split = parts > 1;
        }
        put_crop(w, &p, own, first);
        pieces += parts;
    }
    if (pieces > 0) {
        memmove(w->piece, w->piece + components, pieces * sizeof *w->piece);
    }
    w->n = pieces;
    for (uint32_t k = 0; k < pieces; k++) {
        conclude_piece(w, &w->piece[k]);
    }
    renumber(w->label, w->smooth.width * w->smooth.height, components);
    return NG_OK;
}

ng_status ng_mask_find(ng_mask_work *work, const ng_detect_choices *choices,
                       const ng_image *const *window, size_t n, size_t centre, ng_error *err)
{
    const ng_detect_options *o = &choices->options;
    const size_t width = work->smooth.width, height = work->smooth.height;
    denoise(work, o, window, n, centre, choices->noise);
    if (o->form == NG_THRESHOLD_RELATIVE) {
        threshold_relative(work, choices);
    } else {
        threshold_by_sigma(work, choices);
    }
    const uint32_t components =
        ng_components(work->mask, width, height, true, work->order, work->label);
    ng_status status = make_room(work, components, err);
    if (status != NG_OK) {
        return status;
    }
    work->n = components;
    measure_components(work);
    return cut(work, components, o, err);
}
