/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spots in the raw frames of structured illumination that the movie was made of. */
#include "spot_internal.h"

#include <nucgrow/sim_points.h>

#include <math.h>
#include <string.h>

#define LABEL_PX 1.5    /* raw pixels, around a spot */
#define EDGE_PX 2.0     /* raw pixels from the border */
#define SHARED_MOST 4.0 /* variance of the light, over that without neighbours: crowded */
enum { PILOT_SETS = 3 };

struct ng_raw_spots {
    ng_detect_choices choices;
    ng_sim_points *points;
    size_t width, height; /* of the movie */
    double ratio;         /* pixels of the movie in a raw one */
    float *frames;        /* a set without the pixels that tell nothing */
    bool saturated;
    ng_particle *particle;
    uint32_t *label;
    size_t room;
};

void ng_raw_spots_destroy(ng_raw_spots *s)
{
    if (s != NULL) {
        ng_sim_points_destroy(s->points);
        ng_free(s->frames);
        ng_free(s->particle);
        ng_free(s->label);
        ng_free(s);
    }
}

ng_status ng_raw_spots_create(const ng_detect_choices *choices, size_t width, size_t height,
                              ng_raw_spots **out, ng_error *err)
{
    const ng_sim_layout *layout = &choices->options.pattern->layout;
    ng_raw_spots *s = NG_NEW(ng_raw_spots, 1);
    *out = NULL;
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure frames");
    }
    s->choices = *choices;
    s->width = width;
    s->height = height;
    s->ratio = (double)width / (double)layout->width;
    s->frames = NG_NEW(float, ng_sim_layout_frames(layout) * layout->width * layout->height);
    s->label = NG_NEW(uint32_t, width * height);
    ng_status status = s->frames != NULL && s->label != NULL
                           ? NG_OK
                           : NG_FAIL(err, NG_MEMORY, "no memory to measure frames");
    if (status == NG_OK) {
        status = ng_sim_points_create(choices->options.pattern, choices->options.raw_background[0],
                                      &s->points, err);
    }
    if (status != NG_OK) {
        ng_raw_spots_destroy(s);
        return status;
    }
    *out = s;
    return NG_OK;
}

/* Pixels at the end of the camera's range tell nothing. */
static void take_frames(ng_raw_spots *s, const float *frames)
{
    const ng_sim_layout *layout = &s->choices.options.pattern->layout;
    const size_t n = ng_sim_layout_frames(layout) * layout->width * layout->height;
    const float most = isnan(s->choices.most) ? INFINITY : (float)s->choices.most;
    s->saturated = false;
    for (size_t i = 0; i < n; i++) {
        const bool over = frames[i] >= most;
        s->frames[i] = over ? NAN : frames[i];
        s->saturated = s->saturated || over;
    }
}

/* Whether a pixel within one of it is not known in any frame. */
static bool is_blind(const ng_raw_spots *s, const ng_sim_point *q)
{
    const ng_sim_layout *layout = &s->choices.options.pattern->layout;
    const size_t w = layout->width, h = layout->height, frames = ng_sim_layout_frames(layout);
    const size_t x0 = (size_t)fmax(floor(q->x), 0), y0 = (size_t)fmax(floor(q->y), 0);
    for (size_t f = 0; f < frames; f++) {
        for (size_t y = y0; y < y0 + 2 && y < h; y++) {
            for (size_t x = x0; x < x0 + 2 && x < w; x++) {
                if (!isfinite(s->frames[(f * h + y) * w + x])) {
                    return true;
                }
            }
        }
    }
    return false;
}

static unsigned flags_of(const ng_raw_spots *s, const ng_sim_point *q)
{
    const ng_sim_layout *layout = &s->choices.options.pattern->layout;
    const double right = (double)layout->width - 1 - EDGE_PX;
    const double bottom = (double)layout->height - 1 - EDGE_PX;
    const bool edge = q->x < EDGE_PX || q->y < EDGE_PX || q->x > right || q->y > bottom;
    unsigned flag = edge ? NG_FLAG_EDGE : 0;
    flag |= q->shared > SHARED_MOST ? NG_FLAG_CROWDED : 0;
    if (is_blind(s, q)) {
        flag |= s->saturated ? NG_FLAG_SATURATED : NG_FLAG_BAD_PIXEL;
    }
    return flag;
}

