import { load } from "./core.js";
import { cancelled, invalid, toUploadError } from "./error.js";
import { hex } from "./fingerprint.js";
import { checkUploadOptions, mergeProvider } from "./options.js";
import { placeOf, settingsOf } from "./place.js";
import { report } from "./report.js";
import { sessionFor } from "./session.js";
import { checkFile, describe, isHandle, open } from "./source.js";

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

  #options = {};
  #task;
  /** What is kept of it, or was, to go on with. */
  #session;
  /** Calls made before the engine has the upload. */
  #kept = [];
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
    this.#run(host, file, options).catch((error) => this.#fail(error));
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
    return this.#done;
  }

  pause() {
    this.#call("pause");
  }

  resume() {
    this.#call("resume");
  }

  async cancel() {
    // What is kept at the server and here is to go too.
    if (this.#task || this.#session?.isKept) this.#call("cancel");
    else this.#fail(cancelled("The upload was cancelled."));
    await this.#done.catch(() => {});
  }

  notify(update) {
    if (typeof update?.status !== "string") {
      throw invalid(
        "notify() takes an object with a `status`.",
        "Pass the webhook's payload, or a record of the vendor's list, as it came.",
      );
    }
    this.#call("notify", update);
  }

  async #run(host, file, options) {
    this.#leaving.push(host.enter((error) => this.#fail(error)));
    checkFile(file);
    this.#options = checkUploadOptions(options);
    const provider = mergeProvider(host.provider, this.#options.provider);
    this.#heed(this.#options.signal);
    const handle = isHandle(file) ? file : undefined;
    const source = this.#take(handle ? await open(handle) : file);
    await Promise.all([this.#session ?? this.#find(host.resume, provider, source, handle), load()]);
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
    this.#tell(type, detail);
    settle(detail);
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

function newId() {
  return hex(crypto.getRandomValues(new Uint8Array(12)));
}
