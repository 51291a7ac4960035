/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The five growth parameters, the built-in materials, and sizes in monomers. */
#include <nucgrow/physics.h>

#include <ctype.h>
#include <math.h>

static const double four_pi_thirds = 4 * M_PI / 3;

#define KIM_TABLE "Kim et al., PNAS 122, e2424950122 (2025), Table 1"

static const ng_parameter_info growth_parameters[NG_N_GROWTH_PARAMETERS] = {
    {"eps_f", "Δε_f", "kT", "free energy of a monomer at a face site, relative to the core", 0, 20,
     false},
    {"eps_e", "Δε_e", "kT", "free energy of a monomer at an edge site, relative to the core", -30,
     10, false},
    {"alpha4", "4+α", "1", "translation, rotation and configurational degeneracy of a particle", 0,
     40, false},
    {"K", "κ_a σ_s/D₁", "1", "association rate of a monomer relative to its diffusion", 1e-4, 1e2,
     true},
    {"kr", "κ_a ρ₁,∞", "nm^-2 s^-1", "attachment rate per surface area at the solubility", 1e-5,
     1e3, true},
};

static const ng_material materials[] = {
    {"Pt", "Platinum, in situ", 0.15567157440168947, 1.76, {3.04, -1.35, 6.50, 0.171, 1.40}, true,
     true, KIM_TABLE},
    {"Pt-ex-situ", "Platinum, ex situ", 0.15567157440168947, 1.73,
     {3.46, -3.07, 7.13, 0.0311, 0.0472}, true, true, KIM_TABLE},
    {"Au", "Gold, in situ", 0.1593424666799769, 1.70, {5.45, -4.06, 8.72, 0.424, 2.43}, true, true,
     KIM_TABLE},
    {"iron-oxide", "Iron oxide, ex situ", 0.35, 1.67, {2.08, -3.17, 4.06, 0.0645, 3.98e-3}, true,
     true, KIM_TABLE "; sigma_s: middle of its range 0.3-0.4 nm"},
    {"CdSe", "Cadmium selenide, ex situ", 0.25, 1.70, {1.24, -1.66, 4.17, 0.0503, 7.68e-3}, true,
     true, KIM_TABLE "; sigma_s: middle of its range 0.2-0.3 nm"},
};

const ng_parameter_info *ng_growth_parameter_info(void)
{
    return growth_parameters;
}

double ng_growth_parameter_get(const ng_growth_parameters *p, size_t index)
{
    switch (index) {
    case 0: return p->eps_f;
    case 1: return p->eps_e;
    case 2: return p->alpha4;
    case 3: return p->K;
    case 4: return p->kr;
    default: return (double)NAN;
    }
}

void ng_growth_parameter_set(ng_growth_parameters *p, size_t index, double value)
{
    switch (index) {
    case 0: p->eps_f = value; break;
    case 1: p->eps_e = value; break;
    case 2: p->alpha4 = value; break;
    case 3: p->K = value; break;
    case 4: p->kr = value; break;
    default: break;
    }
}

size_t ng_material_count(void)
{
    return sizeof materials / sizeof materials[0];
}

const ng_material *ng_material_at(size_t index)
{
    return index < ng_material_count() ? &materials[index] : NULL;
}

static bool same_word(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

const ng_material *ng_material_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < ng_material_count(); i++) {
        if (same_word(materials[i].name, name)) {
            return &materials[i];
        }
    }
    return NULL;
}

static bool positive(double x)
{
    return x > 0 && isfinite(x);
}

double ng_sigma_from_density(double rho_per_nm3)
{
    return positive(rho_per_nm3) ? cbrt(1 / (four_pi_thirds * rho_per_nm3)) : (double)NAN;
}

double ng_density_from_sigma(double sigma_nm)
{
    const double volume_nm3 = four_pi_thirds * sigma_nm * sigma_nm * sigma_nm;
    return positive(sigma_nm) ? 1 / volume_nm3 : (double)NAN;
}

double ng_monomers_from_radius(double radius_nm, double sigma_s_nm)
{
    if (!(radius_nm >= 0) || !positive(sigma_s_nm)) {
        return (double)NAN;
    }
    const double ratio = radius_nm / sigma_s_nm;
    return ratio * ratio * ratio;
}

double ng_radius_from_monomers(double n, double sigma_s_nm)
{
    return n >= 0 && positive(sigma_s_nm) ? sigma_s_nm * cbrt(n) : (double)NAN;
}
