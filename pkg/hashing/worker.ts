/*
 * What a worker runs: it hashes several parts at once, a window of each after the other. It is built into one file, glue and wasm
 * included, which imports nothing.
 */
import { Lanes, initSync } from "../dist/hash.js";
import text from "../dist/hash_wasm.js";
import type { Reply, Request } from "./messages.ts";
import { type Reader, readerOf } from "./read.ts";

/** Bytes of each part that are read and hashed at a time. (A choice, measured: larger ones are no faster, and take more memory.) */
const WINDOW = 256 * 1024;
/** How often the page is told that the worker makes progress. (A choice: well below what the engine waits.) */
const REPORT_MS = 500;
/** How long the other parts wait for the bytes of one. A part that is later is waited for by none until it has some. (A choice.) */
const LATE_MS = 50;

/** A part that is being hashed. */
interface Job {
  id: number;
  size: number;
  reader: Reader;
  /** Bytes that were read. */
  at: number;
  /** Bytes that its window has room for. */
  room: number;
  /** Ends when the window is full, or when nothing more comes; it isn't there while nothing is read. */
  filling: Promise<void> | undefined;
  isLate: boolean;
  hasFailed: boolean;
}

initSync({ module: Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) });

const lanes = new Lanes(WINDOW);
const jobs: (Job | undefined)[] = Array.from({ length: lanes.count }, () => undefined);
const queue: Request[] = [];
let hasMoved = false;
let reportedAt = 0;
let isWorking = false;
let arrived = () => {};

onmessage = ({ data }: MessageEvent<Request>) => {
  const waiting = queue.findIndex(({ id }) => id === data.id);
  const lane = jobs.findIndex((job) => job?.id === data.id);
  if (data.part) queue.push(data);
  else if (waiting >= 0) queue.splice(waiting, 1);
  else if (lane >= 0) drop(lane);
  arrived();
  if (!isWorking) void work();
};

/** Fills a window of each part, and hashes them all, until there is nothing to do. */
async function work(): Promise<void> {
  isWorking = true;
  for (let active = begin(); active.length > 0; active = begin()) {
    await filled(active);
    for (const job of active) job.isLate = job.filling !== undefined;
    lanes.hash();
    for (const [lane, job] of jobs.entries()) {
      if (!job) continue;
      job.room = WINDOW;
      if (job.hasFailed) reply({ id: drop(lane) });
      else if (job.at === job.size && !job.filling) reply({ digests: lanes.end(lane), id: drop(lane) });
    }
    if (hasMoved && performance.now() - reportedAt > REPORT_MS) reply({});
    hasMoved = false;
  }
  isWorking = false;
}

/** Gives free lanes to what waits, and starts to fill every window. Gives the parts that are being hashed. */
function begin(): Job[] {
  for (const lane of jobs.keys()) {
    const job = (jobs[lane] ??= next(lane));
    if (job) job.filling ??= fill(lane, job).finally(() => (job.filling = undefined));
  }
  return jobs.filter((job) => job !== undefined);
}

/** Waits until all windows are full but those that are late, or until there is something new to do. */
async function filled(active: Job[]): Promise<void> {
  const prompt = active.filter(({ isLate }) => !isLate);
  const arrival = new Promise<void>((resolve) => (arrived = resolve));
  if (prompt.length === 0) return Promise.race([arrival, ...active.map(({ filling }) => filling)]);
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LATE_MS)));
  return Promise.race([arrival, late, Promise.all(prompt.map(({ filling }) => filling)).then(() => {})]).finally(() => clearTimeout(timer));
}

async function fill(lane: number, job: Job): Promise<void> {
  try {
    while (job.at < job.size && job.room > 0) {
      const bytes = await job.reader.read(job.room);
      if (jobs[lane] !== job) return;
      if (bytes.length === 0) throw new RangeError("the file is shorter than it was");
      job.room = lanes.fill(lane, bytes);
      job.at += bytes.length;
      hasMoved = true;
    }
  } catch {
    job.hasFailed = true;
  }
}

/** The next job of the queue, begun in a lane. */
function next(lane: number): Job | undefined {
  const request = queue.shift();
  if (!request?.part) return undefined;
  const { id, part } = request;
  const { blob, start, end } = part;
  lanes.begin(lane, request.md5 === true, request.crc64 === true);
  return {
    ...{ id, size: end - start, reader: readerOf(blob.slice(start, end), WINDOW), at: 0, room: WINDOW },
    ...{ filling: undefined, isLate: false, hasFailed: false },
  };
}

/** Takes a job out of its lane. */
function drop(lane: number): number {
  const { id, reader } = jobs[lane] as Job;
  reader.cancel();
  jobs[lane] = undefined;
  return id;
}

function reply(message: Reply): void {
  reportedAt = performance.now();
  postMessage(message);
}

reply({});
