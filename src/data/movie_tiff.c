/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"
#include "tiff_handle.h"

#include <math.h>
#include <string.h>

/* TIFF, BigTIFF, ImageJ's and OME's dialects. tiff_pages.c finds the pages, libtiff decodes them.
 * ImageJ writes stacks beyond 4 GB with one directory; their frames follow each other without
 * gaps and are read by offset. */

typedef struct tiff_movie {
    ng_bytes bytes; /* owned */
    ng_tiff_pages pages;
    ng_plane_walk walk;
    ng_tiff_handle handle;
    bool raw; /* frames lie behind the first directory */
    ng_raw_frames frames;
    ng_pixel_type type;
    uint16_t samples;
    size_t *map;  /* owned: page of each plane; NULL: the same number */
    size_t page;  /* that libtiff stands at */
    void *buffer; /* owned: one strip or tile */
    size_t room;  /* of the buffer */
    bool tiled, separate;
    uint16_t bits, format;
} tiff_movie;

static void close_tiff(void *state)
{
    tiff_movie *t = state;
    ng_tiff_close(&t->handle);
    ng_tiff_pages_free(&t->pages);
    ng_bytes_close(&t->bytes);
    ng_free(t->buffer);
    ng_free(t->map);
    ng_free(t);
}

/* ---- one page ------------------------------------------------------------------------ */

static uint16_t get_short(TIFF *tiff, uint32_t tag)
{
    uint16_t value = 0;
    TIFFGetFieldDefaulted(tiff, tag, &value);
    return value;
}

static uint32_t get_long(TIFF *tiff, uint32_t tag)
{
    uint32_t value = 0;
    TIFFGetField(tiff, tag, &value);
    return value;
}

static ng_pixel_type pixel_type(uint16_t bits, uint16_t format)
{
    static const struct {
        uint16_t bits, format;
        ng_pixel_type type;
    } known[] = {
        {8, SAMPLEFORMAT_UINT, NG_PIXEL_UINT8},      {8, SAMPLEFORMAT_INT, NG_PIXEL_INT8},
        {16, SAMPLEFORMAT_UINT, NG_PIXEL_UINT16},    {16, SAMPLEFORMAT_INT, NG_PIXEL_INT16},
        {32, SAMPLEFORMAT_UINT, NG_PIXEL_UINT32},    {32, SAMPLEFORMAT_INT, NG_PIXEL_INT32},
        {64, SAMPLEFORMAT_UINT, NG_PIXEL_UINT64},    {64, SAMPLEFORMAT_INT, NG_PIXEL_INT64},
        {16, SAMPLEFORMAT_IEEEFP, NG_PIXEL_FLOAT16}, {32, SAMPLEFORMAT_IEEEFP, NG_PIXEL_FLOAT32},
        {64, SAMPLEFORMAT_IEEEFP, NG_PIXEL_FLOAT64},
    };
    format = format == SAMPLEFORMAT_VOID ? SAMPLEFORMAT_UINT : format;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].bits == bits && known[i].format == format) {
            return known[i].type;
        }
    }
    return NG_PIXEL_NONE;
}

