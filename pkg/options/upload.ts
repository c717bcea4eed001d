import type { GroupOptions, UploadOptions } from "partway";

import { invalidOptions } from "../api/errors.ts";
import { method, nonEmptyString, number, object, options, string } from "./checks.ts";
import { meta } from "./meta.ts";
import { placeInProvider } from "./provider.ts";

function signal(value: unknown, path: string): AbortSignal {
  const given = value as Partial<AbortSignal> | null | undefined;
  if (typeof given?.addEventListener !== "function" || typeof given.aborted !== "boolean")
    throw invalidOptions(`${path} must be an AbortSignal.`);
  return given as AbortSignal;
}

const ofEachFile = {
  signal,
  meta,
  relativePath: string,
  priority: number({ min: Number.MIN_SAFE_INTEGER, whole: false }),
  contentType: string,
  // Is checked together with the uploader's, by `mergeProvider`.
  provider: object,
};

const uploadOptions = options<UploadOptions>({
  optional: {
    ...ofEachFile,
    onProgress: method,
    onPart: method,
    onStatus: method,
    onComplete: method,
    onError: method,
    filename: nonEmptyString,
  },
  place: placeInProvider,
});

const groupOptions = options<GroupOptions>({
  optional: { ...ofEachFile, onProgress: method, maxFiles: number(), maxTotalBytes: number(), each: method },
  place: placeInProvider,
});

/** Checks the options of one upload, and copies them. */
export function checkUploadOptions(given: unknown): UploadOptions {
  return uploadOptions(given, "");
}

/** Checks the options of a group, and copies them. */
export function checkGroupOptions(given: unknown): GroupOptions {
  return groupOptions(given, "");
}
