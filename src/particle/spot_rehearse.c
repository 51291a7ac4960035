/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What false spots reach, and what spots scatter by: in frames of noise, or in images of a known
 * scene. */
#include "spot_rehearse.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
/* A pixel counts on less than so many photons above which it is as good as normal. */
#define MANY_PHOTONS 1e5
/* Points of the known scene stand out of its mean by so many s.d. of white noise: no bump of noise
 * lasts, and none of them is dim. */
#define POINT_FROM 30.0
/* Errors are taken at the height that lets so many false spots a frame through. */
#define SETTLED_FALSE 1.0
/* Pixels of a bright spot move together: each for itself has more noise than their sum tells.
 * Weights so far on the way from the gain of the sum to theirs (of logarithms) let light and places
 * scatter least. */
#define WAY (1.0 / 3.0)
/* Heights in a known scene are recorded from here on: there, noise is no white one. */
#define SCENE_LOW 0.5
#define NOISE_LOW 2.5
/* Candidates of noise that are fitted: for each that is let through, and in 2^18 pixels. */
#define CANDIDATES_EACH 8.0
#define CANDIDATES_MORE 40.0
/* What is found within so many widths of a point is that point. */
#define SAME_WIDTHS 2.0
#define SIZES_AGREE 0.01
enum {
    NOISE_LEAST = 128,
    NOISE_SIDE = 512,
    NOISE_PIXELS = 1 << 22,
    HEIGHTS = 1 << 18,
    TABLE = 1 << 16,
    REFERENCE = 80,
    LEAST_IMAGES = 2,
    MOST_IMAGES = 64,
    LEAST_POINTS = 12,
    ROUNDS = 4,
    HEIGHT_ROUNDS = 2
};

/* One point of the known scene, over all images. */
typedef struct point {
    double x, y;
    double n, flux, flux2, dx, dx2, dy, dy2; /* sums, places from x and y */
    double flux_var, place_var;              /* sums of what the fits claim */
} point;

struct ng_rehearsal {
    float *height; /* highest first once all are there */
    size_t n, room;
    double share; /* frames of the movie that have as many pixels as were looked at */
    double frame_pixels;
    ng_pixel_noise noise; /* of pixels */
    ng_image frame, scratch[2];
    /* frames of noise */
    float *table;
    gsl_rng *rng;
    /* a known scene; scratch[1] is the mean of its images */
    ng_movie *movie; /* borrowed; NULL: noise */
    size_t images;
    point *point;
    size_t points;
};

/* ---- frames of noise --------------------------------------------------------------------- */

/* Quantiles of the law of a pixel without spots, in even steps of probability. */
static void fill_table(const ng_pixel_noise *noise, float *table)
{
    const double sd = sqrt(noise->level), gain = noise->grain_px > 0.0 ? 0.0 : noise->gain;
    const double photons = noise->level / (gain * gain);
    if (!(gain > 1e-6 * sd) || photons > MANY_PHOTONS) {
        for (size_t i = 0; i < TABLE; i++) {
            table[i] = (float)(sd * gsl_cdf_ugaussian_Pinv(((double)i + 0.5) / TABLE));
        }
        return;
    }
    double below = 0.0, k = -1.0;
    for (size_t i = 0; i < TABLE; i++) {
        const double wanted = ((double)i + 0.5) / TABLE;
        while (below < wanted) {
            k += 1.0;
            below = gsl_cdf_poisson_P((unsigned)k, photons);
        }
        table[i] = (float)(gain * (k - photons));
    }
}

