// pkg/entry.ts with the wasm at the test's URL.
import * as real from "../../../../pkg/entry.ts";
import inline from "./inline.js";

export * from "../../../../pkg/entry.ts";
export const WASM_FILE = "partway_bg.wasm";
export const wasmUrl = () => globalThis.wasmPlace.file;
export const loadSessions = () => (globalThis.wasmPlace.sessions ?? real.loadSessions)();
export const wasmText = async () => (globalThis.wasmPlace.copy ? globalThis.wasmPlace.copy() : inline);
