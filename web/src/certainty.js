// How far the result can be trusted: parameters, what they share, what the model was not fitted to.

const PARAMETERS = ["eps_f", "eps_e", "alpha4", "K", "kr"];
const SYMBOLS = {eps_f: "ε face", eps_e: "ε edge", alpha4: "4+α", K: "K", kr: "kᵣ",
    kappa_c: "κc", nu: "ν", l: "l", gamma: "γ", sigma_c: "σc", rc: "rc", pair_density: "c",
    P0: "P₀", t_P: "t P"};

/** "kr" and, of a parameter that is searched by its logarithm, "ln kr". */
function symbolOf(ctx, name) {
    const plain = `${name}`.replace(/^ln /, "");
    const symbol = SYMBOLS[plain] ?? ctx.fit?.parameters?.[plain]?.symbol ?? plain;
    return plain === name ? symbol : `ln ${symbol}`;
}

function parameterRows(ctx) {
    const found = ctx.fit?.parameters ?? {};
    return [...PARAMETERS.filter((name) => name in found),
        ...Object.keys(found).filter((name) => !PARAMETERS.includes(name))]
        .filter((name) => isNumber(found[name]?.value)).map((name) => {
            const p = found[name];
            return {name, symbol: symbolOf(ctx, name), unit: p.unit ?? "", flag: p.flag ?? "",
                title: p.title ?? "", value: p.value, lower: number(p.lower),
                upper: number(p.upper), min: number(p.min), max: number(p.max),
                truth: number(ctx.truth?.parameters?.[name]),
                replicates: list(ctx.fit?.bootstrap?.parameters?.[name]).filter(isNumber)};
        });
}

/** Axis of one parameter: what was found with room around it, within the bounds. */
function stripDomain(p, log) {
    const [low, high] = extent([p.lower, p.upper, p.value, p.truth, ...p.replicates],
        {pad: 0.18, log});
    const domain = [isNumber(p.min) ? Math.max(low, p.min) : low,
        isNumber(p.max) ? Math.min(high, p.max) : high];
    return domain[1] > domain[0] ? domain : [low, high];
}

/** Bounds that the axis reaches. */
const wallsOf = (p, domain) => [p.min, p.max].filter((b) =>
    isNumber(b) && b >= domain[0] && b <= domain[1]);

const isLogarithmic = (p) => p.min > 0 && p.max / p.min >= 1000;

function strip(p, width) {
    const label = p.symbol + (p.unit && p.unit !== "1" ? ` (${prettyUnit(p.unit)})` : "");
    const log = isLogarithmic(p);
    const domain = stripDomain(p, log);
    const walls = wallsOf(p, domain);
    const bar = isNumber(p.lower) && isNumber(p.upper) ? [p] : [];
    const ticks = log ? logTicks(domain, width - 40, 50) : Math.max(2, Math.floor(width / 70));
    return panel({
        width, height: 74, label: `${label}: value and interval`, grid: false,
        margin: {left: 16, right: 24, top: 22, bottom: 26},
        x: {domain, log, label: null, ticks},
        y: {domain: [-1, 1], axis: null},
        marks: [
            Plot.gridX({stroke: "var(--grid)", strokeOpacity: 1, ticks}),
            Plot.text([label], {frameAnchor: "top-left", dx: -14, dy: -20, lineAnchor: "top",
                fill: "var(--ink)", fontWeight: 600}),
            Plot.text([p.flag === "ok" || !p.flag ? "" : p.flag.replace(/-/g, " ")], {
                frameAnchor: "top-right", dx: 20, dy: -20, lineAnchor: "top",
                fill: "var(--fair)"}),
            Plot.ruleX(walls, {stroke: "var(--poor)", strokeWidth: 3, strokeOpacity: 0.7}),
            Plot.ruleX(p.replicates, {y1: -0.95, y2: -0.55, stroke: "var(--muted)",
                strokeOpacity: 0.55}),
            Plot.ruleY(bar, {y: 0.1, x1: "lower", x2: "upper", stroke: "var(--data)",
                strokeWidth: 7, strokeOpacity: 0.45}),
            Plot.dot([p], {x: "value", y: 0.1, r: 5, fill: "var(--data)",
                stroke: "var(--panel)"}),
            Plot.dot(isNumber(p.truth) ? [p] : [], {x: "truth", y: 0.1, r: 6, symbol: "diamond2",
                fill: "var(--truth)", stroke: "var(--panel)"})
        ]
    });
}

