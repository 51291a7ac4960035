/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One frame: peaks of the filtered image, spots fitted to the raw pixels, those that lie together
 * at once; what is left over is searched again. */
#include "spot_frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_WIDTHS 0.5 /* nearer ones are one */
/* A spot beside a brighter one must have this share of its light: no real spot is a Gaussian. */
#define SKIRT_SHARE 0.12
/* Candidates below this share of the wanted significance are not worth a second look. */
#define HOPELESS 0.7
enum { FLUX_ROUNDS = 6, DROP_ROUNDS = 4, MOST_REACH = 127 };

size_t ng_spot_reach(double width)
{
    return (size_t)fmin(floor(4.0 * width + 1.5), MOST_REACH);
}

/* ---- making ------------------------------------------------------------------------------ */

void ng_spots_destroy(ng_spots *s)
{
    if (s == NULL) {
        return;
    }
    ng_image_free(&s->mended);
    ng_image_free(&s->seen);
    ng_image_free(&s->left);
    ng_image_free(&s->flux);
    ng_free(s->line);
    ng_free(s->bad);
    ng_free(s->flux_bad);
    ng_free(s->peak);
    ng_free(s->label);
    ng_free(s->spot);
    ng_free(s->second);
    ng_free(s->particle);
    ng_free(s->other);
    ng_free(s->parent);
    ng_free(s->size);
    ng_free(s->member);
    ng_free(s->x);
    ng_free(s->y);
    ng_free(s->pair);
    ng_grid_free(&s->grid);
    ng_spot_work_free(&s->work);
    ng_free(s);
}

static ng_status make_images(ng_spots *s, ng_error *err)
{
    ng_image *const image[] = {&s->mended, &s->seen, &s->left};
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < sizeof image / sizeof image[0]; i++) {
        status = ng_image_create(s->width, s->height, image[i], err);
    }
    return status;
}

ng_status ng_spots_create(const ng_detect_choices *choices, size_t width, size_t height,
                          ng_spots **out, ng_error *err)
{
    *out = NULL;
    ng_spots *s = NG_NEW(ng_spots, 1);
    if (s == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to measure spots");
    }
    s->choices = *choices;
    s->width = width;
    s->height = height;
    ng_spots_prepare_filter(s);
    ng_spot_ring_make((double)ng_spot_reach(choices->spot.width_px) + 0.5, &s->ring);
    ng_status status = make_images(s, err);
    s->line = NG_NEW(float, ng_blob_scratch(&s->filter, width));
    s->bad = NG_NEW(unsigned char, width *height);
    s->peak = NG_NEW(ng_blob_peak, ng_spots_most_peaks(s));
    s->label = NG_NEW(uint32_t, width * height);
    if (status == NG_OK &&
        (s->line == NULL || s->bad == NULL || s->peak == NULL || s->label == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for frames of %zu x %zu pixels", width, height);
    }
    if (status != NG_OK) {
        ng_spots_destroy(s);
        return status;
    }
    *out = s;
    return NG_OK;
}

void ng_spots_gather(ng_spots *spots, ng_spot_residual *residual)
{
    spots->work.residual = residual;
}

/* Grow one array; what it held stays. */
#define GROW(array, n)                                                                             \
    do {                                                                                           \
        void *more = ng_realloc(array, n, sizeof *(array));                                        \
        if (more == NULL) {                                                                        \
            return NG_FAIL(err, NG_MEMORY, "no memory for %zu spots in a frame", (size_t)(n));     \
        }                                                                                          \
        (array) = more;                                                                            \
    } while (0)

ng_status ng_spots_reserve(ng_spots *s, size_t n, ng_error *err)
{
    if (n <= s->room) {
        return NG_OK;
    }
    const size_t room = 2 * n;
    GROW(s->spot, room);
    GROW(s->second, room);
    GROW(s->particle, room);
    GROW(s->other, room);
    GROW(s->parent, room);
    GROW(s->size, room);
    GROW(s->member, room);
    GROW(s->x, room);
    GROW(s->y, room);
    s->room = room;
    return NG_OK;
}

/* ---- pixels ------------------------------------------------------------------------------ */

/* Bright on dark and finite, with a note of what was not; most movies are so already. `copy` and
 * `bad` are room. */
static ng_spot_view look_at(const ng_image *image, ng_polarity polarity, ng_image *copy,
                            unsigned char *bad)
{
    const size_t n = image->width * image->height;
    ng_spot_view v = {.image = *image};
    const bool finite = ng_image_range(image, &v.lowest, &v.highest);
    if (finite && polarity == NG_BRIGHT) {
        return v;
    }
    for (size_t i = 0; i < n; i++) {
        bad[i] = (unsigned char)(isfinite(image->pixel[i]) ? 0 : 1);
        copy->pixel[i] = (float)polarity * image->pixel[i];
    }
    v.image = *copy;
    if (!finite) {
        (void)ng_image_mend(copy);
        v.bad = bad;
    }
    (void)ng_image_range(copy, &v.lowest, &v.highest);
    return v;
}

static const ng_image *prepare(ng_spots *s, const ng_image *const *window, size_t n, size_t centre)
{
    const ng_polarity polarity = s->choices.options.polarity;
    s->view = look_at(window[centre], polarity, &s->mended, s->bad);
    if (n < 2 || s->choices.options.average_frames < 2) {
        return &s->view.image;
    }
    ng_image_mean(window, n, &s->seen);
    for (size_t i = 0; i < s->width * s->height; i++) {
        s->seen.pixel[i] *= (float)polarity;
    }
    (void)ng_image_mend(&s->seen);
    return &s->seen;
}

/* ---- candidates -------------------------------------------------------------------------- */

/* ---- what stays -------------------------------------------------------------------------- */

/* Those nearer than `within` to a spot that goes or comes are to be fitted anew. */
static void refresh(ng_spots *s, size_t index, double within)
{
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < within * within; k++) {
        const ng_spot_pair *p = &s->pair[k];
        s->spot[p->a].fresh = s->spot[p->a].fresh || p->b == index;
        s->spot[p->b].fresh = s->spot[p->b].fresh || p->a == index;
    }
}

