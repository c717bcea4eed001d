/** How long a frame is waited for: pages that aren't shown paint none. (A choice: what changes ten times a second looks continuous.) */
const FRAME_MS = 100;

let next: Promise<void> | undefined;

/** Resolves when the page paints next, together with all that wait for it; a tenth of a second later at most. */
export function nextFrame(): Promise<void> {
  return (next ??= new Promise((resolve) => {
    const { requestAnimationFrame, cancelAnimationFrame } = globalThis;
    const paint = (): void => {
      clearTimeout(timer);
      if (frame !== undefined) cancelAnimationFrame(frame);
      next = undefined;
      resolve();
    };
    const timer = setTimeout(paint, FRAME_MS);
    // Not every worker has frames.
    const frame = requestAnimationFrame?.(paint);
  }));
}
