/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"
#include "movie_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A folder of images, one frame a file, in the order in which people count: frame9, frame10. */

typedef struct folder_movie {
    char **name; /* owned, with the texts */
    size_t n, capacity;
    size_t tiffs; /* of them; the others are PNG */
    ng_movie_read_options options;
} folder_movie;

static void close_folder(void *state)
{
    folder_movie *f = state;
    for (size_t i = 0; i < f->n; i++) {
        ng_free(f->name[i]);
    }
    ng_free(f->name);
    ng_free(f);
}

/* ---- names --------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Numbers within names compare as numbers. */
static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            size_t n = strspn(a, "0123456789");
            size_t m = strspn(b, "0123456789");
            int order = n != m ? (n > m) - (n < m) : strncmp(a, b, n);
            if (order != 0) {
                return order;
            }
            a += n;
            b += m;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

static int by_name(const void *left, const void *right)
{
    const char *a = *(char *const *)left;
    const char *b = *(char *const *)right;
    int order = compare_names(a, b);
    return order != 0 ? order : strcmp(a, b);
}

/* The last number in a name: where it starts and its digits; 0 digits: none. */
static size_t last_number(const char *name, size_t *start)
{
    size_t end = strlen(name);
    const char *dot = strrchr(name, '.');
    end = dot != NULL ? (size_t)(dot - name) : end;
    while (end > 0 && !is_digit(name[end - 1])) {
        end--;
    }
    *start = end;
    while (*start > 0 && is_digit(name[*start - 1])) {
        (*start)--;
    }
    return end - *start;
}

/* How many numbers are left out between two names; *same: they are of one series. */
static double gap_between(const char *a, const char *b, bool *same)
{
    size_t at_a = 0;
    size_t at_b = 0;
    size_t digits_a = last_number(a, &at_a);
    size_t digits_b = last_number(b, &at_b);
    *same = digits_a > 0 && digits_b > 0 && at_a == at_b && strncmp(a, b, at_a) == 0 &&
            strcasecmp(a + at_a + digits_a, b + at_b + digits_b) == 0;
    double first = 0.0;
    double second = 0.0;
    bool numbers = *same && ng_number_parse(a + at_a, digits_a, &first) == NG_NUMBER_OK &&
                   ng_number_parse(b + at_b, digits_b, &second) == NG_NUMBER_OK;
    return numbers ? second - first - 1.0 : 0.0;
}

static void warn_of_gaps(const folder_movie *f, const ng_movie_opening *o)
{
    double missing = 0.0;
    const char *before = NULL;
    const char *after = NULL;
    for (size_t i = 1; i < f->n; i++) {
        bool same = true;
        double gap = gap_between(f->name[i - 1], f->name[i], &same);
        if (!same) {
            ng_warnings_add(o->warnings, "names-differ",
                            "%s: the names do not follow one pattern (%.80s, then %.80s); all are "
                            "taken as one movie in this order",
                            o->movie->path, f->name[i - 1], f->name[i]);
            return;
        }
        if (gap > 0.0 && before == NULL) {
            before = f->name[i - 1];
            after = f->name[i];
        }
        missing += gap > 0.0 ? gap : 0.0;
    }
    if (before != NULL) {
        ng_warnings_add(o->warnings, "numbers-missing",
                        "%s: numbers are missing: %.0f (the first between %.80s and %.80s); the "
                        "frames are taken as one after the other, so later times come too early",
                        o->movie->path, missing, before, after);
    }
}

/* ---- the list ------------------------------------------------------------------------ */

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name);
    size_t tail = strlen(ending);
    return n > tail && strcasecmp(name + n - tail, ending) == 0;
}

static ng_status add_name(folder_movie *f, const char *name, ng_error *err)
{
    bool tiff = ends_in(name, ".tif") || ends_in(name, ".tiff");
    if (name[0] == '.' || (!tiff && !ends_in(name, ".png"))) {
        return NG_OK;
    }
    if (f->n == f->capacity) {
        size_t capacity = f->capacity > 0 ? 2 * f->capacity : 64;
        char **grown = ng_realloc(f->name, capacity, sizeof *grown);
        if (grown == NULL) {
            return NG_FAIL(err, NG_MEMORY, "out of memory after %zu names of files", f->n);
        }
        f->name = grown;
        f->capacity = capacity;
    }
    f->name[f->n] = ng_text_copy(name);
    if (f->name[f->n] == NULL) {
        return NG_FAIL(err, NG_MEMORY, "out of memory after %zu names of files", f->n);
    }
    f->n++;
    f->tiffs += tiff;
    return NG_OK;
}

