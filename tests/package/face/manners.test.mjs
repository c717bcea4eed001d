// Priorities, the list of uploads, and the lock that keeps the screen on.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { ENDED, RESULT, UploadError, begun, core, file, planUploader, settle, until } from "./harness.mjs";

test("the uploads that aren't at their end, oldest first", async () => {
  const uploader = planUploader();
  const uploads = ["a", "b", "c"].map((name) => uploader.upload(file(name)));
  assert.deepEqual(uploader.uploads, uploads);
  await until(() => core.tasks.length === 3);
  core.tasks[1].sink("complete", RESULT);
  await uploads[1].done;
  assert.deepEqual(uploader.uploads, [uploads[0], uploads[2]]);
  uploader.close();
  assert.deepEqual(uploader.uploads, []);
  for (const upload of uploads) await upload.done.catch(() => {});
});

test("a priority reaches the engine, and none where there is none", async () => {
  const uploader = planUploader();
  assert.equal((await begun(uploader, file(), { priority: -2.5 })).task.options.priority, -2.5);
  assert.equal((await begun(uploader)).task.options.priority, undefined);
});

test("prioritize() reaches the engine, before it has the upload too", async () => {
  const uploader = planUploader();
  const early = uploader.upload(file("early.mp4"));
  uploader.prioritize(early);
  await until(() => core.tasks.length === 1);
  assert.deepEqual(core.tasks[0].calls, [["prioritize"]]);
  uploader.prioritize(early);
  assert.deepEqual(core.tasks[0].calls, [["prioritize"], ["prioritize"]]);
  core.tasks[0].sink("complete", RESULT);
  await early.done;
  uploader.prioritize(early);
  assert.equal(core.tasks[0].calls.length, 2, "an upload that has ended is left as it is");
});

test("prioritize() takes an upload of this uploader alone", async () => {
  const uploader = planUploader();
  const other = (await begun(planUploader())).upload;
  for (const given of [undefined, {}, { status: "done" }, other]) {
    assert.throws(
      () => uploader.prioritize(given),
      (error) => error instanceof UploadError && error.code === "invalid-options" && /upload of this Uploader/.test(error.message),
    );
  }
});

const page = new EventTarget();
let locks = [];
const { navigator } = globalThis;

function show(state) {
  page.visibilityState = state;
  page.dispatchEvent(new Event("visibilitychange"));
}

function browser(request) {
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { wakeLock: request && { request } } });
}

beforeEach(() => {
  locks = [];
  globalThis.document = page;
  page.visibilityState = "visible";
  browser(async (type) => {
    const lock = { type, isReleased: false, release: async () => void (lock.isReleased = true) };
    locks.push(lock);
    return lock;
  });
});

afterEach(() => {
  delete globalThis.document;
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: navigator });
});

const released = () => locks.map(({ isReleased }) => isReleased);

test("the screen is kept on while something is sent, and no longer", async () => {
  const uploader = planUploader({ keepAwake: true });
  const [one, two] = [await begun(uploader, file("a")), await begun(uploader, file("b"))];
  assert.deepEqual(locks, []);
  one.sink("status", "opening");
  two.sink("status", "opening");
  one.sink("status", "sending");
  await settle();
  assert.deepEqual([locks.map(({ type }) => type), released()], [["screen"], [false]]);
  one.sink("complete", RESULT);
  await settle();
  assert.deepEqual(released(), [false], "the other is still sent");
  two.sink("status", "paused");
  await settle();
  assert.deepEqual(released(), [true]);
  two.sink("status", "sending");
  await settle();
  assert.deepEqual(released(), [true, false]);
  two.sink("status", "processing");
  await settle();
  assert.deepEqual(released(), [true, true]);
  two.sink("complete", RESULT);
});

test("it is taken again when the page is shown, while something is sent", async () => {
  const uploader = planUploader({ keepAwake: true });
  page.visibilityState = "hidden";
  const { sink } = await begun(uploader);
  sink("status", "sending");
  await settle();
  assert.equal(locks.length, 0, "a hidden page gets none");
  show("visible");
  await settle();
  assert.equal(locks.length, 1);
  show("hidden");
  show("visible");
  await settle();
  assert.equal(locks.length, 2);
  sink("error", { code: "network", message: "lost" });
  await settle();
  assert.equal(released()[1], true);
  show("visible");
  await settle();
  assert.equal(locks.length, 2, "nothing is sent");
});

for (const [what, request] of [
  ["there is no such lock", undefined],
  ["the browser refuses", async () => Promise.reject(new DOMException("battery", "NotAllowedError"))],
]) {
  test(`where ${what}, nothing happens`, async () => {
    const uploader = planUploader({ keepAwake: true });
    browser(request);
    const { sink, upload } = await begun(uploader);
    sink("status", "sending");
    sink("complete", RESULT);
    assert.deepEqual(await upload.done, ENDED);
    await settle();
  });
}

test("without the option, the screen is left alone", async () => {
  const { sink } = await begun(planUploader());
  sink("status", "sending");
  await settle();
  assert.deepEqual(locks, []);
});
