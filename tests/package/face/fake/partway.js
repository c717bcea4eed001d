// A fake engine that the test controls: the exports of the generated glue (steps/engine.mjs compares them), without wasm.
export const core = {
  version: "0.1.0",
  engines: [],
  tasks: [],
  resets: 0,
  frees: 0,
  starts: [],
  stirred: [],
  instance: 0,
  /** Thrown by the next call of that name. */
  throws: {},
  /** Kills the instance as the guard in the real glue does, and gives the error that it would rethrow. */
  die(message = "unreachable") {
    const error = new WebAssembly.RuntimeError(message);
    core.instance += 1;
    hook(error);
    return error;
  },
  forget() {
    core.engines.length = core.tasks.length = core.starts.length = core.stirred.length = 0;
    core.resets = core.frees = 0;
    core.throws = {};
  },
};

let hook = () => {};
export const onFatal = (given) => (hook = given);

function maybeThrow(name) {
  const thrown = core.throws[name];
  delete core.throws[name];
  if (thrown) throw typeof thrown === "function" ? thrown() : thrown;
}

export function stir(online) {
  core.stirred.push(online);
  maybeThrow("stir");
}

export async function start(module) {
  core.starts.push(module);
  maybeThrow("instance");
}

export function __wbg_reset_state() {
  core.resets += 1;
  core.instance += 1;
  maybeThrow("reset");
}

export const version = () => core.version;

export const mediaType = (name) => (name.endsWith(".mov") ? "video/quicktime" : "");

/** No method of the glue's. */
const USE = Symbol("use");

class Wasm {
  #instance = core.instance;
  freed = false;

  [USE](name) {
    if (this.freed) throw new Error(`${name} after free`);
    if (this.#instance !== core.instance) throw new Error(`${name} on a dead instance`);
    maybeThrow(name);
  }

  free() {
    this[USE]("free");
    this.freed = true;
    core.frees += 1;
  }
}

export class Engine extends Wasm {
  closed = false;

  constructor(options, hasher) {
    super();
    maybeThrow("engine");
    Object.assign(this, { options, hasher });
    core.engines.push(this);
  }

  start(source, provider, { nextFrame, nextTask, info, ...options }, sink) {
    Object.assign(core, { nextFrame, nextTask });
    this[USE]("start");
    const task = Object.assign(new Task(source, provider, options, sink), { info });
    core.tasks.push(task);
    return task;
  }

  close() {
    this[USE]("close");
    this.closed = true;
  }
}

export class Task extends Wasm {
  calls = [];

  constructor(source, provider, options, sink) {
    super();
    Object.assign(this, { source, provider, options, sink });
  }

  pause() {
    this[USE]("pause");
    this.calls.push(["pause"]);
  }

  resume() {
    this[USE]("resume");
    this.calls.push(["resume"]);
  }

  cancel() {
    this[USE]("cancel");
    this.calls.push(["cancel"]);
  }

  prioritize() {
    this[USE]("prioritize");
    this.calls.push(["prioritize"]);
  }

  notify(update) {
    this[USE]("notify");
    this.calls.push(["notify", update]);
  }
}