const parameterIntervals = {
    id: "parameters",
    title: "Parameters and their intervals",
    wide: true,
    missing: (ctx) => (parameterRows(ctx).length ? undefined : "parameters (`parameters`)"),
    caption(ctx) {
        const rows = parameterRows(ctx);
        const poor = rows.filter((p) => p.flag === "at-bound" || p.flag === "not-identifiable");
        const said = poor.length
            ? `${poor.map((p) => p.symbol).join(", ")} cannot be pinned down by these data`
            : "Every interval closes within its bounds";
        const known = finite(rows, "truth", "lower", "upper");
        const inside = known.filter((p) => p.truth >= p.lower && p.truth <= p.upper).length;
        return said + (known.length
            ? `; the truth lies inside the interval for ${inside} of ${known.length}.` : ".");
    },
    rows: (ctx) => parameterRows(ctx).map(({replicates, title, symbol, ...p}) => p),
    draw(ctx, width) {
        const rows = parameterRows(ctx);
        const level = number(ctx.fit?.level);
        return [
            legend([
                ["point", "var(--data)", "found"],
                ["band", "var(--data)", isNumber(level) ? `${show(100 * level)} % interval`
                    : "interval"],
                rows.some((p) => p.replicates.length) && ["thin", "var(--muted)",
                    "bootstrap fits"],
                rows.some((p) => isNumber(p.truth)) && ["diamond", "var(--truth)", "truth"],
                rows.some((p) => wallsOf(p, stripDomain(p, isLogarithmic(p))).length)
                    && ["line", "var(--poor)", "bound"]
            ], width),
            grid(width, 260, rows.map((p) => (w) => strip(p, w)))
        ];
    }
};

// ---- correlation and eigenvalues --------------------------------------------------------------

function correlationCells(ctx) {
    const info = ctx.fit?.identifiability;
    const names = list(info?.names);
    return names.flatMap((a, i) => names.map((b, k) => ({first: symbolOf(ctx, a),
        second: symbolOf(ctx, b), i, k, correlation: number(list(info.correlation)[i]?.[k])})))
        .filter((d) => isNumber(d.correlation));
}

const correlation = {
    id: "correlation",
    title: "Correlation of the parameters",
    missing: (ctx) => (correlationCells(ctx).length ? undefined
        : "the correlation matrix (`identifiability`)"),
    caption(ctx) {
        const pairs = correlationCells(ctx).filter((d) => d.i < d.k);
        const most = pairs[d3.maxIndex(pairs, (d) => Math.abs(d.correlation))];
        return most ? `Strongest: ${most.first} and ${most.second} `
            + `(${show(most.correlation, 2)}); the nearer to ±1, the less the data can tell the two `
            + "apart." : "One parameter only.";
    },
    rows: (ctx) => correlationCells(ctx).map((d) => ({first: d.first, second: d.second,
        correlation: d.correlation})),
    draw(ctx, width) {
        const cells = correlationCells(ctx);
        const names = [...new Set(cells.map((d) => d.first))];
        const size = Math.min(width, 400, 70 + 80 * names.length);
        const color = (d) => (d.correlation < 0 ? "var(--super)" : "var(--hyper)");
        const svg = Plot.plot({
            width: size, height: size * 0.86 + 10, marginLeft: 54, marginTop: 30, marginRight: 8,
            marginBottom: 8, padding: 0.06, ariaLabel: "Correlation matrix",
            style: {fontFamily: FONT, fontSize: "12px", background: "none", color: "var(--muted)"},
            x: {domain: names, axis: "top", label: null, tickSize: 0},
            y: {domain: names, label: null, tickSize: 0},
            marks: [
                Plot.cell(cells, {x: "second", y: "first", fill: color, rx: 4,
                    fillOpacity: (d) => 0.06 + 0.7 * Math.abs(d.correlation)}),
                Plot.text(cells, {x: "second", y: "first", fill: "var(--ink)",
                    // two digits of nine by nine would run into each other
                    text: (d) => (names.length > 6 ? show(+d.correlation.toFixed(1))
                        : show(d.correlation, 2))})
            ]
        });
        svg.setAttribute("role", "img");
        return [
            legend([["swatch", "var(--hyper)", "rise together"],
                ["swatch", "var(--super)", "one rises as the other falls"]], width),
            svg
        ];
    }
};

