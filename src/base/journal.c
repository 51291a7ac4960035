/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of finished records: a head that names the run, then one entry a record, each with a
 * checksum. Numbers are those of the machine, which is part of the fingerprint. */
#include "base_internal.h"

#include <nucgrow/cluster.h>

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "nucgrow journal 1\n"

typedef struct head {
    char magic[24];
    uint8_t fingerprint[32];
    uint64_t check;
} head;

typedef struct entry {
    uint64_t loop, index, bytes, check;
} entry;

/* An entry that was there at the start. */
typedef struct found {
    uint64_t loop, index, bytes;
    off_t at; /* of its record */
} found;

struct ng_journal {
    char *path;
    uint8_t fingerprint[32];
    double delay_s;
    struct timespec opened;
    int file;     /* -1: not yet begun, or given up */
    bool on_disk; /* there is a file, and it is ours */
    off_t end;
    unsigned char *waiting; /* entries of a run that may yet be short */
    size_t n_waiting;
    found *found;
    size_t n_found, n_kept;
    uint64_t loops;
    char trouble[256];
};

/* ---- checksums -------------------------------------------------------------------------- */

static uint64_t first_bytes(struct sha256_ctx *hash)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    uint64_t value = 0;
    sha256_digest(hash, sizeof digest, digest);
    memcpy(&value, digest, sizeof value);
    return value;
}

static void hash_bytes(struct sha256_ctx *hash, const void *bytes, size_t n)
{
    sha256_update(hash, n, bytes);
}

static uint64_t head_check(const head *h)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_bytes(&hash, h, offsetof(head, check));
    return first_bytes(&hash);
}

