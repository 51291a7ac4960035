// What was seen: frames with outlines and tracks, the growth of one particle, events as strips.

/** Tracks end, in the picture, so many shown frames before the present one. */
const TAIL = 8;
/** Radius, in the picture, of a mark around what has no size. */
const SPOT = 4.5;

/** What the reader looks at: shared by the figures, kept when they are drawn again. */
const view = {k: null, track: null, outlines: true, tails: true, timer: 0};

/** What is drawn against time: radii, or the light of spots. */
const measureOf = (ctx) => (tracksOf(ctx).some((t) => hasNumbers(t.intensity))
    ? {key: "intensity", name: "Intensity", unit: "counts"}
    : {key: "radius_nm", name: "Radius", unit: "nm"});
const tracksOf = (ctx) => list(ctx.seen?.track);
const linkedTracks = (ctx) => tracksOf(ctx).filter((t) => isNumber(t.id));
const timeOf = (ctx, frame) => (isNumber(ctx.seen.movie.frame_s)
    ? `${show(frame * ctx.seen.movie.frame_s)} s` : `frame ${frame}`);

/** By frame, the points that lie in it. */
function pointsByFrame(ctx) {
    const shown = new Set(ctx.seen.movie.shown);
    const byFrame = new Map([...shown].map((f) => [f, []]));
    for (const track of tracksOf(ctx)) {
        list(track.frame).forEach((frame, i) => {
            if (!shown.has(frame)) return;
            byFrame.get(frame).push({track, x: track.x_px[i], y: track.y_px[i],
                r: number(track.radius_nm[i]) / ctx.seen.movie.pixel_nm});
        });
    }
    return byFrame;
}

function trackRows(track, frame_s) {
    return list(track?.frame).map((frame, i) => ({track: track.id, frame,
        time_s: frame * number(frame_s), x_px: track.x_px[i], y_px: track.y_px[i],
        radius_nm: track.radius_nm[i], intensity: track.intensity?.[i]}));
}

// ---- the picture ------------------------------------------------------------------------------

/** Pixel (0, 0) has its centre at 0, so that a movie reaches from -0.5. */
function frameSvg(ctx, byFrame, size, choose) {
    const {movie, image} = ctx.seen;
    const frame = movie.shown[view.k];
    const scale = size / movie.width;
    const height = movie.height * scale;
    const points = byFrame.get(frame);
    const svg = d3.create("svg").attr("role", "img").attr("class", "frame")
        .attr("width", size).attr("height", height).attr("viewBox", `0 0 ${size} ${height}`)
        .attr("aria-label", `${movie.name} at ${timeOf(ctx, frame)}, frame ${frame}: `
            + `${plural(points.length, "particle")} found`);
    svg.append("clipPath").attr("id", "frame-clip").append("rect").attr("width", size)
        .attr("height", height);
    svg.append("image").attr("href", image[view.k]).attr("width", size).attr("height", height)
        .attr("preserveAspectRatio", "none");
    const at = (v) => (v + 0.5) * scale;
    if (view.tails) drawTails(svg, ctx, at);
    const dots = svg.append("g").attr("aria-label", "dot").attr("clip-path", "url(#frame-clip)")
        .attr("fill", "none");
    for (const p of view.outlines ? points : []) {
        const chosen = isNumber(p.track.id) && p.track.id === view.track;
        const circle = dots.append("circle").attr("cx", at(p.x)).attr("cy", at(p.y))
            .attr("r", isNumber(p.r) ? Math.max(1.5, p.r * scale) : SPOT).attr("stroke", chosen ? "#ffce3d" : "#58c2cf")
            .attr("stroke-width", chosen ? 2.6 : 1.3);
        const size = isNumber(p.r) ? `radius ${show(p.r * movie.pixel_nm)} nm` : "no size";
        circle.append("title").text(isNumber(p.track.id) ? `particle ${p.track.id}, ${size}`
            : `${size}, in no track`);
    }
    // Small circles are hard to hit: the nearest within reach is meant.
    svg.on("click", (event) => {
        const [x, y] = d3.pointer(event);
        const near = d3.least(points.filter((p) => isNumber(p.track.id)),
            (p) => Math.hypot(at(p.x) - x, at(p.y) - y));
        if (near && Math.hypot(at(near.x) - x, at(near.y) - y) < Math.max(14, 2 * (near.r || 0) * scale)) {
            choose(near.track.id);
        }
    });
    return svg.node();
}

