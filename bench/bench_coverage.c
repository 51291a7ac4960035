/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do the intervals of `fit growth` hold the truth as often as they say?
 *
 *     bench_coverage [SEEDS [REPLICATES [LEVEL]]]
 *
 * Each seed is a synthetic ensemble of known truth (the defaults of `simulate ensemble`), fitted
 * with the default preset. Printed: how often each interval held the truth, with the range that a
 * binomial count of that many seeds allows, and at how many of the sampled sizes the potential's
 * band did.
 */
#include <nucgrow.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N NG_N_GROWTH_PARAMETERS

typedef struct tally {
    size_t seeds, held[N], n_max, mu_max, n_max_known, mu_90, flagged[N];
    double share, band_share; /* sums over seeds */
    double width[N], error[N], mu_error, mu_width;
} tally;

static bool check(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "%s\n", err->message);
    }
    return status == NG_OK;
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Share of the curve's sizes between the sampled ends at which the band holds the true potential.
 */
static double band_share(const json_t *potential, const ng_synth_ensemble_options *truth)
{
    size_t inside = 0, count = 0;
    const json_t *n = json_object_get(potential, "n"),
                 *low = json_object_get(potential, "lower_kT");
    const json_t *high = json_object_get(potential, "upper_kT");
    for (size_t i = 0; i < json_array_size(n); i++) {
        double size = json_number_value(json_array_get(n, i));
        if (size < number(potential, "sampled_first_n") ||
            size > number(potential, "sampled_last_n")) {
            continue;
        }
        double mu = ng_potential(&truth->parameters, truth->delta, size);
        count++;
        inside += mu >= json_number_value(json_array_get(low, i)) &&
                  mu <= json_number_value(json_array_get(high, i));
    }
    return count > 0 ? (double)inside / (double)count : 0.0;
}

static void count_parameters(const ng_growth_fit *fit, const ng_synth_ensemble_options *truth,
                             tally *t)
{
    for (size_t i = 0; i < N; i++) {
        const ng_fit_parameter *p = &fit->parameter[i];
        double value = ng_growth_parameter_get(&truth->parameters, i);
        t->held[i] += value >= p->lower && value <= p->upper;
        t->flagged[i] += p->flag != NG_FIT_OK;
        t->width[i] += p->upper - p->lower;
        t->error[i] += fabs(p->value - value);
    }
}

static void count_potential(const json_t *potential, const ng_synth_ensemble_options *truth,
                            tally *t)
{
    ng_potential_maximum m =
        ng_potential_find_maximum(&truth->parameters, truth->delta, 50, 100000);
    double share = band_share(potential, truth);
    t->band_share += share;
    t->mu_90 += share >= 0.9;
    if (!json_is_null(json_object_get(potential, "n_max"))) {
        t->n_max_known++;
        t->n_max +=
            m.n >= number(potential, "n_max_lower") && m.n <= number(potential, "n_max_upper");
        t->mu_max += m.mu_kT >= number(potential, "mu_max_lower_kT") &&
                     m.mu_kT <= number(potential, "mu_max_upper_kT");
        t->mu_error += fabs(number(potential, "mu_max_kT") - m.mu_kT);
        t->mu_width += number(potential, "mu_max_upper_kT") - number(potential, "mu_max_lower_kT");
    }
}

static bool one_seed(const ng_synth_ensemble_options *truth, uint64_t seed, size_t replicates,
                     double level, tally *t)
{
    ng_error err = {0};
    ng_run run = ng_run_defaults();
    ng_tracks tracks = {0};
    ng_synth_ensemble_truth happened = {0};
    ng_trajectories trajectories = {0};
    ng_growth_fit fit = {0};
    ng_warnings warnings = {0};
    json_t *json = NULL;
    run.seed = seed;
    run.threads = 0;
    const ng_material *material = ng_material_find("Pt");
    ng_ensemble_options ensemble = ng_ensemble_defaults();
    ensemble.sigma_s_nm = truth->sigma_s_nm;
    ng_growth_fit_options o = ng_growth_fit_defaults(material);
    o.bootstrap = replicates;
    o.level = level;
    bool ok =
        check(ng_synth_ensemble(truth, &run, &tracks, &happened, &warnings, &err), &err) &&
        check(ng_trajectories_make(&tracks, &ensemble, &trajectories, &warnings, &err), &err) &&
        check(ng_growth_fit_run(&trajectories, &o, &run, &fit, &warnings, &err), &err) &&
        check(ng_growth_fit_json(&fit, &trajectories, &o, material, &json, &warnings, &err), &err);
    if (ok) {
        t->seeds++;
        count_parameters(&fit, truth, t);
        count_potential(json_object_get(json, "potential"), truth, t);
    }
    json_decref(json);
    ng_growth_fit_free(&fit);
    ng_trajectories_free(&trajectories);
    ng_synth_ensemble_truth_free(&happened);
    ng_tracks_free(&tracks);
    ng_warnings_free(&warnings);
    return ok;
}

/* Central 95 % range of a binomial count, as shares. */
static void binomial_range(size_t n, double p, double *low, double *high)
{
    size_t from = 0, to = n;
    while (gsl_cdf_binomial_P((unsigned)from, p, (unsigned)n) < 0.025) {
        from++;
    }
    while (to > 0 && gsl_cdf_binomial_Q((unsigned)to - 1, p, (unsigned)n) < 0.025) {
        to--;
    }
    *low = (double)from / (double)n;
    *high = (double)to / (double)n;
}

static void print_table(const tally *t, double level)
{
    double n = (double)t->seeds, low, high;
    binomial_range(t->seeds, level, &low, &high);
    printf("\n%zu seeds; a true %.0f %% interval holds the truth in %.0f to %.0f %% of them\n",
           t->seeds, 100.0 * level, 100.0 * low, 100.0 * high);
    printf("%-22s %8s %12s %12s %9s\n", "", "held", "mean error", "mean width", "flagged");
    for (size_t i = 0; i < N; i++) {
        printf("%-22s %7.0f%% %12.3g %12.3g %8.0f%%\n", ng_growth_parameter_info()[i].name,
               100.0 * (double)t->held[i] / n, t->error[i] / n, t->width[i] / n,
               100.0 * (double)t->flagged[i] / n);
    }
    double known = (double)(t->n_max_known > 0 ? t->n_max_known : 1);
    printf("%-22s %7.0f%%   (a maximum was found in %zu)\n", "n_max",
           100.0 * (double)t->n_max / known, t->n_max_known);
    printf("%-22s %7.0f%% %12.3g %12.3g\n", "mu_max", 100.0 * (double)t->mu_max / known,
           t->mu_error / known, t->mu_width / known);
    printf("mu_n within its band: at %.1f %% of sampled sizes on average; at >= 90 %% of them in "
           "%.0f %% of seeds\n",
           100.0 * t->band_share / n, 100.0 * (double)t->mu_90 / n);
}

int main(int argc, char **argv)
{
    size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
    size_t replicates = argc > 2 ? strtoul(argv[2], NULL, 10) : 50;
    double level = argc > 3 ? strtod(argv[3], NULL) : 0.95;
    ng_synth_ensemble_options truth = ng_synth_ensemble_defaults();
    tally t = {0};
    gsl_set_error_handler_off();
    for (size_t seed = 1; seed <= seeds; seed++) {
        if (!one_seed(&truth, seed, replicates, level, &t)) {
            return 1;
        }
    }
    print_table(&t, level);
    return 0;
}
