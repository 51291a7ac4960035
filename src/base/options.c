/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options_internal.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- the set ---------------------------------------------------------------------------- */

ng_options *ng_options_create(void)
{
    return NG_NEW(ng_options, 1);
}

static void clear_items(ng_option_slot *slot)
{
    ng_text_list owned = {.item = slot->item, .n = slot->n_items};
    ng_text_list_free(&owned);
    slot->item = NULL;
    slot->n_items = 0;
}

void ng_options_destroy(ng_options *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            ng_free(set->table[t].slot[i].text);
            clear_items(&set->table[t].slot[i]);
        }
        ng_free(set->table[t].slot);
    }
    ng_free(set->table);
    ng_free(set);
}

ng_option_place ng_option_place_at(const ng_options *set, size_t table, size_t index)
{
    const ng_option_table *t = &set->table[table];
    return (ng_option_place){.option = &t->option[index],
                             .slot = &t->slot[index],
                             .field = t->target + t->option[index].offset};
}

ng_option_place ng_option_find(const ng_options *set, const char *name)
{
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            if (strcmp(set->table[t].option[i].name, name) == 0) {
                return ng_option_place_at(set, t, i);
            }
        }
    }
    return (ng_option_place){0};
}

void ng_options_each(const ng_options *set, ng_option_visit *visit, void *context)
{
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            visit(context, &set->table[t].option[i]);
        }
    }
}

ng_origin ng_options_origin(const ng_options *set, const char *name)
{
    ng_option_place place = ng_option_find(set, name);
    return place.option != NULL ? place.slot->origin : NG_ORIGIN_DEFAULT;
}

static void set_unset(ng_option_place place)
{
    switch (place.option->type) {
    case NG_OPTION_BOOL:
        *(bool *)place.field = false;
        break;
    case NG_OPTION_INT:
        *(long *)place.field = LONG_MIN;
        break;
    case NG_OPTION_REAL:
        *(double *)place.field = NAN;
        break;
    case NG_OPTION_TEXT:
    case NG_OPTION_CHOICE:
        *(const char **)place.field = NULL;
        break;
    case NG_OPTION_LIST:
        *(ng_text_list *)place.field = (ng_text_list){0};
        break;
    }
}

ng_status ng_options_add(ng_options *set, const ng_option *table, size_t n, void *target,
                         ng_error *err)
{
    ng_option_table *grown = ng_realloc(set->table, set->n_tables + 1, sizeof *grown);
    ng_option_slot *slot = NG_NEW(ng_option_slot, n);
    if (grown != NULL) {
        set->table = grown;
    }
    if (grown == NULL || slot == NULL) {
        ng_free(slot);
        return NG_FAIL(err, NG_MEMORY, "options: out of memory");
    }
    set->table[set->n_tables++] =
        (ng_option_table){.option = table, .n = n, .target = target, .slot = slot};
    for (size_t i = 0; i < n; i++) {
        ng_option_place place = ng_option_place_at(set, set->n_tables - 1, i);
        set_unset(place);
        if (table[i].initial != NULL) {
            ng_status status =
                ng_option_store(place, table[i].name, table[i].initial, NG_ORIGIN_DEFAULT, err);
            if (status != NG_OK) {
                return status;
            }
        }
    }
    return NG_OK;
}

/* ---- one value -------------------------------------------------------------------------- */

bool ng_choice_holds(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = choices; at != NULL && *at != '\0';) {
        size_t span = strcspn(at, "|");
        if (span == length && strncmp(at, word, span) == 0) {
            return true;
        }
        at += span + (at[span] == '|');
    }
    return false;
}

bool ng_text_list_add(const char ***item, size_t *n, const char *text)
{
    char *copy = ng_text_copy(text);
    const char **grown = ng_realloc(*item, *n + 1, sizeof *grown);
    if (grown != NULL) {
        *item = grown;
    }
    if (copy == NULL || grown == NULL) {
        ng_free(copy);
        return false;
    }
    (*item)[(*n)++] = copy;
    return true;
}

static ng_status store_bool(bool *field, bool wins, const char *where, const char *value,
                            ng_error *err)
{
    bool yes = ng_choice_holds("true|yes|on|1", value);
    if (!yes && !ng_choice_holds("false|no|off|0", value)) {
        return NG_FAIL(err, NG_USAGE, "%s: '%s' is neither true nor false", where, value);
    }
    *field = wins ? yes : *field;
    return NG_OK;
}

