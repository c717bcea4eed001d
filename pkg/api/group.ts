import type * as Declared from "partway";
import type { FileEntry, GroupOptions, GroupProgress, Progress, UploadGroupEvents, UploadOptions, UploadStatus } from "partway";

import { checkGroupOptions, checkUploadOptions } from "../options/upload.ts";
import { type UploadInput, isBlob, isHandle } from "../sessions/source.ts";
import { Emitter } from "../util/emitter.ts";
import { nextFrame } from "../util/frames.ts";
import { UploadError, invalidOptions } from "./errors.ts";
import { type Share, Tally } from "./group-progress.ts";
import { unfinished } from "./unfinished-upload.ts";
import { Upload, type UploadContext, isAtEnd } from "./upload.ts";

type Input = UploadInput | FileEntry;

interface Member extends Share {
  /** Whether the limits let it in. */
  isAdmitted?: boolean;
}

/** Several uploads as one. */
export class UploadGroup extends Emitter<UploadGroupEvents> implements Declared.UploadGroup {
  #context: UploadContext;
  #options: GroupOptions;
  #ofEachFile: UploadOptions;
  #members = new Map<Upload, Member>();
  #uploads: readonly Declared.Upload[] | undefined;
  #tally = new Tally();
  #progress: GroupProgress | undefined;
  #done: Declared.UploadGroup["done"] | undefined;
  /** Whether the application has read `done`, and learns there how uploads end. */
  #isDoneRead = false;
  #isPaused = false;
  /** What changed since the event before. */
  #changed = new Set<Upload>();
  /** Files so far, those included that were removed. */
  #described = 0;
  /** Files and bytes that the limits let in. */
  #admitted = { files: 0, bytes: 0 };

