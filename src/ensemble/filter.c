/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ensemble_internal.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <string.h>

#define FIR_ATTENUATION_DB 60.0

/* Kaiser and Schafer's rule for the window that gives this stop-band attenuation. */
static double kaiser_beta(double attenuation_db)
{
    return 0.1102 * (attenuation_db - 8.7);
}

static double sinc(double x)
{
    return x == 0.0 ? 1.0 : sin(M_PI * x) / (M_PI * x);
}

void ng_fir_design(double cutoff, ng_fir *fir)
{
    double beta = kaiser_beta(FIR_ATTENUATION_DB);
    double sum = 0.0;
    for (int k = 0; k <= NG_FIR_HALF; k++) {
        double u = (double)k / NG_FIR_HALF;
        double window = gsl_sf_bessel_I0(beta * sqrt(1.0 - u * u)) / gsl_sf_bessel_I0(beta);
        fir->tap[k] = 2.0 * cutoff * sinc(2.0 * cutoff * k) * window;
        sum += k == 0 ? fir->tap[k] : 2.0 * fir->tap[k];
    }
    for (int k = 0; k <= NG_FIR_HALF; k++) {
        fir->tap[k] /= sum;
    }
}

double ng_fir_noise_gain(const ng_fir *fir)
{
    double sum = 0.0;
    for (int k = 1; k <= NG_FIR_HALF; k++) {
        sum += 2.0 * fir->tap[k] * fir->tap[k];
    }
    return sum + fir->tap[0] * fir->tap[0];
}

/* Where the line through the outermost points ends. Turning the trajectory about it instead of
 * about the last point itself halves the noise that is left at the ends, and a line still stays a
 * line. */
static double line_end(const double *end, ptrdiff_t step, size_t n)
{
    double m = (double)(n < NG_FIR_END ? n : NG_FIR_END);
    double sum = 0.0;
    for (size_t k = 0; k < n && k < NG_FIR_END; k++) {
        sum += (4.0 * m - 2.0 - 6.0 * (double)k) * end[step * (ptrdiff_t)k];
    }
    return sum / (m * (m + 1.0));
}

/* Write the continuation of a trajectory beyond its end end[0], where inwards is the direction
 * `step`; outwards is the direction -step. */
static void extend(const double *end, ptrdiff_t step, size_t n, ng_continuation continuation,
                   double *beyond)
{
    double pivot = line_end(end, step, n);
    for (size_t k = 1; k <= NG_FIR_HALF; k++) {
        size_t reach = k < n ? k : n - 1;
        beyond[-step * (ptrdiff_t)k] = continuation == NG_CONTINUE_MIRROR
                                           ? end[step * (ptrdiff_t)(k - 1)]
                                           : 2.0 * pivot - end[step * (ptrdiff_t)reach];
    }
}

static void pad(const double *x, size_t n, ng_continuation continuation, double *padded)
{
    double *first = padded + NG_FIR_HALF;
    memcpy(first, x, n * sizeof *x);
    extend(x, 1, n, continuation, first);
    extend(x + n - 1, -1, n, continuation, first + n - 1);
}

void ng_fir_smooth(const ng_fir *fir, const double *x, size_t n, ng_continuation continuation,
                   double *padded, double *out)
{
    pad(x, n, continuation, padded);
    for (size_t i = 0; i < n; i++) {
        const double *centre = padded + NG_FIR_HALF + i;
        double sum = fir->tap[0] * centre[0];
        for (int k = 1; k <= NG_FIR_HALF; k++) {
            sum += fir->tap[k] * (centre[-k] + centre[k]);
        }
        out[i] = sum;
    }
}

