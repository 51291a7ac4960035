/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small table of options with one of each type. */
#ifndef NUCGROW_EXAMPLE_OPTIONS_H
#define NUCGROW_EXAMPLE_OPTIONS_H

#include <math.h>
#include <nucgrow/base.h>
#include <stdlib.h>

typedef struct example_target {
    double pixel_nm, frame_s, eps_e, delta;
    long bootstrap, unset;
    const char *estimator, *material;
    bool smooth, force;
    ng_text_list dataset;
} example_target;

#define AT(field) .offset = offsetof(example_target, field)

static const ng_option example_table[] = {
    {.name = "pixel-nm",
     .type = NG_OPTION_REAL,
     AT(pixel_nm),
     .unit = "nm",
     .initial = "0.5",
     .max = 1000,
     .group = "Input",
     .doc = "Length of a pixel."},
    {.name = "frame-s",
     .type = NG_OPTION_REAL,
     AT(frame_s),
     .unit = "s",
     .group = "Input",
     .doc = "Time between frames, said in so many words that the sentence needs a second line."},
    {.name = "eps-e", .type = NG_OPTION_REAL, AT(eps_e), .group = "Model", .doc = "Energy."},
    {.name = "delta",
     .type = NG_OPTION_REAL,
     AT(delta),
     .choices = "free|smooth",
     .min = 1,
     .max = 2,
     .group = "Model",
     .doc = "Shape."},
    {.name = "bootstrap",
     .type = NG_OPTION_INT,
     AT(bootstrap),
     .initial = "50",
     .max = (double)INFINITY,
     .group = "Model",
     .doc = "Replicates."},
    {.name = "unset", .type = NG_OPTION_INT, AT(unset), .group = "Model", .doc = "Nothing."},
    {.name = "estimator",
     .type = NG_OPTION_CHOICE,
     AT(estimator),
     .initial = "rate",
     .choices = "rate|forward",
     .group = "Model",
     .doc = "Estimator."},
    {.name = "material",
     .letter = 'm',
     .type = NG_OPTION_TEXT,
     AT(material),
     .value = "NAME|FILE",
     .group = "Input",
     .doc = "Material."},
    {.name = "smooth",
     .type = NG_OPTION_BOOL,
     AT(smooth),
     .initial = "true",
     .group = "Model",
     .doc = "Smooth."},
    {.name = "force", .letter = 'f', .type = NG_OPTION_BOOL, AT(force), .doc = "Overwrite."},
    {.name = "dataset",
     .type = NG_OPTION_LIST,
     AT(dataset),
     .value = "FILE[,FILE]",
     .group = "Input",
     .doc = "Data sets."},
};

#define EXAMPLE_OPTIONS (sizeof example_table / sizeof example_table[0])

typedef struct example {
    ng_options *set;
    example_target target;
    char word[16][64];
    char *argv[16];
    int argc;
    const char *positional[16];
    size_t n_positional;
} example;

static inline example *example_create(void)
{
    example *e = calloc(1, sizeof *e);
    e->set = ng_options_create();
    if (ng_options_add(e->set, example_table, EXAMPLE_OPTIONS, &e->target, NULL) != NG_OK) {
        return NULL;
    }
    return e;
}

static inline void example_destroy(example *e)
{
    ng_options_destroy(e->set);
    free(e);
}

#endif
