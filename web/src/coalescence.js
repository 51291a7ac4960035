// Coalescence: what is left of the particles, how often they merge, when, at which sizes.

const coalescenceOf = (ctx) => ctx.study?.coalescence;

const COALESCENCE_KEYS = ["time_s", "surviving", "surviving_model", "surviving_model_lower",
    "surviving_model_upper", "rate", "merging_per_s", "merging_lower_per_s", "merging_upper_per_s",
    "event_density_per_s", "event_cumulative", "contact_nm", "contact_se_nm", "contact_law_nm",
    "diffusion_nm2_per_s", "diffusion_se_nm2_per_s", "diffusion_law_nm2_per_s", "propensity_per_s"];
const coalescenceRows = (ctx) => finite(rowsOf(coalescenceOf(ctx)?.series, COALESCENCE_KEYS),
    "time_s");
const mergesOf = (ctx) => list(coalescenceOf(ctx)?.merges).filter((m) => isNumber(m?.time_s));
const timeAxis = (rows) => ({domain: extent(rows.map((r) => r.time_s), {pad: 0.01}),
    label: "time (s)"});
const hasColumn = (rows, ...keys) => finite(rows, ...keys).length > 2;

// ---- particles that are left ------------------------------------------------------------------

const survivingParticles = {
    id: "surviving",
    title: "Particles that are left",
    missing: (ctx) => (hasColumn(coalescenceRows(ctx), "surviving", "surviving_model") ? undefined
        : "particles that are left (`series.surviving`)"),
    caption(ctx) {
        const {rms_surviving_fraction: rms, count: counted} = coalescenceOf(ctx);
        return "A(t): particles seen so far less what merging took, over those of the first frame, "
            + (counted === "pairs" ? "one for each pair that became one (a triple takes three, as "
                + "published). " : "one for each merge. ")
            + `The only curve that was fitted; misfit ${show(rms, 2)} (root mean square).`;
    },
    rows: (ctx) => coalescenceRows(ctx).map((r) => ({time_s: r.time_s, surviving: r.surviving,
        model: r.surviving_model, lower: r.surviving_model_lower,
        upper: r.surviving_model_upper})),
    draw(ctx, width) {
        const rows = coalescenceRows(ctx);
        const band = finite(rows, "surviving_model_lower", "surviving_model_upper");
        return [
            legend([["dot", "var(--data)", "seen"], ["line", "var(--ink)", "fit"],
                band.length && ["band", "var(--ink)", "its band"],
                ["thin", "var(--super)", "merges"]], width),
            panel({
                width, label: "Surviving fraction of the particles against time, with the fit",
                x: timeAxis(rows),
                y: {domain: extent(rows.flatMap((r) => [r.surviving, r.surviving_model,
                    r.surviving_model_lower, r.surviving_model_upper])), label: "A(t) (no unit)"},
                marks: [
                    Plot.tickX(mergesOf(ctx), {x: "time_s", stroke: "var(--super)",
                        strokeOpacity: 0.5, insetTop: 185, clip: true}),
                    Plot.areaY(band, {x: "time_s", y1: "surviving_model_lower",
                        y2: "surviving_model_upper", fill: "var(--ink)", fillOpacity: 0.15}),
                    Plot.dot(finite(sparse(rows, 150), "surviving"), {x: "time_s", y: "surviving",
                        r: 2, stroke: "var(--data)"}),
                    Plot.line(finite(rows, "surviving_model"), {x: "time_s", y: "surviving_model",
                        stroke: "var(--ink)", strokeWidth: 1.8})
                ]
            })
        ];
    }
};

// ---- the rate ---------------------------------------------------------------------------------

/** What the merges themselves say of c k_f: those of a stretch of time, over its length and A^2,
 *  with the square root of their number as error. */
function countedRates(ctx) {
    const rows = finite(coalescenceRows(ctx), "surviving");
    const first = number(list(coalescenceOf(ctx)?.series?.seen)[0]);
    const pairs = coalescenceOf(ctx)?.count === "pairs";
    if (rows.length < 3 || !(first > 0)) return [];
    const [from, to] = d3.extent(rows, (r) => r.time_s);
    const wide = Math.max((to - from) / 24, rows[1].time_s - rows[0].time_s);
    return d3.range(Math.ceil((to - from) / wide)).map((k) => {
        const inside = (t) => t >= from + k * wide && t < from + (k + 1) * wide;
        const merges = mergesOf(ctx).filter((m) => inside(m.time_s));
        const taken = d3.sum(merges, (m) => (pairs ? m.pairs ?? 1 : 1));
        const left = d3.mean(rows.filter((r) => inside(r.time_s)), (r) => r.surviving);
        const unit = first * wide * left * left;
        return {time_s: from + (k + 0.5) * wide, merges: merges.length, taken,
            rate: taken / unit, lower: Math.max(0, taken - Math.sqrt(taken)) / unit,
            upper: (taken + Math.sqrt(taken)) / unit};
    }).filter((d) => isNumber(d.rate));
}

