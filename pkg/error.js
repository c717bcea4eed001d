/** Codes where the same `upload(file)` may well succeed later. */
const RETRYABLE = new Set([
  "rate-limited",
  "session-expired",
  "url-expired",
  "integrity-mismatch",
  "network",
  "stalled",
  "server",
  "processing-failed",
  "processing-timeout",
  "already-running",
  "internal",
]);

const DETAILS = ["step", "status", "partNumber", "vendor", "hint"];

/** One for all copies of this module: each entry has its own, and so has the CommonJS build. */
const BRAND = Symbol.for("partway.UploadError");

/** What an upload's `done` rejects with, and what the constructor of `Uploader` throws. */
export class UploadError extends Error {
  static [Symbol.hasInstance](value) {
    if (this !== UploadError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }

  constructor(code, message, details = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    for (const name of DETAILS) {
      if (details[name] !== undefined && details[name] !== null) this[name] = details[name];
    }
  }
}
/** Its own name too: a minifier takes it away, and consoles show it. */
for (const [owner, key, value] of [
  [UploadError, "name", "UploadError"],
  [UploadError.prototype, "name", "UploadError"],
  [UploadError.prototype, BRAND, true],
]) {
  Object.defineProperty(owner, key, { value, configurable: true, writable: owner !== UploadError });
}

/** An `UploadError` from what the wasm throws or reports: a plain object with its fields. Anything else is a fault of ours. */
export function toUploadError(thrown) {
  if (thrown instanceof UploadError) return thrown;
  if (typeof thrown?.code === "string" && typeof thrown.message === "string" && !(thrown instanceof Error)) {
    const { code, message, cause, ...details } = thrown;
    return new UploadError(
      code,
      code === "invalid-options" ? whole(message, details.hint) : message,
      cause === undefined ? details : { ...details, cause },
    );
  }
  return new UploadError("internal", `Something inside partway went wrong: ${thrown?.message ?? thrown}`, {
    cause: thrown,
    hint: "Nothing in your code needs to change. `cause` has what happened; the next upload begins with what was kept.",
  });
}

/** Carries its hint in the message too: a constructor throws it, and nobody looks at the members then. */
export function invalid(message, hint) {
  return new UploadError("invalid-options", whole(message, hint), { hint });
}

function whole(message, hint) {
  return hint ? `${message} ${hint}` : message;
}

export function cancelled(message, cause) {
  return new UploadError("cancelled", message, cause === undefined ? {} : { cause });
}

/** For every upload that was inside the wasm when it died. */
export function crashed(cause) {
  return new UploadError("internal", `The upload engine crashed: ${cause?.message ?? cause}`, {
    cause,
    hint: "The page is all right: the next upload gets a fresh engine, and goes on with what was kept. Whether the last request took effect is not known.",
  });
}
