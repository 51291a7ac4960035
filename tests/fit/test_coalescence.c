/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Coalescence from tracks: counts, laws, the model, the fit of published and of made-up merges. */
#include "merging_tracks.h"
#include "test_support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static void require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fail_msg("%s: %s", ng_status_name(status), err->message);
    }
}

/* ---- published tracks ------------------------------------------------------------------------ */

typedef struct published {
    ng_tracks tracks;
    ng_coalescence_data data;
    ng_warnings warnings;
} published;

/* `p` stays where it is: its data point to its tracks. */
static void read_published(published *p)
{
    *p = (published){.warnings = {0}};
    char pairs[4096], alone[4096];
    ng_error err = {.message = ""};
    snprintf(pairs, sizeof pairs, "%s", test_data("kim2025/pt-acac2-coalescence.csv"));
    snprintf(alone, sizeof alone, "%s", test_data("kim2025/pt-acac2-monomeric.csv"));
    const char *paths[] = {pairs, alone};
    ng_tracks_read_options o = ng_tracks_read_defaults();
    o.pixel_nm = 0.53;
    require(ng_tracks_read(paths, 2, &o, &p->tracks, NULL, &err), &err);
    require(ng_coalescence_data_make(&p->tracks, NULL, &p->data, &p->warnings, &err), &err);
}

static void published_free(published *p)
{
    ng_coalescence_data_free(&p->data);
    ng_tracks_free(&p->tracks);
    ng_warnings_free(&p->warnings);
}

static void merges_and_survivors_as_counted_by_hand(void **state)
{
    (void)state;
    published p;
    read_published(&p);
    ng_error err = {.message = ""};
    ng_coalescence_series merges, pairs;
    const size_t last = p.data.n_frames - 1;
    assert_int_equal(p.data.n_merges, 39);
    assert_int_equal(p.data.n_units, 32 + 113);
    require(ng_coalescence_series_make(&p.data, NG_COUNT_MERGES, NULL, &merges, &err), &err);
    require(ng_coalescence_series_make(&p.data, NG_COUNT_PAIRS, NULL, &pairs, &err), &err);
    /* 135 at the start, 184 seen, 39 merges; seven triples make 46 pairs */
    assert_close(merges.surviving[last], 145.0 / 135.0, 1e-12);
    assert_close(pairs.surviving[last], 138.0 / 135.0, 1e-12);
    /* the reference counts the first frame's 135 particles, none of which has merged */
    assert_close(merges.contact_nm[0], 2.0902821451137266, 1e-9);
    ng_coalescence_series_free(&merges);
    ng_coalescence_series_free(&pairs);
    published_free(&p);
}

static void merges_stand_where_the_reference_has_them(void **state)
{
    (void)state;
    FILE *stream = fopen(test_reference("coalescence-events.csv"), "r");
    char line[256];
    size_t n = 0, found = 0;
    assert_non_null(stream);
    published p;
    read_published(&p);
    assert_non_null(fgets(line, sizeof line, stream));
    while (fgets(line, sizeof line, stream) != NULL) {
        double time_s, sum_nm;
        assert_int_equal(sscanf(line, "%lf,%lf", &time_s, &sum_nm), 2);
        n++;
        for (size_t k = 0; k < p.data.n_merges; k++) {
            const ng_merge *m = &p.data.merge[k];
            if (m->time_s == time_s && fabs(m->radius_sum_nm - sum_nm) < 1e-9) {
                found++;
                break;
            }
        }
    }
    fclose(stream);
    /* in group 13 tracks 30 and 32 merge at 79 s, 31 joins at 87 s; the reference has 87 s twice,
     * and that one merge of ours answers both of its rows */
    assert_int_equal(n, 39);
    assert_int_equal(found, 39);
    published_free(&p);
}

static void repeated_groups_are_told(void **state)
{
    (void)state;
    published p;
    read_published(&p);
    bool told = false;
    for (size_t i = 0; i < p.warnings.n; i++) {
        told = told || strcmp(p.warnings.item[i].name, "groups-repeat") == 0;
    }
    assert_true(told);
    published_free(&p);
}

