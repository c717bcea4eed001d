import { UploadError, invalid } from "./error.js";

/**
 * Compiles the wasm. Without a `source`: from the file beside this module, and where a server doesn't have it there
 * (Vite's dev server up to 7 answers with a page), from the copy inside `dist/partway_inline.js`, which is only loaded then.
 */
export async function compile(source) {
  try {
    return source === undefined ? await compileOwn() : await compileGiven(source);
  } catch (error) {
    throw explain(error);
  }
}

async function compileOwn() {
  try {
    return await compileResponse(await fetch(new URL("./dist/partway_bg.wasm", import.meta.url)));
  } catch (error) {
    if (isBlocked(error)) throw error;
    const { default: base64 } = await import("./dist/partway_inline.js");
    return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  }
}

async function compileGiven(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (source instanceof Response) return compileResponse(source);
  if (typeof source === "string" || source instanceof URL || source instanceof Request) return compileResponse(await fetch(source));
  throw invalid("load() takes a URL, a Request, a Response, bytes or a WebAssembly.Module.");
}

async function compileResponse(response) {
  if (!response.ok) throw new TypeError(`The server answered ${response.status} for ${place(response)}.`);
  const type = response.headers.get("content-type") ?? "";
  if (/^application\/wasm\b/i.test(type) && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  if (!isWasm(bytes)) throw new TypeError(`What the server gave for ${place(response)} is not WebAssembly (${type || "no type"}).`);
  return WebAssembly.compile(bytes);
}

function place({ url }) {
  return url ? url.replace(/[?#].*/s, "") : "the wasm";
}

/** WebAssembly Core Specification, binary format: every module begins with "\0asm". */
function isWasm(bytes) {
  return bytes.byteLength >= 8 && new DataView(bytes).getUint32(0) === 0x0061736d;
}

/** Each browser has an error of its own for this, a CompileError or an EvalError, that names the directive or the policy. A TypeError is from `fetch`. */
function isBlocked(error) {
  return error instanceof Error && !(error instanceof TypeError) && /unsafe-eval|content security policy|\bCSP\b/i.test(error.message);
}

function explain(error) {
  if (error instanceof UploadError) return error;
  if (isBlocked(error)) {
    return new UploadError("internal", "The page's Content-Security-Policy doesn't let WebAssembly run.", {
      cause: error,
      hint: "Add 'wasm-unsafe-eval' to the policy's script-src.",
    });
  }
  if (error instanceof WebAssembly.CompileError) {
    return new UploadError("internal", `The wasm of partway is damaged: ${error.message}`, {
      cause: error,
      hint: "Serve dist/partway_bg.wasm as it came in the package.",
    });
  }
  return new UploadError("network", `The wasm of partway couldn't be loaded: ${error?.message ?? error}`, {
    cause: error,
    hint: "Serve dist/partway_bg.wasm beside the module that imports partway, or name its address with load(url).",
  });
}
