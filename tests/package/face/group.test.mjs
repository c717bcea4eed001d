// Several uploads as one.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { nextFrame } from "../../../pkg/util/frames.ts";
import { RESULT, UploadError, core, file, planUploader, reported, settle, until } from "./harness.mjs";

const COUNTS = {
  queued: 0,
  checking: 0,
  opening: 0,
  sending: 0,
  completing: 0,
  processing: 0,
  paused: 0,
  waiting: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
};
const NETWORK = { code: "network", message: "No answer." };

let uploader;
beforeEach(() => {
  uploader = planUploader();
});

function files(count, size = 3) {
  return Array.from({ length: count }, (_, index) => file(`${index}.mp4`, size));
}

function progressOf(sent, total, { done = 0, inFlight = 1, parts = 1 } = {}) {
  return { sent, total, fraction: sent / total, rate: null, eta: null, parts: { total: parts, done, inFlight }, processing: null };
}

/** A group that the engine has begun, with the engine's side of it. */
async function group(picked, options) {
  const made = uploader.group(picked, options);
  const { length } = made.uploads;
  await until(() => core.tasks.length === length);
  // What is reported from here on is what the test does.
  await nextFrame();
  return { group: made, tasks: [...core.tasks] };
}

/** The group's event of that type that comes next. */
function event(target, type) {
  return new Promise((resolve) => target.addEventListener(type, ({ detail }) => resolve(detail), { once: true }));
}

test("it has the uploads in their order, and they are the uploader's own", async () => {
  const { group: made, tasks } = await group(files(3));
  assert.deepEqual(
    tasks.map(({ source }) => source.name),
    ["0.mp4", "1.mp4", "2.mp4"],
  );
  assert.deepEqual(uploader.uploads, made.uploads);
  assert.equal(made.uploads, made.uploads);
  const [before, more] = [made.uploads, made.add([file("more.mp4")])];
  assert.notEqual(made.uploads, before);
  assert.deepEqual(made.uploads, [...before, ...more]);
  uploader.prioritize(more[0]);
  await until(() => core.tasks.length === 4);
  assert.equal(String(made), "[object UploadGroup]");
});

test("its progress is the sum, and counts the files by their status", async () => {
  const { group: made, tasks } = await group(files(3, 10));
  assert.deepEqual(made.progress.files, { ...COUNTS, queued: 3 });
  assert.deepEqual([made.progress.total, made.progress.sent, made.progress.fraction], [30, 0, 0]);
  tasks[0].sink("status", "sending");
  tasks[0].sink("progress", progressOf(4, 10, { parts: 2 }));
  tasks[1].sink("status", "sending");
  tasks[1].sink("progress", progressOf(2, 10));
  tasks[2].sink("error", NETWORK);
  const { rate, eta, ...shown } = await event(made, "progress");
  assert.deepEqual(shown, {
    sent: 6,
    total: 30,
    fraction: 0.2,
    parts: { total: 3, done: 0, inFlight: 2 },
    processing: null,
    files: { ...COUNTS, sending: 2, failed: 1 },
  });
  assert.deepEqual([rate, eta], [null, null]);
  assert.equal(made.progress, made.progress);

  tasks[0].sink("progress", progressOf(10, 10, { parts: 2, done: 2, inFlight: 0 }));
  tasks[0].sink("complete", RESULT);
  const later = await event(made, "progress");
  assert.deepEqual([later.sent, later.parts.done, later.files.done], [12, 2, 1]);
});

test("many changes are one event for each frame, with the uploads that changed", async () => {
  const { group: made, tasks } = await group(files(50));
  const changes = [];
  made.addEventListener("change", ({ detail }) => changes.push(detail));
  let events = 0;
  made.addEventListener("progress", () => (events += 1));
  for (let round = 1; round <= 3; round += 1) for (const { sink } of tasks.slice(0, 20)) sink("progress", progressOf(round, 3));
  await event(made, "progress");
  assert.equal(events, 1);
  assert.deepEqual(changes, [made.uploads.slice(0, 20)]);
  assert.equal(made.progress.sent, 60);
});

test("a change costs no more in a large group: no upload but the one that changed is looked at", async () => {
  const { group: made, tasks } = await group(files(300));
  let looks = 0;
  for (const upload of made.uploads.slice(1)) {
    for (const name of ["status", "progress"]) Object.defineProperty(upload, name, { get: () => (looks += 1) });
  }
  tasks[0].sink("progress", progressOf(1, 3));
  const { sent } = await event(made, "progress");
  assert.deepEqual([sent, looks], [1, 0]);
});

