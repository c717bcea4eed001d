import { Uploader } from "../../../pkg/index.ts";
import { core } from "./fake/partway.js";

export * from "../../../pkg/index.ts";
export { core };

export const RESULT = { provider: "plan", bytes: 3, parts: 1, attempts: 1, elapsedMs: 5, verified: false, proof: null, alreadyThere: false };

/** What an upload makes of it that has neither `meta` nor a folder. */
export const ENDED = { ...RESULT, meta: {}, relativePath: "" };

export function planUploader(options = {}) {
  core.forget();
  return new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) }, ...options });
}

export function file(name = "a.mp4", size = 3) {
  return new File([new Uint8Array(size)], name, { type: "video/mp4", lastModified: 7 });
}

/** Lets everything happen that is only waiting for its turn. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

/** Waits for what takes longer: the first upload compiles the wasm. */
export async function until(condition) {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`It didn't happen: ${condition}`);
    await nextTurn();
  }
}

function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** An upload that the core has begun, with the core's side of it. */
export async function begun(uploader, picked = file(), options) {
  const upload = uploader.upload(picked, options);
  const before = core.tasks.length;
  await until(() => core.tasks.length > before);
  // The test checks the end by other means.
  void upload.done;
  return { upload, task: core.tasks[before], sink: core.tasks[before].sink };
}

/** The error of an upload. */
export async function failure(upload) {
  const outcome = await upload.done.then(
    (result) => new Error(`It succeeded: ${JSON.stringify(result)}`),
    (error) => error,
  );
  return outcome;
}

/** What `console.error` gets while `action` runs. */
export async function reported(action) {
  const original = console.error;
  const seen = [];
  console.error = (error) => seen.push(error);
  try {
    await action();
  } finally {
    console.error = original;
  }
  return seen;
}
