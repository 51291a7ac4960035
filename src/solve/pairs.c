/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The density of pairs around a growing contact distance, marched in time. */
#include "pairs_internal.h"

#include <math.h>

#define GAMMA 0.29289321881345254 /* 1 - 1/sqrt(2): SDIRK of second order, L-stable */
/* Neighbours hold part of a cell's pairs, u + h^2 u'' / 12: on an even grid that cancels what the
 * three-point second derivative does wrong, so that the rare first arrivals come in time. */
#define COMPACT (1.0 / 12.0)
#define MIN_CELLS 20
#define MAX_CELLS 1000000
#define REACH_FAR 5.0     /* the grid ends so many diffusion lengths beyond the sink, */
#define REACH_STEP 2.5    /* and so many beyond the first pairs */
#define REACH_SAMPLES 200 /* of the law, for the length that pairs diffuse */

struct ng_pairs {
    ng_pair_problem problem;
    ng_pair_numerics numerics;
    pair_grid grid;
    double time_s;
    ng_pair_motion motion; /* at time_s */
    double *pairs;         /* owned: int r^2 u dr of each cell */
    double *stage;         /* owned: the same after the first stage */
    double *density;       /* owned: u */
    double *link;          /* owned: scratch of the sweep */
    double *inverse_gap;   /* owned: 1 / distance of middles, at inner face i */
};

ng_pair_numerics ng_pair_numerics_defaults(double end_s)
{
    return (ng_pair_numerics){.cells = 400, .step_s = 0.25, .end_s = end_s};
}

/* ---- geometry ---------------------------------------------------------------------------- */

static double cube(double x)
{
    return x * x * x;
}

/* int r^2 W dr over a cell. */
static double sink_share(const pair_grid *g, size_t cell, double contact_nm)
{
    const double *m = &g->sink[3 * cell], R = contact_nm + g->sink_nm;
    return R * R * m[0] + 2.0 * R * m[1] + m[2];
}

/* ---- one implicit stage ------------------------------------------------------------------ */

/* Solve (V - step L) u = p for the density u, where pairs p = V u. Faces move with contact, so what
 * passes face f is r^2 (D u_x + sigma' u). */
static void sweep(ng_pairs *s, const ng_pair_motion *m, double step_s, const double *p)
{
    const pair_grid *g = &s->grid;
    const double *face = g->face, *restrict apart = s->inverse_gap;
    double *restrict u = s->density, *restrict link = s->link;
    const double sigma = m->contact_nm, drift = 0.5 * step_s * m->contact_nm_per_s;
    const double spread = step_s * m->diffusion_nm2_per_s, sink = step_s * m->propensity_per_s;
    double r = sigma, volume_below = cube(sigma);
    double below_own = 0.0, below_other = 0.0; /* of the lower face: on u[i], on u[i-1] */
    double pushed = s->problem.contact == NG_PAIR_FLAT ? 2.0 * drift * r * r : 0.0;
    double u_below = 0.0, link_below = 0.0;
    for (size_t i = 0; i < g->cells; i++) {
        r = face[i + 1] + sigma;
        const double area = r * r, volume = area * r;
        const bool last = i + 1 == g->cells;
        const double flow = last ? 0.0 : area * (spread * apart[i] - COMPACT / apart[i]);
        const double above_own = last ? 2.0 * drift * area : drift * area - flow;
        const double above_other = last ? 0.0 : drift * area + flow;
        double diagonal = (volume - volume_below) * (1.0 / 3.0) + below_own - above_own + pushed;
        if (i >= g->sink_begin && i < g->sink_end) {
            diagonal += sink * sink_share(g, i, sigma);
        }
        const double pivot = 1.0 / (diagonal - below_other * link_below);
        u_below = (p[i] + below_other * u_below) * pivot;
        link_below = above_other * pivot;
        u[i] = u_below;
        link[i] = link_below;
        below_own = drift * area + flow;
        below_other = flow - drift * area;
        volume_below = volume;
        pushed = 0.0;
    }
    for (size_t i = g->cells - 1; i-- > 0;) {
        u[i] += link[i] * u[i + 1];
    }
}

static void keep_pairs(const ng_pairs *s, const ng_pair_motion *m, double *p)
{
    const double *u = s->density;
    double below = cube(m->contact_nm), lent_below = 0.0;
    for (size_t i = 0; i < s->grid.cells; i++) {
        const double r = s->grid.face[i + 1] + m->contact_nm, above = cube(r);
        const bool last = i + 1 == s->grid.cells;
        const double lent = last ? 0.0 : COMPACT * r * r * (u[i + 1] - u[i]) / s->inverse_gap[i];
        p[i] = (above - below) * (1.0 / 3.0) * u[i] + lent - lent_below;
        below = above;
        lent_below = lent;
    }
}

