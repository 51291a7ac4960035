/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published movies, relinked without their tracks. Truth: in Group B, tracks of a group carry
 * the same rows from their merge to the end; 39 merges in 32 groups. */
#include <nucgrow/track.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define PIXEL_NM 0.53
#define N_MERGES 39
#define LAST_FRAME 179
#define N_FOUND 36 /* docs/track.md says why the others are not */

static ng_particles read_detections(const char *path, double pixel_nm)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_particles particles;
    ng_error err;
    options.pixel_nm = pixel_nm;
    if (ng_particles_read(path, &options, &particles, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return particles;
}

static ng_tracking link_anew(ng_particles *particles)
{
    ng_track_options options = ng_track_defaults();
    ng_tracking tracking;
    ng_error err;
    for (size_t i = 0; i < particles->n; i++) {
        particles->item[i].track = particles->item[i].group = -1;
    }
    if (ng_track_link(particles, &options, NULL, &tracking, NULL, &err) != NG_OK) {
        fail_msg("%s", err.message);
    }
    return tracking;
}

/* ---- the truth of the deposit ---------------------------------------------------------- */

typedef struct row {
    long group, track, frame;
    double x, y, area;
} row;

typedef struct merge {
    long group, frame;
    row before[2]; /* last rows of both */
} merge;

static size_t read_rows(const char *path, row *rows, size_t most)
{
    FILE *stream = fopen(path, "r");
    char line[512];
    size_t n = 0;
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream) != NULL && n < most) {
        row r;
        double time;
        if (sscanf(line, "%ld,%ld,%ld,%lf,%lf,%lf,%lf", &r.group, &r.track, &r.frame, &time, &r.x,
                   &r.y, &r.area) == 7) {
            rows[n++] = r;
        }
    }
    fclose(stream);
    return n;
}

static const row *find_row(const row *rows, size_t n, long group, long track, long frame)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].group == group && rows[i].track == track && rows[i].frame == frame) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool same_place(const row *a, const row *b)
{
    return a != NULL && b != NULL && a->x == b->x && a->y == b->y && a->area == b->area;
}

/* First frame of the rows that two tracks share up to the last frame; -1: they share none. */
static long first_shared(const row *rows, size_t n, long group, long a, long b)
{
    long first = -1;
    for (long f = LAST_FRAME; f >= 0; f--) {
        const row *p = find_row(rows, n, group, a, f), *q = find_row(rows, n, group, b, f);
        if (p == NULL && q == NULL) {
            continue;
        }
        if (!same_place(p, q)) {
            break;
        }
        first = f;
    }
    return first;
}

static const row *last_before(const row *rows, size_t n, long group, long track, long frame)
{
    const row *r = NULL;
    while (r == NULL && frame-- > 0) {
        r = find_row(rows, n, group, track, frame);
    }
    return r;
}

/* Each track but the first of a group merges once: with the one that it shares most rows with. */
static size_t list_merges(const row *rows, size_t n, merge *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const row *r = &rows[i];
        bool first = i == 0 || rows[i - 1].group != r->group || rows[i - 1].track != r->track;
        long frame = -1, with = 0;
        for (long t = r->track - 1; first && find_row(rows, n, r->group, t, LAST_FRAME) != NULL;
             t--) {
            long shared = first_shared(rows, n, r->group, r->track, t);
            if (shared >= 0 && (frame < 0 || shared < frame)) {
                frame = shared;
                with = t;
            }
        }
        if (frame < 0) {
            continue;
        }
        const row *a = last_before(rows, n, r->group, r->track, frame);
        const row *b = last_before(rows, n, r->group, with, frame);
        assert_true(a != NULL && b != NULL && count < N_MERGES);
        out[count++] = (merge){r->group, frame, {*a, *b}};
    }
    return count;
}

/* ---- comparison ------------------------------------------------------------------------ */

static long track_at(const ng_particles *p, const row *r)
{
    for (size_t i = 0; i < p->n; i++) {
        const ng_particle *q = &p->item[i];
        if (q->frame == r->frame && fabs(q->x_raw_nm - PIXEL_NM * r->x) < 1e-6 &&
            fabs(q->y_raw_nm - PIXEL_NM * r->y) < 1e-6) {
            return q->track;
        }
    }
    return -2;
}

