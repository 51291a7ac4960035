/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maximum likelihood for Gaussian spots that lie together. Counts follow a Poisson law shifted so
 * that its variance is the noise of the movie: read noise and offset are then in it (Huang et al.,
 * Nat. Methods 10, 653, 2013), and the score is that of weighted least squares with the weights of
 * the model itself. */
#include "spot_internal.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Floats anywhere in memory, worked on together. */
enum { LANES = 8, MOST_STEPS = 15 };
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define LOAD(from) (*(const loose *)(const void *)(from))

#define PI 3.14159265358979323846
/* A variance below this share of the background's comes from a mean that has run away. */
#define LEAST_VARIANCE 0.05
#define STEP_WIDTHS 0.5     /* longest step of a place */
#define AWAY_WIDTHS 2.0     /* how far from its start a place may go */
#define SETTLED_WIDTHS 1e-2 /* a smaller step is the last one: the next would be its square */
#define SETTLED_FLUX 5e-3
#define SETTLED_SD 0.02
#define TAIL 5.0 /* widths beyond which a spot has no light */
#define LEAST_SHARE 0.1
/* A pixel that lies so many standard deviations below its neighbours is dead. */
#define DEAD_SD 8.0
#define NEAR_WIDTHS 2.0 /* flags tell of pixels so near to the centre */
enum { X, Y, FLUX, WIDTH };

/* A Gaussian over the pixels of one axis: light, and its slopes by place and width. */
typedef struct profile {
    float *g, *by_place, *by_width;
} profile;

