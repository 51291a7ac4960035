/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ranks say to each other. */
#ifndef NUCGROW_CLUSTER_INTERNAL_H
#define NUCGROW_CLUSTER_INTERNAL_H

#include "base_internal.h"

#include <nucgrow/cluster.h>

typedef enum talk {
    /* to rank 0 */
    TALK_WANT = 1, /* `count` more indices */
    TALK_DONE,     /* index, and its record */
    TALK_FAILED,   /* index, and its ng_error */
    TALK_SKIPPED,  /* index, after a failure below it or when asked to stop */
    TALK_STOP,     /* this rank was asked to stop (Ctrl-C) */
    TALK_LEAVE,    /* waits for agreement; its ng_error */
    /* from rank 0 */
    TALK_WORK,   /* `count` indices from `index` on; `left` are left to deal */
    TALK_FINISH, /* the loop is over; its ng_error */
    TALK_AGREED  /* an ng_error for all */
} talk;

/* A message: this, and then a record, an ng_error or nothing. */
typedef struct talk_head {
    uint32_t kind;
    uint32_t loop; /* which loop, or for LEAVE and AGREED which agreement */
    uint64_t index, count, left;
} talk_head;

struct ng_cluster {
    ng_cluster_links links;
    uint32_t loops, agreements; /* begun */
    ng_error agreed;            /* the failure that all know of */
    bool *has_left;             /* rank 0: ranks that wait for agreement */
    int first_failed;           /* rank 0: lowest of those that left with an error; size: none */
    ng_error failure;           /* its error */
};

/* A message with `bytes` of `payload`; `scratch` has room for both. */
ng_status ng_talk_send(ng_cluster *c, int to, const talk_head *head, const void *payload,
                       size_t bytes, void *scratch, ng_error *err);
/* A message that consists of head and error. */
ng_status ng_talk_send_error(ng_cluster *c, int to, const talk_head *head, const ng_error *error,
                             ng_error *err);
/* The error of another rank, with its number. */
ng_error ng_talk_name_rank(const ng_error *error, int rank);
/* Note on rank 0 that a rank waits for agreement. */
void ng_talk_note_leave(ng_cluster *c, int from, const ng_error *error);
/* Wait a little: longer each time that nothing happened. */
void ng_talk_nap(long *nap_ns, bool happened, long longest_ns);

#endif
