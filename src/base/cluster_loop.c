/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A loop over records on several ranks. On each, one thread talks and the others work. Rank 0 deals
 * out indices, a few at a time, as ranks become free; records come to it one by one. */
#include "cluster_internal.h"

#include <string.h>
#include <time.h>

#define NAP_FIRST_NS 50000L
#define NAP_LOOP_NS 2000000L /* waking costs the working threads time; work ahead hides the wait */
#define NAP_WORK_NS 200000L
#define AHEAD_S 0.02 /* work that a rank keeps waiting, so that asking for more costs no time */
#define SHARE 4      /* a rank gets at most 1 / (SHARE * ranks) of what is left at a time */

/* This rank's part of a loop. */
typedef struct part {
    ng_loop *l;
    ng_cluster *c;
    unsigned char *message; /* owned: room for the longest */
    size_t room;
    int threads;
    bool over; /* written by the talking thread, read by all: under the lock */

    /* rank 0 */
    size_t *dealt;   /* owned: indices that are at each rank */
    bool *has_come;  /* owned: ranks that are in this loop */
    int n_come;

    /* other ranks; under the lock */
    size_t *todo; /* owned: indices dealt to this rank */
    size_t n_todo, n_taken;
    struct returned {
        size_t index;
        bool done;
    } *back; /* owned: what was taken, as it is finished */
    size_t n_back, n_sent;
    double busy_s;
    bool has_asked, has_said_stop, is_near_end;
} part;

static void fail(part *p, const ng_error *error)
{
    ng_loop_lock(p->l);
    ng_loop_abandon(p->l, error);
    ng_loop_unlock(p->l);
}

static void end_part(part *p)
{
    ng_loop_lock(p->l);
    p->over = true;
    ng_loop_unlock(p->l);
}

static talk_head head_of(const part *p, talk kind)
{
    return (talk_head){.kind = kind, .loop = p->c->loops};
}

/* ---- rank 0 ----------------------------------------------------------------------------- */

static ng_status answer_want(part *p, int rank, size_t wanted, ng_error *err)
{
    ng_loop *l = p->l;
    size_t first = 0;
    ng_loop_lock(l);
    size_t left = l->records.n - l->next;
    size_t share = left / (SHARE * (size_t)p->c->links.size);
    size_t most = share > 1 ? share : 1;
    size_t count = ng_loop_deal(l, wanted < most ? wanted : most, &first);
    p->dealt[rank] += count;
    left = l->records.n - l->next;
    ng_loop_unlock(l);
    if (count == 0) {
        return NG_OK;
    }
    talk_head head = head_of(p, TALK_WORK);
    head.index = first;
    head.count = count;
    head.left = left;
    return ng_talk_send(p->c, rank, &head, NULL, 0, p->message, err);
}

/* An index is back from a rank, with a record, an error or nothing. */
static void take_back(part *p, int rank, const talk_head *head, const ng_error *error)
{
    ng_loop *l = p->l;
    ng_loop_lock(l);
    p->dealt[rank]--;
    if (head->kind == TALK_SKIPPED) {
        l->away--;
    } else {
        if (head->kind == TALK_DONE) {
            memcpy(ng_loop_record(l, (size_t)head->index), p->message + sizeof *head,
                   l->records.bytes);
        }
        ng_loop_finish(l, (size_t)head->index, error->status, error);
    }
    ng_loop_unlock(l);
}

/* A rank waits for agreement already: it failed alone, and what it had will not come back. */
static void lose_rank(part *p, int rank, const ng_error *error)
{
    ng_error why = ng_talk_name_rank(error, rank);
    if (error->status == NG_OK) {
        ng_error_set(&why, NG_INTERNAL, __FILE__, __LINE__,
                     "rank %d: has less to do than rank 0; is the input the same on all machines?",
                     rank);
    }
    ng_talk_note_leave(p->c, rank, error);
    ng_loop_lock(p->l);
    p->l->away -= p->dealt[rank];
    p->dealt[rank] = 0;
    ng_loop_abandon(p->l, &why);
    ng_loop_unlock(p->l);
}

static void note_arrival(part *p, int rank)
{
    p->n_come += p->has_come[rank] ? 0 : 1;
    p->has_come[rank] = true;
}

