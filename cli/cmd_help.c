/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

typedef struct options {
    bool man;
    bool list;
} options;

static const ng_option table[] = {
    {.name = "man",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, man),
     .group = "Form",
     .doc = "Write a manual page (roff)."},
    {.name = "list",
     .type = NG_OPTION_BOOL,
     .offset = offsetof(options, list),
     .group = "Form",
     .doc = "List the names of all commands, one a line."},
};

static void print_names(void)
{
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        puts((*c)->name);
    }
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    const options *o = values;
    if (o->list) {
        print_names();
        return NG_OK;
    }
    char name[64] = "";
    if (cli->n_files > 0) {
        snprintf(name, sizeof name, "%s%s%s", cli->file[0], cli->n_files > 1 ? " " : "",
                 cli->n_files > 1 ? cli->file[1] : "");
    }
    const ng_command *command = ng_command_find(name);
    if (name[0] != '\0' && command == NULL) {
        return ng_help_family(name, stdout) ? NG_OK : ng_command_unknown(name, err);
    }
    if (o->man) {
        return ng_help_manual(command, stdout, err);
    }
    if (command != NULL) {
        return ng_help_command(command, stdout, err);
    }
    ng_help_overview(stdout);
    return NG_OK;
}

const ng_command ng_command_help = {
    .name = "help",
    .group = "Help",
    .summary = "explain a command",
    .description = "Without a name: what commands there are.",
    .usage = "[COMMAND] [options]",
    .examples = "nucgrow help potential\n"
                "nucgrow help --man fit growth > nucgrow-fit-growth.1\n",
    .options = table,
    .n_options = sizeof table / sizeof table[0],
    .options_size = sizeof(options),
    .n_max = 2,
    .output = NG_OUTPUT_TEXT,
    .run = run,
};
