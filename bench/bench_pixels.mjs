// SPDX-License-Identifier: GPL-3.0-or-later
// Through to physics: movies of a known growth law, from their pixels to the law and its intervals.
// usage: node bench_pixels.mjs NUCGROW [--seeds 3] [--first-seed 1] [--contrasts 0.4,0.2,0.05]
//        [--particles 250] [--field-nm 500] [--contact-nm 0.5] [--merge-chance 1]
//        [--estimator rate]
// For every contrast (at a dose of 1600, a noise of 1/40) and seed: simulate tem -> detect -> track ->
// fit growth; particles and merges against the truth, the law from pixels beside that from the true
// sizes.
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {parseArgs} from "node:util";

const {values: option, positionals: [program]} = parseArgs({allowPositionals: true, options: {
    seeds: {type: "string", default: "3"},
    "first-seed": {type: "string", default: "1"},
    contrasts: {type: "string", default: "0.4,0.2,0.05"},
    particles: {type: "string", default: "250"},
    "field-nm": {type: "string", default: "500"},
    "contact-nm": {type: "string", default: "0.5"},
    "merge-chance": {type: "string", default: "1"},
    estimator: {type: "string", default: "rate"}
}});
const folder = mkdtempSync(join(tmpdir(), "bench-pixels-"));
const PIXEL_NM = 0.53;
const UNTRUSTED = 4;

function nucgrow(...args) {
    try {
        execFileSync(program, [...args, "--quiet", "--force"], {stdio: ["ignore", "ignore", "pipe"]});
    } catch (error) {
        if (error.status !== UNTRUSTED) throw new Error(`${args.join(" ")}: ${error.stderr}`);
    }
}

