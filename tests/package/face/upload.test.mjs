import assert from "node:assert/strict";
import { test } from "node:test";

import { ENDED, RESULT, UploadError, begun, core, failure, file, planUploader, reported, settle, until } from "./harness.mjs";

test("the core gets the file and its description", async () => {
  const picked = file("clip.mp4", 5);
  const { upload, task } = await begun(planUploader(), picked);
  assert.equal(task.source.file, picked);
  assert.deepEqual({ ...task.source, file: 0 }, { file: 0, name: "clip.mp4", size: 5, type: "video/mp4" });
  assert.deepEqual(task.options, {});
  assert.deepEqual(upload.file, { name: "clip.mp4", size: 5, type: "video/mp4" });
  assert.equal(upload.progress.total, 5);
  assert.match(upload.id, /^[0-9a-f]{24}$/);
});

test("a Blob is called blob, and options name it and its type", async () => {
  const uploader = planUploader();
  const blob = new Blob(["x"]);
  assert.equal((await begun(uploader, blob)).task.source.name, "blob");
  const { upload } = await begun(uploader, blob, { filename: "x.mov", contentType: "video/quicktime" });
  assert.deepEqual(upload.file, { name: "x.mov", size: 1, type: "video/quicktime" });
});

test("a file of another realm is a file", async () => {
  const foreign = Object.create(null, {
    [Symbol.toStringTag]: { value: "File" },
    constructor: { value: Array },
    name: { value: "f" },
    size: { value: 2 },
    type: { value: "" },
    slice: { value() {} },
    arrayBuffer: { value() {} },
    stream: { value() {} },
  });
  assert.equal((await begun(planUploader(), foreign)).task.source.size, 2);
});

test("a file of a test runner's DOM is one, though it doesn't say so", async () => {
  class Fake {
    #blob = new Blob(["ab"]);
    size = 2;
    type = "";
    slice = (...range) => this.#blob.slice(...range);
    arrayBuffer = () => this.#blob.arrayBuffer();
    stream = () => this.#blob.stream();
  }
  assert.equal((await begun(planUploader(), new Fake())).task.source.size, 2);
});

for (const [what, spoil, word] of [
  ["has no arrayBuffer()", (blob) => (blob.arrayBuffer = undefined), "Blob.prototype.arrayBuffer"],
  ["has no stream()", (blob) => (blob.stream = undefined), "Blob.prototype.stream"],
  ["isn't one to fetch", (blob) => (blob.slice = () => ({ toString: () => "[object Blob]" })), "its fetch"],
]) {
  test(`a file that ${what} is refused before anything is sent`, async () => {
    const blob = new Blob(["abc"]);
    spoil(blob);
    const error = await failure(planUploader().upload(blob));
    assert.deepEqual([error.code, error.retryable], ["internal", false]);
    assert.ok(error.message.includes(word), error.message);
    assert.match(error.hint, /test/);
    assert.equal(core.tasks.length, 0);
  });
}

test("a file that the DOM's XMLHttpRequest doesn't take is refused, unless it goes by fetch", async () => {
  const { FormData } = globalThis;
  class Foreign extends Blob {}
  Object.assign(globalThis, {
    XMLHttpRequest: class {},
    FormData: class {
      append = (_, value) => (this.value = String(value));
      get = () => this.value;
    },
  });
  try {
    const error = await failure(planUploader().upload(new Foreign(["abc"])));
    assert.equal(error.code, "internal");
    assert.match(error.message, /XMLHttpRequest/);
    assert.match(error.hint, /transport: "fetch"/);
    assert.equal((await begun(planUploader({ transport: "fetch" }), new Foreign(["abc"]))).task.source.size, 3);
  } finally {
    Object.assign(globalThis, { FormData, XMLHttpRequest: undefined });
  }
});

