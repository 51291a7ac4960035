/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nucgrow/report.h>

typedef struct options {
    const char *title, *movie, *tracks, *events;
    double pixel_nm;
} options;

static const ng_option table[] = {
    NG_TEXT_ROW("title", title, "TEXT", "Report",
                "Title of the page; made from the results when it is not given."),
    NG_TEXT_ROW(
        "movie", movie, "FILE", "What was seen",
        "Movie to show; else movie.* in the folder, or in its folder `synthetic`, or sr.tif."),
    NG_TEXT_ROW("tracks", tracks, "FILE", "What was seen",
                "Particles to draw on it; else tracks.csv or particles.csv in the folder."),
    NG_TEXT_ROW("events", events, "FILE", "What was seen",
                "Merges and splits to show; else events.csv in the folder."),
    {.name = "pixel-nm",
     .type = NG_OPTION_REAL,
     .offset = offsetof(options, pixel_nm),
     .unit = "nm",
     .min = 1e-6,
     .max = 1e6,
     .group = "What was seen",
     .doc = "Size of a pixel; else as the movie says."},
};

/* What was read or found; all of it is owned. */
typedef struct inputs {
    char **name;
    json_t **result;
    size_t n;
    char *movie, *table, *events; /* found in folders */
} inputs;

static void inputs_free(inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        ng_free(in->name[i]);
        json_decref(in->result[i]);
    }
    ng_free(in->name);
    ng_free(in->result);
    ng_free(in->movie);
    ng_free(in->table);
    ng_free(in->events);
}

static ng_status add_file(inputs *in, const char *path, ng_error *err)
{
    char **name = ng_realloc(in->name, in->n + 1, sizeof(char *));
    in->name = name != NULL ? name : in->name;
    json_t **result = ng_realloc(in->result, in->n + 1, sizeof(json_t *));
    in->result = result != NULL ? result : in->result;
    char *copy = ng_text_copy(path);
    if (name == NULL || result == NULL || copy == NULL) {
        ng_free(copy);
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    in->name[in->n] = copy;
    in->result[in->n] = NULL;
    in->n++;
    return ng_json_read(path, &in->result[in->n - 1], err);
}

/* Names that `nucgrow run` gives to the results that a report is made from. */
static int is_result(const struct dirent *entry)
{
    static const char *const names[] = {"ensemble.json",   "potential.json",    "truth.json",
                                        "nucleation.json", "fit-avrami.json",   "radius.json",
                                        "energy.json",     "fit-diffusion.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(entry->d_name, names[i]) == 0) {
            return 1;
        }
    }
    static const char *const begins[] = {"fit-growth", "fit-coalescence", "predicted"};
    size_t length = strlen(entry->d_name);
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(entry->d_name, begins[i], strlen(begins[i])) == 0 && length > 5 &&
            strcmp(entry->d_name + length - 5, ".json") == 0) {
            return 1;
        }
    }
    static const char pattern[] = ".pattern.json";
    return length > sizeof pattern - 1 &&
           strcmp(entry->d_name + length - (sizeof pattern - 1), pattern) == 0;
}

/* The first of `names` that is in the folder, unless a folder before it had one. */
static void find_file(const char *folder, const char *const *names, char **found)
{
    for (; *found == NULL && *names != NULL; names++) {
        char *path = ng_text_format("%s/%s", folder, *names);
        if (path != NULL && access(path, R_OK) == 0) {
            *found = path;
        } else {
            ng_free(path);
        }
    }
}

static void find_movie(inputs *in, const char *folder)
{
    static const char *const movies[] = {
        "movie.tif", "movie.tiff", "movie.mrc",           "movie.dm4", "movie.dm3", "movie.mp4",
        "movie.avi", "movie.mov",  "synthetic/movie.tif", "sr.tif",    NULL};
    static const char *const tables[] = {"tracks.csv", "particles.csv", NULL};
    static const char *const events[] = {"events.csv", NULL};
    find_file(folder, movies, &in->movie);
    find_file(folder, tables, &in->table);
    find_file(folder, events, &in->events);
}

