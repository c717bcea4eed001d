/** How long a page may take to go away. A page that stays after all forgets its sessions a little later. (A choice.) */
const UNLOAD_MS = 3_000;

let unloadedAt = -Infinity;

/** Begins to notice when the page is being left. */
export function watchUnloading(): void {
  globalThis.addEventListener?.("beforeunload", () => (unloadedAt = performance.now()));
}

/** Whether the page is being left. Firefox and WebKit abort its requests before they end it, and the page must not act on that. */
export function isUnloading(): boolean {
  return performance.now() - unloadedAt < UNLOAD_MS;
}
