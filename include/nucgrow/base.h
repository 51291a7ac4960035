/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/base.h
 * Room `base`: status and errors, warnings, allocation, files, options, random streams,
 * progress, the parallel loop, provenance. Includes nothing of ours.
 *
 * Conventions of the whole library:
 *  - Fallible functions return ng_status; outputs come last, then `ng_error *err` (caller-owned,
 *    may be NULL). On failure outputs are empty (NULL, zero) and nothing leaks.
 *  - Pointers in a header are *owned* (free them with the function named), *borrowed* (valid as
 *    long as the object they came from), *copied* or *taken*.
 *  - A double that crosses an API carries its unit in its name. Energies are in k_B T.
 *  - The library never prints, never exits, keeps no globals.
 */
#ifndef NUCGROW_BASE_H
#define NUCGROW_BASE_H

#include <gsl/gsl_rng.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_t; /* jansson's value type; include <jansson.h> to look inside */

#if defined(__GNUC__)
#define NG_MUST_CHECK __attribute__((warn_unused_result))
#define NG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define NG_MUST_CHECK
#define NG_PRINTF(fmt, args)
#endif

/** Before a function whose loops are made once for each kind of vector unit; the one at hand is
 *  taken as the program starts. Sums must be written in an order that no unit changes. Not with
 *  clang 14, which makes the choice between them a global symbol, even for a static function. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define NG_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NG_VECTOR_CLONES
#endif

/* ---- status and errors ------------------------------------------------------------------ */

/** Every status: X(name, exit code of the program, text). */
#define NG_STATUS_LIST(X)                                                                          \
    X(OK, 0, "done")                                                                               \
    X(USAGE, 2, "wrong usage or configuration")                                                    \
    X(EXISTS, 2, "the output exists already")                                                      \
    X(IO, 3, "a file cannot be read or written")                                                   \
    X(FORMAT, 3, "a file is not what it should be")                                                \
    X(INVALID, 3, "a value is not allowed")                                                        \
    X(TOO_LITTLE, 3, "too little data for any estimate")                                           \
    X(DOMAIN, 5, "an argument lies outside the domain of a function")                              \
    X(MEMORY, 5, "out of memory")                                                                  \
    X(NUMERIC, 5, "a numerical method failed")                                                     \
    X(INTERNAL, 5, "internal error")                                                               \
    X(CANCELLED, 130, "interrupted")

typedef enum ng_status {
#define NG_X(name, exit_code, text) NG_##name,
    NG_STATUS_LIST(NG_X)
#undef NG_X
} ng_status;

/** Why a call failed. Caller-owned; `message` says who, where, which value, and what to do. */
typedef struct ng_error {
    ng_status status;
    char message[512];
    const char *file; /* source file that raised it (borrowed, static) */
    int line;
} ng_error;

/** Name of a status, such as "FORMAT"; "UNKNOWN" for a number that is none. Static text. */
const char *ng_status_name(ng_status status);
/** One plain sentence for a status. Static text. */
const char *ng_status_text(ng_status status);
/** Exit code that the program gives for a status (0, 2, 3, 5, 130). */
int ng_status_exit_code(ng_status status);

/** Fill `err` (may be NULL) and return `status`. Use through NG_FAIL. */
ng_status ng_error_set(ng_error *err, ng_status status, const char *file, int line,
                       const char *format, ...) NG_PRINTF(5, 6);

/** `return NG_FAIL(err, NG_INVALID, "%s:%zu: area is %g px; ...", ...);` */
#define NG_FAIL(err, status, ...) ng_error_set((err), (status), __FILE__, __LINE__, __VA_ARGS__)

/* ---- warnings: part of a result --------------------------------------------------------- */

/** `name` is a stable word for programs ("rows-dropped"), `text` a sentence for people. */
typedef struct ng_warning {
    char name[48];
    char text[464];
} ng_warning;

typedef struct ng_warnings {
    ng_warning *item; /* owned */
    size_t n;
} ng_warnings;

