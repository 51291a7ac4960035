/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newton's equations of the mass-coupled problem: tridiagonal with one dense row and column. */
#include "solve_internal.h"

/* With T = I - step A(S), c = d(d rho/dt)/dS:  T z = b + step c z_1, so z = U + z_1 V with
 * T U = b, T V = step c; one way up (pivots without a subtraction, see sweep_lanes.h), one way
 * down. The dense row is replaced by what follows from all rows together: a correction carries
 * the mass of its right side, z_1 + sum n z = b_1 + sum n b. So each Newton iteration keeps it. */
void ng_bordered_solve(const ng_bordered *s, const double *b, double *z)
{
    const size_t last = s->count - 1;
    const double step = s->step_s, step_S = step * s->supersaturation;
    const double *right = b + 1;
    double *U = z + 1, *V = s->response, *link = s->link;
    double q = 1.0 + step * s->detach[0];
    double in = s->entry_slope, carry_U = 0.0, carry_V = 0.0;
    for (size_t i = 0; i <= last; i++) {
        const double attach = i < last ? s->attach[i] : 0.0;
        const double down = i < last ? step * s->detach[i + 1] : 0.0;
        const double up = step_S * attach, out = attach * s->density[i];
        const double inverse = 1.0 / (q + up);
        U[i] = (right[i] + carry_U) * inverse;
        V[i] = (step * (in - out) + carry_V) * inverse;
        link[i] = down * inverse;
        carry_U = up * U[i];
        carry_V = up * V[i];
        q = 1.0 + down * q * inverse;
        in = out;
    }
    double n = (double)s->n_min + (double)last;
    double mass_U = n * (right[last] - U[last]), mass_V = n * V[last];
    for (size_t i = last; i-- > 0;) {
        n -= 1.0;
        U[i] += link[i] * U[i + 1];
        V[i] += link[i] * V[i + 1];
        mass_U += n * (right[i] - U[i]);
        mass_V += n * V[i];
    }
    const double monomers = (b[0] + mass_U) / (1.0 + mass_V);
    z[0] = monomers;
    for (size_t i = 0; i <= last; i++) {
        U[i] += monomers * V[i];
    }
}
