/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow potential: the chemical potential of a material, its maximum, critical sizes, rates. */
#include "cli.h"

#include <nucgrow/material.h>

#include <jansson.h>
#include <math.h>

/* Below this size the steps of the lattice counts make spikes, and mu_n means nothing. */
#define LEAST_N 50
/* Critical sizes are looked for up to here, beyond the table if need be. */
#define LAST_N 1e7
/* A result holds every size up to this many rows, then sizes in equal ratios. */
#define ALL_ROWS 20000
#define THINNED_ROWS 2000

typedef struct options {
    const char *material, *csv;
    double sigma_nm, density_per_nm3, delta, supersaturation;
    ng_growth_parameters parameters;
    long n_min, n_max;
} options;

#define REAL(flag, member, unit_, min_, max_, group_, doc_)                                        \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_REAL, .offset = offsetof(options, member), .unit = unit_,  \
        .min = min_, .max = max_, .group = group_, .doc = doc_                                     \
    }

static const ng_option table[] = {
    {.name = "material", .type = NG_OPTION_TEXT, .offset = offsetof(options, material),
     .initial = "Pt", .choices = "Pt|Pt-ex-situ|Au|iron-oxide|CdSe", .value = "NAME|FILE",
     .group = "Particle",
     .doc = "Pt, Pt-ex-situ, Au, iron-oxide, CdSe, or a YAML file. The options below override "
            "its values."},
    REAL("sigma-nm", sigma_nm, "nm", 1e-3, 1e2, "Particle",
         "Radius of the volume of one monomer."),
    REAL("density-per-nm3", density_per_nm3, "nm^-3", 1e-6, 1e6, "Particle",
         "Monomers per volume, instead of --sigma-nm."),
    REAL("delta", delta, NULL, NG_DELTA_MIN, NG_DELTA_MAX, "Particle",
         "Shape number: 1 cuboctahedron, 4/3 regular truncated octahedron, 2 octahedron."),
    REAL("eps-f", parameters.eps_f, "kT", -100, 100, "Parameters",
         "Free energy of a monomer at a face site, relative to the core."),
    REAL("eps-e", parameters.eps_e, "kT", -100, 100, "Parameters",
         "Free energy of a monomer at an edge site, relative to the core."),
    REAL("alpha4", parameters.alpha4, NULL, -100, 100, "Parameters",
         "4+alpha: translation, rotation, configurational degeneracy."),
    REAL("K", parameters.K, NULL, 0, 1e9, "Parameters",
         "Association rate relative to diffusion, kappa_a sigma_s/D_1."),
    REAL("kr", parameters.kr, "nm^-2 s^-1", 1e-12, 1e12, "Parameters",
         "Attachment rate per surface area at the solubility, kappa_a rho_1inf."),
    REAL("supersaturation", supersaturation, NULL, 1e-6, 1e6, "Solution",
         "S, monomer concentration over the solubility: adds r*, r** and the free energy."),
    {.name = "n-min", .type = NG_OPTION_INT, .offset = offsetof(options, n_min), .initial = "50",
     .min = 1, .max = 1e6, .group = "Table", .doc = "First monomer number of the table."},
    {.name = "n-max", .type = NG_OPTION_INT, .offset = offsetof(options, n_max),
     .initial = "10000", .min = 2, .max = 1e6, .group = "Table",
     .doc = "Last monomer number of the table."},
    {.name = "csv", .type = NG_OPTION_TEXT, .offset = offsetof(options, csv), .value = "OUTPUT",
     .group = "Table", .doc = "Write the whole table as CSV."},
};

/* ---- what is asked ------------------------------------------------------------------- */

struct question {
    ng_material material;
    double supersaturation; /* NAN: not given */
    double n_min, n_max;
};

