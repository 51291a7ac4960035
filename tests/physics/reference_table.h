/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reference numbers: CSV files beside the published data. */
#ifndef REFERENCE_TABLE_H
#define REFERENCE_TABLE_H

#include "test_support.h"

#include <stdbool.h>

#define REFERENCE_COLUMNS 20
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* One row; a word that is no number has the value 0. */
struct reference_row {
    char word[REFERENCE_COLUMNS][32];
    double value[REFERENCE_COLUMNS];
    size_t n;
};

/* The table behind its header row. Skips the running test, by name, where it is absent. */
FILE *reference_open(const char *name);
/* False at the end of the file. */
bool reference_next(FILE *table, struct reference_row *row);

/* Largest of a and |b|; fails the test where b is no number. */
double worse(double a, double b);

#endif
