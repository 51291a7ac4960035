/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file cli.h
 * What a verb of the program is, and what the driver does for it.
 *
 * A verb file (cli/cmd_potential.c) holds no science. It looks like this:
 *
 *     typedef struct options {
 *         double delta;
 *         const char *material;
 *     } options;
 *
 *     static const ng_option table[] = {
 *         {.name = "delta", .type = NG_OPTION_REAL, .offset = offsetof(options, delta),
 *          .min = 1, .max = 2, .group = "Particle", .doc = "Shape number."},
 *         {.name = "material", .type = NG_OPTION_TEXT, .offset = offsetof(options, material),
 *          .initial = "Pt", .value = "NAME|FILE", .group = "Particle", .doc = "Material."},
 *     };
 *
 *     static ng_status run(ng_cli *cli, const void *values, ng_error *err)
 *     {
 *         const options *o = values;
 *         ng_status status = ng_cli_inputs(cli, err);       // hashes cli->file[] into provenance
 *         ...call the library with &cli->run and &cli->warnings...
 *         ng_cli_print(cli, "maximum  %.4f kT\n", mu);      // for people; silent with --json, -q
 *         ng_provenance_reference(cli->provenance, "...");
 *         cli->result = json;                               // taken; the driver writes it
 *         return NG_OK;
 *     }
 *
 *     const ng_command ng_command_potential = {
 *         .name = "potential", .group = "Model", .summary = "...", .description = "...",
 *         .usage = "[options]", .examples = "nucgrow potential --material Pt\n",
 *         .options = table, .n_options = sizeof table / sizeof table[0],
 *         .options_size = sizeof(options), .n_min = 0, .n_max = 0,
 *         .output = NG_OUTPUT_RESULT, .schema = "nucgrow/potential/1", .run = run,
 *     };
 *
 * The driver parses options (default < config file < environment < flags), makes `run`, starts
 * provenance, calls the verb, then adds "schema" (first), "warnings" and "provenance" (last) to
 * `result`, writes it to -o and/or, with --json, to stdout, lists warnings on stderr, and turns the
 * status into the exit code: 4 when `result` holds "trusted": false.
 */
#ifndef NUCGROW_CLI_H
#define NUCGROW_CLI_H

#include <nucgrow/base.h>

/** What -o names. */
typedef enum ng_output_kind {
    NG_OUTPUT_RESULT, /* the JSON result, written by the driver; -o may be left out */
    NG_OUTPUT_FILE,   /* a file that the verb writes (ng_cli_common.output, .force) */
    NG_OUTPUT_FOLDER, /* a folder; made by the driver, filled by the verb with ng_cli_path */
    NG_OUTPUT_TEXT    /* the verb only prints; it takes no common options but --help */
} ng_output_kind;

/** Who runs the verb under mpirun. */
typedef enum ng_rank_kind {
    NG_RANKS_FIRST, /* rank 0; the others wait */
    NG_RANKS_ALL    /* all: its loops are ng_parallel_records, and it writes no file by itself
                       unless ng_cli_is_first */
} ng_rank_kind;

/** The options that every verb takes; `journal` only those that keep one. */
typedef struct ng_cli_common {
    bool json, force, quiet, help;
    const char *output;  /* NULL only for NG_OUTPUT_RESULT */
    const char *journal; /* "auto", "none" or a path */
    long threads, seed;
    const char *progress; /* "auto", "always", "never" */
    const char *config;
} ng_cli_common;

struct ng_command;

/** One call of a verb. */
typedef struct ng_cli {
    const struct ng_command *command;
    const char **file; /* positional arguments, or `files` of the config file */
    size_t n_files;
    ng_cli_common common;
    ng_options *options;
    ng_run run; /* hand it to the library: threads, seed, progress, Ctrl-C */
    ng_provenance *provenance;
    ng_warnings warnings;  /* hand it to the library */
    struct json_t *result; /* set by the verb; owned by the driver */
    char *journal_path;    /* owned by the driver, as is run.journal */
} ng_cli;

/** Row of an option that is a text, such as a file's name: field `member_` of `options`. */
#define NG_TEXT_ROW(name_, member_, value_, group_, doc_)                                          \
    {                                                                                              \
        .name = name_, .type = NG_OPTION_TEXT, .offset = offsetof(options, member_),               \
        .value = value_, .group = group_, .doc = doc_                                              \
    }

/** One verb. Everything that help, man page, completion and config files say of it is here. */
typedef struct ng_command {
    const char *name;        /* "ensemble", "fit growth" */
    const char *group;       /* heading in `nucgrow help`: Look, Measure, Model, Report, Help */
    const char *summary;     /* one line, no full stop */
    const char *description; /* paragraphs, separated by an empty line; the driver wraps them */
    const char *usage;       /* "TRACKS... [options]" */
    const char *examples;    /* one command a line, lines that begin with # explain */
    const ng_option *options;
    size_t n_options, options_size;
    size_t n_min, n_max; /* positional arguments; SIZE_MAX: any number */
    ng_output_kind output;
    const char *output_initial; /* -o when it is not given; NULL: it must be given (FILE, FOLDER) */
    const char *schema;         /* "nucgrow/ensemble/1"; NULL: no JSON result */
    ng_rank_kind ranks;
    bool keeps_journal; /* calls ng_cli_keep_records and takes --journal */
    ng_status (*run)(ng_cli *cli, const void *values, ng_error *err);
} ng_command;

/** Hash all positional files into the provenance. @return NG_IO for one that cannot be read. */
NG_MUST_CHECK ng_status ng_cli_inputs(ng_cli *cli, ng_error *err);
/** Is this the process that writes files? True but under mpirun, and there on rank 0. */
bool ng_cli_is_first(const ng_cli *cli);
/** From here on, finished records of ng_parallel_records are kept in the journal (--journal), and
 *  those that a killed run of the same work left are taken from it. Call it when all input has been
 *  read into the provenance, before the first long loop. Under mpirun it also makes sure that all
 *  ranks read the same input.
 *  @return NG_EXISTS for the journal of another run, NG_INVALID when ranks read different input */
NG_MUST_CHECK ng_status ng_cli_keep_records(ng_cli *cli, ng_error *err);
/** Print for people on stdout; nothing with --json, nor with --quiet when -o is given. */
void ng_cli_print(const ng_cli *cli, const char *format, ...) NG_PRINTF(2, 3);
/** `name` inside the output folder; owned (ng_free). NULL: no memory. */
char *ng_cli_path(const ng_cli *cli, const char *name);
/** The file beside an image: NAME.tif and ".x" give NAME.x. Owned; NULL: no memory. */
char *ng_cli_beside(const char *image, const char *ending);
/** Images of a known scene beside those of a movie: what `reconstruct` writes and `detect` looks
 *  for. */
#define NG_CLI_REHEARSAL ".rehearsal.tif"
/** {"schema", keys of `body`, "warnings", "provenance"}: for a verb that writes further JSON files
 * by itself. `body` is taken. Owned by the caller; NULL: no memory. */
struct json_t *ng_cli_stamp(const ng_cli *cli, const char *schema, struct json_t *body);

/** Run one verb with its own argv (without program name and verb) and return the exit code. Errors
 *  are printed. What `nucgrow run` and `nucgrow demo` call. */
int ng_cli_call(const ng_command *command, int argc, char **argv);

/** The table of commands, NULL-terminated. */
const ng_command *const *ng_commands(void);
/** By name ("fit growth"; also "fit-growth"); NULL when there is none. */
const ng_command *ng_command_find(const char *name);

#endif
