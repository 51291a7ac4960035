// Draw every figure into the slots that the page holds, and again when their width changes.

const SLOTS = {seen: [seenFigures], physics: [growthFigures, drivingFigures, rateFigures],
    certainty: [certaintyFigures], prediction: [predictionFigures], compare: [compareFigures],
    coalescence: [coalescenceFigures], reconstruction: [reconstructionFigures],
    crystals: [crystalFigures]};

/** The groups that can be asked of this study: a table of the potential has no trajectories. */
function askable(group, study) {
    if (group === predictionFigures) return study.prediction;
    if ([compareFigures, seenFigures, crystalFigures, coalescenceFigures,
        reconstructionFigures].includes(group)) {
        return true;
    }
    if (group === growthFigures) return study.ensemble || study.fit;
    if (group === drivingFigures) return study.fit || study.potential;
    return study.fit;
}

function missingNote(names) {
    return element("div", {class: "missing"}, "Not shown, for the results do not hold it:",
        element("ul", {}, ...names.map((name) => element("li", {textContent: name}))));
}

function mountGroup(slot, group, ctx, prefix, lacking) {
    const mounted = [];
    for (const figure of group.figures) {
        const missing = figure.missing(ctx);
        if (missing === undefined) mounted.push(mountFigure(figure, ctx, prefix));
        else if (missing) lacking.push(missing.replaceAll("`", ""));
    }
    if (!mounted.length) return [];
    // A lone narrow figure would leave half a row empty.
    let open = null;
    for (const figure of mounted) {
        if (figure.node.classList.contains("wide")) {
            open?.node.classList.add("wide");
            open = null;
        } else open = open ? null : figure;
    }
    open?.node.classList.add("wide");
    if (group.title) {
        slot.append(element("h2", {textContent: group.title}),
            element("p", {class: "lead", textContent: group.lead}));
    }
    slot.append(...mounted.map((f) => f.node));
    return mounted;
}

function mountSlot(slot, studies) {
    const k = Number(slot.dataset.study);
    const study = studies[k];
    const ctx = {...(slot.dataset.slot === "prediction" ? predictionContext : contextOf)(study),
        study, studies, seen: data.seen};
    const lacking = [];
    const groups = SLOTS[slot.dataset.slot].filter((group) => askable(group, study));
    const mounted = groups.flatMap((group) =>
        mountGroup(slot, group, ctx, k ? `result-${k + 1}-` : "", lacking));
    if (lacking.length) slot.append(missingNote(lacking));
    return mounted;
}

const data = JSON.parse(document.getElementById("nucgrow-data").textContent);
const studies = list(data.studies);
const figures = [...document.querySelectorAll("[data-slot]")].flatMap((slot) =>
    mountSlot(slot, studies));

const drawAll = (print) => figures.forEach((f) =>
    f.draw(print ? (f.node.classList.contains("wide") ? 640 : 300) : undefined));

drawAll();

let width = document.body.clientWidth;
let waiting = 0;
addEventListener("resize", () => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 120);
});
addEventListener("beforeprint", () => drawAll(true));
addEventListener("afterprint", () => drawAll());

// What a test, or a reader at the console, can ask for.
window.nucgrowReport = {figures: figures.map(({id, csv, svg}) => ({id, csv, svg}))};
