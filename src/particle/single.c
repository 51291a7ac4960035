/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Particles that are seen in one frame only: crystals that came and went, and false alarms. */
#include "link_internal.h"

#include <math.h>
#include <stdlib.h>

/* How far a particle stands out, in s.d.; 0 where the table does not say. */
static double significance(const ng_particle *p)
{
    const double s = p->intensity / p->intensity_se;
    return isfinite(s) ? s : isfinite(p->snr) ? p->snr : 0.0;
}

/* Significances of points that are linked, and of those that are not; both falling. */
typedef struct crowd {
    double *linked, *single; /* owned */
    size_t n_linked, n_singles;
} crowd;

static int falling(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

static bool sort_out(const ng_points *points, const ng_particles *particles, crowd *c)
{
    *c = (crowd){.linked = NG_NEW(double, points->n), .single = NG_NEW(double, points->n)};
    if (c->linked == NULL || c->single == NULL) {
        return false;
    }
    for (size_t k = 0; k < points->n; k++) {
        const double s = significance(&particles->item[points->item[k]]);
        if (points->previous[k] == NG_NONE && points->next[k] == NG_NONE) {
            c->single[c->n_singles++] = s;
        } else {
            c->linked[c->n_linked++] = s;
        }
    }
    qsort(c->linked, c->n_linked, sizeof *c->linked, falling);
    qsort(c->single, c->n_singles, sizeof *c->single, falling);
    return true;
}

/* Tracks of one point that are to be expected, if a particle ends at its first point as often as at
 * any later one. */
static double expected_singles(const ng_points *points)
{
    double births = 0.0, chances = 0.0, ends = 0.0;
    for (size_t k = 0; k < points->n; k++) {
        const bool first = points->previous[k] == NG_NONE, last = points->next[k] == NG_NONE;
        births += first && !last;
        if (!first && points->at[k] + 1 < points->n_frames) {
            chances += 1.0;
            ends += last;
        }
    }
    return ends < chances ? births * ends / (chances - ends) : 0.0;
}

ng_status ng_singles_weigh(const ng_points *points, const ng_particles *particles, double *least,
                           ng_error *err)
{
    crowd c;
    ng_status status = NG_OK;
    *least = (double)INFINITY;
    if (sort_out(points, particles, &c)) {
        const double expected = expected_singles(points);
        double best = 0.0;
        size_t real = 0; /* linked ones that stand out as much */
        for (size_t k = 0; k < c.n_singles; k++) {
            while (real < c.n_linked && c.linked[real] >= c.single[k]) {
                real++;
            }
            /* of k + 1 that would stay so many are right; those of one significance go together */
            const double right = expected * (double)real / (double)c.n_linked;
            const double won = 2.0 * right - (double)(k + 1);
            if (won > best && (k + 1 == c.n_singles || c.single[k + 1] < c.single[k])) {
                best = won;
                *least = c.single[k];
            }
        }
    } else {
        status = NG_FAIL(err, NG_MEMORY, "no memory to weigh %zu particles", points->n);
    }
    ng_free(c.linked);
    ng_free(c.single);
    return status;
}

bool ng_single_stays(const ng_particle *particle, double least)
{
    return significance(particle) >= least;
}