/* Go to a page; what is wrong, or NULL. */
static const char *go_to(tiff_movie *t, size_t page)
{
    if (t->page == page) {
        return NULL;
    }
    t->page = SIZE_MAX;
    if (!ng_tiff_show(&t->handle, page)) {
        return t->handle.reason[0] != '\0' ? t->handle.reason : "its directory is damaged";
    }
    TIFF *tiff = t->handle.tiff;
    if (get_short(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
        get_short(tiff, TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    t->page = page;
    return NULL;
}

/* Rows and columns of one strip or tile as far as they lie in the frame. */
typedef struct block {
    size_t x, y, columns, rows;
    size_t row_samples; /* from a row to the next, pixels of all channels */
} block;

static void place(const tiff_movie *t, const block *b, size_t width, float *pixel)
{
    size_t step = t->separate ? 1 : t->samples;
    size_t bytes = ng_pixel_bytes(t->type);
    const unsigned char *from = t->buffer;
    from += t->separate ? 0 : t->walk.sample * bytes;
    for (size_t row = 0; row < b->rows; row++) {
        ng_pixels_convert(t->type, false, from + row * b->row_samples * bytes, step, b->columns,
                          pixel + (b->y + row) * width + b->x);
    }
}

static const char *read_strips(tiff_movie *t, size_t width, size_t height, float *pixel)
{
    TIFF *tiff = t->handle.tiff;
    uint32_t rows = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    rows = rows == 0 || rows > height ? (uint32_t)height : rows;
    size_t step = t->separate ? 1 : t->samples;
    for (size_t y = 0; y < height; y += rows) {
        size_t here = height - y < rows ? height - y : rows;
        size_t need = here * width * step * ng_pixel_bytes(t->type);
        uint32_t strip = TIFFComputeStrip(tiff, (uint32_t)y, (uint16_t)t->walk.sample);
        if (TIFFReadEncodedStrip(tiff, strip, t->buffer, (tmsize_t)need) != (tmsize_t)need) {
            return t->handle.reason[0] != '\0' ? t->handle.reason : "its pixels are not all there";
        }
        place(t, &(block){0, y, width, here, width * step}, width, pixel);
    }
    return NULL;
}

static const char *read_tiles(tiff_movie *t, size_t width, size_t height, float *pixel)
{
    TIFF *tiff = t->handle.tiff;
    size_t w = get_long(tiff, TIFFTAG_TILEWIDTH);
    size_t h = get_long(tiff, TIFFTAG_TILELENGTH);
    size_t step = t->separate ? 1 : t->samples;
    for (size_t y = 0; y < height; y += h) {
        for (size_t x = 0; x < width; x += w) {
            block b = {x, y, width - x < w ? width - x : w, height - y < h ? height - y : h,
                       w * step};
            if (TIFFReadTile(tiff, t->buffer, (uint32_t)x, (uint32_t)y, 0,
                             (uint16_t)t->walk.sample) < 0) {
                return t->handle.reason[0] != '\0' ? t->handle.reason
                                                   : "its pixels are not all there";
            }
            place(t, &b, width, pixel);
        }
    }
    return NULL;
}

/* Pages could differ in what tiff_pages.c does not compare. */
static const char *check_page(tiff_movie *t, const ng_movie_info *info)
{
    TIFF *tiff = t->handle.tiff;
    bool same = get_long(tiff, TIFFTAG_IMAGEWIDTH) == info->width &&
                get_long(tiff, TIFFTAG_IMAGELENGTH) == info->height &&
                get_short(tiff, TIFFTAG_SAMPLESPERPIXEL) == t->samples &&
                get_short(tiff, TIFFTAG_BITSPERSAMPLE) == t->bits &&
                get_short(tiff, TIFFTAG_SAMPLEFORMAT) == t->format &&
                (TIFFIsTiled(tiff) != 0) == t->tiled &&
                (t->samples == 1 ||
                 (get_short(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE) == t->separate);
    if (!same) {
        return "its layout differs from that of the first page";
    }
    tmsize_t need = t->tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    return need <= 0 || (size_t)need > t->room ? "its strips differ in size from the first page's"
                                               : NULL;
}

static ng_status read_tiff(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    tiff_movie *t = movie->state;
    const ng_movie_info *info = &movie->info;
    size_t plane = t->walk.first + index * t->walk.step;
    const char *wrong = NULL;
    if (t->raw) {
        bool good = ng_raw_read(&t->frames, &t->bytes, plane, info->width * info->height, pixel);
        wrong = good ? NULL : "the file ends within it";
    } else {
        wrong = go_to(t, t->map != NULL ? t->map[plane] : plane);
        t->handle.reason[0] = '\0';
        wrong = wrong == NULL ? check_page(t, info) : wrong;
        if (wrong == NULL) {
            wrong = t->tiled ? read_tiles(t, info->width, info->height, pixel)
                             : read_strips(t, info->width, info->height, pixel);
        }
    }
    return wrong == NULL ? NG_OK : ng_movie_fail_frame(movie, index, err, "%s", wrong);
}

/* ---- the first page ------------------------------------------------------------------ */

static ng_status check_samples(tiff_movie *t, const ng_movie_opening *o)
{
    TIFF *tiff = t->handle.tiff;
    const char *path = o->movie->path;
    t->bits = get_short(tiff, TIFFTAG_BITSPERSAMPLE);
    t->format = get_short(tiff, TIFFTAG_SAMPLEFORMAT);
    t->samples = get_short(tiff, TIFFTAG_SAMPLESPERPIXEL);
    t->tiled = TIFFIsTiled(tiff) != 0;
    t->separate = t->samples > 1 && get_short(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    t->type = pixel_type(t->bits, t->format);
    uint16_t compression = get_short(tiff, TIFFTAG_COMPRESSION);
    uint16_t photometric = get_short(tiff, TIFFTAG_PHOTOMETRIC);
    if (t->type == NG_PIXEL_NONE || t->samples == 0) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: samples of %u bits (format %u) are not read; save as 8, 16 or 32 bit",
                       path, t->bits, t->format);
    }
    if (TIFFIsCODECConfigured(compression) == 0) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: the compression (number %u) is not known to this libtiff; save "
                       "without compression",
                       path, compression);
    }
    bool subsampled = photometric == PHOTOMETRIC_YCBCR && compression != COMPRESSION_JPEG;
    if (subsampled || photometric == PHOTOMETRIC_LOGL || photometric == PHOTOMETRIC_LOGLUV) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: pixels as YCbCr or LogLuv colours are not read; save as grey values",
                       path);
    }
    return NG_OK;
}

