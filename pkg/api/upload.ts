import type * as Declared from "partway";
import type { Progress, Provider, UploadEvents, UploadOptions, UploadResult, UploadStatus } from "partway";

import { checkUploadOptions } from "../options/upload.ts";
import { mergeProvider } from "../options/provider.ts";
import { destinationKey, settingsKey } from "../sessions/destination-key.ts";
import { findSession } from "../sessions/lookup.ts";
import type { Session } from "../sessions/session.ts";
import { type Source, type UploadInput, checkFile, isBlob, isHandle, openHandle, sourceOf } from "../sessions/source.ts";
import { randomId } from "../util/hex.ts";
import { report } from "../util/report.ts";
import { turn } from "../util/turns.ts";
import type { EngineHandle, TaskHandle } from "../wasm/engine.ts";
import type { EngineEvent, TaskCall } from "../wasm/glue.ts";
import { loadForUpload } from "../wasm/load.ts";
import { type UploadError, cancelled, invalidOptions, toUploadError } from "./errors.ts";
import { checkFeatures } from "./feature-detection.ts";

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
  /** Gets each change of an upload's status. */
  onStatus(upload: Upload, status: UploadStatus): void;
  start: EngineHandle["start"];
}

type CallbackName = `on${Capitalize<keyof UploadEvents>}`;

/** One file on its way. */
export class Upload extends EventTarget implements Declared.Upload {
  #id: string | undefined;
  #context: UploadContext;
  #given: UploadInput;
  /** The file, once somebody looked at it: for its size, Chromium asks another process, and waits. */
  #source: Source | undefined;
  #file: { name: string; size: number; type: string } | undefined;
  #status: UploadStatus = "queued";
  #progress: Progress | undefined;
  #done: Promise<UploadResult>;
  #resolve!: (result: UploadResult) => void;
  #reject!: (error: UploadError) => void;
  #isSettled = false;
  /** Whether the application has read `done`, and learns there how the upload ends. */
  #isDoneRead = false;
  #errorListeners = new Set<unknown>();

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
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#done.catch(() => {});
    if (session) this.#attach(session);
    this.#run(context, file, options).catch((error: unknown) => (this.#isCancelPending() ? this.#drop() : this.#fail(error)));
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
    if (!source) return { name: "", size: 0, type: "" };
    return (this.#file ??= { name: source.name, size: source.size, type: source.type });
  }

  get status(): UploadStatus {
    return this.#status;
  }