function eigenRows(ctx) {
    const info = ctx.fit?.identifiability;
    const names = list(info?.names).map((name) => symbolOf(ctx, name));
    return list(info?.eigenvalues).map((value, i) => {
        const vector = list(list(info.eigenvectors)[i]).map((v, k) => ({name: names[k], v}))
            .filter((d) => isNumber(d.v)).sort((a, b) => Math.abs(b.v) - Math.abs(a.v));
        return {value: number(value), vector,
            mostly: vector.slice(0, 2).filter((d) => Math.abs(d.v) > 0.3)
                .map((d) => d.name).join(", ")};
    }).filter((d) => d.value > 0).sort((a, b) => b.value - a.value)
        .map((d, i) => ({...d, rank: i + 1}));
}

const eigenvalues = {
    id: "eigenvalues",
    title: "Stiff and sloppy directions",
    missing: (ctx) => (eigenRows(ctx).length ? undefined
        : "the eigenvalues (`identifiability.eigenvalues`)"),
    caption(ctx) {
        const rows = eigenRows(ctx);
        const ratio = rows[0].value / rows[rows.length - 1].value;
        return `Eigenvalues of the information matrix span a factor of ${show(ratio, 2)}: the data `
            + `fix the first combination of parameters ${show(Math.sqrt(ratio), 2)} times better `
            + "than the last.";
    },
    rows: (ctx) => eigenRows(ctx).map((d) => ({rank: d.rank, eigenvalue: d.value,
        ...Object.fromEntries(d.vector.map((v) => [`component ${v.name}`, v.v]))})),
    draw(ctx, width) {
        const rows = eigenRows(ctx);
        const domain = extent(rows.map((d) => d.value), {log: true, pad: 0.08});
        const named = rows.some((d) => d.mostly);
        return [panel({
            width, height: 310, label: "Eigenvalues of the information matrix",
            margin: {left: 58},
            x: {domain: [0.5, rows.length + 0.5], ticks: rows.map((d) => d.rank),
                label: "direction, from stiff to sloppy"},
            y: {domain: [domain[0], domain[1] * (named ? 1.6 : 1)], log: true,
                label: "eigenvalue (scaled parameters, no unit)"},
            marks: [
                Plot.ruleX(rows, {x: "rank", y1: () => domain[0], y2: "value",
                    stroke: "var(--data)", strokeOpacity: 0.35, strokeWidth: 2}),
                Plot.dot(rows, {x: "rank", y: "value", r: 5, fill: "var(--data)"}),
                Plot.text(rows, {x: "rank", y: "value", text: "mostly", dy: -14,
                    fill: "var(--ink)"})
            ]
        })];
    }
};

// ---- sensitivity ------------------------------------------------------------------------------

function sensitivitySets(ctx) {
    return list(ctx.fit?.sensitivity).map((one) => ({
        parameter: one?.parameter, factor: number(one?.factor),
        cost: number(one?.[sensitivityMeasure(ctx).key]),
        n_max: number(one?.n_max), mu_max_kT: number(one?.mu_max_kT),
        points: finite(rowsOf(one, ["n", "mu_kT"]), "n", "mu_kT").filter((d) => d.n >= LEAST_N)
    })).filter((one) => one.parameter && one.points.length > 2);
}

