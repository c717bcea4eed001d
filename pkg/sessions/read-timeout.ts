import type { EngineError } from "../api/errors.ts";
import { timeout } from "../util/timeout.ts";

/** How long opening a file, or reading a few of its bytes, may take: a drive in the cloud fetches it first. (A choice.) */
const READ_MS = 30_000;

/** Settles as `reading` does, and rejects with an `EngineError` when that takes too long, as it does on a network share that hangs. */
export function readTimeout<T>(reading: Promise<T>): Promise<T> {
  return timeout(
    reading,
    READ_MS,
    (): EngineError => ({
      code: "file-unreadable",
      message: `Reading the file timed out after ${READ_MS / 1000} s.`,
      step: "check",
      hint: "If it is on a cloud drive or a network share, open or copy it first, and pick it again.",
    }),
  );
}
