/*
 * One upload at a time works on a session, over all tabs and workers of an origin. Web Locks see to it: the browser releases them when
 * their page is gone, however it went.
 */

const PREFIX = "partway:";

/** Releases a lock; resolves when others can have it. */
export type Unlock = () => Promise<unknown>;

/** Takes the lock of a session; gives `undefined` if somebody has it. */
export function lock(id: string): Promise<Unlock | undefined> {
  let release: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  return new Promise((resolve, reject) => {
    const request: Promise<unknown> = navigator.locks.request(PREFIX + id, { ifAvailable: true }, (granted) => {
      if (!granted) return resolve(undefined);
      resolve(() => {
        release();
        return request;
      });
      return held;
    });
    request.catch(reject);
  });
}

/** Gives a function that tells whether the lock of a session is taken. */
export async function lockedNow(): Promise<(id: string) => boolean> {
  const { held } = await navigator.locks.query();
  const names = new Set(held?.map(({ name }) => name));
  return (id) => names.has(PREFIX + id);
}