/** What the sensitivity tells of each change, and its value as fitted. An objective that holds the
 *  variance jumps where it cannot be held; only preset published reports the misfit in the same unit
 *  for the fit and its changes. */
function sensitivityMeasure(ctx) {
    const cost = ctx.fit?.cost;
    // A forward fit's objective is a likelihood; what is told of the changes is the rate's misfit.
    if (isForward(ctx)) return {key: "growth_rate", name: "misfit", base: NaN};
    if (!isNumber(cost?.variance_limit)) {
        return {key: "objective", name: "objective", base: number(cost?.objective)};
    }
    const base = ctx.fit.preset === "published" ? number(cost.growth_rate) : NaN;
    return {key: "growth_rate", name: "misfit", base};
}

/** Parameters whose change leaves mu_n as it is say nothing in a picture of mu_n. */
function bends(ctx, sets) {
    const curve = finite(potentialRows(ctx), "mu_kT");
    return sets.some((one) => one.points.some((d) =>
        Math.abs(curveAt(curve, d.n) - d.mu_kT) > 0.02));
}

const sensitivity = {
    id: "sensitivity",
    title: "If a parameter were half or double",
    wide: true,
    missing: (ctx) => (sensitivitySets(ctx).length ? undefined
        : "the sensitivity (`sensitivity`)"),
    caption(ctx) {
        const sets = sensitivitySets(ctx);
        const groups = d3.group(sets, (one) => one.parameter);
        const idle = [...groups].filter(([, own]) => !bends(ctx, own))
            .map(([name]) => symbolOf(ctx, name));
        const costs = finite(sets, "cost");
        const worst = costs[d3.maxIndex(costs, (one) => one.cost)];
        const {name, base} = sensitivityMeasure(ctx);
        return "Each panel changes one parameter and keeps the rest"
            + (idle.length ? `; changing ${idle.join(" or ")} leaves μₙ as it is` : "")
            + (worst && isNumber(base) ? `; the ${name} grows most, from ${show(base)} to `
                + `${show(worst.cost)}, with ${symbolOf(ctx, worst.parameter)} × ${worst.factor}`
                : "") + ".";
    },
    rows: (ctx) => sensitivitySets(ctx).flatMap((one) => one.points.map((d) => ({
        parameter: one.parameter, factor: one.factor, n: d.n, mu_kT: d.mu_kT,
        [sensitivityMeasure(ctx).key]: one.cost}))),
    draw(ctx, width) {
        const groups = [...d3.group(sensitivitySets(ctx), (one) => one.parameter)];
        const bending = groups.filter(([, own]) => bends(ctx, own));
        const drawn = bending.length ? bending : groups;
        const curve = potentialRows(ctx);
        const range = potentialRange(ctx, curve.length ? curve : drawn[0][1][0].points);
        const inside = (points) => points.filter((d) => d.n >= range[0] && d.n <= range[1]);
        const colors = {low: "var(--hyper)", high: "var(--super)"};
        const color = (one) => (one.factor < 1 ? colors.low : colors.high);
        const values = [...inside(curve).map((d) => d.mu_kT), ...drawn.flatMap(([, own]) =>
            own.flatMap((one) => inside(one.points).map((d) => d.mu_kT)))].filter(isNumber)
            .sort(d3.ascending);
        const domain = extent([d3.quantile(values, 0.01), d3.quantile(values, 0.99),
            ...inside(curve).map((d) => d.mu_kT)], {pad: 0.08});
        const cost = (own) => own.filter((one) => isNumber(one.cost))
            .map((one) => `${show(one.cost)} at × ${one.factor}`).join(", ");
        return [
            legend([["line", "var(--ink)", "as fitted"],
                ...[...new Set(drawn.flatMap(([, own]) => own.map((one) => one.factor)))].sort()
                    .map((factor) => ["dash", color({factor}), `parameter × ${factor}`])], width),
            grid(width, 270, drawn.map(([name, own]) => (w) => panel({
                width: w, height: 250, heading: symbolOf(ctx, name),
                label: `Potential with ${name} changed`, margin: {top: 44},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, label: null},
                marks: [
                    Plot.text(["μₙ − μ∞ (kT)"], {frameAnchor: "top-left", dx: -52, dy: -22,
                        lineAnchor: "top"}),
                    Plot.text([cost(own) && `${sensitivityMeasure(ctx).name} ${cost(own)}`], {
                        frameAnchor: "top-right", dx: 14, dy: -42, lineAnchor: "top"}),
                    Plot.line(inside(curve), {x: "n", y: "mu_kT", stroke: "var(--ink)",
                        strokeWidth: 2, clip: true}),
                    ...own.map((one) => Plot.line(inside(one.points), {x: "n", y: "mu_kT",
                        stroke: color(one), strokeWidth: 1.8, strokeDasharray: "5 3",
                        clip: true}))
                ]
            })), {most: 3, name: "tiles"})
        ];
    }
};

