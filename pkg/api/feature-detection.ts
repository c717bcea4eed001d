import { UploadError } from "./errors.ts";

/** What every browser and Node have, and what the DOMs of test runners may lack. */
const GLOBALS = ["WebAssembly", "TextDecoder", "TextEncoder", "Headers"] as const;
const BLOB_METHODS = ["slice", "arrayBuffer", "stream"] as const;

/**
 * Rejects in an environment that can't read and send a file unchanged: the DOM of a test runner looks like a browser's, and has less.
 * `byXhr`: the file goes by `XMLHttpRequest`, where there is one.
 */
export async function checkFeatures(blob: Blob, byXhr: boolean): Promise<void> {
  const missing: string[] = [
    ...GLOBALS.filter((name) => globalThis[name] === undefined),
    ...BLOB_METHODS.filter((name) => typeof blob[name] !== "function").map((name) => `Blob.prototype.${name}`),
  ];
  if (!globalThis.fetch && !globalThis.XMLHttpRequest) missing.push("fetch");
  if (missing.length) throw unsupported(`it has no ${missing.join(", no ")}`);
  if (isNative(blob)) return;
  if (!(await isSentByFetch(blob))) throw unsupported("its fetch doesn't take its own Blobs for bytes");
  if (byXhr && !isSentByXhr(blob)) {
    throw unsupported(
      "its XMLHttpRequest doesn't take its Blobs for bytes",
      'Take XMLHttpRequest out of the environment, or set transport: "fetch".',
    );
  }
}

/** Whether this is a browser's own Blob, of whatever frame. A fake one is written in JavaScript. */
function isNative({ constructor }: Blob): boolean {
  return typeof constructor === "function" && /\[native code\]/.test(Function.prototype.toString.call(constructor));
}

/** A `fetch` that doesn't recognise a Blob sends the text "[object Blob]" instead. */
async function isSentByFetch(blob: Blob): Promise<boolean> {
  if (!globalThis.Response) return true;
  const sent = await new Response(blob.slice(0, 1)).arrayBuffer().catch(() => undefined);
  return sent?.byteLength === Math.min(blob.size, 1);
}

/** The XMLHttpRequest of a DOM that is written in JavaScript does the same. So does the FormData beside it, which can be asked. */
function isSentByXhr(blob: Blob): boolean {
  if (!globalThis.XMLHttpRequest || !globalThis.FormData) return true;
  const form = new FormData();
  form.append("file", blob);
  return typeof form.get("file") !== "string";
}

function unsupported(why: string, hint?: string): UploadError {
  return new UploadError("internal", `This environment can't upload: ${why}.`, {
    retryable: false,
    hint:
      hint ??
      "Upload in a browser or in Node, with their own File and fetch. A DOM in a test runner (jsdom) lacks some of it: run such a test in the runner's Node environment, or give it Node's own classes. In unit tests of your components, mock the entry with partway/testing.",
  });
}
