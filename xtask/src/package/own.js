/*
 * The wasm that comes with this module, in the CommonJS build: there is no `import.meta`, so the copy is it, unless load() brings
 * another.
 */

/** Its file's name, as the package exports it. */
export const WASM = "ENGINE_bg.wasm";

/** There is no address beside this module. */
export function ownFile() {}

/** The wasm as text, in base64. Loaded only where it is asked for. */
export async function ownCopy() {
  return require("./dist/ENGINE_inline.cjs");
}
