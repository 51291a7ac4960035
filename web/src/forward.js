// What the forward estimator adds: its prediction, both estimators in one picture, profiles, laws.

const isForward = (ctx) => Boolean(ctx.fit?.forward);

// ---- prediction of mean and variance ----------------------------------------------------------

const PREDICTION_KEYS = ["mean_n_lower", "mean_n_upper", "var_n_lower", "var_n_upper",
    "var_n_data_sd"];

/** Raw sizes, what was predicted from the first frames, its band, the data's standard deviation. */
function forwardRows(ctx) {
    const series = ctx.fit?.series;
    const keys = ["time_s", "mean_n", "mean_n_model", "var_n", "var_n_model"];
    return finite(rowsOf({...Object.fromEntries(keys.map((key) => [key, series?.[key]])),
        ...Object.fromEntries(PREDICTION_KEYS.map((key) =>
            [key, ctx.fit?.forward?.prediction?.[key]]))}, [...keys, ...PREDICTION_KEYS]), "time_s")
        .map((r) => ({...r, mean_off_percent: 100 * (r.mean_n / r.mean_n_model - 1)}));
}

const percent = (share) => `${show(100 * share, 2)} %`;

function forwardWords(ctx) {
    const p = ctx.fit?.forward?.prediction;
    const parts = [];
    if (isNumber(p?.mean_within_5_percent)) {
        parts.push(`the mean lies within 5 % of the measured one in `
            + `${percent(p.mean_within_5_percent)} of frames`
            + (isNumber(p.spline_within_5_percent) ? ` (a smooth curve through the data themselves: `
                + `${percent(p.spline_within_5_percent)})` : ""));
    }
    if (isNumber(p?.variance_within_2_sd)) {
        parts.push("the variance within two standard deviations of the data in "
            + `${percent(p.variance_within_2_sd)}`);
    }
    return `A prediction, and so a test: from the ${isFlask(ctx) ? "first sample"
        : "particles' first frames"} on, the law alone`
        + (parts.length ? `; ${parts.join(", ")}.` : ".");
}

/** Mean or variance as measured and as predicted. */
function predictedPanel(ctx, rows, truth, key, label, time, width) {
    const [lower, upper, model] = [`${key}_lower`, `${key}_upper`, `${key}_model`];
    const data = finite(rows, key);
    const sd = finite(data, key === "var_n" ? "var_n_data_sd" : "none");
    const values = [...rows.flatMap((r) => [r[key], r[model], r[lower], r[upper]]),
        ...sd.flatMap((r) => [r[key] - 2 * r.var_n_data_sd, r[key] + 2 * r.var_n_data_sd])]
        .filter(isNumber).sort(d3.ascending);
    // one wild frame must not flatten the rest
    const most = Math.max(1.25 * (d3.quantile(values, 0.985) ?? 1),
        d3.max(rows, (r) => r[model]) ?? 0);
    const scale = scaleOf([Math.min(most, d3.max(values) ?? 1)]);
    const scaled = (name) => (r) => r[name] * scale.factor;
    const unit = key === "mean_n" ? "monomers" : "monomers²";
    return panel({
        width, height: 290, label: `${label} against time, measured and predicted`,
        x: {domain: time, label: "time (s)"},
        y: {domain: extent([Math.min(most, d3.max(values) ?? 1) * scale.factor], {include: [0]}),
            label: `${label} (${scale.text}${unit})`},
        margin: {left: 58},
        marks: [
            ...phaseMarks(ctx, (width - 80) / (time[1] - time[0])),
            Plot.ruleX(sd, {x: "time_s", y1: (r) => Math.max(0, r.var_n - 2 * r.var_n_data_sd)
                * scale.factor, y2: (r) => (r.var_n + 2 * r.var_n_data_sd) * scale.factor,
            stroke: "var(--data)", strokeOpacity: 0.28, strokeWidth: 1.4, clip: true}),
            Plot.areaY(finite(rows, lower, upper), {x: "time_s", y1: scaled(lower),
                y2: scaled(upper), fill: "var(--ink)", fillOpacity: 0.2, clip: true}),
            Plot.dot(data, {x: "time_s", y: scaled(key), r: 2.2, stroke: "var(--data)",
                strokeWidth: 1.1, clip: true}),
            Plot.line(finite(truth, key), {x: "time_s", y: scaled(key), stroke: "var(--truth)",
                strokeWidth: 1.6, strokeDasharray: "5 3", clip: true}),
            Plot.line(finite(rows, model), {x: "time_s", y: scaled(model), stroke: "var(--ink)",
                strokeWidth: 2, clip: true}),
            tipAlongX(data, "time_s", scaled(key), (d) => `${seconds(d.time_s)}\n`
                + `measured ${show(d[key])}`
                + (isNumber(d[model]) ? `\npredicted ${show(d[model])}` : "")
                + (isNumber(d[lower]) ? `\n${show(d[lower])} to ${show(d[upper])}` : ""))
        ]
    });
}

