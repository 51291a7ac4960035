/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "tiff_handle.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* One strip a page, no compression: ImageJ, Fiji and Python open it without plugins. */

#define CLASSIC_BYTES UINT64_C(4000000000)
#define DIRECTORY_BYTES 512
#define DESCRIPTION_BYTES 320

struct ng_stack {
    ng_stack_format format;
    char *name;        /* owned */
    ng_output *output; /* owned */
    ng_tiff_handle handle;
    size_t written;
    unsigned char *row; /* owned: one frame as samples */
};

static size_t sample_bytes(ng_sample sample)
{
    return sample == NG_SAMPLE_UINT8 ? 1 : sample == NG_SAMPLE_UINT16 ? 2 : 4;
}

static ng_status check_format(const char *path, const ng_stack_format *f, ng_error *err)
{
    if (f->width == 0 || f->height == 0 || f->frames == 0 || f->width > UINT32_MAX ||
        f->height > UINT32_MAX || f->width > UINT32_MAX / 4 / f->height) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: a stack of %zu frames of %zu x %zu pixels cannot be "
                       "written",
                       path, f->frames, f->width, f->height);
    }
    return NG_OK;
}

static ng_status open_output(ng_stack *s, bool force, ng_error *err)
{
    if (strcmp(s->name, "-") == 0) {
        return NG_FAIL(err, NG_USAGE, "a TIFF cannot be written to standard output; name a file");
    }
    ng_status status = ng_output_open(s->name, force, &s->output, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_stack_format *f = &s->format;
    uint64_t frame = f->width * f->height * sample_bytes(f->sample) + DIRECTORY_BYTES;
    bool big = frame > CLASSIC_BYTES / f->frames;
    int descriptor = fileno(ng_output_stream(s->output));
    if (lseek(descriptor, 0, SEEK_SET) < 0) {
        return NG_FAIL(err, NG_IO, "%s: a TIFF cannot be written to a pipe; name a file", s->name);
    }
    return ng_tiff_create(&s->handle, descriptor, s->name, big, err);
}

ng_status ng_stack_create(const char *path, const ng_stack_format *format, bool force,
                          ng_stack **out, ng_error *err)
{
    *out = NULL;
    ng_status status = check_format(path, format, err);
    if (status != NG_OK) {
        return status;
    }
    ng_stack *s = NG_NEW(ng_stack, 1);
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    s->format = *format;
    s->name = ng_text_copy(path);
    s->row = ng_alloc(format->width * format->height, sample_bytes(format->sample));
    status = s->name == NULL || s->row == NULL ? NG_FAIL(err, NG_MEMORY, "%s: out of memory", path)
                                               : open_output(s, force, err);
    if (status != NG_OK) {
        ng_stack_abandon(s);
        return status;
    }
    *out = s;
    return NG_OK;
}

void ng_stack_abandon(ng_stack *stack)
{
    if (stack == NULL) {
        return;
    }
    ng_tiff_close(&stack->handle);
    ng_output_abandon(stack->output);
    ng_free(stack->name);
    ng_free(stack->row);
    ng_free(stack);
}

/* ---- one frame ----------------------------------------------------------------------- */

static ng_status fail_value(const ng_stack *s, float value, double most, ng_error *err)
{
    return NG_FAIL(err, NG_INVALID,
                   "%s: frame %zu (the first is 0) has a value of %g; this stack holds whole "
                   "numbers from 0 to %.0f",
                   s->name, s->written, (double)value, most);
}

/* Integers of 1, 2 or 4 bytes; values are rounded to the nearest. */
static ng_status fill_integers(ng_stack *s, const float *pixel, double most, ng_error *err)
{
    size_t n = s->format.width * s->format.height;
    size_t bytes = sample_bytes(s->format.sample);
    for (size_t i = 0; i < n; i++) {
        double value = nearbyint((double)pixel[i]);
        if (!(value >= 0.0 && value <= most)) {
            return fail_value(s, pixel[i], most, err);
        }
        uint32_t whole = (uint32_t)value;
        uint16_t half = (uint16_t)whole;
        uint8_t byte = (uint8_t)whole;
        memcpy(s->row + i * bytes,
               bytes == 4   ? (const void *)&whole
               : bytes == 2 ? (const void *)&half
                            : (const void *)&byte,
               bytes);
    }
    return NG_OK;
}

static ng_status fill(ng_stack *s, const float *pixel, ng_error *err)
{
    switch (s->format.sample) {
    case NG_SAMPLE_UINT8:
        return fill_integers(s, pixel, (double)UINT8_MAX, err);
    case NG_SAMPLE_UINT16:
        return fill_integers(s, pixel, (double)UINT16_MAX, err);
    case NG_SAMPLE_UINT32:
        return fill_integers(s, pixel, (double)UINT32_MAX, err);
    case NG_SAMPLE_FLOAT32:
        break;
    }
    memcpy(s->row, pixel, s->format.width * s->format.height * sizeof *pixel);
    return NG_OK;
}

/* What ImageJ reads of the first page. The line pixel_nm is ours: the resolution is a fraction
 * with few digits. */
static void describe(const ng_stack_format *f, char text[DESCRIPTION_BYTES])
{
    char number[32] = "";
    int n = snprintf(text, DESCRIPTION_BYTES, "ImageJ=1.53t\nimages=%zu\nloop=false\n", f->frames);
    char *at = text + n;
    char *end = text + DESCRIPTION_BYTES;
    if (f->frames > 1) {
        at += snprintf(at, (size_t)(end - at), "frames=%zu\nhyperstack=true\nmode=grayscale\n",
                       f->frames);
    }
    if (f->pixel_nm > 0.0) {
        ng_number_format(f->pixel_nm, number);
        at += snprintf(at, (size_t)(end - at), "unit=nm\npixel_nm=%s\n", number);
    }
    if (f->frame_s > 0.0) {
        ng_number_format(f->frame_s, number);
        snprintf(at, (size_t)(end - at), "finterval=%s\n", number);
    }
}

static bool set_fields(ng_stack *s)
{
    const ng_stack_format *f = &s->format;
    TIFF *t = s->handle.tiff;
    int bits = (int)(8 * sample_bytes(f->sample));
    int kind = f->sample == NG_SAMPLE_FLOAT32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT;
    bool good = TIFFSetField(t, TIFFTAG_IMAGEWIDTH, (uint32_t)f->width) == 1 &&
                TIFFSetField(t, TIFFTAG_IMAGELENGTH, (uint32_t)f->height) == 1 &&
                TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits) == 1 &&
                TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, kind) == 1 &&
                TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1) == 1 &&
                TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) == 1 &&
                TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_NONE) == 1 &&
                TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, (uint32_t)f->height) == 1;
    if (good && f->pixel_nm > 0.0) {
        good = TIFFSetField(t, TIFFTAG_XRESOLUTION, 1.0 / f->pixel_nm) == 1 &&
               TIFFSetField(t, TIFFTAG_YRESOLUTION, 1.0 / f->pixel_nm) == 1 &&
               TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE) == 1;
    }
    if (good && s->written == 0) {
        char text[DESCRIPTION_BYTES];
        describe(f, text);
        good = TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, text) == 1;
    }
    return good;
}

