import { Lanes, initSync } from "partway-hash/hash.js";
import text from "partway-hash/hash_wasm.js";
import { createMD5 } from "hash-wasm";
import SparkMD5 from "spark-md5";

/** Bytes that a hasher is given at once. */
const WINDOW = 256 * 1024;
/** What a stream is given to fill. */
const LARGE = 1 << 20;

const HASHERS = {
  partway: async () => lanes(),
  nothing: async () => ({ update() {}, end() {} }),
  "hash-wasm": async () => {
    const hash = (await createMD5()).init();
    return { update: (bytes) => hash.update(bytes), end: () => hash.digest("hex") };
  },
  "spark-md5": async () => {
    const hash = new SparkMD5.ArrayBuffer();
    return { update: (bytes) => hash.append(bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer), end: () => hash.end() };
  },
};

/** The engine of Partway's own worker, with as many parts at once as it takes. */
function lanes() {
  initSync({ module: Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) });
  const lanes = new Lanes(WINDOW);
  for (let lane = 0; lane < lanes.count; lane += 1) lanes.begin(lane, true, false);
  let filled = 0;
  return {
    update(bytes) {
      lanes.fill(filled++, bytes);
      if (filled < lanes.count) return;
      lanes.hash();
      filled = 0;
    },
    end() {
      lanes.hash();
      for (let lane = 0; lane < lanes.count; lane += 1) lanes.end(lane);
    },
  };
}

/** The ways to read a file. */
const READERS = {
  async sync(hash, file) {
    const reader = new FileReaderSync();
    for (let done = 0; done < file.size; done += WINDOW) hash.update(new Uint8Array(reader.readAsArrayBuffer(file.slice(done, done + WINDOW))));
  },
  async stream(hash, file) {
    const reader = file.stream().getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) hash.update(read.value);
  },
  async byob(hash, file) {
    const reader = file.stream().getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(LARGE);
    for (let read = await reader.read(new Uint8Array(buffer)); !read.done; read = await reader.read(new Uint8Array(buffer))) {
      hash.update(read.value);
      buffer = read.value.buffer;
    }
  },
  memory: (hash, { size }) => fromMemory(hash, size),
};

async function fromMemory(hash, size) {
  const window = new Uint8Array(WINDOW).fill(7);
  for (let done = 0; done < size; done += WINDOW) hash.update(window);
}

onmessage = async ({ data: { hasher, file, from } }) => {
  try {
    const hash = await HASHERS[hasher]();
    const start = performance.now();
    await READERS[from](hash, file);
    hash.end();
    postMessage({ seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
