/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/physics.h
 * Room `physics`: shape, chemical potential, rates, materials. Pure functions: no input or output,
 * no allocation (tables are filled into the caller's arrays). May include base.
 *
 * Units: nm, s, k_B T. Monomer numbers n are >= 1. Energies are relative to the macroscopic
 * crystal: mu_n stands for (mu_n^s - mu_inf)/kT. Sources: [Kim] = PNAS 122, e2424950122 (2025).
 */
#ifndef NUCGROW_PHYSICS_H
#define NUCGROW_PHYSICS_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- shape: the general truncated octahedron ----------------------------------------- */

/** Range of the shape number delta: 1 cuboctahedron, 4/3 regular truncated octahedron,
 *  2 octahedron. */
#define NG_DELTA_MIN 1.0
#define NG_DELTA_MAX 2.0

/**
 * Edge length s (in bonds) of the uncut octahedron that holds n monomers.
 *
 * Equation: A s^3 + B s^2 + C s + 12(1-n) = 0 with A = -16+36d-18d^2+3d^3, B = -12+36d-9d^2,
 * C = 16+6d; its only root s >= 0, by Newton from cbrt(12(n-1)/A). With h = 1-d/2 (exact in binary)
 * A = 8-24h^3, B = 24-36h^2, C = 28-12h.
 * Given:    n (>= 1), delta (1..2).
 * Returned: s >= 0; NAN outside the domain.
 * Notes:    relative error <= 4e-16 against quadruple precision, n up to 1e7.
 * Source:   [Kim] SI (model of a nanoparticle), rederived in docs/models.md.
 */
double ng_shape_edge(double n, double delta);

/** Number of monomers at edge sites, N_e = 12(s-1) for s >= 1, else 0. NAN outside the domain. */
double ng_shape_edge_sites(double n, double delta);

/** Number of monomers at face sites, N_f = [4(s-1)(s-2) - 12t(t-1) + 6(t-1)^2 H(t>=1)] H(s>=2),
 *  t = s(1-delta/2). NAN outside the domain. */
double ng_shape_face_sites(double n, double delta);

/**
 * Gain of edge and face sites when n becomes n+1.
 *
 * Equation: N_e(n+1)-N_e(n) and N_f(n+1)-N_f(n), from s'-s = 12/(A(s'^2+s's+s^2)+B(s'+s)+C), so
 *           that nothing cancels; across the steps at s = 1, s = 2 and t = 1 too.
 * Given:    n (>= 1), delta (1..2).
 * Returned: both gains; NAN outside the domain.
 * Notes:    against quadruple precision: relative error <= 2e-15 for 30 <= n <= 1e7 (a plain
 *           difference leaves 2e-10 at n = 1e6), absolute error <= 2e-15 below, where the steps lie
 *           and the face gain passes through zero.
 */
void ng_shape_site_gain(double n, double delta, double *edge_gain, double *face_gain);

/** The same for n = n_first + i, i < count, into the caller's arrays: each root starts from the one
 *  before, so a value costs under half of a single call. All NAN outside the domain. */
void ng_shape_site_gain_table(double n_first, size_t count, double delta, double *edge_gain,
                              double *face_gain);

/** Surface area relative to the sphere of equal volume,
 *  f = [3(sqrt3-1)d(4-d) + 12 - 8 sqrt3] / (pi^(1/3) A^(2/3)); 1 < f. NAN outside the domain. */
double ng_shape_surface_factor(double delta);

/* ---- material and parameters --------------------------------------------------------- */

/** The five time-independent numbers of [Kim] Table 1. */
typedef struct ng_growth_parameters {
    double eps_f;  /* free energy of a monomer at a face site relative to the core, kT */
    double eps_e;  /* the same at an edge site, kT */
    double alpha4; /* 4+alpha: translation, rotation, configurational degeneracy */
    double K;      /* kappa_a sigma_s / D_1: association rate against diffusion, >= 0 */
    double kr;     /* kappa_a rho_1inf: attachment at the solubility, nm^-2 s^-1, > 0 */
} ng_growth_parameters;

#define NG_N_GROWTH_PARAMETERS 5

/** What the program knows about one of the five: for tables, help, fits and reports. */
typedef struct ng_parameter_info {
    const char *name;   /* "eps_f": key in JSON and in --fix */
    const char *symbol; /* "Δε_f" (UTF-8) */
    const char *unit;   /* "kT", "1", "nm^-2 s^-1" */
    const char *title;  /* one short phrase */
    double min, max;    /* bounds of a fit */
    bool logarithmic;   /* searched as its logarithm */
} ng_parameter_info;

/** In the order eps_f, eps_e, alpha4, K, kr; static, NG_N_GROWTH_PARAMETERS entries. */
const ng_parameter_info *ng_growth_parameter_info(void);
/** Access by index in that order. */
double ng_growth_parameter_get(const ng_growth_parameters *p, size_t index);
void ng_growth_parameter_set(ng_growth_parameters *p, size_t index, double value);

/** A material: how radii become monomer numbers, where a fit starts. */
typedef struct ng_material {
    char name[32];    /* "Pt" */
    char title[96];   /* "Platinum, in situ" */
    double sigma_s_nm;   /* radius of the volume of one monomer; r = sigma_s n^(1/3) */
    double delta;        /* shape number at which `parameters` were published */
    ng_growth_parameters parameters; /* published values, or start values; always finite */
    bool published;      /* the parameters are a row of a published table */
    bool parameters_given; /* false: a file gave none, so `parameters` only start a fit */
    char source[160];    /* citation */
} ng_material;

/** Built-in materials (Pt, Pt-ex-situ, Au, iron-oxide, CdSe), static. */
size_t ng_material_count(void);
const ng_material *ng_material_at(size_t index);
/** By name, case-insensitive; NULL when there is none. */
const ng_material *ng_material_find(const char *name);

/** sigma_s = (3/(4 pi rho_s))^(1/3) and back; rho in nm^-3, sigma in nm. NAN unless positive. */
double ng_sigma_from_density(double rho_per_nm3);
double ng_density_from_sigma(double sigma_nm);
/** n = (r/sigma_s)^3, r = sigma_s n^(1/3); not rounded. */
double ng_monomers_from_radius(double radius_nm, double sigma_s_nm);
double ng_radius_from_monomers(double n, double sigma_s_nm);

/* ---- chemical potential and free energy ---------------------------------------------- */

/**
 * Chemical potential of a monomer in an n-mer, in kT.
 *
 * Equation: mu_n = [N_f(n+1)-N_f(n)] eps_f + [N_e(n+1)-N_e(n)] eps_e - alpha4 ln(1+1/n).
 * Given:    p (eps_f, eps_e, alpha4 are used), delta (1..2), n (>= 1).
 * Returned: mu_n in kT; NAN outside the domain.
 * Notes:    agrees with the reference table to 1e-10. Below n ~ 50 the steps of the lattice counts
 *           make spikes that mean nothing.
 * Source:   [Kim] Eq. 1 (the paper prints -alpha4/n, the large-n form).
 */
double ng_potential(const ng_growth_parameters *p, double delta, double n);

/** Gibbs-Thomson limit, kT: (2/3)(4-6h^2)(12/A)^(2/3) eps_f n^(-1/3), h = 1-delta/2. */
double ng_potential_gibbs_thomson(const ng_growth_parameters *p, double delta, double n);

/** Free energy of formation, kT: N_f eps_f + N_e eps_e - alpha4 ln n - n ln S, shifted so that its
 *  value at n = 1 is 0. supersaturation S > 0. NAN outside the domain. */
double ng_free_energy(const ng_growth_parameters *p, double delta, double supersaturation,
                      double n);

/** Highest local maximum of mu_n over integers n in [n_min, n_max] that is not at an end
 *  (n_min >= 50 keeps the artefact spike near n = 18 out). Takes about 30 ns a size. */
typedef struct ng_potential_maximum {
    bool found; /* false: mu_n falls (or rises) over the whole range */
    double n;
    double mu_kT;
} ng_potential_maximum;

ng_potential_maximum ng_potential_find_maximum(const ng_growth_parameters *p, double delta,
                                               double n_min, double n_max);

/** Regime of a solution: "hypersaturation" (ln S above the maximum: every size grows),
 *  "supersaturation" (0 < ln S, not above it) or "undersaturation" (S <= 1). Static text. */
const char *ng_potential_regime(const ng_potential_maximum *maximum, double supersaturation);

/** Sizes at which growth stops at a supersaturation: mu_n = ln S on the rising side (n_star,
 *  stable) and on the falling side (n_star2, unstable) of the maximum, as real n by linear
 *  interpolation. NAN where there is none in the range (hypersaturation: both). Without a maximum
 *  inside the range its higher end stands for it. */
void ng_potential_critical_sizes(const ng_growth_parameters *p, double delta,
                                 double supersaturation, double n_min, double n_max,
                                 double *n_star, double *n_star2);

/* ---- rates --------------------------------------------------------------------------- */

/**
 * Attachment rate of monomers to an n-mer at the solubility, 1/s (times S: the rate in solution).
 *
 * Equation: k_n^a rho_1inf = 4 pi sigma_s^2 f(delta) kr n^(2/3) / (1 + K n^(1/3)).
 * Given:    p (K, kr are used), delta, sigma_s in nm, n >= 1.
 * Source:   [Kim] Table 1 footnote, Eq. 2.
 */
double ng_attachment_rate(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                          double n);

/** Detachment rate from an n-mer (n >= 2), 1/s: k_n^d = k_{n-1}^a rho_1inf exp(mu_{n-1}), by
 *  detailed balance; 0 for n = 1. NAN between. */
double ng_detachment_rate(const ng_growth_parameters *p, double delta, double sigma_s_nm,
                          double n);

/** Fill mu_kT[i] with mu_n for n = n_first + i, i < count. */
void ng_potential_table(const ng_growth_parameters *p, double delta, double n_first, size_t count,
                        double *mu_kT);

#ifdef __cplusplus
}
#endif
#endif
