/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "simulate_movie.h"

static const char *const file_name[NG_SIMULATED_FILES] = {"movie.tif", "truth.json", "tracks.csv",
                                                          "particles.csv", "events.csv"};

void ng_simulated_free(ng_simulated_movie *out)
{
    for (int i = 0; i < NG_SIMULATED_FILES; i++) {
        ng_free(out->path[i]);
    }
    ng_free(out->comment);
    ng_stack_abandon(out->movie);
    ng_particles_writer_abandon(out->tracks);
    ng_particles_writer_abandon(out->particles);
}

ng_status ng_simulated_find(const ng_cli *cli, bool with_events, ng_simulated_movie *out,
                            ng_error *err)
{
    ng_status status = NG_OK;
    const int n = with_events ? NG_SIMULATED_FILES : NG_SIMULATED_EVENTS;
    for (int i = 0; i < n && status == NG_OK; i++) {
        out->path[i] = ng_cli_path(cli, file_name[i]);
        status = out->path[i] != NULL ? ng_output_check(out->path[i], cli->common.force, err)
                                      : NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    out->comment = ng_text_format("nucgrow %s %s, seed %ld; truth in truth.json", ng_version(),
                                  cli->command->name, cli->common.seed);
    if (status == NG_OK && out->comment == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory");
    }
    return status;
}

ng_status ng_simulated_open(const ng_cli *cli, const ng_stack_format *format,
                            ng_simulated_movie *out, ng_error *err)
{
    const bool force = cli->common.force;
    ng_status status =
        ng_stack_create(out->path[NG_SIMULATED_MOVIE], format, force, &out->movie, err);
    if (status == NG_OK) {
        status = ng_particles_writer_open(out->path[NG_SIMULATED_TRACKS], out->comment, true, force,
                                          &out->tracks, err);
    }
    return status != NG_OK
               ? status
               : ng_particles_writer_open(out->path[NG_SIMULATED_PARTICLES], out->comment, false,
                                          force, &out->particles, err);
}

static ng_status add_raw(ng_particles_writer *writer, const ng_particle *particle, size_t n,
                         ng_error *err)
{
    ng_status status = NG_OK;
    for (size_t i = 0; i < n && status == NG_OK; i++) {
        ng_particle seen = particle[i];
        seen.x_nm = seen.x_raw_nm;
        seen.y_nm = seen.y_raw_nm;
        status = ng_particles_writer_add(writer, &seen, 1, err);
    }
    return status;
}

ng_status ng_simulated_add(ng_simulated_movie *out, const float *pixel, const ng_particle *particle,
                           size_t n, ng_error *err)
{
    ng_status status = ng_stack_write(out->movie, pixel, err);
    if (status == NG_OK) {
        status = ng_particles_writer_add(out->tracks, particle, n, err);
    }
    return status == NG_OK ? add_raw(out->particles, particle, n, err) : status;
}

/* Each of them is gone after its commit, whatever came of it. */
ng_status ng_simulated_commit(ng_simulated_movie *out, ng_error *err)
{
    ng_stack *movie = out->movie;
    ng_particles_writer *tracks = out->tracks, *particles = out->particles;
    out->movie = NULL;
    ng_status status = ng_stack_commit(movie, err);
    if (status == NG_OK) {
        out->tracks = NULL;
        status = ng_particles_writer_commit(tracks, err);
    }
    if (status == NG_OK) {
        out->particles = NULL;
        status = ng_particles_writer_commit(particles, err);
    }
    return status;
}

void ng_simulated_print(const ng_cli *cli, const ng_simulated_movie *out)
{
    for (int i = 0; i < NG_SIMULATED_FILES; i++) {
        if (out->path[i] != NULL) {
            ng_cli_print(cli, "%s%s\n", i == 0 ? "written:    " : "            ", out->path[i]);
        }
    }
}
