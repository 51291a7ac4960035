/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow fit coalescence: when and how growing particles merge. */
#include "assignments.h"
#include "data_options.h"

#include <nucgrow/coalescence.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    double pixel_nm, frame_s, level;
    bool skip_invalid, profiles;
    ng_text_list with, fix, start;
    const char *events, *count, *preset, *boundary, *arrivals, *diffusion_kind, *contact,
        *diffusion;
    long starts, max_iterations, bootstrap, cells;
} options;

#define FIELD(member) .offset = offsetof(options, member)

static const ng_option table[] = {
    {.name = "with",
     .type = NG_OPTION_LIST,
     FIELD(with),
     .value = "FILE[,FILE]",
     .group = "Input",
     .doc = "Tracks of the same movie that never merge (Group A): they count among the particles "
            "and in the mean radius."},
    {.name = "events",
     .type = NG_OPTION_TEXT,
     FIELD(events),
     .value = "FILE",
     .group = "Input",
     .doc = "Merges as `nucgrow track` found them, where the table has no column `group`."},
    NG_TABLE_OPTION_ROWS(options, ),
    {.name = "count",
     .type = NG_OPTION_CHOICE,
     FIELD(count),
     .choices = "merges|pairs",
     .initial = "merges",
     .group = "Model",
     .doc = "What a merge takes from the number of particles: one, or, as published, one for each "
            "pair that becomes one (a triple takes three)."},
    {.name = "preset",
     .type = NG_OPTION_CHOICE,
     FIELD(preset),
     .choices = "default|published",
     .initial = "default",
     .group = "Model",
     .doc = "published: the published laws of radius and diffusion, start values, u_x = 0 at "
            "contact, and rc measured from the contact distance at t = 0."},
    {.name = "boundary",
     .type = NG_OPTION_CHOICE,
     FIELD(boundary),
     .choices = "reflecting|flat",
     .group = "Model",
     .doc = "At contact no pair is lost (default), or u_x = 0."},
    {.name = "arrivals",
     .type = NG_OPTION_CHOICE,
     FIELD(arrivals),
     .choices = "fitted|counted",
     .initial = "fitted",
     .group = "Model",
     .doc = "New particles: a constant supply P0 until t_P, fitted with the rest, or just as they "
            "were seen to appear."},
    {.name = "diffusion-from",
     .type = NG_OPTION_CHOICE,
     FIELD(diffusion_kind),
     .choices = "displacement|slope",
     .initial = "displacement",
     .group = "Model",
     .doc = "D_r(t): displacement since first sight over 4 times its time, as published, or the "
            "slope of that displacement, as the diffusion equation wants it."},
    {.name = "contact",
     .type = NG_OPTION_TEXT,
     FIELD(contact),
     .value = "C0,C1,...",
     .group = "Model",
     .doc = "sigma(t) = C0 + C1 t + ... in nm and s, up to five terms, instead of the tracks'."},
    {.name = "diffusion",
     .type = NG_OPTION_TEXT,
     FIELD(diffusion),
     .value = "D0,RATE,POWER",
     .group = "Model",
     .doc = "D_r(t) = D0 / (1 + RATE t)^POWER in nm^2/s, instead of the tracks'."},
    {.name = "fix",
     .type = NG_OPTION_LIST,
     FIELD(fix),
     .value = "NAME=VALUE,...",
     .group = "Fit",
     .doc = "Hold parameters (kappa_c, nu, l, gamma, sigma_c, rc, pair_density, P0, t_P) at given "
            "values; all nine: only evaluate."},
    {.name = "start",
     .type = NG_OPTION_LIST,
     FIELD(start),
     .value = "NAME=VALUE,...",
     .group = "Fit",
     .doc = "Start values instead of those that the tracks suggest."},
    {.name = "starts",
     .type = NG_OPTION_INT,
     FIELD(starts),
     .min = 1,
     .max = 1000,
     .initial = "6",
     .group = "Fit",
     .doc = "Start points of the search."},
    {.name = "max-iterations",
     .type = NG_OPTION_INT,
     FIELD(max_iterations),
     .min = 1,
     .max = 10000,
     .initial = "60",
     .group = "Fit",
     .doc = "Iterations of each start, at most."},
    {.name = "cells",
     .type = NG_OPTION_INT,
     FIELD(cells),
     .min = 20,
     .max = 100000,
     .initial = "100",
     .group = "Fit",
     .doc = "Cells of the pair density while searching; four times as many in the end."},
    {.name = "bootstrap",
     .type = NG_OPTION_INT,
     FIELD(bootstrap),
     .min = 0,
     .max = 100000,
     .initial = "50",
     .group = "Intervals",
     .doc = "Resamplings of groups and tracks; 0: none."},
    {.name = "profiles",
     .type = NG_OPTION_BOOL,
     FIELD(profiles),
     .initial = "true",
     .group = "Intervals",
     .doc = "Follow each parameter until A(t) is no longer met; --no-profiles: do not."},
    {.name = "level",
     .type = NG_OPTION_REAL,
     FIELD(level),
     .min = 0.01,
     .max = 0.9999,
     .initial = "0.95",
     .group = "Intervals",
     .doc = "Level of the intervals."},
};

