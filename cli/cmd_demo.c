/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow demo: the whole path on data whose truth is known, and how close it came. */
#include "cli.h"

#include <jansson.h>
#include <string.h>

enum { EXIT_UNTRUSTED = 4 };

/* What the demo does, as a file that a user can take and change. */
static const char experiment[] =
    "# A synthetic movie of platinum particles, from its pixels to the report.\n"
    "# Again: nucgrow run experiment.yaml -o DIR\n"
    "simulate tem:\n"
    "  material: Pt\n"
    "  particles: 250\n"
    "  field-nm: 500\n"
    "  dose-per-px: 1600     # contrast 16 times the noise; the published movies have about 2\n"
    "  contrast: 0.4\n"
    "  diffusion-nm2-per-s: 0.01\n"
    "  seed: %ld\n"
    "detect:\n"
    "track:\n"
    "  min-points: 10\n"
    "ensemble:\n"
    "  material: Pt\n"
    "fit growth:\n"
    "  estimator: rate\n"
    "report:\n"
    "  title: nucgrow demo, synthetic platinum\n";

static ng_status write_experiment(const ng_cli *cli, const char *path, ng_error *err)
{
    ng_output *out = NULL;
    ng_status status = ng_output_open(path, cli->common.force, &out, err);
    if (status != NG_OK) {
        return status;
    }
    fprintf(ng_output_stream(out), experiment, cli->common.seed);
    return ng_output_commit(out, err);
}

static ng_status run_experiment(const ng_cli *cli, const char *path, ng_error *err)
{
    enum { MAX_WORDS = 8 };
    char *word[MAX_WORDS];
    int n = 0;
    word[n++] = ng_text_copy(path);
    word[n++] = ng_text_copy("--output");
    word[n++] = ng_text_copy(cli->common.output);
    word[n++] = ng_text_format("--threads=%ld", cli->common.threads);
    word[n++] = ng_text_format("--progress=%s", cli->common.progress);
    word[n++] = ng_text_copy(cli->common.force ? "--force" : "--no-force");
    word[n++] = ng_text_copy(cli->common.quiet || cli->common.json ? "--quiet" : "--no-quiet");
    word[n++] = ng_text_copy("--no-json");
    bool complete = true;
    for (int i = 0; i < n; i++) {
        complete = complete && word[i] != NULL;
    }
    int code = complete ? ng_cli_call(ng_command_find("run"), n, word) : 0;
    for (int i = 0; i < n; i++) {
        ng_free(word[i]);
    }
    if (!complete) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    if (code == ng_status_exit_code(NG_CANCELLED)) {
        return NG_FAIL(err, NG_CANCELLED, "interrupted");
    }
    return code == 0 || code == EXIT_UNTRUSTED
               ? NG_OK
               : NG_FAIL(err, NG_INVALID, "a step failed; what it said stands above");
}

/* ---- truth beside what was found ---------------------------------------------------------- */

static double number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

typedef struct row {
    const char *name;
    double truth, found, lower, upper;
} row;

static void add_row(const ng_cli *cli, json_t *rows, const row *r)
{
    bool inside = r->lower <= r->truth && r->truth <= r->upper;
    ng_cli_print(cli, "%-12s %10.4g %10.4g   %10.4g to %-10.4g %s\n", r->name, r->truth, r->found,
                 r->lower, r->upper, inside ? "yes" : "no");
    json_t *entry =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "name", r->name, "truth",
                  ng_json_real(r->truth), "found", ng_json_real(r->found), "lower",
                  ng_json_real(r->lower), "upper", ng_json_real(r->upper), "inside", inside);
    json_array_append_new(rows, entry);
}

static void add_parameters(const ng_cli *cli, json_t *rows, const json_t *truth, const json_t *fit)
{
    static const char *const names[] = {"eps_f", "eps_e", "alpha4", "K", "kr"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *found = json_object_get(json_object_get(fit, "parameters"), names[i]);
        row r = {.name = names[i],
                 .truth = number_at(json_object_get(truth, "parameters"), names[i]),
                 .found = number_at(found, "value"),
                 .lower = number_at(found, "lower"),
                 .upper = number_at(found, "upper")};
        add_row(cli, rows, &r);
    }
}

