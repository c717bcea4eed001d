import assert from "node:assert/strict";
import { test } from "node:test";

import { ENDED, RESULT, begun, core, failure, file, planUploader, reported, settle } from "./harness.mjs";

async function dies(message) {
  return reported(async () => {
    core.die(message);
    await settle();
  });
}

test("a crash rejects every live upload of every uploader, and is reported once", async () => {
  const uploader = planUploader();
  const one = await begun(uploader);
  const two = await begun(uploader);
  const errors = [];
  one.upload.addEventListener("error", (event) => errors.push(event.detail));
  const seen = await dies("memory access out of bounds");
  for (const { upload } of [one, two]) {
    const error = await failure(upload);
    assert.equal(error.code, "internal");
    assert.match(error.message, /memory access out of bounds/);
    assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    assert.ok(error.hint);
    assert.equal(upload.status, "failed");
  }
  assert.equal(errors.length, 1);
  assert.equal(seen.length, 1);
});

test("the next upload works, on a fresh instance with a fresh engine", async () => {
  const uploader = planUploader();
  await begun(uploader);
  const before = core.resets;
  await dies();
  const { upload, sink } = await begun(uploader);
  assert.equal(core.resets, before + 1);
  assert.equal(core.engines.length, 2);
  sink("complete", RESULT);
  assert.deepEqual(await upload.done, ENDED);
});

test("nothing of the dead instance is touched, freed or heard again", async () => {
  const uploader = planUploader();
  const { upload, task, sink } = await begun(uploader);
  await dies();
  sink("complete", RESULT);
  upload.pause();
  upload.resume();
  await upload.cancel();
  await begun(uploader);
  sink("status", "sending");
  await settle();
  assert.equal(upload.status, "failed");
  assert.equal(task.freed, false);
  assert.deepEqual(task.calls, []);
  uploader.close();
  await settle();
  assert.equal(core.engines[0].closed, false);
  assert.equal(core.engines[0].freed, false);
  assert.equal(core.engines[1].freed, true);
});

test("close() right after a crash touches nothing", async () => {
  const uploader = planUploader();
  await begun(uploader);
  await dies();
  uploader.close();
  await settle();
  assert.equal(core.frees, 0);
});

test("an event on its way when the instance dies still counts", async () => {
  const { upload, sink } = await begun(planUploader());
  await reported(async () => {
    sink("complete", RESULT);
    core.die();
    await settle();
  });
  assert.deepEqual(await upload.done, ENDED);
});

test("a task that settled before the crash isn't freed after it", async () => {
  const { upload, task, sink } = await begun(planUploader());
  await reported(async () => {
    sink("complete", RESULT);
    await upload.done.then(() => core.die());
    await settle();
  });
  assert.equal(upload.status, "done");
  assert.equal(task.freed, true, "freed while the instance lived");
  assert.equal(core.frees, 1);
});

test("a crash in a call of the page's is the upload's end, not the caller's exception", async () => {
  for (const method of ["pause", "resume", "cancel", "notify"]) {
    const { upload } = await begun(planUploader());
    core.throws[method] = () => core.die(method);
    await reported(async () => {
      if (method === "cancel") await upload.cancel();
      else upload[method]({ status: "x" });
      await settle();
    });
    assert.equal((await failure(upload)).code, "internal", method);
  }
});

test("a crash in close() ends live uploads all the same", async () => {
  const uploader = planUploader();
  const { upload } = await begun(uploader);
  core.throws.close = () => core.die("close");
  await reported(async () => {
    uploader.close();
    await settle();
  });
  assert.equal((await failure(upload)).code, "cancelled");
});

for (const call of ["engine", "start"]) {
  test(`a crash in ${call} rejects the upload with what happened`, async () => {
    const uploader = planUploader();
    core.throws[call] = () => core.die("unreachable");
    let error;
    await reported(async () => {
      error = await failure(uploader.upload(file()));
    });
    assert.equal(error.code, "internal");
    assert.match(error.message, /crashed: unreachable/);
    const { upload, sink } = await begun(uploader);
    sink("complete", RESULT);
    await upload.done;
  });
}

test("a fresh instance that can't be made rejects that upload, and the next one tries again", async () => {
  const uploader = planUploader();
  await begun(uploader);
  await dies();
  const before = core.resets;
  core.throws.reset = new RangeError("WebAssembly.Instance(): Out of memory");
  const error = await failure(uploader.upload(file()));
  assert.equal(error.code, "internal");
  assert.match(error.message, /Out of memory/);
  const { upload, sink } = await begun(uploader);
  sink("complete", RESULT);
  await upload.done;
  assert.equal(core.resets, before + 2);
});

test("an error listener may retry at once", async () => {
  const uploader = planUploader();
  let again;
  await begun(uploader, file(), { onError: () => (again = uploader.upload(file("again.mp4"))) });
  await dies();
  assert.equal(core.tasks.at(-1).source.name, "again.mp4");
  core.tasks.at(-1).sink("complete", RESULT);
  assert.deepEqual(await again.done, ENDED);
});

test("an upload that was still waiting for its file isn't struck", async () => {
  const uploader = planUploader();
  await begun(uploader);
  let give;
  const waiting = uploader.upload({ kind: "file", getFile: () => new Promise((resolve) => (give = resolve)) });
  await dies();
  give(file("w.mp4"));
  await settle();
  core.tasks.at(-1).sink("complete", RESULT);
  assert.deepEqual(await waiting.done, ENDED);
});