/** The same model were its propensity that of the smallest particles throughout. */
function counterfactualRows(ctx) {
    const c = number(coalescenceOf(ctx)?.parameters?.pair_density?.value);
    return finite(rowsOf({time_s: coalescenceOf(ctx)?.series?.time_s,
        rate: coalescenceOf(ctx)?.size_independent?.rate}, ["time_s", "rate"]), "time_s", "rate")
        .map((r) => ({time_s: r.time_s, merging: c * r.rate})).filter((r) => isNumber(r.merging));
}

function mergingPanel(rows, counted, whatIf, width) {
    const values = [...rows.flatMap((r) => [r.merging_per_s, r.merging_upper_per_s]),
        ...counted.flatMap((d) => [d.upper])];
    const unit = scaleOf(values);
    const scaled = (v) => v * unit.factor;
    const band = finite(rows, "merging_lower_per_s", "merging_upper_per_s");
    return panel({
        width, label: "Rate of coalescence against time", heading: "as fitted",
        x: timeAxis(rows),
        y: {domain: extent(values.map(scaled), {include: [0]}), label: null},
        marks: [
            Plot.areaY(band, {x: "time_s", y1: (r) => scaled(r.merging_lower_per_s),
                y2: (r) => scaled(r.merging_upper_per_s), fill: "var(--ink)", fillOpacity: 0.15}),
            whatIf && Plot.line(whatIf, {x: "time_s", y: (r) => scaled(r.merging),
                stroke: "var(--super)", strokeDasharray: "5 3", strokeWidth: 1.6, clip: true}),
            Plot.ruleX(counted.filter((d) => d.merges), {x: "time_s", y1: (d) => scaled(d.lower),
                y2: (d) => scaled(d.upper), stroke: "var(--data)"}),
            Plot.dot(counted, {x: "time_s", y: (d) => scaled(d.rate), r: 3,
                stroke: "var(--data)", fill: "var(--panel)"}),
            Plot.line(finite(rows, "merging_per_s"), {x: "time_s",
                y: (r) => scaled(r.merging_per_s), stroke: "var(--ink)", strokeWidth: 1.8}),
            Plot.text([`c·kf (${unit.text}s⁻¹)`], {frameAnchor: "top-right", dx: 12, dy: -24,
                lineAnchor: "top"})
        ]
    });
}

function counterfactualPanel(rows, whatIf, width) {
    const values = [...rows.map((r) => r.merging_per_s), ...whatIf.map((r) => r.merging)];
    const unit = scaleOf(values);
    return panel({
        width, label: "Rate of coalescence were it the same at every size",
        heading: "were size no matter", x: timeAxis(rows),
        y: {domain: extent(values.map((v) => v * unit.factor), {include: [0]}), label: null},
        marks: [
            Plot.line(whatIf, {x: "time_s", y: (r) => r.merging * unit.factor,
                stroke: "var(--super)", strokeDasharray: "5 3", strokeWidth: 1.8}),
            Plot.line(finite(rows, "merging_per_s"), {x: "time_s",
                y: (r) => r.merging_per_s * unit.factor, stroke: "var(--ink)", strokeWidth: 1.8}),
            Plot.text([`c·kf (${unit.text}s⁻¹)`], {frameAnchor: "top-right", dx: 12, dy: -24,
                lineAnchor: "top"})
        ]
    });
}

const coalescenceRate = {
    id: "coalescence-rate",
    title: "How often they merge",
    wide: true,
    missing: (ctx) => (hasColumn(coalescenceRows(ctx), "merging_per_s") ? undefined
        : "the rate of coalescence (`series.merging_per_s`)"),
    caption(ctx) {
        const rows = finite(coalescenceRows(ctx), "merging_per_s");
        const peak = rows[d3.maxIndex(rows, (r) => r.merging_per_s)];
        const other = coalescenceOf(ctx).size_independent;
        return "k_f(t) times the density of pairs c, which is all that the number of particles "
            + `shows; it peaks at ${seconds(peak.time_s)}. Circles: merges counted in stretches of `
            + "time, over A² (bars: the square root of their number). Dashed: did large particles "
            + "coalesce as readily as small ones, merging would go on"
            + (isNumber(other?.merges_per_particle)
                ? ` (${show(other.merges_per_particle, 2)} merges a particle).` : ".");
    },
    rows: (ctx) => {
        const whatIf = counterfactualRows(ctx);
        return [
            ...coalescenceRows(ctx).map((r, i) => ({time_s: r.time_s, k_f_nm3_per_s: r.rate,
                c_k_f_per_s: r.merging_per_s, lower: r.merging_lower_per_s,
                upper: r.merging_upper_per_s, size_independent_per_s: whatIf[i]?.merging})),
            ...countedRates(ctx).map((d) => ({time_s: d.time_s, counted_per_s: d.rate,
                lower: d.lower, upper: d.upper, merges: d.merges}))
        ];
    },
    draw(ctx, width) {
        const rows = coalescenceRows(ctx);
        const whatIf = counterfactualRows(ctx);
        const counted = countedRates(ctx);
        const inset = whatIf.length > 2;
        return [
            legend([["dot", "var(--data)", "merges counted"], ["line", "var(--ink)", "model"],
                hasColumn(rows, "merging_lower_per_s") && ["band", "var(--ink)", "its band"],
                inset && ["dash", "var(--super)", "propensity independent of size"]], width),
            grid(width, 300, [(w) => mergingPanel(rows, counted, whatIf, w),
                ...(inset ? [(w) => counterfactualPanel(rows, whatIf, w)] : [])], {most: 2})
        ];
    }
};