static void make_noise(ng_rehearsal *r)
{
    const ng_pixel_noise *noise = &r->noise;
    const size_t n = r->frame.width * r->frame.height;
    float *pixel = r->frame.pixel;
    for (size_t i = 0; i < n; i++) {
        const unsigned long bits = gsl_rng_get(r->rng);
        pixel[i] = r->table[bits % TABLE];
    }
    if (noise->grain_px > 0.0) {
        double square = 0.0;
        const float *smooth = r->scratch[1].pixel;
        ng_image_gaussian(&r->frame, noise->grain_px, r->scratch, r->scratch + 1);
        for (size_t i = 0; i < n; i++) {
            square += (double)(smooth[i] * smooth[i]);
        }
        const float scale = (float)sqrt(noise->level * (double)n / square);
        for (size_t i = 0; i < n; i++) {
            pixel[i] = scale * smooth[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        pixel[i] += (float)noise->background;
    }
}

static size_t side_between(size_t side, size_t least, size_t most)
{
    return side < least ? least : side > most ? most : side;
}

static ng_status open_noise(ng_rehearsal *r, const ng_detect_choices *c, size_t width,
                            size_t height, ng_error *err)
{
    const size_t w = side_between(width, NOISE_LEAST, NOISE_SIDE);
    const size_t h = side_between(height, NOISE_LEAST, NOISE_SIDE);
    r->noise = c->spot.noise;
    r->table = NG_NEW(float, TABLE);
    ng_status status = ng_image_create(w, h, &r->frame, err);
    for (int i = 0; status == NG_OK && i < 2; i++) {
        status = ng_image_create(w, h, &r->scratch[i], err);
    }
    if (status == NG_OK && r->table == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for frames of noise");
    }
    if (status == NG_OK) {
        fill_table(&r->noise, r->table);
    }
    return status;
}

/* ---- a known scene ----------------------------------------------------------------------- */

static ng_status check_movie(const ng_rehearsal *r, const ng_detect_choices *c, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(r->movie);
    const double nm = c->options.pixel_nm;
    if (info->frames < LEAST_IMAGES) {
        return NG_FAIL(err, NG_INVALID,
                       "the stack of a known scene (--rehearsal) holds %zu images; %d at least are "
                       "needed to tell what is noise",
                       info->frames, LEAST_IMAGES);
    }
    if (fabs(info->pixel_nm - nm) > SIZES_AGREE * nm) {
        return NG_FAIL(err, NG_INVALID,
                       "the pixels of the known scene (--rehearsal) are %.6g nm large and those of "
                       "the movie %.6g nm; it must be made as the movie was, or left out "
                       "(--rehearsal none)",
                       info->pixel_nm, nm);
    }
    return NG_OK;
}

/* Their mean; scratch[0] is used. */
static ng_status mean_image(ng_rehearsal *r, ng_image *mean, ng_error *err)
{
    const size_t n = mean->width * mean->height;
    ng_status status = NG_OK;
    for (size_t k = 0; status == NG_OK && k < r->images; k++) {
        status = ng_movie_read(r->movie, k, r->scratch->pixel, err);
        for (size_t i = 0; status == NG_OK && i < n; i++) {
            mean->pixel[i] += r->scratch->pixel[i] / (float)r->images;
        }
    }
    return status;
}

/* Variance of each pixel from image to image; scratch[0] is used. */
static ng_status variance_image(ng_rehearsal *r, const ng_image *mean, ng_image *variance,
                                ng_error *err)
{
    const size_t n = mean->width * mean->height;
    const float share = 1.0f / (float)(r->images - 1);
    ng_status status = NG_OK;
    for (size_t k = 0; status == NG_OK && k < r->images; k++) {
        status = ng_movie_read(r->movie, k, r->scratch->pixel, err);
        for (size_t i = 0; status == NG_OK && i < n; i++) {
            const float off = r->scratch->pixel[i] - mean->pixel[i];
            variance->pixel[i] += share * off * off;
        }
    }
    return status;
}

/* Level and gain of the pixels: level where there is no light, in three quarters of the field. */
static ng_status measure_noise(ng_rehearsal *r, const ng_image *mean, const ng_image *variance,
                               ng_error *err)
{
    const size_t n = mean->width * mean->height;
    float *sorted = r->scratch->pixel;
    memcpy(sorted, mean->pixel, n * sizeof *sorted);
    const float bright = ng_select(sorted, n, n / 4 * 3);
    double level = 0.0, light = 0.0, dark = 0.0, gain = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (mean->pixel[i] <= bright) {
            level += (double)variance->pixel[i];
            light += (double)mean->pixel[i];
            dark += 1.0;
        }
    }
    level /= dark;
    light /= dark;
    if (!(level > 0.0)) {
        return NG_FAIL(err, NG_INVALID,
                       "the images of the known scene (--rehearsal) are all the same; each must be "
                       "taken anew");
    }
    for (int round = 0; round < ROUNDS; round++) {
        double both = 0.0, square = 0.0;
        for (size_t i = 0; i < n; i++) {
            const double m = fmax((double)mean->pixel[i] - light, 0.0);
            const double weight = pow(level + gain * m, -2.0);
            both += weight * m * ((double)variance->pixel[i] - level);
            square += weight * m * m;
        }
        gain = square > 0.0 ? fmax(both / square, 0.0) : 0.0;
    }
    r->noise = (ng_pixel_noise){.level = level, .gain = gain, .background = light};
    return NG_OK;
}

static ng_status open_scene(ng_rehearsal *r, const ng_detect_choices *c, ng_error *err)
{
    const ng_movie_info *info = ng_movie_about(r->movie);
    ng_status status = check_movie(r, c, err);
    r->images = info->frames < MOST_IMAGES ? info->frames : MOST_IMAGES;
    status = status == NG_OK ? ng_image_create(info->width, info->height, &r->frame, err) : status;
    for (int i = 0; status == NG_OK && i < 2; i++) {
        status = ng_image_create(info->width, info->height, &r->scratch[i], err);
    }
    ng_image *const mean = &r->scratch[1], *const variance = &r->frame;
    status = status == NG_OK ? mean_image(r, mean, err) : status;
    status = status == NG_OK ? variance_image(r, mean, variance, err) : status;
    return status == NG_OK ? measure_noise(r, mean, variance, err) : status;
}

/* ---- making ------------------------------------------------------------------------------ */

ng_status ng_rehearsal_open(const ng_detect_choices *choices, size_t width, size_t height,
                            ng_rehearsal **out, ng_error *err)
{
    *out = NULL;
    ng_rehearsal *r = NG_NEW(ng_rehearsal, 1);
    if (r == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory to rehearse");
    }
    r->movie = choices->options.rehearsal;
    r->frame_pixels = (double)(width * height);
    r->height = NG_NEW(float, HEIGHTS);
    ng_status status =
        r->movie != NULL ? open_scene(r, choices, err) : open_noise(r, choices, width, height, err);
    if (status == NG_OK && r->height == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "no memory to rehearse");
    }
    if (status != NG_OK) {
        ng_rehearsal_close(r);
        return status;
    }
    *out = r;
    return NG_OK;
}

