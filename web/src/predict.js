// A prediction: growth and spread with bands, where the spread comes from, where sizes focus, what
// other supply rates would give.

const SERIES = ["time_s", ...["number", "mean_n", "mean_radius_nm", "relative_spread",
    "supersaturation"].flatMap((key) => [key, `${key}_lower`, `${key}_upper`])];

const predictedRows = (ctx) => finite(rowsOf(ctx.prediction?.series, SERIES), "time_s");

/** Arrays of the same times in another block of the prediction. */
const beside = (ctx, block, key) => finite(rowsOf({time_s: ctx.prediction?.series?.time_s,
    value: ctx.prediction?.[block]?.[key]}, ["time_s", "value"]), "time_s", "value");

/** The question differs from the movie as it was. */
function isChanged(ctx) {
    const own = predictedRows(ctx);
    const other = beside(ctx, "unchanged", "mean_n");
    return own.length === other.length && own.some((r, i) =>
        Math.abs(r.mean_n - other[i].value) > 1e-3 * r.mean_n);
}

/** "half the supply" and the like: what was asked, for a legend. */
function questionWords(ctx) {
    const q = ctx.prediction?.question;
    if (!q) return "this prediction";
    const what = q.drive === "supersaturation" ? "supersaturation" : "supply";
    const own = q.law === "movie" ? `${what} of the movie` : `${what} as given`;
    return isNumber(q.scale) && q.scale !== 1 ? `${own} × ${show(q.scale)}` : own;
}

function linePanel({ctx, rows, key, factor = 1, others = [], label, alt, time, width, level, log}) {
    const [lower, upper] = [`${key}_lower`, `${key}_upper`];
    const own = finite(rows, key);
    const scaled = (name) => (r) => r[name] * factor;
    const values = [...own.flatMap((r) => [r[key], r[lower], r[upper]]),
        ...others.flatMap((o) => o.rows.map((r) => r.value))].map((v) => v * factor);
    const domain = extent([...values, level], log ? {log} : {include: [0]});
    return panel({
        width, height: 280, label: alt,
        x: {domain: time, label: "time (s)"},
        y: {domain, log, label},
        marks: [
            ...phaseMarks(ctx, (width - 70) / (time[1] - time[0]), false),
            Plot.areaY(finite(rows, lower, upper), {x: "time_s", y1: scaled(lower),
                y2: scaled(upper), fill: "var(--ink)", fillOpacity: 0.18, clip: true}),
            Plot.ruleY(isNumber(level) ? [level] : [], {stroke: "var(--star)", strokeWidth: 1.6,
                strokeDasharray: "2 3"}),
            Plot.line(own, {x: "time_s", y: scaled(key), stroke: "var(--ink)", strokeWidth: 2.1,
                clip: true}),
            ...others.map((o) => Plot.line(o.rows, {x: "time_s", y: (r) => r.value * factor,
                stroke: o.color, strokeWidth: 1.6, strokeDasharray: "6 3", clip: true})),
            tipAlongX(own, "time_s", scaled(key), (d) => `${seconds(d.time_s)}\n`
                + `${show(d[key] * factor)}`
                + (isNumber(d[lower]) ? `\n${show(d[lower] * factor)} to `
                    + `${show(d[upper] * factor)}` : ""))
        ]
    });
}

