/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options_internal.h"

#include <math.h>
#include <string.h>

enum { INDENT = 26 };

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

/* A default that was written with 17 digits is shown with six. */
static void add_default(text_buffer *b, const ng_option *option)
{
    enum { LONG_NUMBER = 10 };
    double x = 0.0;
    bool is_long = option->type == NG_OPTION_REAL && strlen(option->initial) > LONG_NUMBER;
    if (is_long && ng_parse_real(option->initial, &x)) {
        add(b, "default %.6g", x);
    } else {
        add(b, "default %s", option->initial);
    }
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
        add_default(b, option);
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

static void print_option(FILE *stream, const ng_option *option)
{
    text_buffer flag = {.n = 0};
    text_buffer doc = {.n = 0};
    add_flag(&flag, option);
    add(&doc, "%s", option->doc);
    add_notes(&doc, option);
    fputs(flag.text, stream);
    if (flag.n + 2 > INDENT) {
        fputc('\n', stream);
        flag.n = 0;
    }
    ng_text_wrap(stream, doc.text, flag.n, INDENT);
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
