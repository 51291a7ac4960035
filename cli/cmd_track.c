/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow track: particles of single frames into tracks, merges, splits. */
#include "cli.h"

#include <nucgrow/track.h>

#include <jansson.h>
#include <math.h>

#define EVENTS_SHOWN 20 /* merges that are listed for people */

typedef struct options {
    double pixel_nm, frame_s;
    bool skip_invalid;
    ng_track_options link;
    const char *events, *xml, *result;
} options;

static const ng_option table[] = {
    {.name = "pixel-nm",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, pixel_nm),
     .unit = "nm",
     .min = 1e-6,
     .max = 1e6,
     .group = "Input",
     .doc = "Width of a pixel; needed where positions or sizes are in pixels."},
    {.name = "frame-s",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, frame_s),
     .unit = "s",
     .min = 1e-9,
     .max = 1e9,
     .group = "Input",
     .doc = "Time between frames; needed where the table has no time column."},
    {.name = "skip-invalid",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, skip_invalid),
     .initial = "false",
     .group = "Input",
     .doc = "Drop rows with a bad value instead of stopping; they are counted."},
    {.name = "gate-nm",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, link.gate_nm),
     .unit = "nm",
     .min = 1e-6,
     .max = 1e9,
     .group = "Linking",
     .doc = "Longest step from one frame to the next. Without it, taken from the steps and the "
            "spacing of the particles, and said."},
    {.name = "max-gap",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, link.max_gap),
     .unit = "frames",
     .initial = "3",
     .min = 0,
     .max = 1000,
     .group = "Linking",
     .doc = "Longest run of frames in which a particle may be unseen."},
    {.name = "min-gap-score",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, link.min_gap_score),
     .min = 0,
     .max = 1,
     .group = "Linking",
     .doc =
         "Probability from which a gap is closed. Without it: 0.55, so that tracks break where it "
         "is a guess which is which; 0, which closes all that lower the costs, where merges are "
         "looked for and sizes are known, and where particles stay where they are."},
    {.name = "min-points",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, link.min_points),
     .initial = "0",
     .min = 0,
     .max = 1e6,
     .group = "Linking",
     .doc = "Tracks with fewer points are left out, and counted; those in a merge or split stay. "
            "0: those of one point are, but for those that stand out so much that most are real."},
    {.name = "drift",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, link.drift),
     .initial = "true",
     .group = "Linking",
     .doc = "Take out the motion that all particles share. x_raw_nm, y_raw_nm keep what was read."},
    {.name = "merge",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, link.merge),
     .initial = "true",
     .group = "Events",
     .doc = "Look for merges, splits and occlusions."},
    {.name = "min-score",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, link.min_score),
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .group = "Events",
     .doc = "Probability from which a merge or split is accepted."},
    NG_TEXT_ROW("events", events, "OUTPUT", "Output",
                "Write births, deaths, merges and splits as CSV."),
    NG_TEXT_ROW("trackmate-xml", xml, "OUTPUT", "Output",
                "Write a file that TrackMate (Fiji) opens: Load a TrackMate file."),
    NG_TEXT_ROW("result", result, "OUTPUT", "Output",
                "Write the JSON summary (the same as --json prints)."),
};

/* ---- for programs -------------------------------------------------------------------------- */

static json_t *choices_json(const ng_track_choices *c)
{
    json_t *drift =
        json_pack("{s:s, s:o, s:o, s:o}", "kind", ng_drift_kind_name(c->drift), "x_nm_per_frame",
                  ng_json_real(c->drift_x_nm), "y_nm_per_frame", ng_json_real(c->drift_y_nm),
                  "largest_nm", ng_json_real(c->drift_jump_nm));
    json_t *size_noise = ng_json_real(c->size_noise);
    json_t *growth = ng_json_real(c->growth_per_frame);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "gate_nm",
        ng_json_real(c->gate_nm), "step_nm", ng_json_real(c->step_nm), "long_steps",
        ng_json_real(c->long_steps), "density_per_nm2", ng_json_real(c->density_per_nm2), "loss",
        ng_json_real(c->loss), "birth_per_nm2", ng_json_real(c->birth_per_nm2),
        "size_noise_ln_area", size_noise, "growth_ln_area_per_frame", growth, "gap_score",
        ng_json_real(c->gap_score), "single_sd", ng_json_real(c->single), "drift", drift);
}

