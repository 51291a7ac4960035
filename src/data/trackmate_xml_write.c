/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <nucgrow/particles.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What TrackMate 7 and 8 look for in a file: a model (features, spots by frame, tracks as edges,
 * the tracks that are shown), settings (image, detector, tracker, filters, analyzers) and a state
 * of the window. Numbers of spots and tracks are ints, every attribute of a spot but its name is a
 * number, and two spots have at most one edge. How tracks are drawn (DisplaySettings) is left to
 * the user's own choice. Source: TrackMate's documentation, files that it wrote, and what its
 * reader asks for. */

#define DIGITS 9
#define RADIUS_UNKNOWN_NM 1.0 /* TrackMate draws every spot as a circle */
#define MOST_PIXELS 1e9

/* The points of one track, and the graph of tracks that merge and split that it belongs to. */
typedef struct branch {
    size_t first, n;
    size_t parent;
} branch;

typedef struct document {
    const ng_particles *particles;
    FILE *stream;
    size_t *by_frame; /* owned: all particles */
    branch *branch;   /* owned: by track number minus one */
    size_t n_branches;
    size_t *edge_from, *edge_to; /* owned: between tracks, particles of merges and splits */
    size_t n_edges;
} document;

static void document_free(document *d)
{
    ng_free(d->by_frame);
    ng_free(d->branch);
    ng_free(d->edge_from);
    ng_free(d->edge_to);
}

/* ---- the graph ------------------------------------------------------------------------- */

typedef struct place {
    long frame;
    size_t index;
} place;

static int by_frame(const void *left, const void *right)
{
    const place *a = left;
    const place *b = right;
    int order = (a->frame > b->frame) - (a->frame < b->frame);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static bool sort_frames(document *d)
{
    const ng_particles *p = d->particles;
    place *list = NG_NEW(place, p->n);
    d->by_frame = NG_NEW(size_t, p->n);
    if (list == NULL || d->by_frame == NULL) {
        ng_free(list);
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        list[i] = (place){p->item[i].frame, i};
    }
    qsort(list, p->n, sizeof *list, by_frame);
    for (size_t i = 0; i < p->n; i++) {
        d->by_frame[i] = list[i].index;
    }
    ng_free(list);
    return true;
}

/* Tracks stand one after the other, their points in the order of frames. */
static bool list_branches(document *d)
{
    const ng_particles *p = d->particles;
    for (size_t i = 0; i < p->n; i++) {
        bool first = i == 0 || p->item[i].track != p->item[i - 1].track;
        d->n_branches += p->item[i].track >= 0 && first;
    }
    d->branch = NG_NEW(branch, d->n_branches);
    if (d->branch == NULL) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < p->n && p->item[i].track >= 0; i++) {
        if (i == 0 || p->item[i].track != p->item[i - 1].track) {
            d->branch[n] = (branch){.first = i, .parent = n};
            n++;
        }
        d->branch[n - 1].n++;
    }
    return true;
}

static branch *find_branch(const document *d, long track)
{
    size_t low = 0, high = d->n_branches;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->particles->item[d->branch[middle].first].track < track) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < d->n_branches && d->particles->item[d->branch[low].first].track == track;
    return found ? &d->branch[low] : NULL;
}

static size_t root_of(const document *d, size_t i)
{
    while (d->branch[i].parent != i) {
        i = d->branch[i].parent;
    }
    return i;
}

static void join(document *d, const branch *a, const branch *b)
{
    size_t i = root_of(d, (size_t)(a - d->branch)), j = root_of(d, (size_t)(b - d->branch));
    d->branch[i > j ? i : j].parent = i > j ? j : i;
}

/* The last point before a frame, or the first one not before it; false: there is none. */
static bool point_at(const document *d, const branch *b, long frame, bool before, size_t *point)
{
    size_t low = b->first, high = b->first + b->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->particles->item[middle].frame < frame) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *point = before ? low - 1 : low;
    return before ? low > b->first : low < b->first + b->n;
}

static void add_meeting(document *d, const ng_event *e)
{
    const branch *own = find_branch(d, e->track);
    const branch *other = find_branch(d, e->kind == NG_EVENT_MERGE ? e->into : e->partner);
    size_t point = 0;
    if (own == NULL || other == NULL ||
        !point_at(d, other, e->frame, e->kind == NG_EVENT_SPLIT, &point)) {
        return;
    }
    bool merge = e->kind == NG_EVENT_MERGE;
    d->edge_from[d->n_edges] = merge ? own->first + own->n - 1 : point;
    d->edge_to[d->n_edges++] = merge ? point : own->first;
    join(d, own, other);
}

