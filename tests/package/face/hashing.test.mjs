// Digests by a worker: how it is started, what it is asked, and when the page is left to itself. Time is the mock's.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { begun, core, file, planUploader } from "./harness.mjs";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async () => {
  for (let count = 0; count < 10; count += 1) await turn();
};

/** How workers of each kind of address begin: "says so", "refuses", "throws" or "is silent". */
let begins;
let workers;
let warned;
let blobs;

class FakeWorker {
  messages = [];
  isTerminated = false;

  constructor(url) {
    this.url = String(url);
    const how = begins[this.url.startsWith("blob:") ? "blob" : this.url.endsWith("/own.js") ? "own" : "file"];
    if (how === "throws") throw new Error("SecurityError");
    workers.push(this);
    setImmediate(() => {
      if (how === "says so") this.onmessage({ data: {} });
      else if (how === "refuses") this.onerror({});
    });
  }

  postMessage(message) {
    this.messages.push(message);
  }

  terminate() {
    this.isTerminated = true;
  }

  /** Answers the last job. */
  answer(digests, id = this.messages.at(-1).id) {
    this.onmessage({ data: { id, digests } });
  }
}

const { createObjectURL, revokeObjectURL } = URL;
const warn = console.warn;

beforeEach(() => {
  [begins, workers, warned, blobs] = [{ blob: "says so", file: "says so", own: "says so" }, [], [], []];
  globalThis.Worker = FakeWorker;
  URL.createObjectURL = (blob) => `blob:${blobs.push(blob)}`;
  URL.revokeObjectURL = (url) => blobs.push(url);
  console.warn = (line) => warned.push(line);
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  delete globalThis.Worker;
  Object.assign(URL, { createObjectURL, revokeObjectURL });
  console.warn = warn;
});

let pages = 0;

/** A page of its own, with what the engine hashes by. */
async function page(workerUrl) {
  const fresh = `?fresh=hashing${(pages += 1)}`;
  const { hashPort } = await import(`../../../pkg/hashing/port.ts${fresh}`);
  const port = hashPort(workerUrl);
  // To load what hashes takes more turns than a test waits.
  await assert.rejects(port.hash(undefined, 0, 0, true, true, undefined));
  const hash = (size = 10, signal = new AbortController().signal) => {
    const job = { digests: "pending" };
    port.hash(new Blob([new Uint8Array(100)]), 5, 5 + size, true, false, signal).then((digests) => (job.digests = digests));
    return job;
  };
  return { port, hash };
}

test("the engine gets what hashes, and nothing is loaded before it asks", async () => {
  await begun(planUploader());
  assert.equal(typeof core.engines[0].hasher.hash, "function");
  assert.equal(core.engines[0].hasher.progress, 0);
  assert.deepEqual([workers.length, blobs.length], [0, 0]);
  void file;
});

test("a worker of text is asked for the range's digests", async () => {
  const { port, hash } = await page();
  const job = hash();
  await turns();
  assert.equal(await blobs[0].text(), "the worker's source");
  assert.equal(blobs[1], "blob:1", "its address is given back");
  const [{ part, ...asked }] = workers[0].messages;
  assert.deepEqual([part.blob.size, part.start, part.end, asked], [100, 5, 15, { id: 1, md5: true, crc64: false }]);
  const before = port.progress;
  workers[0].onmessage({ data: {} });
  assert.notEqual(port.progress, before);
  assert.equal(job.digests, "pending");
  workers[0].answer(Uint8Array.of(1));
  await turns();
  assert.deepEqual(job.digests, Uint8Array.of(1));
  assert.deepEqual([workers.length, warned], [1, []]);
});

test("several jobs have one worker, and each gets its own answer", async () => {
  const { hash } = await page();
  const [first, second] = [hash(1), hash(2)];
  await turns();
  workers[0].answer(Uint8Array.of(2), 2);
  workers[0].answer(undefined, 1);
  await turns();
  assert.deepEqual([first.digests, second.digests, workers.length], [undefined, Uint8Array.of(2), 1]);
});