static json_t *number_or_null(long track)
{
    return track >= 0 ? json_integer(track) : json_null();
}

static json_t *event_json(const ng_event *e)
{
    json_t *value = json_pack("{s:s, s:I, s:o, s:I, s:o, s:o}", "kind", ng_event_kind_name(e->kind),
                              "frame", (json_int_t)e->frame, "time_s", ng_json_real(e->time_s),
                              "track", (json_int_t)e->track, "partner", number_or_null(e->partner),
                              "into", number_or_null(e->into));
    json_object_set_new(value, "radius1_nm", ng_json_real(e->radius1_nm));
    json_object_set_new(value, "radius2_nm", ng_json_real(e->radius2_nm));
    json_object_set_new(value, "radius_after_nm", ng_json_real(e->radius_after_nm));
    json_object_set_new(value, "distance_nm", ng_json_real(e->distance_nm));
    json_object_set_new(value, "score", ng_json_real(e->score));
    return value;
}

/* Births and deaths are many, and in events.csv. */
static json_t *meetings_json(const ng_events *events)
{
    json_t *list = json_array();
    for (size_t i = 0; i < events->n; i++) {
        const ng_event *e = &events->item[i];
        if (e->kind == NG_EVENT_MERGE || e->kind == NG_EVENT_SPLIT) {
            json_array_append_new(list, event_json(e));
        }
    }
    return list;
}

static json_t *counts_json(const ng_tracking *t, size_t particles)
{
    const struct {
        const char *name;
        size_t n;
    } counts[] = {
        {"particles", particles},    {"frames", t->frames},     {"tracks", t->tracks},
        {"points", t->points},       {"left_out", t->left_out}, {"gaps", t->gaps},
        {"gaps_open", t->gaps_open}, {"births", t->births},     {"occlusions", t->occlusions},
        {"deaths", t->deaths},       {"merges", t->merges},     {"splits", t->splits}};
    json_t *value = json_object();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        json_object_set_new(value, counts[i].name, json_integer((json_int_t)counts[i].n));
    }
    return value;
}

static json_t *result_json(const ng_tracking *t, const ng_particles *particles)
{
    return json_pack("{s:o, s:{s:I, s:I}, s:o, s:o, s:o}", "counts", counts_json(t, particles->n),
                     "groups", "A_tracks", (json_int_t)t->tracks_a, "B_tracks",
                     (json_int_t)t->tracks_b, "choices", choices_json(&t->choice), "frame_s",
                     ng_json_real(particles->frame_s), "events", meetings_json(&t->events));
}

/* ---- for people ---------------------------------------------------------------------------- */

static void print_choices(const ng_cli *cli, const ng_track_choices *c, bool given)
{
    if (isnan(c->step_nm)) {
        ng_cli_print(cli, "steps      unknown: too few particles have a partner\n");
    } else {
        ng_cli_print(cli, "steps      %.3g nm (s.d. of a coordinate), %.2g %% of them long\n",
                     c->step_nm, 100.0 * c->long_steps);
    }
    ng_cli_print(cli, "gate       %.3g nm%s\n", c->gate_nm, given ? "" : " (chosen; --gate-nm)");
    if (c->drift == NG_DRIFT_NONE) {
        ng_cli_print(cli, "drift      none\n");
    } else {
        ng_cli_print(cli, "drift      %s: (%.3g, %.3g) nm a frame, at most %.3g nm\n",
                     ng_drift_kind_name(c->drift), c->drift_x_nm, c->drift_y_nm, c->drift_jump_nm);
    }
    if (isfinite(c->single)) {
        ng_cli_print(cli, "singles    stay where they stand out by %.3g s.d. (chosen)\n",
                     c->single);
    }
    if (!isnan(c->size_noise)) {
        ng_cli_print(cli, "sizes      area +- %.2g %% a measurement\n", 100.0 * c->size_noise);
    }
}

