/*
 * Everything that differs between the package's entries: the engine and the providers that it has. The build replaces this file for an
 * entry with one provider, and for CommonJS, which has no `import.meta` (xtask/src/package/entries.rs).
 */
export { checkFeatures } from "./api/feature-detection.ts";
export { Engine, __wbg_reset_state, mediaType, onFatal, start, stir, version } from "./dist/partway.js";

import { apifansly } from "./options/providers/apifansly.ts";
import { form } from "./options/providers/form.ts";
import { ofauth } from "./options/providers/ofauth.ts";
import { onlymonster } from "./options/providers/onlymonster.ts";
import { plan } from "./options/providers/plan.ts";
import { s3 } from "./options/providers/s3.ts";

/** How the options of each provider are checked, by the provider's name. */
export const PROVIDERS = { ofauth, onlymonster, apifansly, s3, plan, form };

/** What a page writes to import this entry. */
export const ENTRY = "partway";

/** The name of the wasm file, in `dist/` and among the package's exports. */
export const WASM_FILE = "partway_bg.wasm";

/** The address of the wasm file beside this module. Bundlers recognise this form, and emit the file. */
export function wasmUrl(): URL | undefined {
  return new URL("./dist/partway_bg.wasm", import.meta.url);
}

/** The wasm as text, in base64. It is loaded only when this is called. */
export async function wasmText(): Promise<string> {
  return (await import("./dist/partway_inline.js")).default;
}

/** What keeps and finds sessions. It is loaded only when this is called. */
export function loadSessions(): Promise<typeof import("./sessions/index.ts")> {
  return import("./dist/sessions.js");
}

/** What computes digests in a worker. It is loaded only when this is called. */
export function loadHashing(): Promise<typeof import("./hashing/page.ts") | undefined> {
  return import("./dist/hashing.js");
}
