/** Makes an instance of a module the current one. The glue's own `init` also fetches and compiles, which the face does by itself. */
export async function start(module) {
  cachedTextDecoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
  cachedTextDecoder.decode();
  cachedTextEncoder ??= new TextEncoder();
  __wbg_finalize_init(await WebAssembly.instantiate(module, __wbg_get_imports()), module);
}

let __partway_fatal = () => {};

/** The hook is called once for each instance that dies, before the error goes on to the caller. */
export function onFatal(hook) {
  __partway_fatal = hook;
}

/**
 * Whatever comes out of the wasm as an exception (a panic, an overflow of the stack, no memory left) leaves it in a state that nobody knows.
 * From then on nothing gets in: each further call throws the same, its closures do nothing, and its requests are aborted.
 */
function __partway_guard(exports) {
  let dead;
  const guarded = { __proto__: null };
  for (const [name, value] of Object.entries(exports)) {
    guarded[name] =
      typeof value !== "function"
        ? value
        : (...values) => {
            if (dead) throw dead.error;
            try {
              return value(...values);
            } catch (error) {
              if (!dead) {
                dead = { error };
                __wbg_instance_id++;
                __partway_fatal(error);
                __partway_stop();
              }
              throw error;
            }
          };
  }
  return guarded;
}

/** Calls a closure of the wasm; if its instance dies in it, that has been told, and isn't thrown at the event loop. */
function __partway_outlive(state, call) {
  try {
    return call();
  } catch (error) {
    if (state.instance === __wbg_instance_id) throw error;
  }
}

/** What can be aborted: an instance holds on to it while it may be needed, and has it no longer once it is over. */
const __partway_requests = new Set();
/** So many may be known before those that are gone are looked for: with each new one, the search took longer than the rest. */
let __partway_most = 64;

function __partway_track(request) {
  if (__partway_requests.size >= __partway_most) {
    for (const known of __partway_requests) {
      if (!known.deref()) __partway_requests.delete(known);
    }
    __partway_most = Math.max(64, 2 * __partway_requests.size);
  }
  __partway_requests.add(new WeakRef(request));
  return request;
}

function __partway_stop() {
  for (const known of __partway_requests) known.deref()?.abort();
  __partway_requests.clear();
}