static void print_merges(const ng_cli *cli, const ng_events *events)
{
    size_t shown = 0;
    for (size_t i = 0; i < events->n && shown < EVENTS_SHOWN; i++) {
        const ng_event *e = &events->item[i];
        if (e->kind != NG_EVENT_MERGE) {
            continue;
        }
        if (shown++ == 0) {
            ng_cli_print(cli, "\n%-8s %9s %7s %7s %8s %8s %8s %6s\n", "merges", "time_s", "track",
                         "into", "r1_nm", "r2_nm", "after_nm", "score");
        }
        ng_cli_print(cli, "%8ld %9.4g %7ld %7ld %8.3g %8.3g %8.3g %6.2f\n", e->frame, e->time_s,
                     e->track, e->into, e->radius1_nm, e->radius2_nm, e->radius_after_nm, e->score);
    }
}

static void print_summary(const ng_cli *cli, const options *o, const ng_tracking *t, size_t n)
{
    ng_cli_print(cli, "particles  %zu in %zu frames\n", n, t->frames);
    print_choices(cli, &t->choice, !isnan(o->link.gate_nm));
    ng_cli_print(cli, "tracks     %zu with %zu points; %zu gaps closed, %zu occlusions\n",
                 t->tracks, t->points, t->gaps, t->occlusions);
    if (t->gaps_open > 0) {
        ng_cli_print(cli, "left open  %zu gaps: it is a guess which is which (--min-gap-score)\n",
                     t->gaps_open);
    }
    if (t->left_out > 0) {
        ng_cli_print(cli, "left out   %zu particles in tracks of fewer than %ld points\n",
                     t->left_out, o->link.min_points < 2 ? 2 : o->link.min_points);
    }
    ng_cli_print(cli, "events     %zu merges, %zu splits, %zu births, %zu deaths\n", t->merges,
                 t->splits, t->births, t->deaths);
    ng_cli_print(cli, "groups     A: %zu tracks, B (merged): %zu\n", t->tracks_a, t->tracks_b);
    print_merges(cli, &t->events);
}

/* ---- files --------------------------------------------------------------------------------- */

static ng_status check_outputs(const ng_cli *cli, const options *o, ng_error *err)
{
    const char *const path[] = {cli->common.output, o->events, o->xml, o->result};
    ng_status status = NG_OK;
    for (size_t i = 0; i < sizeof path / sizeof path[0] && status == NG_OK; i++) {
        if (path[i] != NULL) {
            status = ng_output_check(path[i], cli->common.force, err);
        }
    }
    return status;
}

static char *comment_of(const ng_cli *cli, const ng_track_choices *c)
{
    return ng_text_format("nucgrow %s track: %s, gate %.4g nm, drift %s", ng_version(),
                          cli->file[0], c->gate_nm, ng_drift_kind_name(c->drift));
}

static ng_status write_tracks(const ng_cli *cli, const ng_particles *particles, size_t n,
                              const char *comment, ng_error *err)
{
    ng_particles_writer *writer = NULL;
    ng_status status = ng_particles_writer_open(cli->common.output, comment, true,
                                                cli->common.force, &writer, err);
    if (status != NG_OK) {
        return status;
    }
    status = ng_particles_writer_add(writer, particles->item, n, err);
    if (status != NG_OK) {
        ng_particles_writer_abandon(writer);
        return status;
    }
    return ng_particles_writer_commit(writer, err);
}

