/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_internal.h"

#include <string.h>

void ng_html_raw(FILE *out, const char *markup)
{
    fputs(markup, out);
}

static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void ng_html_text(FILE *out, const char *text)
{
    if (text == NULL) {
        return;
    }
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        const char *name = entity(c);
        if (name != NULL) {
            fputs(name, out);
        } else if (c >= ' ' || c == '\n' || c == '\t') {
            putc(c, out);
        }
    }
}

void ng_html_format(FILE *out, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ng_html_text(out, text);
}

void ng_html_element(FILE *out, const char *name, const char *class, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    if (class != NULL) {
        fprintf(out, "<%s class=\"%s\">", name, class);
    } else {
        fprintf(out, "<%s>", name);
    }
    ng_html_text(out, text);
    fprintf(out, "</%s>\n", name);
}

void ng_html_unit(FILE *out, const char *unit)
{
    bool raised = false;
    for (const char *p = unit; p != NULL && *p != '\0'; p++) {
        char one[2] = {*p, '\0'};
        if (*p == '^') {
            ng_html_raw(out, "<sup>");
            raised = true;
            continue;
        }
        if (raised && strchr("-0123456789", *p) == NULL) {
            ng_html_raw(out, "</sup>");
            raised = false;
        }
        ng_html_text(out, *p == '-' && raised ? "−" : one);
    }
    if (raised) {
        ng_html_raw(out, "</sup>");
    }
}

/* In JSON `<` stands only inside strings, where \u003c means the same and cannot end a script. */
static int write_json(const char *buffer, size_t size, void *stream)
{
    FILE *out = (FILE *)stream;
    for (size_t i = 0; i < size; i++) {
        if (buffer[i] == '<') {
            fputs("\\u003c", out);
        } else {
            putc(buffer[i], out);
        }
    }
    return ferror(out) ? -1 : 0;
}

ng_status ng_html_json(FILE *out, const json_t *value, ng_error *err)
{
    size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(7);
    if (json_dump_callback(value, write_json, out, flags) != 0) {
        return NG_FAIL(err, NG_IO, "the report's data could not be written; is the disk full?");
    }
    return NG_OK;
}
