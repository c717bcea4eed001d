// Where the wasm is loaded from, and how often that is retried, on a mock clock.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { UploadError } from "../../../pkg/api/errors.ts";
import { compile } from "../../../pkg/wasm/compile.ts";

const WASM = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const HTML = new TextEncoder().encode("<!doctype html><title>Not found</title>");

const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);
const navigator = { onLine: true };
Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });

beforeEach(() => {
  navigator.onLine = true;
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What came of the promise, and the seconds that it took. */
async function elapse(promise) {
  let result;
  promise.then(
    (value) => (result = { value }),
    (error) => (result = { value: error }),
  );
  for (let seconds = 0; ; seconds += 1) {
    // Compiling takes turns of its own.
    for (let turns = 0; turns < 20 && !result; turns += 1) await turn();
    if (result) return { result: result.value, seconds };
    mock.timers.tick(1000);
  }
}

/** Fetches by `fakes`, one after the other; the last one stays. */
async function withFetch(fakes, action) {
  const original = globalThis.fetch;
  const left = [fakes].flat();
  const [asked, options] = [[], []];
  globalThis.fetch = async (url, more) => {
    asked.push(String(url?.url ?? url));
    options.push(more);
    return (left.length > 1 ? left.shift() : left[0])(url, more);
  };
  const warned = mock.method(console, "warn", () => {}).mock;
  try {
    return { ...(await elapse(action())), asked, options, warned: warned.calls.map((call) => call.arguments[0]) };
  } finally {
    globalThis.fetch = original;
    console.warn.mock.restore();
  }
}

function answer(body, type, status = 200, more = {}) {
  return () => new Response(body, { status, headers: { ...(type && { "content-type": type }), ...more } });
}

const lost = () => Promise.reject(new TypeError("Failed to fetch"));
const silent = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
const good = answer(WASM, "application/wasm");
const truncated = answer(WASM.slice(0, 7), "application/wasm");

/** A copy of the module for itself: as in a page of its own, whose wasm a server has. */
let copies = 0;
async function served(whereCopy) {
  globalThis.wasmPlace = { file: new URL("https://app.example/dist/partway_bg.wasm?secret"), ...whereCopy };
  copies += 1;
  const module = await import(`../../../pkg/wasm/compile.ts?fresh=${copies}&served`);
  return module.compile;
}

for (const [what, fake] of [
  ["as wasm", answer(WASM, "application/wasm")],
  ["with another type", answer(WASM, "application/octet-stream")],
  ["without a type", answer(WASM)],
  ["never: the page of a dev server, 200", answer(HTML, "text/html")],
  ["never: 404", answer("no", "text/plain", 404)],
  ["never: there is no network to a file", lost],
]) {
  test(`its own wasm comes ${what}`, async () => {
    const { result, asked } = await withFetch(fake, () => compile());
    assert.ok(result instanceof WebAssembly.Module, String(result));
    assert.equal(asked.length, 1);
    assert.match(asked[0], /\/pkg\/dist\/partway_bg\.wasm$/);
  });
}

for (const [what, fakes, attempts, warns] of [
  ["a network that fails for a while", [lost, lost, lost, good], 4],
  ["a server that has too much to do", [answer("", "", 503), answer("", "", 429), answer("", "", 500), good], 4],
  ["a request that hangs", [silent, silent, good], 3],
  ["a body that breaks off", [truncated, good], 2],
  ["an empty answer", [answer(""), good], 2],
  ["a damaged one", [answer(Uint8Array.from([...WASM, 1]), "application/wasm"), good], 2],
  ["a page that says it is wasm: the copy", answer(HTML, "application/wasm"), 2, true],
  ["one that is damaged where it is served: the copy", truncated, 3, true],
  ["a server that fails to the end: the copy", answer("", "", 502), 8, true],
  ["404: the copy", answer("no", "", 404), 1, true],
]) {
  test(`from a server: ${what}`, async () => {
    const compile = await served();
    const { result, asked, warned } = await withFetch(fakes, () => compile());
    assert.ok(result instanceof WebAssembly.Module, String(result));
    assert.equal(asked.length, attempts);
    assert.equal(warned.length, warns ? 1 : 0);
  });
}

test("the copy is never asked for where the network fails", async () => {
  const compile = await served({ copy: () => assert.fail("asked for") });
  const { result, asked, seconds } = await withFetch(lost, () => compile());
  assert.ok(result instanceof UploadError);
  assert.deepEqual([result.code, result.retryable, asked.length], ["network", true, 8]);
  assert.match(result.message, /couldn't be loaded: https:\/\/app\.example\/dist\/partway_bg\.wasm didn't arrive: Failed to fetch/);
  assert.equal(result.cause.cause.message, "Failed to fetch");
  assert.match(result.hint, /connection/);
  assert.doesNotMatch(result.message, /secret/);
  assert.ok(seconds < 120, `${seconds} s`);
});

test("where neither comes, the error has both causes", async () => {
  const broken = new TypeError("Failed to fetch dynamically imported module");
  const compile = await served({ copy: () => Promise.reject(broken) });
  const { result, warned } = await withFetch(answer("no", "", 404), () => compile());
  assert.deepEqual([result.code, result.retryable], ["network", true]);
  assert.match(result.message, /404.*dynamically imported/);
  assert.ok(result.cause instanceof AggregateError);
  assert.match(result.cause.errors[0].message, /404/);
  assert.equal(result.cause.errors[1], broken);
  assert.deepEqual(warned, []);
});

test("the copy in the file's place is said once, with what to do", async () => {
  const compile = await served();
  const { warned } = await withFetch(answer("no", "", 404), async () => [await compile(), await compile()]);
  assert.equal(warned.length, 1);
  for (const word of [
    "404",
    "--loader:.wasm=file",
    "--splitting",
    'import wasm from "partway/partway_bg.wasm"',
    "rollup-plugin",
    "optimizeDeps",
  ]) {
    assert.ok(warned[0].includes(word), word);
  }
});

test("a bundle without `import.meta` has the copy, and says so", async () => {
  const invalid = Object.defineProperty({}, "file", { get: () => new URL("./dist/partway_bg.wasm", undefined) });
  const compile = await served();
  globalThis.wasmPlace = invalid;
  const { result, asked, warned } = await withFetch(good, () => compile());
  assert.ok(result instanceof WebAssembly.Module, String(result));
  assert.equal(asked.length, 0);
  assert.match(warned[0], /Invalid URL.*esbuild/s);
});

test("CommonJS has the copy, and nothing to say of it", async () => {
  const compile = await served({ file: undefined });
  const { result, asked, warned } = await withFetch(good, () => compile());
  assert.ok(result instanceof WebAssembly.Module, String(result));
  assert.deepEqual([asked, warned], [[], []]);
});

test("a deadline that passed isn't tried again: the next one is longer", async () => {
  const compile = await served();
  const { result, seconds } = await withFetch([silent, silent, silent, good], () => compile());
  assert.ok(result instanceof WebAssembly.Module);
  assert.ok(seconds >= 30 + 60 + 120, `${seconds} s`);
});

test("a server's wish is waited for, and the longest one isn't", async () => {
  const compile = await served();
  const waits = [];
  const hears = (waiting) => waits.push(waiting);
  const { result, seconds } = await withFetch([answer("", "", 429, { "retry-after": "40" }), good], () => compile(undefined, hears));
  assert.ok(result instanceof WebAssembly.Module);
  assert.ok(seconds >= 40, `${seconds} s`);
  assert.deepEqual(waits, [true, false]);
  const long = await withFetch(answer("", "", 503, { "retry-after": "301" }), () => compile("https://static.example/p.wasm"));
  assert.equal(long.result.code, "network");
  assert.equal(long.asked.length, 1);
});

test("a damaged copy in a cache is passed by", async () => {
  const compile = await served();
  const { options } = await withFetch([lost, truncated, good], () => compile());
  assert.deepEqual(
    options.map(({ cache }) => cache),
    [undefined, undefined, "reload"],
  );
});

test("offline it waits for the network, tries anyway, and counts none of that", async () => {
  const compile = await served();
  navigator.onLine = false;
  const waits = [];
  const asked = [];
  const fake = () => {
    asked.push(1);
    return asked.length > 12 ? good() : lost();
  };
  const { result, seconds } = await withFetch(fake, () => compile(undefined, (waiting) => waits.push(waiting)));
  assert.ok(result instanceof WebAssembly.Module, String(result));
  assert.equal(asked.length, 13);
  assert.equal(waits.length, 24);
  // 5, 10, 20, 40 and 60 s from then on.
  assert.ok(seconds > 75 + 7 * 60 && seconds < 75 + 10 * 60, `${seconds} s`);
});

test("the network's return ends the wait at once", async () => {
  const compile = await served();
  navigator.onLine = false;
  const { result, seconds } = await withFetch([lost, good], () => {
    const loading = compile(undefined, (waiting) => {
      if (!waiting) return;
      setImmediate(() => {
        navigator.onLine = true;
        page.dispatchEvent(new Event("online"));
      });
    });
    return loading;
  });
  assert.ok(result instanceof WebAssembly.Module);
  assert.equal(seconds, 0);
});

test("what a policy refuses isn't taken for the network", async () => {
  const compile = await served();
  const refused = () => {
    setImmediate(() => {
      const details = { disposition: "enforce", blockedURI: "https://app.example/dist/partway_bg.wasm?secret" };
      page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), details));
    });
    return lost();
  };
  const { result, asked, warned } = await withFetch(refused, () => compile());
  assert.ok(result instanceof WebAssembly.Module);
  assert.equal(asked.length, 1);
  assert.match(warned[0], /Content-Security-Policy/);
});