typedef struct fit {
    const ng_spot_scene *scene;
    ng_spot *const *spot;
    size_t n, per, parameters;      /* spots, parameters of each, of all */
    size_t x0, y0, w, h, stride, m; /* box; pixels with the padding of rows */
    profile along[NG_SPOT_CLUSTER], down[NG_SPOT_CLUSTER];
    float *f, *light, *valid, *mean, *root; /* data; other spots; 1 or 0; model; 1/s.d. */
    float *column;                          /* parameters + 1 of m: slopes and residual, weighted */
    double background;
    double start[NG_SPOT_CLUSTER][2];
    ng_spot before[NG_SPOT_CLUSTER];
    double matrix[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    double vector[NG_SPOT_PARAMETERS];
} fit;

double ng_spot_variance(const ng_spot_noise *noise, double mean)
{
    const double v = noise->level + noise->gain * (mean - noise->background);
    return fmax(v, LEAST_VARIANCE * noise->level);
}

void ng_spot_work_free(ng_spot_work *work)
{
    ng_free(work->floats);
    work->floats = NULL;
    work->room = 0;
}

/* ---- where the pixels are ---------------------------------------------------------------- */

static void find_box(fit *f)
{
    const double reach = (double)f->scene->reach;
    const double w = (double)f->scene->image->width, h = (double)f->scene->image->height;
    double left = w, top = h, right = 0.0, bottom = 0.0;
    for (size_t k = 0; k < f->n; k++) {
        left = fmin(left, floor(f->spot[k]->x + 0.5) - reach);
        right = fmax(right, floor(f->spot[k]->x + 0.5) + reach + 1.0);
        top = fmin(top, floor(f->spot[k]->y + 0.5) - reach);
        bottom = fmax(bottom, floor(f->spot[k]->y + 0.5) + reach + 1.0);
        f->before[k] = *f->spot[k];
        f->start[k][0] = f->spot[k]->x;
        f->start[k][1] = f->spot[k]->y;
    }
    f->x0 = (size_t)fmax(left, 0.0);
    f->y0 = (size_t)fmax(top, 0.0);
    f->w = (size_t)fmin(right, w) - f->x0;
    f->h = (size_t)fmin(bottom, h) - f->y0;
    f->stride = (f->w + LANES - 1) / LANES * LANES;
    f->m = f->stride * f->h;
}

static ng_status allocate(fit *f, ng_spot_work *work, ng_error *err)
{
    const size_t line = 3 * (f->stride + f->h);
    const size_t columns = f->parameters + 2; /* the residual, and room for a width */
    const size_t needed = f->m * (5 + columns) + f->n * line;
    if (needed > work->room) {
        float *more = ng_realloc(work->floats, 2 * needed, sizeof *more);
        if (more == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory to fit %zu spots", f->n);
        }
        work->floats = more;
        work->room = 2 * needed;
    }
    float *at = work->floats;
    float **const part[] = {&f->f, &f->light, &f->valid, &f->mean, &f->root};
    for (size_t k = 0; k < 5; k++, at += f->m) {
        *part[k] = at;
    }
    f->column = at;
    at += f->m * columns;
    for (size_t k = 0; k < f->n; k++) {
        f->along[k] = (profile){at, at + f->stride, at + 2 * f->stride};
        at += 3 * f->stride;
        f->down[k] = (profile){at, at + f->h, at + 2 * f->h};
        at += 3 * f->h;
    }
    return NG_OK;
}

static bool is_dead(const fit *f, size_t x, size_t y, double sd)
{
    const ng_image *image = f->scene->image;
    const float *at = image->pixel + y * image->width + x;
    double sum = 0.0, n = 0.0;
    if (x > 0) {
        sum += (double)at[-1];
        n += 1.0;
    }
    if (x + 1 < image->width) {
        sum += (double)at[1];
        n += 1.0;
    }
    if (y > 0) {
        sum += (double)at[-(ptrdiff_t)image->width];
        n += 1.0;
    }
    if (y + 1 < image->height) {
        sum += (double)at[image->width];
        n += 1.0;
    }
    return (double)*at < sum / n - DEAD_SD * sd;
}

/* Every spot sees the pixels of its own square. */
static void cover(fit *f, const ng_spot *s)
{
    const double reach = (double)f->scene->reach;
    const double left = floor(s->x + 0.5) - reach - (double)f->x0;
    const double top = floor(s->y + 0.5) - reach - (double)f->y0;
    const size_t x0 = (size_t)fmax(left, 0.0), y0 = (size_t)fmax(top, 0.0);
    const size_t x1 = (size_t)fmin(left + 2.0 * reach + 1.0, (double)f->w);
    const size_t y1 = (size_t)fmin(top + 2.0 * reach + 1.0, (double)f->h);
    for (size_t y = y0; y < y1; y++) {
        for (size_t x = x0; x < x1; x++) {
            f->valid[y * f->stride + x] = 1.0f;
        }
    }
}

static void flag_near(fit *f, size_t x, size_t y, unsigned flag)
{
    for (size_t k = 0; k < f->n; k++) {
        const double d = hypot((double)x - f->spot[k]->x, (double)y - f->spot[k]->y);
        f->spot[k]->flag |= d <= NEAR_WIDTHS * f->spot[k]->width ? flag : 0;
    }
}

/* Leave out what is no measurement. */
static void inspect(fit *f)
{
    const ng_spot_scene *s = f->scene;
    const double sd = sqrt(ng_spot_variance(&s->noise, f->background));
    const float low = (float)(f->background - DEAD_SD * sd);
    for (size_t y = 0; y < f->h; y++) {
        for (size_t x = 0; x < f->w; x++) {
            const size_t i = y * f->stride + x, ix = f->x0 + x, iy = f->y0 + y;
            const bool bad = s->bad != NULL && s->bad[iy * s->image->width + ix] != 0;
            if (bad || (f->f[i] < low && is_dead(f, ix, iy, sd))) {
                f->valid[i] = 0.0f;
                flag_near(f, ix, iy, NG_FLAG_BAD_PIXEL);
            } else if ((double)f->f[i] >= s->most) {
                f->valid[i] = 0.0f;
                flag_near(f, ix, iy, NG_FLAG_SATURATED);
            }
        }
    }
}

static void gather(fit *f)
{
    const ng_image *image = f->scene->image;
    memset(f->f, 0, 3 * f->m * sizeof *f->f); /* f, light, valid lie side by side */
    for (size_t y = 0; y < f->h; y++) {
        memcpy(f->f + y * f->stride, image->pixel + (f->y0 + y) * image->width + f->x0,
               f->w * sizeof *f->f);
    }
    f->background = 0.0;
    for (size_t k = 0; k < f->n; k++) {
        f->spot[k]->flag &= ~(unsigned)(NG_FLAG_BAD_PIXEL | NG_FLAG_SATURATED);
        f->background += f->spot[k]->background / (double)f->n;
        cover(f, f->spot[k]);
    }
    inspect(f);
}

/* ---- the model --------------------------------------------------------------------------- */

/* erf(u/sqrt 2)/2 from exp(-u^2/2): Abramowitz and Stegun 7.1.26, good to 1e-7. */
static double half_erf(double u, double e)
{
    const double x = fabs(u) * 0.70710678118654752, t = 1.0 / (1.0 + 0.3275911 * x);
    const double p =
        t * (0.254829592 +
             t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return copysign(0.5 * (1.0 - p * e), u);
}

static void set_profile(profile *p, double centre, double width, size_t n)
{
    const double scale = 1.0 / width, norm = scale / sqrt(2.0 * PI);
    const double first = ceil(centre - TAIL * width), last = floor(centre + TAIL * width);
    const size_t from = (size_t)fmax(first, 0.0);
    const size_t to = last < 0.0 ? 0 : (size_t)fmin(last + 1.0, (double)n);
    memset(p->g, 0, n * sizeof *p->g);
    memset(p->by_place, 0, n * sizeof *p->g);
    memset(p->by_width, 0, n * sizeof *p->g);
    double u = ((double)from - 0.5 - centre) * scale, e = exp(-0.5 * u * u);
    double area = half_erf(u, e);
    for (size_t i = from; i < to; i++) {
        const double next_u = u + scale, next_e = exp(-0.5 * next_u * next_u);
        const double next_area = half_erf(next_u, next_e);
        p->g[i] = (float)(next_area - area);
        p->by_place[i] = (float)(norm * (e - next_e));
        p->by_width[i] = (float)(norm * (u * e - next_u * next_e));
        u = next_u;
        e = next_e;
        area = next_area;
    }
}

static void set_profiles(fit *f)
{
    for (size_t k = 0; k < f->n; k++) {
        const ng_spot *s = f->spot[k];
        set_profile(&f->along[k], s->x - (double)f->x0, s->width, f->stride);
        set_profile(&f->down[k], s->y - (double)f->y0, s->width, f->h);
    }
}

INLINE void add_product(float *restrict to, const float *restrict g, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] += scale * g[i];
    }
}

