/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

#include <string.h>

/* ---- walking all options of a command --------------------------------------------------- */

typedef struct visit {
    FILE *stream;
    const ng_command *command;
} visit;

static ng_status each_option(const ng_command *command, ng_option_visit *print, FILE *stream,
                             ng_error *err)
{
    ng_cli_common common;
    void *values = NULL;
    ng_options *set = ng_command_options(command, &common, &values, err);
    if (set == NULL) {
        return err->status;
    }
    visit v = {.stream = stream, .command = command};
    ng_options_each(set, print, &v);
    ng_options_destroy(set);
    ng_free(values);
    return NG_OK;
}

/* The options of all commands, as the branches of a `case` in bash and zsh:
 * 'NAME')<before>...<after> */
static ng_status each_branch(ng_option_visit *print, FILE *stream, const char *before,
                             const char *after, ng_error *err)
{
    ng_status status = NG_OK;
    for (const ng_command *const *c = ng_commands(); status == NG_OK && *c != NULL; c++) {
        fprintf(stream, "        '%s')%s", (*c)->name, before);
        status = each_option(*c, print, stream, err);
        fprintf(stream, "%s ;;\n", after);
    }
    return status;
}

static ng_status each_command(ng_option_visit *print, FILE *stream, ng_error *err)
{
    ng_status status = NG_OK;
    for (const ng_command *const *c = ng_commands(); status == NG_OK && *c != NULL; c++) {
        status = each_option(*c, print, stream, err);
    }
    return status;
}

static bool takes_file(const ng_option *option)
{
    return option->value != NULL &&
           (strstr(option->value, "FILE") != NULL || strcmp(option->value, "PATH") == 0);
}

/* "a|b|c" with another separator. */
static void print_choices(FILE *stream, const char *choices, char separator)
{
    for (; choices != NULL && *choices != '\0'; choices++) {
        fputc(*choices == '|' ? separator : *choices, stream);
    }
}

static void print_first_words(FILE *stream)
{
    const char *before = "";
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        size_t n = strcspn((*c)->name, " ");
        /* Commands of one family stand together in the table. */
        if (strncmp(before, (*c)->name, n) != 0 || before[n] != ' ') {
            fprintf(stream, "%.*s ", (int)n, (*c)->name);
        }
        before = (*c)->name;
    }
}

/* ---- bash ------------------------------------------------------------------------------- */

static void bash_flag(void *context, const ng_option *option)
{
    const visit *v = context;
    fprintf(v->stream, " --%s", option->name);
}

static void bash_value(void *context, const ng_option *option)
{
    const visit *v = context;
    if (option->choices != NULL) {
        fprintf(v->stream, "        '%s --%s') words='", v->command->name, option->name);
        print_choices(v->stream, option->choices, ' ');
        fputs("' ;;\n", v->stream);
    }
}

static void bash_second_words(FILE *stream)
{
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        const char *space = strchr((*c)->name, ' ');
        if (space != NULL) {
            fprintf(stream, "        '%.*s') words=\"$words %s\" ;;&\n", (int)(space - (*c)->name),
                    (*c)->name, space + 1);
        }
    }
}

static ng_status print_bash(FILE *stream, ng_error *err)
{
    fputs("# bash completion for nucgrow: source <(nucgrow completion bash)\n"
          "_nucgrow() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local verb=${COMP_WORDS[1]} words=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '",
          stream);
    print_first_words(stream);
    fputs("' -- \"$cur\")); return\n    fi\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
          "        case $verb in\n",
          stream);
    bash_second_words(stream);
    fputs("        esac\n"
          "        [ -n \"$words\" ] && { COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")); "
          "return; }\n"
          "    fi\n"
          "    case \"$verb ${COMP_WORDS[2]}\" in\n",
          stream);
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        if (strchr((*c)->name, ' ') != NULL) {
            fprintf(stream, "        '%s') verb='%s' ;;\n", (*c)->name, (*c)->name);
        }
    }
    fputs("    esac\n    case \"$verb $prev\" in\n", stream);
    ng_status status = each_command(bash_value, stream, err);
    fputs("    esac\n"
          "    if [ -z \"$words\" ] && [[ $cur == -* ]]; then\n        case $verb in\n",
          stream);
    if (status == NG_OK) {
        status = each_branch(bash_flag, stream, " words='", "'", err);
    }
    fputs("        esac\n    fi\n"
          "    if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
          "}\ncomplete -o filenames -F _nucgrow nucgrow\n",
          stream);
    return status;
}

/* ---- zsh and fish ----------------------------------------------------------------------- */

/* Text inside '...' and, for zsh, inside [...]: quotes and brackets would end it. */
static void print_plain(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        fputc(strchr("'[]:\\", *text) != NULL ? ' ' : *text, stream);
    }
}