static void fit_of_published(ng_merge_count count, bool counted)
{
    published p;
    read_published(&p);
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_coalescence_fit fit;
    ng_coalescence_options o = ng_coalescence_defaults();
    run.threads = 2;
    o.count = count;
    o.arrivals_counted = counted;
    o.starts = 3;
    o.bootstrap = 0;
    o.profiles = false;
    require(ng_coalescence_fit_run(&p.data, &o, &run, &fit, NULL, &err), &err);
    assert_true(fit.rms <= 0.0097); /* what the published program reaches */
    assert_true(fit.grid_change < 1e-3);
    assert_true(fit.event_log_likelihood > fit.uniform_log_likelihood);
    if (counted) {
        /* quartiles 71.5, 78, 92.5 s of 39 merges: 3 s is their standard error */
        assert_close(fit.quartile_model_s[0], fit.quartile_s[0], 3.0);
        assert_close(fit.quartile_model_s[2], fit.quartile_s[2], 3.0);
        assert_true(fit.event_distance_p > 0.05);
    }
    ng_coalescence_fit_free(&fit);
    published_free(&p);
}

static void published_merges_are_met(void **state)
{
    (void)state;
    fit_of_published(NG_COUNT_MERGES, false);
    fit_of_published(NG_COUNT_PAIRS, false);
    fit_of_published(NG_COUNT_MERGES, true);
}

/* ---- the model ------------------------------------------------------------------------------- */

static void published_constants_give_the_resolved_quartiles(void **state)
{
    (void)state;
    enum { N = 345 };
    double time_s[N], rate[N], A[N], cumulative[N];
    ng_error err = {.message = ""};
    ng_coalescence_options o = ng_coalescence_published();
    ng_coalescence_model m = {.laws = o.laws,
                              .contact = o.contact,
                              .rc_from_zero = true,
                              .size_factor = 1.0,
                              .start_s = 8.0,
                              .cells = 400,
                              .step_s = 0.25};
    memcpy(m.parameter, o.start, sizeof o.start);
    m.parameter[NG_COALESCENCE_P0] = 0.0;
    for (size_t i = 0; i < N; i++) {
        time_s[i] = 8.0 + 0.5 * (double)i;
    }
    require(ng_coalescence_run(&m, time_s, N, rate, A, &err), &err);
    ng_coalescence_event_density(time_s, rate, A, N, NULL, cumulative);
    /* resolved solutions, stated to 0.01 s */
    assert_close(ng_coalescence_quantile(time_s, cumulative, N, 0.25), 73.05, 0.02);
    assert_close(ng_coalescence_quantile(time_s, cumulative, N, 0.5), 82.53, 0.02);
    assert_close(ng_coalescence_quantile(time_s, cumulative, N, 0.75), 91.79, 0.02);
    double integral = 0.0;
    for (size_t i = 1; i < N; i++) {
        integral += 0.25 * (rate[i] + rate[i - 1]);
    }
    assert_close(A[N - 1], 1.0 / (1.0 + integral), 1e-6);
}

/* ---- made-up merges -------------------------------------------------------------------------- */

typedef struct made {
    merging_tracks m;
    ng_coalescence_data data;
} made;

static void make(size_t particles, uint64_t seed, made *out)
{
    ng_error err = {.message = ""};
    ng_coalescence_model truth = merging_truth();
    require(merging_make(&truth, particles, 171, seed, &out->m, &err), &err);
    require(ng_coalescence_data_make(&out->m.tracks, &out->m.events, &out->data, NULL, &err), &err);
}

static void made_free(made *m)
{
    ng_coalescence_data_free(&m->data);
    merging_free(&m->m);
}

