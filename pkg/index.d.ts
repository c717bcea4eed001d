/**
 * Uploads files from a web page: slices them, sends the parts in parallel, retries, and completes the upload at the destination's API.
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
 * Loads the WebAssembly before the first upload needs it, so that this upload starts without a delay.
 *
 * Only unusual hosting needs `source`: another address of `dist/partway_bg.wasm`, its bytes, a response that has it, or the compiled
 * module. The wasm is loaded once for the page: if it is loaded or loading, `source` is ignored. A load that failed can be tried again.
 *
 * An address is fetched with the same retries as a part: up to eight attempts, a server's `Retry-After` is respected, and attempts made
 * while the browser reports no network don't count. If there is no `source` and the server answers with something other than the wasm,
 * the copy in a script of the package is loaded, and the console says once what to do.
 *
 * ```js
 * await load("https://static.example/partway/partway_bg.wasm");
 * ```
 *
 * Rejects with an {@link UploadError}: `network` if nothing usable could be fetched, `internal` if the wasm can't run (a
 * Content-Security-Policy without `wasm-unsafe-eval`, a file of another release), `invalid-options` for a `source` of another type,
 * `cancelled` if the Request's signal was aborted.
 */
export function load(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module): Promise<void>;

/**
 * What uploads share: the destination, the options, and how many requests run at once. A page needs one Uploader for each
 * destination; it queues the files.
 */
export interface Uploader<P extends Provider = Provider> {
  /**
   * Starts an upload, now or when others leave room for it. It never throws: an error in the file or in `options` rejects `done`.
   *
   * If an upload of the same file to the same place was left unfinished by a reload, a crash or a failure, this one resumes it with the
   * parts that the server has (unless `resume` is off). The same file has the same name, size, date, first and last bytes, and the same
   * settings, `meta` and `relativePath`. An unfinished upload that is running, here or in another tab, is left alone, and the file is sent
   * from the start. For a `FileSystemFileHandle` the handle is kept too, if the browser can keep it, so that the user needn't pick the
   * file again.
   *
   * ```js
   * for (const file of input.files) uploader.upload(file, { onComplete: ({ mediaId }) => save(mediaId) });
   * ```
   */
  upload(file: File | Blob | FileSystemFileHandle, options?: UploadOptions<P>): Upload<P>;

  /**
   * Starts uploads of several files as one thing, with one progress and one end. Files may be added while it runs.
   *
   * ```js
   * const album = uploader.group(input.files, {
   *   maxFiles: 200,
   *   each: (file, index) => ({ meta: { position: index } }),
   *   onProgress: ({ fraction, files }) => draw(fraction, `${files.done} done, ${files.failed} failed`),
   * });
   * const { results, errors } = await album.done;
   * ```
   *
   * Throws `invalid-options` for wrong options, and for `files` that can't be iterated over. What is wrong with one file ends that
   * file's upload, and the others go on.
   */
  group(files?: Iterable<File | Blob | FileSystemFileHandle | FileEntry>, options?: GroupOptions<P>): UploadGroup<P>;

  /** The uploads that are not at their end, oldest first: queued, running and paused ones. */
  readonly uploads: readonly Upload<P>[];

  /**
   * Moves an upload of this uploader to the front of the queue, before those of a higher {@link UploadOptions.priority} too: the next
   * upload that begins is this one, or if it has begun, the next parts are its own. An upload that has ended is left as it is.
   *
   * Throws `invalid-options` for anything but an upload of this uploader.
   */
  prioritize(upload: Upload<P>): void;

  /**
   * Lists the uploads to this place that a reload, a crash or a failure left unfinished, newest first. Uploads that are running, here or
   * in another tab, aren't listed. A place is the provider with its `baseUrl` or `endpoint`, account, connection or bucket, and the
   * `scope` of {@link UploaderOptions.resume}.
   *
   * ```js
   * for (const left of await uploader.unfinished()) {
   *   if (!left.needsFile) resumeButton.onclick = () => left.resume();
   * }
   * ```
   *
   * It never rejects: the list is empty if `resume` is off, if the browser stores nothing, or if the script that keeps sessions can't be loaded.
   */
  unfinished(): Promise<UnfinishedUpload<P>[]>;

  /**
   * Stops all uploads, whose `done` rejects with the code `cancelled`, and frees their memory. The server isn't told, and the sessions
   * are kept, so that the uploads can be resumed later; call `cancel()` for those that must not be. The next `upload()` opens the
   * uploader again, so `close()` may be called in the cleanup of a component, which frameworks run twice in development.
   */
  close(): void;

  /** The same as `close()`, for `using uploader = new Uploader(…)`. It is missing where the browser has no `Symbol.dispose`. */
  [Symbol.dispose](): void;
}

/** The class of an {@link Uploader}. Its type says by the provider's `name` which options a file has, and what a result has. */
export const Uploader: {
  /**
   * Checks every option, nested ones too, and throws an {@link UploadError} with the code `invalid-options` for an unknown name, a
   * wrong type or a value out of range. Nothing is loaded or sent yet.
   */
  new <Name extends Provider["name"] = Provider["name"]>(
    options: UploaderOptions<ProviderNamed<Name>> & { provider: { name: Name } },
  ): Uploader<ProviderNamed<Name>>;
  readonly prototype: Uploader;
};

/** The options of the provider of that name. */
export type ProviderNamed<Name extends Provider["name"]> = Extract<Provider, { name: Name }>;


/** Options of an {@link Uploader}. Only `provider` is needed. */
export interface UploaderOptions<P extends Provider = Provider> {
  /** Where files go, and by which API. */
  provider: P;

  /**
   * How many requests with file bytes may run at once, over all uploads of this uploader: 1 to 256, at most. `"auto"` begins with the 6
   * connections that browsers open to one host over HTTP/1.1 (to each of `endpoints`), and leaves one of them to the calls of other uploads
   * where those go to the same host. Where the browser tells that a store speaks HTTP/2 or 3 (`Timing-Allow-Origin`), it goes up to 16
   * as long as that makes the whole faster. In both cases fewer run on a slow connection, and where the store refuses some.
   *
   * @defaultValue `"auto"`
   */
  concurrency?: number | "auto" | undefined;

  /**
   * What sends the bytes.
   *
   * - `"auto"`: requests with bytes of the file go by `XMLHttpRequest`, all others by `fetch`. Only `XMLHttpRequest` reports progress
   *   within a request, and whether a whole body was sent. Bytes go by `fetch` too if there is no `XMLHttpRequest` (service workers), with
   *   a `fetch` of your own, with a vendor's key in the page, and with `credentials: "omit"` to the page's own origin.
   * - `"fetch"`: everything goes by `fetch`; progress arrives part by part.
   * - `"xhr"`: everything goes by `XMLHttpRequest`, except requests with a vendor's key, and GETs to your backend or the vendor's API,
   *   which it might answer from the browser's cache.
   *
   * Neither accepts a redirect as an answer. `fetch` doesn't follow redirects. `XMLHttpRequest` does, with the bytes, and the upload then
   * ignores the answer, so a vendor's key never goes by `XMLHttpRequest`.
   *
   * @defaultValue `"auto"`
   */
  transport?: "auto" | "fetch" | "xhr" | undefined;