static ng_status motion_at(const ng_pairs *s, double time_s, ng_pair_motion *m, ng_error *err)
{
    s->problem.law(s->problem.context, time_s, m);
    if (!(m->contact_nm > 0) || !isfinite(m->contact_nm) || !isfinite(m->contact_nm_per_s) ||
        !(m->diffusion_nm2_per_s > 0) || !isfinite(m->diffusion_nm2_per_s) ||
        !(m->propensity_per_s >= 0) || !isfinite(m->propensity_per_s)) {
        return NG_FAIL(err, NG_INVALID,
                       "pair density at %g s: contact %g nm, diffusion %g nm^2/s, propensity %g "
                       "1/s; all must be positive",
                       time_s, m->contact_nm, m->diffusion_nm2_per_s, m->propensity_per_s);
    }
    return NG_OK;
}

static ng_status march(ng_pairs *s, double step_s, ng_error *err)
{
    ng_pair_motion middle, end;
    const double to_s = s->time_s + step_s, part_s = GAMMA * step_s;
    ng_status status = motion_at(s, s->time_s + part_s, &middle, err);
    status = status == NG_OK ? motion_at(s, to_s, &end, err) : status;
    if (status != NG_OK) {
        return status;
    }
    sweep(s, &middle, part_s, s->pairs);
    keep_pairs(s, &middle, s->stage);
    const double carried = (1.0 - GAMMA) / GAMMA;
    for (size_t i = 0; i < s->grid.cells; i++) {
        s->stage[i] = s->pairs[i] + carried * (s->stage[i] - s->pairs[i]);
    }
    sweep(s, &end, part_s, s->stage);
    keep_pairs(s, &end, s->pairs);
    s->motion = end;
    s->time_s = to_s;
    return NG_OK;
}

ng_status ng_pairs_advance(ng_pairs *s, double time_s, ng_error *err)
{
    const double way_s = time_s - s->time_s;
    if (!(way_s >= 0) || !isfinite(way_s)) {
        return NG_FAIL(err, NG_INVALID, "pair density: cannot go from %g s to %g s", s->time_s,
                       time_s);
    }
    const double steps = ceil(way_s / s->numerics.step_s - 1e-9);
    const double start_s = s->time_s;
    ng_status status = NG_OK;
    for (double k = 1.0; status == NG_OK && k <= steps; k++) {
        status = march(s, start_s + way_s * (k / steps) - s->time_s, err);
    }
    return status;
}

/* ---- a run ------------------------------------------------------------------------------- */

static ng_status check(const ng_pair_problem *p, const ng_pair_numerics *n, ng_error *err)
{
    if (n->cells < MIN_CELLS || n->cells > MAX_CELLS) {
        return NG_FAIL(err, NG_INVALID, "pair density: %zu cells; there must be %d to %d", n->cells,
                       MIN_CELLS, MAX_CELLS);
    }
    if (!(n->step_s > 0) || !(n->end_s > p->start_s) || !isfinite(n->end_s)) {
        return NG_FAIL(err, NG_INVALID, "pair density: steps of %g s from %g s to %g s", n->step_s,
                       p->start_s, n->end_s);
    }
    if (!(p->sink_nm >= 0) || !(p->sink_width_nm > 0) || !(p->empty_nm >= 0) ||
        !isfinite(p->sink_nm + p->sink_width_nm + p->empty_nm)) {
        return NG_FAIL(err, NG_INVALID,
                       "pair density: sink at %g nm of width %g nm, first pairs at %g nm; the "
                       "width must be positive, the others not negative",
                       p->sink_nm, p->sink_width_nm, p->empty_nm);
    }
    return NG_OK;
}

/* sqrt(2 int D dt) over the run. */
static ng_status diffusion_length(const ng_pairs *s, double *length_nm, ng_error *err)
{
    const double span_s = s->numerics.end_s - s->problem.start_s;
    double sum = 0.0;
    for (int i = 0; i < REACH_SAMPLES; i++) {
        ng_pair_motion m;
        double time_s = s->problem.start_s + span_s * (i + 0.5) / REACH_SAMPLES;
        ng_status status = motion_at(s, time_s, &m, err);
        if (status != NG_OK) {
            return status;
        }
        sum += m.diffusion_nm2_per_s;
    }
    *length_nm = sqrt(2.0 * sum * span_s / REACH_SAMPLES);
    return NG_OK;
}

static ng_status make_grid(ng_pairs *s, ng_error *err)
{
    const ng_pair_problem *p = &s->problem;
    double length_nm = 0.0;
    ng_status status = diffusion_length(s, &length_nm, err);
    if (status != NG_OK) {
        return status;
    }
    double extent = fmax(p->sink_nm + 2.0 * SINK_REACH * p->sink_width_nm + REACH_FAR * length_nm,
                         p->empty_nm + REACH_STEP * length_nm);
    return ng_pair_grid_make(extent, p->sink_nm, p->sink_width_nm, s->numerics.cells, &s->grid,
                             err);
}

