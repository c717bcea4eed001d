import * as sessions from "./sessions/index.ts";

/** There is no address beside a CommonJS module: the wasm comes as text, unless load() gets it from elsewhere. */
export function wasmUrl(): undefined {}

/** The wasm as text, in base64. It is loaded only when this is called. */
export async function wasmText(): Promise<string> {
  return require("./dist/ENGINE_inline.cjs");
}

/** What keeps and finds sessions. */
export async function loadSessions(): Promise<typeof sessions> {
  return sessions;
}

/** Test runners and servers have no workers of the web: what is hashed there is hashed beside everything else. */
export async function loadHashing(): Promise<undefined> {}
