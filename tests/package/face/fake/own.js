// As ../../../../pkg/own.js, at the place that the test names.
import inline from "./inline.js";

export const WASM = "partway_bg.wasm";
export const ownFile = () => globalThis.ownPlace.file;
export const ownCopy = async () => (globalThis.ownPlace.copy ? globalThis.ownPlace.copy() : inline);
