// The driving force: chemical potential, supersaturation, free energy, shape, rates.

const POTENTIAL_KEYS = ["n", "mu_kT", "lower_kT", "upper_kT", "gibbs_thomson_kT"];

/** Below this size the counts of faces and edges jump, and mu_n means nothing. */
const LEAST_N = 50;

function potentialRows(ctx) {
    const source = hasNumbers(ctx.fit?.potential?.mu_kT) ? ctx.fit.potential
        : ctx.potential?.table;
    return finite(rowsOf(source, POTENTIAL_KEYS), "n").filter((r) => r.n >= LEAST_N);
}

/** Room above a plot for the axis of the radius. */
const TOP_AXIS = 46;

/** Sizes worth a picture: what was seen and the maximum, with room on both sides. */
function potentialRange(ctx, rows) {
    const last = d3.max(rows, (r) => r.n);
    const seen = number(ctx.fit?.potential?.sampled_last_n);
    const stop = number(ctx.potential?.critical?.n_star2);
    const wish = d3.max([seen * 2, ctx.nMax * 12, stop * 1.5].filter(isNumber)) ?? 0;
    const first = d3.min(rows, (r) => r.n);
    return [first, wish > first ? Math.min(last, wish) : last];
}

/** The radius along the upper edge of a plot over n; `inner` is the height of its frame. */
function radiusAxis(ctx, [low, high], pixels, inner) {
    if (!isNumber(ctx.sigma)) return [];
    const [r0, r1] = [ctx.radius(low), ctx.radius(high)];
    const at = (r) => Math.log(r / r0) / Math.log(r1 / r0) * pixels;
    const kept = [];
    for (const r of d3.ticks(r0, r1, 14).filter((v) => v >= r0 && v <= r1)) {
        if (!kept.length || at(r) - at(kept[kept.length - 1]) > 36) kept.push(r);
    }
    // An axis mark would take the place of the one below, and drops labels on a logarithmic scale.
    return [
        Plot.ruleX(kept, {x: ctx.monomers, insetTop: -4, insetBottom: inner, stroke: "var(--muted)"}),
        Plot.text(kept, {x: ctx.monomers, text: (r) => tick(+r.toPrecision(4)), frameAnchor: "top",
            lineAnchor: "bottom", dy: -8}),
        Plot.text(["radius (nm)"], {frameAnchor: "top", lineAnchor: "bottom", dy: -24})
    ];
}

/** Levels of ln S to compare mu_n with: one in the middle of each phase, else five frames. */
function saturationLevels(ctx) {
    const rows = finite(rowsOf(ctx.fit?.series, ["time_s", "supersaturation"]), "time_s",
        "supersaturation").filter((r) => r.supersaturation > 0);
    const level = (s, time_s, name, regime) => ({s, lnS: Math.log(s), time_s, name,
        regime: regime ?? regimeOf(s, ctx.muMax)});
    if (rows.length) {
        const phases = ctx.phases.map((p) => {
            const within = rows.filter((r) => r.time_s >= p.start_s && r.time_s <= p.end_s);
            return within.length ? level(d3.median(within, (r) => r.supersaturation),
                d3.median(within, (r) => r.time_s), p.name, p.regime) : null;
        }).filter(Boolean);
        if (phases.length) return phases;
        return d3.range(Math.min(5, rows.length)).map((k) => {
            const row = rows[Math.floor((k + 0.5) * rows.length / Math.min(5, rows.length))];
            return level(row.supersaturation, row.time_s);
        });
    }
    const one = number(ctx.potential?.supersaturation);
    return one > 0 ? [level(one)] : [];
}

function levelText(l) {
    if (l.name) return `phase ${l.name}`;
    return isNumber(l.time_s) ? seconds(l.time_s) : `S = ${show(l.s)}`;
}

