// Everything here must compile: the uses that the README teaches, and each option at least once.
import { load, Uploader, UploadError, version } from "partway";
import type {
  ApifanslyProvider,
  FileEntry,
  FileInfo,
  GroupOptions,
  GroupProgress,
  Meta,
  OfauthProvider,
  OnlymonsterProvider,
  OutgoingRequest,
  Progress,
  PlanProvider,
  Provider,
  S3Provider,
  SentPart,
  Step,
  UnfinishedUpload,
  Upload,
  UploadGroup,
  UploaderOptions,
  UploadErrorCode,
  UploadErrorDetails,
  UploadEvents,
  UploadOptions,
  UploadPlan,
  UploadResult,
  UploadResultOf,
  UploadStatus,
} from "partway";

declare const file: File;
declare const blob: Blob;
declare const handle: FileSystemFileHandle;
declare const module: WebAssembly.Module;

export async function minimal(): Promise<string | undefined> {
  const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api/ofauth" } });
  const upload = uploader.upload(file, { onProgress: (progress) => console.log(progress.fraction.toFixed(2)) });
  const { mediaUploadId } = await upload.done;
  return mediaUploadId;
}

export const everyOption: UploaderOptions = {
  provider: { name: "ofauth" },
  concurrency: "auto",
  transport: "fetch",
  retry: { attempts: 3, baseMs: 100, capMs: 1000 },
  stallMs: 10_000,
  integrity: "require",
  resume: { scope: "anna" },
  credentials: "include",
  idempotencyKeys: true,
  accept: { types: ["video/*", ".mov"], maxBytes: { "video/*": 5e9, "image/*": 50e6 } },
  async beforeRequest(request: OutgoingRequest) {
    const step: Step = request.step;
    request.headers.set("authorization", `Bearer ${step}`);
    request.url += "?trace=1";
  },
  mapUrl: (url, step) => (step === "part" ? url : url.replace("https://api.ofauth.com", "/api/ofauth")),
  trustedOrigins: ["https://uploads.example"],
  fetch: globalThis.fetch,
};
export const lenient: UploaderOptions = { provider: { name: "plan", open: async () => ({ parts: [] }) }, accept: false, concurrency: 12 };
export const limited: UploaderOptions = { ...everyOption, accept: { maxBytes: 1e9 }, resume: false };

export const providers: Provider[] = [
  {
    name: "ofauth",
    baseUrl: "/api/ofauth",
    connectionId: "conn_1",
    vaultUpload: { mode: "message", userId: null },
    skipExisting: false,
    apiKey: "k",
    dangerouslyExposeSecrets: true,
  },
  {
    name: "onlymonster",
    baseUrl: "/api/onlymonster",
    accountId: "1001",
    exportType: "message",
    exportFanId: "7",
    fanLink: "https://example.com/fan",
    pollTimeoutMs: 60_000,
    stuckAfterMs: 30_000,
    requestsPerSecond: 2.5,
    stripEtagQuotes: true,
    token: "t",
    dangerouslyExposeSecrets: true,
  },
  {
    name: "apifansly",
    baseUrl: "/api/apifansly",
    accountId: "2002",
    formInputs: [{ type: 1, value: "x" }],
    pollTimeoutMs: 60_000,
    apiKey: "k",
    dangerouslyExposeSecrets: true,
  },
  {
    name: "form",
    url: "/api/upload",
    method: "PUT",
    fields: async ({ name, size, type }) => ({ name, size: String(size), type }),
    fileField: "upload",
    headers: { "x-csrf-token": "t" },
    repeatable: true,
    parse: (reply: { job?: string; id: string }, { status, headers }) =>
      status === 202 ? { poll: reply.job } : { mediaId: reply.id, etag: headers.get("etag") ?? undefined },
    job: (reply: { done: boolean; percent: number }) => ({
      state: reply.done ? "completed" : "active",
      progress: reply.percent / 100,
      result: { media: reply },
    }),
    pollTimeoutMs: 60_000,
    pollIntervalMs: 500,
  },
  { name: "form", url: "/api/upload", fields: { album: "7" }, parse: (reply) => ({ media: reply }) },
  {
    name: "s3",
    bucket: "media",
    region: "eu-central-1",
    endpoint: "https://s3.example",
    endpoints: ["https://a.s3.example", "https://b.s3.example"],
    forcePathStyle: true,
    key: (picked) => `uploads/${picked.name}`,
    getCredentials: async () => ({ accessKeyId: "a", secretAccessKey: "s", sessionToken: "t", expiration: new Date() }),
    partSize: 16 * 2 ** 20,
    multipartThreshold: 32 * 2 ** 20,
    headers: { "cache-control": "max-age=60" },
    ifNoneMatch: true,
    checksum: "sha256",
  },
  {
    name: "plan",
    async open(picked): Promise<UploadPlan> {
      return {
        uploadId: "u",
        key: picked.name,
        tenant: 7,
        etags: "required",
        method: "PUT",
        parts: [{ partNumber: 1, uploadUrl: "https://s3.example/x", byteRange: { start: 0, end: picked.size - 1 } }],
      };
    },
    sign: async (plan, partNumbers) => partNumbers.map((partNumber) => ({ partNumber, uploadUrl: `${plan.key}/${partNumber}` })),
    list: async () => [{ partNumber: 1, size: 5, etag: '"e"' }],
    complete: async (plan, parts) => ({ ...(plan.key === undefined ? {} : { key: plan.key }), etag: parts[0]?.etag ?? "" }),
    abort: async () => {},
  },
];

