// Storage that fails or hangs. The face remembers that for the page, so each test has a page of its own.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ENDED, RESULT } from "./harness.mjs";
import { RECORD, begun, change, core, database, empty, file, hold, kept, plan, reload, warned } from "./storage.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const { open } = indexedDB;
let pages = 0;

beforeEach(empty);

async function page(options) {
  pages += 1;
  const { Uploader } = await import(`../../../pkg/index.ts?fresh=${pages}`);
  return new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) }, ...options });
}

/** `indexedDB.open` is `replaced` while two uploads go through. */
async function survives(replaced, { slow = false } = {}) {
  const uploader = await page();
  indexedDB.open = replaced;
  try {
    return await warned(async () => {
      for (const name of ["a.mp4", "b.mp4"]) {
        const upload = uploader.upload(file(name));
        const deadline = performance.now() + (slow ? 4000 : 500);
        while (core.tasks.at(-1)?.source.name !== name) {
          assert.ok(performance.now() < deadline, `${name} doesn't begin`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        const task = core.tasks.at(-1);
        assert.deepEqual(task.options, {});
        task.sink("complete", RESULT);
        assert.deepEqual(await upload.done, ENDED);
        slow = false;
      }
      assert.deepEqual(await uploader.unfinished(), []);
    });
  } finally {
    indexedDB.open = open;
  }
}

test("a database that may not be opened", async () => {
  const seen = await survives(() => {
    throw new DOMException("denied", "SecurityError");
  });
  assert.equal(seen.length, 1, "one warning");
});

test("a database that can't be opened", async () => {
  const seen = await survives(() => {
    const request = { error: new DOMException("damaged", "UnknownError") };
    setImmediate(() => request.onerror());
    return request;
  });
  assert.equal(seen[0][1].name, "UnknownError");
});

test("a database that doesn't open: two seconds, once", async () => {
  const seen = await survives(() => ({}), { slow: true });
  assert.equal(seen.length, 1);
});

test("a database that opens and never answers: after five seconds the upload continues without it", async () => {
  const uploader = await page();
  const { transaction } = IDBDatabase.prototype;
  const store = { index: () => store, getAll: () => ({}) };
  IDBDatabase.prototype.transaction = function (names, mode) {
    return mode === "versionchange" ? transaction.call(this, names, mode) : { objectStore: () => store };
  };
  try {
    const seen = await warned(async () => {
      const upload = uploader.upload(file("silent.mp4"));
      const deadline = performance.now() + 7000;
      while (core.tasks.at(-1)?.source.name !== "silent.mp4") {
        assert.ok(performance.now() < deadline, "it doesn't begin");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.deepEqual(core.tasks.at(-1).options, {});
      core.tasks.at(-1).sink("complete", RESULT);
      assert.deepEqual(await upload.done, ENDED);
    });
    assert.equal(seen.length, 1, "one warning");
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
});

for (const name of ["indexedDB", "navigator", "crypto"]) {
  test(`a page without ${name}`, async () => {
    const uploader = await page();
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    const value = { navigator: {}, crypto: { getRandomValues: (bytes) => bytes } }[name];
    Object.defineProperty(globalThis, name, { configurable: true, value });
    try {
      const seen = await warned(async () => {
        const { task } = await begun(uploader);
        assert.deepEqual(task.options, {});
        assert.deepEqual(await uploader.unfinished(), []);
      });
      assert.deepEqual(seen, []);
    } finally {
      Object.defineProperty(globalThis, name, before);
    }
  });
}

test("a page that may not lock", async () => {
  const uploader = await page();
  const { request } = navigator.locks;
  navigator.locks.request = () => Promise.reject(new DOMException("opaque origin", "SecurityError"));
  try {
    const seen = await warned(async () => {
      const { task } = await begun(uploader);
      await assert.rejects(task.options.keep(RECORD), { name: "SecurityError" });
    });
    assert.equal(seen.length, 1);
    assert.deepEqual((await database()).sessions, []);
  } finally {
    navigator.locks.request = request;
  }
});

test("what has expired is removed when the page first looks, but not from under somebody's hands", async () => {
  await kept(plan(), file("old.mp4"), { parts: [{ start: 0, end: 2 }] });
  await kept(plan(), file("held.mp4"));
  await kept(plan(), file("fresh.mp4"));
  await reload();
  for (const { id, name } of (await database()).sessions) {
    if (name !== "fresh.mp4") await change(id, { savedAt: Date.now() - 8 * DAY_MS });
    if (name === "held.mp4") hold(`partway:${id}`);
  }
  const uploader = await page();
  assert.deepEqual(
    (await uploader.unfinished()).map(({ name }) => name),
    ["fresh.mp4"],
  );
  const { sessions, parts } = await database();
  assert.deepEqual(sessions.map(({ name }) => name).sort(), ["fresh.mp4", "held.mp4"]);
  assert.deepEqual(parts, []);
});

test("a connection that is asked to close does, and the next upload opens another", async () => {
  const uploader = await page();
  const { task } = await kept(uploader);
  await new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase("partway");
    request.onsuccess = resolve;
    request.onblocked = () => reject(new Error("blocked"));
  });
  await task.options.keep(RECORD);
  assert.equal((await database()).sessions.length, 1);
});
