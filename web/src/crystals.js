// Fluorescent crystals: numbers and births, histograms, growth of single ones, free energy.

const SET_COLORS = ["var(--data)", "var(--super)", "var(--truth)", "var(--under)", "var(--hyper)"];
const setColor = (i) => SET_COLORS[i % SET_COLORS.length];
const lastOf = (values) => values[values.length - 1];

const NUMBER_KEYS = ["time_s", "detected", "gap_closed", "cumulative", "rate_per_s",
    "rate_lower_per_s", "rate_upper_per_s", "intensity", "corrected", "corrected_lower",
    "corrected_upper"];
const numberRows = (ctx) => rowsOf(ctx.study?.nucleation?.series, NUMBER_KEYS);

const hiddenTold = (ctx) => ctx.study?.nucleation?.hidden?.state === "told";

const range = (lower, upper) => (isNumber(lower) && isNumber(upper)
    ? ` (${show(lower)} to ${show(upper)})` : "");

/** The further tables that were given: their births so far. */
function besideSets(ctx) {
    return list(ctx.study?.nucleation?.comparison).slice(1).map((one, i) => ({
        name: one?.file ?? `table ${i + 2}`,
        rows: finite(rowsOf(one, ["time_s", "cumulative"]), "time_s", "cumulative")
    })).filter((one) => one.rows.length > 1);
}

const crystalNumbers = {
    id: "crystal-numbers",
    title: "How many crystals there are",
    missing: (ctx) => (numberRows(ctx).length > 1 ? undefined : ""),
    caption: (ctx) => "Seen in each frame, with gaps closed by their own track, and born so far"
        + (hiddenTold(ctx) ? "; with its band: with those that lie so close to another that both "
            + `are seen as one, told by the pairs closer than ${show(
                ctx.study.nucleation.hidden.reach_nm, 2)} nm that are missing` : "")
        + `${besideSets(ctx).length ? "; dashed: born so far in the other tables" : ""}.`,
    rows: (ctx) => numberRows(ctx).map((r) => ({time_s: r.time_s, detected: r.detected,
        gap_closed: r.gap_closed, cumulative: r.cumulative, corrected: r.corrected,
        corrected_lower: r.corrected_lower, corrected_upper: r.corrected_upper})),
    draw(ctx, width) {
        const rows = sparse(numberRows(ctx), 400);
        const beside = besideSets(ctx);
        const times = [...rows, ...beside.flatMap((one) => one.rows)].map((r) => r.time_s);
        const hidden = hiddenTold(ctx) ? finite(rows, "corrected_lower", "corrected_upper") : [];
        const most = Math.max(d3.max([...rows, ...beside.flatMap((one) => one.rows)],
            (r) => r.cumulative), d3.max(hidden, (r) => r.corrected_upper) ?? 0);
        return [
            legend([["dot", "var(--share)", "seen"], ["line", "var(--data)", "gaps closed"],
                ["line", "var(--ink)", "born so far"],
                ...(hidden.length ? [["line", "var(--truth)", "with hidden ones"]] : []),
                ...beside.map((one, i) => ["dash", setColor(i + 1), one.name])], width),
            panel({
                width, label: "Number of crystals against time",
                x: {domain: extent(times, {pad: 0.01}), label: "time (s)"},
                y: {domain: [0, most * 1.06 || 1], label: "crystals"},
                marks: [
                    Plot.areaY(hidden, {x: "time_s", y1: "corrected_lower",
                        y2: "corrected_upper", fill: "var(--truth)", fillOpacity: 0.2}),
                    Plot.line(hidden, {x: "time_s", y: "corrected", stroke: "var(--truth)",
                        strokeWidth: 1.8}),
                    Plot.dot(sparse(rows, 150), {x: "time_s", y: "detected", r: 1.8,
                        stroke: "var(--share)"}),
                    Plot.line(rows, {x: "time_s", y: "gap_closed", stroke: "var(--data)",
                        strokeWidth: 1.8}),
                    Plot.line(rows, {x: "time_s", y: "cumulative", stroke: "var(--ink)",
                        strokeWidth: 1.8}),
                    ...beside.map((one, i) => Plot.line(sparse(one.rows, 300), {x: "time_s",
                        y: "cumulative", stroke: setColor(i + 1), strokeDasharray: "4 3",
                        strokeWidth: 1.8}))
                ]
            })
        ];
    }
};