export async function everySource(uploader: Uploader): Promise<void> {
  const options: UploadOptions = {
    onProgress: (progress: Progress) => void [progress.sent, progress.rate?.toFixed(), progress.parts.inFlight, progress.processing],
    onPart: (part: SentPart) => void (part.end - part.start + 1),
    onStatus: (status: UploadStatus) => void status,
    onComplete: (result: UploadResult) => void result.mediaItem?.length,
    onError: (error: UploadError) => void error.hint,
    signal: AbortSignal.timeout(1000),
    filename: "clip.mp4",
    contentType: "video/mp4",
    provider: { vaultUpload: { mode: "message", userId: "1" } },
  };
  const uploads: Upload[] = [uploader.upload(file), uploader.upload(blob, options), uploader.upload(handle, {})];
  for (const upload of uploads) {
    upload.addEventListener("progress", ({ detail }) => detail.fraction);
    upload.addEventListener("error", ({ detail }) => detail.code, { once: true });
    upload.addEventListener("complete", ({ detail }: CustomEvent<UploadEvents["complete"]>) => detail.bytes);
    upload.addEventListener("something-else", (event: Event) => event.type);
    const heard = ({ detail }: CustomEvent<Progress>) => detail.fraction;
    upload.addEventListener("progress", heard);
    upload.removeEventListener("progress", heard);
    upload.removeEventListener("error", ({ detail }) => detail.hint, { capture: true });
    upload.removeEventListener("something-else", (event: Event) => event.type);
    upload.pause();
    upload.resume();
    upload.notify({ status: "exported", media_id: "1", media_upload_id: "2" });
    upload.notify({ type: "vault.media_upload.updated", payload: { media_upload_id: "2", status: "exported", updated_at: "x" } });
    await upload.cancel();
    const about: [string, string, number, string, UploadStatus] = [
      upload.id,
      upload.file.name,
      upload.file.size,
      upload.file.type,
      upload.status,
    ];
    console.log(about, upload.progress.eta);
  }
  uploader.close();
}

/** A plan of the application's own type, with members that it needs and the package doesn't know. */
interface OwnPlan {
  uploadId: string;
  tenant: { id: number };
  parts: { partNumber: number; uploadUrl: string; byteRange: { start: number; end: number } }[];
}
declare function backend<T>(path: string, body: unknown): Promise<T>;

export const own = new Uploader({
  provider: {
    name: "plan",
    open: (picked) => backend<OwnPlan>("/open", picked),
    sign: async (plan: OwnPlan, partNumbers) =>
      partNumbers.map((partNumber) => ({ partNumber, uploadUrl: `/${plan.tenant.id}/${partNumber}` })),
    list: (plan: OwnPlan) => backend("/list", plan.uploadId),
    complete: async (plan: OwnPlan, parts) => backend("/complete", { tenant: plan.tenant, last: parts.at(-1)?.etag }),
    async abort(plan: OwnPlan) {
      await backend("/abort", plan.uploadId);
    },
  },
});

