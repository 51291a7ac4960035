/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames go through in batches: read in order, measured on all threads, handed on in order. */
#include "spot_internal.h"

#include <math.h>
#include <string.h>

/* Pixels of the frames of one batch, and frames of it for each thread. */
#define BATCH_PIXELS ((size_t)1 << 23)
enum { BATCH_PER_THREAD = 16 };
/* A correlation whose peak stands out less says nothing. */
#define LEAST_DRIFT_PEAK 6.0

/* One measured frame of a batch. */
typedef struct measured {
    ng_particle *particle; /* owned, as is label */
    uint32_t *label;
    size_t n, room;
    ng_shift shift; /* since the frame before */
} measured;

typedef struct worker {
    ng_detector *detector;
    ng_drift *drift;
    ng_image mended[2]; /* for the drift of frames whose pixels are not all finite */
} worker;

typedef struct stream {
    ng_movie *movie;
    const ng_detect_choices *choices;
    size_t width, height;
    size_t threads, half, batch;
    ng_image *frame; /* a ring without a turn: batch + 2 half images, shifted after each batch */
    size_t loaded_first, loaded; /* number of the first frame held, how many are held */
    size_t end;                  /* first frame that is not there */
    ng_image *flux, flux_page;   /* of the batch: where intensities come from; NULL without */
    float *raw;                  /* sets of the batch, one after the other; NULL without */
    size_t raw_pixels;           /* of a raw frame */
    measured *slot;
    ng_disk_table *table;
    worker *worker;
    size_t first; /* of the batch */
    double drift_x, drift_y;
    size_t weak_shifts;
    ng_error broken; /* why there is no frame `end` */
    double sum_radius_nm, sum_se_nm, sum_intensity;
    size_t with_se;
    ng_detect_summary *summary;
} stream;

/* ---- making ------------------------------------------------------------------------------ */

static void stream_free(stream *s)
{
    for (size_t i = 0; s->frame != NULL && i < s->batch + 2 * s->half; i++) {
        ng_image_free(&s->frame[i]);
    }
    for (size_t i = 0; s->flux != NULL && i < s->batch; i++) {
        ng_image_free(&s->flux[i]);
    }
    for (size_t i = 0; s->slot != NULL && i < s->batch; i++) {
        ng_free(s->slot[i].particle);
        ng_free(s->slot[i].label);
    }
    for (size_t i = 0; s->worker != NULL && i < s->threads; i++) {
        ng_detector_destroy(s->worker[i].detector);
        ng_drift_destroy(s->worker[i].drift);
        ng_image_free(&s->worker[i].mended[0]);
        ng_image_free(&s->worker[i].mended[1]);
    }
    ng_image_free(&s->flux_page);
    ng_free(s->flux);
    ng_free(s->raw);
    ng_disk_table_destroy(s->table);
    ng_free(s->frame);
    ng_free(s->slot);
    ng_free(s->worker);
}

static ng_status make_workers(stream *s, ng_error *err)
{
    const bool disks = s->choices->options.kind == NG_DETECT_DISK;
    ng_status status = disks ? ng_disk_table_create(&s->table, err) : NG_OK;
    for (size_t i = 0; status == NG_OK && i < s->threads; i++) {
        status = ng_detector_create_with(s->table, s->choices, s->width, s->height,
                                         &s->worker[i].detector, err);
        if (status == NG_OK && s->choices->options.drift) {
            status = ng_drift_create(s->width, s->height, &s->worker[i].drift, err);
        }
        const bool spots = s->choices->options.kind == NG_DETECT_SPOT;
        for (int k = 0; status == NG_OK && s->worker[i].drift != NULL && spots && k < 2; k++) {
            status = ng_image_create(s->width, s->height, &s->worker[i].mended[k], err);
        }
    }
    return status;
}

static ng_status make_slots(stream *s, ng_error *err)
{
    for (size_t i = 0; i < s->batch; i++) {
        s->slot[i].label = NG_NEW(uint32_t, s->width * s->height);
        if (s->slot[i].label == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", s->batch);
        }
    }
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < s->batch + 2 * s->half; i++) {
        status = ng_image_create(s->width, s->height, &s->frame[i], err);
    }
    return status;
}