/** "0.92 kT (0.86 to 1.03) at n = 186, radius 0.89 nm". */
function maximumWords(ctx) {
    if (!isNumber(ctx.nMax) || !isNumber(ctx.muMax)) return "";
    const p = ctx.fit?.potential;
    const interval = isNumber(p?.mu_max_lower_kT) && isNumber(p?.mu_max_upper_kT)
        ? ` (${show(p.mu_max_lower_kT, 2)} to ${show(p.mu_max_upper_kT, 2)})` : "";
    return `${show(ctx.muMax, 2)} kT${interval} at n = ${count(ctx.nMax)}`
        + (isNumber(ctx.sigma) ? `, radius ${show(ctx.radius(ctx.nMax), 2)} nm` : "");
}

/** Everything that matters in sight: the curve, its band where particles were seen, `extra`; the
 *  Gibbs-Thomson line and wild ends of the band may leave. */
function potentialDomain(ctx, rows, extra) {
    const p = ctx.fit?.potential;
    const [first, last] = [p?.sampled_first_n ?? 0, p?.sampled_last_n ?? Infinity];
    const seen = rows.filter((r) => r.n >= first && r.n <= last);
    const most = (values) => d3.max(values.filter(isNumber)) ?? 0;
    const must = [...rows.map((r) => r.mu_kT), ...extra, ctx.truth?.maximum?.mu_kT,
        d3.quantile(seen.map((r) => r.upper_kT).filter(isNumber).sort(d3.ascending), 0.95)]
        .filter(isNumber);
    const ceiling = Math.max(1.04 * most(must), Math.min(3 * Math.max(0.1, most(must)),
        most(rows.map((r) => r.gibbs_thomson_kT))));
    const low = Math.min(0, ...must);
    return extent([low, ceiling], {include: low === 0 ? [0] : []});
}

function starMarks(ctx) {
    const star = [{n: ctx.nMax, mu: ctx.muMax}].filter((d) => isNumber(d.n) && isNumber(d.mu));
    const p = ctx.fit?.potential;
    const box = {x1: number(p?.n_max_lower), x2: number(p?.n_max_upper)};
    const bars = star.length && isNumber(box.x1) && isNumber(box.x2) ? [box] : [];
    const truth = ctx.truth?.maximum;
    return [
        Plot.ruleY(bars, {y: ctx.muMax, x1: "x1", x2: "x2", stroke: "var(--star)",
            strokeWidth: 3, strokeOpacity: 0.6, clip: true}),
        Plot.dot(truth && isNumber(truth.n) ? [truth] : [], {x: "n", y: "mu_kT", r: 5,
            symbol: "diamond2", fill: "var(--truth)", clip: true}),
        Plot.dot(star, {x: "n", y: "mu", symbol: "star", r: 7, fill: "var(--star)",
            stroke: "var(--ink)", strokeWidth: 0.9, clip: true})
    ];
}

function potentialLegend(ctx, rows, width, extra = []) {
    return legend([
        ["line", "var(--ink)", "μₙ, this model"],
        finite(rows, "lower_kT", "upper_kT").length && ["band", "var(--ink)", "its interval"],
        finite(rows, "gibbs_thomson_kT").length && ["dash", "var(--muted)", "Gibbs–Thomson"],
        isNumber(ctx.nMax) && ["star", "var(--star)", "maximum"],
        isNumber(ctx.truth?.maximum?.n) && ["diamond", "var(--truth)", "true maximum"],
        ...extra
    ], width);
}

function curveMarks(shown) {
    return [
        Plot.areaY(finite(shown, "lower_kT", "upper_kT"), {x: "n", y1: "lower_kT",
            y2: "upper_kT", fill: "var(--ink)", fillOpacity: 0.16, clip: true}),
        Plot.line(finite(shown, "gibbs_thomson_kT"), {x: "n", y: "gibbs_thomson_kT",
            stroke: "var(--muted)", strokeWidth: 1.6, strokeDasharray: "5 4", clip: true}),
        Plot.line(finite(shown, "mu_kT"), {x: "n", y: "mu_kT", stroke: "var(--ink)",
            strokeWidth: 2.2, clip: true})
    ];
}

/** Grey veil over sizes that no particle had. */
function unseenMarks(ctx, [low, high]) {
    const p = ctx.fit?.potential;
    const [first, last] = [number(p?.sampled_first_n), number(p?.sampled_last_n)];
    const veils = [];
    if (first > low) veils.push({x1: low, x2: Math.min(first, high)});
    if (last < high) veils.push({x1: Math.max(last, low), x2: high});
    return [Plot.rectX(veils, {x1: "x1", x2: "x2", fill: "var(--share)", fillOpacity: 0.13})];
}

