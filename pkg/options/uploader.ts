import type { UploaderOptions } from "partway";

import { invalidOptions } from "../api/errors.ts";
import { boolean, describe, detached, either, list, method, nonEmptyString, number, oneOf, options, orLiteral, record } from "./checks.ts";
import { checkProvider, placeInProvider } from "./provider.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

type Retry = NonNullable<UploaderOptions["retry"]>;
type Accept = Exclude<UploaderOptions["accept"], false | undefined>;
type Resume = Exclude<UploaderOptions["resume"], boolean | undefined>;

const retry = options<Retry>({
  optional: {
    attempts: number({ min: 1, max: 1000 }),
    baseMs: number({ max: DAY_MS }),
    capMs: number({ max: DAY_MS }),
  },
  rule({ baseMs = 0, capMs = Infinity }, path) {
    if (baseMs > capMs) throw invalidOptions(`${path}.capMs must not be less than ${path}.baseMs.`);
  },
});

const bytes = number();

/** A pattern as in `<input accept>`. */
function fileType(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (!/^\.|\/|^\*$/.test(text)) throw invalidOptions(`${path} is ${describe(text)}.`, `Write ".${text}", or a media type such as "image/${text}".`);
  return text;
}

const accept = options<Accept>({
  optional: {
    types: list(fileType),
    maxBytes: either((value) => typeof value === "number", bytes, record(bytes)),
  },
});

const resume = options<Resume>({ required: { scope: nonEmptyString }, optional: {} });

function origin(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  let parsed: string | undefined;
  try {
    parsed = new URL(text).origin;
  } catch {
    // It isn't a URL, and so no origin.
  }
  if (parsed !== text)
    throw invalidOptions(`${path} must be an origin.`, "Write scheme, host and port, and no path: https://uploads.example.");
  return text;
}

/** An address, relative to the page or whole. */
function address(value: unknown, path: string): string {
  if (value instanceof URL) return value.href;
  const text = nonEmptyString(value, path);
  try {
    new URL(text, "https://page.example");
  } catch {
    throw invalidOptions(`${path} must be a URL, but is ${describe(text)}.`, "Name where your server has dist/hash_worker.js of this package: /assets/hash_worker.js.");
  }
  return text;
}

const uploaderOptions = options<UploaderOptions>({
  required: { provider: checkProvider },
  optional: {
    concurrency: orLiteral("auto", number({ min: 1, max: 256 })),
    transport: oneOf("auto", "fetch", "xhr"),
    retry,
    stallMs: number({ min: 1, max: DAY_MS }),
    maxRate: number({ min: 1 }),
    keepAwake: boolean,
    integrity: oneOf("off", "auto", "require"),
    resume: either((value) => typeof value === "object", resume, boolean),
    credentials: oneOf("omit", "same-origin", "include"),
    idempotencyKeys: boolean,
    accept: orLiteral(false, accept),
    beforeRequest: method,
    transform: method,
    mapUrl: method,
    trustedOrigins: list(origin),
    fetch: detached,
    workerUrl: address,
  },
  place: placeInProvider,
  rule({ fetch, transport }) {
    if (fetch && transport === "xhr") {
      throw invalidOptions(
        'transport "xhr" and a fetch of your own exclude each other.',
        "Leave one of them out: with `fetch`, everything goes through it.",
      );
    }
  },
});

/** Checks the options of an `Uploader`, and copies them. */
export function checkUploaderOptions(given: unknown): UploaderOptions {
  return uploaderOptions(given, "");
}
