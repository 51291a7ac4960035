/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of an ensemble's free energy, from what is known of its births and its growth. */
#include <nucgrow/crystallization.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

#define KNOTS 300 /* of a resampled rate */
#define STEPS 800 /* of a replicate; what they miss of the estimate is taken off */
#define REACHED_MIN 10

double ng_conditions_duration(const ng_conditions *c)
{
    /* two and a half times the parabola's way, for depletion slows the end */
    const double end = isfinite(c->final_nm) ? c->final_nm : 3 * c->critical_nm;
    return c->nucleation_s + 2.5 * (end * end) / (2 * c->product_nm2_per_s);
}

void ng_energy_numbers(const ng_energy *e, const ng_conditions *c, double *out)
{
    const ng_window *a = &e->births_window, *b = &e->growth_window;
    const double k = c->product_nm2_per_s * c->critical_nm, fastest = 2 * c->critical_nm;
    out[NG_ENERGY_TRANSITION_S] = e->transition_s;
    out[NG_ENERGY_TRANSITION_NM] = e->transition_nm;
    out[NG_ENERGY_TRANSITION_MEAN_NM] = e->transition_mean_nm;
    out[NG_ENERGY_FLIP_S] = e->growth_flip_s;
    out[NG_ENERGY_FLIP_NM] = e->growth_flip_nm;
    out[NG_ENERGY_WINDOWS] = e->overlap.windows;
    out[NG_ENERGY_OF_NUCLEATION] = e->overlap.of_nucleation;
    out[NG_ENERGY_OF_GROWTH] = e->overlap.of_growth;
    out[NG_ENERGY_DENSITIES] = e->overlap.densities;
    out[NG_ENERGY_COMMON_S] = fmax(fmin(a->to_s, b->to_s) - fmax(a->from_s, b->from_s), 0);
    out[NG_ENERGY_FASTEST_NM] = fastest;
    out[NG_ENERGY_FASTEST_NM_PER_S] = ng_sugimoto_rate(k, c->critical_nm, fastest);
}

/* ---- another concentration ------------------------------------------------------------------- */

/* Births of a movie at another concentration: faster or slower, and so much longer. */
typedef struct stretched {
    const ng_time_law *law;
    double longer, more;
} stretched;

static double stretched_value(const void *context, double time_s)
{
    const stretched *s = context;
    return s->more * ng_law_value(s->law, time_s / s->longer);
}

ng_status ng_energy_ask(const ng_energy_question *q, size_t steps, ng_energy *out,
                        ng_conditions *scaled, ng_error *err)
{
    *scaled = q->concentration == 1
                  ? q->conditions
                  : ng_conditions_scale(&q->conditions, q->concentration, q->order);
    const stretched s = {q->births, scaled->nucleation_s / q->conditions.nucleation_s,
                         scaled->births_per_s / q->conditions.births_per_s};
    const ng_time_law law = ng_law_from(stretched_value, &s);
    const double duration = q->duration_s > 0 ? q->duration_s : ng_conditions_duration(scaled);
    ng_status status =
        q->births != NULL ? ng_law_check(q->births, "the nucleation rate", false, err) : NG_OK;
    if (status != NG_OK) {
        *out = (ng_energy){0};
        return status;
    }
    return ng_energy_compute(scaled, q->births != NULL ? &law : NULL, duration, q->window, steps,
                             out, err);
}

/* ---- one replicate --------------------------------------------------------------------------- */

typedef struct question {
    const ng_energy_question *q;
    const ng_energy_knowledge *known;
    uint64_t seed;
} question;

typedef struct replicate {
    double number[NG_N_ENERGY_NUMBERS];
    double ok; /* 1 when it has numbers */
} replicate;

/* What a birth adds to the rate on knots that are `step` apart. */
static void add_birth(double birth_s, double width, double step, double *rate)
{
    const double far = 5 * width;
    const double first = ceil((birth_s - far) / step), last = floor((birth_s + far) / step);
    for (double j = fmax(first, 0); j <= fmin(last, KNOTS - 1); j++) {
        rate[(size_t)j] += gsl_ran_gaussian_pdf(step * j - birth_s, width);
    }
}

/* Births drawn with return, as many as a Poisson law gives, behind the kernel that the rate was
 * found with: reflected at both ends of the movie. */
static void draw_rate(const ng_energy_knowledge *k, gsl_rng *rng, double *knot_s, double *rate)
{
    const size_t n = gsl_ran_poisson(rng, (double)k->n_births);
    const double width = k->bandwidth_s, end = k->until_s, step = end / (KNOTS - 1);
    for (size_t j = 0; j < KNOTS; j++) {
        knot_s[j] = step * (double)j;
        rate[j] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        const double b = k->birth_s[gsl_rng_uniform_int(rng, k->n_births)];
        add_birth(b, width, step, rate);
        add_birth(-b, width, step, rate);
        add_birth(2 * end - b, width, step, rate);
    }
    knot_s[KNOTS] = end * (1 + 1e-9); /* what was not seen is not born */
    rate[KNOTS] = 0;
}

static double median(double *value, size_t n)
{
    gsl_sort(value, 1, n);
    return gsl_stats_median_from_sorted_data(value, 1, n);
}

