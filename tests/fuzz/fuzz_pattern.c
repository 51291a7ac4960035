/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a pattern file: the stripes, the background of each set, the transfer function. */
#include <nucgrow/sim.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is refused is refused with a sentence. */
static bool is_fair(ng_status status, const ng_error *err)
{
    return status == NG_OK || ((status == NG_FORMAT || status == NG_INVALID || status == NG_IO) &&
                               strlen(err->message) > 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char path[64];
    if (path[0] == '\0') {
        snprintf(path, sizeof path, "/tmp/nucgrow-fuzz-%ld.json", (long)getpid());
    }
    FILE *stream = fopen(path, "wb");
    if (stream == NULL || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0) {
        abort();
    }
    ng_error err[3] = {{.status = NG_OK}};
    ng_sim_pattern pattern;
    ng_sim_otf_table otf;
    double *background = NULL;
    size_t n = 0;
    const ng_status status[3] = {ng_sim_pattern_read(path, &pattern, &err[0]),
                                 ng_sim_backgrounds_read(path, &background, &n, &err[1]),
                                 ng_sim_pattern_read_otf(path, &otf, &err[2])};
    for (size_t i = 0; i < 3; i++) {
        if (!is_fair(status[i], &err[i])) {
            abort();
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!(background[i] > 0)) {
            abort();
        }
    }
    ng_free(background);
    ng_sim_otf_table_free(&otf);
    unlink(path);
    return 0;
}
