/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "assignments.h"

#include <stdlib.h>
#include <string.h>

/* "eps_f, eps_e and kr" */
static void list_names(const ng_assignments *form, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < form->n_names && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 == form->n_names ? " and " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", before, form->names[i]);
    }
}

static ng_status assign(const ng_assignments *form, const char *name, size_t length, double value,
                        ng_error *err)
{
    char names[200];
    for (size_t i = 0; i < form->n_names; i++) {
        if (strlen(form->names[i]) == length && strncmp(form->names[i], name, length) == 0) {
            return form->assign(form->context, i, value, err);
        }
    }
    list_names(form, names, sizeof names);
    return NG_FAIL(err, NG_USAGE, "--%s: no parameter %.*s; there are %s", form->flag, (int)length,
                   name, names);
}

static ng_status read_text(const ng_assignments *form, const char *text, ng_error *err)
{
    while (*text != '\0') {
        const char *equals = strchr(text, '=');
        char *end = NULL;
        const double value = equals != NULL ? strtod(equals + 1, &end) : 0.0;
        if (equals == NULL || end == equals + 1 || (*end != '\0' && *end != ',')) {
            return NG_FAIL(err, NG_USAGE, "--%s: '%s' is not NAME=VALUE,NAME=VALUE (%s)",
                           form->flag, text, form->example);
        }
        ng_status status = assign(form, text, (size_t)(equals - text), value, err);
        if (status != NG_OK) {
            return status;
        }
        text = *end == ',' ? end + 1 : end;
    }
    return NG_OK;
}

ng_status ng_read_assignments(const ng_assignments *form, const ng_text_list *list, ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; status == NG_OK && i < list->n; i++) {
        status = read_text(form, list->item[i], err);
    }
    return status;
}