static ng_status list_files(folder_movie *f, const char *path, ng_error *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return NG_FAIL(err, NG_IO, "%s: the folder cannot be read (%s)", path, strerror(errno));
    }
    ng_status status = NG_OK;
    const struct dirent *entry = NULL;
    while (status == NG_OK && (entry = readdir(folder)) != NULL) {
        status = add_name(f, entry->d_name, err);
    }
    closedir(folder);
    if (status == NG_OK && f->n == 0) {
        status =
            NG_FAIL(err, NG_TOO_LITTLE,
                    "%s: the folder holds no images whose names end in .tif, .tiff or .png", path);
    }
    if (status == NG_OK && f->tiffs > 0 && f->tiffs < f->n) {
        status = NG_FAIL(err, NG_INVALID,
                         "%s: the folder holds %zu TIFF and %zu PNG images; a movie is of one "
                         "kind, so move the others away",
                         path, f->tiffs, f->n - f->tiffs);
    }
    if (status == NG_OK) {
        qsort(f->name, f->n, sizeof *f->name, by_name);
    }
    return status;
}

/* ---- one file ------------------------------------------------------------------------ */

static ng_status open_image(const folder_movie *f, const char *folder, size_t index, ng_movie **out,
                            ng_warnings *warnings, ng_error *err)
{
    *out = NULL;
    char *path = ng_text_format("%s/%s", folder, f->name[index]);
    if (path == NULL) {
        return NG_FAIL(err, NG_MEMORY, "%s: out of memory", folder);
    }
    ng_status status = ng_movie_open(path, &f->options, out, warnings, err);
    if (status == NG_OK && (*out)->info.frames > 1) {
        status = NG_FAIL(err, NG_FORMAT,
                         "%s: holds %zu frames; in a folder each file must hold one (give the "
                         "file itself, or split it)",
                         path, (*out)->info.frames);
        ng_movie_close(*out);
        *out = NULL;
    }
    ng_free(path);
    return status;
}

static ng_status read_folder(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    const folder_movie *f = movie->state;
    const ng_movie_info *first = &movie->info;
    ng_movie *image = NULL;
    ng_error why = {.status = NG_OK};
    ng_status status = open_image(f, movie->path, index, &image, NULL, &why);
    if (status != NG_OK) {
        return status == NG_MEMORY ? NG_FAIL(err, NG_MEMORY, "%s", why.message)
                                   : ng_movie_fail_frame(movie, index, err, "%.360s", why.message);
    }
    const ng_movie_info *info = &image->info;
    if (info->width != first->width || info->height != first->height) {
        status = ng_movie_fail_frame(movie, index, err,
                                     "%.200s has %zu x %zu pixels, the first has %zu x %zu; all "
                                     "must be of one size",
                                     f->name[index], info->width, info->height, first->width,
                                     first->height);
    } else if (info->bits != first->bits || info->is_float != first->is_float ||
               info->is_signed != first->is_signed) {
        status = ng_movie_fail_frame(movie, index, err,
                                     "%.200s has samples of %d bits, the first of %d; all must be "
                                     "of one kind",
                                     f->name[index], info->bits, first->bits);
    } else {
        status = ng_movie_read(image, 0, pixel, &why);
        if (status != NG_OK) {
            status = ng_movie_fail_frame(movie, index, err, "%.360s", why.message);
        }
    }
    ng_movie_close(image);
    return status;
}

/* Files of a series tell of the whole series, which is no surprise here. */
static void pass_warnings(const ng_warnings *from, ng_warnings *to)
{
    for (size_t i = 0; i < from->n; i++) {
        if (strcmp(from->item[i].name, "pages-against-header") != 0) {
            ng_warnings_add(to, from->item[i].name, "%s", from->item[i].text);
        }
    }
}

static ng_status look_at_first(folder_movie *f, const ng_movie_opening *o)
{
    ng_movie *image = NULL;
    ng_warnings warnings = {0};
    ng_status status = open_image(f, o->movie->path, 0, &image, &warnings, o->err);
    if (status == NG_OK) {
        ng_movie_info *info = &o->movie->info;
        *info = image->info;
        info->frames = f->n;
        info->readable = f->n;
        snprintf(info->format, sizeof info->format, "%s",
                 f->tiffs > 0 ? "tiff-folder" : "png-folder");
        pass_warnings(&warnings, o->warnings);
        warn_of_gaps(f, o);
        ng_movie_close(image);
    }
    ng_warnings_free(&warnings);
    return status;
}

ng_status ng_movie_open_folder(ng_movie_opening *o)
{
    folder_movie *f = NG_NEW(folder_movie, 1);
    if (f == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    f->options = ng_movie_read_defaults();
    f->options.channel = o->options->channel;
    f->options.max_pixels = o->options->max_pixels;
    o->movie->state = f;
    o->movie->close = close_folder;
    o->movie->read = read_folder;
    ng_status status = list_files(f, o->movie->path, o->err);
    return status == NG_OK ? look_at_first(f, o) : status;
}
