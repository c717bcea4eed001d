/*
 * The build replaces this file where nothing is served beside the script (xtask/src/package/hashing.rs).
 *
 * Apart from `new Worker`: together bundlers know them, and compile the file into a worker of their own kind. So it is copied as it is.
 */
export function workerFile(): URL | undefined {
  return new URL("./hash_worker.js", import.meta.url);
}
