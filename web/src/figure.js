// The shell of a figure (title, caption, buttons), panels with one look, legends, export.

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
const ruler = document.createElement("canvas").getContext("2d");

function textWidth(text, size = 12, weight = 400) {
    ruler.font = `${weight} ${size}px ${FONT}`;
    return ruler.measureText(text).width;
}

/** Ticks 1-2-5 (or decades) of a logarithmic axis that leave `gap` px between neighbours. */
function logTicks([low, high], pixels, gap = 44) {
    const decades = Math.log10(high / low);
    const room = pixels / Math.max(decades, 1e-9);
    const first = Math.floor(Math.log10(low)) - 1;
    const last = Math.ceil(Math.log10(high));
    const within = (v) => v >= low * 0.999 && v <= high * 1.001;
    const spread = (digits, step) => d3.range(first, last + 1, step)
        .flatMap((k) => digits.map((d) => d * 10 ** k)).filter(within);
    for (const digits of [[1, 2, 3, 5], [1, 2, 5], [1, 3]]) {
        const closest = Math.min(...digits.map((d, i) =>
            Math.log10((digits[i + 1] ?? 10) / d))) * room;
        const ticks = spread(digits, 1);
        if (closest >= gap && ticks.length > 1) return ticks;
    }
    const step = Math.max(1, Math.ceil(gap / room));
    const ticks = spread([1], step);
    return ticks.length > 1 ? ticks : [low, high].map((v) => +v.toPrecision(2));
}

/** Least and greatest finite value, widened by `pad` of the range; `include` is kept inside. */
function extent(values, {pad = 0.04, include = [], log = false} = {}) {
    const kept = [...values, ...include].filter((v) => isNumber(v) && (!log || v > 0));
    if (!kept.length) return log ? [0.1, 10] : [0, 1];
    let [low, high] = d3.extent(kept);
    if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 1, high + 1];
    if (log) {
        const factor = (high / low) ** pad;
        return [low / factor, high * factor];
    }
    const margin = (high - low) * pad;
    return [low - (include.includes(low) ? 0 : margin), high + (include.includes(high) ? 0 : margin)];
}

/** Positions as near to `wanted` as they can be with `gap` between neighbours, kept in [low, high]. */
function spreadOut(wanted, gap, low, high) {
    const order = d3.range(wanted.length).sort((a, b) => wanted[a] - wanted[b]);
    const y = order.map((i) => wanted[i]);
    for (let round = 0; round < 60; round++) {
        for (let k = 1; k < y.length; k++) {
            const lack = gap - (y[k] - y[k - 1]);
            if (lack > 0) {
                y[k - 1] -= lack / 2;
                y[k] += lack / 2;
            }
        }
        for (let k = 0; k < y.length; k++) {
            y[k] = Math.min(Math.max(y[k], low + k * gap), high - (y.length - 1 - k) * gap);
        }
    }
    const result = [];
    order.forEach((i, k) => { result[i] = y[k]; });
    return result;
}

function axisOptions(axis, pixels, gap) {
    const {label, domain, log = false, ...rest} = axis;
    const scale = {
        label: label ?? null, domain, labelArrow: "none", tickFormat: tick, nice: false, ...rest
    };
    if (log) {
        scale.type = "log";
        scale.ticks ??= logTicks(domain, pixels, gap);
    } else scale.ticks ??= Math.max(2, Math.floor(pixels / gap));
    return scale;
}

/** On a logarithmic scale d3 leaves labels out as it sees fit; ours are chosen to fit already. */
function logAxis(axis, scale) {
    if (scale?.type !== "log" || scale.axis === null) return null;
    const {ticks, label, labelAnchor, labelArrow} = scale;
    return axis(ticks, {text: tick, label, labelAnchor, labelArrow});
}

/** One plot with the look of the report. `heading` stands above its upper left corner. */
function panel({width, height = 260, x, y, marks, heading, label, margin = {}, ...rest}) {
    const m = {top: y?.label || heading ? 26 : 14, right: 16, bottom: x?.label ? 42 : 24,
        left: 54, ...margin};
    const inner = {width: width - m.left - m.right, height: height - m.top - m.bottom};
    const scaleX = x && {labelAnchor: "center", ...axisOptions(x, inner.width, 64)};
    const scaleY = y && axisOptions(y, inner.height, 38);
    const options = {
        width, height, marginTop: m.top, marginRight: m.right, marginBottom: m.bottom,
        marginLeft: m.left, ariaLabel: label,
        style: {fontFamily: FONT, fontSize: "12px", background: "none", color: "var(--muted)"},
        ...rest,
        marks: [
            ...(rest.grid === false ? [] : [
                Plot.gridX({stroke: "var(--grid)", strokeOpacity: 1, ticks: scaleX?.ticks}),
                Plot.gridY({stroke: "var(--grid)", strokeOpacity: 1, ticks: scaleY?.ticks})
            ]),
            logAxis(Plot.axisX, scaleX),
            logAxis(Plot.axisY, scaleY),
            ...marks,
            heading && Plot.text([heading], {frameAnchor: "top-left", dx: -m.left + 2,
                dy: -m.top + 2, lineAnchor: "top", fill: "var(--ink)", fontWeight: 600})
        ].filter(Boolean)
    };
    delete options.grid;
    if (x) options.x = scaleX;
    if (y) options.y = scaleY;
    const node = Plot.plot(options);
    node.setAttribute("role", "img");
    node.setAttribute("font-family", FONT);
    node.setAttribute("font-size", "12");
    return node;
}

