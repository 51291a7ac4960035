/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* Units that images carry beside those of tables (units.c). */
typedef struct spelling {
    const char *text;
    double scale;
} spelling;

static double find(const spelling *known, size_t n, const char *text, size_t length)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(known[i].text) == length && strncmp(known[i].text, text, length) == 0) {
            return known[i].scale;
        }
    }
    return (double)NAN;
}

double ng_length_unit_nm(const char *text, size_t length)
{
    /* U+00C5 and U+212B are both in use for the angstrom; ImageJ escapes what is not ASCII. */
    static const spelling known[] = {
        {"pm", 1e-3},      {"A", 0.1},         {"\xc3\x85", 0.1}, {"\xe2\x84\xab", 0.1},
        {"\xc5", 0.1},     {"\\u00C5", 0.1},   {"\\u212B", 0.1},  {"angstrom", 0.1},
        {"Angstrom", 0.1}, {"Angstroms", 0.1}, {"mm", 1e6},       {"cm", 1e7},
        {"m", 1e9},        {"inch", 25.4e6},   {"in", 25.4e6},    {"\\u00B5m", 1e3},
        {"\\u03BCm", 1e3}, {"\xc2\xb5", 1e3},
    };
    ng_unit unit = ng_unit_find(text, length);
    return unit == NG_UNIT_NM || unit == NG_UNIT_UM
               ? ng_unit_scale(unit, (double)NAN)
               : find(known, sizeof known / sizeof known[0], text, length);
}

double ng_time_unit_s(const char *text, size_t length)
{
    static const spelling known[] = {
        {"ns", 1e-9},        {"us", 1e-6},       {"\xc2\xb5s", 1e-6},
        {"\xce\xbcs", 1e-6}, {"\\u00B5s", 1e-6}, {"d", 86400.0},
    };
    ng_unit unit = ng_unit_find(text, length);
    return ng_unit_is_time(unit) ? ng_unit_scale(unit, (double)NAN)
                                 : find(known, sizeof known / sizeof known[0], text, length);
}
