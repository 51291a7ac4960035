/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From parameters to the rate k_f, the surviving fraction A and the times of merges. */
#include "coalescence_internal.h"

#include <math.h>

const ng_coalescence_info *ng_coalescence_parameter_info(void)
{
    static const ng_coalescence_info info[N_PARAMETERS] = {
        {"kappa_c", "1/s", "propensity to coalesce of small particles", true},
        {"nu", "nm", "width of the shell in which pairs coalesce", true},
        {"l", "nm", "gap between the surfaces at which they do", false},
        {"gamma", "1/nm", "steepness with which larger particles lose it", true},
        {"sigma_c", "nm", "sum of radii at which half is lost", false},
        {"rc", "nm", "least distance of pairs at the start", true},
        {"pair_density", "1/nm^3", "density of pairs", true},
        {"P0", "1/s", "supply of particles, over those at the start", false},
        {"t_P", "s", "end of that supply", false},
    };
    return info;
}

double ng_coalescence_propensity(const double parameter[N_PARAMETERS], double contact_nm)
{
    return parameter[NG_COALESCENCE_KAPPA] /
           (1.0 + exp(parameter[NG_COALESCENCE_GAMMA] *
                      (contact_nm - parameter[NG_COALESCENCE_SIGMA_C])));
}

/* ---- rate ------------------------------------------------------------------------------------ */

static void motion(const void *context, double time_s, ng_pair_motion *m)
{
    const ng_coalescence_model *model = context;
    const double factor = model->size_factor;
    m->contact_nm = factor * ng_coalescence_contact(&model->laws, time_s);
    m->contact_nm_per_s = factor * ng_coalescence_contact_slope(&model->laws, time_s);
    m->diffusion_nm2_per_s = ng_coalescence_diffusion(&model->laws, time_s) / factor;
    m->propensity_per_s = model->any_size
                              ? model->parameter[NG_COALESCENCE_KAPPA]
                              : ng_coalescence_propensity(model->parameter, m->contact_nm);
}

ng_coalescence_model ng_coalescence_model_of(const ng_coalescence_data *data,
                                             const ng_coalescence_options *options,
                                             const ng_coalescence_laws *laws, size_t cells)
{
    const double span_s = data->time_s[data->n_frames - 1] - data->time_s[0];
    return (ng_coalescence_model){
        .laws = *laws,
        .contact = options->contact,
        .rc_from_zero = options->rc_from_zero,
        .size_factor = 1.0,
        .start_s = data->time_s[0],
        .cells = cells,
        .step_s = span_s / COALESCENCE_STEPS * ((double)options->cells / (double)cells),
    };
}

ng_status ng_coalescence_run(const ng_coalescence_model *model, const double *time_s, size_t n,
                             double *rate_nm3_per_s, double *surviving, ng_error *err)
{
    const double *p = model->parameter;
    const double from_s = model->rc_from_zero ? 0.0 : model->start_s;
    const double contact = model->size_factor * ng_coalescence_contact(&model->laws, from_s);
    ng_pair_problem problem = {
        .law = motion,
        .context = model,
        .start_s = model->start_s,
        .sink_nm = p[NG_COALESCENCE_L],
        .sink_width_nm = p[NG_COALESCENCE_NU],
        .empty_nm = fmax(p[NG_COALESCENCE_RC] - contact, 0.0),
        .contact = model->contact,
    };
    ng_pair_numerics numerics = {model->cells, model->step_s, time_s[n - 1]};
    ng_status status = ng_pair_rates(&problem, &numerics, time_s, n, rate_nm3_per_s, err);
    if (status == NG_OK && surviving != NULL) {
        ng_coalescence_surviving(model, time_s, rate_nm3_per_s, n, surviving);
    }
    return status;
}

/* ---- survivors ------------------------------------------------------------------------------- */

/* dA/dt = supply - c k A^2 over one step with k linear from k0 to k1: fourth-order Runge-Kutta. */
static double advance(double A, double step_s, double supply, double k0, double k1)
{
    const double km = 0.5 * (k0 + k1);
    const double a = supply - k0 * A * A;
    const double x = A + 0.5 * step_s * a, b = supply - km * x * x;
    const double y = A + 0.5 * step_s * b, c = supply - km * y * y;
    const double z = A + step_s * c, d = supply - k1 * z * z;
    return A + step_s / 6.0 * (a + 2.0 * b + 2.0 * c + d);
}

/* One step under the law of supply, cut where that ends. */
static double supplied(const double *p, double A, double from_s, double span_s, double k0,
                       double k1)
{
    const double fed = fmin(fmax(p[NG_COALESCENCE_TP] - from_s, 0.0), span_s);
    const double km = k0 + (k1 - k0) * fed / span_s;
    A = fed > 0 ? advance(A, fed, p[NG_COALESCENCE_P0], k0, km) : A;
    return fed < span_s ? advance(A, span_s - fed, 0.0, km, k1) : A;
}

void ng_coalescence_surviving(const ng_coalescence_model *model, const double *time_s,
                              const double *rate_nm3_per_s, size_t n, double *surviving)
{
    const double *p = model->parameter, density = p[NG_COALESCENCE_DENSITY];
    surviving[0] = 1.0;
    for (size_t i = 1; i < n; i++) {
        const double from_s = time_s[i - 1], span_s = time_s[i] - from_s;
        const double k0 = density * rate_nm3_per_s[i - 1], k1 = density * rate_nm3_per_s[i];
        if (model->arrivals != NULL) {
            const double supply = (model->arrivals[i] - model->arrivals[i - 1]) / span_s;
            surviving[i] = advance(surviving[i - 1], span_s, supply, k0, k1);
        } else {
            surviving[i] = supplied(p, surviving[i - 1], from_s, span_s, k0, k1);
        }
    }
}

/* ---- times of merges ------------------------------------------------------------------------- */

void ng_coalescence_event_density(const double *time_s, const double *rate_nm3_per_s,
                                  const double *surviving, size_t n, double *density,
                                  double *cumulative)
{
    double total = 0.0, before = 0.0;
    for (size_t i = 1; i < n; i++) {
        total += 0.5 * (time_s[i] - time_s[i - 1]) *
                 (rate_nm3_per_s[i] * surviving[i] * surviving[i] +
                  rate_nm3_per_s[i - 1] * surviving[i - 1] * surviving[i - 1]);
    }
    const double scale = total > 0 ? 1.0 / total : 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double now = scale * rate_nm3_per_s[i] * surviving[i] * surviving[i];
        sum += i > 0 ? 0.5 * (time_s[i] - time_s[i - 1]) * (now + before) : 0.0;
        before = now;
        if (density != NULL) {
            density[i] = now;
        }
        if (cumulative != NULL) {
            cumulative[i] = sum;
        }
    }
}

double ng_coalescence_quantile(const double *time_s, const double *cumulative, size_t n,
                               double share)
{
    for (size_t i = 1; i < n; i++) {
        if (cumulative[i] >= share) {
            const double rise = cumulative[i] - cumulative[i - 1];
            const double part = rise > 0 ? (share - cumulative[i - 1]) / rise : 1.0;
            return time_s[i - 1] + part * (time_s[i] - time_s[i - 1]);
        }
    }
    return (double)NAN;
}