static bool is_limited(const ng_option *option)
{
    return option->min < option->max;
}

static bool is_allowed(const ng_option *option, double x)
{
    return !is_limited(option) || (x >= option->min && x <= option->max);
}

static ng_status out_of_range(const ng_option *option, const char *where, const char *value,
                              ng_error *err)
{
    const char *unit = option->unit != NULL ? option->unit : "";
    const char *space = option->unit != NULL ? " " : "";
    if (isinf(option->max)) {
        return NG_FAIL(err, NG_USAGE, "%s: %s is out of range; %.10g%s%s or more is allowed", where,
                       value, option->min, space, unit);
    }
    return NG_FAIL(err, NG_USAGE, "%s: %s is out of range; allowed is %.10g to %.10g%s%s", where,
                   value, option->min, option->max, space, unit);
}

static ng_status store_int(ng_option_place place, bool wins, const char *where, const char *value,
                           ng_error *err)
{
    long x = 0;
    if (!ng_parse_int(value, &x)) {
        return NG_FAIL(err, NG_USAGE, "%s: '%s' is not a whole number", where, value);
    }
    if (!is_allowed(place.option, (double)x)) {
        return out_of_range(place.option, where, value, err);
    }
    if (wins) {
        *(long *)place.field = x;
    }
    return NG_OK;
}

static ng_status store_text(ng_option_place place, bool wins, const char *where, const char *value,
                            ng_error *err)
{
    if (!wins) {
        return NG_OK;
    }
    char *copy = ng_text_copy(value);
    if (copy == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", where);
    }
    ng_free(place.slot->text);
    place.slot->text = copy;
    if (place.option->type != NG_OPTION_REAL) {
        *(const char **)place.field = copy;
    }
    return NG_OK;
}

static ng_status store_real(ng_option_place place, bool wins, const char *where, const char *value,
                            ng_error *err)
{
    if (ng_choice_holds(place.option->choices, value)) {
        ng_status status = store_text(place, wins, where, value, err);
        if (status == NG_OK && wins) {
            *(double *)place.field = NAN;
        }
        return status;
    }
    double x = 0.0;
    if (!ng_parse_real(value, &x) || !isfinite(x)) {
        const char *words = place.option->choices;
        return NG_FAIL(err, NG_USAGE, "%s: '%s' is not a number%s%s", where, value,
                       words != NULL ? " and not one of " : "", words != NULL ? words : "");
    }
    if (!is_allowed(place.option, x)) {
        return out_of_range(place.option, where, value, err);
    }
    if (wins) {
        *(double *)place.field = x;
    }
    return NG_OK;
}

static ng_status store_choice(ng_option_place place, bool wins, const char *where,
                              const char *value, ng_error *err)
{
    if (!ng_choice_holds(place.option->choices, value)) {
        return NG_FAIL(err, NG_USAGE, "%s: '%s' is not one of %s", where, value,
                       place.option->choices);
    }
    return store_text(place, wins, where, value, err);
}

static ng_status store_list(ng_option_place place, bool wins, const char *where, const char *value,
                            ng_origin origin, ng_error *err)
{
    if (!wins) {
        return NG_OK;
    }
    if (origin != place.slot->origin) {
        clear_items(place.slot);
    }
    bool done = ng_text_list_add(&place.slot->item, &place.slot->n_items, value);
    *(ng_text_list *)place.field =
        (ng_text_list){.item = place.slot->item, .n = place.slot->n_items};
    return done ? NG_OK : NG_FAIL(err, NG_MEMORY, "%s: out of memory", where);
}

static ng_status store_typed(ng_option_place place, const char *where, const char *value,
                             ng_origin origin, ng_error *err)
{
    bool wins = origin >= place.slot->origin;
    switch (place.option->type) {
    case NG_OPTION_BOOL:
        return store_bool(place.field, wins, where, value, err);
    case NG_OPTION_INT:
        return store_int(place, wins, where, value, err);
    case NG_OPTION_REAL:
        return store_real(place, wins, where, value, err);
    case NG_OPTION_TEXT:
        return store_text(place, wins, where, value, err);
    case NG_OPTION_CHOICE:
        return store_choice(place, wins, where, value, err);
    case NG_OPTION_LIST:
        return store_list(place, wins, where, value, origin, err);
    }
    return NG_FAIL(err, NG_INTERNAL, "%s: option of an unknown type", where);
}