/** Marks that a reader points at: nearest point in x, with a text. */
function tipAlongX(data, x, y, title) {
    return Plot.tip(data, Plot.pointerX({x, y, title, fill: "var(--panel)", stroke: "var(--rule)",
        textPadding: 7, fontSize: 12}));
}

// ---- legends --------------------------------------------------------------------------------

const legendSign = {
    line: (g, c) => g.append("line").attr("x1", 0).attr("x2", 20).attr("stroke", c)
        .attr("stroke-width", 2.2),
    thin: (g, c) => g.append("line").attr("x1", 0).attr("x2", 20).attr("stroke", c)
        .attr("stroke-width", 1),
    dash: (g, c) => g.append("line").attr("x1", 0).attr("x2", 20).attr("stroke", c)
        .attr("stroke-width", 1.6).attr("stroke-dasharray", "4 3"),
    dot: (g, c) => g.append("circle").attr("cx", 10).attr("r", 3.6).attr("fill", "none")
        .attr("stroke", c).attr("stroke-width", 1.5),
    point: (g, c) => g.append("circle").attr("cx", 10).attr("r", 4).attr("fill", c),
    band: (g, c) => g.append("rect").attr("x", 0).attr("y", -6).attr("width", 20)
        .attr("height", 12).attr("fill", c).attr("fill-opacity", 0.25),
    swatch: (g, c) => g.append("rect").attr("x", 3).attr("y", -6).attr("width", 13)
        .attr("height", 12).attr("rx", 2).attr("fill", c).attr("fill-opacity", 0.75),
    star: (g, c) => g.append("path").attr("d", d3.symbol(d3.symbolStar, 62)())
        .attr("transform", "translate(10)").attr("fill", c).attr("stroke", "var(--ink)")
        .attr("stroke-width", 0.8),
    diamond: (g, c) => g.append("path").attr("d", d3.symbol(d3.symbolDiamond2, 60)())
        .attr("transform", "translate(10)").attr("fill", c)
};

/** Legend as SVG, wrapped to `width`: items are [sign, color, text]; empty items are left out. */
function legend(items, width) {
    const svg = d3.create("svg").attr("role", "img").attr("font-family", FONT)
        .attr("font-size", 12).attr("class", "legend")
        .attr("aria-label", `Legend: ${items.filter(Boolean).map((i) => i[2]).join("; ")}`);
    let x = 0;
    let y = 10;
    for (const [sign, color, text] of items.filter(Boolean)) {
        const w = 27 + textWidth(text);
        if (x > 0 && x + w > width) {
            x = 0;
            y += 19;
        }
        const g = svg.append("g").attr("transform", `translate(${x},${y})`);
        legendSign[sign](g, color);
        g.append("text").attr("x", 27).attr("dy", "0.34em").attr("fill", "var(--ink)").text(text);
        x += w + 20;
    }
    const height = y + 18;
    return svg.attr("width", width).attr("height", height)
        .attr("viewBox", `0 0 ${width} ${height}`).node();
}

/** Panels beside each other: `draw(width)` of each, at least `least` px wide, in `across` columns. */
function grid(width, least, draws, {gap = 14, most = 9, name = "row"} = {}) {
    const fit = Math.max(1, Math.floor((width + gap) / (least + gap)));
    const columns = Math.min(fit, most, draws.length);
    const w = (width - gap * (columns - 1)) / columns;
    return element("div", {class: name, style: `grid-template-columns:repeat(${columns},${w}px)`},
        ...draws.map((draw, i) => draw(w, i % columns === 0)));
}

// ---- phases behind a time axis ----------------------------------------------------------------

/** Shading and names of the phases of a run; regimes give the colour where they are known. */
function phaseMarks(ctx, pixelsPerSecond, named = true) {
    const phases = ctx.phases;
    const shade = (p, i) => (REGIMES[p.regime] ? regimeColor(p.regime) : "var(--muted)");
    const fits = (p) => (p.end_s - p.start_s) * pixelsPerSecond > textWidth(`${p.name}`) + 4;
    return [
        Plot.rectX(phases, {x1: "start_s", x2: "end_s", fill: shade,
            fillOpacity: (p, i) => (p.regime ? 0.09 : i % 2 ? 0.04 : 0.1), clip: true}),
        Plot.ruleX(phases.slice(1), {x: "start_s", stroke: "var(--muted)", strokeOpacity: 0.5,
            strokeDasharray: "1 3", clip: true}),
        named && Plot.text(phases.filter(fits), {x: (p) => (p.start_s + p.end_s) / 2,
            text: (p) => `${p.name ?? ""}`, frameAnchor: "top", dy: 4, lineAnchor: "top",
            fill: "var(--ink)", fillOpacity: 0.75})
    ];
}

