import type * as Declared from "partway";
import type { FileEntry, GroupOptions, UnfinishedUpload, UploadOptions, UploaderOptions } from "partway";

import { checkUploaderOptions } from "../options/uploader.ts";
import type { UploadInput } from "../sessions/source.ts";
import { WakeLock } from "../util/wake-lock.ts";
import { EngineHandle } from "../wasm/engine.ts";
import { cancelled, invalidOptions } from "./errors.ts";
import { UploadGroup } from "./group.ts";
import { unfinished } from "./unfinished-upload.ts";
import { type End, Upload, type UploadContext, isAtEnd } from "./upload.ts";

/** The shared engine: options, slots, pace, queue. */
export class Uploader implements Declared.Uploader {
  #context: UploadContext;
  #engine: EngineHandle;
  /** The uploads that aren't at their end, in the order in which they were started. */
  #running = new Map<Upload, End>();

  constructor(options: UploaderOptions) {
    const checked = checkUploaderOptions(options);
    const { resume = true, keepAwake } = checked;
    const wakeLock = keepAwake ? new WakeLock() : undefined;
    this.#engine = new EngineHandle(checked);
    this.#context = {
      provider: checked.provider,
      resume: resume === true ? {} : resume,
      byXhr: !checked.fetch && checked.transport !== "fetch",
      beforeRequest: checked.beforeRequest,
      transform: checked.transform,
      register: (upload, end) => this.#register(upload, end),
      onStatus: (upload, status) => wakeLock?.note(upload, status),
      typeOf: (source) => this.#engine.typeOf(source),
      start: (...details) => this.#engine.start(...details),
    };
  }

  upload(file: UploadInput, options?: UploadOptions): Upload {
    return new Upload(this.#context, file, options);
  }

  group(files?: Iterable<UploadInput | FileEntry>, options?: GroupOptions): UploadGroup {
    return new UploadGroup(this.#context, files, options);
  }

  get uploads(): readonly Declared.Upload[] {
    return [...this.#running.keys()];
  }

  prioritize(upload: Declared.Upload): void {
    if (!(upload instanceof Upload) || !(this.#running.has(upload) || isAtEnd(upload))) {
      throw invalidOptions("prioritize() takes an upload of this Uploader.", "Pass what its upload() returned.");
    }
    Upload.prioritize(upload);
  }

  unfinished(): Promise<UnfinishedUpload[]> {
    return unfinished(this.#context);
  }

  /** The next upload makes a new engine: frameworks clean up what they use again. */
  close(): void {
    // An upload that is tried again by a listener stays.
    for (const end of [...this.#running.values()]) end(cancelled("The Uploader was closed."));
    this.#engine.close();
  }

  /** Frameworks leave alone what has a tag of its own. They wrap plain objects in proxies, through which private members can't be read. */
  get [Symbol.toStringTag](): string {
    return "Uploader";
  }

  #register(upload: Upload, end: End): () => void {
    this.#running.set(upload, end);
    return () => this.#running.delete(upload);
  }

  declare [Symbol.dispose]: () => void;
}

// Not every browser has the symbol.
if (Symbol.dispose) Uploader.prototype[Symbol.dispose] = Uploader.prototype.close;
