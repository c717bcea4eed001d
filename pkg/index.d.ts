/**
 * Gets files from a web page to where they belong: sliced, sent in parallel, retried, and handed over to the destination's API.
 *
 * ```js
 * import { Uploader } from "partway";
 *
 * const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api/ofauth" } });
 * const upload = uploader.upload(input.files[0], { onProgress: (progress) => (bar.value = progress.fraction) });
 * const { mediaItem } = await upload.done;
 * ```
 *
 * Nothing happens at import, so a server may import it too. The WebAssembly is loaded by the first upload, or by `load()`.
 *
 * @packageDocumentation
 */

/** The version of this package, as npm has it. */
export const version: string;

/**
 * Loads the WebAssembly before the first upload asks for it, so that this one starts without a delay.
 *
 * Only an unusual way of hosting needs `source`: the address of `dist/partway_bg.wasm` elsewhere, its bytes, a response that has
 * it, or the compiled module. The wasm is loaded once for the page: where it is there or on its way, `source` isn't looked at.
 * A load that failed can be tried again.
 *
 * An address is fetched as patiently as a part is sent: up to eight attempts, a server's `Retry-After` counts, and while the browser
 * says that there is no network that costs no attempt. Without a `source` and where a server answers with something else than the
 * wasm, the copy that is in a script of the package is loaded, and the console says once what to do.
 *
 * ```js
 * await load("https://static.example/partway/partway_bg.wasm");
 * ```
 *
 * Rejects with an {@link UploadError}: `network` where nothing usable could be fetched, `internal` where it can't run (a
 * Content-Security-Policy without `wasm-unsafe-eval`, a file of another release), `invalid-options` for a `source` of no such type,
 * `cancelled` where the Request's signal was aborted.
 */
export function load(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module): Promise<void>;

/**
 * What uploads have in common: the destination, and the slots in which their parts are sent. One for each destination is enough
 * for a page; files are queued by themselves.
 */
export class Uploader {
  /**
   * Looks at every option, nested ones too, and throws an {@link UploadError} with the code `invalid-options` for a name that
   * doesn't exist, a wrong type or a value out of its range. Nothing is loaded or sent yet.
   */
  constructor(options: UploaderOptions);

  /**
   * Starts an upload, now or when a slot is free. Never throws: what is wrong with the file or with `options` rejects `done`.
   *
   * Where an upload of the same file to the same place was left unfinished, by a reload, a crash or a failure, it goes on with what
   * the server has (unless `resume` is off): the same name, size, date, first and last bytes, and the same settings of this file.
   * One that is under way, here or in another tab, is left alone, and the file is sent anew. Of a `FileSystemFileHandle` the handle
   * is kept too, where the browser can: nothing need then be picked again.
   *
   * ```js
   * for (const file of input.files) uploader.upload(file, { onComplete: ({ mediaId }) => save(mediaId) });
   * ```
   */
  upload(file: File | Blob | FileSystemFileHandle, options?: UploadOptions): Upload;

  /**
   * Lists the uploads to this place that a reload, a crash or a failure left behind, newest first; those under way, here or in another
   * tab, aren't among them. A place is the provider with its `baseUrl` or `endpoint`, account, connection or bucket, and the `scope`
   * of {@link UploaderOptions.resume}.
   *
   * ```js
   * for (const left of await uploader.unfinished()) {
   *   if (!left.needsFile) goOnButton.onclick = () => left.resume();
   * }
   * ```
   *
   * Never rejects: the list is empty where `resume` is off, or the browser keeps nothing.
   */
  unfinished(): Promise<UnfinishedUpload[]>;

  /**
   * Stops all uploads, whose `done` rejects with the code `cancelled`, and frees what they used. The server isn't told, and what is
   * kept of the uploads stays, so that they can go on another day: `cancel()` those that shall not. The next `upload()` opens the
   * uploader again, so it may be called in the cleanup of a component, which frameworks run twice while developing.
   */
  close(): void;
}

/** Options of an {@link Uploader}. Only `provider` is needed. */
export interface UploaderOptions {
  /** Where files go, and how one speaks there. */
  provider: Provider;