/* ---- options ----------------------------------------------------------------------------- */

static ng_status set_start(void *context, size_t i, double value, ng_error *err)
{
    ng_coalescence_options *out = context;
    (void)err;
    out->start[i] = value;
    return NG_OK;
}

static ng_status set_fixed(void *context, size_t i, double value, ng_error *err)
{
    ng_coalescence_options *out = context;
    out->fixed[i] = true;
    return set_start(context, i, value, err);
}

static ng_status read_list(const char *flag, const ng_text_list *list, ng_assign *assign,
                           ng_coalescence_options *out, ng_error *err)
{
    const char *names[NG_N_COALESCENCE];
    const ng_assignments form = {flag, "rc=44", names, NG_N_COALESCENCE, assign, out};
    for (size_t i = 0; i < NG_N_COALESCENCE; i++) {
        names[i] = ng_coalescence_parameter_info()[i].name;
    }
    return ng_read_assignments(&form, list, err);
}

/* Up to `most` numbers with commas between. */
static ng_status read_numbers(const char *flag, const char *text, size_t least, size_t most,
                              double *out, ng_error *err)
{
    size_t n = 0;
    const char *at = text;
    while (n < most) {
        char *end = NULL;
        double value = strtod(at, &end);
        if (end == at || !isfinite(value) || (*end != ',' && *end != '\0')) {
            break;
        }
        out[n++] = value;
        at = end;
        if (*end == '\0') {
            break;
        }
        at = end + 1;
    }
    if (n < least || *at != '\0') {
        return NG_FAIL(err, NG_USAGE, "--%s is '%s'; it takes %zu to %zu numbers, with commas",
                       flag, text, least, most);
    }
    return NG_OK;
}

static ng_status read_laws(const options *o, ng_coalescence_options *out, ng_error *err)
{
    double law[3] = {0};
    ng_status status = NG_OK;
    if (o->contact != NULL) {
        memset(out->laws.contact, 0, sizeof out->laws.contact);
        out->contact_given = true;
        status = read_numbers("contact", o->contact, 1, NG_CONTACT_TERMS, out->laws.contact, err);
    }
    if (status == NG_OK && o->diffusion != NULL) {
        status = read_numbers("diffusion", o->diffusion, 3, 3, law, err);
        if (status == NG_OK && (!(law[0] > 0) || !(law[1] >= 0))) {
            status = NG_FAIL(err, NG_USAGE,
                             "--diffusion is '%s'; D0 must be positive, RATE not "
                             "negative",
                             o->diffusion);
        }
        out->diffusion_given = true;
        out->laws.d0_nm2_per_s = law[0];
        out->laws.rate_per_s = law[1];
        out->laws.power = law[2];
    }
    return status;
}