/* Bound to the run, so that entries cannot come from elsewhere. */
static void entry_check_begin(const ng_journal *j, const entry *e, struct sha256_ctx *hash)
{
    sha256_init(hash);
    hash_bytes(hash, j->fingerprint, sizeof j->fingerprint);
    hash_bytes(hash, e, offsetof(entry, check));
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool read_fingerprint(const char *hex, uint8_t out[32])
{
    bool good = hex != NULL && strlen(hex) == 64;
    for (size_t i = 0; good && i < 32; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        out[i] = (uint8_t)(16 * high + low);
    }
    return good;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool read_at(int file, void *bytes, size_t n, off_t at)
{
    unsigned char *to = bytes;
    while (n > 0) {
        ssize_t got = pread(file, to, n, at);
        if (got <= 0) {
            return false;
        }
        to += got;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static bool record_is_good(const ng_journal *j, const entry *e, off_t at)
{
    struct sha256_ctx hash;
    uint8_t block[1 << 14];
    entry_check_begin(j, e, &hash);
    for (uint64_t left = e->bytes; left > 0;) {
        size_t n = left < sizeof block ? (size_t)left : sizeof block;
        if (!read_at(j->file, block, n, at)) {
            return false;
        }
        hash_bytes(&hash, block, n);
        at += (off_t)n;
        left -= n;
    }
    return first_bytes(&hash) == e->check;
}

static ng_status add_found(ng_journal *j, const entry *e, off_t at, ng_error *err)
{
    size_t n = j->n_found;
    if ((n & (n - 1)) == 0) {
        found *grown = ng_realloc(j->found, n == 0 ? 1 : 2 * n, sizeof *grown);
        if (grown == NULL) {
            return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu records", j->path, n);
        }
        j->found = grown;
    }
    j->found[j->n_found++] = (found){e->loop, e->index, e->bytes, at};
    return NG_OK;
}

/* Entries up to the first that is cut off or damaged. */
static ng_status read_entries(ng_journal *j, off_t size, ng_error *err)
{
    ng_status status = NG_OK;
    entry e;
    j->end = (off_t)sizeof(head);
    while (status == NG_OK && size - j->end >= (off_t)sizeof e) {
        off_t at = j->end + (off_t)sizeof e;
        if (!read_at(j->file, &e, sizeof e, j->end) || e.bytes > (uint64_t)(size - at) ||
            !record_is_good(j, &e, at)) {
            break;
        }
        status = add_found(j, &e, at, err);
        j->end = at + (off_t)e.bytes;
    }
    j->n_kept = j->n_found;
    return status;
}

/* ---- beginning -------------------------------------------------------------------------- */

static bool write_all(int file, const void *bytes, size_t n)
{
    const unsigned char *from = bytes;
    while (n > 0) {
        ssize_t put = write(file, from, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        from += put;
        n -= (size_t)put;
    }
    return true;
}

/* Only a warning can come of this: what is computed is right without a journal, too. */
static void give_up(ng_journal *j, const char *what)
{
    snprintf(j->trouble, sizeof j->trouble, "%s: %s (%s)", j->path, what, strerror(errno));
    if (j->file >= 0) {
        (void)!ftruncate(j->file, j->end);
        close(j->file);
        j->file = -1;
    }
}

static bool write_head(ng_journal *j)
{
    head h = {.magic = MAGIC};
    memcpy(h.fingerprint, j->fingerprint, sizeof h.fingerprint);
    h.check = head_check(&h);
    j->end = (off_t)sizeof h;
    return ftruncate(j->file, 0) == 0 && lseek(j->file, 0, SEEK_SET) == 0 &&
           write_all(j->file, &h, sizeof h);
}

/* False when another run holds it. File systems that know no locks do without. */
static bool lock_file(int file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(file, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN);
}

static void begin_file(ng_journal *j)
{
    j->file = open(j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    j->on_disk = j->file >= 0 && lock_file(j->file);
    if (!j->on_disk || !write_head(j)) {
        give_up(j, "cannot be written");
        return;
    }
    if (!write_all(j->file, j->waiting, j->n_waiting)) {
        give_up(j, "writing failed");
        return;
    }
    j->end += (off_t)j->n_waiting;
    ng_free(j->waiting);
    j->waiting = NULL;
    j->n_waiting = 0;
}

/* What an existing file is to this run. */
typedef enum standing { OURS, UNBEGUN, ANOTHERS, NO_JOURNAL } standing;

static standing look_at_head(const ng_journal *j, off_t size)
{
    head h = {.magic = ""};
    size_t there = size < (off_t)sizeof h ? (size_t)size : sizeof h;
    size_t magic = there < strlen(MAGIC) ? there : strlen(MAGIC);
    if (!read_at(j->file, &h, there, 0) || memcmp(h.magic, MAGIC, magic) != 0) {
        return NO_JOURNAL;
    }
    if (there < sizeof h) {
        return UNBEGUN;
    }
    bool same = h.check == head_check(&h) &&
                memcmp(h.fingerprint, j->fingerprint, sizeof h.fingerprint) == 0;
    return same ? OURS : ANOTHERS;
}

static ng_status take_up(ng_journal *j, bool force, ng_error *err)
{
    struct stat info;
    if (fstat(j->file, &info) != 0 || !S_ISREG(info.st_mode)) {
        return NG_FAIL(err, NG_EXISTS, "%s: is no plain file; name another with --journal",
                       j->path);
    }
    if (!lock_file(j->file)) {
        return NG_FAIL(err, NG_EXISTS,
                       "%s: is in use by a run that is still going; wait for it, or name another "
                       "output",
                       j->path);
    }
    standing is = look_at_head(j, info.st_size);
    if (is == NO_JOURNAL) {
        return NG_FAIL(err, NG_EXISTS, "%s: is no journal of unfinished work; name another with "
                       "--journal", j->path);
    }
    if (is == ANOTHERS && !force) {
        return NG_FAIL(err, NG_EXISTS,
                       "%s: holds unfinished work of another run (other options, input, seed or "
                       "version); pass --force to throw it away, or --journal none",
                       j->path);
    }
    j->on_disk = true;
    ng_status status = NG_OK;
    if (is == OURS) {
        status = read_entries(j, info.st_size, err);
    } else if (!write_head(j)) {
        give_up(j, "cannot be written");
    }
    bool cut = status == NG_OK && j->file >= 0;
    if (cut && (ftruncate(j->file, j->end) != 0 || lseek(j->file, j->end, SEEK_SET) < 0)) {
        give_up(j, "cannot be written");
    }
    return status;
}

static ng_status open_file(ng_journal *j, bool force, ng_error *err)
{
    j->file = open(j->path, O_RDWR | O_CLOEXEC);
    if (j->file >= 0) {
        return take_up(j, force, err);
    }
    if (errno != ENOENT) {
        return NG_FAIL(err, NG_IO, "%s: cannot be read (%s); name another with --journal", j->path,
                       strerror(errno));
    }
    if (j->delay_s <= 0.0) {
        begin_file(j);
    }
    return NG_OK;
}

ng_status ng_journal_open(const ng_journal_options *o, ng_journal **out, ng_error *err)
{
    *out = NULL;
    ng_journal *j = NG_NEW(ng_journal, 1);
    if (j != NULL) {
        j->file = -1;
        j->delay_s = o->delay_s;
        j->path = ng_text_copy(o->path);
        clock_gettime(CLOCK_MONOTONIC, &j->opened);
    }
    ng_status status = NG_OK;
    if (j == NULL || j->path == NULL) {
        status = NG_FAIL(err, NG_MEMORY, "%s: out of memory", o->path);
    } else if (!read_fingerprint(o->fingerprint, j->fingerprint)) {
        status = NG_FAIL(err, NG_INTERNAL, "%s: a fingerprint has 64 hex digits", o->path);
    } else {
        status = open_file(j, o->force, err);
    }
    if (status != NG_OK) {
        ng_journal_close(j, false);
        return status;
    }
    *out = j;
    return NG_OK;
}

size_t ng_journal_resumed(const ng_journal *j)
{
    return j->n_found;
}

size_t ng_journal_kept(const ng_journal *j)
{
    return j->file >= 0 ? j->n_kept : 0;
}

const char *ng_journal_trouble(const ng_journal *j)
{
    return j->trouble[0] != '\0' ? j->trouble : NULL;
}

void ng_journal_close(ng_journal *j, bool remove)
{
    if (j == NULL) {
        return;
    }
    if (j->on_disk && remove) {
        unlink(j->path);
    }
    if (j->file >= 0) {
        close(j->file);
    }
    ng_free(j->waiting);
    ng_free(j->found);
    ng_free(j->path);
    ng_free(j);
}

/* ---- what a loop does with it ----------------------------------------------------------- */

/* The loops of a run follow each other in an order that its input decides. */
uint64_t ng_journal_loop(ng_journal *j, const ng_loop *l)
{
    uint64_t number[3] = {j->loops++, l->records.n, l->records.bytes};
    struct sha256_ctx hash;
    sha256_init(&hash);
    hash_bytes(&hash, number, sizeof number);
    hash_bytes(&hash, l->stage, strlen(l->stage));
    return first_bytes(&hash);
}

ng_status ng_journal_restore(const ng_journal *j, ng_loop *l, ng_error *err)
{
    for (size_t i = 0; j->file >= 0 && i < j->n_found; i++) {
        const found *f = &j->found[i];
        if (f->loop != l->journal_loop || f->index >= l->records.n ||
            f->bytes != l->records.bytes || (l->have != NULL && l->have[f->index])) {
            continue;
        }
        l->have = l->have != NULL ? l->have : NG_NEW(bool, l->records.n);
        if (l->have == NULL) {
            return NG_FAIL(err, NG_MEMORY, "%s: no memory for %zu records", j->path, l->records.n);
        }
        if (!read_at(j->file, ng_loop_record(l, (size_t)f->index), (size_t)f->bytes, f->at)) {
            return NG_FAIL(err, NG_IO, "%s: cannot be read any more", j->path);
        }
        l->have[f->index] = true;
        l->done++;
    }
    return NG_OK;
}

static bool is_due(const ng_journal *j)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double since_s = (double)(now.tv_sec - j->opened.tv_sec) +
                     1e-9 * (double)(now.tv_nsec - j->opened.tv_nsec);
    return since_s >= j->delay_s;
}

static void hold(ng_journal *j, const entry *e, const void *record)
{
    size_t more = sizeof *e + (size_t)e->bytes;
    unsigned char *grown = ng_realloc(j->waiting, j->n_waiting + more, 1);
    if (grown == NULL) {
        return;
    }
    memcpy(grown + j->n_waiting, e, sizeof *e);
    memcpy(grown + j->n_waiting + sizeof *e, record, (size_t)e->bytes);
    j->waiting = grown;
    j->n_waiting += more;
    j->n_kept++;
}

void ng_journal_keep(ng_journal *j, const ng_loop *l, size_t index)
{
    if (j->trouble[0] != '\0') {
        return;
    }
    const void *record = ng_loop_record(l, index);
    entry e = {.loop = l->journal_loop, .index = index, .bytes = l->records.bytes};
    struct sha256_ctx hash;
    entry_check_begin(j, &e, &hash);
    hash_bytes(&hash, record, l->records.bytes);
    e.check = first_bytes(&hash);
    if (j->file < 0) {
        hold(j, &e, record);
        if (is_due(j)) {
            begin_file(j);
        }
        return;
    }
    if (!write_all(j->file, &e, sizeof e) || !write_all(j->file, record, l->records.bytes)) {
        give_up(j, "writing failed");
        return;
    }
    j->end += (off_t)(sizeof e + l->records.bytes);
    j->n_kept++;
}
