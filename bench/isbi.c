/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Measures of the ISBI Particle Tracking Challenge.
 *
 *     isbi TRUTH.csv TRACKS.csv [--pixel-nm P] [--gate-px 5]
 *
 * Both are tables of tracks as `nucgrow track` reads and writes them. Positions are those before
 * drift was taken out. Prints alpha, beta, JSC_theta, JSC and RMSE in pixels.
 */
#include "isbi_measures.h"

#include <stdio.h>
#include <string.h>

static double option(int argc, char **argv, const char *name, double otherwise)
{
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0 && !ng_parse_real(argv[i + 1], &otherwise)) {
            fprintf(stderr, "isbi: %s is no number\n", argv[i + 1]);
            exit(EXIT_FAILURE);
        }
    }
    return otherwise;
}

static isbi_tracks read_tracks(const char *path, double pixel_nm)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_particles particles = {0};
    isbi_tracks tracks = {0};
    ng_error err;
    options.pixel_nm = pixel_nm;
    options.frame_s = 1.0;
    ng_status status = ng_particles_read(path, &options, &particles, NULL, &err);
    if (status == NG_INVALID) {
        options.frame_s = (double)NAN; /* the table has times of its own */
        status = ng_particles_read(path, &options, &particles, NULL, &err);
    }
    if (status == NG_OK) {
        status = isbi_tracks_make(&particles, 1.0 / pixel_nm, &tracks, &err);
    }
    if (status != NG_OK) {
        fprintf(stderr, "isbi: %s\n", err.message);
        exit(EXIT_FAILURE);
    }
    ng_particles_free(&particles);
    return tracks;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: isbi TRUTH.csv TRACKS.csv [--pixel-nm P] [--gate-px 5]\n");
        return EXIT_FAILURE;
    }
    double pixel_nm = option(argc, argv, "--pixel-nm", 1.0);
    double gate = option(argc, argv, "--gate-px", 5.0);
    isbi_tracks truth = read_tracks(argv[1], pixel_nm), found = read_tracks(argv[2], pixel_nm);
    isbi_measures m;
    ng_error err;
    if (isbi_measure(&truth, &found, gate, &m, &err) != NG_OK) {
        fprintf(stderr, "isbi: %s\n", err.message);
        return EXIT_FAILURE;
    }
    printf("tracks     %zu true, %zu found\nalpha      %.4f\nbeta       %.4f\nJSC_theta  %.4f\n"
           "JSC        %.4f\nRMSE_px    %.4f\n",
           truth.n_tracks, found.n_tracks, m.alpha, m.beta, m.jsc_theta, m.jsc, m.rmse);
    isbi_tracks_free(&truth);
    isbi_tracks_free(&found);
    return EXIT_SUCCESS;
}