// ---- times of merges --------------------------------------------------------------------------

/** Bars of unit area. */
function bars(values, domain, count) {
    const bin = d3.bin().domain(domain).thresholds(d3.range(1, count).map((k) =>
        domain[0] + (domain[1] - domain[0]) * k / count));
    return bin(values).map((b) => ({from: b.x0, to: b.x1, merges: b.length,
        density: b.length / values.length / (b.x1 - b.x0)})).filter((b) => b.to > b.from);
}

const mergingTimes = {
    id: "merging-times",
    title: "When they merge",
    missing: (ctx) => (mergesOf(ctx).length > 1
        && hasColumn(coalescenceRows(ctx), "event_density_per_s") ? undefined
        : "the times of merges (`series.event_density_per_s`)"),
    caption(ctx) {
        const p = coalescenceOf(ctx).event_times?.probability;
        const q = list(coalescenceOf(ctx).event_time_quartiles_s);
        const m = list(coalescenceOf(ctx).event_time_quartiles_model_s);
        return "Bars: merges seen; line: the density k_f A² of the model, predicted, not fitted. "
            + (q.length === 3 && m.length === 3 ? `Half of the merges lie between ${show(q[0])} and `
                + `${show(q[2])} s, by the model between ${show(m[0])} and ${show(m[2])} s. ` : "")
            + (isNumber(p) ? `Kolmogorov–Smirnov p = ${show(p, 2)}`
                + `${p < 0.05 ? ": the two differ." : ": no contradiction."}` : "");
    },
    rows: (ctx) => [
        ...coalescenceRows(ctx).map((r) => ({time_s: r.time_s,
            density_per_s: r.event_density_per_s})),
        ...timeBars(ctx).map((b) => ({from_s: b.from, to_s: b.to, merges: b.merges,
            density_per_s: b.density}))
    ],
    draw(ctx, width) {
        const rows = coalescenceRows(ctx);
        const drawn = timeBars(ctx);
        return [
            legend([["swatch", "var(--data)", "merges"],
                ["line", "var(--ink)", "model, predicted"]], width),
            panel({
                width, label: "Density of the times of merges, seen and predicted",
                x: timeAxis(rows),
                y: {domain: extent([...drawn.map((b) => b.density),
                    ...rows.map((r) => r.event_density_per_s)], {include: [0]}),
                label: "density (1/s)"},
                marks: [
                    Plot.rect(drawn, {x1: "from", x2: "to", y1: 0, y2: "density",
                        fill: "var(--data)", fillOpacity: 0.45, insetLeft: 0.5, insetRight: 0.5}),
                    Plot.line(finite(rows, "event_density_per_s"), {x: "time_s",
                        y: "event_density_per_s", stroke: "var(--ink)", strokeWidth: 1.8})
                ]
            })
        ];
    }
};

function timeBars(ctx) {
    const times = mergesOf(ctx).map((m) => m.time_s);
    return bars(times, d3.extent(coalescenceRows(ctx), (r) => r.time_s), 24);
}

// ---- sizes at contact -------------------------------------------------------------------------

const radiusSums = (ctx) => finite(mergesOf(ctx).map((m) => ({time_s: m.time_s,
    radius_sum_nm: number(m.radius_sum_nm), distance_nm: number(m.distance_nm)})),
"radius_sum_nm");
const predictedSums = (ctx) => finite(rowsOf(coalescenceOf(ctx)?.radius_sum, ["radius_sum_nm",
    "density_per_nm", "density_of_mean_per_nm"]), "radius_sum_nm", "density_per_nm");

function sumTimePanel(ctx, domain, width) {
    const rows = coalescenceRows(ctx);
    return panel({
        width, label: "Sum of radii at each merge against its time", x: timeAxis(rows),
        y: {domain, label: "sum of radii (nm)"},
        marks: [
            Plot.line(finite(rows, "contact_law_nm"), {x: "time_s", y: "contact_law_nm",
                stroke: "var(--muted)", strokeWidth: 1.6, clip: true}),
            Plot.dot(radiusSums(ctx), {x: "time_s", y: "radius_sum_nm", r: 3.2,
                stroke: "var(--data)", clip: true})
        ]
    });
}

