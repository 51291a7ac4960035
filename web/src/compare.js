// Several fits, or several predictions, in one picture.

/** {name, of one kind}: the file, and what it is where a file cannot tell. */
function givenOf(studies, kind) {
    return list(studies).filter((study) => study?.[kind]).map((study, i) => ({
        result: study[kind], study,
        name: study.files?.[kind] ?? `${kind} ${i + 1}`
    }));
}

function fitCurves(ctx) {
    return givenOf(ctx.studies, "fit").map((one) => {
        const how = typeof one.result.estimator === "string" ? `, ${one.result.estimator}` : "";
        return curvesOfFit(`${one.name}${how}`, one.result);
    });
}

const comparedFits = {
    id: "compared-fits",
    title: "The fits in one picture",
    wide: true,
    missing: (ctx) => (fitCurves(ctx).filter((c) => c.mu.length || c.s.length).length > 1
        ? undefined : ""),
    caption(ctx) {
        const curves = fitCurves(ctx);
        const share = curves.length === 2 ? meetingShare(curves[0], curves[1]) : NaN;
        return "Chemical potential and supersaturation as each fit has them, with their intervals."
            + (isNumber(share) ? ` The intervals of the potentials meet at `
                + `${Math.round(100 * share)} % of the sizes seen.` : "");
    },
    rows: (ctx) => curveTable(fitCurves(ctx)),
    draw: (ctx, width) => drawCurves(fitCurves(ctx), ctx, width)
};

function predictionSets(ctx) {
    return givenOf(ctx.studies, "prediction").map((one, i) => ({
        name: one.name, i, rows: predictedRows({prediction: one.result}),
        words: questionWords({prediction: one.result})
    })).filter((one) => one.rows.length > 1);
}

function predictionPanel(sets, key, factor, label, alt, time, width) {
    const drawn = sets.map((one) => ({i: one.i, rows: finite(one.rows, key).map((r) => ({
        time_s: r.time_s, v: r[key] * factor, lower: r[`${key}_lower`] * factor,
        upper: r[`${key}_upper`] * factor}))}));
    const values = drawn.flatMap((one) => one.rows.flatMap((r) => [r.v, r.lower, r.upper]));
    return panel({
        width, height: 290, label: alt,
        x: {domain: time, label: "time (s)"},
        y: {domain: extent(values, {include: [0]}), label},
        marks: bandMarks(drawn, "time_s", "v")
    });
}

const comparedPredictions = {
    id: "compared-predictions",
    title: "The predictions in one picture",
    wide: true,
    missing: (ctx) => (predictionSets(ctx).length > 1 ? undefined : ""),
    caption(ctx) {
        const ends = predictionSets(ctx).map((one) => {
            const last = one.rows[one.rows.length - 1];
            return `${show(last.mean_radius_nm)} nm with a spread of `
                + `${show(100 * last.relative_spread)} % (${one.words})`;
        });
        return `Mean radius and relative spread over time; in the end ${ends.join(", ")}.`;
    },
    rows: (ctx) => predictionSets(ctx).flatMap((one) => one.rows.map((r) => ({
        prediction: one.name, ...r}))),
    draw(ctx, width) {
        const sets = predictionSets(ctx);
        const time = extent(sets.flatMap((one) => one.rows.map((r) => r.time_s)), {pad: 0.01});
        return [
            legend(sets.map((one) => [seriesSign(one.i), seriesColor(one.i),
                `${one.name}: ${one.words}`]), width),
            grid(width, 330, [
                (w) => predictionPanel(sets, "mean_radius_nm", 1, "mean radius (nm)",
                    "Mean radius of each prediction against time", time, w),
                (w) => predictionPanel(sets, "relative_spread", 100,
                    "s.d. of the radius / mean (%)",
                    "Relative spread of each prediction against time", time, w)
            ])
        ];
    }
};

const compareFigures = {
    title: "",
    lead: "",
    figures: [comparedFits, comparedPredictions]
};
