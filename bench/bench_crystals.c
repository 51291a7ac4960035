/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fits of 1000 crystals: what they cost, as time and as a multiple of evaluating each law once at
 * every point, and how often their intervals hold the truth. Usage: bench_crystals [CRYSTALS]
 */
#include <nucgrow/crystals.h>
#include <nucgrow/radii.h>
#include <nucgrow/synth_crystals.h>

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "%s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

typedef struct movie {
    ng_particles tracks;
    ng_synth_crystals_truth truth;
} movie;

/* A movie whose radii are known up to noise: the scale is the true one. */
static movie make(long crystals, double off_s)
{
    movie m;
    ng_error err = {.message = ""};
    ng_synth_crystals_options o = ng_synth_crystals_defaults();
    ng_radii_counts counts;
    o.crystals = crystals;
    o.off_s = off_s;
    o.still = 0;
    require(ng_synth_crystals(&o, NULL, &m.tracks, NULL, &m.truth, NULL, &err), &err);
    const ng_calibration known = ng_calibration_given(m.truth.scale);
    ng_radii_assign(ng_emitter_find("FAPbBr3"), &known, &m.tracks, NULL, &counts, NULL);
    return m;
}

static void movie_free(movie *m)
{
    ng_particles_free(&m->tracks);
    ng_synth_crystals_truth_free(&m->truth);
}

/* Every law once at every point, derivatives included: nothing that fits can be cheaper. */
static double floor_s(const movie *m)
{
    const double avrami[] = {1.5, 0, 0.15, 2000}, depletion[] = {0.145, 0, 1.5};
    double slope[NG_CURVE_MAX], sum = 0;
    const double start = cpu_s();
    for (size_t i = 0; i < m->tracks.n; i++) {
        const double t = m->tracks.item[i].time_s;
        sum += ng_curve_avrami_crystal.value(avrami, 0, t, slope);
        sum += ng_radius_law_find("depletion")->value(depletion, 0, t, slope);
    }
    return sum > 0 ? cpu_s() - start : 0;
}

static ng_crystals fit(const movie *m, bool compare, double *seconds)
{
    ng_crystals c;
    ng_error err = {.message = ""};
    ng_crystals_options o = ng_crystals_defaults();
    o.choose = compare;
    const double start = cpu_s();
    require(ng_crystals_fit(&m->tracks, &o, NULL, &c, NULL, &err), &err);
    *seconds = cpu_s() - start;
    return c;
}

static void print_time(const movie *m, const char *name, bool compare)
{
    double seconds = 0, least = floor_s(m);
    ng_crystals c = fit(m, compare, &seconds);
    printf("%-44s %6zu crystals %8zu points %7.2f s  %6.0f x floor  %5.2f s per 1000\n", name, c.n,
           m->tracks.n, seconds, seconds / least, 1000 * seconds / (double)c.n);
    ng_crystals_free(&c);
}

/* Of crystals that are 99 % full before the movie ends: the others tell little of the end. */
static void print_coverage(const movie *m, const char *name)
{
    size_t n = 0, held[3] = {0}, chosen = 0;
    double seconds = 0, ratio[3] = {0};
    ng_crystals c = fit(m, true, &seconds);
    for (size_t i = 0; i < c.n; i++) {
        const ng_crystal *x = &c.item[i];
        const ng_synth_crystal *t = &m->truth.crystal[x->track - 1];
        const double truth[] = {t->product_nm2_per_s, t->t0_s, t->final_nm};
        if (x->diffusion.state != NG_CURVE_OK || !x->end_reached) {
            continue;
        }
        n++;
        chosen += x->chosen == x->diffusion.law;
        for (size_t j = 0; j < 3; j++) {
            const ng_fit_parameter *p = &x->diffusion.parameter[j];
            held[j] += p->lower <= truth[j] && truth[j] <= p->upper;
            ratio[j] += j == 1 ? p->value - truth[j] : p->value / truth[j];
        }
    }
    const double all = (double)n;
    printf("%-24s %5zu crystals: 95 %% intervals hold D V_m dC %.1f %%, t0 %.1f %%, r_f %.1f %%; "
           "mean ratios %.4f, %.4f (t0: %+.3f s); own law chosen %.1f %%\n",
           name, n, 100 * (double)held[0] / all, 100 * (double)held[1] / all,
           100 * (double)held[2] / all, ratio[0] / all, ratio[2] / all, ratio[1] / all,
           100 * (double)chosen / all);
    ng_crystals_free(&c);
}

int main(int argc, char **argv)
{
    long crystals = 1000;
    gsl_set_error_handler_off();
    if (argc > 1 && (!ng_parse_int(argv[1], &crystals) || crystals < 10)) {
        fprintf(stderr, "usage: bench_crystals [CRYSTALS], 10 or more\n");
        return EXIT_FAILURE;
    }
    movie steady = make(crystals, 0), blinking = make(crystals, 0.4);
    print_time(&blinking, "Avrami and depletion, with intervals", false);
    print_time(&blinking, "the same, and all laws compared", true);
    print_coverage(&steady, "steady light");
    print_coverage(&blinking, "blinking");
    movie_free(&steady);
    movie_free(&blinking);
    return EXIT_SUCCESS;
}
