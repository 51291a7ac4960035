/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nucgrow/base.h>

#ifdef _OPENMP
#include <omp.h>
#endif

ng_run ng_run_defaults(void)
{
    return (ng_run){.threads = 1, .seed = 1, .progress = NULL, .progress_context = NULL};
}

static int machine_threads(void)
{
#ifdef _OPENMP
    return omp_get_num_procs();
#else
    return 1;
#endif
}

int ng_run_threads(const ng_run *run)
{
    if (run == NULL || run->threads < 0) {
        return 1;
    }
    int threads = run->threads > 0 ? run->threads : machine_threads();
    return threads > 0 ? threads : 1;
}

bool ng_run_progress(const ng_run *run, const char *stage, size_t done, size_t total)
{
    if (run == NULL || run->progress == NULL) {
        return true;
    }
    return run->progress(run->progress_context, stage, done, total);
}
