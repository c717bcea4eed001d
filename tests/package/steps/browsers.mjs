// The browsers that the README names are the oldest ones that have all that the package needs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { BROWSERS, compat, isLater, since } from "../browsers/compat.mjs";
import { used } from "../browsers/used.mjs";
import { root } from "../project.mjs";
import { test } from "../report.mjs";

/** What the package does without, each with what happens then. */
const OPTIONAL = [
  [/^dom ReadableStreamBYOBReader\./, "the worker reads by FileReaderSync"],
  [/^dom (LockManager|NavigatorLocks|LockInfo|LockManagerSnapshot)\b/, "`resume` is off"],
  [/^dom FileSystem(File)?Handle\./, "nobody has a handle to give"],
  [/^dom DataTransferItem\.webkitGetAsEntry$/, "a folder that is dropped has no files"],
  [/^dom File\.webkitRelativePath$/, "files of a folder have no path"],
  [/^dom (WakeLock|Navigator\.wakeLock)/, "`keepAwake` does nothing"],
  [/^dom MessageEventTarget\.onmessageerror$/, "a handler that is never called"],
  [/^dom AbortSignal\.reason$/, "an error without its cause"],
  [/^dom KeyboardEvent\.repeat$/, "while two keys are held down, one of them opens one more dialog"],
  [/^dom reportError$/, "the error is thrown in a task of its own"],
  [/^wasm fixed-width-SIMD$/, "the worker doesn't start, and the page hashes"],
];

export async function browsers() {
  const features = await used();
  const stated = await readme();

  await test("browsers: MDN's data has every feature that is used", () => {
    const unknown = [...features.keys()].filter((feature) => !compat(feature));
    assert.deepEqual(unknown, [], "browsers/compat.mjs must say where the data has them");
    assert.ok(features.size > 250, `${features.size} features`);
    // One of each kind: they are still found.
    for (const one of ["dom Blob.slice", "dom XMLHttpRequest.upload", "es ObjectConstructor.hasOwn", "syntax operators.optional_chaining", "wasm reference-types"]) {
      assert.ok(features.has(one), one);
    }
  });

  await test("browsers: what is optional is used, and newer than some browser of the README's", () => {
    for (const [pattern, reason] of OPTIONAL) {
      const found = [...features.keys()].filter((feature) => pattern.test(feature));
      assert.ok(found.some((feature) => lacking(feature, stated).length > 0), `${pattern} needn't be optional (${reason})`);
    }
  });

  await test("browsers: those of the README have all that is used", () => {
    const missing = required(features).flatMap((feature) => lacking(feature, stated).map((browser) => `${feature}: ${browser} (${[...features.get(feature)].join(" ")})`));
    assert.deepEqual(missing, []);
  });

  await test("browsers: the versions before them lack something", () => {
    for (const name of Object.keys(BROWSERS)) {
      const earlier = { ...stated, [name]: [stated[name][0] - 1, 99] };
      assert.ok(required(features).some((feature) => lacking(feature, earlier).length > 0), `${name} ${stated[name][0] - 1} would do`);
    }
  });
}

function required(features) {
  return [...features.keys()].filter((feature) => compat(feature) && !OPTIONAL.some(([pattern]) => pattern.test(feature)));
}

/** The browsers that don't have a feature in the stated version. */
function lacking(feature, stated) {
  return Object.entries(BROWSERS).flatMap(([name, ids]) =>
    ids.filter((id) => {
      const first = compat(feature) && since(compat(feature), id);
      return !first || isLater(first, stated[name]);
    }),
  );
}

/** The versions that the README states: `Chrome and Edge 96, Firefox 92, Safari 16`. */
async function readme() {
  const [, section] = (await readFile(`${root}pkg/README.md`, "utf8")).split(/^## Browsers$/m);
  const [, chrome, firefox, safari] = /Chrome and Edge (\d+), Firefox (\d+), Safari (\d+)/.exec(section);
  return { Chrome: [Number(chrome)], Firefox: [Number(firefox)], Safari: [Number(safari)] };
}
