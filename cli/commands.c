/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli_internal.h"

#include <string.h>

/* One row a command, in the order and under the headings of `nucgrow help`. */
#define NG_COMMAND_LIST(X)                                                                         \
    X(info)                                                                                        \
    X(reconstruct)                                                                                 \
    X(detect)                                                                                      \
    X(track)                                                                                       \
    X(radius)                                                                                      \
    X(ensemble)                                                                                    \
    X(nucleation)                                                                                  \
    X(potential)                                                                                   \
    X(fit_growth)                                                                                  \
    X(fit_coalescence)                                                                             \
    X(fit_avrami)                                                                                  \
    X(fit_diffusion)                                                                               \
    X(energy)                                                                                      \
    X(predict)                                                                                     \
    X(simulate_ensemble)                                                                           \
    X(simulate_tem)                                                                                \
    X(simulate_spots)                                                                              \
    X(simulate_sim)                                                                                \
    X(simulate_crystals)                                                                           \
    X(report)                                                                                      \
    X(run)                                                                                         \
    X(demo)                                                                                        \
    X(help)                                                                                        \
    X(version)                                                                                     \
    X(completion)

#define DECLARE(verb) extern const ng_command ng_command_##verb;
NG_COMMAND_LIST(DECLARE)

#define ROW(verb) &ng_command_##verb,
static const ng_command *const table[] = {NG_COMMAND_LIST(ROW) NULL};

const ng_command *const *ng_commands(void)
{
    return table;
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && (*a == *b || (*a == ' ' && *b == '-'))) {
        a++;
        b++;
    }
    return *a == *b;
}

const ng_command *ng_command_find(const char *name)
{
    for (size_t i = 0; table[i] != NULL; i++) {
        if (same_name(table[i]->name, name)) {
            return table[i];
        }
    }
    return NULL;
}

ng_status ng_command_unknown(const char *name, ng_error *err)
{
    const char *names[sizeof table / sizeof table[0]];
    size_t n = 0;
    for (; table[n] != NULL; n++) {
        names[n] = table[n]->name;
    }
    const char *nearest = ng_nearest_name(name, names, n);
    if (nearest == NULL) {
        return NG_FAIL(err, NG_USAGE, "'%s' is not a command; `nucgrow help` lists them", name);
    }
    return NG_FAIL(err, NG_USAGE, "'%s' is not a command; did you mean `%s`?", name, nearest);
}
