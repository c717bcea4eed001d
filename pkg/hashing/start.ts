/* Starts a worker in whichever way the page's policy, its bundler and its server leave. */
import { messageOf } from "../util/message-of.ts";
import { timeout } from "../util/timeout.ts";
import source from "../dist/hash_source.js";
import { workerFile } from "./worker-file.ts";

/**
 * A worker says at once that it has begun; a refusal may be silent. Both ways together stay below the 30 s that the engine waits for
 * progress. (A choice.)
 */
const START_MS = 10_000;

/** Starts a worker: of the file at `url` if there is one, and else in any way. Rejects with all that was said against it. */
export async function startWorker(url: string | undefined): Promise<Worker> {
  if (url !== undefined) return begun(() => new Worker(url));
  try {
    return await ofText();
  } catch (error) {
    const file = workerFile();
    if (!file) throw error;
    // By a policy, most likely. Not where a bundler or a server has no such file; a page of another origin can't have it.
    return await begun(() => new Worker(file)).catch((other: unknown) => {
      throw new AggregateError([error, other], `${messageOf(error)}; ${messageOf(other)}`);
    });
  }
}

async function ofText(): Promise<Worker> {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return await begun(() => new Worker(url));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Waits for the first message of a worker. */
async function begun(start: () => Worker): Promise<Worker> {
  const worker = start();
  const first = new Promise<Worker>((resolve, reject) => {
    worker.onmessage = () => resolve(worker);
    // A policy's refusal says nothing more.
    worker.onerror = (event) => reject(new Error(event.message || "the worker was refused"));
  });
  try {
    return await timeout(first, START_MS, () => new Error(`the worker didn't begin within ${START_MS / 1000} s`));
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
