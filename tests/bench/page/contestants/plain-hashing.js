// The same pool, with each part's MD5 by hash-wasm, in a worker, held against its ETag.
import { plainly } from "../plainly.js";

let worker;
const waiting = new Map();

export async function prepare() {
  worker = new Worker("/bundles/plain-hashing.worker.js", { type: "module" });
  worker.onmessage = ({ data: { id, md5, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(md5);
  };
  await md5(new Blob(["ready"]));
}

let last = 0;
const md5 = (blob) =>
  new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    worker.postMessage({ id: last, blob });
  });

export const run = (files, settings) =>
  plainly(files, settings, async (blob) => {
    const expected = await md5(blob);
    return (etag) => {
      if (etag.replaceAll('"', "") !== expected) throw new Error(`the ETag is ${etag}, and the MD5 ${expected}`);
    };
  });
