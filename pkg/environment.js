import { UploadError } from "./error.js";

/** What every browser and Node have, and what the DOMs of test runners may lack. */
const NEEDED = ["WebAssembly", "TextDecoder", "TextEncoder", "Headers"];
const METHODS = ["slice", "arrayBuffer"];

/**
 * Rejects where a file can't be read and sent as it is: the DOMs of test runners look like a browser, and have less. `byXhr`: where there
 * is an XMLHttpRequest, the file goes by it.
 */
export async function checkEnvironment(blob, byXhr) {
  const missing = [
    ...NEEDED.filter((name) => globalThis[name] === undefined),
    ...METHODS.filter((name) => typeof blob[name] !== "function").map((name) => `Blob.${name}`),
  ];
  if (!globalThis.fetch && !globalThis.XMLHttpRequest) missing.push("fetch");
  if (missing.length) throw incapable(`it has no ${missing.join(", no ")}`);
  if (isNative(blob)) return;
  if (!(await isSentWhole(blob))) throw incapable("its fetch doesn't take its own Blobs for bytes");
  if (byXhr && !isTakenByDom(blob)) {
    throw incapable("its XMLHttpRequest doesn't take its Blobs for bytes", 'Take XMLHttpRequest out of the environment, or set transport: "fetch".');
  }
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

/** An XMLHttpRequest of a DOM written in JavaScript does the same, and so does the FormData beside it, which can be asked. */
function isTakenByDom(blob) {
  if (!globalThis.XMLHttpRequest || !globalThis.FormData) return true;
  const form = new FormData();
  form.append("file", blob);
  return typeof form.get("file") !== "string";
}

function incapable(why, hint) {
  return new UploadError("internal", `This environment can't upload: ${why}.`, {
    retryable: false,
    hint: hint ?? "Upload in a browser or in Node, with their own File and fetch. A DOM in a test runner (jsdom) lacks some of it: run such a test in the runner's Node environment, or give it Node's own classes.",
  });
}