const crystalBirths = {
    id: "nucleation-rate",
    title: "How fast they are born",
    missing: (ctx) => (finite(numberRows(ctx), "rate_per_s").length > 1 ? undefined : ""),
    caption(ctx) {
        const w = ctx.study.nucleation.window;
        return "dN/dt by a normal kernel, with its band; shaded: the window"
            + (isNumber(w?.duration_s) ? ` of ${show(w.duration_s)} s that holds the middle `
                + `${show(100 * w.share)} % of the births.` : ".");
    },
    rows: (ctx) => numberRows(ctx).map((r) => ({time_s: r.time_s, rate_per_s: r.rate_per_s,
        lower: r.rate_lower_per_s, upper: r.rate_upper_per_s})),
    draw(ctx, width) {
        const rows = sparse(finite(numberRows(ctx), "rate_per_s"), 400);
        const window = [ctx.study.nucleation.window].filter((w) => isNumber(w?.from_s));
        return [panel({
            width, label: "Nucleation rate against time",
            x: {domain: extent(rows.map((r) => r.time_s), {pad: 0.01}), label: "time (s)"},
            y: {domain: extent(rows.flatMap((r) => [r.rate_per_s, r.rate_upper_per_s]),
                {include: [0]}), label: "dN/dt (1/s)"},
            marks: [
                Plot.rectX(window, {x1: "from_s", x2: "to_s", fill: "var(--muted)",
                    fillOpacity: 0.1}),
                Plot.areaY(rows, {x: "time_s", y1: "rate_lower_per_s", y2: "rate_upper_per_s",
                    fill: "var(--data)", fillOpacity: 0.25}),
                Plot.line(rows, {x: "time_s", y: "rate_per_s", stroke: "var(--data)",
                    strokeWidth: 2})
            ]
        })];
    }
};

const histogramsOf = (ctx) => list(ctx.study?.nucleation?.histograms).filter((h) =>
    hasNumbers(h?.count) && isNumber(h?.gaussian?.mean_nm));

function histogramPanel(h, domain, width) {
    const bins = list(h.count).map((n, i) => ({n, from: h.edge_nm[i], to: h.edge_nm[i + 1]}));
    const area = d3.sum(bins, (b) => b.n * (b.to - b.from));
    const {mean_nm: mean, sd_nm: sd} = h.gaussian;
    const curve = d3.range(101).map((i) => {
        const r = domain[0] + (domain[1] - domain[0]) * i / 100;
        return {r, n: area / (sd * Math.sqrt(2 * Math.PI)) * Math.exp(-(((r - mean) / sd) ** 2) / 2)};
    });
    return panel({
        width, height: 170, heading: `${seconds(h.time_s)}: ${show(mean)} ± ${show(sd, 2)} nm`,
        label: `Radii of the crystals at ${seconds(h.time_s)}`, margin: {left: 40, top: 30},
        x: {domain, label: "radius (nm)", ticks: 4},
        y: {domain: [0, d3.max([...bins, ...curve], (b) => b.n) * 1.08 || 1], label: null, ticks: 3},
        marks: [
            Plot.rect(bins, {x1: "from", x2: "to", y1: 0, y2: "n", fill: "var(--data)",
                fillOpacity: 0.45, insetLeft: 0.5, insetRight: 0.5}),
            Plot.line(curve, {x: "r", y: "n", stroke: "var(--ink)", strokeWidth: 1.6})
        ]
    });
}

