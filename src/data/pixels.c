/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 16384

size_t ng_pixel_bytes(ng_pixel_type type)
{
    static const unsigned char bytes[] = {
        [NG_PIXEL_NONE] = 1,    [NG_PIXEL_UINT8] = 1,   [NG_PIXEL_INT8] = 1,
        [NG_PIXEL_UINT16] = 2,  [NG_PIXEL_INT16] = 2,   [NG_PIXEL_UINT32] = 4,
        [NG_PIXEL_INT32] = 4,   [NG_PIXEL_UINT64] = 8,  [NG_PIXEL_INT64] = 8,
        [NG_PIXEL_FLOAT16] = 2, [NG_PIXEL_FLOAT32] = 4, [NG_PIXEL_FLOAT64] = 8,
    };
    return bytes[type];
}

void ng_pixel_describe(ng_pixel_type type, ng_movie_info *info)
{
    info->bits = (int)(8 * ng_pixel_bytes(type));
    info->is_float = type >= NG_PIXEL_FLOAT16;
    info->is_signed = info->is_float || type == NG_PIXEL_INT8 || type == NG_PIXEL_INT16 ||
                      type == NG_PIXEL_INT32 || type == NG_PIXEL_INT64;
}

bool ng_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char first = 0;
    memcpy(&first, &one, 1);
    return first == 1;
}

double ng_round_single(double value)
{
    for (int digits = 5; digits <= 8 && isfinite(value) && value != 0.0; digits++) {
        int places = digits - (int)floor(log10(fabs(value)));
        double power = pow(10.0, abs(places));
        double rounded = places >= 0 ? round(value * power) / power : round(value / power) * power;
        if ((float)rounded == (float)value) {
            return rounded;
        }
    }
    return value;
}

static float from_half(uint16_t half)
{
    int exponent = half >> 10 & 31;
    float fraction = (float)(half & 1023);
    float size = exponent == 31  ? (fraction == 0.0f ? INFINITY : NAN)
                 : exponent == 0 ? ldexpf(fraction, -24)
                                 : ldexpf(fraction + 1024.0f, exponent - 25);
    return (half & 0x8000) != 0 ? -size : size;
}

/* memcpy, because samples of a file lie at any address. */
#define CONVERT(type, expression)                                                                  \
    for (size_t i = 0; i < n; i++) {                                                               \
        type v;                                                                                    \
        memcpy(&v, at + i * stride, sizeof v);                                                     \
        to[i] = (float)(expression);                                                               \
    }                                                                                              \
    break

static void convert(ng_pixel_type type, const unsigned char *at, size_t stride, size_t n, float *to)
{
    switch (type) {
    case NG_PIXEL_NONE:
        break;
    case NG_PIXEL_UINT8:
        CONVERT(uint8_t, v);
    case NG_PIXEL_INT8:
        CONVERT(int8_t, v);
    case NG_PIXEL_UINT16:
        CONVERT(uint16_t, v);
    case NG_PIXEL_INT16:
        CONVERT(int16_t, v);
    case NG_PIXEL_UINT32:
        CONVERT(uint32_t, v);
    case NG_PIXEL_INT32:
        CONVERT(int32_t, v);
    case NG_PIXEL_UINT64:
        CONVERT(uint64_t, v);
    case NG_PIXEL_INT64:
        CONVERT(int64_t, v);
    case NG_PIXEL_FLOAT16:
        CONVERT(uint16_t, from_half(v));
    case NG_PIXEL_FLOAT32:
        CONVERT(float, v);
    case NG_PIXEL_FLOAT64:
        CONVERT(double, v);
    }
}

static void swap_samples(const unsigned char *from, size_t bytes, size_t stride, size_t n,
                         unsigned char *to)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < bytes; k++) {
            to[i * bytes + k] = from[i * stride + bytes - 1 - k];
        }
    }
}

void ng_pixels_convert(ng_pixel_type type, bool swap, const void *from, size_t step, size_t n,
                       float *to)
{
    const unsigned char *at = from;
    size_t bytes = ng_pixel_bytes(type);
    if (!swap || bytes == 1) {
        convert(type, at, step * bytes, n, to);
        return;
    }
    unsigned char block[1024];
    while (n > 0) {
        size_t part = n < sizeof block / bytes ? n : sizeof block / bytes;
        swap_samples(at, bytes, step * bytes, part, block);
        convert(type, block, bytes, part, to);
        at += part * step * bytes;
        to += part;
        n -= part;
    }
}

size_t ng_raw_count(const ng_raw_frames *raw, const ng_bytes *bytes, size_t pixels)
{
    uint64_t frame = pixels * ng_pixel_bytes(raw->type);
    if (bytes->size < raw->first || bytes->size - raw->first < frame) {
        return 0;
    }
    return (size_t)((bytes->size - raw->first - frame) / raw->step + 1);
}

bool ng_raw_read(const ng_raw_frames *raw, const ng_bytes *bytes, size_t index, size_t pixels,
                 float *to)
{
    unsigned char block[BLOCK_BYTES];
    size_t size = ng_pixel_bytes(raw->type);
    uint64_t offset = raw->first + index * raw->step;
    while (pixels > 0) {
        size_t part = pixels < sizeof block / size ? pixels : sizeof block / size;
        if (ng_bytes_read(bytes, offset, block, part * size) < part * size) {
            return false;
        }
        ng_pixels_convert(raw->type, raw->swap, block, 1, part, to);
        offset += part * size;
        to += part;
        pixels -= part;
    }
    return true;
}
