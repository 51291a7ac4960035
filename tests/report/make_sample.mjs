// SPDX-License-Identifier: GPL-3.0-or-later
// Result files that look like real ones, from closed formulas and a fixed stream of random numbers.
// They follow docs/results.md; their physics is only plausible.
// usage: node make_sample.mjs FOLDER [--tracks N] [--forward] [--holes K]
// --forward adds a forward fit and a prediction.
import {mkdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {parseArgs} from "node:util";

const {values: option, positionals} = parseArgs({allowPositionals: true, options: {
    tracks: {type: "string", default: "120"},
    forward: {type: "boolean", default: false},
    holes: {type: "string"}
}});
const folder = positionals[0];
const TRACKS = Number(option.tracks);
const FRAMES = 150;
const FRAME_S = 1.2;
const SIGMA = 0.15567157440168947;

// ---- a random stream (mulberry32) -------------------------------------------------------------

let state = 20250424;
function uniform() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

const range = (n) => Array.from({length: n}, (_, i) => i);
const mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;
const variance = (v) => mean(v.map((x) => (x - mean(v)) ** 2));

// ---- a potential with its maximum at n = 186 --------------------------------------------------

function potential(n, {face = 1, edge = 1, log = 1} = {}) {
    const x = Math.cbrt(1 / n);
    return 10.43 * face * x - 23.1 * edge * x * x - 6 * log * x * x + 1.5 * x ** 3;
}
const gibbsThomson = (n, face = 1) => 10.43 * face * Math.cbrt(1 / n);
const attachment = (n) => 0.469 * Math.cbrt(n * n) / (1 + 0.171 * Math.cbrt(n));
const PEAK = range(4000).map((i) => 60 + i).reduce((a, b) => (potential(b) > potential(a) ? b : a));
const PHASES = [["I", 0, 36, 3.4], ["II", 36, 66, 1.75], ["III", 66, 110, 3.1],
    ["IV", 110, 146, 2.7], ["V", 146, 178.8, 3.6]];

function supersaturation(t) {
    const k = PHASES.findIndex(([, , end]) => t <= end + 1e-9);
    const level = (i) => PHASES[Math.max(0, Math.min(PHASES.length - 1, i))][3];
    const [, start, end] = PHASES[k];
    const u = Math.min(1, (t - start) / 8, (end - t) / 8);
    const near = t - start < end - t ? level(k - 1) : level(k + 1);
    return level(k) + (near - level(k)) * 0.5 * (1 - u);
}

// ---- trajectories -----------------------------------------------------------------------------

function trajectory(id) {
    const birth = uniform() < 0.25 ? Math.floor(uniform() * 90) : 0;
    const speed = Math.exp(0.1 * normal());
    let n = 330 * Math.exp(0.32 * normal());
    const track = {id, source: 0, frame: [], time_s: [], radius_nm: []};
    for (let f = birth; f < FRAMES; f++) {
        const t = f * FRAME_S;
        const seen = SIGMA * Math.cbrt(n) * (1 + 0.012 * normal());
        if (uniform() > 0.02) {
            track.frame.push(f);
            track.time_s.push(+t.toFixed(6));
            track.radius_nm.push(seen);
        }
        n = Math.max(60, n + speed * FRAME_S * attachment(n)
            * (supersaturation(t) - Math.exp(potential(n))));
    }
    return track;
}

const tracks = range(TRACKS).map(trajectory);
const times = range(FRAMES).map((f) => +(f * FRAME_S).toFixed(6));
const sizesAt = times.map(() => []);
for (const track of tracks) {
    track.frame.forEach((f, i) => sizesAt[f].push((track.radius_nm[i] / SIGMA) ** 3));
}
const perFrame = (f) => sizesAt.map(f);

// ---- ensemble.json ----------------------------------------------------------------------------

const mean_n = perFrame(mean);
const var_n = perFrame(variance);
const error = (f) => Math.sqrt(var_n[f] / sizesAt[f].length);
const radii = perFrame((sizes) => sizes.map((n) => SIGMA * Math.cbrt(n)));
const slope = (v) => v.map((_, i) => {
    const [a, b] = [Math.max(0, i - 1), Math.min(v.length - 1, i + 1)];
    return (v[b] - v[a]) / (times[b] - times[a]);
});

const gauss = (u) => Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
function density(f, points) {
    const sizes = sizesAt[f];
    const h = 0.9 * Math.sqrt(var_n[f]) * sizes.length ** -0.2;
    const low = Math.max(50, Math.min(...sizes) - 3 * h);
    const high = Math.max(...sizes) + 3 * h;
    const n = range(points).map((i) => low + (high - low) * i / (points - 1));
    const p_n = n.map((x) => mean(sizes.map((s) => gauss((x - s) / h))) / h);
    return {n, p_n};
}

const shown = range(10).map((k) => Math.round(4 + k * (FRAMES - 8) / 9));
const orders = range(8).map((i) => i + 3);
const momentOf = (q) => perFrame((sizes) => mean(sizes.map((n) => n ** q)));
const trend = (v, a, b) => {
    const change = v[Math.min(FRAMES - 1, Math.round(b / FRAME_S))] / v[Math.round(a / FRAME_S)];
    return change > 1.1 ? "rising" : change < 0.9 ? "falling" : "flat";
};

const material = {name: "Pt", title: "Platinum, in situ", sigma_s_nm: SIGMA, density_per_nm3: 63.2825};
const provenance = (verb) => ({program: "nucgrow", version: "0.1.0", build: "gcc, release", verb,
    command: `nucgrow ${verb} tracks.csv -o ${verb}.json`, options: {
        bootstrap: {value: 1000, unit: null, origin: "default"},
        material: {value: "Pt", unit: null, origin: "flag"}
    }, seed: 1, threads: 2, inputs: [{name: "tracks.csv", bytes: 812345, sha256: "ab".repeat(32)}],
    started_utc: "2025-04-24T12:00:00Z", wall_s: 1.25, cpu_s: 2.3, peak_memory_MB: 61.2,
    references: ["J.-H. Kim et al., PNAS 122, e2424950122 (2025)."]});

const phases = PHASES.map(([name, start_s, end_s]) => ({name, start_s, end_s,
    mean_trend: trend(mean_n, start_s, end_s), var_trend: trend(var_n, start_s, end_s)}));

const ensemble = {
    schema: "nucgrow/ensemble/1",
    material,
    settings: {preset: "default", smoothing: "zero-phase low-pass", bootstrap: 1000, level: 0.95},
    counts: {rows: tracks.reduce((a, t) => a + t.frame.length, 0), rows_dropped: 0,
        tracks: TRACKS, tracks_dropped: 0, frames: FRAMES, points: 0},
    series: {
        time_s: times, particles: perFrame((s) => s.length), mean_n,
        mean_n_lower: mean_n.map((m, f) => m - 1.96 * error(f)),
        mean_n_upper: mean_n.map((m, f) => m + 1.96 * error(f)),
        var_n, var_n_lower: var_n.map((v) => 0.78 * v), var_n_upper: var_n.map((v) => 1.25 * v),
        mean_radius_nm: radii.map(mean), sd_radius_nm: radii.map((r) => Math.sqrt(variance(r))),
        dmean_n_dt_per_s: slope(mean_n), dvar_n_dt_per_s: slope(var_n),
        dln_particles_dt_per_s: slope(perFrame((s) => Math.log(s.length)))
    },
    moments: {order: orders, value: orders.map(momentOf),
        lower: orders.map((q) => momentOf(q).map((v) => v * Math.exp(-0.08 * q))),
        upper: orders.map((q) => momentOf(q).map((v) => v * Math.exp(0.06 * q)))},
    distributions: shown.map((f) => {
        const {n, p_n} = density(f, 161);
        return {time_s: times[f], particles: sizesAt[f].length, n, p_n,
            p_n_lower: p_n.map((p) => 0.8 * p), p_n_upper: p_n.map((p) => 1.22 * p),
            psi_n: p_n.map((_, i) => 1 - i / 160)};
    }),
    phases,
    tracks: {source: ["tracks.csv"], frame_s: FRAME_S, track: tracks},
    warnings: [{name: "late-particles",
        text: "25 % of the particles were first seen after the start <of the movie> & count from then."}],
    provenance: provenance("ensemble")
};

// ---- fit-growth.json --------------------------------------------------------------------------

const grid = range(6000 - 50).map((i) => i + 50);
const S = times.map(supersaturation);
const muMax = potential(PEAK);
const wiggle = (i, k) => Math.sin(0.37 * i + k) + 0.6 * Math.sin(1.13 * i + 2 * k);

function critical(s) {
    const level = Math.log(s);
    if (level > muMax) return {n_star: null, n_star2: null, r_star_nm: null, r_star2_nm: null};
    const up = grid.find((n) => potential(n) >= level);
    const down = grid.find((n) => n > PEAK && potential(n) <= level) ?? null;
    return {n_star: up, n_star2: down, r_star_nm: SIGMA * Math.cbrt(up),
        r_star2_nm: down && SIGMA * Math.cbrt(down)};
}

function profile(f) {
    const {n, p_n} = density(f, 141);
    const model = n.map((x, i) => p_n[i] * attachment(x) * (S[f] - Math.exp(potential(x))));
    const most = Math.max(...model.map(Math.abs));
    return {time_s: times[f], phase: PHASES.find(([, , end]) => times[f] <= end)[0], n, p_n,
        flux_data_per_s: model.map((v, i) => v + 0.07 * most * wiggle(i / 3, f)),
        flux_model_per_s: model, mu_minus_ln_S: n.map((x) => potential(x) - Math.log(S[f]))};
}

const TRUE = {eps_f: 3.04, eps_e: -1.35, alpha4: 6.5, K: 0.171, kr: 1.4};
const parameter = (name, title, unit, value, lower, upper, min, max, flag = "ok") => [name, {value,
    lower, upper, se: (upper - lower) / 3.92, flag, unit, title, symbol: name, min, max,
    start: TRUE[name], fixed: false}];
const parameters = Object.fromEntries([
    parameter("eps_f", "Energy of a monomer on a face", "kT", 2.93, 2.71, 3.18, 0, 20),
    parameter("eps_e", "Energy of a monomer on an edge", "kT", -1.22, -1.71, -0.83, -20, 20),
    parameter("alpha4", "Weight of the logarithmic term", "", 6.31, 5.62, 7.2, 0, 20),
    parameter("K", "Reaction against diffusion", "", 0.43, 0, 1.37, 0, 10, "at-bound"),
    parameter("kr", "Attachment rate at the solubility", "nm^-2 s^-1", 2.05, 1.1, 4.4, 1e-6, 100,
        "not-identifiable")
]);
const names = Object.keys(parameters);
const loadings = {eps_f: 0.9, eps_e: -0.85, alpha4: 0.8, K: 0.3, kr: 0.45};
const correlation = names.map((a, i) => names.map((b, k) => (i === k ? 1
    : i + k === 7 ? 0.97 : loadings[a] * loadings[b])));

const replicates = Object.fromEntries(names.map((name) => {
    const p = parameters[name];
    return [name, range(50).map(() => Math.max(p.min,
        p.value + 0.5 * (p.upper - p.lower) / 1.96 * normal()))];
}));

const sampled = (n) => n >= 150 && n <= 5200;
const fit = {
    schema: "nucgrow/fit-growth/1",
    estimator: "rate", preset: "default", level: 0.95, trusted: true,
    verdict: {level: "amber", reasons: ["K stops at its lower bound (0): only kr and K together are "
        + "fixed by these data.", "The curve of the chemical potential is well determined."]},
    answer: [`${TRACKS} platinum particles grew from a mean radius of 1.07 to 2.6 nm in 179 s.`,
        "The chemical potential of a monomer is highest in particles of about "
        + `${PEAK} monomers (radius ${(SIGMA * Math.cbrt(PEAK)).toFixed(2)} nm), `
        + `${muMax.toFixed(2)} kT above the bulk.`,
        "In phase II the solution was too thin for all sizes to grow, and middle sizes shrank."],
    material, parameters,
    delta: {mode: "smooth", mean: 1.74, lower: 1.69, upper: 1.8},
    cost: {growth_rate: 0.0312, variance: 8e-6, growth_rate_start: 0.05, variance_limit: 1e-5},
    potential: {
        n_max: PEAK, mu_max_kT: muMax, n_max_lower: PEAK * 0.86, n_max_upper: PEAK * 1.2,
        mu_max_lower_kT: muMax - 0.08, mu_max_upper_kT: muMax + 0.09,
        n: grid, radius_nm: grid.map((n) => SIGMA * Math.cbrt(n)), mu_kT: grid.map((n) => potential(n)),
        lower_kT: grid.map((n) => potential(n) - 0.03 - 4 / n ** 0.7),
        upper_kT: grid.map((n) => potential(n) + 0.03 + 4 / n ** 0.7),
        gibbs_thomson_kT: grid.map((n) => gibbsThomson(n)),
        reconstructed_kT: grid.map((n, i) => (sampled(n)
            ? potential(n) + 0.05 * wiggle(i / 40, 1) : null)),
        reconstructed_sd_kT: grid.map((n) => (sampled(n)
            ? 0.06 + 12 / n : null)),
        reconstructed_frames: grid.map((n) => (sampled(n) ? 40 : 0)),
        sampled_first_n: 150, sampled_last_n: 5200
    },
    series: {
        time_s: times, particles: perFrame((s) => s.length), supersaturation: S.map((s, i) =>
            s * (1 + 0.02 * wiggle(i, 0))),
        supersaturation_lower: S.map((s) => 0.9 * s), supersaturation_upper: S.map((s) => 1.12 * s),
        delta: times.map((t, i) => 1.74 + 0.06 * Math.sin(t / 22) + 0.02 * wiggle(i, 3)),
        mean_n, var_n: var_n, mean_n_model: mean_n, var_n_model: var_n.map((v, i) =>
            v * (1 + 0.05 * Math.sin(times[i] / 17))),
        mean_n_lower: ensemble.series.mean_n_lower, mean_n_upper: ensemble.series.mean_n_upper,
        var_n_lower: ensemble.series.var_n_lower, var_n_upper: ensemble.series.var_n_upper,
        growth_rate_cost: times.map((t, i) => 0.03 * (1 + 0.4 * Math.abs(wiggle(i, 2))))
    },
    profiles: [6, 22, 38, 44, 52, 70, 98, 120, 140].map(profile),
    moments: {time_s: times, order: orders, data: ensemble.moments.value,
        model: orders.map((q, k) => ensemble.moments.value[k].map((v, i) =>
            v * (1 + 0.01 * q * Math.sin(times[i] / 21)))),
        lower: ensemble.moments.lower, upper: ensemble.moments.upper},
    free_energy: [10, 40, 43, 80, 110, 140].map((f) => ({time_s: times[f], supersaturation: S[f],
        n: grid.filter((n) => n < 3000), dG_kT: grid.filter((n) => n < 3000).map((n) =>
            15.645 * Math.cbrt(n * n) - 87.3 * Math.cbrt(n) + 1.5 * Math.log(n) - n * Math.log(S[f]))})),
    phases: phases.map((p, k) => {
        const s = PHASES[k][3];
        return {...p, regime: Math.log(s) > muMax ? "hypersaturation" : "supersaturation",
            ...critical(s)};
    }),
    sensitivity: names.flatMap((name) => [0.5, 2].map((factor) => {
        const change = {eps_f: {face: factor}, eps_e: {edge: factor}, alpha4: {log: factor}}[name];
        const n = grid.filter((_, i) => i % 20 === 0);
        return {parameter: name, factor, n, mu_kT: n.map((x) => potential(x, change)),
            n_max: PEAK, mu_max_kT: muMax, growth_rate: 0.0312 * (1 + Math.abs(factor - 1))};
    })),
    identifiability: {names, correlation, eigenvalues: [5200, 310, 12.5, 0.42, 0.0031],
        eigenvectors: [[0.9, 0.4, 0.1, 0, 0.1], [0.35, -0.8, 0.45, 0, 0.1],
            [0.2, -0.4, -0.88, 0.1, 0.1], [0, 0.1, 0.1, 0.65, -0.74], [0, 0, 0.15, 0.74, 0.65]],
        condition: 5200 / 0.0031},
    bootstrap: {replicates: 50, failed: 0, parameters: replicates,
        n_max: range(50).map(() => PEAK * (1 + 0.08 * normal())),
        mu_max_kT: range(50).map(() => muMax + 0.04 * normal())},
    stop: {reason: "converged", iterations: 31, evaluations: 240, starts: []},
    ensemble: {settings: ensemble.settings, counts: ensemble.counts, series: ensemble.series,
        distributions: ensemble.distributions, phases: ensemble.phases, tracks: ensemble.tracks},
    timing: {wall_s: 3.2, threads: 2},
    methods: "Radii were turned into monomer numbers with the density of bulk platinum. The chemical "
        + "potential of Kim et al. was fitted to the growth rate of each size in each frame; the "
        + "supersaturation was eliminated in closed form. Intervals are bootstrap percentiles over "
        + "trajectories.",
    references: ["J.-H. Kim et al., PNAS 122, e2424950122 (2025)."],
    warnings: [{name: "at-bound", text: "K stopped at its bound 0."}],
    provenance: provenance("fit growth")
};

const truth = {
    schema: "nucgrow/truth/1", kind: "ensemble", parameters: TRUE, delta: 1.76, sigma_s_nm: SIGMA,
    maximum: {n: 185, mu_kT: 0.919},
    schedule: {time_s: [0, 36, 36.1, 66], supersaturation: [3.4, 3.4, 1.75, 1.75]},
    series: {time_s: times, supersaturation: S, mean_n: mean_n.map((m) => 0.99 * m),
        var_n: var_n.map((v) => 0.97 * v)}, options: {}, dissolved: 0, provenance: provenance("simulate")
};

const table_n = grid.filter((_, i) => i % 5 === 0);
const potentialResult = {
    schema: "nucgrow/potential/1", material, delta: 1.76, parameters: TRUE,
    maximum: {n: PEAK, radius_nm: SIGMA * Math.cbrt(PEAK), mu_kT: muMax}, supersaturation: 1.75,
    critical: {...critical(1.75), regime: "supersaturation"},
    table: {n: table_n, radius_nm: table_n.map((n) => SIGMA * Math.cbrt(n)),
        mu_kT: table_n.map((n) => potential(n)), gibbs_thomson_kT: table_n.map((n) => gibbsThomson(n)),
        free_energy_kT: table_n.map((n) => 15.645 * Math.cbrt(n * n) - 87.3 * Math.cbrt(n)
            + 1.5 * Math.log(n) - n * Math.log(1.75)),
        attachment_per_s: table_n.map(attachment),
        detachment_per_s: table_n.map((n) => attachment(n) * Math.exp(potential(n)))},
    warnings: [], provenance: provenance("potential")
};

// ---- a forward fit ----------------------------------------------------------------------------

const parabola = (low, best, high, points) => ({
    value: range(points).map((i) => low + (high - low) * i / (points - 1)),
    deviance: range(points).map((i) => {
        const x = low + (high - low) * i / (points - 1);
        return 5.2 * ((x - best) / (x < best ? best - low : high - best)) ** 2;
    })
});
const profileOf = (name, {value, lower, upper}) => ({parameter: name,
    ...parabola(Math.max(name === "eps_e" ? -9 : 1e-3, value - 1.3 * (value - lower)), value,
        value + 1.3 * (upper - value), 11), limit: 3.841459, calibration: 1.4});
const lawOf = (name, title, n_parameters, aic, bic, held_out, n_max) => ({name, title, n_parameters,
    log_likelihood: -71800 - aic / 2, aic, bic, held_out, held_out_se: 0.011, parameters: TRUE,
    delta: 1.7, n_max, mu_max_kT: n_max && muMax, converged: true});

const forwardFit = {
    ...fit, estimator: "forward",
    answer: [...fit.answer.slice(0, 1), "Predicted from the particles' first frames, the mean lies "
        + "within 5 % of the measured one in 96 % of the frames.", ...fit.answer.slice(1)],
    cost: {growth_rate: 0.04, variance: 0.003, growth_rate_start: 0.05, variance_limit: null,
        objective: 71786},
    series: {...fit.series, mean_n: mean_n.map((m, i) => m * (1 + 0.02 * wiggle(i, 5))),
        mean_n_lower: undefined, mean_n_upper: undefined, var_n_lower: undefined,
        var_n_upper: undefined, growth_rate_cost: times.map((t, i) => 1 + 0.3 * wiggle(i, 4))},
    forward: {
        settings: {supersaturation: "spline", first_frames: 10, likelihood: "path",
            speed_spread: false, profiles: true, folds: 5},
        log_likelihood: -71786.0, observations: 18545, effective_observations: 17966.6, outliers: 3,
        n_parameters: 24, noise_factor: {value: 1.01, lower: 0.99, upper: 1.03},
        eigenvalues: range(24).map((i) => 9 * Math.exp(-0.45 * i)),
        profiles: [...Object.entries(parameters).map(([name, p]) => profileOf(name, p)),
            {...profileOf("delta", {value: 1.74, lower: 1.6, upper: 1.9}), parameter: "delta"}],
        prediction: {
            mean_n_lower: mean_n.map((m) => 0.97 * m), mean_n_upper: mean_n.map((m) => 1.03 * m),
            var_n_lower: var_n.map((v) => 0.9 * v), var_n_upper: var_n.map((v) => 1.12 * v),
            var_n_data_sd: var_n.map((v) => 0.13 * v), dissolved: 0.1,
            mean_within_5_percent: 0.96, smoothed_mean_within_5_percent: 1,
            spline_within_5_percent: 0.98, variance_within_2_sd: 0.91
        },
        models: [
            lawOf("gibbs-thomson", "surface tension alone", 22, 26.6, 18.8, -3.9016, null),
            lawOf("edge", "faces and edges", 23, 0, 0, -3.8986, PEAK),
            lawOf("translation", "no edges", 23, 18.5, 18.5, -3.8927, null),
            lawOf("full", "all", 24, 1.8, 9.6, -3.8983, PEAK)
        ]
    },
    rate: {
        parameters: TRUE, delta: 1.76, converged: true, growth_rate_cost: 0.0312,
        variance_cost: 0.0004, mu_kT: grid.map((n) => potential(n, {face: 1.05})),
        time_s: times.slice(3, -3), supersaturation: S.slice(3, -3).map((s) => 1.2 * s)
    },
    warnings: [], provenance: provenance("fit growth --estimator forward")
};

// ---- a prediction -----------------------------------------------------------------------------

const banded = (key, values, share) => ({[key]: values,
    [`${key}_lower`]: values.map((v) => v * (1 - share)),
    [`${key}_upper`]: values.map((v) => v * (1 + share))});
const grown = times.map((t) => 350 + 24 * t);
const narrowed = times.map((t) => 0.12 * Math.exp(-t / 160));
const mapSizes = range(40).map((i) => 60 * (6000 / 60) ** (i / 39));
const mapLevels = range(30).map((k) => 0.5 * 16 ** (k / 29));
const speed = (n, s) => attachment(n) * (s - Math.exp(potential(n)));
const slopeOf = (n, s) => (speed(1.01 * n, s) - speed(0.99 * n, s)) / (0.02 * n);
const factors = [0.25, 0.354, 0.5, 0.707, 1, 1.414, 2, 2.828, 4];
const terms = (t) => {
    const all = {time_s: t, counting: grown.map((n) => 1 / n),
        start: grown.map((n) => 0.1 * (350 / n) ** 2),
        growth: t.map((x) => 0.05 * (1 - Math.exp(-x / 60)))};
    return {...all, total: t.map((_, i) => all.counting[i] + all.start[i] + all.growth[i])};
};

const predicted = {
    schema: "nucgrow/predict/1",
    answer: ["Yes: at 2 times the supply, the particles reach 3 nm after 140 s.", "Second.",
        "Third.", "Fourth.", "Fifth, in smaller letters."],
    trusted: true, verdict: {level: "amber", reasons: ["The law is extrapolated."]},
    question: {drive: "supply", law: "movie", scale: 2, dissolved_per_particle: 0, start: "movie",
        start_mean_n: 350, duration_s: 178.8, target_radius_nm: 2, target_spread: 0.05,
        law_value: times.map(() => 24)},
    fit: {estimator: "rate", trusted: true, material: "Pt", sigma_s_nm: SIGMA,
        sampled_first_n: 150, sampled_last_n: 5200, start_noise_ln_n: 0.1},
    law: {temperature_K: 298.15, reference_temperature_K: 298.15, parameters: TRUE, delta: 1.76,
        n_max: PEAK, mu_max_kT: muMax},
    numerics: {replicates: 20, failed: 0, level: 0.95, largest_n: 16000, step_s: 1,
        mass_balance: 1e-4},
    series: {
        time_s: times, ...banded("number", times.map((t) => 1 - t / 4000), 0.001),
        ...banded("mean_n", grown, 0.02), ...banded("var_n", grown.map((n) => n * n / 20), 0.1),
        ...banded("mean_radius_nm", grown.map((n) => SIGMA * Math.cbrt(n)), 0.01),
        ...banded("relative_spread", narrowed, 0.1), ...banded("supersaturation", S, 0.15),
        ...banded("uptake_per_s", times.map(() => 24), 0.05)
    },
    unchanged: {mean_n: grown.map((n) => 0.7 * n),
        mean_radius_nm: grown.map((n) => SIGMA * Math.cbrt(0.7 * n)),
        relative_spread: narrowed.map((x) => 1.3 * x), supersaturation: S.map((s) => 0.8 * s)},
    equal_start: {mean_n: grown, mean_radius_nm: grown.map((n) => SIGMA * Math.cbrt(n)),
        relative_spread: times.map((t) => 0.02 * (1 - Math.exp(-t / 30))), supersaturation: S},
    movie: {time_s: times, particles: perFrame((s) => s.length), mean_n, var_n},
    forward_test: {mean_n, var_n: var_n.map((v) => 1.1 * v), mean_off_most: 0.004,
        variance_ratio_median: 1.1},
    supply: {
        time_s: times, ...banded("uptake_per_particle_per_s", times.map((t) => 12 + t / 20), 0.05),
        ...banded("supersaturation", S, 0.2), supersaturation_of_fit: S.map((s) => 1.03 * s),
        dS_dt_per_s: slope(S), supply_per_particle_per_s: times.map((t) => 12.4 + t / 20),
        supply_observed_per_s: times.map(() => 1300), dissolved_per_particle: 3,
        statement: "supply = uptake + w dS/dt."
    },
    relative_variance: {movie: {...terms(times), eta_inf2: times.map(() => 0.05)},
        prediction: {...terms(times), detachment: times.map((t) => t * 1e-5),
            dissolved: times.map((t) => -t * 2e-6)}},
    distributions: [0, 40, 90, 149].map((f) => {
        const n = range(90).map((i) => 60 + 80 * i);
        const p_n = n.map((x) => gauss((x - grown[f]) / (0.3 * grown[f])) / (0.3 * grown[f]));
        return {time_s: times[f], n, radius_nm: n.map((x) => SIGMA * Math.cbrt(x)),
            ...banded("p_n", p_n, 0.15)};
    }),
    phases: [{start_s: 0, end_s: 70, regime: "hypersaturation"},
        {start_s: 71.2, end_s: 178.8, regime: "supersaturation"}],
    focusing: {
        map: {n: mapSizes, radius_nm: mapSizes.map((n) => SIGMA * Math.cbrt(n)),
            supersaturation: mapLevels,
            velocity_per_s: mapLevels.map((s) => mapSizes.map((n) => speed(n, s))),
            slope_per_s: mapLevels.map((s) => mapSizes.map((n) => slopeOf(n, s))),
            grows_above: mapSizes.map((n) => Math.exp(potential(n))),
            number_focuses_below: mapSizes.map((n) => (n > 4000 ? null : 4.5 - n / 1000)),
            radius_focuses_above: mapSizes.map((n) => (n < 150 ? 0 : 1.5 + 300 / n)),
            relative_focuses_above: mapSizes.map((n) => (n < 150 ? 0 : 1.2 + 200 / n))},
        run: {time_s: times, slope_per_s: times.map((t) => 0.02 * Math.cos(t / 40)),
            radius_slope_per_s: times.map((t) => 0.004 * Math.cos(t / 30)),
            relative_slope_per_s: times.map((t) => -0.01 * Math.exp(-t / 50))}
    },
    grid: {
        factor: factors, duration_s: factors.map((f) => 400 / f),
        ...banded("time_to_target_s", factors.map((f) => 300 / f), 0.05),
        ...banded("spread_at_target", factors.map((f) => 0.08 / Math.sqrt(f)), 0.1),
        ...banded("supersaturation_at_target", factors.map((f) => 3 * f), 0.2),
        ...banded("least_spread", factors.map((f) => 0.06 / Math.sqrt(f)), 0.1),
        ...banded("least_spread_radius_nm", factors.map(() => 2.2), 0.02),
        ...banded("end_radius_nm", factors.map((f) => 2 + 0.2 * f), 0.02),
        ...banded("end_spread", factors.map((f) => 0.07 / Math.sqrt(f)), 0.1),
        spread_from_equal_particles: factors.map((f) => 0.02 / f)
    },
    warnings: [{name: "size-above", text: "From 150 s on particles are larger than those seen."}],
    methods: "The fitted law was run forward by the master equation.", references: [],
    provenance: provenance("predict")
};

// ---- holes: every third key null (which ones: K), nulls inside arrays -------------------------

function punch(value, depth = 0) {
    if (Array.isArray(value)) {
        return value.map((v, i) => (typeof v === "number" && i % 7 === 3 ? null
            : punch(v, depth + 1)));
    }
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, v], i) => {
        const hole = key !== "schema" && (i + key.length + Number(option.holes)) % 3 === 0;
        return [key, hole ? null : punch(v, depth + 1)];
    }));
}

mkdirSync(folder, {recursive: true});
// Large numbers are reals, which JSON readers that know integers must be told.
const json = (value) => JSON.stringify(value).replace(/(?<=[[,:])(-?\d{16,})(?=[,\]}])/g, "$1.0");
const write = (name, value) =>
    writeFileSync(join(folder, name), json(option.holes !== undefined ? punch(value) : value));
write("ensemble.json", ensemble);
write("fit-growth.json", fit);
write("potential.json", potentialResult);
write("truth.json", truth);
if (option.forward) {
    write("fit-growth-forward.json", forwardFit);
    write("predicted.json", predicted);
}
