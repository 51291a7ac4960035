/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where is the chemical potential of platinum highest, and which particles shrink at S = 2?
 *
 *     cc potential.c $(pkg-config --cflags --libs nucgrow) -o potential && ./potential
 */
#include <nucgrow.h>

#include <stdio.h>

int main(void)
{
    const ng_material *pt = ng_material_find("Pt");
    const ng_growth_parameters *p = &pt->parameters;
    const double delta = pt->delta, supersaturation = 2;

    /* Sizes below n = 50 mean nothing in this model. */
    ng_potential_maximum maximum = ng_potential_find_maximum(p, delta, 50, 10000);
    double radius_nm = ng_radius_from_monomers(maximum.n, pt->sigma_s_nm);
    printf("%s: maximum %.3f kT at n = %.0f, radius %.3f nm\n", pt->title, maximum.mu_kT,
           maximum.n, radius_nm);

    double n_star, n_star2;
    ng_potential_critical_sizes(p, delta, supersaturation, 50, 10000, &n_star, &n_star2);
    printf("S = %g: %s, particles of %.0f to %.0f monomers shrink\n", supersaturation,
           ng_potential_regime(&maximum, supersaturation), n_star, n_star2);

    printf("%8s %9s %14s\n", "n", "mu_n, kT", "Gibbs-Thomson");
    for (double n = 100; n <= 100000; n *= 10) {
        printf("%8.0f %9.3f %14.3f\n", n, ng_potential(p, delta, n),
               ng_potential_gibbs_thomson(p, delta, n));
    }
    return 0;
}
