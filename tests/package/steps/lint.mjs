// What publint and Are the Types Wrong have to say of the tarball.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

import { here, manifest, node, tarball } from "../project.mjs";
import { test } from "../report.mjs";

/** Addresses of files, not modules: nothing of theirs has a type. */
const FILES = Object.keys(manifest.exports).filter((path) => /\.(wasm|js|json)$/.test(path));

/** What is accepted of publint's messages, by their codes, each with its reason. */
const ACCEPTED = {
  USE_ENGINES_NODE: "the package is for browsers: which Node.js builds and serves an app is the affair of the app's own tools",
};

const attw = createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json").replace("package.json", "dist/index.js");

export async function lint() {
  await test("lint: publint has nothing to say", async () => {
    const { messages } = await publint({ pack: { tarball: new Uint8Array(await readFile(tarball)).buffer }, strict: true, level: "suggestion" });
    const codes = messages.map(({ code }) => code);
    assert.deepEqual(
      messages.filter(({ code }) => !Object.hasOwn(ACCEPTED, code)).map((message) => formatMessage(message, manifest)),
      [],
    );
    for (const code of Object.keys(ACCEPTED)) assert.ok(codes.includes(code), `${code} needn't be accepted any more`);
  });

  await test("lint: every entry's types are right, however it is resolved", async () => {
    const { stdout, stderr } = await node([attw, tarball, "--format", "json", "--exclude-entrypoints", ...FILES], { cwd: here });
    assert.ok(stdout.startsWith("{"), stderr + stdout);
    const { analysis } = JSON.parse(stdout);
    assert.deepEqual(analysis.problems, []);
    const modules = Object.keys(manifest.exports).filter((path) => !FILES.includes(path));
    assert.deepEqual(Object.keys(analysis.entrypoints).sort(), modules.sort());
    for (const { resolutions } of Object.values(analysis.entrypoints)) {
      for (const { name, resolutionKind, resolution } of Object.values(resolutions)) assert.ok(resolution?.isTypeScript, `${name}, ${resolutionKind}`);
    }
  });
}
