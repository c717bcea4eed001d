// retry(): the same object tries again, with what is kept.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ENDED, RESULT, Uploader, failure, reported } from "./harness.mjs";
import { RECORD, begun, core, database, empty, file, held, hold, kept, plan, reload, settle, until } from "./storage.mjs";

const PARTS = [{ partNumber: 1, start: 0, end: 0, etag: '"a"' }];
const NETWORK = { code: "network", message: "No answer." };

beforeEach(empty);

/** The engine's side of the attempt that begins by `action`. */
async function next(action) {
  const before = core.tasks.length;
  await action();
  await until(() => core.tasks.length > before);
  return core.tasks[before];
}

test("after a failure it goes on with what is kept, in the same object, and `done` is a new promise", async () => {
  const heard = [];
  const options = { onStatus: (status) => heard.push(status), meta: { a: 1 } };
  const uploader = plan();
  const { upload, task } = await kept(uploader, file(), { parts: PARTS, options });
  const { id, done } = upload;
  task.sink("status", "sending");
  task.sink("error", NETWORK);
  const error = await failure(upload);
  assert.deepEqual([upload.error, upload.result, upload.status], [error, null, "failed"]);

  const again = await next(() => upload.retry());
  assert.deepEqual(again.options.kept, { record: RECORD, parts: PARTS });
  assert.deepEqual([upload.id, upload.error, upload.status, uploader.uploads], [id, null, "queued", [upload]]);
  assert.notEqual(upload.done, done);
  again.sink("complete", RESULT);
  assert.deepEqual(await upload.done, { ...ENDED, meta: { a: 1 } });
  assert.equal(await done.catch((thrown) => thrown), error);
  assert.deepEqual([upload.status, upload.error, uploader.uploads], ["done", null, []]);
  assert.deepEqual(heard, ["sending", "failed", "queued", "done"]);
});

test("its progress stays until the engine reports another", async () => {
  const { upload, task } = await kept(plan());
  const progress = { sent: 2, total: 3, parts: { total: 1, done: 0, inFlight: 1 } };
  task.sink("progress", progress);
  task.sink("error", NETWORK);
  await failure(upload);
  await next(() => upload.retry());
  assert.equal(upload.progress, progress);
});

test("after cancel() it begins anew, and after close() it goes on", async () => {
  const uploader = plan();
  const { upload, task } = await kept(uploader);
  void upload.cancel();
  await task.options.forget();
  task.sink("error", { code: "cancelled", message: "" });
  assert.equal((await failure(upload)).code, "cancelled");
  const second = await next(() => upload.retry());
  assert.equal(second.options.kept, undefined);
  await second.options.keep(RECORD);
  uploader.close();
  assert.equal((await failure(upload)).code, "cancelled");
  const third = await next(() => upload.retry());
  assert.deepEqual(third.options.kept.record, RECORD);
  assert.equal(core.engines.length, 2, "the uploader was opened again");
});

test("one that is running or done is left as it is", async () => {
  const { upload, task } = await begun(plan());
  const { done } = upload;
  upload.retry();
  assert.equal(upload.done, done);
  task.sink("complete", RESULT);
  await done;
  upload.retry();
  await settle();
  assert.deepEqual([upload.done === done, upload.status, core.tasks.length], [true, "done", 1]);
});

