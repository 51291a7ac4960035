/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Crystals hidden by others: told from the pairs that are missing, on fields where who hides whom
 * is known. */
#include <nucgrow/hidden.h>

#include "test_support.h"

#include <math.h>

#define SIDE_NM 10000.0
enum { FRAMES = 20, MOST = 1200 };

typedef struct field {
    double x[MOST], y[MOST];
    size_t n, seen;
} field;

/* n crystals anywhere; whoever is born within `together_nm` of one that is seen is not. */
static field scatter(gsl_rng *rng, size_t n, double together_nm)
{
    field f = {.n = n};
    for (size_t i = 0; i < n; i++) {
        const double x = SIDE_NM * gsl_rng_uniform(rng), y = SIDE_NM * gsl_rng_uniform(rng);
        bool hidden = false;
        for (size_t k = 0; k < f.seen; k++) {
            hidden = hidden || hypot(f.x[k] - x, f.y[k] - y) < together_nm;
        }
        if (!hidden) {
            f.x[f.seen] = x;
            f.y[f.seen++] = y;
        }
    }
    return f;
}

/* Half of them born by the middle; `step_nm`: how far each goes from frame to frame. */
static ng_particles movie(const field *f, double step_nm, double radius_nm)
{
    ng_particles p = {.item = NG_NEW(ng_particle, f->seen * FRAMES), .frame_s = 1};
    assert_non_null(p.item);
    for (size_t k = 0; k < f->seen; k++) {
        for (size_t t = k * FRAMES / f->seen; t < FRAMES; t++) {
            ng_particle *x = &p.item[p.n++];
            *x = ng_particle_unknown();
            x->track = (long)k + 1;
            x->frame = (long)t;
            x->x_nm = f->x[k] + step_nm * (double)t;
            x->y_nm = f->y[k];
            x->radius_nm = radius_nm;
        }
    }
    return p;
}

static ng_hidden find(const ng_particles *p)
{
    ng_track_span *span = NULL;
    size_t n = 0;
    ng_hidden o;
    assert_int_equal(ng_track_spans(p, &span, &n, NULL), NG_OK);
    assert_int_equal(ng_hidden_find(p, span, n, &o, NULL), NG_OK);
    ng_free(span);
    return o;
}

/* 40 fields each; the 95 % interval holds the truth but for chance (3 misses of 40 and fewer: 86 %;
 * 6 and fewer: 99.7 %), and the mean of the estimates is the truth within its own error. */
static void hidden_crystals_are_told(void **state)
{
    (void)state;
    enum { FIELDS = 40 };
    const size_t crystals[] = {400, 700, 1000};
    const double together_nm[] = {80, 80, 100};
    gsl_rng *rng = ng_random_open(11, 0);
    for (size_t c = 0; c < 3; c++) {
        size_t held = 0;
        double sum = 0, square = 0;
        for (size_t i = 0; i < FIELDS; i++) {
            const field f = scatter(rng, crystals[c], together_nm[c]);
            ng_particles p = movie(&f, 0, 1.5);
            const ng_hidden o = find(&p);
            assert_int_equal(o.state, NG_HIDDEN_TOLD);
            const double seen = (double)f.seen, error = ng_hidden_all(&o, seen, 0) - (double)f.n;
            held += ng_hidden_all(&o, seen, -1.96) <= (double)f.n &&
                    (double)f.n <= ng_hidden_all(&o, seen, 1.96);
            sum += error;
            square += error * error;
            ng_particles_free(&p);
        }
        const double mean = sum / FIELDS, sd = sqrt(square / FIELDS - mean * mean);
        print_message("%zu crystals: error %.1f, s.d. %.1f; %zu of %d intervals hold\n",
                      crystals[c], mean, sd, held, (int)FIELDS);
        assert_in_range(held, FIELDS - 6, FIELDS);
        assert_true(fabs(mean) < 3 * sd / sqrt(FIELDS));
    }
    ng_random_close(rng);
}

static void who_hides_nobody(void **state)
{
    (void)state;
    gsl_rng *rng = ng_random_open(12, 0);
    const field open = scatter(rng, 800, 0), tight = scatter(rng, 800, 100);
    const field few = scatter(rng, 20, 0);
    ng_particles p = movie(&open, 0, 1.5);
    ng_hidden o = find(&p);
    assert_int_equal(o.state, NG_HIDDEN_TOLD);
    assert_true(fabs(o.hidden_share) < 3 * o.hidden_share_se);
    assert_true(ng_hidden_all(&o, 800, -1.96) == 800);
    ng_particles_free(&p);
    p = movie(&tight, 20, 1.5);
    assert_int_equal(find(&p).state, NG_HIDDEN_MOVING);
    ng_particles_free(&p);
    p = movie(&tight, 0, 50);
    o = find(&p);
    assert_int_equal(o.state, NG_HIDDEN_SOLID);
    assert_true(ng_hidden_all(&o, 700, 0) == 700);
    ng_particles_free(&p);
    p = movie(&few, 0, 1.5);
    assert_int_equal(find(&p).state, NG_HIDDEN_FEW);
    for (size_t i = 0; i < p.n; i++) {
        p.item[i].x_nm = p.item[i].y_nm = 0; /* no field at all */
    }
    assert_int_equal(find(&p).state, NG_HIDDEN_FEW);
    ng_particles_free(&p);
    ng_random_close(rng);
}

/* dM/dN = 1 - M a, summed by small steps, and back. */
static void all_of_those_seen(void **state)
{
    (void)state;
    const ng_hidden o = {
        .state = NG_HIDDEN_TOLD, .crystals = 600, .hidden_share = 0.06, .hidden_share_se = 0.02};
    const double a = 2 * 0.06 / 600, step = 0.001;
    double seen = 0, n = 0;
    for (; seen < 500; n += step) {
        seen += step * (1 - a * (seen + 0.5 * step));
    }
    assert_close(ng_hidden_all(&o, 500, 0), n, 2 * step);
    assert_close(ng_hidden_all(&o, 500, -10), 500, 0); /* not below what is seen */
    assert_true(isnan(ng_hidden_all(&o, 5000, 0)));
    assert_close(ng_hidden_all(&o, 0, 0), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_crystals_are_told),
        cmocka_unit_test(who_hides_nobody),
        cmocka_unit_test(all_of_those_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
