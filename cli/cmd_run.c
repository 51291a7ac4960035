/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow run: the steps that an experiment file names, one after the other. */
#include "cli_internal.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_UNTRUSTED = 4, MAX_WORDS = 24 };

/* A step of the pipeline: its verb, what it leaves in the folder, and what it reads when its
 * section names no files: the first of these that is there. */
typedef struct step {
    const char *verb;
    const char *output; /* NULL: the folder itself; a name without a dot: a folder in it */
    const char *input[3];
    bool all_inputs; /* all of them that are there, not the first */
    struct {
        const char *name, *file;
    } option[2]; /* what its section may leave out, and the file of the folder that it then names;
                    NULL: the movie that was looked at */
} step;

enum { N_OPTIONS = 2 };

static const step pipeline[] = {
    {.verb = "simulate ensemble"},
    {.verb = "simulate tem", .output = "synthetic"},
    {.verb = "simulate crystals"},
    {.verb = "simulate sim", .output = "synthetic"},
    {.verb = "reconstruct",
     .output = "sr.tif",
     .input = {"synthetic/raw.tif", "raw.tif"},
     .option = {{"pattern", "sr.pattern.json"}}},
    {.verb = "detect",
     .output = "particles.csv",
     .input = {"sr.tif", "synthetic/movie.tif", "movie.tif"},
     .option = {{"result", "detect.json"}}},
    {.verb = "track",
     .output = "tracks.csv",
     .input = {"particles.csv"},
     .option = {{"events", "events.csv"}, {"result", "track.json"}}},
    {.verb = "radius", .output = "radius.json", .input = {"tracks.csv"}},
    {.verb = "nucleation", .output = "nucleation.json", .input = {"tracks.csv"}},
    {.verb = "fit avrami", .output = "fit-avrami.json", .input = {"tracks.csv"}},
    {.verb = "fit diffusion", .output = "fit-diffusion.json", .input = {"tracks.csv"}},
    {.verb = "energy",
     .output = "energy.json",
     .input = {"nucleation.json", "fit-diffusion.json"},
     .all_inputs = true},
    {.verb = "potential", .output = "potential.json"},
    {.verb = "ensemble", .output = "ensemble.json", .input = {"tracks.csv"}},
    {.verb = "fit growth", .output = "fit-growth.json", .input = {"ensemble.json", "tracks.csv"}},
    {.verb = "predict", .output = "predicted.json", .input = {"fit-growth.json"}},
    {.verb = "report", .output = "report.html", .input = {""}, .option = {{"movie", NULL}}},
};

enum { N_STEPS = sizeof pipeline / sizeof pipeline[0] };

/* What the file says of a step. */
typedef struct section {
    bool present;
    bool names_files, says_option[N_OPTIONS];
    bool wants_raw;   /* looks for spots, and does not say where */
    char *first_file; /* owned; NULL: it names none */
} section;

static void sections_free(section *said)
{
    for (size_t i = 0; i < N_STEPS; i++) {
        ng_free(said[i].first_file);
    }
}

/* ---- before anything runs ----------------------------------------------------------------- */

static bool looks_for_spots(const ng_options *set)
{
    json_t *all = ng_options_json(set);
    const json_t *kind = json_object_get(json_object_get(all, "kind"), "value");
    const bool spots = json_is_string(kind) && strcmp(json_string_value(kind), "spot") == 0;
    json_decref(all);
    return spots;
}

/* Read the section of a step, so that every mistake in the file is found now. */
static ng_status check_section(const char *yaml, const step *s, section *said, ng_error *err)
{
    const ng_command *command = ng_command_find(s->verb);
    ng_cli_common common;
    void *values = NULL;
    ng_options *set = ng_command_options(command, &common, &values, err);
    if (set == NULL) {
        return err->status;
    }
    ng_text_list files = {0};
    ng_status status = ng_options_yaml(set, yaml, command->name, &files, err);
    said->names_files = files.n > 0;
    said->first_file = files.n > 0 ? ng_text_copy(files.item[0]) : NULL;
    for (size_t k = 0; k < N_OPTIONS && s->option[k].name != NULL; k++) {
        said->says_option[k] = ng_options_origin(set, s->option[k].name) != NG_ORIGIN_DEFAULT;
    }
    said->wants_raw = strcmp(s->verb, "detect") == 0 && !said->names_files &&
                      looks_for_spots(set) &&
                      ng_options_origin(set, "raw-from") == NG_ORIGIN_DEFAULT &&
                      ng_options_origin(set, "flux-from") == NG_ORIGIN_DEFAULT;
    ng_text_list_free(&files);
    ng_options_destroy(set);
    ng_free(values);
    return status;
}

static bool is_folder(const step *s)
{
    return s->output == NULL || strchr(s->output, '.') == NULL;
}

