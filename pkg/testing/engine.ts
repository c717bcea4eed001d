/* An engine that plays scripts, with the exports of the generated glue. It neither loads nor sends anything. */
import type { Progress, Provider, Step, UploadError, UploadErrorCode, UploadResult, UploadStatus, UploaderOptions } from "partway";
import type { StartedUpload } from "partway/testing";

import type { Source } from "../sessions/source.ts";
import { messageOf } from "../util/message-of.ts";
import { version as ownVersion } from "../util/version.ts";
import type { EngineError } from "../api/errors.ts";
import type { EngineListener, Engine as EngineOfFace, StartOptions, Task as TaskOfFace } from "../wasm/glue.ts";
import { released, scriptFor } from "./script.ts";

/** Where progress is reported if a script doesn't say it. */
const HALF_AND_WHOLE = [0.5, 1];

export class Engine implements EngineOfFace {
  #tasks = new Set<Task>();

  constructor(_options: UploaderOptions, _hasher: unknown) {}

  start(source: Source, provider: Provider, options: StartOptions, listener: EngineListener): Task {
    const task = new Task(source, provider, options, listener);
    this.#tasks.add(task);
    return task;
  }

  close(): void {
    for (const task of this.#tasks) task.free();
  }

  free(): void {}
}

export class Task implements TaskOfFace {
  #source: Source;
  #provider: Provider;
  #options: StartOptions;
  #listener: EngineListener;
  #status: UploadStatus = "queued";
  #isPaused = false;
  #isOver = false;
  /** Continues after a pause. */
  #resume = (): void => {};

  constructor(source: Source, provider: Provider, options: StartOptions, listener: EngineListener) {
    this.#source = source;
    this.#provider = provider;
    this.#options = options;
    this.#listener = listener;
    this.#run().catch((error: unknown) => this.#end("error", error as UploadError));
  }

  pause(): void {
    if (this.#isOver || this.#isPaused) return;
    this.#isPaused = true;
    this.#listener("status", "paused");
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isOver) this.#listener("status", this.#status);
    this.#resume();
  }

  cancel(): void {
    this.#end("error", { code: "cancelled", message: "The upload was cancelled." });
  }

  prioritize(): void {}

  notify(): void {}

  free(): void {
    this.#isOver = true;
  }

  async #run(): Promise<void> {
    const { file, name, size, type } = this.#source;
    const { meta, relativePath } = this.#options.info;
    const started: StartedUpload = { name, size, type, meta, relativePath, provider: this.#provider };
    const { progress = HALF_AND_WHOLE, hold, error, result } = scriptFor(file, started);
    await this.#enter("checking");
    const sent = await this.#transform();
    await this.#enter("opening");
    const key = await this.#key(sent.name);
    if ("key" in this.#provider) started.key = key;
    await this.#enter("sending");
    let last = 0;
    for (const fraction of progress) {
      await this.#turn();
      this.#report(progressAt((last = fraction), sent.size));
    }
    if (hold) await released(name);
    await this.#turn();
    if (error !== undefined) {
      const failed = progressAt(last, sent.size);
      this.#report({ ...failed, parts: { ...failed.parts, inFlight: 0 } });
      return this.#end("error", errorOf(error));
    }
    this.#report(progressAt(1, sent.size));
    await this.#enter("completing");
    await this.#turn();
    this.#end("complete", { ...resultOf(this.#provider, sent, key), ...result } as UploadResult);
  }

  async #transform(): Promise<Source> {
    try {
      return (await this.#options.transform?.()) ?? this.#source;
    } catch (cause) {
      throw failedFunction("transform", "check", cause);
    }
  }

  /** The object's key: what the provider's `key` is, or what it gives for the file. */
  async #key(name: string): Promise<string> {
    const { key = name } = this.#provider as { key?: string | (() => string | Promise<string>) };
    try {
      return typeof key === "function" ? await key() : key;
    } catch (cause) {
      throw failedFunction("key", "init", cause);
    }
  }

  #report(progress: Progress): void {
    if (!this.#isOver) this.#listener("progress", progress);
  }

  async #enter(status: UploadStatus): Promise<void> {
    await this.#turn();
    this.#status = status;
    if (!this.#isOver) this.#listener("status", status);
  }

  /** By promises alone, which no test runner fakes. */
  async #turn(): Promise<void> {
    await null;
    while (this.#isPaused && !this.#isOver) await new Promise<void>((resolve) => (this.#resume = resolve));
  }

  #end(...event: ["complete", UploadResult] | ["error", EngineError]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener(...event);
    this.#resume();
  }
}

function progressAt(fraction: number, total: number): Progress {
  const isWhole = fraction === 1;
  const parts = { total: 1, done: Number(isWhole), inFlight: Number(!isWhole) };
  return { sent: Math.round(fraction * total), total, fraction, rate: null, eta: null, parts, processing: null };
}

function failedFunction(name: string, step: Step, cause: unknown): EngineError {
  return { code: "application", step, message: `The application's \`${name}\` failed: ${messageOf(cause)}`, cause };
}

function errorOf(error: UploadError | UploadErrorCode): EngineError {
  return typeof error === "string" ? { code: error, message: `The test's script ends this upload as ${error}.` } : error;
}

/** What a destination would give, with the members that its results always have. */
function resultOf(provider: Provider, { size }: Source, key: string): Partial<UploadResult> {
  const ids = {
    ofauth: { mediaUploadId: "test-media-upload", mediaItem: "test-media-upload", reusable: false },
    onlymonster: { mediaId: "test-media", key },
    apifansly: { mediaId: "test-media" },
    s3: { key },
    plan: {},
    form: {},
  }[provider.name];
  return { provider: provider.name, ...ids, bytes: size, parts: 1, attempts: 1, elapsedMs: 0, verified: false, proof: null, alreadyThere: false };
}

export const start = async (): Promise<void> => {};
export const onFatal = (): void => {};
export const stir = (): void => {};
export const __wbg_reset_state = (): void => {};
/** The type that the file has itself is all that is known. */
export const mediaType = (): string => "";
export const version = (): string => ownVersion;
