/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stripes to a thousandth of a bin.
 *
 * Where the passbands of C_0, moved by k, and C_1 overlap, both show the same object:
 * B = H(k' - k) C_1(k') and A = H(k') C_0(k' - k) obey B = c A but for the noise of either, whose
 * variance is v = H(k' - k)^2 N_1 + |c|^2 H(k')^2 N_0. Sum |B - c A|^2/v is -ln likelihood with the
 * object eliminated; a plain regression of B on A would take the noise of A for signal and read a
 * modulation that is too small. Newton's steps in (kx, ky, Re c, Im c) on u = (B - c A)/sqrt(v).
 *
 * Near the edges of the frame neither side is right. B - c A is therefore weighted with a window in
 * space after H has been applied; a taper before it would shift k outwards by some thousandths of a
 * bin, since the slopes of the two H differ. For the derivatives of u the simpler way is enough.
 */
#include "pattern_internal.h"

#include <math.h>
#include <string.h>

/* Left out around the middle of each band, in units of the cutoff: background, edges, and what
 * phases that are not quite equal leave of the other band. */
#define NOTCH 0.06
/* Less transfer than this on either side is noise only. */
#define LEAST_TRANSFER 0.01F
#define MOST_STEPS 30
/* A step below this share of the standard error changes nothing. */
#define STEP_DONE 0.02
/* Of the curvature, this much may be noise; a bolder correction makes Newton's steps overshoot. */
#define MOST_BIAS 0.4

/* image exp(2 pi i k r), not yet transformed. */
static void modulate(const ng_sim_search *s, const float *image, double kx, double ky, ng_cf *out)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const double cx = 0.5 * ((double)s->layout->width - 1);
    const double cy = 0.5 * ((double)s->layout->height - 1);
    const double step_re = cos(2 * NG_SIM_PI * kx), step_im = sin(2 * NG_SIM_PI * kx);
    for (size_t y = 0; y < h; y++) {
        const double turn = 2 * NG_SIM_PI * remainder(ky * ((double)y - cy) - kx * cx, 1);
        double re = cos(turn), im = sin(turn);
        for (size_t x = 0; x < w; x++) {
            const float value = image[y * w + x];
            out[y * w + x] = (ng_cf){value * (float)re, value * (float)im};
            const double next = re * step_re - im * step_im;
            im = re * step_im + im * step_re;
            re = next;
        }
    }
}

void ng_sim_shifted(const ng_sim_search *s, const float *image, double kx, double ky, ng_cf *out)
{
    modulate(s, image, kx, ky, out);
    ng_sim_plane_forward(&s->plane, out);
}

/* A and its derivatives by kx and ky, without H, windowed: work[0], [1], [2]. */
static void slopes(const ng_sim_search *s, ng_sim_bands *b, double kx, double ky)
{
    const size_t w = s->plane.width;
    const double cx = 0.5 * ((double)s->layout->width - 1);
    const double cy = 0.5 * ((double)s->layout->height - 1);
    modulate(s, b->even, kx, ky, b->work[0]);
    memset(b->work[1], 0, w * s->plane.height * sizeof *b->work[1]);
    memset(b->work[2], 0, w * s->plane.height * sizeof *b->work[2]);
    for (size_t y = 0; y < s->layout->height; y++) {
        const float ty = (float)(2 * NG_SIM_PI * ((double)y - cy));
        for (size_t x = 0; x < s->layout->width; x++) {
            const float tx = (float)(2 * NG_SIM_PI * ((double)x - cx));
            const float window = s->window_x[x] * s->window_y[y];
            const size_t i = y * w + x;
            const ng_cf z = {window * b->work[0][i].re, window * b->work[0][i].im};
            b->work[0][i] = z;
            b->work[1][i] = (ng_cf){-tx * z.im, tx * z.re};
            b->work[2][i] = (ng_cf){-ty * z.im, ty * z.re};
        }
    }
    for (int i = 0; i < 3; i++) {
        ng_sim_plane_forward(&s->plane, b->work[i]);
    }
}

/* ---- sums over the overlap ---- */

