/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect_internal.h"

#include <math.h>

typedef struct sums {
    double n, x, y, xx, xy, yy;
    size_t across[4]; /* borders crossed along rows, columns and both diagonals */
} sums;

static bool is_own(const uint32_t *label, size_t width, ng_box box, ptrdiff_t x, ptrdiff_t y,
                   uint32_t own)
{
    return x >= (ptrdiff_t)box.x0 && y >= (ptrdiff_t)box.y0 && x < (ptrdiff_t)box.x1 &&
           y < (ptrdiff_t)box.y1 && label[(size_t)y * width + (size_t)x] == own;
}

static void add_pixel(const uint32_t *label, size_t width, ng_box box, size_t x, size_t y, sums *s)
{
    static const int dx[4] = {1, 0, 1, 1}, dy[4] = {0, 1, 1, -1};
    const uint32_t own = label[y * width + x];
    const double u = (double)(x - box.x0), v = (double)(y - box.y0);
    s->n += 1.0;
    s->x += u;
    s->y += v;
    s->xx += u * u;
    s->xy += u * v;
    s->yy += v * v;
    for (size_t k = 0; k < 4; k++) {
        const ptrdiff_t i = (ptrdiff_t)x, j = (ptrdiff_t)y;
        s->across[k] += is_own(label, width, box, i + dx[k], j + dy[k], own) ? 0 : 1;
        s->across[k] += is_own(label, width, box, i - dx[k], j - dy[k], own) ? 0 : 1;
    }
}

/* Cauchy and Crofton: the length of an outline is the mean number of crossings by lines. */
static double perimeter(const sums *s)
{
    const double straight = (double)(s->across[0] + s->across[1]);
    const double diagonal = (double)(s->across[2] + s->across[3]);
    return acos(-1.0) / 8.0 * (straight + diagonal / sqrt(2.0));
}

static double ellipse_ratio(const sums *s)
{
    const double mx = s->x / s->n, my = s->y / s->n;
    const double xx = s->xx / s->n - mx * mx + 1.0 / 12.0;
    const double yy = s->yy / s->n - my * my + 1.0 / 12.0;
    const double xy = s->xy / s->n - mx * my;
    const double middle = 0.5 * (xx + yy), half = hypot(0.5 * (xx - yy), xy);
    return sqrt(fmax(middle - half, 0.0) / (middle + half));
}

/* ---- convex hull ------------------------------------------------------------------------- */

/* One side of the hull, y rising; `side` +1: bulging to the right. Returns its integral of x dy. */
typedef struct chain {
    float *point; /* x, y pairs */
    size_t n;
    float side;
} chain;

static void chain_add(chain *c, float x, float y)
{
    while (c->n >= 2) {
        const float *a = c->point + 2 * (c->n - 2), *b = a + 2;
        const float turn = (b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1]);
        if (turn * c->side > 0.0f) {
            break;
        }
        c->n--;
    }
    c->point[2 * c->n] = x;
    c->point[2 * c->n + 1] = y;
    c->n++;
}

static double chain_integral(const chain *c)
{
    double sum = 0.0;
    for (size_t i = 0; i + 1 < c->n; i++) {
        const float *a = c->point + 2 * i;
        sum += 0.5 * (double)(a[0] + a[2]) * (double)(a[3] - a[1]);
    }
    return sum;
}

/* Pixels count as diamonds: their hull around a digital disk has the disk's area. */
static double hull_side(const uint32_t *label, size_t width, ng_box box, uint32_t own, chain *c)
{
    const ptrdiff_t step = c->side > 0.0f ? -1 : 1;
    for (size_t y = box.y0; y < box.y1; y++) {
        ptrdiff_t x = c->side > 0.0f ? (ptrdiff_t)box.x1 - 1 : (ptrdiff_t)box.x0;
        while (x >= (ptrdiff_t)box.x0 && x < (ptrdiff_t)box.x1 &&
               label[y * width + (size_t)x] != own) {
            x += step;
        }
        if (x >= (ptrdiff_t)box.x0 && x < (ptrdiff_t)box.x1) {
            const float u = (float)(x - (ptrdiff_t)box.x0), v = (float)(y - box.y0);
            chain_add(c, u, v - 0.5f);
            chain_add(c, u + 0.5f * c->side, v);
            chain_add(c, u, v + 0.5f);
        }
    }
    return chain_integral(c);
}

ng_shape ng_shape_of(const uint32_t *label, size_t width, ng_box box, uint32_t own, float *points)
{
    sums s = {.n = 0.0};
    for (size_t y = box.y0; y < box.y1; y++) {
        for (size_t x = box.x0; x < box.x1; x++) {
            if (label[y * width + x] == own) {
                add_pixel(label, width, box, x, y, &s);
            }
        }
    }
    if (!(s.n > 0.0)) {
        return (ng_shape){
            .x = NAN, .y = NAN, .circularity = NAN, .solidity = NAN, .ellipse_ratio = NAN};
    }
    chain right = {points, 0, 1.0f}, left = {points, 0, -1.0f};
    const double outer = hull_side(label, width, box, own, &right);
    const double hull = outer - hull_side(label, width, box, own, &left);
    const double length = perimeter(&s);
    return (ng_shape){.area_px = s.n,
                      .x = (double)box.x0 + s.x / s.n,
                      .y = (double)box.y0 + s.y / s.n,
                      .circularity = 4.0 * acos(-1.0) * s.n / (length * length),
                      .solidity = s.n / hull,
                      .ellipse_ratio = ellipse_ratio(&s)};
}
