import type * as Declared from "partway";
import type { Meta, OutgoingRequest, Progress, Provider, UploadEvents, UploadOptions, UploadResultOf, UploadStatus, UploaderOptions } from "partway";

import { checkFeatures } from "../entry.ts";
import { checkUploadOptions } from "../options/upload.ts";
import { mergeProvider } from "../options/provider.ts";
import { destinationKey, settingsKey } from "../sessions/destination-key.ts";
import { areSessionsLoaded, sessions } from "../sessions/port.ts";
import type { Session } from "../sessions/session.ts";
import { type Source, type UploadInput, checkFile, isBlob, isHandle, openHandle, sourceOf } from "../sessions/source.ts";
import { Emitter } from "../util/emitter.ts";
import { randomId } from "../util/hex.ts";
import { turn } from "../util/turns.ts";
import type { EngineHandle, TaskHandle } from "../wasm/engine.ts";
import type { EngineEvent, EngineResult, TaskCall } from "../wasm/glue.ts";
import { loadForUpload } from "../wasm/load.ts";
import { UploadError, cancelled, invalidOptions, toUploadError } from "./errors.ts";
import { fileInfo, withFile } from "./file-info.ts";
import { transformed } from "./transform.ts";

/** How long a cancelled upload waits for the engine that has to tell the server. (A choice.) */
const ENGINE_MS = 3000;

/** Ends an upload with an error. */
export type End = (error: UploadError) => void;

/** What an `Uploader` gives its uploads. */
export interface UploadContext {
  readonly provider: Provider;
  /** Whether sessions are kept, and for which user of the page. */
  readonly resume: { scope?: string } | false;
  /** Whether bytes go by `XMLHttpRequest`, where there is one. */
  readonly byXhr: boolean;
  /** Adds a running upload, and gives the function that removes it. */
  register(upload: Upload, end: End): () => void;
  readonly beforeRequest: ((request: OutgoingRequest) => void | Promise<void>) | undefined;
  readonly transform: UploaderOptions["transform"];
  /** Throws if the upload isn't to begin. */
  admit?(upload: Upload, size: number): void;
  /** Gets each change of an upload's status. */
  onStatus(upload: Upload, status: UploadStatus): void;
  onProgress?(upload: Upload, progress: Progress): void;
  /** Gets each upload that goes on with what was left unfinished. */
  join?(upload: Upload): void;
  /** Whether the application learns of failures by other means than the upload's. */
  isObserved?(): boolean;
  /** The media type of a file. */
  typeOf: EngineHandle["typeOf"];
  start: EngineHandle["start"];
}

type CallbackName = `on${Capitalize<keyof UploadEvents>}`;

/** One file on its way. */
export class Upload extends Emitter<UploadEvents> implements Declared.Upload {
  #id: string | undefined;
  #context: UploadContext;
  #given: UploadInput;
  #givenOptions: UploadOptions;
  /** The file, once somebody looked at it: for its size, Chromium asks another process, and waits. */
  #source: Source | undefined;
  #file: { name: string; size: number; type: string } | undefined;
  /** What `transform` gave for a file. */
  #output: { of: Blob; source: Source | undefined } | undefined;
  #status: UploadStatus = "queued";
  #progress: Progress | undefined;
  #result: UploadResultOf | null = null;
  #error: UploadError | null = null;
  #done!: Promise<UploadResultOf>;
  #resolve!: (result: UploadResultOf) => void;
  #reject!: (error: UploadError) => void;
  /** The attempt that runs; `undefined` at the end. */
  #attempt: object | undefined;
  /** Whether the application has read `done`, and learns there how the upload ends. */
  #isDoneRead = false;

  #options: UploadOptions = {};
  #task: TaskHandle | undefined;
  /** The kept session of this upload, or the one in which it will be kept. */
  #session: Session | undefined;
  #sessionSearch: Promise<void> | undefined;
  /** Calls that were made before the engine has the upload. */
  #pendingCalls: TaskCall[] = [];
  /** Whether the wasm can't be loaded for now: the network is down, or a server asked to wait. */
  #isLoadWaiting = false;
  /** What has to be undone when the upload has settled. */
  #cleanups: (() => unknown)[] = [];

