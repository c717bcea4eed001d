import { sessions } from "../sessions/port.ts";
import type { WasmSource } from "../wasm/compile.ts";
import { load as loadWasm } from "../wasm/load.ts";

/** Loads what the first file needs, ahead of time: the wasm, and beside it what keeps sessions. */
export function load(source?: WasmSource): Promise<void> {
  const loading = loadWasm(source);
  void sessions();
  return loading;
}
