import assert from "node:assert/strict";
import { test } from "node:test";

import { UploadError, Uploader, core, failure, file, begun, planUploader } from "./harness.mjs";

const S3 = { name: "s3", bucket: "media", region: "r", key: "k", getCredentials: async () => ({}) };
const OFAUTH = { name: "ofauth", baseUrl: "/api" };
const ONLYMONSTER = { name: "onlymonster", baseUrl: "/api", accountId: "1001", exportType: "post" };
const APIFANSLY = { name: "apifansly", baseUrl: "/api", accountId: "2002" };
const FORM = { name: "form", url: "/api/upload" };
const PLAN = { name: "plan", open: async () => ({ parts: [] }) };

function refused(options) {
  try {
    new Uploader(options);
  } catch (error) {
    assert.ok(error instanceof UploadError, String(error));
    assert.equal(error.code, "invalid-options");
    assert.equal(error.retryable, false);
    assert.equal(error.name, "UploadError");
    return `${error.message} ${error.hint ?? ""}`;
  }
  assert.fail(`taken: ${JSON.stringify(options)}`);
}

test("every provider with its least options is taken", () => {
  for (const provider of [S3, OFAUTH, ONLYMONSTER, APIFANSLY, PLAN, FORM]) new Uploader({ provider });
});

test("every option is taken", () => {
  new Uploader({
    provider: {
      ...S3,
      endpoint: "https://s3.example",
      endpoints: ["http://127.0.0.1:1", "http://localhost:1"],
      forcePathStyle: true,
      key: () => "k",
      partSize: 5 * 2 ** 20,
      multipartThreshold: 1,
      headers: { "x-amz-meta-a": "b" },
      ifNoneMatch: true,
      checksum: "crc64nvme",
    },
    concurrency: 1,
    transport: "auto",
    retry: { attempts: 1, baseMs: 0, capMs: 0 },
    stallMs: 1000,
    integrity: "off",
    credentials: "omit",
    idempotencyKeys: false,
    accept: { types: [".mov"], maxBytes: { "video/*": 1 } },
    beforeRequest() {},
    mapUrl: (url) => url,
    trustedOrigins: ["https://a.example:8443"],
    fetch: async () => new Response(),
    workerUrl: "/assets/hash_worker.js",
    maxRate: 1,
    keepAwake: true,
  });
  new Uploader({
    provider: {
      ...FORM,
      method: "PUT",
      fields: () => ({ album: "7" }),
      fileField: "upload",
      headers: { "x-csrf-token": "t" },
      repeatable: true,
      parse: (reply) => ({ poll: reply.job }),
      job: () => ({ state: "completed" }),
      pollTimeoutMs: 1,
      pollIntervalMs: 1,
    },
  });
  new Uploader({ provider: OFAUTH, workerUrl: new URL("https://app.example/hash_worker.js") });
  new Uploader({ provider: OFAUTH, accept: false, concurrency: "auto" });
  new Uploader({ provider: OFAUTH, accept: { maxBytes: 0 }, concurrency: undefined });
  new Uploader({ provider: { ...OFAUTH, vaultUpload: { mode: "message", userId: null } } });
  new Uploader({ provider: { ...ONLYMONSTER, requestsPerSecond: 0.5, exportFanId: "1", fanLink: "https://example.com/x" } });
});

