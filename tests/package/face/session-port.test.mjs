// What keeps sessions is a module of its own, which may not arrive. Each test has a face of its own, since a page loads it once.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { core, file, settle, until } from "./harness.mjs";
import * as storage from "./storage.mjs";

const WASM = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const { fetch } = globalThis;
const failing = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

let [warned, asked] = [[], 0];

beforeEach(async () => {
  await storage.empty();
  [warned, asked] = [[], 0];
  mock.method(console, "warn", (...words) => void warned.push(words.join(" ")));
  globalThis.fetch = async () => new Response(WASM, { headers: { "content-type": "application/wasm" } });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  globalThis.fetch = fetch;
});

/** A page whose first imports of the module go like this, and the others as they should. */
let copies = 0;
async function page(...imports) {
  copies += 1;
  core.forget();
  const real = () => import(`../../../pkg/sessions/index.ts?fresh=port${copies}&served`);
  globalThis.wasmPlace = {
    file: new URL("https://app.example/dist/partway_bg.wasm"),
    sessions: () => (imports[asked++] ?? real)(),
  };
  const { Uploader, load } = await import(`../../../pkg/index.ts?fresh=port${copies}&served`);
  return { uploader: new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } }), load };
}

/** The session's side of an upload that the engine has begun. */
async function begun(uploader) {
  const before = core.tasks.length;
  void uploader.upload(file()).done;
  await until(() => core.tasks.length > before);
  return core.tasks[before].options;
}

test("it is imported with the first file, once", async () => {
  const { uploader } = await page();
  assert.equal(asked, 0);
  assert.ok((await begun(uploader)).keep);
  assert.ok((await begun(uploader)).keep);
  assert.deepEqual([asked, warned], [1, []]);
});

test("load() imports it beside the wasm", async () => {
  const { load } = await page();
  await load();
  assert.deepEqual([asked, warned], [1, []]);
});

test("an import that fails is tried once more when the wasm is there", async () => {
  let hasWasm = false;
  globalThis.fetch = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    hasWasm = true;
    return new Response(WASM, { headers: { "content-type": "application/wasm" } });
  };
  let hadWasm;
  const { uploader } = await page(failing, () => ((hadWasm = hasWasm), import("../../../pkg/sessions/index.ts")));
  assert.ok((await begun(uploader)).keep);
  assert.deepEqual([asked, hadWasm, warned], [2, true, []]);
});

test("where it can't be had an upload goes on, which is said once, and the next upload tries again", async () => {
  const { uploader } = await page(failing, failing, failing, failing, failing);
  assert.deepEqual(await uploader.unfinished(), []);
  assert.equal(asked, 1);
  assert.deepEqual(await begun(uploader), {});
  assert.deepEqual(await uploader.unfinished(), []);
  assert.equal(asked, 5);
  assert.equal(warned.length, 1);
  assert.match(warned[0], /can't be resumed after a reload.*dynamically imported/);
  assert.ok((await begun(uploader)).keep);
});

test("an import that never ends holds no upload up for ever", async () => {
  const never = () => new Promise(() => {});
  const { uploader } = await page(never, never);
  mock.timers.enable({ apis: ["setTimeout"] });
  const options = begun(uploader);
  for (let seconds = 0; seconds < 40 && core.tasks.length === 0; seconds += 1) {
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(1000);
  }
  assert.deepEqual(await options, {});
  assert.match(warned[0], /dist\/sessions\.js didn't arrive in time/);
});

test("what keeps sessions begins no load of the wasm: load() has its source, also offline", async () => {
  let fetched = 0;
  globalThis.fetch = async () => {
    fetched += 1;
    throw new TypeError("Failed to fetch");
  };
  navigator.onLine = false;
  try {
    const { uploader, load } = await page();
    assert.deepEqual(await uploader.unfinished(), []);
    await load(WASM);
    const offline = await page();
    await offline.load(WASM);
    assert.ok((await begun(offline.uploader)).keep);
    assert.deepEqual([fetched, warned], [0, []]);
  } finally {
    delete navigator.onLine;
  }
});

test("cancel() waits for no module", async () => {
  const { uploader } = await page(() => new Promise(() => {}));
  const upload = uploader.upload(file());
  await until(() => asked === 1);
  void upload.cancel();
  await settle();
  assert.equal(upload.status, "cancelled");
});

test("uploads that aren't kept don't import it", async () => {
  const { uploader } = await page();
  void uploader.upload(new Blob(["x"])).done;
  await until(() => core.tasks.length === 1);
  const { Uploader } = await import(`../../../pkg/index.ts?fresh=port${copies}&served`);
  void new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) }, resume: false }).upload(file()).done;
  await until(() => core.tasks.length === 2);
  assert.equal(asked, 0);
});
