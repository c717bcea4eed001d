import { report } from "./report.ts";

/** An event target whose events have details; `Events` has the type of each. */
export class Emitter<Events extends object> extends EventTarget {
  #errorListeners = new Set<unknown>();
  /** The types that were ever listened to: an event that nobody gets isn't made. */
  #heard = new Set<string>();

  override addEventListener<K extends keyof Events>(
    type: K,
    listener: (event: CustomEvent<Events[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    this.#heard.add(type);
    if (type === "error" && listener) {
      this.#errorListeners.add(listener);
      (options as Partial<AddEventListenerOptions> | undefined)?.signal?.addEventListener("abort", () =>
        this.#errorListeners.delete(listener),
      );
    }
    super.addEventListener(type, listener as EventListener, options);
  }

  override removeEventListener<K extends keyof Events>(
    type: K,
    listener: (event: CustomEvent<Events[K]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: unknown, options?: boolean | EventListenerOptions): void {
    if (type === "error") this.#errorListeners.delete(listener);
    super.removeEventListener(type, listener as EventListener, options);
  }

  /** Whether anything listens to "error". */
  protected hasErrorListener(): boolean {
    return this.#errorListeners.size > 0;
  }

  /** Calls `callback`, and then the listeners. */
  protected emit<K extends keyof Events & string>(type: K, detail: Events[K], callback: ((detail: Events[K]) => void) | undefined): void {
    try {
      callback?.(detail);
    } catch (error) {
      report(error);
    }
    if (this.#heard.has(type)) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
