/*
 * One upload at a time works on a session, over all tabs and workers of an origin: Web Locks, which the browser lets go of when
 * their page is gone, however it went.
 */

const PREFIX = "partway:";

/** Takes the lock of a session, and gives the function that lets it go, which resolves when it is free; undefined where somebody has it. */
export function lock(id) {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  return new Promise((taken, failed) => {
    const whole = navigator.locks.request(PREFIX + id, { ifAvailable: true }, (granted) => {
      if (!granted) return taken();
      taken(() => {
        release();
        return whole;
      });
      return held;
    });
    whole.catch(failed);
  });
}

/** Gives a function that tells whether somebody works on a session. */
export async function lockedNow() {
  const { held } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  return (id) => names.has(PREFIX + id);
}