  /**
   * How requests are retried that may be repeated: parts, and calls without a lasting effect. The wait before the n-th retry is random,
   * at most `baseMs` doubled n − 1 times, and never more than `capMs`. If a server asks for a wait (`Retry-After` and its relatives) of
   * up to five minutes, the upload waits that long and the random time on top; if it asks for longer, the upload ends as `rate-limited`.
   */
  retry?:
    | {
        /**
         * Attempts in all, the first one included: 1 to 1000. Attempts that failed because a URL or credentials had expired are counted
         * separately, up to the same number. @defaultValue `8`
         */
        attempts?: number | undefined;
        /** The upper bound of the first wait, in milliseconds. @defaultValue `500` */
        baseMs?: number | undefined;
        /** The upper bound of every wait, in milliseconds. @defaultValue `30000` */
        capMs?: number | undefined;
      }
    | undefined;

  /**
   * Milliseconds without any progress after which a request is aborted and counts as failed. If the browser can't tell whether there is
   * progress (by `fetch`, and once all bytes have left the browser), the request also gets the time that the connection needs for
   * everything in flight. Reading the file has the same limit, and ends as `file-unreadable`.
   *
   * @defaultValue `30000`
   */
  stallMs?: number | undefined;

  /**
   * The most bytes a second, over all uploads of this uploader: at least 1. It is an average over five seconds, or over the time that one
   * part takes at that rate if that is longer, because only the start of a part can be delayed: a request that was begun goes out as fast
   * as the connection allows. Small parts therefore spread the bytes more evenly. Parts that are sent again count too, calls to APIs don't.
   *
   * @defaultValue as fast as possible
   */
  maxRate?: number | undefined;

  /**
   * Keeps the screen from sleeping while bytes are sent (Screen Wake Lock), so that a phone that is put down doesn't stop the upload. The
   * lock is taken again when the page is shown again, and released while nothing is sent. Where the browser has no such lock, or refuses
   * it, nothing changes.
   *
   * @defaultValue `false`
   */
  keepAwake?: boolean | undefined;

  /**
   * Gives the bytes that are sent in the file's place: compressed, converted, without its metadata, encrypted. It is called when it is
   * the file's turn, so that only as many run at once as there are uploads at work; the upload is `"checking"` meanwhile. It has no
   * deadline. What it throws ends the upload as `application`. Return the file itself to send it as it is.
   *
   * The size and type that are sent are the output's; its name too if it is a `File`, unless the option `filename` says another one. An
   * output without a type gets the file's. {@link FileInfo} has them; its `file` stays the file that was picked, and `accept` judges
   * that file. A `Blob` that is uploaded is given as it is.
   *
   * Nothing of the output is kept but its size, name and type, and an MD5 of each part that was sent. To resume an upload in another page,
   * `transform` runs again: where those parts come out the same, only the rest is sent; where they don't, as with an encryption whose IV
   * is new each time, or another browser's JPEG encoder, the upload starts again. `retry()` in the same page sends what is there.
   *
   * ```js
   * new Uploader({
   *   provider,
   *   transform: (file) => new Response(file.stream().pipeThrough(new CompressionStream("gzip"))).blob(),
   * });
   * ```
   */
  transform?: ((file: File, meta: Meta) => Blob | Promise<Blob>) | undefined;

  /**
   * Whether a part's bytes are compared with what the store says of them: the ETag, if it is an MD5, else the store's CRC64NVME. `"auto"`
   * compares what there is, `"require"` fails the upload if nothing proves it (see {@link UploadResult.proof}), `"off"` hashes nothing.
   *
   * A store that encrypts with KMS or customer keys (SSE-KMS, SSE-C) answers ETags that only look like MD5s. AWS computes a CRC64NVME of
   * every upload by itself: it is compared part by part, if the bucket's CORS rule exposes `x-amz-checksum-crc64nvme`, else once for the
   * whole object when the upload is completed. If neither shows what ETags are, nor the header `x-amz-server-side-encryption`, one part
   * is sent twice to find out, once for each bucket and page. If the page can read no checksum either, the upload continues, `verified` is
   * false, and the console says so once; with `"require"` it fails, at the end if completing might have given one.
   *
   * If the checksum of the whole object differs, the upload ends as `integrity-mismatch`. The object then stands under its key: whether
   * to delete it is your decision.
   *
   * @defaultValue `"auto"`
   */
  integrity?: "off" | "auto" | "require" | undefined;

  /**
   * Whether uploads can be resumed after a reload, a crash or a closed browser. A session is kept for that in IndexedDB: the file's name,
   * size, type, date and a hash, its `meta` and `relativePath`, the provider's settings for it, the destination's ids of the upload, and
   * which parts are uploaded.
   * Neither bytes nor secrets are stored, and presigned URLs only if they can't be requested again. The session is removed when the
   * upload is done or cancelled, and after 7 days, or earlier if the destination's own upload expires. Nothing is kept of a `Blob`.
   *
   * A session belongs to a place (see {@link Uploader.unfinished}). If a proxy chooses the account by its own login, name the signed-in
   * user as `scope`, any text that isn't empty. Otherwise one user of a browser finds another user's uploads.
   *
   * ```js
   * new Uploader({ provider, resume: { scope: user.id } });
   * new Uploader({ provider, resume: false }); // keeps nothing
   * ```
   *
   * Without IndexedDB, without Web Locks (a page that isn't secure) or with storage off or full, uploads work, but can't be resumed; if
   * storage failed, the console says so once.
   *
   * @defaultValue `true`, without a scope
   */
  resume?: boolean | { scope: string } | undefined;

  /**
   * Whether requests to your backend and to the vendor's API carry cookies, with the values of `fetch`. Requests to presigned URLs never
   * do.
   *
   * @defaultValue `"same-origin"`
   */
  credentials?: RequestCredentials | undefined;

  /**
   * Whether calls that must not take effect twice carry an `Idempotency-Key` header. A browser repeats a request on its own, even a POST,
   * if a kept connection breaks before the answer. Only the server can drop the copy, and it can recognise it by this key. For another
   * origin the server's CORS rule must allow the header.
   *
   * @defaultValue `true` if `baseUrl` has the page's own origin, else `false`
   */
  idempotencyKeys?: boolean | undefined;

  /**
   * Which files are accepted; others end as `file-rejected` before a byte is sent. These options override the vendor's published limits,
   * which are the default; `false` accepts every file.
   *
   * ```js
   * accept: { types: ["video/mp4", "video/quicktime"], maxBytes: { "video/*": 5e9, "image/*": 50e6 } }
   * ```
   */
  accept?:
    | {
        /** As in `<input accept>`: `video/mp4`, `video/*`, `.mov`. */
        types?: string[] | undefined;
        /** The maximum of bytes, for all files or by type as above. If several types match, the most specific one decides. */
        maxBytes?: number | Record<string, number> | undefined;
      }
    | false
    | undefined;

  /**
   * Is called before each attempt of a request to your backend or the vendor's API, and may change the request in place. It isn't called
   * for presigned URLs: a change would break their signature.
   *
   * ```js
   * beforeRequest: async (request) => request.headers.set("authorization", `Bearer ${await token()}`)
   * ```
   */
  beforeRequest?: ((request: OutgoingRequest) => void | Promise<void>) | undefined;

