/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that share a run: who they are, and how they come to one answer. */
#include "cluster_internal.h"

#include <string.h>
#include <time.h>

#define NAP_FIRST_NS 50000L
#define NAP_AGREE_NS 2000000L

ng_status ng_cluster_create(const ng_cluster_links *links, ng_cluster **out, ng_error *err)
{
    *out = NULL;
    ng_cluster *c = NG_NEW(ng_cluster, 1);
    if (c != NULL) {
        c->links = *links;
        c->first_failed = links->size;
        c->has_left = NG_NEW(bool, (size_t)links->size);
    }
    if (c == NULL || c->has_left == NULL) {
        ng_free(c);
        return NG_FAIL(err, NG_MEMORY, "no memory for a cluster of %d ranks", links->size);
    }
    *out = c;
    return NG_OK;
}

void ng_cluster_destroy(ng_cluster *c)
{
    if (c != NULL) {
        ng_free(c->has_left);
        ng_free(c);
    }
}

int ng_cluster_rank(const ng_cluster *c)
{
    return c != NULL ? c->links.rank : 0;
}

int ng_cluster_size(const ng_cluster *c)
{
    return c != NULL ? c->links.size : 1;
}

ng_status ng_cluster_share(ng_cluster *c, void *data, size_t bytes, ng_error *err)
{
    return ng_cluster_size(c) > 1 ? c->links.broadcast(c->links.context, data, bytes, err) : NG_OK;
}

/* ---- messages --------------------------------------------------------------------------- */

ng_status ng_talk_send(ng_cluster *c, int to, const talk_head *head, const void *payload,
                       size_t bytes, void *scratch, ng_error *err)
{
    memcpy(scratch, head, sizeof *head);
    if (bytes > 0) {
        memcpy((char *)scratch + sizeof *head, payload, bytes);
    }
    return c->links.send(c->links.context, to, scratch, sizeof *head + bytes, err);
}

ng_status ng_talk_send_error(ng_cluster *c, int to, const talk_head *head, const ng_error *error,
                             ng_error *err)
{
    char scratch[sizeof *head + sizeof *error];
    ng_error copy = *error;
    copy.file = NULL; /* an address of this process */
    return ng_talk_send(c, to, head, &copy, sizeof copy, scratch, err);
}

ng_error ng_talk_name_rank(const ng_error *error, int rank)
{
    ng_error named = *error;
    int used = snprintf(named.message, sizeof named.message, "rank %d: ", rank);
    memcpy(named.message + used, error->message, sizeof named.message - (size_t)used - 1);
    named.message[sizeof named.message - 1] = '\0';
    return named;
}

void ng_talk_note_leave(ng_cluster *c, int from, const ng_error *error)
{
    c->has_left[from] = true;
    if (error->status != NG_OK && from < c->first_failed) {
        c->first_failed = from;
        c->failure = ng_talk_name_rank(error, from);
    }
}

void ng_talk_nap(long *nap_ns, bool happened, long longest_ns)
{
    *nap_ns = happened ? NAP_FIRST_NS : 2 * *nap_ns < longest_ns ? 2 * *nap_ns : longest_ns;
    struct timespec nap = {.tv_nsec = *nap_ns};
    nanosleep(&nap, NULL);
}

/* ---- agreement -------------------------------------------------------------------------- */

typedef struct plain_message {
    talk_head head;
    ng_error error;
} plain_message;

/* *there: a message without a record has arrived (one with a record can only be late: dropped). */
static ng_status receive_plain(ng_cluster *c, plain_message *m, int *from, bool *there,
                               ng_error *err)
{
    size_t bytes = 0;
    ng_status status = c->links.receive(c->links.context, m, sizeof *m, &bytes, from, err);
    *there = status == NG_OK && bytes >= sizeof m->head;
    if (*there && bytes < sizeof *m) {
        m->error = (ng_error){.status = NG_OK};
    }
    return status;
}