const predictedGrowth = {
    id: "predicted-growth",
    title: "Predicted size, spread and supersaturation",
    wide: true,
    missing: (ctx) => (finite(predictedRows(ctx), "mean_radius_nm").length > 1 ? undefined
        : "the prediction over time (`series`)"),
    caption(ctx) {
        const rows = finite(predictedRows(ctx), "mean_radius_nm", "relative_spread");
        if (rows.length < 2) return "Mean radius, relative spread and supersaturation over time.";
        const [a, b] = [rows[0], rows[rows.length - 1]];
        return `With the ${questionWords(ctx)} the mean radius goes from ${show(a.mean_radius_nm)} to `
            + `${show(b.mean_radius_nm)} nm, its relative spread from `
            + `${show(100 * a.relative_spread)} to ${show(100 * b.relative_spread)} %.`
            + (ctx.phases.length ? " Shading: what the solution lets happen." : "");
    },
    rows: (ctx) => predictedRows(ctx).map((r, i) => ({...r,
        unchanged_mean_radius_nm: number(ctx.prediction.unchanged?.mean_radius_nm?.[i]),
        unchanged_relative_spread: number(ctx.prediction.unchanged?.relative_spread?.[i]),
        unchanged_supersaturation: number(ctx.prediction.unchanged?.supersaturation?.[i]),
        equal_start_relative_spread: number(ctx.prediction.equal_start?.relative_spread?.[i])})),
    draw(ctx, width) {
        const rows = predictedRows(ctx);
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        const changed = isChanged(ctx);
        const other = (key) => (changed ? [{rows: beside(ctx, "unchanged", key),
            color: "var(--data)"}] : []);
        const equal = {rows: beside(ctx, "equal_start", "relative_spread"), color: "var(--under)"};
        const q = ctx.prediction.question;
        const s = finite(rows, "supersaturation").map((r) => r.supersaturation);
        return [
            legend([
                ["line", "var(--ink)", questionWords(ctx)],
                finite(rows, "mean_radius_nm_lower").length && ["band", "var(--ink)", "its band"],
                changed && ["dash", "var(--data)", "the movie as it was"],
                equal.rows.length && ["dash", "var(--under)", "if all began with one size"],
                (isNumber(q?.target_radius_nm) || isNumber(q?.target_spread))
                    && ["dash", "var(--star)", "target"],
                ...phaseLegend(ctx)
            ], width),
            grid(width, 300, [
                (w) => linePanel({ctx, rows, key: "mean_radius_nm", others: other("mean_radius_nm"),
                    label: "mean radius (nm)", alt: "Predicted mean radius against time", time,
                    width: w, level: number(q?.target_radius_nm)}),
                (w) => linePanel({ctx, rows, key: "relative_spread", factor: 100,
                    others: [...other("relative_spread"), ...(equal.rows.length ? [equal] : [])],
                    label: "s.d. of the radius / mean (%)",
                    alt: "Predicted relative spread against time", time, width: w,
                    level: 100 * number(q?.target_spread)}),
                s.length && ((w) => linePanel({ctx, rows, key: "supersaturation",
                    others: other("supersaturation"), label: "S = ρ₁ / ρ₁∞ (no unit)",
                    alt: "Predicted supersaturation against time", time, width: w,
                    log: d3.min(s) > 0 && d3.max(s) > 12}))
            ].filter(Boolean))
        ];
    }
};

// ---- the law alone against the movie ----------------------------------------------------------

const testRows = (ctx) => finite(rowsOf({time_s: ctx.prediction?.movie?.time_s,
    mean_n: ctx.prediction?.movie?.mean_n, var_n: ctx.prediction?.movie?.var_n,
    mean_n_predicted: ctx.prediction?.forward_test?.mean_n,
    var_n_predicted: ctx.prediction?.forward_test?.var_n},
["time_s", "mean_n", "var_n", "mean_n_predicted", "var_n_predicted"]), "time_s");

function testPanel(rows, key, label, time, width) {
    const scale = scaleOf(rows.flatMap((r) => [r[key], r[`${key}_predicted`]]));
    const scaled = (name) => (r) => r[name] * scale.factor;
    const values = rows.flatMap((r) => [r[key], r[`${key}_predicted`]]).map((v) =>
        v * scale.factor);
    return panel({
        width, height: 270, label: `${label} of the movie and by the law alone`,
        margin: {left: 58},
        x: {domain: time, label: "time (s)"},
        y: {domain: extent(values, {include: [0]}), label: `${label} (${scale.text}monomers`
            + `${key === "var_n" ? "²" : ""})`},
        marks: [
            Plot.dot(sparse(finite(rows, key), 90), {x: "time_s", y: scaled(key), r: 2.3,
                stroke: "var(--data)", strokeWidth: 1.1}),
            Plot.line(finite(rows, `${key}_predicted`), {x: "time_s",
                y: scaled(`${key}_predicted`), stroke: "var(--ink)", strokeWidth: 2})
        ]
    });
}