test("an address of the caller's is tried as patiently, and a request that was aborted isn't", async () => {
  for (const source of ["https://static.example/p.wasm", new Request("https://static.example/p.wasm")]) {
    const { result, asked } = await withFetch([lost, answer("", "", 500), truncated, good], () => compile(source));
    assert.ok(result instanceof WebAssembly.Module, String(result));
    assert.equal(asked.length, 4);
  }
  const controller = new AbortController();
  const { result, asked } = await withFetch(
    (...given) => {
      setImmediate(() => controller.abort("why"));
      return silent(...given);
    },
    () => compile(new Request("https://static.example/p.wasm", { signal: controller.signal })),
  );
  assert.deepEqual([result.code, asked.length], ["cancelled", 1]);
});

for (const [what, source] of [
  ["text", "https://static.example/p.wasm"],
  ["a URL", new URL("https://static.example/p.wasm")],
  ["a Request", new Request("https://static.example/p.wasm")],
]) {
  test(`from an address as ${what}`, async () => {
    const { result, asked } = await withFetch(answer(WASM, "application/wasm"), () => compile(source));
    assert.ok(result instanceof WebAssembly.Module);
    assert.deepEqual(asked, ["https://static.example/p.wasm"]);
  });
}

for (const [what, source] of [
  ["a Response", () => new Response(WASM, { headers: { "content-type": "application/wasm" } })],
  ["an ArrayBuffer", () => WASM.buffer],
  ["a view", () => WASM],
  ["a module", () => new WebAssembly.Module(WASM)],
]) {
  test(`from ${what}, without a request`, async () => {
    const { result, asked } = await withFetch(answer(HTML, "text/html"), () => compile(source()));
    assert.ok(result instanceof WebAssembly.Module, String(result));
    assert.deepEqual(asked, []);
  });
}

