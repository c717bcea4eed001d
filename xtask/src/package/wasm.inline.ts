import text from "./dist/ENGINE_inline.js";
import * as hashing from "./dist/hashing_inline.js";
import * as sessions from "./sessions/index.ts";

/** Nothing is served beside the script: the wasm comes with it, unless load() gets it from elsewhere. */
export function wasmUrl(): undefined {}

/** The wasm as text, in base64. */
export async function wasmText(): Promise<string> {
  return text;
}

/** What keeps and finds sessions. */
export async function loadSessions(): Promise<typeof sessions> {
  return sessions;
}

/** What computes digests in a worker. */
export async function loadHashing(): Promise<typeof hashing> {
  return hashing;
}