static ng_status check_steps(const ng_cli *cli, const char *yaml, section *said, ng_error *err)
{
    const char *names[N_STEPS];
    bool present[N_STEPS] = {false};
    for (size_t i = 0; i < N_STEPS; i++) {
        names[i] = pipeline[i].verb;
    }
    ng_status status = ng_options_yaml_sections(yaml, names, N_STEPS, present, err);
    for (size_t i = 0; status == NG_OK && i < N_STEPS; i++) {
        said[i].present = present[i];
        if (!present[i]) {
            continue;
        }
        status = check_section(yaml, &pipeline[i], &said[i], err);
        char *output = is_folder(&pipeline[i]) ? NULL : ng_cli_path(cli, pipeline[i].output);
        if (status == NG_OK && output != NULL && ng_cli_is_first(cli)) {
            status = ng_output_check(output, cli->common.force, err);
        }
        ng_free(output);
    }
    return status;
}

/* ---- one step ----------------------------------------------------------------------------- */

/* The command line of a step; the texts are owned. */
typedef struct words {
    char *word[MAX_WORDS];
    int n;
    bool short_of_memory;
} words;

static void add_word(words *w, char *owned)
{
    w->short_of_memory = w->short_of_memory || owned == NULL || w->n == MAX_WORDS;
    if (w->n < MAX_WORDS) {
        w->word[w->n++] = owned;
    } else {
        ng_free(owned);
    }
}

static void words_free(words *w)
{
    for (int i = 0; i < w->n; i++) {
        ng_free(w->word[i]);
    }
}

static void add_option(words *w, const char *name, const char *value)
{
    add_word(w, ng_text_format("--%s", name));
    add_word(w, ng_text_copy(value));
}

/* What the user said to `run` holds for every step, and what was not said is left to the file. */
static void add_common(words *w, const ng_cli *cli)
{
    char number[32];
    if (ng_options_origin(cli->options, "threads") == NG_ORIGIN_FLAG) {
        snprintf(number, sizeof number, "%ld", cli->common.threads);
        add_option(w, "threads", number);
    }
    if (ng_options_origin(cli->options, "seed") == NG_ORIGIN_FLAG) {
        snprintf(number, sizeof number, "%ld", cli->common.seed);
        add_option(w, "seed", number);
    }
    if (ng_options_origin(cli->options, "progress") == NG_ORIGIN_FLAG) {
        add_option(w, "progress", cli->common.progress);
    }
    if (cli->common.quiet || cli->common.json) {
        add_word(w, ng_text_copy("--quiet"));
    }
    if (cli->common.force) {
        add_word(w, ng_text_copy("--force"));
    }
    add_word(w, ng_text_copy("--no-json"));
}

static void add_default_input(words *w, const ng_cli *cli, const step *s)
{
    for (size_t i = 0; i < sizeof s->input / sizeof s->input[0] && s->input[i] != NULL; i++) {
        const bool folder = s->input[i][0] == '\0';
        char *path = folder ? ng_text_copy(cli->common.output) : ng_cli_path(cli, s->input[i]);
        if (path != NULL && access(path, R_OK) == 0) {
            add_word(w, path);
            if (!s->all_inputs) {
                return;
            }
        } else {
            ng_free(path);
        }
    }
}

static const char *looked_at(const section *said)
{
    for (size_t k = 0; k < N_STEPS; k++) {
        if (strcmp(pipeline[k].verb, "detect") == 0) {
            return said[k].first_file;
        }
    }
    return NULL;
}

/* What the section of a step leaves to the pipeline. */
static void add_left_out(words *w, const ng_cli *cli, size_t i, const section *said)
{
    const step *s = &pipeline[i];
    for (size_t k = 0; k < N_OPTIONS && s->option[k].name != NULL; k++) {
        const char *file = s->option[k].file;
        char *path = file != NULL ? ng_cli_path(cli, file) : NULL;
        const char *value = file != NULL ? path : looked_at(said);
        if (!said[i].says_option[k] && value != NULL) {
            add_option(w, s->option[k].name, value);
        }
        ng_free(path);
    }
}

/* Spots of a movie that `reconstruct` makes are found in what it makes it of. */
static void add_raw(words *w, const ng_cli *cli, const section *said)
{
    const step *reconstruct = pipeline;
    while (strcmp(reconstruct->verb, "reconstruct") != 0) {
        reconstruct++;
    }
    const section *of = &said[reconstruct - pipeline];
    if (!of->present) {
        return;
    }
    if (of->names_files) {
        add_option(w, "raw-from", of->first_file);
        return;
    }
    const int before = w->n;
    add_word(w, ng_text_copy("--raw-from"));
    add_default_input(w, cli, reconstruct);
    if (w->n == before + 1) { /* no raw frames where they are expected */
        ng_free(w->word[--w->n]);
    }
}

