/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nucgrow info: what a file is, which calibration it lacks, and what to do with it. */
#include "cli.h"

#include <nucgrow/data.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct options {
    int none; /* the common options are enough */
} options;

/* ---- what comes next ----------------------------------------------------------------- */

static bool is_plain(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=,";
    return path[0] != '\0' && strspn(path, plain) == strlen(path);
}

/* A file name as a shell takes it; owned. */
static char *shell_word(const char *path)
{
    if (is_plain(path)) {
        return ng_text_copy(path);
    }
    char *word = ng_alloc(4 * strlen(path) + 3, 1);
    if (word == NULL) {
        return NULL;
    }
    size_t n = 0;
    word[n++] = '\'';
    for (; *path != '\0'; path++) {
        if (*path == '\'') {
            word[n++] = '\'';
            word[n++] = '\\';
            word[n++] = '\'';
        }
        word[n++] = *path;
    }
    word[n] = '\'';
    return word;
}

static bool is_readable(const ng_file_info *info)
{
    for (size_t i = 0; i < info->problems.n; i++) {
        if (strcmp(info->problems.item[i].name, "error") == 0) {
            return false;
        }
    }
    return true;
}

static bool is_missing(const ng_file_info *info, const char *flag)
{
    for (size_t i = 0; i < info->missing.n; i++) {
        if (strcmp(info->missing.item[i].name, flag) == 0) {
            return true;
        }
    }
    return false;
}

/* What the particles are made of is in no file. */
static char *next_for_tracks(const ng_file_info *info, const char *word)
{
    return ng_text_format("nucgrow ensemble %s%s%s%s --material NAME -o ensemble.json", word,
                          is_missing(info, "pixel-nm") ? " --pixel-nm NM" : "",
                          is_missing(info, "frame-s") ? " --frame-s SECONDS" : "",
                          is_readable(info) ? "" : " --skip-invalid");
}

static char *next_for_result(const ng_file_info *info, const char *word)
{
    bool ensemble = strncmp(info->schema, "nucgrow/ensemble/", 17) == 0;
    return ng_text_format(
        ensemble ? "nucgrow fit growth %s -o fit.json" : "nucgrow report %s -o report.html", word);
}

static char *next_for_movie(const ng_file_info *info, const char *word)
{
    return ng_text_format("nucgrow detect %s -o particles.csv%s%s%s", word,
                          is_missing(info, "pixel-nm") ? " --pixel-nm NM" : "",
                          is_missing(info, "frame-s") ? " --frame-s SECONDS" : "",
                          is_missing(info, "channel") ? " --channel 1" : "");
}

/* The next command to type, or NULL; owned. */
static char *next_command(const ng_file_info *info, const char *path)
{
    /* Standard input cannot be read a second time. */
    char *word = strcmp(path, "-") == 0 ? NULL : shell_word(path);
    char *next = NULL;
    if (word == NULL) {
        return NULL;
    }
    bool has_rows = info->frames > 0;
    if (info->kind == NG_KIND_RESULT) {
        next = next_for_result(info, word);
    } else if (info->kind == NG_KIND_EXPERIMENT) {
        next = ng_text_format("nucgrow run %s -o results", word);
    } else if (info->kind == NG_KIND_IMAGE && has_rows) {
        next = next_for_movie(info, word);
    } else if (has_rows) {
        next = next_for_tracks(info, word);
    }
    ng_free(word);
    return next;
}

/* ---- JSON ---------------------------------------------------------------------------- */

static json_t *named_list(const ng_warnings *list, const char *key)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++) {
        json_array_append_new(
            array, json_pack("{s:s, s:s}", key, list->item[i].name, "text", list->item[i].text));
    }
    return array;
}

static json_t *size_json(const ng_file_info *info)
{
    if (info->size_column[0] == '\0') {
        return json_null();
    }
    bool square = strcmp(info->size_name, "area") == 0;
    char *unit = ng_text_format("%s%s", info->size_unit, square ? "^2" : "");
    json_t *size = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "column", info->size_column,
                             "quantity", info->size_name, "unit", unit != NULL ? unit : "", "min",
                             ng_json_real(info->size_min), "median",
                             ng_json_real(info->size_median), "max", ng_json_real(info->size_max));
    ng_free(unit);
    return size;
}