/* A small file that claims huge frames is damaged or hostile: no compressor of these shrinks more
 * than 4000-fold (LZW's longest string; deflate 1032, PackBits 64). */
static ng_status check_plausible(const tiff_movie *t, const ng_movie_opening *o)
{
    const ng_movie_info *info = &o->movie->info;
    uint64_t need = (uint64_t)info->width * info->height * t->samples * ng_pixel_bytes(t->type);
    uint16_t c = get_short(t->handle.tiff, TIFFTAG_COMPRESSION);
    bool weak = c == COMPRESSION_LZW || c == COMPRESSION_ADOBE_DEFLATE ||
                c == COMPRESSION_DEFLATE || c == COMPRESSION_PACKBITS;
    uint64_t most = c == COMPRESSION_NONE ? 1 : weak ? 4000 : 1000000;
    if (need / most > t->bytes.size) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: frame 0 (the first is 0): %zu x %zu pixels need %llu bytes, which a "
                       "file of %llu cannot hold; it was cut off, or its header is damaged",
                       o->movie->path, info->width, info->height, (unsigned long long)need,
                       (unsigned long long)t->bytes.size);
    }
    return NG_OK;
}

static ng_status make_buffer(tiff_movie *t, const ng_movie_opening *o)
{
    TIFF *tiff = t->handle.tiff;
    uint64_t bytes = t->tiled ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
    const ng_movie_info *info = &o->movie->info;
    uint64_t frame = (uint64_t)info->width * info->height * t->samples * ng_pixel_bytes(t->type);
    /* Tiles may stand out of the frame, strips not. */
    uint64_t most = t->tiled ? 4 * frame + (1 << 24) : frame;
    if (bytes == 0 || bytes > most) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: frame 0 (the first is 0): its strips or tiles of %llu bytes do not fit "
                       "%zu x %zu pixels; the header is damaged",
                       o->movie->path, (unsigned long long)bytes, info->width, info->height);
    }
    t->room = (size_t)bytes;
    t->buffer = ng_alloc(t->room, 1);
    return t->buffer != NULL
               ? NG_OK
               : NG_FAIL(o->err, NG_MEMORY, "%s: no memory for %zu bytes", o->movie->path, t->room);
}

