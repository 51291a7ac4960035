/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUS "\xe2\x88\x92"

/* "-1234.5" to "−1,234.5" */
static void group_thousands(const char *plain, char *text, size_t size)
{
    bool negative = plain[0] == '-';
    const char *digits = plain + (negative ? 1 : 0);
    size_t whole = strcspn(digits, ".");
    size_t used = (size_t)snprintf(text, size, "%s", negative ? MINUS : "");
    for (size_t i = 0; digits[i] != '\0' && used + 2 < size; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static void power_of_ten(double value, int digits, char *text, size_t size)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[NG_REPORT_NUMBER], mantissa[NG_REPORT_NUMBER];
    snprintf(plain, sizeof plain, "%.*e", digits - 1, value);
    char *e = strchr(plain, 'e');
    long exponent = 0;
    (void)ng_parse_int(e[1] == '+' ? e + 2 : e + 1, &exponent);
    *e = '\0';
    group_thousands(plain, mantissa, sizeof mantissa);
    size_t used = (size_t)snprintf(text, size, "%.20s×10%s", mantissa, exponent < 0 ? "⁻" : "");
    char count[8];
    snprintf(count, sizeof count, "%ld", labs(exponent) % 1000);
    for (const char *c = count; *c != '\0'; c++) {
        used += (size_t)snprintf(text + used, size - used, "%s", raised[*c - '0']);
    }
}

static int magnitude(double x)
{
    return (int)floor(log10(fabs(x)));
}

/* Place of the last digit worth printing. */
static int last_place(double value, double resolution)
{
    int size = magnitude(value);
    int last = size - 2;
    if (isfinite(resolution) && resolution > 0) {
        last = magnitude(resolution) - 1;
    }
    /* Never a number without a digit, never more digits than anyone reads. */
    last = last > size ? size : last;
    return last < size - 5 ? size - 5 : last;
}

const char *ng_report_number(char text[NG_REPORT_NUMBER], double value, double resolution)
{
    if (!isfinite(value)) {
        snprintf(text, NG_REPORT_NUMBER, "–");
        return text;
    }
    if (value == 0) {
        snprintf(text, NG_REPORT_NUMBER, "0");
        return text;
    }
    int size = magnitude(value), last = last_place(value, resolution);
    if (size >= 6 || size < -3) {
        power_of_ten(value, size - last + 1, text, NG_REPORT_NUMBER);
        return text;
    }
    char plain[NG_REPORT_NUMBER];
    snprintf(plain, sizeof plain, "%.*f", last < 0 ? -last : 0, value);
    group_thousands(plain, text, NG_REPORT_NUMBER);
    return text;
}