/* The weaker of two that have moved onto each other. */
static void unite(ng_spots *s)
{
    const double w = s->choices.spot.width_px, same = SAME_WIDTHS * w;
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < pow(NG_SPOT_JOIN_WIDTHS * w, 2.0); k++) {
        ng_spot *a = &s->spot[s->pair[k].a], *b = &s->spot[s->pair[k].b];
        if (hypot(a->x - b->x, a->y - b->y) < same) {
            ng_spot *weaker = a->z < b->z ? a : b;
            weaker->z = 0.0;
        }
    }
}

/* Of two below that share their light the weaker one goes first: the other may be all of it. */
static void spare(ng_spots *s, double least)
{
    const double within = NG_SPOT_JOIN_WIDTHS * s->choices.spot.width_px;
    for (size_t k = 0; k < s->n_pairs && s->pair[k].d2 < within * within; k++) {
        ng_spot *a = &s->spot[s->pair[k].a], *b = &s->spot[s->pair[k].b];
        if (a->z > 0.0 && b->z > 0.0 && a->z < least && b->z < least) {
            ng_spot *stronger = a->z < b->z ? b : a;
            stronger->spared = true;
        }
    }
}

/* Drop those below; @return whether any is gone, or waits to be fitted without its neighbour. */
static bool drop(ng_spots *s, double least)
{
    size_t kept = 0, gone = 0;
    spare(s, least);
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->spot[i].z >= least) && !s->spot[i].spared) {
            refresh(s, i, NG_SPOT_JOIN_WIDTHS * s->choices.spot.width_px);
            gone++;
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->spot[i].z >= least || s->spot[i].spared) {
            s->spot[kept] = s->spot[i];
            s->spot[kept++].spared = false;
        }
    }
    s->n = kept;
    s->n_pairs = 0; /* they count other spots */
    return gone > 0;
}

/* Light of a near spot that a new one must not be a ripple of. */
typedef struct skirt {
    const ng_spot *spot;
    double most;
} skirt;

static void look_at_skirt(void *context, size_t index, double d2)
{
    skirt *k = context;
    (void)d2;
    k->most = fmax(k->most, k->spot[index].flux);
}

/* Search what the fitted spots leave of the frame. */
static ng_status search_rest(ng_spots *s, ng_error *err)
{
    const double w = s->choices.spot.width_px;
    const size_t before = s->n, total = s->width * s->height;
    memcpy(s->left.pixel, s->view.image.pixel, total * sizeof *s->left.pixel);
    for (size_t i = 0; i < s->n; i++) {
        ng_spot_draw(&s->spot[i], -1.0, ng_spot_reach(w), &s->left);
        s->x[i] = s->spot[i].x;
        s->y[i] = s->spot[i].y;
    }
    ng_status status = ng_spots_add_peaks(s, &s->left, true, err);
    if (status == NG_OK && before > 0) {
        status = ng_grid_fill(&s->grid, s->x, s->y, before, NG_SPOT_JOIN_WIDTHS * w, err);
    }
    size_t kept = before;
    for (size_t i = before; status == NG_OK && i < s->n; i++) {
        skirt k = {s->spot, 0.0};
        const ng_spot *candidate = &s->spot[i];
        if (before > 0) {
            ng_grid_near(&s->grid, candidate->x, candidate->y, NG_SPOT_JOIN_WIDTHS * w,
                         look_at_skirt, &k);
        }
        if (k.most > 0.0 && candidate->flux >= SKIRT_SHARE * k.most) {
            s->spot[kept++] = *candidate;
        }
    }
    s->n = kept;
    return status;
}

static ng_spot_scene scene_of(const ng_spots *s)
{
    const ng_spot_choices *c = &s->choices.spot;
    const double most = s->choices.most;
    return (ng_spot_scene){
        .image = &s->view.image,
        .bad = s->view.bad,
        .lowest = s->view.lowest,
        .highest = s->view.highest,
        .noise = ng_spot_noise_of(&c->noise),
        .most = isnan(most) || s->choices.options.polarity == NG_DARK ? (double)INFINITY : most,
        .width = c->width_px,
        .free_width = s->choices.options.free_width,
        .reach = ng_spot_reach(c->width_px)};
}

