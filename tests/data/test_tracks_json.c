/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <jansson.h>

#include "data_test.h"

static void tracks_survive_the_way_through_json(void **state)
{
    (void)state;
    reading r =
        read_good("track,group,frame,time_s,area_px\n3,1,0,0.1,7\n3,1,1,0.2,7.25\n4,,2,0.3,11\n");
    json_t *value = ng_tracks_json(&r.tracks);
    assert_non_null(value);
    const char *path = test_output("tracks.json");
    assert_int_equal(ng_json_write(value, path, false, &r.err), NG_OK);
    json_decref(value);
    assert_int_equal(ng_json_read(path, &value, &r.err), NG_OK);
    unlink(path);
    ng_tracks back;
    assert_int_equal(ng_tracks_from_json(value, &back, &r.err), NG_OK);
    json_decref(value);
    assert_int_equal(back.n_tracks, r.tracks.n_tracks);
    assert_int_equal(back.n_points, r.tracks.n_points);
    assert_close(back.frame_s, r.tracks.frame_s, 0.0);
    assert_close(back.pixel_nm, 0.5, 0.0);
    assert_false(back.ex_situ);
    assert_string_equal(back.source[0], "t.csv");
    for (size_t i = 0; i < back.n_tracks; i++) {
        assert_int_equal(back.track[i].id, r.tracks.track[i].id);
        assert_int_equal(back.track[i].group, r.tracks.track[i].group);
        assert_int_equal(back.track[i].first, r.tracks.track[i].first);
        assert_int_equal(back.track[i].n, r.tracks.track[i].n);
    }
    for (size_t i = 0; i < back.n_points; i++) {
        assert_int_equal(back.point[i].frame, r.tracks.point[i].frame);
        assert_close(back.point[i].time_s, r.tracks.point[i].time_s, 0.0);
        assert_close(back.point[i].radius_nm, r.tracks.point[i].radius_nm, 0.0);
        assert_true(isnan(back.point[i].x_nm));
    }
    ng_tracks_free(&back);
    reading_free(&r);
}

static void ex_situ_sets_have_no_interval(void **state)
{
    (void)state;
    reading r = read_good("time_s,radius_nm\n0,1\n5,2\n");
    json_t *value = ng_tracks_json(&r.tracks);
    assert_true(json_is_null(json_object_get(value, "frame_s")));
    ng_tracks back;
    assert_int_equal(ng_tracks_from_json(value, &back, &r.err), NG_OK);
    assert_true(back.ex_situ);
    assert_true(isnan(back.frame_s));
    json_decref(value);
    ng_tracks_free(&back);
    reading_free(&r);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "tracks: \"source\" is missing or not a list of names"},
        {"{}", "tracks: \"source\" is missing or not a list of names"},
        {"{\"frame_s\": \"1\"}", "tracks: \"frame_s\" is missing or not a number"},
        {"{\"pixel_nm\": []}", "tracks: \"pixel_nm\" is missing or not a number"},
        {"{\"source\": [1]}", "tracks: \"source\" is missing or not a list of names"},
        {"{\"source\": [\"a\"]}", "tracks: \"track\" is missing or not a list of tracks"},
        {"{\"source\": [\"a\"], \"track\": [{}]}",
         "tracks: \"track\"[0].\"id\" is missing or not a whole number"},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 1}]}",
         "tracks: \"track\"[0].\"source\" is missing or not the index of a source"},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0, \"group\": \"x\"}]}",
         "tracks: \"track\"[0].\"group\" is missing or not a whole number"},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0}]}",
         "tracks: \"track\"[0].\"frame\" is missing or not a list of whole numbers"},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0, \"frame\": [0.5]}]}",
         "tracks: \"track\"[0].\"frame\" is missing or not a list of whole numbers"},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0, \"frame\": [0]}]}",
         "tracks: \"track\"[0].\"time_s\" is missing or not a list of numbers as long as "
         "\"frame\""},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0, \"frame\": [0], "
         "\"time_s\": [0], "
         "\"radius_nm\": [-1]}]}",
         "tracks: \"track\"[0].\"radius_nm\" is missing or not a list of positive numbers as "
         "long as "
         "\"frame\""},
        {"{\"source\": [\"a\"], \"track\": [{\"id\": 1, \"source\": 0, \"frame\": [1, 1], "
         "\"time_s\": "
         "[0, 1], \"radius_nm\": [1, 1]}]}",
         "tracks: \"track\"[0].\"frame\" is missing or not rising"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *value = json_loads(cases[i].text, 0, NULL);
        assert_non_null(value);
        ng_tracks tracks;
        ng_error err;
        assert_int_equal(ng_tracks_from_json(value, &tracks, &err), NG_FORMAT);
        assert_string_equal(err.message, cases[i].message);
        assert_null(tracks.point);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracks_survive_the_way_through_json),
        cmocka_unit_test(ex_situ_sets_have_no_interval),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
