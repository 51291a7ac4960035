/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the result of a fit. */
#include <nucgrow/predict.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ng_fit_file fit;
    ng_error err = {.status = NG_OK};
    const ng_status status = ng_fit_file_parse((const char *)bytes, size, "fuzz", &fit, &err);
    bool sound = status == NG_OK ? fit.n_times >= 2 && fit.time_s != NULL
                                 : err.message[0] != '\0' && fit.time_s == NULL;
    ng_fit_file_free(&fit);
    if (!sound) {
        __builtin_trap();
    }
    return 0;
}