function drawTails(svg, ctx, at) {
    const {shown} = ctx.seen.movie;
    const from = shown[Math.max(0, view.k - TAIL)];
    const to = shown[view.k];
    const line = d3.line().x((p) => at(p.x_px)).y((p) => at(p.y_px));
    const group = svg.append("g").attr("aria-label", "line").attr("clip-path", "url(#frame-clip)")
        .attr("fill", "none");
    for (const track of linkedTracks(ctx)) {
        const chosen = track.id === view.track;
        const rows = trackRows(track).filter((p) => p.frame <= to && (chosen || p.frame >= from));
        if (rows.length > 1 && (chosen || rows[rows.length - 1].frame === to)) {
            group.append("path").attr("d", line(rows)).attr("stroke", chosen ? "#ffce3d" : "#58c2cf")
                .attr("stroke-width", chosen ? 1.8 : 1).attr("stroke-opacity", chosen ? 1 : 0.6);
        }
    }
}

// ---- the growth of one particle ---------------------------------------------------------------

function growthPanel(ctx, width, height) {
    const {movie} = ctx.seen;
    const {key, name, unit} = measureOf(ctx);
    const all = linkedTracks(ctx).flatMap((t) => trackRows(t, movie.frame_s))
        .filter((r) => isNumber(r[key]));
    const x = isNumber(movie.frame_s) ? "time_s" : "frame";
    const now = movie.shown[view.k] * (x === "time_s" ? movie.frame_s : 1);
    const chosen = finite(trackRows(linkedTracks(ctx).find((t) => t.id === view.track),
        movie.frame_s), key);
    return panel({
        width, height, margin: {right: 12},
        label: view.track === null ? `${name} of every particle against time`
            : `${name} of particle ${view.track} against time`,
        x: {domain: extent(all.map((r) => r[x]), {pad: 0}),
            label: x === "time_s" ? "time (s)" : "frame"},
        y: {domain: extent(all.map((r) => r[key])), label: `${name.toLowerCase()} (${unit})`},
        marks: [
            Plot.line(all, {x, y: key, z: "track", stroke: "var(--data)",
                ...lineStyle(linkedTracks(ctx).length)}),
            Plot.line(chosen, {x, y: key, stroke: "var(--panel)", strokeWidth: 4.5}),
            Plot.line(chosen, {x, y: key, stroke: "var(--star)", strokeWidth: 2}),
            Plot.ruleX([now], {stroke: "var(--ink)", strokeDasharray: "3 3"}),
            chosen.length > 1 && Plot.tip(chosen, Plot.pointerX({x, y: key,
                title: (d) => `${timeOf(ctx, d.frame)}\n${show(d[key])} ${unit}`,
                fill: "var(--panel)", stroke: "var(--rule)"}))
        ].filter(Boolean)
    });
}

function chosenWords(ctx) {
    const track = linkedTracks(ctx).find((t) => t.id === view.track);
    if (!track) return "All particles; choose one to follow it.";
    const {key, name, unit} = measureOf(ctx);
    const sized = list(track[key]).filter(isNumber);
    const last = track.frame.length - 1;
    const sizes = sized.length > 1 ? `, ${name.toLowerCase()} ${show(sized[0])} to `
        + `${show(sized[sized.length - 1])} ${unit}` : "";
    return `Particle ${track.id}: ${timeOf(ctx, track.frame[0])} to `
        + `${timeOf(ctx, track.frame[last])}${sizes}.`;
}

// ---- controls ---------------------------------------------------------------------------------

function checkbox(text, key, changed) {
    const input = element("input", {type: "checkbox", checked: view[key],
        onchange: () => { view[key] = input.checked; changed(); }});
    return element("label", {}, input, ` ${text}`);
}

