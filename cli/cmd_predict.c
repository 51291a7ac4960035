/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow predict: what a fitted growth law says of another synthesis. */
#include "cli.h"

#include <nucgrow/predict.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct options {
    const char *supply, *supersaturation, *start, *times, *grid;
    double supply_scale, supersaturation_scale, dissolved_per_particle;
    double start_mean, start_spread;
    double temperature_K, reference_K, enthalpy_share, eps_f_enthalpy_kT, eps_e_enthalpy_kT;
    double attachment_kJ, diffusion_kJ, solution_kJ, supply_kJ;
    double duration_s, target_nm, target_n, target_spread_percent, level;
    long replicates, steps, n_limit;
} options;

#define REAL(flag, member, unit_, initial_, min_, max_, group_, doc_)                              \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_REAL, .offset = offsetof(options, member), .unit = unit_,  \
        .initial = initial_, .min = min_, .max = max_, .group = group_, .doc = doc_                \
    }
#define TEXT(flag, member, value_, group_, doc_)                                                   \
    {                                                                                              \
        .name = flag, .type = NG_OPTION_TEXT, .offset = offsetof(options, member),                 \
        .value = value_, .group = group_, .doc = doc_                                              \
    }

static const ng_option table[] = {
    REAL("supply-scale", supply_scale, NULL, NULL, 1e-6, 1e6, "Solution",
         "Supply of monomers relative to that of the movie, or to --supply: 0.5 halves it."),
    TEXT("supply", supply, "LAW|FILE", "Solution",
         "Monomers per second and particle instead of the movie's supply: a number, "
         "decay:RATE,TIME_S, ramp:FROM,TO,START_S,END_S, or a CSV file with the columns "
         "time_s,supply. Times are those of the movie."),
    REAL("supersaturation-scale", supersaturation_scale, NULL, NULL, 1e-6, 1e6, "Solution",
         "Give S(t) instead of the supply: that of the movie, or --supersaturation, times this."),
    TEXT("supersaturation", supersaturation, "S|FILE", "Solution",
         "Give S(t) instead of the supply: a number, or a CSV file with the columns "
         "time_s,supersaturation."),
    REAL("dissolved-per-particle", dissolved_per_particle, NULL, "0", 0, 1e12, "Solution",
         "Monomers in solution per particle at the solubility (solubility times liquid volume over "
         "number of particles): the one number that a movie cannot give. 0: what is supplied is "
         "taken up at once."),
    TEXT("start", start, "FILE", "Start",
         "Sizes to start from instead of the movie's first frame: a CSV file with a column n or "
         "radius_nm."),
    REAL("start-mean", start_mean, NULL, NULL, 50, 1e6, "Start",
         "Mean monomer number of a lognormal start; with --start-spread."),
    REAL("start-spread", start_spread, NULL, NULL, 0, 2, "Start",
         "Standard deviation of ln n of that start."),
    REAL("temperature-K", temperature_K, "K", NULL, 50, 5000, "Temperature",
         "Predict for this temperature."),
    REAL("reference-temperature-K", reference_K, "K", "298.15", 50, 5000, "Temperature",
         "Temperature of the movie."),
    REAL("enthalpy-share", enthalpy_share, NULL, "1", -100, 100, "Temperature",
         "Part of eps_f and eps_e that is enthalpy, h/kT over eps: 1 none is entropy, 0 all is."),
    REAL("eps-f-enthalpy-kT", eps_f_enthalpy_kT, "kT", NULL, -1000, 1000, "Temperature",
         "Enthalpy in eps_f at the reference temperature, instead of the share."),
    REAL("eps-e-enthalpy-kT", eps_e_enthalpy_kT, "kT", NULL, -1000, 1000, "Temperature",
         "Enthalpy in eps_e at the reference temperature, instead of the share."),
    REAL("attachment-barrier-kJ-per-mol", attachment_kJ, "kJ/mol", "0", -1000, 1000, "Temperature",
         "Barrier of the attachment of a monomer (kappa_a, in kr and K)."),
    REAL("diffusion-barrier-kJ-per-mol", diffusion_kJ, "kJ/mol", "0", -1000, 1000, "Temperature",
         "Barrier of the diffusion of monomers (in K)."),
    REAL("solution-enthalpy-kJ-per-mol", solution_kJ, "kJ/mol", "0", -1000, 1000, "Temperature",
         "Enthalpy of solution: how the solubility changes."),
    REAL("supply-barrier-kJ-per-mol", supply_kJ, "kJ/mol", "0", -1000, 1000, "Temperature",
         "Barrier of the reaction that supplies monomers; acts on the movie's supply only."),
    REAL("duration-s", duration_s, "s", NULL, 1e-6, 1e12, "Time",
         "Length of the run; as long as the fit, or as a target takes, where it is not given."),
    TEXT("times", times, "S,S,...", "Time",
         "Write size distributions at these times after the start."),
    {.name = "steps",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, steps),
     .initial = "160",
     .min = 1,
     .max = 1e7,
     .group = "Time",
     .doc = "Time steps of a run, at least; more are taken where sizes move fast."},
    {.name = "n-limit",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, n_limit),
     .initial = "1000000",
     .min = 1000,
     .max = 5e6,
     .group = "Time",
     .doc = "Largest monomer number; particles that outgrow it are an error."},
    REAL("target-nm", target_nm, "nm", NULL, 1e-3, 1e4, "Target",
         "Mean radius to reach: when, and how narrow, over a grid of supply rates."),
    REAL("target-n", target_n, NULL, NULL, 51, 5e6, "Target",
         "The same as a monomer number: its radius is the target."),
    REAL("target-spread-percent", target_spread_percent, "%", NULL, 1e-4, 1000, "Target",
         "Relative spread of the radii to have there: which supply gives it?"),
    TEXT("grid", grid, "FROM:TO:COUNT", "Target",
         "Factors of the supply to try, in equal ratios; 0.25:4:9 with a target."),
    {.name = "replicates",
     .type = NG_OPTION_INT,
     .offset = offsetof(options, replicates),
     .initial = "40",
     .min = 0,
     .max = 100000,
     .group = "Bands",
     .doc = "Replicates of the fit to run for the bands, at most."},
    REAL("level", level, NULL, NULL, 0.01, 0.9999, "Bands",
         "Level of the bands; that of the fit where it is not given."),
};