void ng_rehearsal_close(ng_rehearsal *r)
{
    if (r == NULL) {
        return;
    }
    ng_free(r->height);
    ng_free(r->table);
    ng_free(r->point);
    ng_random_close(r->rng);
    ng_image_free(&r->frame);
    ng_image_free(&r->scratch[0]);
    ng_image_free(&r->scratch[1]);
    ng_free(r);
}

ng_pixel_noise ng_rehearsal_noise(const ng_rehearsal *r)
{
    return r->noise;
}

/* ---- points of a known scene ------------------------------------------------------------- */

static ng_status find_points(ng_rehearsal *r, const ng_detect_choices *choices, ng_error *err)
{
    ng_detect_choices quiet = *choices;
    const ng_image *const window[] = {&r->scratch[1]};
    const ng_spot *found = NULL;
    ng_spots *spots = NULL;
    quiet.spot.noise.level = r->noise.level / (double)r->images;
    quiet.spot.noise.gain = r->noise.gain / (double)r->images;
    quiet.spot.dim = quiet.spot.noise.background;
    quiet.spot.candidate = POINT_FROM;
    quiet.options.fit = true;
    ng_status status = ng_spots_create(&quiet, r->frame.width, r->frame.height, &spots, err);
    if (status == NG_OK) {
        status = ng_spots_find(spots, window, 1, 0, POINT_FROM, &found, &r->points, err);
    }
    if (status == NG_OK) {
        ng_free(r->point);
        r->point = NG_NEW(point, r->points + 1);
        status = r->point != NULL ? NG_OK
                                  : NG_FAIL(err, NG_MEMORY, "no memory for %zu points", r->points);
    }
    for (size_t i = 0; status == NG_OK && i < r->points; i++) {
        r->point[i] = (point){.x = found[i].x, .y = found[i].y};
    }
    ng_spots_destroy(spots);
    return status;
}