static bool build_graph(document *d, const ng_events *events)
{
    d->edge_from = NG_NEW(size_t, events->n);
    d->edge_to = NG_NEW(size_t, events->n);
    if (d->edge_from == NULL || d->edge_to == NULL || !sort_frames(d) || !list_branches(d)) {
        return false;
    }
    for (size_t i = 0; i < events->n; i++) {
        ng_event_kind kind = events->item[i].kind;
        if (kind == NG_EVENT_MERGE || kind == NG_EVENT_SPLIT) {
            add_meeting(d, &events->item[i]);
        }
    }
    return true;
}

/* ---- elements -------------------------------------------------------------------------- */

static void write_attribute(FILE *stream, const char *name, double value)
{
    if (isfinite(value)) {
        fprintf(stream, " %s=\"%.*g\"", name, DIGITS, value);
    }
}

typedef struct feature {
    const char *key, *name, *short_name, *dimension;
    bool whole;
} feature;

static void write_declarations(FILE *stream, const char *of, const feature *list, size_t n)
{
    fprintf(stream, "      <%sFeatures>\n", of);
    for (size_t i = 0; i < n; i++) {
        fprintf(stream,
                "        <Feature feature=\"%s\" name=\"%s\" shortname=\"%s\" dimension=\"%s\" "
                "isint=\"%s\" />\n",
                list[i].key, list[i].name, list[i].short_name, list[i].dimension,
                list[i].whole ? "true" : "false");
    }
    fprintf(stream, "      </%sFeatures>\n", of);
}

static void write_features(FILE *stream)
{
    static const feature spots[] = {
        {"QUALITY", "Quality", "Quality", "QUALITY", false},
        {"POSITION_X", "X", "X", "POSITION", false},
        {"POSITION_Y", "Y", "Y", "POSITION", false},
        {"POSITION_Z", "Z", "Z", "POSITION", false},
        {"POSITION_T", "T", "T", "TIME", false},
        {"FRAME", "Frame", "Frame", "NONE", true},
        {"RADIUS", "Radius", "R", "LENGTH", false},
        {"VISIBILITY", "Visibility", "Visibility", "NONE", true},
        {"AREA", "Area", "Area", "AREA", false},
        {"SNR_CH1", "Signal/Noise ratio ch1", "SNR ch1", "NONE", false},
    };
    static const feature edges[] = {
        {"SPOT_SOURCE_ID", "Source spot ID", "Source ID", "NONE", true},
        {"SPOT_TARGET_ID", "Target spot ID", "Target ID", "NONE", true},
        {"LINK_COST", "Edge cost", "Cost", "COST", false},
    };
    static const feature tracks[] = {
        {"TRACK_INDEX", "Track index", "Index", "NONE", true},
        {"TRACK_ID", "Track ID", "ID", "NONE", true},
    };
    fputs("    <FeatureDeclarations>\n", stream);
    write_declarations(stream, "Spot", spots, sizeof spots / sizeof spots[0]);
    write_declarations(stream, "Edge", edges, sizeof edges / sizeof edges[0]);
    write_declarations(stream, "Track", tracks, sizeof tracks / sizeof tracks[0]);
    fputs("    </FeatureDeclarations>\n", stream);
}

/* TrackMate draws spots over the picture: positions before drift was taken out. */
static void write_spot(const document *d, size_t i)
{
    const ng_particle *p = &d->particles->item[i];
    FILE *stream = d->stream;
    double x = isfinite(p->x_raw_nm) ? p->x_raw_nm : p->x_nm;
    double y = isfinite(p->y_raw_nm) ? p->y_raw_nm : p->y_nm;
    fprintf(stream, "        <Spot ID=\"%zu\" name=\"ID%zu\" QUALITY=\"1.0\"", i, i);
    write_attribute(stream, "POSITION_X", x);
    write_attribute(stream, "POSITION_Y", y);
    write_attribute(stream, "POSITION_Z", 0.0);
    fprintf(stream, " POSITION_T=\"%.15g\" FRAME=\"%ld\"", p->time_s, p->frame);
    write_attribute(stream, "RADIUS", p->radius_nm > 0.0 ? p->radius_nm : RADIUS_UNKNOWN_NM);
    write_attribute(stream, "AREA", p->area_nm2);
    write_attribute(stream, "SNR_CH1", p->snr);
    fputs(" VISIBILITY=\"1\" />\n", stream);
}