const crystalHistograms = {
    id: "radius-histograms",
    title: "Radii over time",
    wide: true,
    missing: (ctx) => (histogramsOf(ctx).length ? undefined : ""),
    caption: (ctx) => "Crystals by radius and the normal curve through them; in the end the spread "
        + `is ${show(100 * lastOf(histogramsOf(ctx)).gaussian.sd_nm
            / lastOf(histogramsOf(ctx)).gaussian.mean_nm)} % of the mean.`
        + (lastOf(histogramsOf(ctx)).left_out > 0
            ? ` Left out: ${lastOf(histogramsOf(ctx)).left_out} crystals that share light with a neighbour `
            + "or the border." : ""),
    rows: (ctx) => histogramsOf(ctx).flatMap((h) => list(h.count).map((count, i) => ({
        time_s: h.time_s, from_nm: h.edge_nm[i], to_nm: h.edge_nm[i + 1], count,
        mean_nm: h.gaussian.mean_nm, sd_nm: h.gaussian.sd_nm}))),
    draw(ctx, width) {
        const domain = extent(histogramsOf(ctx).flatMap((h) => h.edge_nm));
        return [grid(width, 210, histogramsOf(ctx).map((h) => (w) =>
            histogramPanel(h, domain, w)), {most: 3})];
    }
};

const ensembleAvrami = (ctx) => ctx.study?.nucleation?.avrami
    ?? (ctx.study?.avrami?.series ? ctx.study.avrami : undefined);

const crystalAvrami = {
    id: "avrami",
    title: "Avrami's law of the whole",
    missing: (ctx) => (hasNumbers(ensembleAvrami(ctx)?.series?.model) ? undefined : ""),
    caption(ctx) {
        const n = ensembleAvrami(ctx).parameters?.n;
        return `n = ${show(n?.value)} (${show(n?.lower)} to ${show(n?.upper)}). `
            + `${ensembleAvrami(ctx).meaning ?? ""}.`;
    },
    rows: (ctx) => rowsOf(ensembleAvrami(ctx).series, ["time_s", "value", "model"]),
    draw(ctx, width) {
        const rows = finite(rowsOf(ensembleAvrami(ctx).series, ["time_s", "value", "model"]),
            "time_s");
        const unit = scaleOf(rows.map((r) => r.value));
        const drawn = rows.map((r) => ({t: r.time_s, v: r.value * unit.factor,
            m: r.model * unit.factor}));
        return [
            legend([["dot", "var(--data)", "sum over crystals"], ["line", "var(--ink)", "fit"]],
                width),
            panel({
                width, label: "Transformed amount against time, with Avrami's law",
                x: {domain: extent(drawn.map((r) => r.t), {pad: 0.01}), label: "time (s)"},
                y: {domain: extent(drawn.flatMap((r) => [r.v, r.m])),
                    label: unit.text ? `amount (${unit.text.trim()})` : "amount"},
                marks: [
                    Plot.dot(sparse(drawn, 150), {x: "t", y: "v", r: 2, stroke: "var(--data)"}),
                    Plot.line(sparse(drawn, 400), {x: "t", y: "m", stroke: "var(--ink)",
                        strokeWidth: 1.8})
                ]
            })
        ];
    }
};

/** Curves of single crystals: of growth by diffusion, else of Avrami's law. */
function crystalCurves(ctx) {
    const from = ctx.study?.diffusion ?? ctx.study?.avrami;
    return list(from?.curves).map((c) => ({track: c?.track, radius: hasNumbers(c?.radius_nm),
        rows: finite(rowsOf({...c, value: c?.radius_nm ?? c?.intensity},
            ["time_s", "value", "model"]), "time_s", "value")})).filter((c) => c.rows.length > 3);
}

