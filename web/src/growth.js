// How the ensemble grew: trajectories, mean and variance, size distributions.

/** Longer gaps than this many frames break a trajectory's line. */
const GAP_FRAMES = 6;

function trajectoryRows(growth) {
    const frame_s = number(growth?.tracks?.frame_s);
    return list(growth?.tracks?.track).flatMap((track, i) => {
        const rows = finite(rowsOf(track, ["time_s", "radius_nm"]), "time_s", "radius_nm")
            .map((row) => ({track: track.id ?? i, line: i, ...row}));
        const out = [];
        for (const row of rows) {
            const last = out[out.length - 1];
            if (last && row.time_s - last.time_s > GAP_FRAMES * frame_s) {
                out.push({...row, radius_nm: NaN});
            }
            out.push(row);
        }
        return out;
    });
}

/** Lines must stay readable when they are many: thinner, paler. */
function lineStyle(count) {
    if (count > 300) return {strokeWidth: 0.6, strokeOpacity: Math.max(0.07, 45 / count)};
    if (count > 60) return {strokeWidth: 0.8, strokeOpacity: 0.32};
    return {strokeWidth: 1, strokeOpacity: 0.5};
}

const trackCount = (ctx) => list(ctx.growth?.tracks?.track).length;
const isFlask = (ctx) => ctx.growth?.tracks?.ex_situ === true;

function trackWords(ctx) {
    const drawn = d3.sum(list(ctx.growth?.series?.particles).filter(isNumber));
    return isFlask(ctx) ? `Each dot is a particle of a sample drawn from the flask, `
        + `${plural(drawn, "particle")} in ${plural(list(ctx.growth?.series?.time_s).length,
            "sample")}` : `Each thin line is one of ${plural(trackCount(ctx), "particle")}`;
}

function meanRadiusRows(ctx) {
    return finite(rowsOf(ctx.growth?.series,
        ["time_s", "mean_radius_nm", "sd_radius_nm", "particles"]), "time_s", "mean_radius_nm");
}

const trajectories = {
    id: "trajectories",
    title: (ctx) => (isFlask(ctx) ? "What was drawn" : "Growth trajectories"),
    wide: true,
    missing: (ctx) => (trajectoryRows(ctx.growth).some((r) => isNumber(r.radius_nm)) ? undefined
        : "the trajectories (`tracks`)"),
    caption(ctx) {
        const mean = meanRadiusRows(ctx);
        const lines = trackWords(ctx);
        if (mean.length < 2) return `${lines}.`;
        const [a, b] = [mean[0], mean[mean.length - 1]];
        const way = b.mean_radius_nm >= a.mean_radius_nm ? "grows" : "shrinks";
        return `${lines}; their mean radius ${way} from ${show(a.mean_radius_nm)} to `
            + `${show(b.mean_radius_nm)} nm in ${seconds(b.time_s - a.time_s)}.${phaseWords(ctx)}`;
    },
    rows: (ctx) => [
        ...trajectoryRows(ctx.growth).filter((r) => isNumber(r.radius_nm))
            .map(({track, time_s, radius_nm}) => ({kind: "track", track, time_s, radius_nm})),
        ...meanRadiusRows(ctx).map((r) => ({kind: "mean", time_s: r.time_s,
            radius_nm: r.mean_radius_nm, sd_radius_nm: r.sd_radius_nm, particles: r.particles}))
    ],
    draw(ctx, width) {
        const rows = trajectoryRows(ctx.growth);
        const mean = meanRadiusRows(ctx);
        const style = lineStyle(trackCount(ctx));
        const spread = finite(mean, "sd_radius_nm");
        const counted = finite(mean, "particles");
        const time = extent(rows.map((r) => r.time_s), {pad: 0});
        const perSecond = (width - 70) / (time[1] - time[0]);
        return [
            legend([
                [isFlask(ctx) ? "point" : "thin", "var(--data)", "one particle"],
                mean.length && ["line", "var(--ink)", "mean"],
                spread.length && ["band", "var(--ink)", "± one standard deviation"],
                ...phaseLegend(ctx)
            ], width),
            panel({
                width, height: Math.max(300, Math.min(430, width * 0.48)),
                label: "Radius of every particle against time",
                x: {domain: time, label: counted.length ? null : "time (s)"},
                y: {domain: extent(rows.map((r) => r.radius_nm)), label: "radius (nm)"},
                marks: [
                    ...phaseMarks(ctx, perSecond),
                    Plot.areaY(spread, {x: "time_s", y1: (d) => d.mean_radius_nm - d.sd_radius_nm,
                        y2: (d) => d.mean_radius_nm + d.sd_radius_nm, fill: "var(--ink)",
                        fillOpacity: 0.14}),
                    isFlask(ctx) ? Plot.dot(sparse(rows, 8000), {x: "time_s", y: "radius_nm",
                        r: 1.5, fill: "var(--data)", fillOpacity: 0.12, clip: true})
                        : Plot.line(rows, {x: "time_s", y: "radius_nm", z: "line",
                            stroke: "var(--data)", strokeLinejoin: "round", ...style}),
                    Plot.line(mean, {x: "time_s", y: "mean_radius_nm", stroke: "var(--panel)",
                        strokeWidth: 5, strokeOpacity: 0.8}),
                    Plot.line(mean, {x: "time_s", y: "mean_radius_nm", stroke: "var(--ink)",
                        strokeWidth: 2.4}),
                    tipAlongX(mean, "time_s", "mean_radius_nm", (d) =>
                        `${seconds(d.time_s)}\nmean ${show(d.mean_radius_nm)} nm`
                        + (isNumber(d.sd_radius_nm) ? `\ns.d. ${show(d.sd_radius_nm)} nm` : "")
                        + (isNumber(d.particles) ? `\n${plural(d.particles, "particle")}` : ""))
                ]
            }),
            counted.length ? panel({
                width, height: 112, label: "Number of particles seen against time",
                x: {domain: time, label: "time (s)"},
                y: {domain: [0, d3.max(counted, (d) => d.particles) * 1.08],
                    label: "particles seen", ticks: 3},
                marks: [
                    ...phaseMarks(ctx, perSecond, false),
                    Plot.areaY(counted, {x: "time_s", y: "particles", fill: "var(--share)",
                        fillOpacity: 0.35, curve: "step"}),
                    Plot.line(counted, {x: "time_s", y: "particles", stroke: "var(--share)",
                        curve: "step"})
                ]
            }) : null
        ];
    }
};