static void truth_lies_in_the_intervals(void **state)
{
    (void)state;
    made m;
    make(1500, 3, &m);
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_coalescence_model truth = merging_truth();
    ng_coalescence_options o = ng_coalescence_defaults();
    ng_coalescence_fit fit;
    run.threads = 2;
    o.arrivals_counted = true;
    o.starts = 2;
    o.bootstrap = 10;
    o.cells = 60;
    require(ng_coalescence_fit_run(&m.data, &o, &run, &fit, NULL, &err), &err);
    size_t held = 0;
    for (size_t i = 0; i < NG_N_COALESCENCE; i++) {
        const ng_fit_parameter *p = &fit.parameter[i];
        assert_true(p->lower <= p->value && p->value <= p->upper);
        held += p->lower <= truth.parameter[i] && truth.parameter[i] <= p->upper;
    }
    /* 95 % each: less than 8 of 9 would come once in 15 */
    assert_true(held >= 8);
    /* laws through 1500 noisy radii and displacements */
    assert_close(ng_coalescence_contact(&fit.model.laws, 90.0),
                 ng_coalescence_contact(&truth.laws, 90.0), 0.03);
    assert_close(ng_coalescence_diffusion(&fit.model.laws, 90.0) /
                     ng_coalescence_diffusion(&truth.laws, 90.0),
                 1.0, 0.12);
    /* some 500 merges: quartiles are known to 1 s, and predicted from steps of one in 1500 */
    for (size_t q = 0; q < 3; q++) {
        assert_close(fit.quartile_model_s[q], fit.quartile_s[q], 3.0);
    }
    ng_coalescence_fit_free(&fit);
    made_free(&m);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    made m;
    make(150, 5, &m);
    ng_error err = {.message = ""};
    ng_coalescence_options o = ng_coalescence_defaults();
    ng_coalescence_fit one, two;
    ng_run run = ng_run_defaults();
    o.starts = 2;
    o.bootstrap = 3;
    o.profiles = false;
    o.max_iterations = 10;
    o.cells = 40;
    require(ng_coalescence_fit_run(&m.data, &o, &run, &one, NULL, &err), &err);
    run.threads = 2;
    require(ng_coalescence_fit_run(&m.data, &o, &run, &two, NULL, &err), &err);
    assert_memory_equal(one.model.parameter, two.model.parameter, sizeof one.model.parameter);
    assert_memory_equal(one.replicate, two.replicate,
                        one.n_replicates * NG_N_COALESCENCE * sizeof *one.replicate);
    json_t *json = NULL;
    require(ng_coalescence_json(&m.data, &one, &o, &run, &json, &err), &err);
    assert_true(json_is_object(json_object_get(json, "parameters")));
    json_decref(json);
    ng_coalescence_fit_free(&one);
    ng_coalescence_fit_free(&two);
    made_free(&m);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static ng_status data_of(const merging_tracks *m, ng_error *err)
{
    ng_coalescence_data data;
    ng_status status = ng_coalescence_data_make(&m->tracks, &m->events, &data, NULL, err);
    ng_coalescence_data_free(&data);
    return status;
}

static void bad_events_are_told(void **state)
{
    (void)state;
    ng_error err = {.message = ""};
    ng_coalescence_model truth = merging_truth();
    merging_tracks m;
    require(merging_make(&truth, 100, 171, 1, &m, &err), &err);
    assert_true(m.events.n > 2);
    const ng_event first = m.events.item[0];
    const size_t n = m.events.n;
    m.events.item[0].frame = 5000;
    assert_int_equal(data_of(&m, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "frame 5000"));
    m.events.item[0] = first;
    m.events.item[1].track = first.track;
    assert_int_equal(data_of(&m, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "two merges"));
    m.events.item[0].partner = 99999;
    assert_int_equal(data_of(&m, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "no such track"));
    m.events.n = 0;
    assert_int_equal(data_of(&m, &err), NG_TOO_LITTLE);
    assert_non_null(strstr(err.message, "--events"));
    m.events.n = n;
    merging_free(&m);
}

static void shrinking_and_standing_particles_are_told(void **state)
{
    (void)state;
    made m;
    make(100, 1, &m);
    ng_error err = {.message = ""};
    ng_coalescence_options o = ng_coalescence_defaults();
    ng_coalescence_series s;
    ng_coalescence_laws laws;
    for (size_t i = 0; i < m.m.tracks.n_points; i++) {
        ng_track_point *p = &m.m.tracks.point[i];
        p->radius_nm = 3.0 - 0.01 * p->time_s;
        m.data.displacement2[i] = (double)NAN;
    }
    require(ng_coalescence_series_make(&m.data, NG_COUNT_MERGES, NULL, &s, &err), &err);
    assert_int_equal(ng_coalescence_laws_fit(&m.data, &s, &o, &laws, &err), NG_INVALID);
    assert_non_null(strstr(err.message, "shrinks"));
    o.contact_given = true;
    o.laws = merging_truth().laws;
    assert_int_equal(ng_coalescence_laws_fit(&m.data, &s, &o, &laws, &err), NG_TOO_LITTLE);
    assert_non_null(strstr(err.message, "--diffusion"));
    ng_coalescence_series_free(&s);
    made_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_and_survivors_as_counted_by_hand),
        cmocka_unit_test(merges_stand_where_the_reference_has_them),
        cmocka_unit_test(repeated_groups_are_told),
        cmocka_unit_test(published_merges_are_met),
        cmocka_unit_test(published_constants_give_the_resolved_quartiles),
        cmocka_unit_test(truth_lies_in_the_intervals),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(bad_events_are_told),
        cmocka_unit_test(shrinking_and_standing_particles_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
