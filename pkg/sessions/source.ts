import type { UploadOptions } from "partway";

import { UploadError, invalidOptions, isEngineError } from "../api/errors.ts";
import { messageOf } from "../util/message-of.ts";
import { readTimeout } from "./read-timeout.ts";

/** What `upload()` takes. */
export type UploadInput = File | Blob | FileSystemFileHandle;

/** The file of an upload, as the engine gets it. */
export interface Source {
  file: Blob;
  name: string;
  size: number;
  type: string;
}

/** Throws unless `file` can be uploaded: a File, a Blob, or the handle of a file, of any realm, such as an iframe's. */
export function checkFile(file: unknown): void {
  if (!isBlob(file) && !isHandle(file)) {
    throw invalidOptions(
      "upload() takes a File, a Blob or a FileSystemFileHandle.",
      "From an <input type=file>, pass one of `input.files`.",
    );
  }
}

export function isHandle(file: unknown): file is FileSystemFileHandle {
  const handle = file as Partial<FileSystemFileHandle> | null | undefined;
  return handle?.kind === "file" && typeof handle.getFile === "function";
}

/** Some DOMs of test runners have Blobs with another tag. */
export function isBlob(file: unknown): file is Blob {
  const blob = file as Partial<Blob> | null | undefined;
  return (
    /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(blob)) ||
    (typeof blob?.size === "number" &&
      typeof blob.type === "string" &&
      typeof blob.slice === "function" &&
      typeof blob.arrayBuffer === "function")
  );
}

/** File System Access (WICG), which not every browser has, and TypeScript's library neither. */
interface PermissionMethods {
  queryPermission?(descriptor: { mode: "read" }): Promise<PermissionState>;
  requestPermission(descriptor: { mode: "read" }): Promise<PermissionState>;
}

const READ = { mode: "read" } as const;

/**
 * Opens the file of a handle. A handle from another day needs permission again: the browser asks the user if the user has just
 * clicked, and the answer may take any time. Rejects with an `UploadError` or an `EngineError`.
 */
export async function openHandle(handle: FileSystemFileHandle): Promise<File> {
  const permissions = handle as FileSystemFileHandle & PermissionMethods;
  try {
    const permission = permissions.queryPermission && (await readTimeout(permissions.queryPermission(READ)));
    if (permission === "prompt") await permissions.requestPermission(READ);
    return await readTimeout(handle.getFile());
  } catch (cause) {
    if (isEngineError(cause)) throw cause;
    throw new UploadError("file-unreadable", `The file behind the handle can't be opened: ${messageOf(cause)}`, {
      step: "check",
      cause,
      hint: "It may have been moved or deleted, or the permission has ended: let the user pick it again, or try again from a click.",
    });
  }
}

/** Describes a file to the engine. */
export function sourceOf(blob: Blob, { filename, contentType }: UploadOptions): Source {
  const { name } = blob as Partial<File>;
  return { file: blob, name: filename ?? (name || "blob"), size: blob.size, type: contentType ?? blob.type };
}