void ng_sim_each_point(const ng_sim_search *s, double kx, double ky, ng_sim_visit *call,
                       void *context)
{
    const size_t w = s->plane.width, h = s->plane.height;
    const float notch = (float)(NOTCH * s->cutoff), cutoff = (float)s->cutoff;
    const bool pixel = s->optics->measured == NULL;
    const float delta = 1e-3F * cutoff;
    for (size_t y = 0; y < h; y++) {
        const float fy = (float)ng_sim_bin(y, h), by = fy - (float)ky;
        if (fabsf(fy) >= cutoff || fabsf(by) >= cutoff) {
            continue;
        }
        const float sy = pixel ? ng_sim_sinc(by) : 1;
        for (size_t x = 0; x < w; x++) {
            const float fx = (float)ng_sim_bin(x, w), bx = fx - (float)kx;
            const float a = sqrtf(fx * fx + fy * fy), d = sqrtf(bx * bx + by * by);
            ng_sim_point p = {.index = y * w + x, .ha = s->transfer[y * w + x]};
            if (a < notch || d < notch || d >= cutoff || p.ha < LEAST_TRANSFER) {
                continue;
            }
            const float sinc = sy * (pixel ? ng_sim_sinc(bx) : 1);
            p.hb = sinc * ng_sim_radial(s, d);
            if (p.hb < LEAST_TRANSFER) {
                continue;
            }
            const float slope =
                sinc * (ng_sim_radial(s, d + delta) - ng_sim_radial(s, d - delta)) / (2 * delta);
            p.slope_x = -slope * bx / d;
            p.slope_y = -slope * by / d;
            call(context, s, &p);
        }
    }
}

typedef struct sums {
    ng_sim_bands *b;
    int kept; /* derivative of u that is kept in b->keep[2], u itself in [1]; -1: none */
    double c[2];
    double ab[2], aa, noise; /* of A* B/v, |A|^2/v, and its noise */
    double bb, noise_b, n;   /* likewise of B; frequencies */
    double gradient[4], matrix[4][4], bias[4];
} sums;

static void add_overlap(void *context, const ng_sim_search *s, const ng_sim_point *p)
{
    (void)s;
    sums *t = context;
    const ng_cf a = t->b->work[0][p->index], b = t->b->band1[p->index];
    const double c2 = t->c[0] * t->c[0] + t->c[1] * t->c[1];
    const double ha = (double)p->ha, hb = (double)p->hb;
    const double v = hb * hb * t->b->noise1 + c2 * ha * ha * t->b->noise0;
    const ng_cf ab = ng_cf_mulc(a, b);
    t->ab[0] += ha * hb * (double)ab.re / v;
    t->ab[1] += ha * hb * (double)ab.im / v;
    t->aa += ha * ha * (double)ng_cf_norm(a) / v;
    t->noise += ha * ha * t->b->noise0 / v;
    t->bb += hb * hb * (double)ng_cf_norm(b) / v;
    t->noise_b += hb * hb * t->b->noise1 / v;
    t->n++;
}

/* Sums need the noise's variance, which needs c: three rounds are enough, and one to tell whether
 * there is anything. */
static void solve_amplitude(const ng_sim_search *s, ng_sim_bands *b, int rounds, ng_sim_estimate *e)
{
    for (int round = 0; round < rounds; round++) {
        sums t = {.b = b, .kept = -1, .c = {e->value[2], e->value[3]}};
        ng_sim_each_point(s, e->value[0], e->value[1], add_overlap, &t);
        e->overlap = fmax(t.aa - t.noise, 1e-3 * t.aa);
        e->value[2] = e->overlap > 0 ? t.ab[0] / e->overlap : 0;
        e->value[3] = e->overlap > 0 ? t.ab[1] / e->overlap : 0;
        const double signal = fmax(t.bb - t.noise_b, 0) + 4 * sqrt(t.n) + 1;
        e->gain = e->overlap > 0 ? (t.ab[0] * t.ab[0] + t.ab[1] * t.ab[1]) / e->overlap : 0;
        e->explained = e->gain / signal;
    }
}

void ng_sim_try(const ng_sim_search *s, ng_sim_bands *b, const double k[2], int rounds,
                ng_sim_estimate *e)
{
    *e = (ng_sim_estimate){.value = {k[0], k[1], 0.25, 0}};
    ng_sim_shifted(s, b->even, k[0], k[1], b->work[0]);
    solve_amplitude(s, b, rounds, e);
}

/* ---- Newton ---- */

static void add_difference(void *context, const ng_sim_search *s, const ng_sim_point *p)
{
    (void)s;
    const sums *t = context;
    ng_sim_bands *b = t->b;
    const float cr = p->ha * (float)t->c[0], ci = p->ha * (float)t->c[1];
    const ng_cf a = b->keep[1][p->index], z = b->band1[p->index];
    b->keep[0][p->index] =
        (ng_cf){p->hb * z.re - (cr * a.re - ci * a.im), p->hb * z.im - (cr * a.im + ci * a.re)};
}

/* B - c A, windowed, as a spectrum: keep[0]. */
static void difference(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e)
{
    const size_t w = s->plane.width, n = w * s->plane.height;
    sums t = {.b = b, .c = {e->value[2], e->value[3]}};
    ng_sim_shifted(s, b->even, e->value[0], e->value[1], b->keep[1]);
    memset(b->keep[0], 0, n * sizeof *b->keep[0]);
    ng_sim_each_point(s, e->value[0], e->value[1], add_difference, &t);
    ng_sim_plane_backward(&s->plane, b->keep[0]);
    for (size_t i = 0; i < n; i++) {
        const size_t x = i % w, y = i / w;
        const bool inside = x < s->layout->width && y < s->layout->height;
        const float window = inside ? s->window_x[x] * s->window_y[y] / (float)n : 0;
        b->keep[0][i].re *= window;
        b->keep[0][i].im *= window;
    }
    ng_sim_plane_forward(&s->plane, b->keep[0]);
}

