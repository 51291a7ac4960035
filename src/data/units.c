/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define PI 3.14159265358979323846

static const struct {
    ng_unit unit;
    const char *name;
    double scale; /* in nm or s; 0: by calibration */
    const char *spellings[9];
} units[] = {
    {NG_UNIT_NM, "nm", 1.0, {"nm", "nanometer", "nanometers", "nanometre"}},
    /* micro sign U+00B5 and Greek mu U+03BC */
    {NG_UNIT_UM,
     "um",
     1e3,
     {"um", "\xc2\xb5m", "\xce\xbcm", "\xb5m", "micron", "microns", "micrometer", "micrometers"}},
    {NG_UNIT_PX, "px", 0.0, {"px", "pixel", "pixels"}},
    {NG_UNIT_S, "s", 1.0, {"s", "sec", "secs", "second", "seconds"}},
    {NG_UNIT_MS, "ms", 1e-3, {"ms", "msec", "millisecond", "milliseconds"}},
    {NG_UNIT_MIN, "min", 60.0, {"min", "mins", "minute", "minutes"}},
    {NG_UNIT_H, "h", 3600.0, {"h", "hr", "hour", "hours"}},
    {NG_UNIT_FRAME, "frame", 0.0, {"frame", "frames"}},
};

#define N_UNITS (sizeof units / sizeof units[0])

const char *ng_unit_name(ng_unit unit)
{
    for (size_t i = 0; i < N_UNITS; i++) {
        if (units[i].unit == unit) {
            return units[i].name;
        }
    }
    return "";
}

ng_unit ng_unit_find(const char *text, size_t length)
{
    for (size_t i = 0; i < N_UNITS; i++) {
        for (size_t k = 0; units[i].spellings[k] != NULL; k++) {
            const char *spelling = units[i].spellings[k];
            if (strlen(spelling) == length && strncasecmp(spelling, text, length) == 0) {
                return units[i].unit;
            }
        }
    }
    return NG_UNIT_NONE;
}

bool ng_unit_is_length(ng_unit unit)
{
    return unit == NG_UNIT_NM || unit == NG_UNIT_UM || unit == NG_UNIT_PX;
}

bool ng_unit_is_time(ng_unit unit)
{
    return unit == NG_UNIT_S || unit == NG_UNIT_MS || unit == NG_UNIT_MIN || unit == NG_UNIT_H;
}

double ng_unit_scale(ng_unit unit, double pixel_nm)
{
    if (unit == NG_UNIT_PX) {
        return pixel_nm;
    }
    for (size_t i = 0; i < N_UNITS; i++) {
        if (units[i].unit == unit && units[i].scale > 0.0) {
            return units[i].scale;
        }
    }
    return (double)NAN;
}

const char *ng_quantity_size_name(ng_quantity size)
{
    switch ((int)size) {
    case NG_QUANTITY_RADIUS:
        return "radius";
    case NG_QUANTITY_DIAMETER:
        return "diameter";
    case NG_QUANTITY_AREA:
        return "area";
    case NG_QUANTITY_GYRATION:
        return "size";
    default:
        return "";
    }
}

double ng_size_radius(ng_quantity size, double value)
{
    switch ((int)size) {
    case NG_QUANTITY_RADIUS:
        return value;
    case NG_QUANTITY_DIAMETER:
        return value / 2.0;
    case NG_QUANTITY_AREA:
        return sqrt(value / PI);
    case NG_QUANTITY_GYRATION:
        /* <rho^2> of a uniform disk is r^2/2 */
        return sqrt(2.0) * value;
    default:
        return (double)NAN;
    }
}

double ng_size_radius_se(ng_quantity size, double value, double se)
{
    switch ((int)size) {
    case NG_QUANTITY_RADIUS:
        return se;
    case NG_QUANTITY_DIAMETER:
        return se / 2.0;
    case NG_QUANTITY_AREA:
        return se / (2.0 * sqrt(PI * value));
    default:
        return (double)NAN;
    }
}
