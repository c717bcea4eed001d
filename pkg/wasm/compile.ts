import { UploadError, cancelled, invalidOptions } from "../api/errors.ts";
import { WASM_FILE, wasmText, wasmUrl } from "../entry.ts";
import { messageOf } from "../util/message-of.ts";
import { LoadError, compileResponse, download, isBlockedByPolicy } from "./download.ts";

/** What `load()` takes. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/**
 * Compiles the wasm. Without a `source` it comes from the file beside this module. The copy in a script is loaded only if a server
 * answered with something else (Vite's dev server up to 7 answers with a page), and never because the network failed: some browsers
 * remember a failed import until the page is reloaded (HTML Standard, "module map").
 *
 * `onWaiting` gets `true` when the network or a server has to be waited for, and `false` when that is over.
 */
export async function compile(source?: WasmSource, onWaiting: (isWaiting: boolean) => void = () => {}): Promise<WebAssembly.Module> {
  try {
    return source === undefined ? await compileOwn(onWaiting) : await compileSource(source, onWaiting);
  } catch (error) {
    const signal = (source as Partial<Request> | undefined)?.signal;
    throw signal?.aborted ? cancelled("Loading the wasm was aborted.", signal.reason) : toUploadError(error);
  }
}

async function compileOwn(onWaiting: (isWaiting: boolean) => void): Promise<WebAssembly.Module> {
  let file: URL | undefined;
  try {
    file = wasmUrl();
    if (file) return await download(file, onWaiting);
  } catch (error) {
    // Without a file it is a bundler whose output has no `import.meta`, and so no address.
    if (file && (!(error instanceof LoadError) || error.kind === "network")) throw error;
    const module = await compileCopy().catch((other: unknown) => {
      throw new AggregateError([error, other], `${messageOf(error)} Nor could the copy be loaded: ${messageOf(other)}`);
    });
    if (!file || /^https?:/.test(file.protocol)) warnOfCopy(error);
    return module;
  }
  return compileCopy();
}

async function compileCopy(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(Uint8Array.from(atob(await wasmText()), (character) => character.charCodeAt(0)));
}

let isWarned = false;

/** The page works, but loads more than it should. Only the application's developer can change that. */
function warnOfCopy(error: unknown): void {
  if (isWarned) return;
  isWarned = true;
  console.warn(
    `partway: ${messageOf(error)} The engine came from the larger copy in a script. To have the file served:
- esbuild: --format=esm --splitting --loader:.wasm=file --public-path=/the/output/folder, and before the first upload: import wasm from "partway/${WASM_FILE}"; load(wasm);
- Rollup: the plugin @web/rollup-plugin-import-meta-assets
- Vite's dev server up to 7: optimizeDeps: { exclude: ["partway"] }
- without a bundler: serve dist/${WASM_FILE} beside the module, or name its address: load(url)`,
  );
}

async function compileSource(source: WasmSource, onWaiting: (isWaiting: boolean) => void): Promise<WebAssembly.Module> {
  const { Request, Response } = globalThis;
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (Response && source instanceof Response) return compileResponse(source);
  if (typeof source === "string" || source instanceof URL || (Request && source instanceof Request)) return download(source, onWaiting);
  throw invalidOptions("load() takes a URL, a Request, a Response, bytes or a WebAssembly.Module.");
}

function toUploadError(error: unknown): UploadError {
  if (error instanceof UploadError) return error;
  if (isBlockedByPolicy(error)) {
    return new UploadError("internal", "The page's Content-Security-Policy doesn't let WebAssembly run.", {
      cause: error,
      hint: "Add 'wasm-unsafe-eval' to the policy's script-src.",
    });
  }
  const { kind } = error as Partial<LoadError>;
  if (kind === "damaged" || error instanceof WebAssembly.CompileError) {
    return new UploadError("internal", `The wasm of partway is damaged: ${messageOf(error)}`, {
      cause: error,
      hint: `Serve dist/${WASM_FILE} as it came in the package.`,
    });
  }
  return new UploadError("network", `The wasm of partway couldn't be loaded: ${messageOf(error)}`, {
    cause: error,
    hint:
      kind === "network"
        ? "Check the connection, and whether something blocks files that end in .wasm; the next upload tries again."
        : `Serve dist/${WASM_FILE} beside the module that imports partway, or name its address with load(url).`,
  });
}
