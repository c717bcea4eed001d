// The worker that hashes, as it is published, run in Node: its digests against Node's own.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Script, createContext } from "node:vm";

import { root } from "../project.mjs";
import { test } from "../report.mjs";

/** CRC64NVME's polynomial, its highest power in the lowest bit (NVM Command Set Specification, "64b CRC Definition"). */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ (crc & 1n ? POLYNOMIAL : 0n);
  return crc;
});

/** The digests as the worker gives them: 16 bytes, and 8. */
function digests(bytes, { md5, crc64 }) {
  const result = Buffer.alloc(24);
  if (md5) createHash("md5").update(bytes).digest().copy(result);
  if (crc64) {
    let crc = 0xffffffffffffffffn;
    for (const byte of bytes) crc = (crc >> 8n) ^ TABLE[Number((crc ^ BigInt(byte)) & 0xffn)];
    result.writeBigUInt64BE(crc ^ 0xffffffffffffffffn, 16);
  }
  return result;
}

/** The channels that workers opened. */
const channels = [];

/** A worker in a world of its own. `byob`: whether its streams fill buffers, which WebKit's don't. */
async function worker(byob) {
  const replies = [];
  let wake = () => {};
  class FileReaderSync {
    readAsArrayBuffer(blob) {
      if (blob.broken) throw new Error("NotReadableError");
      return Uint8Array.from(blob.bytes).buffer;
    }
  }
  const postMessage = (reply) => {
    replies.push(reply);
    wake();
  };
  /** Its ports, which would keep Node running. */
  const MessageChannel = class extends globalThis.MessageChannel {
    constructor() {
      super();
      channels.push(this);
    }
  };
  const { TextDecoder, TextEncoder, WebAssembly, atob, performance, setTimeout, clearTimeout } = globalThis;
  const world = { FileReaderSync, postMessage, MessageChannel, TextDecoder, TextEncoder, WebAssembly, atob, performance, setTimeout, clearTimeout };
  const context = createContext({ ...world, Uint8Array, ArrayBuffer, RangeError, Promise });
  new Script(await readFile(`${root}pkg/dist/hash_worker.js`, "utf8")).runInContext(context);
  return {
    replies,
    ask: (request) => context.onmessage({ data: request }),
    /** The answer to a job. */
    async answer(id) {
      for (;;) {
        const reply = replies.find((one) => one.id === id);
        if (reply) return reply.digests && Buffer.from(reply.digests);
        await new Promise((resolve) => (wake = resolve));
      }
    },
    part: (bytes, how = {}) => part(bytes, byob, how),
  };
}

/** These bytes as a part of a Blob that has others before them. */
function part(bytes, byob, how) {
  const start = 3;
  const torn = how.torn && how.torn + start;
  return { blob: blob(Buffer.concat([randomBytes(start), bytes]), byob, { ...how, torn }), start, end: start + bytes.length };
}

/** `hangs`: after so many bytes no more come. `broken`: it can't be read. `torn`: it is shorter than it says. */
function blob(bytes, byob, { hangs, broken, torn }) {
  const end = torn ?? bytes.length;
  let at = 0;
  return {
    size: bytes.length,
    bytes: bytes.subarray(0, end),
    broken,
    slice: (from, to) => blob(bytes.subarray(Math.min(from, end), Math.min(to, end)), byob, { broken, hangs }),
    stream: () => ({
      getReader() {
        if (!byob) throw new TypeError("not a byte stream");
        return {
          async read(view) {
            if (broken) throw new Error("NotReadableError");
            if (at === hangs) return new Promise(() => {});
            // As much as comes in one piece, odd lengths among it.
            const len = Math.min(view.length, end - at, 65_537, hangs === undefined ? Infinity : hangs - at);
            const buffer = view.buffer.transfer?.() ?? structuredClone(view.buffer, { transfer: [view.buffer] });
            const value = new Uint8Array(buffer, 0, len);
            value.set(bytes.subarray(at, at + len));
            at += len;
            return { value, done: len === 0 };
          },
          cancel: async () => {},
        };
      },
    }),
  };
}

const WANTED = [
  { md5: true, crc64: false },
  { md5: false, crc64: true },
  { md5: true, crc64: true },
];

export async function hashing() {
  for (const byob of [true, false]) {
    const how = byob ? "by streams" : "by FileReaderSync";
    await test(`hashing: parts of different lengths at once, each as alone (${how})`, async () => {
      const { ask, answer, part, replies } = await worker(byob);
      assert.deepEqual(replies.map((reply) => ({ ...reply })), [{}], "it says that it has begun");
      const lengths = [0, 1, 55, 56, 63, 64, 65, 1000, 262_143, 262_144, 262_145, 700_001, 1_048_576, 3, 600_000, 64, 0, 524_288, 7, 300_000];
      const parts = lengths.map((length, id) => ({ id, bytes: randomBytes(length), ...WANTED[id % 3] }));
      for (const { bytes, ...request } of parts) ask({ ...request, part: part(bytes) });
      for (const { id, bytes, ...wanted } of parts) assert.deepEqual(await answer(id), digests(bytes, wanted), `${lengths[id]} bytes`);
      assert.equal(replies.filter(({ id }) => id !== undefined).length, parts.length);
    });

    await test(`hashing: what can't be read, or is shorter than it was, has no digests (${how})`, async () => {
      const { ask, answer, part } = await worker(byob);
      const bytes = randomBytes(400_000);
      ask({ id: 1, md5: true, part: part(bytes, { broken: true }) });
      ask({ id: 2, md5: true, part: part(bytes, { torn: 300_000 }) });
      ask({ id: 3, md5: true, part: part(bytes) });
      assert.equal(await answer(1), undefined);
      assert.equal(await answer(2), undefined);
      assert.deepEqual(await answer(3), digests(bytes, { md5: true }));
    });

    await test(`hashing: a job that isn't wanted any more gets no answer, and its lane another job (${how})`, async () => {
      const { ask, answer, part, replies } = await worker(byob);
      const bytes = randomBytes(2_000_000);
      for (let id = 0; id < 20; id += 1) ask({ id, md5: true, part: part(bytes) });
      for (let id = 0; id < 20; id += 2) ask({ id });
      for (let id = 1; id < 20; id += 2) assert.deepEqual(await answer(id), digests(bytes, { md5: true }));
      assert.deepEqual(replies.filter(({ id }) => id % 2 === 0), []);
    });
  }

  await test("hashing: a file that hangs doesn't hold up the others, and can be taken back", async () => {
    const { ask, answer, part, replies } = await worker(true);
    const bytes = randomBytes(1_500_000);
    for (let id = 0; id < 8; id += 1) ask({ id, md5: true, part: part(bytes, id < 7 ? { hangs: 300_000 } : {}) });
    assert.deepEqual(await answer(7), digests(bytes, { md5: true }));
    ask({ id: 8, md5: true, part: part(bytes) });
    assert.deepEqual(await answer(8), digests(bytes, { md5: true }));
    for (let id = 0; id < 7; id += 1) ask({ id });
    for (let id = 9; id < 17; id += 1) ask({ id, md5: true, part: part(bytes) });
    for (let id = 9; id < 17; id += 1) assert.deepEqual(await answer(id), digests(bytes, { md5: true }));
    assert.ok(replies.every(({ id }) => id === undefined || id >= 7));
  });
  for (const { port1 } of channels) port1.close();
}
