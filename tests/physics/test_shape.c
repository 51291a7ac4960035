/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/physics.h>

#include "reference_table.h"

#include <math.h>

/* ---- an octahedron of edge s, t layers cut from each corner, counted atom by atom ---- */

struct counts {
    long all, edge, face;
};

static bool is_atom(int s, int t, int x, int y, int z)
{
    return abs(x) + abs(y) + abs(z) <= s && (s + x + y + z) % 2 == 0 && abs(x) <= s - t &&
           abs(y) <= s - t && abs(z) <= s - t;
}

static int neighbours(int s, int t, int x, int y, int z)
{
    int n = 0;
    for (int a = -1; a <= 1; a += 2) {
        for (int b = -1; b <= 1; b += 2) {
            n += is_atom(s, t, x + a, y + b, z);
            n += is_atom(s, t, x + a, y, z + b);
            n += is_atom(s, t, x, y + a, z + b);
        }
    }
    return n;
}

/* Sites of an fcc crystal by the number of nearest neighbours: 12 inside; 9 and 8 on a (111) and a
 * (100) face; 7 on an edge, 6 and 5 where edges meet; 4 at the tip of an octahedron, which is in
 * neither count. */
static struct counts count_atoms(int s, int t)
{
    struct counts counts = {0, 0, 0};
    for (int x = -s; x <= s; x++) {
        for (int y = -s; y <= s; y++) {
            for (int z = -s; z <= s; z++) {
                if (!is_atom(s, t, x, y, z)) {
                    continue;
                }
                const int n = neighbours(s, t, x, y, z);
                counts.all++;
                counts.face += n == 8 || n == 9;
                counts.edge += n >= 5 && n <= 7;
            }
        }
    }
    return counts;
}

static void lattice_counts(void **state)
{
    (void)state;
    double worst = 0;
    for (int s = 2; s <= 16; s++) {
        for (int t = 0; 2 * t <= s; t++) {
            const struct counts atoms = count_atoms(s, t);
            const double n = (double)atoms.all, delta = 2 - 2.0 * t / s;
            worst = worse(worst, ng_shape_edge(n, delta) - s);
            worst = worse(worst, ng_shape_edge_sites(n, delta) - (double)atoms.edge);
            worst = worse(worst, ng_shape_face_sites(n, delta) - (double)atoms.face);
        }
    }
    /* A few roundings of counts up to a thousand; delta = 2 - 2t/s is itself rounded. */
    assert_true(worst < 2e-12);
}

static void magic_numbers(void **state)
{
    (void)state;
    static const struct {
        double delta, n;
        int s;
    } magic[] = {
        {1, 13, 2},          {1, 55, 4},          {1, 147, 6},         {1, 309, 8},
        {1, 561, 10},        {4.0 / 3, 38, 3},    {4.0 / 3, 201, 6},   {4.0 / 3, 586, 9},
        {4.0 / 3, 1289, 12}, {4.0 / 3, 2406, 15}, {1.5, 79, 4},        {1.5, 459, 8},
        {1.5, 1385, 12},     {1.5, 3101, 16},     {2, 6, 1},           {2, 19, 2},
        {2, 44, 3},          {2, 85, 4},          {2, 146, 5},
    };
    double worst = 0;
    for (size_t i = 0; i < LENGTH(magic); i++) {
        worst = worse(worst, ng_shape_edge(magic[i].n, magic[i].delta) / magic[i].s - 1);
    }
    assert_true(worst < 4e-16);
    /* The step at s = 2 falls on these two: no face sites there, and none lost to a rounding. */
    assert_true(ng_shape_face_sites(13, 1) == 0 && ng_shape_face_sites(19, 2) == 0);
    assert_true(ng_shape_edge_sites(6, 2) == 0);
}

/* ---- against quadruple precision ----------------------------------------------------- */

#ifdef __SIZEOF_FLOAT128__
__extension__ typedef __float128 quad;

static const double deltas[] = {1, 1.1, 4.0 / 3, 1.5, 1.62, 1.7, 1.76, 1.9, 1.999, 2};
static const double large[] = {1e4, 12345.5, 1e5, 1e6, 1e7};

