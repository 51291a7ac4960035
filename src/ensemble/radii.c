/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Radii from intensities, and their scale from a known distribution of final sizes. */
#include <nucgrow/nucleation.h>
#include <nucgrow/radii.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <jansson.h>
#include <math.h>

#define POOR 0.3 /* relative error of I0: 10 % of a radius */
#define CRYSTALS_MIN 5
#define POINTS_MIN 8
#define MEDIAN_LOSS 1.2533 /* s.e. of a median over that of a mean, normal */

static double median(double *x, size_t n)
{
    gsl_sort(x, 1, n);
    return gsl_stats_median_from_sorted_data(x, 1, n);
}

/* ---- known sizes ---------------------------------------------------------------------------- */

ng_status ng_reference_from_particles(const ng_particles *still, ng_reference_sizes *out,
                                      ng_error *err)
{
    *out = (ng_reference_sizes){0};
    double *radius = NG_NEW(double, still->n);
    if (radius == NULL) {
        return NG_FAIL(err, NG_MEMORY, "no memory for %zu sizes", still->n);
    }
    for (size_t i = 0; i < still->n; i++) {
        if (still->item[i].radius_nm > 0) {
            radius[out->n++] = still->item[i].radius_nm;
        }
    }
    ng_status status = NG_OK;
    if (out->n < CRYSTALS_MIN) {
        status =
            NG_FAIL(err, NG_TOO_LITTLE, "the calibration holds %zu sizes; at least %d are needed",
                    out->n, CRYSTALS_MIN);
    } else {
        out->mean_nm = gsl_stats_mean(radius, 1, out->n);
        out->sd_nm = gsl_stats_sd(radius, 1, out->n);
        out->median_nm = median(radius, out->n);
    }
    ng_free(radius);
    return status;
}

/* ---- the scale ------------------------------------------------------------------------------ */

ng_calibration ng_calibration_given(double scale)
{
    const double nan = (double)NAN;
    return (ng_calibration){.scale = scale,
                            .relative_se = nan,
                            .final_intensity = nan,
                            .final_sd_nm = nan,
                            .reference = {nan, nan, nan, 0}};
}

/* Median of the last quarter of a track's intensities; NAN for tracks that are too short. */
static double final_intensity(const ng_particles *tracks, const ng_track_span *span, double *room)
{
    size_t n = 0;
    const size_t quarter = span->n / 4 > 3 ? span->n / 4 : 3;
    for (size_t i = span->n; span->n >= POINTS_MIN && i > 0 && n < quarter; i--) {
        const ng_particle *p = &tracks->item[span->first + i - 1];
        if (isfinite(p->intensity) && (p->flag & NG_FLAG_SATURATED) == 0) {
            room[n++] = p->intensity;
        }
    }
    return n >= 3 ? median(room, n) : (double)NAN;
}

static ng_status final_intensities(const ng_particles *tracks, double **out, size_t *n,
                                   ng_error *err)
{
    ng_track_span *span = NULL;
    size_t n_spans = 0;
    *n = 0;
    ng_status status = ng_track_spans(tracks, &span, &n_spans, err);
    *out = NG_NEW(double, n_spans);
    double *room = NG_NEW(double, tracks->n);
    if (status == NG_OK && (*out == NULL || room == NULL)) {
        status = NG_FAIL(err, NG_MEMORY, "no memory for %zu tracks", n_spans);
    }
    for (size_t i = 0; status == NG_OK && i < n_spans; i++) {
        const double value = final_intensity(tracks, &span[i], room);
        if (value > 0) {
            (*out)[(*n)++] = value;
        }
    }
    if (status != NG_OK) {
        ng_free(*out);
        *out = NULL;
    }
    ng_free(span);
    ng_free(room);
    return status;
}

/* Spread of the final radii, by the relation; and of ln I. */
static void spreads(const ng_emitter *e, const ng_emitter_range *range, const double *intensity,
                    size_t n, ng_calibration *out, double *sd_ln)
{
    double sum = 0, square = 0, sum_ln = 0, square_ln = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = ng_emitter_radius_nm(e, range, intensity[i] / out->scale, NULL);
        const double ln = log(intensity[i] / out->scale);
        sum_ln += ln;
        square_ln += ln * ln;
        if (isfinite(r)) {
            count++;
            sum += r;
            square += r * r;
        }
    }
    const double all = (double)n;
    *sd_ln = sqrt(fmax(square_ln - sum_ln * sum_ln / all, 0) / (all - 1));
    out->final_sd_nm =
        count > 1 ? sqrt(fmax(square - sum * sum / count, 0) / (count - 1)) : (double)NAN;
}

static void warn_of_scale(const ng_calibration *c, ng_warnings *warnings)
{
    if (c->relative_se > POOR) {
        ng_warnings_add(warnings, "calibration-poor",
                        "I0 is known to %.0f %% only: the final intensities of %zu crystals "
                        "scatter widely",
                        100 * c->relative_se, c->crystals);
    }
}

