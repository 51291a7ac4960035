/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One time step of the master equation. */
#include "solve_internal.h"

#include <math.h>
#include <string.h>

#define MARGIN_MIN 16
/* Sum of negative densities, over the number of particles, from which a step is limited. */
#define HOLES_ALLOWED 1e-14

/* ---- what the laws say at the stages --------------------------------------------------------- */

static ng_status law_at(const ng_time_law *law, double time_s, const char *what, double *value,
                        ng_error *err)
{
    *value = ng_law_value(law, time_s);
    if (!(*value >= 0) || !isfinite(*value)) {
        return NG_FAIL(err, NG_INVALID,
                       "%s is %g at %g s; it must be finite and not negative: a negative "
                       "concentration means nothing",
                       what, *value, time_s);
    }
    return NG_OK;
}

static ng_status read_laws(const ng_master *m, ng_master_step *step, ng_error *err)
{
    const double time_s[2] = {m->time_s + NG_SDIRK_GAMMA * step->length_s,
                              m->time_s + step->length_s};
    for (size_t k = m->options.order == 2 ? 0 : 1; k < 2; k++) {
        for (size_t l = 0; l < m->lanes; l++) {
            ng_status status = law_at(&m->supersaturation[l], time_s[k], "the supersaturation",
                                      &step->S[k][l], err);
            if (status == NG_OK) {
                status = law_at(&m->nucleation[l], time_s[k], "the nucleation rate",
                                &step->nucleation[k][l], err);
            }
            if (status != NG_OK) {
                return status;
            }
        }
    }
    return NG_OK;
}

/* ---- stages ---------------------------------------------------------------------------------- */

static ng_sweep stage_sweep(const ng_master *m, const ng_master_step *step, size_t k, double length)
{
    ng_sweep s = {.begin = step->begin,
                  .end = step->end,
                  .attach = m->attach,
                  .detach = m->detach,
                  .step_s = length,
                  .u = m->rho,
                  .v = m->rho,
                  .scale_u = 1.0,
                  .link = m->link};
    for (size_t l = 0; l < m->lanes; l++) {
        s.step_S[l] = length * step->S[k][l];
        s.source[l] = length * step->nucleation[k][l];
    }
    return s;
}

static void euler(const ng_master *m, const ng_master_step *step, double *x)
{
    ng_sweep s = stage_sweep(m, step, 1, step->length_s);
    s.x = x;
    m->sweep(&s);
}

/* SDIRK2: Y1 = rho + g h A1 Y1, Y2 = rho + (1-g) h A1 Y1 + g h A2 Y2; h A1 Y1 is (Y1 - rho)/g, so
 * that no product with the matrix is needed. */
static void sdirk2(const ng_master *m, const ng_master_step *step)
{
    const double length = NG_SDIRK_GAMMA * step->length_s;
    ng_sweep first = stage_sweep(m, step, 0, length);
    ng_sweep second = stage_sweep(m, step, 1, length);
    first.x = m->stage;
    m->sweep(&first);
    second.v = m->stage;
    second.scale_u = 1.0 - NG_SDIRK_KAPPA;
    second.scale_v = NG_SDIRK_KAPPA;
    second.x = m->next;
    m->sweep(&second);
}

/* ---- the occupied sizes ---------------------------------------------------------------------- */

/* Rows in eights, whatever the lanes: the compiler makes vectors of it. */
static void find_extremes(ng_master *m, const double *x, const ng_master_step *step)
{
    double top[8], low[8];
    const size_t begin = step->begin * m->lanes, end = step->end * m->lanes;
    size_t i = begin;
    for (size_t k = 0; k < 8; k++) {
        top[k] = low[k] = x[begin + k % m->lanes];
    }
    for (; i + 8 <= end; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            top[k] = x[i + k] > top[k] ? x[i + k] : top[k];
            low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
        }
    }
    for (size_t k = 0; i + k < end; k++) {
        top[k] = fmax(top[k], x[i + k]);
        low[k] = fmin(low[k], x[i + k]);
    }
    for (size_t l = 0; l < m->lanes; l++) {
        m->peak[l] = top[l];
        m->lowest[l] = low[l];
        for (size_t k = l; k < 8; k += m->lanes) {
            m->peak[l] = fmax(m->peak[l], top[k]);
            m->lowest[l] = fmin(m->lowest[l], low[k]);
        }
    }
}