static json_t *movie_json(const ng_movie_info *movie)
{
    if (movie->format[0] == '\0') {
        return json_null();
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:i, s:b, s:b, s:I, s:I, s:o}", "format", movie->format,
                     "width", (json_int_t)movie->width, "height", (json_int_t)movie->height,
                     "readable_frames", (json_int_t)movie->readable, "bits", movie->bits,
                     "is_float", movie->is_float, "is_signed", movie->is_signed, "channels",
                     (json_int_t)movie->channels, "slices", (json_int_t)movie->slices, "pixel_nm",
                     ng_json_real(movie->pixel_nm));
}

static json_t *info_json(const ng_file_info *info, const char *path, const char *next)
{
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
        "file", path, "kind", ng_file_kind_name(info->kind), "what", info->what, "schema",
        info->schema[0] != '\0' ? json_string(info->schema) : json_null(), "rows",
        (json_int_t)info->rows, "tracks", (json_int_t)info->tracks, "frames",
        (json_int_t)info->frames, "time_first_s", ng_json_real(info->time_first_s), "time_last_s",
        ng_json_real(info->time_last_s), "frame_s", ng_json_real(info->frame_s), "size",
        size_json(info), "movie", movie_json(&info->movie), "columns",
        named_list(&info->columns, "column"), "missing", named_list(&info->missing, "flag"),
        "readable", is_readable(info), "problems", named_list(&info->problems, "name"), "next",
        next != NULL ? json_string(next) : json_null());
}

/* ---- for people ---------------------------------------------------------------------- */

static void print_size(const ng_cli *cli, const ng_file_info *info)
{
    static const struct {
        const char *name, *meaning;
    } meanings[] = {
        {"radius", "radius of the particle"},
        {"diameter", "radius = diameter/2"},
        {"area", "area of the particle's image; radius = sqrt(area/pi)"},
        {"size", "radius of gyration; radius = sqrt(2) size for a uniform disk"},
    };
    if (info->size_column[0] == '\0') {
        return;
    }
    const char *square = strcmp(info->size_name, "area") == 0 ? "^2" : "";
    ng_cli_print(cli, "  size     %s: %.4g to %.4g %s%s, median %.4g\n", info->size_column,
                 info->size_min, info->size_max, info->size_unit, square, info->size_median);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (strcmp(meanings[i].name, info->size_name) == 0) {
            ng_cli_print(cli, "           (%s)\n", meanings[i].meaning);
        }
    }
}

static void print_movie(const ng_cli *cli, const ng_movie_info *m)
{
    if (m->format[0] == '\0') {
        return;
    }
    ng_cli_print(cli, "  size     %zu x %zu pixels\n", m->width, m->height);
    ng_cli_print(cli, "  values   %s, %d bit",
                 m->is_float    ? "real numbers"
                 : m->is_signed ? "whole numbers with sign"
                                : "whole numbers",
                 m->bits);
    if (m->channels > 1) {
        ng_cli_print(cli, ", %zu channels", m->channels);
    }
    ng_cli_print(cli, "\n");
    if (!isnan(m->pixel_nm)) {
        ng_cli_print(cli, "  scale    %.6g nm per pixel, so %.5g x %.5g nm\n", m->pixel_nm,
                     m->pixel_nm * (double)m->width, m->pixel_nm * (double)m->height);
    }
}

static void print_counts(const ng_cli *cli, const ng_file_info *info)
{
    if (info->rows > 0) {
        ng_cli_print(cli, "  rows     %zu\n", info->rows);
    }
    if (info->tracks > 0) {
        ng_cli_print(cli, "  tracks   %zu\n", info->tracks);
    }
    if (info->frames > 0) {
        ng_cli_print(cli, "  %s   %zu\n", info->kind == NG_KIND_EX_SITU ? "times " : "frames",
                     info->frames);
    }
    if (info->movie.readable < info->movie.frames) {
        ng_cli_print(cli, "           (the first %zu can be read)\n", info->movie.readable);
    }
    if (!isnan(info->time_first_s)) {
        ng_cli_print(cli, "  time     %.6g to %.6g s", info->time_first_s, info->time_last_s);
        if (!isnan(info->frame_s)) {
            ng_cli_print(cli, ", %.6g s between frames", info->frame_s);
        }
        ng_cli_print(cli, "\n");
    }
}

