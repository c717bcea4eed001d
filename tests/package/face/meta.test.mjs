// What the application wants to know again of a file: seen by its functions, in results, and over a reload.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RESULT, UploadError, Uploader, failure } from "./harness.mjs";
import { begun, change, core, database, empty, file, kept, plan, reload } from "./storage.mjs";

const META = { album: "summer", tags: ["a", null, 1.5, true], deep: { er: {} } };

beforeEach(empty);

/** A file of a folder that was picked. */
function fromFolder(path = "album/summer/a.mp4") {
  return Object.defineProperty(file(), "webkitRelativePath", { value: path });
}

/** A plan whose functions note what they get. */
function noting(seen) {
  const note = (name) => (...given) => void seen.push([name, ...given]);
  return plan({
    provider: Object.fromEntries([["name", "plan"], ...["open", "sign", "list", "complete", "abort"].map((name) => [name, note(name)])]),
  });
}

test("each function of a plan gets the file: `open` alone, the others after their own", async () => {
  const seen = [];
  const picked = fromFolder();
  const { task } = await begun(noting(seen), picked, { meta: META, filename: "b.mp4" });
  task.provider.open({ name: "the engine's" });
  task.provider.sign("plan", [1, 2]);
  task.provider.list("plan");
  task.provider.complete("plan", []);
  task.provider.abort("plan");
  const info = seen[0][1];
  assert.deepEqual(
    JSON.parse(JSON.stringify(info)),
    { name: "b.mp4", size: 3, type: "video/mp4", lastModified: 7, relativePath: "album/summer/a.mp4", meta: META },
  );
  assert.equal(info.file, picked);
  assert.deepEqual(seen, [
    ["open", info],
    ["sign", "plan", [1, 2], info],
    ["list", "plan", info],
    ["complete", "plan", [], info],
    ["abort", "plan", info],
  ]);
});

test("a form's functions get it too: `fields` alone, the others after their own, and a form's own fields stay", async () => {
  const seen = [];
  const note = (name) => (...given) => void seen.push([name, ...given]);
  const functions = Object.fromEntries(["fields", "parse", "job"].map((name) => [name, note(name)]));
  const { task } = await begun(new Uploader({ provider: { name: "form", url: "/forms", ...functions } }), file(), { meta: META });
  task.provider.fields({ name: "the engine's" });
  task.provider.parse("reply", { status: 200 });
  task.provider.job("reply");
  const info = seen[0][1];
  assert.deepEqual([info.name, info.meta], ["a.mp4", META]);
  assert.deepEqual(seen, [
    ["fields", info],
    ["parse", "reply", { status: 200 }, info],
    ["job", "reply", info],
  ]);
  const fixed = await begun(new Uploader({ provider: { name: "form", url: "/forms", fields: { a: "b" } } }), file());
  assert.deepEqual(fixed.task.provider.fields, { a: "b" });
});

test("as JSON it is what a server needs", async () => {
  const seen = [];
  const { task } = await begun(noting(seen), file(), { meta: { a: 1 } });
  task.provider.open();
  assert.deepEqual(JSON.parse(JSON.stringify(seen[0][1])), { name: "a.mp4", size: 3, type: "video/mp4", lastModified: 7, relativePath: "", meta: { a: 1 } });
});

test("a function changes neither the file nor what others get of it", async () => {
  const seen = [];
  const meta = { a: { b: 1 } };
  const { upload, task } = await begun(noting(seen), file(), { meta });
  meta.a.b = 2;
  task.provider.open();
  const info = seen[0][1];
  for (const change of [() => (info.name = "x"), () => (info.meta.c = 1), () => (info.meta.a.b = 3)]) assert.throws(change, TypeError);
  assert.deepEqual(upload.meta, { a: { b: 1 } });
});