const singleCrystals = {
    id: "single-crystals",
    title: "Single crystals and their law",
    wide: true,
    missing: (ctx) => (crystalCurves(ctx).length ? undefined : ""),
    caption: (ctx) => `${plural(crystalCurves(ctx).length, "crystal")} of those fitted: `
        + `${crystalCurves(ctx)[0].radius ? "radius in nm" : "intensity in counts"} as it was seen `
        + "(circles) and by the law (line). Points far below the line are blinking.",
    rows: (ctx) => crystalCurves(ctx).flatMap((c) => c.rows.map((r) => ({track: c.track, ...r}))),
    draw: (ctx, width) => [grid(width, 220, crystalCurves(ctx).map((c) => (w) => panel({
        width: w, height: 160, heading: `Crystal ${c.track}`, margin: {left: 46, top: 30},
        label: `Crystal ${c.track} over time, with its law`,
        x: {domain: extent(c.rows.map((r) => r.time_s), {pad: 0.02}), label: "time (s)", ticks: 4},
        y: {domain: extent(c.rows.flatMap((r) => [r.value, r.model]), {include: [0]}),
            label: null, ticks: 3},
        marks: [
            Plot.dot(sparse(c.rows, 120), {x: "time_s", y: "value", r: 1.7,
                stroke: "var(--data)"}),
            Plot.line(finite(c.rows, "model"), {x: "time_s", y: "model", stroke: "var(--ink)",
                strokeWidth: 1.6})
        ]
    })), {most: 4})]
};

const durationBins = (d) => list(d?.histogram?.count).map((n, i) => ({n,
    from: d.histogram.edge_s[i], to: d.histogram.edge_s[i + 1]})).filter((b) =>
    isNumber(b.from) && isNumber(b.to));

const crystalDurations = {
    id: "growth-durations",
    title: "Fast and slow growth",
    missing: (ctx) => (durationBins(ctx.study?.diffusion?.durations?.fast_s).length
        ? undefined : ""),
    caption(ctx) {
        const d = ctx.study.diffusion.durations;
        return `Fast growth ends at ${show(100 * d.split)} % of the final radius, slow growth at `
            + `${show(100 * d.end)} %; medians ${show(d.fast_s?.value)}`
            + `${range(d.fast_s?.lower, d.fast_s?.upper)} and ${show(d.slow_s?.value)}`
            + `${range(d.slow_s?.lower, d.slow_s?.upper)} s.`;
    },
    rows: (ctx) => ["fast_s", "slow_s"].flatMap((kind) =>
        durationBins(ctx.study.diffusion.durations[kind]).map((b) => ({kind, from_s: b.from,
            to_s: b.to, crystals: b.n}))),
    draw(ctx, width) {
        const d = ctx.study.diffusion.durations;
        const sets = [["fast_s", "var(--hyper)", "fast"], ["slow_s", "var(--super)", "slow"]]
            .map(([key, color, name]) => ({color, name, bins: durationBins(d[key])}));
        const all = sets.flatMap((s) => s.bins);
        return [
            legend(sets.map((s) => ["swatch", s.color, s.name]), width),
            panel({
                width, label: "Histogram of the durations of fast and slow growth",
                x: {domain: [0, d3.max(all, (b) => b.to) || 1], label: "duration (s)"},
                y: {domain: [0, d3.max(all, (b) => b.n) * 1.08 || 1], label: "crystals"},
                marks: sets.flatMap((s) => [
                    Plot.rect(s.bins, {x1: "from", x2: "to", y1: 0, y2: "n", fill: s.color,
                        fillOpacity: 0.35}),
                    Plot.line(s.bins.flatMap((b) => [{t: b.from, n: b.n}, {t: b.to, n: b.n}]),
                        {x: "t", y: "n", stroke: s.color, strokeWidth: 1.6})
                ])
            })
        ];
    }
};

const ENERGY_KEYS = ["time_s", "nucleation", "growth", "total"];
const energyRows = (ctx) => finite(rowsOf(ctx.study?.energy?.series, ENERGY_KEYS), ...ENERGY_KEYS);
const ENERGY_LINES = [["nucleation", "var(--truth)", "nucleation"],
    ["growth", "var(--hyper)", "growth"], ["total", "var(--super)", "total"]];