const forwardTest = {
    id: "forward-test",
    title: "The law alone, from the first frame of the movie",
    wide: true,
    missing: (ctx) => (finite(testRows(ctx), "mean_n_predicted").length > 1 ? undefined
        : "the test of the law (`forward_test`)"),
    caption(ctx) {
        const t = ctx.prediction.forward_test;
        return "The balance of monomers keeps the mean near the movie's; the variance is the test"
            + (isNumber(t?.variance_ratio_median) ? `: it comes out ${show(t.variance_ratio_median)} `
                + "times what was measured (median)" : "")
            + (isNumber(t?.mean_off_most) ? `, the mean off by ${show(100 * t.mean_off_most, 2)} % at `
                + "most" : "") + ".";
    },
    rows: testRows,
    draw(ctx, width) {
        const rows = testRows(ctx);
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        return [
            legend([["dot", "var(--data)", "movie, noise taken out"],
                ["line", "var(--ink)", "the law alone"]], width),
            grid(width, 330, [
                (w) => testPanel(rows, "mean_n", "mean ⟨n⟩", time, w),
                finite(rows, "var_n").length && ((w) =>
                    testPanel(rows, "var_n", "variance of n", time, w))
            ].filter(Boolean))
        ];
    }
};

// ---- size distributions -----------------------------------------------------------------------

const predictedDistributions = (ctx) => distributionSets(ctx, ctx.prediction?.distributions);

const predictedSizes = {
    id: "predicted-distributions",
    title: "Predicted size distributions",
    wide: true,
    missing: (ctx) => (predictedDistributions(ctx).length ? undefined
        : "predicted size distributions (`distributions`)"),
    caption(ctx) {
        const sets = predictedDistributions(ctx);
        return `${peakWords(ctx, sets[0], sets[sets.length - 1])}; every curve has the same area, `
            + "later ones stand further up.";
    },
    rows: (ctx) => distributionTable(ctx, predictedDistributions(ctx)),
    draw: (ctx, width) => drawDistributions(ctx, predictedDistributions(ctx), width,
        "band of the prediction")
};

// ---- where the spread comes from --------------------------------------------------------------

const TERMS = [
    {key: "counting", color: "var(--share)", text: "counting, 1/⟨n⟩"},
    {key: "start", color: "var(--data)", text: "spread at the start"},
    {key: "growth", color: "var(--hyper)", text: "growth that depends on size"},
    {key: "detachment", color: "var(--super)", text: "detachment"},
    {key: "dissolved", color: "var(--under)", text: "particles that dissolve"}
];

const termRows = (ctx, block) => finite(rowsOf(ctx.prediction?.relative_variance?.[block],
    ["time_s", "total", ...TERMS.map((t) => t.key)]), "time_s", "total");

/** Terms above zero are piled up from it, terms below zero down from it. */
function piled(rows, keys) {
    return rows.flatMap((r) => {
        let [up, down] = [0, 0];
        return keys.map((key) => {
            const v = isNumber(r[key]) ? r[key] : 0;
            const from = v >= 0 ? up : down;
            if (v >= 0) up += v;
            else down += v;
            return {time_s: r.time_s, key, y1: from, y2: from + v};
        });
    });
}

