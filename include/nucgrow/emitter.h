/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/emitter.h
 * Room `physics`: the light of a crystal and its size: Brus's band gap or an empirical sizing
 * table, absorption, quantum yield, filter band, and the way back from intensity or peak to radius.
 * Pure functions, no allocation. May include base.
 *
 * The relation is nucgrow's own (docs/perovskite.md): every factor is a setting.
 *   I(r) = I0 r^p  A(r)  Y(r)  T(r)
 *   A = 1/(1 + exp((E(r) - E_ex)/w))     absorption edge of width w; a step for w = 0
 *   Y                                    quantum yield, a table; 1 without one
 *   T                                    part of the emission line that the filter lets through
 * Energies in eV, lengths in nm. Where E(r) is not known (NG_SIZING_VOLUME), A = T = 1.
 */
#ifndef NUCGROW_EMITTER_H
#define NUCGROW_EMITTER_H

#include <nucgrow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Energy of a photon in eV of a wavelength in nm in vacuum, and the reverse: they are the same. */
double ng_photon_energy_eV(double wavelength_nm);

/** What Brus's equation needs. */
typedef struct ng_brus {
    double gap_eV;       /* of the bulk */
    double mass_ratio;   /* reduced mass of the exciton over the electron's, > 0 */
    double permittivity; /* relative, > 0 */
} ng_brus;

/**
 * Band gap of a sphere.
 *
 * Equation: E = Eg + hbar^2 pi^2/(2 mu r^2) - 1.786 e^2/(4 pi eps0 eps r)
 *             = Eg + 0.376030/(mu r^2) - 2.571777/(eps r)   [eV, nm].
 * Returned: eV; NAN outside the domain. Source: Brus, J. Chem. Phys. 80, 4403 (1984).
 */
double ng_brus_energy_eV(const ng_brus *b, double radius_nm);
/** The radius on the falling branch (r below ng_brus_turn_nm), closed form; NAN where none has this
 *  energy. */
double ng_brus_radius_nm(const ng_brus *b, double energy_eV);
/** Radius of the least energy: E falls with size only below it. */
double ng_brus_turn_nm(const ng_brus *b);

#define NG_EMITTER_KNOTS 64

/** A curve through knots: monotone cubic between (slopes of Fritsch and Butland), constant
 *  outside. n = 0: no curve. */
typedef struct ng_emitter_curve {
    size_t n;
    double radius_nm[NG_EMITTER_KNOTS]; /* rising */
    double value[NG_EMITTER_KNOTS];
} ng_emitter_curve;

double ng_emitter_curve_value(const ng_emitter_curve *curve, double radius_nm);

typedef enum ng_sizing {
    NG_SIZING_VOLUME, /* E(r) is not known: light goes with r^p and the yield alone */
    NG_SIZING_BRUS,
    NG_SIZING_TABLE
} ng_sizing;
const char *ng_sizing_name(ng_sizing sizing); /* "volume", "brus", "table" */

/** A material as an emitter. */
typedef struct ng_emitter {
    char name[32], title[96], source[160];
    ng_sizing sizing;
    ng_brus brus;
    ng_emitter_curve energy_eV;          /* the sizing table, strictly falling */
    ng_emitter_curve yield;              /* 0..1; n = 0: 1 at every size */
    double radius_min_nm, radius_max_nm; /* where the relation is taken to hold */
    double absorption_power;             /* p; 3: absorption goes with the volume */
    double excitation_nm;
    double edge_eV;                   /* w >= 0 */
    double band_low_nm, band_high_nm; /* of the filter; 0 and INFINITY: none */
    double band_transmission;         /* 0..1 inside */
    double line_nm; /* full width of the emission line at half maximum; 0: a line */
} ng_emitter;

/** Built in: FAPbBr3. Static; NULL when there is none of this name (case does not matter). */
const ng_emitter *ng_emitter_find(const char *name);

/** E(r) in eV; NAN where it is not known. */
double ng_emitter_energy_eV(const ng_emitter *e, double radius_nm);
/** I(r)/I0; NAN outside radius_min_nm..radius_max_nm. */
double ng_emitter_brightness(const ng_emitter *e, double radius_nm);
/** dlnI/dlnr: dr/r = dI/(p I). 3 for light that goes with the volume, 0 at a fold. */
double ng_emitter_power(const ng_emitter *e, double radius_nm);

/** Where the relation may be turned round. */
typedef struct ng_emitter_range {
    double dark_below_nm;      /* smaller ones cannot be excited: E(r) > E_ex; 0: none */
    double from_nm, to_nm;     /* the branch on which I rises, from the first size that shines */
    bool monotone;             /* it reaches radius_max_nm */
    double dimmest, brightest; /* I/I0 at its ends */
} ng_emitter_range;
/** Looked for on 2000 steps of radius. */
ng_emitter_range ng_emitter_find_range(const ng_emitter *e);

typedef enum ng_radius_flag {
    NG_RADIUS_OK,
    NG_RADIUS_NOT_POSITIVE, /* no radius gives an intensity of 0 or less, or none at all */
    NG_RADIUS_TOO_DIM,      /* below the range: smaller than radius_min_nm */
    NG_RADIUS_TOO_BRIGHT,   /* above the range, or beyond a fold */
    NG_RADIUS_DARK,         /* this size could not have been excited */
    NG_RADIUS_FLAT,         /* near a fold (power below 0.3): the error is not worth its name */
    NG_N_RADIUS_FLAGS
} ng_radius_flag;
/** "ok", "not-positive", "below-range", "above-range", "not-excitable", "fold" */
const char *ng_radius_flag_name(ng_radius_flag flag);

/** Radius of a brightness I/I0, by a bracketed root to 1e-12; `flag` (may be NULL). NAN unless the
 *  flag is NG_RADIUS_OK, NG_RADIUS_DARK or NG_RADIUS_FLAT. */
double ng_emitter_radius_nm(const ng_emitter *e, const ng_emitter_range *range, double brightness,
                            ng_radius_flag *flag);
/** Radius whose line has its peak at a wavelength; NAN where none has; `flag` may be NULL. */
double ng_emitter_radius_of_peak_nm(const ng_emitter *e, double peak_nm, ng_radius_flag *flag);

/** What is wrong with an emitter's numbers, as a phrase; NULL: nothing. Static text. */
const char *ng_emitter_fault(const ng_emitter *e);

#ifdef __cplusplus
}
#endif
#endif
