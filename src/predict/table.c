/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small tables of numbers: a supply, a supersaturation, sizes. */
#include <nucgrow/predict.h>

#include <math.h>
#include <string.h>

#define FILE_LIMIT_BYTES ((size_t)256 << 20)
#define ROWS_MAX 10000000
#define FIELDS_MAX 64

/* Fields of one line, cut at commas, tabs or semicolons; spaces around them go. */
static size_t cut(char *line, char **field)
{
    size_t n = 0;
    while (n < FIELDS_MAX) {
        line += strspn(line, " ");
        field[n++] = line;
        char *end = line + strcspn(line, ",;\t\r");
        const bool more = *end != '\0' && *end != '\r';
        for (char *last = end; last > line && last[-1] == ' '; last--) {
            last[-1] = '\0';
        }
        *end = '\0';
        if (!more) {
            break;
        }
        line = end + 1;
    }
    return n;
}

typedef struct table {
    const char *path;
    const char *const *column;
    size_t n_columns;
    size_t place[FIELDS_MAX]; /* where each column stands */
    double *row;
    size_t n_rows, room;
} table;

/* What the header calls them. */
static ng_status read_header(table *t, char **field, size_t n, size_t line, ng_error *err)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        size_t f = 0;
        while (f < n && strcmp(field[f], t->column[c]) != 0) {
            f++;
        }
        if (f == n) {
            return NG_FAIL(err, NG_FORMAT,
                           "%s:%zu: no column %s in the header row; this table needs %s%s%s",
                           t->path, line, t->column[c], t->column[0], t->n_columns > 1 ? "," : "",
                           t->n_columns > 1 ? t->column[1] : "");
        }
        t->place[c] = f;
    }
    return NG_OK;
}

static bool make_room(table *t)
{
    if (t->n_rows < t->room) {
        return true;
    }
    const size_t room = t->room > 0 ? 2 * t->room : 64;
    double *row = ng_realloc(t->row, room * t->n_columns, sizeof *row);
    if (row != NULL) {
        t->row = row;
        t->room = room;
    }
    return row != NULL;
}

static ng_status read_row(table *t, char **field, size_t n, size_t line, ng_error *err)
{
    if (t->n_rows == ROWS_MAX || !make_room(t)) {
        return NG_FAIL(err, NG_MEMORY, "%s:%zu: too many rows", t->path, line);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        double *value = &t->row[t->n_rows * t->n_columns + c];
        const char *text = t->place[c] < n ? field[t->place[c]] : "";
        if (!ng_parse_real(text, value) || !isfinite(*value)) {
            return NG_FAIL(err, NG_INVALID, "%s:%zu: %s is '%.40s'; it must be a finite number",
                           t->path, line, t->column[c], text);
        }
    }
    t->n_rows++;
    return NG_OK;
}

static ng_status read_lines(table *t, char *text, ng_error *err)
{
    char *field[FIELDS_MAX];
    bool header = false;
    ng_status status = NG_OK;
    for (size_t line = 1; status == NG_OK && *text != '\0'; line++) {
        const size_t length = strcspn(text, "\n");
        char *next = text + length + (text[length] == '\n' ? 1 : 0);
        text[length] = '\0';
        if (text[strspn(text, " \t\r")] != '\0' && text[0] != '#') {
            const size_t n = cut(text, field);
            status =
                header ? read_row(t, field, n, line, err) : read_header(t, field, n, line, err);
            header = true;
        }
        text = next;
    }
    if (status == NG_OK && t->n_rows == 0) {
        status = NG_FAIL(err, NG_FORMAT, "%s: a table without rows", t->path);
    }
    return status;
}

ng_status ng_predict_table_read(const char *path, const char *const *column, size_t n_columns,
                                double **out, size_t *n_rows, ng_error *err)
{
    char *text = NULL;
    size_t length = 0;
    table t = {.path = path, .column = column, .n_columns = n_columns};
    *out = NULL;
    *n_rows = 0;
    ng_status status = ng_file_read(path, FILE_LIMIT_BYTES, &text, &length, err);
    if (status == NG_OK && strlen(text) != length) {
        status = NG_FAIL(err, NG_FORMAT, "%s: holds zero bytes; it is no table", path);
    }
    if (status == NG_OK) {
        status = read_lines(&t, text, err);
    }
    ng_free(text);
    if (status == NG_OK) {
        *out = t.row;
        *n_rows = t.n_rows;
    } else {
        ng_free(t.row);
    }
    return status;
}
