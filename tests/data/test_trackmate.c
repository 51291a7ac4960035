/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TrackMate's table of spots and its XML file. */
#include "data_test.h"

#define CSV_HEAD                                                                                 \
    "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME,RADIUS,AREA\n"  \
    "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,Radius,Area\n"                                 \
    "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,R,Area\n"

static void a_table_of_spots_is_read_in_its_units(void **state)
{
    (void)state;
    reading r =
        read_good(CSV_HEAD ",,,(quality),(micron),(micron),(micron),(sec),,(micron),(micron^2)\n"
                           "ID3,3,1,9.5,0.25,0.5,0,0.5,1,9,4e-6\n"
                           "ID1,1,1,9.5,0.2,0.4,0,0.0,0,9,1e-6\n"
                           "ID2,2,,9.5,0.2,0.4,0,0.0,0,9,1e-6\n");
    assert_int_equal(r.tracks.n_points, 2);
    assert_int_equal(r.tracks.n_tracks, 1);
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    /* the area is a measurement, the radius may be the detector's setting */
    assert_close(r.tracks.point[1].radius_nm, 1.1283791670955126, 1e-15);
    assert_close(r.tracks.point[0].x_nm, 200.0, 1e-12);
    assert_true(has_warning(&r.warnings, "rows-unlinked"));
    reading_free(&r);
}

static void spots_in_pixels_and_frames_need_both_flags(void **state)
{
    (void)state;
    const char text[] =
        CSV_HEAD ",,,(quality),(pixel),(pixel),(pixel),(frame),,(pixel),(pixel^2)\n"
                 "ID1,1,1,9.5,1,2,0,0.0,0,3,16\nID2,2,1,9.5,1,2,0,1.0,1,3,16\n"
                 "ID2,2,1,9.5,1,2,0,2.0,2,3,16\n";
    ng_tracks_read_options options = ng_tracks_read_defaults();
    reading r = read_with(text, &options);
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, "--pixel-nm"));
    options.pixel_nm = 0.5;
    r = read_with(text, &options);
    assert_int_equal(r.status, NG_INVALID);
    assert_non_null(strstr(r.err.message, "--frame-s"));
    reading_free(&r);
    options.frame_s = 0.25;
    r = read_with(text, &options);
    assert_int_equal(r.status, NG_OK);
    assert_close(r.tracks.point[1].time_s, 0.25, 0.0);
    assert_close(r.tracks.point[1].radius_nm, 1.1283791670955126, 1e-15);
    assert_true(has_warning(&r.warnings, "size-constant"));
    reading_free(&r);
}

static void a_time_that_is_the_frame_gives_way_to_the_flag(void **state)
{
    (void)state;
    const char text[] =
        CSV_HEAD ",,,(quality),(micron),(micron),(micron),(sec),,(micron),(micron^2)\n"
                 "ID1,1,1,9.5,1,2,0,0.0,0,3,16\nID2,2,1,9.5,1,2,0,1.0,1,3,17\n";
    reading r = read_good(text);
    assert_true(has_warning(&r.warnings, "time-is-frame"));
    assert_close(r.tracks.frame_s, 1.0, 0.0);
    reading_free(&r);
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.frame_s = 0.25;
    r = read_with(text, &options);
    assert_int_equal(r.status, NG_OK);
    assert_true(has_warning(&r.warnings, "time-is-frame"));
    assert_close(r.tracks.frame_s, 0.25, 0.0);
    assert_close(r.tracks.point[1].time_s, 0.25, 0.0);
    reading_free(&r);
}

#define XML_HEAD                                                                                 \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrackMate version=\"7.6.1\">\n"                \
    "<Log>Starting &lt;detection&gt;</Log>\n"

