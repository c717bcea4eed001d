import { UploadError, invalid } from "./error.js";

/** Whether `file` is something that can be uploaded: a File, a Blob, or a handle of a file. Realms may differ, as with an iframe's. */
export function checkFile(file) {
  if (!isBlob(file) && !isHandle(file)) {
    throw invalid("upload() takes a File, a Blob or a FileSystemFileHandle.", "From an <input type=file>, pass one of `input.files`.");
  }
}

export function isHandle(file) {
  return file?.kind === "file" && typeof file.getFile === "function";
}

function isBlob(file) {
  return /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(file));
}

const READ = { mode: "read" };

/** The file behind a handle. One from another day has to be allowed again: the browser asks, where the user has just clicked. */
export async function open(handle) {
  try {
    if ((await handle.queryPermission?.(READ)) === "prompt") await handle.requestPermission(READ);
    return await handle.getFile();
  } catch (cause) {
    throw new UploadError("file-unreadable", `The file behind the handle can't be opened: ${cause?.message ?? cause}`, {
      step: "check",
      cause,
      hint: "It may have been moved or deleted, or may not be read any more: let the user pick it again, or try again from a click.",
    });
  }
}

/** What the engine is told of a file. */
export function describe(blob, { filename, contentType }) {
  return {
    file: blob,
    name: filename ?? (blob.name || "blob"),
    size: blob.size,
    type: contentType ?? blob.type,
    lastModified: blob.lastModified,
  };
}
