/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "assign.h"

#include <math.h>

typedef struct ng_assign_column {
    double price;    /* dual variable, never positive */
    double distance; /* from the row that is being added */
    size_t owner;    /* row, or NG_NONE */
    size_t from;     /* row before it on the shortest path */
    size_t seen;     /* search that reached it, and */
    size_t closed;   /* search that knows its distance for good */
} column;

typedef struct ng_assign_entry {
    double distance;
    size_t column;
} entry;

/* One problem while it is solved. */
typedef struct solver {
    const ng_assignment *problem;
    ng_assign_work *work;
    size_t *taken;
    size_t n_heap, n_scanned;
    size_t search; /* number of the search, from 1 */
    double best;   /* cheapest way to leave a row of the tree alone */
    size_t best_row;
    ng_error *err;
} solver;

/* ---- scratch --------------------------------------------------------------------------- */

static bool reserve(void **list, size_t *capacity, size_t n, size_t size)
{
    if (n <= *capacity) {
        return true;
    }
    size_t more = n + n / 2 + 16;
    void *larger = ng_realloc(*list, more, size);
    if (larger != NULL) {
        *list = larger;
        *capacity = more;
    }
    return larger != NULL;
}

static bool reserve_columns(ng_assign_work *w, size_t n)
{
    size_t capacity = w->n_columns;
    void *list = w->column, *scanned = w->scanned;
    bool good = reserve(&list, &capacity, n, sizeof *w->column);
    w->column = list;
    capacity = w->n_columns;
    good = good && reserve(&scanned, &capacity, n, sizeof *w->scanned);
    w->scanned = scanned;
    w->n_columns = good ? capacity : w->n_columns;
    return good;
}

static bool reserve_rows(ng_assign_work *w, size_t n)
{
    void *list = w->row_cost;
    bool good = reserve(&list, &w->n_rows, n, sizeof *w->row_cost);
    w->row_cost = list;
    return good;
}

static bool reserve_heap(ng_assign_work *w, size_t n)
{
    void *list = w->heap;
    bool good = reserve(&list, &w->n_heap, n, sizeof *w->heap);
    w->heap = list;
    return good;
}

void ng_assign_work_free(ng_assign_work *work)
{
    ng_free(work->column);
    ng_free(work->row_cost);
    ng_free(work->heap);
    ng_free(work->scanned);
    *work = (ng_assign_work){0};
}

/* ---- heap ------------------------------------------------------------------------------ */

static bool before(entry a, entry b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.column < b.column);
}

