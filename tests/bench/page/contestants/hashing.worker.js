import { createMD5 } from "hash-wasm";
import SparkMD5 from "spark-md5";

/** Of a size that every hasher is given at once. */
const WINDOW = 1 << 20;

const HASHERS = {
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

async function fromFile(hash, file) {
  const reader = file.stream().getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) hash.update(read.value);
}

async function fromMemory(hash, size) {
  const window = new Uint8Array(WINDOW).fill(7);
  for (let done = 0; done < size; done += WINDOW) hash.update(window);
}

onmessage = async ({ data: { hasher, file, from } }) => {
  try {
    const hash = await HASHERS[hasher]();
    const start = performance.now();
    if (from === "file") await fromFile(hash, file);
    else await fromMemory(hash, file.size);
    hash.end();
    postMessage({ seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
