// Makes the bundle that pages carry, the licences of what is in it, and the record of both.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const target = new URL("../src/corteval/report/assets/plot/", import.meta.url);
const result = await build({
  entryPoints: ["entry.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "Plot",
  target: "es2020",
  charset: "ascii",
  legalComments: "none", // they stand beside it, whole
  metafile: true,
  write: false,
});
const text = result.outputFiles[0].text;
const [output] = Object.values(result.metafile.outputs);
const used = new Set();
for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
  const found = bytesInOutput && path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) used.add(found[1]);
}
const packages = {};
const licences = [];
for (const name of [...used].sort()) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} ships no licence: it cannot be vendored.`);
  packages[name] = { version, licence: license };
  licences.push(`${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`);
}
if (!existsSync(target)) mkdirSync(target);
const hash = (content) => createHash("sha256").update(content).digest("hex");
const notice = licences.join(`\n${"-".repeat(80)}\n\n`);
const record = {
  "plot.min.js": hash(text),
  "LICENCES.txt": hash(notice),
  packages,
};
writeFileSync(new URL("plot.min.js", target), text);
writeFileSync(new URL("LICENCES.txt", target), notice);
writeFileSync(new URL("plot.json", target), `${JSON.stringify(record, null, 2)}\n`);
console.log(`${text.length} bytes of ${Object.keys(packages).length} packages, ${record["plot.min.js"]}`);