static ng_status fit_options(const options *o, ng_coalescence_options *out, ng_error *err)
{
    *out = strcmp(o->preset, "published") == 0 ? ng_coalescence_published()
                                               : ng_coalescence_defaults();
    out->count = strcmp(o->count, "pairs") == 0 ? NG_COUNT_PAIRS : NG_COUNT_MERGES;
    out->diffusion =
        strcmp(o->diffusion_kind, "slope") == 0 ? NG_DIFFUSION_SLOPE : NG_DIFFUSION_DISPLACEMENT;
    out->arrivals_counted = strcmp(o->arrivals, "counted") == 0;
    if (o->boundary != NULL) {
        out->contact = strcmp(o->boundary, "flat") == 0 ? NG_PAIR_FLAT : NG_PAIR_REFLECTING;
    }
    out->starts = (size_t)o->starts;
    out->max_iterations = (size_t)o->max_iterations;
    out->bootstrap = (size_t)o->bootstrap;
    out->cells = (size_t)o->cells;
    out->profiles = o->profiles;
    out->level = o->level;
    ng_status status = read_laws(o, out, err);
    status = status == NG_OK ? read_list("start", &o->start, set_start, out, err) : status;
    status = status == NG_OK ? read_list("fix", &o->fix, set_fixed, out, err) : status;
    return status == NG_OK ? ng_coalescence_options_check(out, err) : status;
}

/* ---- input ------------------------------------------------------------------------------- */

/* The positional files, then those of --with, which may hold several with commas between. */
static ng_status list_files(const ng_cli *cli, const options *o, char ***out, size_t *n,
                            ng_error *err)
{
    size_t room = cli->n_files, used = 0;
    for (size_t i = 0; i < o->with.n; i++) {
        for (const char *c = o->with.item[i]; c != NULL; c = strchr(c + 1, ',')) {
            room++;
        }
    }
    char **list = NG_NEW(char *, room);
    for (size_t i = 0; list != NULL && i < cli->n_files; i++) {
        list[used++] = ng_text_copy(cli->file[i]);
    }
    for (size_t i = 0; list != NULL && i < o->with.n; i++) {
        for (const char *c = o->with.item[i]; c != NULL;) {
            const char *comma = strchr(c, ',');
            const int length = (int)(comma != NULL ? (size_t)(comma - c) : strlen(c));
            list[used++] = ng_text_format("%.*s", length, c);
            c = comma != NULL ? comma + 1 : NULL;
        }
    }
    *out = list;
    *n = used;
    for (size_t i = 0; i < used; i++) {
        if (list[i] == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for the names of files");
        }
    }
    return list != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for the names of files");
}

static ng_status read_tracks(ng_cli *cli, const options *o, ng_tracks *out, ng_error *err)
{
    char **path = NULL;
    size_t n = 0;
    ng_tracks_read_options read = ng_tracks_read_defaults();
    read.pixel_nm = o->pixel_nm;
    read.frame_s = o->frame_s;
    read.skip_invalid = o->skip_invalid;
    ng_status status = list_files(cli, o, &path, &n, err);
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        status = ng_provenance_input(cli->provenance, path[i], err);
    }
    if (status == NG_OK) {
        status = ng_tracks_read((const char *const *)path, n, &read, out, &cli->warnings, err);
    }
    for (size_t i = 0; i < n; i++) {
        ng_free(path[i]);
    }
    ng_free(path);
    return status;
}

static ng_status read_events(ng_cli *cli, const options *o, ng_events *out, ng_error *err)
{
    if (o->events == NULL) {
        return NG_OK;
    }
    ng_status status = ng_provenance_input(cli->provenance, o->events, err);
    return status == NG_OK ? ng_events_read(o->events, out, err) : status;
}

/* ---- result ------------------------------------------------------------------------------ */

static void print_list(const ng_cli *cli, const json_t *list, const char *indent)
{
    size_t i;
    json_t *line;
    json_array_foreach(list, i, line)
    {
        ng_cli_print(cli, "%s%s\n", indent, json_string_value(line));
    }
}

static void print_fit(const ng_cli *cli, const ng_coalescence_fit *fit, double level)
{
    const json_t *verdict = json_object_get(cli->result, "verdict");
    print_list(cli, json_object_get(cli->result, "answer"), "");
    ng_cli_print(cli, "\n%-13s %10s   %.0f %% interval           %-7s flag\n", "", "value",
                 100.0 * level, "unit");
    for (size_t i = 0; i < NG_N_COALESCENCE; i++) {
        const ng_fit_parameter *p = &fit->parameter[i];
        const ng_coalescence_info *info = &ng_coalescence_parameter_info()[i];
        ng_cli_print(cli, "%-13s %10.4g   %-9.4g to %-9.4g  %-7s %s\n", info->name, p->value,
                     p->lower, p->upper, info->unit, ng_fit_flag_name(p->flag));
    }
    ng_cli_print(cli, "%-13s %10.4g   %-9.4g to %-9.4g  %-7s %s\n", "kappa_c nu", fit->sink.value,
                 fit->sink.lower, fit->sink.upper, "nm/s", ng_fit_flag_name(fit->sink.flag));
    ng_cli_print(cli,
                 "\nA(t): RMS %.5f. Times of merges, predicted: ln likelihood %.1f (uniform: "
                 "%.1f), Kolmogorov-Smirnov p %.2g\n",
                 fit->rms, fit->event_log_likelihood, fit->uniform_log_likelihood,
                 fit->event_distance_p);
    ng_cli_print(cli, "\nverdict: %s\n", json_string_value(json_object_get(verdict, "level")));
    print_list(cli, json_object_get(verdict, "reasons"), "  ");
}

