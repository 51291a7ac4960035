// Reconstruction: how far two independent images agree.

const ringRows = (ctx) => finite(rowsOf(ctx.study?.reconstruction?.ring_correlation,
    ["per_um", "correlation"]), "per_um", "correlation");

/** Where the curve, the optics and the stripes end: [nm, text, anchor of the text]. */
function limitsOf(ctx) {
    const quality = ctx.study.reconstruction.quality ?? {};
    return [[quality.widefield_cutoff_nm, "optics alone"], [quality.cutoff_nm, "with stripes"]]
        .filter(([nm]) => isNumber(nm) && nm > 0)
        .map(([nm, text]) => ({per_um: 1000 / nm, text: `${text}, ${show(nm)} nm`}));
}

const ringCorrelation = {
    id: "ring-correlation",
    title: "What two independent images agree on",
    wide: true,
    missing: (ctx) => (ringRows(ctx).length > 4 ? undefined
        : "ring correlation (`ring_correlation`; leave out --no-quality)"),
    caption(ctx) {
        const {quality = {}, sets} = ctx.study.reconstruction;
        const from = sets > 1 ? "the odd and the even images of the movie"
            : "two images from random halves of the light";
        const claimed = `${show(quality.resolution_nm)} nm are claimed.`;
        const found = !isNumber(quality.resolution_nm) ? ""
            : quality.resolution_nm > quality.cutoff_nm ? ` It falls below 1/7 there: ${claimed}`
                : ` It stays above 1/7 as far as optics and stripes pass: ${claimed}`;
        return `Correlation of ${from} over rings of one spatial frequency.${found} Finer than `
            + "optics and stripes pass is never claimed: agreement beyond is the sharpening's.";
    },
    rows: ringRows,
    draw(ctx, width) {
        const rows = ringRows(ctx);
        const limits = limitsOf(ctx);
        const most = Math.min(rows[rows.length - 1].per_um,
            1.6 * Math.max(...limits.map((l) => l.per_um), 1e-9));
        const shown = limits.length ? rows.filter((r) => r.per_um <= most) : rows;
        return [panel({
            width, label: "Ring correlation of two images against spatial frequency",
            x: {domain: extent(shown.map((r) => r.per_um), {pad: 0, include: [0]}),
                label: "spatial frequency (1/µm)"},
            y: {domain: extent(shown.map((r) => r.correlation), {include: [0, 1]}),
                label: "correlation (no unit)"},
            marks: [
                Plot.ruleY([1 / 7], {stroke: "var(--muted)", strokeDasharray: "4 3"}),
                Plot.ruleX(limits, {x: "per_um", stroke: "var(--super)"}),
                Plot.text(limits, {x: "per_um", text: "text", frameAnchor: "bottom", dx: -8,
                    dy: -8, rotate: -90, textAnchor: "start", fill: "var(--super)"}),
                Plot.line(shown, {x: "per_um", y: "correlation", stroke: "var(--data)",
                    strokeWidth: 1.8}),
                tipAlongX(shown, "per_um", "correlation", (r) => `${show(1000 / r.per_um)} nm\n`
                    + `correlation ${show(r.correlation)}`)
            ]
        })];
    }
};

const reconstructionFigures = {
    title: "Resolution",
    lead: "Not what an image looks like, but what two independent ones have in common.",
    figures: [ringCorrelation]
};