static ng_status push(solver *s, entry e)
{
    if (!reserve_heap(s->work, s->n_heap + 1)) {
        return NG_FAIL(s->err, NG_MEMORY, "no memory to assign %zu rows", s->problem->n_rows);
    }
    entry *heap = s->work->heap;
    size_t i = s->n_heap++;
    while (i > 0 && before(e, heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = e;
    return NG_OK;
}

static entry pop(solver *s)
{
    entry *heap = s->work->heap;
    entry top = heap[0];
    entry last = heap[--s->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->n_heap) {
            break;
        }
        child += child + 1 < s->n_heap && before(heap[child + 1], heap[child]);
        if (!before(heap[child], last)) {
            break;
        }
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return top;
}

/* ---- search ---------------------------------------------------------------------------- */

/* The columns of a row that lies `base` away; its own column, if any, has zero reduced cost. */
static ng_status relax(solver *s, size_t row, double base)
{
    const ng_assignment *p = s->problem;
    column *columns = s->work->column;
    if (base + p->none[row] < s->best) {
        s->best = base + p->none[row];
        s->best_row = row;
    }
    for (size_t k = p->first[row]; k < p->first[row + 1]; k++) {
        size_t j = p->column[k];
        column *c = &columns[j];
        double distance = base + p->cost[k] - c->price;
        bool known = c->seen == s->search && (c->closed == s->search || c->distance <= distance);
        if (known || distance >= s->best) {
            continue;
        }
        c->seen = s->search;
        c->distance = distance;
        c->from = row;
        ng_status status = push(s, (entry){distance, j});
        if (status != NG_OK) {
            return status;
        }
    }
    return NG_OK;
}

static double cost_of(const ng_assignment *p, size_t row, size_t j)
{
    size_t k = p->first[row];
    while (p->column[k] != j) {
        k++;
    }
    return p->cost[k];
}

/* Give `j` (NG_NONE: nothing) to `row`, its column to the row before it on the path, and so on. */
static void augment(solver *s, size_t start, size_t row, size_t j)
{
    for (;;) {
        size_t given_up = s->taken[row];
        s->taken[row] = j;
        if (j != NG_NONE) {
            s->work->column[j].owner = row;
            s->work->row_cost[row] = cost_of(s->problem, row, j);
        }
        if (row == start) {
            return;
        }
        j = given_up;
        row = s->work->column[j].from;
    }
}

static void update_prices(solver *s, double end)
{
    for (size_t i = 0; i < s->n_scanned; i++) {
        column *c = &s->work->column[s->work->scanned[i]];
        c->price += c->distance - end;
    }
}

static ng_status search_path(solver *s, size_t start)
{
    column *columns = s->work->column;
    s->search++;
    s->n_heap = s->n_scanned = 0;
    s->best = HUGE_VAL;
    s->best_row = start;
    ng_status status = relax(s, start, 0.0);
    while (status == NG_OK && s->n_heap > 0) {
        entry e = pop(s);
        column *c = &columns[e.column];
        if (e.distance >= s->best) {
            break;
        }
        if (c->closed == s->search) {
            continue; /* an older, longer way */
        }
        if (c->owner == NG_NONE) {
            update_prices(s, e.distance);
            augment(s, start, c->from, e.column);
            return NG_OK;
        }
        c->closed = s->search;
        s->work->scanned[s->n_scanned++] = e.column;
        status = relax(s, c->owner, e.distance - (s->work->row_cost[c->owner] - c->price));
    }
    if (status == NG_OK) {
        update_prices(s, s->best);
        augment(s, start, s->best_row, NG_NONE);
    }
    return status;
}

/* Most rows find their cheapest column free: no search then. */
static bool take_directly(solver *s, size_t row)
{
    const ng_assignment *p = s->problem;
    const column *columns = s->work->column;
    double least = p->none[row];
    size_t at = NG_NONE;
    for (size_t k = p->first[row]; k < p->first[row + 1]; k++) {
        double reduced = p->cost[k] - columns[p->column[k]].price;
        bool tie = at != NG_NONE && reduced == least && p->column[k] < p->column[at];
        if (reduced < least || tie) {
            least = reduced;
            at = k;
        }
    }
    if (at == NG_NONE) {
        return true;
    }
    if (columns[p->column[at]].owner != NG_NONE) {
        return false;
    }
    s->taken[row] = p->column[at];
    s->work->column[p->column[at]].owner = row;
    s->work->row_cost[row] = p->cost[at];
    return true;
}

ng_status ng_assign(const ng_assignment *problem, ng_assign_work *work, size_t *taken,
                    ng_error *err)
{
    solver s = {.problem = problem, .work = work, .taken = taken, .err = err};
    if (!reserve_columns(work, problem->n_columns) || !reserve_rows(work, problem->n_rows)) {
        return NG_FAIL(err, NG_MEMORY, "no memory to assign %zu rows", problem->n_rows);
    }
    for (size_t j = 0; j < problem->n_columns; j++) {
        work->column[j] = (column){.owner = NG_NONE};
    }
    ng_status status = NG_OK;
    for (size_t i = 0; i < problem->n_rows && status == NG_OK; i++) {
        taken[i] = NG_NONE;
        if (!take_directly(&s, i)) {
            status = search_path(&s, i);
        }
    }
    return status;
}
