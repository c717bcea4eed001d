/*
 * What a worker runs: it hashes several parts at once, a window of each after the other. It is built into one file, glue and wasm
 * included, which imports nothing.
 */
import { Lanes, initSync } from "../dist/hash.js";
import text from "../dist/hash_wasm.js";
import type { Reply, Request } from "./messages.ts";

/** Bytes of each part that are read and hashed at a time. (A choice, measured: larger ones are no faster, and take more memory.) */
const WINDOW = 256 * 1024;
/** How often the page is told that the worker makes progress. (A choice: well below what the engine waits.) */
const REPORT_MS = 500;

/** Reads without a stream's memory, which isn't bounded. Every worker has it, and the compiler's types for pages don't. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A part that is being hashed. */
interface Job {
  id: number;
  blob: Blob;
  at: number;
}

initSync({ module: Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) });

const lanes = new Lanes(WINDOW);
const reader = new FileReaderSync();
const jobs: (Job | undefined)[] = Array.from({ length: lanes.count }, () => undefined);
const queue: Request[] = [];
let reportedAt = 0;

/** Between two rounds messages come in. A timer would wait for 4 ms. */
const turns = new MessageChannel();
let isTurning = false;
turns.port1.onmessage = () => {
  isTurning = false;
  round();
};

onmessage = ({ data }: MessageEvent<Request>) => {
  const waiting = queue.findIndex(({ id }) => id === data.id);
  const lane = jobs.findIndex((job) => job?.id === data.id);
  if (data.blob) queue.push(data);
  else if (waiting >= 0) queue.splice(waiting, 1);
  else if (lane >= 0) jobs[lane] = undefined;
  turn();
};

function turn(): void {
  if (isTurning) return;
  isTurning = true;
  turns.port2.postMessage(undefined);
}

/** Fills a window of each part, and hashes them all. */
function round(): void {
  for (const lane of jobs.keys()) {
    const job = (jobs[lane] ??= next(lane));
    if (!job) continue;
    try {
      const end = Math.min(job.at + WINDOW, job.blob.size);
      const bytes = new Uint8Array(reader.readAsArrayBuffer(job.blob.slice(job.at, end)));
      if (bytes.length !== end - job.at) throw new RangeError("the file is shorter than it was");
      lanes.fill(lane, bytes);
      job.at = end;
    } catch {
      answer(lane, { id: job.id });
    }
  }
  lanes.hash();
  for (const [lane, job] of jobs.entries()) {
    if (job && job.at === job.blob.size) answer(lane, { id: job.id, digests: lanes.end(lane) });
  }
  if (!jobs.some(Boolean) && queue.length === 0) return;
  if (performance.now() - reportedAt > REPORT_MS) reply({});
  turn();
}

/** The next job of the queue, begun in a lane. */
function next(lane: number): Job | undefined {
  const request = queue.shift();
  if (!request?.blob) return undefined;
  lanes.begin(lane, request.md5 === true, request.crc64 === true);
  return { id: request.id, blob: request.blob, at: 0 };
}

function answer(lane: number, answered: Reply): void {
  jobs[lane] = undefined;
  reply(answered);
}

function reply(message: Reply): void {
  reportedAt = performance.now();
  postMessage(message);
}

reply({});
