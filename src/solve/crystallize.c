/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cohorts of crystals in a solution that they share, or in cells of their own. */
#include <nucgrow/crystallization.h>

#include <math.h>

#define STEPS_MAX 5000

ng_crystallization_options ng_crystallization_defaults(void)
{
    return (ng_crystallization_options){.conditions = ng_conditions_liu(),
                                        .solution = NG_SOLUTION_OWN,
                                        .supersaturation = 3,
                                        .barrier = 5,
                                        .crystals = 700,
                                        .duration_s = 60,
                                        .steps = 600};
}

void ng_crystallization_free(ng_crystallization *c)
{
    if (c != NULL) {
        ng_free(c->time_s); /* all arrays are one block */
        *c = (ng_crystallization){0};
    }
}

static ng_status check(const ng_crystallization_options *o, ng_error *err)
{
    const char *fault = ng_conditions_fault(&o->conditions);
    if (fault != NULL) {
        return NG_FAIL(err, NG_INVALID, "%s", fault);
    }
    if (!(o->duration_s > 0 && isfinite(o->duration_s)) || o->steps < 10 || o->steps > STEPS_MAX) {
        return NG_FAIL(err, NG_INVALID, "a run of %g s in %zu steps; take 10 to %d steps",
                       o->duration_s, o->steps, STEPS_MAX);
    }
    if (!(o->crystals > 0) ||
        (o->solution == NG_SOLUTION_SHARED && !(o->supersaturation > 1 && o->barrier >= 0))) {
        return NG_FAIL(err, NG_INVALID,
                       "crystals are %g, supersaturation %g, barrier %g; they must "
                       "be above 0, above 1 and not below 0",
                       o->crystals, o->supersaturation, o->barrier);
    }
    return NG_OK;
}

static ng_status make_room(const ng_crystallization_options *o, ng_crystallization *out,
                           ng_error *err)
{
    const size_t n = out->n = o->steps + 1;
    double *space = NG_NEW(double, (7 + n) * n);
    if (space == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu cohorts", n);
    }
    double **series[] = {&out->time_s,  &out->births, &out->supersaturation, &out->crystals,
                         &out->mean_nm, &out->sd_nm,  &out->solute,          &out->radius_nm};
    for (size_t i = 0; i < sizeof series / sizeof series[0]; i++) {
        *series[i] = space + i * n;
    }
    for (size_t i = 0; i < n; i++) {
        out->time_s[i] = o->duration_s * (double)i / (double)o->steps;
    }
    return NG_OK;
}

/* Number, mean and spread of the crystals there are at a time. */
static void note(ng_crystallization *x, size_t now)
{
    double n = 0, sum = 0, square = 0;
    for (size_t born = 0; born <= now; born++) {
        const double r = x->radius_nm[born * x->n + now];
        n += x->births[born];
        sum += x->births[born] * r;
        square += x->births[born] * r * r;
    }
    x->crystals[now] = n;
    x->mean_nm[now] = n > 0 ? sum / n : (double)NAN;
    x->sd_nm[now] = n > 0 ? sqrt(fmax(square / n - sum * sum / (n * n), 0)) : (double)NAN;
}

/* r^3 of all crystals. */
static double matter(const ng_crystallization *x, size_t now)
{
    double sum = 0;
    for (size_t born = 0; born <= now; born++) {
        const double r = x->radius_nm[born * x->n + now];
        sum += x->births[born] * r * r * r;
    }
    return sum;
}

/* ---- cells of their own ---------------------------------------------------------------------- */

static void grow_in_cells(const ng_crystallization_options *o, ng_crystallization *x)
{
    const ng_conditions *c = &o->conditions;
    const double pace = c->births_per_s / o->crystals, end = c->final_nm;
    for (size_t born = 0; born < x->n; born++) {
        const double before = born > 0 ? exp(-pace * x->time_s[born - 1]) : 1;
        x->births[born] = o->burst ? (born == 0 ? o->crystals : 0)
                                   : o->crystals * (before - exp(-pace * x->time_s[born]));
        for (size_t now = born; now < x->n; now++) {
            x->radius_nm[born * x->n + now] =
                ng_conditions_radius(c, x->time_s[now] - x->time_s[born]);
        }
    }
    for (size_t now = 0; now < x->n; now++) {
        note(x, now);
        x->supersaturation[now] = (double)NAN;
        x->solute[now] = matter(x, now) / (o->crystals * end * end * end);
    }
}

