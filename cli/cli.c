/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver: everything around a verb's run function. */
#include "cli_internal.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_UNTRUSTED = 4 };

/* ---- options every verb takes ----------------------------------------------------------- */

#define GROUP "Common options"

static const ng_option help_option[] = {
    {.name = "help",
     .letter = 'h',
     .type = NG_OPTION_BOOL,
     .offset = offsetof(ng_cli_common, help),
     .group = GROUP,
     .doc = "Show this page."},
};

static const ng_option common_options[] = {
    {.name = "json",
     .letter = 'j',
     .type = NG_OPTION_BOOL,
     .offset = offsetof(ng_cli_common, json),
     .group = GROUP,
     .doc = "Print the result as JSON on standard output."},
    {.name = "output",
     .letter = 'o',
     .type = NG_OPTION_TEXT,
     .offset = offsetof(ng_cli_common, output),
     .value = "PATH",
     .group = GROUP,
     .doc = "Where the result is written; `-` is standard output."},
    {.name = "force",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(ng_cli_common, force),
     .group = GROUP,
     .doc = "Overwrite files that exist."},
    {.name = "threads",
     .type = NG_OPTION_INT,
     .offset = offsetof(ng_cli_common, threads),
     .initial = "0",
     .min = 0,
     .max = 4096,
     .group = GROUP,
     .doc = "Threads to use (under mpirun, of each process); 0 is one for each core. Results do "
            "not depend on it."},
    {.name = "seed",
     .type = NG_OPTION_INT,
     .offset = offsetof(ng_cli_common, seed),
     .initial = "1",
     .min = 0,
     .max = INFINITY,
     .group = GROUP,
     .doc = "Seed of random numbers: the same seed gives the same result."},
    {.name = "quiet",
     .letter = 'q',
     .type = NG_OPTION_BOOL,
     .offset = offsetof(ng_cli_common, quiet),
     .group = GROUP,
     .doc = "No progress, no warnings on standard error (they stay in the result)."},
    {.name = "progress",
     .type = NG_OPTION_CHOICE,
     .offset = offsetof(ng_cli_common, progress),
     .initial = "auto",
     .choices = "auto|always|never",
     .group = GROUP,
     .doc = "Show progress on standard error; auto: when it is a terminal."},
    {.name = "config",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(ng_cli_common, config),
     .value = "FILE",
     .group = GROUP,
     .doc = "Read options from a YAML file: a section named like the command, or no sections."},
};

static const ng_option journal_option[] = {
    {.name = "journal",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(ng_cli_common, journal),
     .initial = "auto",
     .choices = "auto|none",
     .value = "auto|none|PATH",
     .group = GROUP,
     .doc = "Where finished parts are kept, so that the same command goes on after it was killed; "
            "auto: beside -o, as PATH.partial, once the work has taken 2 s."},
};

static ng_status add_tables(const ng_command *command, ng_options *set, ng_cli_common *common,
                            void *values, ng_error *err)
{
    ng_status status = ng_options_add(set, command->options, command->n_options, values, err);
    if (status == NG_OK && command->output != NG_OUTPUT_TEXT) {
        status = ng_options_add(set, common_options,
                                sizeof common_options / sizeof common_options[0], common, err);
    }
    if (status == NG_OK && command->keeps_journal) {
        status = ng_options_add(set, journal_option, 1, common, err);
    }
    if (status == NG_OK) {
        status = ng_options_add(set, help_option, 1, common, err);
    }
    return status;
}

ng_options *ng_command_options(const ng_command *command, ng_cli_common *common, void **values,
                               ng_error *err)
{
    *common = (ng_cli_common){.progress = "never", .journal = "none"};
    *values = ng_alloc(1, command->options_size);
    ng_options *set = ng_options_create();
    ng_status status = *values == NULL || set == NULL
                           ? NG_FAIL(err, NG_MEMORY, "out of memory")
                           : add_tables(command, set, common, *values, err);
    if (status != NG_OK) {
        ng_options_destroy(set);
        ng_free(*values);
        *values = NULL;
        return NULL;
    }
    return set;
}

/* ---- the processes of mpirun ------------------------------------------------------------- */

/* Belongs to the program as signals do; the library is handed it in ng_run. */
static ng_ranks joined;

