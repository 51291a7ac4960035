/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities that change with time. */
#include <nucgrow/solve.h>

#include <gsl/gsl_interp.h>
#include <math.h>

ng_time_law ng_law_constant(double value)
{
    return (ng_time_law){.kind = NG_LAW_CONSTANT, .value = value};
}

ng_time_law ng_law_decay(double value, double rate_per_s)
{
    return (ng_time_law){.kind = NG_LAW_DECAY, .value = value, .rate_per_s = rate_per_s};
}

ng_time_law ng_law_ramp(double value, double end_value, double start_s, double end_s)
{
    return (ng_time_law){.kind = NG_LAW_RAMP,
                         .value = value,
                         .end_value = end_value,
                         .start_s = start_s,
                         .end_s = end_s};
}

ng_time_law ng_law_table(const double *time_s, const double *value, size_t n)
{
    return (ng_time_law){.kind = NG_LAW_TABLE, .knot_s = time_s, .knot = value, .n_knots = n};
}

ng_time_law ng_law_from(ng_law_function *function, const void *context)
{
    return (ng_time_law){.kind = NG_LAW_FUNCTION, .function = function, .context = context};
}

/* ---- the piecewise linear ones --------------------------------------------------------------- */

typedef struct knots {
    const double *time_s, *value;
    size_t n;
} knots;

static double value_at(const knots *k, double time_s)
{
    const double *t = k->time_s, *v = k->value;
    const size_t last = k->n - 1;
    if (time_s <= t[0]) {
        return v[0];
    }
    if (time_s >= t[last]) {
        return v[last];
    }
    const size_t i = gsl_interp_bsearch(t, time_s, 0, last);
    return v[i] + (v[i + 1] - v[i]) * ((time_s - t[i]) / (t[i + 1] - t[i]));
}

static double next_knot(const knots *k, double time_s)
{
    for (size_t i = 0; i < k->n; i++) {
        if (k->time_s[i] > time_s) {
            return k->time_s[i];
        }
    }
    return (double)INFINITY;
}

/* Trapezia from kink to kink. */
static double integral_over(const knots *k, double from_s, double to_s)
{
    double sum = 0.0;
    while (from_s < to_s) {
        double until_s = fmin(to_s, next_knot(k, from_s));
        sum += 0.5 * (value_at(k, from_s) + value_at(k, until_s)) * (until_s - from_s);
        from_s = until_s;
    }
    return sum;
}

/* A ramp is a table of two knots; `room` holds them. */
static knots knots_of(const ng_time_law *law, double room[4])
{
    if (law->kind == NG_LAW_TABLE) {
        return (knots){law->knot_s, law->knot, law->n_knots};
    }
    room[0] = law->start_s;
    room[1] = law->end_s;
    room[2] = law->value;
    room[3] = law->end_value;
    return (knots){room, room + 2, 2};
}

/* ---- all laws -------------------------------------------------------------------------------- */

double ng_law_value(const ng_time_law *law, double time_s)
{
    double room[4];
    knots k;
    switch (law->kind) {
    case NG_LAW_DECAY:
        return law->value * exp(-law->rate_per_s * fmax(time_s - law->start_s, 0.0));
    case NG_LAW_RAMP:
    case NG_LAW_TABLE:
        k = knots_of(law, room);
        return value_at(&k, time_s);
    case NG_LAW_FUNCTION:
        return law->function(law->context, time_s);
    case NG_LAW_CONSTANT:
    default:
        return law->value;
    }
}

static double decayed(const ng_time_law *law, double until_s)
{
    const double start_s = law->start_s, rate = law->rate_per_s;
    if (until_s <= start_s || rate == 0.0) {
        return law->value * (until_s - start_s);
    }
    return law->value * -expm1(-rate * (until_s - start_s)) / rate;
}

double ng_law_integral(const ng_time_law *law, double from_s, double to_s)
{
    double room[4];
    knots k;
    switch (law->kind) {
    case NG_LAW_DECAY:
        return decayed(law, to_s) - decayed(law, from_s);
    case NG_LAW_RAMP:
    case NG_LAW_TABLE:
        k = knots_of(law, room);
        return from_s <= to_s ? integral_over(&k, from_s, to_s) : -integral_over(&k, to_s, from_s);
    case NG_LAW_FUNCTION:
        return (double)NAN;
    case NG_LAW_CONSTANT:
    default:
        return law->value * (to_s - from_s);
    }
}

double ng_law_next_kink(const ng_time_law *law, double time_s)
{
    double room[4];
    knots k;
    switch (law->kind) {
    case NG_LAW_DECAY:
        return law->start_s > time_s ? law->start_s : (double)INFINITY;
    case NG_LAW_RAMP:
    case NG_LAW_TABLE:
        k = knots_of(law, room);
        return next_knot(&k, time_s);
    case NG_LAW_FUNCTION:
    case NG_LAW_CONSTANT:
    default:
        return (double)INFINITY;
    }
}

/* ---- laws that make sense -------------------------------------------------------------------- */

static ng_status check_knots(const knots *k, const char *what, bool negative, ng_error *err)
{
    if (k->n == 0) {
        return NG_FAIL(err, NG_INVALID, "%s: the table has no knot; give at least one", what);
    }
    for (size_t i = 0; i < k->n; i++) {
        const double t = k->time_s[i], v = k->value[i];
        if (!isfinite(t) || (i > 0 && !(t > k->time_s[i - 1]))) {
            return NG_FAIL(err, NG_INVALID,
                           "%s: knot %zu lies at %g s; times must be finite and rise", what, i + 1,
                           t);
        }
        if (!isfinite(v) || (!negative && v < 0)) {
            return NG_FAIL(err, NG_INVALID, "%s is %g at %g s; it must be finite%s", what, v, t,
                           negative ? "" : " and not negative");
        }
    }
    return NG_OK;
}

ng_status ng_law_check(const ng_time_law *law, const char *what, bool negative, ng_error *err)
{
    if (law->kind == NG_LAW_FUNCTION) {
        return NG_OK; /* its values are looked at as they come */
    }
    if (!isfinite(law->rate_per_s) || !isfinite(law->start_s) || !isfinite(law->end_s)) {
        return NG_FAIL(err, NG_INVALID, "%s: rate %g/s, start %g s, end %g s; all must be finite",
                       what, law->rate_per_s, law->start_s, law->end_s);
    }
    if (law->kind == NG_LAW_RAMP || law->kind == NG_LAW_TABLE) {
        double room[4];
        const knots k = knots_of(law, room);
        return check_knots(&k, what, negative, err);
    }
    if (!isfinite(law->value) || (!negative && law->value < 0)) {
        return NG_FAIL(err, NG_INVALID, "%s is %g; it must be finite%s", what, law->value,
                       negative ? "" : " and not negative");
    }
    return NG_OK;
}