const hasUnseen = (ctx) => isNumber(ctx.fit?.potential?.sampled_first_n)
    || isNumber(ctx.fit?.potential?.sampled_last_n);

const potentialFigure = {
    id: "potential",
    title: "Chemical potential of a monomer in a particle",
    wide: true,
    missing: (ctx) => (finite(potentialRows(ctx), "mu_kT").length ? undefined
        : "the chemical potential (`potential`)"),
    caption(ctx) {
        const words = maximumWords(ctx);
        const levels = saturationLevels(ctx).length
            ? "; horizontal lines are the solution's ln S: where μₙ stands above one, particles of "
                + "that size shrink, below it they grow" : "";
        return words ? `The potential does not fall steadily with size but has a maximum: ${words}`
            + `${levels}.` : `The potential against size${levels}.`;
    },
    rows: (ctx) => [
        ...potentialRows(ctx).map((r) => ({kind: "mu_n", n: r.n,
            ...(isNumber(ctx.sigma) ? {radius_nm: ctx.radius(r.n)} : {}), mu_kT: r.mu_kT,
            lower_kT: r.lower_kT, upper_kT: r.upper_kT, gibbs_thomson_kT: r.gibbs_thomson_kT})),
        ...saturationLevels(ctx).map((l) => ({kind: "ln_S", time_s: l.time_s, phase: l.name,
            supersaturation: l.s, mu_kT: l.lnS}))
    ],
    draw(ctx, width) {
        const rows = potentialRows(ctx);
        const range = potentialRange(ctx, rows);
        const shown = rows.filter((r) => r.n >= range[0] && r.n <= range[1]);
        const levels = saturationLevels(ctx);
        const domain = potentialDomain(ctx, shown, levels.map((l) => l.lnS));
        const height = Math.max(320, Math.min(430, width * 0.44));
        const right = levels.length ? 132 : 16;
        const top = isNumber(ctx.sigma) ? TOP_AXIS : 26;
        const inner = height - top - 42;
        const pixel = (v) => (domain[1] - v) / (domain[1] - domain[0]) * inner;
        const value = (y) => domain[1] - y / inner * (domain[1] - domain[0]);
        const placed = spreadOut(levels.map((l) => pixel(l.lnS)), 15, 0, inner - 8);
        const labels = levels.map((l, i) => ({...l, at: value(placed[i])}));
        return [
            potentialLegend(ctx, rows, width, [
                hasUnseen(ctx) && ["band", "var(--share)", "sizes that were not seen"],
                ...Object.keys(REGIMES).filter((r) => levels.some((l) => l.regime === r))
                    .map((r) => ["thin", REGIMES[r].color,
                        `ln S, ${REGIMES[r].text}: ${REGIMES[r].effect}`])
            ]),
            panel({
                width, height, label: "Chemical potential against number of monomers",
                margin: {right, top},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, label: "μₙ − μ∞ (kT)"},
                marks: [
                    ...unseenMarks(ctx, range),
                    ...radiusAxis(ctx, range, width - 54 - right, inner),
                    Plot.ruleY([0], {stroke: "var(--muted)", strokeOpacity: 0.6}),
                    Plot.ruleY(levels, {y: "lnS", stroke: (l) => regimeColor(l.regime),
                        strokeWidth: 1.3}),
                    Plot.text(labels, {y: "at", frameAnchor: "right", textAnchor: "start", dx: 7,
                        text: (l) => `${levelText(l)}: ${l.lnS.toFixed(2).replace("-", MINUS)}`,
                        fill: (l) => regimeColor(l.regime)}),
                    ...curveMarks(shown),
                    ...starMarks(ctx),
                    tipAlongX(finite(shown, "mu_kT"), "n", "mu_kT", (d) => `n = ${count(d.n)}`
                        + (isNumber(ctx.sigma) ? `, ${show(ctx.radius(d.n))} nm` : "")
                        + `\nμₙ ${show(d.mu_kT)} kT`
                        + (isNumber(d.lower_kT)
                            ? `\n${show(d.lower_kT)} to ${show(d.upper_kT)} kT` : ""))
                ]
            })
        ];
    }
};

