import { EngineHolder } from "./core.js";
import { cancelled } from "./error.js";
import { checkUploaderOptions } from "./options.js";
import { unfinished } from "./unfinished.js";
import { Upload } from "./upload.js";

/** The shared engine: options, slots, pace, queue. */
export class Uploader {
  #host;
  #engine;
  #live = new Set();

  constructor(options) {
    const checked = checkUploaderOptions(options);
    this.#engine = new EngineHolder(checked);
    this.#host = {
      provider: checked.provider,
      resume: checked.resume ?? true,
      byXhr: !checked.fetch && checked.transport !== "fetch",
      enter: (end) => this.#enter(end),
      start: (...details) => this.#engine.start(...details),
    };
  }

  upload(file, options) {
    return new Upload(this.#host, file, options);
  }

  unfinished() {
    return unfinished(this.#host);
  }

  /** The next upload makes a new engine: frameworks clean up what they use again. */
  close() {
    for (const end of this.#live) end(cancelled("The Uploader was closed."));
    this.#engine.close();
  }

  /** Frameworks wrap plain objects in proxies, which private members don't survive, and tell them by this. */
  get [Symbol.toStringTag]() {
    return "Uploader";
  }

  #enter(end) {
    this.#live.add(end);
    return () => this.#live.delete(end);
  }
}
