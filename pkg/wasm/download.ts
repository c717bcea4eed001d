import { absoluteUrl } from "../util/absolute-url.ts";
import { messageOf } from "../util/message-of.ts";

/** The engine's defaults (src/settings.rs): attempts in all, the upper bound of the first wait, and of any wait. */
const ATTEMPTS = 8;
const BASE_MS = 500;
const CAP_MS = 30_000;
/** A file that arrived damaged this often is damaged where it is served. (A choice.) */
const DAMAGED_ATTEMPTS = 3;
/** The deadline of the first attempt. It doubles with each attempt, so that a slow connection gets there. (A choice.) */
const DEADLINE_MS = 30_000;
/** `navigator.onLine` may be false wrongly: a request is tried all the same after this time, which doubles up to the cap. (A choice.) */
const OFFLINE_MS = 5_000;
const OFFLINE_CAP_MS = 60_000;
/** The longest `Retry-After` that is waited for, as in the engine (src/engine/retry.rs). */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * What a failure proves. "network": no answer came, which says nothing of the file. "busy": the server may answer otherwise soon.
 * "damaged": the file is wasm that doesn't compile. "other": the answer is something else.
 */
type LoadErrorKind = "network" | "busy" | "damaged" | "other";

/** Why there is no module. */
export class LoadError extends Error {
  readonly kind: LoadErrorKind;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter: number;

  constructor(kind: LoadErrorKind, message: string, cause?: unknown, retryAfter = 0) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

interface Failures {
  all: number;
  damaged: number;
  offline: number;
}

/**
 * Fetches the wasm from an address or a Request, as patiently as the engine sends its own requests, and compiles it. `onWaiting` gets
 * `true` when the network or a server has to be waited for, and `false` when that is over. Rejects with a `LoadError`, or with the
 * browser's own error where WebAssembly may not run.
 */
export async function download(source: string | URL | Request, onWaiting: (isWaiting: boolean) => void): Promise<WebAssembly.Module> {
  const request = typeof source === "string" || source instanceof URL ? undefined : source;
  const address = absoluteUrl(request ? request.url : String(source));
  const policy = watchPolicy(address);
  const failures = { all: 0, damaged: 0, offline: 0 };
  try {
    for (;;) {
      try {
        return await attempt(request, address, failures);
      } catch (error) {
        if (!(error instanceof LoadError) || error.kind === "other" || request?.signal?.aborted) throw error;
        await backoff(error, failures, onWaiting);
        if (policy.refuses)
          throw otherAnswer(`The page's Content-Security-Policy doesn't allow fetching ${withoutQuery(address)}.`, error);
      }
    }
  } finally {
    policy.stop();
  }
}

/** Waits before the next attempt, or throws the error if there is none. */
async function backoff(error: LoadError, failures: Failures, onWaiting: (isWaiting: boolean) => void): Promise<void> {
  if (error.kind === "network" && globalThis.navigator?.onLine === false) {
    onWaiting(true);
    await pause(Math.min(OFFLINE_MS * 2 ** failures.offline, OFFLINE_CAP_MS), true);
    failures.offline += 1;
    return onWaiting(false);
  }
  failures.all += 1;
  if (error.kind === "damaged") failures.damaged += 1;
  const { retryAfter } = error;
  if (failures.all === ATTEMPTS || failures.damaged === DAMAGED_ATTEMPTS || retryAfter > MAX_RETRY_AFTER_MS) throw error;
  const jitter = Math.random() * Math.min(BASE_MS * 2 ** (failures.all - 1), CAP_MS);
  if (!retryAfter) return pause(jitter, true);
  onWaiting(true);
  await pause(retryAfter + jitter, false);
  onWaiting(false);
}

/** `endsOnline`: the event "online" ends the pause. */
function pause(ms: number, endsOnline: boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (endsOnline) globalThis.addEventListener?.("online", end);
  });
}

