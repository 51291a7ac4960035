/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chemical potential of a monomer in an n-mer, its maximum, critical sizes, free energy. */
#include <nucgrow/physics.h>

#include <math.h>

#define BLOCK 128

double ng_potential(const ng_growth_parameters *p, double delta, double n)
{
    double mu_kT = (double)NAN;
    ng_potential_table(p, delta, n, 1, &mu_kT);
    return mu_kT;
}

void ng_potential_table(const ng_growth_parameters *p, double delta, double n_first, size_t count,
                        double *mu_kT)
{
    double edge_gain[BLOCK], face_gain[BLOCK];
    for (size_t from = 0; from < count; from += BLOCK) {
        const size_t size = count - from < BLOCK ? count - from : BLOCK;
        const double n_block = n_first + (double)from;
        ng_shape_site_gain_table(n_block, size, delta, edge_gain, face_gain);
        for (size_t i = 0; i < size; i++) {
            mu_kT[from + i] = face_gain[i] * p->eps_f + edge_gain[i] * p->eps_e -
                              p->alpha4 * log1p(1 / (n_block + (double)i));
        }
    }
}

double ng_potential_gibbs_thomson(const ng_growth_parameters *p, double delta, double n)
{
    if (!(n >= 1) || !(delta >= NG_DELTA_MIN && delta <= NG_DELTA_MAX)) {
        return (double)NAN;
    }
    const double h = 1 - delta / 2;
    const double edge_scale = cbrt(12 / (8 - 24 * h * h * h)); /* s / n^(1/3) of a large particle */
    return 2.0 / 3.0 * (4 - 6 * h * h) * edge_scale * edge_scale * p->eps_f / cbrt(n);
}

double ng_free_energy(const ng_growth_parameters *p, double delta, double supersaturation,
                      double n)
{
    if (!(supersaturation > 0)) {
        return (double)NAN;
    }
    return ng_shape_face_sites(n, delta) * p->eps_f + ng_shape_edge_sites(n, delta) * p->eps_e -
           p->alpha4 * log(n) - (n - 1) * log(supersaturation);
}

/* mu_n for successive integers, made in blocks: a scan of any length without allocation. */
struct potential_walk {
    const ng_growth_parameters *p;
    double delta;
    double n;      /* size of the value given last */
    double n_last; /* end of the range */
    size_t at;
    double mu_kT[BLOCK];
};

static struct potential_walk walk_open(const ng_growth_parameters *p, double delta, double n_min,
                                       double n_max)
{
    return (struct potential_walk){
        .p = p, .delta = delta, .n = ceil(n_min) - 1, .n_last = floor(n_max), .at = BLOCK};
}

/* False at the end of the range, and at once when an argument is not in the domain. */
static bool walk_next(struct potential_walk *walk, double *mu_kT)
{
    if (!(walk->n + 1 <= walk->n_last)) {
        return false;
    }
    if (walk->at == BLOCK) {
        ng_potential_table(walk->p, walk->delta, walk->n + 1, BLOCK, walk->mu_kT);
        walk->at = 0;
    }
    walk->n += 1;
    *mu_kT = walk->mu_kT[walk->at++];
    return !isnan(*mu_kT);
}

ng_potential_maximum ng_potential_find_maximum(const ng_growth_parameters *p, double delta,
                                               double n_min, double n_max)
{
    ng_potential_maximum best = {.found = false, .n = (double)NAN, .mu_kT = (double)NAN};
    struct potential_walk walk = walk_open(p, delta, n_min, n_max);
    double before = (double)NAN, here = (double)NAN, after = (double)NAN;
    while (walk_next(&walk, &after)) {
        if (here > before && here >= after && !(here <= best.mu_kT)) {
            best = (ng_potential_maximum){.found = true, .n = walk.n - 1, .mu_kT = here};
        }
        before = here;
        here = after;
    }
    return best;
}

const char *ng_potential_regime(const ng_potential_maximum *maximum, double supersaturation)
{
    if (!(supersaturation > 1)) {
        return "undersaturation";
    }
    const bool above = maximum->found && log(supersaturation) > maximum->mu_kT;
    return above ? "hypersaturation" : "supersaturation";
}

/* The maximum, or the higher end of the range where mu_n has none inside. */
static double size_at_peak(const ng_growth_parameters *p, double delta, double n_min,
                           double n_max)
{
    const ng_potential_maximum maximum = ng_potential_find_maximum(p, delta, n_min, n_max);
    if (maximum.found) {
        return maximum.n;
    }
    const double first = ceil(n_min), last = floor(n_max);
    return ng_potential(p, delta, first) >= ng_potential(p, delta, last) ? first : last;
}

void ng_potential_critical_sizes(const ng_growth_parameters *p, double delta,
                                 double supersaturation, double n_min, double n_max,
                                 double *n_star, double *n_star2)
{
    *n_star = *n_star2 = (double)NAN;
    if (!(supersaturation > 0)) {
        return;
    }
    const double level = log(supersaturation);
    const double peak = size_at_peak(p, delta, n_min, n_max);
    struct potential_walk walk = walk_open(p, delta, n_min, n_max);
    double here = (double)NAN, after = (double)NAN;
    while (isnan(*n_star2) && walk_next(&walk, &after)) {
        const double crossing = walk.n - 1 + (level - here) / (after - here);
        if (walk.n <= peak && here < level && level <= after) {
            *n_star = crossing;
        } else if (walk.n > peak && here >= level && level > after) {
            *n_star2 = crossing;
        }
        here = after;
    }
}