static ng_status write_all(ng_cli *cli, const options *o, const ng_particles *particles,
                           const ng_tracking *t, ng_error *err)
{
    const bool force = cli->common.force;
    char *comment = comment_of(cli, &t->choice);
    if (comment == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    ng_status status = write_tracks(cli, particles, t->points, comment, err);
    if (status == NG_OK && o->events != NULL) {
        status = ng_events_write(&t->events, o->events, comment, force, err);
    }
    if (status == NG_OK && o->xml != NULL) {
        status = ng_trackmate_xml_write(particles, &t->events, o->xml, comment, force, err);
    }
    if (status == NG_OK && o->result != NULL) {
        json_t *stamped = ng_cli_stamp(cli, cli->command->schema, json_deep_copy(cli->result));
        status = stamped != NULL ? ng_json_write(stamped, o->result, force, err)
                                 : NG_FAIL(err, NG_MEMORY, "out of memory");
        json_decref(stamped);
    }
    ng_free(comment);
    return status;
}

/* The library has not seen the file. */
static ng_status name_file(const ng_cli *cli, ng_status status, ng_error *err)
{
    const ng_error cause = *err;
    return status == NG_TOO_LITTLE || status == NG_INVALID
               ? NG_FAIL(err, status, "%s: %s", cli->file[0], cause.message)
               : status;
}

/* ---- the verb ------------------------------------------------------------------------------ */

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_particles particles = {0};
    ng_tracking tracking = {0};
    ng_tracks_read_options reading = ng_tracks_read_defaults();
    reading.pixel_nm = o->pixel_nm;
    reading.frame_s = o->frame_s;
    reading.skip_invalid = o->skip_invalid;
    ng_status status = check_outputs(cli, o, err);
    if (status == NG_OK) {
        status = ng_cli_inputs(cli, err);
    }
    if (status == NG_OK) {
        status = ng_particles_read(cli->file[0], &reading, &particles, &cli->warnings, err);
    }
    if (status == NG_OK) {
        status = name_file(
            cli, ng_track_link(&particles, &o->link, &cli->run, &tracking, &cli->warnings, err),
            err);
    }
    if (status == NG_OK) {
        ng_provenance_reference(cli->provenance, "Jaqaman et al., Nature Methods 5, 695 (2008)");
        ng_provenance_reference(cli->provenance, "Jonker, Volgenant, Computing 38, 325 (1987)");
        cli->result = result_json(&tracking, &particles);
        status = write_all(cli, o, &particles, &tracking, err);
    }
    if (status == NG_OK) {
        print_summary(cli, o, &tracking, particles.n);
    }
    ng_particles_free(&particles);
    ng_tracking_free(&tracking);
    return status;
}

const ng_command ng_command_track = {
    .name = "track",
    .group = "Measure",
    .summary = "particles into tracks, with merges and both parents",
    .description =
        "Links particles from frame to frame by the assignment that is likeliest as a whole, takes "
        "out the drift of the picture, closes gaps, and judges whether a particle that ends has "
        "merged into its neighbour: by their distance, by a lasting jump of the neighbour's size, "
        "and by whether it comes apart again, which was an occlusion.\n\n"
        "What can be read: particles.csv, and tables of TrackMate and trackpy, linked or not "
        "(their tracks are not used). Sizes are not needed, but without them merges are judged by "
        "distance alone. The gate and all costs come from the particles themselves and are "
        "said.\n\n"
        "tracks.csv has the columns of the input, `track` first and `group` last: tracks that "
        "merged share a group (Group B), all others have none (Group A).",
    .usage = "PARTICLES -o tracks.csv [--events events.csv] [options]",
    .examples = "nucgrow track particles.csv -o tracks.csv --events events.csv\n"
                "nucgrow track spots.csv --pixel-nm 0.53 --frame-s 1 -o tracks.csv\n"
                "nucgrow track particles.csv -o tracks.csv --trackmate-xml tracks.xml\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_FILE,
    .schema = "nucgrow/track/1",
    .run = run,
};
