import { boolean, either, filled, kind, list, method, nullable, number, object, oneOf, record, shape, string } from "./check.js";
import { invalid } from "./error.js";
import { nearest } from "./suggest.js";

const MIB = 1024 * 1024;
/** AWS S3 User Guide, "Multipart upload limits": a part and a single PUT have 5 GiB at most; a part but the last 5 MiB at least. */
const MOST_AT_ONCE = 5 * 1024 * MIB;
const LEAST_PART = 5 * MIB;

/** Onlymonster's own pattern for `account_id`. */
function onlymonsterAccount(value, at) {
  if (!/^(0|[1-9]\d{0,18})$/.test(id(value, at))) throw invalid(`${at} must be a whole number of at most 19 digits, as text.`);
  return value;
}

/** Ids are text: a number loses digits beyond 2^53. */
function id(value, at) {
  if (typeof value === "number")
    throw invalid(`${at} must be a string, but is a number.`, "Write it in quotes: numbers beyond 2^53 lose digits.");
  return filled(value, at);
}

function url(value, at) {
  if (!/^https?:\/\/[^/]/i.test(filled(value, at))) throw invalid(`${at} must be a whole URL.`, "For example https://s3.example.com.");
  return value;
}

/** A vendor's key in a page is a key given away, so it takes a word of its own; and without a proxy there is no way but such a key. */
function proxied(keyName) {
  return (provider, at) => {
    if (provider.dangerouslyExposeSecrets) return;
    if (provider[keyName] !== undefined) {
      throw invalid(
        `${at}.${keyName} would be readable by everyone who opens the page.`,
        `Let a proxy add it and give its address as ${at}.baseUrl; for a trial, set ${at}.dangerouslyExposeSecrets to true.`,
      );
    }
    if (provider.baseUrl === undefined) {
      throw invalid(
        `${at}.baseUrl is missing.`,
        'Give the address of your proxy, which adds the vendor\'s key: "/api/uploads", for example.',
      );
    }
  };
}

const vendor = { name: string, baseUrl: filled, dangerouslyExposeSecrets: boolean };

const SHAPES = {
  ofauth: shape(
    {
      ...vendor,
      connectionId: id,
      vaultUpload: shape({ mode: oneOf("message"), userId: nullable(id) }),
      skipExisting: boolean,
      apiKey: filled,
    },
    { rule: proxied("apiKey") },
  ),
  onlymonster: shape(
    {
      ...vendor,
      accountId: onlymonsterAccount,
      exportType: oneOf("post", "message"),
      exportFanId: id,
      fanLink: filled,
      pollTimeoutMs: number({ min: 1 }),
      stuckAfterMs: number({ min: 1 }),
      requestsPerSecond: number({ min: 0.01, max: 1000, whole: false }),
      stripEtagQuotes: boolean,
      token: filled,
    },
    { required: ["accountId", "exportType"], rule: proxied("token") },
  ),
  apifansly: shape(
    {
      ...vendor,
      accountId: id,
      formInputs: list(shape({ type: number(), value: string }, { required: ["type", "value"] })),
      pollTimeoutMs: number({ min: 1 }),
      apiKey: filled,
    },
    { required: ["accountId"], rule: proxied("apiKey") },
  ),
  s3: shape(
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
  ),
  plan: shape({ name: string, open: method, sign: method, list: method, complete: method, abort: method }, { required: ["open"] }),
};

/** The provider that `name` says, with its own options. */
export function providerOptions(value, at) {
  const name = object(value, at).name;
  if (!Object.hasOwn(SHAPES, name)) {
    const names = Object.keys(SHAPES);
    const meant = typeof name === "string" && nearest(name, names);
    throw invalid(
      `${at}.name must be one of ${names.map((known) => JSON.stringify(known)).join(", ")}, but is ${typeof name === "string" ? JSON.stringify(name) : kind(name)}.`,
      meant ? `Did you mean ${JSON.stringify(meant)}?` : undefined,
    );
  }
  return SHAPES[name](value, at);
}
