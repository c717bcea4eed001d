/** Calls `stir(online)` when something happens after which whatever waits or hangs should be looked at. Workers have fewer of these. */
export function listen(stir) {
  const { document } = globalThis;
  const seen = () => document.visibilityState === "visible" && stir(false);
  globalThis.addEventListener?.("online", () => stir(true));
  globalThis.addEventListener?.("pageshow", () => stir(false));
  globalThis.addEventListener?.("beforeunload", leave);
  document?.addEventListener("visibilitychange", seen);
  document?.addEventListener("resume", seen);
}

/** How long a page may take to be gone; one that stays after all has sessions that it can forget a little later. */
const LEAVES_WITHIN_MS = 3_000;

let leftAt = -Infinity;

function leave() {
  leftAt = performance.now();
}

/** Whether the page is being left: Firefox and WebKit then have its requests fail before they end it, and it is not to draw conclusions. */
export function isLeaving() {
  return performance.now() - leftAt < LEAVES_WITHIN_MS;
}