/* What the library's options borrow. */
typedef struct request {
    ng_predict_options predict;
    ng_time_law law;
    double *knots;   /* owned: times, then values */
    double *start_n; /* owned */
    double *shape_s; /* owned */
    ng_fit_file fit;
} request;

/* ---- texts with a form of their own ------------------------------------------------------ */

/* Numbers apart by `mark`; returns how many there are, 0 when one of them is none. */
static size_t numbers(const char *text, char mark, double *value, size_t most)
{
    for (size_t n = 0; n < most; n++) {
        const char *end = strchr(text, mark);
        char part[64];
        snprintf(part, sizeof part, "%.*s", end ? (int)(end - text) : (int)strlen(text), text);
        if (!ng_parse_real(part, &value[n]) || !isfinite(value[n])) {
            return 0;
        }
        if (end == NULL) {
            return n + 1;
        }
        text = end + 1;
    }
    return 0;
}

static ng_status read_law_file(ng_cli *cli, const char *path, const char *column, request *r,
                               ng_error *err)
{
    const char *const columns[] = {"time_s", column};
    double *rows = NULL;
    size_t n = 0;
    ng_status status = ng_provenance_input(cli->provenance, path, err);
    if (status == NG_OK) {
        status = ng_predict_table_read(path, columns, 2, &rows, &n, err);
    }
    if (status != NG_OK) {
        return status;
    }
    r->knots = NG_NEW(double, 2 * n);
    if (r->knots == NULL) {
        ng_free(rows);
        return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu rows", path, n);
    }
    for (size_t i = 0; i < n; i++) {
        r->knots[i] = rows[2 * i];
        r->knots[n + i] = rows[2 * i + 1];
    }
    ng_free(rows);
    r->law = ng_law_table(r->knots, r->knots + n, n);
    status = ng_law_check(&r->law, path, strcmp(column, "supply") == 0, err);
    r->predict.law = &r->law;
    return status;
}

/* decay:RATE,TIME_S and ramp:FROM,TO,START_S,END_S */
static ng_status read_form(const char *text, request *r, ng_error *err)
{
    const bool decay = strncmp(text, "decay:", 6) == 0;
    double x[4];
    const size_t n = numbers(strchr(text, ':') + 1, ',', x, 4);
    if (decay ? n != 2 || !(x[1] > 0.0) : n != 4 || !(x[3] > x[2])) {
        return NG_FAIL(err, NG_USAGE, "--supply: '%s' is not %s", text,
                       decay ? "decay:RATE,TIME_S with a positive time"
                             : "ramp:FROM,TO,START_S,END_S with an end after the start");
    }
    r->law = decay ? ng_law_decay(x[0], 1.0 / x[1]) : ng_law_ramp(x[0], x[1], x[2], x[3]);
    r->predict.law = &r->law;
    return NG_OK;
}