/** Append a warning; a full memory drops it silently. `list` may be NULL (nothing happens). A
 *  warning with the same name and text is kept once. */
void ng_warnings_add(ng_warnings *list, const char *name, const char *format, ...) NG_PRINTF(3, 4);
/** Append copies of all of `from`. */
void ng_warnings_append(ng_warnings *list, const ng_warnings *from);
void ng_warnings_free(ng_warnings *list);
/** JSON array [{"name":..., "text":...}, ...]; owned by the caller (json_decref); NULL when out of
 *  memory. */
struct json_t *ng_warnings_json(const ng_warnings *list);

/* ---- allocation ------------------------------------------------------------------------- */

/** `n` items of `size` bytes, zeroed; NULL when n*size overflows or memory is short. n = 0 gives a
 *  valid pointer. All memory of the library comes from here. */
void *ng_alloc(size_t n, size_t size);
/** Like realloc with an overflow check; on failure NULL and `old` stays valid. */
void *ng_realloc(void *old, size_t n, size_t size);
void ng_free(void *p);
/** Copy of a text, owned by the caller (ng_free); NULL when out of memory. */
char *ng_text_copy(const char *text);
/** Formatted text, owned by the caller (ng_free); NULL when out of memory. */
char *ng_text_format(const char *format, ...) NG_PRINTF(1, 2);
/** Print words broken before column 80, each line from column `indent`; `column` is where the line
 *  stands now. Line ends in `text` stay; one is added. */
void ng_text_wrap(FILE *stream, const char *text, size_t column, size_t indent);
/** For tests: the k-th allocation from now on fails once (0: none does). Not thread-safe.
 *  @return how many were to come until the one set before; 0: it has failed, or none was set. */
size_t ng_alloc_fail_after(size_t k);

#define NG_NEW(type, n) ((type *)ng_alloc((n), sizeof(type)))

/* ---- numbers in text -------------------------------------------------------------------- */

/** The whole of `text` as a number (spaces around it are allowed); false when it is none or
 *  overflows. The program must leave LC_NUMERIC at "C". "nan" and "inf" are numbers here. */
bool ng_parse_real(const char *text, double *value);
bool ng_parse_int(const char *text, long *value);

/* ---- how a call runs: threads, seed, progress, cancel ----------------------------------- */

/** Called between units of work, from one thread at a time: `done` of `total` units of `stage`.
 *  Return false to cancel; the call then ends with NG_CANCELLED. */
typedef bool ng_progress_callback(void *context, const char *stage, size_t done, size_t total);

/** How to run. Start from ng_run_defaults(): one thread, seed 1, silent, one process, nothing kept.
 *  Clusters and journals are made with <nucgrow/cluster.h>. */
typedef struct ng_run {
    int threads;                    /* >= 1; 0 = all cores of the machine */
    uint64_t seed;                  /* same seed, same result, for any number of threads */
    ng_progress_callback *progress; /* may be NULL */
    void *progress_context;         /* borrowed */
    struct ng_cluster *cluster;     /* other processes that share the work, or NULL; borrowed */
    struct ng_journal *journal;     /* where finished records are kept, or NULL; borrowed */
} ng_run;

ng_run ng_run_defaults(void);
/** Threads that `run` will use (>= 1). `run` may be NULL: 1. */
int ng_run_threads(const ng_run *run);
/** Report progress; false when the caller wants to stop. `run` may be NULL: true. */
bool ng_run_progress(const ng_run *run, const char *stage, size_t done, size_t total);

/** One unit of parallel work; `worker` is in [0, ng_run_threads()) and owns scratch of its own. */
typedef ng_status ng_task(void *context, size_t index, int worker, ng_error *err);

/** Run task(context, 0..n-1) on the threads of `run`, in no fixed order; write results by index.
 *  The error reported is that of the lowest index that failed; later tasks are then skipped.
 *  @return NG_OK, NG_CANCELLED, or the task's status. */