function sumDensityPanel(ctx, domain, width) {
    const drawn = bars(radiusSums(ctx).map((m) => m.radius_sum_nm), domain, 16);
    const curve = predictedSums(ctx).filter((d) => d.radius_sum_nm >= domain[0]
        && d.radius_sum_nm <= domain[1]);
    return panel({
        width, label: "Density of the sum of radii at contact, seen and predicted",
        x: {domain, label: "sum of radii (nm)"},
        y: {domain: extent([...drawn, ...curve].map((d) => d.density ?? d.density_per_nm),
            {include: [0]}), label: "density (1/nm)"},
        marks: [
            Plot.rect(drawn, {x1: "from", x2: "to", y1: 0, y2: "density", fill: "var(--data)",
                fillOpacity: 0.45, insetLeft: 0.5, insetRight: 0.5}),
            Plot.line(curve, {x: "radius_sum_nm", y: "density_per_nm", stroke: "var(--ink)",
                strokeWidth: 1.8})
        ]
    });
}

const sizesAtContact = {
    id: "radius-sums",
    title: "Sizes at which they merge",
    wide: true,
    missing: (ctx) => (radiusSums(ctx).length > 1 && predictedSums(ctx).length > 2 ? undefined
        : "the sums of radii at contact (`radius_sum`)"),
    caption(ctx) {
        const sums = radiusSums(ctx).map((m) => m.radius_sum_nm);
        const c = coalescenceOf(ctx).parameters?.sigma_c;
        return `Sum of the two radii when both were last seen apart: ${show(d3.mean(sums))} ± `
            + `${show(d3.deviation(sums), 2)} nm. Grey: the mean over all pairs, σ(t). Right: the `
            + "density that the model predicts from the spread of sizes"
            + (isNumber(c?.value) ? `; half of the propensity is lost at ${show(c.value)} nm.` : ".");
    },
    rows: (ctx) => [...radiusSums(ctx), ...predictedSums(ctx)],
    draw(ctx, width) {
        const domain = extent(radiusSums(ctx).map((m) => m.radius_sum_nm), {pad: 0.25});
        return [
            legend([["dot", "var(--data)", "merges"], ["line", "var(--muted)", "mean of all pairs"],
                ["line", "var(--ink)", "model, predicted"]], width),
            grid(width, 300, [(w) => sumTimePanel(ctx, domain, w),
                (w) => sumDensityPanel(ctx, domain, w)], {most: 2})
        ];
    }
};

// ---- three merges -----------------------------------------------------------------------------

const mergeExamples = (ctx) => list(coalescenceOf(ctx)?.examples).map((e) => ({
    time_s: number(e?.time_s),
    sets: [["ends", "var(--super)"], ["goes_on", "var(--data)"]].map(([key, color]) => ({color,
        track: e?.[key]?.track, key,
        rows: finite(rowsOf(e?.[key], ["time_s", "radius_nm"]), "time_s", "radius_nm")}))
})).filter((e) => e.sets.every((one) => one.rows.length > 1));

const examplesOfMerges = {
    id: "merge-examples",
    title: "Three merges",
    wide: true,
    missing: (ctx) => (mergeExamples(ctx).length ? undefined : ""),
    caption: () => "Radius of the particle that ends in another and of that other: an early, a middle "
        + "and a late merge (dashed).",
    rows: (ctx) => mergeExamples(ctx).flatMap((e) => e.sets.flatMap((one) => one.rows.map((r) => ({
        merge_s: e.time_s, track: one.track, ...r})))),
    draw(ctx, width) {
        const all = mergeExamples(ctx).flatMap((e) => e.sets.flatMap((one) => one.rows));
        return [
            legend([["line", "var(--super)", "ends in the other"],
                ["line", "var(--data)", "goes on"]], width),
            grid(width, 230, mergeExamples(ctx).map((e) => (w) => panel({
                width: w, height: 190, heading: `merge at ${seconds(e.time_s)}`,
                label: `Radii of two particles that merge at ${seconds(e.time_s)}`,
                margin: {left: 40},
                x: {...timeAxis(all), ticks: 4},
                y: {domain: extent(all.map((r) => r.radius_nm), {include: [0]}), label: null,
                    ticks: 4},
                marks: [
                    Plot.ruleX([e.time_s], {stroke: "var(--muted)", strokeDasharray: "3 3"}),
                    ...e.sets.toReversed().map((one) => Plot.line(one.rows, {x: "time_s",
                        y: "radius_nm", stroke: one.color, strokeWidth: 1.5})),
                    Plot.text(["radius (nm)"], {frameAnchor: "top-right", dx: 12, dy: -24,
                        lineAnchor: "top"})
                ]
            })), {most: 3})
        ];
    }
};

// ---- motion, size, propensity -----------------------------------------------------------------