/* By superposition: what a unit impulse at each place leaves. */
void ng_fir_noise_at_start(const ng_fir *fir, ng_smoothed_noise out[NG_SMOOTHING_REACH])
{
    enum { LAST = NG_SMOOTHING_REACH + NG_FIR_HALF, LENGTH = LAST + NG_FIR_HALF + NG_FIR_END };
    double x[LENGTH] = {0}, y[LENGTH], padded[LENGTH + 2 * NG_FIR_HALF];
    memset(out, 0, NG_SMOOTHING_REACH * sizeof *out);
    for (size_t source = 0; source <= LAST; source++) {
        x[source] = 1.0;
        ng_fir_smooth(fir, x, LENGTH, NG_CONTINUE_POINT, padded, y);
        x[source] = 0.0;
        for (size_t k = 0; k < NG_SMOOTHING_REACH; k++) {
            out[k].gain += y[k] * y[k];
            out[k].cross += k > 0 ? y[k] * 0.5 * (y[k + 1] - y[k - 1]) : 0.0;
        }
    }
}

/* ---- elliptic filter ----------------------------------------------------------------------- */

#define ELLIPTIC_ORDER 3
/* Three filter lengths less one: what zero-phase filtering customarily adds at each end. */
#define ELLIPTIC_EDGE 9

/* Third-order elliptic low-pass: 0.1 dB ripple, 60 dB, edge at 0.02 of the Nyquist frequency. */
static const double elliptic_b[ELLIPTIC_ORDER + 1] = {
    0.0007065026374600855, -0.00051396568897293655, -0.00051396568897293677,
    0.00070650263746008539};
static const double elliptic_a[ELLIPTIC_ORDER + 1] = {1.0, -2.875684960315704, 2.7616842470247662,
                                                      -0.88561421281208763};

/* State of the filter after an endless input of ones, so that it starts without a jump. */
static void elliptic_rest(double rest[ELLIPTIC_ORDER])
{
    double sum_b = 0.0, sum_a = elliptic_a[0];
    for (int k = 1; k <= ELLIPTIC_ORDER; k++) {
        sum_b += elliptic_b[k] - elliptic_a[k] * elliptic_b[0];
        sum_a += elliptic_a[k];
    }
    rest[0] = sum_b / sum_a;
    double a = elliptic_a[0], b = 0.0;
    for (int k = 1; k < ELLIPTIC_ORDER; k++) {
        a += elliptic_a[k];
        b += elliptic_b[k] - elliptic_a[k] * elliptic_b[0];
        rest[k] = a * rest[0] - b;
    }
}

/* One pass in place over n samples from x[0] in the direction `step`. */
static void elliptic_pass(double *x, ptrdiff_t step, size_t n)
{
    double z[ELLIPTIC_ORDER];
    elliptic_rest(z);
    for (int k = 0; k < ELLIPTIC_ORDER; k++) {
        z[k] *= x[0];
    }
    for (size_t i = 0; i < n; i++) {
        double *sample = x + step * (ptrdiff_t)i;
        double in = *sample;
        double out = elliptic_b[0] * in + z[0];
        z[0] = z[1] + elliptic_b[1] * in - elliptic_a[1] * out;
        z[1] = z[2] + elliptic_b[2] * in - elliptic_a[2] * out;
        z[2] = elliptic_b[3] * in - elliptic_a[3] * out;
        *sample = out;
    }
}

void ng_elliptic_smooth(const double *x, size_t n, double *scratch, double *out)
{
    size_t length = 3 * n;
    size_t edge = length > ELLIPTIC_EDGE ? ELLIPTIC_EDGE : length - 1;
    double *y = scratch + edge;
    for (size_t i = 0; i < n; i++) {
        y[i] = y[2 * n + i] = x[n - 1 - i];
        y[n + i] = x[i];
    }
    for (size_t k = 1; k <= edge; k++) {
        scratch[edge - k] = 2.0 * y[0] - y[k];
        y[length - 1 + k] = 2.0 * y[length - 1] - y[length - 1 - k];
    }
    size_t total = length + 2 * edge;
    elliptic_pass(scratch, 1, total);
    elliptic_pass(scratch + total - 1, -1, total);
    for (size_t i = 0; i < n; i++) {
        out[i] = y[n + i];
    }
}
