import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ENDED, RESULT, UploadError, Uploader, failure } from "./harness.mjs";
import { RECORD, begun, change, core, database, empty, file, held, hold, kept, pace, plan, reload, settle, until, warned, written } from "./storage.mjs";

const PARTS = [
  { partNumber: 1, start: 0, end: 0, etag: '"a"' },
  { partNumber: 2, start: 1, end: 1, etag: '"b"' },
];
const DAY_MS = 24 * 60 * 60 * 1000;

beforeEach(empty);

test("what the engine keeps is there, with the file's description and nothing secret", async () => {
  const uploader = new Uploader({
    provider: { name: "ofauth", baseUrl: "https://app.example/api", connectionId: "c1", apiKey: "secret-1", dangerouslyExposeSecrets: true },
    resume: { scope: "anna" },
  });
  await kept(uploader, file("clip.mp4", 5), { parts: PARTS });
  const { sessions, parts } = await database();
  assert.equal(sessions.length, 1);
  const { id, head, place, settings, savedAt, startedAt, ...rest } = sessions[0];
  assert.match(id, /^[0-9a-f]{24}$/);
  assert.match(head, /^[0-9a-f]{64}$/);
  assert.deepEqual(JSON.parse(place), ["ofauth", "https://app.example/api", "c1", null, null, null, "anna"]);
  assert.equal(settings, "{}");
  assert.ok(Math.abs(Date.now() - savedAt) < 5000 && startedAt <= savedAt);
  assert.deepEqual(rest, { name: "clip.mp4", size: 5, type: "video/mp4", lastModified: 7, relativePath: "", meta: {}, handle: undefined, record: RECORD });
  assert.deepEqual(parts, PARTS);
  assert.doesNotMatch(JSON.stringify(sessions), /secret-1/);
});

test("of a form neither headers, fields nor the query of its address are kept", async () => {
  const form = (secret) =>
    new Uploader({
      provider: {
        name: "form",
        url: `https://app.example/upload?token=secret-${secret}`,
        headers: { "x-key": `secret-${secret}` },
        fields: { key: `secret-${secret}` },
      },
    });
  await kept(form(1), file());
  const { sessions } = await database();
  assert.deepEqual(JSON.parse(sessions[0].place).slice(0, 2), ["form", "https://app.example/upload"]);
  assert.equal(sessions[0].settings, "{}");
  assert.doesNotMatch(JSON.stringify(sessions), /secret/);
  await reload();
  const { task } = await begun(form(2), file());
  assert.deepEqual(task.options.kept?.record, RECORD, "another key is no other destination");
});

test("upload() of the same file goes on after a reload", async () => {
  await kept(plan(), file(), { parts: PARTS });
  await reload();
  const { task } = await begun(plan(), file());
  assert.deepEqual(task.options.kept, { record: RECORD, parts: PARTS });
  assert.equal((await database()).sessions.length, 1);
});

test("a new upload has no saved session", async () => {
  const { task } = await begun(plan());
  assert.equal(task.options.kept, undefined);
  assert.equal(task.options.discard, false);
});

for (const [what, other] of [
  ["name", () => file("b.mp4")],
  ["size", () => file("a.mp4", 4)],
  ["date", () => new File([new Uint8Array(3)], "a.mp4", { type: "video/mp4", lastModified: 8 })],
  ["type", () => new File([new Uint8Array(3)], "a.mp4", { type: "video/quicktime", lastModified: 7 })],
  ["content", () => new File([Uint8Array.of(0, 0, 1)], "a.mp4", { type: "video/mp4", lastModified: 7 })],
]) {
  test(`a file of another ${what} begins its own`, async () => {
    await kept(plan());
    await reload();
    const { task } = await begun(plan(), other());
    assert.equal(task.options.kept, undefined);
  });
}

test("head and tail of a large file are looked at", async () => {
  const large = (at) => {
    const bytes = new Uint8Array(1_000_000);
    if (at !== undefined) bytes[at] = 1;
    return new File([bytes], "l.mp4", { lastModified: 7 });
  };
  await kept(plan(), large());
  for (const at of [0, 65_535, 1_000_000 - 65_536, 999_999]) {
    await reload();
    assert.equal((await begun(plan(), large(at))).task.options.kept, undefined, String(at));
  }
  await reload();
  assert.ok((await begun(plan(), large())).task.options.kept);
});