NG_MUST_CHECK ng_status ng_parallel_for(size_t n, ng_task *task, void *context, const ng_run *run,
                                        const char *stage, ng_error *err);

/** `n` records of `bytes` each, one after the other in `data` (borrowed). They are plain: numbers
 *  only, no pointers; `bytes` is at most 1 GiB and a multiple of what the members align to. */
typedef struct ng_records {
    void *data;
    size_t n, bytes;
} ng_records;

/** One unit of parallel work whose whole outcome is `record` (zeroed before the call). It must be
 *  a function of `context` and `index` alone, random numbers included: ng_random_open(seed, index).
 *  `worker` is in [0, ng_run_threads()) and owns scratch of its own. */
typedef ng_status ng_record_task(void *context, size_t index, int worker, void *record,
                                 ng_error *err);

/** Fill all records: the loop for work that takes minutes and more (resamplings, starts, grids).
 *  It runs on the threads of `run`; with `run->cluster`, indices are dealt out to all processes as
 *  they become free, and every process ends with all records; with `run->journal`, each record is
 *  kept on disk as it is finished, and those that were kept before are taken from there. Whatever
 *  of this happens, the records hold the same bits. What fills them must be equal on all processes:
 *  after this call the program goes on identically everywhere.
 *
 *  Errors as for ng_parallel_for; in a cluster every process gets the same one. `stage` is shown
 *  as progress. A journal knows loops by their order, so that must follow from the input alone. Not
 *  to be called inside a task.
 *  @return NG_OK, NG_CANCELLED, NG_MEMORY, or the task's status: the records are incomplete. */
NG_MUST_CHECK ng_status ng_parallel_records(const ng_records *records, ng_record_task *task,
                                            void *context, const ng_run *run, const char *stage,
                                            ng_error *err);

/* ---- random streams --------------------------------------------------------------------- */

/** A generator (GSL's Mersenne twister; draw with gsl_rng_uniform, <gsl/gsl_randist.h>) for stream
 *  number `stream` of `seed`: streams below 2^32 of one seed all differ. Owned: ng_random_close.
 *  NULL: no memory. */
gsl_rng *ng_random_open(uint64_t seed, uint64_t stream);
void ng_random_close(gsl_rng *rng);

/* ---- small symmetric systems: lower triangles, row by row -------------------------------- */

/** L of A = L L^T in place; false when A is not positive. */
bool ng_packed_cholesky(double *a, size_t n);
/** x of L L^T x = b in place of b. */
void ng_packed_solve(const double *l, size_t n, double *x);

/* ---- files ------------------------------------------------------------------------------ */

/** A file that appears whole or not at all: written under a temporary name beside its target. */
typedef struct ng_output ng_output;

/** Start writing `path`; "-" is standard output, and a device or pipe is written directly.
 *  @return NG_EXISTS when it exists and `force` is false (message names --force), NG_IO when the
 *  folder does not exist or is not writable. */
NG_MUST_CHECK ng_status ng_output_open(const char *path, bool force, ng_output **out,
                                       ng_error *err);
/** Would ng_output_open succeed? To say so before a long computation; leaves nothing behind. */
NG_MUST_CHECK ng_status ng_output_check(const char *path, bool force, ng_error *err);
/** Stream to write to (borrowed). */
FILE *ng_output_stream(ng_output *out);
/** Flush, check (a full disk is an error), rename into place, free `out`. */
NG_MUST_CHECK ng_status ng_output_commit(ng_output *out, ng_error *err);
/** Remove the temporary file and free; NULL is fine. */
void ng_output_abandon(ng_output *out);

/** Whole file into memory, zero-terminated; owned (ng_free). `limit_bytes` guards against absurd
 *  files. "-" is standard input. @return NG_IO (missing, directory, unreadable, too large),
 *  NG_MEMORY */
NG_MUST_CHECK ng_status ng_file_read(const char *path, size_t limit_bytes, char **text,
                                     size_t *length, ng_error *err);