test("an environment that lacks something is refused, with its name", async () => {
  const { TextDecoder } = globalThis;
  globalThis.TextDecoder = undefined;
  try {
    const error = await failure(planUploader().upload(new Blob(["abc"])));
    assert.equal(error.code, "internal");
    assert.match(error.message, /no TextDecoder\./);
  } finally {
    globalThis.TextDecoder = TextDecoder;
  }
});

test("who listens to progress later is told like those who did from the start", async () => {
  const { upload, task, sink } = await begun(planUploader(), file());
  assert.deepEqual(task.options, {}, "the engine isn't told who listens");
  sink("progress", { sent: 1 });
  await settle();
  const told = [];
  upload.addEventListener("progress", (event) => told.push(event.detail.sent));
  sink("progress", { sent: 2 });
  await settle();
  assert.deepEqual(told, [2]);
});

test("callbacks and events tell the same, in order, and done comes last", async () => {
  const told = [];
  const names = ["Status", "Progress", "Part", "Complete", "Error"];
  const options = Object.fromEntries(names.map((name) => [`on${name}`, (detail) => told.push([`on${name}`, detail])]));
  const { upload, sink } = await begun(planUploader(), file(), options);
  for (const name of names) upload.addEventListener(name.toLowerCase(), (event) => told.push([event.type, event.detail]));
  upload.done.then(() => told.push(["then"]));
  const progress = { sent: 1, total: 3 };
  const part = { partNumber: 1 };
  sink("status", "sending");
  sink("progress", progress);
  sink("part", part);
  sink("status", "done");
  sink("complete", RESULT);
  assert.deepEqual(told, [], "nothing within the wasm's call");
  await settle();
  assert.deepEqual(told, [
    ["onStatus", "sending"],
    ["status", "sending"],
    ["onProgress", progress],
    ["progress", progress],
    ["onPart", part],
    ["part", part],
    ["onStatus", "done"],
    ["status", "done"],
    ["onComplete", ENDED],
    ["complete", ENDED],
    ["then"],
  ]);
  assert.equal(upload.status, "done");
  assert.equal(upload.progress, progress);
  assert.deepEqual(await upload.done, ENDED);
});

test("the end is a status of its own where the core doesn't say so", async () => {
  const statuses = [];
  const { upload, sink } = await begun(planUploader(), file(), { onStatus: (status) => statuses.push(status) });
  sink("complete", RESULT);
  await upload.done;
  assert.deepEqual(statuses, ["done"]);
});

test("after the end nothing is told, and the task is freed once", async () => {
  const { upload, task, sink } = await begun(planUploader());
  sink("complete", RESULT);
  sink("status", "sending");
  sink("error", { code: "network", message: "late" });
  await settle();
  assert.equal(upload.status, "done");
  assert.equal(task.freed, true);
  assert.equal(core.frees, 1);
  upload.pause();
  upload.notify({ status: "exported" });
  await upload.cancel();
  assert.deepEqual(task.calls, []);
});

test("errors of the core become UploadErrors with all their fields", async () => {
  const { upload, sink } = await begun(planUploader());
  const vendor = { code: "E", message: "m", requestId: "r" };
  const cause = new Error("yours");
  sink("error", {
    code: "server",
    message: "It failed.",
    hint: "h",
    step: "part",
    status: 503,
    partNumber: 2,
    vendor,
    retryable: true,
    cause,
  });
  const error = await failure(upload);
  assert.ok(error instanceof UploadError && error instanceof Error);
  assert.deepEqual({ ...error }, { code: "server", retryable: true, step: "part", status: 503, partNumber: 2, vendor, hint: "h" });
  assert.equal(error.message, "It failed.");
  assert.equal(error.cause, cause);
  assert.equal(upload.status, "failed");
});

test("an error without a cause has none", async () => {
  const { upload, sink } = await begun(planUploader());
  sink("error", { code: "server", message: "x", retryable: true, hint: undefined, step: null });
  const error = await failure(upload);
  assert.equal("cause" in error, false);
  assert.equal("hint" in error, false);
  assert.equal("step" in error, false);
});