/* The point that a spot is, or NULL. */
static point *point_at(const ng_rehearsal *r, double x, double y, double within)
{
    point *nearest = NULL;
    double best = within;
    for (size_t i = 0; i < r->points; i++) {
        point *p = &r->point[i];
        if (fabs(p->y - y) < best && hypot(p->x - x, p->y - y) < best) {
            best = hypot(p->x - x, p->y - y);
            nearest = p;
        }
    }
    return nearest;
}

static void add_to_point(point *p, const ng_spot *s)
{
    const double dx = s->x - p->x, dy = s->y - p->y;
    p->n += 1.0;
    p->flux += s->flux;
    p->flux2 += s->flux * s->flux;
    p->dx += dx;
    p->dx2 += dx * dx;
    p->dy += dy;
    p->dy2 += dy * dy;
    p->flux_var += s->flux_var;
    p->place_var += s->x_var + s->y_var;
}

/* ---- looking ----------------------------------------------------------------------------- */

static int falling(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    return (a < b) - (a > b);
}

/* What is found where nothing is, and at the points. */
static void sort_out(ng_rehearsal *r, const ng_spot *found, size_t n, double same)
{
    for (size_t i = 0; i < n; i++) {
        point *p = r->points > 0 ? point_at(r, found[i].x, found[i].y, same) : NULL;
        if (p != NULL && found[i].fitted && found[i].flux_var > 0.0) {
            add_to_point(p, &found[i]);
        } else if (p == NULL && r->n < HEIGHTS) {
            r->height[r->n++] = (float)found[i].z;
        }
    }
}

static void forget(ng_rehearsal *r)
{
    r->n = 0;
    for (size_t i = 0; i < r->points; i++) {
        r->point[i] = (point){.x = r->point[i].x, .y = r->point[i].y};
    }
}

/* Pixels of an image that are not a point's. */
static double free_pixels(const ng_rehearsal *r, double same)
{
    const double all = (double)(r->frame.width * r->frame.height);
    return fmax(all - PI * same * same * (double)r->points, 0.1 * all);
}

static ng_status rehearse(ng_rehearsal *r, const ng_detect_choices *choices, size_t pixels,
                          double least, ng_error *err)
{
    const double same = SAME_WIDTHS * choices->spot.width_px;
    const size_t each = r->frame.width * r->frame.height;
    const size_t images = r->movie != NULL ? r->images : pixels / each + 1;
    ng_detect_choices quiet = *choices;
    quiet.spot.dim = quiet.spot.noise.background;
    quiet.options.polarity = r->movie != NULL ? quiet.options.polarity : NG_BRIGHT;
    ng_spots *spots = NULL;
    forget(r);
    r->share = (double)images * free_pixels(r, same) / r->frame_pixels;
    r->rng = ng_random_open(1, 0);
    ng_status status = r->rng == NULL
                           ? NG_FAIL(err, NG_MEMORY, "no memory for random numbers")
                           : ng_spots_create(&quiet, r->frame.width, r->frame.height, &spots, err);
    for (size_t f = 0; status == NG_OK && f < images; f++) {
        const ng_image *const window[] = {&r->frame};
        const ng_spot *found = NULL;
        size_t n = 0;
        if (r->movie != NULL) {
            status = ng_movie_read(r->movie, f, r->frame.pixel, err);
        } else {
            make_noise(r);
        }
        status =
            status == NG_OK ? ng_spots_find(spots, window, 1, 0, least, &found, &n, err) : status;
        if (status == NG_OK) {
            sort_out(r, found, n, same);
        }
    }
    ng_random_close(r->rng);
    r->rng = NULL;
    ng_spots_destroy(spots);
    qsort(r->height, r->n, sizeof *r->height, falling);
    return status;
}

/* ---- heights ----------------------------------------------------------------------------- */

/* Expected number above z where `n` lie above `from`: regions of a smooth Gaussian field. */
static double beyond(double z, double n, double from, double steepness)
{
    return n * (z / from) * exp(-0.5 * steepness * (z * z - from * from));
}

/* Of the law of such a field, between the heights of rank `reference` and `far`. */
static double steepness_between(const ng_rehearsal *r, size_t reference, size_t far)
{
    const double from = (double)r->height[reference - 1], low = (double)r->height[far - 1];
    return from > low ? (log((double)far / (double)reference) + log(from / low)) /
                            (0.5 * (from * from - low * low))
                      : 1.0;
}

