/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fit-growth.json in, by key. */
#include <nucgrow/predict.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Larger than any fit of ours by far. */
#define FILE_LIMIT_BYTES ((size_t)1 << 30)
#define TIMES_MAX 1000000
#define REPLICATES_MAX 100000
/* Energies and rates beyond these are no fit's. */
#define ENERGY_MAX 1e3
#define RATE_MAX 1e15

/* A file that is being read. */
typedef struct reader {
    const char *name;
    const json_t *root;
    ng_fit_file *out;
    ng_error *err;
} reader;

/* "a.b" below the root; NULL when it is not there. */
static const json_t *find(const reader *r, const char *path)
{
    const json_t *at = r->root;
    char key[64];
    while (at != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        at = json_object_get(at, key);
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return at;
}

static const char *kind_name(const json_t *value)
{
    static const char *const name[] = {"an object", "a list", "a text", "a whole number",
                                       "a number",  "true",   "false",  "null"};
    return value == NULL ? "missing" : name[json_typeof(value)];
}

static ng_status fail_key(const reader *r, const char *path, const char *needed)
{
    return NG_FAIL(r->err, NG_FORMAT,
                   "%s: \"%s\" is %s; a fit to predict from needs %s there. Make it anew with "
                   "`nucgrow fit growth`",
                   r->name, path, kind_name(find(r, path)), needed);
}

static ng_status get_real(const reader *r, const char *path, double low, double high, double *value)
{
    const json_t *item = find(r, path);
    if (!json_is_number(item)) {
        return fail_key(r, path, "a number");
    }
    *value = json_number_value(item);
    if (!(*value >= low && *value <= high)) {
        return NG_FAIL(r->err, NG_INVALID, "%s: \"%s\" is %g; it must lie between %g and %g",
                       r->name, path, *value, low, high);
    }
    return NG_OK;
}

/* A list of numbers within [low, high]; *n is its length, 0: any up to `most`. */
static ng_status get_reals(const reader *r, const char *path, double low, double high, size_t most,
                           size_t *n, double **values)
{
    const json_t *list = find(r, path);
    if (!json_is_array(list)) {
        return fail_key(r, path, "a list of numbers");
    }
    const size_t length = json_array_size(list);
    if (length > most || (*n > 0 && length != *n)) {
        return NG_FAIL(r->err, NG_INVALID, "%s: \"%s\" has %zu entries; %s %zu are needed", r->name,
                       path, length, length > most ? "at most" : "like the lists beside it,",
                       length > most ? most : *n);
    }
    *values = NG_NEW(double, length);
    if (*values == NULL) {
        return NG_FAIL(r->err, NG_MEMORY, "%s: no memory for \"%s\"", r->name, path);
    }
    for (size_t i = 0; i < length; i++) {
        const json_t *item = json_array_get(list, i);
        (*values)[i] = json_is_number(item) ? json_number_value(item) : (double)NAN;
        if (!json_is_number(item) || !((*values)[i] >= low && (*values)[i] <= high)) {
            char found[32];
            snprintf(found, sizeof found, "%.6g", (*values)[i]);
            return NG_FAIL(r->err, NG_INVALID,
                           "%s: \"%s\"[%zu] is %s; a number between %g and %g is needed", r->name,
                           path, i, json_is_number(item) ? found : kind_name(item), low, high);
        }
    }
    *n = length;
    return NG_OK;
}

static ng_status get_text(const reader *r, const char *path, char *text, size_t size)
{
    const char *value = json_string_value(find(r, path));
    if (value == NULL) {
        return fail_key(r, path, "a text");
    }
    snprintf(text, size, "%s", value);
    return NG_OK;
}

/* ---- parts ------------------------------------------------------------------------------- */

static ng_status check_schema(const reader *r)
{
    const json_t *schema = json_object_get(r->root, "schema");
    const char *found = json_string_value(schema);
    if (found == NULL) {
        return NG_FAIL(r->err, NG_FORMAT,
                       "%s: no result of ours (its \"schema\" is %s); what `nucgrow fit growth` "
                       "wrote is needed (%s)",
                       r->name, kind_name(schema), NG_FIT_FILE_SCHEMA);
    }
    if (strcmp(found, NG_FIT_FILE_SCHEMA) != 0) {
        return NG_FAIL(r->err, NG_FORMAT,
                       "%s: the schema is \"%.60s\"; what `nucgrow fit growth` of this version "
                       "wrote is needed (%s)",
                       r->name, found, NG_FIT_FILE_SCHEMA);
    }
    return NG_OK;
}

static ng_status read_head(const reader *r)
{
    ng_fit_file *f = r->out;
    const json_t *trusted = find(r, "trusted");
    if (!json_is_boolean(trusted)) {
        return fail_key(r, "trusted", "true or false");
    }
    f->trusted = json_is_true(trusted);
    ng_status status = get_text(r, "estimator", f->estimator, sizeof f->estimator);
    if (status == NG_OK) {
        status = get_text(r, "material.name", f->material, sizeof f->material);
    }
    if (status == NG_OK) {
        status = get_real(r, "material.sigma_s_nm", 1e-3, 1e2, &f->sigma_s_nm);
    }
    if (status == NG_OK) {
        status = get_real(r, "level", 0.01, 0.9999, &f->level);
    }
    if (status == NG_OK) {
        status = get_real(r, "delta.mean", NG_DELTA_MIN, NG_DELTA_MAX, &f->delta);
    }
    if (status == NG_OK) {
        status = get_real(r, "potential.sampled_first_n", 1, 1e9, &f->sampled_first_n);
    }
    return status == NG_OK ? get_real(r, "potential.sampled_last_n", f->sampled_first_n, 1e9,
                                      &f->sampled_last_n)
                           : status;
}

/* eps_f, eps_e and alpha4 may have either sign, K may be 0, kr not. */
static void parameter_range(size_t index, double *low, double *high)
{
    *low = index < 3 ? -ENERGY_MAX : index == 3 ? 0.0 : 1e-15;
    *high = index < 3 ? ENERGY_MAX : RATE_MAX;
}

static ng_status read_parameters(const reader *r)
{
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        char path[64];
        double low, high, value;
        parameter_range(i, &low, &high);
        snprintf(path, sizeof path, "parameters.%s.value", ng_growth_parameter_info()[i].name);
        ng_status status = get_real(r, path, low, high, &value);
        if (status != NG_OK) {
            return status;
        }
        ng_growth_parameter_set(&r->out->best, i, value);
    }
    return NG_OK;
}

