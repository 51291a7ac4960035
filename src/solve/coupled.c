/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monomers and particles together, by CVODES. */
#include "solve_internal.h"

#include <cvodes/cvodes.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <sundials/sundials_linearsolver.h>

/* Densities may be this many absolute tolerances below zero. */
#define NEGATIVE_TOLERANCES 1000.0

struct ng_coupled {
    ng_coupled_options options;
    size_t count;
    double *attach, *detach;
    double *response, *link; /* scratch of the sweep */
    ng_time_law supply, nucleation;
    SUNContext context;
    N_Vector y; /* monomers less the supply so far, then the sizes */
    void *cvodes;
    SUNLinearSolver solver;
    double start_s, time_s;
    double start_number;
    double tolerance[2]; /* absolute: of monomers, of sizes */
    ng_coupled_work work;
    bool started;
    bool monomers_ran_out; /* in the step that was tried last */
    char said[200];        /* by CVODES */
};

ng_coupled_options ng_coupled_defaults(void)
{
    return (ng_coupled_options){.sizes = {.n_min = NG_SOLVE_N_MIN, .n_max = 10000},
                                .relative_tolerance = 1e-8,
                                .absolute_tolerance = 1e-12,
                                .top_share = 1e-9,
                                .max_steps = 100000};
}

/* ---- equations ------------------------------------------------------------------------------- */

static double supplied(const ng_coupled *c, double time_s)
{
    return ng_law_integral(&c->supply, c->start_s, time_s);
}

static int rate_of_change(double time_s, N_Vector y, N_Vector dy, void *context)
{
    ng_coupled *c = context;
    const double *rho = N_VGetArrayPointer(y) + 1, *attach = c->attach, *detach = c->detach;
    double *change = N_VGetArrayPointer(dy) + 1;
    const size_t last = c->count - 1;
    const double S = rho[-1] + supplied(c, time_s);
    c->work.rate_calls++;
    c->monomers_ran_out = S < -c->tolerance[0];
    if (c->monomers_ran_out) {
        return 1; /* try a shorter step */
    }
    double below = ng_law_value(&c->nucleation, time_s) +
                   c->options.dimer_rate_per_s * S * S - detach[0] * rho[0];
    double used = (double)c->options.sizes.n_min * below;
    for (size_t i = 0; i < last; i++) {
        const double flux = S * attach[i] * rho[i] - detach[i + 1] * rho[i + 1];
        change[i] = below - flux;
        used += flux;
        below = flux;
    }
    change[last] = below;
    change[-1] = -used;
    return 0;
}

static SUNLinearSolver_Type solver_type(SUNLinearSolver solver)
{
    (void)solver;
    return SUNLINEARSOLVER_MATRIX_EMBEDDED;
}

static int solve_newton(SUNLinearSolver solver, SUNMatrix none, N_Vector z, N_Vector b,
                        realtype tolerance)
{
    (void)none;
    (void)tolerance;
    ng_coupled *c = solver->content;
    N_Vector predicted, y, rates, old;
    double time_s, step_s, scale;
    void *same;
    int flag = CVodeGetNonlinearSystemData(c->cvodes, &time_s, &predicted, &y, &rates, &step_s,
                                           &scale, &old, &same);
    if (flag != CV_SUCCESS) {
        return flag;
    }
    const double *now = N_VGetArrayPointer(y);
    const double S = fmax(now[0] + supplied(c, time_s), 0.0);
    const ng_bordered bordered = {.count = c->count,
                                  .n_min = c->options.sizes.n_min,
                                  .attach = c->attach,
                                  .detach = c->detach,
                                  .density = now + 1,
                                  .supersaturation = S,
                                  .entry_slope = 2.0 * c->options.dimer_rate_per_s * S,
                                  .step_s = step_s,
                                  .response = c->response,
                                  .link = c->link};
    ng_bordered_solve(&bordered, N_VGetArrayPointer(b), N_VGetArrayPointer(z));
    c->work.sweeps++;
    return 0;
}

/* The tolerance of the monomers goes by what there is of them, not by the unknown that stands for
 * them. */