static void zsh_option(void *context, const ng_option *option)
{
    const visit *v = context;
    fprintf(v->stream, " \\\n            '%s--%s[", option->type == NG_OPTION_LIST ? "*" : "",
            option->name);
    print_plain(v->stream, option->doc);
    fputc(']', v->stream);
    if (option->type != NG_OPTION_BOOL) {
        fprintf(v->stream, ":%s:", option->name);
        if (option->choices != NULL) {
            fputc('(', v->stream);
            print_choices(v->stream, option->choices, ' ');
            fputc(')', v->stream);
        } else if (takes_file(option)) {
            fputs("_files", v->stream);
        }
    }
    fputc('\'', v->stream);
}

static ng_status print_zsh(FILE *stream, ng_error *err)
{
    fputs("#compdef nucgrow\n_nucgrow() {\n    local verb=${words[2]}\n"
          "    local -a commands\n    commands=(\n",
          stream);
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        fprintf(stream, "        '%s:", (*c)->name);
        print_plain(stream, (*c)->summary);
        fputs("'\n", stream);
    }
    fputs("    )\n    if (( CURRENT == 2 )); then _describe command commands -Q; return; fi\n"
          "    case \"$verb ${words[3]}\" in\n",
          stream);
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        if (strchr((*c)->name, ' ') != NULL) {
            fprintf(stream, "        '%s') verb='%s' ;;\n", (*c)->name, (*c)->name);
        }
    }
    fputs("    esac\n    case $verb in\n", stream);
    ng_status status = each_branch(zsh_option, stream, " _arguments '*:file:_files'", "", err);
    fputs("    esac\n}\n_nucgrow \"$@\"\n", stream);
    return status;
}

static void fish_option(void *context, const ng_option *option)
{
    const visit *v = context;
    fprintf(v->stream, "complete -c nucgrow -n '__nucgrow_is \"%s\"' -l %s", v->command->name,
            option->name);
    if (option->letter != 0) {
        fprintf(v->stream, " -s %c", option->letter);
    }
    if (option->type != NG_OPTION_BOOL) {
        fputs(takes_file(option) ? " -r -F" : " -x", v->stream);
    }
    if (option->choices != NULL) {
        fputs(" -a '", v->stream);
        print_choices(v->stream, option->choices, ' ');
        fputc('\'', v->stream);
    }
    fputs(" -d '", v->stream);
    print_plain(v->stream, option->doc);
    fputs("'\n", v->stream);
}

static ng_status print_fish(FILE *stream, ng_error *err)
{
    fputs("# fish completion for nucgrow: nucgrow completion fish | source\n"
          "function __nucgrow_is\n"
          "    set -l typed (commandline -opc)\n"
          "    test \"$typed[2]\" = \"$argv[1]\"; or test \"$typed[2..3]\" = \"$argv[1]\"\n"
          "end\n",
          stream);
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        const char *space = strchr((*c)->name, ' ');
        const char *word = space != NULL ? space + 1 : (*c)->name;
        int before = space != NULL ? (int)(space - (*c)->name) : 0;
        if (space != NULL) {
            fprintf(stream, "complete -c nucgrow -n __fish_use_subcommand -a %.*s\n", before,
                    (*c)->name);
            fprintf(stream, "complete -c nucgrow -n '__nucgrow_is \"%.*s\"' -a %s -d '", before,
                    (*c)->name, word);
        } else {
            fprintf(stream, "complete -c nucgrow -n __fish_use_subcommand -a %s -d '", word);
        }
        print_plain(stream, (*c)->summary);
        fputs("'\n", stream);
    }
    return each_command(fish_option, stream, err);
}

/* ---- the verb --------------------------------------------------------------------------- */

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    (void)values;
    const char *shell = cli->file[0];
    if (strcmp(shell, "bash") == 0) {
        return print_bash(stdout, err);
    }
    if (strcmp(shell, "zsh") == 0) {
        return print_zsh(stdout, err);
    }
    if (strcmp(shell, "fish") == 0) {
        return print_fish(stdout, err);
    }
    return NG_FAIL(err, NG_USAGE, "'%s': bash, zsh and fish are known", shell);
}

const ng_command ng_command_completion = {
    .name = "completion",
    .group = "Help",
    .summary = "completion script for bash, zsh or fish",
    .description =
        "Prints a script for the shell named; it is made from the same tables as the help "
        "pages.",
    .usage = "bash|zsh|fish",
    .examples = "source <(nucgrow completion bash)\n"
                "nucgrow completion fish > ~/.config/fish/completions/nucgrow.fish\n",
    .options_size = 1,
    .n_min = 1,
    .n_max = 1,
    .output = NG_OUTPUT_TEXT,
    .run = run,
};
