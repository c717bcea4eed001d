/** Makes an exception known that must not stop anything: to `window.onerror` and the console, or where there is none, to the console. */
export function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}

/** Says how an upload failed, where nobody else does. */
export function sayUnheard(error) {
  const hint = error.hint && !error.message.endsWith(error.hint) ? ` ${error.hint}` : "";
  console.error(`partway: an upload failed, and nothing listens to it (${error.code}): ${error.message}${hint}`, error);
}
