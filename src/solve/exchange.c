/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What particles take from the solution and give back. */
#include "solve_internal.h"

enum { NUMBER, MASS, UP, UP_N, DOWN, DOWN_N, N_SUMS };

/* Sums of all sets over the occupied rows: sum[s][lane]. */
static void add_1(const ng_master *m, double sum[N_SUMS][NG_MASTER_SETS_MAX])
{
    for (size_t i = m->begin; i < m->end; i++) {
        const double n = (double)m->options.sizes.n_min + (double)i, rho = m->rho[i];
        const double up = m->attach[i] * rho, down = m->detach[i] * rho;
        sum[NUMBER][0] += rho;
        sum[MASS][0] += n * rho;
        sum[UP][0] += up;
        sum[UP_N][0] += n * up;
        sum[DOWN][0] += down;
        sum[DOWN_N][0] += n * down;
    }
}

NG_VECTOR_CLONES
static void add_4(const ng_master *m, double sum[N_SUMS][NG_MASTER_SETS_MAX])
{
    typedef double vector __attribute__((vector_size(4 * sizeof(double)), aligned(8)));
    vector number = {0}, mass = {0}, up = {0}, up_n = {0}, down = {0}, down_n = {0};
    for (size_t i = m->begin; i < m->end; i++) {
        const double n = (double)m->options.sizes.n_min + (double)i;
        const vector rho = *(const vector *)(m->rho + 4 * i);
        const vector a = *(const vector *)(m->attach + 4 * i) * rho;
        const vector d = *(const vector *)(m->detach + 4 * i) * rho;
        number += rho;
        mass += n * rho;
        up += a;
        up_n += n * a;
        down += d;
        down_n += n * d;
    }
    *(vector *)sum[NUMBER] = number;
    *(vector *)sum[MASS] = mass;
    *(vector *)sum[UP] = up;
    *(vector *)sum[UP_N] = up_n;
    *(vector *)sum[DOWN] = down;
    *(vector *)sum[DOWN_N] = down_n;
}

void ng_master_exchange(const ng_master *m, ng_exchange *out)
{
    double sum[N_SUMS][NG_MASTER_SETS_MAX] = {{0.0}};
    const double first = (double)m->options.sizes.n_min;
    const double last = first + (double)(m->count - 1);
    (m->lanes == 1 ? add_1 : add_4)(m, sum);
    for (size_t l = 0; l < m->options.sets; l++) {
        const size_t top_row = (m->count - 1) * m->lanes + l;
        const double top = m->rho[top_row], closed = m->attach[top_row] * top;
        out[l] = (ng_exchange){.number = sum[NUMBER][l],
                               .mass = sum[MASS][l],
                               .attach = sum[UP][l] - closed,
                               .attach_n = sum[UP_N][l] - last * closed,
                               .detach = sum[DOWN][l] + (first - 1.0) * m->detach[l] * m->rho[l],
                               .detach_n = sum[DOWN_N][l],
                               .detach_events = sum[DOWN][l],
                               .top = top};
    }
}