static ng_status fail_write(const ng_stack *s, ng_error *err)
{
    return NG_FAIL(err, NG_IO,
                   "%s: frame %zu (the first is 0) cannot be written (%s, %s); is the "
                   "disk full?",
                   s->name, s->written, s->handle.reason, strerror(errno));
}

ng_status ng_stack_write(ng_stack *stack, const float *pixel, ng_error *err)
{
    const ng_stack_format *f = &stack->format;
    if (stack->written == f->frames) {
        return NG_FAIL(err, NG_INTERNAL, "%s: more frames than the %zu that were promised",
                       stack->name, f->frames);
    }
    ng_status status = fill(stack, pixel, err);
    if (status != NG_OK) {
        return status;
    }
    tmsize_t bytes = (tmsize_t)(f->width * f->height * sample_bytes(f->sample));
    TIFF *tiff = stack->handle.tiff;
    if (!set_fields(stack) || TIFFWriteEncodedStrip(tiff, 0, stack->row, bytes) != bytes ||
        TIFFWriteDirectory(tiff) != 1) {
        return fail_write(stack, err);
    }
    stack->written++;
    return NG_OK;
}

ng_status ng_stack_commit(ng_stack *stack, ng_error *err)
{
    ng_status status = NG_OK;
    if (stack->written < stack->format.frames) {
        status = NG_FAIL(err, NG_INTERNAL, "%s: %zu frames of the %zu that were promised",
                         stack->name, stack->written, stack->format.frames);
        goto out;
    }
    ng_tiff_close(&stack->handle);
    if (stack->handle.reason[0] != '\0') {
        status = fail_write(stack, err);
        goto out;
    }
    status = ng_output_commit(stack->output, err);
    stack->output = NULL;
out:
    ng_stack_abandon(stack);
    return status;
}

/* The first page promised more. */
ng_status ng_stack_commit_part(ng_stack *stack, ng_error *err)
{
    TIFF *tiff = stack->handle.tiff;
    char text[DESCRIPTION_BYTES];
    if (stack->written > 0 && stack->written < stack->format.frames) {
        stack->format.frames = stack->written;
        describe(&stack->format, text);
        if (TIFFSetDirectory(tiff, 0) != 1 ||
            TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, text) != 1 ||
            TIFFRewriteDirectory(tiff) != 1) {
            const ng_status status = fail_write(stack, err);
            ng_stack_abandon(stack);
            return status;
        }
    }
    return ng_stack_commit(stack, err);
}
