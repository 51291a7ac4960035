// Who grows and who shrinks: growth-rate profiles at chosen times.

const PROFILE_KEYS = ["n", "p_n", "flux_data_per_s", "flux_model_per_s", "mu_minus_ln_S"];

function profileSets(ctx) {
    return list(ctx.fit?.profiles).map((one) => ({
        time_s: number(one?.time_s), phase: one?.phase ?? "",
        points: finite(rowsOf(one, PROFILE_KEYS), "n")
    })).filter((one) => one.points.some((d) =>
        isNumber(d.flux_data_per_s) || isNumber(d.flux_model_per_s)));
}

/** The window of sizes that holds nearly all particles. */
function populated(points) {
    const most = d3.max(points, (d) => (isNumber(d.p_n) ? d.p_n : 0));
    if (!(most > 0)) return points;
    const inside = points.filter((d) => d.p_n > 0.01 * most);
    return inside.length > 4 ? inside : points;
}

const meanOf = (points) => {
    const known = finite(points, "p_n");
    const weight = (d, i) => d.p_n * ((known[i + 1] ?? d).n - (known[i - 1] ?? d).n);
    return d3.sum(known, (d, i) => weight(d, i) * d.n) / d3.sum(known, weight);
};

const spreadOf = (points, mean) => {
    const known = finite(points, "p_n");
    const weight = (d, i) => d.p_n * ((known[i + 1] ?? d).n - (known[i - 1] ?? d).n);
    return Math.sqrt(d3.sum(known, (d, i) => weight(d, i) * (d.n - mean) ** 2)
        / d3.sum(known, weight));
};

function tileHeading(ctx, one) {
    const phase = one.phase !== "" ? `Phase ${one.phase}, ` : "";
    return `${phase}${seconds(one.time_s)}`;
}

/** mu_n - ln S of the tile's own sizes: red where particles shrink, blue where they grow. */
function drivePanel(points, x, width, heading, mean, sd) {
    const shown = finite(points, "mu_minus_ln_S");
    const domain = extent(shown.map((d) => d.mu_minus_ln_S), {pad: 0.12, include: [0]});
    const side = (sign) => shown.map((d) => ({n: d.n, v: Math.sign(d.mu_minus_ln_S) === sign
        || d.mu_minus_ln_S === 0 ? d.mu_minus_ln_S : NaN}));
    const bar = isNumber(mean) ? [{mean, low: Math.max(mean - sd, x.domain[0]),
        high: Math.min(mean + sd, x.domain[1])}] : [];
    return panel({
        width, height: 132, heading, label: `${heading}: μₙ minus ln S`,
        margin: {top: 42, bottom: 8, left: 52, right: 8},
        x: {...x, label: null, axis: null}, y: {domain, label: null, ticks: 3},
        marks: [
            yName("μₙ − ln S (kT)"),
            Plot.areaY(side(1), {x: "n", y1: 0, y2: "v", fill: "var(--super)", fillOpacity: 0.3}),
            Plot.areaY(side(-1), {x: "n", y1: 0, y2: "v", fill: "var(--hyper)",
                fillOpacity: 0.25}),
            Plot.ruleY([0], {stroke: "var(--muted)"}),
            Plot.line(shown, {x: "n", y: "mu_minus_ln_S", stroke: "var(--ink)",
                strokeWidth: 1.8}),
            Plot.ruleX(bar, {x: "mean", stroke: "var(--ink)", strokeWidth: 1.2}),
            Plot.ruleX(bar.flatMap((b) => [b.low, b.high]), {stroke: "var(--ink)",
                strokeDasharray: "2 3", strokeOpacity: 0.7})
        ]
    });
}

const yName = (text) => Plot.text([text], {frameAnchor: "top-left", dx: -48, dy: -18,
    lineAnchor: "top"});

