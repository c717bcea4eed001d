import { loadFor } from "./core.js";
import { checkEnvironment } from "./environment.js";
import { cancelled, invalid, toUploadError } from "./error.js";
import { hex } from "./fingerprint.js";
import { checkUploadOptions, mergeProvider } from "./options.js";
import { placeOf, settingsOf } from "./place.js";
import { report, sayUnheard } from "./report.js";
import { sessionFor } from "./session.js";
import { checkFile, describe, isHandle, open } from "./source.js";

/** A cancelled upload that the server is to be told of waits so long for the engine that tells it. (A choice.) */
const ENGINE_MS = 3000;

/** One file on its way. */
export class Upload extends EventTarget {
  #id = newId();
  #file = { name: "", size: 0, type: "" };
  #status = "queued";
  #progress = noProgress(0);
  #done;
  #resolve;
  #reject;
  #settled = false;
  /** Somebody has `done`, and hears there how it ends. */
  #isAwaited = false;
  #errorListeners = new Set();

  #options = {};
  #task;
  /** What is kept of it, or was, to go on with. */
  #session;
  #finding;
  /** Calls made before the engine has the upload. */
  #kept = [];
  /** The wasm can't come for now: there is no network, or a server asked to wait. */
  #waits = false;
  /** What is to be undone once this has settled. */
  #leaving = [];

  /**
   * `host` is the uploader's side: its `provider` and `resume`; `enter(end)`, which gives a function to leave by; `start(...)`.
   * `session` is the one to go on with, where it is known; it is let go of at the end.
   */
  constructor(host, file, options = {}, session = undefined) {
    super();
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#done.catch(() => {});
    if (session) this.#work(session);
    this.#run(host, file, options).catch((error) => (this.#isCancelled() ? this.#drop() : this.#fail(error)));
  }

  get id() {
    return this.#id;
  }

  get file() {
    return this.#file;
  }

  get status() {
    return this.#status;
  }

  get progress() {
    return this.#progress;
  }

  get done() {
    this.#isAwaited = true;
    return this.#done;
  }

  /** Frameworks wrap plain objects in proxies, which private members don't survive, and tell them by this. */
  get [Symbol.toStringTag]() {
    return "Upload";
  }

  pause() {
    this.#call("pause");
  }

  resume() {
    this.#call("resume");
  }

