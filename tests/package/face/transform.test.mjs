// transform: what is sent in a file's place, and what the application's functions see of it.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ENDED, RESULT, Uploader, failure } from "./harness.mjs";
import { RECORD, begun, core, empty, file, kept, plan, reload, until } from "./storage.mjs";

beforeEach(empty);

const seen = [];

/** An uploader whose `transform` is that, and whose `open` notes what it gets. */
function changing(transform, options = {}) {
  seen.length = 0;
  const open = async ({ name, size, type, file }) => void seen.push({ name, size, type, file });
  return plan({ provider: { name: "plan", open }, transform, ...options });
}

/** The engine's side of the attempt that begins by `action`. */
async function next(action) {
  const before = core.tasks.length;
  await action();
  await until(() => core.tasks.length > before);
  return core.tasks[before];
}

test("it gets the file and its meta, and the engine what it gives", async () => {
  const output = new Blob(["smaller"], { type: "video/webm" });
  const given = [];
  const picked = file();
  const { task } = await begun(changing((...values) => (given.push(values), output)), picked, { meta: { a: 1 } });
  assert.equal(given.length, 0, "not before its turn");
  assert.deepEqual(await task.options.transform(), { file: output, name: "a.mp4", size: 7, type: "video/webm" });
  assert.deepEqual(given, [[picked, { a: 1 }]]);
});

test("the functions see the size, type and name that are sent, and the file that was picked", async () => {
  const picked = file();
  const output = new File(["jpeg"], "a.jpg", { type: "image/jpeg" });
  const { upload, task } = await begun(changing(async () => output), picked);
  task.provider.open();
  await task.options.transform();
  task.provider.open();
  assert.deepEqual(seen, [
    { name: "a.mp4", size: 3, type: "video/mp4", file: picked },
    { name: "a.jpg", size: 4, type: "image/jpeg", file: picked },
  ]);
  assert.deepEqual(upload.file, { name: "a.mp4", size: 3, type: "video/mp4" });
});

test("the option `filename` wins over the output's name, and an output without a type has the file's", async () => {
  const { task } = await begun(changing(() => new File(["x"], "b.bin")), file(), { filename: "c.mp4" });
  const { name, type } = await task.options.transform();
  assert.deepEqual([name, type], ["c.mp4", "video/mp4"]);
});

test("the file itself is sent as it is", async () => {
  const { task } = await begun(changing((given) => given), file());
  assert.equal(await task.options.transform(), undefined);
  task.provider.open();
  assert.equal(seen[0].size, 3);
});

test("what is no Blob is refused, by what it is", async () => {
  for (const [output, said] of [[undefined, "nothing"], [null, "null"], ["text", '"text"'], [new Uint8Array(2), "an object"]]) {
    const { task } = await begun(changing(() => output), file());
    await assert.rejects(task.options.transform(), { message: `it must return a Blob or a File, but returned ${said}.` });
  }
});

test("another attempt of the page sends the same, and another page makes it anew", async () => {
  let calls = 0;
  const uploader = changing(() => new Blob([String(++calls)]));
  const { upload, task } = await kept(uploader);
  const { file: first } = await task.options.transform();
  task.sink("error", { code: "network", message: "No answer." });
  await failure(upload);
  const again = await next(() => upload.retry());
  assert.equal((await again.options.transform()).file, first);
  await reload();
  const { task: other } = await begun(changing(() => new Blob([String(++calls)])), file());
  assert.equal(await (await other.options.transform()).file.text(), "2");
});

test("what is done is let go of", async () => {
  const { upload, task } = await begun(changing(() => new Blob(["x"])), file());
  await task.options.transform();
  task.sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

test("without a transform the engine gets none", async () => {
  const { task } = await begun(plan(), file());
  assert.equal(task.options.transform, undefined);
});

test("what an earlier page sent is what the functions see, until it is made again", async () => {
  const output = { name: "a.jpg", type: "image/jpeg" };
  await kept(changing(() => new Blob(["1"])), file(), { record: { ...RECORD, phase: "completing", size: 40, output } });
  await reload();
  // The application has no transform any more.
  const { task } = await begun(changing(undefined), file());
  task.provider.open();
  assert.deepEqual([seen[0].name, seen[0].size, seen[0].type], ["a.jpg", 40, "image/jpeg"]);
  assert.equal(await task.options.transform(), undefined);
  task.provider.open();
  assert.deepEqual([seen[1].name, seen[1].size, seen[1].type], ["a.mp4", 3, "video/mp4"]);
});

test("what was sent of an unfinished upload is told by the picked file's size", async () => {
  const parts = [{ partNumber: 1, start: 0, end: 9 }];
  await kept(changing(() => new Blob(["1"])), file(), { record: { ...RECORD, size: 30, output: { name: "a", type: "" } }, parts });
  await reload();
  const [left] = await plan().unfinished();
  assert.deepEqual([left.size, left.sent], [3, 1]);
});

test("it must be a function", () => {
  assert.throws(() => new Uploader({ provider: { name: "plan", open() {} }, transform: "gzip" }), /transform must be a function/);
});