static int error_weights(N_Vector y, N_Vector weight, void *context)
{
    const ng_coupled *c = context;
    const double relative = c->options.relative_tolerance;
    const double *now = N_VGetArrayPointer(y);
    double *w = N_VGetArrayPointer(weight), time_s = c->time_s;
    if (CVodeGetCurrentTime(c->cvodes, &time_s) != CV_SUCCESS) {
        return -1;
    }
    w[0] = 1.0 / (relative * fabs(now[0] + supplied(c, time_s)) + c->tolerance[0]);
    for (size_t i = 1; i <= c->count; i++) {
        w[i] = 1.0 / (relative * fabs(now[i]) + c->tolerance[1]);
    }
    return 0;
}

static void keep_message(int code, const char *module, const char *function, char *message,
                         void *context)
{
    ng_coupled *c = context;
    (void)code;
    (void)module;
    snprintf(c->said, sizeof c->said, "%s: %s", function, message);
}

/* ---- making ---------------------------------------------------------------------------------- */

static ng_status check_options(const ng_coupled_options *o, ng_warnings *warnings, ng_error *err)
{
    if (!(o->relative_tolerance >= 1e-12 && o->relative_tolerance <= 0.1)) {
        return NG_FAIL(err, NG_INVALID,
                       "relative_tolerance is %g; it must lie between 1e-12 and 0.1",
                       o->relative_tolerance);
    }
    if (!(o->absolute_tolerance > 0) || !isfinite(o->absolute_tolerance)) {
        return NG_FAIL(err, NG_INVALID, "absolute_tolerance is %g; it must be positive",
                       o->absolute_tolerance);
    }
    if (!(o->top_share >= 0 && o->top_share <= 1)) {
        return NG_FAIL(err, NG_INVALID, "top_share is %g; it must lie between 0 and 1",
                       o->top_share);
    }
    if (!(o->dimer_rate_per_s >= 0) || !isfinite(o->dimer_rate_per_s) ||
        (o->dimer_rate_per_s > 0 && o->sizes.n_min != 2)) {
        return NG_FAIL(err, NG_INVALID,
                       "dimer_rate_per_s is %g with n_min = %ld; it must not be negative, and "
                       "monomers pair up only where sizes begin at 2",
                       o->dimer_rate_per_s, o->sizes.n_min);
    }
    if (o->max_steps < 1) {
        return NG_FAIL(err, NG_INVALID, "max_steps is %ld; it must be positive", o->max_steps);
    }
    return ng_size_range_check(&o->sizes, warnings, err);
}

static bool allocate(ng_coupled *c)
{
    double **const table[] = {&c->attach, &c->detach, &c->response, &c->link};
    bool good = true;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        *table[i] = NG_NEW(double, c->count);
        good = good && *table[i] != NULL;
    }
    if (!good || SUNContext_Create(NULL, &c->context) != 0) {
        return false;
    }
    c->y = N_VNew_Serial((sunindextype)c->count + 1, c->context);
    c->cvodes = CVodeCreate(CV_BDF, c->context);
    c->solver = SUNLinSolNewEmpty(c->context);
    return c->y != NULL && c->cvodes != NULL && c->solver != NULL;
}

static bool connect(ng_coupled *c)
{
    c->solver->content = c;
    c->solver->ops->gettype = solver_type;
    c->solver->ops->solve = solve_newton;
    N_VConst(0.0, c->y);
    return CVodeSetErrHandlerFn(c->cvodes, keep_message, c) == CV_SUCCESS &&
           CVodeInit(c->cvodes, rate_of_change, 0.0, c->y) == CV_SUCCESS &&
           CVodeSetUserData(c->cvodes, c) == CV_SUCCESS &&
           CVodeWFtolerances(c->cvodes, error_weights) == CV_SUCCESS &&
           CVodeSetLinearSolver(c->cvodes, c->solver, NULL) == CV_SUCCESS;
}

