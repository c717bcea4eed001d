/**
 * Calls `onEvent(isOnline)` at each event of the page after which a request that waits or hangs should be looked at: the network is
 * back (`isOnline`), or the page is shown again. Workers have fewer of these events.
 */
export function listenToPage(onEvent: (isOnline: boolean) => void): void {
  const { document } = globalThis;
  const onVisible = (): unknown => document.visibilityState === "visible" && onEvent(false);
  globalThis.addEventListener?.("online", () => onEvent(true));
  globalThis.addEventListener?.("pageshow", () => onEvent(false));
  document?.addEventListener("visibilitychange", onVisible);
  document?.addEventListener("resume", onVisible);
}
