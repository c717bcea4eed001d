/** Reports an exception that must not stop anything: to `window.onerror` and the console, or to the console alone. */
export function report(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