// ---- mean and variance ------------------------------------------------------------------------

const MOMENT_KEYS = ["time_s", "mean_n", "mean_n_lower", "mean_n_upper", "mean_n_model", "var_n",
    "var_n_lower", "var_n_upper", "var_n_model"];

/** Fill bands that `rows` lack from rows of the same times in `from`. */
function borrowBands(rows, from, keys) {
    const missing = keys.filter((key) => !rows.some((r) => isNumber(r[key])));
    const near = d3.bisector((r) => r.time_s).center;
    for (const row of rows) {
        const other = from[near(from, row.time_s)];
        if (!other || Math.abs(other.time_s - row.time_s) > 1e-6) continue;
        for (const key of missing) row[key] = other[key];
    }
}

/** The fit's series where it has one, with bands of the ensemble where the fit gives none. */
function momentRows(ctx) {
    const fit = rowsOf(ctx.fit?.series, MOMENT_KEYS);
    const own = rowsOf(ctx.growth?.series, MOMENT_KEYS);
    const rows = fit.some((r) => isNumber(r.mean_n)) ? fit : own;
    borrowBands(rows, own, ["mean_n_lower", "mean_n_upper", "var_n_lower", "var_n_upper"]);
    const truth = finite(rowsOf(ctx.truth?.series, ["time_s", "mean_n", "var_n"]), "time_s");
    return {rows: finite(rows, "time_s"), truth, modelled: rows === fit};
}

function momentPanel(ctx, {rows, truth}, key, label, time, width) {
    const [lower, upper, model] = [`${key}_lower`, `${key}_upper`, `${key}_model`];
    const data = finite(rows, key);
    const scale = scaleOf(data.flatMap((r) => [r[key], r[upper]]));
    const scaled = (name) => (r) => r[name] * scale.factor;
    const values = data.flatMap((r) => [r[key], r[lower], r[upper], r[model]])
        .map((v) => v * scale.factor);
    const unit = key === "mean_n" ? "monomers" : "monomers²";
    return panel({
        width, height: Math.max(250, Math.min(320, width * 0.66)), label: `${label} against time`,
        x: {domain: time, label: "time (s)"},
        y: {domain: extent(values, {include: [0]}), label: `${label} (${scale.text}${unit})`},
        margin: {left: 58},
        marks: [
            ...phaseMarks(ctx, (width - 80) / (time[1] - time[0])),
            Plot.areaY(finite(rows, lower, upper), {x: "time_s", y1: scaled(lower), y2: scaled(upper),
                fill: "var(--data)", fillOpacity: 0.22}),
            Plot.dot(data, {x: "time_s", y: scaled(key), r: 2.4, stroke: "var(--data)",
                strokeWidth: 1.1}),
            Plot.line(finite(truth, key), {x: "time_s", y: scaled(key), stroke: "var(--truth)",
                strokeWidth: 1.6, strokeDasharray: "5 3", clip: true}),
            Plot.line(finite(rows, model), {x: "time_s", y: scaled(model), stroke: "var(--ink)",
                strokeWidth: 2}),
            tipAlongX(data, "time_s", scaled(key), (d) => `${seconds(d.time_s)}\ndata ${show(d[key])}`
                + (isNumber(d[lower]) ? `\nband ${show(d[lower])} to ${show(d[upper])}` : "")
                + (isNumber(d[model]) ? `\nmodel ${show(d[model])}` : ""))
        ]
    });
}