function termPanel(rows, heading, domain, time, width) {
    const keys = TERMS.map((t) => t.key).filter((key) => rows.some((r) => isNumber(r[key])));
    const pile = piled(rows, keys);
    return panel({
        width, height: 290, heading, label: `Terms of the relative variance, ${heading}`,
        margin: {top: 46},
        x: {domain: time, label: "time (s)"},
        y: {domain, label: null},
        marks: [
            Plot.text(["η² = Var/⟨n⟩² (no unit)"], {frameAnchor: "top-left", dx: -52, dy: -24,
                lineAnchor: "top"}),
            ...TERMS.filter((t) => keys.includes(t.key)).map((t) =>
                Plot.areaY(pile.filter((d) => d.key === t.key), {x: "time_s", y1: "y1", y2: "y2",
                    fill: t.color, fillOpacity: 0.55, clip: true})),
            Plot.ruleY([0], {stroke: "var(--muted)"}),
            Plot.line(rows, {x: "time_s", y: "total", stroke: "var(--ink)", strokeWidth: 2,
                clip: true})
        ]
    });
}

const spreadTerms = {
    id: "spread-terms",
    title: "Where the spread comes from",
    wide: true,
    missing: (ctx) => (termRows(ctx, "prediction").length > 1 || termRows(ctx, "movie").length > 1
        ? undefined : "the terms of the relative variance (`relative_variance`)"),
    caption(ctx) {
        const rows = termRows(ctx, "prediction");
        const last = rows[rows.length - 1];
        const parts = last ? TERMS.filter((t) => isNumber(last[t.key]))
            .sort((a, b) => Math.abs(last[b.key]) - Math.abs(last[a.key])) : [];
        return "The terms add up to the relative variance of n (line)"
            + (parts.length && last.total > 0 ? `; in the end most of it, `
                + `${show(100 * last[parts[0].key] / last.total, 2)} %, is ${parts[0].text}` : "")
            + ".";
    },
    rows: (ctx) => ["movie", "prediction"].flatMap((block) => termRows(ctx, block).map((r) => ({
        run: block, ...r}))),
    draw(ctx, width) {
        const sets = [["movie", "the movie"], ["prediction", "this prediction"]]
            .map(([block, heading]) => ({heading, rows: termRows(ctx, block)}))
            .filter((one) => one.rows.length > 1);
        const all = sets.flatMap((one) => one.rows);
        const keys = TERMS.map((t) => t.key).filter((key) => all.some((r) => isNumber(r[key])));
        const domain = extent([...all.map((r) => r.total), ...sets.flatMap((one) =>
            piled(one.rows, keys).flatMap((d) => [d.y1, d.y2]))], {include: [0]});
        return [
            legend([["line", "var(--ink)", "relative variance"],
                ...TERMS.filter((t) => all.some((r) => Math.abs(r[t.key]) > 0)).map((t) =>
                    ["swatch", t.color, t.text])], width),
            grid(width, 330, sets.map((one) => (w) => termPanel(one.rows, one.heading, domain,
                extent(one.rows.map((r) => r.time_s), {pad: 0.01}), w)))
        ];
    }
};

// ---- where sizes focus ------------------------------------------------------------------------

const LIMITS = ["grows_above", "number_focuses_below", "radius_focuses_above",
    "relative_focuses_above"];

const focusRows = (ctx) => finite(rowsOf(ctx.prediction?.focusing?.map,
    ["n", "radius_nm", ...LIMITS]), "n");

/** Size and supersaturation along the run. */
const focusPath = (ctx) => finite(predictedRows(ctx), "mean_n", "supersaturation")
    .filter((r) => r.supersaturation > 0);

/** v'(n) changes its sign at this S; at an end of the map where it never does. */
function numberEdge(ctx, row, i, [low, high]) {
    if (isNumber(row.number_focuses_below)) return clamped(row.number_focuses_below, low, high);
    const rows = list(ctx.prediction.focusing.map.slope_per_s);
    const middle = number(list(rows[Math.floor(rows.length / 2)])[i]);
    return middle < 0 ? high : low;
}

/** Above this S radii focus; null: whatever S is, they do not. */
const radiusEdge = (row, [low, high]) => (isNumber(row.radius_focuses_above)
    ? clamped(row.radius_focuses_above, low, high) : high);