static ng_status open_first(tiff_movie *t, ng_movie_opening *o)
{
    if (t->pages.n == 0) {
        bool cut = t->pages.broken[0] != '\0';
        return NG_FAIL(o->err, cut ? NG_FORMAT : NG_TOO_LITTLE,
                       cut ? "%s: frame 0 (the first is 0): %s"
                           : "%s: the file holds no frame%s; save the movie again",
                       o->movie->path, t->pages.broken);
    }
    /* Before libtiff, which would say it in its own words. */
    ng_status status = ng_movie_check_size(o, t->pages.shape.width, t->pages.shape.height);
    if (status != NG_OK) {
        return status;
    }
    ng_tiff_prepare(&t->handle, &t->bytes, &t->pages, o->options->max_pixels);
    const char *wrong = go_to(t, 0);
    if (wrong != NULL) {
        return ng_movie_fail_frame(o->movie, 0, o->err, "%s", wrong);
    }
    status = ng_movie_check_size(o, get_long(t->handle.tiff, TIFFTAG_IMAGEWIDTH),
                                 get_long(t->handle.tiff, TIFFTAG_IMAGELENGTH));
    if (status == NG_OK) {
        status = check_samples(t, o);
    }
    if (status == NG_OK) {
        status = check_plausible(t, o);
    }
    return status == NG_OK ? make_buffer(t, o) : status;
}

/* ---- ImageJ -------------------------------------------------------------------------- */

static void imagej_calibration(const tiff_movie *t, const ng_imagej *j, const ng_movie_opening *o)
{
    ng_movie_info *info = &o->movie->info;
    float x = 0.0f;
    float y = 0.0f;
    info->frame_s = j->frame_s;
    if (TIFFGetField(t->handle.tiff, TIFFTAG_XRESOLUTION, &x) == 1 && x > 0.0f) {
        info->pixel_nm = j->unit_nm / (double)x;
        /* The rational of the tag is short of digits. */
        bool same = fabs(j->pixel_nm - info->pixel_nm) < 1e-5 * info->pixel_nm;
        info->pixel_nm = same ? j->pixel_nm : info->pixel_nm;
    }
    if (TIFFGetField(t->handle.tiff, TIFFTAG_YRESOLUTION, &y) == 1 &&
        fabs((double)x / (double)y - 1.0) > 1e-3) {
        ng_warnings_add(o->warnings, "pixels-not-square",
                        "%s: pixels are not square (%g and %g a unit); the width is used",
                        o->movie->path, (double)x, (double)y);
    }
    if (j->has_value_calibration) {
        ng_warnings_add(o->warnings, "value-calibration",
                        "%s: ImageJ shows these pixels through a calibration function; the "
                        "stored counts are read",
                        o->movie->path);
    }
}

/* One directory for many images: are their pixels behind each other? */
static bool take_raw(tiff_movie *t, const ng_imagej *j, const ng_movie_info *info)
{
    uint64_t *offset = NULL;
    TIFF *tiff = t->handle.tiff;
    size_t pixels = info->width * info->height;
    if (t->pages.n != 1 || j->images < 2 || t->tiled || t->samples != 1 ||
        get_short(tiff, TIFFTAG_COMPRESSION) != COMPRESSION_NONE ||
        TIFFGetField(tiff, TIFFTAG_STRIPOFFSETS, &offset) != 1 || offset == NULL) {
        return false;
    }
    t->frames = (ng_raw_frames){.type = t->type,
                                .swap = t->pages.little != ng_little_endian(),
                                .first = offset[0],
                                .step = pixels * ng_pixel_bytes(t->type)};
    /* Such files begin with their directory; one behind the pixels would be read as pixels. */
    t->raw = t->pages.offset[0] < offset[0] && ng_raw_count(&t->frames, &t->bytes, pixels) > 1;
    return t->raw;
}

