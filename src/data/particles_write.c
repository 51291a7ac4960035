/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "particles_internal.h"

#define TIME_DIGITS 15 /* times are counted, not measured */

struct ng_particles_writer {
    ng_output *output; /* owned */
    bool with_track;
};

static void write_header(FILE *stream, bool with_track)
{
    fprintf(stream, "%sframe,time_s,particle,x_nm,y_nm", with_track ? "track," : "");
    for (size_t i = 0; i < ng_n_particle_columns; i++) {
        fprintf(stream, ",%s", ng_particle_columns[i].name);
    }
    fputs(with_track ? ",group\n" : "\n", stream);
}

ng_status ng_particles_writer_open(const char *path, const char *comment, bool with_track,
                                   bool force, ng_particles_writer **out, ng_error *err)
{
    *out = NULL;
    ng_particles_writer *writer = NG_NEW(ng_particles_writer, 1);
    if (writer == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: no memory to write particles", path);
    }
    writer->with_track = with_track;
    ng_status status = ng_output_open(path, force, &writer->output, err);
    if (status != NG_OK) {
        ng_free(writer);
        return status;
    }
    ng_comment_write(ng_output_stream(writer->output), comment);
    write_header(ng_output_stream(writer->output), with_track);
    *out = writer;
    return NG_OK;
}

static void write_flags(FILE *stream, unsigned flags)
{
    const char *before = ",";
    for (size_t i = 0; i < ng_n_flag_words; i++) {
        if ((flags & ng_flag_words[i].flag) != 0) {
            fprintf(stream, "%s%s", before, ng_flag_words[i].word);
            before = "+";
        }
    }
    if (before[0] == ',') {
        fputc(',', stream);
    }
}

static void write_particle(FILE *stream, bool with_track, ng_particle p)
{
    if (with_track && p.track >= 0) {
        fprintf(stream, "%ld,", p.track);
    } else if (with_track) {
        fputc(',', stream);
    }
    fprintf(stream, "%ld", p.frame);
    ng_number_print(stream, p.time_s, TIME_DIGITS);
    fprintf(stream, ",%ld", p.particle);
    ng_number_print(stream, p.x_nm, NG_MEASURED_DIGITS);
    ng_number_print(stream, p.y_nm, NG_MEASURED_DIGITS);
    for (size_t i = 0; i < ng_n_particle_columns; i++) {
        const ng_particle_column *column = &ng_particle_columns[i];
        if (column->kind == NG_PARTICLE_FLAGS) {
            write_flags(stream, p.flag);
        } else {
            ng_number_print(stream, *ng_particle_number(&p, column), NG_MEASURED_DIGITS);
        }
    }
    if (with_track && p.group >= 0) {
        fprintf(stream, ",%ld", p.group);
    } else if (with_track) {
        fputc(',', stream);
    }
    fputc('\n', stream);
}

ng_status ng_particles_writer_add(ng_particles_writer *writer, const ng_particle *particle,
                                  size_t n, ng_error *err)
{
    FILE *stream = ng_output_stream(writer->output);
    ng_plain plain = ng_plain_begin();
    for (size_t i = 0; i < n; i++) {
        write_particle(stream, writer->with_track, particle[i]);
    }
    ng_plain_end(&plain);
    if (ferror(stream)) {
        return NG_FAIL(err, NG_IO, "the table of particles cannot be written; is the disk full?");
    }
    return NG_OK;
}

ng_status ng_particles_writer_commit(ng_particles_writer *writer, ng_error *err)
{
    ng_status status = ng_output_commit(writer->output, err);
    ng_free(writer);
    return status;
}

void ng_particles_writer_abandon(ng_particles_writer *writer)
{
    if (writer != NULL) {
        ng_output_abandon(writer->output);
        ng_free(writer);
    }
}