static ng_status read_replicates(const reader *r)
{
    ng_fit_file *f = r->out;
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        char path[64];
        double low, high, *value = NULL;
        parameter_range(i, &low, &high);
        snprintf(path, sizeof path, "bootstrap.parameters.%s", ng_growth_parameter_info()[i].name);
        size_t n = i > 0 ? f->n_replicates : 0;
        ng_status status = get_reals(r, path, low, high, REPLICATES_MAX, &n, &value);
        if (status == NG_OK && i > 0 && n != f->n_replicates) {
            status = NG_FAIL(r->err, NG_INVALID, "%s: \"%s\" has %zu entries, others %zu", r->name,
                             path, n, f->n_replicates);
        }
        if (status == NG_OK && i == 0) {
            f->replicate = NG_NEW(ng_growth_parameters, n);
            f->n_replicates = n;
            status = f->replicate == NULL
                         ? NG_FAIL(r->err, NG_MEMORY, "%s: no memory for replicates", r->name)
                         : NG_OK;
        }
        for (size_t b = 0; status == NG_OK && b < n; b++) {
            ng_growth_parameter_set(&f->replicate[b], i, value[b]);
        }
        ng_free(value);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

/* Files of older programs lack it. */
static ng_status read_replicate_delta(const reader *r)
{
    ng_fit_file *f = r->out;
    size_t n = f->n_replicates;
    if (find(r, "bootstrap.delta") != NULL && n > 0) {
        return get_reals(r, "bootstrap.delta", NG_DELTA_MIN, NG_DELTA_MAX, REPLICATES_MAX, &n,
                         &f->replicate_delta);
    }
    f->replicate_delta = NG_NEW(double, n);
    for (size_t b = 0; f->replicate_delta != NULL && b < n; b++) {
        f->replicate_delta[b] = f->delta;
    }
    return f->replicate_delta != NULL
               ? NG_OK
               : NG_FAIL(r->err, NG_MEMORY, "%s: no memory for replicates", r->name);
}

static ng_status read_series(const reader *r)
{
    ng_fit_file *f = r->out;
    const struct {
        const char *path;
        double low, high;
        double **values;
    } list[] = {
        {"series.time_s", -1e12, 1e12, &f->time_s},
        {"series.supersaturation", 0.0, 1e9, &f->supersaturation},
        {"series.particles", 0.0, 1e12, &f->particles},
        {"series.mean_n", 0.0, 1e9, &f->mean_n},
        {"series.var_n", 0.0, 1e18, &f->var_n},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        ng_status status = get_reals(r, list[i].path, list[i].low, list[i].high, TIMES_MAX,
                                     &f->n_times, list[i].values);
        if (status != NG_OK) {
            return status;
        }
        if (f->n_times < 2) {
            return NG_FAIL(r->err, NG_INVALID, "%s: \"%s\" has %zu entries; at least 2 are needed",
                           r->name, list[i].path, f->n_times);
        }
    }
    for (size_t i = 1; i < f->n_times; i++) {
        if (!(f->time_s[i] > f->time_s[i - 1])) {
            return NG_FAIL(r->err, NG_INVALID,
                           "%s: \"series.time_s\"[%zu] is %g after %g; times must rise", r->name, i,
                           f->time_s[i], f->time_s[i - 1]);
        }
    }
    return NG_OK;
}

static ng_status read_settings(const reader *r)
{
    ng_ensemble_options *o = &r->out->settings;
    char preset[16];
    double max_gap;
    *o = ng_ensemble_defaults();
    o->sigma_s_nm = r->out->sigma_s_nm;
    ng_status status = get_text(r, "ensemble.settings.preset", preset, sizeof preset);
    const json_t *smooth = find(r, "ensemble.settings.smooth");
    if (status == NG_OK && !json_is_boolean(smooth)) {
        status = fail_key(r, "ensemble.settings.smooth", "true or false");
    }
    if (status == NG_OK) {
        o->published = strcmp(preset, "published") == 0;
        o->smooth = json_is_true(smooth);
        status = get_real(r, "ensemble.settings.cutoff_per_frame", 1e-3, 0.5, &o->cutoff);
    }
    if (status == NG_OK) {
        status = get_real(r, "ensemble.settings.max_gap_frames", 0.0, 1e6, &max_gap);
        o->max_gap = status == NG_OK ? (long)max_gap : 0;
    }
    return status;
}

static ng_status read_tracks(const reader *r)
{
    const json_t *tracks = find(r, "ensemble.tracks");
    if (!json_is_object(tracks)) {
        return fail_key(r, "ensemble.tracks", "the tracks that were fitted");
    }
    ng_error inner = {.message = ""};
    ng_status status = ng_tracks_from_json(tracks, &r->out->tracks, &inner);
    return status == NG_OK ? NG_OK : NG_FAIL(r->err, status, "%s: %s", r->name, inner.message);
}

/* ---- the whole --------------------------------------------------------------------------- */

static ng_status read_all(const reader *r)
{
    static ng_status (*const part[])(const reader *) = {
        check_schema,         read_head,   read_parameters, read_replicates,
        read_replicate_delta, read_series, read_settings,   read_tracks};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        ng_status status = part[i](r);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

ng_status ng_fit_file_parse(const char *text, size_t length, const char *name, ng_fit_file *out,
                            ng_error *err)
{
    json_error_t trouble;
    *out = (ng_fit_file){.n_times = 0};
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &trouble);
    if (root == NULL) {
        return NG_FAIL(err, NG_FORMAT, "%s:%d: not valid JSON: %s", name, trouble.line,
                       length == 0 ? "the file is empty" : trouble.text);
    }
    const reader r = {.name = name, .root = root, .out = out, .err = err};
    ng_status status = read_all(&r);
    json_decref(root);
    if (status != NG_OK) {
        ng_fit_file_free(out);
    }
    return status;
}

ng_status ng_fit_file_read(const char *path, ng_fit_file *out, ng_error *err)
{
    char *text = NULL;
    size_t length = 0;
    *out = (ng_fit_file){.n_times = 0};
    ng_status status = ng_file_read(path, FILE_LIMIT_BYTES, &text, &length, err);
    if (status == NG_OK) {
        status = ng_fit_file_parse(text, length, path, out, err);
    }
    ng_free(text);
    return status;
}

void ng_fit_file_free(ng_fit_file *fit)
{
    ng_free(fit->replicate);
    ng_free(fit->replicate_delta);
    ng_free(fit->time_s);
    ng_free(fit->supersaturation);
    ng_free(fit->particles);
    ng_free(fit->mean_n);
    ng_free(fit->var_n);
    ng_tracks_free(&fit->tracks);
    *fit = (ng_fit_file){.n_times = 0};
}
