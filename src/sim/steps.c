/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps from position to position of the stripes, from all frames of a direction together.
 *
 * With wrong steps a bit of C_0 and C_-1 is left in C_1. Where the passbands of C_0, moved by k,
 * and C_1 overlap, e = H(k' - k) C_1(k') - c H(k') C_0(k' - k) must be noise: phases and c are
 * found by Newton's steps on the likelihood sum |e|^2/v + ln v. C_1 is a sum of the frames, so that
 * what they hold of the object elsewhere is taken away by the right phases and need not be known.
 * What the noise of the frames adds to the sums is known and taken off.
 *
 * More than three frames also say by themselves whether three bands make them: what the best bands
 * leave of the frames, Q D with the projector Q, is noise when the phases are right.
 */
#include "pattern_internal.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 12
#define SETTLED_RAD 1e-4
#define UNEVEN 2
/* No step may be larger: the likelihood is not quadratic over more. */
#define MOST_STEP_RAD 0.5

typedef struct steps_work {
    const ng_sim_bands *b;
    size_t phases, n;                                  /* n: unknowns */
    ng_cf weight[NG_SIM_MAX_PHASES];                   /* of the frames in C_1 */
    ng_cf slope[NG_SIM_MAX_PHASES][NG_SIM_MAX_PHASES]; /* by phase q: [q][frame] */
    double c[2], noise, noise1;            /* powers of a frame's noise, and of that in C_1 */
    double noise_slope[NG_SIM_MAX_PHASES]; /* Re weight* slope, times noise */
    double noise_matrix[NG_SIM_MAX_PHASES][NG_SIM_MAX_PHASES];
    double band[3][NG_SIM_MAX_PHASES];                 /* of the frames in C_0, u, v */
    double left[NG_SIM_MAX_PHASES][NG_SIM_MAX_PHASES]; /* Q */
    double turn[NG_SIM_MAX_PHASES][2];                 /* frame q by phase q: of u, of v */
    double matrix[NG_SIM_MOST_UNKNOWN * NG_SIM_MOST_UNKNOWN], right[NG_SIM_MOST_UNKNOWN];
    double rest, points;
} steps_work;

static void weights_of(size_t phases, const double *phase, const double *intensity, ng_cf *out)
{
    double weight[3][NG_SIM_MAX_PHASES];
    ng_sim_frame_weights(phases, phase, intensity, weight);
    for (size_t p = 0; p < phases; p++) {
        out[p] = (ng_cf){(float)(0.5 * weight[1][p]), (float)(0.5 * weight[2][p])};
    }
}

static double noise_of(const steps_work *t, const ng_cf *a, const ng_cf *b)
{
    double sum = 0;
    for (size_t p = 0; p < t->phases; p++) {
        sum += (double)(a[p].re * b[p].re + a[p].im * b[p].im);
    }
    return sum * t->noise;
}

static void fill_weights(steps_work *t, const double *phase, const double *intensity)
{
    const double delta = 1e-2;
    double moved[NG_SIM_MAX_PHASES];
    ng_cf more[NG_SIM_MAX_PHASES], less[NG_SIM_MAX_PHASES];
    memcpy(moved, phase, sizeof moved);
    weights_of(t->phases, phase, intensity, t->weight);
    for (size_t q = 1; q < t->phases; q++) {
        moved[q] = phase[q] + delta;
        weights_of(t->phases, moved, intensity, more);
        moved[q] = phase[q] - delta;
        weights_of(t->phases, moved, intensity, less);
        moved[q] = phase[q];
        for (size_t p = 0; p < t->phases; p++) {
            t->slope[q][p] = (ng_cf){(more[p].re - less[p].re) / (float)(2 * delta),
                                     (more[p].im - less[p].im) / (float)(2 * delta)};
        }
    }
    t->noise1 = noise_of(t, t->weight, t->weight);
    for (size_t q = 1; q < t->phases; q++) {
        t->noise_slope[q] = noise_of(t, t->weight, t->slope[q]);
        for (size_t i = 1; i < t->phases; i++) {
            t->noise_matrix[q][i] = noise_of(t, t->slope[i], t->slope[q]);
        }
    }
}

