/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be asked. */
#include "predict_internal.h"

#include <math.h>

ng_predict_options ng_predict_defaults(void)
{
    const double none = (double)NAN;
    return (ng_predict_options){.drive = NG_DRIVE_SUPPLY,
                                .scale = 1.0,
                                .start_mean = none,
                                .start_spread = none,
                                .temperature = ng_temperature_defaults(),
                                .duration_s = none,
                                .n_times = 161,
                                .steps = 160,
                                .replicates = 40,
                                .level = none,
                                .target_radius_nm = none,
                                .target_spread = none,
                                .grid_first = 0.25,
                                .grid_last = 4.0,
                                .n_grid = 0,
                                .n_limit = 1000000};
}

/* NAN: not asked for, and fine. */
static bool is_within(double x, double low, double high)
{
    return isnan(x) || (x >= low && x <= high);
}

static ng_status check_temperature(const ng_temperature *t, ng_error *err)
{
    const double kJ[] = {t->attachment_kJ_per_mol, t->diffusion_kJ_per_mol, t->solution_kJ_per_mol,
                         t->supply_kJ_per_mol};
    if (!(t->T_K >= 50.0 && t->T_K <= 5000.0 && t->reference_K >= 50.0 &&
          t->reference_K <= 5000.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "temperatures are %g K and %g K; they must lie between 50 "
                       "and 5000 K",
                       t->T_K, t->reference_K);
    }
    if (!(fabs(t->eps_f_share) <= 100.0 && fabs(t->eps_e_share) <= 100.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "enthalpy shares are %g and %g; they must lie between -100 "
                       "and 100",
                       t->eps_f_share, t->eps_e_share);
    }
    for (size_t i = 0; i < sizeof kJ / sizeof kJ[0]; i++) {
        if (!(fabs(kJ[i]) <= 1000.0)) {
            return NG_FAIL(err, NG_USAGE,
                           "an energy is %g kJ/mol; it must lie between -1000 and "
                           "1000",
                           kJ[i]);
        }
    }
    return NG_OK;
}

static ng_status check_start(const ng_predict_options *o, ng_error *err)
{
    if (isnan(o->start_mean) != isnan(o->start_spread)) {
        return NG_FAIL(err, NG_USAGE,
                       "a start needs both its mean and its spread (--start-mean, --start-spread)");
    }
    if (!is_within(o->start_mean, NG_SOLVE_N_MIN, 1e6) || !is_within(o->start_spread, 0.0, 2.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "the start has a mean of %g monomers and a spread of %g; %d to 1e6 and 0 to "
                       "2 are allowed",
                       o->start_mean, o->start_spread, NG_SOLVE_N_MIN);
    }
    for (size_t i = 0; i < o->n_start; i++) {
        if (!(o->start_n[i] >= 1.0 && o->start_n[i] <= 1e6)) {
            return NG_FAIL(err, NG_USAGE,
                           "size %zu of the start is %g monomers; 1 to 1e6 are "
                           "allowed",
                           i + 1, o->start_n[i]);
        }
    }
    return NG_OK;
}

static ng_status check_run(const ng_predict_options *o, ng_error *err)
{
    if (!(o->scale > 0.0 && o->scale <= 1e6)) {
        return NG_FAIL(err, NG_USAGE, "the scale is %g; it must be positive (at most 1e6)",
                       o->scale);
    }
    if (!(o->dissolved_per_particle >= 0.0 && o->dissolved_per_particle <= 1e12)) {
        return NG_FAIL(err, NG_USAGE, "%g monomers dissolved per particle; 0 to 1e12 are allowed",
                       o->dissolved_per_particle);
    }
    if (!is_within(o->duration_s, 1e-6, 1e12)) {
        return NG_FAIL(err, NG_USAGE, "the duration is %g s; it must be positive", o->duration_s);
    }
    if (o->n_times < 2 || o->n_times > 100000 || o->steps < 1 || o->steps > 10000000) {
        return NG_FAIL(err, NG_USAGE, "%zu times and %zu steps; 2 to 1e5 and 1 to 1e7 are allowed",
                       o->n_times, o->steps);
    }
    if (o->n_limit < 1000 || o->n_limit > NG_SOLVE_SIZES_MAX / 2) {
        return NG_FAIL(err, NG_USAGE, "the largest size is %ld; 1000 to %d are allowed", o->n_limit,
                       NG_SOLVE_SIZES_MAX / 2);
    }
    for (size_t i = 0; i < o->n_shapes; i++) {
        if (!(o->shape_s[i] >= 0.0) || (i > 0 && !(o->shape_s[i] > o->shape_s[i - 1]))) {
            return NG_FAIL(err, NG_USAGE,
                           "time %zu of the distributions is %g s; times count from "
                           "the start and rise",
                           i + 1, o->shape_s[i]);
        }
    }
    return NG_OK;
}

static ng_status check_target(const ng_predict_options *o, ng_error *err)
{
    if (!is_within(o->target_radius_nm, 1e-3, 1e4) || !is_within(o->target_spread, 1e-6, 10.0)) {
        return NG_FAIL(err, NG_USAGE, "the target is %g nm with a spread of %g %%",
                       o->target_radius_nm, 100.0 * o->target_spread);
    }
    if (isnan(o->target_radius_nm) && !isnan(o->target_spread)) {
        return NG_FAIL(err, NG_USAGE, "a target spread needs a target size (--target-nm)");
    }
    if (o->n_grid > 0 && (!(o->grid_first > 0.0) || !(o->grid_last >= o->grid_first) ||
                          !(o->grid_last <= 1e6) || o->n_grid > 1000)) {
        return NG_FAIL(err, NG_USAGE,
                       "the grid is %g to %g with %zu factors; factors must be positive and rise, "
                       "1000 at most",
                       o->grid_first, o->grid_last, o->n_grid);
    }
    if (!is_within(o->level, 0.01, 0.9999) || o->replicates > 100000) {
        return NG_FAIL(err, NG_USAGE,
                       "the level is %g and replicates %zu; 0.01 to 0.9999 and at "
                       "most 1e5 are allowed",
                       o->level, o->replicates);
    }
    return NG_OK;
}

ng_status ng_predict_check(const ng_predict_options *o, ng_error *err)
{
    ng_status status = check_temperature(&o->temperature, err);
    if (status == NG_OK) {
        status = check_start(o, err);
    }
    if (status == NG_OK) {
        status = check_run(o, err);
    }
    return status == NG_OK ? check_target(o, err) : status;
}
