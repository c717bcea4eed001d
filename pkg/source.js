import { UploadError, invalid } from "./error.js";
import { inTime } from "./time.js";

/** Whether `file` is something that can be uploaded: a File, a Blob, or a handle of a file. Realms may differ, as with an iframe's. */
export function checkFile(file) {
  if (!isBlob(file) && !isHandle(file)) {
    throw invalid("upload() takes a File, a Blob or a FileSystemFileHandle.", "From an <input type=file>, pass one of `input.files`.");
  }
}

export function isHandle(file) {
  return file?.kind === "file" && typeof file.getFile === "function";
}

/** Some DOMs of test runners have Blobs that don't call themselves so. */
function isBlob(file) {
  return (
    /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(file)) ||
    (typeof file?.size === "number" &&
      typeof file.type === "string" &&
      typeof file.slice === "function" &&
      typeof file.arrayBuffer === "function")
  );
}

const READ = { mode: "read" };

/** So long may opening a file, or reading a few of its bytes, take: a drive in the cloud fetches it first. (A choice.) */
const READ_MS = 30_000;

/** What `reading` gives; an error where it gives nothing for too long, as a share that hangs does. */
export function readInTime(reading) {
  return inTime(
    reading,
    READ_MS,
    () =>
      new UploadError("file-unreadable", `The file gave nothing for ${READ_MS / 1000} seconds.`, {
        step: "check",
        hint: "It may be on a drive in the cloud and not downloaded yet, or on a share that hangs: open or copy it first, and pick it again.",
      }),
  );
}

/**
 * The file behind a handle. One from another day has to be allowed again: the browser asks, where the user has just clicked, and the
 * user may take any time to answer.
 */
export async function open(handle) {
  try {
    const permission = handle.queryPermission && (await readInTime(handle.queryPermission(READ)));
    if (permission === "prompt") await handle.requestPermission(READ);
    return await readInTime(handle.getFile());
  } catch (cause) {
    if (cause instanceof UploadError) throw cause;
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
