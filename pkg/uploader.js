import { EngineHolder } from "./core.js";
import { cancelled } from "./error.js";
import { checkUploaderOptions } from "./options.js";
import { Upload } from "./upload.js";

/** The shared engine: options, slots, pace, queue. */
export class Uploader {
  #options;
  #engine;
  #live = new Set();
  #closed = false;

  constructor(options) {
    this.#options = checkUploaderOptions(options);
    this.#engine = new EngineHolder(this.#options);
  }

  upload(file, options) {
    const host = {
      provider: this.#options.provider,
      enter: (end) => this.#enter(end),
      start: (...details) => this.#engine.start(...details),
    };
    return new Upload(host, file, options);
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#live) end(cancelled("The Uploader was closed."));
    this.#engine.close();
  }

  #enter(end) {
    if (this.#closed) throw cancelled("The Uploader is closed: make a new one.");
    this.#live.add(end);
    return () => this.#live.delete(end);
  }
}
