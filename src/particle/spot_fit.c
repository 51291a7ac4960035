/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maximum likelihood for Gaussian spots that lie together. Counts follow a Poisson law shifted so
 * that its variance is the noise of the movie: read noise and offset are then in it (Huang et al.,
 * Nat. Methods 10, 653, 2013), and the score is that of weighted least squares with the weights of
 * the model itself. */
#include "spot_model.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 15, PARTS = 6 };
#define STEP_WIDTHS 0.5     /* longest step of a place */
#define AWAY_WIDTHS 2.0     /* how far from its start a place may go */
#define SETTLED_WIDTHS 1e-2 /* a smaller step is the last one: the next would be its square */
#define SETTLED_FLUX 5e-3
#define SETTLED_SD 0.1
#define LEAST_SHARE 0.1
#define ODD_SHARE 0.15 /* width that differs by more than this, */
#define ODD_SD 4.0     /* and by so many s.d. */
/* A pixel that lies so many standard deviations below its neighbours is dead. */
#define DEAD_SD 8.0
#define NEAR_WIDTHS 2.0 /* flags tell of pixels so near to the centre */

typedef struct fit {
    const ng_spot_scene *scene;
    ng_spot_model model;
    size_t x0, y0; /* of the box */
    double start[NG_SPOT_CLUSTER][2];
    ng_spot before[NG_SPOT_CLUSTER];
} fit;

void ng_spot_work_free(ng_spot_work *work)
{
    ng_free(work->floats);
    work->floats = NULL;
    work->room = 0;
}

/* ---- where the pixels are ---------------------------------------------------------------- */

static void find_box(fit *f)
{
    ng_spot_model *m = &f->model;
    const double reach = (double)f->scene->reach;
    const double w = (double)f->scene->image->width, h = (double)f->scene->image->height;
    double left = w, top = h, right = 0.0, bottom = 0.0;
    for (size_t k = 0; k < m->n; k++) {
        const ng_spot *s = m->spot[k];
        left = fmin(left, floor(s->x + 0.5) - reach);
        right = fmax(right, floor(s->x + 0.5) + reach + 1.0);
        top = fmin(top, floor(s->y + 0.5) - reach);
        bottom = fmax(bottom, floor(s->y + 0.5) + reach + 1.0);
        f->before[k] = *s;
        f->start[k][0] = s->x;
        f->start[k][1] = s->y;
    }
    f->x0 = (size_t)fmax(left, 0.0);
    f->y0 = (size_t)fmax(top, 0.0);
    m->w = (size_t)fmin(right, w) - f->x0;
    m->h = (size_t)fmin(bottom, h) - f->y0;
    m->stride = ng_spot_padded(m->w);
    m->m = m->stride * m->h;
}

static float *place_profile(ng_spot_profile *p, float *at, size_t n)
{
    for (int k = 0; k < NG_SPOT_CURVES; k++, at += n) {
        p->curve[k] = at;
    }
    return at;
}

