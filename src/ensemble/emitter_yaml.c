/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's emitter, read from YAML, and the block of results that says what it was. */
#include <nucgrow/radii.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

struct emitter_fields {
    const char *name, *title, *sizing;
    ng_emitter e;
    ng_text_list radius_nm, energy_eV, peak_nm, yield_radius_nm, yield;
};

#define FIELD(member) offsetof(struct emitter_fields, member)
#define REAL(key, member, unit_, min_, max_, doc_)                                                 \
    {                                                                                              \
        .name = key, .type = NG_OPTION_REAL, .offset = FIELD(e.member), .unit = unit_,             \
        .min = min_, .max = max_, .group = "Emitter", .doc = doc_                                  \
    }
#define TEXT(key, member, doc_)                                                                    \
    {                                                                                              \
        .name = key, .type = NG_OPTION_TEXT, .offset = FIELD(member), .group = "Emitter",          \
        .doc = doc_                                                                                \
    }
#define LIST(key, member, unit_, doc_)                                                             \
    {                                                                                              \
        .name = key, .type = NG_OPTION_LIST, .offset = FIELD(member), .unit = unit_,               \
        .group = "Emitter", .doc = doc_                                                            \
    }

static const ng_option emitter_options[] = {
    TEXT("name", name, "short word for the material"),
    TEXT("title", title, "phrase for the material"),
    {.name = "sizing",
     .type = NG_OPTION_CHOICE,
     .offset = FIELD(sizing),
     .choices = "volume|brus|table",
     .group = "Emitter",
     .doc = "where E(r) comes from"},
    REAL("gap-eV", brus.gap_eV, "eV", 0.01, 20, "band gap of the bulk"),
    REAL("mass-ratio", brus.mass_ratio, NULL, 1e-3, 10, "reduced mass over the electron's"),
    REAL("permittivity", brus.permittivity, NULL, 1, 1e4, "relative permittivity"),
    LIST("radius-nm", radius_nm, "nm", "sizing table: radii"),
    LIST("energy-eV", energy_eV, "eV", "sizing table: energies, or"),
    LIST("peak-nm", peak_nm, "nm", "sizing table: emission peaks"),
    LIST("yield-radius-nm", yield_radius_nm, "nm", "quantum yield: radii"),
    LIST("yield", yield, NULL, "quantum yield: values, 0 to 1"),
    REAL("radius-min-nm", radius_min_nm, "nm", 1e-3, 1e3, "smallest radius"),
    REAL("radius-max-nm", radius_max_nm, "nm", 1e-3, 1e3, "largest radius"),
    REAL("absorption-power", absorption_power, NULL, 0.1, 10, "p of r^p"),
    REAL("excitation-nm", excitation_nm, "nm", 10, 1e5, "wavelength of the excitation"),
    REAL("edge-eV", edge_eV, "eV", 0, 2, "width of the absorption edge"),
    REAL("band-low-nm", band_low_nm, "nm", 0, 1e5, "filter: from"),
    REAL("band-high-nm", band_high_nm, "nm", 1, 1e6, "filter: to"),
    REAL("band-transmission", band_transmission, NULL, 1e-6, 1, "filter: transmission inside"),
    REAL("line-nm", line_nm, "nm", 0, 1e3, "width of the emission line"),
};

static ng_status take_list(const ng_text_list *list, const char *key, const char *path,
                           double *value, size_t *n, ng_error *err)
{
    *n = list->n;
    if (list->n > NG_EMITTER_KNOTS) {
        return NG_FAIL(err, NG_INVALID, "%s: %s has %zu values; at most %d are taken", path, key,
                       list->n, NG_EMITTER_KNOTS);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!ng_parse_real(list->item[i], &value[i]) || !isfinite(value[i])) {
            return NG_FAIL(err, NG_INVALID, "%s: %s: '%s' is not a number", path, key,
                           list->item[i]);
        }
    }
    return NG_OK;
}

static ng_status take_curve(const ng_text_list *radii, const char *radius_key,
                            const ng_text_list *values, const char *key, const char *path,
                            ng_emitter_curve *out, ng_error *err)
{
    size_t n_values = 0;
    ng_status status = take_list(radii, radius_key, path, out->radius_nm, &out->n, err);
    if (status == NG_OK) {
        status = take_list(values, key, path, out->value, &n_values, err);
    }
    if (status == NG_OK && n_values != out->n) {
        return NG_FAIL(err, NG_INVALID, "%s: %zu values of %s, %zu of %s; give as many of both",
                       path, out->n, radius_key, n_values, key);
    }
    return status;
}

static ng_status take_sizing(const struct emitter_fields *f, const char *path, ng_emitter *out,
                             ng_error *err)
{
    const bool energies = f->energy_eV.n > 0, peaks = f->peak_nm.n > 0;
    if (energies && peaks) {
        return NG_FAIL(err, NG_INVALID, "%s: energy-eV and peak-nm say the same; give one", path);
    }
    ng_status status = take_curve(&f->radius_nm, "radius-nm", peaks ? &f->peak_nm : &f->energy_eV,
                                  peaks ? "peak-nm" : "energy-eV", path, &out->energy_eV, err);
    for (size_t i = 0; status == NG_OK && peaks && i < out->energy_eV.n; i++) {
        out->energy_eV.value[i] = ng_photon_energy_eV(out->energy_eV.value[i]);
    }
    if (f->sizing != NULL) {
        out->sizing = strcmp(f->sizing, "brus") == 0    ? NG_SIZING_BRUS
                      : strcmp(f->sizing, "table") == 0 ? NG_SIZING_TABLE
                                                        : NG_SIZING_VOLUME;
    } else if (out->energy_eV.n > 0) {
        out->sizing = NG_SIZING_TABLE;
    }
    return status;
}

