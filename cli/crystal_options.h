/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file crystal_options.h
 * What the verbs that read tracked crystals share: how the table is read, and how intensities
 * become radii.
 *
 *     typedef struct options {
 *         ng_crystal_options crystals;
 *     } options;
 *     static const ng_option table[] = {NG_CRYSTAL_OPTION_ROWS(options, crystals), ...};
 *
 *     ng_crystal_data data;
 *     ng_status status = ng_crystal_load(cli, &o->crystals, cli->file[0], true, &data, err);
 *     ...
 *     ng_crystal_data_free(&data);
 */
#ifndef NUCGROW_CRYSTAL_OPTIONS_H
#define NUCGROW_CRYSTAL_OPTIONS_H

#include "cli.h"

#include <nucgrow/radii.h>

typedef struct ng_crystal_options {
    double pixel_nm, frame_s;
    bool skip_invalid;
    const char *material, *sizing, *calibration;
    double final_radius_nm, final_spread_nm, intensity_scale, excitation_nm;
} ng_crystal_options;

#define NG_CRYSTAL_REAL(struct_, member_, flag_, field_, unit_, min_, max_, group_, doc_)          \
    {                                                                                              \
        .name = flag_, .type = NG_OPTION_REAL, .offset = offsetof(struct_, member_.field_),        \
        .unit = unit_, .min = min_, .max = max_, .group = group_, .doc = doc_                      \
    }

#define NG_CRYSTAL_OPTION_ROWS(struct_, member)                                                    \
    NG_CRYSTAL_REAL(struct_, member, "pixel-nm", pixel_nm, "nm", 1e-6, 1e6, "Input",               \
                    "Width of a pixel; needed where positions are in pixels."),                    \
        NG_CRYSTAL_REAL(struct_, member, "frame-s", frame_s, "s", 1e-9, 1e9, "Input",              \
                        "Time between frames; needed where the table has no time column."),        \
        {.name = "skip-invalid",                                                                   \
         .type = NG_OPTION_BOOL,                                                                   \
         .offset = offsetof(struct_, member.skip_invalid),                                         \
         .initial = "false",                                                                       \
         .group = "Input",                                                                         \
         .doc = "Drop rows with a bad value instead of stopping; they are counted."},              \
        {.name = "material",                                                                       \
         .type = NG_OPTION_TEXT,                                                                   \
         .offset = offsetof(struct_, member.material),                                             \
         .initial = "FAPbBr3",                                                                     \
         .choices = "FAPbBr3",                                                                     \
         .value = "NAME|FILE",                                                                     \
         .group = "Intensity to radius",                                                           \
         .doc = "How crystals shine: FAPbBr3 or a YAML file."},                                    \
        {.name = "sizing",                                                                         \
         .type = NG_OPTION_CHOICE,                                                                 \
         .offset = offsetof(struct_, member.sizing),                                               \
         .choices = "volume|brus|table",                                                           \
         .group = "Intensity to radius",                                                           \
         .doc =                                                                                    \
             "Where emission energies come from, instead of the material's choice; volume: light " \
             "goes with r^3 alone."},                                                              \
        NG_CRYSTAL_REAL(                                                                           \
            struct_, member, "final-radius-nm", final_radius_nm, "nm", 1e-3, 1e3,                  \
            "Intensity to radius",                                                                 \
            "Median radius at the end, known from elsewhere (TEM): scales intensities."),          \
        NG_CRYSTAL_REAL(struct_, member, "final-spread-nm", final_spread_nm, "nm", 0, 1e3,         \
                        "Intensity to radius",                                                     \
                        "Standard deviation of these radii, to compare with."),                    \
        {.name = "calibration",                                                                    \
         .type = NG_OPTION_TEXT,                                                                   \
         .offset = offsetof(struct_, member.calibration),                                          \
         .value = "FILE",                                                                          \
         .group = "Intensity to radius",                                                           \
         .doc = "Table of sizes at the end (particles.csv of a still image), instead of "          \
                "--final-radius-nm."},                                                             \
        NG_CRYSTAL_REAL(struct_, member, "intensity-scale", intensity_scale, NULL, 1e-300, 1e300,  \
                        "Intensity to radius",                                                     \
                        "Intensity where the relation I(r)/I0 is 1, instead of a calibration."),   \
        NG_CRYSTAL_REAL(struct_, member, "excitation-nm", excitation_nm, "nm", 10, 1e5,            \
                        "Intensity to radius",                                                     \
                        "Wavelength of the excitation, instead of the "                            \
                        "material's.")

/** Rows of the verbs that fit crystals: fields robust, level, min_points, bootstrap of
 *  `struct_`. */
#define NG_CRYSTAL_FIT_ROWS(struct_)                                                               \
    {.name = "robust",                                                                             \
     .type = NG_OPTION_BOOL,                                                                       \
     .offset = offsetof(struct_, robust),                                                          \
     .initial = "true",                                                                            \
     .group = "Fit",                                                                               \
     .doc = "A loss that points far off do not pull (blinking); --no-robust: least squares."},     \
        {.name = "level",                                                                          \
         .type = NG_OPTION_REAL,                                                                   \
         .offset = offsetof(struct_, level),                                                       \
         .initial = "0.95",                                                                        \
         .min = 0.01,                                                                              \
         .max = 0.9999,                                                                            \
         .group = "Fit",                                                                           \
         .doc = "Level of intervals."},                                                            \
        {.name = "min-points",                                                                     \
         .type = NG_OPTION_INT,                                                                    \
         .offset = offsetof(struct_, min_points),                                                  \
         .initial = "6",                                                                           \
         .min = 1,                                                                                 \
         .max = 1000000,                                                                           \
         .group = "Crystals",                                                                      \
         .doc = "Tracks with fewer points are not fitted."},                                       \
    {                                                                                              \
        .name = "bootstrap", .type = NG_OPTION_INT, .offset = offsetof(struct_, bootstrap),        \
        .initial = "500", .min = 0, .max = 100000, .group = "Crystals",                            \
        .doc = "Resamplings of crystals behind the intervals of medians."                          \
    }

typedef struct ng_crystal_data {
    ng_particles tracks;
    bool converted; /* radii come from intensities, by what stands below */
    ng_emitter emitter;
    ng_calibration calibration;
    ng_radii_counts counts;
} ng_crystal_data;

/** The material with --sizing and --excitation-nm. */
NG_MUST_CHECK ng_status ng_crystal_emitter(ng_cli *cli, const ng_crystal_options *o,
                                           ng_emitter *out, ng_error *err);
/** Read a table of tracked crystals; radii are made of intensities when the options say what the
 *  final radii are. With `tracked` false, tables without tracks are taken, too. */
NG_MUST_CHECK ng_status ng_crystal_load(ng_cli *cli, const ng_crystal_options *o, const char *path,
                                        bool tracked, ng_crystal_data *out, ng_error *err);
void ng_crystal_data_free(ng_crystal_data *data);
/** Relative s.e. of the scale that all radii share; 0 where it is not known or there is none. */
double ng_crystal_scale_se(const ng_crystal_data *data);
/** Say what was assumed. */
void ng_crystal_print(const ng_cli *cli, const ng_crystal_data *data);
/** Add the block `radii` to a result; nothing when radii were not made here. */
void ng_crystal_put(struct json_t *result, const ng_crystal_data *data);

#endif