// ---- potential rebuilt from the data ----------------------------------------------------------

/** mu_n of the curve at any size, by interpolation. */
function curveAt(curve, n) {
    const k = d3.bisector((r) => r.n).right(curve, n);
    const [a, b] = [curve[k - 1], curve[k]];
    if (!a || !b) return a && a.n === n ? a.mu_kT : NaN;
    return a.mu_kT + (b.mu_kT - a.mu_kT) * (n - a.n) / (b.n - a.n);
}

function rebuiltRows(ctx) {
    const p = ctx.fit?.potential ?? {};
    const curve = finite(potentialRows(ctx), "mu_kT");
    return finite(rowsOf({n: p.reconstructed_n ?? p.n, kT: p.reconstructed_kT,
        sd: p.reconstructed_sd_kT, frames: p.reconstructed_frames}, ["n", "kT", "sd", "frames"]),
    "n", "kT").filter((r) => r.n >= LEAST_N).map((r) => ({n: r.n, reconstructed_kT: r.kT,
        reconstructed_sd_kT: r.sd, reconstructed_frames: r.frames, low: r.kT - r.sd,
        high: r.kT + r.sd, mu_kT: curveAt(curve, r.n)}));
}

/** Few enough points that their spread can be told apart. */
const sparse = (rows, most) => rows.filter((_, i) => i % Math.ceil(rows.length / most) === 0);

const rebuilt = {
    id: "reconstructed",
    title: "Potential rebuilt from the growth rates",
    missing: (ctx) => (rebuiltRows(ctx).length ? undefined
        : "the potential rebuilt from the data (`potential.reconstructed_kT`)"),
    caption(ctx) {
        const rows = finite(rebuiltRows(ctx), "mu_kT");
        const near = rows.filter((r) => Math.abs(r.reconstructed_kT - r.mu_kT)
            <= (isNumber(r.reconstructed_sd_kT) ? r.reconstructed_sd_kT : 0)).length;
        const share = rows.length ? ` the fitted curve lies within it at `
            + `${Math.round(100 * near / rows.length)} % of sizes.` : ".";
        return "Circles are μₙ solved from the measured growth rate of each size, averaged over "
            + `frames; bars are the spread between frames;${share}`;
    },
    rows: (ctx) => rebuiltRows(ctx).map((r) => ({n: r.n, reconstructed_kT: r.reconstructed_kT,
        reconstructed_sd_kT: r.reconstructed_sd_kT, frames: r.reconstructed_frames,
        mu_kT: r.mu_kT})),
    draw(ctx, width) {
        const rows = potentialRows(ctx);
        const points = sparse(rebuiltRows(ctx), Math.floor(width / 8));
        const range = extent(points.map((r) => r.n), {log: true, pad: 0.08,
            include: [ctx.nMax]});
        range[0] = Math.max(range[0], LEAST_N);
        const shown = rows.filter((r) => r.n >= range[0] && r.n <= range[1]);
        const spread = points.flatMap((r) => [r.low, r.high]).filter(isNumber).sort(d3.ascending);
        const inner = [d3.quantile(spread, 0.04), d3.quantile(spread, 0.96)];
        const domain = extent([...shown.map((r) => r.mu_kT),
            ...points.map((r) => r.reconstructed_kT), ...inner]);
        return [
            potentialLegend(ctx, rows, width, [["dot", "var(--data)", "from the data ± spread"]]),
            panel({
                width, height: 310, label: "Rebuilt potential against number of monomers",
                margin: {top: isNumber(ctx.sigma) ? TOP_AXIS : 26},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, label: "μₙ − μ∞ (kT)"},
                marks: [
                    ...radiusAxis(ctx, range, width - 70, 310 - 42 - TOP_AXIS),
                    Plot.ruleX(finite(points, "low", "high"), {x: "n", y1: "low", y2: "high",
                        stroke: "var(--data)", strokeOpacity: 0.45, clip: true}),
                    ...curveMarks(shown),
                    Plot.dot(points, {x: "n", y: "reconstructed_kT", r: 2.8,
                        stroke: "var(--data)", fill: "var(--panel)", clip: true}),
                    ...starMarks(ctx)
                ]
            })
        ];
    }
};

