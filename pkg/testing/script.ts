import type { Script, ScriptedFile, StartedUpload } from "partway/testing";

type Scripting = Script | ((file: ScriptedFile) => Script);

let following: Scripting[] = [];
let otherwise: Scripting = {};
let held: { name: string; release: () => void }[] = [];

/** What the uploads of a test do. */
export const script = {
  started: [] as StartedUpload[],

  next(...scripts: Scripting[]): void {
    following.push(...scripts);
  },

  always(scripting: Scripting): void {
    otherwise = scripting;
  },

  release(name?: string): void {
    const released = held.filter((one) => name === undefined || one.name === name);
    held = held.filter((one) => !released.includes(one));
    for (const { release } of released) release();
  },

  reset(): void {
    following = [];
    otherwise = {};
    script.started.length = 0;
    script.release();
  },
};

/** The scripts of files that haven't reached the engine yet. */
const claims = new WeakMap<Blob, Scripting>();

/** Gives a file its script, in the order of the calls of `upload()`. Files reach the engine in any order. */
export function claim(file: Blob): void {
  claims.set(file, following.shift() ?? otherwise);
}

/** Notes an upload that begins, and gives what happens to it. */
export function scriptFor(file: Blob, upload: StartedUpload): Script {
  script.started.push(upload);
  const scripting = claims.get(file) ?? otherwise;
  const { name, size, type } = upload;
  return typeof scripting === "function" ? scripting({ name, size, type }) : scripting;
}

/** Resolves when the test releases the upload. */
export function released(name: string): Promise<void> {
  return new Promise((release) => held.push({ name, release }));
}
