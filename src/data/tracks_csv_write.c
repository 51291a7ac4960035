/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <string.h>

typedef struct numbering {
    long *track; /* owned: number of each track in the file */
    long *group; /* owned: -1 for none */
    bool grouped;
} numbering;

static void numbering_free(numbering *n)
{
    ng_free(n->track);
    ng_free(n->group);
}

/* Numbers of one source stay; those of several could clash, so they are given anew. Tracks are
 * sorted by source and group, so that equal groups stand together. */
static bool number_tracks(const ng_tracks *tracks, numbering *n)
{
    n->track = NG_NEW(long, tracks->n_tracks);
    n->group = NG_NEW(long, tracks->n_tracks);
    if (n->track == NULL || n->group == NULL) {
        return false;
    }
    long groups = 0;
    for (size_t i = 0; i < tracks->n_tracks; i++) {
        const ng_track *track = &tracks->track[i];
        const ng_track *last = i > 0 ? track - 1 : NULL;
        bool same = last != NULL && last->source == track->source && last->group == track->group;
        groups += track->group >= 0 && !same;
        n->grouped = n->grouped || track->group >= 0;
        n->track[i] = tracks->n_sources > 1 ? (long)i + 1 : track->id;
        n->group[i] = track->group < 0 ? -1 : tracks->n_sources > 1 ? groups : track->group;
    }
    return true;
}

void ng_comment_write(FILE *stream, const char *comment)
{
    while (comment != NULL && *comment != '\0') {
        size_t length = strcspn(comment, "\r\n");
        fprintf(stream, "# %.*s\n", (int)length, comment);
        comment += length;
        comment += strspn(comment, "\r\n");
    }
}

static void write_number(FILE *stream, double value)
{
    char text[32];
    ng_number_format(value, text);
    fprintf(stream, ",%s", text);
}

static void write_ex_situ(FILE *stream, const ng_tracks *tracks)
{
    fputs("time_s,radius_nm,radius_se_nm\n", stream);
    for (size_t i = 0; i < tracks->n_points; i++) {
        char text[32];
        ng_number_format(tracks->point[i].time_s, text);
        fputs(text, stream);
        write_number(stream, tracks->point[i].radius_nm);
        write_number(stream, tracks->point[i].radius_se_nm);
        fputc('\n', stream);
    }
}

static void write_track(FILE *stream, const ng_tracks *tracks, size_t index, const numbering *n)
{
    const ng_track *track = &tracks->track[index];
    for (size_t i = track->first; i < track->first + track->n; i++) {
        const ng_track_point *point = &tracks->point[i];
        const double values[] = {point->time_s, point->x_nm, point->y_nm, point->radius_nm,
                                 point->radius_se_nm};
        fprintf(stream, "%ld,%ld", n->track[index], point->frame);
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            write_number(stream, values[k]);
        }
        if (n->grouped && n->group[index] >= 0) {
            fprintf(stream, ",%ld", n->group[index]);
        } else if (n->grouped) {
            fputc(',', stream);
        }
        fputc('\n', stream);
    }
}

ng_status ng_tracks_write_csv(const ng_tracks *tracks, const char *path, const char *comment,
                              bool force, ng_error *err)
{
    numbering n = {0};
    ng_output *out = NULL;
    ng_status status = NG_OK;
    if (!number_tracks(tracks, &n)) {
        status =
            NG_FAIL(err, NG_MEMORY, "%s: no memory to number %zu tracks", path, tracks->n_tracks);
        goto out;
    }
    status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        goto out;
    }
    FILE *stream = ng_output_stream(out);
    ng_comment_write(stream, comment);
    if (tracks->ex_situ) {
        write_ex_situ(stream, tracks);
    } else {
        fprintf(stream, "track,frame,time_s,x_nm,y_nm,radius_nm,radius_se_nm%s\n",
                n.grouped ? ",group" : "");
        for (size_t i = 0; i < tracks->n_tracks; i++) {
            write_track(stream, tracks, i, &n);
        }
    }
    status = ng_output_commit(out, err);
out:
    numbering_free(&n);
    return status;
}