test("the rate is that of the bytes that were sent, and tells what is left", async () => {
  const { now } = performance;
  let time = 1000;
  performance.now = () => time;
  try {
    const { group: made, tasks } = await group(files(2, 4_000_000));
    for (const { sink } of tasks) sink("status", "sending");
    // Half of the first one was there before this page.
    tasks[0].sink("progress", progressOf(2_000_000, 4_000_000, { parts: 2, done: 1 }));
    assert.equal((await event(made, "progress")).rate, null);
    time += 2000;
    tasks[0].sink("progress", progressOf(3_000_000, 4_000_000, { parts: 2, done: 1 }));
    tasks[1].sink("progress", progressOf(1_000_000, 4_000_000));
    const { rate, eta } = await event(made, "progress");
    assert.deepEqual([rate, eta], [1_000_000, 4]);

    time += 10_000;
    tasks[1].sink("progress", progressOf(1_500_000, 4_000_000));
    assert.equal((await event(made, "progress")).rate, 50_000, "of the last seconds");

    tasks[1].sink("error", NETWORK);
    assert.equal((await event(made, "progress")).eta, 1_000_000 / 50_000, "what failed isn't left");
    tasks[0].sink("status", "paused");
    assert.equal((await event(made, "progress")).rate, null);
  } finally {
    performance.now = now;
  }
});

test("`done` has every result and every error, in order, and never rejects", async () => {
  const { group: made, tasks } = await group(files(4));
  const { done } = made;
  tasks[2].sink("complete", { ...RESULT, bytes: 2 });
  tasks[1].sink("error", NETWORK);
  tasks[3].sink("complete", { ...RESULT, bytes: 3 });
  tasks[0].sink("error", { code: "cancelled", message: "" });
  const { results, errors } = await done;
  assert.deepEqual(
    results.map(({ bytes }) => bytes),
    [2, 3],
  );
  assert.deepEqual(
    errors.map(({ upload, error }) => [made.uploads.indexOf(upload), error.code]),
    [
      [0, "cancelled"],
      [1, "network"],
    ],
  );
  assert.equal(made.done, done);
});

test("the last progress comes before the end", async () => {
  const { group: made, tasks } = await group(files(2));
  const seen = [];
  made.addEventListener("progress", ({ detail }) => seen.push([detail.files.done, made.uploads.map(({ result }) => result?.bytes)]));
  tasks[0].sink("complete", RESULT);
  tasks[1].sink("complete", RESULT);
  await made.done;
  assert.deepEqual(seen, [[2, [3, 3]]]);
  await nextFrame();
  assert.equal(seen.length, 1);
});

test("a later add() and a retry() make it a new promise; the one before has the files of its time", async () => {
  const { group: made, tasks } = await group(files(1));
  const first = made.done;
  made.add([file("b.mp4")]);
  assert.notEqual(made.done, first);
  tasks[0].sink("error", NETWORK);
  assert.equal((await first).errors.length, 1);
  const second = made.done;
  made.retry();
  assert.notEqual(made.done, second);
  await until(() => core.tasks.length === 3);
  core.tasks[1].sink("complete", RESULT);
  core.tasks[2].sink("complete", RESULT);
  assert.equal((await made.done).results.length, 2);
  assert.deepEqual((await second).results.length, 1);
});

test("an empty group is at its end", async () => {
  const made = uploader.group();
  assert.deepEqual(await made.done, { results: [], errors: [] });
  assert.deepEqual(made.progress, {
    sent: 0,
    total: 0,
    fraction: 0,
    rate: null,
    eta: null,
    parts: { total: 0, done: 0, inFlight: 0 },
    processing: null,
    files: COUNTS,
  });
});