test("what start() throws rejects done", async () => {
  const uploader = planUploader();
  core.throws.start = { code: "invalid-options", message: "No.", retryable: false };
  const upload = uploader.upload(file());
  const error = await failure(upload);
  assert.equal(error.code, "invalid-options");
  assert.equal(error.message, "No.");
});

test("UploadError: its code says whether another try is worth it, unless told", () => {
  assert.equal(new UploadError("network", "x").retryable, true);
  assert.equal(new UploadError("outcome-unknown", "x").retryable, false);
  assert.equal(new UploadError("network", "x", { retryable: false }).retryable, false);
  assert.match(String(new UploadError("server", "Text.")), /^UploadError: Text\.$/);
});

test("calls before the engine has the upload are queued, and made in order", async () => {
  const upload = planUploader().upload(file());
  upload.pause();
  upload.notify({ status: "uploaded", id: "1" });
  upload.resume();
  assert.equal(upload.status, "queued");
  await settle();
  assert.deepEqual(core.tasks[0].calls, [["pause"], ["notify", { status: "uploaded", id: "1" }], ["resume"]]);
});

test("cancel before the core has the upload ends it at once", async () => {
  const upload = planUploader().upload(file());
  await upload.cancel();
  assert.equal(upload.status, "cancelled");
  assert.equal((await failure(upload)).code, "cancelled");
  await settle();
  assert.equal(core.tasks.length, 0);
});

test("cancel settles when the core has told the server", async () => {
  const { upload, task, sink } = await begun(planUploader());
  let settled = false;
  const cancelled = upload.cancel().then(() => (settled = true));
  await settle();
  assert.deepEqual(task.calls, [["cancel"]]);
  assert.equal(settled, false);
  sink("error", { code: "cancelled", message: "Cancelled.", retryable: false });
  await cancelled;
  assert.equal(upload.status, "cancelled");
});

test("a signal that was aborted before", async () => {
  const errors = [];
  const upload = planUploader().upload(file(), { signal: AbortSignal.abort("why"), onError: (error) => errors.push(error) });
  const error = await failure(upload);
  assert.equal(error.code, "cancelled");
  assert.equal(error.cause, "why");
  assert.deepEqual(errors, [error]);
  assert.equal(core.tasks.length, 0);
});

test("a signal that is aborted midway", async () => {
  const controller = new AbortController();
  const { upload, task, sink } = await begun(planUploader(), file(), { signal: controller.signal });
  controller.abort(new Error("why"));
  assert.deepEqual(task.calls, [["cancel"]]);
  sink("error", { code: "cancelled", message: "Cancelled.", retryable: false });
  assert.equal((await failure(upload)).cause.message, "why");
});

test("a signal that is aborted after the end", async () => {
  const controller = new AbortController();
  const { upload, task, sink } = await begun(planUploader(), file(), { signal: controller.signal });
  sink("complete", RESULT);
  await upload.done;
  controller.abort();
  await settle();
  assert.deepEqual(task.calls, []);
});

test("listeners that throw are reported and change nothing", async () => {
  const { upload, sink } = await begun(planUploader(), file(), {
    onStatus() {
      throw new Error("one");
    },
    onComplete() {
      throw new Error("two");
    },
  });
  const seen = await reported(async () => {
    sink("status", "sending");
    sink("complete", RESULT);
    assert.deepEqual(await upload.done, ENDED);
  });
  assert.deepEqual(
    seen.map((error) => error.message),
    ["one", "one", "two"],
  );
});

test("a listener may call back, cancel, and start another upload", async () => {
  const uploader = planUploader();
  const { upload, task, sink } = await begun(uploader, file(), {
    onStatus(status) {
      if (status === "sending") upload.pause();
    },
    onError: () => uploader.upload(file("again.mp4")),
  });
  sink("status", "sending");
  await settle();
  assert.deepEqual(task.calls, [["pause"]]);
  sink("error", { code: "network", message: "x", retryable: true });
  await settle();
  assert.equal(core.tasks.at(-1).source.name, "again.mp4");
});