/** Measured over predicted mean, in percent, with the limits of 5 %. */
function offPanel(ctx, rows, time, width) {
    const off = finite(rows, "mean_off_percent");
    const sorted = off.map((r) => Math.abs(r.mean_off_percent)).sort(d3.ascending);
    const most = Math.max(7, 1.2 * (d3.quantile(sorted, 0.985) ?? 7));
    return panel({
        width, height: 290, label: "Measured mean over predicted mean against time",
        x: {domain: time, label: "time (s)"},
        y: {domain: [-most, most], label: "measured mean off by (%)"},
        marks: [
            Plot.rectY([{y1: -5, y2: 5}], {y1: "y1", y2: "y2", fill: "var(--good)",
                fillOpacity: 0.14}),
            Plot.ruleY([0], {stroke: "var(--ink)", strokeWidth: 1.4}),
            Plot.dot(off, {x: "time_s", y: "mean_off_percent", r: 2.2, strokeWidth: 1.1,
                stroke: (r) => (Math.abs(r.mean_off_percent) <= 5 ? "var(--data)" : "var(--poor)"),
                clip: true}),
            tipAlongX(off, "time_s", "mean_off_percent", (d) => `${seconds(d.time_s)}\n`
                + `${show(d.mean_off_percent, 2)} %`)
        ]
    });
}

function drawPrediction(ctx, width) {
    const rows = forwardRows(ctx);
    const truth = finite(rowsOf(ctx.truth?.series, ["time_s", "mean_n", "var_n"]), "time_s");
    const time = extent(rows.map((r) => r.time_s), {pad: 0.01});
    const off = finite(rows, "mean_off_percent");
    return [
        legend([
            ["dot", "var(--data)", "measured, raw"],
            finite(rows, "var_n_data_sd").length && ["thin", "var(--data)",
                "variance ± two bootstrap s.d."],
            finite(rows, "mean_n_model").length && ["line", "var(--ink)", "predicted"],
            finite(rows, "mean_n_lower", "mean_n_upper").length && ["band", "var(--ink)",
                "band of the prediction"],
            off.length && ["band", "var(--good)", "within 5 %"],
            truth.length && ["dash", "var(--truth)", "truth"],
            ...phaseLegend(ctx)
        ], width),
        grid(width, 330, [
            (w) => predictedPanel(ctx, rows, truth, "mean_n", "mean ⟨n⟩", time, w),
            off.length && ((w) => offPanel(ctx, rows, time, w)),
            finite(rows, "var_n").length && ((w) =>
                predictedPanel(ctx, rows, truth, "var_n", "variance of n", time, w))
        ].filter(Boolean))
    ];
}

// ---- several fits or estimators in one picture ------------------------------------------------

const SERIES_COLORS = ["var(--ink)", "var(--data)", "var(--star)", "var(--under)", "var(--hyper)",
    "var(--super)"];
const SERIES_DASHES = ["none", "7 3", "2 3", "9 3 2 3", "none", "7 3"];
const seriesColor = (i) => SERIES_COLORS[i % SERIES_COLORS.length];
const seriesDash = (i) => SERIES_DASHES[i % SERIES_DASHES.length];
const seriesSign = (i) => (seriesDash(i) === "none" ? "line" : "dash");