static void add_maximum(const ng_cli *cli, json_t *rows, const json_t *truth, const json_t *fit)
{
    const json_t *known = json_object_get(truth, "maximum");
    const json_t *found = json_object_get(fit, "potential");
    row size = {"n at max mu", number_at(known, "n"), number_at(found, "n_max"),
                number_at(found, "n_max_lower"), number_at(found, "n_max_upper")};
    row height = {"max mu (kT)", number_at(known, "mu_kT"), number_at(found, "mu_max_kT"),
                  number_at(found, "mu_max_lower_kT"), number_at(found, "mu_max_upper_kT")};
    add_row(cli, rows, &size);
    add_row(cli, rows, &height);
}

static ng_status read_result(const ng_cli *cli, const char *name, json_t **result, ng_error *err)
{
    char *path = ng_cli_path(cli, name);
    ng_status status =
        path == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory") : ng_json_read(path, result, err);
    ng_free(path);
    return status;
}

/* What tracking made of the movie, beside what happened in it. */
static void compare_events(const ng_cli *cli, const json_t *truth, const json_t *track)
{
    const json_t *counts = json_object_get(track, "counts");
    ng_cli_print(cli, "\nmerges       %10.0f in the movie, %.0f found\n",
                 number_at(truth, "merges"), number_at(counts, "merges"));
}

static ng_status compare(ng_cli *cli, ng_error *err)
{
    json_t *truth = NULL;
    json_t *track = NULL;
    json_t *fit = NULL;
    ng_status status = read_result(cli, "synthetic/truth.json", &truth, err);
    if (status == NG_OK) {
        status = read_result(cli, "track.json", &track, err);
    }
    if (status == NG_OK) {
        status = read_result(cli, "fit-growth.json", &fit, err);
    }
    if (status == NG_OK) {
        json_t *rows = json_array();
        compare_events(cli, truth, track);
        ng_cli_print(cli,
                     "\nparameter         truth      found   %.0f %% interval            "
                     "inside?\n",
                     100.0 * number_at(fit, "level"));
        add_parameters(cli, rows, truth, fit);
        add_maximum(cli, rows, truth, fit);
        cli->result =
            json_pack("{s:o, s:O}", "comparison", rows, "trusted", json_object_get(fit, "trusted"));
    }
    json_decref(truth);
    json_decref(track);
    json_decref(fit);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    (void)values;
    char *yaml = ng_cli_path(cli, "experiment.yaml");
    char *report = ng_cli_path(cli, "report.html");
    ng_status status = yaml == NULL || report == NULL ? NG_FAIL(err, NG_MEMORY, "out of memory")
                                                      : write_experiment(cli, yaml, err);
    status = status != NG_OK ? status : run_experiment(cli, yaml, err);
    status = status != NG_OK ? status : compare(cli, err);
    if (status == NG_OK) {
        ng_cli_print(cli, "\nReport: %s\n", report);
    }
    ng_free(yaml);
    ng_free(report);
    return status;
}

const ng_command ng_command_demo = {
    .name = "demo",
    .group = "Report",
    .summary = "the whole path, from a synthetic movie of known truth to the report",
    .description =
        "Simulates an electron-microscope movie of platinum particles, finds and tracks them, fits "
        "the growth law as if nothing were known, and prints what it found beside the truth. The "
        "folder, demo-out unless -o names another, then holds the movie and its truth (in "
        "synthetic), all tables and results, the report, and experiment.yaml, the file to copy and "
        "change for movies of your own.\n\n"
        "Single parameters are less certain than what follows from them: the potential at the "
        "sizes that were seen is well determined while eps_f, eps_e and 4+alpha trade against each "
        "other. The last two rows show that.",
    .usage = "[-o DIR] [options]",
    .examples = "nucgrow demo -o demo-out\n"
                "nucgrow demo -o demo-2 --seed 2\n",
    .options_size = 1,
    .n_max = 0,
    .output = NG_OUTPUT_FOLDER,
    .output_initial = "demo-out",
    .schema = "nucgrow/demo/1",
    .run = run,
};
