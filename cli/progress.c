/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = 1;
    /* The second Ctrl-C does what it always did. */
    signal(signal_number, SIG_DFL);
}

void ng_interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ng_progress_start(ng_progress_line *line, const char *mode, bool quiet)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    *line = (ng_progress_line){.redrawn = terminal};
    line->shown = !quiet && strcmp(mode, "never") != 0 && (terminal || strcmp(mode, "always") == 0);
}

static void begin_stage(ng_progress_line *line, const char *stage)
{
    line->stage = stage;
    line->tenth = 0;
    line->started_s = now_s();
    line->drawn_s = 0.0;
}

static void redraw(ng_progress_line *line, size_t done, size_t total)
{
    enum { REDRAWS_PER_S = 10 };
    double now = now_s();
    if (done < total && now - line->drawn_s < 1.0 / REDRAWS_PER_S) {
        return;
    }
    line->drawn_s = now;
    double left_s =
        done > 0 ? (now - line->started_s) * (double)(total - done) / (double)done : 0.0;
    fprintf(stderr, "\r\033[K%s %zu of %zu, %.0f s left", line->stage, done, total, left_s);
    fflush(stderr);
}

static void print_tenth(ng_progress_line *line, size_t done, size_t total)
{
    size_t tenth = (size_t)(10.0 * (double)done / (double)total);
    if (tenth > line->tenth) {
        line->tenth = tenth;
        fprintf(stderr, "%s: %zu %%\n", line->stage, 10 * tenth);
    }
}

bool ng_progress_step(void *context, const char *stage, size_t done, size_t total)
{
    ng_progress_line *line = context;
    if (line->shown && total > 0 && done <= total) {
        if (line->stage == NULL || strcmp(line->stage, stage) != 0) {
            begin_stage(line, stage);
        }
        if (line->redrawn) {
            redraw(line, done, total);
        } else {
            print_tenth(line, done, total);
        }
    }
    return !interrupted;
}

void ng_progress_end(ng_progress_line *line)
{
    if (line->shown && line->redrawn && line->stage != NULL) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    line->stage = NULL;
}