static ng_status override_parameters(const options *o, ng_material *m, ng_error *err)
{
    static const char *const flag[] = {"eps-f", "eps-e", "alpha4", "K", "kr"};
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        double value = ng_growth_parameter_get(&o->parameters, i);
        if (!isnan(value)) {
            ng_growth_parameter_set(&m->parameters, i, value);
            m->published = false;
        } else if (!m->parameters_given) {
            return NG_FAIL(err, NG_USAGE, "%s holds no growth parameters; pass --%s", m->source,
                           flag[i]);
        }
    }
    return NG_OK;
}

static ng_status override_size(const options *o, ng_material *m, ng_error *err)
{
    if (!isnan(o->sigma_nm) && !isnan(o->density_per_nm3)) {
        return NG_FAIL(err, NG_USAGE,
                       "--sigma-nm and --density-per-nm3 say the same thing; pass one of them");
    }
    if (!isnan(o->sigma_nm)) {
        m->sigma_s_nm = o->sigma_nm;
    } else if (!isnan(o->density_per_nm3)) {
        m->sigma_s_nm = ng_sigma_from_density(o->density_per_nm3);
    }
    if (!isnan(o->delta)) {
        m->delta = o->delta;
    }
    return NG_OK;
}

static ng_status understand(ng_cli *cli, const options *o, struct question *q, ng_error *err)
{
    *q = (struct question){.supersaturation = o->supersaturation,
                           .n_min = (double)o->n_min,
                           .n_max = (double)o->n_max};
    if (o->n_max <= o->n_min) {
        return NG_FAIL(err, NG_USAGE, "--n-max %ld must be larger than --n-min %ld", o->n_max,
                       o->n_min);
    }
    ng_status status = ng_material_choose(o->material, &q->material, err);
    if (status == NG_OK && ng_material_find(o->material) == NULL) {
        status = ng_provenance_input(cli->provenance, o->material, err);
    }
    if (status == NG_OK) {
        status = override_size(o, &q->material, err);
    }
    if (status == NG_OK) {
        status = override_parameters(o, &q->material, err);
    }
    return status;
}

/* ---- what the library says ----------------------------------------------------------- */

struct answer {
    ng_potential_maximum maximum;
    double gibbs_thomson_kT; /* at the maximum */
    const char *regime;      /* NULL without a supersaturation */
    double last; /* up to where they were looked for */
    double n_star, n_star2;
};

static double radius_of(const struct question *q, double n)
{
    return ng_radius_from_monomers(n, q->material.sigma_s_nm);
}

static double at_least_50(double n)
{
    return n > LEAST_N ? n : LEAST_N;
}

static struct answer ask(const struct question *q)
{
    const ng_growth_parameters *p = &q->material.parameters;
    const double delta = q->material.delta, first = at_least_50(q->n_min);
    struct answer a = {.maximum = ng_potential_find_maximum(p, delta, first, q->n_max)};
    a.gibbs_thomson_kT = ng_potential_gibbs_thomson(p, delta, a.maximum.n);
    a.n_star = a.n_star2 = (double)NAN;
    if (isnan(q->supersaturation)) {
        return a;
    }
    const double level = log(q->supersaturation);
    a.last = q->n_max;
    while (level > 0 && a.last < LAST_N && ng_potential(p, delta, a.last) >= level) {
        a.last *= 2;
    }
    a.regime = ng_potential_regime(&a.maximum, q->supersaturation);
    ng_potential_critical_sizes(p, delta, q->supersaturation, first, a.last, &a.n_star,
                                &a.n_star2);
    return a;
}

static void warn_critical(const struct question *q, const struct answer *a, ng_warnings *warnings)
{
    const double level = log(q->supersaturation);
    if (a->maximum.found && level > a->maximum.mu_kT) {
        ng_warnings_add(warnings, "no-critical-size",
                        "ln S = %.4g lies above the maximum of mu_n: there is no r* and no r**",
                        level);
        return;
    }
    if (isnan(a->n_star)) {
        ng_warnings_add(warnings, "no-r-star",
                        "mu_n does not rise through ln S = %.4g at sizes from n = %.0f on: no r*",
                        level, at_least_50(q->n_min));
    }
    if (isnan(a->n_star2)) {
        ng_warnings_add(warnings, "no-r-star2",
                        "mu_n does not fall below ln S = %.4g at sizes up to n = %.3g: no r**",
                        level, a->last);
    }
}

