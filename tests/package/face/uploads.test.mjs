// The store for views: snapshots, their identity, and what is left unfinished.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { createUploads, reported, RESULT, settle, until } from "./harness.mjs";
import { core, empty, file, kept, plan, reload } from "./storage.mjs";

let painting;

/** A page that paints when the test says so. */
beforeEach(async () => {
  await empty();
  core.forget();
  painting = [];
  globalThis.requestAnimationFrame = (paint) => painting.push(paint);
  globalThis.cancelAnimationFrame = () => {};
});

afterEach(async () => {
  await frame();
  delete globalThis.requestAnimationFrame;
  delete globalThis.cancelAnimationFrame;
});

/** Frames that come sooner after the last one are left out. */
const BETWEEN_FRAMES_MS = 30;

async function frame() {
  await new Promise((resolve) => setTimeout(resolve, BETWEEN_FRAMES_MS + 1));
  await settle();
  for (const paint of painting.splice(0)) paint();
  await settle();
}

const progress = (sent, total) => ({ sent, total, fraction: sent / total, rate: null, eta: null, parts: { total: 1, done: 0, inFlight: 1 }, processing: null });

/** The engine's side of an upload: files reach the engine in any order. */
const task = (index) => core.tasks.find(({ source }) => source.name === `${index}.mp4`);

/** A store with so many uploads that the engine has begun. */
async function opened(count) {
  const uploads = createUploads(plan());
  const heard = [];
  const stop = uploads.subscribe(() => heard.push(uploads.getSnapshot()));
  uploads.add(Array.from({ length: count }, (_, index) => file(`${index}.mp4`, 10)));
  await until(() => Array.from({ length: count }, (_, index) => task(index)).every(Boolean));
  await frame();
  return { uploads, heard, stop };
}

test("a snapshot is the same until something changes", async () => {
  const uploads = createUploads(plan());
  const before = uploads.getSnapshot();
  assert.equal(uploads.getSnapshot(), before);
  assert.deepEqual([before.uploads, before.unfinished, before.progress.total], [[], [], 0]);
  uploads.subscribe(() => {});
  await frame();
  assert.equal(uploads.getSnapshot(), before, "nothing was left unfinished");
  uploads.add([file("a.mp4", 10)], { meta: { album: 1 }, relativePath: "x/a.mp4" });
  await frame();
  const after = uploads.getSnapshot();
  assert.notEqual(after, before);
  const [{ id, ...view }] = after.uploads;
  assert.deepEqual(view.file, { name: "a.mp4", size: 10, type: "video/mp4" });
  assert.deepEqual([view.meta, view.relativePath, view.status, view.error, view.result], [{ album: 1 }, "x/a.mp4", "queued", null, null]);
  assert.equal(uploads.find(id), after.uploads[0]);
  assert.equal(uploads.getServerSnapshot(), before);
  assert.ok([after, after.uploads, after.uploads[0], after.unfinished].every(Object.isFrozen));
});

test("however much happens, there is one snapshot a frame, and what didn't change is the same", async () => {
  const { uploads, heard } = await opened(3);
  heard.length = 0;
  const before = uploads.getSnapshot();
  for (let sent = 1; sent < 10; sent += 1) {
    task(0).sink("progress", progress(sent, 10));
    task(2).sink("status", sent % 2 ? "sending" : "opening");
    await settle();
    assert.equal(uploads.getSnapshot(), before, "not before the frame");
  }
  await frame();
  assert.equal(heard.length, 1);
  const after = uploads.getSnapshot();
  assert.deepEqual(after.uploads.map((view, index) => view === before.uploads[index]), [false, true, false]);
  assert.equal(after.unfinished, before.unfinished);
  assert.deepEqual([after.uploads[0].progress.sent, after.progress.sent, after.progress.total], [9, 9, 30]);
  await frame();
  assert.equal(heard.length, 1);
});