static bool is_spot(const ng_particle *p)
{
    return isfinite(p->x_nm) && isfinite(p->y_nm) && isfinite(p->time_s);
}

static void write_spots(const document *d)
{
    const ng_particle *item = d->particles->item;
    bool open = false;
    long frame = 0;
    size_t n = 0;
    for (size_t i = 0; i < d->particles->n; i++) {
        n += is_spot(&item[i]);
    }
    fprintf(d->stream, "    <AllSpots nspots=\"%zu\">\n", n);
    for (size_t i = 0; i < d->particles->n; i++) {
        const ng_particle *p = &item[d->by_frame[i]];
        if (!is_spot(p)) {
            continue;
        }
        if (!open || p->frame != frame) {
            fprintf(d->stream, "%s      <SpotsInFrame frame=\"%ld\">\n",
                    open ? "      </SpotsInFrame>\n" : "", p->frame);
            open = true;
            frame = p->frame;
        }
        write_spot(d, d->by_frame[i]);
    }
    fprintf(d->stream, "%s    </AllSpots>\n", open ? "      </SpotsInFrame>\n" : "");
}

static void write_edge(const document *d, size_t from, size_t to)
{
    fprintf(d->stream,
            "        <Edge SPOT_SOURCE_ID=\"%zu\" SPOT_TARGET_ID=\"%zu\" LINK_COST=\"-1.0\" />\n",
            from, to);
}

typedef struct member {
    size_t root;
    size_t branch; /* or, behind the branches, an edge between them */
} member;

static int by_root(const void *left, const void *right)
{
    const member *a = left;
    const member *b = right;
    int order = (a->root > b->root) - (a->root < b->root);
    return order != 0 ? order : (a->branch > b->branch) - (a->branch < b->branch);
}

/* Branches and the edges between them, by the graph that they belong to. */
static member *list_members(const document *d, size_t *n)
{
    member *list = NG_NEW(member, d->n_branches + d->n_edges);
    *n = 0;
    for (size_t i = 0; list != NULL && i < d->n_branches; i++) {
        list[(*n)++] = (member){root_of(d, i), i};
    }
    for (size_t i = 0; list != NULL && i < d->n_edges; i++) {
        const branch *b = find_branch(d, d->particles->item[d->edge_from[i]].track);
        list[(*n)++] = (member){root_of(d, (size_t)(b - d->branch)), d->n_branches + i};
    }
    if (list != NULL && *n > 1) {
        qsort(list, *n, sizeof *list, by_root);
    }
    return list;
}

static void write_member(const document *d, const member *m)
{
    if (m->branch >= d->n_branches) {
        size_t edge = m->branch - d->n_branches;
        write_edge(d, d->edge_from[edge], d->edge_to[edge]);
        return;
    }
    const branch *b = &d->branch[m->branch];
    for (size_t k = b->first + 1; k < b->first + b->n; k++) {
        write_edge(d, k - 1, k);
    }
}

/* A graph without an edge is no track to TrackMate, only a spot. */
static bool write_tracks(const document *d)
{
    size_t n = 0, tracks = 0;
    member *list = list_members(d, &n);
    if (list == NULL) {
        return false;
    }
    fputs("    <AllTracks>\n", d->stream);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && list[end].root == list[i].root) {
            end++;
        }
        if (end > i + 1 || d->branch[list[i].branch].n > 1) {
            fprintf(d->stream,
                    "      <Track name=\"Track_%zu\" TRACK_ID=\"%zu\" TRACK_INDEX=\"%zu\">\n",
                    tracks, tracks, tracks);
            for (size_t k = i; k < end; k++) {
                write_member(d, &list[k]);
            }
            fputs("      </Track>\n", d->stream);
            tracks++;
        }
        i = end;
    }
    fputs("    </AllTracks>\n    <FilteredTracks>\n", d->stream);
    for (size_t i = 0; i < tracks; i++) {
        fprintf(d->stream, "      <TrackID TRACK_ID=\"%zu\" />\n", i);
    }
    fputs("    </FilteredTracks>\n", d->stream);
    ng_free(list);
    return true;
}

typedef struct extent {
    double width, height; /* px */
    long frames;
    double radius_nm; /* mean */
} extent;

