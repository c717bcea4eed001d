import { loadHashing } from "../entry.ts";
import { messageOf } from "../util/message-of.ts";

/** What the engine calls for digests: a worker computes them. Gives nothing where none can, and then the page computes them. */
export interface HashPort {
  /** Changes as long as the worker makes progress. */
  readonly progress: number;
  /** Gives the 16 bytes of the MD5, then the 8 of the CRC64NVME; zeros for what isn't wanted. `signal` ends it. */
  hash(blob: Blob, start: number, end: number, md5: boolean, crc64: boolean, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

let isWarned = false;

/** Loads what hashes when it is first needed. `workerUrl` is the application's own copy of the worker, if it serves one. */
export function hashPort(workerUrl: string | URL | undefined): HashPort {
  let hasher: ReturnType<NonNullable<Awaited<ReturnType<typeof loadHashing>>>["hasher"]> | undefined;
  return {
    get progress() {
      return hasher?.progress ?? 0;
    },
    async hash(blob, start, end, md5, crc64, signal) {
      try {
        hasher ??= (await loadHashing())?.hasher(workerUrl?.toString());
      } catch (error) {
        if (!isWarned) console.warn(`partway: files are hashed on the page itself: dist/hashing.js couldn't be loaded: ${messageOf(error)}`);
        isWarned = true;
      }
      return hasher?.hash(blob, start, end, { md5, crc64 }, signal);
    },
  };
}
