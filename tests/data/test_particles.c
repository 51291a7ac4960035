/* SPDX-License-Identifier: GPL-3.0-or-later */
/* particles.csv and tracks.csv in and out, and the tables of other programs as particles. */
#include <nucgrow/particles.h>

#include "data_test.h"

typedef struct particles_reading {
    ng_status status;
    ng_particles particles;
    ng_warnings warnings;
    ng_error err;
} particles_reading;

static particles_reading read_particles(const char *text, double pixel_nm, double frame_s)
{
    particles_reading r = {.status = NG_OK};
    ng_tracks_read_options options = ng_tracks_read_defaults();
    options.pixel_nm = pixel_nm;
    options.frame_s = frame_s;
    r.status = ng_particles_parse(text, strlen(text), "p.csv", &options, &r.particles, &r.warnings,
                                  &r.err);
    return r;
}

static particles_reading good_particles(const char *text)
{
    particles_reading r = read_particles(text, 0.5, 1.0);
    if (r.status != NG_OK) {
        fail_msg("%s\n%s", r.err.message, text);
    }
    return r;
}

static void free_particles(particles_reading *r)
{
    ng_particles_free(&r->particles);
    ng_warnings_free(&r->warnings);
}

static void assert_refused(const char *text, double pixel_nm, ng_status status, const char *message)
{
    particles_reading r = read_particles(text, pixel_nm, (double)NAN);
    assert_int_equal(r.status, status);
    assert_string_equal(r.err.message, message);
    assert_null(r.particles.item);
    free_particles(&r);
}

static char *slurp(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(ng_file_read(path, 1 << 20, &text, &length, NULL), NG_OK);
    return text;
}

/* ---- out ------------------------------------------------------------------------------- */

#define COLUMNS                                                                                    \
    "frame,time_s,particle,x_nm,y_nm,radius_nm,radius_se_nm,area_nm2,intensity,intensity_se,"      \
    "background,snr,flag,x_se_nm,y_se_nm,x_raw_nm,y_raw_nm,circularity,solidity,ellipse_ratio,"    \
    "contrast,edge_nm"
#define HEADER COLUMNS "\n"
#define HEADER_OF_TRACKS COLUMNS ",group\n"

static ng_particle example(void)
{
    ng_particle p = ng_particle_unknown();
    p.frame = 4;
    p.particle = 2;
    p.time_s = 0.1 * 3;
    p.x_nm = 10.25;
    p.y_nm = -0.0;
    p.radius_nm = 1.0 / 3.0;
    p.snr = 5;
    p.flag = NG_FLAG_EDGE | NG_FLAG_SPLIT;
    return p;
}

static char *written(const ng_particle *p, bool with_track)
{
    const char *path = test_output("particles.csv");
    ng_particles_writer *writer = NULL;
    assert_int_equal(ng_particles_writer_open(path, "a test", with_track, true, &writer, NULL),
                     NG_OK);
    assert_int_equal(ng_particles_writer_add(writer, p, 1, NULL), NG_OK);
    assert_int_equal(ng_particles_writer_add(writer, p, 0, NULL), NG_OK);
    assert_int_equal(ng_particles_writer_commit(writer, NULL), NG_OK);
    char *text = slurp(path);
    unlink(path);
    return text;
}

static void rows_are_written_as_documented(void **state)
{
    (void)state;
    ng_particle p = example();
    char *text = written(&p, false);
    assert_string_equal(text, "# a test\n" HEADER
                              "4,0.3,2,10.25,0,0.333333333,,,,,,5,edge+split,,,,,,,,,\n");
    ng_free(text);
    text = written(&p, true);
    assert_string_equal(text, "# a test\ntrack," HEADER_OF_TRACKS
                              ",4,0.3,2,10.25,0,0.333333333,,,,,,5,edge+split,,,,,,,,,,\n");
    ng_free(text);
}

static void nothing_is_left_of_an_abandoned_table(void **state)
{
    (void)state;
    const char *path = test_output("abandoned.csv");
    ng_particles_writer *writer = NULL;
    assert_int_equal(ng_particles_writer_open(path, NULL, false, false, &writer, NULL), NG_OK);
    ng_particles_writer_abandon(writer);
    ng_particles_writer_abandon(NULL);
    assert_int_not_equal(access(path, F_OK), 0);
    ng_error err;
    assert_int_equal(
        ng_particles_writer_open("/no/such/folder/p.csv", NULL, false, false, &writer, &err),
        NG_IO);
    assert_null(writer);
}

