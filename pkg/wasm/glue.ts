/*
 * The engine's exports, with their types. This is the only module that names what the generated glue exports; `contract.ts` holds
 * these types against the declarations that are generated with it.
 */
import type { FileInfo, OutgoingRequest, Provider, UploadEvents, UploadResult, UploaderOptions } from "partway";

import type { EngineError } from "../api/errors.ts";
import * as generated from "../entry.ts";
import type { HashPort } from "../hashing/port.ts";
import type { SessionPort } from "../sessions/session.ts";
import type { Source } from "../sessions/source.ts";

/** A result as the engine reports it: without what only the application wants to know. */
export type EngineResult = Omit<UploadResult, "meta" | "relativePath">;

/** What the engine reports of an upload. A "complete" or an "error" is the last. */
export type EngineEvent = {
  [Type in keyof UploadEvents]: [
    type: Type,
    detail: Type extends "error" ? EngineError : Type extends "complete" ? EngineResult : UploadEvents[Type],
  ];
}[keyof UploadEvents];

export type EngineListener = (...event: EngineEvent) => void;

/** A call to a running upload. */
export type TaskCall = [method: "pause" | "resume" | "cancel" | "prioritize"] | [method: "notify", update: unknown];

/** A running upload. */
export interface Task {
  pause(): void;
  resume(): void;
  cancel(): void;
  prioritize(): void;
  notify(update: unknown): void;
  free(): void;
}

/** What the engine calls while an upload runs. */
export interface StartOptions extends Partial<SessionPort> {
  /** Resolves when the page paints next. */
  nextFrame(): Promise<void>;
  /** Resolves in another task. */
  nextTask(): Promise<void>;
  /** The file as the application's functions get it: for the double, whose tests ask for it. */
  info: FileInfo;
  /** Uploads of a higher one go first; 0 where there is none. */
  priority?: number | undefined;
  /** Gives what is sent in the file's place; nothing if that is the file itself. */
  transform?: (() => Promise<Source | undefined>) | undefined;
  /** Is called before each attempt of a request to an API, and may change it. */
  beforeRequest?: ((request: OutgoingRequest) => void | Promise<void>) | undefined;
}

/** The engine of one `Uploader`. */
export interface Engine {
  start(source: Source, provider: Provider, options: StartOptions, listener: EngineListener): Task;
  /** Stops all uploads, without telling a server. */
  close(): void;
  free(): void;
}

export const Engine: new (options: UploaderOptions, hasher: HashPort) => Engine = generated.Engine;

/** Makes an instance of the module the current one. The guard around the glue exports this, and `onFatal`. */
export const instantiate: (module: WebAssembly.Module) => Promise<void> = generated.start;

/** Sets what is called once for each instance that dies, before its caller gets the exception. */
export const onFatal: (hook: (error: unknown) => void) => void = generated.onFatal;

/** Replaces an instance that died by a new one of the same module. */
export const resetInstance: () => void = generated.__wbg_reset_state;

/** Wakes whatever waits or hangs. `isOnline`: the network is back. */
export const notifyPageEvent: (isOnline: boolean) => void = generated.stir;

/** The media type of a name's extension; empty if it isn't known. */
export const mediaType: (name: string) => string = generated.mediaType;

/** The version of the wasm. */
export const wasmVersion: () => string = generated.version;
