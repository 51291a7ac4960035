/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the driver's own files share; verbs do not include it. */
#ifndef NUCGROW_CLI_INTERNAL_H
#define NUCGROW_CLI_INTERNAL_H

#include "cli.h"
#include "mpi.h"

/* ---- progress and Ctrl-C (progress.c) --------------------------------------------------- */

/* Draws progress on standard error and turns Ctrl-C into a cancelled run. */
typedef struct ng_progress_line {
    bool shown, redrawn; /* redrawn: one line on a terminal, else a line every 10 % */
    const char *stage;
    size_t tenth;
    double started_s, drawn_s;
} ng_progress_line;

void ng_progress_start(ng_progress_line *line, const char *mode, bool quiet);
/* An ng_progress_callback; `context` is the ng_progress_line. */
bool ng_progress_step(void *context, const char *stage, size_t done, size_t total);
/* Leave the terminal's line empty for what is printed next. */
void ng_progress_end(ng_progress_line *line);
/* From now on Ctrl-C asks the running step to stop; a second one ends the program at once. */
void ng_interrupt_catch(void);

/* ---- other processes and finished work (records.c) --------------------------------------- */

/* Under mpirun, standard input reaches rank 0 only: give it to all when a file is "-". */
ng_status ng_cli_share_stdin(ng_cli *cli, ng_error *err);
/* Close the journal: removed when the work is `done`, else said where it is. */
void ng_cli_end_records(ng_cli *cli, bool done);

/* What the program was started in; commands that are called from now on are part of it. */
void ng_cli_join(const ng_ranks *ranks);

/* ---- options of a command, for pages about it (cli.c) ----------------------------------- */

/* A set with the command's tables, filled with defaults. `*values` is what the command's own table
 * fills (ng_free it after the set). NULL: no memory, or a table that contradicts itself (in `err`).
 */
ng_options *ng_command_options(const ng_command *command, ng_cli_common *common, void **values,
                               ng_error *err);

/* ---- pages (help.c) --------------------------------------------------------------------- */

void ng_help_overview(FILE *stream);
ng_status ng_help_command(const ng_command *command, FILE *stream, ng_error *err);
ng_status ng_help_manual(const ng_command *command, FILE *stream, ng_error *err);
/* `prefix` ("fit") begins the names of several commands: list them. False when it begins none. */
bool ng_help_family(const char *prefix, FILE *stream);
/* Fail with the nearest command, as for an unknown verb. */
ng_status ng_command_unknown(const char *name, ng_error *err);

#endif