/** Long enough for what is said of a failure after its end. */
const afterwards = () => new Promise((resolve) => setTimeout(resolve, 5)).then(settle);

/** What the console gets of an upload that fails so. */
async function told(action, error = { code: "forbidden", message: "No.", hint: "Ask.", retryable: false }) {
  const uploader = planUploader();
  return reported(async () => {
    const upload = uploader.upload(file());
    const ended = action(upload, uploader);
    await until(() => core.tasks.length > 0);
    core.tasks[0].sink("error", error);
    await ended;
    await afterwards();
  });
}

test("a failure that nobody looks at is no unhandled rejection, and is said once", async () => {
  const unhandled = [];
  const listener = (error) => unhandled.push(error);
  process.on("unhandledRejection", listener);
  const seen = await told((upload) => {
    upload.addEventListener("status", () => {});
    upload.addEventListener("progress", () => {});
  });
  process.off("unhandledRejection", listener);
  assert.deepEqual(unhandled, []);
  assert.deepEqual(seen, ["partway: an upload failed, and nothing listens to it (forbidden): No. Ask."]);
});

for (const [what, listens] of [
  ["whoever has `done`", (upload) => void upload.done.catch(() => {})],
  ["await", (upload) => (async () => await upload.done)().catch(() => {})],
  ["a listener", (upload) => upload.addEventListener("error", () => {})],
  [
    "a listener that goes when it heard",
    (upload) => {
      const listener = () => upload.removeEventListener("error", listener);
      upload.addEventListener("error", listener);
    },
  ],
  ["a look at `done` just after the end", (upload) => void upload.addEventListener("status", () => queueMicrotask(() => upload.done))],
]) {
  test(`a failure that is heard isn't said: ${what}`, async () => {
    assert.deepEqual(await told(listens), []);
  });
}

test("a failure that onError hears isn't said", async () => {
  const uploader = planUploader();
  const errors = [];
  const seen = await reported(async () => {
    uploader.upload("no file", { onError: (error) => errors.push(error) });
    uploader.upload(file(), { onError: (error) => errors.push(error) });
    await until(() => core.tasks.length > 0);
    core.tasks[0].sink("error", { code: "forbidden", message: "No." });
    await afterwards();
  });
  assert.equal(errors.length, 1);
  assert.equal(seen.length, 1, "its options weren't looked at yet");
});

for (const [what, leaves] of [
  ["removed", (upload, listener) => upload.removeEventListener("error", listener)],
  ["aborted", (upload, listener, controller) => controller.abort()],
]) {
  test(`a listener that was ${what} hears nothing`, async () => {
    const seen = await told((upload) => {
      const controller = new AbortController();
      const listener = () => assert.fail("it heard");
      upload.addEventListener("error", listener, { signal: controller.signal });
      leaves(upload, listener, controller);
    });
    assert.equal(seen.length, 1);
  });
}

test("cancelling is nobody's failure", async () => {
  assert.deepEqual(await told(() => {}, { code: "cancelled", message: "Cancelled.", retryable: false }), []);
  assert.deepEqual(
    await reported(async () => {
      const uploader = planUploader();
      uploader.upload(file());
      uploader.close();
      await afterwards();
    }),
    [],
  );
});

test("errors of options have the hint in their stack too, which is what consoles show", async () => {
  assert.throws(() => planUploader({ concurency: 3 }), {
    message: "concurency is not an option.",
    hint: "Did you mean concurrency?",
  });
  const { upload, sink } = await begun(planUploader());
  sink("error", { code: "invalid-options", message: "No.", hint: "Do.", retryable: false });
  const { message, hint, stack } = await failure(upload);
  assert.deepEqual([message, hint], ["No.", "Do."]);
  assert.match(stack, /No\. Do\./);
});