static ng_status add_results(inputs *in, const char *folder, size_t *n, ng_error *err)
{
    struct dirent **entry = NULL;
    int found = scandir(folder, &entry, is_result, alphasort);
    ng_status status = NG_OK;
    if (found < 0) {
        return NG_FAIL(err, NG_IO, "%s: the folder cannot be read", folder);
    }
    for (int i = 0; i < found; i++) {
        char *path = ng_text_format("%s/%s", folder, entry[i]->d_name);
        if (status == NG_OK) {
            status = path != NULL ? add_file(in, path, err)
                                  : NG_FAIL(err, NG_MEMORY, "%s: out of memory", folder);
        }
        ng_free(path);
        free(entry[i]);
    }
    free(entry);
    *n += (size_t)found;
    return status;
}

/* What `nucgrow run` leaves in a folder; the truth of a simulated movie lies one deeper. */
static ng_status add_folder(inputs *in, const char *folder, const char *movie, ng_error *err)
{
    static const char *const truths[] = {"synthetic/truth.json", NULL};
    char *truth = NULL;
    size_t n = 0;
    ng_status status = add_results(in, folder, &n, err);
    if (status != NG_OK) {
        return status;
    }
    find_movie(in, folder);
    find_file(folder, truths, &truth);
    if (truth != NULL) {
        status = add_file(in, truth, err);
        n++;
    }
    ng_free(truth);
    if (status == NG_OK && n == 0 && in->movie == NULL && movie == NULL) {
        return NG_FAIL(
            err, NG_IO,
            "%s: no ensemble.json, fit-growth.json, fit-coalescence.json, predicted.json, "
            "potential.json, truth.json or movie in this folder",
            folder);
    }
    return status;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static ng_status look(ng_cli *cli, const options *o, const inputs *in, json_t **seen, ng_error *err)
{
    const ng_report_files files = {.movie = o->movie != NULL ? o->movie : in->movie,
                                   .table = o->tracks != NULL ? o->tracks : in->table,
                                   .events = o->events != NULL ? o->events : in->events,
                                   .pixel_nm = o->pixel_nm};
    return files.movie != NULL ? ng_report_look(&files, seen, &cli->warnings, err) : NG_OK;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    inputs in = {0};
    json_t *seen = NULL;
    ng_status status = NG_OK;
    for (size_t i = 0; i < cli->n_files && status == NG_OK; i++) {
        const char *path = cli->file[i];
        status = is_folder(path) ? add_folder(&in, path, o->movie, err) : add_file(&in, path, err);
    }
    if (status == NG_OK) {
        status = look(cli, o, &in, &seen, err);
    }
    if (status == NG_OK) {
        ng_report_input input = {.title = o->title,
                                 .result = (const json_t *const *)in.result,
                                 .name = (const char *const *)in.name,
                                 .n = in.n,
                                 .seen = seen};
        status = ng_report_write(&input, cli->common.output, cli->common.force, err);
    }
    if (status == NG_OK) {
        ng_cli_print(cli, "report  %s\n", cli->common.output);
    }
    json_decref(seen);
    inputs_free(&in);
    return status;
}

const ng_command ng_command_report = {
    .name = "report",
    .group = "Report",
    .summary = "one HTML page of results: answer, figures, intervals, provenance",
    .description =
        "Reads results of `nucgrow ensemble`, `fit growth`, `fit coalescence`, `predict`, "
        "`potential`, `radius`, `nucleation`, `fit avrami`, `fit diffusion` and `energy`, and the "
        "truth of `simulate`, in any mix; a folder stands for the results in it. "
        "`nucgrow report fit-growth.json` alone draws every figure of a fit; several fits or "
        "predictions are also set side by side.\n\n"
        "With a movie the page shows its frames with the outlines and tracks of the particles, the "
        "growth of the one that is chosen, and merges and splits as strips of frames: of up to 40 "
        "frames, small enough for a page.\n\n"
        "The page, report.html unless -o names another, is one file that asks no network for "
        "anything and can be read without scripts. "
        "Buttons give the data of each figure as CSV and the picture as SVG.",
    .usage = "RESULT.json|FOLDER... [options]",
    .examples = "nucgrow report fit-growth.json -o report.html\n"
                "nucgrow report forward.json rate.json predicted.json -o compared.html\n"
                "nucgrow report results/ --title \"Pt, run 12\"\n"
                "nucgrow report results/ --movie movie.tif\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_FILE,
    .output_initial = "report.html",
    .run = run,
};