  get progress(): Progress {
    return (this.#progress ??= initialProgress(this.file.size));
  }

  get done(): Promise<UploadResult> {
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

  async cancel(): Promise<void> {
    // A session, if there is one, has to be given up at the server and dropped here: the search for it takes a moment.
    if (!this.#task) await this.#sessionSearch?.catch(() => {});
    if (this.#task || this.#session?.isKept) this.#call("cancel");
    else this.#fail(cancelledByCaller());
    if (!this.#task && !this.#isSettled) setTimeout(() => this.#task || this.#drop(), this.#isLoadWaiting ? 0 : ENGINE_MS);
    await this.#done.catch(() => {});
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

  override addEventListener<K extends keyof UploadEvents>(
    type: K,
    listener: (event: CustomEvent<UploadEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    if (type === "error" && listener) {
      this.#errorListeners.add(listener);
      (options as Partial<AddEventListenerOptions> | undefined)?.signal?.addEventListener("abort", () =>
        this.#errorListeners.delete(listener),
      );
    }
    super.addEventListener(type, listener as EventListener, options);
  }

  override removeEventListener<K extends keyof UploadEvents>(
    type: K,
    listener: (event: CustomEvent<UploadEvents[K]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: unknown, options?: boolean | EventListenerOptions): void {
    if (type === "error") this.#errorListeners.delete(listener);
    super.removeEventListener(type, listener as EventListener, options);
  }

  async #run(context: UploadContext, file: UploadInput, options: UploadOptions): Promise<void> {
    this.#cleanups.push(context.register(this, (error) => this.#fail(error)));
    checkFile(file);
    this.#options = checkUploadOptions(options);
    const { priority } = this.#options;
    const provider = mergeProvider(context.provider, this.#options.provider);
    this.#bindSignal(this.#options.signal);
    await turn();
    if (this.#isSettled) return;
    const handle = isHandle(file) ? file : undefined;
    const source = (this.#source ??= this.#describe(handle ? await openHandle(handle) : (file as Blob)));
    if (handle) this.#progress = undefined;
    await checkFeatures(source.file, context.byXhr);
    if (this.#isSettled) return;
    this.#sessionSearch = this.#session ? undefined : this.#findSession(context, provider, source, handle);
    await Promise.all([this.#sessionSearch, loadForUpload((isWaiting) => this.#setLoadWaiting(isWaiting))]);
    await turn();
    if (this.#isSettled) return;
    this.#task = context.start(
      source,
      provider,
      { ...this.#session?.forEngine(), ...(priority && { priority }) },
      // Not within the engine's call: a listener may call back, and would find the engine busy.
      (...event) => queueMicrotask(() => this.#onEvent(...event)),
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

  /** A Blob has neither a name nor a date to be recognised by, so nothing is kept of it. */
  async #findSession(
    { resume }: UploadContext,
    provider: Provider,
    { file, name, size, type }: Source,
    handle: FileSystemFileHandle | undefined,
  ): Promise<void> {
    if (!resume || !("lastModified" in file)) return;
    const identify = () => ({
      place: destinationKey(provider, resume.scope),
      settings: settingsKey(provider),
      name,
      size,
      type,
      lastModified: (file as File).lastModified,
    });
    const session = await findSession(file, identify, handle);
    if (session) this.#attach(session);
  }

  #attach(session: Session): void {
    this.#session = session;
    if (this.#isSettled) void session.release();
    else this.#cleanups.push(() => session.release());
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
    if (this.#isSettled) return;
    this.#setStatus(isWaiting ? "waiting" : "queued");
    if (isWaiting && this.#isCancelPending()) this.#drop();
  }

  #isCancelPending(): boolean {
    return this.#pendingCalls.some(([method]) => method === "cancel");
  }

  /** Ends a cancelled upload without the engine, and so without telling the server. */
  #drop(): void {
    if (this.#isSettled) return;
    void this.#session?.forget();
    this.#fail(cancelledByCaller());
  }

  #call(...call: TaskCall): void {
    if (this.#isSettled) return;
    if (this.#task) this.#task.call(...call);
    else this.#pendingCalls.push(call);
  }

  #onEvent(...[type, detail]: EngineEvent): void {
    if (this.#isSettled) return;
    if (type === "complete") this.#settle("done", type, detail, this.#resolve);
    else if (type === "error") this.#fail(detail);
    else if (type === "status") this.#setStatus(detail);
    else {
      if (type === "progress") this.#progress = detail;
      this.#emit(type, detail);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#isSettled) return;
    let error = toUploadError(thrown);
    const { signal } = this.#options;
    if (error.code === "cancelled" && signal?.aborted) error = cancelled(error.message, signal.reason);
    this.#settle(error.code === "cancelled" ? "cancelled" : "failed", "error", error, this.#reject);
  }

  #settle<K extends "complete" | "error">(
    status: UploadStatus,
    type: K,
    detail: UploadEvents[K],
    settleDone: (detail: UploadEvents[K]) => void,
  ): void {
    this.#isSettled = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#setStatus(status);
    const isObserved = status !== "failed" || this.#isFailureObserved();
    this.#emit(type, detail);
    settleDone(detail);
    // The application may read `done` only after this.
    if (!isObserved) setTimeout(() => this.#isFailureObserved() || logFailure(detail as UploadError));
  }

  #isFailureObserved(): boolean {
    return this.#isDoneRead || this.#options.onError !== undefined || this.#errorListeners.size > 0;
  }

  #setStatus(status: UploadStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#context.onStatus(this, status);
    this.#emit("status", status);
  }

  #emit<K extends keyof UploadEvents>(type: K, detail: UploadEvents[K]): void {
    try {
      // The compiler can't follow which callback belongs to which event.
      const callback = this.#options[`on${type.charAt(0).toUpperCase()}${type.slice(1)}` as CallbackName] as
        ((detail: UploadEvents[K]) => void) | undefined;
      callback?.(detail);
    } catch (error) {
      report(error);
    }
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Whether an upload has ended, in whatever way. */
export function isAtEnd({ status }: Upload): boolean {
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
