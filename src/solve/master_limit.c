/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluxes of a step, and how a step is kept positive without losing a particle. */
#include "solve_internal.h"

#include <float.h>
#include <math.h>

/* Particles that an implicit Euler step of density x moves through the upper face of row i. */
static double face(const ng_master *m, const double *x, size_t i, size_t lane, const double S[])
{
    const size_t here = i * m->lanes + lane, above = here + m->lanes;
    return S[lane] * m->attach[here] * x[here] - m->detach[above] * x[above];
}

void ng_master_ends(const ng_master *m, ng_master_step *step)
{
    const double h = step->length_s, gamma = NG_SDIRK_GAMMA;
    for (size_t l = 0; l < m->lanes; l++) {
        double in = h * step->nucleation[1][l];
        double out = step->begin == 0 ? h * m->detach[l] * m->next[l] : 0.0;
        if (m->options.order == 2) {
            in = gamma * in + (1.0 - gamma) * h * step->nucleation[0][l];
            out *= gamma;
            out += step->begin == 0 ? (1.0 - gamma) * h * m->detach[l] * m->stage[l] : 0.0;
        }
        step->nucleated[l] = in;
        step->dissolved[l] = out;
    }
}

void ng_master_fluxes(ng_master *m, const ng_master_step *step, size_t lane)
{
    const bool second = m->options.order == 2;
    const double last = (second ? NG_SDIRK_GAMMA : 1.0) * step->length_s;
    const double first = second ? step->length_s - last : 0.0;
    for (size_t i = step->begin; i + 1 < step->end; i++) {
        double flux = last * face(m, m->next, i, lane, step->S[1]);
        if (second) {
            flux += first * face(m, m->stage, i, lane, step->S[0]);
        }
        m->flux[i * m->lanes + lane] = flux;
    }
    m->flux[(step->end - 1) * m->lanes + lane] = 0.0;
}

/* ---- limited fluxes (Zalesak, J. Comput. Phys. 31, 335 (1979)) ------------------------------- */

/* Share of the corrections that row i can give away: `below` and `above` go through its faces,
 * upwards if positive. */
static double giveable(double density, double below, double above)
{
    const double given = fmax(above, 0.0) + fmax(-below, 0.0);
    return given > density ? density / given * (1.0 - 4.0 * DBL_EPSILON) : 1.0;
}

/* Correction of Euler's flux through the lower end; Euler's ends come out in `in` and `out`. */
static double lower_correction(const ng_master *m, const ng_master_step *step, size_t lane,
                               double *in, double *out)
{
    *in = step->length_s * step->nucleation[1][lane];
    *out = step->begin == 0 ? step->length_s * m->detach[lane] * m->euler[lane] : 0.0;
    return (step->nucleated[lane] - step->dissolved[lane]) - (*in - *out);
}

void ng_master_limit(ng_master *m, ng_master_step *step, size_t lane)
{
    const size_t lanes = m->lanes, end = step->end;
    const double *e = m->euler;
    double in, out;
    for (size_t i = step->begin; i + 1 < end; i++) {
        m->flux[i * lanes + lane] -= step->length_s * face(m, e, i, lane, step->S[1]);
    }
    double below = lower_correction(m, step, lane, &in, &out);
    double above = m->flux[step->begin * lanes + lane];
    double share = giveable(e[step->begin * lanes + lane], below, above);
    const double kept = below > 0 ? 1.0 : share;
    step->nucleated[lane] = in + kept * (step->nucleated[lane] - in);
    step->dissolved[lane] = out + kept * (step->dissolved[lane] - out);
    double given_below = kept * below;
    for (size_t i = step->begin; i < end; i++) {
        const size_t here = i * lanes + lane;
        double share_above = 1.0, next_above = 0.0, euler_flux = 0.0;
        if (i + 1 < end) {
            next_above = i + 2 < end ? m->flux[here + lanes] : 0.0;
            share_above = giveable(e[here + lanes], above, next_above);
            euler_flux = step->length_s * face(m, e, i, lane, step->S[1]);
        }
        const double given_above = above * (above > 0 ? share : share_above);
        m->next[here] = e[here] - (given_above - given_below);
        m->flux[here] = euler_flux + given_above;
        given_below = given_above;
        above = next_above;
        share = share_above;
    }
}

/* ---- rounding -------------------------------------------------------------------------------- */

void ng_master_fill_holes(ng_master *m, const ng_master_step *step, size_t lane)
{
    const size_t lanes = m->lanes;
    double missing = 0.0;
    for (size_t i = step->begin; i < step->end; i++) {
        const size_t here = i * lanes + lane;
        const double x = m->next[here] + missing;
        missing = fmin(x, 0.0);
        m->next[here] = fmax(x, 0.0);
        m->flux[here] += missing;
    }
    m->flux[(step->end - 1) * lanes + lane] -= missing;
    for (size_t i = step->end; i-- > step->begin && missing < 0;) {
        const size_t here = i * lanes + lane;
        const double x = m->next[here] + missing;
        missing = fmin(x, 0.0);
        m->next[here] = fmax(x, 0.0);
        if (i > step->begin) {
            m->flux[here - lanes] -= missing;
        }
    }
}
