/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Geometry of the general truncated octahedron: lattice counts as functions of a real size. */
#include <nucgrow/physics.h>

#include <math.h>

static const double sqrt3 = 1.73205080756887729353;

/* The cubic a s^3 + b s^2 + c s = 12 (n-1), written in h = 1 - delta/2: h is exact in binary for
 * delta in [1, 2], and the coefficients in delta lose digits by cancellation. */
struct octahedron {
    double h, a, b, c;
    double n_edge; /* monomers at s = 1, from where edge sites count */
    double n_face; /* monomers at s = 2, from where face sites count */
};

struct site_counts {
    double edge, face;
};

static bool in_domain(double n, double delta)
{
    return n >= 1 && isfinite(n) && delta >= NG_DELTA_MIN && delta <= NG_DELTA_MAX;
}

static struct octahedron octahedron_of(double delta)
{
    const double h = 1 - delta / 2;
    return (struct octahedron){
        .h = h,
        .a = 8 - 24 * h * h * h,
        .b = 24 - 36 * h * h,
        .c = 28 - 12 * h,
        .n_edge = 6 - h * (1 + h * (3 + 2 * h)),
        .n_face = 19 - h * (2 + h * (12 + 16 * h)),
    };
}

/* Newton from a start at or above the root: the cubic is increasing and convex, so the steps fall
 * towards the root, and below a relative step of 5e-9 the next one would be under a rounding. */
static double solve_edge(const struct octahedron *o, double n, double start)
{
    const int max_steps = 64;
    const double target = 12 * (n - 1);
    double s = start;
    for (int i = 0; i < max_steps; i++) {
        const double excess = ((o->a * s + o->b) * s + o->c) * s - target;
        const double slope = (3 * o->a * s + 2 * o->b) * s + o->c;
        const double step = excess / slope;
        s -= step;
        if (fabs(step) <= 5e-9 * s) {
            break;
        }
    }
    return s;
}

static double edge_length(const struct octahedron *o, double n)
{
    return solve_edge(o, n, cbrt(12 * (n - 1) / o->a));
}

/* Edge length of n + 1 from that of n: s(n) is concave, so the tangent lies above the root. */
static double next_edge_length(const struct octahedron *o, double n, double s)
{
    const double slope = (3 * o->a * s + 2 * o->b) * s + o->c;
    return solve_edge(o, n + 1, s + 12 / slope);
}

/* s2 - s1 of two octahedra that differ by `monomers`: the cubic's difference divided by its common
 * factor, so that no digits cancel. */
static double edge_difference(const struct octahedron *o, double s1, double s2, double monomers)
{
    const double quotient = o->a * (s2 * s2 + s2 * s1 + s1 * s1) + o->b * (s2 + s1) + o->c;
    return 12 * monomers / quotient;
}

/* Site counts of n monomers with edge s. The steps are taken in n, where they are exact, because a
 * rounding of s at a magic number would put it on the wrong side. */
static struct site_counts site_counts_of(const struct octahedron *o, double n, double s)
{
    struct site_counts sites = {0, 0};
    if (n >= o->n_edge) {
        sites.edge = 12 * edge_difference(o, 1, s, n - o->n_edge);
    }
    if (n >= o->n_face) {
        const double above2 = edge_difference(o, 2, s, n - o->n_face);
        const double t1 = 2 * o->h - 1 + o->h * above2; /* t - 1 */
        sites.face = 4 * (1 + above2) * above2 - 12 * (t1 + 1) * t1;
        if (t1 >= 0) {
            sites.face += 6 * t1 * t1;
        }
    }
    return sites;
}

/* Face sites gained from edge s1 to s2 = s1 + ds, both at least 2. */
static double face_difference(double h, double s1, double s2, double ds)
{
    const double sum = s1 + s2;
    const double cut_from = h * s1 - 1, cut_to = h * s2 - 1; /* t - 1 */
    if (cut_from >= 0) {
        return ds * (sum * (4 - 6 * h * h) - 12);
    }
    const double uncut = ds * (sum * (4 - 12 * h * h) - 12 * (1 - h));
    return cut_to >= 0 ? uncut + 6 * cut_to * cut_to : uncut;
}

static struct site_counts site_gain_of(const struct octahedron *o, double n, double s1, double s2)
{
    const double ds = edge_difference(o, s1, s2, 1);
    struct site_counts gain = {12 * ds, 0};
    if (n >= o->n_face) {
        gain.face = face_difference(o->h, s1, s2, ds);
    } else {
        const struct site_counts after = site_counts_of(o, n + 1, s2);
        gain.face = after.face; /* no face sites before */
        if (n < o->n_edge) {
            gain.edge = after.edge;
        }
    }
    return gain;
}

double ng_shape_edge(double n, double delta)
{
    if (!in_domain(n, delta)) {
        return (double)NAN;
    }
    const struct octahedron o = octahedron_of(delta);
    return edge_length(&o, n);
}

double ng_shape_edge_sites(double n, double delta)
{
    if (!in_domain(n, delta)) {
        return (double)NAN;
    }
    const struct octahedron o = octahedron_of(delta);
    return site_counts_of(&o, n, edge_length(&o, n)).edge;
}

double ng_shape_face_sites(double n, double delta)
{
    if (!in_domain(n, delta)) {
        return (double)NAN;
    }
    const struct octahedron o = octahedron_of(delta);
    return site_counts_of(&o, n, edge_length(&o, n)).face;
}

void ng_shape_site_gain(double n, double delta, double *edge_gain, double *face_gain)
{
    ng_shape_site_gain_table(n, 1, delta, edge_gain, face_gain);
}

void ng_shape_site_gain_table(double n_first, size_t count, double delta, double *edge_gain,
                              double *face_gain)
{
    if (!in_domain(n_first, delta)) {
        for (size_t i = 0; i < count; i++) {
            edge_gain[i] = face_gain[i] = (double)NAN;
        }
        return;
    }
    const struct octahedron o = octahedron_of(delta);
    double s = edge_length(&o, n_first);
    for (size_t i = 0; i < count; i++) {
        const double n = n_first + (double)i;
        const double s_next = next_edge_length(&o, n, s);
        const struct site_counts gain = site_gain_of(&o, n, s, s_next);
        edge_gain[i] = gain.edge;
        face_gain[i] = gain.face;
        s = s_next;
    }
}

double ng_shape_surface_factor(double delta)
{
    if (!in_domain(1, delta)) {
        return (double)NAN;
    }
    const double h = 1 - delta / 2;
    const double bulk = cbrt(1 - 3 * h * h * h);
    return (sqrt3 - 3 * (sqrt3 - 1) * h * h) / (cbrt(M_PI) * bulk * bulk);
}