// ---- free energy ------------------------------------------------------------------------------

function freeEnergySets(ctx) {
    const fitted = list(ctx.fit?.free_energy).map((one) => ({
        time_s: number(one?.time_s), s: number(one?.supersaturation),
        points: finite(rowsOf(one, ["n", "dG_kT"]), "n", "dG_kT").filter((r) => r.n >= LEAST_N)
    }));
    const table = ctx.potential?.table;
    const own = {s: number(ctx.potential?.supersaturation), time_s: NaN,
        points: finite(rowsOf({n: table?.n, dG_kT: table?.free_energy_kT}, ["n", "dG_kT"]),
            "n", "dG_kT").filter((r) => r.n >= LEAST_N)};
    return [...fitted, ...(fitted.length ? [] : [own])].filter((one) => one.points.length > 2)
        .map((one) => ({...one, regime: regimeOf(one.s, ctx.muMax)}));
}

/** Curves that tell the story when there are many: lowest, highest and those between. */
function choose(sets, most) {
    if (sets.length <= most) return sets;
    const order = [...sets].sort((a, b) => a.s - b.s).filter((one, i, all) =>
        i === 0 || !(Math.abs(one.s / all[i - 1].s - 1) < 0.03));
    most = Math.min(most, order.length);
    return d3.range(most).map((k) => order[Math.round(k * (order.length - 1) / (most - 1))]);
}

/** Barriers are small beside what growth gains: keep them visible, let the rest leave the frame. */
function energyDomain(sets, range) {
    const values = sets.map((one) => one.points.filter((d) => d.n <= range[1]));
    const highest = d3.max(values, (points) => d3.max(points, (d) => d.dG_kT));
    const lowest = d3.min(values, (points) => d3.min(points, (d) => d.dG_kT));
    if (highest <= 0) return extent([lowest, 0], {include: [0]});
    return extent([Math.max(lowest, -1.2 * highest), highest], {pad: 0.06, include: [0]});
}

const freeEnergy = {
    id: "free-energy",
    title: "Free energy of formation",
    missing: (ctx) => (freeEnergySets(ctx).length ? undefined
        : "free energies (`free_energy`)"),
    caption(ctx) {
        const sets = freeEnergySets(ctx);
        const barred = sets.filter((one) => one.regime === "supersaturation").length;
        const free = sets.filter((one) => one.regime === "hypersaturation").length;
        if (barred && free) {
            return "Where the solution is supersaturated a valley and a barrier stop the particles"
                + " (r* and r**); where it is hypersaturated the way is downhill for every size.";
        }
        if (barred) return "A valley (r*) and a barrier (r**) stop the particles on their way.";
        if (free) return "The way is downhill for every size: the solution is hypersaturated.";
        return "Work to build a particle of n monomers from the solution.";
    },
    rows: (ctx) => freeEnergySets(ctx).flatMap((one) => one.points.map((d) => ({
        time_s: one.time_s, supersaturation: one.s, n: d.n, dG_kT: d.dG_kT}))),
    draw(ctx, width) {
        const sets = choose(freeEnergySets(ctx), 5);
        const range = [LEAST_N, d3.max(sets, (one) => d3.max(one.points, (d) => d.n))];
        const domain = energyDomain(sets, range);
        const height = 310;
        const right = 104;
        const top = isNumber(ctx.sigma) ? TOP_AXIS : 26;
        const inner = height - top - 42;
        const pixel = (v) => (domain[1] - v) / (domain[1] - domain[0]) * inner;
        const ends = sets.map((one) => {
            const last = one.points[one.points.length - 1];
            const gone = one.points.find((d) => d.dG_kT < domain[0]);
            // curves that leave through the floor: the later, the higher its label
            return {...one, at_px: gone ? inner - Math.log10(gone.n) : pixel(last.dG_kT)};
        });
        const placed = spreadOut(ends.map((e) => e.at_px), 15, 0, inner - 8);
        const labels = ends.map((e, i) => ({...e,
            at: domain[1] - placed[i] / inner * (domain[1] - domain[0])}));
        const rows = sets.flatMap((one, i) => one.points.map((d) => ({...d, i,
            regime: one.regime})));
        return [
            legend(Object.keys(REGIMES).filter((r) => sets.some((one) => one.regime === r))
                .map((r) => ["line", REGIMES[r].color, REGIMES[r].text]), width),
            panel({
                width, height, label: "Free energy of formation against number of monomers",
                margin: {right, top, left: 62},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, label: "ΔGₙ (kT)"},
                marks: [
                    ...radiusAxis(ctx, range, width - 62 - right, inner),
                    Plot.ruleY([0], {stroke: "var(--muted)", strokeOpacity: 0.6}),
                    Plot.line(rows, {x: "n", y: "dG_kT", z: "i", strokeWidth: 1.9, clip: true,
                        stroke: (d) => regimeColor(d.regime)}),
                    Plot.text(labels, {y: "at", frameAnchor: "right", textAnchor: "start", dx: 7,
                        fill: (d) => regimeColor(d.regime),
                        text: (d) => [isNumber(d.time_s) && seconds(d.time_s),
                            isNumber(d.s) && `S ${show(d.s, 2)}`].filter(Boolean).join(", ")})
                ]
            })
        ];
    }
};