static ng_status make_arrays(ng_pairs *s, ng_error *err)
{
    const size_t n = s->numerics.cells;
    s->pairs = NG_NEW(double, n);
    s->stage = NG_NEW(double, n);
    s->density = NG_NEW(double, n);
    s->link = NG_NEW(double, n);
    s->inverse_gap = NG_NEW(double, n);
    if (!s->pairs || !s->stage || !s->density || !s->link || !s->inverse_gap) {
        return NG_FAIL(err, NG_MEMORY, "pair density: no memory for %zu cells", n);
    }
    return NG_OK;
}

/* u = 1 beyond the empty gap; the cell in which that ends is filled by its share. What lies in
 * that cell would sit at its middle, nearer than it is: its neighbours set that right. Without
 * this, k_f jumps by 1 % as the edge passes from cell to cell. */
static void fill(ng_pairs *s)
{
    const pair_grid *g = &s->grid;
    const double sigma = s->motion.contact_nm, edge = cube(s->problem.empty_nm + sigma);
    double moved = 0.0;
    for (size_t i = 0; i < g->cells; i++) {
        const double below = cube(g->face[i] + sigma), above = cube(g->face[i + 1] + sigma);
        const double share = fmin(fmax((above - edge) / (above - below), 0.0), 1.0);
        const double part = 0.25 * share * (1.0 - share) * (above - below);
        s->density[i] = share + moved / (above - below);
        if (part > 0 && i > 0) {
            s->density[i - 1] -= part / (below - cube(g->face[i - 1] + sigma));
        }
        moved = i > 0 ? part : 0.0;
    }
}

static void begin(ng_pairs *s)
{
    const pair_grid *g = &s->grid;
    for (size_t i = 0; i + 1 < g->cells; i++) {
        s->inverse_gap[i] = 1.0 / (g->middle[i + 1] - g->middle[i]);
    }
    fill(s);
    keep_pairs(s, &s->motion, s->pairs);
}

ng_status ng_pairs_create(const ng_pair_problem *problem, const ng_pair_numerics *numerics,
                          ng_pairs **out, ng_error *err)
{
    *out = NULL;
    ng_status status = check(problem, numerics, err);
    if (status != NG_OK) {
        return status;
    }
    ng_pairs *s = NG_NEW(ng_pairs, 1);
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "pair density: no memory");
    }
    s->problem = *problem;
    s->numerics = *numerics;
    s->time_s = problem->start_s;
    status = motion_at(s, s->time_s, &s->motion, err);
    status = status == NG_OK ? make_grid(s, err) : status;
    status = status == NG_OK ? make_arrays(s, err) : status;
    if (status != NG_OK) {
        ng_pairs_destroy(s);
        return status;
    }
    begin(s);
    *out = s;
    return NG_OK;
}

void ng_pairs_destroy(ng_pairs *s)
{
    if (s == NULL) {
        return;
    }
    ng_pair_grid_free(&s->grid);
    ng_free(s->pairs);
    ng_free(s->stage);
    ng_free(s->density);
    ng_free(s->link);
    ng_free(s->inverse_gap);
    ng_free(s);
}

/* ---- results ----------------------------------------------------------------------------- */

double ng_pairs_rate(const ng_pairs *s)
{
    double sum = 0.0;
    for (size_t i = s->grid.sink_begin; i < s->grid.sink_end; i++) {
        sum += sink_share(&s->grid, i, s->motion.contact_nm) * s->density[i];
    }
    return 4.0 * acos(-1.0) * s->motion.propensity_per_s * sum;
}

double ng_pairs_content_nm3(const ng_pairs *s)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->grid.cells; i++) {
        sum += s->pairs[i];
    }
    return 4.0 * acos(-1.0) * sum;
}

size_t ng_pairs_density(const ng_pairs *s, const double **gap_nm, const double **density)
{
    *gap_nm = s->grid.middle;
    *density = s->density;
    return s->grid.cells;
}

ng_status ng_pair_rates(const ng_pair_problem *problem, const ng_pair_numerics *numerics,
                        const double *time_s, size_t n, double *rate_nm3_per_s, ng_error *err)
{
    ng_pairs *s = NULL;
    ng_status status = ng_pairs_create(problem, numerics, &s, err);
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        status = ng_pairs_advance(s, time_s[i], err);
        rate_nm3_per_s[i] = status == NG_OK ? ng_pairs_rate(s) : 0.0;
    }
    ng_pairs_destroy(s);
    return status;
}
