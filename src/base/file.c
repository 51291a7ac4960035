/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#include <errno.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- writing ---------------------------------------------------------------------------- */

struct ng_output {
    FILE *stream;
    char *name;      /* as the caller gave it, for messages */
    char *target;    /* NULL: written directly, nothing to rename */
    char *temporary; /* NULL with target */
    bool borrowed;   /* standard output: flushed, not closed */
};

static void output_free(ng_output *out)
{
    ng_free(out->name);
    ng_free(out->target);
    ng_free(out->temporary);
    ng_free(out);
}

void ng_output_abandon(ng_output *out)
{
    if (out == NULL) {
        return;
    }
    if (out->stream != NULL && !out->borrowed) {
        fclose(out->stream);
    }
    if (out->temporary != NULL) {
        unlink(out->temporary);
    }
    output_free(out);
}

/* A link is followed, so that the file it names is replaced and not the link. */
static char *real_target(const char *path)
{
    char resolved[PATH_MAX];
    return ng_text_copy(realpath(path, resolved) != NULL ? resolved : path);
}

/* mkstemp makes files for the owner only; a result gets the mode that fopen would give it. */
static void set_usual_mode(int descriptor)
{
    mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(descriptor, 0666 & ~mask);
}

static ng_status open_temporary(ng_output *out, ng_error *err)
{
    out->target = real_target(out->name);
    char *name = out->target == NULL ? NULL : ng_text_format("%s.XXXXXX", out->target);
    if (name == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", out->name);
    }
    int descriptor = mkstemp(name);
    if (descriptor < 0) {
        ng_status status = NG_FAIL(err, NG_IO, "%s: cannot be written (%s); does its folder exist?",
                                   out->name, strerror(errno));
        ng_free(name);
        return status;
    }
    out->temporary = name;
    set_usual_mode(descriptor);
    out->stream = fdopen(descriptor, "w");
    if (out->stream == NULL) {
        close(descriptor);
        return NG_FAIL(err, NG_IO, "%s: cannot be written (%s)", out->name, strerror(errno));
    }
    return NG_OK;
}

static ng_status open_directly(ng_output *out, ng_error *err)
{
    out->stream = fopen(out->name, "w");
    if (out->stream == NULL) {
        return NG_FAIL(err, NG_IO, "%s: cannot be written (%s)", out->name, strerror(errno));
    }
    return NG_OK;
}

static ng_status open_stream(ng_output *out, bool force, ng_error *err)
{
    if (strcmp(out->name, "-") == 0) {
        out->stream = stdout;
        out->borrowed = true;
        return NG_OK;
    }
    struct stat info;
    if (stat(out->name, &info) != 0) {
        return open_temporary(out, err);
    }
    if (S_ISDIR(info.st_mode)) {
        return NG_FAIL(err, NG_IO, "%s: is a folder; give the name of a file", out->name);
    }
    if (!S_ISREG(info.st_mode)) {
        return open_directly(out, err);
    }
    if (!force) {
        return NG_FAIL(err, NG_EXISTS, "%s: exists already; pass --force to overwrite it",
                       out->name);
    }
    return open_temporary(out, err);
}

ng_status ng_output_open(const char *path, bool force, ng_output **out, ng_error *err)
{
    *out = NULL;
    ng_output *o = NG_NEW(ng_output, 1);
    if (o == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", path);
    }
    o->name = ng_text_copy(path);
    ng_status status = o->name == NULL ? NG_FAIL(err, NG_MEMORY, "%s: out of memory", path)
                                       : open_stream(o, force, err);
    if (status != NG_OK) {
        ng_output_abandon(o);
        return status;
    }
    *out = o;
    return NG_OK;
}

ng_status ng_output_check(const char *path, bool force, ng_error *err)
{
    struct stat info;
    bool special = stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
    if (special || strcmp(path, "-") == 0) {
        /* Opening a pipe and closing it again would end it for its reader. */
        return NG_OK;
    }
    ng_output *probe = NULL;
    ng_status status = ng_output_open(path, force, &probe, err);
    ng_output_abandon(probe);
    return status;
}

FILE *ng_output_stream(ng_output *out)
{
    return out->stream;
}

