/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs that simulate growing particles share: truth from a material, a schedule. */
#ifndef NUCGROW_SIMULATE_OPTIONS_H
#define NUCGROW_SIMULATE_OPTIONS_H

#include "cli.h"

#include <nucgrow/synth.h>

#define NG_TRUTH_SCHEMA "nucgrow/truth/1"

/** Row of an options table from a row of NG_SYNTH_..._OPTIONS; `place_`: field of `values_`. */
#define NG_SIMULATE_ROW(values_, place_, kind_, name_, unit_, initial_, min_, max_, group_, doc_)  \
    {.name = name_,                                                                                \
     .type = NG_OPTION_##kind_,                                                                    \
     .offset = offsetof(values_, place_),                                                          \
     .unit = unit_,                                                                                \
     .initial = #initial_,                                                                         \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .group = group_,                                                                              \
     .doc = doc_},

/** --material and --schedule, texts in the fields of these names. */
#define NG_SIMULATE_TRUTH_ROWS(values_)                                                            \
    {.name = "material",                                                                           \
     .type = NG_OPTION_TEXT,                                                                       \
     .offset = offsetof(values_, material),                                                        \
     .initial = "Pt",                                                                              \
     .choices = "Pt|Pt-ex-situ|Au|iron-oxide|CdSe",                                                \
     .value = "NAME|FILE",                                                                         \
     .group = "Truth",                                                                             \
     .doc = "Pt, Pt-ex-situ, Au, iron-oxide, CdSe, or a YAML file. The options below override "    \
            "its values."},                                                                        \
        {.name = "schedule",                                                                       \
         .type = NG_OPTION_TEXT,                                                                   \
         .offset = offsetof(values_, schedule),                                                    \
         .value = "T:S,...|FILE",                                                                  \
         .group = "Truth",                                                                         \
         .doc = "Supersaturation over time: pairs seconds:S, or a CSV file with the columns "      \
                "time_s,supersaturation; linear between, constant outside. Without it: one that "  \
                "takes Pt through the growth of the published movie."},

/** Set the growth parameters that the user left open; the struct that run() reads is filled. */
NG_MUST_CHECK ng_status ng_simulate_material(ng_cli *cli, const char *choice, ng_error *err);
/** Read --schedule (NULL: the default) into `schedule` (owned: ng_synth_schedule_free), borrowed by
 *  `ensemble`. */
NG_MUST_CHECK ng_status ng_simulate_schedule(ng_cli *cli, const char *text,
                                             ng_synth_schedule *schedule,
                                             ng_synth_ensemble_options *ensemble, ng_error *err);
/** truth.json: stamp `body`, write it to `path`, and keep it as the result. Takes `body`. */
NG_MUST_CHECK ng_status ng_simulate_write_truth(ng_cli *cli, struct json_t *body, const char *path,
                                                ng_error *err);

#endif