// ---- what was not fitted ----------------------------------------------------------------------

const MOMENT_COLUMNS = ["data", "model", "lower", "upper"];

function momentsOf(source) {
    return list(source?.order).map((order, i) => ({
        order,
        rows: finite(rowsOf({time_s: source.time_s, ...Object.fromEntries(MOMENT_COLUMNS.map(
            (key) => [key, list(source[key])[i]]))}, ["time_s", ...MOMENT_COLUMNS]), "time_s")
            .filter((r) => r.data > 0 || r.model > 0)
    })).filter((one) => one.rows.length);
}

/** The fit's moments, with bands of the ensemble where the fit gives none. */
function highMomentSets(ctx) {
    const own = ctx.growth?.moments;
    const measured = momentsOf(own && {...own, data: own.value,
        time_s: ctx.growth?.series?.time_s});
    const fitted = momentsOf(ctx.fit?.moments);
    for (const one of fitted) {
        const same = measured.find((m) => m.order === one.order);
        // A forward fit's moments are of raw sizes, the ensemble's bands of smoothed ones.
        if (same && !isForward(ctx)) borrowBands(one.rows, same.rows, ["lower", "upper"]);
    }
    return fitted.length ? fitted : measured;
}

const highMoments = {
    id: "moments",
    title: "Moments of the size, third to tenth",
    wide: true,
    missing: (ctx) => (highMomentSets(ctx).length ? undefined : "higher moments (`moments`)"),
    caption(ctx) {
        const sets = highMomentSets(ctx);
        const off = sets.map((one) => ({order: one.order, miss: d3.median(
            one.rows.filter((r) => r.data > 0 && r.model > 0),
            (r) => Math.abs(Math.log(r.model / r.data)))})).filter((d) => isNumber(d.miss));
        if (!off.length) return "Moments ⟨n^q⟩ of the data with their bootstrap band.";
        const first = off[0];
        const last = off[off.length - 1];
        const how = isForward(ctx) ? "Predicted forward from the particles' first frames, by the law "
            + "alone: it" : "A test, for these were not fitted: the model";
        return `${how} is off by `
            + `${show(100 * Math.expm1(first.miss), 2)} % for q = ${first.order} and by `
            + `${show(100 * Math.expm1(last.miss), 2)} % for q = ${last.order} (median over time).`;
    },
    rows: (ctx) => highMomentSets(ctx).flatMap((one) => one.rows.map((r) => ({
        order: one.order, ...r}))),
    draw(ctx, width) {
        const sets = highMomentSets(ctx);
        const time = extent(sets[0].rows.map((r) => r.time_s), {pad: 0.01});
        const modelled = sets.some((one) => finite(one.rows, "model").length);
        const banded = sets.some((one) => finite(one.rows, "lower", "upper").length);
        const tile = (one, w) => {
            const values = one.rows.flatMap((r) => [r.data, r.model, r.lower, r.upper]);
            const domain = extent(values, {log: true, pad: 0.05});
            const decade = Math.max(1, Math.ceil(Math.log10(domain[1] / domain[0]) / 4));
            const ticks = d3.range(Math.ceil(Math.log10(domain[0])),
                Math.log10(domain[1]) + 1e-9, decade).map((k) => 10 ** k);
            return panel({
                width: w, height: 172, heading: `⟨n${superscript(one.order)}⟩`,
                label: `Moment of order ${one.order} against time`,
                margin: {left: 46, right: 12, bottom: 40},
                x: {domain: time, label: "time (s)", ticks: Math.floor(w / 46)},
                y: {domain, log: true, label: null, ...(ticks.length > 1 ? {ticks} : {})},
                marks: [
                    Plot.areaY(one.rows.filter((r) => r.lower > 0 && r.upper > 0), {x: "time_s",
                        y1: "lower", y2: "upper", fill: "var(--data)", fillOpacity: 0.22}),
                    Plot.dot(sparse(one.rows.filter((r) => r.data > 0), 60), {x: "time_s",
                        y: "data", r: 1.9, stroke: "var(--data)", strokeWidth: 1}),
                    Plot.line(one.rows.filter((r) => r.model > 0), {x: "time_s", y: "model",
                        stroke: "var(--ink)", strokeWidth: 1.7})
                ]
            });
        };
        return [
            legend([
                ["dot", "var(--data)", "data"],
                banded && ["band", "var(--data)", "bootstrap band"],
                modelled && ["line", "var(--ink)", isForward(ctx) ? "predicted" : "model"]
            ], width),
            grid(width, 220, sets.map((one) => (w) => tile(one, w)), {most: 4, name: "tiles"})
        ];
    }
};