ng_status ng_coupled_create(const ng_coupled_options *options, const double *attach,
                            const double *detach, ng_coupled **out, ng_warnings *warnings,
                            ng_error *err)
{
    *out = NULL;
    const long n_min = options->sizes.n_min;
    ng_status status = check_options(options, warnings, err);
    const size_t count = status == NG_OK ? ng_size_count(&options->sizes) : 0;
    if (status == NG_OK) {
        status = ng_solve_check_rows(attach, count, n_min, "attachment rate", err);
    }
    if (status == NG_OK) {
        status = ng_solve_check_rows(detach, count, n_min, "detachment rate", err);
    }
    if (status != NG_OK) {
        return status;
    }
    ng_coupled *c = NG_NEW(ng_coupled, 1);
    if (c != NULL) {
        c->options = *options;
        c->count = count;
    }
    if (c == NULL || !allocate(c) || !connect(c)) {
        ng_coupled_destroy(c);
        return NG_FAIL(err, NG_MEMORY, "out of memory for %zu sizes with monomers", count);
    }
    for (size_t i = 0; i < count; i++) {
        c->attach[i] = attach[i];
        c->detach[i] = detach[i];
    }
    *out = c;
    return NG_OK;
}

void ng_coupled_destroy(ng_coupled *c)
{
    if (c == NULL) {
        return;
    }
    CVodeFree(&c->cvodes);
    if (c->solver != NULL) {
        SUNLinSolFreeEmpty(c->solver);
    }
    if (c->y != NULL) {
        N_VDestroy(c->y);
    }
    if (c->context != NULL) {
        SUNContext_Free(&c->context);
    }
    ng_free(c->attach);
    ng_free(c->detach);
    ng_free(c->response);
    ng_free(c->link);
    ng_free(c);
}

/* ---- starting -------------------------------------------------------------------------------- */

static ng_status check_law(const ng_time_law *law, const char *what, bool negative, ng_error *err)
{
    if (law->kind == NG_LAW_FUNCTION) {
        return NG_FAIL(err, NG_INVALID,
                       "%s is a function; its integral must be known: give a table instead", what);
    }
    return ng_law_check(law, what, negative, err);
}

static void put_state(ng_coupled *c, double monomers, const double *density)
{
    double *y = N_VGetArrayPointer(c->y), peak = 0.0;
    y[0] = monomers;
    for (size_t i = 0; i < c->count; i++) {
        y[i + 1] = density[i];
        peak = fmax(peak, density[i]);
    }
    c->tolerance[0] = c->options.absolute_tolerance;
    c->tolerance[1] = c->options.absolute_tolerance * (peak > 0 ? peak : 1.0);
}

ng_status ng_coupled_start(ng_coupled *c, double time_s, double monomers, const double *density,
                           const ng_time_law *supply, const ng_time_law *nucleation, ng_error *err)
{
    const ng_time_law none = ng_law_constant(0.0);
    supply = supply != NULL ? supply : &none;
    nucleation = nucleation != NULL ? nucleation : &none;
    ng_status status =
        ng_solve_check_rows(density, c->count, c->options.sizes.n_min, "the density", err);
    if (status == NG_OK && !(isfinite(time_s) && isfinite(monomers) && monomers >= 0)) {
        status = NG_FAIL(err, NG_INVALID,
                         "monomers are %g at %g s; both must be finite, monomers not negative",
                         monomers, time_s);
    }
    if (status == NG_OK) {
        status = check_law(supply, "the supply", true, err);
    }
    if (status == NG_OK) {
        status = check_law(nucleation, "the nucleation rate", false, err);
    }
    if (status != NG_OK) {
        return status;
    }
    c->supply = *supply;
    c->nucleation = *nucleation;
    c->start_s = c->time_s = time_s;
    c->work = (ng_coupled_work){0};
    put_state(c, monomers, density);
    if (CVodeReInit(c->cvodes, time_s, c->y) != CV_SUCCESS) {
        return NG_FAIL(err, NG_NUMERIC, "CVODES cannot start: %s", c->said);
    }
    ng_size_state state;
    ng_coupled_state(c, &state);
    c->start_number = state.number;
    c->started = true;
    return NG_OK;
}

/* ---- going on -------------------------------------------------------------------------------- */

