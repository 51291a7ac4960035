// SPDX-License-Identifier: GPL-3.0-or-later
// Open reports in a headless browser: every figure drawn, readable, downloadable; nothing fetched.
// usage: node browser.mjs --program NUCGROW --modules NODE_MODULES --out FOLDER
import {execFileSync} from "node:child_process";
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {dirname, join} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const {values: option} = parseArgs({options: {
    program: {type: "string"}, modules: {type: "string"}, out: {type: "string"}
}});
const SKIPPED = 77;

const browserPath = [process.env.NUCGROW_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
if (!browserPath) {
    console.log("skipped: no Chromium on this machine (install it, or set NUCGROW_CHROMIUM)");
    process.exit(SKIPPED);
}
const {chromium} = createRequire(join(option.modules, "x"))("playwright-core");

/** Axis labels that every figure must show. */
const FIGURES = {
    "trajectories": ["time (s)", "radius (nm)", "particles seen"],
    "mean-variance": ["time (s)", "mean ⟨n⟩ (monomers)", "variance of n ("],
    "distributions": ["radius (nm)"],
    "potential": ["monomers per particle, n", "μₙ − μ∞ (kT)", "radius (nm)", "phase II"],
    "supersaturation": ["time (s)", "S = ρ₁ / ρ₁∞ (no unit)"],
    "free-energy": ["monomers per particle, n", "ΔGₙ (kT)"],
    "reconstructed": ["monomers per particle, n", "μₙ − μ∞ (kT)"],
    "shape": ["time (s)", "shape number δ (no unit)", "cuboctahedron"],
    "growth-rates": ["monomers per particle, n", "μₙ − ln S (kT)", "s⁻¹)", "pₙ"],
    "parameters": ["ε face (kT)", "kᵣ (nm⁻² s⁻¹)"],
    "correlation": ["ε edge"],
    "eigenvalues": ["eigenvalue (scaled parameters, no unit)"],
    "sensitivity": ["monomers per particle, n", "μₙ − μ∞ (kT)"],
    "moments": ["time (s)", "⟨n¹⁰⟩"],
    "cost": ["time (s)", "cost of the frame (no unit)"]
};
const FORWARD = {
    "mean-variance": ["time (s)", "mean ⟨n⟩ (monomers)", "measured mean off by (%)", "predicted"],
    "estimators": ["monomers per particle, n", "S = ρ₁ / ρ₁∞ (no unit)", "forward", "rate"],
    "profiles": ["ε face (kT)", "kᵣ (nm⁻² s⁻¹)", "δ", "limit of the interval"],
    "models": ["difference (0 is best)", "Gibbs–Thomson", "ln density per size, ± s.e."],
    "spectrum": ["eigenvalue (scaled, no unit)"]
};
const PREDICTED = {
    "predicted-growth": ["time (s)", "mean radius (nm)", "s.d. of the radius / mean (%)",
        "the movie as it was", "target"],
    "supply-grid": ["supply, times that of the question", "time to 2 nm (s)",
        "smallest relative spread (%)"],
    "predicted-distributions": ["radius (nm)"],
    "spread-terms": ["η² = Var/⟨n⟩² (no unit)", "this prediction", "detachment"],
    "focusing-map": ["monomers per particle, n", "S (no unit)", "v′ < 0: n focuses"],
    "focusing-run": ["rate of spreading ("],
    "forward-test": ["mean ⟨n⟩ (", "variance of n ("],
    "supply": ["monomers per second and particle", "in force in this prediction"]
};
const SEEN = {
    "movie": ["time (s)", "radius (nm)", "Play", "outlines", "particle", "frame 0 of 23"],
    "events": ["goes into", "nm"]
};
const WITH_POTENTIAL = {...FIGURES, rates: ["rate (1/s)"]};

let passed = 0;
const failures = [];
function check(ok, text) {
    if (ok) passed += 1;
    else {
        failures.push(text);
        console.log(`FAILED: ${text}`);
    }
}

function sample(name, ...args) {
    const folder = join(option.out, name);
    execFileSync(process.execPath, [join(here, "make_sample.mjs"), folder, ...args]);
    return folder;
}

function report(name, inputs) {
    const path = join(option.out, `${name}.html`);
    execFileSync(option.program, ["report", ...inputs, "-o", path, "--force", "--quiet"]);
    return path;
}

/** Open a page; `seen` collects what must not happen. */
async function open(browser, path, options = {}) {
    const context = await browser.newContext({viewport: {width: 1280, height: 900},
        acceptDownloads: true, ...options});
    const page = await context.newPage();
    const seen = {errors: [], requests: []};
    page.on("console", (m) => {
        if (m.type() === "error" || m.type() === "warning") seen.errors.push(m.text());
    });
    page.on("pageerror", (e) => seen.errors.push(e.stack));
    page.on("request", (r) => seen.requests.push(r.url()));
    await page.goto(pathToFileURL(path).href);
    return {page, seen, close: () => context.close()};
}

function checkQuiet(name, seen) {
    check(seen.errors.length === 0, `${name}: console says ${seen.errors[0]}`);
    check(seen.requests.length === 1, `${name}: requests ${seen.requests.slice(1).join(" ")}`);
}

/** What is wrong with the pictures of a page, in words. Runs inside the page. */
function findFaults() {
    const faults = [];
    const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
    for (const figure of document.querySelectorAll("figure")) {
        const card = figure.getBoundingClientRect();
        const panels = [...figure.querySelectorAll("svg:not(.legend)")];
        if (!panels.length) faults.push(`${figure.id}: no picture`);
        for (const svg of panels) {
            const where = `${figure.id} (${svg.getAttribute("aria-label")})`;
            if (!svg.getAttribute("aria-label")) faults.push(`${figure.id}: no alt text`);
            // encoded pictures may hold any three letters
            if (svg.outerHTML.replace(/data:image[^"]*/g, "").includes("NaN")) faults.push(`${where}: NaN in the picture`);
            // A lone rule is a zero line and a rectangle shades: neither is data.
            const marks = [...svg.querySelectorAll("g[aria-label]")].filter((g) =>
                /^(line|dot|area|cell)$/.test(g.getAttribute("aria-label"))
                    ? g.childElementCount > 0
                    : g.getAttribute("aria-label") === "rule" && g.childElementCount > 4);
            if (!marks.length) faults.push(`${where}: no marks`);
            const frame = svg.getBoundingClientRect();
            for (const dot of svg.querySelectorAll("g[aria-label=dot]:not([clip-path]) > *")) {
                const box = dot.getBoundingClientRect();
                if (box.left < frame.left || box.right > frame.right || box.top < frame.top
                    || box.bottom > frame.bottom) {
                    faults.push(`${where}: a point leaves the picture`);
                    break;
                }
            }
            const texts = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim())
                .map((t) => ({text: t.textContent, box: t.getBoundingClientRect()}));
            texts.forEach((a, i) => {
                if (a.box.left < card.left || a.box.right > card.right + 0.5) {
                    faults.push(`${where}: “${a.text}” leaves the figure`);
                }
                for (const b of texts.slice(i + 1)) {
                    if (meet(a.box, b.box)) {
                        faults.push(`${where}: “${a.text}” and “${b.text}” overlap`);
                    }
                }
            });
        }
    }
    if (document.documentElement.scrollWidth > innerWidth) faults.push("page scrolls sideways");
    return faults;
}

async function checkPictures(name, page) {
    const faults = await page.evaluate(findFaults);
    check(faults.length === 0, `${name}: ${faults.join("; ")}`);
}

function checkCsv(name, text) {
    const lines = text.trimEnd().split("\n");
    const columns = lines[0].split(",");
    check(lines.length > 1, `${name}: CSV has no rows`);
    check(lines.every((line) => line.split(",").length === columns.length),
        `${name}: CSV rows differ in length`);
    check(columns.every((c) => /^[\w +ε]/.test(c)), `${name}: CSV columns ${columns}`);
    check(!/NaN|undefined|\[object/.test(text), `${name}: CSV holds words that are no data`);
}

async function checkSvg(name, page, text) {
    const root = await page.evaluate((svg) => {
        const tree = new DOMParser().parseFromString(svg, "image/svg+xml");
        if (tree.querySelector("parsererror")) return null;
        return {marks: tree.querySelectorAll("path,circle,rect,line").length,
            width: tree.documentElement.getAttribute("width")};
    }, text);
    check(root !== null && root.marks > 5 && Number(root.width) > 100, `${name}: SVG is not valid`);
    check(!/var\(|currentColor/.test(text), `${name}: SVG needs the page's style`);
}

async function checkDownloads(page, ids) {
    for (const id of ids) {
        for (const kind of ["CSV", "SVG"]) {
            const [file] = await Promise.all([
                page.waitForEvent("download", {timeout: 10000}).catch(() => null),
                page.click(`#${id} button:text-is("${kind}")`)
            ]);
            await page.waitForTimeout(150); // the browser refuses bursts
            check(file !== null, `${id}: the ${kind} button downloads nothing`);
            if (file === null) continue;
            const text = readFileSync(await file.path(), "utf8");
            check(file.suggestedFilename() === `${id}.${kind.toLowerCase()}`,
                `${id}: download is called ${file.suggestedFilename()}`);
            if (kind === "CSV") checkCsv(id, text);
            else await checkSvg(id, page, text);
        }
    }
}

async function checkExpected(name, page, expected) {
    const found = await page.$$eval("figure", (all) => all.map((f) => ({id: f.id,
        text: f.querySelector(".figure-body").textContent,
        caption: f.querySelector("figcaption").textContent})));
    const ids = Object.keys(expected);
    check(found.length === ids.length && found.every((f) => ids.includes(f.id)),
        `${name}: figures are ${found.map((f) => f.id)}`);
    for (const figure of found) {
        for (const label of expected[figure.id] ?? []) {
            check(figure.text.includes(label), `${name}: ${figure.id} lacks “${label}”`);
        }
        check(figure.caption.length > 20 && !/NaN|undefined|null/.test(figure.caption),
            `${name}: caption of ${figure.id} is “${figure.caption}”`);
    }
}

async function fullReport(browser) {
    const path = report("full", [sample("sample")]);
    check(statSync(path).size < 2e6, `full: ${statSync(path).size} bytes`);
    for (const colorScheme of ["light", "dark"]) {
        const {page, seen, close} = await open(browser, path, {colorScheme});
        await checkExpected(colorScheme, page, WITH_POTENTIAL);
        await checkPictures(colorScheme, page);
        if (colorScheme === "light") await checkDownloads(page, Object.keys(WITH_POTENTIAL));
        await page.screenshot({path: join(option.out, `report-${colorScheme}.png`), fullPage: true});
        checkQuiet(colorScheme, seen);
        await close();
    }
}

/** A forward fit with its prediction: every figure of both, in both schemes and both widths. */
async function forwardReport(browser) {
    const folder = sample("forward", "--forward");
    const given = ["fit-growth-forward.json", "predicted.json", "truth.json"];
    const path = report("forward", given.map((name) => join(folder, name)));
    const expected = {...FIGURES, ...FORWARD, ...PREDICTED};
    for (const [name, options] of [["light", {colorScheme: "light"}], ["dark",
        {colorScheme: "dark"}], ["narrow", {viewport: {width: 400, height: 800}}]]) {
        const {page, seen, close} = await open(browser, path, options);
        await checkExpected(`forward, ${name}`, page, expected);
        await checkPictures(`forward, ${name}`, page);
        if (name === "light") {
            await checkDownloads(page, Object.keys({...FORWARD, ...PREDICTED}));
            const caption = await page.textContent("#mean-variance figcaption");
            check(/96\s% of frames/.test(caption) && !/algebra/.test(caption),
                `forward: the mean is not told as a prediction: “${caption}”`);
        }
        await page.screenshot({path: join(option.out, `forward-${name}.png`), fullPage: true});
        checkQuiet(`forward, ${name}`, seen);
        await close();
    }
}

async function narrowReport(browser) {
    const {page, seen, close} = await open(browser, join(option.out, "full.html"),
        {viewport: {width: 390, height: 800}});
    await checkPictures("narrow", page);
    await page.setViewportSize({width: 1100, height: 800});
    await page.waitForTimeout(400);
    await checkPictures("widened", page);
    checkQuiet("narrow", seen);
    await close();
}

async function printedReport(browser) {
    const {page, seen, close} = await open(browser, join(option.out, "full.html"),
        {colorScheme: "dark"});
    const pdf = await page.pdf({path: join(option.out, "report.pdf"), format: "A4",
        printBackground: true});
    check(pdf.length > 50000, "print: the PDF is nearly empty");
    checkQuiet("print", seen);
    await close();
}

/** A movie with its tracks and events: drawn, steered by mouse and by keys, read without scripts. */
async function movieReport(browser) {
    const folder = join(option.out, "tem");
    execFileSync(option.program, ["simulate", "tem", "-o", folder, "--force", "--quiet", "--frames",
        "24", "--particles", "40", "--field-nm", "60", "--diffusion-nm2-per-s", "0.2"]);
    const path = report("movie", [folder]);
    check(statSync(path).size < 4.5e6, `movie: ${statSync(path).size} bytes`);
    for (const [name, options] of [["light", {colorScheme: "light"}], ["dark",
        {colorScheme: "dark"}], ["narrow", {viewport: {width: 390, height: 800}}]]) {
        const {page, seen, close} = await open(browser, path, options);
        await checkExpected(`movie, ${name}`, page, SEEN);
        await checkPictures(`movie, ${name}`, page);
        if (name === "light") {
            await checkDownloads(page, Object.keys(SEEN));
            await steerMovie(page);
        }
        await checkPictures(`movie, ${name}, steered`, page);
        await page.screenshot({path: join(option.out, `movie-${name}.png`), fullPage: true});
        checkQuiet(`movie, ${name}`, seen);
        await close();
    }
    const {page, close} = await open(browser, path, {javaScriptEnabled: false});
    const text = await page.textContent("main");
    for (const words of ["movie.tif: 24 frames of 113 × 113 pixels", "merge", "24 frames of the movie",
        "apart before (nm)"]) {
        check(text.includes(words), `movie, without scripts: “${words}” is missing`);
    }
    await close();
}

async function steerMovie(page) {
    const said = () => page.textContent("#movie output");
    const label = () => page.getAttribute("#movie svg.frame", "aria-label");
    const pictures = [await page.getAttribute("#movie svg.frame image", "href")];
    await page.focus("#movie input[type=range]");
    await page.keyboard.press("ArrowRight");
    pictures.push(await page.getAttribute("#movie svg.frame image", "href"));
    check(pictures[0] !== pictures[1], "movie: the arrow key shows no other frame");
    check((await said()).includes("frame 1 of 23") && (await label()).includes("frame 1"),
        `movie: after the arrow key it says “${await said()}”`);
    await page.keyboard.press("End");
    check((await said()).includes("frame 23 of 23"), `movie: End leads to “${await said()}”`);

    const circle = page.locator("#movie svg.frame circle").nth(5);
    const number = /particle (\d+)/.exec(await circle.textContent())[1];
    await circle.click({force: true, position: {x: 1, y: 1}});
    check(await page.inputValue("#movie select") === number, "movie: a click chooses no particle");
    check((await page.textContent("#movie .curve")).includes(`Particle ${number}:`),
        "movie: the growth of the particle is not told");
    await page.selectOption("#movie select", "");
    check((await page.textContent("#movie .curve")).includes("All particles"),
        "movie: the choice is not taken back");

    await page.click("#movie button:text-is(\"Play\")");
    await page.waitForTimeout(500);
    await page.click("#movie button:text-is(\"Stop\")");
    check(!(await said()).includes("frame 23 of 23"), "movie: it does not play");
    await page.uncheck("#movie label:has-text(\"outlines\") input");
    check(await page.locator("#movie svg.frame circle").count() === 0, "movie: outlines stay");
    await page.check("#movie label:has-text(\"outlines\") input");
}

const CRYSTALS = ["crystal-numbers", "nucleation-rate", "radius-histograms", "avrami",
    "growth-durations", "single-crystals", "free-energy-of-crystals", "growth-rate-of-radius",
    "overlap-of-nucleation-and-growth",
    "intensity-of-radius"];

const COALESCENCE = {
    "surviving": ["time (s)", "A(t) (no unit)", "its band", "merges"],
    "merging-times": ["time (s)", "density (1/s)", "model, predicted"],
    "coalescence-rate": ["merges counted", "as fitted", "were size no matter", "s⁻¹)"],
    "radius-sums": ["sum of radii (nm)", "density (1/nm)"],
    "merge-examples": ["merge at", "goes on", "radius (nm)"],
    "pair-motion": ["relative diffusion", "mean sum of two radii", "propensity κ", "σ (nm)"],
    "coalescence-window": ["merges per particle", "length of the window", "σc (nm)"],
    "initial-density": ["time (s)", "0.5 times"],
    "group-sizes": ["radius (nm)", "Group A", "Group B"],
    "after-merge": ["time since the merge (s)", "relative radius (no unit)"],
    "coalescence-parameters": ["κc (1/s)", "rc (nm)"],
    "coalescence-profiles": ["rc (nm)", "limit of the interval"],
    "coalescence-correlation": ["σc"],
    "coalescence-eigenvalues": ["eigenvalue (scaled parameters, no unit)"]
};

/** Run a verb; results may be flagged (exit code 4). */
function program(...args) {
    try {
        execFileSync(option.program, [...args, "--force", "--quiet"], {stdio: "pipe"});
    } catch (error) {
        if (error.status !== 4) throw error;
    }
}

/** Merging particles of a simulated movie, fitted by their verb, with the movie's strips. */
async function coalescenceReport(browser) {
    const folder = join(option.out, "coalescence");
    const file = (name) => join(folder, name);
    program("simulate", "tem", "-o", folder, "--frames", "60", "--particles", "60", "--field-nm",
        "60", "--diffusion-nm2-per-s", "0.3");
    program("fit", "coalescence", file("tracks.csv"), "--events", file("events.csv"), "--bootstrap",
        "6", "--starts", "1", "--cells", "40", "-o", file("fit-coalescence.json"));
    const path = report("coalescence", [folder]);
    const expected = {...COALESCENCE, ...SEEN};
    expected.movie = expected.movie.map((text) => text.replace("of 23", "of 59"));
    for (const [name, options] of [["light", {colorScheme: "light"}], ["dark",
        {colorScheme: "dark"}], ["narrow", {viewport: {width: 390, height: 800}}]]) {
        const {page, seen, close} = await open(browser, path, options);
        await checkExpected(`coalescence, ${name}`, page, expected);
        await checkPictures(`coalescence, ${name}`, page);
        if (name === "light") await checkDownloads(page, Object.keys(COALESCENCE));
        await page.screenshot({path: join(option.out, `coalescence-${name}.png`), fullPage: true});
        checkQuiet(`coalescence, ${name}`, seen);
        await close();
    }
    const holes = JSON.parse(readFileSync(file("fit-coalescence.json"), "utf8"));
    Object.keys(holes).forEach((key, i) => { if (i % 3 === 1 && key !== "schema") holes[key] = null; });
    writeFileSync(file("holes.json"), JSON.stringify(holes));
    const {page, seen, close} = await open(browser, report("coalescence-holes",
        [file("holes.json")]));
    await checkPictures("coalescence, holes", page);
    checkQuiet("coalescence, holes", seen);
    await close();
}

/** Results of simulated crystals, each made by its verb. */
async function crystalReport(browser) {
    const folder = join(option.out, "crystals");
    const tracks = join(folder, "tracks.csv");
    const file = (name) => join(folder, name);
    program("simulate", "crystals", "-o", folder, "--crystals", "30", "--nucleation-s", "20");
    const radii = ["--calibration", file("still.csv")];
    program("radius", tracks, ...radii, "-o", file("radius.json"));
    program("nucleation", tracks, ...radii, "--dataset", tracks, "-o", file("nucleation.json"),
        "--bootstrap", "10");
    program("fit", "diffusion", tracks, ...radii, "-o", file("fit-diffusion.json"),
        "--bootstrap", "10");
    program("energy", file("nucleation.json"), file("fit-diffusion.json"), "-o",
        file("energy.json"));
    const path = report("crystals", [folder]);
    for (const [name, options] of [["light", {colorScheme: "light"}], ["dark",
        {colorScheme: "dark"}], ["narrow", {viewport: {width: 390, height: 800}}]]) {
        const {page, seen, close} = await open(browser, path, options);
        const ids = await page.$$eval("figure", (all) => all.map((f) => f.id));
        check(`${ids.sort()}` === `${[...CRYSTALS].sort()}`, `crystals, ${name}: has ${ids}`);
        await checkPictures(`crystals, ${name}`, page);
        checkQuiet(`crystals, ${name}`, seen);
        await close();
    }
}

/** Images of simulated raw frames, by their verb: pictures, stripes, ring correlation. */
async function reconstructionReport(browser) {
    const folder = join(option.out, "reconstruction");
    program("simulate", "sim", "-o", folder, "--width", "192", "--height", "160",
        "--emitters", "90", "--filaments", "5");
    program("reconstruct", join(folder, "raw.tif"), "-o", join(folder, "sr.tif"), "--na",
        "1.45", "--wavelength-nm", "520", "--passes", "6");
    const path = report("reconstruction", [join(folder, "sr.pattern.json")]);
    for (const [name, options] of [["light", {colorScheme: "light"}], ["dark",
        {colorScheme: "dark"}], ["narrow", {viewport: {width: 390, height: 800}}]]) {
        const {page, seen, close} = await open(browser, path, options);
        await checkExpected(`reconstruction, ${name}`, page,
            {"ring-correlation": ["spatial frequency (1/µm)", "optics alone, 179 nm",
                "with stripes, 104 nm"]});
        await checkPictures(`reconstruction, ${name}`, page);
        const sizes = await page.$$eval(".pictures img", (all) => all.map((i) => i.naturalWidth));
        check(`${sizes}` === "192,360,96,192,160,160,160", `reconstruction, ${name}: ${sizes}`);
        if (name === "light") await checkDownloads(page, ["ring-correlation"]);
        await page.screenshot({path: join(option.out, `reconstruction-${name}.png`),
            fullPage: true});
        checkQuiet(`reconstruction, ${name}`, seen);
        await close();
    }
}

async function withoutScripts(browser) {
    const {page, close} = await open(browser, join(option.out, "full.html"),
        {javaScriptEnabled: false});
    const text = await page.textContent("main");
    for (const words of ["platinum particles grew", "Amber", "Energy of a monomer on a face",
        "2.71 to 3.18", "Against the truth", "K stopped at its bound 0.", "PNAS 122",
        "<of the movie>", "nucgrow fit growth tracks.csv", "need JavaScript"]) {
        check(text.includes(words), `without scripts: “${words}” is missing`);
    }
    await close();
}

async function forwardWithoutScripts(browser) {
    const {page, close} = await open(browser, join(option.out, "forward.html"),
        {javaScriptEnabled: false});
    const text = await page.textContent("main");
    for (const words of ["Both estimators on the same data", "is “faces and edges”, by AIC and BIC",
        "1.80 behind in AIC", "count as 17,967 independent ones", "at 2 times the supply",
        "Fifth, in smaller letters", "Time to the target (s)", "The law is extrapolated"]) {
        check(text.includes(words), `forward, without scripts: “${words}” is missing`);
    }
    await close();
}

async function otherReports(browser) {
    const folder = join(option.out, "sample");
    const cases = [
        ["fit-alone", [join(folder, "fit-growth.json")], Object.keys(FIGURES)],
        ["ensemble-alone", [join(folder, "ensemble.json")],
            ["trajectories", "mean-variance", "distributions"]],
        ["potential-alone", [join(folder, "potential.json")], ["potential", "free-energy", "rates"]],
        ["truth-alone", [join(folder, "truth.json")], []],
        ["many-tracks", [sample("many", "--tracks", "1000")], Object.keys(WITH_POTENTIAL)],
        ["two-fits", [folder, join(folder, "fit-growth.json")], [...Object.keys(WITH_POTENTIAL),
            "compared-fits", ...Object.keys(FIGURES).map((id) => `result-2-${id}`)]],
        ["prediction-alone", [join(option.out, "forward", "predicted.json")],
            Object.keys(PREDICTED)],
        ["two-predictions", [join(option.out, "forward", "predicted.json"),
            join(sample("forward-again", "--forward"), "predicted.json")],
            [...Object.keys(PREDICTED), "compared-predictions",
                ...Object.keys(PREDICTED).map((id) => `result-2-${id}`)]],
        ["mix", [join(option.out, "forward")], [...Object.keys({...WITH_POTENTIAL, ...FORWARD,
            ...PREDICTED}), "compared-fits",
        ...Object.keys(FIGURES).map((id) => `result-2-${id}`)]],
        ...[0, 1, 2].map((k) => [`holes-${k}`, [sample(`holes-${k}`, "--forward", "--holes",
            `${k}`)], null])
    ];
    for (const [name, inputs, expected] of cases) {
        const {page, seen, close} = await open(browser, report(name, inputs));
        const ids = await page.$$eval("figure", (all) => all.map((f) => f.id));
        if (expected) check(`${ids.sort()}` === `${[...expected].sort()}`, `${name}: has ${ids}`);
        await checkPictures(name, page);
        checkQuiet(name, seen);
        await close();
    }
    const size = statSync(join(option.out, "many-tracks.html")).size;
    check(size < 2e6, `many-tracks: ${size} bytes`);
}

mkdirSync(option.out, {recursive: true});
const browser = await chromium.launch({executablePath: browserPath, args: ["--headless",
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"]});
try {
    await fullReport(browser);
    await forwardReport(browser);
    await narrowReport(browser);
    await printedReport(browser);
    await movieReport(browser);
    await withoutScripts(browser);
    await forwardWithoutScripts(browser);
    await otherReports(browser);
    await crystalReport(browser);
    await reconstructionReport(browser);
    await coalescenceReport(browser);
} finally {
    await browser.close();
}
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length ? 1 : 0);