test("a listener of the error may call it at once", async () => {
  const { upload, task } = await begun(plan());
  const { done } = upload;
  upload.addEventListener("error", () => upload.retry(), { once: true });
  const again = await next(() => task.sink("error", NETWORK));
  assert.equal((await done.catch((error) => error)).code, "network");
  again.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

test("close() ends each upload once, though a listener tries it again", async () => {
  const uploader = plan();
  const { upload } = await begun(uploader);
  let ends = 0;
  upload.addEventListener("error", () => (ends += 1) < 5 && upload.retry());
  const again = await next(() => uploader.close());
  assert.equal(ends, 1);
  again.sink("complete", RESULT);
  await upload.done;
});

test("what the attempt before still had on its way doesn't reach the next one", async () => {
  const { upload, task } = await begun(plan());
  task.sink("error", NETWORK);
  task.sink("progress", { sent: 9 });
  task.sink("complete", RESULT);
  upload.addEventListener("error", () => upload.retry(), { once: true });
  await until(() => core.tasks.length === 2);
  assert.deepEqual([upload.status, upload.progress.sent, upload.result], ["queued", 0, null]);
});

test("an attempt that was cancelled while its session was searched for starts nothing more", async () => {
  await kept(plan(), file("other.mp4"));
  await reload();
  const upload = plan().upload(file());
  // The search for a session takes longer than this.
  await null;
  const cancelled = upload.cancel();
  await failure(upload);
  upload.retry();
  await cancelled;
  await until(() => core.tasks.length);
  await settle();
  assert.equal(core.tasks.length, 1);
});

/** Resolves in the middle of the next search for a session. */
function searching() {
  const { transaction } = IDBDatabase.prototype;
  return new Promise((resolve) => {
    IDBDatabase.prototype.transaction = function (...values) {
      IDBDatabase.prototype.transaction = transaction;
      resolve();
      return transaction.apply(this, values);
    };
  });
}

test("a cancel() that waited for the search of an attempt doesn't end the next one", async () => {
  await kept(plan(), file("other.mp4"));
  await reload();
  const uploader = plan();
  const upload = uploader.upload(file());
  await searching();
  const cancelled = upload.cancel();
  uploader.close();
  await failure(upload);
  const again = await next(() => upload.retry());
  await cancelled;
  again.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

test("a cancel() that waited for the wasm doesn't end the next attempt, nor does what it left", async () => {
  await kept(plan());
  await reload();
  const uploader = plan();
  const [left] = await uploader.unfinished();
  const upload = await left.resume(file());
  mock.timers.enable({ apis: ["setTimeout"] });
  void upload.cancel();
  await null;
  uploader.close();
  upload.retry();
  mock.timers.tick(3000);
  mock.timers.reset();
  await until(() => core.tasks.length);
  await settle();
  assert.deepEqual([upload.status, core.tasks.map(({ calls }) => calls)], ["queued", [[]]]);
});

test("a session that is found after the end is let go, and the next attempt goes on with it", async () => {
  await kept(plan());
  await reload();
  const uploader = plan();
  const upload = uploader.upload(file());
  await searching();
  uploader.close();
  await failure(upload);
  await until(() => held().length);
  await until(() => held().length === 0);
  assert.deepEqual((await next(() => upload.retry())).options.kept.record, RECORD);
});

test("a cancel() that waited for the engine doesn't end the next attempt", async () => {
  const { upload, task } = await kept(plan());
  task.sink("error", NETWORK);
  await failure(upload);
  upload.retry();
  const cancelled = upload.cancel();
  await cancelled;
  const again = await next(() => upload.retry());
  again.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
  assert.deepEqual(again.calls, []);
});

test("a Blob, of which nothing is kept, is sent from the start", async () => {
  const { upload, task } = await begun(plan(), new Blob(["abc"]));
  task.sink("error", NETWORK);
  await failure(upload);
  const again = await next(() => upload.retry());
  assert.deepEqual([again.options.kept, again.source.size], [undefined, 3]);
});

test("what another tab goes on with meanwhile is left to it", async () => {
  const { upload, task } = await kept(plan());
  task.sink("error", NETWORK);
  await failure(upload);
  await until(() => held().length === 0);
  const [{ id }] = (await database()).sessions;
  hold(`partway:${id}`);
  assert.equal((await next(() => upload.retry())).options.kept, undefined);
});

test("a file that has changed begins anew", async () => {
  let picked = file();
  const handle = { kind: "file", getFile: async () => picked };
  const { upload, task } = await kept(plan(), handle);
  assert.deepEqual([upload.file.size, upload.progress.total], [3, 3]);
  task.sink("error", NETWORK);
  await failure(upload);
  picked = file("a.mp4", 4);
  const again = await next(() => upload.retry());
  assert.deepEqual([again.options.kept, again.source.size, again.source.file], [undefined, 4, picked]);
  assert.deepEqual([upload.file.size, upload.progress.total], [4, 4]);
});

/** An upload that goes on without its file, since the destination has all of it. */
async function settling() {
  await kept(plan(), file(), { record: { ...RECORD, phase: "settling" } });
  await reload();
  const [left] = await plan().unfinished();
  const upload = await left.resume();
  await until(() => core.tasks.length);
  core.tasks[0].sink("error", { code: "processing-timeout", message: "" });
  await failure(upload);
  return upload;
}

test("one that only waits for processing needs no file for it", async () => {
  const upload = await settling();
  const again = await next(() => upload.retry());
  assert.deepEqual([again.options.kept.record.phase, again.source.size], ["settling", 3]);
});

test("without its session it sends nothing in the place of a file that isn't at hand", async () => {
  const upload = await settling();
  await until(() => held().length === 0);
  const [{ id }] = (await database()).sessions;
  hold(`partway:${id}`);
  upload.retry();
  const error = await failure(upload);
  assert.equal(error.code, "session-expired");
  assert.match(error.hint, /pick the file again/);
  assert.equal(core.tasks.length, 1);
});

test("an aborted signal cancels each attempt", async () => {
  const controller = new AbortController();
  const { upload } = await begun(plan(), file(), { signal: controller.signal });
  controller.abort("enough");
  core.tasks[0].sink("error", { code: "cancelled", message: "" });
  await failure(upload);
  upload.retry();
  const error = await failure(upload);
  assert.deepEqual([error.code, core.tasks.length], ["cancelled", 1]);
});

test("a failure of the next attempt is reported again where nothing listens", async () => {
  const { upload, task } = await begun(plan());
  task.sink("error", NETWORK);
  await failure(upload);
  const seen = await reported(async () => {
    const again = await next(() => upload.retry());
    again.sink("error", NETWORK);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  assert.match(seen.join(), /nothing listens/);
});

test("`using` closes an Uploader", async () => {
  const uploader = plan();
  const { upload } = await begun(uploader);
  uploader[Symbol.dispose]();
  assert.equal((await failure(upload)).code, "cancelled");
  assert.ok(core.engines[0].closed);
});

test("an uploader that was closed opens again", async () => {
  const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
  const { upload } = await begun(uploader);
  uploader.close();
  await failure(upload);
  const { task } = await begun(uploader, file("b.mp4"));
  assert.equal(core.engines.length, 2);
  assert.ok(!core.engines[1].closed && task);
});