static ng_status allocate(fit *f, ng_spot_work *work, ng_error *err)
{
    ng_spot_model *m = &f->model;
    const size_t down = ng_spot_padded(m->h);
    const size_t needed = m->m * PARTS + m->n * NG_SPOT_CURVES * (m->stride + down);
    if (needed > work->room) {
        float *more = ng_realloc(work->floats, 2 * needed, sizeof *more);
        if (more == NULL) {
            return NG_FAIL(err, NG_MEMORY, "no memory to fit %zu spots", m->n);
        }
        work->floats = more;
        work->room = 2 * needed;
    }
    float *at = work->floats;
    float **const part[PARTS] = {&m->data, &m->light, &m->valid, &m->mean, &m->weight, &m->pull};
    for (size_t k = 0; k < PARTS; k++, at += m->m) {
        *part[k] = at;
    }
    for (size_t k = 0; k < m->n; k++) {
        at = place_profile(&m->along[k], at, m->stride);
        at = place_profile(&m->down[k], at, down);
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

/* Columns and rows of the box that lie in the square of a spot. */
static void square_of(const fit *f, const ng_spot *s, size_t x[2], size_t y[2])
{
    const double reach = (double)f->scene->reach;
    const double w = (double)f->model.w, h = (double)f->model.h;
    const double left = floor(s->x + 0.5) - reach - (double)f->x0;
    const double top = floor(s->y + 0.5) - reach - (double)f->y0;
    x[0] = (size_t)fmin(fmax(left, 0.0), w);
    y[0] = (size_t)fmin(fmax(top, 0.0), h);
    x[1] = (size_t)fmin(fmax(left + 2.0 * reach + 1.0, 0.0), w);
    y[1] = (size_t)fmin(fmax(top + 2.0 * reach + 1.0, 0.0), h);
}

/* Every spot sees the pixels of its own square. */
static void cover(fit *f, const ng_spot *s)
{
    size_t x[2], y[2];
    square_of(f, s, x, y);
    for (size_t j = y[0]; j < y[1]; j++) {
        for (size_t i = x[0]; i < x[1]; i++) {
            f->model.valid[j * f->model.stride + i] = 1.0f;
        }
    }
}

static void flag_near(fit *f, size_t x, size_t y, unsigned flag)
{
    for (size_t k = 0; k < f->model.n; k++) {
        ng_spot *s = f->model.spot[k];
        const double d = hypot((double)x - s->x, (double)y - s->y);
        s->flag |= d <= NEAR_WIDTHS * s->width ? flag : 0;
    }
}

/* Leave out what is no measurement. */
static void inspect(fit *f)
{
    const ng_spot_scene *s = f->scene;
    ng_spot_model *m = &f->model;
    const double sd = sqrt(ng_spot_variance(&s->noise, m->background));
    const float low = (float)(m->background - DEAD_SD * sd);
    if (s->bad == NULL && s->lowest >= low && (double)s->highest < s->most) {
        return;
    }
    for (size_t y = 0; y < m->h; y++) {
        for (size_t x = 0; x < m->w; x++) {
            const size_t i = y * m->stride + x, ix = f->x0 + x, iy = f->y0 + y;
            const bool bad = s->bad != NULL && s->bad[iy * s->image->width + ix] != 0;
            if (bad || (m->data[i] < low && is_dead(f, ix, iy, sd))) {
                m->valid[i] = 0.0f;
                flag_near(f, ix, iy, NG_FLAG_BAD_PIXEL);
            } else if ((double)m->data[i] >= s->most) {
                m->valid[i] = 0.0f;
                flag_near(f, ix, iy, NG_FLAG_SATURATED);
            }
        }
    }
}

static void gather(fit *f)
{
    const ng_image *image = f->scene->image;
    ng_spot_model *m = &f->model;
    memset(m->data, 0, 3 * m->m * sizeof *m->data); /* data, light, valid lie side by side */
    for (size_t y = 0; y < m->h; y++) {
        memcpy(m->data + y * m->stride, image->pixel + (f->y0 + y) * image->width + f->x0,
               m->w * sizeof *m->data);
    }
    m->background = 0.0;
    for (size_t k = 0; k < m->n; k++) {
        m->spot[k]->flag &= ~(unsigned)(NG_FLAG_BAD_PIXEL | NG_FLAG_SATURATED);
        m->background += m->spot[k]->background / (double)m->n;
        cover(f, m->spot[k]);
    }
    inspect(f);
}

static void set_profiles(fit *f)
{
    for (size_t k = 0; k < f->model.n; k++) {
        const ng_spot *s = f->model.spot[k];
        ng_spot_profile_set(&f->model.along[k], s->x - (double)f->x0, s->width, f->model.w);
        ng_spot_profile_set(&f->model.down[k], s->y - (double)f->y0, s->width, f->model.h);
    }
}

/* ---- steps ------------------------------------------------------------------------------- */

/* S.d. of a parameter if all others were known: below that which it has. */
static double sd_of(const ng_spot_model *m, size_t parameter)
{
    return 1.0 / sqrt(m->matrix[parameter * (parameter + 1) / 2 + parameter]);
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Move spot k; @return whether it rests. */
static bool take_step(const fit *f, size_t k)
{
    const ng_spot_model *m = &f->model;
    ng_spot *s = m->spot[k];
    const double *step = m->vector + k * m->per, *start = f->start[k];
    const double flux = step[m->per == 1 ? 0 : NG_SPOT_FLUX];
    const double flux_sd = sd_of(m, k * m->per + (m->per == 1 ? 0 : NG_SPOT_FLUX));
    bool settled = fabs(flux) < fmax(SETTLED_FLUX * fabs(s->flux), SETTLED_SD * flux_sd);
    if (m->per == 1) {
        s->flux += flux;
        return settled;
    }
    const double most = STEP_WIDTHS * s->width, away = AWAY_WIDTHS * f->scene->width;
    const double x = s->x, y = s->y, width = s->width;
    const double rest = fmax(SETTLED_WIDTHS * width, SETTLED_SD * sd_of(m, k * m->per));
    s->x = clamp(x + clamp(step[NG_SPOT_X], -most, most), start[0] - away, start[0] + away);
    s->y = clamp(y + clamp(step[NG_SPOT_Y], -most, most), start[1] - away, start[1] + away);
    s->flux = fmax(s->flux + flux, LEAST_SHARE * s->flux);
    settled = settled && fmax(fabs(s->x - x), fabs(s->y - y)) < rest;
    if (m->per > NG_SPOT_WIDTH) {
        s->width = clamp(width + step[NG_SPOT_WIDTH], 0.8 * width, 1.25 * width);
        s->width = clamp(s->width, 0.4 * f->scene->width, 3.0 * f->scene->width);
        settled = settled && fabs(s->width - width) < SETTLED_WIDTHS * width;
    }
    return settled;
}

/* False when the spots cannot be told apart, or do not come to rest. */
static bool search(fit *f)
{
    double l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    ng_spot_model *m = &f->model;
    bool settled = false;
    for (int step = 0; step < MOST_STEPS && !settled; step++) {
        set_profiles(f);
        ng_spot_model_set(m);
        ng_spot_model_sum(m);
        memcpy(l, m->matrix, m->parameters * (m->parameters + 1) / 2 * sizeof *l);
        if (!ng_packed_cholesky(l, m->parameters)) {
            return false;
        }
        ng_packed_solve(l, m->parameters, m->vector);
        settled = true;
        for (size_t k = 0; k < m->n; k++) {
            settled = take_step(f, k) && settled;
        }
        m->background += m->vector[m->parameters - 1];
    }
    return settled;
}

/* ---- what comes out ---------------------------------------------------------------------- */

static double triangle(const ng_spot_model *f, size_t a, size_t b)
{
    return a >= b ? f->matrix[a * (a + 1) / 2 + b] : f->matrix[b * (b + 1) / 2 + a];
}

/* Variances of all parameters from the information at the end. */
static bool variances(const ng_spot_model *f, double *variance)
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

static double likelihood_gain(const fit *f, size_t k)
{
    size_t x[2], y[2];
    square_of(f, f->model.spot[k], x, y);
    return ng_spot_model_gain(&f->model, k, x, y);
}

/* A neighbour that could take over the light makes a spot less certain: by the share that it adds
 * to the error of the flux. */
static double certainty(const ng_spot_model *m, size_t k, double flux_var)
{
    const size_t b = m->parameters - 1, a = k * m->per + (m->per == 1 ? 0 : NG_SPOT_FLUX);
    const double ab = triangle(m, a, b);
    const double alone = 1.0 / (triangle(m, a, a) - ab * ab / triangle(m, b, b));
    return fmin(sqrt(alone / flux_var), 1.0);
}

static void put_spot(const fit *f, size_t k, const double *variance, ng_spot *s)
{
    const ng_spot_model *m = &f->model;
    const double *v = variance + k * m->per;
    s->background = m->background;
    s->fitted = true;
    if (m->per == 1) {
        s->flux_var = v[0];
        return;
    }
    s->x_var = v[NG_SPOT_X];
    s->y_var = v[NG_SPOT_Y];
    s->flux_var = v[NG_SPOT_FLUX];
    s->width_var = m->per > NG_SPOT_WIDTH ? v[NG_SPOT_WIDTH] : 0.0;
    s->z = sqrt(likelihood_gain(f, k)) * (m->n > 1 ? certainty(m, k, s->flux_var) : 1.0);
}

/* Slopes of the mean of a pixel with the places free, the background's last. */
static void slopes_at(const ng_spot_model *m, size_t x, size_t y, double *slope)
{
    for (size_t k = 0; k < m->n; k++, slope += m->per) {
        float *const *along = m->along[k].curve, *const *down = m->down[k].curve;
        const double gx = (double)along[NG_SPOT_LIGHT][x], gy = (double)down[NG_SPOT_LIGHT][y];
        const double flux = m->spot[k]->flux;
        slope[NG_SPOT_X] = flux * (double)along[NG_SPOT_BY_PLACE][x] * gy;
        slope[NG_SPOT_Y] = flux * gx * (double)down[NG_SPOT_BY_PLACE][y];
        slope[NG_SPOT_FLUX] = gx * gy;
    }
    *slope = 1.0;
}

/* c' M^-1 c for M = l l', which leaves l^-1 c in c. */
static double leverage(const double *l, size_t n, double *c)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *row = l + i * (i + 1) / 2;
        for (size_t k = 0; k < i; k++) {
            c[i] -= row[k] * c[k];
        }
        c[i] /= row[i];
        sum += c[i] * c[i];
    }
    return sum;
}

/* Squares of the residuals, what the fit took of them given back, by the light of the spot. */
static void gather_residuals(const ng_spot_model *m, ng_spot_residual *out)
{
    double l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    const size_t n = m->parameters;
    memcpy(l, m->matrix, n * (n + 1) / 2 * sizeof *l);
    if (m->per != NG_SPOT_WIDTH || !ng_packed_cholesky(l, n)) {
        return;
    }
    for (size_t i = 0; i < m->m; i++) {
        if (!(m->valid[i] > 0.0f)) {
            continue;
        }
        double slope[NG_SPOT_PARAMETERS];
        slopes_at(m, i % m->stride, i / m->stride, slope);
        const double taken = leverage(l, n, slope) * (double)m->weight[i];
        const double r = (double)(m->data[i] - m->mean[i]), left = fmax(1.0 - taken, 0.2);
        const double s = (double)m->mean[i] - m->background, w = pow((double)m->weight[i], 2.0);
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
    ng_spot_model *m = &f->model;
    for (size_t k = 0; k < m->n; k++) {
        ng_spot *s = m->spot[k];
        const unsigned flag = s->flag;
        *s = f->before[k];
        s->flag = flag;
        s->fitted = false;
        s->x_var = s->y_var = s->flux_var = s->width_var = (double)NAN;
    }
    m->background = f->before[0].background;
    set_profiles(f);
    ng_spot_model_set(m);
    for (size_t k = 0; k < m->n; k++) {
        m->spot[k]->z = sqrt(likelihood_gain(f, k));
    }
}

/* The step that the width would take, and how much it is worth, with all else free. */
static void ask_width(ng_spot_model *m, ng_spot *s)
{
    double variance[NG_SPOT_PARAMETERS], l[NG_SPOT_PARAMETERS * (NG_SPOT_PARAMETERS + 1) / 2];
    m->per = NG_SPOT_WIDTH + 1;
    m->parameters = m->per + 1;
    ng_spot_model_set(m);
    ng_spot_model_sum(m);
    memcpy(l, m->matrix, m->parameters * (m->parameters + 1) / 2 * sizeof *l);
    if (variances(m, variance) && ng_packed_cholesky(l, m->parameters)) {
        ng_packed_solve(l, m->parameters, m->vector);
        s->width_step = m->vector[NG_SPOT_WIDTH];
        s->width_var = variance[NG_SPOT_WIDTH];
    }
}

static void add_residual(const ng_spot_residual *from, ng_spot_residual *to)
{
    for (size_t i = 0; i < 6; i++) {
        to->matrix[i] += from->matrix[i];
    }
    for (size_t i = 0; i < 3; i++) {
        to->vector[i] += from->vector[i];
    }
    to->pixels += from->pixels;
}

/* Noise, width and shape, as pilot frames tell them. What is clearly of another width, as two that
 * are taken for one, says nothing of the noise. */
static void ask_more(fit *f, ng_spot_residual *out)
{
    ng_spot_model *m = &f->model;
    ng_spot_residual own = {.spots = m->n};
    ng_spot *s = m->spot[0];
    bool odd = false;
    if (m->n != 1 && m->n != out->spots) {
        return;
    }
    ng_spot_model_sum(m);
    gather_residuals(m, &own);
    if (m->n == 1) {
        if (out->shapes) {
            ng_spot_ask_shape(m, (double)f->x0, (double)f->y0, s);
        }
        ask_width(m, s);
        odd = fabs(s->width_step) > ODD_SHARE * s->width &&
              fabs(s->width_step) > ODD_SD * sqrt(s->width_var);
    }
    if (m->n == out->spots && !odd) {
        add_residual(&own, out);
    }
}

static void add_light(fit *f, const ng_spot *other)
{
    ng_spot_model *m = &f->model;
    ng_spot_profile along = m->along[0], down = m->down[0];
    ng_spot_profile_set(&along, other->x - (double)f->x0, other->width, m->w);
    ng_spot_profile_set(&down, other->y - (double)f->y0, other->width, m->h);
    ng_spot_profile_add(&along, &down, other->flux, m->light, m->stride);
}

ng_status ng_spot_fit(ng_spot_work *work, const ng_spot_scene *scene, ng_spot *const *spot,
                      size_t n, const ng_spot *const *other, size_t n_other, ng_error *err)
{
    fit f = {.scene = scene};
    ng_spot_model *m = &f.model;
    double variance[NG_SPOT_PARAMETERS];
    m->noise = &scene->noise;
    m->spot = spot;
    m->n = n;
    m->per = scene->fixed_places ? 1 : scene->free_width ? NG_SPOT_WIDTH + 1 : NG_SPOT_WIDTH;
    m->parameters = n * m->per + 1;
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
    ng_spot_model_set(m);
    if (!settled || !variances(m, variance)) {
        put_back(&f);
        return NG_OK;
    }
    for (size_t k = 0; k < n; k++) {
        put_spot(&f, k, variance, spot[k]);
    }
    if (work->residual != NULL) {
        ask_more(&f, work->residual);
    }
    return NG_OK;
}

void ng_spot_draw(const ng_spot *spot, double share, size_t reach, ng_image *image)
{
    enum { MOST = 256 };
    float line[2 * NG_SPOT_CURVES][MOST];
    const double x = floor(spot->x + 0.5) - (double)reach, y = floor(spot->y + 0.5) - (double)reach;
    const size_t side = 2 * reach + 1 < MOST ? 2 * reach + 1 : MOST;
    ng_spot_profile along, down;
    for (int k = 0; k < NG_SPOT_CURVES; k++) {
        along.curve[k] = line[k];
        down.curve[k] = line[NG_SPOT_CURVES + k];
    }
    ng_spot_profile_set(&along, spot->x - x, spot->width, side);
    ng_spot_profile_set(&down, spot->y - y, spot->width, side);
    const size_t left = (size_t)fmax(-x, 0.0);
    const double right = fmin((double)image->width - x, (double)side);
    for (size_t j = 0; j < side; j++) {
        const double row = y + (double)j;
        if (row < 0.0 || row >= (double)image->height) {
            continue;
        }
        const float scale = (float)(share * spot->flux) * down.curve[NG_SPOT_LIGHT][j];
        float *to = image->pixel + (size_t)row * image->width;
        for (size_t i = left; (double)i < right; i++) {
            to[(size_t)(x + (double)i)] += scale * along.curve[NG_SPOT_LIGHT][i];
        }
    }
}
