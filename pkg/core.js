import { Engine, __wbg_reset_state as renew, onFatal, start, stir, version as wasmVersion } from "./dist/partway.js";
import { UploadError, crashed, toUploadError } from "./error.js";
import { listen } from "./events.js";
import { WASM } from "./own.js";
import { report } from "./report.js";
import { version } from "./version.js";
import { compile } from "./wasm.js";

/** One wasm instance serves the page. When it crashes, everything in it is dead; whoever needs it next gets a new one, a generation later. */
let loading;
let generation = 0;
let alive = true;
const inside = new Set();
/** Uploads that wait for the load, and whether the load waits for the network or a server. */
const expecting = new Set();
let waits = false;

/** Loads the wasm, once; a load that failed may be tried again. */
export function load(source) {
  loading ??= instantiate(source).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** The same for an upload: `onWaits` hears true when the network or a server has to be waited for, and false when that is over. */
export async function loadFor(onWaits) {
  expecting.add(onWaits);
  if (waits) onWaits(true);
  try {
    await load();
  } finally {
    expecting.delete(onWaits);
  }
}

function tellWaits(now) {
  waits = now;
  for (const listener of expecting) listener(now);
}

async function instantiate(source) {
  const module = await compile(source, tellWaits);
  onFatal(crash);
  let found;
  try {
    await start(module);
    revive();
    found = wasmVersion();
  } catch (error) {
    throw error instanceof WebAssembly.LinkError ? foreign(error.message, { cause: error }) : toUploadError(error);
  }
  if (found !== version) throw foreign(`it is of version ${found}`);
  listen((online) => alive && quietly(() => stir(online)));
}

function foreign(what, details) {
  return new UploadError("internal", `This wasm doesn't belong to partway ${version}: ${what}`, {
    ...details,
    hint: `Serve dist/${WASM} of the same release as the JavaScript; a cache may still hold an older one.`,
  });
}

function crash(error) {
  alive = false;
  generation += 1;
  const struck = [...inside];
  inside.clear();
  report(error);
  later(() => {
    for (const listener of struck) listener(crashed(error));
  });
}

function revive() {
  if (alive) return;
  renew();
  alive = true;
}

/** Not before the stack is empty: frames of the wasm that still use what is freed, or that just died, may be below the caller. */
function later(action) {
  queueMicrotask(action);
}

/** A wasm object that is touched only while the instance it belongs to lives. */
class Held {
  #object;
  #generation = generation;

  constructor(object) {
    this.#object = object;
  }

  get lives() {
    return this.#generation === generation;
  }

  call(method, ...values) {
    if (!this.lives) return undefined;
    try {
      return this.#object[method](...values);
    } catch (error) {
      throw this.lives ? error : crashed(error);
    }
  }

  free() {
    later(() => this.lives && this.#object.free());
  }
}

/** The engine of one `Uploader`: made when first needed, and made anew after a crash. */
export class EngineHolder {
  #options;
  #engine;

  constructor(options) {
    this.#options = options;
  }

  /** Only after `load()`. When the instance dies, `onCrash` gets the error and the sink nothing more. */
  start(source, provider, options, sink, onCrash) {
    revive();
    if (!this.#engine?.lives) this.#engine = hold(() => new Engine(this.#options));
    const engine = this.#engine;
    const task = engine.call("start", source, provider, options, (...event) => {
      if (engine.lives) sink(...event);
    });
    return new TaskHolder(new Held(task), onCrash);
  }

  /** Stops and frees all that is in the engine. */
  close() {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine) return;
    quietly(() => engine.call("close"));
    engine.free();
  }
}

function hold(make) {
  const began = generation;
  try {
    return new Held(make());
  } catch (error) {
    throw began === generation ? error : crashed(error);
  }
}

/** The wasm side of one upload. */
class TaskHolder {
  #task;
  #onCrash;

  constructor(task, onCrash) {
    this.#task = task;
    this.#onCrash = onCrash;
    inside.add(onCrash);
  }

  call(method, ...values) {
    quietly(() => this.#task.call(method, ...values));
  }

  /** Once, when the upload has settled. */
  release() {
    inside.delete(this.#onCrash);
    this.#task.free();
  }
}

/** A crash has told every upload inside already; the caller of `pause()` and the like is not to hear of it too. */
function quietly(action) {
  const began = generation;
  try {
    action();
  } catch (error) {
    if (began === generation) throw error;
  }
}
