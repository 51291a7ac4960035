/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spots.h"

#include <stdlib.h>

/* ---- lists ------------------------------------------------------------------------------- */

/* Room for one more item in a growing list. */
static ng_status grow(void **list, size_t n, size_t *capacity, size_t size, ng_error *err)
{
    if (n < *capacity) {
        return NG_OK;
    }
    size_t more = *capacity > 0 ? 2 * *capacity : 256;
    void *larger = ng_realloc(*list, more, size);
    if (larger == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu spots or links", more);
    }
    *list = larger;
    *capacity = more;
    return NG_OK;
}

ng_status ng_spots_add(ng_spots *g, const ng_spot *s, ng_error *err)
{
    void *list = g->spot;
    ng_status status = grow(&list, g->n_spots, &g->spot_capacity, sizeof *g->spot, err);
    g->spot = list;
    if (status == NG_OK) {
        g->spot[g->n_spots++] = *s;
    }
    return status;
}

ng_status ng_spots_link(ng_spots *g, const ng_link *link, ng_error *err)
{
    void *list = g->link;
    ng_status status = grow(&list, g->n_links, &g->link_capacity, sizeof *g->link, err);
    g->link = list;
    if (status == NG_OK) {
        g->link[g->n_links++] = *link;
        g->last_track = link->track > g->last_track ? link->track : g->last_track;
    }
    return status;
}

ng_status ng_spots_keep(ng_spots *g, long track, ng_error *err)
{
    void *list = g->kept_track;
    ng_status status = grow(&list, g->n_kept, &g->kept_capacity, sizeof *g->kept_track, err);
    g->kept_track = list;
    if (status == NG_OK) {
        g->kept_track[g->n_kept++] = track;
    }
    return status;
}

void ng_spots_free(ng_spots *g)
{
    ng_free(g->spot);
    ng_free(g->link);
    ng_free(g->kept_track);
    *g = (ng_spots){0};
}

/* ---- links ------------------------------------------------------------------------------- */

static int by_id(const void *left, const void *right)
{
    long a = ((const ng_spot *)left)->id;
    long b = ((const ng_spot *)right)->id;
    return (a > b) - (a < b);
}

static int by_number(const void *left, const void *right)
{
    long a = *(const long *)left;
    long b = *(const long *)right;
    return (a > b) - (a < b);
}

static ng_spot *find_spot(const ng_spots *g, long id)
{
    ng_spot key = {.id = id};
    return bsearch(&key, g->spot, g->n_spots, sizeof *g->spot, by_id);
}

static bool is_kept(const ng_spots *g, long track)
{
    if (!g->filtered || g->n_kept == 0) {
        return !g->filtered;
    }
    return bsearch(&track, g->kept_track, g->n_kept, sizeof track, by_number) != NULL;
}

static ng_status sort_spots(ng_spots *g, ng_reader *reader)
{
    qsort(g->spot, g->n_spots, sizeof *g->spot, by_id);
    if (g->n_kept > 0) {
        qsort(g->kept_track, g->n_kept, sizeof *g->kept_track, by_number);
    }
    for (size_t i = 1; i < g->n_spots; i++) {
        if (g->spot[i].id == g->spot[i - 1].id) {
            return NG_FAIL(reader->err, NG_FORMAT,
                           "%s:%zu: spot %ld stands twice (first in line %zu)", reader->table->name,
                           g->spot[i].row.line, g->spot[i].id, g->spot[i - 1].row.line);
        }
    }
    return NG_OK;
}

/* Links run from the earlier to the later frame, whatever the file calls source. */
static ng_status link_spots(ng_spots *g, ng_reader *reader)
{
    for (size_t i = 0; i < g->n_links; i++) {
        const ng_link *e = &g->link[i];
        if (!is_kept(g, e->track)) {
            continue;
        }
        ng_spot *a = find_spot(g, e->source);
        ng_spot *b = find_spot(g, e->target);
        if (a == NULL || b == NULL) {
            return NG_FAIL(reader->err, NG_FORMAT,
                           "%s:%zu: a link names spot %ld, which is not there", reader->table->name,
                           e->line, a == NULL ? e->source : e->target);
        }
        if (a->row.frame > b->row.frame) {
            ng_spot *later = a;
            a = b;
            b = later;
        }
        a->row.group = b->row.group = e->track;
        a->linked = b->linked = true;
        if (a->row.frame < b->row.frame) {
            a->out++;
            a->next = (size_t)(b - g->spot);
            b->in++;
            b->previous = (size_t)(a - g->spot);
        }
    }
    return NG_OK;
}