test("ends are shown with result or error, and nothing is written to the console", async () => {
  const { uploads } = await opened(2);
  const errors = await reported(async () => {
    task(0).sink("complete", RESULT);
    task(1).sink("error", { code: "network", message: "gone" });
    await frame();
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  const [one, other] = uploads.getSnapshot().uploads;
  assert.deepEqual([one.status, one.result.bytes, one.error], ["done", RESULT.bytes, null]);
  assert.deepEqual([other.status, other.result, other.error.code], ["failed", null, "network"]);
  assert.deepEqual(errors, []);
});

test("an end is never shown without its result", async () => {
  const { uploads, heard } = await opened(1);
  task(0).sink("status", "done");
  task(0).sink("complete", RESULT);
  await frame();
  assert.ok(heard.every(({ uploads: [view] }) => (view.status === "done") === (view.result !== null)));
  assert.equal(uploads.getSnapshot().uploads[0].status, "done");
});

test("actions reach one upload or all, and an id that isn't known changes nothing", async () => {
  const { uploads } = await opened(2);
  const [first] = uploads.getSnapshot().uploads;
  const calls = () => [0, 1].map((index) => task(index).calls.splice(0).map(([name]) => name).join());
  uploads.pause(first.id);
  assert.deepEqual(calls(), ["pause", ""]);
  uploads.resume(first.id);
  assert.deepEqual(calls(), ["resume", ""]);
  uploads.pause();
  uploads.resume();
  assert.deepEqual(calls(), ["pause,resume", "pause,resume"]);
  for (const action of ["pause", "resume", "retry", "cancel", "remove"]) await uploads[action]("other");
  assert.deepEqual(calls(), ["", ""]);
  assert.equal(uploads.find("other"), undefined);
  const ended = uploads.cancel(first.id);
  assert.deepEqual(calls(), ["cancel", ""]);
  task(0).sink("error", { code: "cancelled", message: "The upload was cancelled." });
  await ended;
});

test("a failed upload is tried again in its place", async () => {
  const { uploads } = await opened(2);
  const ids = uploads.getSnapshot().uploads.map(({ id }) => id);
  task(0).sink("error", { code: "network", message: "gone" });
  await frame();
  uploads.retry(ids[0]);
  await frame();
  const [again] = uploads.getSnapshot().uploads;
  assert.deepEqual([again.id, again.status, again.error], [ids[0], "queued", null]);
  await until(() => core.tasks.length === 3);
});

test("uploads are removed one by one, and those that are at their end together", async () => {
  const { uploads } = await opened(4);
  task(0).sink("complete", RESULT);
  task(1).sink("error", { code: "network", message: "gone" });
  await frame();
  const ids = uploads.getSnapshot().uploads.map(({ id }) => id);
  uploads.clear();
  await frame();
  assert.deepEqual(uploads.getSnapshot().uploads.map(({ id }) => id), ids.slice(2));
  uploads.remove(ids[2]);
  assert.deepEqual(task(2).calls, [["cancel"]]);
  await frame();
  assert.deepEqual(uploads.getSnapshot().uploads.map(({ id }) => id), ids.slice(3));
  assert.equal(uploads.find(ids[2]), undefined);
});

test("`add(null)` adds nothing: an input without a choice", () => {
  assert.deepEqual(createUploads(plan()).add(null), []);
});

test("the functions need no `this`, and a listener may subscribe twice", async () => {
  const { add, subscribe, getSnapshot } = createUploads(plan());
  let heard = 0;
  const listener = () => (heard += 1);
  const stops = [subscribe(listener), subscribe(listener)];
  stops[0]();
  stops[0]();
  add([file("a.mp4", 10)]);
  await frame();
  assert.equal(heard, 1);
  stops[1]();
  add([file("b.mp4", 10)]);
  await frame();
  assert.equal(heard, 1);
  assert.equal(getSnapshot().uploads.length, 2, "it goes on while nobody listens");
});

test("a listener that throws is reported, and the others are called", async () => {
  const uploads = createUploads(plan());
  let heard = 0;
  uploads.subscribe(() => {
    throw new Error("mine");
  });
  uploads.subscribe(() => (heard += 1));
  const errors = await reported(async () => {
    uploads.add([file("a.mp4", 10)]);
    await frame();
  });
  assert.deepEqual([errors.map(({ message }) => message), heard], [["mine"], 1]);
});

test("two stores of one Uploader have uploads of their own", async () => {
  const uploader = plan();
  const [one, other] = [createUploads(uploader), createUploads(uploader)];
  one.add([file("a.mp4", 10)]);
  await frame();
  assert.deepEqual([one, other].map(({ getSnapshot }) => getSnapshot().uploads.length), [1, 0]);
});

test("what was left unfinished is listed from the first subscription on, and joins the uploads when it goes on", async () => {
  await kept(plan());
  await reload();
  const uploads = createUploads(plan());
  await settle();
  assert.deepEqual(uploads.getSnapshot().unfinished, []);
  uploads.subscribe(() => {});
  await until(() => uploads.getSnapshot().unfinished.length === 1);
  const [left] = uploads.getSnapshot().unfinished;
  assert.deepEqual([left.name, left.needsFile], ["a.mp4", true]);
  await assert.rejects(left.resume(file("a.mp4", 99)), { code: "file-changed" });
  assert.deepEqual(uploads.getSnapshot().unfinished, [left]);
  const before = core.tasks.length;
  const upload = await left.resume(file());
  await until(() => core.tasks.length > before);
  await frame();
  const after = uploads.getSnapshot();
  assert.deepEqual([after.uploads.map(({ id }) => id), after.unfinished, after.progress.files.queued], [[upload.id], [], 1]);
  await core.tasks.at(-1).options.forget();
  core.tasks.at(-1).sink("complete", RESULT);
  await frame();
  uploads.clear();
  await frame();
  await settle();
  assert.deepEqual([uploads.getSnapshot().uploads, uploads.getSnapshot().unfinished], [[], []], "its session has gone with it");
});

test("what goes on and is removed then isn't left any more", async () => {
  await kept(plan());
  await reload();
  const uploads = createUploads(plan());
  uploads.subscribe(() => {});
  await until(() => uploads.getSnapshot().unfinished.length === 1);
  const { id } = await uploads.getSnapshot().unfinished[0].resume(file());
  await until(() => core.tasks.length === 1);
  uploads.remove(id);
  await frame();
  await core.tasks[0].options.forget();
  core.tasks[0].sink("error", { code: "cancelled", message: "The upload was cancelled." });
  await until(() => uploads.getSnapshot().unfinished.length === 0);
  assert.deepEqual(uploads.getSnapshot().uploads, []);
});

test("what is discarded goes from the list", async () => {
  await kept(plan());
  await reload();
  const uploads = createUploads(plan());
  uploads.subscribe(() => {});
  await until(() => uploads.getSnapshot().unfinished.length === 1);
  const before = core.tasks.length;
  const discarded = uploads.getSnapshot().unfinished[0].discard();
  await until(() => core.tasks.length > before);
  await core.tasks.at(-1).options.forget();
  core.tasks.at(-1).sink("error", { code: "cancelled", message: "The upload was cancelled." });
  await discarded.catch(() => {});
  await until(() => uploads.getSnapshot().unfinished.length === 0);
});