  async cancel() {
    // What is kept at the server and here is to go too: whether there is anything is known in a moment.
    if (!this.#task) await this.#finding?.catch(() => {});
    if (this.#task || this.#session?.isKept) this.#call("cancel");
    else this.#fail(byCaller());
    if (!this.#task && !this.#settled) setTimeout(() => this.#task || this.#drop(), this.#waits ? 0 : ENGINE_MS);
    await this.#done.catch(() => {});
  }

  notify(update) {
    if (typeof (update?.payload ?? update)?.status !== "string") {
      throw invalid(
        "notify() takes an object with a `status`, or with a `payload` that has one.",
        "Pass what the webhook sent ({ type, payload }), its payload, or a record of the vendor's list, as it came.",
      );
    }
    this.#call("notify", update);
  }

  addEventListener(type, listener, options) {
    if (type === "error" && listener) {
      this.#errorListeners.add(listener);
      options?.signal?.addEventListener("abort", () => this.#errorListeners.delete(listener));
    }
    super.addEventListener(type, listener, options);
  }

  removeEventListener(type, listener, options) {
    if (type === "error") this.#errorListeners.delete(listener);
    super.removeEventListener(type, listener, options);
  }

  async #run(host, file, options) {
    this.#leaving.push(host.enter((error) => this.#fail(error)));
    checkFile(file);
    this.#options = checkUploadOptions(options);
    const provider = mergeProvider(host.provider, this.#options.provider);
    this.#heed(this.#options.signal);
    const handle = isHandle(file) ? file : undefined;
    const source = this.#take(handle ? await open(handle) : file);
    await checkEnvironment(source.file, host.byXhr);
    if (this.#settled) return;
    this.#finding = this.#session ? undefined : this.#find(host.resume, provider, source, handle);
    await Promise.all([this.#finding, loadFor((waits) => this.#wait(waits))]);
    if (this.#settled) return;
    this.#task = host.start(
      source,
      provider,
      { ...this.#session?.forEngine() },
      // Not within the call: a listener may call back, and would find the wasm busy.
      (type, detail) => queueMicrotask(() => this.#hear(type, detail)),
      (error) => this.#fail(error),
    );
    this.#leaving.push(() => this.#task.release());
    for (const call of this.#kept.splice(0)) this.#call(...call);
  }

  #take(blob) {
    const source = describe(blob, this.#options);
    // Of one that is discarded, or that the destination has, there is no file.
    source.size = this.#session?.stored.size ?? source.size;
    this.#file = { name: source.name, size: source.size, type: source.type };
    this.#progress = noProgress(source.size);
    return source;
  }

  /** A Blob has neither name nor date to be known again by: nothing is kept of it. */
  async #find(resume, provider, { file, name, size, type, lastModified }, handle) {
    if (!resume || lastModified === undefined) return;
    const about = { place: placeOf(provider, resume.scope), settings: settingsOf(provider), name, size, type, lastModified };
    const session = await sessionFor(file, about, handle);
    if (session) this.#work(session);
  }

  #work(session) {
    this.#session = session;
    if (this.#settled) session.release();
    else this.#leaving.push(() => session.release());
  }

  #heed(signal) {
    if (!signal) return;
    if (signal.aborted) throw cancelled("The signal was aborted before the upload began.");
    const stop = () => void this.cancel();
    signal.addEventListener("abort", stop);
    this.#leaving.push(() => signal.removeEventListener("abort", stop));
  }

  #wait(waits) {
    this.#waits = waits;
    if (this.#settled) return;
    this.#turn(waits ? "waiting" : "queued");
    if (waits && this.#isCancelled()) this.#drop();
  }

  #isCancelled() {
    return this.#kept.some(([method]) => method === "cancel");
  }

  /** Ends a cancelled upload without the engine: nobody can tell the server. */
  #drop() {
    if (this.#settled) return;
    void this.#session?.forget();
    this.#fail(byCaller());
  }

  #call(method, ...values) {
    if (this.#settled) return;
    if (this.#task) this.#task.call(method, ...values);
    else this.#kept.push([method, ...values]);
  }

  #hear(type, detail) {
    if (this.#settled) return;
    if (type === "complete") this.#settle("done", type, detail, this.#resolve);
    else if (type === "error") this.#fail(detail);
    else if (type === "status") this.#turn(detail);
    else {
      if (type === "progress") this.#progress = detail;
      this.#tell(type, detail);
    }
  }

  #fail(thrown) {
    if (this.#settled) return;
    let error = toUploadError(thrown);
    const { signal } = this.#options;
    if (error.code === "cancelled" && signal?.aborted) error = cancelled(error.message, signal.reason);
    this.#settle(error.code === "cancelled" ? "cancelled" : "failed", "error", error, this.#reject);
  }

  #settle(status, type, detail, settle) {
    this.#settled = true;
    for (const leave of this.#leaving.splice(0)) leave();
    this.#turn(status);
    const heard = status !== "failed" || this.#isHeard();
    this.#tell(type, detail);
    settle(detail);
    // Whoever made it may look at `done` only now.
    if (!heard) setTimeout(() => this.#isHeard() || sayUnheard(detail));
  }

  #isHeard() {
    return this.#isAwaited || this.#options.onError !== undefined || this.#errorListeners.size > 0;
  }

  #turn(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.#tell("status", status);
  }

  #tell(type, detail) {
    try {
      this.#options[`on${type[0].toUpperCase()}${type.slice(1)}`]?.(detail);
    } catch (error) {
      report(error);
    }
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function noProgress(total) {
  return { sent: 0, total, fraction: 0, rate: null, eta: null, parts: { total: 0, done: 0, inFlight: 0 }, processing: null };
}

function byCaller() {
  return cancelled("The upload was cancelled.");
}

function newId() {
  return hex(crypto.getRandomValues(new Uint8Array(12)));
}
