/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fit_test.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

void fit_require(ng_status status, const ng_error *err)
{
    if (status != NG_OK) {
        fail_msg("%s: %s", ng_status_name(status), err->message);
    }
}

static ng_trajectories smoothed(ng_tracks *tracks, double sigma_s_nm, bool published)
{
    ng_trajectories t;
    ng_error err = {.message = ""};
    ng_ensemble_options o = ng_ensemble_defaults();
    o.sigma_s_nm = sigma_s_nm;
    o.published = published;
    fit_require(ng_trajectories_make(tracks, &o, &t, NULL, &err), &err);
    ng_tracks_free(tracks);
    return t;
}

ng_trajectories fit_movie(const char *material, bool published)
{
    bool gold = strcmp(material, "Au") == 0;
    const char *file[] = {gold ? "kim2025/au-monomeric.csv" : "kim2025/pt-acac2-monomeric.csv",
                          "kim2025/au-dissolution.csv"};
    char path[2][4096];
    const char *paths[] = {path[0], path[1]};
    size_t n = gold ? 2 : 1;
    for (size_t i = 0; i < n; i++) {
        snprintf(path[i], sizeof path[i], "%s", test_data(file[i]));
    }
    ng_tracks tracks;
    ng_error err = {.message = ""};
    ng_tracks_read_options o = ng_tracks_read_defaults();
    o.pixel_nm = gold ? 0.538 : 0.53;
    fit_require(ng_tracks_read(paths, n, &o, &tracks, NULL, &err), &err);
    return smoothed(&tracks, ng_material_find(material)->sigma_s_nm, published);
}

ng_trajectories fit_synthetic(uint64_t seed, long particles, long frames, bool published)
{
    ng_tracks tracks;
    ng_synth_ensemble_truth truth;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    ng_synth_ensemble_options o = ng_synth_ensemble_defaults();
    o.particles = particles;
    o.frames = frames;
    run.seed = seed;
    fit_require(ng_synth_ensemble(&o, &run, &tracks, &truth, NULL, &err), &err);
    ng_synth_ensemble_truth_free(&truth);
    return smoothed(&tracks, o.sigma_s_nm, published);
}

ng_trajectories fit_blank(size_t tracks, size_t frames, double frame_s)
{
    size_t points = tracks * frames;
    ng_trajectories t = {.n_tracks = tracks,
                         .n_points = points,
                         .n_frames = frames,
                         .frame_s = frame_s,
                         .sigma_s_nm = ng_material_find("Pt")->sigma_s_nm,
                         .noise_gain = 1.0};
    t.first = NG_NEW(size_t, tracks + 1);
    t.origin = NG_NEW(size_t, tracks);
    t.frame = NG_NEW(unsigned, points);
    t.n_raw = NG_NEW(double, points);
    t.n = NG_NEW(double, points);
    t.growth_per_s = NG_NEW(double, points);
    t.time_s = NG_NEW(double, frames);
    assert_true(t.first && t.origin && t.frame && t.n_raw && t.n && t.growth_per_s && t.time_s);
    for (size_t i = 0; i <= tracks; i++) {
        t.first[i] = i * frames;
    }
    for (size_t i = 0; i < tracks; i++) {
        t.origin[i] = i;
    }
    for (size_t k = 0; k < points; k++) {
        t.frame[k] = (unsigned)(k % frames);
    }
    for (size_t f = 0; f < frames; f++) {
        t.time_s[f] = frame_s * (double)f;
    }
    return t;
}

ng_rate_problem *fit_problem(const ng_trajectories *t, const double *weight,
                             const ng_growth_fit_options *options)
{
    ng_rate_problem *p = NULL;
    ng_error err = {.message = ""};
    fit_require(ng_rate_problem_create(t, weight, options, &p, &err), &err);
    return p;
}

size_t fit_frame_residuals(ng_rate_problem *p, size_t frame, double *scratch, double *out)
{
    const rate_data *d = &p->data;
    const rate_frame *f = &d->frame[frame];
    double total = 0.0;
    ng_rate_model_rows(p, frame, scratch);
    for (size_t i = 0; i < f->end - f->begin; i++) {
        total += scratch[i];
    }
    for (size_t i = f->window_begin; i < f->window_end; i++) {
        double psi = d->psi_flux ? d->psi[i] : 0.0;
        out[i - f->window_begin] = d->y[i] - scratch[i - f->begin] + psi * f->psi_scale * total;
    }
    return f->window_end - f->window_begin;
}

double fit_frame_cost(ng_rate_problem *p, size_t frame, double *scratch, double *out)
{
    double sum = 0.0;
    size_t n = fit_frame_residuals(p, frame, scratch, out);
    for (size_t i = 0; i < n; i++) {
        sum += out[i] * out[i];
    }
    return p->data.frame[frame].scale * sum;
}

double fit_uniform(gsl_rng *rng, double low, double high)
{
    return low + (high - low) * gsl_rng_uniform(rng);
}

/* Sizes of a simulated ensemble at times, without who is who. */
void fit_flask_draw(const fit_flask_options *how, fit_flask *out)
{
    ng_tracks tracks;
    ng_error err = {.message = ""};
    ng_run run = ng_run_defaults();
    double off[FIT_FLASK_SAMPLES];
    run.seed = how->seed;
    gsl_rng *rng = ng_random_open(how->seed, 77);
    for (size_t k = 0; k < FIT_FLASK_SAMPLES; k++) {
        off[k] = exp(gsl_ran_gaussian(rng, how->scatter));
    }
    ng_random_close(rng);
    out->o = ng_synth_ensemble_defaults();
    out->o.particles = how->particles;
    out->o.area_noise_px = 0.0;
    out->o.whole_pixels = false;
    out->o.gap_rate = 0.0;
    fit_require(ng_synth_ensemble(&out->o, &run, &tracks, &out->truth, NULL, &err), &err);
    out->table = (ng_tracks){.ex_situ = true, .frame_s = (double)NAN};
    out->table.point = NG_NEW(ng_track_point, tracks.n_points);
    assert_non_null(out->table.point);
    const size_t samples = ((size_t)out->o.frames - 1) / (size_t)how->every + 1;
    assert_true(samples <= FIT_FLASK_SAMPLES);
    for (size_t i = 0; i < tracks.n_tracks; i++) {
        const ng_track *track = &tracks.track[i];
        for (size_t k = track->first; k < track->first + track->n; k++) {
            ng_track_point point = tracks.point[k];
            const size_t sample = (size_t)(point.frame / how->every);
            if (point.frame % how->every == 0 && (!how->once || sample == i % samples)) {
                point.frame = (long)sample;
                point.radius_nm *= off[sample];
                out->table.point[out->table.n_points++] = point;
            }
        }
    }
    ng_tracks_free(&tracks);
    fit_require(ng_samples_make(&out->table, &out->samples, NULL, &err), &err);
}

void fit_flask_free(fit_flask *f)
{
    ng_samples_free(&f->samples);
    ng_tracks_free(&f->table);
    ng_synth_ensemble_truth_free(&f->truth);
}

ng_growth_fit_options fit_flask_pt(void)
{
    const ng_material *pt = ng_material_find("Pt");
    ng_growth_fit_options o = ng_growth_fit_flask(pt);
    o.sigma_lower_nm = o.sigma_upper_nm = pt->sigma_s_nm;
    o.bootstrap = 0;
    return o;
}