test("an UploadError of another copy of the package is one", async () => {
  const other = await import("../../../pkg/api/errors.ts?other");
  assert.notEqual(other.UploadError, UploadError);
  const error = new other.UploadError("forbidden", "No.");
  assert.ok(error instanceof UploadError && error instanceof Error);
  assert.ok(new UploadError("server", "x") instanceof other.UploadError);
  for (const no of [new Error("x"), { name: "UploadError", code: "server" }, null, undefined, "x", UploadError]) {
    assert.equal(no instanceof UploadError, false);
  }
  class Mine extends UploadError {}
  assert.equal(error instanceof Mine, false);
  assert.ok(new Mine("server", "x") instanceof Mine && new Mine("server", "x") instanceof UploadError);
  const { upload, sink } = await begun(planUploader());
  sink("error", error);
  assert.equal(await failure(upload), error);
});

test("notify() wants a status", async () => {
  const { upload } = await begun(planUploader());
  for (const update of [undefined, null, "exported", {}, { status: 1 }, { payload: {} }, { type: "x", payload: "exported" }]) {
    assert.throws(
      () => upload.notify(update),
      (error) => error instanceof UploadError && error.code === "invalid-options",
    );
  }
});

test("notify() takes a webhook's whole body, its payload, or a record", async () => {
  const { upload, task } = await begun(planUploader());
  const payload = { media_upload_id: "1", status: "exported", updated_at: "2026-04-29T10:00:00Z" };
  const updates = [{ type: "vault.media_upload.updated", payload }, payload, { id: "1", status: "exported", media_id: "2" }];
  for (const update of updates) upload.notify(update);
  assert.deepEqual(
    task.calls,
    updates.map((update) => ["notify", update]),
  );
});

test("a handle's file is opened, and only its name is known until then", async () => {
  let give;
  const handle = { kind: "file", name: "h.mp4", getFile: () => new Promise((resolve) => (give = resolve)) };
  const upload = planUploader().upload(handle);
  await settle();
  assert.deepEqual(upload.file, { name: "h.mp4", size: 0, type: "" });
  assert.equal(planUploader().upload(handle, { filename: "other.mp4" }).file.name, "other.mp4");
  give(file("h.mp4", 9));
  await settle();
  assert.deepEqual(upload.file, { name: "h.mp4", size: 9, type: "video/mp4" });
  assert.equal(core.tasks[0].source.size, 9);
});

test("a handle that can't be opened", async () => {
  const cause = new DOMException("gone", "NotFoundError");
  const upload = planUploader().upload({ kind: "file", getFile: () => Promise.reject(cause) });
  const error = await failure(upload);
  assert.equal(error.code, "file-unreadable");
  assert.equal(error.cause, cause);
  assert.ok(error.hint);
});

test("a folder's handle is no file", async () => {
  assert.equal((await failure(planUploader().upload({ kind: "directory", getFile() {} }))).code, "invalid-options");
});

test("one engine serves an uploader's uploads, another uploader has its own", async () => {
  const uploader = planUploader();
  await begun(uploader);
  await begun(uploader);
  assert.equal(core.engines.length, 1);
});

test("close() ends live uploads and frees everything; the next upload opens the uploader again", async () => {
  const uploader = planUploader();
  const { upload, task } = await begun(uploader);
  const waiting = uploader.upload(file());
  uploader.close();
  uploader.close();
  assert.equal((await failure(upload)).code, "cancelled");
  assert.equal((await failure(waiting)).code, "cancelled");
  await settle();
  const [engine] = core.engines;
  assert.equal(engine.closed, true);
  assert.equal(engine.freed, true);
  assert.equal(task.freed, true);
  const next = await begun(uploader);
  assert.equal(core.engines.length, 2);
  next.sink("complete", RESULT);
  assert.deepEqual(await next.upload.done, ENDED);
  uploader.close();
  await settle();
  assert.equal(core.engines[1].freed, true);
});

test("close() before anything began", () => planUploader().close());
