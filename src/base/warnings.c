/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include <jansson.h>
#include <string.h>

static bool holds(const ng_warnings *list, const ng_warning *warning)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->item[i].name, warning->name) == 0 &&
            strcmp(list->item[i].text, warning->text) == 0) {
            return true;
        }
    }
    return false;
}

static void add_once(ng_warnings *list, const ng_warning *warning)
{
    if (holds(list, warning)) {
        return;
    }
    ng_warning *grown = ng_realloc(list->item, list->n + 1, sizeof *grown);
    if (grown == NULL) {
        return;
    }
    list->item = grown;
    list->item[list->n++] = *warning;
}

void ng_warnings_add(ng_warnings *list, const char *name, const char *format, ...)
{
    if (list == NULL) {
        return;
    }
    ng_warning warning = {{0}, {0}};
    snprintf(warning.name, sizeof warning.name, "%s", name);
    va_list args;
    va_start(args, format);
    vsnprintf(warning.text, sizeof warning.text, format, args);
    va_end(args);
    add_once(list, &warning);
}

void ng_warnings_append(ng_warnings *list, const ng_warnings *from)
{
    if (list == NULL || from == NULL || list == from) {
        return;
    }
    for (size_t i = 0; i < from->n; i++) {
        add_once(list, &from->item[i]);
    }
}

void ng_warnings_free(ng_warnings *list)
{
    if (list == NULL) {
        return;
    }
    ng_free(list->item);
    *list = (ng_warnings){0};
}

struct json_t *ng_warnings_json(const ng_warnings *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && list != NULL && i < list->n; i++) {
        json_t *item =
            json_pack("{s:s, s:s}", "name", list->item[i].name, "text", list->item[i].text);
        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}