static void compare_spreads(const ng_calibration *c, ng_warnings *warnings)
{
    const ng_reference_sizes *r = &c->reference;
    const double ratio = c->final_sd_nm / r->sd_nm;
    /* s.e. of the logarithm of a ratio of standard deviations */
    const double few = r->n > 1 ? (double)r->n - 1 : (double)c->crystals - 1;
    const double se = sqrt(0.5 / ((double)c->crystals - 1) + 0.5 / few);
    if (fabs(log(ratio)) > fmax(3 * se, 0.1)) {
        ng_warnings_add(warnings, "spread-differs",
                        "the final radii spread by %.3g nm by this relation, those of the "
                        "calibration by %.3g nm: the power of I(r) is off, or intensities scatter "
                        "for other reasons than size",
                        c->final_sd_nm, r->sd_nm);
    }
}

/* Why there are too few final intensities. */
static ng_status fail_few(const ng_particles *tracks, size_t found, ng_error *err)
{
    size_t tracked = 0, known = 0, saturated = 0, dark = 0;
    for (size_t i = 0; i < tracks->n; i++) {
        const ng_particle *p = &tracks->item[i];
        tracked += p->track >= 0;
        known += isfinite(p->intensity) ? 1 : 0;
        dark += p->intensity <= 0;
        saturated += (p->flag & NG_FLAG_SATURATED) != 0;
    }
    if (known == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "none of the %zu points has an intensity to calibrate; is there a column "
                       "intensity with numbers?",
                       tracks->n);
    }
    if (tracked == 0) {
        return NG_FAIL(err, NG_TOO_LITTLE,
                       "the points belong to no tracks; `nucgrow track` joins them, or "
                       "--intensity-scale gives I0");
    }
    return NG_FAIL(err, NG_TOO_LITTLE,
                   "to calibrate, at least %d crystals need a final intensity (%d points or more, "
                   "positive, not saturated), and %zu have one; of %zu points, 0 or less: %zu, "
                   "saturated: %zu, without intensity: %zu (--intensity-scale gives I0 without)",
                   CRYSTALS_MIN, POINTS_MIN, found, tracks->n, dark, saturated, tracks->n - known);
}

ng_status ng_calibrate(const ng_emitter *e, const ng_particles *tracks,
                       const ng_reference_sizes *reference, ng_calibration *out,
                       ng_warnings *warnings, ng_error *err)
{
    double *intensity = NULL, sd_ln = 0;
    size_t n = 0;
    *out = ng_calibration_given((double)NAN);
    const ng_emitter_range range = ng_emitter_find_range(e);
    if (!(reference->median_nm >= range.from_nm && reference->median_nm <= range.to_nm)) {
        return NG_FAIL(
            err, NG_INVALID,
            "the final radius %g nm lies outside %g to %g nm, where the relation of %s "
            "can be turned round; another sizing, or radius-min-nm, radius-max-nm in its "
            "YAML file, may help",
            reference->median_nm, range.from_nm, range.to_nm, e->name);
    }
    ng_status status = final_intensities(tracks, &intensity, &n, err);
    if (status == NG_OK && n < CRYSTALS_MIN) {
        status = fail_few(tracks, n, err);
    }
    if (status == NG_OK) {
        out->reference = *reference;
        out->crystals = n;
        out->final_intensity = median(intensity, n);
        out->scale = out->final_intensity / ng_emitter_brightness(e, reference->median_nm);
        spreads(e, &range, intensity, n, out, &sd_ln);
        const double mine = MEDIAN_LOSS * sd_ln / sqrt((double)n);
        const double power = ng_emitter_power(e, reference->median_nm);
        const double theirs = reference->n > 0
                                  ? MEDIAN_LOSS * power * reference->sd_nm /
                                        (reference->median_nm * sqrt((double)reference->n))
                                  : 0;
        out->relative_se = sqrt(mine * mine + theirs * theirs);
        warn_of_scale(out, warnings);
        if (isfinite(reference->sd_nm)) {
            compare_spreads(out, warnings);
        }
    }
    ng_free(intensity);
    return status;
}

/* ---- radii ---------------------------------------------------------------------------------- */

static const unsigned particle_flag[NG_N_RADIUS_FLAGS] = {
    [NG_RADIUS_NOT_POSITIVE] = NG_FLAG_NOT_POSITIVE,
    [NG_RADIUS_TOO_DIM] = NG_FLAG_BELOW_RANGE,
    [NG_RADIUS_TOO_BRIGHT] = NG_FLAG_ABOVE_RANGE,
    [NG_RADIUS_DARK] = NG_FLAG_NOT_EXCITABLE,
    [NG_RADIUS_FLAT] = NG_FLAG_FOLD};

/* What a table may hold from a conversion before this one. */
static const unsigned radius_flags = NG_FLAG_NOT_POSITIVE | NG_FLAG_BELOW_RANGE |
                                     NG_FLAG_ABOVE_RANGE | NG_FLAG_NOT_EXCITABLE | NG_FLAG_FOLD;