static void add_step(void *context, const ng_sim_search *s, const ng_sim_point *p)
{
    sums *t = context;
    const ng_sim_bands *b = t->b;
    const double ha = (double)p->ha, hb = (double)p->hb, cr = t->c[0], ci = t->c[1];
    const double n0 = s->share * ha * ha * b->noise0, n1 = s->share * b->noise1;
    const double c2 = cr * cr + ci * ci, v = hb * hb * n1 + c2 * n0, root = 1 / sqrt(v);
    const ng_cf z0 = b->work[0][p->index], zx = b->work[1][p->index], zy = b->work[2][p->index];
    const ng_cf z1 = b->band1[p->index];
    const double ar = ha * (double)z0.re, ai = ha * (double)z0.im;
    const double b1r = (double)z1.re, b1i = (double)z1.im;
    const double er = (double)b->keep[0][p->index].re, ei = (double)b->keep[0][p->index].im;
    const double slope[2] = {(double)p->slope_x, (double)p->slope_y};
    const ng_cf moved[2] = {zx, zy};
    double ur[4], ui[4]; /* derivatives of B - c A, then of u */
    double dv[4];
    for (int i = 0; i < 2; i++) {
        const double mr = ha * (double)moved[i].re, mi = ha * (double)moved[i].im;
        ur[i] = slope[i] * b1r - (cr * mr - ci * mi);
        ui[i] = slope[i] * b1i - (cr * mi + ci * mr);
        dv[i] = 2 * hb * slope[i] * n1;
    }
    ur[2] = -ar, ui[2] = -ai, dv[2] = 2 * cr * n0;
    ur[3] = ai, ui[3] = -ar, dv[3] = 2 * ci * n0;
    for (int i = 0; i < 4; i++) {
        ur[i] = (ur[i] - 0.5 * er * dv[i] / v) * root;
        ui[i] = (ui[i] - 0.5 * ei * dv[i] / v) * root;
        t->gradient[i] += (ur[i] * er + ui[i] * ei) * root;
    }
    if (t->kept >= 0) {
        b->keep[1][p->index] = (ng_cf){(float)(er * root), (float)(ei * root)};
        b->keep[2][p->index] = (ng_cf){(float)ur[t->kept], (float)ui[t->kept]};
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j <= i; j++) {
            t->matrix[i][j] += ur[i] * ur[j] + ui[i] * ui[j];
        }
    }
    t->bias[0] += c2 * n0 * s->spread_x / v;
    t->bias[1] += c2 * n0 * s->spread_y / v;
    t->bias[2] += n0 / v;
    t->bias[3] += n0 / v;
}

static sums step_sums(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e)
{
    sums t = {.b = b, .kept = -1, .c = {e->value[2], e->value[3]}};
    ng_sim_each_point(s, e->value[0], e->value[1], add_step, &t);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++) {
            t.matrix[j][i] = t.matrix[i][j];
        }
    }
    return t;
}

/* ---- small systems ---- */

/* Gauss-Jordan with scaling. */
bool ng_sim_invert(size_t n, const double *in, double *out)
{
    double a[NG_SIM_MOST_UNKNOWN * NG_SIM_MOST_UNKNOWN], scale[NG_SIM_MOST_UNKNOWN];
    for (size_t i = 0; i < n; i++) {
        scale[i] = in[i * n + i] > 0 ? 1 / sqrt(in[i * n + i]) : 0;
    }
    for (size_t i = 0; i < n * n; i++) {
        a[i] = in[i] * scale[i / n] * scale[i % n];
        out[i] = i / n == i % n;
    }
    for (size_t k = 0; k < n; k++) {
        if (!(a[k * n + k] > 1e-9)) {
            return false;
        }
        const double pivot = 1 / a[k * n + k];
        for (size_t j = 0; j < n; j++) {
            a[k * n + j] *= pivot;
            out[k * n + j] *= pivot;
        }
        for (size_t i = 0; i < n; i++) {
            const double factor = a[i * n + k];
            for (size_t j = 0; i != k && j < n; j++) {
                a[i * n + j] -= factor * a[k * n + j];
                out[i * n + j] -= factor * out[k * n + j];
            }
        }
    }
    for (size_t i = 0; i < n * n; i++) {
        out[i] *= scale[i / n] * scale[i % n];
    }
    return true;
}

/* ---- standard errors ---- */

