/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an experiment file. The reader takes a path, so the bytes go through one file. */
#include <nucgrow/base.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct target {
    double number;
    const char *text;
    ng_text_list list;
} target;

static const ng_option table[] = {
    {.name = "number", .type = NG_OPTION_REAL, .offset = offsetof(target, number), .max = 9},
    {.name = "text",
     .type = NG_OPTION_TEXT,
     .offset = offsetof(target, text),
     .value = "NAME|FILE"},
    {.name = "list",
     .type = NG_OPTION_LIST,
     .offset = offsetof(target, list),
     .value = "FILE[,FILE]"},
};

static const char *scratch_file(const uint8_t *bytes, size_t size)
{
    static char path[64];
    if (path[0] == '\0') {
        snprintf(path, sizeof path, "/tmp/nucgrow-fuzz-%ld.yaml", (long)getpid());
    }
    FILE *stream = fopen(path, "wb");
    if (stream == NULL || fwrite(bytes, 1, size, stream) != size) {
        abort();
    }
    fclose(stream);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *path = scratch_file(bytes, size);
    const char *const names[] = {"ensemble", "fit growth"};
    bool present[2] = {false};
    target values = {0};
    ng_text_list files = {0};
    ng_error err = {.status = NG_OK};
    ng_options *set = ng_options_create();
    ng_status status = ng_options_add(set, table, sizeof table / sizeof table[0], &values, &err);
    if (status == NG_OK) {
        status = ng_options_yaml(set, path, "ensemble", &files, &err);
    }
    if (status == NG_OK) {
        status = ng_options_yaml_sections(path, names, 2, present, &err);
    }
    bool explained = status == NG_OK || err.message[0] != '\0';
    ng_text_list_free(&files);
    ng_options_destroy(set);
    unlink(path);
    if (!explained) {
        __builtin_trap();
    }
    return 0;
}