test("a source that was named is not replaced by the copy", async () => {
  for (const [fake, pattern] of [
    [answer("no", "text/plain", 404), /404 for the wasm/],
    [answer(HTML, "text/html"), /not WebAssembly \(text\/html\)/],
    [() => Promise.reject(new TypeError("Failed to fetch")), /Failed to fetch/],
  ]) {
    const { result } = await withFetch(fake, () => compile("https://static.example/p.wasm?signature=1"));
    assert.ok(result instanceof UploadError);
    assert.equal(result.code, "network");
    assert.equal(result.retryable, true);
    assert.match(result.message, pattern);
    assert.match(result.message, /\bwasm\b/);
    assert.doesNotMatch(result.message, /signature/);
    assert.ok(result.hint);
  }
});

test("a damaged file and a source of no such type", async () => {
  const { result: damaged } = await elapse(compile(Uint8Array.from([...WASM, 1])));
  assert.equal(damaged.code, "internal");
  assert.match(damaged.message, /damaged/);
  const { result: wrong } = await elapse(compile(42));
  assert.equal(wrong.code, "invalid-options");
});

test("a policy against wasm is told, with what to add", async () => {
  const original = WebAssembly.compileStreaming;
  WebAssembly.compileStreaming = () =>
    Promise.reject(new WebAssembly.CompileError("WebAssembly.compileStreaming(): Refused to compile because 'unsafe-eval' is not allowed"));
  try {
    const { result } = await withFetch(answer(WASM, "application/wasm"), () => compile());
    assert.equal(result.code, "internal");
    assert.match(result.message, /Content-Security-Policy/);
    assert.match(result.hint, /wasm-unsafe-eval/);
  } finally {
    WebAssembly.compileStreaming = original;
  }
});