function withErrors(rows, key, error) {
    return finite(rows, key).map((r) => ({time_s: r.time_s, v: r[key],
        lower: r[key] - number(r[error]), upper: r[key] + number(r[error])}));
}

function diffusionPanel(rows, width) {
    const first = rows[0].time_s;
    const log = (points) => points.filter((d) => d.v > 0);
    const drawn = log(withErrors(rows, "diffusion_nm2_per_s", "diffusion_se_nm2_per_s"))
        .filter((d) => d.time_s > first);
    const law = log(finite(rows, "diffusion_law_nm2_per_s").map((r) => ({time_s: r.time_s,
        v: r.diffusion_law_nm2_per_s}))).filter((d) => d.time_s > 0);
    const y = extent([...drawn, ...law].map((d) => d.v), {log: true});
    const barsOf = drawn.filter((d) => d.lower > y[0] && d.upper < y[1]);
    const x = extent([...drawn, ...law].map((d) => d.time_s), {log: true, pad: 0.02});
    return panel({
        width, heading: "relative diffusion Dr (nm² s⁻¹)",
        label: "Relative diffusion coefficient against time, logarithmic axes",
        x: {domain: x, log: true, label: "time (s)"}, y: {domain: y, log: true, label: null},
        marks: [
            Plot.ruleX(barsOf, {x: "time_s", y1: "lower", y2: "upper", stroke: "var(--data)",
                strokeOpacity: 0.35}),
            Plot.dot(sparse(drawn, 120), {x: "time_s", y: "v", r: 2, stroke: "var(--data)"}),
            Plot.line(law, {x: "time_s", y: "v", stroke: "var(--ink)", strokeWidth: 1.8})
        ]
    });
}

function contactPanel(rows, width) {
    const drawn = withErrors(rows, "contact_nm", "contact_se_nm");
    const law = finite(rows, "contact_law_nm");
    return panel({
        width, heading: "mean sum of two radii σ (nm)", label: "Mean sum of two radii against time",
        x: timeAxis(rows),
        y: {domain: extent([...drawn.flatMap((d) => [d.v, d.lower, d.upper]),
            ...law.map((r) => r.contact_law_nm)]), label: null},
        marks: [
            Plot.ruleX(finite(drawn, "lower"), {x: "time_s", y1: "lower", y2: "upper",
                stroke: "var(--data)", strokeOpacity: 0.35}),
            Plot.dot(sparse(drawn, 120), {x: "time_s", y: "v", r: 2, stroke: "var(--data)"}),
            Plot.line(law, {x: "time_s", y: "contact_law_nm", stroke: "var(--ink)",
                strokeWidth: 1.8})
        ]
    });
}

function propensityPanel(rows, width) {
    const drawn = finite(rows, "contact_law_nm", "propensity_per_s");
    const most = d3.max(drawn, (r) => r.propensity_per_s) || 1;
    return panel({
        width, heading: "propensity κ, over its largest",
        label: "Propensity to coalesce against the sum of radii",
        x: {domain: extent(drawn.map((r) => r.contact_law_nm), {pad: 0.02}), label: "σ (nm)"},
        y: {domain: [0, 1.06], label: null},
        marks: [Plot.line(drawn, {x: "contact_law_nm", y: (r) => r.propensity_per_s / most,
            stroke: "var(--ink)", strokeWidth: 1.8})]
    });
}

const motionOfPairs = {
    id: "pair-motion",
    title: "Why they begin and cease to merge",
    wide: true,
    missing: (ctx) => (hasColumn(coalescenceRows(ctx), "contact_law_nm", "propensity_per_s",
        "diffusion_law_nm2_per_s") ? undefined
        : "laws of diffusion and size (`series.contact_law_nm`)"),
    caption(ctx) {
        const law = coalescenceOf(ctx).laws?.diffusion;
        return "Pairs must first meet, ever more slowly, since diffusion slackens as particles grow"
            + (isNumber(law?.power) ? ` (about t to the −${show(law.power, 2)} at long times)` : "")
            + "; and large ones coalesce no more. Points: from the tracks, drift taken out; lines: "
            + "laws through them (right: fitted to A(t)).";
    },
    rows: (ctx) => coalescenceRows(ctx).map((r) => ({time_s: r.time_s,
        diffusion_nm2_per_s: r.diffusion_nm2_per_s,
        diffusion_law_nm2_per_s: r.diffusion_law_nm2_per_s, contact_nm: r.contact_nm,
        contact_law_nm: r.contact_law_nm, propensity_per_s: r.propensity_per_s})),
    draw(ctx, width) {
        const rows = coalescenceRows(ctx);
        return [
            legend([["dot", "var(--data)", "from the tracks"], ["line", "var(--ink)", "law"]],
                width),
            grid(width, 280, [(w) => diffusionPanel(rows, w), (w) => contactPanel(rows, w),
                (w) => propensityPanel(rows, w)], {most: 3})
        ];
    }
};

// ---- the window of coalescence ----------------------------------------------------------------