/** What is drawn of one fit beside others: {name, mu: [{n, mu_kT, lower, upper}], s: [...]}. */
function curvesOfFit(name, fit) {
    return {
        name,
        mu: finite(rowsOf({n: fit?.potential?.n, mu_kT: fit?.potential?.mu_kT,
            lower: fit?.potential?.lower_kT, upper: fit?.potential?.upper_kT},
        ["n", "mu_kT", "lower", "upper"]), "n", "mu_kT").filter((r) => r.n >= LEAST_N),
        s: finite(rowsOf({time_s: fit?.series?.time_s, s: fit?.series?.supersaturation,
            lower: fit?.series?.supersaturation_lower, upper: fit?.series?.supersaturation_upper},
        ["time_s", "s", "lower", "upper"]), "time_s", "s"),
        seen: [number(fit?.potential?.sampled_first_n), number(fit?.potential?.sampled_last_n)]
    };
}

/** The rate estimator's answer inside a forward fit. */
function curvesOfRate(fit) {
    const none = {...curvesOfFit("rate", {}), seen: [NaN, NaN]};
    return {
        ...none,
        mu: finite(rowsOf({n: fit.potential?.n, mu_kT: fit.rate?.mu_kT}, ["n", "mu_kT"]), "n",
            "mu_kT").filter((r) => r.n >= LEAST_N),
        s: finite(rowsOf({time_s: fit.rate?.time_s, s: fit.rate?.supersaturation}, ["time_s", "s"]),
            "time_s", "s")
    };
}

/** Domain that shows every curve where particles were seen; bands may leave. */
function sharedDomain(sets, key, log) {
    const lines = sets.flatMap((one) => one.rows.map((r) => r[key]));
    const bands = sets.flatMap((one) => one.rows.flatMap((r) => [r.lower, r.upper]))
        .filter((v) => isNumber(v) && (!log || v > 0)).sort(d3.ascending);
    return extent([...lines, d3.quantile(bands, 0.03), d3.quantile(bands, 0.97)],
        {log, pad: 0.06});
}

/** What a logarithmic axis cannot show stands at its foot. */
const floored = (sets, key, foot) => sets.map((one) => ({...one, rows: one.rows.map((r) => ({...r,
    [key]: Math.max(r[key], foot), lower: Math.max(r.lower, foot)}))}));

function bandMarks(sets, x, y) {
    return sets.flatMap((one) => [
        Plot.areaY(finite(one.rows, "lower", "upper"), {x, y1: "lower", y2: "upper", fill: seriesColor(one.i), fillOpacity: 0.17, clip: true}),
        Plot.line(one.rows, {x, y, stroke: seriesColor(one.i), strokeWidth: 2,
            strokeDasharray: seriesDash(one.i), clip: true})
    ]);
}

function comparedPotential(curves, ctx, width) {
    const first = d3.min(curves, (c) => c.seen[0]) ?? NaN;
    const last = d3.max(curves, (c) => c.seen[1]) ?? NaN;
    const all = curves.flatMap((c) => c.mu);
    const range = [Math.max(LEAST_N, isNumber(first) ? first / 1.6 : 0),
        Math.min(d3.max(all, (r) => r.n), isNumber(last) ? last * 1.3 : Infinity)];
    const sets = curves.map((c, i) => ({i, rows: c.mu.filter((r) => r.n >= range[0]
        && r.n <= range[1])})).filter((one) => one.rows.length);
    return panel({
        width, height: 320, label: "Chemical potential of each against number of monomers",
        margin: {top: isNumber(ctx.sigma) ? TOP_AXIS : 26},
        x: {domain: range, log: true, label: "monomers per particle, n"},
        y: {domain: sharedDomain(sets, "mu_kT", false), label: "μₙ − μ∞ (kT)"},
        marks: [
            ...radiusAxis(ctx, range, width - 70, 320 - 42 - TOP_AXIS),
            ...bandMarks(sets, "n", "mu_kT"),
            Plot.dot(isNumber(ctx.truth?.maximum?.n) ? [ctx.truth.maximum] : [], {x: "n",
                y: "mu_kT", r: 5, symbol: "diamond2", fill: "var(--truth)", clip: true})
        ]
    });
}