static ng_status handle(part *p, int from, size_t bytes, ng_error *err)
{
    talk_head head;
    ng_error error = {.status = NG_OK};
    memcpy(&head, p->message, sizeof head);
    if (bytes == sizeof head + sizeof error && head.kind != TALK_DONE) {
        memcpy(&error, p->message + sizeof head, sizeof error);
    }
    if (head.kind == TALK_LEAVE) {
        lose_rank(p, from, &error);
        note_arrival(p, from);
        return NG_OK;
    }
    if (head.loop != p->c->loops) {
        return NG_OK; /* asked before it heard that the loop was over */
    }
    note_arrival(p, from);
    if (head.kind == TALK_WANT) {
        return answer_want(p, from, (size_t)head.count, err);
    }
    if (head.kind == TALK_STOP) {
        ng_loop_lock(p->l);
        p->l->cancelled = true;
        ng_loop_unlock(p->l);
        return NG_OK;
    }
    bool whole = head.kind != TALK_DONE || bytes == sizeof head + p->l->records.bytes;
    if (p->dealt[from] == 0 || head.index >= p->l->records.n || !whole) {
        return NG_FAIL(err, NG_INTERNAL, "%s: rank %d sends what it was not asked for",
                       p->l->stage, from);
    }
    take_back(p, from, &head, &error);
    return NG_OK;
}

static ng_status handle_all(part *p, bool *happened, ng_error *err)
{
    ng_cluster_links *links = &p->c->links;
    size_t bytes = 1;
    ng_status status = NG_OK;
    while (status == NG_OK && bytes > 0) {
        int from = 0;
        status = links->receive(links->context, p->message, p->room, &bytes, &from, err);
        if (status == NG_OK && bytes >= sizeof(talk_head)) {
            *happened = true;
            status = handle(p, from, bytes, err);
        }
    }
    return status;
}

static ng_status tell_the_end(part *p, ng_error *err)
{
    const talk_head head = head_of(p, TALK_FINISH);
    const ng_error error = ng_loop_outcome(p->l);
    ng_status status = NG_OK;
    for (int r = 1; status == NG_OK && r < p->c->links.size; r++) {
        if (!p->c->has_left[r]) {
            status = ng_talk_send_error(p->c, r, &head, &error, err);
        }
    }
    return status;
}

/* One round of rank 0's talk; true when something happened. */
static bool host_step(part *p)
{
    bool happened = false;
    ng_error error = {.status = NG_OK};
    ng_status status = handle_all(p, &happened, &error);
    ng_loop_lock(p->l);
    bool over = ng_loop_is_over(p->l);
    ng_loop_unlock(p->l);
    if (status == NG_OK && over && p->n_come == p->c->links.size) {
        status = tell_the_end(p, &error);
        end_part(p);
    }
    if (status != NG_OK) {
        fail(p, &error);
        end_part(p);
    }
    return happened;
}

/* ---- the other ranks -------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Under the lock, which is let go while the task runs. */
static void guest_run_next(part *p, int worker)
{
    ng_loop *l = p->l;
    size_t index = p->todo[p->n_taken++];
    bool done = false;
    if (!l->cancelled && index < l->failed_index) {
        ng_error error = {.status = NG_OK};
        ng_loop_unlock(l);
        double start_s = now_s();
        ng_status status = ng_loop_task(l, index, worker, &error);
        double end_s = now_s();
        ng_loop_lock(l);
        p->busy_s += end_s - start_s;
        l->away++;
        ng_loop_finish(l, index, status, &error);
        done = status == NG_OK;
    }
    p->back[p->n_back++] = (struct returned){index, done};
}

static ng_status send_back(part *p, const struct returned *r, ng_error *err)
{
    ng_loop *l = p->l;
    talk_head head = head_of(p, r->done ? TALK_DONE : TALK_SKIPPED);
    head.index = r->index;
    ng_loop_lock(l);
    bool failed = r->index == l->failed_index;
    const ng_error error = l->failure;
    ng_loop_unlock(l);
    if (failed) {
        head.kind = TALK_FAILED;
        return ng_talk_send_error(p->c, 0, &head, &error, err);
    }
    const void *record = r->done ? ng_loop_record(l, r->index) : NULL;
    return ng_talk_send(p->c, 0, &head, record, r->done ? l->records.bytes : 0, p->message, err);
}

