/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The growth law at another temperature. */
#include <nucgrow/predict.h>

#include <math.h>

#define GAS_CONSTANT_KJ 8.31446261815324e-3 /* per mol and K */

ng_temperature ng_temperature_defaults(void)
{
    return (ng_temperature){
        .reference_K = 298.15, .T_K = 298.15, .eps_f_share = 1.0, .eps_e_share = 1.0};
}

/* exp(-E/R (1/T - 1/T0)) */
static double arrhenius(const ng_temperature *t, double kJ_per_mol)
{
    return exp(-kJ_per_mol / GAS_CONSTANT_KJ * (1.0 / t->T_K - 1.0 / t->reference_K));
}

static double free_energy_factor(const ng_temperature *t, double share)
{
    return share * (t->reference_K / t->T_K) + (1.0 - share);
}

ng_growth_parameters ng_temperature_parameters(const ng_temperature *t,
                                               const ng_growth_parameters *at_reference)
{
    ng_growth_parameters p = *at_reference;
    if (t->T_K == t->reference_K) {
        return p;
    }
    p.eps_f *= free_energy_factor(t, t->eps_f_share);
    p.eps_e *= free_energy_factor(t, t->eps_e_share);
    p.K *= arrhenius(t, t->attachment_kJ_per_mol - t->diffusion_kJ_per_mol);
    p.kr *= arrhenius(t, t->attachment_kJ_per_mol) * ng_temperature_solubility(t);
    return p;
}

double ng_temperature_solubility(const ng_temperature *t)
{
    return arrhenius(t, t->solution_kJ_per_mol);
}

double ng_temperature_supply(const ng_temperature *t)
{
    return arrhenius(t, t->supply_kJ_per_mol);
}
