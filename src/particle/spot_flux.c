/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intensities from another stack than the places: its size, its noise, its frames. */
#include "spot_internal.h"

#include <math.h>
#include <string.h>

enum { FRAMES = 4 };

/* As wide and as long as the movie, in its own pixels. */
static ng_status check_flux(const ng_movie_info *movie, const ng_movie_info *flux,
                            const ng_detect_options *o, ng_spot_choices *c, ng_error *err)
{
    const double nm = o->pixel_nm, other = flux->pixel_nm;
    if (!(other > 0.0)) {
        return NG_FAIL(err, NG_USAGE,
                       "the size of a pixel of the stack of intensities is not known: pass "
                       "--flux-pixel-nm");
    }
    const double wide = nm * (double)movie->width, high = nm * (double)movie->height;
    const double off_x = fabs(wide - other * (double)flux->width);
    const double off_y = fabs(high - other * (double)flux->height);
    if (fmax(off_x, off_y) > fmax(nm, other)) {
        return NG_FAIL(err, NG_INVALID,
                       "the movie is %.6g x %.6g nm large and the stack of intensities %.6g x %.6g "
                       "nm: they do not show the same field (--pixel-nm, --flux-pixel-nm)",
                       wide, high, other * (double)flux->width, other * (double)flux->height);
    }
    if (flux->frames % movie->frames != 0) {
        return NG_FAIL(err, NG_INVALID,
                       "the movie has %zu frames and the stack of intensities %zu, which is no "
                       "multiple of it",
                       movie->frames, flux->frames);
    }
    c->flux_frames = flux->frames / movie->frames;
    c->flux_pixel_nm = other;
    return NG_OK;
}

ng_status ng_flux_read(ng_movie *flux, size_t frame, size_t each, ng_image *page, ng_image *mean,
                       ng_error *err)
{
    const size_t n = mean->width * mean->height;
    memset(mean->pixel, 0, n * sizeof *mean->pixel);
    ng_status status = NG_OK;
    for (size_t k = 0; status == NG_OK && k < each; k++) {
        status = ng_movie_read(flux, frame * each + k, page->pixel, err);
        for (size_t i = 0; status == NG_OK && i < n; i++) {
            mean->pixel[i] += page->pixel[i] / (float)each;
        }
    }
    return status;
}

ng_status ng_flux_choose(ng_movie *movie, ng_detect_choices *out, ng_warnings *warnings,
                         ng_error *err)
{
    const ng_detect_options *o = &out->options;
    const ng_movie_info *info = ng_movie_about(o->flux);
    ng_image sample[FRAMES] = {{.pixel = NULL}};
    size_t n = 0;
    ng_image page = {0};
    ng_status status = check_flux(ng_movie_about(movie), info, o, &out->spot, err);
    status = status == NG_OK ? ng_image_create(info->width, info->height, &page, err) : status;
    const size_t span = o->last - o->first + 1, wanted = span < FRAMES ? span : FRAMES;
    for (size_t k = 0; status == NG_OK && k < wanted; k++) {
        /* late frames have most to tell */
        const size_t frame = o->last - k * span / 8;
        ng_image *mean = &sample[n++];
        status = ng_image_create(info->width, info->height, mean, err);
        if (status == NG_OK) {
            status = ng_flux_read(o->flux, frame, out->spot.flux_frames, &page, mean, err);
            (void)ng_image_mend(mean);
        }
    }
    if (status == NG_OK) {
        status = ng_spots_settle_flux(sample, n, out, warnings, err);
    }
    ng_image_free(&page);
    for (size_t k = 0; k < FRAMES; k++) {
        ng_image_free(&sample[k]);
    }
    return status;
}
