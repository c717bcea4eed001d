import { UploadError, toUploadError } from "../api/errors.ts";
import { WASM_FILE } from "../entry.ts";
import { listenToPage } from "../util/page-events.ts";
import { version } from "../util/version.ts";
import { type WasmSource, compile } from "./compile.ts";
import { notifyPageEvent, wasmVersion } from "./glue.ts";
import { startInstance, whileAlive } from "./instance.ts";
import { noteEngine } from "./one-engine.ts";

/** Gets `true` when loading has to wait for the network or for a server, and `false` when that is over. */
type WaitListener = (isWaiting: boolean) => void;

let loading: Promise<void> | undefined;
/** The uploads that need the wasm, and whether it is waited for. */
const waitListeners = new Set<WaitListener>();
let isWaiting = false;

/** Loads the wasm, once. A load that failed may be tried again. */
export function load(source?: WasmSource): Promise<void> {
  loading ??= loadOnce(source).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** The load that is under way, or that succeeded. */
export function currentLoad(): Promise<void> | undefined {
  return loading;
}

/** Loads the wasm for an upload, which gets to know when the network or a server is waited for. */
export async function loadForUpload(onWaiting: WaitListener): Promise<void> {
  waitListeners.add(onWaiting);
  if (isWaiting) onWaiting(true);
  try {
    await load();
  } finally {
    waitListeners.delete(onWaiting);
  }
}

function setWaiting(now: boolean): void {
  isWaiting = now;
  for (const listener of waitListeners) listener(now);
}

async function loadOnce(source: WasmSource | undefined): Promise<void> {
  const module = await compile(source, setWaiting);
  let found: string;
  try {
    await startInstance(module);
    found = wasmVersion();
  } catch (error) {
    throw error instanceof WebAssembly.LinkError ? otherRelease(error.message, { cause: error }) : toUploadError(error);
  }
  if (found !== version) throw otherRelease(`its version is ${found}`);
  noteEngine();
  listenToPage((isOnline) => whileAlive(() => notifyPageEvent(isOnline)));
}

function otherRelease(what: string, details?: { cause: Error }): UploadError {
  return new UploadError("internal", `This wasm doesn't belong to partway ${version}: ${what}`, {
    ...details,
    hint: `Serve dist/${WASM_FILE} of the same release as the JavaScript; a cache may still hold an older one.`,
  });
}
