/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <math.h>
#include <string.h>

/* Lines "key=value" below "ImageJ=1.53t". Source: ImageJ's documentation of its TIFF files, and
 * files that it wrote. fps is the speed of playing, not of recording. */

typedef struct line {
    const char *key, *value;
    size_t key_length, value_length;
} line;

static bool is_key(const line *l, const char *key)
{
    return l->key_length == strlen(key) && memcmp(l->key, key, l->key_length) == 0;
}

static double line_number(const line *l)
{
    double value = (double)NAN;
    return ng_number_parse(l->value, l->value_length, &value) == NG_NUMBER_OK ? value : (double)NAN;
}

static size_t line_count(const line *l)
{
    double value = line_number(l);
    return value >= 1.0 && value <= 1e15 && value == floor(value) ? (size_t)value : 0;
}

static void take_line(const line *l, ng_imagej *out, double *time_unit_s)
{
    if (is_key(l, "images")) {
        out->images = line_count(l);
    } else if (is_key(l, "channels")) {
        out->channels = line_count(l);
    } else if (is_key(l, "slices")) {
        out->slices = line_count(l);
    } else if (is_key(l, "frames")) {
        out->frames = line_count(l);
    } else if (is_key(l, "unit")) {
        out->unit_nm = ng_length_unit_nm(l->value, l->value_length);
    } else if (is_key(l, "finterval")) {
        double value = line_number(l);
        out->frame_s = value > 0.0 ? value : (double)NAN;
    } else if (is_key(l, "tunit")) {
        *time_unit_s = ng_time_unit_s(l->value, l->value_length);
    } else if (is_key(l, "pixel_nm")) {
        double value = line_number(l);
        out->pixel_nm = value > 0.0 ? value : (double)NAN;
    } else if (is_key(l, "cf")) {
        out->has_value_calibration = true;
    }
}

void ng_imagej_parse(const char *text, size_t length, ng_imagej *out)
{
    double time_unit_s = 1.0;
    *out = (ng_imagej){.unit_nm = (double)NAN, .frame_s = (double)NAN, .pixel_nm = (double)NAN};
    out->found = length >= 7 && memcmp(text, "ImageJ=", 7) == 0;
    const char *end = text + length;
    while (out->found && text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        stop = stop != NULL ? stop : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        if (equals != NULL) {
            line l = {text, equals + 1, (size_t)(equals - text), (size_t)(stop - equals - 1)};
            take_line(&l, out, &time_unit_s);
        }
        text = stop < end ? stop + 1 : end;
    }
    out->frame_s *= time_unit_s;
}