/* Columns of one spot in one row, weighted. */
INLINE void slopes(const fit *f, size_t k, size_t y, const float *restrict root,
                   float *restrict column)
{
    const float *restrict g = f->along[k].g, *restrict d = f->along[k].by_place;
    const float *restrict wide = f->along[k].by_width;
    const float flux = (float)f->spot[k]->flux, gy = f->down[k].g[y];
    const float ly = flux * gy, dy = flux * f->down[k].by_place[y];
    const float wy = flux * f->down[k].by_width[y];
    const size_t m = f->m;
    if (f->per == 1) {
        for (size_t i = 0; i < f->stride; i++) {
            column[i] = gy * g[i] * root[i];
        }
        return;
    }
    for (size_t i = 0; i < f->stride; i++) {
        const float weighted = g[i] * root[i];
        column[X * m + i] = ly * d[i] * root[i];
        column[Y * m + i] = dy * weighted;
        column[FLUX * m + i] = gy * weighted;
    }
    if (f->per > WIDTH) {
        for (size_t i = 0; i < f->stride; i++) {
            column[WIDTH * m + i] = (ly * wide[i] + wy * g[i]) * root[i];
        }
    }
}

/* Model, weights and weighted slopes in all pixels. */
CLONES static void evaluate(fit *f)
{
    const ng_spot_noise *noise = &f->scene->noise;
    const float gain = (float)noise->gain, floor_ = (float)(LEAST_VARIANCE * noise->level);
    const float offset = (float)(noise->level - noise->gain * noise->background);
    const float background = (float)f->background;
    for (size_t y = 0; y < f->h; y++) {
        const size_t row = y * f->stride;
        float *restrict mean = f->mean + row, *restrict root = f->root + row;
        const float *restrict light = f->light + row, *restrict valid = f->valid + row;
        const float *restrict data = f->f + row;
        float *restrict constant = f->column + (f->parameters - 1) * f->m + row;
        float *restrict residual = f->column + f->parameters * f->m + row;
        for (size_t i = 0; i < f->stride; i++) {
            mean[i] = background + light[i];
        }
        for (size_t k = 0; k < f->n; k++) {
            add_product(mean, f->along[k].g, (float)f->spot[k]->flux * f->down[k].g[y], f->stride);
        }
        for (size_t i = 0; i < f->stride; i++) {
            const float v = offset + gain * mean[i];
            root[i] = valid[i] / sqrtf(v > floor_ ? v : floor_);
            constant[i] = root[i];
            residual[i] = (data[i] - mean[i]) * root[i];
        }
        for (size_t k = 0; k < f->n; k++) {
            slopes(f, k, y, root, f->column + k * f->per * f->m + row);
        }
    }
}