static void put_particle(const ng_raw_spots *s, const ng_sim_point *q, ng_particle *out)
{
    const ng_detect_options *o = &s->choices.options;
    const double nm = o->pixel_nm;
    *out = ng_particle_unknown();
    out->x_nm = out->x_raw_nm = ((q->x + 0.5) * s->ratio - 0.5) * nm;
    out->y_nm = out->y_raw_nm = ((q->y + 0.5) * s->ratio - 0.5) * nm;
    out->x_se_nm = sqrt(q->x_var) * s->ratio * nm;
    out->y_se_nm = sqrt(q->y_var) * s->ratio * nm;
    out->intensity = q->flux;
    out->intensity_se = sqrt(q->flux_var);
    out->snr = q->z;
    out->flag = flags_of(s, q);
}

/* Points outside of the frame only explain what they shine into it. */
static bool is_inside(const ng_raw_spots *s, const ng_sim_point *q)
{
    const ng_sim_layout *layout = &s->choices.options.pattern->layout;
    return q->x >= -0.5 && q->y >= -0.5 && q->x < (double)layout->width - 0.5 &&
           q->y < (double)layout->height - 0.5;
}

static int by_row(const void *left, const void *right)
{
    const ng_particle *a = left, *b = right;
    if (a->y_nm != b->y_nm) {
        return a->y_nm < b->y_nm ? -1 : 1;
    }
    return (a->x_nm > b->x_nm) - (a->x_nm < b->x_nm);
}

ng_status ng_raw_spots_measure(ng_raw_spots *s, const float *frames, size_t set,
                               ng_detect_frame *out, ng_error *err)
{
    const ng_detect_options *o = &s->choices.options;
    const ng_sim_point *point = NULL;
    size_t n = 0;
    *out = (ng_detect_frame){.width = s->width, .height = s->height, .label = s->label};
    take_frames(s, frames);
    ng_sim_points_background(s->points, o->raw_background[set % o->n_raw_background]);
    ng_status status = ng_sim_points_find(s->points, s->frames, o->c, &point, &n, err);
    if (status == NG_OK && n > s->room) {
        ng_particle *more = ng_realloc(s->particle, 2 * n, sizeof *more);
        status = more != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "no memory for %zu spots", n);
        s->particle = more != NULL ? more : s->particle;
        s->room = more != NULL ? 2 * n : s->room;
    }
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        if (is_inside(s, &point[i])) {
            put_particle(s, &point[i], &s->particle[out->n++]);
            s->particle[out->n - 1].background = o->raw_background[set % o->n_raw_background];
        }
    }
    if (out->n > 0) {
        qsort(s->particle, out->n, sizeof *s->particle, by_row);
    }
    for (size_t i = 0; i < out->n; i++) {
        s->particle[i].particle = (long)i + 1;
    }
    ng_spot_labels(s->particle, out->n, o->pixel_nm, LABEL_PX * s->ratio, s->width, s->height,
                   s->label);
    out->particle = s->particle;
    return status;
}

/* ---- before the movie ------------------------------------------------------------------------ */

