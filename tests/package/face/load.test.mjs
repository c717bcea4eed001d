import assert from "node:assert/strict";
import { test } from "node:test";

import { UploadError } from "../../../pkg/error.js";
import { compile } from "../../../pkg/wasm.js";

const WASM = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const HTML = new TextEncoder().encode("<!doctype html><title>Not found</title>");

async function withFetch(fake, action) {
  const original = globalThis.fetch;
  const asked = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url?.url ?? url));
    return fake(url);
  };
  try {
    return { result: await action().catch((error) => error), asked };
  } finally {
    globalThis.fetch = original;
  }
}

function answer(body, type, status = 200) {
  return () => new Response(body, { status, headers: type ? { "content-type": type } : {} });
}

for (const [what, fake] of [
  ["as wasm", answer(WASM, "application/wasm")],
  ["with another type", answer(WASM, "application/octet-stream")],
  ["without a type", answer(WASM)],
  ["never: the page of a dev server, 200", answer(HTML, "text/html")],
  ["never: a page that says it is wasm", answer(HTML, "application/wasm")],
  ["never: 404", answer("no", "text/plain", 404)],
  ["never: the network fails", () => Promise.reject(new TypeError("Failed to fetch"))],
]) {
  test(`its own wasm comes ${what}`, async () => {
    const { result, asked } = await withFetch(fake, () => compile());
    assert.ok(result instanceof WebAssembly.Module, String(result));
    assert.equal(asked.length, 1);
    assert.match(asked[0], /\/pkg\/dist\/partway_bg\.wasm$/);
  });
}

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
    assert.doesNotMatch(result.message, /signature/);
    assert.ok(result.hint);
  }
});

test("a damaged file and a source of no such type", async () => {
  const damaged = await compile(Uint8Array.from([...WASM, 1])).catch((error) => error);
  assert.equal(damaged.code, "internal");
  assert.match(damaged.message, /damaged/);
  const wrong = await compile(42).catch((error) => error);
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
