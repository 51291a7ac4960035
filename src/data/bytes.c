/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ng_bytes ng_bytes_of(const void *memory, size_t size)
{
    return (ng_bytes){.descriptor = -1, .memory = memory, .size = size};
}

ng_status ng_bytes_open(const char *path, ng_bytes *out, ng_error *err)
{
    *out = ng_bytes_of(NULL, 0);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        ng_status status =
            NG_FAIL(err, NG_IO, "%s: cannot be read (%s); check the name", path, strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
        }
        return status;
    }
    if (!S_ISREG(info.st_mode)) {
        close(descriptor);
        return NG_FAIL(err, NG_IO, "%s: is no file; a movie must be a file or a folder of images",
                       path);
    }
    out->descriptor = descriptor;
    out->size = (uint64_t)info.st_size;
    return NG_OK;
}

void ng_bytes_close(ng_bytes *bytes)
{
    if (bytes->descriptor >= 0) {
        close(bytes->descriptor);
    }
    *bytes = ng_bytes_of(NULL, 0);
}

static size_t read_file(const ng_bytes *bytes, uint64_t offset, void *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(bytes->descriptor, (char *)to + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    return done;
}

size_t ng_bytes_read(const ng_bytes *bytes, uint64_t offset, void *to, size_t n)
{
    if (offset >= bytes->size) {
        return 0;
    }
    n = n < bytes->size - offset ? n : (size_t)(bytes->size - offset);
    if (bytes->descriptor >= 0) {
        return read_file(bytes, offset, to, n);
    }
    memcpy(to, bytes->memory + offset, n);
    return n;
}

uint64_t ng_bytes_number(const unsigned char *from, size_t n, bool little)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | from[little ? n - 1 - i : i];
    }
    return value;
}