INLINE double sum_of(const lanes *v)
{
    const lanes x = *v;
    return (double)((x[0] + x[4]) + (x[1] + x[5])) + (double)((x[2] + x[6]) + (x[3] + x[7]));
}

/* Products of column a with four others at once: sums stay in registers, side by side in a fixed
 * order. */
INLINE void dot_four(const float *a, const float *const b[4], size_t m, double out[4])
{
    lanes s0 = {0.0f}, s1 = {0.0f}, s2 = {0.0f}, s3 = {0.0f};
    for (size_t i = 0; i < m; i += LANES) {
        const lanes x = LOAD(a + i);
        s0 += x * LOAD(b[0] + i);
        s1 += x * LOAD(b[1] + i);
        s2 += x * LOAD(b[2] + i);
        s3 += x * LOAD(b[3] + i);
    }
    out[0] = sum_of(&s0);
    out[1] = sum_of(&s1);
    out[2] = sum_of(&s2);
    out[3] = sum_of(&s3);
}

CLONES static void accumulate(fit *f)
{
    const size_t m = f->m, last = f->parameters;
    for (size_t a = 0, at = 0; a < last; at += ++a) {
        const float *column = f->column + a * m;
        /* b runs over 0..a and the residual behind them */
        for (size_t first = 0; first <= a + 1; first += 4) {
            const float *b[4];
            double product[4];
            for (size_t k = 0; k < 4; k++) {
                b[k] = f->column + (first + k <= a ? first + k : last) * m;
            }
            dot_four(column, b, m, product);
            for (size_t k = 0; k < 4 && first + k <= a + 1; k++) {
                if (first + k <= a) {
                    f->matrix[at + first + k] = product[k];
                } else {
                    f->vector[a] = product[k];
                }
            }
        }
    }
}