/* What the file does not say is as in the built-in emitter. */
static void fill_in(ng_emitter *e)
{
    const ng_emitter *like = ng_emitter_find("FAPbBr3");
    double *to[] = {&e->brus.gap_eV,   &e->brus.mass_ratio,   &e->brus.permittivity,
                    &e->radius_min_nm, &e->radius_max_nm,     &e->absorption_power,
                    &e->excitation_nm, &e->edge_eV,           &e->band_low_nm,
                    &e->band_high_nm,  &e->band_transmission, &e->line_nm};
    const double from[] = {like->brus.gap_eV,   like->brus.mass_ratio,   like->brus.permittivity,
                           like->radius_min_nm, like->radius_max_nm,     like->absorption_power,
                           like->excitation_nm, like->edge_eV,           like->band_low_nm,
                           like->band_high_nm,  like->band_transmission, like->line_nm};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        *to[i] = isnan(*to[i]) ? from[i] : *to[i];
    }
}

static ng_status take_fields(const struct emitter_fields *f, const char *path, ng_emitter *out,
                             ng_error *err)
{
    *out = f->e;
    out->sizing = NG_SIZING_VOLUME;
    fill_in(out);
    if (f->name == NULL || strlen(f->name) >= sizeof out->name) {
        return NG_FAIL(err, NG_INVALID, "%s: the key name is %s; add a line such as name: CsPbBr3",
                       path, f->name == NULL ? "missing" : "too long");
    }
    snprintf(out->name, sizeof out->name, "%s", f->name);
    snprintf(out->title, sizeof out->title, "%s", f->title != NULL ? f->title : f->name);
    snprintf(out->source, sizeof out->source, "%s", path);
    ng_status status = take_sizing(f, path, out, err);
    if (status == NG_OK) {
        status = take_curve(&f->yield_radius_nm, "yield-radius-nm", &f->yield, "yield", path,
                            &out->yield, err);
    }
    const char *fault = status == NG_OK ? ng_emitter_fault(out) : NULL;
    return fault == NULL ? status : NG_FAIL(err, NG_INVALID, "%s: %s", path, fault);
}

ng_status ng_emitter_read(const char *path, ng_emitter *out, ng_error *err)
{
    const size_t n = sizeof emitter_options / sizeof emitter_options[0];
    struct emitter_fields fields = {0};
    *out = (ng_emitter){0};
    ng_options *set = ng_options_create();
    if (set == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    ng_status status = ng_options_add(set, emitter_options, n, &fields, err);
    if (status == NG_OK) {
        status = ng_options_yaml(set, path, NULL, NULL, err);
    }
    if (status == NG_OK) {
        status = take_fields(&fields, path, out, err);
    }
    if (status != NG_OK) {
        *out = (ng_emitter){0};
    }
    ng_options_destroy(set);
    return status;
}

ng_status ng_emitter_choose(const char *name_or_path, ng_emitter *out, ng_error *err)
{
    const ng_emitter *built_in = ng_emitter_find(name_or_path);
    if (built_in != NULL) {
        *out = *built_in;
        return NG_OK;
    }
    if (strpbrk(name_or_path, "./") != NULL) {
        return ng_emitter_read(name_or_path, out, err);
    }
    *out = (ng_emitter){0};
    return NG_FAIL(err, NG_USAGE,
                   "how %s shines is not known; use FAPbBr3 or the path of a YAML file "
                   "(docs/perovskite.md has its keys)",
                   name_or_path);
}

json_t *ng_emitter_json(const ng_emitter *e)
{
    const ng_emitter_range range = ng_emitter_find_range(e);
    const ng_emitter_curve *table = &e->energy_eV, *yield = &e->yield;
    return json_pack(
        "{s:s,s:s,s:s,s:s, s:{s:f,s:f,s:f}, s:{s:o,s:o}, s:{s:o,s:o}, s:f,s:f,s:f,s:f,s:f,s:f,s:f,"
        "s:{s:o,s:o,s:o,s:b}}",
        "name", e->name, "title", e->title, "source", e->source, "sizing",
        ng_sizing_name(e->sizing), "brus", "gap_eV", e->brus.gap_eV, "mass_ratio",
        e->brus.mass_ratio, "permittivity", e->brus.permittivity, "sizing_table", "radius_nm",
        ng_json_reals(table->radius_nm, table->n), "energy_eV",
        ng_json_reals(table->value, table->n), "yield", "radius_nm",
        ng_json_reals(yield->radius_nm, yield->n), "value", ng_json_reals(yield->value, yield->n),
        "absorption_power", e->absorption_power, "excitation_nm", e->excitation_nm, "edge_eV",
        e->edge_eV, "band_low_nm", e->band_low_nm, "band_high_nm", e->band_high_nm,
        "band_transmission", e->band_transmission, "line_nm", e->line_nm, "range", "from_nm",
        ng_json_real(range.from_nm), "to_nm", ng_json_real(range.to_nm), "dark_below_nm",
        ng_json_real(range.dark_below_nm), "monotone", range.monotone);
}
