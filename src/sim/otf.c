/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the optics and the camera's pixels pass on, in theory or as measured. */
#include "sim_internal.h"

#include <math.h>

ng_sim_optics ng_sim_optics_defaults(void)
{
    return (ng_sim_optics){
        .na = 1.45, .wavelength_nm = 520, .pixel_nm = 65, .damping = 1, .measured = NULL};
}

double ng_sim_cutoff_per_um(const ng_sim_optics *optics)
{
    return 2e3 * optics->na / optics->wavelength_nm;
}

static ng_status check_range(const char *name, double value, double min, double max, ng_error *err)
{
    if (value >= min && value <= max) {
        return NG_OK;
    }
    return NG_FAIL(err, NG_INVALID, "%s is %g; it must lie between %g and %g", name, value, min,
                   max);
}

ng_status ng_sim_optics_check(const ng_sim_optics *optics, ng_error *err)
{
    ng_status status = check_range("na", optics->na, 0.1, 1.7, err);
    if (status == NG_OK) {
        status = check_range("wavelength-nm", optics->wavelength_nm, 200, 2000, err);
    }
    if (status == NG_OK) {
        status = check_range("pixel-nm", optics->pixel_nm, 5, 1000, err);
    }
    if (status == NG_OK) {
        status = check_range("otf-damping", optics->damping, 0.05, 1, err);
    }
    if (status != NG_OK) {
        return status;
    }
    /* A tenth of the frequencies must be left for measuring the noise. */
    const double cutoff = ng_sim_cutoff_per_um(optics), nyquist = 500 / optics->pixel_nm;
    if (cutoff > 0.95 * nyquist) {
        return NG_FAIL(err, NG_INVALID,
                       "NA %g and %g nm pass up to %.3g cycles/um, but pixels of %g nm sample only "
                       "%.3g; check --na, --wavelength-nm and --pixel-nm (of the raw frames, seen "
                       "from the sample: at most %.0f nm here)",
                       optics->na, optics->wavelength_nm, cutoff, optics->pixel_nm, nyquist,
                       0.95 * 500 / cutoff);
    }
    return NG_OK;
}

static double table_at(const ng_sim_otf_table *t, double k)
{
    if (k >= t->per_um[t->n - 1]) {
        return 0;
    }
    size_t low = 0, high = t->n - 1;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (t->per_um[middle] <= k) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const double f = (k - t->per_um[low]) / (t->per_um[high] - t->per_um[low]);
    return (1 - f) * t->value[low] + f * t->value[high];
}

double ng_sim_otf(const ng_sim_optics *optics, double k_per_um)
{
    const double q = k_per_um / ng_sim_cutoff_per_um(optics);
    if (q >= 1) {
        return 0;
    }
    if (optics->measured != NULL) {
        return table_at(optics->measured, k_per_um);
    }
    const double ideal = 2 / NG_SIM_PI * (acos(q) - q * sqrt(1 - q * q));
    return optics->damping < 1 ? ideal * pow(optics->damping, q) : ideal;
}

static double sinc(double x)
{
    return fabs(x) < 1e-8 ? 1 : sin(NG_SIM_PI * x) / (NG_SIM_PI * x);
}

double ng_sim_transfer(const ng_sim_optics *optics, double kx_per_um, double ky_per_um)
{
    const double h = ng_sim_otf(optics, hypot(kx_per_um, ky_per_um));
    if (h == 0 || optics->measured != NULL) {
        return h;
    }
    const double pixel_um = 1e-3 * optics->pixel_nm;
    return h * sinc(kx_per_um * pixel_um) * sinc(ky_per_um * pixel_um);
}