for (const how of ["refuses", "throws", "is silent"]) {
  test(`where a policy forbids it and ${how}, it is the worker's file`, async () => {
    begins.blob = how;
    const { hash } = await page();
    const job = hash();
    await turns();
    mock.timers.tick(10_000);
    await turns();
    const worker = workers.at(-1);
    assert.match(worker.url, /^file:.*\/hash_worker\.js$/);
    worker.answer(Uint8Array.of(3));
    await turns();
    assert.deepEqual([job.digests, warned], [Uint8Array.of(3), []]);
    assert.ok(workers.slice(0, -1).every(({ isTerminated }) => isTerminated));
  });

  test(`where nothing starts and ${how}, the page has to hash, and the console says so once`, async () => {
    begins.blob = begins.file = how;
    const { hash } = await page();
    const job = hash();
    for (let way = 0; way < 2; way += 1) {
      await turns();
      mock.timers.tick(10_000);
    }
    await turns();
    assert.equal(job.digests, undefined);
    const started = workers.length;
    const later = hash();
    await turns();
    assert.deepEqual([later.digests, workers.length], [undefined, started], "it isn't tried again");
    assert.equal(warned.length, 1);
    assert.match(warned[0], /worker-src blob:.*workerUrl/);
  });
}

test("where there is no Worker, the page has to hash", async () => {
  delete globalThis.Worker;
  const { hash } = await page();
  const job = hash();
  await turns();
  assert.deepEqual([job.digests, warned.length], [undefined, 1]);
});

test("with workerUrl nothing else is tried", async () => {
  begins.own = "refuses";
  const { hash } = await page("https://app.example/own.js");
  const job = hash();
  await turns();
  assert.equal(job.digests, undefined);
  assert.deepEqual(
    workers.map(({ url }) => url),
    ["https://app.example/own.js"],
  );
  begins.own = "says so";
  const other = (await page(new URL("https://app.example/own.js"))).hash();
  await turns();
  workers[1].answer(Uint8Array.of(4));
  await turns();
  assert.deepEqual([other.digests, workers[1].url, blobs], [Uint8Array.of(4), "https://app.example/own.js", []]);
});

test("a worker that crashes leaves its jobs to the page, and is started again a few times", async () => {
  const { hash } = await page();
  for (let crash = 0; crash < 3; crash += 1) {
    const jobs = [hash(), hash()];
    await turns();
    workers[crash].onerror({ message: "out of memory" });
    await turns();
    assert.deepEqual([jobs[0].digests, jobs[1].digests, workers[crash].isTerminated], [undefined, undefined, true]);
  }
  const job = hash();
  await turns();
  assert.deepEqual([job.digests, workers.length], [undefined, 3]);
  assert.equal(warned.length, 1);
});

test("a job that isn't wanted any more is taken back", async () => {
  const { hash } = await page();
  const controller = new AbortController();
  const job = hash(10, controller.signal);
  await turns();
  controller.abort();
  await turns();
  assert.deepEqual(workers[0].messages.at(-1), { id: 1 });
  assert.equal(job.digests, undefined);
  workers[0].answer(Uint8Array.of(5), 1);
  const other = hash();
  await turns();
  workers[0].answer(Uint8Array.of(6));
  await turns();
  assert.deepEqual(other.digests, Uint8Array.of(6));
});

test("a worker with nothing to do ends, and another one is started for the next job", async () => {
  const { hash } = await page();
  hash();
  await turns();
  mock.timers.tick(60_000);
  await turns();
  assert.equal(workers[0].isTerminated, false, "it is at work");
  workers[0].answer(Uint8Array.of(7));
  mock.timers.tick(4_000);
  const second = hash();
  await turns();
  mock.timers.tick(60_000);
  await turns();
  assert.equal(workers[0].isTerminated, false, "it is at work again");
  workers[0].answer(Uint8Array.of(8));
  await turns();
  assert.deepEqual(second.digests, Uint8Array.of(8));
  mock.timers.tick(5_000);
  await turns();
  assert.equal(workers[0].isTerminated, true);
  const third = hash();
  await turns();
  workers[1].answer(Uint8Array.of(9));
  await turns();
  assert.deepEqual([third.digests, workers.length], [Uint8Array.of(9), 2]);
});