/** SHA-256 of a file as 64 hex digits, and its size in bytes. */
NG_MUST_CHECK ng_status ng_file_sha256(const char *path, char hex[65], uint64_t *bytes,
                                       ng_error *err);
/** SHA-256 of `n` bytes as 64 hex digits. */
void ng_sha256(const void *bytes, size_t n, char hex[65]);
/** Write a JSON value (not consumed) to `path` ("-" = standard output): each number with as many
 *  digits as reading it back exactly takes, keys in the order they were added, arrays of numbers on
 *  one line, newline at the end. */
NG_MUST_CHECK ng_status ng_json_write(const struct json_t *value, const char *path, bool force,
                                      ng_error *err);
/** Read a JSON file; owned by the caller (json_decref). @return NG_IO, or NG_FORMAT with line. */
NG_MUST_CHECK ng_status ng_json_read(const char *path, struct json_t **value, ng_error *err);
/** JSON number, or null when `x` is not finite. Owned by the caller. */
struct json_t *ng_json_real(double x);
/** JSON array of `n` numbers (null where not finite). Owned by the caller; NULL: no memory. */
struct json_t *ng_json_reals(const double *x, size_t n);

/* ---- options: one table feeds flags, YAML keys, help, man page, completion, provenance -- */

typedef enum ng_option_type {
    NG_OPTION_BOOL,   /* field: bool;        --flag, --no-flag, YAML true/false */
    NG_OPTION_INT,    /* field: long */
    NG_OPTION_REAL,   /* field: double */
    NG_OPTION_TEXT,   /* field: const char * (borrowed from the ng_options) */
    NG_OPTION_CHOICE, /* field: const char *, one of `choices` ("a|b|c") */
    NG_OPTION_LIST,   /* field: ng_text_list; the flag may be repeated, YAML may hold a sequence */
} ng_option_type;

typedef struct ng_text_list {
    const char **item; /* borrowed from the ng_options */
    size_t n;
} ng_text_list;

/** One option. `initial` is parsed like a value given by the user; NULL: unset, which leaves
 *  NAN / LONG_MIN / NULL / false / an empty list in the field. */
typedef struct ng_option {
    const char *name; /* "pixel-nm": flag --pixel-nm and YAML key pixel-nm */
    char letter;      /* short flag, 0 = none */
    ng_option_type type;
    size_t offset;       /* of the field in the verb's struct */
    const char *unit;    /* "nm", "s", ... or NULL */
    const char *initial; /* default as text, or NULL */
    double min, max;     /* allowed range for INT and REAL, inclusive; equal: any finite value */
    const char *choices; /* CHOICE: the words allowed, "a|b|c". TEXT: words that mean something, for
                            help and completion. REAL: words that leave NAN in the field */
    const char *group;   /* heading in help */
    const char *doc;     /* one sentence */
    const char *value;   /* what help calls the value; NULL: made from the type. "FILE" (also inside
                            "NAME|FILE" or "FILE[,FILE]") marks a path to read: in a YAML file it
                            is relative to that file, and completion offers files */
} ng_option;

typedef enum ng_origin {
    NG_ORIGIN_DEFAULT,
    NG_ORIGIN_PRESET,
    NG_ORIGIN_FILE,
    NG_ORIGIN_ENVIRONMENT,
    NG_ORIGIN_FLAG
} ng_origin;

/** Options of one call: tables, the structs they fill, where each value came from. */
typedef struct ng_options ng_options;

ng_options *ng_options_create(void); /* owned; NULL: no memory */
void ng_options_destroy(ng_options *set);
/** Add a table that fills `target` (borrowed, must outlive the set) and set its defaults. */
NG_MUST_CHECK ng_status ng_options_add(ng_options *set, const ng_option *table, size_t n,
                                       void *target, ng_error *err);
/** Set one option from text. An unknown name is NG_USAGE with the nearest name; a value out of
 *  range or of the wrong form is NG_USAGE with what is allowed. A later origin wins over an earlier
 *  one; the same origin overwrites (LIST appends). */
