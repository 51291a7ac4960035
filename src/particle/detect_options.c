/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/detect.h>

#include <math.h>
#include <string.h>

ng_detect_options ng_detect_defaults(void)
{
    return (ng_detect_options){.kind = NG_DETECT_DISK,
                               .polarity = NG_DARK,
                               .pixel_nm = (double)NAN,
                               .frame_s = (double)NAN,
                               .first = 0,
                               .last = SIZE_MAX,
                               .denoise = NG_DENOISE_GAUSSIAN,
                               .smooth_px = (double)NAN,
                               .average_frames = 1,
                               .form = NG_THRESHOLD_SIGMA,
                               .window_px = (double)NAN,
                               .t = (double)NAN,
                               .offset_counts = 0.0,
                               .c = (double)NAN,
                               .false_per_frame = (double)NAN,
                               .min_area_px = (double)NAN,
                               .min_contrast = (double)NAN,
                               .split = true,
                               .fit = true,
                               .blur_px = (double)NAN,
                               .drift = false,
                               .filter = NG_BLOB_LOG,
                               .free_width = false,
                               .gain = (double)NAN,
                               .flux = NULL,
                               .flux_blur_px = (double)NAN};
}

/* The published chain: noise removal, adaptive binarisation relative to the local mean, small
 * components removed, sizes from counted pixels. */
static void set_kim(ng_detect_options *o)
{
    o->form = NG_THRESHOLD_RELATIVE;
    o->denoise = NG_DENOISE_GAUSSIAN;
    o->smooth_px = 1.0;
    o->t = 0.15;
    o->min_area_px = 6.0;
    o->fit = false;
}

ng_status ng_detect_preset(const char *name, ng_detect_options *options, ng_error *err)
{
    if (strcmp(name, "kim") == 0) {
        set_kim(options);
    } else if (strcmp(name, "auto") != 0) {
        return NG_FAIL(err, NG_USAGE, "'%s' is not a preset of detection; there are auto and kim",
                       name);
    }
    return NG_OK;
}
