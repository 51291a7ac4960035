/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of detection: frames of disks of known truth. */
#ifndef NUCGROW_DETECT_TEST_H
#define NUCGROW_DETECT_TEST_H

#include <nucgrow/detect.h>

#include "disk_scene.h"
#include "test_support.h"

typedef struct disk_frame {
    ng_image image;
    scene_disk disk[400];
    size_t n;
} disk_frame;

/* `n` disks of contrast 40 on 200, blur 1 px. */
static inline void make_frame(disk_frame *f, size_t side, size_t n, const double r_range[2],
                              double noise, uint64_t seed)
{
    gsl_rng *rng = ng_random_open(seed, 0);
    assert_int_equal(ng_image_create(side, side, &f->image, NULL), NG_OK);
    f->n = scene_place(f->disk, n, &f->image, r_range, 4.0, rng);
    scene_fill(&f->image, 200.0);
    for (size_t i = 0; i < f->n; i++) {
        scene_add_disk(&f->image, f->disk[i], 1.0, -40.0);
    }
    scene_add_noise(&f->image, noise, rng);
    ng_random_close(rng);
}

static inline ng_detect_options pixel_options(void)
{
    ng_detect_options o = ng_detect_defaults();
    o.pixel_nm = 1.0;
    o.frame_s = 1.0;
    return o;
}

/* Measure one frame; the detector owns what `out` borrows. */
static inline ng_detector *measure_frame(const ng_image *image, const ng_detect_options *o,
                                         ng_detect_frame *out)
{
    ng_detect_choices choices;
    ng_detector *detector = NULL;
    const ng_image *const window[] = {image};
    assert_int_equal(ng_detect_settle(image, 1, o, &choices, NULL, NULL), NG_OK);
    assert_int_equal(ng_detector_create(&choices, image->width, image->height, &detector, NULL),
                     NG_OK);
    assert_int_equal(ng_detector_measure(detector, window, 1, 0, out, NULL), NG_OK);
    return detector;
}

/* The particle nearest to a place, NULL beyond 2 px. */
static inline const ng_particle *particle_at(const ng_detect_frame *f, double x, double y)
{
    const ng_particle *best = NULL;
    double nearest = 2.0;
    for (size_t i = 0; i < f->n; i++) {
        const double d = hypot(f->particle[i].x_nm - x, f->particle[i].y_nm - y);
        if (d < nearest) {
            nearest = d;
            best = &f->particle[i];
        }
    }
    return best;
}

#endif