static bool is_occupied(const ng_master *m, const double *x, size_t i)
{
    for (size_t l = 0; l < m->lanes; l++) {
        if (fabs(x[i * m->lanes + l]) > m->options.window * m->peak[l]) {
            return true;
        }
    }
    return false;
}

static bool has_source(const ng_master *m, const ng_master_step *step)
{
    for (size_t l = 0; l < m->lanes; l++) {
        if (step->nucleation[0][l] > 0 || step->nucleation[1][l] > 0) {
            return true;
        }
    }
    return false;
}

static void choose_rows(const ng_master *m, ng_master_step *step)
{
    const bool all = m->options.window == 0;
    step->begin = m->begin > m->margin[0] ? m->begin - m->margin[0] : 0;
    step->end = m->count - m->end > m->margin[1] ? m->end + m->margin[1] : m->count;
    if (all || has_source(m, step)) {
        step->begin = 0;
    }
    if (all) {
        step->end = m->count;
    }
}

/* Did the step fill the rows it had? Then it needs more of them. */
static bool needs_more_rows(ng_master *m, const ng_master_step *step, const double *x)
{
    const bool below = step->begin > 0 && is_occupied(m, x, step->begin);
    const bool above = step->end < m->count && is_occupied(m, x, step->end - 1);
    m->margin[0] *= below ? 2 : 1;
    m->margin[1] *= above ? 2 : 1;
    return below || above;
}

static size_t next_margin(size_t margin, size_t used)
{
    const size_t wanted = 2 * used > MARGIN_MIN ? 2 * used : MARGIN_MIN;
    return wanted > margin ? wanted : margin - (margin - wanted) / 8;
}

static void clear_rows(const ng_master *m, double *table, size_t begin, size_t end)
{
    memset(table + begin * m->lanes, 0, (end - begin) * m->lanes * sizeof *table);
}

/* Leave out the ends where next to nothing is, and remember how fast they move. */
static void trim(ng_master *m, const ng_master_step *step)
{
    size_t begin = step->begin, end = step->end;
    while (begin + 1 < end && !is_occupied(m, m->next, begin)) {
        begin++;
    }
    while (end > begin + 1 && !is_occupied(m, m->next, end - 1)) {
        end--;
    }
    clear_rows(m, m->next, step->begin < m->stale_begin ? step->begin : m->stale_begin, begin);
    clear_rows(m, m->next, end, step->end > m->stale_end ? step->end : m->stale_end);
    m->stale_begin = m->begin;
    m->stale_end = m->end;
    m->margin[0] = next_margin(m->margin[0], begin < m->begin ? m->begin - begin : 0);
    m->margin[1] = next_margin(m->margin[1], end > m->end ? end - m->end : 0);
    m->begin = begin;
    m->end = end;
}

/* ---- positivity ------------------------------------------------------------------------------ */

static double sum_of(const ng_master *m, const ng_master_step *step, size_t lane)
{
    double sum = 0.0;
    for (size_t i = step->begin; i < step->end; i++) {
        sum += m->next[i * m->lanes + lane];
    }
    return sum;
}

static double holes_of(const ng_master *m, const ng_master_step *step, size_t lane)
{
    double sum = 0.0;
    for (size_t i = step->begin; i < step->end; i++) {
        sum -= fmin(m->next[i * m->lanes + lane], 0.0);
    }
    return sum;
}