for (const [what, one, other] of [
  ["another user's", { resume: { scope: "anna" } }, { resume: { scope: "ben" } }],
  ["one without a scope", { resume: { scope: "anna" } }, {}],
]) {
  test(`upload() doesn't resume ${what}, unfinished() doesn't list it`, async () => {
    await kept(plan(one));
    await reload();
    assert.equal((await begun(plan(other))).task.options.kept, undefined);
    assert.deepEqual(await plan(other).unfinished(), []);
    assert.equal((await plan(one).unfinished()).length, 1);
  });
}

const S3 = { name: "s3", bucket: "media", region: "r", key: "k", getCredentials: async () => ({}) };
for (const [what, changes] of [
  ["bucket", { bucket: "other" }],
  ["region", { region: "q" }],
  ["endpoint", { endpoint: "https://other.example" }],
]) {
  test(`another ${what} is another destination`, async () => {
    await kept(new Uploader({ provider: S3 }));
    await reload();
    const uploader = new Uploader({ provider: { ...S3, ...changes } });
    assert.equal((await begun(uploader)).task.options.kept, undefined);
    assert.deepEqual(await uploader.unfinished(), []);
  });
}

test("an upload of another key isn't resumed by upload(), but unfinished() lists it, and resume() uses its key", async () => {
  await kept(new Uploader({ provider: S3 }), file(), { options: { provider: { key: "mine" }, filename: "x.mov", contentType: "video/x" } });
  await reload();
  const uploader = new Uploader({ provider: S3 });
  assert.equal((await begun(uploader, file(), { filename: "x.mov", contentType: "video/x" })).task.options.kept, undefined);
  const [left] = await uploader.unfinished();
  assert.equal(left.name, "x.mov");
  const upload = await left.resume(file());
  await settle();
  const task = core.tasks.at(-1);
  assert.deepEqual(task.options.kept.record, RECORD);
  assert.equal(task.provider.key, "mine");
  assert.deepEqual(upload.file, { name: "x.mov", size: 3, type: "video/x" });
});

test("relative addresses of a proxy are the same place from any page", async () => {
  globalThis.document = { baseURI: "https://app.example/a/b.html", addEventListener() {} };
  await kept(new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } }));
  await reload();
  globalThis.document.baseURI = "https://app.example/c.html";
  const [left] = await new Uploader({ provider: { name: "ofauth", baseUrl: "https://app.example/api" } }).unfinished();
  delete globalThis.document;
  assert.equal(left.name, "a.mp4");
});

test("resume: false keeps nothing, finds nothing, shows nothing", async () => {
  await kept(plan());
  await reload();
  const off = plan({ resume: false });
  const { task } = await begun(off);
  assert.deepEqual(task.options, {});
  assert.deepEqual(await off.unfinished(), []);
});

test("nothing is saved of a Blob: it couldn't be recognised later", async () => {
  const { task } = await begun(plan(), new Blob(["abc"]));
  assert.deepEqual(task.options, {});
});

test("a second upload of a file that is under way begins its own", async () => {
  const one = await kept(plan());
  const two = await kept(plan());
  assert.equal(two.task.options.kept, undefined);
  assert.equal((await database()).sessions.length, 2);
  assert.equal(held().length, 2);
  one.sink("error", { code: "network", message: "x" });
  await failure(one.upload);
});

