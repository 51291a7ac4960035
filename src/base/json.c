/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Larger than any result of ours by far. */
#define JSON_LIMIT_BYTES ((size_t)2 << 30)

struct json_t *ng_json_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

struct json_t *ng_json_reals(const double *x, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < n; i++) {
        if (json_array_append_new(array, ng_json_real(x[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

/* The fewest digits that read back as the same number: 0.1 stays 0.1. */
static void write_real(FILE *stream, double x)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        double back = 0.0;
        if (ng_parse_real(text, &back) && back == x) {
            break;
        }
    }
    bool looks_whole = strpbrk(text, ".eE") == NULL;
    fprintf(stream, looks_whole ? "%s.0" : "%s", text);
}

static void write_value(FILE *stream, const json_t *value, int depth);

static void new_line(FILE *stream, int depth)
{
    fprintf(stream, "\n%*s", 2 * depth, "");
}

static void write_string(FILE *stream, const char *text)
{
    json_t *value = json_string_nocheck(text);
    json_dumpf(value, stream, JSON_ENCODE_ANY);
    json_decref(value);
}

static bool holds_containers(const json_t *array)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(array, i, item)
    {
        if (json_is_object(item) || json_is_array(item)) {
            return true;
        }
    }
    return false;
}

static void write_array(FILE *stream, const json_t *array, int depth)
{
    bool broken = holds_containers(array);
    size_t i = 0;
    json_t *item = NULL;
    fputc('[', stream);
    json_array_foreach(array, i, item)
    {
        fputs(i == 0 ? "" : broken ? "," : ", ", stream);
        if (broken) {
            new_line(stream, depth + 1);
        }
        write_value(stream, item, depth + 1);
    }
    if (broken) {
        new_line(stream, depth);
    }
    fputc(']', stream);
}

static void write_object(FILE *stream, const json_t *object, int depth)
{
    bool first = true;
    fputc('{', stream);
    /* json_object_foreach wants a mutable object only for its iterator. */
    json_t *mutable = (json_t *)(uintptr_t)object;
    for (void *it = json_object_iter(mutable); it != NULL;
         it = json_object_iter_next(mutable, it)) {
        fputs(first ? "" : ",", stream);
        first = false;
        new_line(stream, depth + 1);
        write_string(stream, json_object_iter_key(it));
        fputs(": ", stream);
        write_value(stream, json_object_iter_value(it), depth + 1);
    }
    if (!first) {
        new_line(stream, depth);
    }
    fputc('}', stream);
}

static void write_value(FILE *stream, const json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(stream, value, depth);
        break;
    case JSON_ARRAY:
        write_array(stream, value, depth);
        break;
    case JSON_STRING:
        write_string(stream, json_string_value(value));
        break;
    case JSON_INTEGER:
        fprintf(stream, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(stream, json_real_value(value));
        break;
    case JSON_TRUE:
        fputs("true", stream);
        break;
    case JSON_FALSE:
        fputs("false", stream);
        break;
    case JSON_NULL:
        fputs("null", stream);
        break;
    }
}

ng_status ng_json_write(const struct json_t *value, const char *path, bool force, ng_error *err)
{
    if (value == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory while making the result", path);
    }
    ng_output *out = NULL;
    ng_status status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        return status;
    }
    write_value(ng_output_stream(out), value, 0);
    fputc('\n', ng_output_stream(out));
    return ng_output_commit(out, err);
}

ng_status ng_json_read(const char *path, struct json_t **value, ng_error *err)
{
    *value = NULL;
    char *text = NULL;
    size_t length = 0;
    ng_status status = ng_file_read(path, JSON_LIMIT_BYTES, &text, &length, err);
    if (status != NG_OK) {
        return status;
    }
    json_error_t trouble;
    *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &trouble);
    ng_free(text);
    if (*value == NULL) {
        return NG_FAIL(err, NG_FORMAT, "%s:%d: not valid JSON: %s", path, trouble.line,
                       trouble.text);
    }
    return NG_OK;
}