function comparedSaturation(curves, ctx, width) {
    const sets = curves.map((c, i) => ({i, rows: c.s})).filter((one) => one.rows.length);
    const values = sets.flatMap((one) => one.rows.map((r) => r.s)).filter((v) => v > 0);
    const log = d3.max(values) > 3 * d3.min(values);
    const truth = truthSaturation(ctx);
    const domain = sharedDomain([...sets, {rows: truth.map((r) => ({s: r.supersaturation}))}],
        "s", log);
    const time = extent(sets.flatMap((one) => one.rows.map((r) => r.time_s)), {pad: 0.01});
    return panel({
        width, height: 320, label: "Supersaturation of each against time",
        margin: {top: isNumber(ctx.sigma) ? TOP_AXIS : 26},
        x: {domain: time, label: "time (s)"},
        y: {domain, log, label: "S = ρ₁ / ρ₁∞ (no unit)"},
        marks: [
            ...bandMarks(log ? floored(sets, "s", domain[0]) : sets, "time_s", "s"),
            Plot.line(truth, {x: "time_s", y: "supersaturation", stroke: "var(--truth)",
                strokeWidth: 1.6, strokeDasharray: "5 3", clip: true})
        ]
    });
}

function drawCurves(curves, ctx, width) {
    const banded = curves.some((c) => finite(c.mu, "lower", "upper").length);
    return [
        legend([
            ...curves.map((c, i) => [seriesSign(i), seriesColor(i), c.name]),
            banded && ["band", "var(--muted)", "interval"],
            truthSaturation(ctx).length && ["dash", "var(--truth)", "truth"],
            isNumber(ctx.truth?.maximum?.n) && ["diamond", "var(--truth)", "true maximum"]
        ], width),
        grid(width, 380, [
            curves.some((c) => c.mu.length) && ((w) => comparedPotential(curves, ctx, w)),
            curves.some((c) => c.s.length) && ((w) => comparedSaturation(curves, ctx, w))
        ].filter(Boolean))
    ];
}

const curveTable = (curves) => curves.flatMap((c) => [
    ...c.mu.map((r) => ({fit: c.name, curve: "mu_n", n: r.n, mu_kT: r.mu_kT, lower: r.lower,
        upper: r.upper})),
    ...c.s.map((r) => ({fit: c.name, curve: "S", time_s: r.time_s, supersaturation: r.s,
        lower: r.lower, upper: r.upper}))
]);

const estimatorCurves = (ctx) => [curvesOfFit("forward", ctx.fit), curvesOfRate(ctx.fit)];

/** Share of the sizes seen at which the second curve, or its band, meets the band of the first. */
function meetingShare(a, b) {
    const rows = finite(a.mu, "lower", "upper").filter((r) => !(r.n < a.seen[0])
        && !(r.n > a.seen[1]));
    const edge = (key) => b.mu.map((r) => ({n: r.n,
        mu_kT: isNumber(r[key]) ? r[key] : r.mu_kT}));
    const [low, high] = [edge("lower"), edge("upper")];
    const other = rows.map((r) => ({...r, low: curveAt(low, r.n), high: curveAt(high, r.n)}))
        .filter((r) => isNumber(r.low) && isNumber(r.high));
    return other.length ? other.filter((r) => r.high >= r.lower && r.low <= r.upper).length
        / other.length : NaN;
}

const bothEstimators = {
    id: "estimators",
    title: "Both estimators",
    wide: true,
    missing: (ctx) => (!isForward(ctx) || !ctx.fit.rate
        || !estimatorCurves(ctx).some((c) => c.mu.length) ? "" : undefined),
    caption(ctx) {
        const [forward, rate] = estimatorCurves(ctx);
        const share = meetingShare(forward, rate);
        return "Forward follows sizes, rate compares growth rates; where they agree, the answer does "
            + "not hang on the method."
            + (isNumber(share) ? ` The rate estimator's potential lies within the forward band at `
                + `${Math.round(100 * share)} % of the sizes seen.` : "")
            + " Compare the shapes: a factor common to S(t) and exp μₙ, which the rate constants make "
            + "up for, hardly changes growth.";
    },
    rows: (ctx) => curveTable(estimatorCurves(ctx)),
    draw: (ctx, width) => drawCurves(estimatorCurves(ctx), ctx, width)
};