static ng_planes imagej_planes(const tiff_movie *t, const ng_imagej *j, const ng_movie_opening *o)
{
    size_t n = t->raw ? j->images : t->pages.n;
    ng_planes planes = {.channels = j->channels > 0 ? j->channels : 1,
                        .slices = j->slices > 0 ? j->slices : 1,
                        .times = j->frames > 0 ? j->frames : 1,
                        .order = "CZT"};
    bool broken = t->pages.broken[0] != '\0';
    size_t said = planes.channels <= n ? planes.channels : n + 1;
    said = planes.slices <= n ? said * planes.slices : n + 1;
    said = planes.times <= n && said <= n ? said * planes.times : said;
    if (said == n && planes.times <= n) {
        return planes;
    }
    if (j->images != n || said != 1) {
        ng_warnings_add(o->warnings, "pages-against-header",
                        "%s: ImageJ's header says %zu images, the file has %zu%s", o->movie->path,
                        j->images, n, broken ? " that can be reached" : "");
    }
    size_t channels = broken && planes.channels <= n ? planes.channels : 1;
    return (ng_planes){.channels = channels, .slices = 1, .times = n / channels, .order = "CZT"};
}

/* ---- OME ----------------------------------------------------------------------------- */

static void ome_calibration(const ng_ome *ome, const ng_movie_opening *o)
{
    ng_movie_info *info = &o->movie->info;
    info->pixel_nm = ome->pixel_nm;
    info->frame_s = ome->frame_s;
    if (fabs(ome->pixel_y_nm / ome->pixel_nm - 1.0) > 1e-3) {
        ng_warnings_add(o->warnings, "pixels-not-square",
                        "%s: pixels are not square (%g and %g nm); the width is used",
                        o->movie->path, ome->pixel_nm, ome->pixel_y_nm);
    }
}

/* Place of a plane in the order of the file. */
static size_t plane_of(const ng_planes *p, size_t c, size_t z, size_t t)
{
    size_t plane = 0;
    for (size_t i = 3; i-- > 0;) {
        char axis = p->order[i];
        plane = axis == 'C'   ? plane * p->channels + c
                : axis == 'Z' ? plane * p->slices + z
                              : plane * p->times + t;
    }
    return plane;
}