function energyPanel(rows, until, where, t, width) {
    const interval = [t].filter((one) => isNumber(one?.time_lower_s)
        && one?.time_upper_s <= until);
    const near = rows.filter((r) => r.time_s <= until);
    const lines = ENERGY_LINES.map(([key]) => near.map((r) => r[key])).flat();
    const unit = scaleOf(lines);
    return panel({
        width, heading: `Energy (${unit.text}G*), ${where}`,
        label: `Free energy of the crystals against time, ${where}`,
        x: {domain: extent(near.map((r) => r.time_s), {pad: 0.01}), label: "time (s)"},
        y: {domain: extent(lines.map((v) => v * unit.factor), {include: [0]}), label: null},
        marks: [
            Plot.rectX(interval, {x1: "time_lower_s", x2: "time_upper_s", fill: "var(--super)",
                fillOpacity: 0.12}),
            Plot.ruleY([0], {stroke: "var(--muted)"}),
            ...ENERGY_LINES.map(([key, color]) => Plot.line(near.map((r) => ({t: r.time_s,
                v: r[key] * unit.factor})), {x: "t", y: "v", stroke: color, strokeWidth: 2}))
        ]
    });
}

const crystalEnergy = {
    id: "free-energy-of-crystals",
    title: "Free energy of nucleation and growth",
    wide: true,
    missing: (ctx) => (energyRows(ctx).length > 3 ? undefined : ""),
    caption(ctx) {
        const t = ctx.study.energy.transition;
        return (isNumber(t?.time_s) ? `The total falls below zero at ${show(t.time_s)} s`
            + `${range(t.time_lower_s, t.time_upper_s)}, when the first crystal has `
            + `${show(t.radius_nm)} nm${range(t.radius_lower_nm, t.radius_upper_nm)} (right: the `
            + "beginning, the interval of its time shaded). " : "")
            + "In units of G*, the barrier of one nucleus.";
    },
    rows: energyRows,
    draw(ctx, width) {
        const rows = energyRows(ctx);
        const t = number(ctx.study.energy.transition?.time_s);
        const last = lastOf(rows).time_s;
        return [
            legend(ENERGY_LINES.map(([, color, name]) => ["line", color, name]), width),
            grid(width, 300, [
                (w) => energyPanel(rows, last, "the whole run", undefined, w),
                ...(isNumber(t) ? [(w) => energyPanel(rows, Math.min(1.6 * t, last),
                    "around the transition", ctx.study.energy.transition, w)] : [])
            ])
        ];
    }
};

const OVERLAP_KEYS = ["time_s", "births_per_s", "volume_nm3"];

/** N'/N and V'/V over time, each as a share of its highest. */
function overlapRows(ctx) {
    const rows = finite(rowsOf(ctx.study?.energy?.series, OVERLAP_KEYS), ...OVERLAP_KEYS);
    const grown = rows.map((r, i) => (i === 0 ? 0 : (r.volume_nm3 - rows[i - 1].volume_nm3)
        / (r.time_s - rows[i - 1].time_s)));
    const most = [d3.max(rows, (r) => r.births_per_s) || 1, d3.max(grown) || 1];
    return rows.map((r, i) => ({time_s: r.time_s, births: r.births_per_s / most[0],
        growth: grown[i] / most[1]}));
}

