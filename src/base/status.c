/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

static const struct {
    const char *name;
    const char *text;
    int exit_code;
} statuses[] = {
#define NG_X(name, exit_code, text) {#name, text, exit_code},
    NG_STATUS_LIST(NG_X)
#undef NG_X
};

enum { N_STATUSES = sizeof statuses / sizeof statuses[0] };

static bool is_known(ng_status status)
{
    return (unsigned)status < N_STATUSES;
}

const char *ng_status_name(ng_status status)
{
    return is_known(status) ? statuses[status].name : "UNKNOWN";
}

const char *ng_status_text(ng_status status)
{
    return is_known(status) ? statuses[status].text : "unknown status";
}

int ng_status_exit_code(ng_status status)
{
    return is_known(status) ? statuses[status].exit_code : statuses[NG_INTERNAL].exit_code;
}

ng_status ng_error_set(ng_error *err, ng_status status, const char *file, int line,
                       const char *format, ...)
{
    if (err == NULL) {
        return status;
    }
    err->status = status;
    err->file = file;
    err->line = line;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}