test("failures are the group's to tell, once its `done` was read", async () => {
  const { group: made, tasks } = await group(files(2));
  const seen = await reported(async () => {
    tasks[0].sink("error", NETWORK);
    await settle();
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  assert.match(seen.join(), /nothing listens/);
  void made.done;
  const [later] = made.add([file("later.mp4")]);
  await until(() => core.tasks.length === 3);
  const silent = await reported(async () => {
    core.tasks[2].sink("error", NETWORK);
    await until(() => later.status === "failed");
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  assert.deepEqual(silent, []);
});

test("pause(), resume() and cancel() are for all, and one that is added to a paused group waits", async () => {
  const { group: made, tasks } = await group(files(2));
  made.pause();
  made.add([file("c.mp4")]);
  await until(() => core.tasks.length === 3);
  assert.deepEqual(
    core.tasks.map(({ calls }) => calls),
    [[["pause"]], [["pause"]], [["pause"]]],
  );
  made.resume();
  made.add([file("d.mp4")]);
  await until(() => core.tasks.length === 4);
  assert.deepEqual(core.tasks[3].calls, []);
  const cancelled = made.cancel();
  await settle();
  assert.deepEqual(tasks[0].calls.at(-1), ["cancel"]);
  for (const { sink } of core.tasks) sink("error", { code: "cancelled", message: "" });
  await cancelled;
  assert.equal(made.progress.files.cancelled, 4);
});

test("the screen is kept awake for a group's uploads too", async () => {
  let locks = 0;
  const request = async () => ((locks += 1), { release: async () => {} });
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { wakeLock: { request } } });
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  try {
    uploader = planUploader({ keepAwake: true });
    const { tasks, group: made } = await group(files(2));
    tasks[0].sink("status", "sending");
    await until(() => made.progress.files.sending === 1);
    assert.equal(locks, 1);
  } finally {
    delete globalThis.document;
  }
});

test("retry() is for those that failed", async () => {
  const { group: made, tasks } = await group(files(3));
  tasks[0].sink("error", NETWORK);
  tasks[1].sink("error", { code: "cancelled", message: "" });
  tasks[2].sink("complete", RESULT);
  await made.done;
  made.retry();
  await until(() => core.tasks.length === 4);
  await settle();
  assert.deepEqual([core.tasks.length, core.tasks[3].source.name], [4, "0.mp4"]);
  assert.deepEqual(made.progress.files, { ...COUNTS, queued: 1, cancelled: 1, done: 1 });
});

test("remove() cancels what runs and takes it out of everything", async () => {
  const { group: made, tasks } = await group(files(3));
  const [first, second] = made.uploads;
  tasks[0].sink("progress", progressOf(2, 3));
  await event(made, "progress");
  tasks[1].sink("complete", RESULT);
  await second.done;
  const { done } = made;
  made.remove(first);
  made.remove(second);
  made.remove(first);
  assert.deepEqual(tasks[0].calls, [["cancel"]]);
  assert.deepEqual(made.uploads.length, 1);
  assert.deepEqual([made.progress.sent, made.progress.total, made.progress.files], [0, 3, { ...COUNTS, queued: 1 }]);
  tasks[0].sink("error", { code: "cancelled", message: "" });
  tasks[2].sink("complete", RESULT);
  assert.deepEqual(await done, { results: [made.uploads[0].result], errors: [] });
  assert.deepEqual(made.progress.files, { ...COUNTS, done: 1 });
});

/** The codes of a group's errors, by the file's name. */
async function refusals(made) {
  const { errors } = await made.done;
  return Object.fromEntries(errors.map(({ upload, error }) => [upload.file.name, error.code]));
}

test("beyond maxFiles a file is refused, the others go on, and a place that is given up can be taken", async () => {
  const made = uploader.group(files(3), { maxFiles: 2 });
  await until(() => core.tasks.length === 2 && made.uploads[2].status === "failed");
  const { error } = made.uploads[2];
  assert.deepEqual([error.code, error.step, error.retryable], ["file-rejected", "check", false]);
  assert.match(error.message, /may have 2 files, but would have 3/);
  assert.match(error.hint, /Remove/);
  made.remove(made.uploads[0]);
  made.retry();
  await until(() => core.tasks.length === 3);
  for (const { sink } of core.tasks) sink("complete", RESULT);
  assert.deepEqual(await refusals(made), {});
  assert.equal((await made.done).results.length, 2);
});

test("a file that doesn't fit into maxTotalBytes any more is refused, and a smaller one after it isn't", async () => {
  const picked = [file("a", 6), file("b", 5), file("c", 4)];
  const made = uploader.group(picked, { maxTotalBytes: 10 });
  await until(() => core.tasks.length === 2 && made.uploads[1].status === "failed");
  assert.match(made.uploads[1].error.message, /may have 10 bytes, but would have 11 with this one/);
  for (const { sink } of core.tasks) sink("complete", RESULT);
  assert.deepEqual(await refusals(made), { b: "file-rejected" });
});

test("a file that is tried again isn't counted twice", async () => {
  const { group: made, tasks } = await group(files(2), { maxFiles: 2, maxTotalBytes: 6 });
  tasks[0].sink("error", NETWORK);
  await until(() => made.uploads[0].status === "failed");
  made.retry();
  await until(() => core.tasks.length === 3);
  assert.equal(made.progress.total, 6);
});

test("options: the group's, those of add(), the entry's folder, and each file's own, the later ones first", async () => {
  const seen = [];
  const each = (picked, index) => (seen.push([picked.name, index]), index === 1 ? { meta: { own: index } } : undefined);
  const made = uploader.group([{ file: file("a.mp4"), relativePath: "x/a.mp4" }], { meta: { of: "group" }, priority: 2, each });
  made.add([file("b.mp4"), { file: file("c.mp4"), relativePath: "y/c.mp4" }], { meta: { of: "add" } });
  await until(() => core.tasks.length === 3);
  assert.deepEqual(
    made.uploads.map(({ meta, relativePath }) => [meta, relativePath]),
    [
      [{ of: "group" }, "x/a.mp4"],
      [{ own: 1 }, ""],
      [{ of: "add" }, "y/c.mp4"],
    ],
  );
  assert.deepEqual(seen, [
    ["a.mp4", 0],
    ["b.mp4", 1],
    ["c.mp4", 2],
  ]);
  assert.deepEqual(
    core.tasks.map(({ options }) => options.priority),
    [2, 2, 2],
  );
});

test("`onProgress` is the group's", async () => {
  const seen = [];
  const { tasks, group: made } = await group(files(2), { onProgress: (progress) => seen.push(progress) });
  tasks[0].sink("progress", progressOf(1, 3));
  await event(made, "progress");
  assert.equal(seen.at(-1), made.progress);
});

test("an `each` that throws begins nothing", async () => {
  const broken = new TypeError("broken");
  const each = (_, index) => {
    if (index === 2) throw broken;
    return {};
  };
  assert.throws(() => uploader.group(files(3), { each }), broken);
  const made = uploader.group(files(1), { each });
  assert.throws(() => made.add(files(2)), broken);
  await until(() => core.tasks.length);
  await settle();
  assert.deepEqual([core.tasks.length, made.uploads.length, uploader.uploads.length], [1, 1, 1]);
});

test("a handle is opened late, and known by then", async () => {
  let opened = 0;
  const handle = { kind: "file", name: "h.mp4", getFile: async () => ((opened += 1), file("h.mp4", 8)) };
  const names = [];
  const made = uploader.group([{ file: handle, relativePath: "x/h.mp4" }], { each: ({ name }) => void names.push(name) });
  assert.deepEqual([opened, names, made.progress.total], [0, ["h.mp4"], 0]);
  await until(() => core.tasks.length === 1);
  assert.deepEqual([opened, made.progress.total, made.uploads[0].relativePath], [1, 8, "x/h.mp4"]);
});

test("what is no file ends by itself, and the others go on", async () => {
  const made = uploader.group([file("a.mp4"), "b.mp4", null, { file: 7 }]);
  await until(() => core.tasks.length === 1);
  core.tasks[0].sink("complete", RESULT);
  const { errors, results } = await made.done;
  assert.deepEqual(
    errors.map(({ error }) => error.code),
    ["invalid-options", "invalid-options", "invalid-options"],
  );
  assert.equal(results.length, 1);
});

for (const [what, call, message] of [
  ["one file in the place of a list", () => uploader.group(file()), /a list of files/],
  ["a number", () => uploader.group(7), /a list of files/],
  ["an unknown option", () => uploader.group([], { maxfiles: 3 }), /Did you mean maxFiles/],
  ["half a file", () => uploader.group([], { maxFiles: 1.5 }), /maxFiles must be a whole number/],
  ["a callback of one upload", () => uploader.group([], { onComplete() {} }), /onComplete is not an option/],
  ["a provider's option", () => uploader.group([], { key: "k" }), /It belongs in the provider: \{ name: "s3", key \}\./],
  ["wrong meta", () => uploader.group([], { meta: { at: new Date() } }), /meta must be plain JSON/],
  ["a wrong option of add()", () => uploader.group().add([], { priority: "high" }), /priority must be/],
]) {
  test(`${what} is an error at once`, () => {
    assert.throws(call, (error) => error instanceof UploadError && error.code === "invalid-options" && message.test(`${error.message} ${error.hint ?? ""}`));
  });
}

test("many files are begun in turns, and none is looked at before", async () => {
  let looks = 0;
  const picked = files(200).map((one) => Object.defineProperty(one, "size", { get: () => ((looks += 1), 3) }));
  const made = uploader.group(picked);
  assert.equal(looks, 0);
  await until(() => core.tasks.length === 200);
  assert.equal(made.progress.total, 600);
});