const crystalOverlap = {
    id: "overlap-of-nucleation-and-growth",
    title: "Nucleation beside growth",
    missing: (ctx) => (overlapRows(ctx).length > 3 ? undefined : ""),
    caption(ctx) {
        const o = ctx.study.energy.overlaps;
        const share = (v) => (isNumber(v) ? 100 * v : undefined);
        return "Births and the growth of all crystals' volume a second, each over its highest; the "
            + `bars hold the middle part of both and share ${show(o?.common_s)} s`
            + `${range(o?.common_lower_s, o?.common_upper_s)}, `
            + `${show(share(o?.windows))} %${range(share(o?.windows_lower),
                share(o?.windows_upper))} of their union.`;
    },
    rows: overlapRows,
    draw(ctx, width) {
        const rows = overlapRows(ctx);
        const bars = [["nucleation", "var(--truth)", 1.1], ["growth", "var(--hyper)", 1.2]]
            .map(([key, color, y]) => ({...ctx.study.energy.overlaps?.[key], color, y}))
            .filter((b) => isNumber(b.from_s) && isNumber(b.to_s));
        return [
            legend([["line", "var(--truth)", "births"], ["line", "var(--hyper)",
                "growth of volume"]], width),
            panel({
                width, label: "Births and growth of volume against time",
                x: {domain: extent(rows.map((r) => r.time_s), {pad: 0.01}), label: "time (s)"},
                y: {domain: [0, 1.3], label: "part of the highest rate"},
                marks: [
                    ...bars.map((b) => Plot.ruleY([b], {x1: "from_s", x2: "to_s", y: "y",
                        stroke: b.color, strokeWidth: 5})),
                    Plot.line(rows, {x: "time_s", y: "births", stroke: "var(--truth)",
                        strokeWidth: 2}),
                    Plot.line(rows, {x: "time_s", y: "growth", stroke: "var(--hyper)",
                        strokeWidth: 2})
                ]
            })
        ];
    }
};

const rateCurve = (ctx) => finite(rowsOf(ctx.study?.energy?.rate_curve,
    ["radius_nm", "rate_nm_per_s"]), "radius_nm", "rate_nm_per_s");

const crystalRates = {
    id: "growth-rate-of-radius",
    title: "Growth rate by size",
    missing: (ctx) => (rateCurve(ctx).length > 3 ? undefined : ""),
    caption: (ctx) => "dr/dt by Sugimoto's law: zero at the critical radius "
        + `${show(ctx.study.energy.rate_curve.critical_nm)} nm, greatest at twice that, `
        + `${show(ctx.study.energy.rate_curve.maximum?.radius_nm)} nm, where it is `
        + `${show(ctx.study.energy.rate_curve.maximum?.rate_nm_per_s)}`
        + `${range(ctx.study.energy.rate_curve.maximum?.rate_lower_nm_per_s,
            ctx.study.energy.rate_curve.maximum?.rate_upper_nm_per_s)} nm/s; sizes focus beyond `
        + "(shaded). The critical radius is given, not fitted.",
    rows: rateCurve,
    draw(ctx, width) {
        const curve = ctx.study.energy.rate_curve;
        const rows = rateCurve(ctx).filter((r) => r.radius_nm >= 0.85 * curve.critical_nm);
        const domain = extent(rows.map((r) => r.radius_nm), {pad: 0});
        return [panel({
            width, label: "Growth rate of the radius against the radius",
            x: {domain, label: "radius (nm)"},
            y: {domain: extent(rows.map((r) => r.rate_nm_per_s)), label: "dr/dt (nm/s)"},
            marks: [
                Plot.rectX([{from: curve.focusing_from_nm, to: domain[1]}], {x1: "from", x2: "to",
                    fill: "var(--hyper)", fillOpacity: 0.09}),
                Plot.ruleY([0], {stroke: "var(--muted)"}),
                Plot.line(rows, {x: "radius_nm", y: "rate_nm_per_s", stroke: "var(--ink)",
                    strokeWidth: 2}),
                Plot.ruleX([curve.focusing_from_nm], {stroke: "var(--muted)",
                    strokeDasharray: "3 3"})
            ]
        })];
    }
};

const relationRows = (ctx) => finite(rowsOf(ctx.study?.radius?.curve,
    ["radius_nm", "relative_intensity", "power"]), "radius_nm", "relative_intensity")
    .filter((r) => r.relative_intensity > 0);