static ng_status make_flux(stream *s, ng_error *err)
{
    if (s->choices->options.flux == NULL) {
        return NG_OK;
    }
    const ng_movie_info *info = ng_movie_about(s->choices->options.flux);
    s->flux = NG_NEW(ng_image, s->batch);
    ng_status status = s->flux == NULL
                           ? NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", s->batch)
                           : ng_image_create(info->width, info->height, &s->flux_page, err);
    for (size_t i = 0; status == NG_OK && i < s->batch; i++) {
        status = ng_image_create(info->width, info->height, &s->flux[i], err);
    }
    return status;
}

static ng_status make_raw(stream *s, ng_error *err)
{
    const size_t each = s->choices->spot.raw_frames;
    if (each == 0) {
        return NG_OK;
    }
    s->raw = NG_NEW(float, s->batch *each * s->raw_pixels);
    return s->raw != NULL
               ? NG_OK
               : NG_FAIL(err, NG_MEMORY, "no memory for %zu raw frames", s->batch * each);
}

static ng_status stream_make(stream *s, const ng_run *run, ng_error *err)
{
    const ng_detect_options *o = &s->choices->options;
    const size_t frames = o->last - o->first + 1;
    s->threads = (size_t)ng_run_threads(run);
    s->threads = s->threads < frames ? s->threads : frames;
    s->half = (size_t)o->average_frames / 2;
    s->half = o->drift && s->half == 0 ? 1 : s->half;
    if (s->choices->spot.raw_frames > 0) {
        const ng_movie_info *raw = ng_movie_about(o->raw);
        s->raw_pixels = raw->width * raw->height;
    }
    s->batch = BATCH_PIXELS / (s->width * s->height + s->choices->spot.raw_frames * s->raw_pixels);
    s->batch = s->batch > BATCH_PER_THREAD * s->threads ? BATCH_PER_THREAD * s->threads : s->batch;
    s->batch = s->batch < s->threads ? s->threads : s->batch;
    s->batch = s->batch < frames ? s->batch : frames;
    s->frame = NG_NEW(ng_image, s->batch + 2 * s->half);
    s->slot = NG_NEW(measured, s->batch);
    s->worker = NG_NEW(worker, s->threads);
    if (s->frame == NULL || s->slot == NULL || s->worker == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu frames", s->batch);
    }
    s->first = s->loaded_first = o->first;
    s->end = o->last + 1;
    ng_status status = make_workers(s, err);
    status = status == NG_OK ? make_flux(s, err) : status;
    status = status == NG_OK ? make_raw(s, err) : status;
    return status == NG_OK ? make_slots(s, err) : status;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Keep what the next batch looks back on. */
static void forget(stream *s)
{
    const size_t wanted = s->first > s->choices->options.first + s->half
                              ? s->first - s->half
                              : s->choices->options.first;
    const size_t gone = wanted - s->loaded_first;
    for (size_t i = gone; i < s->loaded; i++) {
        const ng_image t = s->frame[i - gone];
        s->frame[i - gone] = s->frame[i];
        s->frame[i] = t;
    }
    s->loaded -= gone;
    s->loaded_first = wanted;
}

/* Frames of the other stack; one that cannot be read ends the movie, too. */
static void load_flux(stream *s)
{
    const size_t each = s->choices->spot.flux_frames;
    for (size_t i = 0; s->flux != NULL && i < s->batch && s->first + i < s->end; i++) {
        if (ng_flux_read(s->choices->options.flux, s->first + i, each, &s->flux_page, &s->flux[i],
                         &s->broken) != NG_OK) {
            s->end = s->first + i;
            return;
        }
    }
}

static void load_raw(stream *s)
{
    const size_t each = s->choices->spot.raw_frames;
    for (size_t i = 0; s->raw != NULL && i < s->batch && s->first + i < s->end; i++) {
        if (ng_raw_read_set(s->choices->options.raw, s->first + i, each, s->raw_pixels,
                            s->raw + i * each * s->raw_pixels, &s->broken) != NG_OK) {
            s->end = s->first + i;
            return;
        }
    }
}

/* Up to the last frame that the batch looks ahead to; a frame that cannot be read ends the
 * movie. Spots look at the pixels that are not finite, and leave them out. */
static void load(stream *s)
{
    const bool mend = s->choices->options.kind == NG_DETECT_DISK;
    forget(s);
    while (s->loaded_first + s->loaded < s->end &&
           s->loaded_first + s->loaded < s->first + s->batch + s->half) {
        const size_t index = s->loaded_first + s->loaded;
        ng_image *image = &s->frame[s->loaded];
        if (ng_movie_read(s->movie, index, image->pixel, &s->broken) != NG_OK) {
            s->end = index;
            return;
        }
        s->summary->mended_pixels += mend ? ng_image_mend(image) : 0;
        s->loaded++;
    }
    load_flux(s);
    load_raw(s);
}

/* ---- measuring --------------------------------------------------------------------------- */

static ng_status keep(measured *slot, const ng_detect_frame *f, ng_error *err)
{
    if (f->n > slot->room) {
        ng_particle *more = ng_realloc(slot->particle, 2 * f->n, sizeof *more);
        if (more == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu particles in a frame", f->n);
        }
        slot->particle = more;
        slot->room = 2 * f->n;
    }
    if (f->n > 0) {
        memcpy(slot->particle, f->particle, f->n * sizeof *f->particle);
    }
    memcpy(slot->label, f->label, f->width * f->height * sizeof *f->label);
    slot->n = f->n;
    return NG_OK;
}

enum { MOST_WINDOW = 1001 };

static ng_shift drift_between(worker *w, const ng_image *before, const ng_image *after)
{
    if (w->mended[0].pixel == NULL) {
        return ng_drift_measure(w->drift, before, after);
    }
    const ng_image *const from[2] = {before, after};
    for (int k = 0; k < 2; k++) {
        memcpy(w->mended[k].pixel, from[k]->pixel,
               from[k]->width * from[k]->height * sizeof *from[k]->pixel);
        (void)ng_image_mend(&w->mended[k]);
    }
    return ng_drift_measure(w->drift, &w->mended[0], &w->mended[1]);
}

static ng_status measure(void *context, size_t index, int who, ng_error *err)
{
    stream *s = context;
    const size_t frame = s->first + index, at = frame - s->loaded_first;
    const size_t low = at > s->half ? at - s->half : 0;
    const size_t high = at + s->half < s->loaded ? at + s->half : s->loaded - 1;
    const ng_image *window[MOST_WINDOW];
    ng_detect_frame f;
    for (size_t i = low; i <= high; i++) {
        window[i - low] = &s->frame[i];
    }
    worker *w = &s->worker[who];
    ng_detector_flux(w->detector, s->flux != NULL ? &s->flux[index] : NULL);
    if (s->raw != NULL) {
        ng_detector_raw(w->detector, s->raw + index * s->choices->spot.raw_frames * s->raw_pixels,
                        frame);
    }
    ng_status status = ng_detector_measure(w->detector, window, high - low + 1, at - low, &f, err);
    if (status != NG_OK) {
        return status;
    }
    s->slot[index].shift = (ng_shift){.peak = (double)INFINITY};
    if (w->drift != NULL && at > 0) {
        s->slot[index].shift = drift_between(w, &s->frame[at - 1], &s->frame[at]);
    }
    return keep(&s->slot[index], &f, err);
}

/* ---- handing on -------------------------------------------------------------------------- */

static void count(stream *s, const measured *slot)
{
    ng_detect_summary *t = s->summary;
    t->frames++;
    t->particles += slot->n;
    for (size_t i = 0; i < slot->n; i++) {
        const ng_particle *p = &slot->particle[i];
        t->edge += (p->flag & NG_FLAG_EDGE) != 0;
        t->crowded += (p->flag & NG_FLAG_CROWDED) != 0;
        t->no_fit += (p->flag & NG_FLAG_NO_FIT) != 0;
        t->saturated += (p->flag & NG_FLAG_SATURATED) != 0;
        t->split += (p->flag & NG_FLAG_SPLIT) != 0;
        t->bad_pixel += (p->flag & NG_FLAG_BAD_PIXEL) != 0;
        t->joint += (p->flag & NG_FLAG_JOINT) != 0;
        s->sum_radius_nm += p->radius_nm;
        s->sum_intensity += p->intensity;
        if (isfinite(p->radius_se_nm)) {
            s->sum_se_nm += p->radius_se_nm;
            s->with_se++;
        }
    }
}

static void place(stream *s, size_t frame, measured *slot)
{
    const ng_detect_options *o = &s->choices->options;
    if (o->drift && slot->shift.peak >= LEAST_DRIFT_PEAK) {
        s->drift_x += slot->shift.x_px * o->pixel_nm;
        s->drift_y += slot->shift.y_px * o->pixel_nm;
    } else if (o->drift) {
        s->weak_shifts++;
    }
    for (size_t i = 0; i < slot->n; i++) {
        ng_particle *p = &slot->particle[i];
        p->frame = (long)frame;
        p->time_s = frame > 0 ? (double)frame * o->frame_s : 0.0;
        p->x_nm = p->x_raw_nm - s->drift_x;
        p->y_nm = p->y_raw_nm - s->drift_y;
    }
}

static ng_status hand_on(stream *s, size_t n, ng_detect_sink *sink, void *context, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < n; i++) {
        measured *slot = &s->slot[i];
        const size_t frame = s->first + i;
        if (s->choices->options.kind == NG_DETECT_SPOT) {
            s->summary->mended_pixels += ng_image_mend(&s->frame[frame - s->loaded_first]);
        }
        place(s, frame, slot);
        const ng_detect_frame f = {.frame = frame,
                                   .width = s->width,
                                   .height = s->height,
                                   .pixel = s->frame[frame - s->loaded_first].pixel,
                                   .particle = slot->particle,
                                   .n = slot->n,
                                   .label = slot->label};
        status = sink(context, &f, err);
        if (status == NG_OK) {
            count(s, slot);
        }
    }
    return status;
}