const clamped = (v, low, high) => Math.min(Math.max(v, low), high);

const focusMap = {
    id: "focusing-map",
    title: "Where sizes focus",
    missing: (ctx) => (focusRows(ctx).length > 1
        && hasNumbers(ctx.prediction.focusing.map.supersaturation) ? undefined
        : "the focusing map (`focusing.map`)"),
    caption(ctx) {
        const run = finite(focusRun(ctx), "radius_slope_per_s");
        const share = run.filter((r) => r.radius_slope_per_s < 0).length / run.length;
        return "Green: larger particles gain fewer monomers a second, so n focuses (v′(n) < 0). Teal: "
            + "radii focus, which asks less, for a large particle's radius gains less from the same "
            + "v; a fast supply keeps the run there."
            + (run.length ? ` The run is there ${Math.round(100 * share)} % of the time.` : "");
    },
    rows: (ctx) => [
        ...focusRows(ctx).map((r) => ({kind: "limits", ...r})),
        ...focusPath(ctx).map((r) => ({kind: "run", time_s: r.time_s, n: r.mean_n,
            supersaturation: r.supersaturation})),
        ...list(ctx.prediction.focusing.map.supersaturation).flatMap((s, k) =>
            focusRows(ctx).map((r, i) => ({kind: "map", n: r.n, supersaturation: s,
                velocity_per_s: number(list(ctx.prediction.focusing.map.velocity_per_s)[k]?.[i]),
                slope_per_s: number(list(ctx.prediction.focusing.map.slope_per_s)[k]?.[i])})))
    ],
    draw(ctx, width) {
        const levels = list(ctx.prediction.focusing.map.supersaturation).filter((s) => s > 0);
        const domain = d3.extent(levels);
        const rows = focusRows(ctx).map((r, i) => ({...r, edge: numberEdge(ctx, r, i, domain),
            radii: radiusEdge(r, domain)}));
        const range = d3.extent(rows, (r) => r.n);
        const path = focusPath(ctx);
        const ends = path.length ? [path[0], path[path.length - 1]] : [];
        const inner = 340 - 42 - TOP_AXIS;
        return [
            legend([
                ["band", "var(--good)", "v′ < 0: n focuses"],
                ["line", "var(--super)", "v = 0: below it particles shrink"],
                ["band", "var(--data)", "radii focus"],
                path.length && ["line", "var(--ink)", "mean size of the run"]
            ], width),
            panel({
                width, height: 340, label: "Sign of v'(n) over size and supersaturation",
                margin: {top: TOP_AXIS},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, log: true, label: "S (no unit)"},
                marks: [
                    Plot.areaY(rows, {x: "n", y1: domain[0], y2: "edge", fill: "var(--good)",
                        fillOpacity: 0.24, clip: true}),
                    ...radiusAxis(ctx, range, width - 70, inner),
                    Plot.areaY(rows, {x: "n", y1: "radii", y2: domain[1], fill: "var(--data)",
                        fillOpacity: 0.16, clip: true}),
                    Plot.line(finite(rows, "grows_above"), {x: "n", y: "grows_above",
                        stroke: "var(--super)", strokeWidth: 2, clip: true}),
                    Plot.line(path, {x: "mean_n", y: "supersaturation", stroke: "var(--panel)",
                        strokeWidth: 5, strokeOpacity: 0.7, clip: true}),
                    Plot.line(path, {x: "mean_n", y: "supersaturation", stroke: "var(--ink)",
                        strokeWidth: 2, clip: true}),
                    Plot.dot(ends, {x: "mean_n", y: "supersaturation", r: 4.5,
                        fill: (d) => (d === ends[0] ? "var(--panel)" : "var(--ink)"),
                        stroke: "var(--ink)", strokeWidth: 1.8, clip: true})
                ]
            })
        ];
    }
};

