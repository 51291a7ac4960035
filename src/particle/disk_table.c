/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile as a table over the distance from the edge, u = P - R, and the curvature 1/R, in both
 * of which it is smooth: at 1/R = 0 stands the straight edge, erfc(u/sqrt 2)/2. */
#include "detect_internal.h"

#include <math.h>

struct ng_disk_table {
    ng_disk_row row[NG_DISK_ROWS + 1];
};

static double u_of(size_t node)
{
    return (double)node / NG_DISK_PER_UNIT - NG_DISK_REACH;
}

static void straight_edge(ng_disk_row *row)
{
    for (size_t i = 0; i < NG_DISK_NODES; i++) {
        const double u = u_of(i), slope = exp(-0.5 * u * u) / sqrt(2.0 * acos(-1.0));
        row->node[i][NG_DISK_D] = (float)(0.5 * erfc(u / sqrt(2.0)));
        row->node[i][NG_DISK_BY_P] = (float)-slope;
        row->node[i][NG_DISK_BY_R] = (float)slope;
    }
}

/* D by Simpson's rule on its slope, from outside inwards; P < 0 is the far side of the centre. */
static void curved_edge(double R, ng_disk_row *row)
{
    const double step = 1.0 / NG_DISK_PER_UNIT;
    double D = ng_disk_profile(R + u_of(NG_DISK_NODES - 1), R), by_P, by_R;
    ng_disk_slopes(fabs(R + u_of(NG_DISK_NODES - 1)), R, &by_P, &by_R);
    for (size_t i = NG_DISK_NODES; i-- > 0;) {
        const double P = R + u_of(i), outer = by_P;
        double middle, unused;
        ng_disk_slopes(fabs(P), R, &by_P, &by_R);
        by_P = P < 0.0 ? -by_P : by_P;
        if (i + 1 < NG_DISK_NODES) {
            ng_disk_slopes(fabs(P + 0.5 * step), R, &middle, &unused);
            middle = P + 0.5 * step < 0.0 ? -middle : middle;
            D -= step / 6.0 * (by_P + 4.0 * middle + outer);
        }
        row->node[i][NG_DISK_D] = (float)D;
        row->node[i][NG_DISK_BY_P] = (float)by_P;
        row->node[i][NG_DISK_BY_R] = (float)by_R;
    }
}

ng_status ng_disk_table_create(ng_disk_table **out, ng_error *err)
{
    *out = NG_NEW(ng_disk_table, 1);
    if (*out == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for the table of blurred disks");
    }
    straight_edge(&(*out)->row[0]);
    for (size_t j = 1; j <= NG_DISK_ROWS; j++) {
        curved_edge(NG_DISK_LEAST * NG_DISK_ROWS / (double)j, &(*out)->row[j]);
    }
    return NG_OK;
}

void ng_disk_table_destroy(ng_disk_table *table)
{
    ng_free(table);
}

NG_VECTOR_CLONES static void mix_profiles(const float *restrict a, const float *restrict b,
                                          float share, float *restrict out)
{
    for (size_t i = 0; i < (NG_DISK_NODES + 1) * NG_DISK_VALUES; i++) {
        out[i] = a[i] + share * (b[i] - a[i]);
    }
}

void ng_disk_table_row(const ng_disk_table *table, double R, ng_disk_row *row)
{
    const double place = fmin(NG_DISK_LEAST / R, 1.0) * NG_DISK_ROWS;
    const size_t j = place < NG_DISK_ROWS ? (size_t)place : NG_DISK_ROWS - 1;
    mix_profiles(table->row[j].node[0], table->row[j + 1].node[0], (float)(place - (double)j),
                 row->node[0]);
}

double ng_disk_row_D(const ng_disk_row *row, double u)
{
    const double place = (u + NG_DISK_REACH) * NG_DISK_PER_UNIT;
    const double inside = fmin(fmax(place, 0.0), NG_DISK_NODES - 1);
    const size_t i = (size_t)inside;
    const double here = (double)row->node[i][NG_DISK_D];
    return here + (inside - (double)i) * ((double)row->node[i + 1][NG_DISK_D] - here);
}
