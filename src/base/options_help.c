/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options_internal.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 26 };

typedef struct text_buffer {
    char text[512];
    size_t n;
} text_buffer;

static void add(text_buffer *b, const char *format, ...) NG_PRINTF(2, 3);

static void add(text_buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(b->text + b->n, sizeof b->text - b->n, format, args);
    va_end(args);
    b->n += n > 0 ? (size_t)n : 0;
    b->n = b->n < sizeof b->text ? b->n : sizeof b->text - 1;
}

static const char *value_word(const ng_option *option)
{
    if (option->value != NULL) {
        return option->value;
    }
    if (option->type == NG_OPTION_CHOICE || (option->choices != NULL)) {
        return option->choices;
    }
    switch (option->type) {
    case NG_OPTION_INT:
        return "N";
    case NG_OPTION_REAL:
        return "X";
    default:
        return "TEXT";
    }
}

static void add_flag(text_buffer *b, const ng_option *option)
{
    if (option->letter != 0) {
        add(b, "  -%c, --%s", option->letter, option->name);
    } else {
        add(b, "      --%s", option->name);
    }
    if (option->type != NG_OPTION_BOOL) {
        add(b, " %s", value_word(option));
    }
}

static void add_separator(text_buffer *b, bool *open)
{
    add(b, *open ? "; " : " [");
    *open = true;
}

/* " [nm; 0 to 10; default 1.2]" */
static void add_notes(text_buffer *b, const ng_option *option)
{
    bool open = false;
    if (option->unit != NULL) {
        add_separator(b, &open);
        add(b, "%s", option->unit);
    }
    bool limited = option->min < option->max;
    if (limited && isinf(option->max)) {
        add_separator(b, &open);
        add(b, ">= %.10g", option->min);
    } else if (limited) {
        add_separator(b, &open);
        add(b, "%.10g to %.10g", option->min, option->max);
    }
    bool off = option->type == NG_OPTION_BOOL &&
               (option->initial == NULL || strcmp(option->initial, "false") == 0);
    if (option->initial != NULL && !off) {
        add_separator(b, &open);
        add(b, "default %s", option->initial);
        if (option->type == NG_OPTION_BOOL) {
            add(b, ", --no-%s", option->name);
        }
    }
    if (option->type == NG_OPTION_LIST) {
        add_separator(b, &open);
        add(b, "may be repeated");
    }
    if (open) {
        add(b, "]");
    }
}

/* Print `text` from column INDENT, broken at spaces before column WIDTH; `column` is where the line
 *  stands now. */
static void print_wrapped(FILE *stream, const char *text, size_t column)
{
    if (column + 2 > INDENT) {
        fputc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", (int)(INDENT - column), "");
    column = INDENT;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column + word > WIDTH && column > INDENT) {
            fprintf(stream, "\n%*s", INDENT, "");
            column = INDENT;
        }
        fprintf(stream, "%.*s", (int)word, text);
        column += word;
        text += word;
        if (*text == ' ') {
            text++;
            bool fits = column + 1 + strcspn(text, " ") <= WIDTH;
            fputs(fits ? " " : "", stream);
            column += fits ? 1 : WIDTH;
        }
    }
    fputc('\n', stream);
}

static void print_option(FILE *stream, const ng_option *option)
{
    text_buffer flag = {.n = 0};
    text_buffer doc = {.n = 0};
    add_flag(&flag, option);
    add(&doc, "%s", option->doc);
    add_notes(&doc, option);
    fputs(flag.text, stream);
    print_wrapped(stream, doc.text, flag.n);
}

static const char *group_of(const ng_option *option)
{
    return option->group != NULL ? option->group : "Options";
}

static void print_group(const ng_options *set, const char *group, FILE *stream)
{
    fprintf(stream, "%s:\n", group);
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            const ng_option *option = &set->table[t].option[i];
            if (strcmp(group_of(option), group) == 0) {
                print_option(stream, option);
            }
        }
    }
}

/* Is this the first option of its group in the set? */
static bool opens_group(const ng_options *set, size_t table, size_t index)
{
    const char *group = group_of(&set->table[table].option[index]);
    for (size_t t = 0; t <= table; t++) {
        size_t end = t < table ? set->table[t].n : index;
        for (size_t i = 0; i < end; i++) {
            if (strcmp(group_of(&set->table[t].option[i]), group) == 0) {
                return false;
            }
        }
    }
    return true;
}

void ng_options_help(const ng_options *set, FILE *stream)
{
    bool first = true;
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            if (opens_group(set, t, i)) {
                fputs(first ? "" : "\n", stream);
                print_group(set, group_of(&set->table[t].option[i]), stream);
                first = false;
            }
        }
    }
}