// ---- profile likelihood -----------------------------------------------------------------------

function profileCurves(ctx) {
    return list(ctx.fit?.forward?.profiles).map((one) => {
        const p = ctx.fit.parameters?.[one?.parameter];
        const delta = one?.parameter === "delta" ? ctx.fit.delta : undefined;
        return {
            parameter: `${one?.parameter}`,
            symbol: one?.parameter === "delta" ? "δ" : symbolOf(ctx, one?.parameter),
            unit: p?.unit && p.unit !== "1" ? ` (${prettyUnit(p.unit)})` : "",
            limit: number(one?.limit), calibration: number(one?.calibration),
            value: number(p?.value ?? delta?.mean),
            lower: number(p?.lower ?? delta?.lower), upper: number(p?.upper ?? delta?.upper),
            points: finite(rowsOf({value: one?.value, deviance: one?.deviance},
                ["value", "deviance"]), "value", "deviance").sort((a, b) => a.value - b.value)
        };
    }).filter((one) => one.points.length > 1);
}

function profilePanel(one, width) {
    const log = ["K", "kr"].includes(one.parameter) && one.points[0].value > 0;
    const top = (isNumber(one.limit) ? one.limit : 3.84) * 2;
    // far up the walls of the valley nothing is to be seen
    const near = one.points.filter((d, i, all) => d.deviance <= top
        || (all[i - 1]?.deviance ?? Infinity) <= top || (all[i + 1]?.deviance ?? Infinity) <= top);
    const shown = near.length > 1 ? near : one.points;
    const closed = isNumber(one.lower) && isNumber(one.upper) && one.upper > one.lower;
    const low = shown.filter((d) => d.deviance <= top);
    const domain = extent([...(low.length > 1 ? low : shown).map((d) => d.value),
        ...(closed ? [one.lower, one.upper] : [])], {log, pad: 0.06});
    const ticks = log ? logTicks(domain, width - 70, 52) : Math.max(2, Math.floor(width / 76));
    return panel({
        width, height: 210, heading: `${one.symbol}${one.unit}`,
        label: `Profile likelihood of ${one.symbol}`, margin: {top: 44, left: 44, right: 18,
            bottom: 28},
        x: {domain, log, label: null, ticks}, y: {domain: [0, top], label: null, ticks: 4},
        marks: [
            Plot.text(["deviance"], {frameAnchor: "top-left", dx: -42, dy: -22,
                lineAnchor: "top"}),
            Plot.rectX(closed ? [one] : [], {x1: "lower", x2: "upper", fill: "var(--data)",
                fillOpacity: 0.16, clip: true}),
            Plot.ruleY(isNumber(one.limit) ? [one.limit] : [], {stroke: "var(--poor)",
                strokeDasharray: "5 3", strokeWidth: 1.4}),
            Plot.line(shown, {x: "value", y: "deviance", stroke: "var(--ink)", strokeWidth: 1.8,
                curve: "linear", clip: true}),
            Plot.dot(low, {x: "value", y: "deviance", r: 2.6, fill: "var(--ink)", clip: true}),
            Plot.dot(isNumber(one.value) && one.value >= domain[0] && one.value <= domain[1]
                ? [one] : [], {x: "value", y: 0, r: 5, fill: "var(--data)",
                stroke: "var(--panel)", dy: -1})
        ]
    });
}

