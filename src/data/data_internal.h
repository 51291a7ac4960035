/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What the modules of room `data` share.
 *
 * The way of a table: text -> csv.c (records and fields) -> columns.c (what each column means) ->
 * rows.c (numbers, in the file's units) -> timing.c (frames and seconds) -> join.c (nm, one
 * clock), order.c (sorted, checked) -> tracks. TrackMate XML joins at the rows. particles.c goes
 * the same way with looser demands and further columns.
 */
#ifndef NUCGROW_DATA_INTERNAL_H
#define NUCGROW_DATA_INTERNAL_H

#include <locale.h>
#include <nucgrow/data.h>

/* ---- numbers (number.c) -------------------------------------------------------------- */

typedef enum ng_number {
    NG_NUMBER_OK,
    NG_NUMBER_EMPTY,   /* nothing, or only spaces */
    NG_NUMBER_BAD,     /* not a number */
    NG_NUMBER_COMMA,   /* a number if its comma were a point */
    NG_NUMBER_NAN,     /* nan */
    NG_NUMBER_INFINITE /* inf, or beyond the range of a double */
} ng_number;

/** Read the whole of text[0..length) as a decimal number, correctly rounded, in any locale. */
ng_number ng_number_parse(const char *text, size_t length, double *value);
/** Format the shortest of 15 to 17 digits that reads back exactly; NAN gives "". `text` holds 32.
 */
void ng_number_format(double value, char text[32]);

/** Digits of what was measured: no measurement has more, and tables stay a third shorter. */
#define NG_MEASURED_DIGITS 9
/** Print "," and the value with that many digits; nothing after the comma when it is not finite.
 * Between ng_plain_begin and ng_plain_end only. */
void ng_number_print(FILE *stream, double value, int digits);

/** The C locale for this thread, so that decimal signs are points; zeroed when it cannot be had. */
typedef struct ng_plain {
    locale_t made, before;
} ng_plain;

ng_plain ng_plain_begin(void);
void ng_plain_end(ng_plain *plain);

/** Every line of `comment` (NULL is fine) behind "# ". */
void ng_comment_write(FILE *stream, const char *comment);

/* ---- units and quantities (units.c) -------------------------------------------------- */

typedef enum ng_unit {
    NG_UNIT_NONE,
    NG_UNIT_NM,
    NG_UNIT_UM,
    NG_UNIT_PX,
    NG_UNIT_S,
    NG_UNIT_MS,
    NG_UNIT_MIN,
    NG_UNIT_H,
    NG_UNIT_FRAME /* TrackMate's time without calibration */
} ng_unit;

/** "nm", "um", "px", "s", ...; "" for NONE. Static. */
const char *ng_unit_name(ng_unit unit);
/** A unit by one of its spellings (nm, um, µm, micron, px, pixel, s, sec, min, ...), or NONE. */
ng_unit ng_unit_find(const char *text, size_t length);
bool ng_unit_is_length(ng_unit unit);
bool ng_unit_is_time(ng_unit unit);
/** What one unit is in nm or s; a pixel is `pixel_nm`, a frame and NONE are NAN. */
double ng_unit_scale(ng_unit unit, double pixel_nm);

/** What a column holds. */
typedef enum ng_quantity {
    NG_QUANTITY_NONE,
    NG_QUANTITY_TRACK,
    NG_QUANTITY_GROUP,
    NG_QUANTITY_FRAME,
    NG_QUANTITY_TIME,
    NG_QUANTITY_X,
    NG_QUANTITY_Y,
    NG_QUANTITY_RADIUS,
    NG_QUANTITY_DIAMETER,
    NG_QUANTITY_AREA,
    NG_QUANTITY_GYRATION, /* trackpy's `size`: radius of gyration */
    NG_QUANTITY_RADIUS_SE,
    NG_QUANTITY_DIAMETER_SE,
    NG_QUANTITY_AREA_SE
} ng_quantity;

/** "radius", "diameter", "area", "size" for the four sizes, else "". */
const char *ng_quantity_size_name(ng_quantity size);
/** Radius of the disk that a size stands for, in the unit of the size. */
double ng_size_radius(ng_quantity size, double value);
/** Its standard error, from that of the size. */
double ng_size_radius_se(ng_quantity size, double value, double se);

/* ---- text of a table (csv.c) --------------------------------------------------------- */

typedef struct ng_field {
    const char *text; /* borrowed from the table's text, not terminated */
    size_t length;    /* without surrounding spaces and quotes */
} ng_field;

/** A walk through the records of a table. Blank lines and lines that begin with # are skipped. */
typedef struct ng_csv {
    const char *name; /* of the file, for messages */
    const char *at, *end;
    char delimiter;
    bool in_record;  /* more fields to come */
    size_t line;     /* where `at` stands, from 1 */
    size_t row_line; /* where the record began */
} ng_csv;

/** Check that `text` is a text (no NUL bytes, no UTF-16), skip a byte order mark, find the
 * delimiter in the header row. @return NG_FORMAT with what the file seems to be instead. */
NG_MUST_CHECK ng_status ng_csv_open(ng_csv *csv, const char *text, size_t length, const char *name,
                                    ng_error *err);