static extent measure_extent(const ng_particles *p, double pixel_nm)
{
    extent e = {1.0, 1.0, 1, RADIUS_UNKNOWN_NM};
    double sum = 0.0, n = 0.0;
    for (size_t i = 0; i < p->n; i++) {
        const ng_particle *item = &p->item[i];
        e.width = fmax(e.width, ceil(item->x_raw_nm / pixel_nm) + 1.0);
        e.height = fmax(e.height, ceil(item->y_raw_nm / pixel_nm) + 1.0);
        e.frames = item->frame >= e.frames ? item->frame + 1 : e.frames;
        if (item->radius_nm > 0.0) {
            sum += item->radius_nm;
            n += 1.0;
        }
    }
    e.width = fmin(e.width, MOST_PIXELS);
    e.height = fmin(e.height, MOST_PIXELS);
    e.radius_nm = n > 0.0 ? sum / n : e.radius_nm;
    return e;
}

/* No image is named: TrackMate then draws on an empty one that holds the spots. Spots and tracks
 * are those of its "manual" detector and tracker, which leave them as they are. */
static void write_settings(const document *d)
{
    const ng_particles *p = d->particles;
    const double pixel_nm = p->pixel_nm > 0.0 ? p->pixel_nm : 1.0;
    const extent e = measure_extent(p, pixel_nm);
    fprintf(d->stream,
            "  <Settings>\n    <ImageData filename=\"\" folder=\"\" width=\"%.0f\" "
            "height=\"%.0f\" nslices=\"1\" nframes=\"%ld\" pixelwidth=\"%.*g\" "
            "pixelheight=\"%.*g\" voxeldepth=\"1.0\" timeinterval=\"%.*g\" />\n",
            e.width, e.height, e.frames, DIGITS, pixel_nm, DIGITS, pixel_nm, DIGITS,
            p->frame_s > 0.0 ? p->frame_s : 1.0);
    fprintf(d->stream,
            "    <BasicSettings xstart=\"0\" xend=\"%.0f\" ystart=\"0\" yend=\"%.0f\" zstart=\"0\" "
            "zend=\"0\" tstart=\"0\" tend=\"%ld\" />\n"
            "    <DetectorSettings DETECTOR_NAME=\"MANUAL_DETECTOR\" RADIUS=\"%.*g\" />\n",
            e.width - 1.0, e.height - 1.0, e.frames - 1, DIGITS, e.radius_nm);
    fputs("    <InitialSpotFilter feature=\"QUALITY\" value=\"0.0\" isabove=\"true\" />\n"
          "    <SpotFilterCollection />\n    <TrackerSettings TRACKER_NAME=\"MANUAL_TRACKER\" />\n"
          "    <TrackFilterCollection />\n    <AnalyzerCollection>\n      <SpotAnalyzers />\n"
          "      <EdgeAnalyzers />\n      <TrackAnalyzers />\n    </AnalyzerCollection>\n"
          "  </Settings>\n  <GUIState state=\"ConfigureViews\" />\n",
          d->stream);
}

/* A comment must not hold "--", nor what XML would read as markup in the log. */
static void write_log(FILE *stream, const char *text)
{
    fputs("  <Log>", stream);
    for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
        const char *escaped = *c == '&' ? "&amp;" : *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : NULL;
        if (escaped != NULL) {
            fputs(escaped, stream);
        } else if ((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t') {
            fputc(*c, stream);
        }
    }
    fputs("</Log>\n", stream);
}

static bool write_document(const document *d, const char *comment)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TrackMate version=\"7.11.1\">\n",
          d->stream);
    write_log(d->stream, comment);
    fputs("  <Model spatialunits=\"nm\" timeunits=\"sec\">\n", d->stream);
    write_features(d->stream);
    write_spots(d);
    bool good = write_tracks(d);
    fputs("  </Model>\n", d->stream);
    write_settings(d);
    fputs("</TrackMate>\n", d->stream);
    return good;
}

ng_status ng_trackmate_xml_write(const ng_particles *particles, const ng_events *events,
                                 const char *path, const char *comment, bool force, ng_error *err)
{
    static const ng_events none = {NULL, 0};
    document d = {.particles = particles};
    ng_output *out = NULL;
    ng_status status = NG_OK;
    if (!build_graph(&d, events != NULL ? events : &none)) {
        status = NG_FAIL(err, NG_MEMORY, "%s: no memory for its tracks", path);
        goto out;
    }
    status = ng_output_open(path, force, &out, err);
    if (status != NG_OK) {
        goto out;
    }
    d.stream = ng_output_stream(out);
    ng_plain plain = ng_plain_begin();
    bool good = write_document(&d, comment);
    ng_plain_end(&plain);
    if (good) {
        status = ng_output_commit(out, err);
    } else {
        ng_output_abandon(out);
        status = NG_FAIL(err, NG_MEMORY, "%s: no memory for its tracks", path);
    }
out:
    document_free(&d);
    return status;
}