/* ---- steps ------------------------------------------------------------------------------- */

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static bool take_step(ng_spot *s, const double start[2], const double *step, double flux_sd,
                      const fit *f)
{
    const double most = STEP_WIDTHS * s->width, away = AWAY_WIDTHS * f->scene->width;
    const double flux = f->per == 1 ? step[0] : step[FLUX];
    bool settled = fabs(flux) < fmax(SETTLED_FLUX * fabs(s->flux), SETTLED_SD * flux_sd);
    if (f->per > 1) {
        const double x = s->x, y = s->y, width = s->width;
        s->x = clamp(x + clamp(step[X], -most, most), start[0] - away, start[0] + away);
        s->y = clamp(y + clamp(step[Y], -most, most), start[1] - away, start[1] + away);
        s->flux = fmax(s->flux + flux, LEAST_SHARE * s->flux);
        settled = fmax(fabs(s->x - x), fabs(s->y - y)) < SETTLED_WIDTHS * width;
        if (f->per > WIDTH) {
            s->width = clamp(width + step[WIDTH], 0.8 * width, 1.25 * width);
            s->width = clamp(s->width, 0.4 * f->scene->width, 3.0 * f->scene->width);
            settled = settled && fabs(s->width - width) < SETTLED_WIDTHS * width;
        }
    } else {
        s->flux += flux;
    }
    return settled;
}

/* False when the spots cannot be told apart, or do not come to rest. */
static bool search(fit *f)
{
    double l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    bool settled = false;
    for (int step = 0; step < MOST_STEPS && !settled; step++) {
        set_profiles(f);
        evaluate(f);
        accumulate(f);
        memcpy(l, f->matrix, f->parameters * (f->parameters + 1) / 2 * sizeof *l);
        if (!ng_packed_cholesky(l, f->parameters)) {
            return false;
        }
        ng_packed_solve(l, f->parameters, f->vector);
        settled = true;
        for (size_t k = 0; k < f->n; k++) {
            const size_t at = k * f->per + (f->per == 1 ? 0 : FLUX);
            const double sd = 1.0 / sqrt(f->matrix[at * (at + 1) / 2 + at]);
            settled = take_step(f->spot[k], f->start[k], f->vector + k * f->per, sd, f) && settled;
        }
        f->background += f->vector[f->parameters - 1];
    }
    return settled;
}

/* ---- what comes out ---------------------------------------------------------------------- */

static double triangle(const fit *f, size_t a, size_t b)
{
    return a >= b ? f->matrix[a * (a + 1) / 2 + b] : f->matrix[b * (b + 1) / 2 + a];
}

/* Variances of all parameters from the information at the end. */
static bool variances(const fit *f, double *variance)
{
    double l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    memcpy(l, f->matrix, f->parameters * (f->parameters + 1) / 2 * sizeof *l);
    if (!ng_packed_cholesky(l, f->parameters)) {
        return false;
    }
    for (size_t a = 0; a < f->parameters; a++) {
        double e[NG_SPOT_PARAMETERS] = {0.0};
        e[a] = 1.0;
        ng_packed_solve(l, f->parameters, e);
        variance[a] = e[a];
    }
    return true;
}

/* Twice the gain in log likelihood of pixel data over a model without the spot. */
static double gain_at(const ng_spot_noise *noise, double data, double with, double without)
{
    const double v1 = ng_spot_variance(noise, with), v0 = ng_spot_variance(noise, without);
    if (!(noise->gain > 1e-9 * noise->level)) {
        const double a = data - without, b = data - with;
        return (a * a - b * b) / noise->level;
    }
    const double g = noise->gain, c = noise->background - noise->level / g;
    return 2.0 * (fmax(data - c, 0.0) / g * log(v1 / v0) - (v1 - v0) / (g * g));
}

