import type { Provider, UploaderOptions } from "partway";

import { hashPort } from "../hashing/port.ts";
import type { Source } from "../sessions/source.ts";
import { nextFrame } from "../util/frames.ts";
import { nextTask } from "../util/turns.ts";
import { Engine, type EngineListener, type StartOptions, type Task, type TaskCall, mediaType } from "./glue.ts";
import { type CrashListener, InstanceObject, crashListeners, ignoringCrashes, revive, translatingCrashes } from "./instance.ts";

/** The engine of one `Uploader`. It is made when it is first needed, and again after a crash. */
export class EngineHandle {
  #options: UploaderOptions;
  #engine: InstanceObject<Engine> | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
  }

  /** The media type of a file: its own, or that of its extension. The wasm must have been loaded. */
  typeOf({ name, type }: Source): string {
    revive();
    return type || mediaType(name);
  }

  /** The wasm must have been loaded. When the instance crashes, `onCrash` gets the error, and `listener` is not called any more. */
  start(source: Source, provider: Provider, options: Omit<StartOptions, "nextFrame" | "nextTask">, listener: EngineListener, onCrash: CrashListener): TaskHandle {
    revive();
    if (!this.#engine?.isAlive) this.#engine = new InstanceObject(translatingCrashes(() => new Engine(this.#options, hashPort(this.#options.workerUrl))));
    const engine = this.#engine;
    const task = engine.use((object) =>
      object.start(source, provider, { nextFrame, nextTask, ...options }, (...event) => {
        if (engine.isAlive) listener(...event);
      }),
    );
    // There is one: the engine was alive.
    return new TaskHandle(task as Task, onCrash);
  }

  /** Stops and frees everything in the engine. */
  close(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine) return;
    ignoringCrashes(() => engine.use((object) => object.close()));
    engine.free();
  }
}

/** The engine's side of one upload. */
export class TaskHandle {
  #task: InstanceObject<Task>;
  #onCrash: CrashListener;

  constructor(task: Task, onCrash: CrashListener) {
    this.#task = new InstanceObject(task);
    this.#onCrash = onCrash;
    crashListeners.add(onCrash);
  }

  call(...[method, update]: TaskCall): void {
    ignoringCrashes(() => this.#task.use((task) => task[method](update)));
  }

  /** Is called once, when the upload has settled. */
  release(): void {
    crashListeners.delete(this.#onCrash);
    this.#task.free();
  }
}