const profileLikelihood = {
    id: "profiles",
    title: "Profile likelihood of each parameter",
    wide: true,
    missing: (ctx) => (profileCurves(ctx).length ? undefined
        : isForward(ctx) ? "profile likelihoods (`forward.profiles`)" : ""),
    caption(ctx) {
        const most = d3.max(profileCurves(ctx), (one) => one.calibration);
        return "How much less likely the data are when one parameter is held and all others follow: "
            + "where the curve lies below the dashed line is the interval. A curve that stays below "
            + "means that the data do not fix this parameter by itself."
            + (most > 1.005 ? ` Calibrated for whole particles: plain deviances were up to `
                + `${show(most, 2)} times these.` : "");
    },
    rows: (ctx) => profileCurves(ctx).flatMap((one) => one.points.map((d) => ({
        parameter: one.parameter, value: d.value, deviance: d.deviance, limit: one.limit,
        lower: one.lower, upper: one.upper, calibration: one.calibration}))),
    draw: (ctx, width) => [
        legend([
            ["line", "var(--ink)", "deviance, 2 ln(L max / L)"],
            ["dash", "var(--poor)", "limit of the interval"],
            ["band", "var(--data)", "interval"],
            ["point", "var(--data)", "most likely"]
        ], width),
        grid(width, 250, profileCurves(ctx).map((one) => (w) => profilePanel(one, w)),
            {most: 3, name: "tiles"})
    ]
};

// ---- spectrum of the information --------------------------------------------------------------

const spectrumRows = (ctx) => list(ctx.fit?.forward?.eigenvalues).map(number)
    .filter((v) => v > 0).sort(d3.descending).map((eigenvalue, i) => ({rank: i + 1, eigenvalue}));

const spectrum = {
    id: "spectrum",
    title: "Spectrum of the information matrix",
    missing: (ctx) => (spectrumRows(ctx).length ? undefined
        : isForward(ctx) ? "the spectrum (`forward.eigenvalues`)" : ""),
    caption(ctx) {
        const rows = spectrumRows(ctx);
        const ratio = rows[0].eigenvalue / rows[rows.length - 1].eigenvalue;
        const sloppy = rows.filter((r) => r.eigenvalue < 0.01 * rows[0].eigenvalue).length;
        return `All ${rows.length} fitted numbers, those of S(t) included, each scaled by what is `
            + `known of it alone: ${plural(sloppy, "direction")} below a hundredth of the stiffest, `
            + `a factor of ${show(ratio, 2)} from first to last.`;
    },
    rows: spectrumRows,
    draw(ctx, width) {
        const rows = spectrumRows(ctx);
        const domain = extent(rows.map((d) => d.eigenvalue), {log: true, pad: 0.08});
        return [panel({
            width, height: 310, label: "Eigenvalues of the whole information matrix",
            margin: {left: 58},
            x: {domain: [0.3, rows.length + 0.7], label: "direction, from stiff to sloppy"},
            y: {domain, log: true, label: "eigenvalue (scaled, no unit)"},
            marks: [
                Plot.ruleX(rows, {x: "rank", y1: () => domain[0], y2: "eigenvalue",
                    stroke: "var(--data)", strokeOpacity: 0.35, strokeWidth: 2}),
                Plot.dot(rows, {x: "rank", y: "eigenvalue", r: 3.6, fill: "var(--data)"})
            ]
        })];
    }
};

// ---- laws of the potential --------------------------------------------------------------------

const LAWS = {"gibbs-thomson": "Gibbs–Thomson", edge: "faces, edges",
    translation: "translation", full: "all terms"};

const modelRows = (ctx) => list(ctx.fit?.forward?.models).map((m) => ({
    name: `${m?.name}`, law: LAWS[m?.name] ?? `${m?.name}`, n_parameters: number(m?.n_parameters),
    aic: number(m?.aic), bic: number(m?.bic), held_out: number(m?.held_out),
    held_out_se: number(m?.held_out_se), log_likelihood: number(m?.log_likelihood)}))
    .filter((m) => isNumber(m.aic) || isNumber(m.held_out));