static ng_status send_all_back(part *p, bool *happened, ng_error *err)
{
    ng_status status = NG_OK;
    while (status == NG_OK) {
        ng_loop_lock(p->l);
        bool any = p->n_sent < p->n_back;
        struct returned r = {0};
        if (any) {
            r = p->back[p->n_sent++];
        }
        ng_loop_unlock(p->l);
        if (!any) {
            break;
        }
        *happened = true;
        status = send_back(p, &r, err);
    }
    return status;
}

/* Under the lock: how many indices to ask for. Tasks that are short are fetched ahead by the time
 * they take; long ones one a thread, and near the end none, so that all ranks end together. */
static size_t guest_wants(const part *p)
{
    size_t threads = (size_t)p->threads, held = p->n_todo - p->n_back;
    double mean_s = p->n_back > 0 ? p->busy_s / (double)p->n_back : AHEAD_S;
    double ahead = mean_s > 0.0 ? AHEAD_S / mean_s : 1.0;
    size_t each = ahead > 1000.0 ? 1000 : (size_t)ahead;
    each = each == 0 && !p->is_near_end ? 1 : each;
    size_t target = threads * (1 + each), least = threads * each / 2;
    size_t wanted = held < target ? target - held : 0;
    return wanted > least || held < threads ? wanted : 0;
}

static ng_status ask(part *p, ng_error *err)
{
    ng_loop_lock(p->l);
    bool stops = p->l->cancelled && !p->has_said_stop && !p->over;
    size_t wanted = p->has_asked || p->over || p->l->cancelled ? 0 : guest_wants(p);
    ng_loop_unlock(p->l);
    talk_head head = head_of(p, stops ? TALK_STOP : TALK_WANT);
    head.count = wanted;
    p->has_said_stop = p->has_said_stop || stops;
    if (!stops && wanted == 0) {
        return NG_OK;
    }
    p->has_asked = p->has_asked || !stops;
    return ng_talk_send(p->c, 0, &head, NULL, 0, p->message, err);
}

static void take_work(part *p, const talk_head *head)
{
    ng_loop *l = p->l;
    ng_loop_lock(l);
    for (uint64_t i = 0; i < head->count && p->n_todo < l->records.n; i++) {
        p->todo[p->n_todo++] = (size_t)(head->index + i);
    }
    p->is_near_end = head->left < 2 * (uint64_t)p->threads * (uint64_t)p->c->links.size;
    ng_loop_unlock(l);
    p->has_asked = false;
}

static void take_the_end(part *p, const ng_error *error)
{
    ng_loop *l = p->l;
    ng_loop_lock(l);
    l->failed_index = SIZE_MAX; /* rank 0 knows of all failures */
    l->done = l->records.n;
    if (error->status != NG_OK) {
        ng_loop_abandon(l, error);
    }
    p->over = true;
    ng_loop_unlock(l);
}

static ng_status hear(part *p, bool *happened, ng_error *err)
{
    ng_cluster_links *links = &p->c->links;
    size_t bytes = 0;
    int from = 0;
    talk_head head;
    ng_status status = links->receive(links->context, p->message, p->room, &bytes, &from, err);
    if (status != NG_OK || bytes < sizeof head) {
        return status;
    }
    *happened = true;
    memcpy(&head, p->message, sizeof head);
    if (head.loop == p->c->loops && head.kind == TALK_WORK) {
        take_work(p, &head);
    } else if (head.loop == p->c->loops && head.kind == TALK_FINISH) {
        ng_error error;
        memcpy(&error, p->message + sizeof head, sizeof error);
        take_the_end(p, &error);
    }
    return NG_OK;
}

static bool guest_step(part *p)
{
    bool happened = false;
    ng_error error = {.status = NG_OK};
    ng_status status = send_all_back(p, &happened, &error);
    status = status == NG_OK ? hear(p, &happened, &error) : status;
    status = status == NG_OK ? ask(p, &error) : status;
    if (status != NG_OK) {
        take_the_end(p, &error);
    }
    return happened;
}

/* ---- both ------------------------------------------------------------------------------- */

static bool step(part *p)
{
    return p->c->links.rank == 0 ? host_step(p) : guest_step(p);
}

static bool is_over(part *p)
{
    ng_loop_lock(p->l);
    bool over = p->over;
    ng_loop_unlock(p->l);
    return over;
}