  constructor(context: UploadContext, files: Iterable<Input> = [], options: GroupOptions = {}) {
    super();
    this.#options = checkGroupOptions(options);
    const { onProgress, maxFiles, maxTotalBytes, each, ...ofEachFile } = this.#options;
    this.#ofEachFile = ofEachFile;
    this.#context = {
      ...context,
      admit: (upload, size) => this.#admit(upload, size),
      onStatus: (upload, status) => {
        context.onStatus(upload, status);
        this.#onStatus(upload, status);
      },
      onProgress: (upload, progress) => this.#onProgress(upload, progress),
      join: (upload) => this.#join(upload),
      isObserved: () => this.#isDoneRead,
    };
    this.add(files);
  }

  /** Frameworks leave alone what has a tag of its own. They wrap plain objects in proxies, through which private members can't be read. */
  get [Symbol.toStringTag](): string {
    return "UploadGroup";
  }

  get uploads(): readonly Declared.Upload[] {
    return (this.#uploads ??= [...this.#members.keys()]);
  }

  get progress(): GroupProgress {
    return (this.#progress ??= this.#tally.progress(performance.now()));
  }

  get done(): Declared.UploadGroup["done"] {
    this.#isDoneRead = true;
    return (this.#done ??= this.#end());
  }

  add(files: Iterable<Input>, options?: UploadOptions): Upload[] {
    if (typeof (files as Partial<Iterable<Input>> | null)?.[Symbol.iterator] !== "function") {
      throw invalidOptions(
        "A group takes a list of files, but got something else.",
        "Put a single file into an array.",
      );
    }
    const shared = { ...this.#ofEachFile, ...(options && checkUploadOptions(options)) };
    // An `each` that throws leaves nothing begun.
    const described = Array.from(files, (given) => this.#describe(given, shared));
    return described.map(([file, own]) => this.#start(file, own));
  }

  unfinished(): Promise<Declared.UnfinishedUpload[]> {
    return unfinished(this.#context);
  }

  remove(upload: Declared.Upload): void {
    const member = this.#members.get(upload as Upload);
    if (!member) return;
    this.#members.delete(upload as Upload);
    this.#tally.count(member, -1);
    if (member.isAdmitted) {
      this.#admitted.files -= 1;
      this.#admitted.bytes -= member.size;
    }
    void upload.cancel();
    this.#reset();
    this.#note(upload as Upload);
  }

  pause(): void {
    this.#isPaused = true;
    for (const upload of this.#members.keys()) upload.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const upload of this.#members.keys()) upload.resume();
  }

  retry(): void {
    for (const upload of this.uploads) if (upload.status === "failed") upload.retry();
  }

  async cancel(): Promise<void> {
    await Promise.all(this.uploads.map((upload) => upload.cancel()));
  }

  #describe(given: Input, shared: UploadOptions): [file: UploadInput, options: UploadOptions] {
    // Whatever else it is, its upload says what is wrong with it.
    const { file, relativePath }: Partial<FileEntry> = isBlob(given) || isHandle(given) ? { file: given } : Object(given);
    const own = this.#options.each?.(file as File, this.#described++);
    return [file as UploadInput, { ...shared, ...(relativePath !== undefined && { relativePath }), ...own }];
  }

  #start(file: UploadInput, options: UploadOptions): Upload {
    const upload = new Upload(this.#context, file, options);
    this.#join(upload);
    return upload;
  }

  #join(upload: Upload): void {
    const member: Member = { status: "queued", progress: undefined, size: 0 };
    this.#members.set(upload, member);
    this.#tally.count(member, 1);
    if (this.#isPaused) upload.pause();
    this.#reset();
    this.#note(upload);
  }

  /** The group has other uploads now, or one of them runs again. */
  #reset(): void {
    this.#uploads = this.#done = undefined;
  }

  #admit(upload: Upload, size: number): void {
    const member = this.#members.get(upload);
    if (!member) return;
    const { maxFiles = Infinity, maxTotalBytes = Infinity } = this.#options;
    const { files, bytes } = this.#admitted;
    if (!member.isAdmitted) {
      if (files >= maxFiles) throw refused(`${maxFiles} files`, files + 1);
      if (bytes + size > maxTotalBytes) throw refused(`${maxTotalBytes} bytes`, bytes + size);
      member.isAdmitted = true;
      this.#admitted = { files: files + 1, bytes: bytes + size };
    }
    this.#change(upload, member, { size });
  }

  #onStatus(upload: Upload, status: UploadStatus): void {
    const member = this.#members.get(upload);
    if (!member) return;
    if (isAtEnd(member)) this.#done = undefined;
    this.#change(upload, member, { status });
  }

  #onProgress(upload: Upload, progress: Progress): void {
    const member = this.#members.get(upload);
    if (!member) return;
    this.#tally.move(member.progress, progress);
    this.#change(upload, member, { progress });
  }

  #change(upload: Upload, member: Member, change: Partial<Share>): void {
    this.#tally.count(member, -1);
    this.#tally.count(Object.assign(member, change), 1);
    this.#note(upload);
  }

  /** Reports a change at the next frame, and the last one at once. */
  #note(upload: Upload): void {
    if (!this.#changed.size) void nextFrame().then(() => this.#report());
    this.#changed.add(upload);
    this.#progress = undefined;
    if (this.#members.size && !this.#tally.open) this.#report();
  }

  #report(): void {
    if (!this.#changed.size) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.emit("change", changed, undefined);
    this.emit("progress", this.progress, this.#options.onProgress);
  }

  async #end(): Awaited<Declared.UploadGroup["done"]> extends infer End ? Promise<End> : never {
    const uploads = this.uploads;
    const outcomes = await Promise.allSettled(uploads.map(({ done }) => done));
    const results = [];
    const errors = [];
    for (const [index, outcome] of outcomes.entries()) {
      const upload = uploads[index]!;
      if (!this.#members.has(upload as Upload)) continue;
      if (outcome.status === "fulfilled") results.push(outcome.value);
      else errors.push({ upload, error: outcome.reason as UploadError });
    }
    return { results, errors };
  }
}

function refused(limit: string, count: number): UploadError {
  return new UploadError("file-rejected", `The group may have ${limit}, but would have ${count} with this one.`, {
    step: "check",
    hint: "Remove another file from the group, and call retry().",
  });
}
