/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs that simulate a movie write: the stack, and tables of what is in it. */
#ifndef NUCGROW_SIMULATE_MOVIE_H
#define NUCGROW_SIMULATE_MOVIE_H

#include "cli.h"

#include <nucgrow/movie.h>
#include <nucgrow/particles.h>

typedef enum ng_simulated_file {
    NG_SIMULATED_MOVIE,
    NG_SIMULATED_TRUTH,
    NG_SIMULATED_TRACKS,
    NG_SIMULATED_PARTICLES,
    NG_SIMULATED_EVENTS,
    NG_SIMULATED_FILES
} ng_simulated_file;

/** Open files of a simulated movie; starts zeroed. */
typedef struct ng_simulated_movie {
    char *path[NG_SIMULATED_FILES]; /* owned; NULL: not written */
    char *comment;                  /* owned; of the tables */
    ng_stack *movie;
    ng_particles_writer *tracks, *particles;
} ng_simulated_movie;

/** Names in the output folder, and a look whether anything stands in the way. */
NG_MUST_CHECK ng_status ng_simulated_find(const ng_cli *cli, bool with_events,
                                          ng_simulated_movie *out, ng_error *err);
NG_MUST_CHECK ng_status ng_simulated_open(const ng_cli *cli, const ng_stack_format *format,
                                          ng_simulated_movie *out, ng_error *err);
/** A frame and what is in it; particles.csv gets positions with the drift in them. */
NG_MUST_CHECK ng_status ng_simulated_add(ng_simulated_movie *out, const float *pixel,
                                         const ng_particle *particle, size_t n, ng_error *err);
NG_MUST_CHECK ng_status ng_simulated_commit(ng_simulated_movie *out, ng_error *err);
/** What was not committed leaves nothing behind. */
void ng_simulated_free(ng_simulated_movie *out);
/** "written:" and the names. */
void ng_simulated_print(const ng_cli *cli, const ng_simulated_movie *out);

#endif