// ---- supersaturation and shape ----------------------------------------------------------------

function saturationRows(ctx) {
    return finite(rowsOf(ctx.fit?.series, ["time_s", "supersaturation", "supersaturation_lower",
        "supersaturation_upper"]), "time_s", "supersaturation");
}

function truthSaturation(ctx) {
    const series = ctx.truth?.series ?? ctx.truth?.schedule;
    return finite(rowsOf(series, ["time_s", "supersaturation"]), "time_s", "supersaturation");
}

const saturation = {
    id: "supersaturation",
    title: "Supersaturation of the solution",
    missing: (ctx) => (saturationRows(ctx).length ? undefined
        : "the supersaturation over time (`series.supersaturation`)"),
    caption(ctx) {
        const rows = saturationRows(ctx);
        const [low, high] = d3.extent(rows, (r) => r.supersaturation);
        const above = rows.filter((r) => r.supersaturation > Math.exp(ctx.muMax)).length;
        const share = isNumber(ctx.muMax) ? `; it lies above exp(μ max) = `
            + `${show(Math.exp(ctx.muMax))}, where every size grows, in `
            + `${Math.round(100 * above / rows.length)} % of frames` : "";
        return `S, the monomer concentration over the solubility, runs from ${show(low)} to `
            + `${show(high)}${share}.`;
    },
    rows: (ctx) => saturationRows(ctx).map((r) => ({...r,
        ...(isNumber(ctx.muMax) ? {threshold: Math.exp(ctx.muMax)} : {})})),
    draw(ctx, width) {
        const rows = saturationRows(ctx);
        const truth = truthSaturation(ctx);
        const edge = Math.exp(ctx.muMax);
        const banded = finite(rows, "supersaturation_lower", "supersaturation_upper");
        const inner = banded.flatMap((r) => [r.supersaturation_lower, r.supersaturation_upper])
            .sort(d3.ascending);
        const values = [...rows.map((r) => r.supersaturation), ...truth.map((r) =>
            r.supersaturation), d3.quantile(inner, 0.02), d3.quantile(inner, 0.98), edge, 1];
        const log = d3.max(values.filter(isNumber)) > 12
            && d3.quantile(rows.map((r) => r.supersaturation).sort(d3.ascending), 0.05) > 0;
        const domain = log ? extent(values, {log}) : extent(values, {include: [0]});
        // A frame without monomers in solution stands at the foot of a logarithmic axis.
        const drawn = rows.map((r) => ({...r, s: Math.max(r.supersaturation, domain[0])}));
        const strip = banded.map((r) => ({time_s: r.time_s,
            low: Math.max(r.supersaturation_lower, domain[0]), high: r.supersaturation_upper}));
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        const p = ctx.fit?.potential;
        const band = isNumber(p?.mu_max_lower_kT) && isNumber(p?.mu_max_upper_kT)
            ? [{y1: Math.exp(p.mu_max_lower_kT), y2: Math.exp(p.mu_max_upper_kT)}] : [];
        const seen = Object.keys(REGIMES).filter((r) => rows.some((d) =>
            regimeOf(d.supersaturation, ctx.muMax) === r));
        return [
            legend([
                ...seen.map((r) => ["line", REGIMES[r].color, `S, ${REGIMES[r].text}`]),
                !seen.length && ["line", "var(--muted)", "S"],
                banded.length && ["band", "var(--muted)", "its interval"],
                isNumber(edge) && ["dash", "var(--star)", "exp(μ max): above it all sizes grow"],
                truth.length && ["dash", "var(--truth)", "truth"]
            ], width),
            panel({
                width, height: 300, label: "Supersaturation against time",
                x: {domain: time, label: "time (s)"},
                y: {domain, log, label: "S = ρ₁ / ρ₁∞ (no unit)"},
                marks: [
                    ...phaseMarks(ctx, (width - 70) / (time[1] - time[0])),
                    Plot.areaY(strip, {x: "time_s", y1: "low", y2: "high", fill: "var(--muted)",
                        fillOpacity: 0.22, clip: true}),
                    Plot.rectY(band, {y1: "y1", y2: "y2", fill: "var(--star)", fillOpacity: 0.2,
                        clip: true}),
                    Plot.ruleY([1], {stroke: "var(--muted)", strokeOpacity: 0.7}),
                    Plot.ruleY(isNumber(edge) ? [edge] : [], {stroke: "var(--star)",
                        strokeWidth: 1.6, strokeDasharray: "5 3"}),
                    Plot.line(truth, {x: "time_s", y: "supersaturation", stroke: "var(--truth)",
                        strokeWidth: 1.6, strokeDasharray: "5 3", clip: true}),
                    Plot.line(drawn, {x: "time_s", y: "s", z: null, strokeWidth: 2.2,
                        stroke: (d) => regimeColor(regimeOf(d.supersaturation, ctx.muMax)),
                        clip: true}),
                    tipAlongX(drawn, "time_s", "s", (d) => `${seconds(d.time_s)}\n`
                        + `S ${show(d.supersaturation)}`
                        + (isNumber(d.supersaturation_lower) ? `\n${show(d.supersaturation_lower)}`
                            + ` to ${show(d.supersaturation_upper)}` : ""))
                ]
            })
        ];
    }
};