static void warn(const struct question *q, const struct answer *a, ng_warnings *warnings)
{
    if (q->n_min < LEAST_N) {
        ng_warnings_add(warnings, "below-50",
                        "sizes below n = %d are in the table, but the potential means nothing "
                        "there; the maximum, r* and r** are searched from n = %d on",
                        LEAST_N, LEAST_N);
    }
    if (!a->maximum.found) {
        ng_warnings_add(warnings, "no-maximum",
                        "mu_n has no maximum between n = %.0f and n = %.0f; widen --n-min, --n-max",
                        at_least_50(q->n_min), q->n_max);
    }
    if (a->regime != NULL) {
        warn_critical(q, a, warnings);
    }
}

/* ---- the table ----------------------------------------------------------------------- */

enum { N, RADIUS, MU, GIBBS_THOMSON, FREE_ENERGY, ATTACHMENT, DETACHMENT, COLUMNS };

static const char *const column_name[COLUMNS] = {
    "n", "radius_nm", "mu_kT", "gibbs_thomson_kT", "free_energy_kT", "attachment_per_s",
    "detachment_per_s"};

static void fill_row(const struct question *q, double n, double row[COLUMNS])
{
    const ng_material *m = &q->material;
    row[N] = n;
    row[RADIUS] = radius_of(q, n);
    row[MU] = ng_potential(&m->parameters, m->delta, n);
    row[GIBBS_THOMSON] = ng_potential_gibbs_thomson(&m->parameters, m->delta, n);
    row[FREE_ENERGY] = ng_free_energy(&m->parameters, m->delta, q->supersaturation, n);
    row[ATTACHMENT] = ng_attachment_rate(&m->parameters, m->delta, m->sigma_s_nm, n);
    row[DETACHMENT] = ng_detachment_rate(&m->parameters, m->delta, m->sigma_s_nm, n);
}

/* Without a supersaturation there is no free energy. */
static bool has_column(const struct question *q, int column)
{
    return column != FREE_ENERGY || !isnan(q->supersaturation);
}

static void write_rows(const struct question *q, FILE *stream)
{
    const char *comma = "";
    for (int c = 0; c < COLUMNS; c++) {
        if (has_column(q, c)) {
            fprintf(stream, "%s%s", comma, column_name[c]);
            comma = ",";
        }
    }
    for (double n = q->n_min; n <= q->n_max; n += 1) {
        double row[COLUMNS];
        fill_row(q, n, row);
        fprintf(stream, "\n%.0f", n);
        for (int c = RADIUS; c < COLUMNS; c++) {
            if (has_column(q, c)) {
                fprintf(stream, ",%.15g", row[c]);
            }
        }
    }
    fputc('\n', stream);
}

static ng_status write_csv(const ng_cli *cli, const struct question *q, const char *path,
                           ng_error *err)
{
    ng_output *output = NULL;
    ng_status status = ng_output_open(path, cli->common.force, &output, err);
    if (status != NG_OK) {
        return status;
    }
    const ng_material *m = &q->material;
    FILE *stream = ng_output_stream(output);
    fprintf(stream, "# nucgrow %s potential: %s, sigma_s %.15g nm, delta %.15g", ng_version(),
            m->name, m->sigma_s_nm, m->delta);
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        fprintf(stream, ", %s %.15g", ng_growth_parameter_info()[i].name,
                ng_growth_parameter_get(&m->parameters, i));
    }
    if (!isnan(q->supersaturation)) {
        fprintf(stream, ", S %.15g", q->supersaturation);
    }
    fputc('\n', stream);
    write_rows(q, stream);
    return ng_output_commit(output, err);
}

