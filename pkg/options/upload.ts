import type { UploadOptions } from "partway";

import { invalidOptions } from "../api/errors.ts";
import { method, nonEmptyString, number, object, options, string } from "./checks.ts";

function signal(value: unknown, path: string): AbortSignal {
  const given = value as Partial<AbortSignal> | null | undefined;
  if (typeof given?.addEventListener !== "function" || typeof given.aborted !== "boolean")
    throw invalidOptions(`${path} must be an AbortSignal.`);
  return given as AbortSignal;
}

const uploadOptions = options<UploadOptions>({
  optional: {
    onProgress: method,
    onPart: method,
    onStatus: method,
    onComplete: method,
    onError: method,
    signal,
    filename: nonEmptyString,
    priority: number({ min: Number.MIN_SAFE_INTEGER, whole: false }),
    contentType: string,
    // Is checked together with the uploader's, by `mergeProvider`.
    provider: object,
  },
});

/** Checks the options of one upload, and copies them. */
export function checkUploadOptions(given: unknown): UploadOptions {
  return uploadOptions(given, "");
}