/** Go to the next record; false at the end. */
bool ng_csv_next_record(ng_csv *csv);
/** Next field of the record; *found is false after its last. @return NG_FORMAT (quotes). */
NG_MUST_CHECK ng_status ng_csv_next_field(ng_csv *csv, ng_field *field, bool *found, ng_error *err);
/** Skip what is left of the record. */
NG_MUST_CHECK ng_status ng_csv_end_record(ng_csv *csv, ng_error *err);
/** Text for a message or a result: cut to `size` (>= 8) bytes, what is not printable UTF-8 as
 * '?'. */
void ng_text_show(const char *text, size_t length, char *shown, size_t size);
/** A field for a message, in quotes. */
void ng_field_show(const ng_field *field, char shown[48]);

/* ---- what the columns mean (columns.c, trackmate_csv.c) ------------------------------ */

/** Places of a row that columns fill. */
typedef enum ng_slot {
    NG_SLOT_TRACK,
    NG_SLOT_GROUP,
    NG_SLOT_FRAME,
    NG_SLOT_TIME,
    NG_SLOT_X,
    NG_SLOT_Y,
    NG_SLOT_SIZE,
    NG_SLOT_SIZE_SE,
    NG_N_SLOTS
} ng_slot;

typedef struct ng_column {
    char name[48]; /* as in the file, made printable, cut */
    char key[48];  /* the same in lower case with '_' for spaces and brackets */
    ng_quantity quantity;
    ng_unit unit; /* NONE: a count, or a quantity whose unit is not said */
} ng_column;

#define NG_MAX_COLUMNS 1024
#define NG_NO_COLUMN ((size_t)-1)

/** A column beyond the slots that gives one number of each row. */
typedef struct ng_further {
    size_t column;
    bool (*read)(const ng_field *field, double *value); /* NULL: as a number; false: no good */
} ng_further;

#define NG_MAX_FURTHER 32

/** Words joined by '+' to a number of flags (nucgrow/particles.h). */
bool ng_flags_read(const ng_field *field, double *value);

typedef struct ng_layout {
    ng_file_kind kind;
    ng_column *column; /* owned */
    size_t n_columns;
    size_t slot[NG_N_SLOTS];            /* column of each slot, or NG_NO_COLUMN */
    bool units_missing;                 /* a TrackMate table without its row of units */
    ng_further further[NG_MAX_FURTHER]; /* set by who wants them, before the rows are read */
    size_t n_further;
} ng_layout;

/** Read the header row (and TrackMate's rows below it): what is it, and what does each column
 * hold? Anything that has columns succeeds; ng_layout_check tells whether it can be read as
 * tracks. */
NG_MUST_CHECK ng_status ng_layout_read(ng_csv *csv, ng_layout *out, ng_error *err);
/** Fill the slots from the columns' quantities. @return NG_FORMAT when two columns are the same.
 */
NG_MUST_CHECK ng_status ng_layout_choose(ng_layout *layout, const char *name, ng_error *err);
/** NG_FORMAT with what is missing for tracks (or an ex-situ table), and what was found instead.
 */
NG_MUST_CHECK ng_status ng_layout_check(const ng_layout *layout, const char *name, ng_error *err);
/** The same for particles of single frames: positions are needed, tracks and sizes are not. */
NG_MUST_CHECK ng_status ng_layout_check_particles(const ng_layout *layout, const char *name,
                                                  ng_error *err);
void ng_layout_free(ng_layout *layout);
/** Column in a slot, or NULL. */
const ng_column *ng_layout_column(const ng_layout *layout, ng_slot slot);
/** Column by key, or NULL. */
ng_column *ng_layout_find(const ng_layout *layout, const char *key);
/** Whether a header has the columns of TrackMate's table of spots. */
bool ng_trackmate_csv_is(const ng_layout *layout);
/** Give TrackMate's columns their quantities, and units from the rows below the header. */
NG_MUST_CHECK ng_status ng_trackmate_csv_columns(ng_csv *csv, ng_layout *layout, ng_error *err);

/* ---- rows (rows.c) ------------------------------------------------------------------- */

/** One row. Sizes and positions are in the file's units until tracks.c converts them. */
typedef struct ng_row {
    long group, track, frame; /* group -1: none */
    double time_s;
    double x, y, size, size_se; /* NAN where empty */
    size_t line;                /* in its file */
    size_t serial;              /* where its further numbers are */
    unsigned source;
} ng_row;

typedef struct ng_rows {
    ng_row *item; /* owned */
    size_t n, capacity;
    double *further;  /* owned: n_further numbers a row */
    size_t n_further; /* set before the first row */
} ng_rows;

/** Particles that are in no track get numbers from here on, so that each is one of its own. */
#define NG_UNLINKED_FIRST (-((long)1 << 60))

/** Append a copy of `row`. @return NG_MEMORY */
NG_MUST_CHECK ng_status ng_rows_add(ng_rows *rows, const ng_row *row, ng_error *err);
void ng_rows_free(ng_rows *rows);