/* TiffData may put the planes in any order. */
static ng_status map_planes(tiff_movie *t, const ng_ome *ome, const ng_planes *p, size_t n,
                            const ng_movie_opening *o)
{
    t->map = NG_NEW(size_t, n);
    if (t->map == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    for (size_t i = 0; i < n; i++) {
        t->map[i] = i;
    }
    bool plain = true;
    for (size_t r = 0; r < ome->n_runs; r++) {
        const ng_ome_run *run = &ome->run[r];
        if (run->c >= p->channels || run->z >= p->slices || run->t >= p->times) {
            continue;
        }
        size_t plane = plane_of(p, run->c, run->z, run->t);
        size_t length = run->n > 0 ? run->n : n;
        for (size_t i = 0; i < length && plane + i < n && run->page + i < n; i++) {
            plain = plain && plane == run->page;
            t->map[plane + i] = run->page + i;
        }
    }
    if (plain) {
        ng_free(t->map);
        t->map = NULL;
    }
    return NG_OK;
}

static ng_status ome_planes(tiff_movie *t, ng_ome *ome, ng_planes *planes,
                            const ng_movie_opening *o)
{
    size_t n = t->pages.n;
    ng_planes *said = &ome->planes;
    /* SizeC counts colours within a page. */
    if (t->samples > 1 && said->channels % t->samples == 0) {
        said->channels /= t->samples;
    }
    double product = (double)said->channels * (double)said->slices * (double)said->times;
    if (product == (double)n) {
        *planes = *said;
        return map_planes(t, ome, planes, n, o);
    }
    bool one_axis = (double)(said->slices > said->times ? said->slices : said->times) == product;
    if (!one_axis) {
        return NG_FAIL(o->err, NG_INVALID,
                       "%s: the OME metadata say %zu channels, %zu slices, %zu times, but the file "
                       "has %zu pages: it was cut off, or the planes are spread over several "
                       "files; export them as one file",
                       o->movie->path, said->channels, said->slices, said->times, n);
    }
    ng_warnings_add(o->warnings, "pages-against-header",
                    "%s: the OME metadata say %.0f frames, the file has %zu%s", o->movie->path,
                    product, n, ome->several_files ? " (others are in other files)" : "");
    return NG_OK;
}

/* ---- all together -------------------------------------------------------------------- */

static void name_format(ng_movie_info *info, const tiff_movie *t, const char *dialect)
{
    snprintf(info->format, sizeof info->format, "%s",
             dialect != NULL ? dialect
             : t->pages.big  ? "bigtiff"
                             : "tiff");
}

/* Pages that cannot be reached make one more frame, which fails when it is read. */
static void mark_broken(tiff_movie *t, ng_movie *movie)
{
    ng_movie_info *info = &movie->info;
    size_t pixels = info->width * info->height;
    size_t last = t->walk.first + (t->walk.frames - 1) * t->walk.step;
    if (t->raw) {
        size_t there = ng_raw_count(&t->frames, &t->bytes, pixels);
        if (last >= there) {
            size_t good =
                there <= t->walk.first ? 0 : (there - t->walk.first - 1) / t->walk.step + 1;
            ng_movie_break(movie, good, "the file ends within it; it was cut off");
        }
    } else if (t->pages.broken[0] != '\0') {
        info->frames = t->walk.frames + 1;
        ng_movie_break(movie, t->walk.frames, "%s", t->pages.broken);
    }
}

static ng_status read_description(tiff_movie *t, ng_planes *planes, ng_movie_opening *o)
{
    ng_movie_info *info = &o->movie->info;
    char *text = NULL;
    ng_imagej imagej;
    ng_ome ome;
    if (TIFFGetField(t->handle.tiff, TIFFTAG_IMAGEDESCRIPTION, &text) != 1 || text == NULL) {
        return NG_OK;
    }
    size_t length = strlen(text);
    ng_imagej_parse(text, length, &imagej);
    if (imagej.found) {
        name_format(info, t, "imagej");
        take_raw(t, &imagej, info);
        imagej_calibration(t, &imagej, o);
        *planes = imagej_planes(t, &imagej, o);
        return NG_OK;
    }
    ng_status status = ng_ome_parse(text, length, o->movie->path, &ome, o->err);
    if (status == NG_OK && ome.found) {
        name_format(info, t, "ome-tiff");
        ome_calibration(&ome, o);
        status = ome_planes(t, &ome, planes, o);
    }
    ng_ome_free(&ome);
    return status;
}

static ng_status describe(tiff_movie *t, ng_movie_opening *o)
{
    ng_planes planes = {.channels = 1, .slices = 1, .times = t->pages.n, .order = "CZT"};
    name_format(&o->movie->info, t, NULL);
    ng_pixel_describe(t->type, &o->movie->info);
    ng_status status = read_description(t, &planes, o);
    if (status == NG_OK) {
        status = ng_planes_walk(o, &planes, t->samples, &t->walk);
    }
    if (status == NG_OK) {
        mark_broken(t, o->movie);
    }
    return status;
}

ng_status ng_movie_open_tiff(ng_movie_opening *o)
{
    tiff_movie *t = NG_NEW(tiff_movie, 1);
    if (t == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    t->bytes = o->bytes;
    t->page = SIZE_MAX;
    o->bytes = ng_bytes_of(NULL, 0);
    o->movie->state = t;
    o->movie->close = close_tiff;
    o->movie->read = read_tiff;
    ng_status status = ng_tiff_pages_read(&t->bytes, o->movie->path, &t->pages, o->err);
    if (status == NG_OK) {
        status = open_first(t, o);
    }
    return status == NG_OK ? describe(t, o) : status;
}
