/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * @file assignments.h
 * Options that assign numbers to names: --fix rc=44,nu=0.1
 */
#ifndef NUCGROW_ASSIGNMENTS_H
#define NUCGROW_ASSIGNMENTS_H

#include "cli.h"

/** One of the assignments; the name is one that ng_read_assignments was given. */
typedef ng_status ng_assign(void *context, size_t name, double value, ng_error *err);

/** What may be assigned to, and what becomes of it. */
typedef struct ng_assignments {
    const char *flag;         /* for messages: "fix" */
    const char *example;      /* for messages: "rc=44" */
    const char *const *names; /* borrowed, n_names of them */
    size_t n_names;
    ng_assign *assign;
    void *context;
} ng_assignments;

/** Read every text of a list, "NAME=VALUE,NAME=VALUE" each.
 *  @return NG_USAGE with the text that is no assignment or the name that is not known, or as
 *  `assign` */
NG_MUST_CHECK ng_status ng_read_assignments(const ng_assignments *form, const ng_text_list *list,
                                            ng_error *err);

#endif