const meanAndVariance = {
    id: "mean-variance",
    title: "Mean and variance of the size",
    wide: true,
    missing(ctx) {
        return momentRows(ctx).rows.some((r) => isNumber(r.mean_n))
            ? undefined : "mean and variance over time (`series`)";
    },
    caption(ctx) {
        if (isForward(ctx)) return forwardWords(ctx) + phaseWords(ctx);
        const {rows, modelled} = momentRows(ctx);
        const means = finite(rows, "mean_n");
        const [a, b] = [means[0], means[means.length - 1]];
        const what = `The mean goes from ${count(a.mean_n)} to ${count(b.mean_n)} monomers per `
            + `particle${modelled ? "; the model's mean follows the data by algebra and is "
            + "not a test of it, its variance can fail" : ""}.`;
        return what + phaseWords(ctx);
    },
    rows: (ctx) => (isForward(ctx) ? forwardRows(ctx) : momentRows(ctx).rows),
    draw(ctx, width) {
        if (isForward(ctx)) return drawPrediction(ctx, width);
        const data = momentRows(ctx);
        const time = extent(data.rows.map((r) => r.time_s), {pad: 0.01});
        const banded = finite(data.rows, "mean_n_lower", "mean_n_upper").length;
        const variance = finite(data.rows, "var_n").length > 0;
        return [
            legend([
                ["dot", "var(--data)", "data"],
                banded && ["band", "var(--data)", "bootstrap band of the data"],
                finite(data.rows, "var_n_model").length && ["line", "var(--ink)", "model"],
                data.truth.length && ["dash", "var(--truth)", "truth"],
                ...phaseLegend(ctx)
            ], width),
            grid(width, 330, [
                (w) => momentPanel(ctx, data, "mean_n", "mean ⟨n⟩", time, w),
                variance && ((w) => momentPanel(ctx, data, "var_n", "variance of n", time, w))
            ].filter(Boolean))
        ];
    }
};

// ---- size distributions -----------------------------------------------------------------------

/** Distributions over the radius when the monomer's volume is known, else over n. */
function distributionSets(ctx, distributions) {
    const keys = ["n", "p_n", "p_n_lower", "p_n_upper"];
    return list(distributions).map((one) => {
        const rows = finite(rowsOf(one, keys), "n", "p_n").filter((r) => r.n > 0);
        const points = rows.map((r) => {
            const size = isNumber(ctx.sigma) ? ctx.radius(r.n) : r.n;
            const per = isNumber(ctx.sigma) ? 3 * r.n / size : 1;
            return {...r, size, p: r.p_n * per, lower: r.p_n_lower * per,
                upper: r.p_n_upper * per};
        });
        return {time_s: number(one?.time_s), particles: number(one?.particles), points};
    }).filter((one) => one.points.length > 2);
}

/** The part of a curve and its band that is not flat zero. */
function trimmed(points) {
    const least = d3.max(points, (d) => d.p) * 0.002;
    const high = (d) => (isNumber(d.upper) ? d.upper : 0);
    const wide = d3.max(points, high) * 0.03;
    const counts = (d) => d.p > least || high(d) > wide;
    const first = points.findIndex(counts);
    const last = points.length - [...points].reverse().findIndex(counts);
    return points.slice(Math.max(0, first - 1), last + 1);
}