/* The first spot of a branch: a stretch of a track without splits and merges inside. */
typedef struct branch {
    long track, frame;
    size_t spot;
} branch;

static int by_track(const void *left, const void *right)
{
    const branch *a = left;
    const branch *b = right;
    int order = (a->track > b->track) - (a->track < b->track);
    order = order != 0 ? order : (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->spot > b->spot) - (a->spot < b->spot);
}

static bool begins_branch(const ng_spots *g, const ng_spot *s)
{
    return s->linked && (s->in != 1 || g->spot[s->previous].out != 1);
}

static branch *list_branches(const ng_spots *g, size_t *n)
{
    *n = 0;
    branch *list = NG_NEW(branch, g->n_spots);
    for (size_t i = 0; list != NULL && i < g->n_spots; i++) {
        const ng_spot *s = &g->spot[i];
        if (begins_branch(g, s)) {
            list[(*n)++] = (branch){s->row.group, s->row.frame, i};
        }
    }
    if (list != NULL) {
        qsort(list, *n, sizeof *list, by_track);
    }
    return list;
}

static ng_status take_branch(ng_spots *g, ng_reader *reader, const branch *b, long track,
                             long group)
{
    size_t i = b->spot;
    for (;;) {
        ng_spot *s = &g->spot[i];
        s->row.track = track;
        s->row.group = group;
        ng_status status = s->bad ? NG_OK : ng_row_take(reader, &s->row);
        if (status != NG_OK || s->out != 1 || g->spot[s->next].in != 1) {
            return status;
        }
        i = s->next;
    }
}

/* A track of one branch keeps its number; the branches of others get new ones and share a group.
 */
static ng_status take_branches(ng_spots *g, ng_reader *reader, const branch *list, size_t n)
{
    ng_status status = NG_OK;
    size_t branched = 0;
    size_t branches = 0;
    for (size_t i = 0; i < n && status == NG_OK;) {
        size_t end = i + 1;
        while (end < n && list[end].track == list[i].track) {
            end++;
        }
        bool whole = end == i + 1;
        branched += !whole;
        branches += whole ? 0 : end - i;
        for (; i < end && status == NG_OK; i++) {
            status = take_branch(g, reader, &list[i], whole ? list[i].track : ++g->last_track,
                                 whole ? -1 : list[i].track);
        }
    }
    if (branched > 0) {
        ng_warnings_add(
            reader->warnings, "tracks-branched",
            "%s: %zu tracks split or merge; they were cut there into %zu branches, each a "
            "track of its own (numbered from %ld, group = TrackMate's TRACK_ID)",
            reader->table->name, branched, branches, g->last_track - (long)branches + 1);
    }
    return status;
}

static ng_status take_unlinked(ng_spots *g, ng_reader *reader)
{
    ng_status status = NG_OK;
    for (size_t i = 0; i < g->n_spots && status == NG_OK; i++) {
        ng_spot *s = &g->spot[i];
        s->row.track = NG_UNLINKED_FIRST + (long)i;
        if (!s->linked && !s->bad) {
            status = ng_row_take(reader, &s->row);
        }
    }
    return status;
}

ng_status ng_spots_to_rows(ng_spots *g, ng_reader *reader)
{
    ng_table *table = reader->table;
    if (g->n_spots == 0) {
        return NG_OK;
    }
    ng_status status = sort_spots(g, reader);
    if (status == NG_OK) {
        status = link_spots(g, reader);
    }
    if (status != NG_OK) {
        return status;
    }
    size_t n = 0;
    branch *list = list_branches(g, &n);
    if (list == NULL) {
        return NG_FAIL(reader->err, NG_MEMORY, "%s: no memory for branches", table->name);
    }
    if (reader->particles) {
        status = take_unlinked(g, reader);
    } else {
        for (size_t i = 0; i < g->n_spots; i++) {
            table->unlinked += !g->spot[i].linked && !g->spot[i].bad;
        }
    }
    if (status == NG_OK) {
        status = take_branches(g, reader, list, n);
    }
    ng_free(list);
    return status;
}
