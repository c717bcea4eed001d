import { UploadError } from "./error.js";
import { isLeaving } from "./events.js";
import { fingerprint, hex } from "./fingerprint.js";
import { lock, lockedNow } from "./lock.js";
import { readInTime } from "./source.js";
import { all, list, read, remove, write, writePart } from "./store.js";
import { inTime } from "./time.js";

/** How long a session is kept that doesn't say itself when it expires. */
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** How long an upload waits to learn whether there is a session of it. (A choice.) */
const ANSWER_MS = 5000;

let warned = false;
let cleaned = false;
/** What is being let go of: a file that is uploaded again at once goes on too. */
const releasing = new Set();

/** Without locks two tabs might send one upload. Both are missing on a server, locks also on a page that isn't secure. */
function available() {
  return Boolean(globalThis.indexedDB && globalThis.navigator?.locks && globalThis.crypto?.subtle);
}

/**
 * An upload doesn't wait for a disk that is busy, or for a browser that forgot.
 *
 * Does without sessions where storage or locks fail, or don't answer: gives `otherwise` then, and says so once. `undo` gets what
 * comes too late.
 */
async function orElse(otherwise, action, undo) {
  if (!available()) return otherwise;
  const asked = cleanOnce().then(action);
  try {
    return await inTime(asked, ANSWER_MS, () => new Error("storage doesn't answer, or the file doesn't"));
  } catch (error) {
    asked.then(undo).catch(() => {});
    warn(error);
    return otherwise;
  }
}

function warn(error) {
  if (!warned) console.warn("partway: uploads can't go on after a reload, since their sessions can't be kept:", error);
  warned = true;
}

function isFresh({ record, savedAt }) {
  return Boolean(record) && Date.now() < (record.expiresAt ?? savedAt + WEEK_MS);
}

async function cleanOnce() {
  if (cleaned) return;
  cleaned = true;
  await clean();
}

async function clean() {
  for (const session of await all()) {
    const release = !isFresh(session) && (await lock(session.id));
    if (release) await remove(session.id).finally(release);
  }
}

/** What is unfinished at a place and nobody works on, each with its parts, newest first. */
export function waiting(place) {
  return orElse([], async () => {
    await Promise.all(releasing);
    const [sessions, isLocked] = await Promise.all([list(place), lockedNow()]);
    const free = sessions.filter((session) => isFresh(session) && !isLocked(session.id));
    return Promise.all(newestFirst(free).map(async (session) => ({ ...session, parts: (await read(session.id))[1] })));
  });
}

function newestFirst(sessions) {
  return sessions.sort((one, other) => other.startedAt - one.startedAt);
}

/**
 * The session for a file on its way to a place: the one that was left unfinished, if nobody else works on it, or a new one.
 * `about` is what tells it from others: `{place, settings, name, size, type, lastModified}`.
 */
export function sessionFor(file, about, handle) {
  return orElse(undefined, async () => {
    const { place, name, size, lastModified } = about;
    await Promise.all(releasing);
    for (const session of newestFirst(await list(place, name, size, lastModified))) {
      const same = ["settings", "type"].every((key) => session[key] === about[key]);
      const found = same && isFresh(session) && (await isOf(session, file)) && (await takeUp(session.id).catch(() => undefined));
      if (found) return found;
    }
    const id = hex(crypto.getRandomValues(new Uint8Array(12)));
    return new Session({ ...about, id, handle, startedAt: Date.now() }, file);
  }, (session) => session.release());
}

/** Whether `file` is the one that the session was begun with, as far as can be told without reading it whole. */
async function isOf({ size, lastModified, head }, file) {
  return size === file.size && lastModified === file.lastModified && head === (await readInTime(fingerprint(file)));
}

/** Takes up a session that was left unfinished. */
export async function takeUp(id) {
  const release = await lock(id);
  if (!release) {
    throw new UploadError("already-running", "This upload is under way already, here or in another tab.", {
      hint: "Let it go on there, or stop it there first.",
    });
  }
  try {
    const [stored, parts] = await read(id);
    if (!stored) {
      throw new UploadError("session-expired", "There is nothing left of this upload: it was finished or discarded meanwhile.", {
        hint: "Ask unfinished() again; upload(file) begins a new one.",
      });
    }
    return new Session(stored, undefined, release, parts);
  } catch (error) {
    release();
    throw error;
  }
}

/** What is kept of one upload. Whoever has it has its lock, from when it is first kept until `release()`. */
export class Session {
  #stored;
  #file;
  #unlock;
  #parts;
  #isKept;
  /** Whether the server is to be told that nothing more comes. */
  isUnwanted = false;
  /** What was asked is done in this order. */
  #queue = Promise.resolve();

  constructor(stored, file, unlock, parts) {
    this.#stored = stored;
    this.#file = file;
    this.#unlock = unlock;
    this.#parts = parts;
    this.#isKept = parts !== undefined;
  }

  get stored() {
    return this.#stored;
  }

  get isKept() {
    return this.#isKept;
  }

  async isOf(file) {
    return isOf(this.#stored, file);
  }

  /** What the engine is told of it, and calls. */
  forEngine() {
    return {
      keep: (record) => this.#next(() => this.#keep(record)),
      keepPart: (number, part) => this.#next(() => this.#isKept && writePart(this.#stored.id, number, part)).catch(warn),
      forget: () => this.forget(),
      kept: this.#parts && { record: this.#stored.record, parts: this.#parts },
      discard: this.isUnwanted,
    };
  }

  /** Drops what is kept. A page that is being left has its requests fail, and draws no conclusions from it. */
  forget() {
    return this.#next(() => this.#isKept && !isLeaving() && this.#drop()).catch(warn);
  }

  /** Lets others have it, once all is written. */
  async release() {
    const released = this.#next(() => this.#unlock?.());
    releasing.add(released);
    await released;
    releasing.delete(released);
  }

  #next(action) {
    const done = this.#queue.then(action);
    this.#queue = done.catch(() => {});
    return done;
  }

  async #keep(record) {
    try {
      this.#unlock ??= await lock(this.#stored.id);
      this.#stored.head ??= await readInTime(fingerprint(this.#file));
      this.#isKept = true;
      await this.#write(record);
    } catch (error) {
      warn(error);
      // What was kept before isn't true any more.
      if (this.#isKept) await this.#drop().catch(() => {});
      throw error;
    }
  }

  async #write(record) {
    const written = { ...this.#stored, savedAt: Date.now(), record };
    try {
      // Bytes can be sent again. What comes after them mustn't be forgotten.
      await write(written, record.phase !== "sending");
    } catch (error) {
      if (error?.name !== "DataCloneError" || !written.handle) throw error;
      // Not every browser keeps handles.
      this.#stored.handle = undefined;
      await this.#write(record);
    }
  }

  #drop() {
    this.#isKept = false;
    return remove(this.#stored.id);
  }
}
