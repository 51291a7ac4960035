/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How PNG is read and written here: libpng's messages go into a text, its warnings nowhere.
 *
 * libpng leaves by a long jump. Functions that set the landing place own nothing and change no
 * variable after it; their callers own and free. */
#ifndef NUCGROW_PNG_FILE_H
#define NUCGROW_PNG_FILE_H

#include "movie_internal.h"

#include <png.h>
#include <setjmp.h>

#define NG_PNG_REASON_BYTES 128

/** Error function: keeps the text (the error pointer is char[NG_PNG_REASON_BYTES]) and jumps. */
void ng_png_fail(png_structp png, png_const_charp text);
void ng_png_ignore(png_structp png, png_const_charp text);

#endif