static quad quad_edge(double n, double delta)
{
    const quad d = (quad)delta, a = -16 + d * (36 + d * (-18 + 3 * d)), b = -12 + d * (36 - 9 * d),
               c = 16 + 6 * d;
    quad s = (quad)ng_shape_edge(n, delta);
    for (int i = 0; i < 4; i++) {
        s -= (((a * s + b) * s + c) * s - 12 * ((quad)n - 1)) / ((3 * a * s + 2 * b) * s + c);
    }
    return s;
}

static quad quad_face(double n, double delta)
{
    const quad s = quad_edge(n, delta), t = s * (1 - (quad)delta / 2);
    if (s < 2) {
        return 0;
    }
    return 4 * (s - 1) * (s - 2) - 12 * t * (t - 1) + (t >= 1 ? 6 * (t - 1) * (t - 1) : 0);
}

static quad quad_edge_sites(double n, double delta)
{
    const quad s = quad_edge(n, delta);
    return s >= 1 ? 12 * (s - 1) : 0;
}

/* Error of a gain relative to `unit`, or to the gain where `unit` is 0. */
static double gain_error(double gain, quad exact, double unit)
{
    const double size = unit > 0 ? unit : fabs((double)exact);
    return (double)((quad)gain - exact) / size;
}

static double worst_gain(double n, double delta, double unit)
{
    double edge = 0, face = 0;
    ng_shape_site_gain(n, delta, &edge, &face);
    const quad exact_edge = quad_edge_sites(n + 1, delta) - quad_edge_sites(n, delta);
    const quad exact_face = quad_face(n + 1, delta) - quad_face(n, delta);
    return worse(worse(0, gain_error(edge, exact_edge, unit)), gain_error(face, exact_face, unit));
}

static double edge_error(double n, double delta)
{
    return (double)((quad)ng_shape_edge(n, delta) / quad_edge(n, delta) - 1);
}

static void edge_is_exact_to_rounding(void **state)
{
    (void)state;
    double worst = 0;
    for (size_t i = 0; i < LENGTH(deltas); i++) {
        for (double n = 2; n <= 3000; n += 1) {
            worst = worse(worst, edge_error(n, deltas[i]));
        }
        for (size_t k = 0; k < LENGTH(large); k++) {
            worst = worse(worst, edge_error(large[k], deltas[i]));
        }
    }
    print_message("edge: relative error %.2g\n", worst);
    assert_true(worst <= 4e-16);
}

/* Below n = 30 the face gain passes through zero and the steps lie there: errors are absolute. */
static void gains_do_not_cancel(void **state)
{
    (void)state;
    double worst = 0, worst_small = 0;
    for (size_t i = 0; i < LENGTH(deltas); i++) {
        for (double n = 1; n < 30; n += 0.25) {
            worst_small = worse(worst_small, worst_gain(n, deltas[i], 1));
        }
        for (double n = 30; n <= 3000; n += 1) {
            worst = worse(worst, worst_gain(n, deltas[i], 0));
        }
        for (size_t k = 0; k < LENGTH(large); k++) {
            worst = worse(worst, worst_gain(large[k], deltas[i], 0));
        }
    }
    print_message("gain: relative error %.2g, absolute below n = 30 %.2g\n", worst, worst_small);
    assert_true(worst <= 2e-15 && worst_small <= 2e-15);
}
#endif

/* ---- against tables ------------------------------------------------------------------ */

static void reference_sites(void **state)
{
    (void)state;
    FILE *table = reference_open("shape-face-edge-sites.csv");
    struct reference_row row;
    double worst = 0;
    while (reference_next(table, &row)) {
        const double n = row.value[0], delta = row.value[1];
        const double face = row.value[2], edge = row.value[4];
        worst = worse(worst, (ng_shape_face_sites(n, delta) - face) / fmax(1, face));
        worst = worse(worst, (ng_shape_edge_sites(n, delta) - edge) / fmax(1, edge));
    }
    fclose(table);
    print_message("sites: relative error %.2g\n", worst);
    assert_true(worst > 0 && worst < 1e-12);
}