void ng_cli_join(const ng_ranks *ranks)
{
    joined = *ranks;
}

bool ng_cli_is_first(const ng_cli *cli)
{
    return ng_cluster_rank(cli->run.cluster) == 0;
}

/* ---- what verbs call -------------------------------------------------------------------- */

ng_status ng_cli_inputs(ng_cli *cli, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < cli->n_files; i++) {
        status = ng_provenance_input(cli->provenance, cli->file[i], err);
    }
    return status;
}

static bool writes_to_stdout(const ng_cli *cli)
{
    const char *output = cli->common.output;
    return cli->common.json || (output != NULL && strcmp(output, "-") == 0);
}

void ng_cli_print(const ng_cli *cli, const char *format, ...)
{
    if (writes_to_stdout(cli) || (cli->common.quiet && cli->common.output != NULL)) {
        return;
    }
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

char *ng_cli_path(const ng_cli *cli, const char *name)
{
    const char *folder = cli->common.output;
    size_t n = strlen(folder);
    return ng_text_format("%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
}

char *ng_cli_beside(const char *image, const char *ending)
{
    const char *dot = strrchr(image, '.');
    const bool tiff = dot != NULL && (strcmp(dot, ".tif") == 0 || strcmp(dot, ".tiff") == 0);
    const size_t length = tiff ? (size_t)(dot - image) : strlen(image);
    return ng_text_format("%.*s%s", (int)length, image, ending);
}

struct json_t *ng_cli_stamp(const ng_cli *cli, const char *schema, struct json_t *body)
{
    json_t *stamped = json_object();
    json_object_set_new(stamped, "schema", json_string(schema));
    json_object_update(stamped, body);
    json_object_set_new(stamped, "warnings", ng_warnings_json(&cli->warnings));
    json_object_set_new(
        stamped, "provenance",
        ng_provenance_json(cli->provenance, cli->options, &cli->run, &cli->warnings));
    json_decref(body);
    return stamped;
}

/* ---- before the verb runs --------------------------------------------------------------- */

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

typedef struct call {
    ng_cli cli;
    void *values;              /* owned: what the verb's table fills */
    const char **word;         /* owned array: positional arguments of the command line */
    ng_text_list config_files; /* owned: `files` of the config file */
    ng_progress_line progress;
    bool made_folder; /* the output folder was not there before */
} call;

static void call_end(call *c)
{
    ng_progress_end(&c->progress);
    json_decref(c->cli.result);
    ng_free(c->cli.journal_path);
    ng_provenance_destroy(c->cli.provenance);
    ng_warnings_free(&c->cli.warnings);
    ng_options_destroy(c->cli.options);
    ng_text_list_free(&c->config_files);
    ng_free(c->word);
    ng_free(c->values);
}

static ng_status read_config(call *c, ng_error *err)
{
    const char *path = c->cli.common.config;
    if (path == NULL) {
        return NG_OK;
    }
    ng_status status =
        ng_options_yaml(c->cli.options, path, c->cli.command->name, &c->config_files, err);
    if (c->cli.n_files == 0) {
        c->cli.file = c->config_files.item;
        c->cli.n_files = c->config_files.n;
    }
    return status;
}

static ng_status check_positionals(const ng_cli *cli, ng_error *err)
{
    const ng_command *command = cli->command;
    if (cli->n_files < command->n_min) {
        return NG_FAIL(err, NG_USAGE, "%s missing; usage: nucgrow %s %s",
                       cli->n_files == 0 ? "an argument is" : "arguments are", command->name,
                       command->usage);
    }
    if (cli->n_files > command->n_max) {
        return NG_FAIL(err, NG_USAGE, "'%s' is one argument too many; usage: nucgrow %s %s",
                       cli->file[command->n_max], command->name, command->usage);
    }
    return NG_OK;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* A table read twice counts every particle twice; one that is written over is lost. */
static ng_status check_inputs(const ng_cli *cli, ng_error *err)
{
    const char *output = cli->common.output;
    bool writes = output != NULL && cli->command->output != NG_OUTPUT_FOLDER;
    for (size_t i = 0; cli->command->output != NG_OUTPUT_TEXT && i < cli->n_files; i++) {
        if (writes && is_same_file(cli->file[i], output)) {
            return NG_FAIL(err, NG_USAGE,
                           "%s: is read, so it cannot be the output; name another "
                           "with -o",
                           output);
        }
        for (size_t k = 0; k < i; k++) {
            if (is_same_file(cli->file[i], cli->file[k])) {
                return NG_FAIL(err, NG_USAGE, "%s: is given twice", cli->file[i]);
            }
        }
    }
    return NG_OK;
}

static ng_status make_folder(const char *path, bool *made, ng_error *err)
{
    struct stat info;
    *made = mkdir(path, 0777) == 0;
    if (*made || (stat(path, &info) == 0 && S_ISDIR(info.st_mode))) {
        return NG_OK;
    }
    return NG_FAIL(err, NG_IO, "%s: the folder cannot be made (%s)", path, strerror(errno));
}

/* An output that stands in the way is said before hours of work, not after. */
static ng_status check_output(call *c, ng_error *err)
{
    ng_cli *cli = &c->cli;
    ng_output_kind kind = cli->command->output;
    if (cli->common.output == NULL) {
        cli->common.output = cli->command->output_initial;
    }
    const char *path = cli->common.output;
    bool needed = kind == NG_OUTPUT_FILE || kind == NG_OUTPUT_FOLDER;
    if (path == NULL) {
        return needed ? NG_FAIL(err, NG_USAGE, "-o: say where the result goes") : NG_OK;
    }
    if (!ng_cli_is_first(cli)) {
        return NG_OK; /* rank 0 may have begun to write */
    }
    if (kind == NG_OUTPUT_FOLDER) {
        return make_folder(path, &c->made_folder, err);
    }
    return ng_output_check(path, cli->common.force, err);
}

static ng_status start_provenance(ng_cli *cli, int argc, char **argv, ng_error *err)
{
    char **words = NG_NEW(char *, (size_t)argc + 3);
    char *name = ng_text_copy(cli->command->name);
    if (words != NULL && name != NULL) {
        char program[] = "nucgrow";
        int n = 0;
        words[n++] = program;
        words[n++] = name;
        char *second = strchr(name, ' ');
        if (second != NULL) {
            *second = '\0';
            words[n++] = second + 1;
        }
        memcpy(words + n, argv, (size_t)argc * sizeof *argv);
        cli->provenance = ng_provenance_create(cli->command->name, n + argc, words);
    }
    ng_free(name);
    ng_free(words);
    return cli->provenance != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory");
}

static ng_status prepare(call *c, int argc, char **argv, ng_error *err)
{
    ng_cli *cli = &c->cli;
    cli->options = ng_command_options(cli->command, &cli->common, &c->values, err);
    if (cli->options == NULL) {
        return err->status;
    }
    c->word = NG_NEW(const char *, (size_t)argc);
    if (c->word == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    cli->file = c->word;
    ng_status status = ng_options_parse(cli->options, argc, argv, c->word, &cli->n_files, err);
    status = status != NG_OK ? status : ng_options_environment(cli->options, err);
    status = status != NG_OK ? status : read_config(c, err);
    status = status != NG_OK ? status : check_positionals(cli, err);
    status = status != NG_OK ? status : check_inputs(cli, err);
    status = status != NG_OK ? status : check_output(c, err);
    status = status != NG_OK ? status : ng_cli_share_stdin(cli, err);
    status = status != NG_OK ? status : start_provenance(cli, argc, argv, err);
    if (status != NG_OK) {
        return status;
    }
    ng_progress_start(&c->progress, cli->common.progress,
                      cli->common.quiet || !ng_cli_is_first(cli));
    if (cli->command->output != NG_OUTPUT_TEXT) {
        long threads = cli->common.threads;
        cli->run.threads = threads > 0 ? (int)threads : joined.threads;
        cli->run.seed = (uint64_t)cli->common.seed;
    }
    cli->run.progress = ng_progress_step;
    cli->run.progress_context = &c->progress;
    return NG_OK;
}

/* ---- after it ran ----------------------------------------------------------------------- */

static bool is_untrusted(const ng_cli *cli)
{
    return json_is_false(json_object_get(cli->result, "trusted"));
}

static ng_status write_result(ng_cli *cli, ng_error *err)
{
    const ng_cli_common *common = &cli->common;
    if (cli->result == NULL || cli->command->schema == NULL) {
        return NG_OK;
    }
    json_t *body = cli->result;
    cli->result = ng_cli_stamp(cli, cli->command->schema, body);
    bool to_file = cli->command->output == NG_OUTPUT_RESULT && common->output != NULL;
    bool to_stdout = common->json && !(to_file && strcmp(common->output, "-") == 0);
    ng_status status =
        to_file ? ng_json_write(cli->result, common->output, common->force, err) : NG_OK;
    if (status == NG_OK && to_stdout) {
        status = ng_json_write(cli->result, "-", true, err);
    }
    if (status == NG_OK && to_file) {
        ng_cli_print(cli, "written: %s\n", common->output);
    }
    return status;
}

static void print_warnings(const ng_cli *cli)
{
    for (size_t i = 0; !cli->common.quiet && i < cli->warnings.n; i++) {
        fprintf(stderr, "nucgrow: %s: warning: %s\n", cli->command->name,
                cli->warnings.item[i].text);
    }
}

static void print_error(const ng_command *command, ng_status status, const ng_error *err)
{
    const char *text = err->message[0] != '\0' ? err->message : ng_status_text(status);
    fprintf(stderr, "nucgrow: %s: %s\n", command->name, text);
    if (status == NG_USAGE) {
        fprintf(stderr, "Try `nucgrow help %s`.\n", command->name);
    } else if (ng_status_exit_code(status) == ng_status_exit_code(NG_INTERNAL)) {
        fprintf(stderr, "(%s at %s:%d; please report it with the output of `nucgrow version`)\n",
                ng_status_name(status), err->file != NULL ? err->file : "?", err->line);
    }
}

/* A failed call leaves no empty folder behind. */
static void remove_folder(const call *c)
{
    if (c->made_folder) {
        (void)rmdir(c->cli.common.output);
    }
}

/* Everything but what is written: the same on all ranks. */
static ng_status run_verb(call *c, int argc, char **argv, ng_error *err)
{
    ng_cli *cli = &c->cli;
    ng_status status = prepare(c, argc, argv, err);
    /* a folder that rank 0 made is there for all; one that cannot be made stops all */
    status = ng_cluster_agree(cli->run.cluster, status, err);
    if (status == NG_OK) {
        status = cli->command->run(cli, c->values, err);
    }
    ng_progress_end(&c->progress);
    return status;
}

/* What only the first rank does, after all have come to `status`. */
static int conclude(call *c, ng_status status, ng_error *err)
{
    ng_cli *cli = &c->cli;
    status = status != NG_OK ? status : write_result(cli, err);
    print_warnings(cli);
    if (status != NG_OK) {
        print_error(cli->command, status, err);
        remove_folder(c);
    }
    ng_cli_end_records(cli, status == NG_OK);
    return status == NG_OK && is_untrusted(cli) ? EXIT_UNTRUSTED : ng_status_exit_code(status);
}

int ng_cli_call(const ng_command *command, int argc, char **argv)
{
    ng_error err = {.status = NG_OK};
    if (asks_for_help(argc, argv)) {
        return ng_status_exit_code(ng_help_command(command, stdout, &err));
    }
    const ng_ranks ranks = joined;
    bool all = command->ranks == NG_RANKS_ALL, first = ng_cluster_rank(ranks.cluster) == 0;
    call c = {.cli.command = command, .cli.run = ng_run_defaults()};
    c.cli.run.cluster = all ? ranks.cluster : NULL;
    ng_status status = NG_OK;
    int code = 0;
    if (!all) {
        joined.cluster = NULL; /* what it calls is not shared either */
    }
    if (all || first) {
        status = run_verb(&c, argc, argv, &err);
    }
    joined = ranks;
    status = ng_cluster_agree(ranks.cluster, status, &err);
    if (first) {
        code = conclude(&c, status, &err);
    }
    if (ng_cluster_share(ranks.cluster, &code, sizeof code, &err) != NG_OK) {
        code = ng_status_exit_code(err.status);
    }
    ng_cluster_go_on(ranks.cluster);
    call_end(&c);
    return code;
}