/* Of spot k against none, the background fitted anew: a step of Newton's. */
static double likelihood_gain(const fit *f, size_t k)
{
    const ng_spot_noise *noise = &f->scene->noise;
    const ng_spot *s = f->spot[k];
    const double reach = (double)f->scene->reach;
    const double left = floor(s->x + 0.5) - reach - (double)f->x0;
    const double top = floor(s->y + 0.5) - reach - (double)f->y0;
    const size_t x0 = (size_t)clamp(left, 0.0, (double)f->w);
    const size_t y0 = (size_t)clamp(top, 0.0, (double)f->h);
    const size_t x1 = (size_t)clamp(left + 2.0 * reach + 1.0, 0.0, (double)f->w);
    const size_t y1 = (size_t)clamp(top + 2.0 * reach + 1.0, 0.0, (double)f->h);
    double sum = 0.0, weight = 0.0, gain = 0.0;
    for (size_t y = y0; y < y1; y++) {
        const double gy = s->flux * (double)f->down[k].g[y];
        for (size_t x = x0; x < x1; x++) {
            const size_t i = y * f->stride + x;
            const double without = (double)f->mean[i] - gy * (double)f->along[k].g[x];
            const double w = (double)f->valid[i] / ng_spot_variance(noise, without);
            sum += w * ((double)f->f[i] - without);
            weight += w;
        }
    }
    const double shift = weight > 0.0 ? sum / weight : 0.0;
    for (size_t y = y0; y < y1; y++) {
        const double gy = s->flux * (double)f->down[k].g[y];
        for (size_t x = x0; x < x1; x++) {
            const size_t i = y * f->stride + x;
            if (f->valid[i] > 0.0f) {
                const double mean = (double)f->mean[i];
                const double without = mean - gy * (double)f->along[k].g[x] + shift;
                gain += gain_at(noise, (double)f->f[i], mean, without);
            }
        }
    }
    return fmax(gain, 0.0);
}

/* A neighbour that could take over the light makes a spot less certain: by the share that it adds
 * to the error of the flux. */
static double certainty(const fit *f, size_t k, double flux_var)
{
    const size_t b = f->parameters - 1, a = k * f->per + (f->per == 1 ? 0 : FLUX);
    const double ab = triangle(f, a, b);
    const double alone = 1.0 / (triangle(f, a, a) - ab * ab / triangle(f, b, b));
    return fmin(sqrt(alone / flux_var), 1.0);
}

static void put_spot(const fit *f, size_t k, const double *variance, ng_spot *s)
{
    const double *v = variance + k * f->per;
    s->background = f->background;
    s->fitted = true;
    if (f->per == 1) {
        s->flux_var = v[0];
        return;
    }
    s->x_var = v[X];
    s->y_var = v[Y];
    s->flux_var = v[FLUX];
    s->width_var = f->per > WIDTH ? v[WIDTH] : 0.0;
    s->z = sqrt(likelihood_gain(f, k)) * (f->n > 1 ? certainty(f, k, s->flux_var) : 1.0);
}

/* Squares of the residuals, what the fit took of them given back, by the light of the spot. */
static void gather_residuals(const fit *f, ng_spot_residual *out)
{
    double l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    memcpy(l, f->matrix, f->parameters * (f->parameters + 1) / 2 * sizeof *l);
    if (!ng_packed_cholesky(l, f->parameters)) {
        return;
    }
    for (size_t i = 0; i < f->m; i++) {
        if (!(f->valid[i] > 0.0f)) {
            continue;
        }
        double c[NG_SPOT_PARAMETERS], taken = 0.0;
        for (size_t a = 0; a < f->parameters; a++) {
            c[a] = (double)f->column[a * f->m + i];
        }
        ng_packed_solve(l, f->parameters, c);
        for (size_t a = 0; a < f->parameters; a++) {
            taken += c[a] * (double)f->column[a * f->m + i];
        }
        const double r = (double)(f->f[i] - f->mean[i]), left = fmax(1.0 - taken, 0.2);
        const double s = (double)f->mean[i] - f->background, w = pow((double)f->root[i], 4.0);
        const double power[3] = {1.0, s, s * s};
        for (size_t a = 0, at = 0; a < 3; a++) {
            out->vector[a] += w * power[a] * r * r / left;
            for (size_t b = 0; b <= a; b++) {
                out->matrix[at++] += w * power[a] * power[b];
            }
        }
        out->pixels++;
    }
}

