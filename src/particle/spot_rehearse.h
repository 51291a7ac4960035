/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames in which it is known what is there go the same way as the movie's: what is found beside it
 * is false. Either noise that is made for it, or images of a known scene (options.rehearsal). */
#ifndef NUCGROW_SPOT_REHEARSE_H
#define NUCGROW_SPOT_REHEARSE_H

#include "spot_internal.h"

typedef struct ng_rehearsal ng_rehearsal;

/* For frames of this size. `choices` are those so far: what noise is to be made; of a known scene
 * only the size of a pixel matters. @return NG_MEMORY; NG_INVALID for images that do not go with
 * the movie, and what reading them says */
NG_MUST_CHECK ng_status ng_rehearsal_open(const ng_detect_choices *choices, size_t width,
                                          size_t height, ng_rehearsal **out, ng_error *err);
void ng_rehearsal_close(ng_rehearsal *rehearsal); /* NULL is fine */
/* Of a known scene: noise of its pixels, as if it were white. */
ng_pixel_noise ng_rehearsal_noise(const ng_rehearsal *rehearsal);
/* Of a known scene, with that noise and the width of spots: scale the noise, and fill factors, such
 * that standard errors are what points scatter by from image to image. */
NG_MUST_CHECK ng_status ng_rehearsal_settle(ng_rehearsal *rehearsal, ng_detect_choices *choices,
                                            ng_error *err);
/* Look for false spots from `least` s.d. on; in so many pixels of noise at least, or in all images
 * of the known scene. */
NG_MUST_CHECK ng_status ng_rehearse(ng_rehearsal *rehearsal, const ng_detect_choices *choices,
                                    size_t pixels, double least, ng_error *err);
/* The height above which so many a frame of the movie were found. `gaussian`: made noise is, and
 * behind a linear filter, so that the steepness of its law is known. */
double ng_rehearsal_height(const ng_rehearsal *rehearsal, double false_per_frame, bool gaussian);
/* Heights are asked for from here on. */
#define NG_REHEARSED_FROM 2.5

#endif