static void cite(ng_cli *cli)
{
    ng_provenance_reference(cli->provenance,
                            "J.-H. Kim et al., Multiphasic size-dependent growth dynamics of "
                            "nanoparticle ensembles, PNAS 122, e2424950122 (2025)");
    ng_provenance_reference(cli->provenance,
                            "S. Lee, M. Karplus, Kinetics of diffusion-influenced bimolecular "
                            "reactions in solution, J. Chem. Phys. 86, 1883 (1987)");
    ng_provenance_reference(cli->provenance,
                            "M. von Smoluchowski, Versuch einer mathematischen Theorie der "
                            "Koagulationskinetik kolloider Loesungen, Z. Phys. Chem. 92, 129 "
                            "(1917)");
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    ng_coalescence_options fit_o;
    ng_tracks tracks = {0};
    ng_events events = {0};
    ng_coalescence_data data = {0};
    ng_coalescence_fit fit = {0};
    ng_status status = fit_options(o, &fit_o, err);
    status = status == NG_OK ? read_tracks(cli, o, &tracks, err) : status;
    status = status == NG_OK ? read_events(cli, o, &events, err) : status;
    if (status == NG_OK) {
        status = ng_coalescence_data_make(&tracks, o->events != NULL ? &events : NULL, &data,
                                          &cli->warnings, err);
    }
    status = status == NG_OK ? ng_cli_keep_records(cli, err) : status;
    if (status == NG_OK) {
        status = ng_coalescence_fit_run(&data, &fit_o, &cli->run, &fit, &cli->warnings, err);
    }
    if (status == NG_OK) {
        status = ng_coalescence_json(&data, &fit, &fit_o, &cli->run, &cli->result, err);
    }
    if (status == NG_OK) {
        cite(cli);
        print_fit(cli, &fit, fit_o.level);
        ng_data_say_unwritten(cli);
    }
    ng_coalescence_fit_free(&fit);
    ng_coalescence_data_free(&data);
    ng_events_free(&events);
    ng_tracks_free(&tracks);
    return status;
}

const ng_command ng_command_fit_coalescence = {
    .name = "fit coalescence",
    .group = "Model",
    .summary = "when and how growing particles merge",
    .description =
        "Reads tracks of particles that merge, and of those that do not (--with), and counts the "
        "particles that are left, A(t). Explains it by pairs that diffuse towards each other while "
        "they grow, merge at a certain gap, and lose the propensity to do so with size: rate "
        "k_f(t), and from it the times of merges, which are predicted and not fitted.\n\n"
        "Merges come from a column `group` (tracks of a group end as one) or from --events.\n\n"
        "Most of the nine numbers are not told apart by one movie: each comes with an interval and "
        "a flag. Exit code 4: the result is written, but the search did not converge or ended at "
        "the edge of a range.",
    .usage = "PAIRS... --with TRACKS [options]",
    .examples = "nucgrow fit coalescence pairs.csv --with monomeric.csv --pixel-nm 0.53 \\\n"
                "    -o fit-coalescence.json\n"
                "# the published equations and constants, only evaluated\n"
                "nucgrow fit coalescence pairs.csv --with monomeric.csv --pixel-nm 0.53 \\\n"
                "    --count pairs --preset published --fix kappa_c=11.6,nu=0.0996,l=2.87 \\\n"
                "    --fix gamma=7.64,sigma_c=3.00783,rc=44,pair_density=1,P0=3.674e-3,t_P=96\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/fit-coalescence/1",
    .ranks = NG_RANKS_ALL,
    .keeps_journal = true,
    .run = run,
};
