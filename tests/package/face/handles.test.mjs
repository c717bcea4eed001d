// Handles of files, which some browsers keep and others don't.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { UploadError, failure } from "./harness.mjs";
import { core, database, empty, file, held, kept, plan, reload, settle } from "./storage.mjs";

class Handle {
  kind = "file";
  asked = 0;

  constructor(picked, permission = "prompt") {
    Object.assign(this, { picked, permission });
  }

  async queryPermission({ mode }) {
    assert.equal(mode, "read");
    return this.permission;
  }

  async requestPermission({ mode }) {
    assert.equal(mode, "read");
    this.asked += 1;
    if (this.refused) throw this.refused;
    this.permission = this.answer;
    return this.permission;
  }

  async getFile() {
    if (this.permission !== "granted") throw new DOMException("not allowed", "NotAllowedError");
    return this.picked;
  }
}

const clone = globalThis.structuredClone;
let keepsHandles;

/** As a browser that keeps handles clones them. */
globalThis.structuredClone = (value) => {
  if (!keepsHandles || !(value?.handle instanceof Handle)) return clone(value);
  return { ...clone({ ...value, handle: undefined }), handle: value.handle };
};

beforeEach(async () => {
  keepsHandles = true;
  await empty();
});

/** An upload by handle that was left unfinished, as unfinished() has it. */
async function left(handle) {
  handle.permission = "granted";
  await kept(plan(), handle);
  await reload();
  handle.permission = "prompt";
  const [found] = await plan().unfinished();
  return found;
}

test("a saved handle needs no file: the browser asks again, and the upload resumes", async () => {
  const handle = new Handle(file());
  handle.answer = "granted";
  const found = await left(handle);
  assert.equal(found.needsFile, false);
  assert.equal(handle.asked, 0);
  await found.resume();
  await settle();
  assert.equal(handle.asked, 1);
  assert.equal(core.tasks[0].source.file, handle.picked);
  assert.ok(core.tasks[0].options.kept);
});

test("a handle that is allowed still isn't asked for", async () => {
  const handle = new Handle(file());
  const found = await left(handle);
  handle.permission = "granted";
  await found.resume();
  assert.equal(handle.asked, 0);
});

for (const [what, change] of [
  ["the user refuses", (handle) => (handle.answer = "denied")],
  ["nobody has clicked", (handle) => (handle.refused = new DOMException("no click", "SecurityError"))],
]) {
  test(`${what}: file-unreadable, and the file can be picked instead`, async () => {
    const handle = new Handle(file());
    const found = await left(handle);
    change(handle);
    const error = await found.resume().catch((thrown) => thrown);
    assert.ok(error instanceof UploadError);
    assert.equal(error.code, "file-unreadable");
    assert.match(error.hint, /pick it again.*click/);
    while (held().length) await settle();
    await found.resume(file());
    await settle();
    assert.ok(core.tasks[0].options.kept);
  });
}

test("a file that changed behind its handle", async () => {
  const handle = new Handle(file());
  const found = await left(handle);
  handle.permission = "granted";
  handle.picked = new File(["xyz"], "a.mp4", { lastModified: 8 });
  assert.equal((await found.resume().catch((error) => error)).code, "file-changed");
});

test("a handle that is given to resume() will do as well", async () => {
  await kept(plan());
  await reload();
  const [found] = await plan().unfinished();
  await found.resume(new Handle(file(), "granted"));
  await settle();
  assert.ok(core.tasks[0].options.kept);
});

test("where handles can't be saved, the rest is", async () => {
  keepsHandles = false;
  const handle = new Handle(file(), "granted");
  handle.uncloneable = () => {};
  await kept(plan(), handle);
  assert.equal((await database()).sessions[0].handle, undefined);
  await reload();
  assert.equal((await plan().unfinished())[0].needsFile, true);
});

test("upload() asks for a handle of another day, too", async () => {
  const handle = new Handle(file());
  handle.answer = "denied";
  const upload = plan().upload(handle);
  assert.equal((await failure(upload)).code, "file-unreadable");
  assert.equal(handle.asked, 1);
});

const never = () => new Promise(() => {});

/** Lets so many seconds pass while `action` waits. */
async function passing(seconds, action) {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const running = action();
    for (let passed = 0; passed < seconds; passed += 1) {
      await settle();
      mock.timers.tick(1000);
    }
    await settle();
    return await running;
  } finally {
    mock.timers.reset();
  }
}

for (const [what, spoil] of [
  ["that doesn't open", (handle) => (handle.getFile = never)],
  ["whose permission isn't told", (handle) => (handle.queryPermission = never)],
]) {
  test(`a handle ${what}: file-unreadable, with what it may be`, async () => {
    const handle = new Handle(file(), "granted");
    spoil(handle);
    const error = await passing(31, () => failure(plan().upload(handle)));
    assert.deepEqual([error.code, error.step], ["file-unreadable", "check"]);
    assert.match(error.hint, /cloud.*share/);
  });
}

test("a user may think as long as they like", async () => {
  const handle = new Handle(file());
  let answer;
  handle.requestPermission = () => new Promise((resolve) => (answer = resolve));
  let upload;
  await passing(3600, async () => (upload = plan().upload(handle)));
  assert.equal(upload.status, "queued");
  handle.permission = "granted";
  answer("granted");
  while (core.tasks.length === 0) await settle();
  assert.equal(core.tasks[0].source.file, handle.picked);
});

test("a file that can't be read holds resume() up for half a minute, and changes nothing", async () => {
  await kept(plan());
  await reload();
  const [found] = await plan().unfinished();
  const reading = mock.method(Blob.prototype, "arrayBuffer", never);
  const error = await passing(31, () => found.resume(file()).catch((thrown) => thrown));
  assert.deepEqual([error instanceof UploadError, error.code], [true, "file-unreadable"]);
  reading.mock.restore();
  while (held().length) await settle();
  await found.resume(file());
  while (core.tasks.length === 0) await settle();
  assert.ok(core.tasks[0].options.kept);
});
