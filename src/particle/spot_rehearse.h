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
 * that standard errors are what points scatter by from image to image. Warning:
 * rehearsal-few-points. */
NG_MUST_CHECK ng_status ng_rehearsal_settle(ng_rehearsal *rehearsal, ng_detect_choices *choices,
                                            ng_warnings *warnings, ng_error *err);
/* options.c and the height of candidates, such that so many false spots a frame of the movie pass;
 * `fit`: with fits, which options.fit then is. */
NG_MUST_CHECK ng_status ng_rehearsal_heights(ng_rehearsal *rehearsal, ng_detect_choices *choices,
                                             bool fit, double false_per_frame, ng_error *err);

#endif
