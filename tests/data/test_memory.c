/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each allocation of the whole way fails in turn: the call ends with NG_MEMORY or without it (a
 * warning that found no room is left out), and the sanitizers see that nothing leaks. */
#include <jansson.h>

#include "data_test.h"

#define ROUNDS 120

/* Run `use` with the k-th allocation failing; returns how many of the rounds failed. */
static size_t fail_each(ng_status (*use)(ng_error *err))
{
    size_t failures = 0;
    for (size_t k = 1; k <= ROUNDS; k++) {
        ng_error err = {.status = NG_OK};
        ng_alloc_fail_after(k);
        ng_status status = use(&err);
        ng_alloc_fail_after(0);
        if (status != NG_OK && status != NG_MEMORY) {
            fail_msg("allocation %zu: %s: %s", k, ng_status_name(status), err.message);
        }
        failures += status == NG_MEMORY;
    }
    ng_error err = {.status = NG_OK};
    assert_int_equal(use(&err), NG_OK);
    return failures;
}

static ng_status parse(const char *text, ng_error *err)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    ng_warnings warnings = {0};
    options.pixel_nm = 0.5;
    options.skip_invalid = true;
    ng_status status =
        ng_tracks_parse(text, strlen(text), "t.csv", &options, &tracks, &warnings, err);
    assert_true(status == NG_OK || (tracks.point == NULL && tracks.n_points == 0));
    ng_tracks_free(&tracks);
    ng_warnings_free(&warnings);
    return status;
}

static ng_status use_csv(ng_error *err)
{
    return parse("group,track,frame,time_s,x_px,y_px,area_px\n1,1,0,0,1,1,8\n1,2,0,0,1,1,8\n"
                 "1,2,1,1.1,3,3,9\n1,2,2,2,3,3,9\n1,2,3,3,3,3,-9\n",
                 err);
}

static ng_status use_times(ng_error *err)
{
    return parse("track,time_s,radius_nm\n1,0,1\n1,1,2\n1,2,3\n", err);
}

static ng_status use_ex_situ(ng_error *err)
{
    return parse("time_s,radius_nm\n1,1\n0,2\n", err);
}

static ng_status use_xml(ng_error *err)
{
    return parse("<TrackMate><Model spatialunits=\"pixel\" timeunits=\"s\"><AllSpots>"
                 "<Spot ID=\"1\" FRAME=\"0\" POSITION_T=\"0\" RADIUS=\"9\"/>"
                 "<Spot ID=\"2\" FRAME=\"1\" POSITION_T=\"2\" RADIUS=\"4\"/>"
                 "<Spot ID=\"3\" FRAME=\"1\" POSITION_T=\"2\" RADIUS=\"4\"/>"
                 "</AllSpots><AllTracks><Track TRACK_ID=\"0\">"
                 "<Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\"/>"
                 "<Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"3\"/>"
                 "</Track></AllTracks><FilteredTracks><TrackID TRACK_ID=\"0\"/></FilteredTracks>"
                 "</Model></TrackMate>",
                 err);
}

static char table_path[4096];

static ng_status use_file(ng_error *err)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_tracks tracks;
    const char *paths[] = {table_path, table_path};
    ng_status status = ng_tracks_read(paths, 2, &options, &tracks, NULL, err);
    if (status == NG_OK) {
        char out[4200];
        snprintf(out, sizeof out, "%s.out", table_path);
        status = ng_tracks_write_csv(&tracks, out, "comment", true, err);
        unlink(out);
    }
    if (status == NG_OK) {
        json_t *value = ng_tracks_json(&tracks);
        ng_tracks back = {0};
        assert_non_null(value);
        status = ng_tracks_from_json(value, &back, err);
        ng_tracks_free(&back);
        json_decref(value);
    }
    ng_tracks_free(&tracks);
    return status;
}

static ng_status use_info(ng_error *err)
{
    ng_file_info info;
    ng_status status = ng_file_inspect(table_path, &info, err);
    ng_file_info_free(&info);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const struct {
        ng_status (*use)(ng_error *err);
        size_t least; /* allocations that matter: the paths must really be met */
    } paths[] = {{use_csv, 7}, {use_times, 9}, {use_ex_situ, 6},
                 {use_xml, 8}, {use_file, 12}, {use_info, 10}};
    snprintf(table_path, sizeof table_path, "%s",
             test_written("t.csv", "track,frame,time_s,radius_nm\n1,0,0,1\n1,1,1,2\n"));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        size_t failures = fail_each(paths[i].use);
        if (failures < paths[i].least) {
            fail_msg("path %zu: %zu failures", i, failures);
        }
    }
    unlink(table_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
