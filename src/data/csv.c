/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <stdio.h>
#include <string.h>

static size_t count_lines(const char *from, const char *to)
{
    size_t n = 0;
    while (from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
        n++;
        from++;
    }
    return n;
}

/* A table is text: say what the file seems to be instead. */
static ng_status check_text(const char *text, size_t length, const char *name, ng_error *err)
{
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        return NG_FAIL(err, NG_FORMAT, "%s: the text is UTF-16; save the table as CSV in UTF-8",
                       name);
    }
    bool image = false;
    const char *what = ng_binary_name(text, length, &image);
    if (what != NULL) {
        return NG_FAIL(err, NG_FORMAT, "%s: this is %s, not a table%s", name, what,
                       image ? "; find its particles with `nucgrow detect` and link them with "
                               "`nucgrow track` first"
                             : "; save it as CSV");
    }
    const char *nul = memchr(text, '\0', length);
    if (nul != NULL) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s:%zu: a NUL byte, so this is not a text table; save it as CSV", name,
                       count_lines(text, nul) + 1);
    }
    return NG_OK;
}

/* The separator that occurs most often in the header row, outside quotes. */
static char find_delimiter(const char *at, const char *end)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t n[3] = {0, 0, 0};
    bool quoted = false;
    for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        quoted = quoted != (*at == '"');
        for (size_t i = 0; i < 3; i++) {
            n[i] += !quoted && *at == candidates[i];
        }
    }
    size_t best = 0;
    for (size_t i = 1; i < 3; i++) {
        best = n[i] > n[best] ? i : best;
    }
    return candidates[best];
}

ng_status ng_csv_open(ng_csv *csv, const char *text, size_t length, const char *name,
                      ng_error *err)
{
    ng_status status = check_text(text, length, name, err);
    if (status != NG_OK) {
        return status;
    }
    *csv = (ng_csv){.name = name, .at = text, .end = text + length, .delimiter = ',', .line = 1};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        csv->at += 3;
    }
    ng_csv header = *csv;
    if (!ng_csv_next_record(&header)) {
        return NG_FAIL(err, NG_FORMAT,
                       "%s: the file is empty; a table with one header row is needed", name);
    }
    csv->delimiter = find_delimiter(header.at, header.end);
    return NG_OK;
}

/* Pass one line end: \n, \r\n or \r. */
static void pass_line_end(ng_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r') {
        csv->at++;
        if (csv->at < csv->end && *csv->at == '\n') {
            csv->at++;
        }
        csv->line++;
    } else if (csv->at < csv->end && *csv->at == '\n') {
        csv->at++;
        csv->line++;
    }
}

static bool at_line_end(const ng_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' || *csv->at == '\r';
}

static void pass_line(ng_csv *csv)
{
    while (!at_line_end(csv)) {
        csv->at++;
    }
    pass_line_end(csv);
}

/* A line of nothing but separators and spaces, as spreadsheets leave them below a table. */
static bool line_is_blank(const ng_csv *csv)
{
    const char *p = csv->at;
    while (p < csv->end && (*p == ' ' || *p == '\t' || *p == csv->delimiter)) {
        p++;
    }
    return p == csv->end || *p == '\n' || *p == '\r';
}

bool ng_csv_next_record(ng_csv *csv)
{
    while (csv->at < csv->end) {
        if (*csv->at != '#' && !line_is_blank(csv)) {
            csv->row_line = csv->line;
            csv->in_record = true;
            return true;
        }
        pass_line(csv);
    }
    return false;
}

/* After a field: at a delimiter, at a line end, or something follows a closing quote. */
static ng_status end_field(ng_csv *csv, ng_error *err)
{
    if (at_line_end(csv)) {
        pass_line_end(csv);
        csv->in_record = false;
        return NG_OK;
    }
    if (*csv->at == csv->delimiter) {
        csv->at++;
        return NG_OK;
    }
    return NG_FAIL(err, NG_FORMAT,
                   "%s:%zu: text follows a closing quote; put the separator there", csv->name,
                   csv->line);
}

static void trim(ng_field *field)
{
    while (field->length > 0 && (field->text[0] == ' ' || field->text[0] == '\t')) {
        field->text++;
        field->length--;
    }
    while (field->length > 0 &&
           (field->text[field->length - 1] == ' ' || field->text[field->length - 1] == '\t')) {
        field->length--;
    }
}

static ng_status quoted_field(ng_csv *csv, ng_field *field, ng_error *err)
{
    size_t opened = csv->line;
    field->text = ++csv->at;
    for (;;) {
        if (csv->at == csv->end) {
            return NG_FAIL(err, NG_FORMAT, "%s:%zu: a quote that opens here is never closed",
                           csv->name, opened);
        }
        if (*csv->at == '"') {
            if (csv->at + 1 == csv->end || csv->at[1] != '"') {
                break;
            }
            csv->at++; /* "" stands for one quote, which no number or name needs */
        } else if (*csv->at == '\n') {
            csv->line++;
        }
        csv->at++;
    }
    field->length = (size_t)(csv->at - field->text);
    csv->at++;
    while (csv->at < csv->end && *csv->at == ' ') {
        csv->at++;
    }
    trim(field);
    return end_field(csv, err);
}

ng_status ng_csv_next_field(ng_csv *csv, ng_field *field, bool *found, ng_error *err)
{
    *found = csv->in_record;
    if (!csv->in_record) {
        return NG_OK;
    }
    while (csv->at < csv->end && *csv->at == ' ') {
        csv->at++;
    }
    if (csv->at < csv->end && *csv->at == '"') {
        return quoted_field(csv, field, err);
    }
    field->text = csv->at;
    while (!at_line_end(csv) && *csv->at != csv->delimiter) {
        csv->at++;
    }
    field->length = (size_t)(csv->at - field->text);
    trim(field);
    return end_field(csv, err);
}

ng_status ng_csv_end_record(ng_csv *csv, ng_error *err)
{
    ng_field field;
    bool found = true;
    while (found) {
        ng_status status = ng_csv_next_field(csv, &field, &found, err);
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

/* Bytes of the UTF-8 character at p, 0 when there is none (which JSON would refuse). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : 0;
    if (n == 0 || n > left || *p < 0x20 || *p == 0x7f || *p == 0xc0 || *p == 0xc1) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = *p == 0xe0 && p[1] < 0xa0;
    bool surrogate = *p == 0xed && p[1] >= 0xa0;
    return overlong || surrogate ? 0 : n;
}

void ng_text_show(const char *text, size_t length, char *shown, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < length;) {
        size_t bytes = utf8_length((const unsigned char *)text + i, length - i);
        size_t takes = bytes > 0 ? bytes : 1;
        if (n + takes + 4 > size) {
            memcpy(shown + n, "...", 3);
            n += 3;
            break;
        }
        if (bytes > 0) {
            memcpy(shown + n, text + i, bytes);
        } else {
            shown[n] = '?';
        }
        n += takes;
        i += takes;
    }
    shown[n] = '\0';
}

void ng_field_show(const ng_field *field, char shown[48])
{
    ng_text_show(field->text, field->length, shown + 1, 44);
    shown[0] = '\'';
    size_t n = strlen(shown);
    memcpy(shown + n, "'", 2);
}
