/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as events.csv, and as a table of particles. */
#include <nucgrow/particles.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A failure must be one of the input (exit code 3), with a sentence. */
static bool is_refused(ng_status status, const ng_error *err)
{
    return ng_status_exit_code(status) == 3 && strlen(err->message) > 10;
}

static void parse_events(const char *text, size_t length)
{
    ng_events events;
    ng_error err = {.status = NG_OK};
    ng_status status = ng_events_parse(text, length, "input", &events, &err);
    if (status != NG_OK ? !is_refused(status, &err) || events.item != NULL
                        : events.n > 0 && ng_event_kind_name(events.item[0].kind)[0] == 'u') {
        abort();
    }
    ng_events_free(&events);
}

static void parse_particles(const char *text, size_t length)
{
    ng_tracks_read_options options = ng_tracks_read_defaults();
    ng_particles particles;
    ng_warnings warnings = {0};
    ng_error err = {.status = NG_OK};
    options.pixel_nm = 0.5;
    options.skip_invalid = length % 2 == 0;
    options.max_rows = 1000;
    ng_status status =
        ng_particles_parse(text, length, "input", &options, &particles, &warnings, &err);
    bool fine = status == NG_OK ? particles.n > 0 : is_refused(status, &err);
    for (size_t i = 0; i < particles.n && fine; i++) {
        const ng_particle *p = &particles.item[i];
        fine = isfinite(p->x_nm) && isfinite(p->y_nm) && isfinite(p->time_s) &&
               !(p->radius_nm <= 0.0) && p->track >= -1;
    }
    if (!fine) {
        abort();
    }
    ng_particles_free(&particles);
    ng_warnings_free(&warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1); /* not a byte more is readable */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, bytes, size);
    char *exact = realloc(text, size > 0 ? size : 1);
    parse_events(exact, size);
    parse_particles(exact, size);
    free(exact);
    return 0;
}
