/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small symmetric systems: lower triangles by rows. */
#include <nucgrow/base.h>

#include <math.h>

bool ng_packed_cholesky(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * (i + 1) / 2;
        const double before = row[i];
        for (size_t j = 0; j <= i; j++) {
            const double *other = a + j * (j + 1) / 2;
            double sum = row[j];
            for (size_t k = 0; k < j; k++) {
                sum -= row[k] * other[k];
            }
            if (i == j) {
                if (!(sum > 1e-12 * before)) {
                    return false;
                }
                row[i] = sqrt(sum);
            } else {
                row[j] = sum / other[j];
            }
        }
    }
    return true;
}

void ng_packed_solve(const double *l, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = l + i * (i + 1) / 2;
        for (size_t k = 0; k < i; k++) {
            x[i] -= row[k] * x[k];
        }
        x[i] /= row[i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) {
            x[i] -= l[k * (k + 1) / 2 + i] * x[k];
        }
        x[i] /= l[i * (i + 1) / 2 + i];
    }
}
