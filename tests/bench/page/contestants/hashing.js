// MB/s of each MD5 in one worker, medians.

const HASHERS = [
  ["reading alone", "/bundles/hashing.worker.js", "nothing"],
  ["Partway", "/bundles/hashing.worker.js", "partway"],
  ["hash-wasm", "/bundles/hashing.worker.js", "hash-wasm"],
  ["spark-md5", "/bundles/hashing.worker.js", "spark-md5"],
];

const ask = (worker, question) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.seconds));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(question);
  });

const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];

export async function measure(file, rounds) {
  const speeds = [];
  for (const [name, script, hasher] of HASHERS) {
    const worker = new Worker(script, { type: "module" });
    const speed = async (from) => {
      const taken = [];
      for (let round = 0; round < rounds; round += 1) taken.push(await ask(worker, { hasher, file, from }));
      return file.size / median(taken) / 1e6;
    };
    await ask(worker, { hasher, file: file.slice(0, 1 << 20), from: "file" });
    speeds.push({ name, memory: await speed("memory"), file: await speed("file") });
    worker.terminate();
  }
  return speeds;
}