static ng_status batches(stream *s, ng_detect_sink *sink, void *context, const ng_run *run,
                         ng_error *err)
{
    const size_t first = s->first, total = s->end - first;
    ng_run quiet = ng_run_defaults();
    quiet.threads = (int)s->threads;
    ng_status status = NG_OK;
    while (status == NG_OK && s->first < s->end) {
        load(s);
        const size_t left = s->end - s->first, n = left < s->batch ? left : s->batch;
        status = ng_parallel_for(n, measure, s, &quiet, "detect", err);
        if (status == NG_OK) {
            status = hand_on(s, n, sink, context, err);
        }
        s->first += n;
        if (status == NG_OK && !ng_run_progress(run, "detect", s->first - first, total)) {
            status = NG_FAIL(err, NG_CANCELLED, "stopped after %zu of %zu frames", s->first - first,
                             total);
        }
    }
    return status;
}

/* ---- the call ---------------------------------------------------------------------------- */

static void conclude(stream *s, ng_warnings *warnings)
{
    ng_detect_summary *t = s->summary;
    t->mean_radius_nm = t->particles > 0 ? s->sum_radius_nm / (double)t->particles : (double)NAN;
    t->mean_intensity = t->particles > 0 ? s->sum_intensity / (double)t->particles : (double)NAN;
    t->radius_se_nm = s->with_se > 0 ? s->sum_se_nm / (double)s->with_se : (double)NAN;
    if (s->weak_shifts > 0) {
        ng_warnings_add(warnings, "drift-unknown",
                        "%zu frames do not resemble the one before: no drift was taken out there",
                        s->weak_shifts);
    }
    if (t->mended_pixels > 0) {
        const bool spots = s->choices->options.kind == NG_DETECT_SPOT;
        ng_warnings_add(warnings, "mended-pixels", "%zu pixels were not finite and were %s",
                        t->mended_pixels,
                        spots ? "left out of the fits" : "replaced by the median of their frame");
    }
}

ng_status ng_detect_movie(ng_movie *movie, const ng_detect_choices *choices, ng_detect_sink *sink,
                          void *context, const ng_run *run, ng_detect_summary *summary,
                          ng_warnings *warnings, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(movie);
    stream s = {.movie = movie,
                .choices = choices,
                .width = info->width,
                .height = info->height,
                .summary = summary};
    *summary = (ng_detect_summary){.frames = 0};
    if (choices->options.average_frames > MOST_WINDOW - 2) {
        return NG_FAIL(err, NG_USAGE, "--average-frames is %ld; at most %d are possible",
                       choices->options.average_frames, MOST_WINDOW - 2);
    }
    ng_status status = stream_make(&s, run, err);
    if (status == NG_OK) {
        status = batches(&s, sink, context, run, err);
    }
    conclude(&s, warnings);
    stream_free(&s);
    if (status == NG_OK && s.broken.status != NG_OK) {
        status = s.broken.status;
        if (err != NULL) {
            *err = s.broken;
        }
    }
    return status;
}
