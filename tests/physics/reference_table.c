/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reference_table.h"

#include <math.h>
#include <string.h>

FILE *reference_open(const char *name)
{
    char header[1024];
    FILE *table = fopen(test_reference(name), "r");
    assert_non_null(table);
    assert_non_null(fgets(header, sizeof header, table));
    return table;
}

bool reference_next(FILE *table, struct reference_row *row)
{
    char line[1024];
    *row = (struct reference_row){.n = 0};
    if (fgets(line, sizeof line, table) == NULL) {
        return false;
    }
    char *rest = NULL;
    char *word = strtok_r(line, ",\r\n", &rest);
    for (; word != NULL; word = strtok_r(NULL, ",\r\n", &rest)) {
        assert_true(row->n < REFERENCE_COLUMNS);
        snprintf(row->word[row->n], sizeof row->word[0], "%s", word);
        row->value[row->n++] = strtod(word, NULL);
    }
    return true;
}

double worse(double a, double b)
{
    assert_true(!isnan(b));
    return fmax(a, fabs(b));
}
