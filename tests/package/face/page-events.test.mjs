// What the page's events do. The face listens once the wasm is loaded, and never before.
import assert from "node:assert/strict";
import { test } from "node:test";

const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.document = Object.assign(new EventTarget(), { visibilityState: "visible", baseURI: "https://app.example/" });

const { RESULT, begun, core, planUploader, reported, settle } = await import("./harness.mjs");

const fire = (target, type) => target.dispatchEvent(new Event(type));

test("no page event reaches the engine before the wasm is loaded", () => {
  fire(page, "online");
  assert.deepEqual(core.stirred, []);
});

test("events of the network, the page and the machine reach the engine", async () => {
  await begun(planUploader());
  fire(page, "online");
  assert.deepEqual(core.stirred.splice(0), [true]);
  fire(page, "pageshow");
  fire(document, "visibilitychange");
  fire(document, "resume");
  assert.deepEqual(core.stirred.splice(0), [false, false, false]);
  document.visibilityState = "hidden";
  fire(document, "visibilitychange");
  assert.deepEqual(core.stirred, []);
  document.visibilityState = "visible";
});

test("a second uploader doesn't send an event twice", async () => {
  await begun(planUploader());
  fire(page, "online");
  assert.deepEqual(core.stirred, [true]);
});

test("events go to a fresh instance, not to one that crashed", async () => {
  const uploader = planUploader();
  await begun(uploader);
  await reported(async () => {
    core.throws.stir = () => core.die("stir");
    fire(page, "online");
    await settle();
  });
  core.stirred.length = 0;
  fire(page, "online");
  assert.deepEqual(core.stirred, []);
  const { upload, sink } = await begun(uploader);
  fire(page, "online");
  assert.deepEqual(core.stirred, [true]);
  sink("complete", RESULT);
  await upload.done;
});