ng_status ng_output_commit(ng_output *out, ng_error *err)
{
    bool bad = ferror(out->stream) != 0;
    bad |= fflush(out->stream) != 0;
    if (!out->borrowed) {
        bad |= fclose(out->stream) != 0;
        out->stream = NULL;
    }
    bad = bad || (out->target != NULL && rename(out->temporary, out->target) != 0);
    ng_status status = NG_OK;
    if (bad) {
        status = NG_FAIL(err, NG_IO, "%s: writing failed (%s); is the disk full?",
                         out->borrowed ? "standard output" : out->name, strerror(errno));
        ng_output_abandon(out);
    } else {
        output_free(out);
    }
    return status;
}

/* ---- reading ---------------------------------------------------------------------------- */

static ng_status open_input(const char *path, FILE **stream, ng_error *err)
{
    *stream = NULL;
    if (strcmp(path, "-") == 0) {
        *stream = stdin;
        return NG_OK;
    }
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return NG_FAIL(err, NG_IO, "%s: is a folder, not a file", path);
    }
    *stream = fopen(path, "rb");
    if (*stream == NULL) {
        return NG_FAIL(err, NG_IO, "%s: cannot be read (%s); check the name", path,
                       strerror(errno));
    }
    return NG_OK;
}

static void close_input(FILE *stream)
{
    if (stream != stdin) {
        fclose(stream);
    }
}

/* Reads to the end into a growing buffer with room for the final zero. */
static ng_status slurp(FILE *stream, const char *path, size_t limit, char **text, size_t *length,
                       ng_error *err)
{
    size_t room = 1 << 16;
    while (true) {
        char *grown = ng_realloc(*text, room + 1, 1);
        if (grown == NULL) {
            return NG_FAIL(err, NG_MEMORY, "%s: out of memory after %zu bytes", path, *length);
        }
        *text = grown;
        *length += fread(*text + *length, 1, room - *length, stream);
        if (ferror(stream)) {
            return NG_FAIL(err, NG_IO, "%s: reading failed (%s)", path, strerror(errno));
        }
        if (*length > limit) {
            return NG_FAIL(err, NG_IO, "%s: larger than %zu bytes; is it the right file?", path,
                           limit);
        }
        if (*length < room) {
            (*text)[*length] = '\0';
            return NG_OK;
        }
        room *= 2;
    }
}

ng_status ng_file_read(const char *path, size_t limit_bytes, char **text, size_t *length,
                       ng_error *err)
{
    *text = NULL;
    *length = 0;
    FILE *stream = NULL;
    ng_status status = open_input(path, &stream, err);
    if (status != NG_OK) {
        return status;
    }
    status = slurp(stream, path, limit_bytes, text, length, err);
    close_input(stream);
    if (status != NG_OK) {
        ng_free(*text);
        *text = NULL;
        *length = 0;
    }
    return status;
}

static void hex_digits(const uint8_t *bytes, size_t n, char *hex)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digit[bytes[i] >> 4];
        hex[2 * i + 1] = digit[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
}

void ng_sha256(const void *bytes, size_t n, char hex[65])
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, n, bytes);
    sha256_digest(&hash, sizeof digest, digest);
    hex_digits(digest, sizeof digest, hex);
}

ng_status ng_file_sha256(const char *path, char hex[65], uint64_t *bytes, ng_error *err)
{
    hex[0] = '\0';
    *bytes = 0;
    FILE *stream = NULL;
    ng_status status = open_input(path, &stream, err);
    if (status != NG_OK) {
        return status;
    }
    struct sha256_ctx hash;
    sha256_init(&hash);
    uint8_t block[1 << 14];
    size_t got = 0;
    while ((got = fread(block, 1, sizeof block, stream)) > 0) {
        sha256_update(&hash, got, block);
        *bytes += got;
    }
    if (ferror(stream)) {
        status = NG_FAIL(err, NG_IO, "%s: reading failed (%s)", path, strerror(errno));
    }
    close_input(stream);
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&hash, sizeof digest, digest);
    if (status == NG_OK) {
        hex_digits(digest, sizeof digest, hex);
    }
    return status;
}
