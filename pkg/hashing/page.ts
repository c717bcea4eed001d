/* Computes digests in workers. The face loads this module when the first digest is wanted; all entries of the package share it. */
import { messageOf } from "../util/message-of.ts";
import type { Reply, Request, Wanted } from "./messages.ts";
import { startWorker } from "./start.ts";

/** How long a worker lives with nothing to do. (A choice: it takes some 50 ms to start one.) */
const IDLE_MS = 5_000;
/** A worker that crashes more often than this isn't started again. (A choice.) */
const MOST_CRASHES = 2;

/** Gets the digests, or nothing where no worker can compute them. */
type Resolve = (digests?: Uint8Array) => void;

/** The worker of a page: one hashes faster than a page's files can be read. */
class Hasher {
  /** Changes as long as the worker makes progress. */
  progress = 0;
  #url: string | undefined;
  #worker: Promise<Worker | undefined> | undefined;
  #jobs = new Map<number, Resolve>();
  #lastId = 0;
  #crashes = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string | undefined) {
    this.#url = url;
  }

  /**
   * The digests of bytes of a Blob; nothing where no worker can compute them. `signal` ends the job. The worker cuts the bytes out: Chromium
   * waits for another process when that is done.
   */
  async hash(blob: Blob, start: number, end: number, wanted: Wanted, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const id = this.#lastId + 1;
    signal.addEventListener("abort", () => this.#settle(id) && void this.#post({ id }));
    this.#lastId = id;
    clearTimeout(this.#idle);
    return new Promise((resolve) => {
      this.#jobs.set(id, resolve);
      void this.#post({ id, part: { blob, start, end }, ...wanted });
    });
  }

  async #post(request: Request): Promise<void> {
    const worker = await (this.#worker ??= this.#start());
    // It may have been settled meanwhile.
    if (request.part && !this.#jobs.has(request.id)) return;
    if (worker) worker.postMessage(request);
    else this.#settle(request.id);
  }

  async #start(): Promise<Worker | undefined> {
    if (this.#crashes > MOST_CRASHES) {
      warn("the worker crashed again and again.");
      return undefined;
    }
    try {
      const worker = await startWorker(this.#url);
      this.progress += 1;
      worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        this.progress += 1;
        if (data.id !== undefined) this.#settle(data.id, data.digests);
      };
      worker.onerror = worker.onmessageerror = () => {
        this.#crashes += 1;
        this.#end();
      };
      return worker;
    } catch (error) {
      warn(
        `no worker could be started (${messageOf(error)}). Allow workers by the page's Content-Security-Policy (worker-src blob:), or serve the package's dist/hash_worker.js and name its address with workerUrl.`,
      );
      return undefined;
    }
  }

  /** Settles a job. Gives whether it was there. */
  #settle(id: number, digests?: Uint8Array): boolean {
    const resolve = this.#jobs.get(id);
    this.#jobs.delete(id);
    resolve?.(digests);
    if (this.#jobs.size === 0) {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => this.#end(), IDLE_MS);
    }
    return resolve !== undefined;
  }

  /** Ends the worker. Jobs that it has are nobody's. */
  #end(): void {
    const worker = this.#worker;
    void worker?.then((ended) => {
      // Where none can be started, that stays so.
      if (!ended || this.#worker !== worker) return;
      ended.terminate();
      this.#worker = undefined;
      for (const id of [...this.#jobs.keys()]) this.#settle(id);
    });
  }
}

let isWarned = false;

/** The page works, but may stutter. Only the application's developer can change that. */
function warn(reason: string): void {
  if (isWarned) return;
  isWarned = true;
  console.warn(`partway: files are hashed on the page itself, which takes time from it: ${reason}`);
}

const hashers = new Map<string | undefined, Hasher>();

/** What computes digests in workers of the file at `url`, or else of the package's own. */
export function hasher(url: string | undefined): Hasher {
  const known = hashers.get(url) ?? new Hasher(url);
  hashers.set(url, known);
  return known;
}