async function attempt(request: Request | undefined, address: string, failures: Failures): Promise<WebAssembly.Module> {
  const controller = new AbortController();
  const deadline = DEADLINE_MS * 2 ** failures.all;
  const timer = setTimeout(() => controller.abort(new Error(`nothing came within ${deadline / 1000} s`)), deadline);
  request?.signal?.addEventListener("abort", () => controller.abort(request.signal.reason), { signal: controller.signal });
  try {
    // A cache may hold the damaged file.
    const response = await fetch(request?.clone() ?? address, {
      signal: controller.signal,
      ...(failures.damaged && { cache: "reload" as const }),
    });
    return await compileResponse(response, failures.all === 0);
  } catch (error) {
    if (error instanceof LoadError || isBlockedByPolicy(error)) throw error;
    const message = `${withoutQuery(address)} didn't arrive: ${messageOf(error)}`;
    throw isLocal(address) ? otherAnswer(message, error) : new LoadError("network", message, error);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** RFC 9110, "Status Codes", and RFC 8470: answers besides 5xx after which the same request may succeed. */
const BUSY_STATUSES = new Set([408, 425, 429]);

/** Compiles what a server answered: while it arrives if `streams`, else after its bytes were looked at. */
export async function compileResponse(response: Response, streams = true): Promise<WebAssembly.Module> {
  const { status, headers } = response;
  const where = response.url ? withoutQuery(response.url) : "the wasm";
  if (!response.ok) {
    const message = `The server answered ${status} for ${where}.`;
    throw status >= 500 || BUSY_STATUSES.has(status)
      ? new LoadError("busy", message, undefined, readRetryAfter(headers))
      : otherAnswer(message);
  }
  const type = headers.get("content-type") ?? "";
  if (streams && /^application\/wasm\b/i.test(type) && WebAssembly.compileStreaming) {
    return WebAssembly.compileStreaming(response).catch((error: unknown) => rethrow(error, where));
  }
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength > MAGIC_LENGTH && !isWasm(bytes)) {
    throw otherAnswer(`The server's answer for ${where} is not WebAssembly (${type || "no type"}).`);
  }
  return WebAssembly.compile(bytes).catch((error: unknown) => rethrow(error, where));
}

function rethrow(error: unknown, where: string): never {
  if (!(error instanceof WebAssembly.CompileError) || isBlockedByPolicy(error)) throw error;
  throw new LoadError("damaged", `${where} is damaged: ${error.message}`, error);
}

function otherAnswer(message: string, cause?: unknown): LoadError {
  return new LoadError("other", message, cause);
}

/** Milliseconds that the server asked to wait. RFC 9110, "Retry-After": seconds or a date. */
function readRetryAfter(headers: Headers): number {
  const text = headers.get("retry-after");
  if (!text) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : 0;
}

/** The query may be a secret. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*/s, "");
}

/** No network is between the page and a file, an app's own files, or a Blob: what fails there fails again. */
function isLocal(address: string): boolean {
  return /^(?!https?:)[a-z][a-z\d+.-]*:/i.test(address);
}

const MAGIC_LENGTH = 4;

/** WebAssembly Core Specification, binary format: every module begins with "\0asm". */
function isWasm(bytes: ArrayBuffer): boolean {
  return new DataView(bytes).getUint32(0) === 0x0061736d;
}

/**
 * Whether a Content-Security-Policy forbids WebAssembly. Each browser has an error of its own for it, a CompileError or an EvalError,
 * which names the directive or the policy. A TypeError comes from `fetch`.
 */
export function isBlockedByPolicy(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) && /unsafe-eval|content security policy|\bCSP\b/i.test(error.message);
}

/** To `fetch` a policy's refusal looks like a failed network. The event tells them apart; it may come a task later. */
function watchPolicy(address: string): { refuses: boolean; stop(): void } {
  const policy = {
    refuses: false,
    stop: () => globalThis.removeEventListener?.("securitypolicyviolation", onViolation),
  };
  const onViolation = ({ disposition, blockedURI }: SecurityPolicyViolationEvent) => {
    policy.refuses ||= disposition === "enforce" && blockedURI !== "" && address.startsWith(blockedURI);
  };
  globalThis.addEventListener?.("securitypolicyviolation", onViolation);
  return policy;
}
