/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

#include <ctype.h>
#include <string.h>

/* ---- plain pages ------------------------------------------------------------------------ */

static void print_row(FILE *stream, const ng_command *command)
{
    enum { SUMMARY_COLUMN = 21 };
    int n = fprintf(stream, "  %-18s ", command->name);
    ng_text_wrap(stream, command->summary, (size_t)n, SUMMARY_COLUMN);
}

void ng_help_overview(FILE *stream)
{
    fprintf(stream,
            "nucgrow %s: the physics of growth from movies of growing nanoparticles\n\n"
            "Usage: nucgrow COMMAND [FILES] [options]\n",
            ng_version());
    const char *group = "";
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        if (strcmp(group, (*c)->group) != 0) {
            group = (*c)->group;
            fprintf(stream, "\n%s:\n", group);
        }
        print_row(stream, *c);
    }
    fputs("\n`nucgrow help COMMAND` explains one. `nucgrow demo -o DIR` shows all of it.\n",
          stream);
}

bool ng_help_family(const char *prefix, FILE *stream)
{
    size_t n = strlen(prefix);
    bool any = false;
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        if (strncmp((*c)->name, prefix, n) == 0 && (*c)->name[n] == ' ') {
            if (!any) {
                fprintf(stream, "nucgrow: %s: a second word says what:\n", prefix);
            }
            print_row(stream, *c);
            any = true;
        }
    }
    return any;
}

static void print_examples(FILE *stream, const char *examples)
{
    fputs("\nExamples:\n", stream);
    while (*examples != '\0') {
        size_t line = strcspn(examples, "\n");
        fprintf(stream, "  %.*s\n", (int)line, examples);
        examples += line + (examples[line] == '\n');
    }
}

ng_status ng_help_command(const ng_command *command, FILE *stream, ng_error *err)
{
    ng_cli_common common;
    void *values = NULL;
    ng_options *set = ng_command_options(command, &common, &values, err);
    if (set == NULL) {
        return err->status;
    }
    fprintf(stream, "nucgrow %s:", command->name);
    ng_text_wrap(stream, command->summary, strlen("nucgrow :") + strlen(command->name), 0);
    fprintf(stream, "\nUsage: nucgrow %s%s%s\n\n", command->name,
            command->usage[0] != '\0' ? " " : "", command->usage);
    ng_text_wrap(stream, command->description, 0, 0);
    fputc('\n', stream);
    ng_options_help(set, stream);
    if (command->examples != NULL) {
        print_examples(stream, command->examples);
    }
    ng_options_destroy(set);
    ng_free(values);
    return NG_OK;
}

/* ---- manual pages ----------------------------------------------------------------------- */

/* Text for roff: backslashes and leading dots or quotes are its own. */
static void print_roff(FILE *stream, const char *text)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", stream);
        }
        if (*text == '\\') {
            fputs("\\e", stream);
        } else if (*text == '-') {
            fputs("\\-", stream);
        } else if (*text == '\n' && text[1] == '\n') {
            fputs("\n.PP", stream);
        } else {
            fputc(*text, stream);
        }
        line_start = *text == '\n';
    }
    fputc('\n', stream);
}

static void print_preformatted(FILE *stream, const char *text)
{
    fputs(".nf\n", stream);
    print_roff(stream, text);
    fputs(".fi\n", stream);
}

static void print_title(FILE *stream, const char *page)
{
    fputs(".TH \"", stream);
    for (; *page != '\0'; page++) {
        fputc(toupper((unsigned char)*page), stream);
    }
    fprintf(stream, "\" 1 \"\" \"nucgrow %s\" \"nucgrow\"\n", ng_version());
}

/* The options exactly as the help page shows them, so that the two cannot differ. */
static ng_status print_options_page(const ng_command *command, FILE *stream, ng_error *err)
{
    ng_cli_common common;
    void *values = NULL;
    ng_options *set = ng_command_options(command, &common, &values, err);
    char *text = NULL;
    size_t length = 0;
    FILE *memory = set == NULL ? NULL : open_memstream(&text, &length);
    ng_status status = memory != NULL ? NG_OK : NG_FAIL(err, NG_MEMORY, "out of memory");
    if (memory != NULL) {
        ng_options_help(set, memory);
        fclose(memory);
        print_preformatted(stream, text);
    }
    ng_free(text);
    ng_options_destroy(set);
    ng_free(values);
    return status;
}

static void print_exit_codes(FILE *stream)
{
    print_preformatted(stream,
                       "0    done\n"
                       "2    wrong usage or configuration\n"
                       "3    input unreadable, invalid, or too little for any estimate\n"
                       "4    computed but not to be trusted: results are written and flagged\n"
                       "5    internal error\n"
                       "130  interrupted");
}

static void print_manual_overview(FILE *stream)
{
    print_title(stream, "nucgrow");
    fputs(".SH NAME\nnucgrow \\- physics of growth from movies of growing nanoparticles\n"
          ".SH SYNOPSIS\nnucgrow COMMAND [FILES] [options]\n.SH COMMANDS\n",
          stream);
    for (const ng_command *const *c = ng_commands(); *c != NULL; c++) {
        fprintf(stream, ".TP\n.B %s\n", (*c)->name);
        print_roff(stream, (*c)->summary);
    }
    fputs(".SH EXIT STATUS\n", stream);
    print_exit_codes(stream);
}

ng_status ng_help_manual(const ng_command *command, FILE *stream, ng_error *err)
{
    if (command == NULL) {
        print_manual_overview(stream);
        return NG_OK;
    }
    char page[80];
    snprintf(page, sizeof page, "nucgrow-%s", command->name);
    for (char *at = page; *at != '\0'; at++) {
        *at = *at == ' ' ? '-' : *at;
    }
    print_title(stream, page);
    fprintf(stream, ".SH NAME\n%s \\- ", page);
    print_roff(stream, command->summary);
    fprintf(stream, ".SH SYNOPSIS\nnucgrow %s ", command->name);
    print_roff(stream, command->usage);
    fputs(".SH DESCRIPTION\n", stream);
    print_roff(stream, command->description);
    fputs(".SH OPTIONS\n", stream);
    ng_status status = print_options_page(command, stream, err);
    if (command->examples != NULL) {
        fputs(".SH EXAMPLES\n", stream);
        print_preformatted(stream, command->examples);
    }
    fputs(".SH EXIT STATUS\n", stream);
    print_exit_codes(stream);
    fputs(".SH SEE ALSO\nnucgrow(1)\n", stream);
    return status;
}
