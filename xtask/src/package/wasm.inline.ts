import text from "./dist/ENGINE_inline.js";
import * as hashing from "./dist/hashing_inline.js";

/** Nothing is served beside the script: the wasm comes with it, unless load() gets it from elsewhere. */
export function wasmUrl(): undefined {}

/** The wasm as text, in base64. */
export async function wasmText(): Promise<string> {
  return text;
}

/** What computes digests in a worker. */
export async function loadHashing(): Promise<typeof hashing> {
  return hashing;
}