const costRows = (ctx) => finite(rowsOf(ctx.fit?.series, ["time_s", "growth_rate_cost"]),
    "time_s", "growth_rate_cost");

const frameCost = {
    id: "cost",
    title: (ctx) => (isForward(ctx) ? "Misfit of the sizes, frame by frame"
        : "Misfit of the growth rate, frame by frame"),
    wide: true,
    missing: (ctx) => (costRows(ctx).length ? undefined
        : "the cost of each frame (`series.growth_rate_cost`)"),
    caption(ctx) {
        const rows = costRows(ctx);
        const worst = rows[d3.maxIndex(rows, (r) => r.growth_rate_cost)];
        if (isForward(ctx)) {
            return "Mean squared misfit of the sizes of a frame over what noise and chance steps lead "
                + `to expect: 1 is as expected; the worst frame is at ${seconds(worst.time_s)}.`;
        }
        return "How far data and model lie apart in each frame, in the units in which the estimator "
            + `weighs them; the worst frame is at ${seconds(worst.time_s)}.`;
    },
    rows: costRows,
    draw(ctx, width) {
        const rows = costRows(ctx);
        const mean = d3.mean(rows, (r) => r.growth_rate_cost);
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        return [
            legend([["swatch", "var(--data)", "one frame"],
                ["dash", "var(--ink)", `mean of all frames: ${show(mean)}`]], width),
            panel({
                width, height: 210, label: "Cost of each frame against time",
                x: {domain: time, label: "time (s)"},
                y: {domain: [0, d3.max(rows, (r) => r.growth_rate_cost) * 1.2 || 1],
                    label: "cost of the frame (no unit)"},
                marks: [
                    ...phaseMarks(ctx, (width - 70) / (time[1] - time[0])),
                    Plot.ruleX(rows, {x: "time_s", y: "growth_rate_cost", stroke: "var(--data)",
                        strokeWidth: Math.max(1, Math.min(4, 0.6 * (width - 70) / rows.length)),
                        strokeOpacity: 0.75}),
                    Plot.ruleY([mean], {stroke: "var(--ink)", strokeWidth: 1.4,
                        strokeDasharray: "5 3"})
                ]
            })
        ];
    }
};

const certaintyFigures = {
    title: "How sure the result is",
    lead: "Different parameters can describe the same growth nearly as well. These figures show what "
        + "the data fix, what they leave open, and where the model misses them.",
    figures: [parameterIntervals, profileLikelihood, modelComparison, correlation, eigenvalues,
        spectrum, sensitivity, highMoments, frameCost]
};