static ng_status read_law(ng_cli *cli, const options *o, request *r, ng_error *err)
{
    const char *text = o->supply != NULL ? o->supply : o->supersaturation;
    double value;
    if (text == NULL) {
        return NG_OK;
    }
    if (o->supply != NULL && (strncmp(text, "decay:", 6) == 0 || strncmp(text, "ramp:", 5) == 0)) {
        return read_form(text, r, err);
    }
    if (!ng_parse_real(text, &value)) {
        return read_law_file(cli, text, o->supply != NULL ? "supply" : "supersaturation", r, err);
    }
    if (!isfinite(value) || (o->supply == NULL && value < 0.0)) {
        return NG_FAIL(err, NG_USAGE, "--%s is %s; it must be finite%s",
                       o->supply != NULL ? "supply" : "supersaturation", text,
                       o->supply != NULL ? "" : " and not negative");
    }
    r->law = ng_law_constant(value);
    r->predict.law = &r->law;
    return NG_OK;
}

static ng_status read_solution(ng_cli *cli, const options *o, request *r, ng_error *err)
{
    const bool supply = o->supply != NULL || !isnan(o->supply_scale);
    const bool level = o->supersaturation != NULL || !isnan(o->supersaturation_scale);
    if (supply && level) {
        return NG_FAIL(err, NG_USAGE,
                       "a run is driven by the supply or by the supersaturation, not by both: pass "
                       "--supply... or --supersaturation...");
    }
    const double scale = level ? o->supersaturation_scale : o->supply_scale;
    r->predict.drive = level ? NG_DRIVE_SUPERSATURATION : NG_DRIVE_SUPPLY;
    r->predict.scale = isnan(scale) ? 1.0 : scale;
    r->predict.dissolved_per_particle = o->dissolved_per_particle;
    return read_law(cli, o, r, err);
}

/* The header row tells whether sizes are monomer numbers or radii. */
static ng_status read_start(ng_cli *cli, const options *o, request *r, ng_error *err)
{
    static const char *const radius[] = {"radius_nm"}, *const monomers[] = {"n"};
    r->predict.start_mean = o->start_mean;
    r->predict.start_spread = o->start_spread;
    if (o->start == NULL) {
        return NG_OK;
    }
    if (!isnan(o->start_mean) || !isnan(o->start_spread)) {
        return NG_FAIL(err, NG_USAGE, "--start and --start-mean say the same thing; pass one");
    }
    ng_error first = {.message = ""};
    ng_status status = ng_provenance_input(cli->provenance, o->start, err);
    if (status != NG_OK) {
        return status;
    }
    status = ng_predict_table_read(o->start, monomers, 1, &r->start_n, &r->predict.n_start, &first);
    if (status == NG_FORMAT) {
        status = ng_predict_table_read(o->start, radius, 1, &r->start_n, &r->predict.n_start, err);
        for (size_t i = 0; status == NG_OK && i < r->predict.n_start; i++) {
            r->start_n[i] = ng_monomers_from_radius(r->start_n[i], r->fit.sigma_s_nm);
        }
    } else if (status != NG_OK) {
        return NG_FAIL(err, status, "%s", first.message);
    }
    r->predict.start_n = r->start_n;
    return status;
}

static ng_status share_of(double enthalpy_kT, double share, double energy_kT, const char *flag,
                          double *out, ng_error *err)
{
    *out = isnan(enthalpy_kT) ? share : enthalpy_kT / energy_kT;
    return isfinite(*out) ? NG_OK : NG_FAIL(err, NG_USAGE, "--%s: the fit's energy is 0", flag);
}