/* As if it had not been tried; what the start is worth is known all the same. */
static void put_back(fit *f)
{
    for (size_t k = 0; k < f->n; k++) {
        const unsigned flag = f->spot[k]->flag;
        *f->spot[k] = f->before[k];
        f->spot[k]->flag = flag;
        f->spot[k]->fitted = false;
        f->spot[k]->x_var = f->spot[k]->y_var = (double)NAN;
        f->spot[k]->flux_var = f->spot[k]->width_var = (double)NAN;
    }
    f->background = f->before[0].background;
    set_profiles(f);
    evaluate(f);
    for (size_t k = 0; k < f->n; k++) {
        f->spot[k]->z = sqrt(likelihood_gain(f, k));
    }
}

/* The step that the width would take, and how much it is worth, with all else free. */
static void ask_width(fit *f, ng_spot *s)
{
    double variance[NG_SPOT_PARAMETERS], l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    f->per = WIDTH + 1;
    f->parameters = f->per + 1;
    evaluate(f);
    accumulate(f);
    memcpy(l, f->matrix, f->parameters * (f->parameters + 1) / 2 * sizeof *l);
    if (variances(f, variance) && ng_packed_cholesky(l, f->parameters)) {
        ng_packed_solve(l, f->parameters, f->vector);
        s->width_step = f->vector[WIDTH];
        s->width_var = variance[WIDTH];
    }
}

static void add_light(fit *f, const ng_spot *other)
{
    profile along = f->along[0], down = f->down[0];
    set_profile(&along, other->x - (double)f->x0, other->width, f->stride);
    set_profile(&down, other->y - (double)f->y0, other->width, f->h);
    for (size_t y = 0; y < f->h; y++) {
        const float scale = (float)other->flux * down.g[y];
        if (scale != 0.0f) {
            add_product(f->light + y * f->stride, along.g, scale, f->stride);
        }
    }
}

ng_status ng_spot_fit(ng_spot_work *work, const ng_spot_scene *scene, ng_spot *const *spot,
                      size_t n, const ng_spot *const *other, size_t n_other, ng_error *err)
{
    fit f = {.scene = scene, .spot = spot, .n = n};
    double variance[NG_SPOT_PARAMETERS];
    f.per = scene->fixed_places ? 1 : scene->free_width ? WIDTH + 1 : FLUX + 1;
    f.parameters = n * f.per + 1;
    find_box(&f);
    ng_status status = allocate(&f, work, err);
    if (status != NG_OK) {
        return status;
    }
    gather(&f);
    for (size_t k = 0; k < n_other; k++) {
        add_light(&f, other[k]);
    }
    const bool settled = search(&f); /* the information is that of the last step but a hair */
    set_profiles(&f);
    evaluate(&f);
    if (!settled || !variances(&f, variance)) {
        put_back(&f);
        return NG_OK;
    }
    for (size_t k = 0; k < n; k++) {
        put_spot(&f, k, variance, spot[k]);
    }
    if (work->residual != NULL && n == 1) {
        accumulate(&f);
        gather_residuals(&f, work->residual);
        ask_width(&f, spot[0]);
    }
    return NG_OK;
}

void ng_spot_draw(const ng_spot *spot, double share, size_t reach, ng_image *image)
{
    enum { MOST = 256 };
    float line[6][MOST];
    const double x = floor(spot->x + 0.5) - (double)reach, y = floor(spot->y + 0.5) - (double)reach;
    const size_t side = 2 * reach + 1 < MOST ? 2 * reach + 1 : MOST;
    profile along = {line[0], line[1], line[2]}, down = {line[3], line[4], line[5]};
    set_profile(&along, spot->x - x, spot->width, side);
    set_profile(&down, spot->y - y, spot->width, side);
    for (size_t j = 0; j < side; j++) {
        const double row = y + (double)j;
        if (row < 0.0 || row >= (double)image->height) {
            continue;
        }
        const float scale = (float)(share * spot->flux) * down.g[j];
        for (size_t i = 0; i < side; i++) {
            const double at = x + (double)i;
            if (at >= 0.0 && at < (double)image->width) {
                image->pixel[(size_t)row * image->width + (size_t)at] += scale * along.g[i];
            }
        }
    }
}