static ng_status check_raw(const ng_movie_info *movie, const ng_detect_choices *c, ng_error *err)
{
    const ng_detect_options *o = &c->options;
    const ng_movie_info *raw = ng_movie_about(o->raw);
    const ng_sim_layout *layout = &o->pattern->layout;
    const size_t each = ng_sim_layout_frames(layout);
    if (raw->width != layout->width || raw->height != layout->height) {
        return NG_FAIL(err, NG_INVALID,
                       "the raw frames are %zu x %zu pixels large and the stripes are of frames of "
                       "%zu x %zu: they do not belong together (--raw-from, --pattern)",
                       raw->width, raw->height, layout->width, layout->height);
    }
    if (raw->frames != each * movie->frames) {
        return NG_FAIL(err, NG_INVALID,
                       "the movie has %zu frames, for which %zu raw frames are needed (%zu each); "
                       "there are %zu",
                       movie->frames, each * movie->frames, each, raw->frames);
    }
    if (movie->width * layout->height != movie->height * layout->width) {
        return NG_FAIL(err, NG_INVALID,
                       "the movie is %zu x %zu pixels large and the raw frames %zu x %zu: they do "
                       "not show the same field",
                       movie->width, movie->height, raw->width, raw->height);
    }
    if (o->n_raw_background != 1 && o->n_raw_background != movie->frames) {
        return NG_FAIL(err, NG_INVALID,
                       "the pattern file has the background of %zu sets and the movie has %zu "
                       "frames",
                       o->n_raw_background, movie->frames);
    }
    return NG_OK;
}

ng_status ng_raw_read_set(ng_movie *raw, size_t set, size_t each, size_t pixels, float *frames,
                          ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t k = 0; status == NG_OK && k < each; k++) {
        status = ng_movie_read(raw, set * each + k, frames + k * pixels, err);
    }
    return status;
}

/* Spots of a few late sets, which have most, at the height for the least share of false ones. */
static ng_status count_spots(ng_detect_choices *c, size_t width, size_t height, ng_error *err)
{
    ng_detect_options *o = &c->options;
    const ng_sim_layout *layout = &o->pattern->layout;
    const size_t each = ng_sim_layout_frames(layout), pixels = layout->width * layout->height;
    const size_t span = o->last - o->first + 1;
    ng_raw_spots *s = NULL;
    float *frames = NG_NEW(float, each *pixels);
    ng_status status = ng_raw_spots_create(c, width, height, &s, err);
    if (status == NG_OK && frames == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu raw frames", each);
    }
    for (size_t k = 0; status == NG_OK && k < PILOT_SETS && k < span; k++) {
        const size_t set = o->last - k * span / PILOT_SETS;
        ng_detect_frame f = {.n = 0};
        status = ng_raw_read_set(o->raw, set, each, pixels, frames, err);
        status = status == NG_OK ? ng_raw_spots_measure(s, frames, set, &f, err) : status;
        c->pilot_particles += f.n;
        c->pilot_frames++;
    }
    ng_free(frames);
    ng_raw_spots_destroy(s);
    return status;
}

ng_status ng_raw_choose(ng_movie *movie, ng_detect_choices *c, ng_warnings *warnings, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(movie);
    const ng_detect_options asked = c->options;
    ng_detect_options *o = &c->options;
    ng_sim_points *points = NULL;
    ng_status status = check_raw(info, c, err);
    if (status == NG_OK) {
        status = ng_sim_points_create(o->pattern, o->raw_background[0], &points, err);
    }
    if (status != NG_OK) {
        return status;
    }
    c->spot.raw_frames = ng_sim_layout_frames(&o->pattern->layout);
    c->background = o->raw_background[0];
    o->average_frames = 1;
    o->fit = true;
    o->false_per_frame = ng_spots_wanted_false(asked.false_per_frame, 0.0);
    o->c = isnan(asked.c) ? ng_sim_points_height(points, o->false_per_frame) : asked.c;
    status = count_spots(c, info->width, info->height, err);
    if (status == NG_OK && isnan(asked.false_per_frame) && c->pilot_frames > 0) {
        const double each = (double)c->pilot_particles / (double)c->pilot_frames;
        o->false_per_frame = ng_spots_wanted_false(asked.false_per_frame, each);
        o->c = isnan(asked.c) ? ng_sim_points_height(points, o->false_per_frame) : asked.c;
    }
    if (status == NG_OK && c->pilot_particles == 0) {
        ng_warnings_add(warnings, "no-particles",
                        "no spot stands out in %zu sets of raw frames; do raw frames and stripes "
                        "belong together?",
                        c->pilot_frames);
    }
    ng_sim_points_destroy(points);
    return status;
}
