import type * as Declared from "partway";
import type { Step, UploadErrorCode, UploadErrorDetails } from "partway";

import { messageOf } from "../util/message-of.ts";
import { RETRYABLE } from "./error-codes.ts";

export const DETAILS = ["step", "status", "partNumber", "vendor", "hint"] as const;

/** Shared by all copies of this module: each entry has its own, and so has the CommonJS build. */
const BRAND = Symbol.for("partway.UploadError");

/** What an upload's `done` rejects with, and what the constructor of `Uploader` throws. */
export class UploadError extends Error implements Declared.UploadError {
  declare readonly code: UploadErrorCode;
  declare readonly retryable: boolean;
  declare readonly step?: Step;
  declare readonly status?: number;
  declare readonly partNumber?: number;
  declare readonly vendor?: { code?: string; message?: string; requestId?: string };
  declare readonly hint?: string;

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== UploadError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }

  constructor(code: UploadErrorCode, message: string, details: UploadErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    for (const name of DETAILS) {
      // A detail that is missing is no property at all.
      if (details[name] !== undefined && details[name] !== null) (this as Record<string, unknown>)[name] = details[name];
    }
  }
}
/** The class needs a `name` of its own too: consoles show it, and a minifier removes it. */
for (const [owner, key, value] of [
  [UploadError, "name", "UploadError"],
  [UploadError.prototype, "name", "UploadError"],
  [UploadError.prototype, BRAND, true],
] as const) {
  Object.defineProperty(owner, key, { value, configurable: true, writable: owner !== UploadError });
}

/** An error as the engine and what keeps sessions report it: a plain object. The class comes with the face alone. */
export interface EngineError extends UploadErrorDetails {
  code: UploadErrorCode;
  message: string;
}

export function isEngineError(thrown: unknown): thrown is EngineError {
  const error = thrown as Partial<EngineError> | null | undefined;
  return typeof error?.code === "string" && typeof error.message === "string" && !(thrown instanceof Error);
}

/** Makes an `UploadError` of what the engine throws or reports. Anything that isn't an `EngineError` is a bug of this package. */
export function toUploadError(thrown: unknown): UploadError {
  if (thrown instanceof UploadError) return thrown;
  if (isEngineError(thrown)) {
    const { code, message, cause, ...details } = thrown;
    if (code === "invalid-options") return invalidOptions(message, details.hint, details);
    return new UploadError(code, message, cause === undefined ? details : { ...details, cause });
  }
  return new UploadError("internal", `Internal error in partway: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: "This is a bug of partway, not of your code; `cause` has the details. The next upload resumes the kept session.",
  });
}

/**
 * Its stack begins with message and hint where stacks begin with a message (V8): this error is thrown by a constructor, and a console
 * shows its stack.
 */
export function invalidOptions(message: string, hint?: string, details?: UploadErrorDetails): UploadError {
  const error = new UploadError("invalid-options", hint ? `${message} ${hint}` : message, { ...details, hint });
  // V8 makes the stack when it is first read.
  void error.stack;
  error.message = message;
  return error;
}

export function cancelled(message: string, cause?: unknown): UploadError {
  return new UploadError("cancelled", message, cause === undefined ? {} : { cause });
}

/** The error of every upload that was running in the engine when it crashed. */
export function crashed(cause: unknown): UploadError {
  return new UploadError("internal", `The upload engine crashed: ${messageOf(cause)}`, {
    cause,
    hint: "The page can continue: the next upload gets a new engine, and resumes the kept session. Whether the last request took effect isn't known.",
  });
}