static int call_step(const ng_cli *cli, size_t i, const char *yaml, const section *said)
{
    const step *s = &pipeline[i];
    words w = {.n = 0};
    char *output =
        s->output == NULL ? ng_text_copy(cli->common.output) : ng_cli_path(cli, s->output);
    add_option(&w, "config", yaml);
    add_word(&w, ng_text_copy("--output"));
    add_word(&w, output);
    add_common(&w, cli);
    add_left_out(&w, cli, i, said);
    if (said[i].wants_raw) {
        add_raw(&w, cli, said);
    }
    if (!said[i].names_files) {
        add_default_input(&w, cli, s);
    }
    int code = w.short_of_memory ? ng_status_exit_code(NG_MEMORY)
                                 : ng_cli_call(ng_command_find(s->verb), w.n, w.word);
    words_free(&w);
    return code;
}

/* ---- all of them -------------------------------------------------------------------------- */

static ng_status status_of(int code)
{
    switch (code) {
    case 2:
        return NG_USAGE;
    case 3:
        return NG_INVALID;
    case 130:
        return NG_CANCELLED;
    default:
        return NG_INTERNAL;
    }
}

static void note_step(json_t *steps, const ng_cli *cli, const step *s, int code)
{
    char *path = s->output == NULL ? ng_text_copy(cli->common.output) : ng_cli_path(cli, s->output);
    json_array_append_new(steps, json_pack("{s:s, s:s, s:i}", "verb", s->verb, "output",
                                           path != NULL ? path : "", "exit_code", code));
    ng_free(path);
}

static ng_status run_steps(ng_cli *cli, const char *yaml, const section *said, ng_error *err)
{
    bool trusted = true;
    json_t *steps = json_array();
    cli->result = json_object();
    json_object_set(cli->result, "steps", steps);
    json_decref(steps);
    for (size_t i = 0; i < N_STEPS; i++) {
        if (!said[i].present) {
            continue;
        }
        ng_cli_print(cli, "== %s ==\n", pipeline[i].verb);
        fflush(stdout);
        int code = call_step(cli, i, yaml, said);
        note_step(steps, cli, &pipeline[i], code);
        if (code != 0 && code != EXIT_UNTRUSTED) {
            return NG_FAIL(err, status_of(code), "the step `%s` failed; what it said stands above",
                           pipeline[i].verb);
        }
        trusted = trusted && code == 0;
    }
    json_object_set_new(cli->result, "trusted", json_boolean(trusted));
    return NG_OK;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    (void)values;
    const char *yaml = cli->file[0];
    section said[N_STEPS] = {0};
    ng_status status = ng_cli_inputs(cli, err);
    if (status == NG_OK) {
        status = check_steps(cli, yaml, said, err);
    }
    /* only rank 0 looks at the folder, and all hear what it found */
    status = ng_cluster_agree(cli->run.cluster, status, err);
    if (status == NG_OK) {
        status = run_steps(cli, yaml, said, err);
    }
    sections_free(said);
    return status;
}

const ng_command ng_command_run = {
    .name = "run",
    .group = "Report",
    .summary = "all steps that an experiment file names, into one folder",
    .description =
        "The file is YAML. Its top keys are commands (`simulate ensemble`, `simulate tem`, "
        "`simulate crystals`, `simulate sim`, `reconstruct`, `detect`, `track`, `radius`, "
        "`nucleation`, `fit avrami`, `fit "
        "diffusion`, `energy`, `potential`, `ensemble`, `fit growth`, `predict`, `report`); below "
        "each stand its option names, without dashes, and `files`, what it reads. Paths in it are "
        "relative to the file. Steps run in the order of the pipeline, whatever their order in the "
        "file.\n\n"
        "A step without `files` reads what the step before it left in the folder: `track` reads "
        "particles.csv, `ensemble`, `nucleation`, `fit avrami` and `fit diffusion` tracks.csv, "
        "`energy` nucleation.json and fit-diffusion.json, `fit growth` ensemble.json, `predict` "
        "fit-growth.json, `report` the results, the tracks and the events; it shows the movie that "
        "`detect` looked at. `simulate tem` writes into the folder `synthetic` inside, from where "
        "`detect` takes movie.tif; `simulate sim` does so with raw.tif, from which `reconstruct` "
        "makes "
        "sr.tif, which `detect` then reads; spots of it are found in the raw frames (`raw-from: "
        "none`: in sr.tif). The folder then holds particles.csv, tracks.csv, "
        "events.csv, "
        "potential.json, ensemble.json, fit-growth.json, predicted.json and report.html. A fit "
        "that is not to be trusted does not stop the report; the exit code is 4 then.\n\n"
        "The whole file is checked before the first step runs.",
    .usage = "EXPERIMENT.yaml -o DIR [options]",
    .examples = "nucgrow run experiment.yaml -o results\n"
                "# experiment.yaml:\n"
                "#   detect:\n"
                "#     files: movie.tif\n"
                "#   track:\n"
                "#   ensemble:\n"
                "#     material: Pt\n"
                "#   fit growth:\n"
                "#     bootstrap: 50\n"
                "#   report:\n",
    .options_size = 1,
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_FOLDER,
    .schema = "nucgrow/run/1",
    .ranks = NG_RANKS_ALL,
    .run = run,
};