function fluxPanel(points, x, width, unit) {
    const data = finite(points, "flux_data_per_s").map((d) => ({n: d.n,
        v: d.flux_data_per_s * unit.factor}));
    const model = finite(points, "flux_model_per_s").map((d) => ({n: d.n,
        v: d.flux_model_per_s * unit.factor}));
    const domain = extent([...data, ...model].map((d) => d.v), {pad: 0.08, include: [0]});
    return panel({
        width, height: 150, label: "Growth-rate flux against number of monomers",
        margin: {top: 24, bottom: 8, left: 52, right: 8},
        x: {...x, label: null, axis: null}, y: {domain, label: null, ticks: 4},
        marks: [
            yName(`Jₙ/N (${unit.text}s⁻¹)`),
            Plot.ruleY([0], {stroke: "var(--muted)"}),
            Plot.dot(sparse(data, 60), {x: "n", y: "v", r: 2.2, strokeWidth: 1.2,
                stroke: (d) => (d.v < 0 ? "var(--super)" : "var(--hyper)")}),
            Plot.line(model, {x: "n", y: "v", stroke: "var(--ink)", strokeWidth: 1.8})
        ]
    });
}

function sharePanel(points, x, width, unit) {
    const rows = finite(points, "p_n").map((d) => ({n: d.n, v: d.p_n * unit.factor}));
    return panel({
        width, height: 118, label: "Size distribution against number of monomers",
        margin: {top: 24, bottom: 40, left: 52, right: 8},
        x, y: {domain: [0, d3.max(rows, (d) => d.v) * 1.08 || 1], label: null, ticks: 2},
        marks: [
            yName(`pₙ${unit.text ? ` (${unit.text.trim()})` : ""}`),
            Plot.areaY(rows, {x: "n", y: "v", fill: "var(--share)", fillOpacity: 0.35}),
            Plot.line(rows, {x: "n", y: "v", stroke: "var(--share)", strokeWidth: 1.4})
        ]
    });
}

function profileTile(ctx, one, width) {
    const points = populated(one.points);
    const x = {domain: d3.extent(points, (d) => d.n), label: "monomers per particle, n",
        ticks: Math.max(2, Math.floor(width / 75))};
    const mean = meanOf(points);
    const has = (key) => points.some((d) => isNumber(d[key]));
    return element("div", {class: "tile"},
        has("mu_minus_ln_S") ? drivePanel(points, x, width, tileHeading(ctx, one), mean,
            spreadOf(points, mean)) : element("h4", {textContent: tileHeading(ctx, one)}),
        fluxPanel(points, x, width, scaleOf(points.flatMap((d) =>
            [d.flux_data_per_s, d.flux_model_per_s]))),
        has("p_n") ? sharePanel(points, x, width, scaleOf(points.map((d) => d.p_n))) : "");
}

const profiles = {
    id: "growth-rates",
    title: "Which sizes grow, which shrink",
    wide: true,
    missing: (ctx) => (profileSets(ctx).length ? undefined
        : "growth-rate profiles (`profiles`)"),
    caption(ctx) {
        const sets = profileSets(ctx);
        const negative = sets.filter((one) => populated(one.points).some((d) =>
            d.mu_minus_ln_S > 0)).length;
        const what = negative ? `At ${negative} of ${sets.length} times some or all sizes lie above `
            + "ln S (red) and shrink; sizes below it (blue) grow"
            : `At all ${sets.length} times every size lies below ln S and grows`;
        return `${what}; circles are the measured growth rate of each size, lines the model, `
            + "vertical lines the mean size ± one standard deviation.";
    },
    rows: (ctx) => profileSets(ctx).flatMap((one) => one.points.map((d) => ({
        time_s: one.time_s, phase: one.phase, ...d}))),
    draw: (ctx, width) => [
        legend([
            ["line", "var(--ink)", "model"],
            ["dot", "var(--hyper)", "data, growing"],
            ["dot", "var(--super)", "data, shrinking"],
            ["band", "var(--hyper)", "μₙ < ln S: grows"],
            ["band", "var(--super)", "μₙ > ln S: shrinks"],
            ["band", "var(--share)", "share of particles pₙ"]
        ], width),
        grid(width, 250, profileSets(ctx).map((one) => (w) => profileTile(ctx, one, w)),
            {most: 3, name: "tiles"})
    ]
};

const rateFigures = {
    title: "Growth rate by size",
    lead: "The flux Jₙ/N is the net number of particles that pass from n to n + 1 monomers, per "
        + "second and particle: the growth rate of each size, weighted by how many have that size.",
    figures: [profiles]
};
