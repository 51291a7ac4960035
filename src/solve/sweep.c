/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one loop that takes the time, for one set and for several side by side. */
#include "solve_internal.h"

ng_sweep_function ng_sweep_1, ng_sweep_4;

#define SWEEP_LANES 1
#define SWEEP_NAME(name) name##_1
#define SWEEP_CLONES
#include "sweep_lanes.h"

#define SWEEP_LANES 4
#define SWEEP_NAME(name) name##_4
#define SWEEP_CLONES NG_VECTOR_CLONES
#include "sweep_lanes.h"

ng_sweep_function *ng_sweep_for(size_t lanes)
{
    return lanes == 1 ? ng_sweep_1 : ng_sweep_4;
}
