/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates, distributions and objects that the tests of room solve share. */
#ifndef SOLVE_TEST_H
#define SOLVE_TEST_H

#include <nucgrow/solve.h>

#include "test_support.h"

#define REQUIRE(call)                                                                              \
    do {                                                                                           \
        ng_error require_err_ = {.message = ""};                                                   \
        ng_error *err = &require_err_;                                                             \
        if ((call) != NG_OK) {                                                                     \
            fail_msg("%s: %s", #call, require_err_.message);                                       \
        }                                                                                          \
    } while (0)

typedef double size_law(double n);

/* A row for each size of `sizes`, law(n); freed with ng_free. NULL: zeros. */
double *rows_of(const ng_size_range *sizes, size_law *law);

/* Laws of size. */
double none(double n);
double forty(double n);
double twenty_five(double n);

/* One set with rates by law, S(t) constant or by law, everything at size `start`. */
ng_master *master_from(const ng_master_options *o, size_law *attach, size_law *detach,
                       const ng_time_law *supersaturation, long start);

/* Rates of platinum (Table 1) over `sizes`; freed with ng_free. */
void platinum_rates(const ng_size_range *sizes, double **attach, double **detach);

/* A Gaussian over `sizes` with sum 1; freed with ng_free. */
double *gaussian(const ng_size_range *sizes, double mean, double sd);

#endif