static void warn_of_missing(const ng_radii_counts *c, ng_warnings *warnings)
{
    size_t missing = c->saturated + c->missing;
    for (int f = NG_RADIUS_NOT_POSITIVE; f <= NG_RADIUS_TOO_BRIGHT; f++) {
        missing += c->flag[f];
    }
    if (missing > 0) {
        ng_warnings_add(warnings, "radii-missing",
                        "%zu points get no radius: intensity of 0 or less in %zu, below the range "
                        "in %zu, above it in %zu, saturated in %zu, missing in %zu",
                        missing, c->flag[NG_RADIUS_NOT_POSITIVE], c->flag[NG_RADIUS_TOO_DIM],
                        c->flag[NG_RADIUS_TOO_BRIGHT], c->saturated, c->missing);
    }
    if (c->flag[NG_RADIUS_FLAT] > 0) {
        ng_warnings_add(warnings, "fold",
                        "%zu radii lie where the intensity hardly changes with size; their errors "
                        "say so",
                        c->flag[NG_RADIUS_FLAT]);
    }
}

static void warn_of_relation(const ng_emitter *e, const ng_emitter_range *range,
                             const ng_radii_counts *c, ng_warnings *warnings)
{
    ng_warnings_add(warnings, "relation-assumed",
                    "I(r) is nucgrow's relation, not the one of the paper's supplement: r^%g, "
                    "sizing %s%s, %s",
                    e->absorption_power, ng_sizing_name(e->sizing),
                    e->sizing == NG_SIZING_VOLUME ? " (no absorption edge, no filter)" : "",
                    e->yield.n > 0 ? "yield by table" : "the same quantum yield at every size");
    if (c->flag[NG_RADIUS_DARK] > 0) {
        ng_warnings_add(warnings, "not-excitable",
                        "%zu radii are below %.3g nm, which light of %g nm cannot excite by this "
                        "sizing: the sizing or the calibration contradicts the light that was seen",
                        c->flag[NG_RADIUS_DARK], range->dark_below_nm, e->excitation_nm);
    }
    if (!range->monotone) {
        ng_warnings_add(warnings, "not-monotone",
                        "the intensity does not rise with size beyond %.3g nm; radii are looked "
                        "for below",
                        range->to_nm);
    }
}

void ng_radii_assign(const ng_emitter *e, const ng_calibration *calibration,
                     ng_particles *particles, ng_radius_flag *flag, ng_radii_counts *counts,
                     ng_warnings *warnings)
{
    const ng_emitter_range range = ng_emitter_find_range(e);
    *counts = (ng_radii_counts){0};
    for (size_t i = 0; i < particles->n; i++) {
        ng_particle *p = &particles->item[i];
        ng_radius_flag why;
        p->radius_nm = ng_emitter_radius_nm(e, &range, p->intensity / calibration->scale, &why);
        p->radius_se_nm =
            p->radius_nm * p->intensity_se / (ng_emitter_power(e, p->radius_nm) * p->intensity);
        if ((p->flag & NG_FLAG_SATURATED) != 0) {
            p->radius_nm = p->radius_se_nm = (double)NAN;
            counts->saturated++;
        } else if (!isfinite(p->intensity)) {
            counts->missing++;
        } else {
            counts->flag[why]++;
        }
        p->flag = (p->flag & ~radius_flags) | (isfinite(p->intensity) ? particle_flag[why] : 0);
        if (flag != NULL) {
            flag[i] = why;
        }
    }
    warn_of_missing(counts, warnings);
    warn_of_relation(e, &range, counts, warnings);
}

json_t *ng_radii_json(const ng_emitter *e, const ng_calibration *c, const ng_radii_counts *counts)
{
    json_t *flags = json_object();
    for (int f = 0; f < NG_N_RADIUS_FLAGS; f++) {
        json_object_set_new(flags, ng_radius_flag_name((ng_radius_flag)f),
                            json_integer((json_int_t)counts->flag[f]));
    }
    json_object_set_new(flags, "saturated", json_integer((json_int_t)counts->saturated));
    json_object_set_new(flags, "missing", json_integer((json_int_t)counts->missing));
    return json_pack("{s:o, s:{s:o,s:o,s:I,s:o,s:o, s:{s:o,s:o,s:o,s:I}}, s:o}", "relation",
                     ng_emitter_json(e), "calibration", "scale", ng_json_real(c->scale),
                     "relative_se", ng_json_real(c->relative_se), "crystals",
                     (json_int_t)c->crystals, "final_intensity", ng_json_real(c->final_intensity),
                     "final_sd_nm", ng_json_real(c->final_sd_nm), "reference", "mean_nm",
                     ng_json_real(c->reference.mean_nm), "sd_nm", ng_json_real(c->reference.sd_nm),
                     "median_nm", ng_json_real(c->reference.median_nm), "n",
                     (json_int_t)c->reference.n, "intensities", flags);
}
