// Apps built by esbuild, Rollup and webpack: the wasm is emitted once, and the copy in a file of its own that nothing loads.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { Script, createContext } from "node:vm";

import { BUNDLERS, build, plainEsbuild } from "../bundlers.mjs";
import { app, wasmText } from "../project.mjs";
import { test } from "../report.mjs";

export async function bundlers() {
  for (const bundler of BUNDLERS) {
    for (const entry of ["partway", "partway/s3"]) {
      await test(`${bundler}: a build with ${entry} emits its wasm once, and the copy apart`, () => emits(bundler, entry));
    }
  }
  await test("esbuild: a build for no module runs from the copy, and says what to do", copyInScript);
}

async function emits(bundler, entry) {
  const engine = entry.split("/").at(-1);
  const folder = await app(`${bundler}-${engine}`, "vite", entry);
  await build(bundler, folder, entry);
  const names = (await readdir(`${folder}dist/assets`, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  const wasms = names.filter((name) => name.endsWith(".wasm"));
  assert.equal(wasms.length, 1, names.join(" "));
  const [emitted, own] = [`${folder}dist/assets/${wasms[0]}`, `${folder}node_modules/partway/dist/${engine}_bg.wasm`];
  assert.ok((await readFile(emitted)).equals(await readFile(own)));
  const main = await readFile(`${folder}dist/assets/app.js`, "utf8");
  assert.ok(main.includes(wasms[0].split("/").at(-1)), "the script has its address");
  assert.ok(!main.includes("AGFzbQ"), "and not its bytes");
  const text = await wasmText(`${folder}node_modules/partway/dist/${engine}_inline.js`);
  const [copies, hashing, workers, sessions] = [[], [], [], []];
  for (const name of names.filter((name) => name.endsWith(".js"))) {
    const script = await readFile(`${folder}dist/assets/${name}`, "utf8");
    if (script.includes(text)) copies.push(name);
    if (script.includes("createObjectStore")) sessions.push(name);
    // The page's part has the worker's as text. webpack shortens the worker's file once more.
    if (script.includes("FileReaderSync")) (script.includes("hashed on the page itself") ? hashing : workers).push(name);
  }
  assert.equal(copies.length, 1, names.join(" "));
  assert.equal(hashing.length, 1, "what hashes is a script of its own");
  assert.notEqual(hashing[0], "app.js");
  assert.equal(sessions.length, 1, "what keeps sessions is a script of its own");
  assert.notEqual(sessions[0], "app.js");
  // esbuild leaves the address as it is: the worker of text is the one that starts.
  assert.equal(workers.length, bundler === "esbuild" ? 0 : 1, names.join(" "));
}

async function copyInScript() {
  const folder = await app("esbuild-plain", "vite");
  const [{ text }] = await plainEsbuild(folder, "iife");
  const warned = [];
  const document = { body: { dataset: {} }, querySelector: () => ({ addEventListener() {} }), addEventListener() {} };
  const { EventTarget, URL, URLSearchParams, TextDecoder, TextEncoder, atob } = globalThis;
  const page = { document, location: { search: "?load" }, console: { ...console, warn: (line) => warned.push(line) } };
  new Script(text).runInContext(createContext({ ...page, EventTarget, URL, URLSearchParams, TextDecoder, TextEncoder, atob, setTimeout }));
  const { dataset } = document.body;
  while (!dataset.loaded && !dataset.failed) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(dataset.failed, undefined);
  assert.equal(warned.length, 1);
  assert.match(warned[0], /esbuild: --format=esm/);
}