const SHAPES = [
    {delta: 1, name: "cuboctahedron"},
    {delta: 4 / 3, name: "truncated octahedron"},
    {delta: 2, name: "octahedron"}
];

const shapeRows = (ctx) => finite(rowsOf(ctx.fit?.series, ["time_s", "delta"]), "time_s", "delta");

const shape = {
    id: "shape",
    title: "Shape number over time",
    missing: (ctx) => (shapeRows(ctx).length ? undefined : "the shape number (`series.delta`)"),
    caption(ctx) {
        const rows = shapeRows(ctx);
        const mode = ctx.fit?.delta?.mode;
        const mean = number(ctx.fit?.delta?.mean ?? d3.mean(rows, (r) => r.delta));
        const how = {free: ", free in every frame", smooth: ", kept smooth in time",
            constant: ", one value for the run"}[mode] ?? "";
        return `δ tells how far the corners of an octahedron are cut off; its mean is `
            + `${show(mean)}${how}.`;
    },
    rows: shapeRows,
    draw(ctx, width) {
        const rows = shapeRows(ctx);
        const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
        const right = 138;
        const delta = ctx.fit?.delta;
        const truth = number(ctx.truth?.delta);
        const band = isNumber(delta?.lower) && isNumber(delta?.upper)
            ? [{y1: delta.lower, y2: delta.upper}] : [];
        return [
            legend([
                ["point", "var(--data)", "δ of the frame"],
                isNumber(delta?.mean) && ["line", "var(--ink)", "mean"],
                band.length && ["band", "var(--ink)", "interval of the mean"],
                isNumber(truth) && ["dash", "var(--truth)", "truth"]
            ], width),
            panel({
                width, height: 300, label: "Shape number delta against time",
                margin: {right},
                x: {domain: time, label: "time (s)"},
                y: {domain: [0.97, 2.03], label: "shape number δ (no unit)",
                    ticks: [1, 1.2, 1.4, 1.6, 1.8, 2]},
                marks: [
                    ...phaseMarks(ctx, (width - 54 - right) / (time[1] - time[0])),
                    Plot.ruleY(SHAPES, {y: "delta", stroke: "var(--muted)", strokeOpacity: 0.6,
                        strokeDasharray: "2 3"}),
                    Plot.text(SHAPES, {y: "delta", text: "name", frameAnchor: "right",
                        textAnchor: "start", dx: 6}),
                    Plot.rectY(band, {y1: "y1", y2: "y2", fill: "var(--ink)", fillOpacity: 0.14}),
                    Plot.line(rows, {x: "time_s", y: "delta", stroke: "var(--data)",
                        strokeOpacity: 0.35, strokeWidth: 1}),
                    Plot.dot(rows, {x: "time_s", y: "delta", r: 2, fill: "var(--data)"}),
                    Plot.ruleY(isNumber(delta?.mean) ? [delta.mean] : [], {stroke: "var(--ink)",
                        strokeWidth: 1.6}),
                    Plot.ruleY(isNumber(truth) ? [truth] : [], {stroke: "var(--truth)",
                        strokeWidth: 1.6, strokeDasharray: "5 3"})
                ]
            })
        ];
    }
};