const focusRun = (ctx) => finite(rowsOf(ctx.prediction?.focusing?.run,
    ["time_s", "slope_per_s", "radius_slope_per_s", "relative_slope_per_s"]), "time_s");

const FOCUS_LINES = [
    {key: "slope_per_s", color: "var(--ink)", sign: "line", dash: "none", text: "monomer number"},
    {key: "radius_slope_per_s", color: "var(--data)", sign: "dash", dash: "6 3", text: "radius"},
    {key: "relative_slope_per_s", color: "var(--under)", sign: "dash", dash: "2 3",
        text: "n over its mean"}
];

const focusOverTime = {
    id: "focusing-run",
    title: "Focusing at the mean size of the run",
    missing: (ctx) => (finite(focusRun(ctx), "slope_per_s").length > 1 ? undefined
        : "focusing along the run (`focusing.run`)"),
    caption(ctx) {
        const rows = finite(focusRun(ctx), "relative_slope_per_s");
        const share = rows.filter((r) => r.relative_slope_per_s < 0).length / rows.length;
        return "Below zero the growth of single particles draws sizes together, above zero apart"
            + (rows.length ? `; relative to the mean they are drawn together `
                + `${Math.round(100 * share)} % of the time` : "")
            + ". Chance and the width of the distribution come on top.";
    },
    rows: focusRun,
    draw(ctx, width) {
        const rows = focusRun(ctx);
        const lines = FOCUS_LINES.filter((l) => finite(rows, l.key).length);
        const values = lines.flatMap((l) => rows.map((r) => r[l.key])).filter(isNumber);
        const scale = scaleOf(values);
        const domain = extent(values.map((v) => v * scale.factor), {include: [0], pad: 0.08});
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        return [
            legend([...lines.map((l) => [l.sign, l.color, l.text]),
                ["band", "var(--good)", "focuses"]], width),
            panel({
                width, height: 340, label: "Rates at which sizes focus against time",
                margin: {left: 58},
                x: {domain: time, label: "time (s)"},
                y: {domain, label: `rate of spreading (${scale.text}1/s)`},
                marks: [
                    Plot.rectY(domain[0] < 0 ? [{y1: domain[0], y2: 0}] : [], {y1: "y1", y2: "y2",
                        fill: "var(--good)", fillOpacity: 0.14}),
                    Plot.ruleY([0], {stroke: "var(--muted)"}),
                    ...lines.map((l) => Plot.line(finite(rows, l.key), {x: "time_s",
                        y: (r) => r[l.key] * scale.factor, stroke: l.color, strokeWidth: 2,
                        strokeDasharray: l.dash}))
                ]
            })
        ];
    }
};

// ---- other supply rates -----------------------------------------------------------------------

const GRID = ["time_to_target_s", "spread_at_target", "least_spread", "end_spread",
    "end_radius_nm"].flatMap((key) => [key, `${key}_lower`, `${key}_upper`]);

const gridRows = (ctx) => finite(rowsOf(ctx.prediction?.grid, ["factor", ...GRID,
    "spread_from_equal_particles"]), "factor").filter((r) => r.factor > 0);

const factorTicks = (rows) => rows.map((r) => r.factor).filter((f, i, all) =>
    all.length < 6 || Math.abs(Math.log2(f) - Math.round(Math.log2(f))) < 1e-3);