/** Differences of AIC and BIC as pairs of bars, laws from top to bottom. */
function criterionPanel(rows, width) {
    const bars = rows.flatMap((m, i) => [
        {i, value: m.aic, at: i - 0.17, color: "var(--hyper)"},
        {i, value: m.bic, at: i + 0.17, color: "var(--share)"}]).filter((d) => isNumber(d.value));
    const most = d3.max(bars, (d) => d.value) || 1;
    return panel({
        width, height: 58 + 46 * rows.length, label: "AIC and BIC of each law, less the best",
        heading: "AIC and BIC, less those of the best", grid: false,
        margin: {left: 100, right: 56, top: 30},
        x: {domain: [0, most * 1.02], label: "difference (0 is best)", ticks: 4},
        y: {domain: [rows.length - 0.4, -0.6], axis: null},
        marks: [
            Plot.gridX({stroke: "var(--grid)", strokeOpacity: 1, ticks: 4}),
            Plot.ruleY(bars, {y: "at", x1: 0, x2: "value", stroke: (d) => d.color,
                strokeWidth: 5, strokeOpacity: 0.55}),
            Plot.dot(bars, {x: "value", y: "at", r: 4.5, fill: (d) => d.color,
                stroke: "var(--panel)"}),
            Plot.ruleX([0], {stroke: "var(--muted)"}),
            Plot.text(rows, {y: (m, i) => i, text: "law", frameAnchor: "left", textAnchor: "end",
                dx: -8, fill: "var(--ink)"}),
            Plot.text(bars, {x: "value", y: "at", text: (d) => show(d.value), dx: 9,
                textAnchor: "start", fontSize: 11})
        ]
    });
}

function heldOutPanel(rows, width) {
    const known = finite(rows, "held_out").map((m) => ({...m, i: rows.indexOf(m),
        low: m.held_out - m.held_out_se, high: m.held_out + m.held_out_se}));
    const domain = extent(known.flatMap((m) => [m.held_out, m.low, m.high]), {pad: 0.12});
    return panel({
        width, height: 58 + 46 * rows.length, label: "Density of held-out sizes under each law",
        heading: "Held-out frames, more is better", grid: false,
        margin: {left: 100, right: 24, top: 30},
        x: {domain, label: "ln density per size, ± s.e.", ticks: Math.max(2,
            Math.floor((width - 124) / 82))},
        y: {domain: [rows.length - 0.4, -0.6], axis: null},
        marks: [
            Plot.gridX({stroke: "var(--grid)", strokeOpacity: 1}),
            Plot.text(rows, {y: (m, i) => i, text: "law", frameAnchor: "left", textAnchor: "end",
                dx: -8, fill: "var(--ink)"}),
            Plot.ruleY(finite(known, "low", "high"), {y: "i", x1: "low", x2: "high",
                stroke: "var(--data)", strokeWidth: 5, strokeOpacity: 0.4}),
            Plot.dot(known, {x: "held_out", y: "i", r: 5, fill: "var(--data)",
                stroke: "var(--panel)"})
        ]
    });
}

const modelComparison = {
    id: "models",
    title: "Which law of the potential",
    wide: true,
    // Only --compare-models fits them.
    missing: (ctx) => (modelRows(ctx).length ? undefined : ""),
    caption(ctx) {
        const rows = modelRows(ctx);
        const aic = finite(rows, "aic").sort((a, b) => a.aic - b.aic);
        const held = finite(rows, "held_out").sort((a, b) => b.held_out - a.held_out);
        const told = aic.length > 1 ? `“${aic[0].law}” wins by AIC, “${aic[1].law}” is `
            + `${show(aic[1].aic - aic[0].aic, 2)} behind (below about 4 the two cannot be told `
            + "apart)" : "";
        return [told, held.length ? `held-out frames are described best by `
            + `“${held[0].law}”` : ""].filter(Boolean).join("; ") + ".";
    },
    rows: (ctx) => modelRows(ctx).map(({law, ...m}) => m),
    draw(ctx, width) {
        const rows = modelRows(ctx);
        return [
            legend([["swatch", "var(--hyper)", "AIC"],
                ["swatch", "var(--share)", "BIC, which asks more of each parameter"],
                finite(rows, "held_out").length && ["point", "var(--data)", "held out"]], width),
            grid(width, 340, [
                finite(rows, "aic").length && ((w) => criterionPanel(rows, w)),
                finite(rows, "held_out").length && ((w) => heldOutPanel(rows, w))
            ].filter(Boolean))
        ];
    }
};