/* Two whole tracks, one that merges (10, 11 -> 12 -> 13), and one spot alone. */
static const char document[] = XML_HEAD
    "<Model spatialunits=\"micron\" timeunits=\"sec\">\n"
    "<FeatureDeclarations><SpotFeatures><Feature "
    "feature=\"RADIUS\"/></SpotFeatures></FeatureDeclarations>\n"
    "<AllSpots nspots=\"9\">\n<SpotsInFrame frame=\"0\">\n"
    "<Spot ID=\"1\" name=\"ID1\" FRAME=\"0\" POSITION_X=\"1.5\" POSITION_Y=\"2\" "
    "POSITION_Z=\"0\" "
    "POSITION_T=\"0.0\" RADIUS=\"0.002\" ROI_N_POINTS=\"3\">0 0 1 1 2 0</Spot>\n"
    "<Spot ID=\"10\" FRAME=\"0\" POSITION_X=\"1\" POSITION_Y=\"2\" POSITION_T=\"0.0\" "
    "RADIUS=\"0.003\"/>\n"
    "<Spot ID=\"11\" FRAME=\"0\" POSITION_X=\"1\" POSITION_Y=\"3\" POSITION_T=\"0.0\" "
    "RADIUS=\"0.003\"/>\n"
    "<Spot ID=\"99\" FRAME=\"0\" POSITION_X=\"1\" POSITION_Y=\"3\" POSITION_T=\"0.0\" "
    "RADIUS=\"0.003\"/>\n"
    "</SpotsInFrame>\n<SpotsInFrame frame=\"1\">\n"
    "<Spot ID=\"2\" FRAME=\"1\" POSITION_X=\"1.5\" POSITION_Y=\"2\" POSITION_T=\"0.5\" "
    "RADIUS=\"0.0025\"/>\n"
    "<Spot ID=\"12\" FRAME=\"1\" POSITION_X=\"1\" POSITION_Y=\"2.5\" POSITION_T=\"0.5\" "
    "RADIUS=\"0.004\"/>\n"
    "<Spot ID=\"20\" FRAME=\"1\" POSITION_X=\"7\" POSITION_Y=\"7\" POSITION_T=\"0.5\" "
    "RADIUS=\"0.005\"/>\n"
    "</SpotsInFrame>\n<SpotsInFrame frame=\"3\">\n"
    "<Spot ID=\"13\" FRAME=\"3\" POSITION_X=\"1\" POSITION_Y=\"2.5\" POSITION_T=\"1.5\" "
    "RADIUS=\"0.004\"/>\n"
    "<Spot ID=\"21\" FRAME=\"3\" POSITION_X=\"7\" POSITION_Y=\"7\" POSITION_T=\"1.5\" "
    "RADIUS=\"0.005\"/>\n"
    "</SpotsInFrame>\n</AllSpots>\n<AllTracks>\n"
    "<Track name=\"Track_0\" TRACK_ID=\"0\"><Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\" "
    "LINK_COST=\"1\"/></Track>\n"
    "<Track name=\"Track_4\" TRACK_ID=\"4\">"
    "<Edge SPOT_SOURCE_ID=\"10\" SPOT_TARGET_ID=\"12\"/>"
    "<Edge SPOT_SOURCE_ID=\"11\" SPOT_TARGET_ID=\"12\"/>"
    "<Edge SPOT_SOURCE_ID=\"13\" SPOT_TARGET_ID=\"12\"/></Track>\n" /* drawn against time */
    "<Track name=\"Track_5\" TRACK_ID=\"5\"><Edge SPOT_SOURCE_ID=\"20\" "
    "SPOT_TARGET_ID=\"21\"/></Track>\n"
    "</AllTracks>\n"
    "<FilteredTracks>\n<TrackID TRACK_ID=\"4\"/>\n<TrackID TRACK_ID=\"0\"/>\n</FilteredTracks>\n"
    "</Model>\n<Settings><ImageData pixelwidth=\"0.1\"/></Settings>\n</TrackMate>\n";

static void tracks_of_the_file_are_read_and_branches_cut(void **state)
{
    (void)state;
    static const struct {
        long id, group;
        size_t n;
        double radius_nm;
    } expected[] = {{0, -1, 2, 2.0}, {6, 4, 1, 3.0}, {7, 4, 1, 3.0}, {8, 4, 2, 4.0}};
    reading r = read_good(document);
    assert_int_equal(r.tracks.n_tracks, 4);
    for (size_t i = 0; i < 4; i++) {
        const ng_track *track = &r.tracks.track[i];
        assert_int_equal(track->id, expected[i].id);
        assert_int_equal(track->group, expected[i].group);
        assert_int_equal(track->n, expected[i].n);
        assert_close(r.tracks.point[track->first].radius_nm, expected[i].radius_nm, 1e-15);
    }
    assert_close(r.tracks.frame_s, 0.5, 0.0);
    assert_close(r.tracks.point[0].x_nm, 1500.0, 0.0);
    assert_int_equal(r.tracks.rows_read, 9);
    assert_int_equal(r.tracks.rows_dropped, 3); /* one alone, two of a track filtered out */
    assert_true(has_warning(&r.warnings, "tracks-branched"));
    assert_true(has_warning(&r.warnings, "rows-unlinked"));
    reading_free(&r);
}

static void a_split_is_cut_too(void **state)
{
    (void)state;
    reading r = read_good(XML_HEAD "<Model spatialunits=\"nm\" timeunits=\"s\"><AllSpots>"
                                   "<Spot ID=\"1\" FRAME=\"0\" POSITION_T=\"0\" RADIUS=\"1\"/>"
                                   "<Spot ID=\"2\" FRAME=\"1\" POSITION_T=\"2\" RADIUS=\"2\"/>"
                                   "<Spot ID=\"3\" FRAME=\"2\" POSITION_T=\"4\" RADIUS=\"3\"/>"
                                   "<Spot ID=\"4\" FRAME=\"2\" POSITION_T=\"4\" RADIUS=\"4\"/>"
                                   "</AllSpots><AllTracks><Track TRACK_ID=\"0\">"
                                   "<Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\"/>"
                                   "<Edge SPOT_SOURCE_ID=\"2\" SPOT_TARGET_ID=\"3\"/>"
                                   "<Edge SPOT_SOURCE_ID=\"2\" SPOT_TARGET_ID=\"4\"/>"
                                   "</Track></AllTracks></Model></TrackMate>");
    assert_int_equal(r.tracks.n_tracks, 3);
    assert_int_equal(r.tracks.track[0].n, 2);
    assert_int_equal(r.tracks.track[0].group, 0);
    reading_free(&r);
}