function gridPanel({rows, key, factor = 1, label, alt, width, level, equal, log}) {
    const [lower, upper] = [`${key}_lower`, `${key}_upper`];
    const own = finite(rows, key);
    const others = equal ? finite(rows, equal) : [];
    const values = [...own.flatMap((r) => [r[key], r[lower], r[upper]]),
        ...others.map((r) => r[equal])].map((v) => v * factor);
    const spanned = extent(rows.map((r) => r.factor), {log: true, pad: 0.05});
    return panel({
        width, height: 270, label: alt,
        x: {domain: spanned, log: true, label: "supply, times that of the question",
            ticks: logTicksOf(factorTicks(rows), spanned, width - 70)},
        y: {domain: extent([...values, level], log ? {log, pad: 0.08} : {include: [0]}), log, label},
        marks: [
            Plot.ruleY(isNumber(level) ? [level] : [], {stroke: "var(--star)", strokeWidth: 1.6,
                strokeDasharray: "2 3"}),
            Plot.ruleX(finite(own, lower, upper), {x: "factor", y1: (r) => r[lower] * factor,
                y2: (r) => r[upper] * factor, stroke: "var(--data)", strokeWidth: 6,
                strokeOpacity: 0.3}),
            Plot.line(others, {x: "factor", y: (r) => r[equal] * factor, stroke: "var(--under)",
                strokeDasharray: "6 3", strokeWidth: 1.6}),
            Plot.line(own, {x: "factor", y: (r) => r[key] * factor, stroke: "var(--data)",
                strokeWidth: 1.4}),
            Plot.dot(own, {x: "factor", y: (r) => r[key] * factor, r: 4, fill: "var(--data)",
                stroke: "var(--panel)"}),
            tipAlongX(own, "factor", (r) => r[key] * factor, (d) => `× ${show(d.factor)}\n`
                + `${show(d[key] * factor)}` + (isNumber(d[lower])
                    ? `\n${show(d[lower] * factor)} to ${show(d[upper] * factor)}` : ""))
        ]
    });
}

/** Values to write along a logarithmic axis, thinned until their labels fit. */
function logTicksOf(values, [low, high], pixels) {
    const room = pixels / Math.log(high / low);
    const kept = [];
    for (const v of values) {
        if (!kept.length || Math.log(v / kept[kept.length - 1]) * room > 40) kept.push(v);
    }
    return kept;
}

const supplyGrid = {
    id: "supply-grid",
    title: "What other supply rates would give",
    wide: true,
    // Only --grid or a target make one.
    missing: (ctx) => (gridRows(ctx).some((r) => isNumber(r.least_spread)
        || isNumber(r.end_spread) || isNumber(r.spread_at_target)) ? undefined : ""),
    caption(ctx) {
        const rows = gridRows(ctx);
        const key = finite(rows, "spread_at_target").length ? "spread_at_target" : "least_spread";
        const known = finite(rows, key);
        if (known.length < 2) return "Each point is one forward run at another supply rate.";
        const best = known[d3.minIndex(known, (r) => r[key])];
        return `Each point is one forward run; the narrowest comes with ${show(best.factor)} times the `
            + `supply: a relative spread of ${show(100 * best[key])} %`
            + (key === "spread_at_target" ? " when the mean radius reaches the target." : ".");
    },
    rows: gridRows,
    draw(ctx, width) {
        const rows = gridRows(ctx);
        const q = ctx.prediction.question;
        const aimed = finite(rows, "time_to_target_s").length > 0;
        const level = 100 * number(q?.target_spread);
        const equal = finite(rows, "spread_from_equal_particles").length;
        const size = isNumber(q?.target_radius_nm) ? `${show(q.target_radius_nm)} nm` : "the target";
        const panels = [
            aimed ? {key: "time_to_target_s", label: `time to ${size} (s)`, log: true,
                alt: "Time to the target size against supply"}
                : {key: "end_radius_nm", label: "mean radius in the end (nm)",
                    alt: "Mean radius in the end against supply"},
            {key: aimed ? "spread_at_target" : "end_spread", factor: 100, level,
                equal: equal ? "spread_from_equal_particles" : null,
                label: aimed ? "relative spread there (%)" : "relative spread in the end (%)",
                alt: "Relative spread at the target or the end against supply"},
            {key: "least_spread", factor: 100, level, label: "smallest relative spread (%)",
                alt: "Smallest relative spread on the way against supply"}
        ];
        return [
            legend([
                ["point", "var(--data)", "predicted"],
                finite(rows, "least_spread_lower").length && ["band", "var(--data)", "its band"],
                equal && ["dash", "var(--under)", "if all began with one size"],
                isNumber(level) && ["dash", "var(--star)", "spread asked for"]
            ], width),
            grid(width, 300, panels.filter((one) => finite(rows, one.key).length)
                .map((one) => (w) => gridPanel({rows, width: w, ...one})))
        ];
    }
};

