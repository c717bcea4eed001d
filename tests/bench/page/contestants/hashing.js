// MB/s of each MD5 in one worker, and of reading alone: medians.
import { pool, ranges } from "../store.js";

/** A title, what hashes, and how a file is read. */
const WAYS = [
  ["reading alone, FileReaderSync", "nothing", "sync"],
  ["reading alone, stream", "nothing", "stream"],
  ["reading alone, BYOB stream", "nothing", "byob"],
  ["Partway", "partway", "own"],
  ["hash-wasm", "hash-wasm", "stream"],
  ["spark-md5", "spark-md5", "stream"],
];

const PART = 5 * 1024 * 1024;

const ask = (worker, question) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.seconds));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(question);
  });

/** The package's own worker, with as many parts at once as an upload may have it hash. */
async function own(file) {
  const { hasher } = await import("/pkg/dist/hashing.js");
  const start = performance.now();
  await pool(ranges(file.size, PART), 8, async ({ start, end }) => {
    const digests = await hasher(undefined).hash(file, start, end, { md5: true, crc64: false }, new AbortController().signal);
    if (!digests) throw new Error("the package's worker computes nothing");
  });
  return (performance.now() - start) / 1000;
}

const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];

export async function measure(file, rounds) {
  const speeds = [];
  for (const [name, hasher, from] of WAYS) {
    const worker = new Worker("/bundles/hashing.worker.js", { type: "module" });
    const seconds = (from) => (from === "own" ? own(file) : ask(worker, { hasher, file, from }));
    const speed = async (from) => {
      // Once for the compilers.
      await seconds(from);
      const taken = [];
      for (let round = 0; round < rounds; round += 1) taken.push(await seconds(from));
      return file.size / median(taken) / 1e6;
    };
    speeds.push({ name, memory: hasher === "nothing" ? null : await speed("memory"), file: await speed(from) });
    worker.terminate();
  }
  return speeds;
}
