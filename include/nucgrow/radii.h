/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file nucgrow/radii.h
 * Room `ensemble`: emitters at rest (YAML), and radii of crystals from their intensities: the scale
 * by a known distribution of final sizes, errors, flags. May include base, data, physics.
 */
#ifndef NUCGROW_RADII_H
#define NUCGROW_RADII_H

#include <nucgrow/emitter.h>
#include <nucgrow/particles.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Read an emitter: one mapping; keys name, title, sizing (volume, brus, table), gap-eV,
 *  mass-ratio, permittivity, radius-nm and energy-eV or peak-nm (the sizing table),
 *  yield-radius-nm and yield, radius-min-nm, radius-max-nm, absorption-power, excitation-nm,
 *  edge-eV, band-low-nm, band-high-nm, band-transmission, line-nm. What is missing is as in
 *  FAPbBr3, but there is no yield table, and a sizing table makes `sizing` table.
 *  @return NG_IO; NG_FORMAT or NG_USAGE (file:line); NG_INVALID (what is wrong with the numbers) */
NG_MUST_CHECK ng_status ng_emitter_read(const char *path, ng_emitter *out, ng_error *err);
/** A built-in name, or else the path of a file (a text with a '/' or a '.'). */
NG_MUST_CHECK ng_status ng_emitter_choose(const char *name_or_path, ng_emitter *out, ng_error *err);
/** The relation with all its settings and its range; owned; NULL: no memory. */
struct json_t *ng_emitter_json(const ng_emitter *e);

/** Known sizes at the end: of a still image of the product. */
typedef struct ng_reference_sizes {
    double mean_nm, sd_nm; /* of the radius; sd NAN: not known */
    double median_nm;
    size_t n; /* particles; 0: not known */
} ng_reference_sizes;

/** Radii of a table of particles (NG_TOO_LITTLE below 5 of them). */
NG_MUST_CHECK ng_status ng_reference_from_particles(const ng_particles *still,
                                                    ng_reference_sizes *out, ng_error *err);

/** From counts to I/I0. */
typedef struct ng_calibration {
    double scale;           /* I0: intensity where ng_emitter_brightness is 1 */
    double relative_se;     /* of it; NAN: not known. Common to all radii, so not in their errors */
    size_t crystals;        /* that it rests on; 0: the scale was given */
    double final_intensity; /* their median */
    double final_sd_nm;     /* spread of their radii by the relation; NAN: unknown */
    ng_reference_sizes reference; /* n = 0, mean NAN when the scale was given */
} ng_calibration;

ng_calibration ng_calibration_given(double scale);

/**
 * The scale by which the median of the final intensities has the median of the known radii: exact
 * for any monotone relation. A crystal's final intensity is the median of the last quarter of its
 * points (at least 3), for crystals seen in 8 frames or more.
 * Warnings: spread-differs (the relation gives another spread than the reference: its power is not
 * that of the crystals), calibration-poor.
 * @return NG_TOO_LITTLE below 5 crystals; NG_INVALID when the median radius is outside the range
 */
NG_MUST_CHECK ng_status ng_calibrate(const ng_emitter *e, const ng_particles *tracks,
                                     const ng_reference_sizes *reference, ng_calibration *out,
                                     ng_warnings *warnings, ng_error *err);

/** What became of the intensities. */
typedef struct ng_radii_counts {
    size_t flag[NG_N_RADIUS_FLAGS];
    size_t saturated; /* intensities that the camera cut: no radius */
    size_t missing;   /* points without an intensity */
} ng_radii_counts;

/**
 * Give every particle with an intensity a radius, and its standard error r dI/(p I), NAN where
 * dI is not known. Where there is none, radius_nm is NAN; the particle's flags, and `flag` (may be
 * NULL; one a particle), say why. Warnings: radii-missing, not-excitable, fold, relation-assumed.
 */
void ng_radii_assign(const ng_emitter *e, const ng_calibration *calibration,
                     ng_particles *particles, ng_radius_flag *flag, ng_radii_counts *counts,
                     ng_warnings *warnings);

/** {relation, calibration, counts}; owned; NULL: no memory. */
struct json_t *ng_radii_json(const ng_emitter *e, const ng_calibration *calibration,
                             const ng_radii_counts *counts);

/** Peak of an emission spectrum. */
typedef struct ng_spectrum_peak {
    double time_s;
    double peak_nm, peak_se_nm;     /* of a parabola through ln of the top half */
    double radius_nm, radius_se_nm; /* by the sizing curve; NAN with `flag` */
    ng_radius_flag flag;
} ng_spectrum_peak;

/**
 * Peaks of spectra over time and the radii that they mean. Rows time_s, wavelength_nm, intensity
 * (3 columns, n rows), sorted by time; a time with fewer than 5 wavelengths above half of the
 * maximum has a NAN peak.
 * @return NG_INVALID (sizing `volume` knows no energies; times that fall), NG_MEMORY;
 *         `out` is owned (ng_free)
 */
NG_MUST_CHECK ng_status ng_spectra_peaks(const ng_emitter *e, const double *rows, size_t n,
                                         ng_spectrum_peak **out, size_t *n_out, ng_error *err);

#ifdef __cplusplus
}
#endif
#endif