  /** `session` is the session to resume, if the caller has one already. The upload releases it at the end. */
  constructor(context: UploadContext, file: UploadInput, options: UploadOptions = {}, session?: Session) {
    super();
    this.#context = context;
    this.#given = file;
    this.#givenOptions = options;
    this.#begin(session);
  }

  /** Moves an upload to the front of its queue. */
  static prioritize(upload: Upload): void {
    upload.#call("prioritize");
  }

  get id(): string {
    return (this.#id ??= randomId());
  }

  get file(): { name: string; size: number; type: string } {
    const source = (this.#source ??= isBlob(this.#given) ? this.#describe(this.#given) : undefined);
    if (!source) return { name: this.#options.filename ?? (this.#given as Partial<FileSystemFileHandle> | undefined)?.name ?? "", size: 0, type: "" };
    return (this.#file ??= { name: source.name, size: source.size, type: source.type });
  }

  get meta(): Meta {
    return (this.#options.meta ??= {});
  }

  get relativePath(): string {
    return this.#options.relativePath ?? (((this.#source?.file ?? this.#given) as Partial<File> | undefined)?.webkitRelativePath || "");
  }

  get status(): UploadStatus {
    return this.#status;
  }

  get progress(): Progress {
    return (this.#progress ??= initialProgress(this.file.size));
  }

  get error(): UploadError | null {
    return this.#error;
  }

  get result(): UploadResultOf | null {
    return this.#result;
  }

  get done(): Promise<UploadResultOf> {
    this.#isDoneRead = true;
    return this.#done;
  }

  /** Frameworks leave alone what has a tag of its own. They wrap plain objects in proxies, through which private members can't be read. */
  get [Symbol.toStringTag](): string {
    return "Upload";
  }

  pause(): void {
    this.#call("pause");
  }

  resume(): void {
    this.#call("resume");
  }

  retry(): void {
    if (this.#attempt || this.#status === "done") return;
    const former = this.#session;
    this.#error = null;
    this.#task = this.#session = this.#sessionSearch = undefined;
    this.#pendingCalls = [];
    // The file behind a handle may have changed.
    if (!isBlob(this.#given)) this.#source = undefined;
    this.#begin(undefined, former);
  }

  async cancel(): Promise<void> {
    const attempt = this.#attempt;
    const done = this.#done;
    // A session, if there is one, has to be given up at the server and dropped here: the search for it takes a moment, once it has begun.
    if (!this.#task && areSessionsLoaded()) await this.#sessionSearch?.catch(() => {});
    if (!attempt || attempt !== this.#attempt) return;
    if (this.#task || this.#session?.isKept) this.#call("cancel");
    else this.#fail(cancelledByCaller());
    if (!this.#task && this.#attempt) {
      setTimeout(() => attempt === this.#attempt && (this.#task || this.#drop()), this.#isLoadWaiting ? 0 : ENGINE_MS);
    }
    await done.catch(() => {});
  }

  notify(update: Parameters<Declared.Upload["notify"]>[0]): void {
    // Whatever a webhook sent may come in here.
    const given = update as { status?: unknown; payload?: { status?: unknown } } | null | undefined;
    if (typeof (given?.payload ?? given)?.status !== "string") {
      throw invalidOptions(
        "notify() takes an object with a `status`, or with a `payload` that has one.",
        "Pass what the webhook sent ({ type, payload }), its payload, or a record of the vendor's list, as it came.",
      );
    }
    this.#call("notify", update);
  }

  /** Starts an attempt: with this session, or with the one that the attempt before left. */
  #begin(session?: Session, former?: Session): void {
    const attempt = (this.#attempt = {});
    this.#isDoneRead = false;
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#done.catch(() => {});
    this.#setStatus("queued");
    if (session) this.#attach(session, attempt);
    this.#run(attempt, former).catch((error: unknown) => {
      if (attempt === this.#attempt) this.#isCancelPending() ? this.#drop() : this.#fail(error);
    });
  }

  async #run(attempt: object, former: Session | undefined): Promise<void> {
    const [context, file] = [this.#context, this.#given];
    this.#cleanups.push(context.register(this, (error) => this.#fail(error)));
    checkFile(file);
    this.#options = checkUploadOptions(this.#givenOptions);
    const { priority } = this.#options;
    const provider = mergeProvider(context.provider, this.#options.provider);
    this.#bindSignal(this.#options.signal);
    await turn();
    if (attempt !== this.#attempt) return;
    const handle = isHandle(file) ? file : undefined;
    const blob = handle ? await openHandle(handle) : (file as Blob);
    if (attempt !== this.#attempt) return;
    const source = (this.#source ??= this.#describe(blob));
    if (handle) this.#file = this.#progress = undefined;
    context.admit?.(this, source.size);
    await checkFeatures(source.file, context.byXhr);
    if (attempt !== this.#attempt) return;
    const load = loadForUpload((isWaiting) => this.#setLoadWaiting(isWaiting));
    this.#sessionSearch = this.#session ? undefined : this.#findSession(attempt, provider, source, handle, former);
    await Promise.all([this.#sessionSearch, load]);
    await turn(true);
    if (attempt !== this.#attempt) return;
    const known = { ...source, type: context.typeOf(source) };
    const record = this.#session?.isKept ? this.#session.stored.record : undefined;
    const sent = { ...known, ...(record?.output && { ...record.output, size: record.size }) };
    const info = fileInfo(source.file, sent, this.relativePath, this.meta, () => this.#session?.stored.lastModified);
    const { beforeRequest, transform } = context;
    this.#task = context.start(
      known,
      withFile(provider, info),
      {
        ...this.#session?.forEngine(),
        info,
        ...(priority && { priority }),
        ...(beforeRequest && {
          beforeRequest: (request: OutgoingRequest) => beforeRequest(Object.assign(request, { file: info })),
        }),
        ...((transform || record?.output) && {
          transform: async () => {
            const output = await this.#transform(known);
            Object.assign(sent, output ?? known);
            return output;
          },
        }),
      },
      // Not within the engine's call: a listener may call back, and would find the engine busy.
      (...event) => queueMicrotask(() => attempt === this.#attempt && this.#onEvent(...event)),
      (error) => this.#fail(error),
    );
    this.#cleanups.push(() => this.#task?.release());
    for (const call of this.#pendingCalls.splice(0)) this.#call(...call);
  }

  #describe(blob: Blob): Source {
    const source = sourceOf(blob, this.#options);
    // The blob is empty for an upload that is discarded, or that the destination has whole.
    source.size = this.#session?.stored.size ?? source.size;
    return source;
  }

  /** What is sent in the file's place. Another attempt of this page sends the same. */
  async #transform(known: Source): Promise<Source | undefined> {
    const { transform, typeOf } = this.#context;
    if (!transform) return undefined;
    if (this.#output?.of !== known.file) {
      const output = await transformed(transform, known, this.meta, this.#options.filename !== undefined);
      this.#output = { of: known.file, source: output && { ...output, type: typeOf(output) } };
    }
    return this.#output.source;
  }

  /** A Blob has neither a name nor a date to be recognised by, so nothing is kept of it. */
  async #findSession(
    attempt: object,
    provider: Provider,
    { file, name, size, type }: Source,
    handle: FileSystemFileHandle | undefined,
    former: Session | undefined,
  ): Promise<void> {
    const resume = "lastModified" in file && this.#context.resume;
    const kept = former || resume ? await sessions() : undefined;
    if (attempt !== this.#attempt) return;
    const identify = () => ({
      place: destinationKey(provider, resume ? resume.scope : undefined),
      settings: settingsKey(provider),
      name,
      size,
      type,
      lastModified: (file as File).lastModified,
      relativePath: this.relativePath,
      meta: this.meta,
    });
    const session =
      (former && (await kept?.reopenSession(former, file))) ?? (resume ? await kept?.findSession(file, identify, handle) : undefined);
    if (session) this.#attach(session, attempt);
    else if (former && size !== file.size) {
      throw new UploadError("session-expired", "This upload has no session any more, and its file isn't at hand.", {
        hint: "Let the user pick the file again, and call upload(file): it starts a new upload.",
      });
    }
  }

  #attach(session: Session, attempt: object): void {
    if (attempt !== this.#attempt) return void session.release();
    this.#session = session;
    this.#cleanups.push(() => session.release());
  }

  #bindSignal(signal: AbortSignal | undefined): void {
    if (!signal) return;
    if (signal.aborted) throw cancelled("The signal was aborted before the upload began.");
    const cancel = () => void this.cancel();
    signal.addEventListener("abort", cancel);
    this.#cleanups.push(() => signal.removeEventListener("abort", cancel));
  }

  #setLoadWaiting(isWaiting: boolean): void {
    this.#isLoadWaiting = isWaiting;
    if (!this.#attempt) return;
    this.#setStatus(isWaiting ? "waiting" : "queued");
    if (isWaiting && this.#isCancelPending()) this.#drop();
  }

  #isCancelPending(): boolean {
    return this.#pendingCalls.some(([method]) => method === "cancel");
  }

  /** Ends a cancelled upload without the engine, and so without telling the server. */
  #drop(): void {
    if (!this.#attempt) return;
    void this.#session?.forget();
    this.#fail(cancelledByCaller());
  }

  #call(...call: TaskCall): void {
    if (!this.#attempt) return;
    if (this.#task) this.#task.call(...call);
    else this.#pendingCalls.push(call);
  }

  #onEvent(...[type, detail]: EngineEvent): void {
    if (!this.#attempt) return;
    if (type === "complete") this.#complete(detail);
    else if (type === "error") this.#fail(detail);
    else if (type === "status") {
      // An end comes with its result or its error.
      if (!isAtEnd({ status: detail })) this.#setStatus(detail);
    } else {
      if (type === "progress") {
        this.#progress = detail;
        this.#context.onProgress?.(this, detail);
      }
      this.#emit(type, detail);
    }
  }

  #complete(detail: EngineResult): void {
    // Which members it has depends on the provider.
    const result = (this.#result = { ...detail, meta: this.meta, relativePath: this.relativePath } as UploadResultOf);
    this.#settle("done", "complete", result, this.#resolve);
  }

  #fail(thrown: unknown): void {
    if (!this.#attempt) return;
    let error = toUploadError(thrown);
    const { signal } = this.#options;
    if (error.code === "cancelled" && signal?.aborted) error = cancelled(error.message, signal.reason);
    this.#error = error;
    this.#settle(error.code === "cancelled" ? "cancelled" : "failed", "error", error, this.#reject);
  }

  #settle<K extends "complete" | "error">(
    status: UploadStatus,
    type: K,
    detail: UploadEvents[K],
    settleDone: (detail: UploadEvents[K]) => void,
  ): void {
    this.#attempt = undefined;
    if (status !== "failed") this.#output = undefined;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#setStatus(status);
    const isObserved = status !== "failed" || this.#isFailureObserved();
    this.#emit(type, detail);
    settleDone(detail);
    // The application may read `done` only after this.
    if (!isObserved) setTimeout(() => this.#isFailureObserved() || logFailure(detail as UploadError));
  }

  #isFailureObserved(): boolean {
    return this.#isDoneRead || this.#options.onError !== undefined || this.hasErrorListener() || !!this.#context.isObserved?.();
  }

  #setStatus(status: UploadStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#context.onStatus(this, status);
    this.#emit("status", status);
  }

  #emit<K extends keyof UploadEvents>(type: K, detail: UploadEvents[K]): void {
    // The compiler can't follow which callback belongs to which event.
    const name = `on${type.charAt(0).toUpperCase()}${type.slice(1)}` as CallbackName;
    this.emit(type, detail, this.#options[name] as ((detail: UploadEvents[K]) => void) | undefined);
  }
}

/** Whether an upload has ended, in whatever way. */
export function isAtEnd({ status }: { status: UploadStatus }): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

function initialProgress(total: number): Progress {
  return { sent: 0, total, fraction: 0, rate: null, eta: null, parts: { total: 0, done: 0, inFlight: 0 }, processing: null };
}

function cancelledByCaller(): UploadError {
  return cancelled("The upload was cancelled.");
}

/** Reports a failure that the application doesn't observe. */
function logFailure(error: UploadError): void {
  const hint = error.hint && !error.message.endsWith(error.hint) ? ` ${error.hint}` : "";
  console.error(`partway: an upload failed, and nothing listens to it (${error.code}): ${error.message}${hint}`, error);
}