static double height_for(const ng_rehearsal *r, double false_per_frame, bool gaussian)
{
    const double wanted = false_per_frame * r->share;
    /* how steep the law is, is known of Gaussian noise only: others are counted as far as can be */
    const size_t last = r->movie != NULL ? REFERENCE / 10 : REFERENCE, far = 10 * last;
    const size_t reference = r->n < 2 * last ? r->n / 2 : last;
    if (reference < 2) {
        return NOISE_LOW;
    }
    if (wanted >= (double)reference) {
        const size_t rank = (size_t)fmin(wanted, (double)(r->n - 1));
        return (double)r->height[rank];
    }
    const double from = (double)r->height[reference - 1];
    double steepness = 1.0;
    if (r->movie != NULL) {
        steepness = steepness_between(r, reference, r->n < far ? r->n : far);
    } else if (!gaussian && r->n > far) {
        steepness = steepness_between(r, reference, far);
    }
    double a = from, b = fmax(40.0, 4.0 * from);
    while (b - a > 1e-6) {
        const double z = 0.5 * (a + b);
        if (beyond(z, (double)reference, from, steepness) > wanted) {
            a = z;
        } else {
            b = z;
        }
    }
    return b;
}

ng_status ng_rehearsal_heights(ng_rehearsal *r, ng_detect_choices *choices, bool fit,
                               double false_per_frame, ng_error *err)
{
    ng_detect_options *o = &choices->options;
    double *candidate = &choices->spot.candidate;
    const double wanted =
        CANDIDATES_EACH * false_per_frame + CANDIDATES_MORE * r->frame_pixels / (double)(1 << 18);
    o->fit = false;
    *candidate = r->movie != NULL ? SCENE_LOW : NOISE_LOW;
    ng_status status =
        rehearse(r, choices, fit ? NOISE_PIXELS / 4 : 2 * NOISE_PIXELS, *candidate, err);
    if (status == NG_OK && !fit) {
        o->c = height_for(r, false_per_frame, choices->spot.noise.gain == 0.0);
        *candidate = o->c;
    } else if (status == NG_OK) {
        o->fit = true;
        *candidate = height_for(r, wanted, true);
        status = rehearse(r, choices, (size_t)NOISE_PIXELS, 0.5 * *candidate, err);
        o->c = height_for(r, false_per_frame, true);
    }
    /* the higher it is, the sooner hopeless neighbours go, and those that stay stand out more */
    for (int round = 0; status == NG_OK && fit && r->movie != NULL && round < HEIGHT_ROUNDS;
         round++) {
        status = rehearse(r, choices, 0, o->c, err);
        o->c = fmax(o->c, height_for(r, false_per_frame, true));
    }
    return status;
}

/* ---- errors ------------------------------------------------------------------------------ */

static double variance_of(double n, double sum, double square)
{
    return (square - sum * sum / n) / (n - 1.0);
}

/* Level and gain of white noise that would make the light scatter as it does, L a + g F, with what
 * fits to noise of level 1 and no gain claim for a; each point is weighted by what it must scatter
 * by.
 * @return whether there were enough points */
static bool white_noise(const ng_rehearsal *r, double level, ng_pixel_noise *out)
{
    size_t used = 0;
    *out = (ng_pixel_noise){.level = level};
    for (int round = 0; round < ROUNDS; round++) {
        double aa = 0.0, af = 0.0, ff = 0.0, sa = 0.0, sf = 0.0;
        used = 0;
        for (size_t i = 0; i < r->points; i++) {
            const point *p = &r->point[i];
            if (p->n < 2.0) {
                continue;
            }
            const double a = p->flux_var / p->n / level, f = fmax(p->flux / p->n, 0.0);
            const double s = variance_of(p->n, p->flux, p->flux2);
            const double weight = (p->n - 1.0) * pow(out->level * a + out->gain * f, -2.0);
            aa += weight * a * a;
            af += weight * a * f;
            ff += weight * f * f;
            sa += weight * s * a;
            sf += weight * s * f;
            used++;
        }
        const double det = aa * ff - af * af;
        const double l = (sa * ff - sf * af) / det, g = (sf * aa - sa * af) / det;
        const bool both = l > 0.0 && g > 0.0;
        *out = (ng_pixel_noise){.level = both ? l : sa / aa, .gain = both ? g : 0.0};
    }
    return used >= LEAST_POINTS && out->level > 0.0;
}