function windowCells(ctx) {
    const map = coalescenceOf(ctx)?.window_map;
    const half = (values, i, way) => (isNumber(values[i + way])
        ? Math.sqrt(values[i] * values[i + way])
        : values[i] * Math.sqrt(values[i] / (values[i - way] ?? values[i])));
    const sizes = list(map?.size_factor);
    const limits = list(map?.sigma_c_nm);
    const value = (key, i, k) => number(list(list(map[key])[i])[k]);
    return sizes.flatMap((size, i) => limits.map((limit, k) => ({size_factor: size,
        sigma_c_nm: limit, x1: half(limits, k, -1), x2: half(limits, k, 1),
        y1: half(sizes, i, -1), y2: half(sizes, i, 1),
        merges_per_particle: value("merges_per_particle", i, k), peak_s: value("peak_s", i, k),
        from_s: value("from_s", i, k), to_s: value("to_s", i, k)})))
        .filter((d) => isNumber(d.size_factor) && isNumber(d.sigma_c_nm) && isNumber(d.x1 + d.x2)
            && isNumber(d.y1 + d.y2));
}

/** From pale to full colour; nothing merges in empty cells. */
function mapPanel(ctx, cells, {heading, key, low, high, text, color}, width) {
    const share = (d) => (high > low ? (d[key] - low) / (high - low) : 0.5);
    const drawn = cells.filter((d) => isNumber(d[key]) && d.merges_per_particle > 1e-3);
    const domain = (a, b) => [d3.min(cells, (d) => d[a]), d3.max(cells, (d) => d[b])];
    const here = coalescenceOf(ctx).parameters?.sigma_c?.value;
    const labelled = width > 330 ? drawn : [];
    return panel({
        width, height: 320, heading, label: `${heading}, over sizes and the limit of coalescence`,
        grid: false,
        x: {domain: domain("x1", "x2"), log: true, label: "σc (nm)"},
        y: {domain: domain("y1", "y2"), log: true, label: null},
        marks: [
            Plot.rect(drawn, {x1: "x1", x2: "x2", y1: "y1", y2: "y2", fill: color,
                fillOpacity: (d) => 0.06 + 0.7 * share(d), inset: 0.5}),
            Plot.text(labelled, {x: "sigma_c_nm", y: "size_factor", text: (d) => text(d[key]),
                fill: "var(--ink)", fontSize: 10}),
            Plot.dot(isNumber(here) ? [{x: here}] : [], {x: "x", y: 1, symbol: "star", r: 6, dy: -11,
                fill: "var(--star)", stroke: "var(--ink)", strokeWidth: 0.7})
        ]
    });
}

const coalescenceWindow = {
    id: "coalescence-window",
    title: "The window of coalescence",
    wide: true,
    missing: (ctx) => (windowCells(ctx).length > 3 ? undefined
        : "the map of the coalescence window (`window_map`)"),
    caption: () => "The fitted model for particles whose sizes are so many times as large "
        + "(upwards; they diffuse so much more slowly) and that coalesce up to another sum of radii "
        + "σc. Left: merges per particle; right: from when to when 90 % of the merges last, in "
        + "seconds. Empty: hardly any. The star is this movie.",
    rows: (ctx) => windowCells(ctx).map(({x1, x2, y1, y2, ...d}) => d),
    draw(ctx, width) {
        const cells = windowCells(ctx).map((d) => ({...d, lasts_s: d.to_s - d.from_s}));
        const most = (key) => d3.max(cells, (d) => (isNumber(d[key]) ? d[key] : 0));
        return [
            legend([["star", "var(--star)", "this movie"],
                ["swatch", "var(--hyper)", "more merges"],
                ["swatch", "var(--truth)", "a longer window"]], width),
            grid(width, 320, [
                (w) => mapPanel(ctx, cells, {heading: "merges per particle, by size factor",
                    key: "merges_per_particle", low: 0, high: most("merges_per_particle"),
                    text: (v) => show(v, 2), color: "var(--hyper)"}, w),
                (w) => mapPanel(ctx, cells, {heading: "length of the window (s), by size factor",
                    key: "lasts_s", low: 0, high: most("lasts_s"),
                    text: (v) => `${Math.round(v)}`, color: "var(--truth)"}, w)
            ], {most: 2})
        ];
    }
};

// ---- other densities --------------------------------------------------------------------------

const densitySets = (ctx) => list(coalescenceOf(ctx)?.initial_density).map((one) => ({
    factor: number(one?.factor), merges: number(one?.merges_per_particle),
    rows: finite(rowsOf({time_s: coalescenceOf(ctx)?.series?.time_s,
        density: one?.event_density_per_s}, ["time_s", "density"]), "time_s", "density")
})).filter((one) => one.rows.length > 2 && isNumber(one.factor));

