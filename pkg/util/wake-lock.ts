/** Statuses in which bytes are on their way, or the requests right before and after them. */
const BUSY = new Set(["opening", "sending", "completing"]);

/** Keeps the screen from sleeping (Screen Wake Lock, W3C) while something is sent, where the browser can. */
export class WakeLock {
  #busy = new Set<object>();
  #sentinel: Promise<WakeLockSentinel | undefined> | undefined;

  /** Notes the status of an upload. */
  note(upload: object, status: string): void {
    const before = this.#busy.size;
    if (BUSY.has(status)) this.#busy.add(upload);
    else this.#busy.delete(upload);
    if (before === 0 && this.#busy.size > 0) {
      // The browser takes the lock away from a page that isn't shown.
      globalThis.document?.addEventListener("visibilitychange", this.#take);
      this.#take();
    } else if (before > 0 && this.#busy.size === 0) {
      globalThis.document?.removeEventListener("visibilitychange", this.#take);
      void this.#sentinel?.then((sentinel) => sentinel?.release()).catch(() => {});
      this.#sentinel = undefined;
    }
  }

  #take = (): void => {
    if (globalThis.document?.visibilityState !== "visible") return;
    // A refusal, such as for a battery that is low, costs nothing but this.
    this.#sentinel = (globalThis.navigator as Partial<Navigator>).wakeLock?.request("screen").catch(() => undefined);
  };
}