static ng_status await_verdict(ng_cluster *c, ng_error *agreed, ng_error *err)
{
    long nap_ns = NAP_FIRST_NS;
    while (true) {
        plain_message m;
        int from = 0;
        bool there = false;
        ng_status status = receive_plain(c, &m, &from, &there, err);
        if (status != NG_OK) {
            return status;
        }
        if (there && m.head.kind == TALK_AGREED && m.head.loop == c->agreements) {
            *agreed = m.error;
            return NG_OK;
        }
        ng_talk_nap(&nap_ns, there, NAP_AGREE_NS);
    }
}

/* Rank 0 has come to the end, and this rank waits in a loop that will not be. */
static ng_status turn_away(ng_cluster *c, int rank, uint32_t loop, const ng_error *own,
                           ng_error *err)
{
    ng_error why = *own;
    if (own->status == NG_OK) {
        ng_error_set(&why, NG_INTERNAL, __FILE__, __LINE__,
                     "has more to do than rank 0; is the input the same on all machines?");
    }
    const talk_head head = {.kind = TALK_FINISH, .loop = loop};
    return ng_talk_send_error(c, rank, &head, &why, err);
}

static ng_status await_all(ng_cluster *c, const ng_error *own, ng_error *err)
{
    long nap_ns = NAP_FIRST_NS;
    int here = 1;
    for (int r = 1; r < c->links.size; r++) {
        here += c->has_left[r] ? 1 : 0;
    }
    while (here < c->links.size) {
        plain_message m;
        int from = 0;
        bool there = false;
        ng_status status = receive_plain(c, &m, &from, &there, err);
        if (status == NG_OK && there && m.head.kind == TALK_LEAVE && !c->has_left[from]) {
            ng_talk_note_leave(c, from, &m.error);
            here++;
        } else if (status == NG_OK && there && m.head.kind == TALK_WANT &&
                   m.head.loop > c->loops) {
            status = turn_away(c, from, m.head.loop, own, err);
        }
        if (status != NG_OK) {
            return status;
        }
        ng_talk_nap(&nap_ns, there, NAP_AGREE_NS);
    }
    return NG_OK;
}

static ng_status lead_agreement(ng_cluster *c, const ng_error *own, ng_error *agreed, ng_error *err)
{
    ng_status status = await_all(c, own, err);
    *agreed = own->status == NG_OK && c->first_failed < c->links.size ? c->failure : *own;
    const talk_head head = {.kind = TALK_AGREED, .loop = c->agreements};
    for (int r = 1; status == NG_OK && r < c->links.size; r++) {
        status = ng_talk_send_error(c, r, &head, agreed, err);
        c->has_left[r] = false;
    }
    c->first_failed = c->links.size;
    return status;
}

void ng_cluster_go_on(ng_cluster *c)
{
    if (c != NULL) {
        c->agreed.status = NG_OK;
    }
}

/* Failures of communication stay, too. */
static ng_status keep_agreed(ng_cluster *c, const ng_error *error, ng_error *err)
{
    c->agreed = *error;
    if (err != NULL) {
        *err = *error;
    }
    return error->status;
}

ng_status ng_cluster_agree(ng_cluster *c, ng_status status, ng_error *err)
{
    if (ng_cluster_size(c) < 2) {
        return status;
    }
    if (c->agreed.status != NG_OK) {
        const ng_error known = c->agreed;
        return keep_agreed(c, &known, err);
    }
    ng_error own = {.status = NG_OK}, agreed = own, broken = own;
    if (status != NG_OK && err != NULL) {
        own = *err;
    }
    own.status = status;
    c->agreements++;
    ng_status talking = NG_OK;
    if (c->links.rank == 0) {
        talking = lead_agreement(c, &own, &agreed, &broken);
    } else {
        const talk_head head = {.kind = TALK_LEAVE, .loop = c->agreements};
        talking = ng_talk_send_error(c, 0, &head, &own, &broken);
        talking = talking == NG_OK ? await_verdict(c, &agreed, &broken) : talking;
    }
    return keep_agreed(c, talking == NG_OK ? &agreed : &broken, err);
}