/* What was written with 9 digits gives the same text again. */
static void what_was_read_is_written_the_same(void **state)
{
    (void)state;
    ng_particle p = example();
    p.track = 7;
    p.x_raw_nm = 11;
    p.y_raw_nm = 2;
    p.intensity = 123456.789012;
    p.circularity = 0.9;
    char *text = written(&p, true);
    particles_reading r = good_particles(text);
    assert_int_equal(r.particles.n, 1);
    assert_int_equal(r.particles.item[0].track, 7);
    assert_int_equal(r.particles.item[0].particle, 2);
    assert_int_equal(r.particles.item[0].flag, NG_FLAG_EDGE | NG_FLAG_SPLIT);
    assert_true(isnan(r.particles.item[0].background));
    char *again = written(&r.particles.item[0], true);
    assert_string_equal(text, again);
    ng_free(text);
    ng_free(again);
    free_particles(&r);
}

/* ---- in -------------------------------------------------------------------------------- */

static void particles_are_sorted_by_frame(void **state)
{
    (void)state;
    particles_reading r = good_particles("frame,x_px,y_px,area_px\n1,4,2,8\n0,1,2,12.5\n1,3,3,9\n");
    const ng_particle *p = r.particles.item;
    assert_int_equal(r.particles.n, 3);
    assert_int_equal(p[0].frame, 0);
    assert_close(p[1].x_nm, 2.0, 0.0);
    assert_close(p[1].x_raw_nm, 2.0, 0.0);
    assert_int_equal(p[1].particle, 1);
    assert_int_equal(p[2].particle, 2);
    assert_int_equal(p[2].track, -1);
    assert_close(p[2].time_s, 1.0, 0.0);
    /* an area of 12.5 px of 0.5 nm is 3.125 nm^2; rounding only */
    assert_close(p[0].area_nm2, 3.125, 1e-14);
    assert_close(p[0].radius_nm, sqrt(3.125 / 3.14159265358979323846), 1e-14);
    assert_close(r.particles.frame_s, 1.0, 0.0);
    assert_close(r.particles.pixel_nm, 0.5, 0.0);
    free_particles(&r);
}

static void linked_particles_are_sorted_by_track(void **state)
{
    (void)state;
    particles_reading r =
        good_particles("track,frame,time_s,x_nm,y_nm,particle,snr\n2,1,1,5,5,3,7\n"
                       ",0,0,9,9,4,1\n2,0,0,5,5,9,8\n0,1,1,1,1,2,\n");
    const ng_particle *p = r.particles.item;
    assert_int_equal(p[0].track, 0);
    assert_int_equal(p[1].track, 2);
    assert_int_equal(p[1].frame, 0);
    assert_int_equal(p[1].particle, 9);
    assert_close(p[1].snr, 8.0, 0.0);
    assert_true(isnan(p[0].snr));
    assert_int_equal(p[3].track, -1);
    assert_true(isnan(p[3].radius_nm));
    assert_true(isnan(r.particles.pixel_nm));
    free_particles(&r);
}

static void merged_rows_are_one_particle(void **state)
{
    (void)state;
    particles_reading r = good_particles("group,track,frame,time_s,x_px,y_px,area_px\n"
                                         "1,1,0,0,1,1,8\n1,2,0,0,3,3,8\n1,1,1,1,2,2,9\n"
                                         "1,2,1,1,2,2,9\n2,1,1,1,2,3,9\n");
    assert_int_equal(r.particles.n, 4);
    assert_true(has_warning(&r.warnings, "rows-repeated"));
    assert_int_equal(r.particles.item[3].track, 3); /* group 2 has a track 1 of its own */
    free_particles(&r);
    /* without its columns of tracks the same particle is told by its numbers */
    r = good_particles("frame,x_px,y_px,area_px\n0,1,1,8\n0,3,3,8\n1,2,2,9\n1,2,2,9\n1,2,2,8\n");
    assert_int_equal(r.particles.n, 4);
    free_particles(&r);
}