  /**
   * Maps an address in a vendor's answer to the address to call. By default, addresses under the vendor's API are mapped to the same path
   * under `baseUrl`, and all others are presigned ones.
   */
  mapUrl?: ((url: string, step: Step) => string) | undefined;

  /**
   * Origins, besides that of `baseUrl`, to which the provider's headers may be sent: `["https://uploads.example"]`.
   */
  trustedOrigins?: string[] | undefined;

  /** Sends every request in place of the browser's `fetch`. Excludes `transport: "xhr"`. */
  fetch?: typeof fetch | undefined;

  /**
   * Where your server has the package's `dist/hash_worker.js`, for pages whose Content-Security-Policy has `worker-src 'self'`: files are
   * hashed in that worker, and no other way to start one is tried. Default: a worker by itself. Where none may start, files are hashed on
   * the page, a little at a time, and the console says so.
   */
  workerUrl?: string | URL | undefined;
}

/** Options of one upload. If a callback throws, the console reports it, and the upload continues. */
export interface UploadOptions<P extends Provider = Provider> {
  /**
   * Bytes were sent, or a part began or ended: at most once for each frame of the page, or ten times a second if the page isn't shown. If
   * bytes go by `fetch`, it is known part by part ({@link UploaderOptions.transport}). The last one comes before the end.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** A part was uploaded. */
  onPart?: ((part: SentPart) => void) | undefined;
  /** The status changed. */
  onStatus?: ((status: UploadStatus) => void) | undefined;
  /** The upload is done. It is called once, just before `done` resolves. */
  onComplete?: Loose<[result: UploadResultOf<P>], void> | undefined;
  /** The upload failed or was cancelled. It is called once, just before `done` rejects. */
  onError?: ((error: UploadError) => void) | undefined;
  /** Aborting the signal cancels the upload; the error's `cause` is then the signal's reason. */
  signal?: AbortSignal | undefined;
  /** The file's name at the destination. @defaultValue the file's own, and `"blob"` for a Blob */
  filename?: string | undefined;
  /**
   * What the application wants to know again of this file: plain JSON of at most 16,384 characters. Every function of the provider gets it
   * ({@link FileInfo}), as do results and `unfinished()`. It is kept with the session, over a reload too, so put no secret into it. It is
   * copied, and the copy can't be changed.
   *
   * ```js
   * uploader.upload(file, { meta: { album: "summer" } });
   * // provider: { name: "s3", key: ({ name, meta }) => `${meta.album}/${name}`, … }
   * ```
   *
   * @defaultValue `{}`
   */
  meta?: Meta | undefined;
  /**
   * Where the file was in its folder: `"album/summer/1.jpg"`. Functions of the provider and results get it, so that keys can have the
   * folder's structure. @defaultValue `webkitRelativePath` of the file, and `""` where it has none
   */
  relativePath?: string | undefined;
  /**
   * Of the uploads that wait for their turn, and of the parts that wait for a request, those with the highest priority go first; of the
   * same, those that came first. Any number; uploads that have begun aren't stopped for others.
   *
   * @defaultValue `0`
   */
  priority?: number | undefined;
  /** The file's media type at the destination. @defaultValue the file's own, or the one of its extension */
  contentType?: string | undefined;
  /**
   * Options of the provider for this file. They override the uploader's.
   *
   * ```js
   * uploader.upload(file, { provider: { vaultUpload: { mode: "message", userId: "123" } } });
   * ```
   *
   * For `s3`, credentials are asked for again only if `getCredentials` is among them: a `key` of a file's own costs no request.
   */
  provider?: ProviderSettings<P> | undefined;
}

/** The options of a provider that one file may have for itself: all but its name. */
export type ProviderSettings<P extends Provider = Provider> = P extends unknown
  ? { [Key in Exclude<keyof P, "name">]?: P[Key] | undefined }
  : never;

/** What the application wants to know again of a file, as plain JSON. */
export type Meta = Record<string, unknown>;

/** A file as the application's functions get it. */
export interface FileInfo {
  /** The name at the destination. */
  name: string;
  /** Bytes that are sent: those of the file, or of what `transform` made of it. */
  size: number;
  /** The media type at the destination: that of what `transform` made, the option, the file's own or that of its extension; empty if none is known. */
  type: string;
  /** When it was changed, in milliseconds since 1970; 0 for a Blob. */
  lastModified: number;
  /** As the option of that name: `"album/summer/1.jpg"`, or empty. */
  relativePath: string;
  /** As the option of that name. */
  meta: Meta;
  /** The file itself. It is empty where an upload is resumed or discarded without it. */
  file: File | Blob;
}

/** A file and where it was in its folder, as a drop zone finds it. A handle is opened when it is the file's turn. */
export interface FileEntry {
  file: File | Blob | FileSystemFileHandle;
  relativePath: string;
}

/**
 * Options of an {@link UploadGroup}. Those of {@link UploadOptions} are for each of its files.
 */
export interface GroupOptions<P extends Provider = Provider> extends Omit<
  UploadOptions<P>,
  "onProgress" | "onPart" | "onStatus" | "onComplete" | "onError" | "filename"
> {
  /** Something changed in the group: at most once for each frame of the page, and once before the end. */
  onProgress?: ((progress: GroupProgress) => void) | undefined;
  /** How many files the group may have. Every other one is refused: it ends as `file-rejected`, and the others go on. */
  maxFiles?: number | undefined;
  /** How many bytes the group may have, in files that aren't refused. A file that doesn't fit any more is refused, and the others go on. */
  maxTotalBytes?: number | undefined;
  /**
   * Gives the options of one file, which override the group's. `index` counts the files from 0 in the order in which they were added. A
   * handle is given as it is, because it is opened later. What it throws, `group()` or `add()` throws, and none of these files is begun.
   */
  each?(file: File | FileSystemFileHandle, index: number): UploadOptions<P>;
}

/**
 * Several uploads as one. The files run by the uploader's own rules, with as many requests at once.
 *
 * ```js
 * group.addEventListener("progress", ({ detail }) => (bar.value = detail.fraction));
 * retryButton.onclick = () => group.retry();
 * ```
 */
