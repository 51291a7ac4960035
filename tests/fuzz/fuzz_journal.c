/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a journal: the whole file, or (first byte even) what follows a good head of a run.
 * What is taken from it must be what the tasks make: a checksum keeps chance from the result. */
#include <nucgrow/cluster.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { N = 8 };

static const char fingerprint[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static ng_status count(void *context, size_t index, int worker, void *record, ng_error *err)
{
    uint64_t *out = record;
    (void)context;
    (void)worker;
    (void)err;
    *out = 1000 + index;
    return NG_OK;
}

/* A head of this run, from the library itself. */
static size_t make_head(const ng_journal_options *options, unsigned char *head, size_t room)
{
    ng_journal *journal = NULL;
    unlink(options->path);
    if (ng_journal_open(options, &journal, NULL) != NG_OK) {
        abort();
    }
    ng_journal_close(journal, false);
    FILE *stream = fopen(options->path, "rb");
    size_t n = stream != NULL ? fread(head, 1, room, stream) : 0;
    if (stream == NULL || fclose(stream) != 0) {
        abort();
    }
    return n;
}

static void write_file(const char *path, const unsigned char *head, size_t n_head,
                       const uint8_t *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    if (stream == NULL || fwrite(head, 1, n_head, stream) != n_head ||
        fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char path[64];
    static unsigned char head[256];
    static size_t n_head;
    const ng_journal_options options = {.path = path, .fingerprint = fingerprint};
    if (size == 0) {
        return 0;
    }
    if (path[0] == '\0') {
        snprintf(path, sizeof path, "/tmp/nucgrow-fuzz-%ld.partial", (long)getpid());
        n_head = make_head(&options, head, sizeof head);
    }
    write_file(path, head, bytes[0] % 2 == 0 ? n_head : 0, bytes + 1, size - 1);
    ng_journal *journal = NULL;
    ng_error err = {.status = NG_OK};
    ng_status status = ng_journal_open(&options, &journal, &err);
    if (status == NG_OK) {
        uint64_t record[N];
        ng_run run = ng_run_defaults();
        const ng_records records = {record, N, sizeof *record};
        run.journal = journal;
        status = ng_parallel_records(&records, count, NULL, &run, "fuzz", &err);
        for (size_t i = 0; i < N; i++) {
            if (status != NG_OK || record[i] != 1000 + i) {
                abort();
            }
        }
        ng_journal_close(journal, true);
    } else if (status != NG_EXISTS || strlen(err.message) < 10) {
        abort();
    }
    unlink(path);
    return 0;
}