static ng_status explain(const ng_coupled *c, int flag, ng_error *err)
{
    if (c->monomers_ran_out) {
        return NG_FAIL(err, NG_INVALID,
                       "the monomers would become negative at %g s: more is withdrawn than there "
                       "is; raise the supply",
                       c->time_s);
    }
    return NG_FAIL(err, NG_NUMERIC, "CVODES stopped at %g s (%d): %s", c->time_s, flag, c->said);
}

static ng_status check_state(const ng_coupled *c, ng_error *err)
{
    const double *rho = N_VGetArrayPointer(c->y) + 1;
    const double top = rho[c->count - 1];
    double number = 0.0, lowest = 0.0;
    for (size_t i = 0; i < c->count; i++) {
        number += rho[i];
        lowest = rho[i] < lowest ? rho[i] : lowest;
    }
    if (lowest < -NEGATIVE_TOLERANCES * c->tolerance[1]) {
        return NG_FAIL(err, NG_NUMERIC,
                       "a density is %g at %g s, far below zero; lower the tolerances", lowest,
                       c->time_s);
    }
    if (top > c->options.top_share * number && top > c->tolerance[1]) {
        return NG_FAIL(err, NG_INVALID,
                       "%.3g of the particles have grown to n = %ld, the largest size, by %g s; "
                       "raise n_max",
                       top / number, c->options.sizes.n_max, c->time_s);
    }
    return NG_OK;
}

/* One step of CVODES, at the most to `stop_s`. */
static ng_status take_step(ng_coupled *c, double stop_s, ng_error *err)
{
    double kink_s = fmin(ng_law_next_kink(&c->supply, c->time_s),
                         ng_law_next_kink(&c->nucleation, c->time_s));
    const double until_s = fmin(stop_s, kink_s);
    const unsigned mode = ng_subnormal_flush();
    int flag = CVodeSetStopTime(c->cvodes, until_s);
    if (flag == CV_SUCCESS) {
        flag = CVode(c->cvodes, until_s, c->y, &c->time_s, CV_ONE_STEP);
    }
    ng_subnormal_restore(mode);
    if (flag < 0) {
        return explain(c, flag, err);
    }
    c->work.steps++;
    return check_state(c, err);
}

ng_status ng_coupled_advance(ng_coupled *c, double time_s, ng_error *err)
{
    if (!c->started) {
        return NG_FAIL(err, NG_DOMAIN, "nothing to advance: call ng_coupled_start first");
    }
    if (!(time_s >= c->time_s) || !isfinite(time_s)) {
        return NG_FAIL(err, NG_INVALID, "%g s does not come after %g s; time must not run back",
                       time_s, c->time_s);
    }
    for (long step = 0; c->time_s < time_s; step++) {
        if (step == c->options.max_steps) {
            return NG_FAIL(err, NG_NUMERIC, "%ld steps led to %g s only; raise max_steps", step,
                           c->time_s);
        }
        ng_status status = take_step(c, time_s, err);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

/* ---- what came out --------------------------------------------------------------------------- */

double ng_coupled_supplied(const ng_coupled *c)
{
    return supplied(c, c->time_s);
}

void ng_coupled_state(const ng_coupled *c, ng_size_state *out)
{
    const double *y = N_VGetArrayPointer(c->y);
    const ng_solve_rows rows = {
        .value = y + 1, .end = c->count, .stride = 1, .n_min = c->options.sizes.n_min};
    *out = (ng_size_state){.time_s = c->time_s,
                           .supersaturation = y[0] + supplied(c, c->time_s),
                           .nucleated = ng_law_integral(&c->nucleation, c->start_s, c->time_s)};
    ng_solve_sums(&rows, out);
    out->dissolved = c->start_number + out->nucleated - out->number;
}

void ng_coupled_density(const ng_coupled *c, double *density)
{
    const double *rho = N_VGetArrayPointer(c->y) + 1;
    for (size_t i = 0; i < c->count; i++) {
        density[i] = rho[i];
    }
}

ng_coupled_work ng_coupled_work_done(const ng_coupled *c)
{
    return c->work;
}

void ng_coupled_warn(const ng_coupled *c, ng_warnings *warnings)
{
    ng_size_state state;
    ng_coupled_state(c, &state);
    ng_solve_warn(&state, N_VGetArrayPointer(c->y)[c->count], &c->options.sizes, warnings);
}
