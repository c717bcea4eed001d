import { absolute } from "./place.js";

/** The engine's defaults (src/settings.rs): attempts in all, the first wait at most, and no wait longer. */
const ATTEMPTS = 8;
const BASE_MS = 500;
const CAP_MS = 30_000;
/** A file that came damaged so often is damaged where it is served. (A choice.) */
const DAMAGED_ATTEMPTS = 3;
/** The first attempt's deadline. Each further one has twice as long: a slow line must get there. (A choice.) */
const DEADLINE_MS = 30_000;
/** `navigator.onLine` may be false wrongly: a request is tried anyway after so long, then after twice as long, up to the cap. (A choice.) */
const OFFLINE_MS = 5_000;
const OFFLINE_CAP_MS = 60_000;
/** A server's wish is granted up to five minutes, as by the engine (src/engine/retry.rs). */
const LONGEST_WISH_MS = 300_000;

/**
 * Why there is no module. `kind` says what it proves: "lost" is the network's doing and says nothing of the file, "busy" is a server
 * that may answer otherwise soon, "damaged" is wasm that doesn't compile, and "foreign" is an answer that is something else.
 */
export class LoadError extends Error {
  constructor(kind, message, { wish = 0, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.wish = wish;
  }
}

/**
 * Fetches the wasm from an address or a Request, as patiently as the engine sends its own requests, and compiles it. `onWaits` hears
 * true when the network or a server has to be waited for, and false when that is over. Rejects with a `LoadError`, or with the
 * browser's own error where WebAssembly may not run.
 */
export async function download(source, onWaits) {
  const address = absolute(String(source.url ?? source));
  const policy = watchPolicy(address);
  const failures = { all: 0, damaged: 0, offline: 0 };
  try {
    for (;;) {
      try {
        return await attempt(source, address, failures);
      } catch (error) {
        if (!(error instanceof LoadError) || error.kind === "foreign" || source.signal?.aborted) throw error;
        await untilNext(error, failures, onWaits);
        if (policy.refuses) throw foreign(`The page's Content-Security-Policy lets nothing be fetched from ${place(address)}.`, error);
      }
    }
  } finally {
    policy.stop();
  }
}

/** Waits before the next attempt; throws the error where there is none. */
async function untilNext(error, failures, onWaits) {
  if (error.kind === "lost" && globalThis.navigator?.onLine === false) {
    onWaits(true);
    await pause(Math.min(OFFLINE_MS * 2 ** failures.offline, OFFLINE_CAP_MS), true);
    failures.offline += 1;
    return onWaits(false);
  }
  failures.all += 1;
  if (error.kind === "damaged") failures.damaged += 1;
  if (failures.all === ATTEMPTS || failures.damaged === DAMAGED_ATTEMPTS || error.wish > LONGEST_WISH_MS) throw error;
  const jitter = Math.random() * Math.min(BASE_MS * 2 ** (failures.all - 1), CAP_MS);
  if (!error.wish) return pause(jitter, true);
  onWaits(true);
  await pause(error.wish + jitter, false);
  onWaits(false);
}

/** Where `wakes`, the network's return ends it. */
function pause(ms, wakes) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    if (wakes) globalThis.addEventListener?.("online", over);
  });
}

async function attempt(source, address, failures) {
  const stop = new AbortController();
  const deadline = DEADLINE_MS * 2 ** failures.all;
  const timer = setTimeout(() => stop.abort(new Error(`nothing came within ${deadline / 1000} s`)), deadline);
  source.signal?.addEventListener("abort", () => stop.abort(source.signal.reason), { signal: stop.signal });
  try {
    // A cache may hold what came damaged.
    const response = await fetch(source.clone?.() ?? source, { signal: stop.signal, ...(failures.damaged && { cache: "reload" }) });
    return await compileResponse(response, failures.all === 0);
  } catch (error) {
    if (error instanceof LoadError || isBlocked(error)) throw error;
    const message = `${place(address)} didn't arrive: ${error?.message ?? error}`;
    throw isLocal(address) ? foreign(message, error) : new LoadError("lost", message, { cause: error });
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** Compiles what a server answered. What fails while it `streams` is looked at byte by byte the next time. */
export async function compileResponse(response, streams = true) {
  const { status, headers } = response;
  const where = response.url ? place(response.url) : "the wasm";
  if (!response.ok) {
    const message = `The server answered ${status} for ${where}.`;
    throw status >= 500 || BUSY.has(status) ? new LoadError("busy", message, { wish: wishOf(headers) }) : foreign(message);
  }
  const type = headers.get("content-type") ?? "";
  if (streams && /^application\/wasm\b/i.test(type) && WebAssembly.compileStreaming) {
    return WebAssembly.compileStreaming(response).catch((error) => refuse(error, where));
  }
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength > MAGIC_LENGTH && !isWasm(bytes)) {
    throw foreign(`What the server gave for ${where} is not WebAssembly (${type || "no type"}).`);
  }
  return WebAssembly.compile(bytes).catch((error) => refuse(error, where));
}

/** RFC 9110, "Status Codes", and RFC 8470: answers of a server that wants to be asked again. */
const BUSY = new Set([408, 425, 429]);

function refuse(error, where) {
  if (!(error instanceof WebAssembly.CompileError) || isBlocked(error)) throw error;
  throw new LoadError("damaged", `${where} is damaged: ${error.message}`, { cause: error });
}

function foreign(message, cause) {
  return new LoadError("foreign", message, { cause });
}

/** Milliseconds that a server asked to wait: RFC 9110, "Retry-After", seconds or a date. */
function wishOf(headers) {
  const text = headers.get("retry-after");
  if (!text) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? text * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : 0;
}

/** Without the query, which may be a secret. */
function place(url) {
  return url.replace(/[?#].*/s, "");
}

/** No network is between the page and a file, an app's own files, or a Blob: what fails there fails again. */
function isLocal(address) {
  return /^(?!https?:)[a-z][a-z\d+.-]*:/i.test(address);
}

const MAGIC_LENGTH = 4;

/** WebAssembly Core Specification, binary format: every module begins with "\0asm". */
function isWasm(bytes) {
  return new DataView(bytes).getUint32(0) === 0x0061736d;
}

/** Each browser has an error of its own for this, a CompileError or an EvalError, that names the directive or the policy. A TypeError is from `fetch`. */
export function isBlocked(error) {
  return error instanceof Error && !(error instanceof TypeError) && /unsafe-eval|content security policy|\bCSP\b/i.test(error.message);
}

/** A policy's refusal looks like a network failure to `fetch`. The event says what it was; it may come a task later. */
function watchPolicy(address) {
  const policy = {
    refuses: false,
    stop: () => globalThis.removeEventListener?.("securitypolicyviolation", heard),
  };
  const heard = ({ disposition, blockedURI }) => {
    policy.refuses ||= disposition === "enforce" && blockedURI !== "" && address.startsWith(blockedURI);
  };
  globalThis.addEventListener?.("securitypolicyviolation", heard);
  return policy;
}
