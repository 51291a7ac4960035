/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/cluster.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct ng_provenance {
    char *verb;
    char *command;
    json_t *inputs;
    json_t *references;
    struct timespec wall_start;
    double cpu_start_s;
    time_t started;
};

static double cpu_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static double wall_seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static double peak_memory_MB(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_maxrss / 1024.0;
}

/* Room for `word` in single quotes when the shell would need them. */
static size_t append_word(char *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=,:+@%";
    bool quoted = word[0] == '\0' || strspn(word, plain) != strlen(word);
    size_t n = 0;
    out[n] = '\'';
    n += quoted;
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            memcpy(out + n, "'\\''", 4);
            n += 4;
        } else {
            out[n++] = *word;
        }
    }
    out[n] = '\'';
    n += quoted;
    out[n] = '\0';
    return n;
}

static char *command_line(int argc, char **argv)
{
    size_t room = 1;
    for (int i = 0; i < argc; i++) {
        room += 4 * strlen(argv[i]) + 4;
    }
    char *text = ng_alloc(room, 1);
    size_t n = 0;
    for (int i = 0; text != NULL && i < argc; i++) {
        if (i > 0) {
            text[n++] = ' ';
        }
        n += append_word(text + n, argv[i]);
    }
    return text;
}

ng_provenance *ng_provenance_create(const char *verb, int argc, char **argv)
{
    ng_provenance *p = NG_NEW(ng_provenance, 1);
    if (p == NULL) {
        return NULL;
    }
    p->verb = ng_text_copy(verb);
    p->command = command_line(argc, argv);
    p->inputs = json_array();
    p->references = json_array();
    clock_gettime(CLOCK_MONOTONIC, &p->wall_start);
    p->cpu_start_s = cpu_seconds();
    p->started = time(NULL);
    if (p->verb == NULL || p->command == NULL || p->inputs == NULL || p->references == NULL) {
        ng_provenance_destroy(p);
        return NULL;
    }
    return p;
}

void ng_provenance_destroy(ng_provenance *p)
{
    if (p == NULL) {
        return;
    }
    ng_free(p->verb);
    ng_free(p->command);
    json_decref(p->inputs);
    json_decref(p->references);
    ng_free(p);
}

ng_status ng_provenance_input(ng_provenance *p, const char *path, ng_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    if (is_stdin) {
        /* It can be read only once, and the verb reads it. */
        json_array_append_new(p->inputs, json_pack("{s:s}", "name", path));
        return NG_OK;
    }
    char hex[65];
    uint64_t bytes = 0;
    ng_status status = ng_file_sha256(path, hex, &bytes, err);
    if (status == NG_OK) {
        json_array_append_new(p->inputs, json_pack("{s:s, s:I, s:s}", "name", path, "bytes",
                                                   (json_int_t)bytes, "sha256", hex));
    }
    return status;
}

void ng_provenance_reference(ng_provenance *p, const char *citation)
{
    size_t i = 0;
    json_t *known = NULL;
    json_array_foreach(p->references, i, known)
    {
        if (strcmp(json_string_value(known), citation) == 0) {
            return;
        }
    }
    json_array_append_new(p->references, json_string(citation));
}

static void add_clocks(const ng_provenance *p, json_t *block)
{
    bool reproducible = getenv("SOURCE_DATE_EPOCH") != NULL;
    char date[32] = "1970-01-01T00:00:00Z";
    struct tm utc;
    if (!reproducible && gmtime_r(&p->started, &utc) != NULL) {
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    double scale = reproducible ? 0.0 : 1.0;
    json_object_set_new(block, "started_utc", json_string(date));
    json_object_set_new(block, "wall_s", json_real(scale * wall_seconds_since(&p->wall_start)));
    json_object_set_new(block, "cpu_s", json_real(scale * (cpu_seconds() - p->cpu_start_s)));
    json_object_set_new(block, "peak_memory_MB", json_real(scale * peak_memory_MB()));
}

struct json_t *ng_provenance_json(const ng_provenance *p, const ng_options *options,
                                  const ng_run *run, const ng_warnings *warnings)
{
    json_t *block =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "program", "nucgrow", "version", ng_version(),
                  "build", ng_build_info(), "verb", p->verb, "command", p->command);
    if (block == NULL) {
        return NULL;
    }
    json_object_set_new(block, "options",
                        options != NULL ? ng_options_json(options) : json_object());
    json_object_set_new(block, "seed",
                        run != NULL ? json_integer((json_int_t)run->seed) : json_null());
    json_object_set_new(block, "threads", json_integer(ng_run_threads(run)));
    json_object_set_new(block, "ranks",
                        json_integer(ng_cluster_size(run != NULL ? run->cluster : NULL)));
    json_object_set_new(block, "inputs", json_deep_copy(p->inputs));
    add_clocks(p, block);
    json_object_set_new(block, "warnings", ng_warnings_json(warnings));
    json_object_set_new(block, "references", json_deep_copy(p->references));
    return block;
}