static void tables_of_other_programs(void **state)
{
    (void)state;
    particles_reading r =
        good_particles(",y,x,mass,size,ecc,signal,raw_mass,ep,frame\n"
                       "0,2,4,300,2,0.1,9,400,0.1,0\n1,3,5,310,2.1,0.1,9,400,0.1,1\n");
    assert_close(r.particles.item[0].intensity, 300.0, 0.0);
    assert_close(r.particles.item[0].x_nm, 2.0, 0.0);
    assert_close(r.particles.item[0].radius_nm, sqrt(2.0), 1e-15);
    assert_int_equal(r.particles.item[0].track, -1);
    free_particles(&r);
    r = good_particles(
        "<TrackMate><Model spatialunits=\"nm\" timeunits=\"sec\"><AllSpots>"
        "<SpotsInFrame frame=\"0\"><Spot ID=\"5\" POSITION_X=\"1\" POSITION_Y=\"2\" "
        "POSITION_T=\"0\" RADIUS=\"3\"/><Spot ID=\"7\" POSITION_X=\"8\" POSITION_Y=\"2\" "
        "POSITION_T=\"0\" RADIUS=\"3\"/></SpotsInFrame><SpotsInFrame frame=\"1\"><Spot ID=\"6\" "
        "POSITION_X=\"1\" POSITION_Y=\"2\" POSITION_T=\"1\" RADIUS=\"4\"/></SpotsInFrame>"
        "</AllSpots><AllTracks><Track TRACK_ID=\"0\"><Edge SPOT_SOURCE_ID=\"5\" "
        "SPOT_TARGET_ID=\"6\"/></Track></AllTracks><FilteredTracks><TrackID TRACK_ID=\"0\"/>"
        "</FilteredTracks></Model></TrackMate>");
    assert_int_equal(r.particles.n, 3);
    assert_int_equal(r.particles.item[1].track, 0);
    assert_int_equal(r.particles.item[2].track, -1);
    assert_close(r.particles.item[2].x_nm, 8.0, 0.0);
    assert_close(r.particles.frame_s, 1.0, 0.0);
    free_particles(&r);
}

static void unknown_flags_are_left_out(void **state)
{
    (void)state;
    particles_reading r =
        good_particles("frame,time_s,x_nm,y_nm,flag\n0,0,1,1,edge+odd\n0,0,2,2,\n0,0,3,3,no-fit\n");
    assert_int_equal(r.particles.item[0].flag, NG_FLAG_EDGE);
    assert_int_equal(r.particles.item[1].flag, 0);
    assert_int_equal(r.particles.item[2].flag, NG_FLAG_NO_FIT);
    assert_true(has_warning(&r.warnings, "flags-unknown"));
    free_particles(&r);
}

static void tables_that_cannot_be_read(void **state)
{
    (void)state;
    assert_refused("frame,time_s,radius_nm\n0,0,1\n", (double)NAN, NG_FORMAT,
                   "p.csv: no columns with positions; x_nm and y_nm, or x_px and y_px (also _um), "
                   "are needed; found: frame, time_s, radius_nm");
    assert_refused("frame,time_s,x_px,y_px\n0,0,1,1\n", (double)NAN, NG_INVALID,
                   "p.csv: positions are in pixels; pass the width of a pixel with --pixel-nm");
    assert_refused("frame,x_nm,y_nm\n0,1,1\n", (double)NAN, NG_INVALID,
                   "p.csv: there are frames but no times in a unit of time; pass the interval "
                   "between frames with --frame-s");
    assert_refused("frame,time_s,x_nm,y_nm\n0,0,1,\n", (double)NAN, NG_INVALID,
                   "p.csv:2: y is missing (drop the row or pass --skip-invalid)");
    assert_refused("frame,time_s,x_nm,y_nm,radius_nm\n0,0,1,1,-2\n", (double)NAN, NG_INVALID,
                   "p.csv:2: radius is -2 nm; radii must be positive (drop the row or pass "
                   "--skip-invalid)");
    assert_refused("frame,time_s,x_nm,y_nm,snr\n0,0,1,1,high\n", (double)NAN, NG_INVALID,
                   "p.csv:2: snr is 'high', which is not a number (drop the row or pass "
                   "--skip-invalid)");
    assert_refused("frame,time_s,x_nm,y_nm\n", (double)NAN, NG_TOO_LITTLE,
                   "p.csv: there are no rows below the header");
    assert_refused("track,frame,time_s,x_nm,y_nm\n1,0,0,1,1\n1,0,0,2,2\n", (double)NAN, NG_INVALID,
                   "p.csv:3: track 1 has a second row for frame 0 (the first is in line 2); keep "
                   "one (or pass --skip-invalid, which keeps the first)");
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    const char *text = "frame,time_s,x_nm,y_nm,snr,flag\n0,0,1,1,2,edge\n0,0,1,1,2,\n1,1,2,2,,x\n";
    ng_tracks_read_options options = ng_tracks_read_defaults();
    size_t failures = 0;
    for (size_t k = 1; k <= 30; k++) {
        ng_particles particles;
        ng_warnings warnings = {0};
        ng_alloc_fail_after(k);
        ng_status status =
            ng_particles_parse(text, strlen(text), "p.csv", &options, &particles, &warnings, NULL);
        ng_alloc_fail_after(0);
        assert_true(status == NG_OK || (status == NG_MEMORY && particles.item == NULL));
        failures += status == NG_MEMORY;
        ng_particles_free(&particles);
        ng_warnings_free(&warnings);
    }
    /* columns, slots, rows, further numbers, the list of repeats, particles: at least these */
    assert_true(failures >= 6);
}

