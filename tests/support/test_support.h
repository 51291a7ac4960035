/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests: cmocka with what it needs, published data, folders to write into. */
#ifndef NUCGROW_TEST_SUPPORT_H
#define NUCGROW_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Absolute or relative difference of two doubles. Use where 0 == 0 and NAN must fail. */
#define assert_close(a, b, tolerance)                                                              \
    do {                                                                                           \
        double close_a_ = (a), close_b_ = (b), close_t_ = (tolerance);                             \
        double close_d_ = close_a_ > close_b_ ? close_a_ - close_b_ : close_b_ - close_a_;         \
        if (!(close_d_ <= close_t_)) {                                                             \
            fail_msg("%s = %.17g, %s = %.17g, tolerance %g", #a, close_a_, #b, close_b_,           \
                     close_t_);                                                                    \
        }                                                                                          \
    } while (0)

/* Path of a published table ("kim2025/pt-acac2-monomeric.csv"): below $NUCGROW_DATA, else beside
 * the repository in shared/data. Static buffer. The calling test is skipped, by name, when it is
 * absent. */
static inline const char *test_file_below(const char *variable, const char *folder,
                                          const char *name)
{
    static char path[4096];
    const char *root = getenv(variable);
    if (root != NULL) {
        snprintf(path, sizeof path, "%s/%s", root, name);
    } else {
        snprintf(path, sizeof path, "%s/../shared/%s/%s", NUCGROW_SOURCE_DIR, folder, name);
    }
    return access(path, R_OK) == 0 ? path : NULL;
}

static inline const char *test_data(const char *name)
{
    const char *path = test_file_below("NUCGROW_DATA", "data", name);
    if (path == NULL) {
        print_message("published table %s is absent (set NUCGROW_DATA)\n", name);
        skip();
    }
    return path;
}

/* The same for reference numbers: $NUCGROW_REFERENCE, else shared/reference. */
static inline const char *test_reference(const char *name)
{
    const char *path = test_file_below("NUCGROW_REFERENCE", "reference", name);
    if (path == NULL) {
        print_message("reference table %s is absent (set NUCGROW_REFERENCE)\n", name);
        skip();
    }
    return path;
}

/* Path of a file that this test may write; static buffer. An older one is removed. */
static inline const char *test_output(const char *name)
{
    static char path[4096];
    const char *root = getenv("NUCGROW_TEST_TMP");
    snprintf(path, sizeof path, "%s/%ld-%s", root != NULL ? root : "/tmp", (long)getpid(), name);
    unlink(path);
    return path;
}

/* Write `text` into a file as test_output() names it, and return its path. */
static inline const char *test_written(const char *name, const char *text)
{
    const char *path = test_output(name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
    return path;
}

#endif