/* Bands, projector and derivatives for these phases. */
static void fill_projector(steps_work *t, const double *phase, const double *intensity)
{
    ng_sim_frame_weights(t->phases, phase, intensity, t->band);
    for (size_t p = 0; p < t->phases; p++) {
        const double f = intensity[p], row[3] = {f, f * cos(phase[p]), -f * sin(phase[p])};
        t->turn[p][0] = -f * sin(phase[p]);
        t->turn[p][1] = -f * cos(phase[p]);
        for (size_t q = 0; q < t->phases; q++) {
            t->left[p][q] = p == q;
            for (int i = 0; i < 3; i++) {
                t->left[p][q] -= row[i] * t->band[i][q];
            }
        }
    }
}

/* What Q D at one frequency says of the phases. */
static void add_rest(steps_work *t, size_t index)
{
    double u[2] = {0, 0}, v[2] = {0, 0}, s[NG_SIM_MAX_PHASES][2], noise[3] = {0, 0, 0};
    for (size_t p = 0; p < t->phases; p++) {
        const ng_cf z = t->b->frame[p][index];
        u[0] += t->band[1][p] * (double)z.re, u[1] += t->band[1][p] * (double)z.im;
        v[0] += t->band[2][p] * (double)z.re, v[1] += t->band[2][p] * (double)z.im;
        noise[0] += t->band[1][p] * t->band[1][p];
        noise[1] += t->band[1][p] * t->band[2][p];
        noise[2] += t->band[2][p] * t->band[2][p];
    }
    for (size_t q = 1; q < t->phases; q++) {
        double rest[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            s[q][i] = t->turn[q][0] * u[i] + t->turn[q][1] * v[i];
        }
        for (size_t p = 0; p < t->phases; p++) {
            rest[0] += t->left[q][p] * (double)t->b->frame[p][index].re;
            rest[1] += t->left[q][p] * (double)t->b->frame[p][index].im;
        }
        t->right[1 + q] -= (s[q][0] * rest[0] + s[q][1] * rest[1]) / t->noise;
        for (size_t r = 1; r <= q; r++) {
            const double *a = t->turn[q], *b = t->turn[r];
            const double by_noise = a[0] * b[0] * noise[0] + a[1] * b[1] * noise[2] +
                                    (a[0] * b[1] + a[1] * b[0]) * noise[1];
            t->matrix[(1 + q) * t->n + 1 + r] +=
                t->left[q][r] * ((s[q][0] * s[r][0] + s[q][1] * s[r][1]) / t->noise - by_noise);
        }
    }
}

static ng_cf sum_of(const steps_work *t, const ng_cf *weight, size_t index)
{
    ng_cf sum = {0, 0};
    for (size_t p = 0; p < t->phases; p++) {
        const ng_cf z = ng_cf_mul(weight[p], t->b->frame[p][index]);
        sum.re += z.re;
        sum.im += z.im;
    }
    return sum;
}

static void add_point(void *context, const ng_sim_search *s, const ng_sim_point *p)
{
    steps_work *t = context;
    const double ha = (double)p->ha, hb = (double)p->hb;
    const double v =
        hb * hb * t->noise1 + (t->c[0] * t->c[0] + t->c[1] * t->c[1]) * ha * ha * s->mean_noise;
    const double ar = ha * (double)t->b->work[0][p->index].re;
    const double ai = ha * (double)t->b->work[0][p->index].im;
    const ng_cf c1 = sum_of(t, t->weight, p->index);
    const double er = hb * (double)c1.re - (t->c[0] * ar - t->c[1] * ai);
    const double ei = hb * (double)c1.im - (t->c[0] * ai + t->c[1] * ar);
    double jr[NG_SIM_MOST_UNKNOWN] = {-ar, ai}, ji[NG_SIM_MOST_UNKNOWN] = {-ai, -ar};
    for (size_t q = 1; q < t->phases; q++) {
        const ng_cf g = sum_of(t, t->slope[q], p->index);
        jr[1 + q] = hb * (double)g.re;
        ji[1 + q] = hb * (double)g.im;
    }
    for (size_t i = 0; i < t->n; i++) {
        t->right[i] += (jr[i] * er + ji[i] * ei) / v;
        for (size_t j = 0; j <= i; j++) {
            t->matrix[i * t->n + j] += (jr[i] * jr[j] + ji[i] * ji[j]) / v;
        }
    }
    const double of_a = ha * ha * s->mean_noise / v, of_c1 = hb * hb / v;
    for (size_t i = 0; i < 2; i++) {
        t->right[i] -= t->c[i] * of_a;
        t->matrix[i * t->n + i] -= of_a;
    }
    for (size_t q = 1; q < t->phases; q++) {
        t->right[1 + q] -= of_c1 * t->noise_slope[q];
        for (size_t i = 1; i <= q; i++) {
            t->matrix[(1 + q) * t->n + 1 + i] -= of_c1 * t->noise_matrix[q][i];
        }
    }
    if (t->phases > 3) {
        add_rest(t, p->index);
    }
    t->rest += (er * er + ei * ei) / v;
    t->points++;
}