test("of several the newest goes on, then the next", async () => {
  await kept(plan(), file(), { record: { ...RECORD, begunAt: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await kept(plan(), file(), { record: { ...RECORD, begunAt: 2 } });
  await reload();
  const uploader = plan();
  for (const begunAt of [2, 1]) assert.equal((await begun(uploader)).task.options.kept.record.begunAt, begunAt);
  assert.equal((await begun(uploader)).task.options.kept, undefined);
});

test("a failed upload goes on when the same file is uploaded again, even at once", async () => {
  const uploader = plan();
  let again;
  pace.ms = 50;
  const { upload, sink } = await kept(uploader, file(), { parts: PARTS, options: { onError: () => (again = uploader.upload(file())) } });
  sink("error", { code: "network", message: "x", retryable: true });
  await failure(upload);
  while (core.tasks.length < 2) await settle();
  pace.ms = 0;
  assert.deepEqual(core.tasks[1].options.kept?.parts, PARTS);
  core.tasks[1].sink("complete", RESULT);
  await again.done;
});

test("the lock is held from the first keep to the end, and let go at every end", async () => {
  for (const end of ["complete", "error", "close", "crash"]) {
    await empty();
    const uploader = plan();
    const { upload, sink, task } = await begun(uploader);
    assert.deepEqual(held(), []);
    await task.options.keep(RECORD);
    assert.equal(held().length, 1);
    if (end === "complete") sink(end, ENDED);
    if (end === "error") sink(end, { code: "network", message: "x" });
    if (end === "close") uploader.close();
    const original = console.error;
    console.error = () => {};
    if (end === "crash") core.die();
    await upload.done.catch(() => {});
    await settle();
    console.error = original;
    assert.deepEqual(held(), [], end);
    assert.equal((await database()).sessions.length, 1, "only the engine forgets");
  }
});

test("what is written late is written before the lock goes", async () => {
  const { task, sink, upload } = await kept(plan());
  for (let number = 1; number <= 50; number += 1) task.options.keepPart(number, { start: 0, end: 0 });
  sink("error", { code: "network", message: "x" });
  await failure(upload);
  while (held().length) await settle();
  assert.equal((await database()).parts.length, 50);
});

test("parts that come fast are written together, and before the next record", async () => {
  const { task } = await kept(plan());
  const { transaction } = IDBDatabase.prototype;
  let transactions = 0;
  IDBDatabase.prototype.transaction = function (...details) {
    transactions += 1;
    return transaction.apply(this, details);
  };
  for (let number = 1; number <= 500; number += 1) task.options.keepPart(number, { start: number, end: number });
  await task.options.keep({ ...RECORD, phase: "completing" });
  IDBDatabase.prototype.transaction = transaction;
  assert.equal(transactions, 3, "the first part, those after it, the record");
  assert.equal((await database()).parts.length, 500);
});

test("the last parts are written though no other follows", async () => {
  const { task } = await kept(plan());
  for (let number = 1; number <= 3; number += 1) task.options.keepPart(number, { start: number, end: number });
  await written(3);
});

test("forget drops session and parts, and what comes late isn't saved", async () => {
  const { task } = await kept(plan(), file(), { parts: PARTS });
  await kept(plan(), file("other.mp4"), { parts: PARTS });
  task.options.keepPart(3, PARTS[0]);
  task.options.keepPart(4, PARTS[0]);
  const forgotten = task.options.forget();
  task.options.keepPart(5, PARTS[0]);
  await forgotten;
  await new Promise((resolve) => setTimeout(resolve, 150));
  const { sessions, parts } = await database();
  assert.deepEqual(
    sessions.map(({ name }) => name),
    ["other.mp4"],
  );
  assert.equal(parts.length, 2);
});

test("an upload that restarts drops the saved parts", async () => {
  const { task } = await kept(plan(), file(), { parts: PARTS });
  task.options.forget();
  await task.options.keep({ ...RECORD, begunAt: 2 });
  task.options.keepPart(2, PARTS[1]);
  await written(1);
  const { sessions, parts } = await database();
  assert.equal(sessions[0].record.begunAt, 2);
  assert.deepEqual(parts, [PARTS[1]]);
});

test("a part without a saved session isn't saved", async () => {
  const { task } = await begun(plan());
  task.options.keepPart(1, PARTS[0]);
  await task.options.forget();
  assert.deepEqual(await database(), { sessions: [], parts: [] });
});

test("a full disk: keep rejects, what was saved before is dropped, one warning, and the upload continues", async () => {
  const { task, upload, sink } = await kept(plan(), file(), { parts: PARTS });
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const seen = await warned(async () => {
    task.options.keepPart(3, PARTS[0]);
    await assert.rejects(task.options.keep({ ...RECORD, phase: "completing" }), { name: "QuotaExceededError" });
  });
  IDBObjectStore.prototype.put = put;
  assert.equal(seen.length, 1);
  assert.match(seen[0][0], /can't be resumed after a reload/);
  assert.deepEqual(await database(), { sessions: [], parts: [] });
  sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

test("a disk that is full only when it is written to", async () => {
  const { task } = await begun(plan());
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...values) {
    const request = put.apply(this, values);
    this.transaction.abort();
    return request;
  };
  let kept;
  await warned(async () => {
    kept = await task.options.keep(RECORD).then(
      () => true,
      () => false,
    );
  });
  assert.equal(kept, false);
  IDBObjectStore.prototype.put = put;
  assert.deepEqual(await database(), { sessions: [], parts: [] });
  while (held().length) {
    task.sink("error", { code: "network", message: "x" });
    await settle();
  }
});

test("sessions expire: after a week, or when the record says", async () => {
  for (const [changes, fresh] of [
    [{ savedAt: Date.now() - 6 * DAY_MS }, true],
    [{ savedAt: Date.now() - 8 * DAY_MS }, false],
    [{ record: { ...RECORD, expiresAt: Date.now() + 1000 }, savedAt: Date.now() - 8 * DAY_MS }, true],
    [{ record: { ...RECORD, expiresAt: Date.now() - 1000 } }, false],
    [{ record: { ...RECORD, expiresAt: "soon" } }, false],
    [{ record: undefined }, false],
    [{ savedAt: undefined }, false],
  ]) {
    await empty();
    await kept(plan());
    await reload();
    const { id } = (await database()).sessions[0];
    await change(id, changes);
    const what = JSON.stringify(changes);
    assert.equal((await plan().unfinished()).length, fresh ? 1 : 0, what);
    assert.equal(Boolean((await begun(plan())).task.options.kept), fresh, what);
  }
});

test("unfinished() tells what there is, the newest first, without what is under way", async () => {
  await kept(plan(), file("old.mp4", 10), { parts: PARTS });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await kept(plan(), file("new.mp4", 20), { record: { ...RECORD, phase: "settling" } });
  await reload();
  await kept(plan(), file("running.mp4"));
  const found = await plan().unfinished();
  assert.deepEqual(
    found.map(({ name, size, sent, needsFile }) => ({ name, size, sent, needsFile })),
    [
      { name: "new.mp4", size: 20, sent: 20, needsFile: false },
      { name: "old.mp4", size: 10, sent: 2, needsFile: true },
    ],
  );
  assert.ok(Math.abs(Date.parse(found[0].startedAt) - Date.now()) < 5000);
  assert.ok(Object.isFrozen(found[0]));
  const { sessions } = await database();
  assert.ok(sessions.some(({ id }) => id === found[0].id));
});

test("resume() continues with the file, and with options of its own", async () => {
  await kept(plan(), file(), { parts: PARTS });
  await reload();
  const uploader = plan();
  const [left] = await uploader.unfinished();
  const statuses = [];
  const upload = await left.resume(new File([new Uint8Array(3)], "renamed.mp4", { lastModified: 7 }), {
    onStatus: (status) => statuses.push(status),
  });
  await settle();
  const task = core.tasks[0];
  assert.deepEqual(task.options.kept.parts, PARTS);
  assert.deepEqual(upload.file, { name: "a.mp4", size: 3, type: "video/mp4" });
  assert.equal((await uploader.unfinished()).length, 0);
  task.sink("status", "sending");
  task.options.forget();
  task.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
  assert.deepEqual(statuses, ["sending", "done"]);
  assert.deepEqual(await database(), { sessions: [], parts: [] });
});

test("resume() needs no file where the destination has all of it", async () => {
  const settling = { ...RECORD, phase: "settling" };
  await kept(plan(), file("a.mp4", 9), { record: settling, parts: PARTS });
  await reload();
  const [left] = await plan().unfinished();
  assert.equal(left.needsFile, false);
  const other = await left.resume(file("a.mp4", 8)).catch((error) => error);
  assert.equal(other.code, "file-changed");
  const upload = await left.resume();
  while (core.tasks.length === 0) await settle();
  const [task] = core.tasks;
  assert.deepEqual(task.options.kept, { record: settling, parts: PARTS });
  assert.equal(task.options.discard, false);
  assert.deepEqual({ ...task.source, file: task.source.file.size }, { file: 0, name: "a.mp4", size: 9, type: "video/mp4" });
  assert.deepEqual(upload.file, { name: "a.mp4", size: 9, type: "video/mp4" });
  task.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

for (const [what, code, argument, prepare] of [
  ["without its file", "invalid-options", undefined],
  ["with no file", "invalid-options", "a.mp4"],
  ["with null", "invalid-options", null],
  ["with another file", "file-changed", new File(["xyz"], "a.mp4", { lastModified: 7 })],
  ["with the file of another day", "file-changed", new File([new Uint8Array(3)], "a.mp4", { lastModified: 8 })],
  ["while another tab has it", "already-running", file(), ({ id }) => hold(`partway:${id}`)],
  ["after it was done elsewhere", "session-expired", file(), () => empty()],
]) {
  test(`resume() ${what}: ${code}`, async () => {
    await kept(plan());
    await reload();
    const [left] = await plan().unfinished();
    await prepare?.(left);
    const before = held();
    const error = await left.resume(argument).catch((thrown) => thrown);
    assert.ok(error instanceof UploadError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.hint);
    await settle();
    assert.deepEqual(held(), before, "its lock is let go");
    assert.equal(core.tasks.length, 0);
  });
}

test("what is wrong in the options of resume() rejects done, and lets go", async () => {
  await kept(plan());
  await reload();
  const [left] = await plan().unfinished();
  const upload = await left.resume(file(), { onprogress() {} });
  assert.equal((await failure(upload)).code, "invalid-options");
  await settle();
  assert.deepEqual(held(), []);
  assert.equal((await plan().unfinished()).length, 1);
});

test("close() right after resume() ends it and releases its lock; the uploader can resume it afterwards", async () => {
  await kept(plan());
  await reload();
  const uploader = plan();
  const [left] = await uploader.unfinished();
  const ended = failure(await left.resume(file()));
  uploader.close();
  assert.equal((await ended).code, "cancelled");
  while (held().length) await settle();
  await left.resume(file());
  await until(() => core.tasks.length === 1);
  assert.ok(core.tasks[0].options.kept);
});

test("cancel() right after resume() still tells the server", async () => {
  await kept(plan());
  await reload();
  const [left] = await plan().unfinished();
  const upload = await left.resume(file());
  const cancelled = upload.cancel();
  await settle();
  const [task] = core.tasks;
  assert.deepEqual(task.calls, [["cancel"]]);
  task.options.forget();
  task.sink("error", { code: "cancelled", message: "x" });
  await cancelled;
  assert.deepEqual((await database()).sessions, []);
});

test("discard() has the engine tell the server, without a file", async () => {
  await kept(plan(), file("a.mp4", 9), { parts: PARTS });
  await reload();
  const uploader = plan();
  const [left] = await uploader.unfinished();
  let discarded = false;
  const discarding = left.discard().then(() => (discarded = true));
  while (core.tasks.length === 0) await settle();
  const [task] = core.tasks;
  assert.equal(task.options.discard, true);
  assert.deepEqual(task.options.kept, { record: RECORD, parts: PARTS });
  assert.deepEqual({ ...task.source, file: task.source.file.size }, { file: 0, name: "a.mp4", size: 9, type: "video/mp4" });
  assert.equal(discarded, false);
  assert.equal((await left.discard().catch((error) => error)).code, "already-running");
  task.sink("error", { code: "cancelled", message: "x" });
  task.options.forget();
  await discarding;
  assert.deepEqual(await database(), { sessions: [], parts: [] });
  assert.deepEqual(await uploader.unfinished(), []);
  await settle();
  assert.deepEqual(held(), []);
});

test("discard() that didn't get through rejects, and the session stays", async () => {
  await kept(plan());
  await reload();
  const uploader = plan();
  const [left] = await uploader.unfinished();
  for (const end of [(task) => task.sink("error", { code: "network", message: "x" }), () => uploader.close()]) {
    core.tasks.length = 0;
    const outcome = left.discard().catch((error) => error);
    while (core.tasks.length === 0) await settle();
    end(core.tasks[0]);
    assert.ok((await outcome) instanceof UploadError);
    await settle();
    assert.equal((await database()).sessions.length, 1);
    assert.deepEqual(held(), []);
  }
});

test("an upload that ends while its session is looked for holds no lock", async () => {
  await kept(plan());
  await reload();
  const upload = plan().upload(file());
  await upload.cancel();
  for (let turn = 0; turn < 10; turn += 1) await settle();
  assert.deepEqual(held(), []);
  assert.equal((await plan().unfinished()).length, 1, "it never had it");
});

test("a newer release of the package may have the database", async () => {
  await kept(plan());
  await reload();
  await new Promise((resolve, reject) => {
    const request = indexedDB.open("partway", 2);
    request.onsuccess = () => resolve(request.result.close());
    request.onblocked = () => reject(new Error("blocked"));
  });
  const seen = await warned(async () => {
    const { task, sink, upload } = await begun(plan());
    assert.deepEqual(task.options, {}, "an older one does without");
    sink("complete", RESULT);
    await upload.done;
  });
  assert.ok(seen.length <= 1);
});
