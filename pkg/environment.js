import { UploadError } from "./error.js";

/** What every browser and Node have, and what the DOMs of test runners may lack. */
const NEEDED = ["WebAssembly", "TextDecoder", "TextEncoder", "Headers"];
const METHODS = ["slice", "arrayBuffer"];

/** Rejects where a file can't be read and sent as it is: the DOMs of test runners look like a browser, and have less. */
export async function checkEnvironment(blob) {
  const missing = [
    ...NEEDED.filter((name) => globalThis[name] === undefined),
    ...METHODS.filter((name) => typeof blob[name] !== "function").map((name) => `Blob.${name}`),
  ];
  if (!globalThis.fetch && !globalThis.XMLHttpRequest) missing.push("fetch");
  if (missing.length) throw incapable(`it has no ${missing.join(", no ")}`);
  if (!isNative(blob) && !(await isSentWhole(blob))) throw incapable("its fetch doesn't take its own Blobs for bytes");
}

/** A browser's own Blob, of whatever frame. Other than the fakes it isn't written in JavaScript. */
function isNative({ constructor }) {
  return typeof constructor === "function" && /\[native code\]/.test(Function.prototype.toString.call(constructor));
}

/** A `fetch` that doesn't know a Blob for one sends the text "[object Blob]" in its place. */
async function isSentWhole(blob) {
  if (!globalThis.Response) return true;
  const sent = await new Response(blob.slice(0, 1)).arrayBuffer().catch(() => undefined);
  return sent?.byteLength === Math.min(blob.size, 1);
}

function incapable(why) {
  return new UploadError("internal", `This environment can't upload: ${why}.`, {
    retryable: false,
    hint: "Upload in a browser or in Node, with their own File and fetch. A DOM in a test runner (jsdom) lacks some of it: run such a test in the runner's Node environment, or give it Node's own classes.",
  });
}