const otherDensities = {
    id: "initial-density",
    title: "With more or fewer particles",
    missing: (ctx) => (densitySets(ctx).length > 1 ? undefined
        : "the dependence on the initial density (`initial_density`)"),
    caption: () => "Density of the times of merges, were there so many times as many particles at the "
        + "start (pairs then begin nearer by the cube root): denser particles merge earlier.",
    rows: (ctx) => densitySets(ctx).flatMap((one) => one.rows.map((r) => ({factor: one.factor,
        time_s: r.time_s, density_per_s: r.density}))),
    draw(ctx, width) {
        const sets = densitySets(ctx);
        const all = sets.flatMap((one) => one.rows);
        const name = (one) => `${show(one.factor)} times`
            + `${isNumber(one.merges) ? ` (${show(one.merges, 2)} merges a particle)` : ""}`;
        return [
            legend(sets.map((one, i) => [seriesSign(i), seriesColor(i), name(one)]), width),
            panel({
                width, label: "Density of the times of merges for other initial densities",
                x: timeAxis(all), y: {domain: extent(all.map((r) => r.density), {include: [0]}),
                    label: "density (1/s)"},
                marks: sets.map((one, i) => Plot.line(one.rows, {x: "time_s", y: "density",
                    stroke: seriesColor(i), strokeDasharray: seriesDash(i), strokeWidth: 1.6}))
            })
        ];
    }
};

// ---- what merging does to the sizes -----------------------------------------------------------

const SIZE_GROUPS = [["group_a", "var(--data)", "never merge (Group A)"],
    ["group_b", "var(--super)", "merge (Group B)"], ["all", "var(--ink)", "all"]];

const sizeGroups = (ctx) => SIZE_GROUPS.map(([key, color, name]) => {
    const one = coalescenceOf(ctx)?.sizes?.[key];
    return {key, color, name, spread: number(one?.relative_spread_at_end),
        rows: finite(rowsOf(one, ["radius_nm", "density_per_nm"]), "radius_nm", "density_per_nm")};
}).filter((one) => one.rows.length > 3);

const sizesOfGroups = {
    id: "group-sizes",
    title: "Sizes with and without merging",
    missing: (ctx) => (sizeGroups(ctx).length > 1 ? undefined
        : "sizes of those that merge and those that do not (`sizes`)"),
    caption: (ctx) => "Radii in the last frame. Relative spread: "
        + `${sizeGroups(ctx).map((one) => `${one.name} ${show(100 * one.spread)} %`).join(", ")}.`,
    rows: (ctx) => sizeGroups(ctx).flatMap((one) => one.rows.map((r) => ({group: one.key, ...r}))),
    draw(ctx, width) {
        const sets = sizeGroups(ctx);
        const all = sets.flatMap((one) => one.rows);
        return [
            legend(sets.map((one) => ["line", one.color, one.name]), width),
            panel({
                width, label: "Density of radii in the last frame by group",
                x: {domain: extent(all.map((r) => r.radius_nm), {pad: 0.01}),
                    label: "radius (nm)"},
                y: {domain: extent(all.map((r) => r.density_per_nm), {include: [0]}),
                    label: "density (1/nm)"},
                marks: sets.map((one) => Plot.line(one.rows, {x: "radius_nm", y: "density_per_nm",
                    stroke: one.color, strokeWidth: 1.8}))
            })
        ];
    }
};

const AFTER_KEYS = ["time_s", "radius_over_volume_radius", "radius_over_volume_radius_se", "others",
    "merges"];
const afterRows = (ctx) => finite(rowsOf(coalescenceOf(ctx)?.after_merge, AFTER_KEYS), "time_s",
    "radius_over_volume_radius").map((r) => ({...r,
    lower: r.radius_over_volume_radius - r.radius_over_volume_radius_se,
    upper: r.radius_over_volume_radius + r.radius_over_volume_radius_se}));

const afterMerging = {
    id: "after-merge",
    title: "Growth after a merge",
    missing: (ctx) => (afterRows(ctx).length > 3 ? undefined
        : "growth after a merge (`after_merge`)"),
    caption: () => "Radius over that of the two volumes together just before the merge, mean over the "
        + "merges with its standard error; dashed: the mean radius of particles that never merge, "
        + "over its value then.",
    rows: (ctx) => afterRows(ctx).map(({lower, upper, ...r}) => r),
    draw(ctx, width) {
        const rows = afterRows(ctx);
        return [
            legend([["line", "var(--super)", "particles that merge"],
                ["dash", "var(--data)", "particles that never do"]], width),
            panel({
                width, label: "Relative radius around a merge", x: {
                    domain: extent(rows.map((r) => r.time_s), {pad: 0.01}),
                    label: "time since the merge (s)"},
                y: {domain: extent(rows.flatMap((r) => [r.radius_over_volume_radius, r.others,
                    r.lower, r.upper])), label: "relative radius (no unit)"},
                marks: [
                    Plot.ruleX([0], {stroke: "var(--muted)"}),
                    Plot.areaY(finite(rows, "lower", "upper"), {x: "time_s", y1: "lower",
                        y2: "upper", fill: "var(--super)", fillOpacity: 0.2}),
                    Plot.line(finite(rows, "others"), {x: "time_s", y: "others",
                        stroke: "var(--data)", strokeDasharray: "5 3", strokeWidth: 1.6}),
                    Plot.line(rows, {x: "time_s", y: "radius_over_volume_radius",
                        stroke: "var(--super)", strokeWidth: 1.8})
                ]
            })
        ];
    }
};