static void print_columns(const ng_cli *cli, const ng_file_info *info)
{
    size_t unused = 0;
    for (size_t i = 0; i < info->columns.n; i++) {
        const ng_warning *column = &info->columns.item[i];
        if (strcmp(column->text, "not used") == 0) {
            unused++;
        } else {
            ng_cli_print(cli, "  column   %s: %s\n", column->name, column->text);
        }
    }
    if (unused > 0) {
        ng_cli_print(cli, "           (and %zu that %s not used)\n", unused,
                     unused == 1 ? "is" : "are");
    }
}

static void print_info(const ng_cli *cli, const ng_file_info *info, const char *path,
                       const char *next)
{
    ng_cli_print(cli, "%s: %s\n", path, info->what);
    print_movie(cli, &info->movie);
    print_counts(cli, info);
    print_size(cli, info);
    print_columns(cli, info);
    for (size_t i = 0; i < info->missing.n; i++) {
        ng_cli_print(cli, "  missing  --%s (%s)\n", info->missing.item[i].name,
                     info->missing.item[i].text);
    }
    for (size_t i = 0; i < info->problems.n; i++) {
        const ng_warning *problem = &info->problems.item[i];
        ng_cli_print(cli, "  %s  %s\n", strcmp(problem->name, "error") == 0 ? "problem" : "note   ",
                     problem->text);
    }
    if (next != NULL) {
        ng_cli_print(cli, "  next     %s\n", next);
    }
}

/* ---- the verb ------------------------------------------------------------------------ */

/* Movies are not hashed: they may be large, and nothing was computed from them. */
static ng_status add_input(ng_cli *cli, const ng_file_info *info, const char *path, ng_error *err)
{
    bool pass_by = info->kind == NG_KIND_IMAGE || strcmp(path, "-") == 0;
    return pass_by ? NG_OK : ng_provenance_input(cli->provenance, path, err);
}

static ng_status fail_unknown(const ng_file_info *info, const char *path, ng_error *err)
{
    return NG_FAIL(err, NG_FORMAT, "%s", info->problems.n > 0 ? info->problems.item[0].text : path);
}

static ng_status look_at(ng_cli *cli, const char *path, json_t *files, ng_error *err)
{
    ng_file_info info;
    ng_status status = ng_file_inspect(path, &info, err);
    if (status != NG_OK) {
        return status;
    }
    char *next = next_command(&info, path);
    print_info(cli, &info, path, next);
    json_array_append_new(files, info_json(&info, path, next));
    status = add_input(cli, &info, path, err);
    bool closed = info.kind == NG_KIND_IMAGE && info.movie.format[0] == '\0';
    if (status == NG_OK && (info.kind == NG_KIND_UNKNOWN || closed)) {
        status = fail_unknown(&info, path, err);
    }
    ng_free(next);
    ng_file_info_free(&info);
    return status;
}

static ng_status run(ng_cli *cli, const void *values, ng_error *err)
{
    (void)values;
    json_t *files = json_array();
    ng_status first = NG_OK;
    /* One bad file does not hide the others. */
    for (size_t i = 0; i < cli->n_files; i++) {
        ng_error local = {.status = NG_OK};
        ng_status status = look_at(cli, cli->file[i], files, &local);
        if (status != NG_OK && first == NG_OK) {
            first = status;
            *err = local;
        }
    }
    cli->result = json_pack("{s:o}", "files", files);
    return first;
}

const ng_command ng_command_info = {
    .name = "info",
    .group = "Look",
    .summary = "say what a file is and which calibration it lacks",
    .description = "Says of each file or folder what it is (a movie, a folder of images, a table "
                   "of tracks, TrackMate's or trackpy's, ex-situ samples, a result, an "
                   "experiment), how many rows, tracks and frames it holds, which times and "
                   "sizes, which calibration is missing and which flag supplies it, what would "
                   "be refused, and "
                   "the command to type next. Needs no calibration itself.\n\n"
                   "docs/tables.md lists the tables and columns that are read, docs/movies.md the "
                   "movies. A file that is "
                   "not understood gives "
                   "exit code 3.",
    .usage = "FILE... [options]",
    .examples = "nucgrow info movie.tif\n"
                "nucgrow info tracks.csv\n"
                "nucgrow info spots.xml fit.json --json\n",
    .options = NULL,
    .n_options = 0,
    .options_size = sizeof(options),
    .n_min = 1,
    .n_max = SIZE_MAX,
    .output = NG_OUTPUT_RESULT,
    .schema = "nucgrow/info/1",
    .run = run,
};
