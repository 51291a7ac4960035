/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points that go dark, or bright, within a set: stripes are told apart from blinking by how far the
 * light of a frame falls. */
#include "points_internal.h"

#include <math.h>

#define BRIGHT 10.0 /* z from which on light is asked for frame by frame */
#define FALLS_TO 0.6
#define SURE 4.0 /* standard errors by which it must fall further */
#define LIT 0.5  /* of the brightest: frames whose mean is the flux */
#define MOST_PART 1.5

/* Light in each frame over that of the fit, and the inverse of its variance. */
static void light_of_frames(ng_sim_points *p, const ng_point *q, double *part, double *information)
{
    const ng_point_box box = ng_point_around(p, q->x, q->y, NG_POINT_REACH);
    const size_t n = ng_point_area(box), across = (size_t)(box.x1 - box.x0);
    double light[NG_SIM_MAX_FRAMES], by_x[NG_SIM_MAX_FRAMES], by_y[NG_SIM_MAX_FRAMES];
    ng_point_shine(p, q, light, by_x, by_y);
    ng_point_stamp(p, q->x, q->y, box, p->stamp);
    for (size_t f = 0; f < p->frames; f++) {
        const float *data = p->data + f * p->pixels, *mu = p->expected + f * p->pixels;
        for (size_t i = 0; i < n; i++) {
            const size_t at = ((size_t)box.y0 + i / across) * p->pattern.layout.width +
                              (size_t)box.x0 + i % across;
            p->weight[i] = p->stamp[i] / ng_larger(mu[at], p->least);
            p->rest[i] = data[at] - mu[at];
        }
        const double own = q->flux * light[f];
        information[f] = own * own * (double)ng_point_sum(p->weight, p->stamp, n);
        const double score = own * (double)ng_point_sum(p->weight, p->rest, n);
        part[f] = information[f] > 0 ? 1 + score / information[f] : 1;
    }
}

static bool falls(const ng_sim_points *p, const double *part, const double *information)
{
    for (size_t f = 0; f < p->frames; f++) {
        if ((FALLS_TO - part[f]) * sqrt(information[f]) > SURE) {
            return true;
        }
    }
    return false;
}

/* Parts of the mean of the frames in which it shines. */
static void take_parts(const ng_sim_points *p, ng_point *q, const double *part,
                       const double *information)
{
    double most = 0, sum = 0, weights = 0;
    for (size_t f = 0; f < p->frames; f++) { /* frames that tell it to a fifth */
        most = information[f] > 25 ? fmax(most, part[f]) : most;
    }
    for (size_t f = 0; f < p->frames; f++) {
        const double weight = part[f] > LIT * most ? information[f] : 0;
        sum += weight * part[f];
        weights += weight;
    }
    const double mean = weights > 0 && sum > 0 ? sum / weights : 1;
    q->flux *= mean;
    q->uneven = true;
    for (size_t f = 0; f < p->frames; f++) {
        q->part[f] = (float)fmin(fmax(part[f] / mean, 0), MOST_PART);
    }
}

bool ng_point_shares(ng_sim_points *p)
{
    double part[NG_SIM_MAX_FRAMES], information[NG_SIM_MAX_FRAMES];
    bool any = false;
    for (size_t i = 0; i < p->n; i++) {
        ng_point *q = &p->point[i];
        if (!(q->z > BRIGHT) || (q->state & NG_POINT_EVEN) != 0) {
            continue;
        }
        q->state |= NG_POINT_EVEN;
        light_of_frames(p, q, part, information);
        if (falls(p, part, information)) {
            ng_point_add(p, q, -1);
            take_parts(p, q, part, information);
            ng_point_add(p, q, 1);
            ng_point_wake(p, p->n, q->x, q->y);
            any = true;
        }
    }
    return any;
}
