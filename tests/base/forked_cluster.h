/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cluster of forked processes that talk through sockets: what MPI does for the program. */
#ifndef NUCGROW_FORKED_CLUSTER_H
#define NUCGROW_FORKED_CLUSTER_H

#include <nucgrow/cluster.h>

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANKS_MAX = 4 };

/* What a rank does; what it finds goes to memory that all share. Its value: the exit code. */
typedef int forked_rank(ng_cluster *cluster, void *context);

typedef struct forked_links {
    int rank, size;
    int talk[RANKS_MAX], bulk[RANKS_MAX]; /* to each other rank; only those with rank 0 are used */
} forked_links;

static inline ng_status forked_send(void *context, int to, const void *message, size_t bytes,
                                    ng_error *err)
{
    const forked_links *f = context;
    ssize_t sent = send(f->talk[to], message, bytes, MSG_NOSIGNAL);
    return sent == (ssize_t)bytes ? NG_OK : NG_FAIL(err, NG_IO, "rank %d is gone", to);
}

static inline ng_status forked_receive(void *context, void *message, size_t room, size_t *bytes,
                                       int *from, ng_error *err)
{
    const forked_links *f = context;
    *bytes = 0;
    for (int r = f->rank == 0 ? 1 : 0; r < (f->rank == 0 ? f->size : 1); r++) {
        ssize_t got = recv(f->talk[r], message, room, MSG_DONTWAIT);
        if (got > 0) {
            *bytes = (size_t)got;
            *from = r;
            return NG_OK;
        }
        if (got == 0 || errno != EAGAIN) {
            return NG_FAIL(err, NG_IO, "rank %d is gone", r);
        }
    }
    return NG_OK;
}

static inline ng_status forked_broadcast(void *context, void *data, size_t bytes, ng_error *err)
{
    const forked_links *f = context;
    for (int r = 1; f->rank == 0 && r < f->size; r++) {
        for (size_t at = 0; at < bytes;) {
            ssize_t n = write(f->bulk[r], (char *)data + at, bytes - at);
            if (n <= 0) {
                return NG_FAIL(err, NG_IO, "rank %d is gone", r);
            }
            at += (size_t)n;
        }
    }
    for (size_t at = 0; f->rank > 0 && at < bytes;) {
        ssize_t n = read(f->bulk[0], (char *)data + at, bytes - at);
        if (n <= 0) {
            return NG_FAIL(err, NG_IO, "rank 0 is gone");
        }
        at += (size_t)n;
    }
    return NG_OK;
}

static inline int forked_child(int pair[RANKS_MAX][4], int rank, int size, forked_rank *run,
                               void *context)
{
    forked_links f = {.rank = rank, .size = size};
    for (int r = 1; r < size; r++) {
        int mine = rank == 0 ? r : 0;
        bool used = rank == 0 || rank == r;
        if (used) {
            f.talk[mine] = pair[r][rank == 0 ? 0 : 1];
            f.bulk[mine] = pair[r][rank == 0 ? 2 : 3];
        }
        close(used ? pair[r][rank == 0 ? 1 : 0] : pair[r][0]);
        close(used ? pair[r][rank == 0 ? 3 : 2] : pair[r][1]);
        if (!used) {
            close(pair[r][2]);
            close(pair[r][3]);
        }
    }
    const ng_cluster_links links = {rank, size, &f, forked_send, forked_receive, forked_broadcast};
    ng_cluster *cluster = NULL;
    if (ng_cluster_create(&links, &cluster, NULL) != NG_OK) {
        return 100;
    }
    int code = run(cluster, context);
    ng_cluster_destroy(cluster);
    return code;
}

/* Run `size` ranks to their end; code[r] is what each returned, negative: killed by a signal. */
static inline void forked_cluster_run(int size, forked_rank *run, void *context, int *code)
{
    int pair[RANKS_MAX][4];
    pid_t child[RANKS_MAX];
    for (int r = 1; r < size; r++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair[r]), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[r] + 2), 0);
    }
    for (int r = 0; r < size; r++) {
        child[r] = fork();
        assert_true(child[r] >= 0);
        if (child[r] == 0) {
            signal(SIGSEGV, SIG_DFL); /* cmocka would go on with the next test */
            alarm(60); /* a cluster that hangs is a failure, not a wait */
            _exit(forked_child(pair, r, size, run, context));
        }
    }
    for (int r = 1; r < size; r++) {
        for (int k = 0; k < 4; k++) {
            close(pair[r][k]);
        }
    }
    for (int r = 0; r < size; r++) {
        int state = 0;
        assert_int_equal(waitpid(child[r], &state, 0), child[r]);
        code[r] = WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
    }
}

static inline void *forked_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

#endif
