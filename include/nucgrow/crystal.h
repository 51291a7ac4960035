/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/crystal.h
 * Room `physics`: how a crystal nucleates and grows from a solution: Avrami's transformed fraction,
 * growth by diffusion (with boundary layer, surface step, depletion), Sugimoto's focusing, Gibbs's
 * free energy. Pure functions, no allocation. May include base.
 *
 * Units: nm, s. Sources: [Liu] = Nat. Commun. (2025), doi 10.1038/s41467-025-60826-x;
 * docs/perovskite.md has the derivations.
 */
#ifndef NUCGROW_CRYSTAL_H
#define NUCGROW_CRYSTAL_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Avrami (JMAK) ------------------------------------------------------------------------- */

/**
 * Transformed fraction after a time.
 *
 * Equation: f = 1 - exp(-(K t)^n), K = k^(1/n); [Liu] Eq. 1 has k t^n. 0 for t <= 0.
 * Given:    rate_per_s K > 0, n > 0, time_s since the start t0.
 * Returned: 0..1; NAN outside the domain.
 */
double ng_avrami_fraction(double rate_per_s, double n, double time_s);

/** Time after t0 at which the fraction is reached, 0 <= fraction < 1. NAN outside the domain. */
double ng_avrami_time(double rate_per_s, double n, double fraction);

/** One row of the table of modes: what an exponent means. */
typedef struct ng_avrami_mode {
    const char *growth; /* "interface" or "diffusion": what limits it */
    int dimensions;     /* 1, 2, 3 */
    double constant;    /* n when nuclei keep appearing at a constant rate */
    double saturated;   /* n when all nuclei are there from the start (and of one crystal) */
} ng_avrami_mode;

#define NG_N_AVRAMI_MODES 6
/** Static, NG_N_AVRAMI_MODES rows. */
const ng_avrami_mode *ng_avrami_modes(void);

/* ---- growth by diffusion ------------------------------------------------------------------- */

/**
 * A crystal that takes solute from a solution of concentration C_b (LaMer-Dinegar, Reiss).
 *
 * Equation: dr/dt = B g (1 - c (exp(a/r) - 1)), g = h/(1 + surface h), h = 1/r + 1/layer,
 *           B = D V_m (C_b - C_inf), c = C_inf/(C_b - C_inf), a = 2 gamma V_m/(R T).
 * Only the product B can be known from a radius over time, not D.
 */
typedef struct ng_diffusion_law {
    double product_nm2_per_s; /* B = D V_m dC */
    double layer_nm;          /* thickness of the diffusion layer; INFINITY: far larger than r */
    double surface_nm;        /* D over the surface rate; 0: the surface takes all that arrives */
    double capillary_nm;      /* a; 0: no dependence of the solubility on size */
    double solubility_ratio;  /* c; only with capillary_nm > 0 */
} ng_diffusion_law;

/** B alone: r^2 = r0^2 + 2 B t. */
ng_diffusion_law ng_diffusion_parabolic(double product_nm2_per_s);
/** dr/dt in nm/s at radius r > 0; NAN outside the domain. */
double ng_diffusion_rate(const ng_diffusion_law *law, double radius_nm);

/**
 * Time to grow from r0 to r at constant C_b, without capillarity.
 *
 * Equation: B t = layer (r-r0) - layer^2 ln((r+layer)/(r0+layer)) + surface (r-r0);
 *           layer = INFINITY: (r^2-r0^2)/2 for the first two terms.
 * Given:    0 <= r0 <= r. Returned: s; NAN outside the domain and with capillarity.
 * Notes:    relative error <= 1e-13: log terms by series where layer >> r.
 */
double ng_diffusion_time(const ng_diffusion_law *law, double r0_nm, double radius_nm);
/** The reverse: radius after a time (>= 0); relative error <= 1e-12. */
double ng_diffusion_radius(const ng_diffusion_law *law, double r0_nm, double time_s);

/**
 * Growth of a crystal that uses up its own share of the solution, in pure numbers.
 *
 * Equation: C_b - C_inf = dC (1 - x^3), x = r/r_f, r = 0 at t = 0:
 *           B t / r_f^2 = G(x) + s H(x), s = surface_nm / r_f,
 *           G = int x/(1-x^3) = p - q, H = int 1/(1-x^3) = p + q,
 *           p = -ln(1-x)/3 + ln(1+x+x^2)/6, q = atan((2x+1)/sqrt3)/sqrt3 - pi/(6 sqrt3).
 * Given:    0 <= x < 1, s >= 0.
 * Returned: time as a pure number; INFINITY at x = 1; NAN outside the domain.
 * Notes:    relative error <= 1e-13, by series below x = 0.3. G(.5, .8, .95) = .1318, .4198, .8795.
 */
double ng_depletion_time(double x, double s);
/** The reverse: x after a time tau >= 0 (pure number); relative error <= 1e-12. `slope` (may be
 *  NULL) gets dx/dtau, INFINITY at tau = 0 with s = 0; `by_s` (may be NULL) dx/ds. */
double ng_depletion_size(double tau, double s, double *slope, double *by_s);

/* ---- Sugimoto: size focusing --------------------------------------------------------------- */

/** dr/dt = (k_D/r)(1/R - 1/r), nm/s; R = r* the critical radius, k_D in nm^3/s ([Liu] Eq. 3).
 *  Greatest at 2 R; sizes focus (d/dr of it below 0) only for r > 2 R. NAN unless R, r > 0. */
double ng_sugimoto_rate(double k_nm3_per_s, double critical_nm, double radius_nm);
/** Its derivative by r, 1/s: negative where sizes focus. */
double ng_sugimoto_slope(double k_nm3_per_s, double critical_nm, double radius_nm);
/** Time from r0 to r on one side of R:
 *  (R/k_D) [(r^2-r0^2)/2 + R (r-r0) + R^2 ln((r-R)/(r0-R))]. NAN when they lie on different sides
 *  of R or at it. */
double ng_sugimoto_time(double k_nm3_per_s, double critical_nm, double r0_nm, double radius_nm);
/** The reverse for r0 > r*: radius after a time >= 0, relative error <= 1e-12. */
double ng_sugimoto_radius(double k_nm3_per_s, double critical_nm, double r0_nm, double time_s);

/* ---- Gibbs free energy --------------------------------------------------------------------- */

/** 4 pi r^2 sigma + (4/3) pi r^3 dGv ([Liu] Eq. 2), in the unit of sigma times nm^2. */
double ng_gibbs_energy(double sigma, double volume_energy, double radius_nm);
/** r* = -2 sigma/dGv; NAN unless sigma > 0 > dGv. */
double ng_gibbs_critical_radius(double sigma, double volume_energy);
/** G* = (4/3) pi sigma r*^2. */
double ng_gibbs_barrier(double sigma, double critical_nm);
/** G/G* = 3 x^2 - 2 x^3, x = r/r*. */
double ng_gibbs_ratio(double x);

#ifdef __cplusplus
}
#endif
#endif