export interface UploadGroup<P extends Provider = Provider> extends EventTarget {
  /** Its uploads in the order in which they were added, refused ones too. It is the same array until one is added or removed. */
  readonly uploads: readonly Upload<P>[];
  /** The current progress. It is the same object until something changes. */
  readonly progress: GroupProgress;
  /**
   * Resolves when every file that was added so far has ended, each in its way; it never rejects. `results` are in the order in which the
   * files were added, and so are `errors`, with failed, refused and cancelled ones. After a later `add()`, and when a file is tried again,
   * it is a new promise. Whoever reads it is told of failures, so that the console doesn't report them.
   */
  readonly done: Promise<{ results: UploadResultOf<P>[]; errors: { upload: Upload<P>; error: UploadError }[] }>;
  /**
   * Adds files, and starts their uploads; in a group that is paused, they wait for its `resume()`. Throws as {@link Uploader.group} does.
   */
  add(files: Iterable<File | Blob | FileSystemFileHandle | FileEntry>, options?: UploadOptions<P>): Upload<P>[];
  /** As {@link Uploader.unfinished}; an upload that is resumed from this list joins the group. */
  unfinished(): Promise<UnfinishedUpload<P>[]>;
  /** Takes an upload out of the group, and cancels it if it isn't at its end. What isn't in the group is left alone. */
  remove(upload: Upload<P>): void;
  /** Pauses all its uploads, and those that are added until `resume()`. */
  pause(): void;
  /** Continues all its uploads that were paused. */
  resume(): void;
  /** Calls `retry()` of all that failed. Those that were cancelled stay so. */
  retry(): void;
  /** Cancels all its uploads that aren't at their end, and resolves when they have ended. */
  cancel(): Promise<void>;
  addEventListener<K extends keyof UploadGroupEvents<P>>(
    type: K,
    listener: (event: CustomEvent<UploadGroupEvents<P>[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof UploadGroupEvents<P>>(
    type: K,
    listener: (event: CustomEvent<UploadGroupEvents<P>[K]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** The type of `detail` of each event of {@link UploadGroup}. Both come at most once for each frame of the page, `change` first. */
export interface UploadGroupEvents<P extends Provider = Provider> {
  /** The uploads that changed since the event before: those that were added or removed, or have another status or progress. */
  change: readonly Upload<P>[];
  progress: GroupProgress;
}

/** The progress of a group: the sums over its files. `processing` is null. */
export interface GroupProgress extends Progress {
  /** How many files have each status. */
  files: Record<UploadStatus, number>;
}

/**
 * The upload of one file. It reports by callbacks, by events with the same details, and by `done`.
 *
 * ```js
 * upload.addEventListener("status", (event) => (label.textContent = event.detail));
 * ```
 */
export interface Upload<P extends Provider = Provider> extends EventTarget {
  /** A unique id within this page. */
  readonly id: string;
  /** The file. Of a `FileSystemFileHandle` only the name is known until the status `"checking"`. */
  readonly file: { name: string; size: number; type: string };
  /** What the application gave with the file; `{}` if nothing. */
  readonly meta: Meta;
  /** Where the file was in its folder; empty if that isn't known. */
  readonly relativePath: string;
  /** The current status. */
  readonly status: UploadStatus;
  /** The current progress. */
  readonly progress: Progress;
  /** Why it failed or was cancelled; null unless it was. */
  readonly error: UploadError | null;
  /** The result; null until it is done. */
  readonly result: UploadResultOf<P> | null;
  /**
   * Resolves or rejects once, at the end. A failure causes no unhandled rejection if nothing reads this promise; if there is neither an
   * `onError` nor a listener for `"error"` either, the console reports the failure once. After `retry()` it is a new promise.
   */
  readonly done: Promise<UploadResultOf<P>>;
  /** Stops sending: parts in flight are aborted and sent again later, uploaded parts are kept. */
  pause(): void;
  /** Continues after `pause()`. */
  resume(): void;
  /**
   * Tries again after a failure, or after `cancel()`, in this object and with the same options: callbacks and events begin anew. It goes on
   * with the parts that the server has, as far as the session is kept ({@link UploaderOptions.resume}), and else sends the file from the
   * start. An upload that hasn't failed and wasn't cancelled is left as it is.
   *
   * ```js
   * upload.addEventListener("error", ({ detail }) => (retryButton.hidden = !detail.retryable));
   * retryButton.onclick = () => upload.retry();
   * ```
   */
  retry(): void;
  /**
   * Stops the upload, aborts it at the server if the API has a call for that, and removes its session. `done` rejects with the code
   * `cancelled`. The returned promise resolves when the upload has ended, in whatever way. In the moment before an upload has looked for
   * what an earlier page left of it, there is nothing to abort, and that stays among `unfinished()`.
   */
  cancel(): Promise<void>;
  /**
   * Passes on a vendor's webhook that your server received, so that the upload needn't wait for its next poll. It accepts the body of
   * the webhook (`{ type, payload }`), the payload alone (with `media_upload_id`), or a record of the vendor's list (with `id`). An update
   * of another upload changes nothing. Throws `invalid-options` if there is no `status`.
   */
  notify(update: UploadNotice | { type?: string; payload: UploadNotice; [extra: string]: unknown }): void;
  addEventListener<K extends keyof UploadEvents<P>>(
    type: K,
    listener: (event: CustomEvent<UploadEvents<P>[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof UploadEvents<P>>(
    type: K,
    listener: (event: CustomEvent<UploadEvents<P>[K]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

/** The state of an upload at a vendor: a webhook's payload, or a record of the vendor's list. */
export interface UploadNotice {
  status: string;
  media_id?: string | null | undefined;
  [extra: string]: unknown;
}

/**
 * An upload that was left unfinished, as {@link Uploader.unfinished} lists it.
 *
 * ```js
 * const [left] = await uploader.unfinished();
 * const upload = await left.resume(left.needsFile ? input.files[0] : undefined);
 * await upload.done;
 * ```
 */
export interface UnfinishedUpload<P extends Provider = Provider> {
  /** A unique id, which stays the same after reloads. */
  readonly id: string;
  /** The name with which it was started. */
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of the uploaded parts, as far as this browser knows; all bytes if only the later steps are left. */
  readonly sent: number;
  /** What the application gave with the file; `{}` if nothing. */
  readonly meta: Meta;
  /** Where the file was in its folder; empty if that isn't known. */
  readonly relativePath: string;
  /** When it was started, as ISO 8601. */
  readonly startedAt: string;
  /**
   * Whether `resume()` needs the file. It doesn't if the file came from a `FileSystemFileHandle` that the browser kept, or if the
   * destination has the whole file and is only processing it.
   */
  readonly needsFile: boolean;
  /**
   * Resumes the upload, with the name, type, settings, `meta` and `relativePath` with which it was started. If there is a handle, call it
   * from a click: the browser may ask for permission to read the file.
   *
   * Rejects with an {@link UploadError}, and changes nothing: `already-running` if it is running, here or in another tab;
   * `file-changed` if this is another file (size, date and content count, the name doesn't); `file-unreadable` if the handle's file is
   * gone, may not be read, or can't be read within half a minute; `invalid-options` if a file is needed and missing; `session-expired` if
   * it was finished or discarded in the meantime. A later failure rejects the upload's `done`.
   *
   * ```js
   * input.onchange = async () => {
   *   const upload = await left.resume(input.files[0], { onProgress: (progress) => (bar.value = progress.fraction) });
   * };
   * ```
   */
  resume(file?: File | FileSystemFileHandle, options?: UploadOptions<P>): Promise<Upload<P>>;
  /**
   * Aborts the upload at the server, if the API has a call for that, and removes its session. Rejects with an {@link UploadError} if that
   * failed and the upload can still be resumed (`already-running` as above, `session-expired` if there is no session any more).
   */
  discard(): Promise<void>;
}

/** The type of `detail` of each event of {@link Upload}. */
export interface UploadEvents<P extends Provider = Provider> {
  progress: Progress;
  part: SentPart;
  status: UploadStatus;
  complete: UploadResultOf<P>;
  error: UploadError;
}

/**
 * The stage of an upload. The statuses come in this order, but any may be skipped. `"checking"` checks the file, and whether the
 * destination has it already; `"processing"` waits for the vendor after the last byte. `"paused"` follows `pause()`. `"waiting"` means
 * that the browser reports no network (after some seconds a request is tried anyway), or that the server asked to wait; it may come
 * first, while the WebAssembly can't be loaded. The last three are final.
 */
export type UploadStatus =
  "queued" | "checking" | "opening" | "sending" | "completing" | "processing" | "paused" | "waiting" | "done" | "failed" | "cancelled";

/** The progress of an upload. */
export interface Progress {
  /** Bytes that were uploaded or sent. It never decreases, even if a part has to be sent again. */
  sent: number;
  /** Bytes of the file. */
  total: number;
  /** `sent` of `total`, 0 to 1. */
  fraction: number;
  /** Bytes per second over the last seconds, retries included; null while unknown. */
  rate: number | null;
  /** Seconds left at that rate; null while unknown. */
  eta: number | null;
  /** Parts of the file: all, those uploaded, those in flight. */
  parts: { total: number; done: number; inFlight: number };
  /** The progress of the vendor's processing, 0 to 1; null if the vendor doesn't report it. */
  processing: number | null;
}

/** An uploaded part. */
export interface SentPart {
  /** Counted from 1. */
  partNumber: number;
  /** Position of its first byte in the file. */
  start: number;
  /** Position of its last byte, inclusive. */
  end: number;
  /** The server's ETag, without what a proxy added (`W/`, `-gzip`); null if there was none or the page may not read it. */
  etag: string | null;
  /** Requests that were needed. */
  attempts: number;
  /** Whether its bytes were compared with the ETag, or with the store's checksum of the part. */
  verified: boolean;
}

/** What proves that a destination has the bytes of a file. */
export interface Proof {
  /**
   * `"etag-md5"`: each part's ETag was the MD5 of its bytes. `"crc64nvme"`: the store computed the same CRC64NVME, of each part or of the
   * whole object. `"sha256"`: the store checked each part against the SHA-256 that was sent with it (`checksum` of `s3`).
   */
  by: "etag-md5" | "crc64nvme" | "sha256";
  /**
   * As S3 writes it: the object's ETag (an MD5, or the MD5 of the parts' MD5s with `-` and their number), or the checksum in base64, that of
   * a `"sha256"` in parts with `-` and their number.
   */
  value: string;
  /** How many parts `value` is made of. */
  parts: number;
}

/** The result of an upload. Which ids it has depends on the provider: {@link UploadResultOf}. */
export interface UploadResult {
  /** Name of the provider. */
  provider: string;
  /** OFAuth's reference of this upload. Can be used once. */
  mediaUploadId?: string;
  /** Id of the media at the vendor, as text: `media.id` of OFAuth, `media_id` of Onlymonster, `mediaId` of apifansly. */
  mediaId?: string;
  /** What to put into OFAuth's `mediaItems`: the media's id if there is one, else the upload's reference. */
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
  /** HTTP status of the server's answer to a form; not for an upload whose job was polled after a reload. */
  status?: number;
  /** Size of the file. */
  bytes: number;
  /** How many parts were sent; 0 if nothing had to be sent. */
  parts: number;
  /** Requests with file bytes, retries included. */
  attempts: number;
  /** Duration of the upload in milliseconds. */
  elapsedMs: number;
  /** Whether every byte was compared with an ETag or a checksum of the store. */
  verified: boolean;
  /** What proves that the destination has the file's bytes; null where nothing does. Plain JSON, to be stored with what it is about. */
  proof: Proof | null;
  /** Whether the vendor already had this file, so that nothing was sent. */
  alreadyThere: boolean;
  /** When the links in `media` expire, as ISO 8601. */
  linksExpireAt?: string;
  /** What the application gave with the file; `{}` if nothing. */
  meta: Meta;
  /** Where the file was in its folder; empty if that isn't known. */
  relativePath: string;
}

/** The result of an upload to that provider: {@link UploadResult}, with the members that it always has. */
export type UploadResultOf<P extends Provider = Provider> = P extends unknown ? UploadResult & AlwaysInResult[P["name"]] : never;

/** The members that a result always has, by the provider's name. */
export interface AlwaysInResult {
  /** The upload's reference, unless the vault had the file: then the media's id. */
  ofauth: { mediaItem: string; reusable: boolean } & (
    | { alreadyThere: false; mediaUploadId: string }
    | { alreadyThere: true; mediaId: string }
  );
  onlymonster: { mediaId: string; key: string };
  apifansly: { mediaId: string };
  s3: { key: string };
  /** What `complete` returned. */
  plan: {};
  /** What `parse` or `job` returned. */
  form: {};
}

/**
 * Why an upload has no result. `message` says what happened, `hint` what to do, `code` is for programs.
 *
 * Your own `open`, `sign` and other functions may throw one to end the upload with it:
 *
 * ```js
 * throw new UploadError("forbidden", "The trial allows ten files a day.");
 * ```
 *
 * `instanceof` recognises the errors of every entry of the package (`partway`, `partway/s3`), imported or required.
 */
export class UploadError extends Error {
  constructor(code: UploadErrorCode, message: string, details?: UploadErrorDetails);
  /** What went wrong, for programs. */
  readonly code: UploadErrorCode;
  /** Whether the same `upload(file)` may succeed later. The README has a table. */
  readonly retryable: boolean;
  /** The step that failed. */
  readonly step?: Step;
  /** HTTP status, if a server answered. */
  readonly status?: number;
  /** Number of the part, if a part failed. */
  readonly partNumber?: number;
  /** The vendor's own code and message, and the request id for its support. */
  readonly vendor?: { code?: string; message?: string; requestId?: string };
  /** What to do, in a sentence; for `etag-not-exposed` with the CORS rule to paste. For `invalid-options` the stack has it too, in Chromium and Node. */
  readonly hint?: string;
}

/** The details of an {@link UploadError} besides code and message. */
export interface UploadErrorDetails {
  /** @defaultValue depends on the code */
  retryable?: boolean | undefined;
  step?: Step | undefined;
  status?: number | undefined;
  partNumber?: number | undefined;
  vendor?: { code?: string | undefined; message?: string | undefined; requestId?: string | undefined } | undefined;
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * The codes of an {@link UploadError}.
 *
 * - `file-rejected` comes before a byte is sent; `too-large` and `unsupported-type` are the server's answer.
 * - `url-expired` is about a store's presigned URL, `session-expired` about the vendor's upload.
 * - `already-running`: another tab or upload uses the session on which `resume()` or `discard()` was called. `upload()` never ends with
 *   it, but starts a new upload.
 * - `outcome-unknown`: a call that must not be repeated may have taken effect, so check before you try again.
 * - `network`: there was no answer, or none of the destination's: the sign-in page of a proxy or network answered, or the server's CORS
 *   rule or the page's Content-Security-Policy hides the answer from the page (`hint` has the rule or directive to add).
 * - `application`: a function of yours threw; `cause` has what it threw.
 * - `internal` is also the code in a test runner's DOM that can't send files; the message says what is missing.
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

/** A step of an upload, in the destination's terms. */
export type Step = "check" | "init" | "verify-fan" | "part" | "complete" | "export" | "status" | "retry" | "list" | "abort" | "sign";

/** A request that is about to be sent. It may be changed in place. */
export interface OutgoingRequest {
  /** The step that it belongs to. */
  step: Step;
  method: string;
  url: string;
  headers: Headers;
  /** A value that is sent as JSON, a `FormData`, or the `Blob` itself. */
  body: unknown;
  /** The file whose upload it belongs to. To change it changes nothing. */
  readonly file: FileInfo;
}

/** A destination and its options. `name` says which one it is. */
export type Provider = OfauthProvider | OnlymonsterProvider | ApifanslyProvider | S3Provider | PlanProvider | FormProvider;

/** OFAuth's `/v2/access/uploads`: media for OnlyFans. Bytes go through your proxy. */
export interface OfauthProvider {
  name: "ofauth";
  /** Address of your proxy, which adds the key and the connection: `"/api/ofauth"`. */
  baseUrl?: string | undefined;
  /** The account to upload to, if the proxy doesn't choose it. */
  connectionId?: string | undefined;
  /** Adds the media to the vault at once; with `mode: "message"`, for the chat with `userId`. */
  vaultUpload?: { mode?: "message" | undefined; userId?: string | null | undefined } | undefined;
  /** Checks first whether the vault has this file, and sends nothing if it has. @defaultValue `true` */
  skipExisting?: boolean | undefined;
  /** The vendor's key, readable in the page: only for trials. Needs `dangerouslyExposeSecrets`. */
  apiKey?: string | undefined;
  /** Confirms that everyone who opens the page may read its secrets. */
  dangerouslyExposeSecrets?: boolean | undefined;
}

/** Onlymonster's vault uploads. Bytes go straight to the vendor's storage, calls through your proxy. */
export interface OnlymonsterProvider {
  name: "onlymonster";
  /** Address of your proxy, which adds the token: `"/api/onlymonster"`. */
  baseUrl?: string | undefined;
  /** Id of the account, 1 to 19 digits; as text, because a number loses digits. */
  accountId: string;
  /** What the media is for. */
  exportType: "post" | "message";
  /** Id of the fan who gets the message. */
  exportFanId?: string | undefined;
  /** Link to that fan's profile, instead of the id. It is resolved before a byte is sent. */
  fanLink?: string | undefined;
  /** Milliseconds to wait for the vendor's processing. @defaultValue `900000`, 15 minutes */
  pollTimeoutMs?: number | undefined;
  /** Milliseconds in one state after which the vendor's retry is called, once for each state. @defaultValue `180000` */
  stuckAfterMs?: number | undefined;
  /**
   * The maximum of calls per second, 0.01 to 1000, over all uploads of the page with this `token`, or through this `baseUrl` where the
   * proxy adds the token: 0.5 is one call in two seconds. @defaultValue `3`, the vendor's limit for a token
   */
  requestsPerSecond?: number | undefined;
  /** Sends ETags to the vendor without their quotes. @defaultValue `false` */
  stripEtagQuotes?: boolean | undefined;
  /** The vendor's token, readable in the page: only for trials. Needs `dangerouslyExposeSecrets`. */
  token?: string | undefined;
  /** Confirms that everyone who opens the page may read its secrets. */
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
   * Milliseconds before the first poll of the job, 1 to 86400000. The interval doubles up to 30 s. A poll may cost a credit.
   * @defaultValue `2000`
   */
  pollIntervalMs?: number | undefined;
  /** The vendor's key, readable in the page: only for trials. Needs `dangerouslyExposeSecrets`. */
  apiKey?: string | undefined;
  /** Confirms that everyone who opens the page may read its secrets. */
  dangerouslyExposeSecrets?: boolean | undefined;
}

/** Any S3: requests are signed in the page with temporary credentials, without a call to your server for each part. */
export interface S3Provider {
  name: "s3";
  bucket: string;
  /** `"eu-central-1"`, for example; `"auto"` at some stores. */
  region: string;
  /** Address of the store alone, without the bucket. @defaultValue that of AWS in this region */
  endpoint?: string | undefined;
  /**
   * Several names of one store. Parts are spread over them, and other calls go to the first. Over HTTP/1.1 each name has six connections
   * of its own. A name that fails or refuses (403, or by the page's Content-Security-Policy) while another works isn't used again in this
   * page; what it failed to take goes to another.
   */
  endpoints?: string[] | undefined;
  /**
   * Puts the bucket into the path instead of the host name, as most stores other than AWS need it. @defaultValue `true` if the host name
   * can't contain the bucket (an endpoint that is an IP address or a name without a dot, a bucket with dots, capitals or underscores),
   * else `false`
   */
  forcePathStyle?: boolean | undefined;
  /** Key of the object, or a function that gives the key for a file, or a promise of it. */
  key: string | ((file: FileInfo) => string | Promise<string>);
  /**
   * Gets temporary credentials from your backend. They are kept in memory until `expiration`, for all uploads that have the
   * uploader's own provider options, and fetched again when the store says that they have expired. An upload with `provider` options of
   * its own fetches its own.
   */
  getCredentials(): Promise<S3Credentials | StsCredentials | { Credentials?: StsCredentials | undefined }>;
  /**
   * Bytes of a part, 5 MiB to 5 GiB; more if the file wouldn't fit into 10,000 parts.
   *
   * @defaultValue by file and line: at least four parts for each request that runs at once, of at most 24 MiB, or of what one of these
   * requests sends in 8 seconds once that was measured in this page. An upload that goes on in a later page keeps its part size.
   */
  partSize?: number | undefined;
  /** Size in bytes from which a file is sent in parts, at most 5 GiB; a smaller file is sent in one request. @defaultValue `16777216`, 16 MiB */
  multipartThreshold?: number | undefined;
  /** Headers of the object, signed: `{ "cache-control": "max-age=3600", "x-amz-meta-source": "web" }`. */
  headers?: Record<string, string> | undefined;
  /** Doesn't replace an existing object: the upload ends as `conflict`. @defaultValue `false` */
  ifNoneMatch?: boolean | undefined;
  /**
   * Has the store check each part before it accepts it: by a checksum that is computed before the part is sent, and signed into its
   * request. The store needs to know it, as AWS does: `"crc64nvme"` covers the whole object (`FULL_OBJECT`), `"sha256"` is composite. The CORS
   * rule must expose the header of that name, for `"sha256"` too: `x-amz-checksum-sha256`. @defaultValue none
   */
  checksum?: "sha256" | "crc64nvme" | undefined;
}

/** Temporary credentials. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  /** When they expire: a `Date`, ISO 8601, or a Unix time in seconds or milliseconds. */
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
 * Your backend plans the upload and keeps the keys; the page only sends bytes to the URLs that it gets. It fits any presigner.
 *
 * If `sign` or `list` rejects, it is called again, as often as `retry` says; but not after a programming error, and at most three times
 * if it has never worked and tried to read a page as JSON. `open` and `complete` aren't called again, because they may have taken effect.
 * An {@link UploadError} that a function throws is passed on unchanged, and its `retryable` decides whether `sign` and `list` are called
 * again. Everything else ends as `application`.
 */
export interface PlanProvider {
  name: "plan";
  /**
   * Opens an upload, and returns the URL for each byte range. As JSON, `file` is `{name, size, type, lastModified, relativePath, meta}`. The
   * other functions get it as their last parameter.
   */
  open(file: FileInfo): Promise<UploadPlan>;
  /**
   * Returns URLs for parts that came without one, or whose URL has expired: several in one call, some ahead of need. `headers` replace
   * the plan's for that part. If a part is missing from the answer twice, the upload ends as `plan-mismatch`.
   */
  sign?:
    | Method<
        [plan: UploadPlan, partNumbers: number[], file: FileInfo],
        { partNumber: number; uploadUrl: string; headers?: Record<string, string> | undefined }[]
      >
    | undefined;
  /**
   * Returns the parts that the store has, so that a resumed upload needn't rely on the browser's session. If all its attempts reject, the
   * session counts; if `sign` then rejects too, a new upload starts. An empty list, or an `UploadError` with the code `session-expired`, says
   * that the store doesn't know the upload any more: a new one starts at once.
   */
  list?: Method<[plan: UploadPlan, file: FileInfo], { partNumber: number; size: number; etag: string }[]> | undefined;
  /**
   * Completes the upload; what it returns becomes part of the result. `checksumCRC64NVME` is the store's own checksum of the whole object,
   * in base64, as CompleteMultipartUpload answers it: it is compared with the file's, which is read once more for that if need be.
   */
  complete?:
    | Method<
        [plan: UploadPlan, parts: { partNumber: number; etag: string | null }[], file: FileInfo],
        ({ [K in keyof UploadResult]?: UploadResult[K] | undefined } & { checksumCRC64NVME?: string | undefined }) | void
      >
    | undefined;
  /** Aborts the upload, after `cancel()`. */
  abort?: Method<[plan: UploadPlan, file: FileInfo], void> | undefined;
}

/**
 * Which byte range of a file goes to which URL. The parts must cover the file exactly, else the upload ends as `plan-mismatch` before a
 * byte is sent. A part without a URL needs `sign`. The plan may have other members of your backend's, which your functions get back: an
 * interface of your own with these members and others is a plan.
 */
export interface UploadPlan {
  uploadId?: string | undefined;
  key?: string | undefined;
  /** When the URLs expire, as ISO 8601. @defaultValue what the URLs themselves say, if they are signed as S3's are */
  expiresAt?: string | undefined;
  /** @defaultValue `"PUT"` */
  method?: "PUT" | "POST" | undefined;
  /** Headers of every part: those that the URLs were signed with, and no others. */
  headers?: Record<string, string> | undefined;
  /** Whether a part's ETag must be readable. @defaultValue `"required"` if there are an `uploadId` and a `complete`, else `"optional"` */
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

/**
 * One form (`multipart/form-data`) with the whole file: to your own server, or to a bucket by a POST policy. The file is the last field,
 * as buckets need it.
 *
 * ```js
 * // Your own server, which answers { mediaId: "7" }.
 * new Uploader({ provider: { name: "form", url: "/api/upload", fields: { album: "7" } } });
 *
 * // One that processes the file: it answers { job: "/api/jobs/7" }, and the job { state: "active", progress: 0.4 }.
 * new Uploader({ provider: { name: "form", url: "/api/upload", parse: (reply) => ({ poll: reply.job }) } });
 *
 * // A bucket, whose policy your server signs (createPresignedPost of AWS's SDK).
 * const fields = async ({ name, type }) => (await fetch("/api/policy", { method: "POST", body: JSON.stringify({ name, type }) })).json();
 * new Uploader({ provider: { name: "form", url: "https://media.s3.eu-central-1.amazonaws.com/", fields, repeatable: true } });
 * ```
 *
 * Every 2xx is success. Without `parse` the result has the members that a JSON reply names (`mediaId`, `key` and so on, see
 * {@link UploadResult}), and `status`. A reply that is a web page is none of the server's, and no redirect is an answer: answer with JSON,
 * with text, or with nothing, and leave `success_action_redirect` out of a policy.
 *
 * A form with the fields `policy` and a signature is one for a bucket. It carries nothing of the page's: no cookies, no `headers`, and
 * nothing of `beforeRequest`. With the field `success_action_status: "201"` (or a `key` without `${filename}`) the result has `key`; it has
 * `etag` if the bucket's CORS rule exposes `ETag`, or with 201. If that is the MD5 of the file, `verified` is true and `proof` has it. For
 * any other server both stay empty.
 *
 * After a reload, an upload whose form was begun ends as `outcome-unknown`, unless `repeatable` is set: then it starts again. One whose
 * job has an address goes on polling it.
 */
export interface FormProvider {
  name: "form";
  /** Where the form goes: a path of the page's own server, or an https URL. */
  url: string;
  /** @defaultValue `"POST"` */
  method?: "POST" | "PUT" | undefined;
  /**
   * The fields before the file, or a function that gives them, which is called for each attempt, since a policy may have expired. They are
   * never kept. A field's value is text.
   */
  fields?:
    | Record<string, string>
    | ((file: FileInfo) => Record<string, string> | Promise<Record<string, string>>)
    | undefined;
  /** Name of the file's field. @defaultValue `"file"`, as buckets need it */
  fileField?: string | undefined;
  /**
   * Headers of the form and of polls: `{ "x-csrf-token": token }`. They go to the origin of `url`, and to those of `trustedOrigins` that are
   * polled. With any but `Accept` and `X-Requested-With` the form goes by `fetch`, which follows no redirect and reports no progress
   * before the end; a header that `beforeRequest` adds goes by `XMLHttpRequest`.
   */
  headers?: Record<string, string> | undefined;
  /**
   * Whether the same form may arrive twice. If not, it isn't sent again after its answer was lost or the server failed (5xx), and the upload
   * ends as `outcome-unknown`. A policy with a `key` of its own may: the second object is in place of the first. @defaultValue `false`
   */
  repeatable?: boolean | undefined;
  /**
   * Reads the server's answer: JSON as a value, anything else as text. Gives members of the result, or `poll`: the address of a job, as an
   * https URL or a path of the server of `url`. If it throws, the upload ends as `application`.
   */
  parse?:
    | Loose<[reply: unknown, response: { status: number; headers: Headers }, file: FileInfo], Some<UploadResult> & { poll?: string | undefined }>
    | undefined;
  /**
   * Reads what the job's address answers. `progress` is 0 to 1; `result` has members of the result.
   *
   * @defaultValue the reply as it is: `{ "state": "completed", "result": { "mediaId": "7" } }`
   */
  job?:
    | Loose<
        [reply: unknown, file: FileInfo],
        {
          state: "waiting" | "active" | "completed" | "failed";
          progress?: number | undefined;
          result?: Some<UploadResult> | undefined;
          error?: string | undefined;
        }
      >
    | undefined;
  /** Milliseconds to wait for the job. @defaultValue `900000`, 15 minutes */
  pollTimeoutMs?: number | undefined;
  /** Milliseconds before the first poll, 1 to 86400000. The interval doubles up to 30 s. @defaultValue `2000` */
  pollIntervalMs?: number | undefined;
}

/**
 * Uploads as a store, for views: it is what `partway/react`, `partway/vue` and `partway/svelte` stand on, and fits what else reads
 * `subscribe` and a snapshot. Listeners are called at most once for each frame of the page, or ten times a second if it isn't shown.
 *
 * ```js
 * const files = createUploads(uploader);
 * files.subscribe(() => {
 *   const { uploads, progress } = files.getSnapshot();
 *   list.replaceChildren(...uploads.map(({ file, progress }) => row(file.name, progress.fraction)));
 *   bar.value = progress.fraction;
 * });
 * files.add(input.files);
 * ```
 *
 * Each store has uploads of its own: those that its `add()` started, and those of `unfinished` that were resumed. It belongs to no
 * component: uploads go on while nobody is subscribed.
 */
export function createUploads<P extends Provider>(uploader: Uploader<P>): Uploads<P>;

/** A store of uploads, as {@link createUploads} makes it. Its functions need no `this`. An id that it doesn't know changes nothing. */
export interface Uploads<P extends Provider = Provider> {
  /** Calls `listener` after each change, until the function that it returns is called. */
  subscribe(listener: () => void): () => void;
  /** The current state: the same object until something changes. */
  getSnapshot(): UploadsSnapshot<P>;
  /** The state of a store without uploads, as a server renders it, and as a browser takes over from there. */
  getServerSnapshot(): UploadsSnapshot<P>;
  /** One of the snapshot's uploads. */
  find(id: string): UploadView<P> | undefined;
  /** As {@link UploadGroup.add}: starts uploads, and shows them with the next frame. `null` (`input.files` without a choice) adds none. */
  add(files: Iterable<File | Blob | FileSystemFileHandle | FileEntry> | null, options?: UploadOptions<P>): Upload<P>[];
  /** Takes an upload out of the list, and cancels it if it isn't at its end. */
  remove(id: string): void;
  /** Takes all uploads out of the list that are done, failed or cancelled. */
  clear(): void;
  /** Pauses one upload; without an id all of them, and those that are added until `resume()`. */
  pause(id?: string): void;
  /** Continues one upload; without an id all of them. */
  resume(id?: string): void;
  /** Tries a failed or cancelled upload again; without an id all that failed. */
  retry(id?: string): void;
  /** Cancels one upload; without an id all of them. Resolves when they have ended. */
  cancel(id?: string): Promise<void>;
}

/** The state of a store of uploads at one moment. It doesn't change any more: the next one is another object. */
export interface UploadsSnapshot<P extends Provider = Provider> {
  /** The uploads in the order in which they were added. One that didn't change is the same object as before. */
  readonly uploads: readonly UploadView<P>[];
  /** The progress of all of them. */
  readonly progress: GroupProgress;
  /**
   * What a reload, a crash or a failure left unfinished, newest first, as {@link Uploader.unfinished} lists it; without files that stand
   * among `uploads` by name and size. It is filled soon after the first `subscribe()`. One that is resumed joins the uploads.
   */
  readonly unfinished: readonly UnfinishedUpload<P>[];
}

/** An upload at one moment. Each member is what {@link Upload} has under its name. */
export interface UploadView<P extends Provider = Provider> {
  readonly id: string;
  readonly file: { name: string; size: number; type: string };
  readonly meta: Meta;
  readonly relativePath: string;
  readonly status: UploadStatus;
  readonly progress: Progress;
  readonly error: UploadError | null;
  readonly result: UploadResultOf<P> | null;
}

/**
 * Takes files in: dropped on an element, in folders too, pasted, or picked. The WebAssembly is loaded when files are dragged over the
 * element, and when the focus comes to an input in it or to the button, so that the first upload starts at once.
 *
 * ```js
 * const stop = createDropzone(element, {
 *   accept: "image/*,.pdf",
 *   button,
 *   onFiles: (files) => uploads.add(files),
 *   onReject: (rejected) => show(rejected.map(({ name, why }) => `${name}: ${why}`).join("\n")),
 *   onDrag: (over) => element.classList.toggle("over", over),
 * });
 * ```
 *
 * Files that are chosen in an `<input type="file">` within the element come in too, those of one with `webkitdirectory` with their paths;
 * the input is emptied afterwards. While a drop zone is there, a file that is dropped beside it doesn't replace the page. Of several drop
 * zones within each other the innermost takes a drop. It moves no focus, and looks like nothing: all that is seen is the page's own.
 *
 * Gives the function that undoes all of it. Throws `invalid-options` for wrong options, and without an element.
 */
export function createDropzone(element: HTMLElement, options: DropzoneOptions): () => void;

/** Options of {@link createDropzone}. If a callback throws, the console reports it. */
export interface DropzoneOptions {
  /**
   * Files came in, at least one; those of a folder by their names. Each of these has its path: `"album/summer/1.jpg"`. In browsers that have them, dropped
   * files come as handles, from which an upload can be resumed after a reload without picking the file again.
   */
  onFiles(files: FileEntry[]): void;
  /**
   * Some of what came in isn't taken: another type, more than one file without `multiple`, folders without `folders`, what can't be read,
   * folders nested more than 32 deep, an empty folder. It comes after `onFiles` with the others. `why` is an English sentence.
   */
  onReject?: ((rejected: { name: string; why: string }[]) => void) | undefined;
  /** Files are dragged over the element (`true`), or not any more. It doesn't change from one child of the element to another. */
  onDrag?: ((over: boolean) => void) | undefined;
  /** As in `<input accept>`: `"image/*,.pdf"`. It holds for dropped and pasted files too. @defaultValue every file */
  accept?: string | undefined;
  /** Whether several files are taken at once; otherwise the first that is accepted. @defaultValue `true` */
  multiple?: boolean | undefined;
  /**
   * Whether folders are taken, with all that is in them but `.DS_Store`, `Thumbs.db` and `desktop.ini`. @defaultValue `true`
   */
  folders?: boolean | undefined;
  /**
   * Whether files are taken that are pasted anywhere in the page. Where text is written, a paste that has text too is left alone.
   * @defaultValue `false`
   */
  paste?: boolean | undefined;
  /**
   * Opens the dialog of the first `<input type="file">` in the element, or else one for `accept` and `multiple`. An element that is no button
   * by itself becomes one for keyboards and screen readers: it gets `role="button"` and `tabindex="0"`, and answers to Enter and Space.
   * It may be the drop zone's own element: links, buttons and inputs in it keep their own clicks.
   */
  button?: HTMLElement | undefined;
}

/**
 * A function whose parameters are checked as loosely as a method's: one of your own plan's type fits, and an `Uploader` of one provider
 * is one of any.
 */
type Method<Parameters extends unknown[], Result> = Loose<Parameters, Promise<Result>>;

/** The same for one whose result is no promise. */
type Loose<Parameters extends unknown[], Result> = { method(...parameters: Parameters): Result }["method"];

/** Any of the members. */
type Some<Members> = { [K in keyof Members]?: Members[K] | undefined };

declare global {
  interface SymbolConstructor {
    /** As TypeScript's library `esnext.disposable` declares it. */
    readonly dispose: unique symbol;
  }
}

export {};
