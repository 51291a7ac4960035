/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nucgrow/report.h>

typedef struct options {
    const char *title;
} options;

static const ng_option table[] = {
    {.name = "title",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(options, title),
     .value = "TEXT",
     .group = "Report",
     .doc = "Title of the page; made from the results when it is not given."},
};

/* What was read; names and results are owned. */
typedef struct inputs {
    char **name;
    json_t **result;
    size_t n;
} inputs;

static void inputs_free(inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        ng_free(in->name[i]);
        json_decref(in->result[i]);
    }
    ng_free(in->name);
    ng_free(in->result);
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
    static const char *const names[] = {"ensemble.json", "potential.json", "truth.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(entry->d_name, names[i]) == 0) {
            return 1;
        }
    }
    static const char *const begins[] = {"fit-growth", "predicted"};
    size_t length = strlen(entry->d_name);
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(entry->d_name, begins[i], strlen(begins[i])) == 0 && length > 5 &&
            strcmp(entry->d_name + length - 5, ".json") == 0) {
            return 1;
        }
    }
    return 0;
}

static ng_status add_folder(inputs *in, const char *folder, ng_error *err)
{
    struct dirent **entry = NULL;
    int n = scandir(folder, &entry, is_result, alphasort);
    ng_status status = NG_OK;
    if (n < 0) {
        return NG_FAIL(err, NG_IO, "%s: the folder cannot be read", folder);
    }
    if (n == 0) {
        status = NG_FAIL(err, NG_IO,
                         "%s: no ensemble.json, fit-growth.json, predicted.json, potential.json or "
                         "truth.json in this folder",
                         folder);
    }
    for (int i = 0; i < n; i++) {
        char *path = ng_text_format("%s/%s", folder, entry[i]->d_name);
        if (status == NG_OK) {
            status = path != NULL ? add_file(in, path, err)
                                  : NG_FAIL(err, NG_MEMORY, "%s: out of memory", folder);
        }
        ng_free(path);
        free(entry[i]);
    }
    free(entry);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    inputs in = {0};
    ng_status status = NG_OK;
    for (size_t i = 0; i < cli->n_files && status == NG_OK; i++) {
        const char *path = cli->file[i];
        status = is_folder(path) ? add_folder(&in, path, err) : add_file(&in, path, err);
    }
    if (status == NG_OK) {
        ng_report_input input = {.title = o->title,
                                 .result = (const json_t *const *)in.result,
                                 .name = (const char *const *)in.name,
                                 .n = in.n};
        status = ng_report_write(&input, cli->common.output, cli->common.force, err);
    }
    if (status == NG_OK) {
        ng_cli_print(cli, "report  %s\n", cli->common.output);
    }
    inputs_free(&in);
    return status;
}

const ng_command ng_command_report = {
    .name = "report",
    .group = "Report",
    .summary = "one HTML page of results: answer, figures, intervals, provenance",
    .description =
        "Reads results of `nucgrow ensemble`, `fit growth`, `predict` and `potential`, and the "
        "truth of `simulate ensemble`, in any mix; a folder stands for the results in it. "
        "`nucgrow report fit-growth.json` alone draws every figure of a fit; several fits or "
        "predictions are also set side by side.\n\n"
        "The page, report.html unless -o names another, is one file that asks no network for "
        "anything and can be read without scripts. "
        "Buttons give the data of each figure as CSV and the picture as SVG.",
    .usage = "RESULT.json|FOLDER... [options]",
    .examples = "nucgrow report fit-growth.json -o report.html\n"
                "nucgrow report forward.json rate.json predicted.json -o compared.html\n"
                "nucgrow report results/ --title \"Pt, run 12\"\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_FILE,
    .output_initial = "report.html",
    .run = run,
};