/* Blocks of the field, in each direction at most. */
#define MOST_BLOCKS 16
#define BLOCK_SIDE 12

typedef struct blocks {
    size_t across, down;
    double sum[4][MOST_BLOCKS * MOST_BLOCKS];
} blocks;

static size_t blocks_along(size_t side)
{
    const size_t n = side / BLOCK_SIDE;
    return n < 3 ? 3 : n > MOST_BLOCKS ? MOST_BLOCKS : n;
}

/* Sum over each block of Re(u_i* u), both back in space. */
static void add_scores(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e, int i,
                       blocks *out)
{
    const size_t w = s->layout->width, h = s->layout->height;
    const size_t n = s->plane.width * s->plane.height;
    sums t = {.b = b, .kept = i, .c = {e->value[2], e->value[3]}};
    memset(b->keep[1], 0, n * sizeof *b->keep[1]);
    memset(b->keep[2], 0, n * sizeof *b->keep[2]);
    ng_sim_each_point(s, e->value[0], e->value[1], add_step, &t);
    ng_sim_plane_backward(&s->plane, b->keep[1]);
    ng_sim_plane_backward(&s->plane, b->keep[2]);
    for (size_t y = 0; y < h; y++) {
        const size_t row = y * out->down / h * out->across;
        for (size_t x = 0; x < w; x++) {
            const ng_cf u = b->keep[1][y * s->plane.width + x];
            const ng_cf v = b->keep[2][y * s->plane.width + x];
            out->sum[i][row + x * out->across / w] +=
                (double)(u.re * v.re + u.im * v.im) / (double)n;
        }
    }
}

/* Noise is stronger where the object is bright, and what the edges leave is in one place; so the
 * scatter of the scores is taken from blocks of the field, not from single frequencies. */
static void scatter_of(const ng_sim_search *s, ng_sim_bands *b, const ng_sim_estimate *e,
                       double scatter[4][4])
{
    blocks t = {.across = blocks_along(s->layout->width), .down = blocks_along(s->layout->height)};
    for (int i = 0; i < 4; i++) {
        add_scores(s, b, e, i, &t);
    }
    const size_t n = t.across * t.down;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            scatter[i][j] = 0;
            for (size_t k = 0; k < n; k++) {
                scatter[i][j] += t.sum[i][k] * t.sum[j][k];
            }
            scatter[i][j] *= (double)n / ((double)n - 4);
        }
    }
}

/* Curvature without what the noise adds to it, at most the share `most`; with less where that would
 * leave no minimum. */
static bool invert_information(const sums *t, double most, double inverse[4][4])
{
    for (; most > 0.01; most *= 0.5) {
        double information[4][4];
        memcpy(information, t->matrix, sizeof information);
        for (int i = 0; i < 4; i++) {
            information[i][i] -= fmin(t->bias[i], most * information[i][i]);
        }
        if (ng_sim_invert(4, information[0], inverse[0])) {
            return true;
        }
    }
    return false;
}

/* Inverse curvature around the scatter of the scores. */
static void covariance_of(const ng_sim_search *s, ng_sim_bands *b, double inverse[4][4],
                          ng_sim_estimate *e)
{
    double scatter[4][4];
    scatter_of(s, b, e, scatter);
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            e->covariance[i][j] = 0;
            for (int k = 0; k < 4; k++) {
                for (int l = 0; l < 4; l++) {
                    e->covariance[i][j] += inverse[i][k] * scatter[k][l] * inverse[l][j];
                }
            }
        }
    }
}

void ng_sim_refine(const ng_sim_search *s, ng_sim_bands *b, ng_sim_estimate *e)
{
    const double bin[2] = {1 / (double)s->layout->width, 1 / (double)s->layout->height};
    e->converged = false;
    for (int step = 0; step < MOST_STEPS && !e->converged; step++) {
        slopes(s, b, e->value[0], e->value[1]);
        difference(s, b, e);
        sums t = step_sums(s, b, e);
        double inverse[4][4];
        if (!invert_information(&t, MOST_BIAS, inverse)) {
            return;
        }
        double move[4] = {0};
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                move[i] -= inverse[i][j] * t.gradient[j];
            }
        }
        /* A step of more than half a bin would leave the peak. */
        const double far = fmax(fabs(move[0]) / bin[0], fabs(move[1]) / bin[1]);
        const double damp = far > 0.5 ? 0.5 / far : 1;
        for (int i = 0; i < 4; i++) {
            e->value[i] += damp * move[i];
        }
        e->converged = true;
        for (int i = 0; i < 4; i++) {
            e->converged = e->converged && fabs(move[i]) < STEP_DONE * sqrt(inverse[i][i]);
        }
        if ((e->converged || step + 1 == MOST_STEPS) && invert_information(&t, 0.9, inverse)) {
            covariance_of(s, b, inverse, e);
        }
    }
}