for (const [what, options, pattern] of [
  ["nothing", undefined, /The options are missing\./],
  ["a list", [], /an array/],
  ["no provider", {}, /provider is missing/],
  ["a provider by name only", { provider: "s3" }, /provider must be an object, but is a string/],
  ["an unknown provider", { provider: { name: "ofaut" } }, /"ofaut".*Did you mean "ofauth"/],
  ["a provider without a name", { provider: {} }, /provider\.name is missing\. Write name: "/],
  ["a name out of the prototype", { provider: { name: "toString" } }, /provider\.name must be one of/],
  ["a misspelt option", { provider: PLAN, concurency: 2 }, /concurency is not an option.*mean concurrency/],
  ["an option of one provider beside it", { bucket: "media", provider: { name: "s3" } }, /^bucket is not an option\. It belongs in the provider: \{ name: "s3", bucket \}\.$/],
  ["an option of several providers beside it", { provider: PLAN, baseUrl: "/x" }, /^baseUrl is .* It belongs in the provider: \{ name: "ofauth" or "onlymonster" or "apifansly", baseUrl \}\.$/],
  ["a provider's options without it", { name: "plan", open() {} }, /^name is .* It belongs in the provider: \{ name: "ofauth" or .* or "form" \}\.$/],
  ["an option of a provider within another", { provider: PLAN, retry: { bucket: 1 } }, /retry\.bucket is not an option\. Known here/],
  ["an option in the wrong case", { provider: { ...OFAUTH, baseURL: "/x" } }, /provider\.baseURL is not an option.*mean provider\.baseUrl/],
  ["an option of another provider", { provider: { ...OFAUTH, exportType: "post" } }, /provider\.exportType is not an option.*Known here/],
  ["a nested misspelt one", { provider: PLAN, retry: { attempt: 3 } }, /retry\.attempt is not an option.*retry\.attempts/],
  ["null", { provider: PLAN, retry: null }, /retry must be an object, but is null/],
  ["no whole number", { provider: PLAN, concurrency: 1.5 }, /concurrency must be a whole number from 1 to 256, but is 1\.5/],
  ["no slot", { provider: PLAN, concurrency: 0 }, /but is 0/],
  ["NaN", { provider: PLAN, stallMs: NaN }, /but is NaN/],
  ["no attempt", { provider: PLAN, retry: { attempts: 0 } }, /retry\.attempts/],
  ["a cap below the base", { provider: PLAN, retry: { baseMs: 5, capMs: 4 } }, /retry\.capMs must not be less/],
  ["no transport", { provider: PLAN, transport: "http" }, /transport must be one of "auto", "fetch", "xhr", but is "http"/],
  ["no integrity", { provider: PLAN, integrity: true }, /integrity must be one of .* but is a boolean/],
  ["fetch beside xhr", { provider: PLAN, transport: "xhr", fetch }, /exclude each other/],
  ["fetch that is none", { provider: PLAN, fetch: {} }, /fetch must be a function, but is an object/],
  ["a hook that is none", { provider: PLAN, beforeRequest: "x" }, /beforeRequest must be a function/],
  ["accept: true", { provider: PLAN, accept: true }, /accept must be an object/],
  ["types that are no list", { provider: PLAN, accept: { types: "video/*" } }, /accept\.types must be an array/],
  ["an extension without its dot", { provider: PLAN, accept: { types: ["image/*", "png"] } }, /accept\.types\[1\] is "png"/],
  ["a type that is none", { provider: PLAN, accept: { types: ["video/*", 3] } }, /accept\.types\[1\] must be a string, but is a number/],
  [
    "bytes that are text",
    { provider: PLAN, accept: { maxBytes: { "video/*": "1" } } },
    /accept\.maxBytes\["video\/\*"\] must be a whole number/,
  ],
  ["negative bytes", { provider: PLAN, accept: { maxBytes: -1 } }, /but is -1/],
  ["an origin with a path", { provider: PLAN, trustedOrigins: ["https://a.example/"] }, /trustedOrigins\[0\] must be an origin/],
  ["a rate of nothing", { provider: PLAN, maxRate: 0 }, /maxRate must be a whole number from 1 to/],
  ["a rate as text", { provider: PLAN, maxRate: "1 MB/s" }, /maxRate must be a whole number from 1 .*, but is a string/],
  ["a wish to stay awake that is neither", { provider: PLAN, keepAwake: "screen" }, /keepAwake must be true or false/],
  ["a worker's address that is none", { provider: PLAN, workerUrl: "https://" }, /workerUrl must be a URL.*hash_worker\.js/],
  ["a worker's address of another type", { provider: PLAN, workerUrl: true }, /workerUrl must be a string/],
  ["an origin that is none", { provider: PLAN, trustedOrigins: ["a.example"] }, /must be an origin/],
  ["a scope that is none", { provider: PLAN, resume: { scope: 7 } }, /resume\.scope must be a string, but is a number/],
  ["no bucket", { provider: { ...S3, bucket: undefined } }, /provider\.bucket is missing/],
  ["an empty region", { provider: { ...S3, region: " " } }, /provider\.region must not be empty/],
  ["a region that can't be signed", { provider: { ...S3, region: "eu west" } }, /provider\.region must have letters.*"eu west".*us-east-1/],
  ["a key that is too long", { provider: { ...S3, key: "\u00e9".repeat(513) } }, /provider\.key must have at most 1024 bytes/],
  ["a key with dots that browsers resolve", { provider: { ...S3, key: "a/../b" } }, /provider\.key must not have a segment/],
  [
    "a host without a scheme",
    { provider: { ...S3, endpoint: "s3.example" } },
    /provider\.endpoint must be a whole URL, but is "s3\.example"/,
  ],
  [
    "a host in the list without a scheme",
    { provider: { ...S3, endpoints: ["s3.example"] } },
    /provider\.endpoints\[0\] must be a whole URL/,
  ],
  ...["ab", "Bucket", "-bucket", "bucket.", "buc..ket", "buc/ket", "bucket\n", "b".repeat(64)].map((bucket) => [
    `the bucket ${JSON.stringify(bucket)} at AWS`,
    { provider: { ...S3, bucket } },
    /provider\.bucket must be the name of a bucket, but is ".*3 to 63/,
  ]),
  ...["https://s3.us-east-1.amazonaws.com", "HTTPS://S3.AMAZONAWS.COM", "https://s3.cn-north-1.amazonaws.com.cn:443/"].map((endpoint) => [
    `a bucket that ${endpoint} doesn't take`,
    { provider: { ...S3, bucket: "a_b_c", endpoints: ["https://s3.example", endpoint] } },
    /provider\.bucket must be the name of a bucket, but is "a_b_c"/,
  ]),
  ...["..", "a/b", "a b", "a?b", "a\nb", "a%2fb", "b\u00fccket", "b".repeat(256)].map((bucket) => [
    `the bucket ${JSON.stringify(bucket)} at another store`,
    { provider: { ...S3, endpoint: "https://s3.example", bucket } },
    /provider\.bucket must be the name of a bucket, but is ".*at most 255/,
  ]),
  [
    "a bucket that can't be part of a host name",
    { provider: { ...S3, endpoint: "https://s3.example", bucket: "My_Bucket", forcePathStyle: false } },
    /provider\.bucket must fit into a host name.*"My_Bucket".*forcePathStyle to true/,
  ],
  ...["Authorization", "host", "x-amz-security-token", "x-amz-meta-", "x-amz-meta-a b", "x-amz-meta-\u212a", ""].map((name) => [
    `the header ${JSON.stringify(name)}`,
    { provider: { ...S3, headers: { [name]: "x" } } },
    /provider\.headers must have an object's headers, but has ".*Allowed are/,
  ]),
  ...["\u00fc", "a\nb: c", "\u007f"].map((value) => [
    `the header's value ${JSON.stringify(value)}`,
    { provider: { ...S3, headers: { "x-amz-meta-a": value } } },
    /provider\.headers\["x-amz-meta-a"\] must be printable ASCII, but has other characters.*encodeURIComponent/,
  ]),
  [
    "a header twice",
    { provider: { ...S3, headers: { "x-amz-meta-a": "1", "X-Amz-Meta-A": "2" } } },
    /each header once, but has x-amz-meta-a twice/,
  ],
  [
    "a part beyond S3's most",
    { provider: { ...S3, partSize: 5 * 2 ** 30 + 1 } },
    /provider\.partSize must be .* 5368709120, but is 5368709121/,
  ],
  [
    "a threshold beyond S3's most",
    { provider: { ...S3, multipartThreshold: 6 * 2 ** 30 } },
    /provider\.multipartThreshold must be .* to 5368709120/,
  ],
  ["no credentials", { provider: { ...S3, getCredentials: undefined } }, /provider\.getCredentials is missing/],
  ["no key", { provider: { ...S3, key: undefined } }, /provider\.key is missing/],
  ["a part below S3's least", { provider: { ...S3, partSize: 1024 } }, /provider\.partSize must be a whole number from 5242880/],
  [
    "a header that is a number",
    { provider: { ...S3, headers: { "x-amz-meta-a": 1 } } },
    /provider\.headers\["x-amz-meta-a"\] must be a string/,
  ],
  ["credentials that are no function", { provider: { ...S3, getCredentials: {} } }, /provider\.getCredentials must be a function/],
  ["no account", { provider: { ...ONLYMONSTER, accountId: undefined } }, /provider\.accountId is missing/],
  ["an account as a number", { provider: { ...ONLYMONSTER, accountId: 1001 } }, /must be a string, but is a number.*quotes/],
  ...["", "01", "-1", "1.5", "12a", "../2", "99999999999999999999", "1\n"].map((accountId) => [
    `the account ${JSON.stringify(accountId)}`,
    { provider: { ...ONLYMONSTER, accountId } },
    accountId ? /at most 19 digits, as text, but is ".*own `id`/ : /accountId must not be empty/,
  ]),
  ...[0, -0.5, 0.001, 1001, NaN, "1"].map((requestsPerSecond) => [
    `${requestsPerSecond} (${typeof requestsPerSecond}) calls a second`,
    { provider: { ...ONLYMONSTER, requestsPerSecond } },
    /provider\.requestsPerSecond must be a number from 0\.01 to 1000, but is /,
  ]),
  ["an empty account", { provider: { ...APIFANSLY, accountId: "" } }, /provider\.accountId must not be empty/],
  ["no account of apifansly's", { provider: { ...APIFANSLY, accountId: undefined } }, /provider\.accountId is missing/],
  ...[0, 86_400_001, 1.5].map((pollIntervalMs) => [
    `a poll after ${pollIntervalMs} ms`,
    { provider: { ...APIFANSLY, pollIntervalMs } },
    /provider\.pollIntervalMs must be a whole number from 1 to 86400000, but is /,
  ]),
  ["no address of a form's", { provider: { ...FORM, url: undefined } }, /provider\.url is missing/],
  ["an empty address of a form's", { provider: { ...FORM, url: " " } }, /provider\.url must not be empty/],
  ["another method", { provider: { ...FORM, method: "GET" } }, /provider\.method must be one of "POST", "PUT", but is "GET"/],
  ["a field that is a number", { provider: { ...FORM, fields: { album: 7 } } }, /provider\.fields\["album"\] must be a string, but is a number/],
  ["fields that are a list", { provider: { ...FORM, fields: ["a"] } }, /provider\.fields must be an object, but is an array/],
  ["a header that is a number", { provider: { ...FORM, headers: { a: 7 } } }, /provider\.headers\["a"\] must be a string/],
  ["an empty name of the file's field", { provider: { ...FORM, fileField: "" } }, /provider\.fileField must not be empty/],
  ["parse that is no function", { provider: { ...FORM, parse: "json" } }, /provider\.parse must be a function, but is a string/],
  ["job that is no function", { provider: { ...FORM, job: {} } }, /provider\.job must be a function, but is an object/],
  ["repeatable as text", { provider: { ...FORM, repeatable: "yes" } }, /provider\.repeatable must be true or false/],
  ["two swapped letters", { provider: { name: "plan", opne() {} } }, /provider\.opne is not an option\. Did you mean provider\.open\?/],
  ["a misspelt option of a form's", { provider: { ...FORM, field: {} } }, /provider\.field is not an option\. Did you mean provider\.fields/],
  ...[0, 86_400_001, 1.5].map((pollIntervalMs) => [
    `a form's poll after ${pollIntervalMs} ms`,
    { provider: { ...FORM, pollIntervalMs } },
    /provider\.pollIntervalMs must be a whole number from 1 to 86400000, but is /,
  ]),
  ["no such export", { provider: { ...ONLYMONSTER, exportType: "story" } }, /"post", "message", but is "story"/],
  ["an input without a value", { provider: { ...APIFANSLY, formInputs: [{ type: 1 }] } }, /provider\.formInputs\[0\]\.value is missing/],
  [
    "no such vault mode",
    { provider: { ...OFAUTH, vaultUpload: { mode: "post" } } },
    /provider\.vaultUpload\.mode must be one of "message"/,
  ],
  ["a plan that isn't opened", { provider: { name: "plan" } }, /provider\.open is missing/],
  ["neither a proxy nor a key", { provider: { name: "ofauth" } }, /provider\.baseUrl is missing.*proxy/],
  [
    "a key without the word",
    { provider: { ...OFAUTH, apiKey: "secret-1" } },
    /provider\.apiKey would be readable.*dangerouslyExposeSecrets/,
  ],
  ["a token without the word", { provider: { ...ONLYMONSTER, token: "secret-1" } }, /provider\.token would be readable/],
  [
    "a key with a no",
    { provider: { ...APIFANSLY, apiKey: "secret-1", dangerouslyExposeSecrets: false } },
    /provider\.apiKey would be readable/,
  ],
  [
    "a key that is no text",
    { provider: { ...OFAUTH, apiKey: 12345, dangerouslyExposeSecrets: true } },
    /provider\.apiKey must be a string, but is a number/,
  ],
]) {
  test(`refused: ${what}`, () => assert.match(refused(options), pattern));
}

test("a message never holds a secret", () => {
  assert.doesNotMatch(refused({ provider: { ...OFAUTH, apiKey: "secret-1" } }), /secret-1/);
  assert.doesNotMatch(refused({ provider: { ...OFAUTH, apiKey: 12345, dangerouslyExposeSecrets: true } }), /12345/);
});

test("a key with the word is taken, with a proxy or without", () => {
  new Uploader({ provider: { name: "ofauth", apiKey: "k", dangerouslyExposeSecrets: true } });
  new Uploader({ provider: { ...APIFANSLY, apiKey: "k", dangerouslyExposeSecrets: true } });
});

test("the core gets what was checked, whatever becomes of the object", async () => {
  const options = { provider: { ...PLAN }, concurrency: 3 };
  core.forget();
  const uploader = new Uploader(options);
  options.concurrency = 0;
  options.provider.name = "gone";
  await begun(uploader);
  assert.equal(core.engines[0].options.concurrency, 3);
  assert.equal(core.tasks[0].provider.name, "plan");
});

test("functions keep the object that they were given in, also a private one", async () => {
  class Backend {
    name = "plan";
    #base = "/plan";
    async open() {
      return this.#base;
    }
  }
  core.forget();
  await begun(new Uploader({ provider: new Backend() }));
  const { open } = core.tasks[0].provider;
  assert.equal(await open(), "/plan");
});

test("fetch is called without a this, as the browser's own wants it", async () => {
  let seen = "not called";
  await begun(
    planUploader({
      fetch() {
        seen = this;
      },
    }),
  );
  core.engines[0].options.fetch("/x");
  assert.equal(seen, undefined);
});

test("settings of one file lie over the uploader's, undefined ones don't", async () => {
  core.forget();
  const uploader = new Uploader({ provider: { ...ONLYMONSTER, exportFanId: "1" } });
  await begun(uploader, file(), { provider: { exportType: "message", exportFanId: undefined } });
  assert.equal(core.tasks[0].provider.exportType, "message");
  assert.equal(core.tasks[0].provider.exportFanId, "1");
  assert.equal(core.tasks[0].provider.accountId, "1001");
});

for (const [what, picked, options, pattern] of [
  ["a path", "a.mp4", {}, /takes a File, a Blob or a FileSystemFileHandle/],
  ["a FileList", { length: 1, 0: {} }, {}, /input\.files/],
  ["null options", file(), null, /must be an object, but is null/],
  ["a misspelt option", file(), { onprogress() {} }, /onprogress is not an option.*onProgress/],
  ["a provider's option beside it", file(), { key: "k" }, /^key is not an option\. It belongs in the provider: \{ name: "s3", key \}\.$/],
  ["a callback that is none", file(), { onError: true }, /onError must be a function/],
  ["a controller", file(), { signal: new AbortController() }, /signal must be an AbortSignal/],
  ["a priority that is none", file(), { priority: NaN }, /priority must be a number from/],
  ["a priority as text", file(), { priority: "high" }, /priority must be a number from .*, but is a string/],
  ["an empty name", file(), { filename: "" }, /filename must not be empty/],
  ["settings of the wrong shape", file(), { provider: { open: 5 } }, /provider\.open must be a function, but is a number/],
  ["a wrong setting", file(), { provider: { ppen() {} } }, /provider\.ppen is not an option.*provider\.open/],
  ["another provider", file(), { provider: { name: "s3" } }, /second Uploader/],
  ["settings that are none", file(), { provider: [] }, /provider must be an object, but is an array/],
]) {
  test(`rejected by done, not thrown: ${what}`, async () => {
    const upload = planUploader().upload(picked, options);
    const error = await failure(upload);
    assert.equal(error.code, "invalid-options");
    assert.match(`${error.message} ${error.hint ?? ""}`, pattern);
    assert.equal(upload.status, "failed");
    assert.equal(core.tasks.length, 0);
  });
}

test("settings of one file are judged together with the uploader's, before the engine sees them", async () => {
  core.forget();
  const uploader = new Uploader({ provider: { ...S3, endpoint: "https://s3.example", bucket: "My_Bucket" } });
  for (const [settings, pattern] of [
    [{ forcePathStyle: false }, /provider\.bucket must fit into a host name/],
    [{ endpoint: "https://s3.amazonaws.com" }, /provider\.bucket must be the name of a bucket/],
    [{ headers: { host: "evil.example" } }, /provider\.headers must have an object's headers/],
    [{ partSize: 1 }, /provider\.partSize must be/],
  ]) {
    const error = await failure(uploader.upload(file(), { provider: settings }));
    assert.equal(error.code, "invalid-options");
    assert.match(error.message, pattern);
  }
  assert.equal(core.tasks.length, 0);
});
