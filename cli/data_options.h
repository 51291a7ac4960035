/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file data_options.h
 * What every verb that starts from tracked particles shares: the options that say how to read and
 * smooth them, and the way from files to trajectories.
 *
 *     typedef struct options {
 *         ng_data_options data;
 *         long bootstrap;
 *     } options;
 *
 *     static const ng_option table[] = {
 *         NG_DATA_OPTION_ROWS(options, data),
 *         {.name = "bootstrap", ...},
 *     };
 *
 *     ng_data data;
 *     ng_status status = ng_data_load(cli, &o->data, &data, err);   // also hashes the files
 *     ...
 *     ng_data_free(&data);
 */
#ifndef NUCGROW_DATA_OPTIONS_H
#define NUCGROW_DATA_OPTIONS_H

#include "cli.h"

#include <nucgrow/ensemble.h>
#include <nucgrow/material.h>

/** Values of the shared options. */
typedef struct ng_data_options {
    double pixel_nm, frame_s;
    bool skip_invalid;
    const char *merged;   /* "auto", "keep" or "drop" */
    const char *material; /* NULL: not given */
    double sigma_nm, density_per_nm3;
    const char *preset; /* "default" or "published" */
    bool smooth;
    double cutoff;
    long max_gap;
} ng_data_options;

/** Rows that say how a table is read: fields pixel_nm, frame_s, skip_invalid of `struct_`, behind
 *  `prefix` (which may be empty). */
#define NG_TABLE_OPTION_ROWS(struct_, prefix)                                                      \
    {.name = "pixel-nm", .type = NG_OPTION_REAL, .offset = offsetof(struct_, prefix pixel_nm),     \
     .unit = "nm", .min = 1e-6, .max = 1e6, .group = "Input",                                      \
     .doc = "Width of a pixel; needed where sizes are in pixels."},                                \
    {.name = "frame-s", .type = NG_OPTION_REAL, .offset = offsetof(struct_, prefix frame_s),       \
     .unit = "s", .min = 1e-9, .max = 1e9, .group = "Input",                                       \
     .doc = "Time between frames; needed where the table has no time column."},                    \
    {.name = "skip-invalid", .type = NG_OPTION_BOOL,                                               \
     .offset = offsetof(struct_, prefix skip_invalid), .initial = "false", .group = "Input",       \
     .doc = "Drop rows with a bad value instead of stopping; they are counted."}

/** Rows of the option table; `struct_` is the verb's struct, `member` its ng_data_options. */
#define NG_DATA_OPTION_ROWS(struct_, member)                                                       \
    NG_TABLE_OPTION_ROWS(struct_, member.),                                                        \
    {.name = "merged", .type = NG_OPTION_CHOICE, .offset = offsetof(struct_, member.merged),       \
     .choices = "auto|keep|drop", .initial = "auto", .group = "Input",                             \
     .doc = "Tracks that have a `group`, because they merge: keep, or drop since their jumps are " \
            "no growth by monomers. auto: drop where there are tracks without a group."},          \
    {.name = "material", .type = NG_OPTION_TEXT, .offset = offsetof(struct_, member.material),     \
     .choices = "Pt|Pt-ex-situ|Au|iron-oxide|CdSe", .value = "NAME|FILE", .group = "Particle",     \
     .doc = "Pt, Pt-ex-situ, Au, iron-oxide, CdSe, or a YAML file: size of a monomer, start "      \
             "values. Needed unless the input is an ensemble.json."},                              \
    {.name = "sigma-nm", .type = NG_OPTION_REAL, .offset = offsetof(struct_, member.sigma_nm),     \
     .unit = "nm", .min = 1e-3, .max = 1e2, .group = "Particle",                                   \
     .doc = "Radius of the volume of one monomer, instead of the material's."},                    \
    {.name = "density-per-nm3", .type = NG_OPTION_REAL,                                            \
     .offset = offsetof(struct_, member.density_per_nm3), .unit = "nm^-3", .min = 1e-6, .max = 1e6,\
     .group = "Particle", .doc = "Monomers per volume, instead of --sigma-nm."},                   \
    {.name = "preset", .type = NG_OPTION_CHOICE, .offset = offsetof(struct_, member.preset),       \
     .choices = "default|published", .initial = "default", .group = "Trajectories",                \
     .doc = "published: every choice of the published estimator."},                                \
    {.name = "smooth", .type = NG_OPTION_BOOL, .offset = offsetof(struct_, member.smooth),         \
     .initial = "true", .group = "Trajectories",                                                   \
     .doc = "Zero-phase low-pass along each trajectory."},                                         \
    {.name = "cutoff", .type = NG_OPTION_REAL, .offset = offsetof(struct_, member.cutoff),         \
     .unit = "cycles per frame", .initial = "0.04846", .min = 1e-3, .max = 0.5,                    \
     .group = "Trajectories", .doc = "Frequency at which the low-pass halves the amplitude."},     \
    {.name = "max-gap", .type = NG_OPTION_INT, .offset = offsetof(struct_, member.max_gap),        \
     .unit = "frames", .initial = "3", .min = 0, .max = 1000, .group = "Trajectories",             \
     .doc = "Longest run of missing frames within one trajectory."}

/** From files to trajectories. */
typedef struct ng_data {
    ng_tracks tracks;
    ng_material material;
    ng_ensemble_options ensemble; /* bootstrap and level as ng_ensemble_defaults() has them */
    ng_trajectories trajectories;
} ng_data;

/**
 * Read the verb's positional files (tables of tracks, or one result that holds tracks), choose the
 * material, make trajectories. Files become inputs of the provenance, trouble becomes warnings.
 * A result brings its own material and settings along; options that were given win over them.
 *
 * Errors: NG_USAGE when no material is known or two options say the same thing; those of
 * ng_tracks_read, ng_tracks_from_json, ng_material_choose and ng_trajectories_make.
 */
NG_MUST_CHECK ng_status ng_data_load(ng_cli *cli, const ng_data_options *o, ng_data *out,
                                     ng_error *err);
/** ng_data_load for some of the files: one data set of several (`path`: borrowed, n_paths >= 1). */
NG_MUST_CHECK ng_status ng_data_load_files(ng_cli *cli, const ng_data_options *o,
                                           const char *const *path, size_t n_paths, ng_data *out,
                                           ng_error *err);
void ng_data_free(ng_data *data);

/** Without -o the numbers on the screen are all that is left: say so. */
void ng_data_say_unwritten(const ng_cli *cli);

#endif
