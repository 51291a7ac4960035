/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data_internal.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* strtod alone will not do: it follows the locale of the calling program (a comma in half of
 * Europe), takes hexadecimal numbers, and needs 100 ns a number. Here the text is scanned once
 * into an integer and a power of ten. What is exact in a double, or certain after one rounding in
 * a long double, is computed directly; the rest goes to strtod under the C locale of this thread.
 */

#define MAX_NUMBER_LENGTH 400

typedef struct scanned {
    uint64_t digits; /* the first 19 significant digits */
    int exponent;    /* of ten */
    bool negative;
    bool exact; /* no digit was left out */
} scanned;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Take digits from *at; counts those behind the point by lowering the exponent. */
static size_t scan_digits(const char **at, const char *end, bool fraction, scanned *s)
{
    const char *p = *at;
    for (; p < end && is_digit(*p); p++) {
        if (s->digits < UINT64_C(1000000000000000000)) {
            s->digits = s->digits * 10 + (uint64_t)(*p - '0');
            s->exponent -= fraction ? 1 : 0;
        } else {
            s->exact = s->exact && *p == '0';
            s->exponent += fraction ? 0 : 1;
        }
    }
    size_t n = (size_t)(p - *at);
    *at = p;
    return n;
}

static bool scan_exponent(const char **at, const char *end, scanned *s)
{
    const char *p = *at + 1;
    bool negative = false;
    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p == '-';
        p++;
    }
    if (p == end || !is_digit(*p)) {
        return false;
    }
    int value = 0;
    for (; p < end && is_digit(*p); p++) {
        value = value < 100000 ? value * 10 + (*p - '0') : value;
    }
    s->exponent += negative ? -value : value;
    *at = p;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], the whole of it. */
static bool scan(const char *at, const char *end, scanned *s)
{
    *s = (scanned){.exact = true};
    if (at < end && (*at == '-' || *at == '+')) {
        s->negative = *at == '-';
        at++;
    }
    size_t n = scan_digits(&at, end, false, s);
    if (at < end && *at == '.') {
        at++;
        n += scan_digits(&at, end, true, s);
    }
    if (n == 0) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E') && !scan_exponent(&at, end, s)) {
        return false;
    }
    return at == end;
}

/* Both operands exact and one rounding: the result is the correctly rounded one. */
static bool convert_exact(const scanned *s, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (s->digits > (UINT64_C(1) << 53) || s->exponent < -22 || s->exponent > 22) {
        return false;
    }
    double digits = (double)s->digits;
    *value = s->exponent < 0 ? digits / power[-s->exponent] : digits * power[s->exponent];
    return true;
}

#if FLT_EVAL_METHOD == 0 && LDBL_MANT_DIG == 64
/* 64 bits hold any 19 digits and 10^27; after one rounding there, the second rounding to 53 bits
 * is right unless the 11 bits that fall off lie within one of their middle. */
static bool convert_wide(const scanned *s, double *value)
{
    static const long double power[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                        1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                        1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                        1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (s->exponent < -27 || s->exponent > 27 || s->digits == 0) {
        return false;
    }
    long double digits = (long double)s->digits;
    long double wide = s->exponent < 0 ? digits / power[-s->exponent] : digits * power[s->exponent];
    int exponent = 0;
    uint64_t bits = (uint64_t)ldexpl(frexpl(wide, &exponent), 64);
    uint64_t tail = bits & 0x7ff;
    if (tail >= 0x3ff && tail <= 0x401) {
        return false;
    }
    *value = (double)wide;
    return true;
}
#else
static bool convert_wide(const scanned *s, double *value)
{
    (void)s;
    (void)value;
    return false;
}
#endif

static bool convert_slowly(const char *text, size_t length, double *value)
{
    char copy[MAX_NUMBER_LENGTH + 1];
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    locale_t before = uselocale(plain);
    *value = strtod(copy, NULL);
    uselocale(before);
    freelocale(plain);
    return true;
}

static bool same_word(const char *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if (word[i] == '\0' || c != word[i]) {
            return false;
        }
    }
    return word[length] == '\0';
}

/* Why a text is no number. */
static ng_number classify(const char *text, size_t length)
{
    const char *word = text;
    size_t n = length;
    if (n > 0 && (*word == '-' || *word == '+')) {
        word++;
        n--;
    }
    if (same_word(word, n, "nan")) {
        return NG_NUMBER_NAN;
    }
    if (same_word(word, n, "inf") || same_word(word, n, "infinity")) {
        return NG_NUMBER_INFINITE;
    }
    const char *comma = memchr(text, ',', length);
    char copy[64];
    scanned s;
    if (comma != NULL && length < sizeof copy) {
        memcpy(copy, text, length);
        copy[comma - text] = '.';
        if (scan(copy, copy + length, &s)) {
            return NG_NUMBER_COMMA;
        }
    }
    return NG_NUMBER_BAD;
}

ng_number ng_number_parse(const char *text, size_t length, double *value)
{
    scanned s;
    *value = (double)NAN;
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        length--;
    }
    if (length == 0) {
        return NG_NUMBER_EMPTY;
    }
    if (length > MAX_NUMBER_LENGTH || !scan(text, text + length, &s)) {
        return classify(text, length);
    }
    double size = 0.0;
    if (s.exact && (convert_exact(&s, &size) || convert_wide(&s, &size))) {
        *value = s.negative ? -size : size;
        return NG_NUMBER_OK;
    }
    if (!convert_slowly(text, length, &size)) {
        return NG_NUMBER_BAD;
    }
    if (!isfinite(size)) {
        return NG_NUMBER_INFINITE;
    }
    *value = size;
    return NG_NUMBER_OK;
}

ng_plain ng_plain_begin(void)
{
    ng_plain plain = {.made = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    plain.before = plain.made != (locale_t)0 ? uselocale(plain.made) : (locale_t)0;
    return plain;
}

void ng_plain_end(ng_plain *plain)
{
    if (plain->made != (locale_t)0) {
        uselocale(plain->before);
        freelocale(plain->made);
    }
    *plain = (ng_plain){0};
}

void ng_number_format(double value, char text[32])
{
    text[0] = '\0';
    if (!isfinite(value)) {
        return;
    }
    ng_plain plain = ng_plain_begin();
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0.0;
        snprintf(text, 32, "%.*g", digits, value);
        ng_number_parse(text, strlen(text), &back);
        if (back == value) {
            break;
        }
    }
    ng_plain_end(&plain);
}

void ng_number_print(FILE *stream, double value, int digits)
{
    if (isfinite(value)) {
        fprintf(stream, ",%.*g", digits, value == 0.0 ? 0.0 : value); /* no "-0" */
    } else {
        fputc(',', stream);
    }
}