ng_status ng_option_store(ng_option_place place, const char *where, const char *value,
                          ng_origin origin, ng_error *err)
{
    ng_status status = store_typed(place, where, value, origin, err);
    if (status == NG_OK && origin > place.slot->origin) {
        place.slot->origin = origin;
    }
    return status;
}

/* ---- by name ---------------------------------------------------------------------------- */

typedef struct name_list {
    const char **name;
    size_t n;
} name_list;

static void collect_name(void *context, const ng_option *option)
{
    name_list *list = context;
    if (list->name != NULL) {
        list->name[list->n] = option->name;
    }
    list->n++;
}

static const char *nearest_option(const ng_options *set, const char *name)
{
    name_list list = {NULL, 0};
    ng_options_each(set, collect_name, &list);
    list.name = NG_NEW(const char *, list.n);
    list.n = 0;
    if (list.name != NULL) {
        ng_options_each(set, collect_name, &list);
    }
    const char *nearest = ng_nearest_name(name, list.name, list.name != NULL ? list.n : 0);
    ng_free(list.name);
    return nearest;
}

ng_status ng_option_unknown(const ng_options *set, const char *where, const char *name,
                            const char *dashes, ng_error *err)
{
    const char *nearest = nearest_option(set, name);
    if (nearest == NULL) {
        return NG_FAIL(err, NG_USAGE, "%s: no such option", where);
    }
    return NG_FAIL(err, NG_USAGE, "%s: no such option; did you mean %s%s?", where, dashes, nearest);
}

ng_status ng_options_set(ng_options *set, const char *name, const char *value, ng_origin origin,
                         ng_error *err)
{
    char where[80];
    snprintf(where, sizeof where, "--%s", name);
    ng_option_place place = ng_option_find(set, name);
    if (place.option == NULL) {
        return ng_option_unknown(set, where, name, "--", err);
    }
    return ng_option_store(place, where, value, origin, err);
}

/* Levenshtein distance of words up to 63 letters; longer ones are not names of ours. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LIMIT = 64 };
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n >= LIMIT || m >= LIMIT) {
        return LIMIT;
    }
    size_t row[LIMIT];
    for (size_t j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < skip ? change : skip;
        }
    }
    return row[m];
}

const char *ng_nearest_name(const char *word, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    /* A name that shares no letter with the word is no suggestion. */
    size_t limit = strlen(word) < 4 ? strlen(word) : 4;
    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(word, names[i]);
        if (distance < limit) {
            limit = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- as JSON ---------------------------------------------------------------------------- */

static json_t *texts_json(const ng_text_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++) {
        json_array_append_new(array, json_string(list->item[i]));
    }
    return array;
}

static json_t *real_json(ng_option_place place)
{
    double x = *(const double *)place.field;
    if (isnan(x) && place.slot->text != NULL) {
        return json_string(place.slot->text);
    }
    return ng_json_real(x);
}

static json_t *value_json(ng_option_place place)
{
    const char *text = NULL;
    switch (place.option->type) {
    case NG_OPTION_BOOL:
        return json_boolean(*(const bool *)place.field);
    case NG_OPTION_INT:
        return *(const long *)place.field == LONG_MIN ? json_null()
                                                      : json_integer(*(const long *)place.field);
    case NG_OPTION_REAL:
        return real_json(place);
    case NG_OPTION_TEXT:
    case NG_OPTION_CHOICE:
        text = *(const char *const *)place.field;
        return text == NULL ? json_null() : json_string(text);
    case NG_OPTION_LIST:
        return texts_json(place.field);
    }
    return json_null();
}

struct json_t *ng_options_json(const ng_options *set)
{
    static const char *const origins[] = {"default", "preset", "file", "environment", "flag"};
    json_t *object = json_object();
    for (size_t t = 0; object != NULL && t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            ng_option_place place = ng_option_place_at(set, t, i);
            json_t *entry = json_object();
            json_object_set_new(entry, "value", value_json(place));
            if (place.option->unit != NULL) {
                json_object_set_new(entry, "unit", json_string(place.option->unit));
            }
            json_object_set_new(entry, "origin", json_string(origins[place.slot->origin]));
            json_object_set_new(object, place.option->name, entry);
        }
    }
    return object;
}