  /**
   * How many requests with file bytes may run at once, over all uploads of this uploader: 1 to 256. `"auto"` means 6, which is
   * what browsers open to one host over HTTP/1.1. Over HTTP/2 more may be faster. On a line that turns out to be slow fewer run at
   * once.
   *
   * @defaultValue `"auto"`
   */
  concurrency?: number | "auto" | undefined;

  /**
   * What sends the bytes.
   *
   * - `"auto"`: requests with bytes of the file go by `XMLHttpRequest`, all others by `fetch`. Only `XMLHttpRequest` reports progress
   *   within a request and tells whether a whole body was sent. Where it doesn't exist (service workers), with a `fetch` of your own,
   *   with a vendor's key in the page, and with `credentials: "omit"` to the page's own origin, bytes go by `fetch` too.
   * - `"fetch"`: everything goes by `fetch`; progress arrives part by part.
   * - `"xhr"`: everything goes by `XMLHttpRequest`, except requests with a vendor's key, and GETs to your backend or the vendor's API,
   *   which it might answer from the browser's cache.
   *
   * Neither takes a redirect for an answer. `fetch` doesn't follow one; `XMLHttpRequest` does, with the bytes, and the upload then
   * ignores what answered. So a vendor's key never goes by `XMLHttpRequest`.
   *
   * @defaultValue `"auto"`
   */
  transport?: "auto" | "fetch" | "xhr" | undefined;

  /**
   * How often and how patiently a request is tried that may be repeated: parts, and calls without a lasting effect. Before the
   * n-th repetition a random time passes, of at most `baseMs` doubled n − 1 times, and never more than `capMs`. A server that names
   * a time (`Retry-After` and its relatives) is obeyed for up to five minutes, and the random time comes on top; beyond that the upload
   * ends as `rate-limited`.
   */
  retry?:
    | {
        /**
         * Attempts in all, the first one included: 1 to 1000. Those that only found out that a URL or credentials had expired are counted
         * apart, up to the same number. @defaultValue `8`
         */
        attempts?: number | undefined;
        /** Milliseconds that the first wait takes at most. @defaultValue `500` */
        baseMs?: number | undefined;
        /** Milliseconds that no wait exceeds. @defaultValue `30000` */
        capMs?: number | undefined;
      }
    | undefined;

  /**
   * Milliseconds without any progress after which a request is given up and counts as failed. Where the browser can't tell whether
   * there is progress (by `fetch`, and once all bytes have left the browser) the request also gets the time that the line takes for
   * everything that is on its way. Reading the file has the same bound, and ends as `file-unreadable`.
   *
   * @defaultValue `30000`
   */
  stallMs?: number | undefined;

  /**
   * Whether a part's MD5 is held against the ETag that the store answers. `"auto"` does so where the ETag is an MD5,
   * `"require"` ends the upload where that can't be done, `"off"` hashes nothing.
   *
   * A store that encrypts with KMS or customer keys (SSE-KMS, SSE-C) answers ETags that only look like MD5s. `"auto"` finds it out
   * by the header `x-amz-server-side-encryption`, where the bucket's CORS rule exposes it, else by sending one part twice, once for
   * each bucket and page; the upload goes on, `verified` is false, and the console says so once. `"require"` ends it.
   *
   * @defaultValue `"auto"`
   */
  integrity?: "off" | "auto" | "require" | undefined;

  /**
   * Whether uploads can go on after a reload, a crash or a closed browser. What is needed for it is kept in IndexedDB: the file's
   * name, size, type, date and a hash, the provider's settings for it, what the destination called the upload, and which parts
   * arrived. Neither bytes nor secrets are; presigned URLs only where they can't be had again. It is dropped when the upload is done
   * or cancelled, and after 7 days, or sooner where the destination's own upload expires. Nothing is kept of a `Blob`.
   *
   * It belongs to a place (see {@link Uploader.unfinished}). Where a proxy picks the account by its session, name the signed-in user
   * as `scope`: any text of yours, 1 character at least. Else one user of a browser finds another's uploads.
   *
   * ```js
   * new Uploader({ provider, resume: { scope: user.id } });
   * new Uploader({ provider, resume: false }); // keeps nothing
   * ```
   *
   * Without IndexedDB, without Web Locks (a page that isn't secure) or with storage off or full, uploads work all the same, and
   * can't go on; the console says so once where storage failed.
   *
   * @defaultValue `true`, without a scope
   */
  resume?: boolean | { scope: string } | undefined;