/** Size distributions one above the other, the first at the bottom. */
function drawDistributions(ctx, sets, width, band) {
    sets = sets.map((one) => ({...one, points: trimmed(one.points)}));
    const step = sets.length > 8 ? 38 : 46;
    const left = 62;
    const right = 96;
    const highest = d3.max(sets, (s) => d3.max(s.points, (d) => d.p));
    const scale = (sets.length > 1 ? 2.3 : 1) / highest;
    const rows = sets.flatMap((s, i) => s.points.map((d) => ({...d, i, base: i,
        top: i + d.p * scale, low: i + d.lower * scale, high: i + d.upper * scale})));
    const marks = sets.map((s, i) => sets.length - 1 - i).flatMap((i) => {
        const own = rows.filter((d) => d.i === i);
        return [
            Plot.areaY(own, {x: "size", y1: "base", y2: "top", fill: "var(--panel)",
                fillOpacity: 0.75}),
            Plot.areaY(own, {x: "size", y1: "base", y2: "top", fill: "var(--data)",
                fillOpacity: 0.22}),
            Plot.areaY(finite(own, "low", "high"), {x: "size", y1: "low", y2: "high",
                fill: "var(--data)", fillOpacity: 0.35}),
            Plot.line(own, {x: "size", y: "top", stroke: "var(--data)", strokeWidth: 1.6})
        ];
    });
    const sizes = extent(rows.map((d) => d.size), {pad: 0.02});
    const summit = d3.max(rows, (d) => Math.max(d.top, isNumber(d.high) ? d.high : 0)) + 0.1;
    const label = isNumber(ctx.sigma) ? "radius (nm)" : "monomers per particle, n";
    const banded = finite(rows, "low", "high").length;
    return [
        legend([
            ["line", "var(--data)", isNumber(ctx.sigma) ? "density of radii" : "density of n"],
            banded && ["band", "var(--data)", band]
        ], width),
        panel({
            width, height: step * summit + 56, grid: false,
            label: "Size distributions at several times, one above the other",
            margin: {left, right, top: 10},
            x: {domain: sizes, label},
            y: {domain: [0, summit], axis: null},
            marks: [
                Plot.gridX({stroke: "var(--grid)", strokeOpacity: 1}),
                ...marks,
                Plot.ruleY(sets, {y: (s, i) => i, stroke: "var(--muted)", strokeOpacity: 0.35}),
                Plot.text(sets, {y: (s, i) => i, text: (s) => seconds(s.time_s),
                    frameAnchor: "left", textAnchor: "end", dx: -10, dy: -6,
                    fill: "var(--ink)", fontWeight: 550}),
                Plot.text(sets, {y: (s, i) => i, filter: (s) => isNumber(s.particles),
                    text: (s) => plural(s.particles, "particle"), frameAnchor: "right",
                    textAnchor: "start", dx: 8, dy: -6})
            ]
        })
    ];
}

const distributionTable = (ctx, sets) => sets.flatMap((one) => one.points.map((d) => ({
    time_s: one.time_s, n: d.n, ...(isNumber(ctx.sigma) ? {radius_nm: d.size} : {}),
    p_n: d.p_n, p_n_lower: d.p_n_lower, p_n_upper: d.p_n_upper,
    ...(isNumber(ctx.sigma) ? {p_radius_per_nm: d.p} : {})
})));

const seenDistributions = (ctx) => distributionSets(ctx, ctx.growth?.distributions);

/** Where the most frequent size was and where it went. */
function peakWords(ctx, first, last) {
    const peak = (s) => show(s.points[d3.maxIndex(s.points, (d) => d.p)].size);
    return `The most frequent size moves from ${peak(first)} to ${peak(last)}`
        + `${isNumber(ctx.sigma) ? " nm" : " monomers"} between ${show(first.time_s)} and `
        + `${seconds(last.time_s)}`;
}

const distributions = {
    id: "distributions",
    title: "Size distribution over time",
    wide: true,
    missing: (ctx) => (seenDistributions(ctx).length ? undefined
        : "size distributions (`distributions`)"),
    caption(ctx) {
        const sets = seenDistributions(ctx);
        const first = sets[0];
        const last = sets[sets.length - 1];
        return `${peakWords(ctx, first, last)}; every curve has the same area, later ones stand `
            + "further up.";
    },
    rows: (ctx) => distributionTable(ctx, seenDistributions(ctx)),
    draw: (ctx, width) => drawDistributions(ctx, seenDistributions(ctx), width, "bootstrap band")
};

const growthFigures = {
    title: "How the ensemble grew",
    lead: "What the particles did, before any model: every trajectory, the mean and spread of "
        + "their sizes, and the shape of the size distribution.",
    figures: [trajectories, meanAndVariance, distributions]
};