/* Which sets must be limited? */
static bool needs_limit(const ng_master *m, ng_master_step *step)
{
    bool any = false;
    for (size_t l = 0; l < m->lanes; l++) {
        step->limited[l] = m->lowest[l] < 0 &&
                           holes_of(m, step, l) > HOLES_ALLOWED * fabs(sum_of(m, step, l));
        any = any || step->limited[l];
    }
    return any;
}

/* The stages, on as many rows as they take. */
static void attempt(ng_master *m, ng_master_step *step)
{
    bool fits = false;
    while (!fits) {
        choose_rows(m, step);
        if (m->options.order == 2) {
            sdirk2(m, step);
        } else {
            euler(m, step, m->next);
        }
        find_extremes(m, m->next, step);
        fits = !needs_more_rows(m, step, m->next);
        if (fits && m->options.order == 2 && needs_limit(m, step)) {
            euler(m, step, m->euler);
            fits = !needs_more_rows(m, step, m->euler);
        }
    }
}

/* Returns whether a set was limited. */
static bool settle(ng_master *m, ng_master_step *step)
{
    bool limited = false;
    clear_rows(m, m->flux, m->flux_begin, m->flux_end);
    ng_master_ends(m, step);
    for (size_t l = 0; l < m->lanes; l++) {
        if (m->options.keep_flux || step->limited[l]) {
            ng_master_fluxes(m, step, l);
        }
        if (step->limited[l]) {
            ng_master_limit(m, step, l);
            limited = true;
        }
        if (m->lowest[l] < 0) {
            ng_master_fill_holes(m, step, l);
        }
    }
    m->flux_begin = step->begin;
    m->flux_end = step->end;
    m->flux_step_s = step->length_s;
    return limited;
}

/* ---- the step -------------------------------------------------------------------------------- */

static ng_status check_result(const ng_master *m, const ng_master_step *step, ng_error *err)
{
    const double time_s = m->time_s + step->length_s;
    for (size_t l = 0; l < m->options.sets; l++) {
        if (!isfinite(m->peak[l]) || !isfinite(m->lowest[l])) {
            return NG_FAIL(err, NG_NUMERIC, "set %zu: a density is not finite at %g s", l, time_s);
        }
        const double top = m->next[(m->count - 1) * m->lanes + l];
        if (step->end < m->count || !(top > m->options.top_share * m->peak[l])) {
            continue;
        }
        const double share = top / sum_of(m, step, l);
        if (share > m->options.top_share) {
            return NG_FAIL(err, NG_INVALID,
                           "set %zu: %.3g of the particles have grown to n = %ld, the largest "
                           "size, by %g s; raise n_max",
                           l, share, m->options.sizes.n_max, time_s);
        }
    }
    return NG_OK;
}

static void accept(ng_master *m, const ng_master_step *step, bool limited)
{
    double *old = m->rho;
    trim(m, step);
    m->rho = m->next;
    m->next = old;
    for (size_t l = 0; l < m->lanes; l++) {
        m->nucleated[l] += step->nucleated[l];
        m->dissolved[l] += step->dissolved[l];
        m->flux_in[l] = step->nucleated[l] - step->dissolved[l];
        m->S[l] = step->S[1][l];
    }
    const double steps = (double)++m->work.steps;
    m->work.limited_steps += limited;
    m->work.occupied_sizes +=
        ((double)(step->end - step->begin) - m->work.occupied_sizes) / steps;
}

ng_status ng_master_take_step(ng_master *m, double length_s, ng_error *err)
{
    ng_master_step step = {.length_s = length_s};
    ng_status status = read_laws(m, &step, err);
    if (status != NG_OK) {
        return status;
    }
    const unsigned mode = ng_subnormal_flush();
    attempt(m, &step);
    const bool limited = settle(m, &step);
    status = check_result(m, &step, err);
    if (status == NG_OK) {
        accept(m, &step, limited);
    } else {
        clear_rows(m, m->next, 0, m->count);
    }
    ng_subnormal_restore(mode);
    return status;
}