static ng_status fit_all(ng_spots *s, double least_z, ng_error *err)
{
    const ng_spot_scene scene = scene_of(s);
    ng_status status = ng_spots_fit_round(s, &scene, s->spot, false, err);
    if (status == NG_OK) {
        unite(s);
        (void)drop(s, HOPELESS * least_z);
        status = search_rest(s, err);
    }
    status = status == NG_OK ? ng_spots_fit_round(s, &scene, s->spot, false, err) : status;
    if (status == NG_OK) {
        unite(s);
        if (drop(s, least_z)) {
            status = ng_spots_fit_round(s, &scene, s->spot, true, err);
            (void)drop(s, least_z); /* what that took the light from */
        }
    }
    return status;
}

static int by_place(const void *left, const void *right)
{
    const ng_spot *a = left, *b = right;
    if (a->y != b->y) {
        return a->y < b->y ? -1 : 1;
    }
    return (a->x > b->x) - (a->x < b->x);
}

ng_status ng_spots_find(ng_spots *s, const ng_image *const *window, size_t n, size_t centre,
                        double least_z, const ng_spot **out, size_t *n_out, ng_error *err)
{
    const ng_image *seen = prepare(s, window, n, centre);
    s->n = 0;
    ng_status status = ng_spots_add_peaks(s, seen, false, err);
    if (status == NG_OK && s->choices.options.fit) {
        status = fit_all(s, least_z, err);
    } else if (status == NG_OK) {
        s->n_pairs = 0;
        (void)drop(s, least_z);
    }
    if (status == NG_OK && s->n > 1) {
        qsort(s->spot, s->n, sizeof *s->spot, by_place);
    }
    *out = s->spot;
    *n_out = s->n;
    return status;
}

/* ---- intensities from another stack ------------------------------------------------------ */

static ng_status use_flux(ng_spots *s, const ng_image *flux, ng_error *err)
{
    const ng_spot_choices *c = &s->choices.spot;
    const double ratio = s->choices.options.pixel_nm / c->flux_pixel_nm;
    if (s->flux.width != flux->width || s->flux.height != flux->height) {
        ng_image_free(&s->flux);
        ng_free(s->flux_bad);
        s->flux_bad = NG_NEW(unsigned char, flux->width * flux->height);
        ng_status status = ng_image_create(flux->width, flux->height, &s->flux, err);
        if (status != NG_OK || s->flux_bad == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory for a frame of intensities");
        }
    }
    const ng_spot_view v = look_at(flux, s->choices.options.polarity, &s->flux, s->flux_bad);
    const ng_spot_scene scene = {.image = &v.image,
                                 .bad = v.bad,
                                 .lowest = v.lowest,
                                 .highest = v.highest,
                                 .noise = ng_spot_noise_of(&c->flux_noise),
                                 .most = (double)INFINITY,
                                 .width = c->flux_width_px,
                                 .fixed_places = true,
                                 .reach = ng_spot_reach(c->flux_width_px)};
    ng_spot_ring around;
    ng_spot_ring_make((double)scene.reach + 0.5, &around);
    for (size_t i = 0; i < s->n; i++) {
        ng_spot *spot = &s->second[i];
        *spot = s->spot[i];
        spot->x = (s->spot[i].x + 0.5) * ratio - 0.5;
        spot->y = (s->spot[i].y + 0.5) * ratio - 0.5;
        spot->width = scene.width;
        spot->background = ng_spot_ring_level(&v.image, spot->x, spot->y, &around);
        spot->flux = spot->flux_var = 0.0;
        spot->fresh = true;
    }
    ng_status status = NG_OK;
    for (int round = 0; status == NG_OK && round < FLUX_ROUNDS; round++) {
        status = ng_spots_fit_round(s, &scene, s->second, false, err);
    }
    return status;
}

ng_status ng_spots_measure(ng_spots *s, const ng_image *const *window, size_t n, size_t centre,
                           const ng_image *flux, ng_detect_frame *out, ng_error *err)
{
    const ng_spot *found = NULL;
    const ng_image *raw = window[centre];
    *out = (ng_detect_frame){.width = raw->width, .height = raw->height, .pixel = raw->pixel};
    ng_status status =
        ng_spots_find(s, window, n, centre, s->choices.options.c, &found, &out->n, err);
    if (status == NG_OK && flux != NULL && s->n > 0) {
        status = use_flux(s, flux, err);
    }
    if (status == NG_OK && s->n > 0) {
        status =
            ng_spots_find_pairs(s, s->spot, NG_SPOT_CROWDED_WIDTHS * s->choices.spot.width_px, err);
    }
    if (status != NG_OK) {
        return status;
    }
    ng_spots_fill_table(s, flux != NULL ? s->second : s->spot);
    out->particle = s->particle;
    out->label = s->label;
    return NG_OK;
}