static ng_status read_temperature(const options *o, request *r, ng_error *err)
{
    ng_temperature *t = &r->predict.temperature;
    t->reference_K = o->reference_K;
    t->T_K = isnan(o->temperature_K) ? o->reference_K : o->temperature_K;
    t->attachment_kJ_per_mol = o->attachment_kJ;
    t->diffusion_kJ_per_mol = o->diffusion_kJ;
    t->solution_kJ_per_mol = o->solution_kJ;
    t->supply_kJ_per_mol = o->supply_kJ;
    ng_status status = share_of(o->eps_f_enthalpy_kT, o->enthalpy_share, r->fit.best.eps_f,
                                "eps-f-enthalpy-kT", &t->eps_f_share, err);
    return status == NG_OK ? share_of(o->eps_e_enthalpy_kT, o->enthalpy_share, r->fit.best.eps_e,
                                      "eps-e-enthalpy-kT", &t->eps_e_share, err)
                           : status;
}

static ng_status read_target(const options *o, request *r, ng_error *err)
{
    ng_predict_options *p = &r->predict;
    double x[3];
    if (!isnan(o->target_nm) && !isnan(o->target_n)) {
        return NG_FAIL(err, NG_USAGE, "--target-nm and --target-n say the same thing; pass one");
    }
    p->target_radius_nm =
        isnan(o->target_n) ? o->target_nm : ng_radius_from_monomers(o->target_n, r->fit.sigma_s_nm);
    p->target_spread = o->target_spread_percent / 100.0;
    if (!isnan(p->target_radius_nm)) {
        p->n_grid = 9;
    }
    if (o->grid == NULL) {
        return NG_OK;
    }
    if (numbers(o->grid, ':', x, 3) != 3 || !(x[0] > 0.0 && x[1] >= x[0]) ||
        !(x[2] >= 1.0 && x[2] <= 1000.0 && floor(x[2]) == x[2])) {
        return NG_FAIL(err, NG_USAGE,
                       "--grid is '%s'; it takes FROM:TO:COUNT with positive factors that rise, "
                       "such as 0.25:4:9",
                       o->grid);
    }
    p->grid_first = x[0];
    p->grid_last = x[1];
    p->n_grid = (size_t)x[2];
    return NG_OK;
}

enum { TIMES_MAX = 200 };

static ng_status read_time(const options *o, request *r, ng_error *err)
{
    ng_predict_options *p = &r->predict;
    p->duration_s = o->duration_s;
    p->steps = (size_t)o->steps;
    p->n_limit = o->n_limit;
    p->replicates = (size_t)o->replicates;
    p->level = o->level;
    if (o->times == NULL) {
        return NG_OK;
    }
    r->shape_s = NG_NEW(double, TIMES_MAX);
    if (r->shape_s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "predict: no memory for times");
    }
    p->n_shapes = numbers(o->times, ',', r->shape_s, TIMES_MAX);
    p->shape_s = r->shape_s;
    return p->n_shapes > 0 ? NG_OK
                           : NG_FAIL(err, NG_USAGE,
                                     "--times is '%s'; it takes up to %d numbers apart by commas",
                                     o->times, TIMES_MAX);
}

static ng_status understand(ng_cli *cli, const options *o, request *r, ng_error *err)
{
    r->predict = ng_predict_defaults();
    ng_status status = read_time(o, r, err);
    if (status == NG_OK) {
        status = read_solution(cli, o, r, err);
    }
    if (status == NG_OK) {
        status = ng_cli_inputs(cli, err);
    }
    if (status == NG_OK) {
        status = ng_fit_file_read(cli->file[0], &r->fit, err);
    }
    if (status == NG_OK) {
        status = read_start(cli, o, r, err);
    }
    if (status == NG_OK) {
        status = read_temperature(o, r, err);
    }
    return status == NG_OK ? read_target(o, r, err) : status;
}

static void request_free(request *r)
{
    ng_free(r->knots);
    ng_free(r->start_n);
    ng_free(r->shape_s);
    ng_fit_file_free(&r->fit);
}

/* ---- for people -------------------------------------------------------------------------- */

static double column(const json_t *object, const char *key, size_t i)
{
    const json_t *item = json_array_get(json_object_get(object, key), i);
    return json_is_number(item) ? json_number_value(item) : (double)NAN;
}

static void print_series(const ng_cli *cli, const json_t *series)
{
    const size_t last = json_array_size(json_object_get(series, "time_s")) - 1;
    ng_cli_print(cli, "\n%9s %9s %11s %9s %8s %9s\n", "time_s", "mean n", "radius_nm", "spread_%",
                 "S", "left_%");
    for (size_t k = 0; k <= 8; k++) {
        const size_t i = last * k / 8;
        ng_cli_print(cli, "%9.4g %9.0f %11.3f %9.2f %8.3g %9.1f\n", column(series, "time_s", i),
                     column(series, "mean_n", i), column(series, "mean_radius_nm", i),
                     100.0 * column(series, "relative_spread", i),
                     column(series, "supersaturation", i), 100.0 * column(series, "number", i));
    }
}

