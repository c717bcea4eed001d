/* What the build puts into the place of `entry.ts` for `partway/testing`: every provider, and an engine that plays scripts. */
import { apifansly } from "../options/providers/apifansly.ts";
import { form } from "../options/providers/form.ts";
import { ofauth } from "../options/providers/ofauth.ts";
import { onlymonster } from "../options/providers/onlymonster.ts";
import { plan } from "../options/providers/plan.ts";
import { s3 } from "../options/providers/s3.ts";
import * as sessions from "../sessions/index.ts";
import { claim } from "./script.ts";

export { Engine, __wbg_reset_state, mediaType, onFatal, start, stir, version } from "./engine.ts";

export const PROVIDERS = { ofauth, onlymonster, apifansly, s3, plan, form };

export const ENTRY = "partway/testing";

export const WASM_FILE = "none";

export function wasmUrl(): undefined {}

/** The smallest module (WebAssembly Core Specification, "Binary Format"): it has nothing in it. */
export async function wasmText(): Promise<string> {
  return "AGFzbQEAAAA=";
}

export async function loadSessions(): Promise<typeof sessions> {
  return sessions;
}

export async function loadHashing(): Promise<undefined> {}

/** What reads no file needs none of a browser's features. It is called for each upload in turn. */
export async function checkFeatures(file: Blob): Promise<void> {
  claim(file);
}
