/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What single frames say: their light, and where their stripes lie.
 *
 * With S(k') from the mean of all frames, a frame is F_p = f_p H(k') [S(k') + m/2 e^{i phi_p}
 * S(k' - k) + m/2 e^{-i phi_p} S(k' + k)]: three real numbers, f_p and the stripes' cosine and
 * sine, by least squares over the frequencies at which all three are known. The stripes cannot
 * be left out of it: few bright points lie on them as they happen to, and make a frame brighter
 * by percents. Everything is multiplied by H(k' - k) H(k' + k) instead of dividing. Source of
 * the idea that one frame holds its own phase: Wicker et al., Opt. Express 21, 2032 (2013).
 */
#include "pattern_internal.h"

#include <math.h>

#define NOTCH 0.05
#define LEAST_TRANSFER 0.02F

typedef struct normal {
    double matrix[3][3], noise[3]; /* noise: what it adds to the diagonal */
    double right[NG_SIM_MAX_PHASES][3], data[NG_SIM_MAX_PHASES];
    double n;
} normal;

static void add_frames(normal *t, size_t phases, ng_cf *const frame[], size_t i, float hh, double v,
                       const ng_cf x[3])
{
    for (int a = 0; a < 3; a++) {
        for (int c = 0; c < 3; c++) {
            t->matrix[a][c] += (double)(x[a].re * x[c].re + x[a].im * x[c].im) / v;
        }
    }
    for (size_t p = 0; p < phases; p++) {
        const ng_cf z = {hh * frame[p][i].re, hh * frame[p][i].im};
        for (int a = 0; a < 3; a++) {
            t->right[p][a] += (double)(x[a].re * z.re + x[a].im * z.im) / v;
        }
        t->data[p] += (double)ng_cf_norm(z) / v;
    }
    t->n++;
}

static void add_all(const ng_sim_search *s, const ng_sim_bands *b, const double k[2], double noise,
                    normal *t)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const float notch = (float)(NOTCH * s->cutoff);
    for (size_t y = 0; y < h; y++) {
        const float fy = (float)ng_sim_bin(y, h);
        for (size_t x = 0; x < w; x++) {
            const float fx = (float)ng_sim_bin(x, w);
            const size_t i = y * w + x;
            const float minus = hypotf(fx - (float)k[0], fy - (float)k[1]);
            const float plus = hypotf(fx + (float)k[0], fy + (float)k[1]);
            const float hm = ng_sim_transfer_at(s, fx - (float)k[0], fy - (float)k[1]);
            const float hp = ng_sim_transfer_at(s, fx + (float)k[0], fy + (float)k[1]);
            const float ha = s->transfer[i];
            if (ha < LEAST_TRANSFER || hm < LEAST_TRANSFER || hp < LEAST_TRANSFER ||
                hypotf(fx, fy) < notch || minus < notch || plus < notch) {
                continue;
            }
            const ng_cf m = b->work[0][i], q = b->work[1][i], even = s->mean_spectrum[i];
            const float a = ha * hp, c = ha * hm, hh = hm * hp;
            const ng_cf term[3] = {{hh * even.re, hh * even.im},
                                   {a * m.re + c * q.re, a * m.im + c * q.im},
                                   {c * q.im - a * m.im, a * m.re - c * q.re}};
            const double v = (double)(hh * hh) * noise + (double)(a * a + c * c) * s->mean_noise;
            add_frames(t, s->layout->phases, b->frame, i, hh, v, term);
            t->noise[0] += (double)(hh * hh) * s->mean_noise / v;
            t->noise[1] += (double)(a * a + c * c) * s->mean_noise / v;
            t->noise[2] += (double)(a * a + c * c) * s->mean_noise / v;
        }
    }
}

void ng_sim_singles(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e,
                    ng_sim_single *single)
{
    const size_t phases = s->layout->phases;
    const double k[2] = {e->value[0], e->value[1]};
    normal t = {.n = 0};
    double inverse[3][3] = {{0}};
    ng_sim_shifted(s, s->mean, k[0], k[1], b->work[0]);
    ng_sim_shifted(s, s->mean, -k[0], -k[1], b->work[1]);
    double noise = 0;
    for (size_t p = 0; p < phases; p++) {
        noise += ng_sim_noise_power(s, b->frame[p]) / (double)phases;
    }
    add_all(s, b, k, noise, &t);
    for (int i = 0; i < 3; i++) {
        t.matrix[i][i] -= fmin(t.noise[i], 0.5 * t.matrix[i][i]);
    }
    const bool solved = t.n > 20 && ng_sim_invert3(t.matrix, inverse);
    for (size_t p = 0; p < phases; p++) {
        double x[3] = {0};
        for (int i = 0; solved && i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                x[i] += inverse[i][j] * t.right[p][j];
            }
        }
        double rest = t.data[p];
        for (int i = 0; i < 3; i++) {
            rest -= x[i] * t.right[p][i];
        }
        /* Noise of the bright pixels is not even; half as much again is what it comes to. */
        const double scale = 1.5 * fmax(rest / (2 * t.n), 0.5);
        const double size = hypot(x[1], x[2]);
        single[p] = (ng_sim_single){1, HUGE_VAL, 0, HUGE_VAL};
        if (solved && size > 0 && x[0] > 0) {
            single[p].light = x[0];
            single[p].light_se = sqrt(scale * inverse[0][0]);
            single[p].phase = atan2(x[2], x[1]);
            single[p].phase_se = sqrt(scale * 0.5 * (inverse[1][1] + inverse[2][2])) / size;
        }
    }
}