const crystalRelation = {
    id: "intensity-of-radius",
    title: "Intensity by size",
    missing: (ctx) => (relationRows(ctx).length > 3 ? undefined : ""),
    caption: (ctx) => "The relation that made radii of intensities, nucgrow's own: sizing "
        + `${ctx.study.radius.radii?.relation?.sizing ?? "unknown"}.`,
    rows: relationRows,
    draw: (ctx, width) => [panel({
        width, label: "Relative intensity of a crystal against its radius",
        x: {domain: extent(relationRows(ctx).map((r) => r.radius_nm), {pad: 0}),
            label: "radius (nm)"},
        y: {domain: extent(relationRows(ctx).map((r) => r.relative_intensity), {log: true}),
            log: true, label: "I / I₀"},
        marks: [Plot.line(relationRows(ctx), {x: "radius_nm", y: "relative_intensity",
            stroke: "var(--data)", strokeWidth: 2})]
    })]
};

const SPECTRA_KEYS = ["time_s", "peak_nm", "peak_se_nm", "radius_nm", "radius_se_nm"];
const spectraRows = (ctx) => finite(rowsOf(ctx.study?.radius?.spectra, SPECTRA_KEYS), "time_s",
    "peak_nm");

/** Points with their errors, as [time_s, key] of the rows. */
function spectraPanel(rows, key, label, width) {
    const seen = finite(rows, "time_s", key).map((r) => ({t: r.time_s, v: r[key],
        low: r[key] - (r[key.replace("_nm", "_se_nm")] ?? 0),
        high: r[key] + (r[key.replace("_nm", "_se_nm")] ?? 0)}));
    return panel({
        width, heading: label, label: `${label} against time`,
        x: {domain: extent(rows.map((r) => r.time_s), {pad: 0.02}), label: "time (s)"},
        y: {domain: extent(seen.flatMap((r) => [r.low, r.high])), label: null},
        marks: [
            Plot.ruleX(seen, {x: "t", y1: "low", y2: "high", stroke: "var(--data)"}),
            Plot.dot(seen, {x: "t", y: "v", r: 2.2, stroke: "var(--data)"})
        ]
    });
}

const crystalSpectra = {
    id: "emission-spectra",
    title: "Emission over time",
    wide: true,
    missing: (ctx) => (spectraRows(ctx).length > 1 ? undefined : ""),
    caption(ctx) {
        const rows = spectraRows(ctx), sized = finite(rows, "radius_nm");
        return `The peak goes from ${show(rows[0].peak_nm)} to ${show(lastOf(rows).peak_nm)} nm. `
            + (sized.length ? `By sizing ${ctx.study.radius.relation?.sizing ?? "unknown"} that `
                + `is ${show(sized[0].radius_nm)} to ${show(lastOf(sized).radius_nm)} nm `
                + `(${sized.length} of ${list(ctx.study.radius.spectra?.time_s).length} spectra `
                + "have a radius)." : "By this sizing none of them has a radius.")
            + " Bars: one standard error.";
    },
    rows: spectraRows,
    draw: (ctx, width) => [grid(width, 300, [
        (w) => spectraPanel(spectraRows(ctx), "peak_nm", "Peak (nm)", w),
        ...(finite(spectraRows(ctx), "radius_nm").length > 1
            ? [(w) => spectraPanel(spectraRows(ctx), "radius_nm", "Radius (nm)", w)] : [])
    ])]
};

const crystalFigures = {
    title: "Crystals one by one and together",
    lead: "From tracked fluorescent crystals: when they are born, how each grows, and what both "
        + "cost in free energy.",
    figures: [crystalNumbers, crystalBirths, crystalHistograms, crystalAvrami, crystalDurations,
        singleCrystals, crystalEnergy, crystalOverlap, crystalRates, crystalRelation,
        crystalSpectra]
};