static bool solve(const ng_sim_search *s, steps_work *t, const ng_sim_estimate *e, double *inverse)
{
    memset(t->matrix, 0, sizeof t->matrix);
    memset(t->right, 0, sizeof t->right);
    t->rest = t->points = 0;
    ng_sim_each_point(s, e->value[0], e->value[1], add_point, t);
    for (size_t i = 0; i < t->n; i++) {
        for (size_t j = 0; j < i; j++) {
            t->matrix[j * t->n + i] = t->matrix[i * t->n + j];
        }
    }
    return ng_sim_invert(t->n, t->matrix, inverse);
}

/* Errors of arg c + phi_p without what arg c has by itself, which k's search tells. */
static void fill_errors(const steps_work *t, const double *inverse, double *phase_se)
{
    /* Noise of the bright pixels is not even, and the edges leave some; twice the variance is what
     * it comes to. */
    const double scale = 0.5 * UNEVEN * fmax(t->rest / t->points, 1);
    const double c2 = t->c[0] * t->c[0] + t->c[1] * t->c[1];
    const double alone = 1 / (0.5 * (t->matrix[0] + t->matrix[t->n + 1]) * c2);
    for (size_t p = 0; p < t->phases; p++) {
        double by[NG_SIM_MOST_UNKNOWN] = {-t->c[1] / c2, t->c[0] / c2}, variance = 0;
        by[1 + p] += p > 0 ? 1 : 0;
        for (size_t i = 0; i < t->n; i++) {
            for (size_t j = 0; j < t->n; j++) {
                variance += by[i] * by[j] * inverse[i * t->n + j];
            }
        }
        phase_se[p] = sqrt(scale * fmax(variance - alone, 0));
    }
}

bool ng_sim_steps(const ng_sim_search *s, ng_sim_bands *b, const double *intensity,
                  const ng_sim_estimate *e, double *phase, double *phase_se)
{
    const size_t phases = s->layout->phases;
    steps_work t = {.b = b, .phases = phases, .n = phases + 1, .c = {e->value[2], e->value[3]}};
    double inverse[NG_SIM_MOST_UNKNOWN * NG_SIM_MOST_UNKNOWN];
    ng_sim_shifted(s, s->mean, e->value[0], e->value[1], b->work[0]);
    for (size_t p = 0; p < phases; p++) {
        t.noise += ng_sim_noise_power(s, b->frame[p]) / (double)phases;
        phase_se[p] = HUGE_VAL;
    }
    for (int step = 0; step < MOST_STEPS; step++) {
        double move[NG_SIM_MOST_UNKNOWN] = {0}, far = 0;
        fill_weights(&t, phase, intensity);
        fill_projector(&t, phase, intensity);
        if (!solve(s, &t, e, inverse)) {
            return false;
        }
        for (size_t i = 0; i < t.n; i++) {
            for (size_t j = 0; j < t.n; j++) {
                move[i] -= inverse[i * t.n + j] * t.right[j];
            }
            far = i > 1 ? fmax(far, fabs(move[i])) : far;
        }
        const double damp = far > MOST_STEP_RAD ? MOST_STEP_RAD / far : 1;
        for (size_t i = 0; i < t.n; i++) {
            *(i < 2 ? &t.c[i] : &phase[i - 1]) += damp * move[i];
        }
        if (far < SETTLED_RAD) {
            fill_errors(&t, inverse, phase_se);
            return true;
        }
    }
    return false;
}