  /**
   * Whether cookies go with requests to your backend and to the vendor's API, in the words of `fetch`. Requests to presigned URLs
   * never carry any.
   *
   * @defaultValue `"same-origin"`
   */
  credentials?: RequestCredentials | undefined;

  /**
   * Whether calls that must not take effect twice carry an `Idempotency-Key` header. A browser repeats a request on its own, a
   * POST too, when a kept connection breaks before the answer; only the server can drop the copy, and by this key it can.
   * Across origins the header must be allowed by the server's CORS rule.
   *
   * @defaultValue `true` where `baseUrl` is of the page's own origin, else `false`
   */
  idempotencyKeys?: boolean | undefined;

  /**
   * Which files are taken; others end as `file-rejected` before a byte is sent. What is given here replaces the vendor's published
   * limits, which hold otherwise; `false` takes every file.
   *
   * ```js
   * accept: { types: ["video/mp4", "video/quicktime"], maxBytes: { "video/*": 5e9, "image/*": 50e6 } }
   * ```
   */
  accept?:
    | {
        /** As in `<input accept>`: `video/mp4`, `video/*`, `.mov`. */
        types?: string[] | undefined;
        /** Most bytes, for all files or by type as above; of several types that fit, the narrowest decides. */
        maxBytes?: number | Record<string, number> | undefined;
      }
    | false
    | undefined;

  /**
   * Sees every request to your backend or the vendor's API just before it goes, each attempt anew, and may change it in place.
   * Requests to presigned URLs don't pass here: any change would break their signature.
   *
   * ```js
   * beforeRequest: async (request) => request.headers.set("authorization", `Bearer ${await token()}`)
   * ```
   */
  beforeRequest?: ((request: OutgoingRequest) => void | Promise<void>) | undefined;

  /**
   * Turns an address that a vendor's answer names into the one to call. Without it, addresses under the vendor's API go to the
   * same path under `baseUrl`, and all others are taken for presigned.
   */
  mapUrl?: ((url: string, step: Step) => string) | undefined;

  /**
   * Origins, besides that of `baseUrl`, to which the provider's headers may be sent: `["https://uploads.example"]`.
   */
  trustedOrigins?: string[] | undefined;

  /** Sends every request in place of the browser's `fetch`. Excludes `transport: "xhr"`. */
  fetch?: typeof fetch | undefined;
}

/** Options of one upload. A callback that throws is reported to the console, and the upload goes on. */
export interface UploadOptions {
  /** Bytes went out, several times a second; part by part where bytes go by `fetch` ({@link UploaderOptions.transport}). */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** The server has another part. */
  onPart?: ((part: SentPart) => void) | undefined;
  /** The upload came to another stage. */
  onStatus?: ((status: UploadStatus) => void) | undefined;
  /** The upload is done; comes once, just before `done` resolves. */
  onComplete?: ((result: UploadResult) => void) | undefined;
  /** The upload ended without a result; comes once, just before `done` rejects. */
  onError?: ((error: UploadError) => void) | undefined;
  /** Aborting it cancels the upload; `cause` of the error is then the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Name to upload under. @defaultValue the file's own, and `"blob"` for a Blob */
  filename?: string | undefined;
  /** Media type to upload as. @defaultValue the file's own, or what its extension says */
  contentType?: string | undefined;
  /**
   * Settings of the provider for this file, over those of the uploader.
   *
   * ```js
   * uploader.upload(file, { provider: { vaultUpload: { mode: "message", userId: "123" } } });
   * ```
   */
  provider?: Record<string, unknown> | undefined;
}

