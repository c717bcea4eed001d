import type { S3Provider } from "partway";

import { invalidOptions } from "../../api/errors.ts";
import { boolean, checked, either, list, method, nonEmptyString, number, options, record, string } from "../checks.ts";

const MIB = 1024 * 1024;
/** AWS S3 User Guide, "Multipart upload limits": a part and a single PUT have at most 5 GiB, and a part but the last at least 5 MiB. */
const MAX_PART_BYTES = 5 * 1024 * MIB;
const MIN_PART_BYTES = 5 * MIB;
/** AWS S3 User Guide, "Naming Amazon S3 objects": bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

type KeyFunction = Exclude<S3Provider["key"], string>;

function url(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (!/^https?:\/\/[^/]/i.test(text)) throw invalidOptions(`${path} must be a whole URL.`, "For example https://s3.example.com.");
  return text;
}

/** The region is part of each signature. */
function region(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (!/^[\w.-]+$/.test(text))
    throw invalidOptions(
      `${path} must have letters, digits, dots, hyphens and underscores only.`,
      'Name it as your store does: "us-east-1".',
    );
  return text;
}

function key(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (new TextEncoder().encode(text).length > MAX_KEY_BYTES) throw invalidOptions(`${path} must have at most ${MAX_KEY_BYTES} bytes.`);
  if (text.split("/").some((segment) => segment === "." || segment === ".."))
    throw invalidOptions(`${path} must not have a segment "." or "..", which browsers take out of an address.`);
  return text;
}

export const s3 = options<S3Provider>({
  required: {
    name: checked,
    bucket: nonEmptyString,
    region,
    key: either<KeyFunction, string>((value) => typeof value === "function", method, key),
    getCredentials: method,
  },
  optional: {
    endpoint: url,
    endpoints: list(url),
    forcePathStyle: boolean,
    partSize: number({ min: MIN_PART_BYTES, max: MAX_PART_BYTES }),
    multipartThreshold: number({ min: 1, max: MAX_PART_BYTES }),
    headers: record(string),
    ifNoneMatch: boolean,
  },
});
