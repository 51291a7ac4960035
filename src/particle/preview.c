/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/detect.h>

#include <math.h>
#include <string.h>

/* The whole sheet stays near this size, by showing pixels larger or leaving some out. */
#define SHEET_PIXELS 1.6e7
#define GAP 4
#define SPOT_RADIUS 4.0 /* spots have none */
enum { MOST_ZOOM = 8, SAMPLE = 4096, DIGIT_WIDTH = 3, DIGIT_HEIGHT = 5 };

typedef struct colour {
    unsigned char r, g, b;
} colour;

static const colour fitted = {40, 255, 80}, flagged = {255, 150, 30}, outline = {240, 230, 60};
static const colour writing = {255, 255, 255};

struct ng_preview {
    size_t width, height, first, last, tiles, columns, rows, taken;
    double zoom; /* sheet pixels per pixel */
    size_t tile_width, tile_height, sheet_width, sheet_height;
    unsigned char *rgb;
};

static double zoom_for(size_t width, size_t height, size_t tiles)
{
    const double zoom = sqrt(SHEET_PIXELS / ((double)tiles * (double)width * (double)height));
    return zoom >= MOST_ZOOM ? MOST_ZOOM : zoom >= 1.0 ? floor(zoom) : 1.0 / ceil(1.0 / zoom);
}

ng_status ng_preview_create(size_t width, size_t height, size_t first, size_t last, size_t tiles,
                            ng_preview **out, ng_error *err)
{
    *out = NULL;
    ng_preview *p = NG_NEW(ng_preview, 1);
    if (p == NULL || width == 0 || height == 0 || tiles == 0 || last < first) {
        ng_free(p);
        return NG_FAIL(err, p == NULL ? NG_MEMORY : NG_INVALID, "no preview of %zu frames", tiles);
    }
    p->width = width;
    p->height = height;
    p->first = first;
    p->last = last;
    p->tiles = tiles < last - first + 1 ? tiles : last - first + 1;
    p->columns = (size_t)ceil(sqrt((double)p->tiles));
    p->rows = (p->tiles + p->columns - 1) / p->columns;
    p->zoom = zoom_for(width, height, p->tiles);
    p->tile_width = (size_t)ceil(p->zoom * (double)width);
    p->tile_height = (size_t)ceil(p->zoom * (double)height);
    p->sheet_width = p->columns * (p->tile_width + GAP) - GAP;
    p->sheet_height = p->rows * (p->tile_height + GAP) - GAP;
    p->rgb = NG_NEW(unsigned char, 3 * p->sheet_width * p->sheet_height);
    if (p->rgb == NULL) {
        ng_free(p);
        return NG_FAIL(err, NG_MEMORY, "no memory for a preview of %zu frames", tiles);
    }
    *out = p;
    return NG_OK;
}

void ng_preview_destroy(ng_preview *preview)
{
    if (preview != NULL) {
        ng_free(preview->rgb);
        ng_free(preview);
    }
}

/* ---- drawing ----------------------------------------------------------------------------- */

/* One tile: where it lies on the sheet. */
typedef struct tile {
    const ng_preview *sheet;
    unsigned char *rgb;
    size_t width, height;
} tile;

static void blend(const tile *t, ptrdiff_t x, ptrdiff_t y, colour c, double share)
{
    if (x < 0 || y < 0 || x >= (ptrdiff_t)t->width || y >= (ptrdiff_t)t->height || !(share > 0.0)) {
        return;
    }
    unsigned char *at = t->rgb + 3 * ((size_t)y * t->sheet->sheet_width + (size_t)x);
    const double value[3] = {c.r, c.g, c.b};
    for (size_t k = 0; k < 3; k++) {
        at[k] = (unsigned char)(at[k] + share * (value[k] - at[k]) + 0.5);
    }
}

static size_t source_of(double zoom, size_t at, size_t n)
{
    const size_t i = (size_t)(((double)at + 0.5) / zoom);
    return i < n ? i : n - 1;
}

static void draw_pixels(const tile *t, const ng_detect_frame *f)
{
    float sample[SAMPLE];
    const size_t total = f->width * f->height, step = total / SAMPLE + 1;
    size_t n = 0;
    for (size_t i = 0; i < total; i += step) {
        sample[n++] = f->pixel[i];
    }
    const double low = (double)ng_select(sample, n, n / 200);
    const double high = (double)ng_select(sample, n, n - 1 - n / 200);
    const double scale = high > low ? 255.0 / (high - low) : 0.0;
    for (size_t y = 0; y < t->height; y++) {
        const size_t row = source_of(t->sheet->zoom, y, f->height) * f->width;
        for (size_t x = 0; x < t->width; x++) {
            const double v = (double)f->pixel[row + source_of(t->sheet->zoom, x, f->width)];
            const double grey = fmin(fmax((v - low) * scale, 0.0), 255.0);
            memset(t->rgb + 3 * (y * t->sheet->sheet_width + x), (int)grey, 3);
        }
    }
}

