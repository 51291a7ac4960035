/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the cutoff that was given is that of the frames.
 *
 * Where both passbands see the same object, C_1(k') and C_0(k' - k) differ by c H(k')/H(k' - k),
 * whatever the object: its own spectrum cannot be taken for that of the optics. The likelihood of
 * this ratio, the object eliminated, is compared for optics whose cutoff is larger or smaller by
 * some factor.
 */
#include "pattern_internal.h"

/* Frequencies up to this part of the cutoff given on either side, but for the middle. */
#define PART 0.8
#define NOTCH 0.06
#define ROUNDS 3
/* Another cutoff than the one given is believed at so many standard deviations, */
#define DEVIATIONS 6
/* and worth a warning beyond this factor. */
#define FAR 1.1

/* For one factor: c, and the sums for it. */
typedef struct trial {
    double c[2], ab[2], aa, misfit;
} trial;

static void add(const ng_sim_bands *b, size_t index, double ha, double hb, trial *t)
{
    const ng_cf z0 = b->work[0][index], z1 = b->band1[index];
    const double n0 = ha * ha * b->noise0;
    const double v = hb * hb * b->noise1 + (t->c[0] * t->c[0] + t->c[1] * t->c[1]) * n0;
    if (!(v > 0)) {
        return;
    }
    const double ar = ha * (double)z0.re, ai = ha * (double)z0.im;
    const double br = hb * (double)z1.re, bi = hb * (double)z1.im;
    const double er = br - t->c[0] * ar + t->c[1] * ai, ei = bi - t->c[0] * ai - t->c[1] * ar;
    t->ab[0] += (ar * br + ai * bi) / v;
    t->ab[1] += (ar * bi - ai * br) / v;
    t->aa += (ar * ar + ai * ai - n0) / v;
    t->misfit += (er * er + ei * ei) / v;
}

static void add_all(const ng_sim_search *s, const ng_sim_bands *b, const double k[2],
                    trial trials[NG_SIM_CUTOFFS])
{
    const size_t w = s->plane.width, h = s->plane.height;
    const double most = PART * s->cutoff, least = NOTCH * s->cutoff;
    for (size_t y = 0; y < h; y++) {
        const double fy = ng_sim_bin(y, h), by = fy - k[1];
        for (size_t x = 0; x < w && fabs(fy) < most && fabs(by) < most; x++) {
            const double fx = ng_sim_bin(x, w), bx = fx - k[0];
            const double a = hypot(fx, fy), d = hypot(bx, by);
            if (a > least && d > least && a < most && d < most) {
                const double sinc[2] = {(double)(ng_sim_sinc((float)fx) * ng_sim_sinc((float)fy)),
                                        (double)(ng_sim_sinc((float)bx) * ng_sim_sinc((float)by))};
                for (int i = 0; i < NG_SIM_CUTOFFS; i++) {
                    const double factor = ng_sim_cutoff_factor(i);
                    add(b, y * w + x, sinc[0] * (double)ng_sim_radial(s, (float)(a / factor)),
                        sinc[1] * (double)ng_sim_radial(s, (float)(d / factor)), &trials[i]);
                }
            }
        }
    }
}

void ng_sim_cutoff_misfit(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e,
                          double misfit[NG_SIM_CUTOFFS])
{
    trial trials[NG_SIM_CUTOFFS];
    for (int i = 0; i < NG_SIM_CUTOFFS; i++) {
        trials[i] = (trial){.c = {e->value[2], e->value[3]}};
    }
    ng_sim_shifted(s, b->even, e->value[0], e->value[1], b->work[0]);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; round > 0 && i < NG_SIM_CUTOFFS; i++) {
            const double norm = trials[i].aa > 0 ? 1 / trials[i].aa : 0;
            trials[i] = (trial){.c = {norm * trials[i].ab[0], norm * trials[i].ab[1]}};
        }
        add_all(s, b, e->value, trials);
    }
    for (int i = 0; i < NG_SIM_CUTOFFS; i++) {
        misfit[i] = trials[i].misfit;
    }
}

double ng_sim_cutoff_best(const double misfit[NG_SIM_CUTOFFS])
{
    int best = 0;
    for (int i = 1; i < NG_SIM_CUTOFFS; i++) {
        best = misfit[i] < misfit[best] ? i : best;
    }
    const double worse = misfit[NG_SIM_CUTOFFS / 2] - misfit[best];
    return worse > DEVIATIONS * DEVIATIONS ? ng_sim_cutoff_factor(best) : 1;
}

void ng_sim_cutoff_warn(const ng_sim_pattern *pattern, ng_warnings *warnings)
{
    const ng_sim_optics *optics = &pattern->optics;
    const double factor = pattern->cutoff_seen;
    if (fabs(log(factor)) > log(FAR)) {
        ng_warnings_add(warnings, "cutoff",
                        "the bands fit a cutoff of the optics that is %s by %.0f %%: a wavelength "
                        "of about %.0f nm, or an aperture of %.2f; check --na, --wavelength-nm, "
                        "--pixel-nm, --otf, and whether pixels are saturated",
                        factor < 1 ? "lower" : "higher", 100 * fabs(factor - 1),
                        optics->wavelength_nm / factor, optics->na * factor);
    }
}
