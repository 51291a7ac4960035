/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of options as its parsers (text, YAML) and printers (help, JSON) see it. */
#ifndef NG_BASE_OPTIONS_INTERNAL_H
#define NG_BASE_OPTIONS_INTERNAL_H

#include <nucgrow/base.h>

/* What is kept beside an option's field. */
typedef struct ng_option_slot {
    ng_origin origin;
    char *text;        /* owned: the text a TEXT or CHOICE field points to, or the word of a REAL */
    const char **item; /* owned, with its texts: what a LIST field points to */
    size_t n_items;
} ng_option_slot;

typedef struct ng_option_table {
    const ng_option *option; /* borrowed */
    size_t n;
    char *target;         /* borrowed */
    ng_option_slot *slot; /* owned, one an option */
} ng_option_table;

struct ng_options {
    ng_option_table *table; /* owned */
    size_t n_tables;
};

/* An option of a set: where it is described, kept and stored. `option` is NULL when there is none.
 */
typedef struct ng_option_place {
    const ng_option *option;
    ng_option_slot *slot;
    void *field;
} ng_option_place;

ng_option_place ng_option_place_at(const ng_options *set, size_t table, size_t index);
ng_option_place ng_option_find(const ng_options *set, const char *name);

/* Fail with "<where>: no such option; did you mean ...?"; `dashes` goes before the suggestion. */
NG_MUST_CHECK ng_status ng_option_unknown(const ng_options *set, const char *where,
                                          const char *name, const char *dashes, ng_error *err);
/* Set from text; `where` starts each message ("--pixel-nm", "run.yaml:3: pixel-nm"). */
NG_MUST_CHECK ng_status ng_option_store(ng_option_place place, const char *where, const char *value,
                                        ng_origin origin, ng_error *err);

/* Does `word` stand in "a|b|c"? */
bool ng_choice_holds(const char *choices, const char *word);
/* Append a copy of `text`; false when out of memory. */
bool ng_text_list_add(const char ***item, size_t *n, const char *text);

#endif
