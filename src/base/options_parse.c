/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options from the command line and from the environment. */
#include "options_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct cursor {
    ng_options *set;
    int argc;
    char **argv;
    int next; /* first word not yet read */
} cursor;

/* The word after an option. "--other" there is a forgotten value, while "-1.35" is one. */
static ng_status take_value(cursor *c, const char *where, const char **value, ng_error *err)
{
    const char *word = c->next < c->argc ? c->argv[c->next] : NULL;
    if (word == NULL || (strncmp(word, "--", 2) == 0 && word[2] != '\0')) {
        return NG_FAIL(err, NG_USAGE, "%s: a value is missing after it", where);
    }
    *value = word;
    c->next++;
    return NG_OK;
}

static ng_status set_plain(cursor *c, ng_option_place place, const char *where, const char *value,
                           ng_error *err)
{
    if (value == NULL && place.option->type == NG_OPTION_BOOL) {
        value = "true";
    }
    ng_status status = value == NULL ? take_value(c, where, &value, err) : NG_OK;
    return status == NG_OK ? ng_option_store(place, where, value, NG_ORIGIN_FLAG, err) : status;
}

/* --name, --name=value, --no-name; `word` is what follows the dashes. */
static ng_status parse_long(cursor *c, const char *word, ng_error *err)
{
    char name[64];
    char where[72];
    size_t length = strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), word);
    snprintf(where, sizeof where, "--%s", name);
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    ng_option_place place = ng_option_find(c->set, name);
    if (place.option != NULL) {
        return set_plain(c, place, where, value, err);
    }
    if (strncmp(name, "no-", 3) == 0 && value == NULL) {
        place = ng_option_find(c->set, name + 3);
        if (place.option != NULL && place.option->type == NG_OPTION_BOOL) {
            return ng_option_store(place, where, "false", NG_ORIGIN_FLAG, err);
        }
    }
    return ng_option_unknown(c->set, where, name, "--", err);
}

static ng_option_place find_letter(const ng_options *set, char letter)
{
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            if (set->table[t].option[i].letter == letter) {
                return ng_option_place_at(set, t, i);
            }
        }
    }
    return (ng_option_place){0};
}

/* -q, -qj, -o FILE, -oFILE; `word` is what follows the dash. */
static ng_status parse_letters(cursor *c, const char *word, ng_error *err)
{
    for (; *word != '\0'; word++) {
        char where[3] = {'-', *word, '\0'};
        ng_option_place place = find_letter(c->set, *word);
        if (place.option == NULL) {
            return NG_FAIL(err, NG_USAGE,
                           "%s: no such option; put `--` before names that begin "
                           "with a dash",
                           where);
        }
        bool is_flag = place.option->type == NG_OPTION_BOOL;
        const char *value = !is_flag && word[1] != '\0' ? word + 1 : NULL;
        ng_status status = set_plain(c, place, where, value, err);
        if (status != NG_OK || !is_flag) {
            return status;
        }
    }
    return NG_OK;
}

ng_status ng_options_parse(ng_options *set, int argc, char **argv, const char **positional,
                           size_t *n_positional, ng_error *err)
{
    cursor c = {.set = set, .argc = argc, .argv = argv, .next = 0};
    bool only_files = false;
    *n_positional = 0;
    while (c.next < argc) {
        const char *word = argv[c.next++];
        ng_status status = NG_OK;
        if (only_files || word[0] != '-' || word[1] == '\0') {
            positional[(*n_positional)++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_files = true;
        } else if (word[1] == '-') {
            status = parse_long(&c, word + 2, err);
        } else {
            status = parse_letters(&c, word + 1, err);
        }
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

static void environment_name(const char *option, char *name, size_t room)
{
    snprintf(name, room, "NUCGROW_%s", option);
    for (char *at = name; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    }
}

ng_status ng_options_environment(ng_options *set, ng_error *err)
{
    for (size_t t = 0; t < set->n_tables; t++) {
        for (size_t i = 0; i < set->table[t].n; i++) {
            ng_option_place place = ng_option_place_at(set, t, i);
            char name[80];
            environment_name(place.option->name, name, sizeof name);
            const char *value = getenv(name);
            ng_status status =
                value == NULL ? NG_OK
                              : ng_option_store(place, name, value, NG_ORIGIN_ENVIRONMENT, err);
            if (status != NG_OK) {
                return status;
            }
        }
    }
    return NG_OK;
}