static bool is_found(const ng_particles *p, const ng_tracking *t, const merge *m)
{
    long a = track_at(p, &m->before[0]), b = track_at(p, &m->before[1]);
    for (size_t i = 0; i < t->events.n; i++) {
        const ng_event *e = &t->events.item[i];
        bool parents = (e->track == a && e->partner == b) || (e->track == b && e->partner == a);
        if (e->kind == NG_EVENT_MERGE && parents && labs(e->frame - m->frame) <= 2) {
            return true;
        }
    }
    return false;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Mean over the frames of the median step of the deposit's tracks, px; rows that tracks share after
 * a merge count once. */
static double drift_of_tracks(const row *rows, size_t n, bool vertical)
{
    double sum = 0.0;
    size_t frames = 0;
    for (long f = 0; f < LAST_FRAME; f++) {
        double step[512];
        size_t steps = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const row *a = &rows[i], *b = &rows[i + 1];
            bool counted = a->frame != f || b->frame != f + 1 || a->track != b->track;
            for (size_t k = 0; k < i && !counted; k++) {
                counted = rows[k].frame == f && same_place(&rows[k], a) &&
                          rows[k + 1].frame == f + 1 && same_place(&rows[k + 1], b);
            }
            if (!counted && steps < sizeof step / sizeof step[0]) {
                step[steps++] = vertical ? b->y - a->y : b->x - a->x;
            }
        }
        if (steps >= 5) { /* as in ng_track_link */
            qsort(step, steps, sizeof *step, by_value);
            sum += step[steps / 2];
            frames++;
        }
    }
    return sum / (double)frames;
}

static void platinum_merges_are_found_again(void **state)
{
    (void)state;
    enum { MOST = 12000 };
    const char *path = test_data("kim2025/pt-acac2-coalescence.csv");
    static row rows[MOST];
    merge merges[N_MERGES];
    size_t n = read_rows(path, rows, MOST), found = 0;
    assert_int_equal(list_merges(rows, n, merges), N_MERGES);
    ng_particles particles = read_detections(path, PIXEL_NM);
    ng_tracking tracking = link_anew(&particles);
    for (size_t i = 0; i < N_MERGES; i++) {
        const merge *m = &merges[i];
        if (is_found(&particles, &tracking, m)) {
            found++;
            continue;
        }
        print_message("missed: group %ld, frame %ld, areas %g and %g px, %.1f px apart\n", m->group,
                      m->frame, m->before[0].area, m->before[1].area,
                      hypot(m->before[0].x - m->before[1].x, m->before[0].y - m->before[1].y));
    }
    print_message("%zu of %d merges found, %zu in all\n", found, N_MERGES, tracking.merges);
    assert_true(found >= N_FOUND);
    /* The same from the tracks of the deposit: -0.1635, -0.4497 px a frame, whose scatter over the
     * frames makes standard errors of 0.011 and 0.014. Both estimates share most of their steps. */
    assert_close(tracking.choice.drift_x_nm, PIXEL_NM * drift_of_tracks(rows, n, false),
                 0.02 * PIXEL_NM);
    assert_close(tracking.choice.drift_y_nm, PIXEL_NM * drift_of_tracks(rows, n, true),
                 0.02 * PIXEL_NM);
    /* The authors removed 0.1914, 0.4077 px a frame, which no mean over all frames can give: their
     * own tracks drift by 0, 0.53 px a frame in the first 30 frames and by 0.18, 0.36 in the last,
     * so that the two numbers depend on the frames and particles that they were taken from. */
    assert_close(fabs(tracking.choice.drift_x_nm), 0.1914 * PIXEL_NM, 0.05 * PIXEL_NM);
    assert_close(fabs(tracking.choice.drift_y_nm), 0.4077 * PIXEL_NM, 0.05 * PIXEL_NM);
    ng_tracking_free(&tracking);
    ng_particles_free(&particles);
}

/* Particles on a carbon film that hardly move: every track comes back whole, none merges. */
static void gold_tracks_come_back(void **state)
{
    (void)state;
    ng_particles particles = read_detections(test_data("kim2025/au-monomeric.csv"), 0.538);
    ng_tracking tracking = link_anew(&particles);
    assert_int_equal(tracking.tracks, 97);
    assert_int_equal(tracking.merges, 0);
    assert_int_equal(tracking.tracks_a, 97);
    ng_tracking_free(&tracking);
    ng_particles_free(&particles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platinum_merges_are_found_again),
        cmocka_unit_test(gold_tracks_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
