/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How good pattern, frames and image are, in grades that a person can act on. */
#include "pattern_internal.h"
#include "reconstruct_internal.h"

#include <jansson.h>
#include <math.h>

/* Values this near to the largest count as neighbours of saturation. */
#define NEAR_FULL 0.98
#define LEAST_SATURATED 10

/* A camera that is full shows its largest value more often than all values just below it. */
static double saturated_share(const float *frames, size_t n)
{
    float most = frames[0];
    for (size_t i = 1; i < n; i++) {
        most = frames[i] > most ? frames[i] : most;
    }
    size_t full = 0, near = 0;
    for (size_t i = 0; i < n; i++) {
        full += frames[i] == most;
        near += frames[i] < most && (double)frames[i] > NEAR_FULL * (double)most;
    }
    return full >= LEAST_SATURATED && full > near ? (double)full / (double)n : 0;
}

static double light_variation(const ng_sim_pattern *pattern, const float *frames)
{
    const size_t n = pattern->layout.width * pattern->layout.height;
    const size_t count = ng_sim_layout_frames(&pattern->layout);
    double least = HUGE_VAL, most = -HUGE_VAL, all = 0;
    for (size_t f = 0; f < count; f++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)frames[f * n + i] - pattern->camera.offset;
        }
        least = fmin(least, sum);
        most = fmax(most, sum);
        all += sum / (double)count;
    }
    return all > 0 ? (most - least) / all : (double)NAN;
}

void ng_sim_quality_of_frames(const ng_sim_pattern *pattern, const float *frames,
                              ng_sim_quality *out)
{
    const ng_sim_layout *layout = &pattern->layout;
    *out = (ng_sim_quality){.contrast_to_noise = HUGE_VAL, .modulation = HUGE_VAL};
    for (size_t d = 0; d < layout->directions; d++) {
        out->contrast_to_noise =
            fmin(out->contrast_to_noise, pattern->direction[d].contrast_to_noise);
        out->modulation = fmin(out->modulation, pattern->direction[d].modulation);
    }
    out->illumination_variation = light_variation(pattern, frames);
    out->saturated =
        saturated_share(frames, ng_sim_layout_frames(layout) * layout->width * layout->height);
    out->cutoff_nm = ng_sim_finest_nm(pattern);
    out->widefield_nm = 1e3 / ng_sim_cutoff_per_um(&pattern->optics);
    out->frc_nm = out->resolution_nm = out->light_scale = out->light_scale_se = NAN;
}

/* ---- grades ---- */

static void add(ng_sim_quality *q, const char *name, double value, ng_sim_grade grade,
                const char *format, ...) NG_PRINTF(5, 6);

static void add(ng_sim_quality *q, const char *name, double value, ng_sim_grade grade,
                const char *format, ...)
{
    ng_sim_verdict *v = &q->verdict[q->n_verdicts++];
    *v = (ng_sim_verdict){.name = name, .value = value, .grade = grade};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(v->reason, sizeof v->reason, format, arguments);
    va_end(arguments);
}

static ng_sim_grade graded(bool green, bool amber)
{
    return green ? NG_SIM_GREEN : amber ? NG_SIM_AMBER : NG_SIM_RED;
}

void ng_sim_quality_judge(const ng_sim_pattern *pattern, double frc_nm, ng_sim_quality *q)
{
    q->n_verdicts = 0;
    q->frc_nm = frc_nm;
    q->resolution_nm = isnan(frc_nm) ? (double)NAN : fmax(frc_nm, q->cutoff_nm);
    add(q, "pattern", q->modulation, pattern->trusted ? NG_SIM_GREEN : NG_SIM_RED, "%s",
        pattern->trusted ? "all directions show their stripes" : pattern->reason);
    add(q, "contrast_to_noise", q->contrast_to_noise,
        graded(q->contrast_to_noise >= 8, q->contrast_to_noise >= 4),
        "stripes on bright places stand %.1f times above the noise of a frame (8 is good, below 4 "
        "is not enough)",
        q->contrast_to_noise);
    add(q, "modulation", q->modulation, graded(q->modulation >= 0.4, q->modulation >= 0.2),
        "the weakest stripes have a modulation of %.2f", q->modulation);
    add(q, "illumination_variation", q->illumination_variation,
        graded(q->illumination_variation <= 0.4, q->illumination_variation <= 0.7),
        "the light differs by %.0f %% between frames (up to 40 %% is good)",
        100 * q->illumination_variation);
    add(q, "saturated", q->saturated, graded(q->saturated == 0, q->saturated < 1e-3),
        q->saturated == 0 ? "no pixel is at the end of the camera's range"
                          : "%.3f %% of the pixels are at the end of the camera's range: their "
                            "light is not known",
        100 * q->saturated);
    if (!isnan(q->light_scale)) {
        const double off = fabs(q->light_scale - 1), sure = 3 * q->light_scale_se;
        add(q, "light", q->light_scale, graded(off <= fmax(0.05, sure), off <= fmax(0.15, sure)),
            "over wide places the frames hold %.3f +- %.3f times the light that the image "
            "foretells",
            q->light_scale, q->light_scale_se);
    }
    if (!isnan(frc_nm)) {
        add(q, "resolution", q->resolution_nm,
            graded(q->resolution_nm <= 1.25 * q->cutoff_nm, q->resolution_nm < q->widefield_nm),
            "two independent images agree down to %.0f nm; optics and stripes allow %.0f nm",
            q->resolution_nm, q->cutoff_nm);
    }
}

static const char *grade_name(ng_sim_grade grade)
{
    return grade == NG_SIM_GREEN ? "green" : grade == NG_SIM_AMBER ? "amber" : "red";
}

ng_sim_grade ng_sim_quality_grade(const ng_sim_quality *q)
{
    ng_sim_grade worst = NG_SIM_GREEN;
    for (size_t i = 0; i < q->n_verdicts; i++) {
        worst = q->verdict[i].grade > worst ? q->verdict[i].grade : worst;
    }
    return worst;
}

json_t *ng_sim_quality_json(const ng_sim_quality *q)
{
    json_t *verdicts = json_array();
    for (size_t i = 0; verdicts != NULL && i < q->n_verdicts; i++) {
        const ng_sim_verdict *v = &q->verdict[i];
        json_array_append_new(verdicts, json_pack("{s:s, s:o, s:s, s:s}", "name", v->name, "value",
                                                  ng_json_real(v->value), "grade",
                                                  grade_name(v->grade), "reason", v->reason));
    }
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "grade",
        grade_name(ng_sim_quality_grade(q)), "contrast_to_noise",
        ng_json_real(q->contrast_to_noise), "modulation", ng_json_real(q->modulation),
        "illumination_variation", ng_json_real(q->illumination_variation), "saturated_share",
        ng_json_real(q->saturated), "cutoff_nm", ng_json_real(q->cutoff_nm), "widefield_cutoff_nm",
        ng_json_real(q->widefield_nm), "frc_nm", ng_json_real(q->frc_nm), "light_scale",
        ng_json_real(q->light_scale), "light_scale_se", ng_json_real(q->light_scale_se),
        "resolution_nm", ng_json_real(q->resolution_nm), "verdicts", verdicts);
}