// ---- supply of the movie ----------------------------------------------------------------------

const supplyRows = (ctx) => finite(rowsOf(ctx.prediction?.supply, ["time_s",
    "uptake_per_particle_per_s", "uptake_per_particle_per_s_lower",
    "uptake_per_particle_per_s_upper", "supply_per_particle_per_s", "supersaturation",
    "supersaturation_lower", "supersaturation_upper", "supersaturation_of_fit"]), "time_s");

const lawRows = (ctx) => finite(rowsOf({time_s: ctx.prediction?.series?.time_s,
    value: ctx.prediction?.question?.law_value}, ["time_s", "value"]), "time_s", "value");

const supplyOfMovie = {
    id: "supply",
    title: "Supply of monomers",
    wide: true,
    missing: (ctx) => (finite(supplyRows(ctx), "supply_per_particle_per_s").length > 1 ? undefined
        : "the supply of the movie (`supply`)"),
    caption(ctx) {
        const text = ctx.prediction.supply?.statement;
        return "What the particles of the movie took up, and what must have been supplied"
            + (typeof text === "string" && text ? `: ${text}` : ".");
    },
    rows: supplyRows,
    draw(ctx, width) {
        const rows = supplyRows(ctx);
        const given = lawRows(ctx);
        const supplied = ctx.prediction.question?.drive === "supply";
        const time = extent([...rows, ...(supplied ? given : [])].map((r) => r.time_s),
            {pad: 0.01});
        const plain = {...ctx, phases: []};
        const along = (key, color) => ({color, rows: rows.map((r) => ({time_s: r.time_s,
            value: r[key]})).filter((r) => isNumber(r.value))});
        const law = {rows: given, color: "var(--super)"};
        const stored = number(ctx.prediction.supply?.dissolved_per_particle) > 0;
        const supply = stored ? [along("supply_per_particle_per_s", "var(--data)")] : [];
        const ofFit = along("supersaturation_of_fit", "var(--under)");
        const s = finite(rows, "supersaturation").map((r) => r.supersaturation);
        return [
            legend([
                ["line", "var(--ink)", s.length ? "uptake, and S from the balance" : "uptake"],
                ["band", "var(--ink)", "its band"],
                stored && ["dash", "var(--data)", "supply"],
                s.length && ofFit.rows.length && ["dash", "var(--under)", "S(t) of the fit"],
                given.length && ["dash", "var(--super)",
                    `in force in this prediction: ${questionWords(ctx)}`]
            ], width),
            grid(width, 330, [
                (w) => linePanel({ctx: plain, rows, key: "uptake_per_particle_per_s", time, width: w,
                    others: supplied && given.length ? [...supply, law] : supply,
                    label: "monomers per second and particle",
                    alt: "Uptake and supply of monomers against time"}),
                s.length && ((w) => linePanel({ctx: plain, rows, key: "supersaturation", time,
                    width: w, others: supplied || !given.length ? [ofFit] : [ofFit, law],
                    label: "S = ρ₁ / ρ₁∞ (no unit)", alt: "Supersaturation against time",
                    log: d3.min(s) > 0 && d3.max(s) > 12}))
            ].filter(Boolean))
        ];
    }
};

const predictionFigures = {
    title: "What is predicted",
    lead: "The master equation, run forward with the fitted law and nothing else; bands come from the "
        + "replicates of the fit.",
    figures: [predictedGrowth, supplyGrid, predictedSizes, spreadTerms, focusMap, focusOverTime,
        forwardTest, supplyOfMovie]
};