static bool run_one(part *p)
{
    ng_loop *l = p->l;
    bool is_guest = p->c->links.rank > 0, any = false;
    ng_loop_lock(l);
    if (is_guest) {
        any = p->n_taken < p->n_todo;
        if (any) {
            guest_run_next(p, 0);
        }
        ng_loop_unlock(l);
        return any;
    }
    size_t index = 0;
    any = ng_loop_deal(l, 1, &index) > 0;
    ng_loop_unlock(l);
    if (any) {
        ng_error error = {.status = NG_OK};
        ng_status status = ng_loop_task(l, index, 0, &error);
        ng_loop_lock(l);
        ng_loop_finish(l, index, status, &error);
        ng_loop_unlock(l);
    }
    return any;
}

/* One thread only: it talks between tasks. */
static void alternate(part *p)
{
    long nap_ns = NAP_FIRST_NS;
    while (!is_over(p)) {
        bool happened = step(p);
        happened = run_one(p) || happened;
        if (happened) {
            nap_ns = NAP_FIRST_NS;
        } else {
            ng_talk_nap(&nap_ns, false, NAP_LOOP_NS);
        }
    }
}

#ifdef _OPENMP
static void guest_work(part *p, int worker)
{
    const struct timespec nap = {.tv_nsec = NAP_WORK_NS};
    ng_loop_lock(p->l);
    while (!p->over) {
        if (p->n_taken < p->n_todo) {
            guest_run_next(p, worker);
        } else {
            ng_loop_unlock(p->l);
            nanosleep(&nap, NULL);
            ng_loop_lock(p->l);
        }
    }
    ng_loop_unlock(p->l);
}

static void talk_until_over(part *p)
{
    long nap_ns = NAP_FIRST_NS;
    while (!is_over(p)) {
        ng_talk_nap(&nap_ns, step(p), NAP_LOOP_NS);
    }
}

static void run_part(part *p)
{
#pragma omp parallel num_threads(p->threads + 1)
    {
        int thread = omp_get_thread_num();
        if (omp_get_num_threads() == 1) {
            alternate(p);
        } else if (thread == 0) {
            talk_until_over(p);
        } else if (p->c->links.rank == 0) {
            ng_loop_work(p->l, thread - 1);
        } else {
            guest_work(p, thread - 1);
        }
    }
}
#else
static void run_part(part *p)
{
    alternate(p);
}
#endif

static bool allocate(part *p)
{
    size_t n = p->l->records.n, ranks = (size_t)p->c->links.size;
    size_t bytes = p->l->records.bytes;
    p->room = sizeof(talk_head) + (bytes > sizeof(ng_error) ? bytes : sizeof(ng_error));
    p->message = ng_alloc(p->room, 1);
    if (p->c->links.rank == 0) {
        p->dealt = NG_NEW(size_t, ranks);
        p->has_come = NG_NEW(bool, ranks);
        return p->message != NULL && p->dealt != NULL && p->has_come != NULL;
    }
    p->todo = NG_NEW(size_t, n);
    p->back = NG_NEW(struct returned, n);
    return p->message != NULL && p->todo != NULL && p->back != NULL;
}

static void part_free(part *p)
{
    ng_free(p->message);
    ng_free(p->dealt);
    ng_free(p->has_come);
    ng_free(p->todo);
    ng_free(p->back);
}

void ng_cluster_loop(ng_cluster *c, ng_loop *l)
{
    part p = {.l = l, .c = c, .threads = ng_run_threads(l->run)};
    ng_error error = {.status = NG_OK};
    if (!allocate(&p)) {
        ng_error_set(&error, NG_MEMORY, __FILE__, __LINE__, "%s: no memory for %zu records",
                     l->stage, l->records.n);
        ng_loop_abandon(l, &error);
        part_free(&p);
        return; /* the others hear of it when this rank comes to the agreement */
    }
    c->loops++;
    if (c->links.rank == 0) {
        note_arrival(&p, 0);
    }
    run_part(&p);
    if (ng_loop_outcome(l).status == NG_OK &&
        ng_cluster_share(c, l->records.data, l->records.n * l->records.bytes, &error) != NG_OK) {
        ng_loop_abandon(l, &error);
    }
    part_free(&p);
}