static void areas_of_outlines_are_preferred(void **state)
{
    (void)state;
    reading r = read_good(XML_HEAD
                          "<Model spatialunits=\"pixel\" timeunits=\"min\"><AllSpots>"
                          "<Spot ID=\"1\" FRAME=\"0\" POSITION_T=\"0\" RADIUS=\"9\" AREA=\"16\"/>"
                          "<Spot ID=\"2\" FRAME=\"1\" POSITION_T=\"2\" RADIUS=\"4\"/>"
                          "</AllSpots><AllTracks><Track TRACK_ID=\"0\">"
                          "<Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\"/>"
                          "</Track></AllTracks></Model></TrackMate>");
    assert_close(r.tracks.point[0].radius_nm, 1.1283791670955126, 1e-15);
    assert_close(r.tracks.point[1].radius_nm, 2.0, 1e-15);
    assert_close(r.tracks.frame_s, 120.0, 0.0);
    assert_close(r.tracks.pixel_nm, 0.5, 0.0);
    reading_free(&r);
}

static void a_dropped_spot_keeps_its_track_whole(void **state)
{
    (void)state;
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.skip_invalid = true;
    reading r = read_with(XML_HEAD "<Model spatialunits=\"nm\" timeunits=\"s\"><AllSpots>"
                                   "<Spot ID=\"1\" FRAME=\"0\" POSITION_T=\"0\" RADIUS=\"1\"/>"
                                   "<Spot ID=\"2\" FRAME=\"1\" POSITION_T=\"2\" RADIUS=\"x\"/>"
                                   "<Spot ID=\"3\" FRAME=\"2\" POSITION_T=\"4\" RADIUS=\"3\"/>"
                                   "</AllSpots><AllTracks><Track TRACK_ID=\"7\">"
                                   "<Edge SPOT_SOURCE_ID=\"1\" SPOT_TARGET_ID=\"2\"/>"
                                   "<Edge SPOT_SOURCE_ID=\"2\" SPOT_TARGET_ID=\"3\"/>"
                                   "</Track></AllTracks></Model></TrackMate>",
                          &options);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.tracks.n_tracks, 1);
    assert_int_equal(r.tracks.track[0].id, 7);
    assert_int_equal(r.tracks.n_points, 2);
    assert_int_equal(r.tracks.rows_dropped, 1);
    reading_free(&r);
}

/* 60 MB of XML, fed in pieces: no limit of the parser is met, and time grows with the file. */
static void a_large_file_is_read(void **state)
{
    (void)state;
    enum { TRACKS = 1000, FRAMES = 300 };
    size_t size = (size_t)TRACKS * FRAMES * 200 + 1000;
    char *text = ng_alloc(size, 1);
    assert_non_null(text);
    size_t n =
        (size_t)sprintf(text, "<TrackMate><Model spatialunits=\"nm\" timeunits=\"s\"><AllSpots>");
    for (int i = 0; i < TRACKS * FRAMES; i++) {
        n += (size_t)sprintf(text + n,
                             "<Spot ID=\"%d\" name=\"ID%d\" FRAME=\"%d\" POSITION_X=\"1\" "
                             "POSITION_Y=\"2\" POSITION_T=\"%d\" RADIUS=\"%d.5\"/>\n",
                             i, i, i % FRAMES, i % FRAMES, 1 + i % 7);
    }
    n += (size_t)sprintf(text + n, "</AllSpots><AllTracks>");
    for (int i = 0; i < TRACKS * FRAMES; i++) {
        if (i % FRAMES == 0) {
            n += (size_t)sprintf(text + n, "<Track TRACK_ID=\"%d\">\n", i / FRAMES);
        } else {
            n += (size_t)sprintf(
                text + n, "<Edge SPOT_SOURCE_ID=\"%d\" SPOT_TARGET_ID=\"%d\"/>\n", i - 1, i);
        }
        n += (size_t)sprintf(text + n, "%s", i % FRAMES == FRAMES - 1 ? "</Track>" : "");
    }
    sprintf(text + n, "</AllTracks></Model></TrackMate>");
    reading r = read_good(text);
    assert_int_equal(r.tracks.n_tracks, TRACKS);
    assert_int_equal(r.tracks.n_points, TRACKS * FRAMES);
    reading_free(&r);
    ng_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_spots_is_read_in_its_units),
        cmocka_unit_test(spots_in_pixels_and_frames_need_both_flags),
        cmocka_unit_test(a_time_that_is_the_frame_gives_way_to_the_flag),
        cmocka_unit_test(tracks_of_the_file_are_read_and_branches_cut),
        cmocka_unit_test(a_split_is_cut_too),
        cmocka_unit_test(areas_of_outlines_are_preferred),
        cmocka_unit_test(a_dropped_spot_keeps_its_track_whole),
        cmocka_unit_test(a_large_file_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