// ---- rates of a table of the potential --------------------------------------------------------

function rateRows(ctx) {
    return rowsOf(ctx.potential?.table, ["n", "attachment_per_s", "detachment_per_s"])
        .filter((r) => r.n >= LEAST_N && (r.attachment_per_s > 0 || r.detachment_per_s > 0));
}

const rates = {
    id: "rates",
    title: "Attachment and detachment rates",
    // Only `nucgrow potential` writes them; a fit alone does not miss them.
    missing: (ctx) => (rateRows(ctx).length ? undefined
        : ctx.potential ? "attachment and detachment rates (`table`)" : ""),
    caption(ctx) {
        const s = number(ctx.potential?.supersaturation);
        return isNumber(s) ? `Particles grow where the attachment rate at S = ${show(s)} lies above `
            + "the detachment rate."
            : "Rates of a single particle; attachment at the solubility (S = 1).";
    },
    rows: rateRows,
    draw(ctx, width) {
        const s = number(ctx.potential?.supersaturation);
        const factor = s > 0 ? s : 1;
        const rows = rateRows(ctx);
        const range = d3.extent(rows, (r) => r.n);
        const domain = extent(rows.flatMap((r) =>
            [r.attachment_per_s * factor, r.detachment_per_s]), {log: true});
        return [
            legend([
                ["line", "var(--hyper)", `attachment at S = ${show(factor)}`],
                ["line", "var(--super)", "detachment"]
            ], width),
            panel({
                width, height: 310, label: "Rates against number of monomers",
                margin: {top: isNumber(ctx.sigma) ? TOP_AXIS : 26},
                x: {domain: range, log: true, label: "monomers per particle, n"},
                y: {domain, log: true, label: "rate (1/s)"},
                marks: [
                    ...radiusAxis(ctx, range, width - 70, 310 - 42 - TOP_AXIS),
                    Plot.line(rows.filter((r) => r.attachment_per_s > 0), {x: "n",
                        y: (r) => r.attachment_per_s * factor, stroke: "var(--hyper)",
                        strokeWidth: 2}),
                    Plot.line(rows.filter((r) => r.detachment_per_s > 0), {x: "n",
                        y: "detachment_per_s", stroke: "var(--super)", strokeWidth: 2})
                ]
            })
        ];
    }
};

const drivingFigures = {
    title: "What drives growth",
    lead: "A particle grows when a monomer is better off in it than in the solution: when ln S, the "
        + "potential of the solution, lies above μₙ, the potential in the particle. Energies are in "
        + "kT.",
    figures: [potentialFigure, saturation, freeEnergy, bothEstimators, rebuilt, shape, rates]
};