export const asynchronousKey: Provider = {
  name: "s3",
  bucket: "b",
  region: "r",
  key: async ({ name }) => `${await backend<string>("/key", name)}/${name}`,
  getCredentials: () => backend("/credentials", {}),
};

/** What a page doesn't have is undefined, as a component's properties are. */
export function unset(props: {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  name?: string;
  concurrency?: number;
}): void {
  const { concurrency, onProgress, signal, name } = props;
  const provider: Provider = { name: "plan", open: async () => ({ parts: [], uploadId: name }), sign: undefined, abort: undefined };
  const uploader = new Uploader({
    provider: { name: "ofauth", baseUrl: name, vaultUpload: { mode: undefined, userId: name }, apiKey: undefined },
    concurrency,
    retry: { attempts: concurrency, baseMs: undefined },
    accept: { types: undefined, maxBytes: concurrency },
    beforeRequest: undefined,
    mapUrl: undefined,
    fetch: undefined,
    resume: undefined,
  });
  uploader.upload(file, { onProgress, onError: undefined, signal, filename: name, provider: undefined });
  console.log(provider.name, new UploadError("server", "x", { hint: name, status: concurrency, vendor: { code: name } }).vendor?.code);
}

export async function goOn(uploader: Uploader): Promise<void> {
  const found: UnfinishedUpload[] = await uploader.unfinished();
  for (const { id, name, size, sent, startedAt, needsFile, resume, discard } of found) {
    console.log(id, name, sent / size, new Date(startedAt).toLocaleString());
    if (sent === 0) await discard();
    else if (needsFile) await resume(file, { onProgress: ({ fraction }) => console.log(fraction) });
    else await resume();
  }
  const upload: Upload | undefined = await found[0]?.resume(handle);
  upload?.pause();
}

export async function errors(upload: Upload): Promise<void> {
  try {
    const { media, linksExpireAt, verified, proof } = await upload.done;
    console.log(media, linksExpireAt?.slice(0, 10), verified, proof && `${proof.by}: ${proof.value} of ${proof.parts}`);
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    const code: UploadErrorCode = error.code;
    const retry: boolean = error.retryable && code !== "outcome-unknown";
    console.log(retry, error.step, error.status, error.partNumber, error.vendor?.requestId, error.hint, error.cause, error.message);
  }
}

const details: UploadErrorDetails = {
  retryable: true,
  step: "sign",
  status: 503,
  partNumber: 2,
  vendor: { code: "x" },
  hint: "h",
  cause: 1,
};
export const made: Error = new UploadError("server", "No.", details);

export async function loading(): Promise<string> {
  await load();
  await load("/partway_bg.wasm");
  await load(new URL("https://static.example/partway_bg.wasm"));
  await load(new Request("/partway_bg.wasm"));
  await load(await fetch("/partway_bg.wasm"));
  await load(new Uint8Array(8));
  await load(new ArrayBuffer(8));
  await load(module);
  return version;
}

// As the AWS SDK's clients of STS give them.
interface OfTheSdk {
  AccessKeyId: string | undefined;
  SecretAccessKey: string | undefined;
  SessionToken: string | undefined;
  Expiration: Date | undefined;
}
declare function assume(): Promise<{ Credentials?: OfTheSdk | undefined; PackedPolicySize?: number | undefined }>;
const store = { name: "s3", bucket: "b", region: "r", key: "k" } as const;
export const sts: Provider[] = [
  { ...store, getCredentials: assume },
  { ...store, getCredentials: async () => (await assume()).Credentials! },
];

