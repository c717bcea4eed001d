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

export const s3 = shape(
  {
    name: string,
    bucket: filled,
    region: filled,
    endpoint: url,
    endpoints: list(url),
    forcePathStyle: boolean,
    key: either((value) => typeof value === "function", method, filled),
    getCredentials: method,
    partSize: number({ min: LEAST_PART, max: MOST_AT_ONCE }),
    multipartThreshold: number({ min: 1, max: MOST_AT_ONCE }),
    headers: record(string),
    ifNoneMatch: boolean,
  },
  { required: ["bucket", "region", "key", "getCredentials"] },
);
