import { boolean, detached, either, filled, list, method, number, object, oneOf, record, shape, string } from "./check.js";
import { invalid } from "./error.js";
import { providerOptions } from "./provider.js";

const DAY_MS = 24 * 60 * 60 * 1000;

const retry = shape(
  { attempts: number({ min: 1, max: 1000 }), baseMs: number({ max: DAY_MS }), capMs: number({ max: DAY_MS }) },
  {
    rule({ baseMs, capMs }, at) {
      if (baseMs > capMs) throw invalid(`${at}.capMs must not be less than ${at}.baseMs.`);
    },
  },
);

const size = number();

const accept = either(
  (value) => value === false,
  (value) => value,
  shape({
    types: list(filled),
    maxBytes: either((value) => typeof value === "number", size, record(size)),
  }),
);

function origin(value, at) {
  let parsed;
  try {
    parsed = new URL(filled(value, at)).origin;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  if (parsed !== value) throw invalid(`${at} must be an origin.`, "Write scheme, host and port, and no path: https://uploads.example.");
  return value;
}

const uploaderOptions = shape(
  {
    provider: providerOptions,
    concurrency: either((value) => value === "auto", string, number({ min: 1, max: 256 })),
    transport: oneOf("auto", "fetch", "xhr"),
    retry,
    stallMs: number({ min: 1, max: DAY_MS }),
    integrity: oneOf("off", "auto", "require"),
    resume: either((value) => typeof value === "object", shape({ scope: filled }, { required: ["scope"] }), boolean),
    credentials: oneOf("omit", "same-origin", "include"),
    idempotencyKeys: boolean,
    accept,
    beforeRequest: method,
    mapUrl: method,
    trustedOrigins: list(origin),
    fetch: detached,
  },
  {
    required: ["provider"],
    rule({ fetch, transport }) {
      if (fetch && transport === "xhr") {
        throw invalid(
          'transport "xhr" and a fetch of your own exclude each other.',
          "Leave one of them out: with `fetch`, everything goes through it.",
        );
      }
    },
  },
);

/** Options of an `Uploader`, checked whole and copied, so that what was checked is what is used. */
export function checkUploaderOptions(options) {
  return uploaderOptions(options, "");
}

function signal(value, at) {
  if (typeof value?.addEventListener !== "function" || typeof value.aborted !== "boolean") throw invalid(`${at} must be an AbortSignal.`);
  return value;
}

const uploadOptions = shape({
  onProgress: method,
  onPart: method,
  onStatus: method,
  onComplete: method,
  onError: method,
  signal,
  filename: filled,
  contentType: string,
  provider: object,
});

/** Options of one upload; its `provider` is judged together with the uploader's, by `mergeProvider`. */
export function checkUploadOptions(options) {
  return uploadOptions(options, "");
}

/** The uploader's provider with one file's settings over it. */
export function mergeProvider(provider, settings) {
  if (!settings) return provider;
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const merged = { ...provider, ...given };
  if (merged.name !== provider.name) {
    throw invalid(
      `provider.name can't differ from the uploader's, ${JSON.stringify(provider.name)}.`,
      "Make a second Uploader for the other provider.",
    );
  }
  return providerOptions(merged, "provider");
}
