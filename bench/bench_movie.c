/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast stacks are written, opened and read, and what memory that takes. Usage: bench_movie
 * [folder]; the files, up to 1.1 GB, are removed. */
#include <nucgrow/movie.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double memory_MB(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

static void insist(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fprintf(stderr, "bench_movie: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static double write_stack(const char *path, const ng_stack_format *format, float *pixel)
{
    ng_error err;
    ng_stack *stack = NULL;
    double start = now_s();
    insist(ng_stack_create(path, format, true, &stack, &err), &err);
    for (size_t i = 0; i < format->frames; i++) {
        pixel[0] = (float)(i % 65536);
        insist(ng_stack_write(stack, pixel, &err), &err);
    }
    insist(ng_stack_commit(stack, &err), &err);
    return now_s() - start;
}

static void measure(const char *path, size_t side, size_t frames)
{
    const ng_stack_format format = {side, side, frames, NG_SAMPLE_UINT16, 0.53, 1.0};
    ng_error err;
    ng_movie *movie = NULL;
    float *pixel = calloc(side * side, sizeof *pixel);
    if (pixel == NULL) {
        exit(EXIT_FAILURE);
    }
    double write_s = write_stack(path, &format, pixel);
    double start = now_s();
    insist(ng_movie_open(path, NULL, &movie, NULL, &err), &err);
    double open_s = now_s() - start;
    start = now_s();
    for (size_t i = 0; i < frames; i++) {
        insist(ng_movie_read(movie, i, pixel, &err), &err);
    }
    double read_s = now_s() - start;
    ng_movie_close(movie);
    unlink(path);
    free(pixel);
    printf("%4zu x %-4zu %8zu %8.3f %8.3f %8.3f %10.0f %8.0f %8.1f\n", side, side, frames, write_s,
           open_s, read_s, (double)frames / read_s, 2e-6 * (double)(side * side * frames) / read_s,
           memory_MB());
}

int main(int argc, char **argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench_movie.tif", argc > 1 ? argv[1] : "/tmp");
    printf("%-11s %8s %8s %8s %8s %10s %8s %8s\n", "16 bit", "frames", "write_s", "open_s",
           "read_s", "frames/s", "MB/s", "peak_MB");
    measure(path, 16, 100000);
    measure(path, 128, 20000);
    measure(path, 512, 2000);
    return EXIT_SUCCESS;
}
