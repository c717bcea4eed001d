// Many uploads at once: the page gets its turn in between, and storage is asked for all of them together.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { turn } from "../../../pkg/util/turns.ts";
import { RESULT } from "./harness.mjs";
import { begun, core, empty, file, held, kept, plan, reload, until } from "./storage.mjs";

beforeEach(empty);

/** What `action` gives, while each look at the clock finds it so many milliseconds later. */
async function whileClockAdvances(ms, action) {
  const { now } = performance;
  let time = 0;
  performance.now = () => (time += ms);
  try {
    return await action();
  } finally {
    performance.now = now;
  }
}

for (const [what, ms, between] of [
  ["turns that take long", 5, true],
  ["turns that take no time", 0, false],
]) {
  test(`${what} ${between ? "let" : "don't let"} other tasks run in between, and keep their order`, async () => {
    const seen = [];
    setImmediate(() => seen.push("page"));
    await whileClockAdvances(ms, () => Promise.all([1, 2, 3, 4, 5, 6].map((number) => turn().then(() => seen.push(number)))));
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(
      seen.filter((one) => one !== "page"),
      [1, 2, 3, 4, 5, 6],
    );
    assert.equal(seen.indexOf("page") < 6, between, seen.join(" "));
  });
}

test("who is ready to be sent goes before those that were not looked at yet", async () => {
  const seen = [];
  const passes = async (number) => {
    await turn();
    seen.push(`first ${number}`);
    await turn(true);
    seen.push(`last ${number}`);
  };
  await Promise.all([1, 2, 3].map(passes));
  assert.ok(seen.indexOf("last 1") < seen.indexOf("first 3"), seen.join(", "));
  assert.deepEqual(
    seen.filter((one) => one.startsWith("last")),
    ["last 1", "last 2", "last 3"],
  );
});

test("the first of many uploads starts before the last is looked at", async () => {
  await begun(plan({ resume: false }));
  const before = core.tasks.length;
  const looked = new Set();
  const sized = (name) => Object.defineProperty(file(name), "size", { get: () => looked.add(name) && 3 });
  for (let number = 0; number < 50; number += 1) void plan({ resume: false }).upload(sized(`${number}.mp4`)).done;
  await until(() => core.tasks.length > before);
  assert.ok(looked.size < 50, `${looked.size} files were looked at before one was started`);
  await until(() => core.tasks.length === before + 50);
});

/** How many transactions the database has while `action` runs. */
async function transactions(action) {
  const { transaction } = IDBDatabase.prototype;
  let count = 0;
  IDBDatabase.prototype.transaction = function (...values) {
    count += 1;
    return transaction.apply(this, values);
  };
  try {
    await action();
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  return count;
}

/** Starts so many uploads at once. */
async function startMany(uploader, count) {
  const uploads = Array.from({ length: count }, (_, index) => uploader.upload(file(`${index}.mp4`)));
  await until(() => core.tasks.length === count);
  for (const upload of uploads) void upload.done;
}

for (const others of [0, 1]) {
  test(`many uploads are looked up together, with ${others} sessions there`, async () => {
    if (others) await kept(plan(), file("other.mp4"));
    await reload();
    assert.ok((await transactions(() => startMany(plan(), 60))) < 30);
    assert.ok(core.tasks.every(({ options }) => options.kept === undefined && typeof options.keep === "function"));
  });
}

test("one of many uploads goes on with its session", async () => {
  await kept(plan(), file("7.mp4"));
  await reload();
  await startMany(plan(), 20);
  assert.deepEqual(
    core.tasks.filter(({ options }) => options.kept).map(({ source }) => source.name),
    ["7.mp4"],
  );
});

test("of a file that is never kept, nothing is asked, locked or written", async () => {
  let asked = 0;
  const picked = Object.defineProperty(file(), "lastModified", { get: () => ((asked += 1), 7) });
  await begun(plan(), file("first.mp4"));
  const count = await transactions(async () => {
    const { upload, task } = await begun(plan(), picked);
    task.sink("complete", RESULT);
    await upload.done;
    await until(() => held().length === 0);
  });
  assert.deepEqual([count, asked], [1, 0], "one look for its session");
});

test("the file is described where it is asked for before its turn", () => {
  const upload = plan().upload(file("early.mp4", 5));
  assert.deepEqual(upload.file, { name: "early.mp4", size: 5, type: "video/mp4" });
  assert.equal(upload.file, upload.file);
  assert.equal(upload.progress.total, 5);
});

test("the engine's own long work lets other tasks run in between", async () => {
  await begun(plan());
  let turns = 0;
  const microtasks = async () => {
    for (; turns < 1000; turns += 1) await null;
  };
  void microtasks();
  await core.nextTask();
  assert.equal(turns, 1000);
});
