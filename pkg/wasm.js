import { LoadError, compileResponse, download, isBlocked } from "./download.js";
import { UploadError, cancelled, invalid } from "./error.js";
import { WASM, ownCopy, ownFile } from "./own.js";

/**
 * Compiles the wasm. Without a `source`: from the file beside this module. The copy in a script is loaded only where a server
 * answered with something else (Vite's dev server up to 7 answers with a page), and never for a network that failed: that the copy
 * couldn't be had would stay so in some browsers until the page is reloaded (HTML Standard, "module map").
 *
 * `onWaits` is `download`'s.
 */
export async function compile(source, onWaits = () => {}) {
  try {
    return source === undefined ? await compileOwn(onWaits) : await compileGiven(source, onWaits);
  } catch (error) {
    throw source?.signal?.aborted ? cancelled("Loading the wasm was aborted.", source.signal.reason) : explain(error);
  }
}

async function compileOwn(onWaits) {
  let file;
  try {
    file = ownFile();
    if (file) return await download(file, onWaits);
  } catch (error) {
    // Some bundlers' output has no `import.meta`, and no address with it.
    if (file && (!(error instanceof LoadError) || error.kind === "lost")) throw error;
    const module = await compileCopy().catch((other) => {
      throw new AggregateError([error, other], `${error.message} Nor could the copy be loaded: ${other?.message ?? other}`);
    });
    if (!file || /^https?:/.test(file.protocol)) advise(error);
    return module;
  }
  return compileCopy();
}

async function compileCopy() {
  return WebAssembly.compile(Uint8Array.from(atob(await ownCopy()), (character) => character.charCodeAt(0)));
}

let advised = false;

/** The page works, with more to load than it should have; only whoever builds it can change that. */
function advise({ message }) {
  if (advised) return;
  advised = true;
  console.warn(
    `partway: ${message} The engine came from the larger copy in a script. To have the file served:
- esbuild: --format=esm --splitting --loader:.wasm=file --public-path=/the/output/folder, and before the first upload: import wasm from "partway/${WASM}"; load(wasm);
- Rollup: the plugin @web/rollup-plugin-import-meta-assets
- Vite's dev server up to 7: optimizeDeps: { exclude: ["partway"] }
- without a bundler: serve dist/${WASM} beside the module, or name its address: load(url)`,
  );
}

async function compileGiven(source, onWaits) {
  const { Request, Response } = globalThis;
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (Response && source instanceof Response) return compileResponse(source);
  if (typeof source === "string" || source instanceof URL || (Request && source instanceof Request)) return download(source, onWaits);
  throw invalid("load() takes a URL, a Request, a Response, bytes or a WebAssembly.Module.");
}

function explain(error) {
  if (error instanceof UploadError) return error;
  if (isBlocked(error)) {
    return new UploadError("internal", "The page's Content-Security-Policy doesn't let WebAssembly run.", {
      cause: error,
      hint: "Add 'wasm-unsafe-eval' to the policy's script-src.",
    });
  }
  if (error.kind === "damaged" || error instanceof WebAssembly.CompileError) {
    return new UploadError("internal", `The wasm of partway is damaged: ${error.message}`, {
      cause: error,
      hint: `Serve dist/${WASM} as it came in the package.`,
    });
  }
  return new UploadError("network", `The wasm of partway couldn't be loaded: ${error?.message ?? error}`, {
    cause: error,
    hint:
      error.kind === "lost"
        ? "Check the connection, and whether something blocks files that end in .wasm; the next upload tries again."
        : `Serve dist/${WASM} beside the module that imports partway, or name its address with load(url).`,
  });
}