static void print_grid(const ng_cli *cli, const json_t *grid, bool target)
{
    const char *const spread = target ? "spread_at_target" : "end_spread";
    char lower[32], upper[32];
    snprintf(lower, sizeof lower, "%s_lower", spread);
    snprintf(upper, sizeof upper, "%s_upper", spread);
    ng_cli_print(cli, "\n%9s %11s %9s %17s %12s\n", "supply x", target ? "reached_s" : "radius_nm",
                 "spread_%", "band", "equal start");
    for (size_t f = 0; f < json_array_size(json_object_get(grid, "factor")); f++) {
        ng_cli_print(cli, "%9.3g %11.4g %9.2f %8.2f to %5.2f %12.2f\n", column(grid, "factor", f),
                     column(grid, target ? "time_to_target_s" : "end_radius_nm", f),
                     100.0 * column(grid, spread, f), 100.0 * column(grid, lower, f),
                     100.0 * column(grid, upper, f),
                     100.0 * column(grid, "spread_from_equal_particles", f));
    }
}

static void print_answer(const ng_cli *cli, const request *r)
{
    const json_t *verdict = json_object_get(cli->result, "verdict");
    const json_t *grid = json_object_get(cli->result, "grid");
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(cli->result, "answer"), i, line)
    {
        ng_cli_print(cli, "%s\n", json_string_value(line));
    }
    if (grid != NULL) {
        print_grid(cli, grid, !isnan(r->predict.target_radius_nm));
    }
    print_series(cli, json_object_get(cli->result, "series"));
    ng_cli_print(cli, "\nverdict: %s%s\n", json_string_value(json_object_get(verdict, "level")),
                 json_is_true(json_object_get(cli->result, "trusted"))
                     ? ""
                     : ", do not trust this result (exit code 4)");
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    request r = {.knots = NULL};
    ng_prediction *prediction = NULL;
    ng_status status = understand(cli, values, &r, err);
    if (status == NG_OK) {
        status = ng_cli_keep_records(cli, err);
    }
    if (status == NG_OK) {
        status = ng_predict(&r.fit, &r.predict, &cli->run, &prediction, &cli->warnings, err);
    }
    if (status == NG_OK) {
        cli->result = ng_prediction_json(prediction);
        ng_provenance_reference(cli->provenance,
                                "J.-H. Kim et al., Multiphasic size-dependent growth dynamics of "
                                "nanoparticle ensembles, PNAS 122, e2424950122 (2025)");
        print_answer(cli, &r);
    }
    ng_prediction_destroy(prediction);
    request_free(&r);
    return status;
}

const ng_command ng_command_predict = {
    .name = "predict",
    .group = "Model",
    .summary = "another synthesis by a fitted law: sizes, spread, supply, target",
    .description =
        "Reads what `fit growth` wrote and runs the fitted law forward: with another supply of "
        "monomers, another supersaturation, temperature or start. It says what comes out in plain "
        "sentences, with bands from the fit's replicates.\n\n"
        "The supply of the movie follows from the balance of monomers: what particles take up on "
        "average. Without options the movie is run as it was, which tests the law: mean and spread "
        "are predicted from the first frame on.\n\n"
        "With --target-nm and --target-spread-percent it looks for the supply that gives this "
        "size this narrow. Sizes are radii.\n\n"
        "Exit code 4: the result is written, but the fit it rests on is not to be trusted.",
    .usage = "FIT.json [options]",
    .examples = "# what if the supply is halved?\n"
                "nucgrow predict fit-growth.json --supply-scale 0.5 -o predicted.json\n"
                "# how do I get 3 nm with 5 % spread?\n"
                "nucgrow predict fit-growth.json --target-nm 3 --target-spread-percent 5\n"
                "# 20 K warmer, the precursor reacting with a barrier of 80 kJ/mol\n"
                "nucgrow predict fit-growth.json --temperature-K 318 \\\n"
                "    --supply-barrier-kJ-per-mol 80\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/predict/1",
    .ranks = NG_RANKS_ALL,
    .keeps_journal = true,
    .run = run,
};