NG_MUST_CHECK ng_status ng_options_set(ng_options *set, const char *name, const char *value,
                                       ng_origin origin, ng_error *err);
/** Where an option's value came from. */
ng_origin ng_options_origin(const ng_options *set, const char *name);
/** Parse `argv[0..argc)`: --name value, --name=value, --name / --no-name for BOOL, short letters,
 *  "--" ends options, "-" is a file, a value may begin with a minus sign. What is not an option is
 *  collected in `positional` (caller's array of argc pointers, borrowed from argv). */
NG_MUST_CHECK ng_status ng_options_parse(ng_options *set, int argc, char **argv,
                                         const char **positional, size_t *n_positional,
                                         ng_error *err);
/** Set options from the environment: NUCGROW_<NAME>, in capitals, '-' as '_'. */
NG_MUST_CHECK ng_status ng_options_environment(ng_options *set, ng_error *err);
/** Read option values from a YAML file: the mapping under top key `section` ("fit growth" and
 *  "fit-growth" are the same). `section` NULL, or a file without any mapping below its top keys:
 *  the whole file. Unknown keys are errors with line and nearest name. Key `files` (a text or a
 *  sequence) is collected in `positional` (may be NULL: then an error; owned list:
 *  ng_text_list_free). */
NG_MUST_CHECK ng_status ng_options_yaml(ng_options *set, const char *path, const char *section,
                                        ng_text_list *positional, ng_error *err);
/** Check that every top key of a YAML file is one of `names`; present[i] tells whether names[i] is
 *  there. An unknown key is NG_USAGE with line and nearest name. */
NG_MUST_CHECK ng_status ng_options_yaml_sections(const char *path, const char *const *names,
                                                 size_t n, bool *present, ng_error *err);
/** Free a list that owns its texts. */
void ng_text_list_free(ng_text_list *list);
/** {"name": {"value":..., "unit":..., "origin": "flag"}, ...} of all options; owned. */
struct json_t *ng_options_json(const ng_options *set);
/** Help text of all tables, 80 columns, groups, defaults and units. */
void ng_options_help(const ng_options *set, FILE *stream);
/** Visit every option of every table (completion, man page, docs). */
typedef void ng_option_visit(void *context, const ng_option *option);
void ng_options_each(const ng_options *set, ng_option_visit *visit, void *context);
/** Nearest of `n` names to `word` (edit distance <= 3), or NULL. */
const char *ng_nearest_name(const char *word, const char *const *names, size_t n);

/* ---- provenance ------------------------------------------------------------------------- */

/** What a result came from; filled as a verb runs. */
typedef struct ng_provenance ng_provenance;

/** Starts the clocks. `verb` and the command line are copied. NULL: no memory. */
ng_provenance *ng_provenance_create(const char *verb, int argc, char **argv);
void ng_provenance_destroy(ng_provenance *p);
/** Hash an input file. @return NG_IO when it cannot be read. */
NG_MUST_CHECK ng_status ng_provenance_input(ng_provenance *p, const char *path, ng_error *err);
/** A paper, database or file format that the result really used (kept once). */
void ng_provenance_reference(ng_provenance *p, const char *citation);
/** JSON block: version, build, command, options with origin, seed, threads, ranks, inputs (name,
 *  bytes, sha256), started_utc, wall_s, cpu_s, peak_memory_MB, warnings, references.
 *  `SOURCE_DATE_EPOCH` in the environment zeroes clock, memory and date so that files compare
 *  equal. Owned by the caller. */
struct json_t *ng_provenance_json(const ng_provenance *p, const ng_options *options,
                                  const ng_run *run, const ng_warnings *warnings);
/** "1.0.0" */
const char *ng_version(void);
/** Compiler, build type, libraries and their versions, one a line. Static text. */
const char *ng_build_info(void);

#ifdef __cplusplus
}
#endif
#endif
