// SPDX-License-Identifier: GPL-3.0-or-later
// Join the page's parts into one template and write it as a C file of byte arrays.
// usage: node build.mjs --modules NODE_MODULES --out report_page.c
import {readFileSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";
import {parseArgs} from "node:util";

const source = join(dirname(fileURLToPath(import.meta.url)), "src");
const scripts = ["base.js", "figure.js", "movie.js", "forward.js", "growth.js", "driving.js",
    "rates.js", "certainty.js", "predict.js", "compare.js", "crystals.js", "coalescence.js",
    "reconstruction.js", "main.js"];

const {values: option} = parseArgs({options: {
    modules: {type: "string"},
    out: {type: "string"}
}});

const read = (...path) => readFileSync(join(...path), "utf8");

function paletteCss(palette) {
    const shade = (k) => Object.entries(palette).map(([name, c]) => `--${name}:${c[k]};`).join("");
    return `:root,.light{${shade(0)}}\n`
        + `@media screen and (prefers-color-scheme:dark){:root{${shade(1)}}}\n`;
}

// Their licences ask that the notice travels with every copy.
const bundled = ["d3", "@observablehq/plot", "interval-tree-1d", "binary-search-bounds", "isoformat"];

function notices() {
    const text = bundled.map((name) => `${name}\n\n${read(option.modules, name, "LICENSE").trim()}`);
    return `/*!\n${text.join("\n\n").replaceAll("*/", "* /")}\n*/`;
}

function library(...path) {
    const text = read(option.modules, ...path).replace(/^\/\/# sourceMappingURL=.*$/m, "");
    if (/<\/script|<!--/i.test(text)) throw new Error(`${path.join("/")} cannot stand in a page`);
    return text;
}

function byteArray(name, text) {
    const bytes = Buffer.from(text, "utf8");
    const lines = [];
    for (let i = 0; i < bytes.length; i += 24) lines.push(bytes.subarray(i, i + 24).join(","));
    return `static const unsigned char ${name}[] = {\n${lines.join(",\n")}};\n`;
}

const style = paletteCss(JSON.parse(read(source, "palette.json"))) + read(source, "page.css");
const script = [
    notices(),
    library("d3", "dist", "d3.min.js"),
    library("@observablehq", "plot", "dist", "plot.umd.min.js"),
    "(() => {\n\"use strict\";",
    ...scripts.map((name) => read(source, name)),
    "})();"
].join("\n");

const parts = read(source, "page.html")
    .replace("{{style}}", () => style)
    .replace("{{script}}", () => script)
    .split("{{insert}}");

writeFileSync(option.out, [
    "/* Made by web/build.mjs; do not edit. */\n#include \"report_internal.h\"\n\n",
    ...parts.map((text, i) => byteArray(`part_${i}`, text)),
    `\nconst ng_report_part ng_report_page[NG_REPORT_PARTS] = {\n`,
    ...parts.map((_, i) => `    {part_${i}, sizeof part_${i}},\n`),
    "};\n",
    `_Static_assert(NG_REPORT_PARTS == ${parts.length}, "page.html and report_internal.h differ");\n`
].join(""));