test("the date is asked for when a function reads it, and a Blob has none", async () => {
  const seen = [];
  const uploader = noting(seen);
  let asked = 0;
  const picked = Object.defineProperty(file(), "lastModified", { get: () => ((asked += 1), 7) });
  const { task } = await begun(uploader, picked);
  task.provider.open();
  assert.equal(asked, 0);
  assert.equal(seen[0][1].lastModified, 7);
  (await begun(uploader, new Blob(["x"]))).task.provider.open();
  assert.equal(seen[1][1].lastModified, 0);
});

test("the type is the option, the file's own, or that of the name, for functions and engine alike", async () => {
  const seen = [];
  const uploader = noting(seen);
  const untyped = () => new File(["x"], "a.mov");
  for (const [picked, options] of [[untyped()], [untyped(), { contentType: "x/y" }], [new File(["x"], "a.mov", { type: "a/b" })]]) {
    const { task } = await begun(uploader, picked, options);
    task.provider.open();
    assert.equal(task.source.type, seen.at(-1)[1].type);
  }
  assert.deepEqual(
    seen.map(([, { type }]) => type),
    ["video/quicktime", "x/y", "a/b"],
  );
});

const S3 = { name: "s3", bucket: "media", region: "r", key: ({ meta }) => `${meta.album}/k`, getCredentials: async () => ({}) };

test("a key function gets it, and a key of a file's own leaves the function for credentials the same", async () => {
  const uploader = new Uploader({ provider: S3 });
  const { task } = await begun(uploader, file(), { meta: META });
  assert.equal(task.provider.key({}), "summer/k");
  const [{ options }] = core.engines;
  assert.equal(typeof options.provider.getCredentials, "function");
  assert.equal(task.provider.getCredentials, options.provider.getCredentials);
  for (const key of ["own", () => "own"]) {
    const own = await begun(uploader, file("b.mp4"), { provider: { key } });
    assert.equal(own.task.provider.getCredentials, options.provider.getCredentials);
    assert.equal(typeof key === "string" ? own.task.provider.key : own.task.provider.key(), "own");
  }
  const other = await begun(uploader, file("c.mp4"), { provider: { getCredentials: async () => ({}) } });
  assert.notEqual(other.task.provider.getCredentials, options.provider.getCredentials);
});

test("beforeRequest gets the request with the file, and what it throws or waits for is the engine's to see", async () => {
  const seen = [];
  const uploader = plan({
    async beforeRequest(request) {
      seen.push(request);
      request.url = "/changed";
      if (request.step === "list") throw new Error("no");
    },
  });
  const { task } = await begun(uploader, file(), { meta: META });
  const request = { step: "init", url: "/" };
  await task.options.beforeRequest(request);
  assert.equal(seen[0], request);
  assert.deepEqual([request.url, request.file.name, request.file.meta], ["/changed", "a.mp4", META]);
  await assert.rejects(task.options.beforeRequest({ step: "list" }), /no/);
  assert.equal((await begun(plan())).task.options.beforeRequest, undefined);
});

test("results, upload and events have it", async () => {
  const { upload, task } = await begun(plan(), fromFolder(), { meta: META });
  const heard = [];
  upload.addEventListener("complete", ({ detail }) => heard.push(detail));
  assert.equal(upload.result, null);
  task.sink("complete", RESULT);
  const result = await upload.done;
  assert.deepEqual(result, { ...RESULT, meta: META, relativePath: "album/summer/a.mp4" });
  assert.deepEqual([heard[0], upload.result, upload.meta, upload.relativePath], [result, result, META, "album/summer/a.mp4"]);
});

test("the option replaces the folder's path, and what has neither is empty", async () => {
  const uploader = plan();
  assert.equal((await begun(uploader, fromFolder(), { relativePath: "x/y" })).upload.relativePath, "x/y");
  assert.equal((await begun(uploader, fromFolder(), { relativePath: "" })).upload.relativePath, "");
  const { upload } = await begun(uploader, new Blob(["x"]));
  assert.deepEqual([upload.relativePath, upload.meta], ["", {}]);
});

