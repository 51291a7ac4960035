/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    (void)cli;
    (void)values;
    (void)err;
    printf("nucgrow %s\n%smpi: %s\n", ng_version(), ng_build_info(), ng_mpi_library());
    return NG_OK;
}

const ng_command ng_command_version = {
    .name = "version",
    .group = "Help",
    .summary = "versions of program and libraries, compiler, flags",
    .description =
        "Paste this into a report of a problem. `nucgrow --version` prints the first line "
        "only.",
    .usage = "",
    .examples = "nucgrow version\n",
    .options_size = 1,
    .output = NG_OUTPUT_TEXT,
    .run = run,
};