function trackChooser(ctx, changed) {
    const box = element("select", {onchange: () => {
        view.track = box.value === "" ? null : Number(box.value);
        changed();
    }}, element("option", {value: "", textContent: "none"}),
    ...linkedTracks(ctx).map((t) => element("option", {value: String(t.id),
        textContent: `${t.id}: ${plural(t.frame.length, "point")}`})));
    box.value = view.track === null ? "" : String(view.track);
    return box;
}

/** The picture and its controls; everything that changes is drawn again in place. */
function stage(ctx, width) {
    const {movie} = ctx.seen;
    const byFrame = pointsByFrame(ctx);
    const linked = linkedTracks(ctx).length > 0;
    // The first picture is one with something in it: a movie may begin before anything is there.
    view.k ??= byFrame.get(movie.shown[0]).length > 0 ? 0 : Math.max(0,
        d3.maxIndex(movie.shown, (f) => byFrame.get(f).length));
    const beside = width >= 720 && linked;
    const size = Math.min(beside ? Math.round(width * 0.54) : width, 620);
    const picture = element("div", {class: "picture"});
    const curve = element("div", {class: "curve"});
    const said = element("output", {class: "said"});
    const slider = element("input", {type: "range", min: 0, max: movie.shown.length - 1, step: 1,
        value: view.k, class: "time", "aria-label": "Frame"});
    const chooser = linked ? trackChooser(ctx, () => update()) : null;
    const update = () => {
        const frame = movie.shown[view.k];
        slider.value = view.k;
        slider.setAttribute("aria-valuetext", `${timeOf(ctx, frame)}, frame ${frame}`);
        said.textContent = `${timeOf(ctx, frame)} · frame ${frame} of ${movie.frames - 1}`
            + ` · ${plural(byFrame.get(frame).length, "particle")}`;
        picture.replaceChildren(frameSvg(ctx, byFrame, size, (id) => {
            view.track = view.track === id ? null : id;
            if (chooser) chooser.value = view.track === null ? "" : String(view.track);
            update();
        }));
        if (linked) {
            curve.replaceChildren(element("p", {class: "said", textContent: chosenWords(ctx)}),
                growthPanel(ctx, beside ? width - size - 18 : width,
                    beside ? Math.min(size, 380) : 260));
        }
    };
    slider.oninput = () => { view.k = Number(slider.value); update(); };
    update();
    return element("div", {class: `stage${beside ? " beside" : ""}`,
        style: `--picture:${size}px`},
    element("div", {}, picture,
        element("div", {class: "controls"}, playButton(movie, update), slider),
        element("div", {class: "controls"}, said),
        element("div", {class: "controls"},
            checkbox("outlines", "outlines", update),
            linked ? checkbox("tracks", "tails", update) : "",
            linked ? element("label", {}, "particle ", chooser) : "")),
    linked ? curve : "");
}

function playButton(movie, update) {
    const button = element("button", {type: "button"});
    const tell = () => { button.textContent = view.timer ? "Stop" : "Play"; };
    button.onclick = () => {
        if (view.timer) {
            clearInterval(view.timer);
            view.timer = 0;
        } else {
            view.timer = setInterval(() => {
                view.k = (view.k + 1) % movie.shown.length;
                update();
            }, 180);
        }
        tell();
    };
    tell();
    return button;
}

const movieFigure = {
    id: "movie",
    title: "The movie",
    wide: true,
    missing: (ctx) => (list(ctx.seen?.image).length ? undefined : "the movie"),
    caption(ctx) {
        const {movie} = ctx.seen;
        const what = tracksOf(ctx).length
            ? `Circles ${measureOf(ctx).key === "radius_nm" ? "are the radii that were measured"
                : "mark what was found"}` : "No table of particles was given";
        const lines = linkedTracks(ctx).length ? ", lines where each particle came from. Click a "
            + "particle, or choose it by its number, to see how it grew; the slider moves with the "
            + "arrow keys" : "";
        return `${plural(movie.shown.length, "frame")} of ${movie.frames.toLocaleString("en-US")}. `
            + `${what}${lines}.`;
    },
    rows: (ctx) => tracksOf(ctx).flatMap((t) => trackRows(t, ctx.seen.movie.frame_s)),
    draw: (ctx, width) => [stage(ctx, width)]
};

