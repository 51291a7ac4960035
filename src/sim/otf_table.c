/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measured transfer functions. */
#include "sim_internal.h"

#include <math.h>
#include <string.h>

#define MOST_BYTES ((size_t)1 << 24)

void ng_sim_otf_table_free(ng_sim_otf_table *table)
{
    if (table != NULL) {
        ng_free(table->per_um);
        ng_free(table->value);
        *table = (ng_sim_otf_table){0};
    }
}

static ng_status table_alloc(size_t n, ng_sim_otf_table *out, ng_error *err)
{
    *out = (ng_sim_otf_table){.per_um = NG_NEW(double, n), .value = NG_NEW(double, n)};
    if (out->per_um == NULL || out->value == NULL) {
        ng_sim_otf_table_free(out);
        return NG_FAIL(err, NG_MEMORY, "out of memory for a transfer function");
    }
    return NG_OK;
}

/* ---- a table in a file ---- */

static bool parse_pair(char *line, double *k, double *value)
{
    char *comma = strchr(line, ',');
    if (comma == NULL) {
        return false;
    }
    *comma = '\0';
    const bool good = ng_parse_real(line, k) && ng_parse_real(comma + 1, value);
    *comma = ',';
    return good && isfinite(*k) && isfinite(*value);
}

static ng_status add_row(ng_sim_otf_table *t, const char *path, size_t line, double k, double value,
                         ng_error *err)
{
    if (t->n == 0 && k != 0) {
        return NG_FAIL(err, NG_INVALID, "%s:%zu: the table must begin at k_per_um = 0, not %g",
                       path, line, k);
    }
    if (t->n > 0 && k <= t->per_um[t->n - 1]) {
        return NG_FAIL(err, NG_INVALID, "%s:%zu: k_per_um must rise; %g follows %g", path, line, k,
                       t->per_um[t->n - 1]);
    }
    if (value < 0 || value > 1.0001 || (t->n == 0 && fabs(value - 1) > 1e-3)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s:%zu: the transfer function is %g; it must be 1 at k = 0 and lie between "
                       "0 and 1",
                       path, line, value);
    }
    t->per_um[t->n] = k;
    t->value[t->n++] = value;
    return NG_OK;
}

static ng_status parse_rows(const char *path, char *text, ng_sim_otf_table *t, ng_error *err)
{
    ng_status status = NG_OK;
    size_t line = 0;
    for (char *row = text; row != NULL && status == NG_OK;) {
        char *end = strchr(row, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        double k = 0, value = 0;
        line++;
        const bool empty = row[strspn(row, " \t\r")] == '\0' || row[0] == '#';
        if (!empty && parse_pair(row, &k, &value)) {
            status = add_row(t, path, line, k, value, err);
        } else if (!empty && t->n > 0) {
            return NG_FAIL(err, NG_FORMAT, "%s:%zu: two numbers k_per_um,otf expected", path, line);
        }
        row = end != NULL ? end + 1 : NULL;
    }
    if (status == NG_OK && t->n < 2) {
        return NG_FAIL(err, NG_FORMAT, "%s: no table of k_per_um,otf with two or more rows", path);
    }
    return status;
}

ng_status ng_sim_otf_table_read(const char *path, ng_sim_otf_table *out, ng_error *err)
{
    *out = (ng_sim_otf_table){0};
    char *text = NULL;
    size_t length = 0;
    ng_status status = ng_file_read(path, MOST_BYTES, &text, &length, err);
    if (status == NG_OK) {
        size_t rows = 1;
        for (const char *c = text; *c != '\0'; c++) {
            rows += *c == '\n';
        }
        status = table_alloc(rows, out, err);
    }
    if (status == NG_OK) {
        status = parse_rows(path, text, out, err);
    }
    ng_free(text);
    if (status != NG_OK) {
        ng_sim_otf_table_free(out);
    }
    return status;
}

/* ---- an image ---- */

ng_status ng_sim_otf_table_from_image(const float *pixel, size_t width, size_t height,
                                      double pixel_nm, ng_sim_otf_table *out, ng_error *err)
{
    *out = (ng_sim_otf_table){0};
    const size_t side = width < height ? width : height, n = side / 2;
    if (n < 4) {
        return NG_FAIL(err, NG_INVALID, "an image of %zu x %zu pixels is no transfer function",
                       width, height);
    }
    const double centre = (double)pixel[height / 2 * width + width / 2];
    if (!(centre > 0)) {
        return NG_FAIL(err, NG_INVALID,
                       "the transfer function is %g at pixel (%zu, %zu), where k = 0 is expected",
                       centre, width / 2, height / 2);
    }
    ng_status status = table_alloc(n, out, err);
    double *weight = NG_NEW(double, n);
    if (status != NG_OK || weight == NULL) {
        ng_sim_otf_table_free(out);
        ng_free(weight);
        return NG_FAIL(err, NG_MEMORY, "out of memory for a transfer function");
    }
    for (size_t i = 0; i < width * height; i++) {
        const double x = ((double)(i % width) - (double)(width / 2)) / (double)width;
        const double y = ((double)(i / width) - (double)(height / 2)) / (double)height;
        const double ring = hypot(x, y) * 2 * (double)n;
        const size_t low = (size_t)ring;
        const double value = (double)pixel[i] / centre, f = ring - (double)low;
        for (size_t j = low; j < n && j < low + 2; j++) {
            const double share = j == low ? 1 - f : f;
            out->value[j] += share * value;
            weight[j] += share;
        }
    }
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        out->per_um[i] = 1e3 * (double)i / (2 * (double)n * pixel_nm);
        const double mean = i == 0 ? 1 : out->value[i] / weight[i];
        out->value[i] = mean < 0 ? 0 : mean > 1 ? 1 : mean;
    }
    ng_free(weight);
    return NG_OK;
}
