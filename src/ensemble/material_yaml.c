/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's material: an option table of its fields, read from YAML. */
#include <nucgrow/material.h>

#include <math.h>
#include <string.h>

struct material_fields {
    const char *name, *title;
    double sigma_nm, density_per_nm3, delta;
    ng_growth_parameters parameters;
};

#define FIELD(member) offsetof(struct material_fields, member)
#define REAL(key, member, unit_, initial_, min_, max_, doc_)                                       \
    {                                                                                              \
        .name = key, .type = NG_OPTION_REAL, .offset = FIELD(member), .unit = unit_,               \
        .initial = initial_, .min = min_, .max = max_, .group = "Material", .doc = doc_            \
    }

static const ng_option material_options[] = {
    {.name = "name", .type = NG_OPTION_TEXT, .offset = FIELD(name), .group = "Material",
     .doc = "short word for the material"},
    {.name = "title", .type = NG_OPTION_TEXT, .offset = FIELD(title), .group = "Material",
     .doc = "phrase for the material"},
    REAL("sigma-nm", sigma_nm, "nm", NULL, 1e-3, 1e2, "radius of the volume of one monomer"),
    REAL("density-per-nm3", density_per_nm3, "nm^-3", NULL, 1e-6, 1e6, "monomers per volume"),
    REAL("delta", delta, NULL, "1.7", NG_DELTA_MIN, NG_DELTA_MAX, "shape number"),
    REAL("eps-f", parameters.eps_f, "kT", NULL, 0, 20, "free energy at a face site"),
    REAL("eps-e", parameters.eps_e, "kT", NULL, -30, 10, "free energy at an edge site"),
    REAL("alpha4", parameters.alpha4, NULL, NULL, 0, 40, "4+alpha"),
    REAL("K", parameters.K, NULL, NULL, 1e-4, 1e2, "association relative to diffusion"),
    REAL("kr", parameters.kr, "nm^-2 s^-1", NULL, 1e-5, 1e3, "attachment at the solubility"),
};

/* Near the geometric middle of the published rows: a fit has to start somewhere. */
static const ng_growth_parameters start_parameters = {3.0, -2.5, 6.0, 0.1, 0.1};

static ng_status copy_text(char *to, size_t size, const char *from, const char *key,
                           const char *path, ng_error *err)
{
    if (strlen(from) >= size) {
        return NG_FAIL(err, NG_INVALID, "%s: %s has %zu characters; at most %zu are allowed", path,
                       key, strlen(from), size - 1);
    }
    memcpy(to, from, strlen(from) + 1);
    return NG_OK;
}

static ng_status take_names(const struct material_fields *fields, const char *path,
                            ng_material *out, ng_error *err)
{
    if (fields->name == NULL || fields->name[0] == '\0') {
        return NG_FAIL(err, NG_INVALID, "%s: the key name is missing; add a line such as name: Ag",
                       path);
    }
    const char *title = fields->title != NULL ? fields->title : fields->name;
    ng_status status = copy_text(out->name, sizeof out->name, fields->name, "name", path, err);
    if (status == NG_OK) {
        status = copy_text(out->title, sizeof out->title, title, "title", path, err);
    }
    if (status == NG_OK) {
        snprintf(out->source, sizeof out->source, "%s", path);
    }
    return status;
}

static ng_status take_size(const struct material_fields *fields, const char *path,
                           ng_material *out, ng_error *err)
{
    const bool sigma = !isnan(fields->sigma_nm), density = !isnan(fields->density_per_nm3);
    if (sigma == density) {
        return NG_FAIL(err, NG_INVALID, "%s: sigma-nm and density-per-nm3 are %s; give one of them",
                       path, sigma ? "both given" : "both missing");
    }
    out->sigma_s_nm = sigma ? fields->sigma_nm : ng_sigma_from_density(fields->density_per_nm3);
    return NG_OK;
}

static ng_status take_parameters(const struct material_fields *fields, const char *path,
                                 ng_material *out, ng_error *err)
{
    const ng_parameter_info *info = ng_growth_parameter_info();
    size_t given = 0, missing = 0;
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        if (isnan(ng_growth_parameter_get(&fields->parameters, i))) {
            missing = i;
        } else {
            given++;
        }
    }
    if (given > 0 && given < NG_N_GROWTH_PARAMETERS) {
        return NG_FAIL(err, NG_INVALID,
                       "%s: %s is missing; give all five of eps-f, eps-e, alpha4, K, kr or none",
                       path, info[missing].name);
    }
    out->delta = fields->delta;
    out->parameters_given = given > 0;
    out->parameters = given > 0 ? fields->parameters : start_parameters;
    return NG_OK;
}

ng_status ng_material_read(const char *path, ng_material *out, ng_error *err)
{
    const size_t n = sizeof material_options / sizeof material_options[0];
    struct material_fields fields = {0};
    ng_status status = NG_OK;
    *out = (ng_material){0};
    ng_options *set = ng_options_create();
    if (set == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    status = ng_options_add(set, material_options, n, &fields, err);
    if (status == NG_OK) {
        status = ng_options_yaml(set, path, NULL, NULL, err);
    }
    if (status == NG_OK) {
        status = take_names(&fields, path, out, err);
    }
    if (status == NG_OK) {
        status = take_size(&fields, path, out, err);
    }
    if (status == NG_OK) {
        status = take_parameters(&fields, path, out, err);
    }
    if (status != NG_OK) {
        *out = (ng_material){0};
    }
    ng_options_destroy(set);
    return status;
}

ng_status ng_material_choose(const char *name_or_path, ng_material *out, ng_error *err)
{
    const ng_material *built_in = ng_material_find(name_or_path);
    if (built_in != NULL) {
        *out = *built_in;
        return NG_OK;
    }
    if (strpbrk(name_or_path, "./")) {
        return ng_material_read(name_or_path, out, err);
    }
    char names[200] = "";
    for (size_t i = 0; i < ng_material_count(); i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s, ", ng_material_at(i)->name);
    }
    *out = (ng_material){0};
    return NG_FAIL(err, NG_USAGE, "no material is called %s; use %sor the path of a YAML file",
                   name_or_path, names);
}
