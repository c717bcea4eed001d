import type * as Declared from "partway";
import type { UnfinishedUpload, UploadOptions, UploaderOptions } from "partway";

import { checkUploaderOptions } from "../options/uploader.ts";
import type { UploadInput } from "../sessions/source.ts";
import { EngineHandle } from "../wasm/engine.ts";
import { cancelled } from "./errors.ts";
import { unfinished } from "./unfinished-upload.ts";
import { type End, Upload, type UploadContext } from "./upload.ts";

/** The shared engine: options, slots, pace, queue. */
export class Uploader implements Declared.Uploader {
  #context: UploadContext;
  #engine: EngineHandle;
  #running = new Set<End>();

  constructor(options: UploaderOptions) {
    const checked = checkUploaderOptions(options);
    const { resume = true } = checked;
    this.#engine = new EngineHandle(checked);
    this.#context = {
      provider: checked.provider,
      resume: resume === true ? {} : resume,
      byXhr: !checked.fetch && checked.transport !== "fetch",
      register: (end) => this.#register(end),
      start: (...details) => this.#engine.start(...details),
    };
  }

  upload(file: UploadInput, options?: UploadOptions): Upload {
    return new Upload(this.#context, file, options);
  }

  unfinished(): Promise<UnfinishedUpload[]> {
    return unfinished(this.#context);
  }

  /** The next upload makes a new engine: frameworks clean up what they use again. */
  close(): void {
    for (const end of this.#running) end(cancelled("The Uploader was closed."));
    this.#engine.close();
  }

  /** Frameworks leave alone what has a tag of its own. They wrap plain objects in proxies, through which private members can't be read. */
  get [Symbol.toStringTag](): string {
    return "Uploader";
  }

  #register(end: End): () => void {
    this.#running.add(end);
    return () => this.#running.delete(end);
  }
}
