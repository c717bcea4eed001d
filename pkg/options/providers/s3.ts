import type { S3Provider } from "partway";

import { invalidOptions } from "../../api/errors.ts";
import {
  boolean,
  checked,
  describe,
  either,
  list,
  method,
  nonEmptyString,
  number,
  oneOf,
  options,
  record,
  string,
} from "../checks.ts";

const MIB = 1024 * 1024;
/** AWS S3 User Guide, "Multipart upload limits": a part and a single PUT have at most 5 GiB, and a part but the last at least 5 MiB. */
const MAX_PART_BYTES = 5 * 1024 * MIB;
const MIN_PART_BYTES = 5 * MIB;
/** AWS S3 User Guide, "Naming Amazon S3 objects": bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;
/** AWS S3 User Guide, "General purpose bucket naming rules". */
const AWS_BUCKET = /^(?!.*\.\.)[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;
/** Another store may take more: what a URL can hold. */
const ANY_BUCKET = /^(?!\.+$)[\w.-]{1,255}$/;
const AWS_ENDPOINT = /^https?:\/\/([^/:]*\.)?amazonaws\.com(\.cn)?([/:]|$)/i;
/** The headers of an object (AWS S3 API Reference, PutObject and CreateMultipartUpload). */
const OBJECT_HEADER =
  /^(cache-control|content-(disposition|encoding|language|type)|expires|x-amz-(acl|server-side-encryption(-aws-kms-key-id|-bucket-key-enabled|-context)?|storage-class|tagging|website-redirect-location|(meta|grant|object-lock)-[\w.-]+))$/i;

type KeyFunction = Exclude<S3Provider["key"], string>;

function url(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (!/^https?:\/\/[^/]/i.test(text))
    throw invalidOptions(`${path} must be a whole URL, but is ${describe(text)}.`, "For example https://s3.example.com.");
  return text;
}

/** The region is part of each signature. */
function region(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  if (!/^[\w.-]+$/.test(text))
    throw invalidOptions(
      `${path} must have letters, digits, dots, hyphens and underscores only, but is ${describe(text)}.`,
      'Name it as your store does: "us-east-1".',
    );
  return text;
}

function key(value: unknown, path: string): string {
  const text = nonEmptyString(value, path);
  // Not by a TextEncoder: the DOMs of test runners may have none.
  const bytes = new Blob([text]).size;
  if (bytes > MAX_KEY_BYTES) throw invalidOptions(`${path} must have at most ${MAX_KEY_BYTES} bytes, but has ${bytes}.`);
  if (text.split("/").some((segment) => segment === "." || segment === ".."))
    throw invalidOptions(`${path} must not have a segment "." or "..", which browsers take out of an address.`);
  return text;
}

function headers(value: unknown, path: string): Record<string, string> {
  const checked = record(string)(value, path);
  const names = new Set<string>();
  for (const [name, text] of Object.entries(checked)) {
    if (!OBJECT_HEADER.test(name)) {
      throw invalidOptions(
        `${path} must have an object's headers, but has ${describe(name)}.`,
        "Allowed are the content headers, cache-control, expires, and x-amz-meta-*, -acl, -grant-*, -tagging, -storage-class, -object-lock-*, -server-side-encryption.",
      );
    }
    const lower = name.toLowerCase();
    if (names.has(lower)) {
      throw invalidOptions(
        `${path} must have each header once, but has ${lower} twice.`,
        "Remove one of the two; names are the same in upper and lower case.",
      );
    }
    names.add(lower);
    if (!/^[ -~]*$/.test(text)) {
      throw invalidOptions(
        `${path}[${JSON.stringify(name)}] must be printable ASCII, but has other characters.`,
        "Encode it, with encodeURIComponent() for instance.",
      );
    }
  }
  return checked;
}

function bucketRule({ bucket, endpoint, endpoints, forcePathStyle }: S3Provider, path: string): void {
  const used = endpoints?.length ? endpoints : endpoint === undefined ? [] : [endpoint];
  const isAws = used.length === 0 || used.some((url) => AWS_ENDPOINT.test(url));
  if (!(isAws ? AWS_BUCKET : ANY_BUCKET).test(bucket)) {
    throw invalidOptions(
      `${path}.bucket must be the name of a bucket, but is ${describe(bucket)}.`,
      isAws
        ? "It has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit."
        : "It has at most 255 letters, digits, dots, hyphens and underscores, without a path.",
    );
  }
  if (forcePathStyle === false && /[A-Z_]/.test(bucket)) {
    throw invalidOptions(
      `${path}.bucket must fit into a host name where forcePathStyle is false, but is ${describe(bucket)}.`,
      "Set forcePathStyle to true, or leave it out.",
    );
  }
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
    headers,
    ifNoneMatch: boolean,
    checksum: oneOf("sha256", "crc64nvme"),
  },
  rule: bucketRule,
});