test("it is kept over a reload, listed, and resumed with", async () => {
  await kept(plan(), fromFolder(), { options: { meta: META } });
  const [{ meta, relativePath }] = (await database()).sessions;
  assert.deepEqual([meta, relativePath], [META, "album/summer/a.mp4"]);
  await reload();
  const seen = [];
  const uploader = noting(seen);
  const [left] = await uploader.unfinished();
  assert.deepEqual([left.meta, left.relativePath], [META, "album/summer/a.mp4"]);
  const upload = await left.resume(file());
  assert.deepEqual([upload.meta, upload.relativePath], [META, "album/summer/a.mp4"]);
});

test("an upload that is discarded tells `abort` of its file", async () => {
  await kept(plan(), fromFolder(), { options: { meta: META } });
  await reload();
  const seen = [];
  const [left] = await noting(seen).unfinished();
  const discarded = left.discard().catch(() => {});
  while (!core.tasks.length) await new Promise((resolve) => setImmediate(resolve));
  core.tasks[0].provider.abort("plan");
  const { name, size, lastModified, meta, relativePath } = seen[0][2];
  assert.deepEqual([name, size, lastModified, meta, relativePath], ["a.mp4", 3, 7, META, "album/summer/a.mp4"]);
  core.tasks[0].sink("error", { code: "cancelled", message: "" });
  await discarded;
});

for (const [what, picked, options, goesOn] of [
  ["the same", () => fromFolder(), { meta: META }, true],
  ["other meta", () => fromFolder(), { meta: { album: "winter" } }, false],
  ["no meta", () => fromFolder(), {}, false],
  ["another folder", () => fromFolder("winter/a.mp4"), { meta: META }, false],
]) {
  test(`upload() of the same file with ${what} ${goesOn ? "goes on" : "is another upload"}`, async () => {
    await kept(plan(), fromFolder(), { options: { meta: META } });
    await reload();
    const { task } = await begun(plan(), picked(), options);
    assert.equal(task.options.kept !== undefined, goesOn);
  });
}

test("a session of a page that kept neither is one without", async () => {
  await kept(plan());
  const [{ id }] = (await database()).sessions;
  await change(id, { meta: undefined, relativePath: undefined });
  await reload();
  const [left] = await plan().unfinished();
  assert.deepEqual([left.meta, left.relativePath], [{}, ""]);
  assert.ok((await begun(plan())).task.options.kept);
});

const circle = {};
circle.again = circle;
for (const [what, meta, message, hint] of [
  ["no object", "summer", /^meta must be an object, but is a string/],
  ["a list", ["summer"], /^meta must be an object, but is an array/],
  ["a date", { at: new Date(0) }, /^meta must be plain JSON, but "at" in it is a Date/, /strings, finite numbers/],
  ["a function", { deep: { f() {} } }, /"f" in it is a function/, /strings/],
  ["a number that JSON has no text for", { n: NaN }, /"n" in it is a number/, /finite/],
  ["a bigint", { n: 1n }, /"n" in it is a bigint/, /strings/],
  ["a gap", { list: [undefined] }, /"0" in it is not given/, /strings/],
  ["a map", { m: new Map() }, /"m" in it is a Map/, /plain objects/],
  ["a file", { f: file() }, /"f" in it is a File/, /plain objects/],
  ["a circle", circle, /^meta must be plain JSON, but refers to itself/],
  ["too much", { text: "x".repeat(16_384) }, /^meta must have at most 16384 characters as JSON, but has 16395/, /Give an id/],
]) {
  test(`meta that has ${what} ends the upload before anything is sent`, async () => {
    const upload = plan().upload(file(), { meta });
    const error = await failure(upload);
    assert.ok(error instanceof UploadError);
    assert.equal(error.code, "invalid-options");
    assert.match(error.message, message);
    if (hint) assert.match(error.hint, hint);
    assert.deepEqual([core.tasks.length, upload.meta], [0, {}]);
  });
}

test("as much as is allowed is taken, and what isn't given is left out", async () => {
  const text = "x".repeat(16_384 - '{"text":""}'.length);
  const nothing = Object.assign(Object.create(null), { text, none: undefined });
  assert.deepEqual((await begun(plan(), file(), { meta: nothing })).upload.meta, { text });
});
