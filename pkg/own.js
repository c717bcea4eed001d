/*
 * The wasm that comes with this module. An entry for one destination has its own, and the CommonJS build finds it without
 * `import.meta` (xtask/src/package/entries.rs, own.js).
 */

/** Its file's name: what `dist/` has, and what the package exports. */
export const WASM = "partway_bg.wasm";

/** Its address beside this module. Bundlers know this form, and emit the file. */
export function ownFile() {
  return new URL("./dist/partway_bg.wasm", import.meta.url);
}

/** The same bytes as text, in base64. Loaded only where it is asked for. */
export async function ownCopy() {
  return (await import("./dist/partway_inline.js")).default;
}
