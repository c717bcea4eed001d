// The core is a singleton of its module, so each test here takes a copy of the face of its own.
import assert from "node:assert/strict";
import { test } from "node:test";

import { core } from "./fake/partway.js";

let copies = 0;

async function freshFace() {
  copies += 1;
  core.forget();
  const { load } = await import(`../../../pkg/wasm/load.ts?fresh=${copies}`);
  return load;
}

test("nothing happens at import", async () => {
  await freshFace();
  assert.deepEqual(core.starts, []);
});

test("the wasm is loaded once, however often it is asked for", async () => {
  const load = await freshFace();
  await Promise.all([load(), load(), load("https://other.example/p.wasm")]);
  await load();
  assert.equal(core.starts.length, 1);
  assert.ok(core.starts[0] instanceof WebAssembly.Module);
});

test("a load that failed can be tried again", async () => {
  const load = await freshFace();
  await assert.rejects(load(new Response("no", { status: 503 })), { name: "UploadError", code: "network" });
  await load();
  assert.equal(core.starts.length, 1);
});

test("a wasm of another release is told apart", async () => {
  const load = await freshFace();
  core.throws.instance = new WebAssembly.LinkError("function import requires a callable");
  await assert.rejects(load(), { code: "internal", message: /doesn't belong to partway/, hint: /same release/ });
  core.version = "9.9.9";
  await assert.rejects(load(), { code: "internal", message: /its version is 9\.9\.9/ });
  core.version = "0.1.0";
  await load();
});

test("a crash while the wasm starts rejects, and the next load makes a fresh instance", async () => {
  const load = await freshFace();
  core.throws.instance = () => core.die("start");
  const original = console.error;
  console.error = () => {};
  await assert.rejects(load(), { code: "internal" });
  console.error = original;
  await load();
  assert.equal(core.resets, 1);
});
