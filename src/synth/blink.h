/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Light that goes on and off: a telegraph process. */
#ifndef NUCGROW_SYNTH_BLINK_H
#define NUCGROW_SYNTH_BLINK_H

#include <nucgrow/base.h>

#include <gsl/gsl_randist.h>

/* Mean lengths of bright and dark times; off_s 0: always on. */
typedef struct ng_synth_blink {
    double on_s, off_s;
    bool on;
    double until_s;
} ng_synth_blink;

/* In its stationary state at time 0. */
ng_synth_blink ng_synth_blink_start(double on_s, double off_s, gsl_rng *rng);
/* Part of a stretch of time in which it shines, exactly; stretches follow each other. */
double ng_synth_blink_part(ng_synth_blink *light, gsl_rng *rng, double from_s, double to_s);

#endif
