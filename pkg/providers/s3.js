import { boolean, either, filled, list, method, number, record, shape, string } from "../check.js";
import { invalid } from "../error.js";

const MIB = 1024 * 1024;
/** AWS S3 User Guide, "Multipart upload limits": a part and a single PUT have 5 GiB at most; a part but the last 5 MiB at least. */
const MOST_AT_ONCE = 5 * 1024 * MIB;
const LEAST_PART = 5 * MIB;

function url(value, at) {
  if (!/^https?:\/\/[^/]/i.test(filled(value, at))) throw invalid(`${at} must be a whole URL.`, "For example https://s3.example.com.");
  return value;
}

/** As it goes into each signature. */
function region(value, at) {
  if (!/^[\w.-]+$/.test(filled(value, at)))
    throw invalid(`${at} must have letters, digits, dots, hyphens and underscores only.`, 'Name it as your store does: "us-east-1".');
  return value;
}

/** AWS, "Naming Amazon S3 objects": at most 1024 bytes of UTF-8. Browsers take segments of dots out of an address. */
function key(value, at) {
  if (new TextEncoder().encode(filled(value, at)).length > 1024) throw invalid(`${at} must have at most 1024 bytes.`);
  if (value.split("/").some((segment) => segment === "." || segment === ".."))
    throw invalid(`${at} must not have a segment "." or "..", which browsers take out of an address.`);
  return value;
}

export const s3 = shape(
  {
    name: string,
    bucket: filled,
    region,
    endpoint: url,
    endpoints: list(url),
    forcePathStyle: boolean,
    key: either((value) => typeof value === "function", method, key),
    getCredentials: method,
    partSize: number({ min: LEAST_PART, max: MOST_AT_ONCE }),
    multipartThreshold: number({ min: 1, max: MOST_AT_ONCE }),
    headers: record(string),
    ifNoneMatch: boolean,
  },
  { required: ["bucket", "region", "key", "getCredentials"] },
);