/* Where the label changes between sheet pixels. */
static void draw_outlines(const tile *t, const ng_detect_frame *f)
{
    const double zoom = t->sheet->zoom;
    for (size_t y = 0; y + 1 < t->height; y++) {
        const size_t row = source_of(zoom, y, f->height) * f->width;
        const size_t below = source_of(zoom, y + 1, f->height) * f->width;
        for (size_t x = 0; x + 1 < t->width; x++) {
            const size_t column = source_of(zoom, x, f->width);
            const uint32_t here = f->label[row + column];
            if (here != f->label[row + source_of(zoom, x + 1, f->width)] ||
                here != f->label[below + column]) {
                blend(t, (ptrdiff_t)x, (ptrdiff_t)y, outline, 0.45);
            }
        }
    }
}

static void draw_circle(const tile *t, double x, double y, double r, colour c)
{
    const double width = t->sheet->zoom >= 3.0 ? 2.0 : 1.0;
    const ptrdiff_t left = (ptrdiff_t)floor(x - r - 1.0), right = (ptrdiff_t)ceil(x + r + 1.0);
    const ptrdiff_t top = (ptrdiff_t)floor(y - r - 1.0), bottom = (ptrdiff_t)ceil(y + r + 1.0);
    for (ptrdiff_t j = top; j <= bottom; j++) {
        for (ptrdiff_t i = left; i <= right; i++) {
            const double away = fabs(hypot((double)i - x, (double)j - y) - r);
            blend(t, i, j, c, width - away);
        }
    }
}

static void draw_number(const tile *t, size_t number)
{
    /* Three columns and five rows a digit, the top left pixel in the highest bit. */
    static const unsigned digit[10] = {075557, 026227, 071747, 071717, 055711,
                                       074717, 074757, 071111, 075757, 075717};
    char text[24];
    const int size = 3;
    snprintf(text, sizeof text, "%zu", number);
    for (size_t k = 0; text[k] != '\0'; k++) {
        const unsigned bits = digit[text[k] - '0'];
        for (int i = 0; i < DIGIT_WIDTH * DIGIT_HEIGHT * size * size; i++) {
            const int x = i % (DIGIT_WIDTH * size), y = i / (DIGIT_WIDTH * size);
            const int bit = DIGIT_WIDTH * DIGIT_HEIGHT - 1 - (y / size * DIGIT_WIDTH + x / size);
            const ptrdiff_t at = 5 + (ptrdiff_t)k * (DIGIT_WIDTH + 1) * size + x;
            blend(t, at, 5 + y, writing, (bits >> bit) & 1u ? 1.0 : 0.0);
        }
    }
}

/* ---- the call ---------------------------------------------------------------------------- */

static bool is_next(const ng_preview *p, size_t frame)
{
    const double span = (double)(p->last - p->first);
    const double step = p->tiles > 1 ? span / (double)(p->tiles - 1) : 0.0;
    return p->taken < p->tiles && frame == p->first + (size_t)(step * (double)p->taken + 0.5);
}

void ng_preview_add(ng_preview *preview, const ng_detect_frame *frame, double pixel_nm)
{
    ng_preview *p = preview;
    if (!is_next(p, frame->frame)) {
        return;
    }
    const size_t column = p->taken % p->columns, row = p->taken / p->columns;
    const size_t x0 = column * (p->tile_width + GAP), y0 = row * (p->tile_height + GAP);
    const tile t = {p, p->rgb + 3 * (y0 * p->sheet_width + x0), p->tile_width, p->tile_height};
    draw_pixels(&t, frame);
    draw_outlines(&t, frame);
    for (size_t i = 0; i < frame->n; i++) {
        const ng_particle *q = &frame->particle[i];
        const double x = (q->x_raw_nm / pixel_nm + 0.5) * p->zoom - 0.5;
        const double y = (q->y_raw_nm / pixel_nm + 0.5) * p->zoom - 0.5;
        const double r = isnan(q->radius_nm) ? SPOT_RADIUS : q->radius_nm / pixel_nm;
        draw_circle(&t, x, y, r * p->zoom, q->flag != 0 ? flagged : fitted);
    }
    draw_number(&t, frame->frame);
    p->taken++;
}

ng_status ng_preview_write(const ng_preview *preview, const char *path, bool force, ng_error *err)
{
    return ng_png_write(path, preview->rgb, preview->sheet_width, preview->sheet_height, force,
                        err);
}