/**
 * One file on its way. Tells of itself by callbacks, by events of the same meaning, and by `done`.
 *
 * ```js
 * upload.addEventListener("status", (event) => (label.textContent = event.detail));
 * ```
 */
export interface Upload extends EventTarget {
  /** Tells uploads of this page apart. */
  readonly id: string;
  /** What is uploaded. Of a `FileSystemFileHandle`, empty until the status `"checking"`. */
  readonly file: { name: string; size: number; type: string };
  /** The stage that it is in. */
  readonly status: UploadStatus;
  /** How far it is. */
  readonly progress: Progress;
  /**
   * Resolves or rejects once, at the end. A failure causes no unhandled rejection where nobody looks at it; where there is neither
   * an `onError` nor a listener for `"error"` either, the console says it once.
   */
  readonly done: Promise<UploadResult>;
  /** Stops sending: parts on the wire are given up and sent again later, finished ones stay. */
  pause(): void;
  /** Goes on after `pause()`. */
  resume(): void;
  /**
   * Stops, tells the server where its API has a call for it, and drops what was kept to go on with. `done` rejects with the code
   * `cancelled`; the promise given here resolves as soon as everything has ended, whichever way.
   */
  cancel(): Promise<void>;
  /**
   * Passes on what your server heard from a vendor's webhook, so that the upload needn't wait for its next poll. Takes what the
   * webhook sent as it came (`{ type, payload }`), its payload alone (with `media_upload_id`), or a record of the vendor's list
   * (with `id`); one of another upload changes nothing. Throws `invalid-options` where there is no `status`.
   */
  notify(update: UploadNotice | { type?: string; payload: UploadNotice; [extra: string]: unknown }): void;
  addEventListener<K extends keyof UploadEvents>(
    type: K,
    listener: (event: CustomEvent<UploadEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof UploadEvents>(
    type: K,
    listener: (event: CustomEvent<UploadEvents[K]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** A vendor's word on an upload: a webhook's payload, or a record of the vendor's list. */
export interface UploadNotice {
  status: string;
  media_id?: string | null | undefined;
  [extra: string]: unknown;
}

/**
 * An upload that was left behind, as {@link Uploader.unfinished} found it.
 *
 * ```js
 * const [left] = await uploader.unfinished();
 * const upload = await left.resume(left.needsFile ? input.files[0] : undefined);
 * await upload.done;
 * ```
 */
export interface UnfinishedUpload {
  /** Tells unfinished uploads apart; stays the same over reloads. */
  readonly id: string;
  /** Name that it was begun under. */
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of the parts that had arrived, as far as this browser knows; all of them where only the rest of the protocol is left. */
  readonly sent: number;
  /** When it was begun, as ISO 8601. */
  readonly startedAt: string;
  /**
   * Whether `resume()` needs the file; false where it was uploaded by a `FileSystemFileHandle` that the browser kept, and where the
   * destination has all of it and is only processing it.
   */
  readonly needsFile: boolean;
  /**
   * Goes on, with the name, type and settings that it was begun with. Call it from a click where there is a handle: the browser may
   * ask whether the file may be read.
   *
   * Rejects with an {@link UploadError}, and changes nothing: `already-running` where it is under way, here or in another tab,
   * `file-changed` where this isn't the file (its name doesn't matter, size, date and content do), `file-unreadable` where the
   * handle's file is gone, may not be read, or gives nothing for half a minute, `invalid-options` without a file where one is needed, `session-expired` where it was
   * finished or discarded meanwhile. All that comes later rejects the upload's `done`.
   *
   * ```js
   * input.onchange = async () => {
   *   const upload = await left.resume(input.files[0], { onProgress: (progress) => (bar.value = progress.fraction) });
   * };
   * ```
   */
  resume(file?: File | FileSystemFileHandle, options?: UploadOptions): Promise<Upload>;
  /**
   * Gives it up: tells the server where its API has a call for it, and drops what was kept here. Rejects with an {@link UploadError}
   * where that failed and it is still there to go on with (`already-running` as above, `session-expired` where it is gone already).
   */
  discard(): Promise<void>;
}

/** What `detail` of an event of {@link Upload} is, by the event's name. */
export interface UploadEvents {
  progress: Progress;
  part: SentPart;
  status: UploadStatus;
  complete: UploadResult;
  error: UploadError;
}

/**
 * Where an upload is. They come in this order, but any may be left out: `"checking"` looks at the file and whether it is there
 * already, `"processing"` waits for the vendor after the last byte. `"paused"` is your doing, `"waiting"` the network's (the browser says
 * that it is offline; after some seconds a request is tried all the same) or the server's (asked for a break); it may come before all
 * others, while the WebAssembly can't be loaded. The last three are final.
 */
export type UploadStatus =
  "queued" | "checking" | "opening" | "sending" | "completing" | "processing" | "paused" | "waiting" | "done" | "failed" | "cancelled";

/** How far an upload is. */
export interface Progress {
  /** Bytes that the server has or that are on the wire. Never falls, even where a part has to be sent again. */
  sent: number;
  /** Bytes of the file. */
  total: number;
  /** `sent` of `total`, 0 to 1. */
  fraction: number;
  /** Bytes a second over the last seconds, repeated ones included; null while unknown. */
  rate: number | null;
  /** Seconds to go at that rate; null while unknown. */
  eta: number | null;
  /** Parts of the file: all, those that the server has, those on the wire. */
  parts: { total: number; done: number; inFlight: number };
  /** The vendor's progress once it has the bytes, 0 to 1; null where it tells nothing. */
  processing: number | null;
}

/** A part that the server has. */
export interface SentPart {
  /** Counted from 1. */
  partNumber: number;
  /** Position of its first byte in the file. */
  start: number;
  /** Position of its last byte, which belongs to it. */
  end: number;
  /** As the server gave it, without what a proxy added (`W/`, `-gzip`); null where it gave none or the page may not read it. */
  etag: string | null;
  /** Requests that it took. */
  attempts: number;
  /** Whether its bytes were held against the ETag. */
  verified: boolean;
}

/** What came of an upload. Which ids there are depends on the provider. */
export interface UploadResult {
  /** Name of the provider. */
  provider: string;
  /** OFAuth's reference of this upload. Can be used once. */
  mediaUploadId?: string;
  /** Id of the media at the vendor, as text: `media.id` of OFAuth, `media_id` of Onlymonster, `mediaId` of apifansly. */
  mediaId?: string;
  /** What to put into OFAuth's `mediaItems`: the media's id where there is one, else the upload's reference. */
  mediaItem?: string;
  /** Whether `mediaItem` can be used more than once. */
  reusable?: boolean;
  /** The media as the vendor describes it, unchanged. */
  media?: unknown;
  /** ETag of the stored object. */
  etag?: string;
  /** Key of the stored object. */
  key?: string;
  /** Address of the stored object. */
  location?: string;
  /** Size of the file. */
  bytes: number;
  /** Parts that it went in; 0 where nothing had to be sent. */
  parts: number;
  /** Requests with file bytes, repeated ones included. */
  attempts: number;
  /** Milliseconds that the upload took. */
  elapsedMs: number;
  /** Whether every byte was held against an ETag. */
  verified: boolean;
  /** Whether the vendor had this file before, so that nothing was sent. */
  alreadyThere: boolean;
  /** When links in `media` stop working, as ISO 8601. */
  linksExpireAt?: string;
}

/**
 * Why there is no result. `message` says what happened, `hint` what to do, `code` is for programs.
 *
 * Your own `open`, `sign` and other functions may throw one to say how the upload is to end:
 *
 * ```js
 * throw new UploadError("forbidden", "The trial allows ten files a day.");
 * ```
 *
 * `instanceof` knows those of every entry of the package (`partway`, `partway/s3`), and of what `require` gives.
 */
export class UploadError extends Error {
  constructor(code: UploadErrorCode, message: string, details?: UploadErrorDetails);
  /** What went wrong, for programs. */
  readonly code: UploadErrorCode;
  /** Whether the same `upload(file)` may well succeed later. The README has a table. */
  readonly retryable: boolean;
  /** What was being done. */
  readonly step?: Step;
  /** HTTP status, where a server answered. */
  readonly status?: number;
  /** Number of the part, where it was about one. */
  readonly partNumber?: number;
  /** The vendor's own words, and the id that its support asks for. */
  readonly vendor?: { code?: string; message?: string; requestId?: string };
  /** What to do, in a sentence; for `etag-not-exposed`, the CORS rule to paste. `invalid-options` has it in the message too. */
  readonly hint?: string;
}

/** What an {@link UploadError} may carry besides code and message. */
export interface UploadErrorDetails {
  /** @defaultValue what the code says by itself */
  retryable?: boolean | undefined;
  step?: Step | undefined;
  status?: number | undefined;
  partNumber?: number | undefined;
  vendor?: { code?: string | undefined; message?: string | undefined; requestId?: string | undefined } | undefined;
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * `file-rejected` is said before a byte is sent, `too-large` and `unsupported-type` by the server. `url-expired` is about a store's
 * presigned URL, `session-expired` about the vendor's upload. `already-running`: another tab or upload works on what `resume()` or
 * `discard()` was called for; `upload()` never ends so, it begins its own. `outcome-unknown`: a call that must not be repeated may
 * have taken effect, so look before you try again. `network`: no answer came, or none of the destination's: a proxy's or network's
 * sign-in page answered, or the server's CORS rule or the page's Content-Security-Policy keeps the answer from the page (`hint` has
 * the rule or directive to add). `application`: a function of yours threw, and `cause` has what it threw. `internal` is also what a
 * test runner's DOM gets that can't send files; the message says what it lacks.
 */
export type UploadErrorCode =
  | "invalid-options"
  | "file-rejected"
  | "file-changed"
  | "file-unreadable"
  | "unauthorized"
  | "forbidden"
  | "rate-limited"
  | "too-large"
  | "unsupported-type"
  | "bad-request"
  | "plan-mismatch"
  | "session-expired"
  | "url-expired"
  | "etag-not-exposed"
  | "integrity-mismatch"
  | "network"
  | "stalled"
  | "server"
  | "outcome-unknown"
  | "processing-failed"
  | "unprocessable"
  | "processing-timeout"
  | "already-running"
  | "conflict"
  | "application"
  | "cancelled"
  | "internal";

/** What an upload does at the moment, in the destination's terms. */
export type Step = "check" | "init" | "verify-fan" | "part" | "complete" | "export" | "status" | "retry" | "list" | "abort" | "sign";

/** A request about to be sent; change it in place. */
export interface OutgoingRequest {
  /** What it is for. */
  step: Step;
  method: string;
  url: string;
  headers: Headers;
  /** A value that becomes JSON, a `FormData`, or the `Blob` itself. */
  body: unknown;
}

/** A destination and its settings, told apart by `name`. */
export type Provider = OfauthProvider | OnlymonsterProvider | ApifanslyProvider | S3Provider | PlanProvider;

/** OFAuth's `/v2/access/uploads`: media for OnlyFans. Bytes go through your proxy. */
export interface OfauthProvider {
  name: "ofauth";
  /** Address of your proxy, which adds the key and the connection: `"/api/ofauth"`. */
  baseUrl?: string | undefined;
  /** The account to upload to, where the proxy doesn't know it from the session. */
  connectionId?: string | undefined;
  /** Puts the media straight into the vault; with `mode: "message"` for the chat with `userId`. */
  vaultUpload?: { mode?: "message" | undefined; userId?: string | null | undefined } | undefined;
  /** Asks first whether the vault has this file, and then sends nothing. @defaultValue `true` */
  skipExisting?: boolean | undefined;
  /** The vendor's key, in the open: for a trial at home. Needs `dangerouslyExposeSecrets`. */
  apiKey?: string | undefined;
  /** Says that you know: everyone who opens the page can read its secrets. */
  dangerouslyExposeSecrets?: boolean | undefined;
}

/** Onlymonster's vault uploads. Bytes go straight to the vendor's storage, calls through your proxy. */
export interface OnlymonsterProvider {
  name: "onlymonster";
  /** Address of your proxy, which adds the token: `"/api/onlymonster"`. */
  baseUrl?: string | undefined;
  /** Id of the account, in digits; as text, since it may be too long for a number. */
  accountId: string;
  /** What the media is for. */
  exportType: "post" | "message";
  /** Id of the fan whom a message is for. */
  exportFanId?: string | undefined;
  /** Link to that fan's profile instead of the id; asked for before a byte is sent. */
  fanLink?: string | undefined;
  /** Milliseconds to wait for the vendor's processing. @defaultValue `900000`, 15 minutes */
  pollTimeoutMs?: number | undefined;
  /** Milliseconds in one state after which the vendor is asked to try again, once for each state. @defaultValue `180000` */
  stuckAfterMs?: number | undefined;
  /**
   * Most calls a second, over all uploads of the page to this account, 0.01 to 1000: 0.5 is one call in two seconds.
   * @defaultValue `3`, the vendor's limit
   */
  requestsPerSecond?: number | undefined;
  /** Passes ETags on without their quotes. @defaultValue `false` */
  stripEtagQuotes?: boolean | undefined;
  /** The vendor's token, in the open: for a trial at home. Needs `dangerouslyExposeSecrets`. */
  token?: string | undefined;
  /** Says that you know: everyone who opens the page can read its secrets. */
  dangerouslyExposeSecrets?: boolean | undefined;
}

/** apifansly's media upload: one form with the whole file, then a job. Bytes go through your proxy. */
export interface ApifanslyProvider {
  name: "apifansly";
  /** Address of your proxy, which adds the key: `"/api/apifansly"`. */
  baseUrl?: string | undefined;
  /** Id of the account, as text. */
  accountId: string;
  /** The form's `formInputs`: permissions and the like, as the vendor describes them. */
  formInputs?: { type: number; value: string }[] | undefined;
  /** Milliseconds to wait for the job. @defaultValue `900000`, 15 minutes */
  pollTimeoutMs?: number | undefined;
  /**
   * Milliseconds before the job is first asked about, 1 to 86400000; doubles to 30 s. A call may cost a credit.
   * @defaultValue `2000`
   */
  pollIntervalMs?: number | undefined;
  /** The vendor's key, in the open: for a trial at home. Needs `dangerouslyExposeSecrets`. */
  apiKey?: string | undefined;
  /** Says that you know: everyone who opens the page can read its secrets. */
  dangerouslyExposeSecrets?: boolean | undefined;
}

/** Any S3: with temporary credentials, requests are signed in the page, and no server is asked for each part. */
export interface S3Provider {
  name: "s3";
  bucket: string;
  /** `"eu-central-1"`, for example; `"auto"` at some stores. */
  region: string;
  /** Address of the store alone, without the bucket. @defaultValue that of AWS in this region */
  endpoint?: string | undefined;
  /** Several names of one store. Parts are spread over them, other calls go to the first; over HTTP/1.1 each name brings its own six connections. */
  endpoints?: string[] | undefined;
  /**
   * Puts the bucket into the path instead of the host name, as most stores other than AWS want it. @defaultValue `true` where a host
   * name can't hold the bucket (an endpoint that is an IP address or a name without a dot, a bucket with dots, capitals or
   * underscores), else `false`
   */
  forcePathStyle?: boolean | undefined;
  /** Key of the object, or what makes it from the file, by a promise too. */
  key: string | ((file: { name: string; size: number; type: string }) => string | Promise<string>);
  /**
   * Gets temporary credentials from your backend. They are kept in memory until `expiration`, for all uploads that have the
   * uploader's own provider options, and fetched anew when the store calls them expired. An upload with `provider` options of its own
   * fetches its own.
   */
  getCredentials(): Promise<S3Credentials | StsCredentials | { Credentials?: StsCredentials | undefined }>;
  /** Bytes of a part, 5 MiB to 5 GiB; more where the file wouldn't fit into 10,000 parts. @defaultValue `8388608`, 8 MiB */
  partSize?: number | undefined;
  /** Bytes from which a file is sent in parts; a smaller one goes whole. At most 5 GiB. @defaultValue `16777216`, 16 MiB */
  multipartThreshold?: number | undefined;
  /** Headers of the object, signed: `{ "cache-control": "max-age=3600", "x-amz-meta-source": "web" }`. */
  headers?: Record<string, string> | undefined;
  /** Doesn't replace an object that is there: the upload ends as `conflict`. @defaultValue `false` */
  ifNoneMatch?: boolean | undefined;
}

/** Temporary credentials. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  /** When they end: a `Date`, ISO 8601, or an epoch in seconds or milliseconds. */
  expiration?: string | Date | number | undefined;
}

/** Temporary credentials as AWS STS spells them. */
export interface StsCredentials {
  AccessKeyId?: string | undefined;
  SecretAccessKey?: string | undefined;
  SessionToken?: string | undefined;
  Expiration?: string | Date | number | undefined;
}

/**
 * Your backend plans the upload and keeps the keys; the page only sends bytes to the URLs that it is given. Fits any presigner.
 *
 * Where `sign` or `list` fails, it is asked again, as often as `retry` says (not where it has a mistake, and three times at most where
 * it never worked and read a page as JSON); `open` and `complete` are not, since they may have taken effect. An {@link UploadError} that they throw is passed on as it is (`retryable` decides whether `sign` and `list` are
 * asked again); everything else ends as `application`.
 */
export interface PlanProvider {
  name: "plan";
  /** Opens an upload, and says which bytes go where. */
  open(file: { name: string; size: number; type: string }): Promise<UploadPlan>;
  /**
   * Gives URLs for parts that came without one, or whose URL expired: some ahead of need, in one call. Its `headers` replace the
   * plan's for that part. A part that is left out twice ends the upload as `plan-mismatch`.
   */
  sign?:
    | Method<
        [plan: UploadPlan, partNumbers: number[]],
        { partNumber: number; uploadUrl: string; headers?: Record<string, string> | undefined }[]
      >
    | undefined;
  /**
   * Says which parts the store has, so that an upload that goes on needn't rely on what this browser remembers. Where it rejects to the
   * end, what this browser remembers counts; where `sign` then rejects too, a new upload begins.
   */
  list?: Method<[plan: UploadPlan], { partNumber: number; size: number; etag: string }[]> | undefined;
  /** Puts the parts together; what it gives goes into the result. */
  complete?:
    | Method<
        [plan: UploadPlan, parts: { partNumber: number; etag: string | null }[]],
        { [K in keyof UploadResult]?: UploadResult[K] | undefined } | void
      >
    | undefined;
  /** Gives up the upload, after `cancel()`. */
  abort?: Method<[plan: UploadPlan], void> | undefined;
}

/**
 * Where the bytes of a file go. The parts must cover the file exactly, else the upload ends as `plan-mismatch` before a byte is
 * sent. A part without a URL needs `sign`. Whatever else your backend puts in stays in, and is given back to your functions: an
 * interface of your own, with these members and others, is a plan.
 */
export interface UploadPlan {
  uploadId?: string | undefined;
  key?: string | undefined;
  /** When the URLs expire, as ISO 8601. Without it the URLs are asked, where they are signed as S3's. */
  expiresAt?: string | undefined;
  /** @defaultValue `"PUT"` */
  method?: "PUT" | "POST" | undefined;
  /** To be sent with every part: what the URLs were signed with, and nothing else. */
  headers?: Record<string, string> | undefined;
  /** Whether a part's ETag must be readable. @defaultValue `"required"` where there are an `uploadId` and a `complete`, else `"optional"` */
  etags?: "required" | "optional" | undefined;
  parts: {
    /** Counted from 1. */
    partNumber: number;
    uploadUrl?: string | undefined;
    /** First and last byte, both included. */
    byteRange: { start: number; end: number };
  }[];
  [extra: string]: any;
}

/** A member that may be undefined too, and whose parameters are as free as a method's: a function of your own plan's type fits. */
type Method<Parameters extends unknown[], Result> = { method(...parameters: Parameters): Promise<Result> }["method"];

export {};