function table(path) {
    const [head, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n")
        .filter((line) => !line.startsWith("#"));
    const names = head.split(",");
    return rows.map((row) => Object.fromEntries(row.split(",").map((cell, i) =>
        [names[i], cell === "" || !Number.isFinite(Number(cell)) ? cell : Number(cell)])));
}

const median = (v) => v.sort((a, b) => a - b)[Math.floor(v.length / 2)];
const sum = (v) => v.reduce((a, b) => a + b, 0);
function grouped(rows, key) {
    const map = new Map();
    for (const r of rows) {
        if (!map.has(r[key])) map.set(r[key], []);
        map.get(r[key]).push(r);
    }
    return map;
}

/** Pairs of a frame, nearest first, each particle once, no further than the true radius + 1 px. */
function matched(truth, found) {
    const pairs = truth.flatMap((t) => found.map((f) => ({t, f,
        d: Math.hypot(t.x_raw_nm - f.x_raw_nm, t.y_raw_nm - f.y_raw_nm)}))
        .filter((p) => p.d < t.radius_nm + PIXEL_NM)).sort((a, b) => a.d - b.d);
    const used = new Set();
    return pairs.filter(({t, f}) => {
        if (used.has(t) || used.has(f)) return false;
        used.add(t).add(f);
        return true;
    });
}

/** What detection and tracking made of the movie. */
function compareTables(truth, found) {
    const frames = grouped(truth, "frame");
    const seen = grouped(found, "frame");
    const pairs = [];
    for (const [frame, rows] of frames) pairs.push(...matched(rows, seen.get(frame) ?? []));
    const identity = new Map(pairs.map(({t, f}) => [f, t.track]));
    const inner = pairs.filter(({f}) => f.flag === "");
    const bias = (low, high) => {
        const errors = inner.filter(({t}) => t.radius_nm >= low * PIXEL_NM
            && t.radius_nm < high * PIXEL_NM).map(({t, f}) => f.radius_nm / t.radius_nm - 1);
        return errors.length ? median(errors) : NaN;
    };
    return {identity, f1: 2 * pairs.length / (truth.length + found.length),
        biases: [bias(0, 2.5), bias(2.5, 3.5), bias(3.5, 9)]};
}

/** A found merge is right when both parents are those of a true one, within two frames. */
function compareMerges(trueEvents, events, found, identity) {
    const rows = grouped(found, "track");
    const who = (track, frame) => {
        const before = (rows.get(track) ?? []).filter((r) => r.frame < frame).slice(-5);
        const names = before.map((r) => identity.get(r)).filter((n) => n !== undefined);
        return names.length ? median(names) : -1;
    };
    const wanted = trueEvents.filter((e) => e.kind === "merge");
    const got = events.filter((e) => e.kind === "merge");
    const right = new Set();
    const good = got.filter((e) => {
        const parents = new Set([who(e.track, e.frame), who(e.partner, e.frame)]);
        const match = wanted.find((w) => !right.has(w) && Math.abs(w.frame - e.frame) <= 2
            && parents.has(w.track) && parents.has(w.partner));
        if (match) right.add(match);
        return match !== undefined;
    });
    return {wanted: wanted.length, got: got.length, good: good.length};
}

/** Truth inside the interval, one entry a quantity, and the height of the potential. */
function compareLaw(truth, path) {
    const fit = JSON.parse(readFileSync(path, "utf8"));
    const names = ["eps_f", "eps_e", "alpha4", "K", "kr"];
    const inside = (x, low, high) => low !== null && high !== null && low <= x && x <= high;
    const digits = (x) => (x === null ? "none" : x.toFixed(2));
    const p = fit.potential;
    return {
        inside: [...names.map((n) => inside(truth.parameters[n], fit.parameters[n].lower,
            fit.parameters[n].upper)),
        inside(truth.maximum.n, p.n_max_lower, p.n_max_upper),
        inside(truth.maximum.mu_kT, p.mu_max_lower_kT, p.mu_max_upper_kT)],
        mu: `${digits(p.mu_max_kT)} (${digits(p.mu_max_lower_kT)} to ${digits(p.mu_max_upper_kT)})`
    };
}

function study(contrast, seed) {
    const at = (name) => join(folder, name);
    nucgrow("simulate", "tem", "-o", folder, "--particles", option.particles, "--field-nm",
        option["field-nm"], "--diffusion-nm2-per-s", "0.01", "--dose-per-px", "1600",
        "--contact-nm", option["contact-nm"], "--merge-chance", option["merge-chance"],
        "--contrast", contrast, "--seed", seed);
    nucgrow("detect", at("movie.tif"), "-o", at("found.csv"));
    nucgrow("track", at("found.csv"), "-o", at("linked.csv"), "--events", at("linked-events.csv"),
        "--min-points", "10");
    const fitted = (input, output) => nucgrow("fit", "growth", at(input), "--material", "Pt",
        "--estimator", option.estimator, "-o", at(output));
    fitted("linked.csv", "fit.json");
    fitted("tracks.csv", "fit-truth.json");
    const found = table(at("linked.csv"));
    const tables = compareTables(table(at("tracks.csv")), found);
    const truth = JSON.parse(readFileSync(at("truth.json"), "utf8"));
    return {...tables,
        merges: compareMerges(table(at("events.csv")), table(at("linked-events.csv")), found,
            tables.identity),
        pixels: compareLaw(truth, at("fit.json")), sizes: compareLaw(truth, at("fit-truth.json"))};
}

const percent = (x) => `${(100 * x).toFixed(1)} %`;
try {
    for (const contrast of option.contrasts.split(",")) {
        const all = [];
        for (let k = 0; k < Number(option.seeds); k++) {
            const seed = Number(option["first-seed"]) + k;
            const s = study(contrast, String(seed));
            all.push(s);
            console.log(`contrast ${contrast}, seed ${seed}: F1 ${s.f1.toFixed(4)}, radius off by `
                + `${s.biases.map(percent).join(", ")} (r < 2.5, 2.5-3.5, > 3.5 px); merges `
                + `${s.merges.wanted} true, ${s.merges.got} found, ${s.merges.good} right`);
            console.log(`    mu max from pixels ${s.pixels.mu}, inside ${sum(s.pixels.inside)} of 7; `
                + `from true sizes ${s.sizes.mu}, inside ${sum(s.sizes.inside)} of 7`);
        }
        const m = (key) => sum(all.map((s) => s.merges[key]));
        const inside = (key) => `${sum(all.flatMap((s) => s[key].inside))} of ${7 * all.length}`;
        console.log(`contrast ${contrast}, ${(40 * contrast).toFixed(0)} times the noise: merges `
            + `precision ${(m("good") / m("got")).toFixed(3)}, recall `
            + `${(m("good") / m("wanted")).toFixed(3)}; truth inside ${inside("pixels")} intervals `
            + `from pixels, ${inside("sizes")} from true sizes`);
    }
} finally {
    rmSync(folder, {recursive: true});
}