/* The next size of the result's table: the next integer, or a step of equal ratio. */
static double next_size(const struct question *q, double n)
{
    if (n >= q->n_max || q->n_max - q->n_min < ALL_ROWS) {
        return n + 1;
    }
    double ratio = pow(q->n_max / q->n_min, 1.0 / THINNED_ROWS);
    double next = floor(n * ratio);
    return next > q->n_max ? q->n_max : next > n ? next : n + 1;
}

static json_t *table_json(const struct question *q)
{
    json_t *column[COLUMNS], *result = json_object();
    for (int c = 0; c < COLUMNS; c++) {
        column[c] = has_column(q, c) ? json_array() : NULL;
    }
    for (double n = q->n_min; n <= q->n_max; n = next_size(q, n)) {
        double row[COLUMNS];
        fill_row(q, n, row);
        for (int c = 0; c < COLUMNS; c++) {
            json_array_append_new(column[c], ng_json_real(row[c]));
        }
    }
    for (int c = 0; c < COLUMNS; c++) {
        if (column[c] != NULL) {
            json_object_set_new(result, column_name[c], column[c]);
        }
    }
    return result;
}

/* ---- the result ---------------------------------------------------------------------- */

static json_t *critical_json(const struct question *q, const struct answer *a)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s}", "n_star", ng_json_real(a->n_star), "n_star2",
                     ng_json_real(a->n_star2), "r_star_nm", ng_json_real(radius_of(q, a->n_star)),
                     "r_star2_nm", ng_json_real(radius_of(q, a->n_star2)), "regime", a->regime);
}

static json_t *result_json(const struct question *q, const struct answer *a)
{
    const ng_material *m = &q->material;
    json_t *parameters = json_object();
    for (size_t i = 0; i < NG_N_GROWTH_PARAMETERS; i++) {
        json_object_set_new(parameters, ng_growth_parameter_info()[i].name,
                            ng_json_real(ng_growth_parameter_get(&m->parameters, i)));
    }
    json_t *result = json_pack(
        "{s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o}}", "material", ng_material_json(m), "delta",
        ng_json_real(m->delta), "parameters", parameters, "maximum", "n",
        ng_json_real(a->maximum.n), "radius_nm", ng_json_real(radius_of(q, a->maximum.n)), "mu_kT",
        ng_json_real(a->maximum.mu_kT), "gibbs_thomson_kT", ng_json_real(a->gibbs_thomson_kT));
    if (a->regime != NULL) {
        json_object_set_new(result, "supersaturation", ng_json_real(q->supersaturation));
        json_object_set_new(result, "critical", critical_json(q, a));
    }
    json_object_set_new(result, "table", table_json(q));
    return result;
}

/* ---- for people ---------------------------------------------------------------------- */

static void print_regime(const ng_cli *cli, const struct question *q, const struct answer *a)
{
    const double level = log(q->supersaturation);
    const double r_star = radius_of(q, a->n_star), r_star2 = radius_of(q, a->n_star2);
    const bool star = !isnan(a->n_star), star2 = !isnan(a->n_star2);
    ng_cli_print(cli, "S = %-13.4g %s (ln S = %.4f kT): ", q->supersaturation, a->regime, level);
    if (star && star2) {
        ng_cli_print(cli, "particles from r* to r** shrink, others grow\n");
    } else if (star) {
        ng_cli_print(cli, "particles above r* shrink, smaller ones grow\n");
    } else if (star2) {
        ng_cli_print(cli, "particles below r** shrink, larger ones grow\n");
    } else {
        const double mu = ng_potential(&q->material.parameters, q->material.delta, q->n_max);
        ng_cli_print(cli, "all sizes %s\n", mu < level ? "grow" : "shrink");
    }
    if (star) {
        ng_cli_print(cli, "r*                %.4g nm (n = %.1f), stable\n", r_star, a->n_star);
    }
    if (star2) {
        ng_cli_print(cli, "r**               %.4g nm (n = %.1f), unstable\n", r_star2, a->n_star2);
    }
}

