/*
 * The one instance of the wasm that serves the page. When it crashes, everything in it is lost; the next upload makes a new instance,
 * of a later generation.
 */
import { type UploadError, crashed } from "../api/errors.ts";
import { report } from "../util/report.ts";
import { onFatal, instantiate, resetInstance } from "./glue.ts";

let generation = 0;
let isAlive = true;

/** Gets the error of an upload that was running in an instance that crashed. */
export type CrashListener = (error: UploadError) => void;

/** Those of the uploads in the current instance. */
export const crashListeners = new Set<CrashListener>();

/** Makes an instance of the module the current one. */
export async function startInstance(module: WebAssembly.Module): Promise<void> {
  onFatal(onCrash);
  await instantiate(module);
  revive();
}

/** Replaces an instance that crashed. */
export function revive(): void {
  if (isAlive) return;
  resetInstance();
  isAlive = true;
}

/** Calls into the current instance, if it hasn't crashed. */
export function whileAlive(action: () => void): void {
  if (isAlive) ignoringCrashes(action);
}

function onCrash(error: unknown): void {
  isAlive = false;
  generation += 1;
  const affected = [...crashListeners];
  crashListeners.clear();
  report(error);
  whenStackIsEmpty(() => {
    for (const listener of affected) listener(crashed(error));
  });
}

/** Frames of the wasm that still use what is freed, or that just died, may be below the caller. */
function whenStackIsEmpty(action: () => void): void {
  queueMicrotask(action);
}

/** An object in the wasm that is used only while its instance is alive. */
export class InstanceObject<T extends { free(): void }> {
  #object: T;
  #generation = generation;

  constructor(object: T) {
    this.#object = object;
  }

  get isAlive(): boolean {
    return this.#generation === generation;
  }

  /** Calls into the object; gives `undefined` if its instance has crashed. */
  use<R>(action: (object: T) => R): R | undefined {
    return this.isAlive ? translatingCrashes(() => action(this.#object)) : undefined;
  }

  free(): void {
    whenStackIsEmpty(() => this.isAlive && this.#object.free());
  }
}

/** Throws an `UploadError` if the instance crashes during `action`. */
export function translatingCrashes<R>(action: () => R): R {
  const before = generation;
  try {
    return action();
  } catch (error) {
    throw before === generation ? error : crashed(error);
  }
}

/** A crash has already ended every upload in the instance: the caller of `pause()` and the like must not get it as an exception too. */
export function ignoringCrashes(action: () => void): void {
  const before = generation;
  try {
    action();
  } catch (error) {
    if (before === generation) throw error;
  }
}