// ---- events -----------------------------------------------------------------------------------

const strips = (ctx) => list(ctx.seen?.event).filter((e) => e.strip);

function eventWords(ctx, e) {
    const both = e.kind === "merge"
        ? `${e.track} goes into ${e.partner}` : `${e.track} comes out of ${e.partner}`;
    const sizes = [e.radius1_nm, e.radius2_nm].every(isNumber)
        ? `: ${show(e.radius1_nm)} and ${show(e.radius2_nm)}`
            + `${isNumber(e.radius_after_nm) ? ` → ${show(e.radius_after_nm)}` : ""} nm` : "";
    return `${both}${sizes}${isNumber(e.score) ? `, score ${e.score.toFixed(2)}` : ""}`;
}

function stripSvg(ctx, e, width) {
    const {side, frame, image, outline} = e.strip;
    const cell = width / Math.max(frame.length, 7);
    const scale = cell / side;
    const head = 20;
    const foot = 17;
    const svg = d3.create("svg").attr("role", "img").attr("width", width)
        .attr("height", head + cell + foot).attr("viewBox", `0 0 ${width} ${head + cell + foot}`)
        .attr("font-family", FONT).attr("font-size", 12)
        .attr("aria-label", `${e.kind} at ${seconds(e.time_s)}: ${eventWords(ctx, e)}`);
    const id = `strip-${e.track}-${e.frame}-${e.kind}`;
    svg.append("clipPath").attr("id", id).append("rect").attr("y", head)
        .attr("width", cell * frame.length).attr("height", cell);
    svg.append("text").attr("y", 12).attr("fill", "var(--ink)").text(eventWords(ctx, e));
    svg.append("image").attr("href", image).attr("y", head).attr("width", cell * frame.length)
        .attr("height", cell).attr("style", "image-rendering:pixelated");
    const dots = svg.append("g").attr("aria-label", "dot").attr("clip-path", `url(#${id})`)
        .attr("fill", "none").attr("stroke-width", 1.4);
    outline.forEach((found, k) => found.forEach((p) => dots.append("circle")
        .attr("cx", k * cell + (p.x_px + 0.5) * scale).attr("cy", head + (p.y_px + 0.5) * scale)
        .attr("r", number(p.radius_px) * scale || 2)
        .attr("stroke", p.track === e.track ? "#ff8270" : "#58c2cf")));
    frame.forEach((f, k) => {
        if (k > 0) {
            svg.append("line").attr("x1", k * cell).attr("x2", k * cell).attr("y1", head)
                .attr("y2", head + cell).attr("stroke", "var(--panel)").attr("stroke-width", 2);
        }
        const event = f === e.frame;
        if (event || cell > 44) {
            svg.append("text").attr("x", (k + 0.5) * cell).attr("y", head + cell + 13)
                .attr("text-anchor", "middle").attr("fill", event ? "var(--ink)" : "var(--muted)")
                .attr("font-weight", event ? 650 : 400).attr("font-size", 11)
                .text(timeOf(ctx, f));
        }
    });
    return svg.node();
}

const eventFigure = {
    id: "events",
    title: "Merges and splits",
    wide: true,
    missing: (ctx) => (strips(ctx).length ? undefined : false),
    caption(ctx) {
        const count = ctx.seen.count;
        const all = number(count?.merges) + number(count?.splits);
        const n = strips(ctx).length;
        const some = all > n ? `The ${n} with the highest score of ${all}` : `All ${n}`;
        return `${some}: three frames before, the first in which they are one (or two, after a `
            + "split), three after. Red is the particle that ends (or begins), blue the other.";
    },
    rows: (ctx) => list(ctx.seen?.event).map(({strip, ...e}) => e),
    draw: (ctx, width) => [grid(width, 380, strips(ctx).map((e) => (w) => stripSvg(ctx, e, w)),
        {name: "tiles", gap: 22})]
};

/** The text above the figures says what was seen: they need no heading of their own. */
const seenFigures = {figures: [movieFigure, eventFigure]};
