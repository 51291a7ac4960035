/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `nucgrow energy` reads: births of nucleation.json, growth of fit-diffusion.json. */
#ifndef NUCGROW_CLI_ENERGY_INPUT_H
#define NUCGROW_CLI_ENERGY_INPUT_H

#include "cli.h"

#include <nucgrow/crystallization.h>

typedef struct ng_energy_input {
    ng_conditions conditions; /* set before, numbers of files over it */
    double *rate;             /* owned: times, then births per second; NULL: none */
    size_t n_rate;
    ng_energy_knowledge known; /* its arrays are owned by the two blocks below */
    double *births, *growth;
    bool doubtful; /* a result that it rests on says that it is not to be trusted */
} ng_energy_input;

/* Either kind of result; a second one of a kind is an error. */
ng_status ng_energy_input_read(const char *path, ng_energy_input *in, ng_warnings *warnings,
                               ng_error *err);
/* The nucleation rate over time; borrows from `in`. */
ng_time_law ng_energy_input_law(const ng_energy_input *in);
/* {births, crystals}: how many the numbers rest on; owned. */
struct json_t *ng_energy_input_json(const ng_energy_input *in);
void ng_energy_input_free(ng_energy_input *in);

#endif