// ---- how sure ---------------------------------------------------------------------------------

function misfitProfiles(ctx) {
    const found = coalescenceOf(ctx)?.profiles;
    return Object.keys(SYMBOLS).filter((name) => hasNumbers(found?.[name]?.rms)).map((name) => ({
        name, symbol: SYMBOLS[name], ...coalescenceOf(ctx).parameters?.[name],
        points: finite(rowsOf(found[name], ["value", "rms"]), "value", "rms")
    })).filter((one) => one.points.length > 2);
}

function misfitPanel(one, limit, width) {
    const log = isLogarithmic(one) && one.points[0].value > 0;
    const least = d3.min(one.points, (d) => d.rms);
    const top = least + 2.5 * ((isNumber(limit) ? limit : 1.2 * least) - least);
    const low = one.points.filter((d) => d.rms <= top);
    const domain = extent(low.map((d) => d.value), {log, pad: 0.06});
    const ticks = log ? logTicks(domain, width - 70, 52) : Math.max(2, Math.floor(width / 76));
    const unit = one.unit && one.unit !== "1" ? ` (${prettyUnit(one.unit)})` : "";
    return panel({
        width, height: 190, heading: `${one.symbol}${unit}`, label: `Best misfit over ${one.symbol}`,
        margin: {top: 30, left: 52, right: 18, bottom: 28},
        x: {domain, log, label: null, ticks}, y: {domain: [least - 0.1 * (top - least), top],
            label: null, ticks: 4},
        marks: [
            Plot.ruleY(isNumber(limit) ? [limit] : [], {stroke: "var(--poor)",
                strokeDasharray: "5 3", strokeWidth: 1.4, clip: true}),
            Plot.line(one.points, {x: "value", y: "rms", stroke: "var(--ink)", strokeWidth: 1.6,
                clip: true}),
            Plot.dot(low, {x: "value", y: "rms", r: 2.4, fill: "var(--ink)", clip: true}),
            Plot.dot(isNumber(one.value) && one.value >= domain[0] && one.value <= domain[1]
                ? [one] : [], {x: "value", y: least, r: 4.5, fill: "var(--data)",
                stroke: "var(--panel)"})
        ]
    });
}

const coalescenceProfiles = {
    id: "coalescence-profiles",
    title: "What A(t) tells of each parameter",
    wide: true,
    missing: (ctx) => (misfitProfiles(ctx).length ? undefined : ""),
    caption: () => "Least misfit of A(t) when one parameter is held and the others follow. A curve "
        + "that stays below the dashed line as far as the bound is not told by these data. Intervals "
        + "join this with what resampled particles give.",
    rows: (ctx) => misfitProfiles(ctx).flatMap((one) => one.points.map((d) => ({
        parameter: one.name, value: d.value, rms: d.rms}))),
    draw(ctx, width) {
        const limit = number(coalescenceOf(ctx).profiles.rms_limit);
        return [
            legend([["line", "var(--ink)", "root mean square misfit"],
                isNumber(limit) && ["dash", "var(--poor)", "limit of the interval"],
                ["point", "var(--data)", "best"]], width),
            grid(width, 230, misfitProfiles(ctx).map((one) => (w) => misfitPanel(one, limit, w)),
                {most: 3, name: "tiles"})
        ];
    }
};

/** A figure of a growth fit, drawn of the coalescence fit: both name parameters alike. */
function ofCoalescence(figure, id) {
    const asFit = (ctx) => ({...ctx, fit: coalescenceOf(ctx), truth: undefined});
    return {...figure, id,
        missing: (ctx) => (figure.missing(asFit(ctx)) === undefined ? undefined : ""),
        caption: (ctx) => figure.caption(asFit(ctx)), rows: (ctx) => figure.rows(asFit(ctx)),
        draw: (ctx, width) => figure.draw(asFit(ctx), width)};
}

const coalescenceFigures = {
    title: "When particles become one",
    lead: "From tracks that merge and tracks that do not: the number of particles is fitted, all else "
        + "follows from it.",
    figures: [survivingParticles, mergingTimes, coalescenceRate, sizesAtContact, examplesOfMerges,
        motionOfPairs, coalescenceWindow, otherDensities, sizesOfGroups, afterMerging,
        ofCoalescence(parameterIntervals, "coalescence-parameters"), coalescenceProfiles,
        ofCoalescence(correlation, "coalescence-correlation"),
        ofCoalescence(eigenvalues, "coalescence-eigenvalues")]
};
