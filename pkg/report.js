/** Makes an exception known that must not stop anything: to `window.onerror` and the console, or where there is none, to the console. */
export function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
