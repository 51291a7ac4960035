/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finished records of long work: what run they belong to, and where they are kept. */
#include "cli_internal.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHORT_RUN_S 2.0 /* shorter runs leave no journal */
#define STDIN_LIMIT_BYTES ((size_t)1 << 36)

/* ---- what run it is ---------------------------------------------------------------------- */

/* Options that say how and where, not what. */
static bool changes_nothing(const char *option)
{
    static const char *const names[] = {"json",  "output",   "force",  "threads", "quiet",
                                        "progress", "config", "journal", "help"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(option, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *options_that_matter(json_t *options)
{
    json_t *out = json_object();
    const char *name = NULL;
    json_t *option = NULL;
    json_object_foreach(options, name, option)
    {
        if (!changes_nothing(name)) {
            json_object_set(out, name, json_object_get(option, "value"));
        }
    }
    return out;
}

/* The contents of the files; *known is false when one of them can be read only once. */
static json_t *contents_of_inputs(const json_t *inputs, bool *known)
{
    json_t *out = json_array();
    *known = true;
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        json_t *hash = json_object_get(json_array_get(inputs, i), "sha256");
        *known = *known && hash != NULL;
        json_array_append(out, hash);
    }
    return out;
}

static ng_status fingerprint(const ng_cli *cli, char hex[65], bool *known, ng_error *err)
{
    json_t *all = ng_provenance_json(cli->provenance, cli->options, &cli->run, NULL);
    json_t *what = json_pack(
        "{s:s, s:s, s:s, s:o, s:o}", "version", ng_version(), "build", ng_build_info(), "verb",
        cli->command->name, "options", options_that_matter(json_object_get(all, "options")),
        "inputs", contents_of_inputs(json_object_get(all, "inputs"), known));
    char *text = what != NULL ? json_dumps(what, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    ng_status status = NG_OK;
    if (text != NULL) {
        ng_sha256(text, strlen(text), hex);
    } else {
        status = NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    json_decref(what);
    json_decref(all);
    free(text);
    return status;
}

static ng_status check_all_ranks(const ng_cli *cli, const char hex[65], ng_error *err)
{
    char first[65];
    memcpy(first, hex, sizeof first);
    ng_status status = ng_cluster_share(cli->run.cluster, first, sizeof first, err);
    if (status == NG_OK && strcmp(first, hex) != 0) {
        status = NG_FAIL(err, NG_INVALID,
                         "reads other input than rank 0, or is another build of nucgrow; all "
                         "machines must see the same files");
    }
    return status;
}

/* ---- where it is kept -------------------------------------------------------------------- */

static char *journal_beside(const char *output)
{
    struct stat info;
    bool plain = output != NULL && strcmp(output, "-") != 0 &&
                 (stat(output, &info) != 0 || S_ISREG(info.st_mode));
    return plain ? ng_text_format("%s.partial", output) : NULL;
}

static ng_status open_journal(ng_cli *cli, const char *hex, ng_error *err)
{
    const char *wanted = cli->common.journal;
    bool automatic = strcmp(wanted, "auto") == 0;
    cli->journal_path = automatic ? journal_beside(cli->common.output) : ng_text_copy(wanted);
    if (cli->journal_path == NULL) {
        return NG_OK;
    }
    const ng_journal_options options = {.path = cli->journal_path,
                                        .fingerprint = hex,
                                        .force = cli->common.force,
                                        .delay_s = automatic ? SHORT_RUN_S : 0.0};
    ng_status status = ng_journal_open(&options, &cli->run.journal, err);
    size_t resumed = status == NG_OK ? ng_journal_resumed(cli->run.journal) : 0;
    if (resumed > 0 && !cli->common.quiet) {
        fprintf(stderr, "nucgrow: %s: going on from %s: %zu parts of the work are done\n",
                cli->command->name, cli->journal_path, resumed);
    }
    return status;
}

ng_status ng_cli_keep_records(ng_cli *cli, ng_error *err)
{
    char hex[65];
    bool known = false;
    ng_status status = fingerprint(cli, hex, &known, err);
    /* all have come here, or none goes on */
    status = ng_cluster_agree(cli->run.cluster, status, err);
    if (status == NG_OK) {
        status = check_all_ranks(cli, hex, err);
    }
    bool keeps = known && ng_cli_is_first(cli) && strcmp(cli->common.journal, "none") != 0;
    return status == NG_OK && keeps ? open_journal(cli, hex, err) : status;
}

void ng_cli_end_records(ng_cli *cli, bool done)
{
    ng_journal *journal = cli->run.journal;
    if (journal == NULL) {
        return;
    }
    const char *trouble = ng_journal_trouble(journal);
    if (trouble != NULL && !cli->common.quiet) {
        fprintf(stderr, "nucgrow: %s: %s; finished work could not be kept\n", cli->command->name,
                trouble);
    } else if (!done && ng_journal_kept(journal) > 0) {
        fprintf(stderr, "nucgrow: %s: %zu finished parts are in %s; the same command goes on from "
                "there\n", cli->command->name, ng_journal_kept(journal), cli->journal_path);
    }
    ng_journal_close(journal, done);
    cli->run.journal = NULL;
}

/* ---- standard input ----------------------------------------------------------------------- */

static bool reads_stdin(const ng_cli *cli)
{
    for (size_t i = 0; i < cli->n_files; i++) {
        if (strcmp(cli->file[i], "-") == 0) {
            return true;
        }
    }
    return false;
}

/* From now on standard input holds `text`. */
static ng_status replace_stdin(const char *text, size_t length, ng_error *err)
{
    FILE *copy = tmpfile();
    bool good = copy != NULL && fwrite(text, 1, length, copy) == length && fflush(copy) == 0 &&
                dup2(fileno(copy), STDIN_FILENO) >= 0 && fseek(stdin, 0, SEEK_SET) == 0;
    ng_status status = good ? NG_OK
                            : NG_FAIL(err, NG_IO, "standard input cannot be given to all processes "
                                      "(%s)", strerror(errno));
    if (copy != NULL) {
        fclose(copy);
    }
    clearerr(stdin);
    return status;
}

ng_status ng_cli_share_stdin(ng_cli *cli, ng_error *err)
{
    ng_cluster *cluster = cli->run.cluster;
    if (ng_cluster_size(cluster) == 1 || !reads_stdin(cli)) {
        return NG_OK;
    }
    char *text = NULL;
    size_t length = 0, there = 0;
    ng_status status = NG_OK;
    if (ng_cli_is_first(cli)) {
        status = ng_file_read("-", STDIN_LIMIT_BYTES, &text, &length, err);
    }
    there = status == NG_OK ? length + 1 : 0;
    ng_status shared = ng_cluster_share(cluster, &there, sizeof there, err);
    if (shared != NG_OK || there == 0) {
        return status != NG_OK ? status : shared;
    }
    text = text != NULL ? text : ng_alloc(there, 1);
    if (text == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu bytes of standard input", there - 1);
    }
    status = ng_cluster_share(cluster, text, there - 1, err);
    status = status == NG_OK ? replace_stdin(text, there - 1, err) : status;
    ng_free(text);
    return status;
}
