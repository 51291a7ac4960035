/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws, movies and runs that the tests of room predict share. */
#ifndef PREDICT_TEST_H
#define PREDICT_TEST_H

#include <nucgrow/predict.h>
#include <nucgrow/synth.h>

#include "test_support.h"

#define REQUIRE(call)                                                                              \
    do {                                                                                           \
        ng_error require_err_ = {.message = ""};                                                   \
        ng_error *err = &require_err_;                                                             \
        if ((call) != NG_OK) {                                                                     \
            fail_msg("%s: %s", #call, require_err_.message);                                       \
        }                                                                                          \
    } while (0)

/* Platinum in situ, Table 1 of [Kim] with delta 1.76. */
ng_growth_law platinum(void);

/* Rows of one run, n_times x NG_PREDICT_COLUMNS, freed with ng_free; the run must succeed. */
double *run_one(const ng_predict_case *c, const ng_predict_clock *clock, ng_predict_output *out);

/* A movie of platinum and its truth as if a fit had found it: `replicates` copies of the truth,
 * eps_f off by 0.02 kT one way and the other. Particles 200, frames 100. Freed with
 * ng_fit_file_free. */
ng_fit_file true_fit(size_t replicates);

#endif