/** What one file gave. Its rows are rows->item[first .. first+n). */
typedef struct ng_table {
    const char *name; /* borrowed */
    ng_file_kind kind;
    size_t first, n;
    ng_quantity size;
    char size_column[48];
    ng_unit size_unit, position_unit, time_unit;
    bool has_frame, has_group;
    bool has_time;       /* in a unit of time */
    bool time_empty;     /* there is such a column, and nothing in it */
    double frame_s;      /* set by timing.c; NAN: a single frame */
    double origin_s;     /* time of frame 0 */
    size_t rows_read;    /* all that were there: n + invalid + unlinked + cut */
    size_t invalid;      /* dropped because of a bad value */
    size_t unlinked;     /* TrackMate, trackpy: in no track */
    size_t cut;          /* their size is that of what the border leaves of them */
    char first_bad[320]; /* what was wrong with the first dropped row */
} ng_table;

/** What the room shares about one file while it reads it. */
typedef struct ng_reader {
    const ng_tracks_read_options *options;
    ng_table *table;
    ng_rows *rows;
    ng_warnings *warnings;
    ng_error *err;  /* never NULL */
    bool particles; /* single frames are wanted: rows need a position, but no track and no size */
} ng_reader;

/** A value that is no good: keeps the message and counts the row when bad rows are to be dropped,
 *  else returns NG_INVALID. */
NG_MUST_CHECK ng_status ng_row_bad(ng_reader *reader, size_t line, const char *format, ...)
    NG_PRINTF(3, 4);
/** Read one number of a row: `label` is its column. Empty and nan give NAN. *good tells whether
 * to go on with the row. */
NG_MUST_CHECK ng_status ng_row_number(ng_reader *reader, size_t line, const char *label,
                                      const ng_field *field, double *value, bool *good);
/** Check and append a row. */
NG_MUST_CHECK ng_status ng_row_take(ng_reader *reader, const ng_row *row);
/** Read the rows of a table whose layout was checked. */
NG_MUST_CHECK ng_status ng_rows_read_csv(ng_reader *reader, ng_csv *csv, const ng_layout *layout);

/* ---- TrackMate XML (trackmate_xml.c) ------------------------------------------------- */

/** Whether a text begins like XML. */
bool ng_xml_is(const char *text, size_t length);
/** Read the tracks of a TrackMate file. @return NG_FORMAT, NG_INVALID with file and line. */
NG_MUST_CHECK ng_status ng_trackmate_xml_read(ng_reader *reader, const char *text, size_t length);

/* ---- frames and seconds (timing.c) --------------------------------------------------- */

/** Give every row of the table its frame and time; sets frame_s and origin_s of the table. */
NG_MUST_CHECK ng_status ng_table_timing(ng_table *table, ng_rows *rows, double frame_s,
                                        ng_warnings *warnings, ng_error *err);
/** Frames of an ex-situ set: the rank of each distinct time, over all files. */
NG_MUST_CHECK ng_status ng_rows_rank_times(ng_rows *rows, ng_error *err);

/* ---- order, repeats, merged particles (order.c) -------------------------------------- */

/** Order by source, group, track. */
int ng_row_compare_particle(const ng_row *a, const ng_row *b);
/** Sort the rows of `n` tables by particle, then frame; drop the second of two rows for one
 * particle and frame or fail (skip_invalid false); drop rows of merged particles that another
 * track has. */
NG_MUST_CHECK ng_status ng_rows_order(ng_table *tables, size_t n, ng_rows *rows, bool skip_invalid,
                                      ng_warnings *warnings, ng_error *err);
/** The same for particles: rows that repeat any other (frame, position, size) are dropped. */
NG_MUST_CHECK ng_status ng_rows_order_particles(ng_table *table, ng_rows *rows, bool skip_invalid,
                                                ng_warnings *warnings, ng_error *err);

/* ---- from rows to tracks (tracks.c, join.c) ------------------------------------------ */

/** One file's rows, in the file's units: the first half of reading. */
NG_MUST_CHECK ng_status ng_table_read(ng_reader *reader, const char *text, size_t length);
/** Are the calibrations that were given possible? */
NG_MUST_CHECK ng_status ng_read_options_check(const ng_tracks_read_options *options, ng_error *err);
/** "standard input" for "-" */
const char *ng_path_name(const char *path);
#define NG_MAX_TABLE_BYTES ((size_t)4 << 30)
/** One table's sizes in nm, frames and times. */
NG_MUST_CHECK ng_status ng_table_prepare(ng_table *table, ng_rows *rows,
                                         const ng_tracks_read_options *options,
                                         ng_warnings *warnings, ng_error *err);
/** Warn about rows that were left out. */
void ng_table_warn_dropped(const ng_table *table, ng_warnings *warnings);
/** The second half: `n` tables and their rows, which are sorted, into tracks. */
NG_MUST_CHECK ng_status ng_tables_join(const ng_reader *reader, ng_table *tables, size_t n,
                                       ng_tracks *out);

/* ---- what a file is (kind.c) --------------------------------------------------------- */

/** What a file that is no text seems to be: "a TIFF image", ...; NULL when unknown. Sets *image
 * for pictures and movies. */
const char *ng_binary_name(const char *text, size_t length, bool *image);

#endif
