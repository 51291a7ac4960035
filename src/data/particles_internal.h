/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What reading and writing tables of particles share: the columns, and the words of the flags. */
#ifndef NUCGROW_DATA_PARTICLES_INTERNAL_H
#define NUCGROW_DATA_PARTICLES_INTERNAL_H

#include "data_internal.h"

#include <nucgrow/particles.h>

typedef enum ng_particle_column_kind {
    NG_PARTICLE_NUMBER,
    NG_PARTICLE_SLOT, /* a number that is read as one of a table's slots */
    NG_PARTICLE_FLAGS /* words */
} ng_particle_column_kind;

/** A column of particles.csv behind track, frame, time_s, particle, x_nm, y_nm. */
typedef struct ng_particle_column {
    const char *name;
    size_t offset; /* of a double in ng_particle */
    ng_particle_column_kind kind;
} ng_particle_column;

extern const ng_particle_column ng_particle_columns[];
extern const size_t ng_n_particle_columns;

double *ng_particle_number(ng_particle *particle, const ng_particle_column *column);

typedef struct ng_flag_word {
    unsigned flag;
    const char *word;
} ng_flag_word;

extern const ng_flag_word ng_flag_words[];
extern const size_t ng_n_flag_words;

#endif