/* ---- TrackMate XML out ----------------------------------------------------------------- */

static ng_particle spot(long track, long frame, double x)
{
    ng_particle p = ng_particle_unknown();
    p.track = track;
    p.frame = frame;
    p.time_s = 2.0 * (double)frame;
    p.x_nm = x - 1.0; /* drift taken out: TrackMate wants the place in the picture */
    p.y_nm = p.y_raw_nm = 5.0;
    p.x_raw_nm = x;
    p.radius_nm = 1.5;
    return p;
}

/* Tracks 1 and 2 become one in frame 2, 3 comes out of 1 in frame 3, 4 is alone. */
static void trackmate_files_are_read_back(void **state)
{
    (void)state;
    ng_particle item[] = {spot(1, 0, 10), spot(1, 1, 10), spot(1, 2, 11), spot(1, 3, 11),
                          spot(2, 0, 14), spot(2, 1, 13), spot(3, 3, 15), spot(3, 4, 16),
                          spot(4, 0, 50), spot(4, 1, 50), spot(-1, 2, 80)};
    ng_event list[] = {{.kind = NG_EVENT_MERGE, .frame = 2, .track = 2, .partner = 1, .into = 1},
                       {.kind = NG_EVENT_SPLIT, .frame = 3, .track = 3, .partner = 1, .into = -1}};
    ng_particles particles = {.item = item, .n = 11, .frame_s = 2.0, .pixel_nm = 0.5};
    ng_events events = {list, 2};
    const char *path = test_output("tracks.xml");
    assert_int_equal(ng_trackmate_xml_write(&particles, &events, path, "<a> & b", false, NULL),
                     NG_OK);
    char *text = slurp(path);
    assert_non_null(strstr(text, "<Log>&lt;a&gt; &amp; b</Log>"));
    assert_non_null(strstr(text, "<AllSpots nspots=\"11\">"));
    assert_non_null(strstr(text, "POSITION_X=\"10\""));
    /* two tracks to TrackMate: the one that merges and splits, with all of its six edges */
    assert_non_null(strstr(text, "<TrackID TRACK_ID=\"1\" />"));
    assert_null(strstr(text, "<TrackID TRACK_ID=\"2\" />"));
    /* without these TrackMate's reader complains, or stops */
    const char *const needed[] = {"<FilteredTracks>",
                                  "dimension=\"COST\"",
                                  "<BasicSettings xstart=\"0\" xend=\"160\" ",
                                  "tend=\"4\" />",
                                  "DETECTOR_NAME=\"MANUAL_DETECTOR\" RADIUS=\"1.5\"",
                                  "TRACKER_NAME=\"MANUAL_TRACKER\"",
                                  "<InitialSpotFilter feature=\"QUALITY\"",
                                  "<SpotFilterCollection />",
                                  "<TrackFilterCollection />",
                                  "<SpotAnalyzers />",
                                  "<EdgeAnalyzers />",
                                  "<TrackAnalyzers />",
                                  "<GUIState state=\"ConfigureViews\" />"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        assert_non_null(strstr(text, needed[i]));
    }
    assert_non_null(strstr(text, "SPOT_SOURCE_ID=\"5\" SPOT_TARGET_ID=\"2\""));
    assert_non_null(strstr(text, "SPOT_SOURCE_ID=\"2\" SPOT_TARGET_ID=\"6\""));
    particles_reading r = read_particles(text, (double)NAN, (double)NAN);
    assert_int_equal(r.status, NG_OK);
    assert_int_equal(r.particles.n, 11);
    assert_close(r.particles.frame_s, 2.0, 0.0);
    assert_true(has_warning(&r.warnings, "tracks-branched"));
    /* cut at the merge and at the split, which both are at spot 2: five branches and track 4 */
    long tracks = 0;
    for (size_t i = 1; i < r.particles.n; i++) {
        tracks += r.particles.item[i].track != r.particles.item[i - 1].track;
    }
    assert_int_equal(tracks, 6);
    free_particles(&r);
    ng_free(text);
    unlink(path);
}