/** What a page says of one destination, it knows of its options and results. */
export async function byProvider(picked: File): Promise<void> {
  const ofauth = new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
  const media = await ofauth.upload(picked, { provider: { vaultUpload: { mode: "message", userId: "1" }, skipExisting: false } }).done;
  const item: string = media.mediaItem;
  const id: string = media.alreadyThere ? media.mediaId : media.mediaUploadId;

  const monster = new Uploader({ provider: { name: "onlymonster", baseUrl: "/api", accountId: "1", exportType: "post" } });
  const exported: string = (await monster.upload(picked, { provider: { exportFanId: "7" } }).done).mediaId;

  const fansly = new Uploader({ provider: { name: "apifansly", baseUrl: "/api", accountId: "1" } });
  const known: string = (await fansly.upload(picked).done).mediaId;

  const s3 = new Uploader({
    provider: {
      name: "s3",
      bucket: "b",
      region: "r",
      key: ({ name, meta, relativePath, lastModified, file }: FileInfo) =>
        `${String(meta["album"])}/${relativePath || name}?${lastModified + file.size}`,
      getCredentials: () => backend("/credentials", {}),
    },
  });
  const stored = await s3.upload(picked, { provider: { key: "own" }, onComplete: ({ key }) => key.length }).done;
  const key: string = stored.key;
  console.log(item, id, exported, known, key, stored.meta["a"], stored.relativePath.length);

  const uploaders: Uploader[] = [ofauth, monster, fansly, s3];
  const one: Uploader<OfauthProvider> = ofauth;
  const another: Uploader<S3Provider> = s3;
  const uploads: Upload[] = [ofauth.upload(picked), s3.upload(picked)];
  const results: UploadResult[] = await Promise.all(uploads.map(({ done }) => done));
  everySource(another);
  console.log(uploaders, one, results.map(({ mediaId }) => mediaId?.length));
}

export const resultsOf = (
  a: UploadResultOf<OfauthProvider>,
  b: UploadResultOf<OnlymonsterProvider>,
  c: UploadResultOf<ApifanslyProvider>,
  d: UploadResultOf<S3Provider>,
  e: UploadResultOf<PlanProvider>,
  f: UploadResultOf,
): UploadResult[] => [a, b, c, d, e, f];

export async function several(uploader: Uploader, list: FileList, folder: FileEntry[]): Promise<void> {
  const options: GroupOptions = {
    maxFiles: 200,
    maxTotalBytes: 1e9,
    each: ({ name }, index) => ({ meta: { index }, filename: name, onComplete: ({ bytes }) => bytes }),
    onProgress: ({ fraction, files }: GroupProgress) => void (fraction + files.done),
    meta: { album: "summer" },
    priority: 2,
    signal: AbortSignal.timeout(1000),
  };
  const group: UploadGroup = uploader.group(list, options);
  const added: Upload[] = group.add([file, blob, handle, ...folder], { meta: { late: true } });
  group.addEventListener("progress", ({ detail }) => detail.files.failed + detail.sent);
  group.addEventListener("change", ({ detail }) => detail.map(({ status, result, error }) => [status, result?.bytes, error?.code]));
  const heard = ({ detail }: CustomEvent<GroupProgress>) => detail.eta;
  group.addEventListener("progress", heard);
  group.removeEventListener("progress", heard);
  group.pause();
  group.resume();
  group.retry();
  if (added[0]) group.remove(added[0]);
  const { results, errors } = await group.done;
  for (const { upload, error } of errors) if (error.retryable) upload.retry();
  await group.cancel();
  console.log(results.length, group.uploads.length, group.progress.parts.total, uploader.group().progress.rate);
}

export async function ownData(uploader: Uploader): Promise<void> {
  const meta: Meta = { album: "summer", tags: ["a"] };
  const upload = uploader.upload(file, { meta, relativePath: "album/1.jpg" });
  const shown: [Meta, string, UploadError | null, UploadResult | null] = [upload.meta, upload.relativePath, upload.error, upload.result];
  upload.retry();
  for (const left of await uploader.unfinished()) console.log(left.meta["album"], left.relativePath, shown);
  uploader[Symbol.dispose]();
}

/** A class of one's own, as it was written before an Uploader knew its provider. */
export class Own extends Uploader {
  constructor() {
    super({ provider: { name: "ofauth", baseUrl: "/api" } });
  }
}