/* ---- one solution ---------------------------------------------------------------------------- */

typedef struct shared {
    const ng_crystallization_options *o;
    double log_s0, room; /* ln S_0; r^3 that the solution can give */
} shared;

static double births_per_s(const shared *s, double supersaturation)
{
    const double level = log(supersaturation);
    if (!(level > 0)) {
        return 0;
    }
    return s->o->conditions.births_per_s *
           exp(-s->o->barrier * (1 / (level * level) - 1 / (s->log_s0 * s->log_s0)));
}

/* S that the crystals leave; 1 where they have taken all. */
static double left_over(const shared *s, double taken)
{
    return 1 + (s->o->supersaturation - 1) * fmax(1 - taken / s->room, 0);
}

static double birth_radius(const shared *s, double supersaturation)
{
    return s->o->conditions.critical_nm * s->log_s0 / log(supersaturation);
}

/* Squares of radii rise alike; returns the matter in crystals after it. */
static double grow_all(ng_crystallization *x, size_t now, double rise)
{
    for (size_t born = 0; born < now; born++) {
        const double r = x->radius_nm[born * x->n + now - 1];
        x->radius_nm[born * x->n + now] = r > 0 ? sqrt(r * r + rise) : 0;
    }
    return matter(x, now);
}

/* One step: by the solution at its start, then by the mean of both ends. The crystals never take
 * more than there is: the rise is cut back until they do not. */
static void step_shared(const shared *s, ng_crystallization *x, size_t now)
{
    const double dt = x->time_s[now] - x->time_s[now - 1];
    const double speed = 2 * s->o->conditions.product_nm2_per_s / (s->o->supersaturation - 1);
    const double before = x->supersaturation[now - 1];
    double middle = before;
    for (int pass = 0; pass < 2; pass++) {
        double rise = speed * (middle - 1) * dt;
        x->births[now] = s->o->burst ? 0 : births_per_s(s, middle) * dt;
        x->radius_nm[now * x->n + now] =
            x->births[now] > 0 ? birth_radius(s, fmax(middle, 1 + 1e-9)) : 0;
        double taken = grow_all(x, now, rise);
        for (int cut = 0; cut < 60 && taken > s->room; cut++) {
            rise /= 2;
            x->births[now] /= 2;
            taken = grow_all(x, now, rise);
        }
        middle = (before + left_over(s, taken)) / 2;
    }
}

static void grow_together(const ng_crystallization_options *o, ng_crystallization *x)
{
    const double end = o->conditions.final_nm;
    const shared s = {o, log(o->supersaturation), o->crystals * end * end * end};
    x->births[0] = o->burst ? o->crystals : 0;
    x->radius_nm[0] = o->burst ? o->conditions.critical_nm : 0;
    for (size_t now = 0; now < x->n; now++) {
        if (now > 0) {
            step_shared(&s, x, now);
        }
        const double taken = matter(x, now);
        x->supersaturation[now] = left_over(&s, taken);
        x->solute[now] = taken / s.room;
        note(x, now);
    }
}

ng_status ng_crystallize(const ng_crystallization_options *options, ng_crystallization *out,
                         ng_error *err)
{
    *out = (ng_crystallization){0};
    ng_status status = check(options, err);
    if (status == NG_OK && options->solution == NG_SOLUTION_SHARED &&
        !isfinite(options->conditions.final_nm)) {
        status = NG_FAIL(err, NG_INVALID,
                         "a shared solution needs a final radius: it says how "
                         "much solute there is");
    }
    if (status == NG_OK) {
        status = make_room(options, out, err);
    }
    if (status == NG_OK && options->solution == NG_SOLUTION_OWN) {
        grow_in_cells(options, out);
    } else if (status == NG_OK) {
        grow_together(options, out);
    }
    return status;
}
