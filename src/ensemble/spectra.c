/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Emission spectra over time to peaks to radii. */
#include <nucgrow/radii.h>

#include <gsl/gsl_multifit.h>
#include <math.h>

#define POINTS_MIN 5

/* Peak of a parabola through ln I at the wavelengths above half of the maximum, centred so that
 * squares of nm keep their digits. NAN when it is no peak. */
static double peak_of(const double *rows, size_t n, double *se)
{
    double most = 0, centre = 0;
    size_t points = 0;
    *se = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        if (rows[3 * i + 2] > most) {
            most = rows[3 * i + 2];
            centre = rows[3 * i + 1];
        }
    }
    for (size_t i = 0; i < n; i++) {
        points += rows[3 * i + 2] > most / 2;
    }
    if (points < POINTS_MIN) {
        return (double)NAN;
    }
    gsl_matrix *x = gsl_matrix_alloc(points, 3), *covariance = gsl_matrix_alloc(3, 3);
    gsl_vector *y = gsl_vector_alloc(points), *w = gsl_vector_alloc(points);
    gsl_vector *c = gsl_vector_alloc(3);
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(points, 3);
    double chi2 = 0;
    for (size_t i = 0, k = 0; i < n; i++) {
        const double intensity = rows[3 * i + 2], d = rows[3 * i + 1] - centre;
        if (intensity > most / 2) {
            gsl_matrix_set(x, k, 0, 1);
            gsl_matrix_set(x, k, 1, d);
            gsl_matrix_set(x, k, 2, d * d);
            gsl_vector_set(y, k, log(intensity));
            gsl_vector_set(w, k++, intensity * intensity); /* even errors of the intensity */
        }
    }
    (void)gsl_multifit_wlinear(x, w, y, c, covariance, &chi2, work);
    const double b = gsl_vector_get(c, 1), a = gsl_vector_get(c, 2), shift = -b / (2 * a);
    const double variance = chi2 / ((double)points - 3);
    const double db = -1 / (2 * a), da = b / (2 * a * a);
    *se = sqrt(variance * (db * db * gsl_matrix_get(covariance, 1, 1) +
                           da * da * gsl_matrix_get(covariance, 2, 2) +
                           2 * da * db * gsl_matrix_get(covariance, 1, 2)));
    gsl_matrix_free(x);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(w);
    gsl_vector_free(c);
    gsl_multifit_linear_free(work);
    return a < 0 ? centre + shift : (double)NAN;
}

static ng_spectrum_peak measure(const ng_emitter *e, const double *rows, size_t n)
{
    ng_spectrum_peak p = {.time_s = rows[0]};
    p.peak_nm = peak_of(rows, n, &p.peak_se_nm);
    p.radius_nm = ng_emitter_radius_of_peak_nm(e, p.peak_nm, &p.flag);
    const double step = 0.01; /* nm; over the peak's error for dr/dpeak */
    p.radius_se_nm = p.peak_se_nm *
                     fabs(ng_emitter_radius_of_peak_nm(e, p.peak_nm + step, NULL) -
                          ng_emitter_radius_of_peak_nm(e, p.peak_nm - step, NULL)) /
                     (2 * step);
    return p;
}

ng_status ng_spectra_peaks(const ng_emitter *e, const double *rows, size_t n,
                           ng_spectrum_peak **out, size_t *n_out, ng_error *err)
{
    *out = NULL;
    *n_out = 0;
    if (e->sizing == NG_SIZING_VOLUME) {
        return NG_FAIL(err, NG_INVALID,
                       "sizing `volume` knows no emission energies; use --sizing brus or a sizing "
                       "table in the material's YAML file");
    }
    ng_spectrum_peak *peak = NG_NEW(ng_spectrum_peak, n);
    if (peak == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu rows of spectra", n);
    }
    for (size_t from = 0, to = 0; from < n; from = to) {
        while (to < n && rows[3 * to] == rows[3 * from]) {
            to++;
        }
        if (to < n && !(rows[3 * to] > rows[3 * from])) {
            ng_free(peak);
            *n_out = 0;
            return NG_FAIL(err, NG_INVALID,
                           "row %zu: time_s is %g after %g; sort the spectra by time", to + 1,
                           rows[3 * to], rows[3 * from]);
        }
        peak[(*n_out)++] = measure(e, rows + 3 * from, to - from);
    }
    *out = peak;
    return NG_OK;
}