static void reference_surface(void **state)
{
    (void)state;
    FILE *table = reference_open("shape-surface-factor.csv");
    struct reference_row row;
    double worst = 0;
    while (reference_next(table, &row)) {
        worst = worse(worst, ng_shape_surface_factor(row.value[0]) / row.value[1] - 1);
    }
    fclose(table);
    assert_true(worst > 0 && worst < 1e-12);
}

static void surface_of_known_solids(void **state)
{
    (void)state;
    /* Area and volume of solids with bond length 1, against the sphere of equal volume. */
    const struct {
        double delta, area, volume;
    } solid[] = {
        {1, 6 + 2 * sqrt(3), 5 * sqrt(2) / 3},
        {4.0 / 3, 6 + 12 * sqrt(3), 8 * sqrt(2)},
        {2, 2 * sqrt(3), sqrt(2) / 3},
    };
    for (size_t i = 0; i < LENGTH(solid); i++) {
        const double sphere = cbrt(36 * M_PI * solid[i].volume * solid[i].volume);
        const double error = ng_shape_surface_factor(solid[i].delta) * sphere / solid[i].area - 1;
        assert_true(fabs(error) < 1e-15);
    }
}

/* ---- table, domain ------------------------------------------------------------------- */

static void table_equals_single_values(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static double edge[COUNT], face[COUNT];
    double worst = 0;
    for (double delta = 1; delta <= 2; delta += 0.0625) {
        ng_shape_site_gain_table(1, COUNT, delta, edge, face);
        for (size_t i = 0; i < COUNT; i++) {
            double edge_one = 0, face_one = 0;
            ng_shape_site_gain(1 + (double)i, delta, &edge_one, &face_one);
            worst = worse(worst, edge[i] - edge_one);
            worst = worse(worst, face[i] - face_one);
        }
    }
    /* Roots reached from two starts differ by a rounding. */
    assert_true(worst < 4e-15);
}

static void outside_the_domain(void **state)
{
    (void)state;
    const struct {
        double n, delta;
    } bad[] = {{0.999, 1.5}, {-5, 1.5}, {(double)NAN, 1.5},      {(double)INFINITY, 1.5},
               {100, 0.99},  {100, 2.01}, {100, (double)NAN}};
    for (size_t i = 0; i < LENGTH(bad); i++) {
        double edge = 0, face = 0;
        ng_shape_site_gain(bad[i].n, bad[i].delta, &edge, &face);
        assert_true(isnan(edge) && isnan(face));
        assert_true(isnan(ng_shape_edge(bad[i].n, bad[i].delta)));
        assert_true(isnan(ng_shape_edge_sites(bad[i].n, bad[i].delta)));
        assert_true(isnan(ng_shape_face_sites(bad[i].n, bad[i].delta)));
    }
    assert_true(isnan(ng_shape_surface_factor(0.9)) && isnan(ng_shape_surface_factor(2.1)));
}

static void one_monomer(void **state)
{
    (void)state;
    double edge = 1, face = 1;
    ng_shape_site_gain(1, 1.76, &edge, &face);
    assert_true(edge == 0 && face == 0);
    assert_true(ng_shape_edge(1, 1.76) == 0 && ng_shape_edge_sites(1, 1.76) == 0);
    assert_true(ng_shape_face_sites(1, 1.76) == 0);
    /* Just above: s = 12 (n-1)/C. */
    const double near = ng_shape_edge(1 + 0x1p-40, 2) / (12 * 0x1p-40 / 28);
    assert_true(fabs(near - 1) < 1e-11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lattice_counts),
        cmocka_unit_test(magic_numbers),
#ifdef __SIZEOF_FLOAT128__
        cmocka_unit_test(edge_is_exact_to_rounding),
        cmocka_unit_test(gains_do_not_cancel),
#endif
        cmocka_unit_test(reference_sites),
        cmocka_unit_test(reference_surface),
        cmocka_unit_test(surface_of_known_solids),
        cmocka_unit_test(table_equals_single_values),
        cmocka_unit_test(outside_the_domain),
        cmocka_unit_test(one_monomer),
    };
    return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
