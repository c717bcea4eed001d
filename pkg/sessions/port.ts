import { loadSessions } from "../entry.ts";
import { timeout } from "../util/timeout.ts";
import { currentLoad } from "../wasm/load.ts";
import { warnNotKept } from "./warning.ts";

type Sessions = Awaited<ReturnType<typeof loadSessions>>;

/** How long an upload waits for the module. (A choice: the wasm is twenty times as large, and its first attempt has twice the time.) */
const ARRIVAL_MS = 15_000;

let loading: Promise<Sessions | undefined> | undefined;
let isLoaded = false;

/** What keeps sessions, loaded when it is first needed; `undefined` where there is none, and then an upload goes on without. */
export function sessions(): Promise<Sessions | undefined> {
  if (!isAvailable()) return Promise.resolve(undefined);
  return (loading ??= loadOnline().catch((error: unknown) => {
    loading = undefined;
    warnNotKept(error);
    return undefined;
  }));
}

/** Whether sessions are at hand. Without network that may take any time. */
export function areSessionsLoaded(): boolean {
  return isLoaded;
}

/** Without locks two tabs might send one upload. A server has neither of these, and a page that isn't secure has no locks. */
function isAvailable(): boolean {
  return Boolean(globalThis.indexedDB && globalThis.navigator?.locks && globalThis.crypto?.subtle);
}

/**
 * The wasm's load, where there is one, waits for the network and tries again. An import does neither, and Chromium remembers one that
 * failed until the page is reloaded (whatwg/html#6768).
 */
async function loadOnline(): Promise<Sessions> {
  const wasm = currentLoad()?.catch(() => {});
  if (navigator.onLine === false) await wasm;
  return arrived().catch(async (error: unknown) => {
    if (!wasm) throw error;
    await wasm;
    return arrived();
  });
}

async function arrived(): Promise<Sessions> {
  const module = await timeout(loadSessions(), ARRIVAL_MS, () => new Error("dist/sessions.js didn't arrive in time"));
  isLoaded = true;
  return module;
}
