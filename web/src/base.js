// Reading the embedded results, formatting numbers, tables. Everything here survives missing keys.

const MINUS = "\u2212";
const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const isNumber = (v) => typeof v === "number" && Number.isFinite(v);
const number = (v) => (isNumber(v) ? v : NaN);
const list = (v) => (Array.isArray(v) ? v : []);
const hasNumbers = (v) => list(v).some(isNumber);

/** Arrays of one object, side by side: [{key: number, ...}, ...]; a missing array gives NaN. */
function rowsOf(object, keys) {
    const columns = keys.map((key) => list(object?.[key]));
    const n = Math.max(0, ...columns.map((c) => c.length));
    return Array.from({length: n}, (_, i) =>
        Object.fromEntries(keys.map((key, k) => [key, number(columns[k][i])])));
}

const finite = (rows, ...keys) => rows.filter((row) => keys.every((key) => isNumber(row[key])));

function superscript(k) {
    const digits = String(Math.abs(k)).split("").map((d) => SUPERSCRIPT[+d]).join("");
    return (k < 0 ? "⁻" : "") + digits;
}

function powerOfTen(v) {
    let exponent = Math.floor(Math.log10(Math.abs(v)) + 1e-9);
    let mantissa = +(v / 10 ** exponent).toPrecision(2);
    if (Math.abs(mantissa) >= 10) {
        mantissa /= 10;
        exponent += 1;
    }
    const power = `10${superscript(exponent)}`;
    if (mantissa === 1) return power;
    return `${String(mantissa).replace("-", MINUS)}×${power}`;
}

/** A number for people: three digits, thousands apart, powers of ten where digits would not fit. */
function show(v, digits = 3) {
    if (!isNumber(v)) return "–";
    if (v === 0) return "0";
    const size = Math.abs(v);
    if (size >= 1e6 || size < 1e-3) return powerOfTen(v);
    const rounded = +v.toPrecision(digits);
    const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
    const whole = Math.abs(rounded) >= 1000;
    return rounded.toLocaleString("en-US", {
        minimumFractionDigits: 0, maximumFractionDigits: whole ? 0 : places
    }).replace("-", MINUS);
}

/** A tick label: as short as it can be. */
function tick(v) {
    if (v === 0) return "0";
    const size = Math.abs(v);
    if (size >= 1e5 || size < 1e-3) return powerOfTen(v);
    return (+v.toPrecision(6)).toLocaleString("en-US", {maximumFractionDigits: 6})
        .replace("-", MINUS);
}

/** Factor 10^-k that brings the largest to 1..10, and how to write it before a unit. */
function scaleOf(values) {
    const most = d3.max(values.filter(isNumber), Math.abs);
    if (!(most > 0) || (most >= 0.1 && most < 1e5)) return {factor: 1, text: ""};
    const k = Math.floor(Math.log10(most) + 1e-9);
    return {factor: 10 ** -k, text: `10${superscript(k)} `};
}

/** "nm^-2 s^-1" as it is printed. */
const prettyUnit = (unit) => (unit ?? "").replace(/\^(-?\d+)/g, (_, k) => superscript(+k));

/** A number of monomers: whole, and exact to the reader. */
const count = (n) => (isNumber(n) && Math.abs(n) < 1e6
    ? Math.round(n).toLocaleString("en-US") : show(n));

const seconds = (t) => `${show(t)} s`;
const plural = (n, one, many = `${one}s`) => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/** Rows to CSV: the union of their columns in order of first appearance. */
function csvOf(rows) {
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const cell = (v) => {
        if (v === undefined || v === null || Number.isNaN(v)) return "";
        const text = String(v);
        return /[",\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text;
    };
    return [columns.join(","), ...rows.map((row) => columns.map((c) => cell(row[c])).join(","))]
        .join("\n") + "\n";
}

function element(name, properties = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
        if (key === "class") node.className = value;
        else if (key === "style" || key.startsWith("aria-") || key === "role") {
            node.setAttribute(key, value);
        } else node[key] = value;
    }
    node.append(...children);
    return node;
}

const REGIMES = {
    hypersaturation: {color: "var(--hyper)", text: "hypersaturated", effect: "all sizes grow"},
    supersaturation: {color: "var(--super)", text: "supersaturated", effect: "some sizes shrink"},
    undersaturation: {color: "var(--under)", text: "undersaturated", effect: "all sizes shrink"}
};

const regimeColor = (regime) => REGIMES[regime]?.color ?? "var(--muted)";

/** The regime of supersaturation `s` against the highest potential `mu_kT`. */
function regimeOf(s, mu_kT) {
    if (!isNumber(s)) return undefined;
    if (s < 1) return "undersaturation";
    if (!isNumber(mu_kT)) return undefined;
    return s > Math.exp(mu_kT) ? "hypersaturation" : "supersaturation";
}

/** Phases end at one frame and begin at the next: let them meet half way between. */
function joinedPhases(phases) {
    const kept = list(phases).filter((p) => isNumber(p?.start_s) && isNumber(p?.end_s));
    if (!kept.length) return [];
    const near = 0.05 * (kept[kept.length - 1].end_s - kept[0].start_s);
    const meet = (a, b) => (a && b && b.start_s - a.end_s < near
        ? (a.end_s + b.start_s) / 2 : undefined);
    return kept.map((p, i) => ({...p, start_s: meet(kept[i - 1], p) ?? p.start_s,
        end_s: meet(p, kept[i + 1]) ?? p.end_s}));
}

/** What one group of figures draws from: the results given, and what follows from them. */
function contextOf(study) {
    const {ensemble, fit, potential, truth, prediction} = study;
    const growth = ensemble ?? fit?.ensemble;
    const material = fit?.material ?? growth?.material ?? potential?.material;
    const sigma = number(material?.sigma_s_nm ?? truth?.sigma_s_nm
        ?? prediction?.fit?.sigma_s_nm);
    return {
        prediction, ensemble, fit, potential, truth, growth, sigma,
        phases: joinedPhases(fit?.phases ?? growth?.phases),
        muMax: number(fit?.potential?.mu_max_kT ?? potential?.maximum?.mu_kT),
        nMax: number(fit?.potential?.n_max ?? potential?.maximum?.n),
        radius: (n) => sigma * Math.cbrt(n),
        monomers: (r) => (r / sigma) ** 3
    };
}

/** What a prediction draws from: its own phases and maximum. */
function predictionContext(study) {
    return {...contextOf(study), phases: joinedPhases(study.prediction?.phases),
        muMax: number(study.prediction?.law?.mu_max_kT), nMax: number(study.prediction?.law?.n_max)};
}