/* ---- events ---------------------------------------------------------------------------- */

static void events_are_written_and_read(void **state)
{
    (void)state;
    ng_event list[2] = {{.kind = NG_EVENT_MERGE,
                         .frame = 12,
                         .time_s = 6.1,
                         .track = 3,
                         .partner = 5,
                         .into = 5,
                         .radius1_nm = 1.5,
                         .radius2_nm = 2,
                         .radius_after_nm = 2.25,
                         .distance_nm = 4,
                         .score = 0.91234},
                        {.kind = NG_EVENT_BIRTH,
                         .frame = 13,
                         .time_s = 6.5,
                         .track = 6,
                         .partner = -1,
                         .into = -1,
                         .radius1_nm = (double)NAN,
                         .radius2_nm = (double)NAN,
                         .radius_after_nm = (double)NAN,
                         .distance_nm = (double)NAN,
                         .score = (double)NAN}};
    ng_events events = {list, 2};
    const char *path = test_output("events.csv");
    assert_int_equal(ng_events_write(&events, path, "a test", false, NULL), NG_OK);
    char *text = slurp(path);
    assert_string_equal(text, "# a test\nkind,frame,time_s,track,partner,into,radius1_nm,"
                              "radius2_nm,radius_after_nm,distance_nm,score\n"
                              "merge,12,6.1,3,5,5,1.5,2,2.25,4,0.9123\nbirth,13,6.5,6,,,,,,,\n");
    ng_free(text);
    ng_events back;
    assert_int_equal(ng_events_read(path, &back, NULL), NG_OK);
    unlink(path);
    assert_int_equal(back.n, 2);
    assert_int_equal(back.item[0].kind, NG_EVENT_MERGE);
    assert_int_equal(back.item[0].partner, 5);
    assert_close(back.item[0].score, 0.9123, 0.0);
    assert_int_equal(back.item[1].into, -1);
    assert_true(isnan(back.item[1].distance_nm));
    ng_events_free(&back);
}

static void assert_events_refused(const char *text, ng_status status, const char *message)
{
    ng_events events;
    ng_error err;
    assert_int_equal(ng_events_parse(text, strlen(text), "e.csv", &events, &err), status);
    assert_string_equal(err.message, message);
    assert_null(events.item);
}

static void events_that_cannot_be_read(void **state)
{
    (void)state;
    assert_events_refused("track,frame\n1,2\n", NG_FORMAT,
                          "e.csv: no column kind, so this is no table of events (kind, frame, "
                          "track, partner, into, ...)");
    assert_events_refused("kind,frame,track,partner\nfusion,1,2,3\n", NG_INVALID,
                          "e.csv:2: kind is 'fusion'; birth, death, merge and split are events");
    assert_events_refused("kind,frame,track,partner\nmerge,,2,3\n", NG_INVALID,
                          "e.csv:2: frame is ''; it must be a whole number");
    assert_events_refused("kind,frame,track,partner\nmerge,1,2.5,3\n", NG_INVALID,
                          "e.csv:2: track is '2.5'; it must be a whole number");
    assert_events_refused("kind,frame,track,partner,score\nmerge,1,2,3,good\n", NG_INVALID,
                          "e.csv:2: score is 'good'; it must be a number");
    assert_events_refused("kind,frame,track,partner\nmerge,1,2\n", NG_INVALID,
                          "e.csv:2: 3 fields where the header row has 4; the line may be cut off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_as_documented),
        cmocka_unit_test(nothing_is_left_of_an_abandoned_table),
        cmocka_unit_test(what_was_read_is_written_the_same),
        cmocka_unit_test(particles_are_sorted_by_frame),
        cmocka_unit_test(linked_particles_are_sorted_by_track),
        cmocka_unit_test(merged_rows_are_one_particle),
        cmocka_unit_test(tables_of_other_programs),
        cmocka_unit_test(unknown_flags_are_left_out),
        cmocka_unit_test(tables_that_cannot_be_read),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(trackmate_files_are_read_back),
        cmocka_unit_test(events_are_written_and_read),
        cmocka_unit_test(events_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
