// All tests of the npm package: node tests/package/run.mjs [source] [browsers] [face] [engine] [hashing] [types] [packed] [lint] [runners] [double] [bundlers] [vite] [frameworks] [weight]
// `cargo xtask package` must have packed it, and `npm install` must have run in this folder.
import { access } from "node:fs/promises";

import { tarball } from "./project.mjs";
import { finish } from "./report.mjs";
import { browsers } from "./steps/browsers.mjs";
import { bundlers } from "./steps/bundlers.mjs";
import { double } from "./steps/double.mjs";
import { engine } from "./steps/engine.mjs";
import { face } from "./steps/face.mjs";
import { frameworks } from "./steps/frameworks.mjs";
import { hashing } from "./steps/hashing.mjs";
import { lint } from "./steps/lint.mjs";
import { packed } from "./steps/packed.mjs";
import { runners } from "./steps/runners.mjs";
import { source } from "./steps/source.mjs";
import { types } from "./steps/types.mjs";
import { vite } from "./steps/vite.mjs";
import { weight } from "./steps/weight.mjs";

const STEPS = { source, browsers, face, engine, hashing, types, packed, lint, runners, double, bundlers, vite, frameworks, weight };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(", ")}. There are ${Object.keys(STEPS).join(", ")}.`);
  process.exit(2);
}

await access(tarball).catch(() => {
  console.error(`${tarball} is missing: run \`cargo xtask package\` first.`);
  process.exit(2);
});

for (const [name, step] of Object.entries(STEPS)) {
  if (wanted.length === 0 || wanted.includes(name)) await step();
}
process.exitCode = finish();