/* A power of the light by which scatter differs from what is claimed; logarithms of variances from
 * few values are too low in the mean. */
typedef struct trend {
    double n, x, y, xx, xy, least, most;
} trend;

static void add_to_trend(trend *t, double flux, double freedom, double ratio)
{
    const double x = log(flux);
    const double y = log(ratio) - gsl_sf_psi(0.5 * freedom) + log(0.5 * freedom);
    t->n += freedom;
    t->x += freedom * x;
    t->y += freedom * y;
    t->xx += freedom * x * x;
    t->xy += freedom * x * y;
    t->least = t->least > 0.0 ? fmin(t->least, flux) : flux;
    t->most = fmax(t->most, flux);
}

static ng_spot_factor factor_of(const trend *t)
{
    const double spread = t->xx - t->x * t->x / t->n;
    const double power = spread > 1e-3 * t->n ? (t->xy - t->x * t->y / t->n) / spread : 0.0;
    return (ng_spot_factor){.least = t->least,
                            .most = t->most,
                            .power = power,
                            .dimmest = exp(t->y / t->n + power * (log(t->least) - t->x / t->n))};
}

static void set_factors(const ng_rehearsal *r, ng_spot_choices *c)
{
    trend light = {.n = 0.0}, place = {.n = 0.0};
    for (size_t i = 0; i < r->points; i++) {
        const point *p = &r->point[i];
        const double flux = p->flux / p->n, freedom = p->n - 1.0;
        if (p->n < 2.0 || !(flux > 0.0)) {
            continue;
        }
        const double moved = variance_of(p->n, p->dx, p->dx2) + variance_of(p->n, p->dy, p->dy2);
        const double of_light = variance_of(p->n, p->flux, p->flux2);
        add_to_trend(&light, flux, freedom, of_light * p->n / p->flux_var);
        add_to_trend(&place, flux, 2.0 * freedom, moved * p->n / p->place_var);
    }
    c->light = factor_of(&light);
    c->place = factor_of(&place);
    /* noise that says the truth of dim spots says it of false ones, too */
    const double dim = c->light.dimmest;
    c->noise.level *= dim;
    c->noise.gain *= dim;
    c->light.dimmest = 1.0;
    c->place.dimmest /= dim;
}

/* Points of all images, as spots are found in a movie with the noise of `choices`. */
static ng_status see_points(ng_rehearsal *r, const ng_detect_choices *choices, ng_error *err)
{
    ng_detect_choices trial = *choices;
    trial.options.free_width = false;
    ng_status status = ng_rehearsal_heights(r, &trial, true, SETTLED_FALSE, err);
    return status == NG_OK ? rehearse(r, &trial, 0, trial.options.c, err) : status;
}

ng_status ng_rehearsal_settle(ng_rehearsal *r, ng_detect_choices *choices, ng_warnings *warnings,
                              ng_error *err)
{
    ng_pixel_noise *noise = &choices->spot.noise, white;
    const double share = noise->gain / noise->level;
    ng_detect_choices even = *choices;
    even.spot.noise.gain = 0.0;
    ng_status status = find_points(r, choices, err);
    status = status == NG_OK ? see_points(r, &even, err) : status;
    if (status != NG_OK) {
        return status;
    }
    if (!white_noise(r, noise->level, &white)) {
        ng_warnings_add(warnings, "rehearsal-few-points",
                        "the known scene shows %zu points; %d at least are needed to tell errors: "
                        "those of light and places are too small",
                        r->points, LEAST_POINTS);
        noise->gain = 0.0; /* nothing shines in it */
        return NG_OK;
    }
    noise->level = white.level;
    noise->gain = white.gain > 0.0 ? white.gain * pow(share * white.level / white.gain, WAY) : 0.0;
    status = see_points(r, choices, err);
    if (status == NG_OK) {
        set_factors(r, &choices->spot);
    }
    return status;
}