/* Crystals drawn with return; `room` for two numbers a crystal. */
static void draw_growth(const ng_energy_knowledge *k, gsl_rng *rng, double *room, ng_conditions *c)
{
    double *product = room, *end = room + k->n_crystals;
    const double common = exp(k->radius_scale_se * gsl_ran_ugaussian(rng));
    for (size_t i = 0; i < k->n_crystals; i++) {
        const size_t drawn = gsl_rng_uniform_int(rng, k->n_crystals);
        product[i] = k->product_nm2_per_s[drawn];
        end[i] = k->final_nm != NULL ? k->final_nm[drawn] : 0;
    }
    if (k->n_crystals > 0) {
        c->product_nm2_per_s = median(product, k->n_crystals) * common * common;
    }
    if (k->n_crystals > 0 && k->final_nm != NULL) {
        c->final_nm = median(end, k->n_crystals) * common;
    }
    c->critical_nm += k->critical_se_nm * gsl_ran_ugaussian(rng);
}

/* The numbers of these conditions and births; false where they have none. */
static bool find_numbers(const ng_energy_question *q, const ng_conditions *at_one,
                         const ng_time_law *births, double *out, ng_status *status, ng_error *err)
{
    ng_energy e;
    ng_conditions c;
    ng_energy_question asked = *q;
    asked.conditions = *at_one;
    asked.births = births;
    *status = ng_energy_ask(&asked, STEPS, &e, &c, err);
    if (*status != NG_OK) {
        /* a draw without births, or of a final radius below r*, is no fault of the caller's */
        *status = *status == NG_INVALID ? NG_OK : *status;
        return false;
    }
    ng_energy_numbers(&e, &c, out);
    ng_energy_free(&e);
    return true;
}

static ng_status draw_one(void *context, size_t index, int worker, void *record, ng_error *err)
{
    (void)worker;
    const question *x = context;
    const ng_energy_knowledge *k = x->known;
    replicate *r = record;
    double *room = NG_NEW(double, 2 * k->n_crystals + 2 * (KNOTS + 1));
    gsl_rng *rng = ng_random_open(x->seed, index);
    ng_status status = NG_OK;
    if (room == NULL || rng == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for a replicate");
    } else {
        double *knot_s = room + 2 * k->n_crystals, *rate = knot_s + KNOTS + 1;
        ng_conditions c = x->q->conditions;
        ng_time_law law = x->q->births != NULL ? *x->q->births : ng_law_constant(0);
        draw_growth(k, rng, room, &c);
        if (k->n_births > 0) {
            draw_rate(k, rng, knot_s, rate);
            law = ng_law_table(knot_s, rate, KNOTS + 1);
        }
        const bool given = k->n_births > 0 || x->q->births != NULL;
        r->ok = find_numbers(x->q, &c, given ? &law : NULL, r->number, &status, err);
    }
    ng_random_close(rng);
    ng_free(room);
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* A number that is never reached in some replicates ends above all others: its interval is open. */
static void find_interval(const replicate *r, size_t n, size_t j, double level, double off,
                          ng_energy_interval *out, double *sorted)
{
    size_t m = 0, reached = 0;
    *out = (ng_energy_interval){(double)NAN, (double)NAN};
    for (size_t i = 0; i < n; i++) {
        if (r[i].ok > 0) {
            const double value = r[i].number[j];
            reached += isfinite(value) ? 1 : 0;
            sorted[m++] = isfinite(value) ? value + off : (double)INFINITY;
        }
    }
    gsl_sort(sorted, 1, m);
    /* what is the same in all rests on nothing that was drawn */
    if (reached < REACHED_MIN || !(sorted[m - 1] - sorted[0] > 1e-9 * fabs(sorted[0]))) {
        return;
    }
    const double last = (double)(m - 1);
    out->lower = sorted[(size_t)floor(last * (1 - level) / 2)];
    out->upper = sorted[(size_t)ceil(last * (1 + level) / 2)];
    out->lower = isfinite(out->lower) ? out->lower : (double)NAN;
    out->upper = isfinite(out->upper) ? out->upper : (double)NAN;
}

static bool says_nothing(const ng_energy_knowledge *k)
{
    return k->n_births == 0 && k->n_crystals == 0 && !(k->critical_se_nm > 0);
}

ng_status ng_energy_intervals(const ng_energy_question *q, const ng_energy_knowledge *known,
                              const double *estimate, size_t replicates, double level,
                              const ng_run *run, ng_energy_interval *out, ng_error *err)
{
    question x = {q, known, run != NULL ? run->seed : 1};
    double coarse[NG_N_ENERGY_NUMBERS];
    for (size_t j = 0; j < NG_N_ENERGY_NUMBERS; j++) {
        out[j] = (ng_energy_interval){(double)NAN, (double)NAN};
    }
    if (replicates < 2 || says_nothing(known)) {
        return NG_OK;
    }
    replicate *records = NG_NEW(replicate, replicates);
    double *sorted = NG_NEW(double, replicates);
    ng_status status = records != NULL && sorted != NULL
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "no memory for %zu replicates", replicates);
    const bool have =
        status == NG_OK && find_numbers(q, &q->conditions, q->births, coarse, &status, err);
    if (status == NG_OK) {
        const ng_records all = {records, replicates, sizeof *records};
        status = ng_parallel_records(&all, draw_one, &x, run, "free energy", err);
    }
    for (size_t j = 0; status == NG_OK && j < NG_N_ENERGY_NUMBERS; j++) {
        const double off = have ? estimate[j] - coarse[j] : 0;
        find_interval(records, replicates, j, level, isfinite(off) ? off : 0, &out[j], sorted);
    }
    ng_free(records);
    ng_free(sorted);
    return status;
}
