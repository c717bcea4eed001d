// Uploads whose wasm can't be loaded yet. Each test has a face of its own, since a page loads the wasm once.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { ENDED, RESULT, core, file, settle, until } from "./harness.mjs";
import * as storage from "./storage.mjs";

const WASM = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);
globalThis.wasmPlace = { file: new URL("https://app.example/dist/partway_bg.wasm") };

const original = globalThis.fetch;
let asked;

beforeEach(async () => {
  await storage.empty();
  goOffline();
});
afterEach(async () => {
  goOnline();
  await settle();
  globalThis.fetch = original;
});

function goOffline() {
  navigator.onLine = false;
  asked = 0;
  globalThis.fetch = () => {
    asked += 1;
    return Promise.reject(new TypeError("Failed to fetch"));
  };
}

function goOnline() {
  navigator.onLine = true;
  globalThis.fetch = async () => new Response(WASM, { headers: { "content-type": "application/wasm" } });
  page.dispatchEvent(new Event("online"));
}

let copies = 0;
async function face() {
  copies += 1;
  core.forget();
  const { Uploader } = await import(`../../../pkg/index.ts?fresh=${copies}&served`);
  return new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } });
}

/** An upload that waits for its wasm, with the statuses that it told. */
async function waiting(uploader, options) {
  const statuses = [];
  const upload = uploader.upload(file(), { onStatus: (status) => statuses.push(status), ...options });
  const ended = upload.done.catch((error) => error);
  await until(() => upload.status === "waiting");
  return { upload, ended, statuses };
}

test("offline an upload waits, and arrives when the network is back", async () => {
  const { upload, ended, statuses } = await waiting(await face());
  assert.equal(asked, 1);
  assert.equal(core.tasks.length, 0);
  goOnline();
  await until(() => core.tasks.length === 1);
  core.tasks[0].sink("status", "done");
  core.tasks[0].sink("complete", RESULT);
  assert.deepEqual(await ended, ENDED);
  assert.equal(upload.status, "done");
  assert.deepEqual(statuses, ["waiting", "queued", "done"]);
});

test("a second upload waits with the first one", async () => {
  const uploader = await face();
  await waiting(uploader);
  const second = await waiting(uploader);
  assert.equal(asked, 1);
  goOnline();
  await until(() => core.tasks.length === 2);
  assert.deepEqual(second.statuses, ["waiting", "queued"]);
});

for (const [what, end] of [
  ["cancel()", ({ upload }) => void upload.cancel()],
  ["close()", (_, uploader) => uploader.close()],
  ["its signal", (_, __, controller) => controller.abort()],
]) {
  test(`${what} ends it at once, and nothing of it begins later`, async () => {
    const uploader = await face();
    const controller = new AbortController();
    const begun = await waiting(uploader, { signal: controller.signal });
    end(begun, uploader, controller);
    assert.equal((await begun.ended).code, "cancelled");
    goOnline();
    await settle();
    assert.equal(core.tasks.length, 0);
    assert.deepEqual(begun.statuses, ["waiting", "cancelled"]);
  });
}

test("cancel() drops the saved session where no engine can be loaded to tell the server", async () => {
  globalThis.fetch = original;
  await storage.kept(storage.plan());
  await storage.reload();
  const uploader = await face();
  navigator.onLine = true;
  await uploader.unfinished();
  goOffline();
  const { upload, ended } = await waiting(uploader);
  await until(() => storage.held().length === 1);
  await upload.cancel();
  assert.equal((await ended).code, "cancelled");
  await until(() => storage.held().length === 0);
  assert.deepEqual((await storage.database()).sessions, []);
});

test("what keeps sessions isn't imported offline, and a session is found once there is network", async () => {
  globalThis.fetch = original;
  await storage.kept(storage.plan());
  await storage.reload();
  goOffline();
  let imports = 0;
  globalThis.wasmPlace.sessions = () => {
    imports += 1;
    return import("../../../pkg/sessions/index.ts");
  };
  const { upload } = await waiting(await face());
  await settle();
  assert.equal(imports, 0);
  goOnline();
  await until(() => core.tasks.length === 1);
  assert.equal(core.tasks[0].options.kept.record.phase, "sending");
  void upload.done;
});
