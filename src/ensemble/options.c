/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <math.h>

ng_ensemble_options ng_ensemble_defaults(void)
{
    return (ng_ensemble_options){
        .sigma_s_nm = (double)NAN,
        .published = false,
        .smooth = true,
        .cutoff = 0.04846,
        .max_gap = 3,
        .bootstrap = 1000,
        .level = 0.6827,
    };
}

ng_status ng_ensemble_options_check(const ng_ensemble_options *options, ng_error *err)
{
    if (!(options->sigma_s_nm > 0.0 && options->sigma_s_nm < 1e3)) {
        return NG_FAIL(err, NG_USAGE,
                       "sigma_s is %g nm; the radius of a monomer's volume must be positive "
                       "(choose a material with --material)",
                       options->sigma_s_nm);
    }
    if (!(options->cutoff > 0.0 && options->cutoff <= 0.5)) {
        return NG_FAIL(err, NG_USAGE, "cutoff is %g; it must lie in (0, 0.5] cycles per frame",
                       options->cutoff);
    }
    if (options->max_gap < 0 || options->max_gap > NG_MAX_GAP_LIMIT) {
        return NG_FAIL(err, NG_USAGE, "max-gap is %ld; it must lie in 0..%d frames",
                       options->max_gap, NG_MAX_GAP_LIMIT);
    }
    if (!(options->level > 0.0 && options->level < 1.0)) {
        return NG_FAIL(err, NG_USAGE, "level is %g; it must lie between 0 and 1", options->level);
    }
    if (options->bootstrap > NG_BOOTSTRAP_LIMIT) {
        return NG_FAIL(err, NG_USAGE, "bootstrap is %zu; at most %d resamplings are made",
                       options->bootstrap, NG_BOOTSTRAP_LIMIT);
    }
    return NG_OK;
}
