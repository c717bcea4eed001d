/** How long a frame is waited for: pages that aren't shown paint none. (A choice: what changes ten times a second looks continuous.) */
const FRAME_MS = 100;
/** Least time between two frames that are waited for. (A choice: thirty a second look smooth, and a page takes time for each.) */
const BETWEEN_MS = 30;

let next: Promise<void> | undefined;
let paintedAt = -BETWEEN_MS;

/**
 * Resolves when the page paints next, together with all that wait for it; a tenth of a second later at most. Frames that come too soon after
 * the last one that was waited for are left out.
 */
export function nextFrame(): Promise<void> {
  return (next ??= new Promise((resolve) => {
    const { requestAnimationFrame, cancelAnimationFrame } = globalThis;
    let frame: number | undefined;
    const paint = (): void => {
      clearTimeout(deadline);
      clearTimeout(pause);
      if (frame !== undefined) cancelAnimationFrame(frame);
      next = undefined;
      paintedAt = performance.now();
      resolve();
    };
    // Not every worker has frames.
    const ask = (): void => {
      frame = requestAnimationFrame?.(paint);
    };
    const deadline = setTimeout(paint, FRAME_MS);
    const wait = paintedAt + BETWEEN_MS - performance.now();
    const pause = wait > 0 ? setTimeout(ask, wait) : undefined;
    if (!pause) ask();
  }));
}
