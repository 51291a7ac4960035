/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

#include <errno.h>
#include <gsl/gsl_errno.h>
#include <nucgrow/movie.h>
#include <string.h>

/* The command that argv[1] and, for names of two words, argv[2] spell; `*used` words of argv. */
static const ng_command *find_command(int argc, char **argv, int *used)
{
    const ng_command *command = NULL;
    if (argc > 2) {
        char name[64];
        snprintf(name, sizeof name, "%s %s", argv[1], argv[2]);
        command = ng_command_find(name);
        *used = 3;
    }
    if (command == NULL) {
        command = ng_command_find(argv[1]);
        *used = 2;
    }
    return command;
}

static int run_without_command(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word == NULL) {
        ng_help_overview(stderr);
        return ng_status_exit_code(NG_USAGE);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        ng_help_overview(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0) {
        printf("nucgrow %s\n", ng_version());
        return 0;
    }
    bool help = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (ng_help_family(word, help ? stdout : stderr)) {
        return help ? 0 : ng_status_exit_code(NG_USAGE);
    }
    ng_error err = {.status = NG_OK};
    ng_status status = ng_command_unknown(word, &err);
    fprintf(stderr, "nucgrow: %s\n", err.message);
    return ng_status_exit_code(status);
}

/* A full disk behind standard output is a failure, whatever the verb thought. */
static int close_stdout(int code)
{
    bool bad = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || bad) {
        fprintf(stderr, "nucgrow: standard output cannot be written (%s)\n", strerror(errno));
        return code != 0 ? code : ng_status_exit_code(NG_IO);
    }
    return code;
}

static int run_command(int argc, char **argv, bool is_another)
{
    int used = 0;
    const ng_command *command = argc > 1 ? find_command(argc, argv, &used) : NULL;
    if (command == NULL && is_another && freopen("/dev/null", "w", stderr) == NULL) {
        fclose(stderr); /* what is wrong with the command line is said once */
    }
    return command != NULL ? ng_cli_call(command, argc - used, argv + used)
                           : run_without_command(argc, argv);
}

int main(int argc, char **argv)
{
    ng_ranks ranks;
    ng_error err = {.status = NG_OK};
    gsl_set_error_handler_off();
    ng_movie_hush_video();
    int code = ng_status_exit_code(ng_mpi_start(&ranks, &err));
    ng_interrupt_catch();
    if (code == 0) {
        /* of several processes only the first writes */
        bool is_another = ng_cluster_rank(ranks.cluster) > 0;
        if (is_another && freopen("/dev/null", "w", stdout) == NULL) {
            fclose(stdout);
        }
        ng_cli_join(&ranks);
        code = run_command(argc, argv, is_another);
    } else {
        fprintf(stderr, "nucgrow: %s\n", err.message);
    }
    code = close_stdout(code);
    ng_mpi_stop(&ranks);
    return code;
}