function phaseLegend(ctx) {
    const regimes = new Set(ctx.phases.map((p) => p.regime).filter((r) => REGIMES[r]));
    return Object.keys(REGIMES).filter((r) => regimes.has(r)).map((r) =>
        ["band", REGIMES[r].color, `${REGIMES[r].text}: ${REGIMES[r].effect}`]);
}

/** Part of a caption: what the shading stands for. */
function phaseWords(ctx) {
    if (!ctx.phases.length) return "";
    const names = ctx.phases.map((p) => p.name).filter(Boolean);
    if (!names.length) return " Shading: phases of the run.";
    const range = names.length > 1 ? `${names[0]}–${names[names.length - 1]}` : names[0];
    return ` Shading: ${names.length > 1 ? "phases" : "phase"} ${range} of the run.`;
}

// ---- export -----------------------------------------------------------------------------------

function save(name, type, text) {
    const url = URL.createObjectURL(new Blob([text], {type}));
    const link = element("a", {href: url, download: name});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const PAINTS = ["fill", "stroke", "color"];

/** Replace what only the page knows (variables, currentColor) by the colours of the light scheme. */
function settleColors(root) {
    for (const node of [root, ...root.querySelectorAll("*")]) {
        const computed = getComputedStyle(node);
        for (const name of PAINTS) {
            const own = node.getAttribute(name) ?? node.style?.getPropertyValue(name);
            if (own && /var\(|currentColor/i.test(own)) {
                node.style.removeProperty(name);
                node.setAttribute(name, computed.getPropertyValue(name));
            }
        }
    }
    root.querySelectorAll("style").forEach((s) => s.remove());
}

/** One SVG of a whole figure: its panels and legends where they stand on the page. */
function svgOf(body, title) {
    const box = body.getBoundingClientRect();
    const head = 34;
    const pad = 12;
    const width = Math.ceil(box.width) + 2 * pad;
    const height = Math.ceil(box.height) + head + 2 * pad;
    const out = d3.create("svg").attr("xmlns", "http://www.w3.org/2000/svg")
        .attr("width", width).attr("height", height).attr("viewBox", `0 0 ${width} ${height}`)
        .attr("font-family", FONT);
    out.append("title").text(title);
    out.append("rect").attr("width", width).attr("height", height).attr("fill", "white");
    out.append("text").attr("x", pad).attr("y", pad + 12).attr("font-size", 15)
        .attr("font-weight", 600).attr("fill", "var(--ink)").text(title);
    for (const svg of body.querySelectorAll("svg")) {
        if (svg.parentElement.closest("svg")) continue;
        const at = svg.getBoundingClientRect();
        const copy = svg.cloneNode(true);
        copy.setAttribute("x", at.left - box.left + pad);
        copy.setAttribute("y", at.top - box.top + pad + head);
        copy.setAttribute("width", at.width);
        copy.setAttribute("height", at.height);
        copy.setAttribute("overflow", "visible");
        out.append(() => copy);
    }
    const host = element("div", {class: "light", "aria-hidden": "true",
        style: "position:absolute;left:-99999px;top:0"});
    host.append(out.node());
    document.body.append(host);
    settleColors(out.node());
    host.remove();
    return new XMLSerializer().serializeToString(out.node());
}

// ---- the shell --------------------------------------------------------------------------------

/**
 * A figure is {id, title, wide, missing(ctx), caption(ctx), draw(ctx, width), rows(ctx)}:
 * missing gives undefined, or in words what is not there; draw gives nodes; rows the data as drawn.
 */
function mountFigure(figure, ctx, prefix) {
    const id = `${prefix}${figure.id}`;
    const title = typeof figure.title === "function" ? figure.title(ctx) : figure.title;
    const body = element("div", {class: "figure-body"});
    const button = (text, what, action) => element("button", {type: "button", textContent: text,
        onclick: action, "aria-label": `Download ${what} of “${title}” as ${text}`});
    const csv = () => csvOf(figure.rows(ctx));
    const svg = () => svgOf(body, title);
    const node = element("figure", {id, class: figure.wide ? "wide" : ""},
        element("div", {class: "figure-head"},
            element("h3", {textContent: title, id: `${id}-title`}),
            element("div", {class: "tools"},
                button("CSV", "the data", () => save(`${id}.csv`, "text/csv", csv())),
                button("SVG", "the picture", () => save(`${id}.svg`, "image/svg+xml", svg())))),
        element("figcaption", {textContent: figure.caption(ctx).replaceAll(" %", "\u00a0%")}),
        body);
    node.setAttribute("aria-labelledby", `${id}-title`);
    const draw = (forced) => {
        const width = Math.floor(forced ?? body.clientWidth);
        if (width > 0) body.replaceChildren(...figure.draw(ctx, width).filter(Boolean));
    };
    return {node, draw, csv, svg, id};
}
