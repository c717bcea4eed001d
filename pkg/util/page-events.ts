/**
 * Calls `onEvent(isOnline)` at each event of the page after which a request that waits or hangs should be looked at: the network is
 * back (`isOnline`), or the page is shown again. Workers have fewer of these events.
 */
export function listenToPage(onEvent: (isOnline: boolean) => void): void {
  const { document } = globalThis;
  const onVisible = (): unknown => document.visibilityState === "visible" && onEvent(false);
  globalThis.addEventListener?.("online", () => onEvent(true));
  globalThis.addEventListener?.("pageshow", () => onEvent(false));
  globalThis.addEventListener?.("beforeunload", () => (unloadedAt = performance.now()));
  document?.addEventListener("visibilitychange", onVisible);
  document?.addEventListener("resume", onVisible);
}

/** How long a page may take to go away. A page that stays after all forgets its sessions a little later. (A choice.) */
const UNLOAD_MS = 3_000;

let unloadedAt = -Infinity;

/** Whether the page is being left. Firefox and WebKit abort its requests before they end it, and the page must not act on that. */
export function isUnloading(): boolean {
  return performance.now() - unloadedAt < UNLOAD_MS;
}