static void print_material(const ng_cli *cli, const ng_material *m)
{
    const ng_growth_parameters *p = &m->parameters;
    ng_cli_print(cli, "%-17s sigma_s %.5g nm, delta %g, eps_f %g kT, eps_e %g kT,\n", m->name,
                 m->sigma_s_nm, m->delta, p->eps_f, p->eps_e);
    ng_cli_print(cli, "%-17s 4+alpha %g, K %g, kr %g nm^-2 s^-1\n",
                 m->published ? "(published)" : "", p->alpha4, p->K, p->kr);
}

static void print_sizes(const ng_cli *cli, const struct question *q)
{
    static const double sizes[] = {50, 100, 200, 500, 1000, 2000, 5000, 10000, 1e5, 1e6};
    ng_cli_print(cli, "\n%10s %11s %11s %15s\n", "n", "radius_nm", "mu_n_kT", "Gibbs-Thomson");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] >= q->n_min && sizes[i] <= q->n_max) {
            double row[COLUMNS];
            fill_row(q, sizes[i], row);
            ng_cli_print(cli, "%10.0f %11.4f %11.4f %15.4f\n", row[N], row[RADIUS], row[MU],
                         row[GIBBS_THOMSON]);
        }
    }
}

static void print_answer(const ng_cli *cli, const struct question *q, const struct answer *a)
{
    if (a->maximum.found) {
        ng_cli_print(cli,
                     "maximum of mu_n   %.4f kT at n = %.0f (radius %.4f nm; Gibbs-Thomson "
                     "%.4f kT)\n"
                     "all sizes grow    above S = %.4g\n",
                     a->maximum.mu_kT, a->maximum.n, radius_of(q, a->maximum.n),
                     a->gibbs_thomson_kT, exp(a->maximum.mu_kT));
    } else {
        ng_cli_print(cli, "maximum of mu_n   none in this range\n");
    }
    if (a->regime != NULL) {
        print_regime(cli, q, a);
    }
    print_material(cli, &q->material);
    print_sizes(cli, q);
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    struct question q;
    ng_status status = understand(cli, o, &q, err);
    if (status == NG_OK && o->csv != NULL) {
        status = write_csv(cli, &q, o->csv, err);
    }
    if (status != NG_OK) {
        return status;
    }
    struct answer a = ask(&q);
    warn(&q, &a, &cli->warnings);
    ng_provenance_reference(cli->provenance, "Kim et al., PNAS 122, e2424950122 (2025), Eqs. 1, 2");
    if (q.material.published) {
        ng_provenance_reference(cli->provenance, q.material.source);
    }
    print_answer(cli, &q, &a);
    cli->result = result_json(&q, &a);
    return NG_OK;
}

const ng_command ng_command_potential = {
    .name = "potential",
    .group = "Model",
    .summary = "chemical potential of a material, its maximum, critical sizes",
    .description =
        "The chemical potential mu_n of a monomer in a particle of n monomers, relative to the "
        "macroscopic crystal, with its maximum. At a supersaturation S, particles between r* and "
        "r** (where mu_n lies above ln S) shrink and all others grow; above the maximum of mu_n "
        "all sizes grow (hypersaturation).\n\n"
        "Sizes below n = 50 mean nothing in this model: the maximum and critical sizes are looked "
        "for above.",
    .usage = "[options]",
    .examples = "nucgrow potential --material Au --supersaturation 3\n"
                "nucgrow potential --eps-f 3.2 --eps-e -1.5 --alpha4 6.5 --csv potential.csv\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 0,
    .n_max = 0,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/potential/1",
    .run = run,
};
