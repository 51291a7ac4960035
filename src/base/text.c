/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *ng_text_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = ng_alloc(bytes, 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

char *ng_text_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        return NULL;
    }
    char *text = ng_alloc((size_t)length + 1, 1);
    if (text == NULL) {
        return NULL;
    }
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void ng_text_wrap(FILE *stream, const char *text, size_t column, size_t indent)
{
    enum { WIDTH = 80 };
    while (*text != '\0') {
        size_t word = strcspn(text, " \n");
        bool starts = column <= indent;
        if (word > 0 && !starts && column + 1 + word > WIDTH) {
            fputc('\n', stream);
            column = 0;
            starts = true;
        }
        if (word > 0) {
            int gap = starts ? (int)(indent - column) : 1;
            fprintf(stream, "%*s%.*s", gap, "", (int)word, text);
            column += (size_t)gap + word;
        }
        text += word;
        if (*text == '\n') {
            fputc('\n', stream);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', stream);
}

void ng_text_list_free(ng_text_list *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        /* The list owns its texts here; the field is const for readers. */
        ng_free((void *)(uintptr_t)list->item[i]);
    }
    ng_free(list->item);
    *list = (ng_text_list){0};
}

/* True when a conversion that stopped at `end` used all of `text`. */
static bool used_all(const char *text, const char *end)
{
    if (end == text) {
        return false;
    }
    while (isspace((unsigned char)*end)) {
        end++;
    }
    return *end == '\0';
}

bool ng_parse_real(const char *text, double *value)
{
    char *end = NULL;
    errno = 0;
    double x = strtod(text, &end);
    /* ERANGE of a number too small leaves zero or a denormal: that is good enough. */
    bool overflow = errno == ERANGE && (x > 1.0 || x < -1.0);
    if (!used_all(text, end) || overflow) {
        return false;
    }
    *value = x;
    return true;
}

bool ng_parse_int(const char *text, long *value)
{
    char *end = NULL;
    errno = 0;
    long x = strtol(text, &end, 10);
    if (!used_all(text, end) || errno == ERANGE) {
        return false;
    }
    *value = x;
    return true;
}
