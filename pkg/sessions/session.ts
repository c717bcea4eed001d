import { fingerprint } from "./fingerprint.ts";
import { type Unlock, lock } from "./locks.ts";
import { needsBytes } from "./needs-bytes.ts";
import { readTimeout } from "./read-timeout.ts";
import { type SessionRecord, type StoredPart, type StoredSession, remove, write, writeParts } from "./store.ts";
import { isUnloading } from "./unloading.ts";
import { warnNotKept } from "./warning.ts";

/** What the engine gets of a session, and calls. */
export interface SessionPort {
  /** Writes the record; resolves once it is kept. */
  keep(record: SessionRecord): Promise<void>;
  /** Writes a part, soon. Nobody waits for it. */
  keepPart(number: number, part: StoredPart): void;
  /** Removes what is kept. Nobody waits for it. */
  forget(): Promise<unknown>;
  /** What an earlier page kept. */
  kept: { record: SessionRecord | undefined; parts: StoredPart[] } | undefined;
  /** Whether the upload is given up, and the server told, instead of resumed. */
  discard: boolean;
}

/**
 * Parts are written together at most so often: one by one, small parts take longer to write than to send. A part that a crash keeps from
 * being written is sent again. (A choice: what is sent in a tenth of a second.)
 */
const PARTS_MS = 100;

/** Locks that are being released. They are waited for, so that a file that is uploaded again at once resumes too. */
export const releasing = new Set<Promise<unknown>>();

/** Whether `file` is the one that the session began with, as far as can be told without reading it whole. */
export async function matchesFile({ size, lastModified, head }: StoredSession, file: Blob): Promise<boolean> {
  return size === file.size && lastModified === (file as Partial<File>).lastModified && head === (await readTimeout(fingerprint(file)));
}

/** What is kept of one upload. Its owner has the session's lock from when it is first kept until `release()`. */
export class Session {
  #stored: StoredSession | (() => StoredSession);
  #file: Blob | undefined;
  #unlock: Unlock | undefined;
  #parts: StoredPart[] | undefined;
  #isKept: boolean;
  /** Whether the engine is to give the upload up. */
  isUnwanted = false;
  /** Calls take effect in their order. There is none where nothing was ever to be kept. */
  #queue: Promise<unknown> | undefined;
  /** Parts that are still to be written, by their numbers. */
  #newParts = new Map<number, StoredPart>();
  #partsWrittenAt = -PARTS_MS;
  #partsTimer: ReturnType<typeof setTimeout> | undefined;

  /** A new session has a `file`, and says what it is when it is first kept; one that an earlier page kept has the other two. */
  constructor(stored: StoredSession | (() => StoredSession), file: Blob | undefined, unlock?: Unlock, parts?: StoredPart[]) {
    this.#stored = stored;
    this.#file = file;
    this.#unlock = unlock;
    this.#parts = parts;
    this.#isKept = parts !== undefined;
  }

  get stored(): StoredSession {
    if (typeof this.#stored === "function") this.#stored = this.#stored();
    return this.#stored;
  }

  get isKept(): boolean {
    return this.#isKept;
  }

  get needsFile(): boolean {
    return needsBytes(this.stored.record);
  }

  async matches(file: Blob): Promise<boolean> {
    return matchesFile(this.stored, file);
  }

  forEngine(): SessionPort {
    return {
      keep: (record) => {
        this.#writeParts();
        return this.#enqueue(() => this.#keep(record));
      },
      keepPart: (number, part) => this.#keepPart(number, part),
      forget: () => this.forget(),
      kept: this.#parts && { record: this.stored.record, parts: this.#parts },
      discard: this.isUnwanted,
    };
  }

  /** Removes what is kept, unless the page is being left: its requests then fail, which says nothing about the upload. */
  forget(): Promise<unknown> {
    this.#newParts.clear();
    return this.#enqueue(() => this.#isKept && !isUnloading() && this.#remove()).catch(warnNotKept);
  }

  /** Releases the lock, once all is written. */
  async release(): Promise<void> {
    if (!this.#queue && !this.#unlock) return;
    this.#writeParts();
    const released = this.#enqueue(() => this.#unlock?.());
    releasing.add(released);
    await released;
    releasing.delete(released);
  }

  /** A page that isn't shown gets its timers late, and so a part may also be written when the next one comes. */
  #keepPart(number: number, part: StoredPart): void {
    this.#newParts.set(number, part);
    const wait = this.#partsWrittenAt + PARTS_MS - performance.now();
    if (wait <= 0) this.#writeParts();
    else this.#partsTimer ??= setTimeout(() => this.#writeParts(), wait);
  }

  #writeParts(): void {
    clearTimeout(this.#partsTimer);
    this.#partsTimer = undefined;
    if (!this.#newParts.size) return;
    const parts = this.#newParts;
    this.#newParts = new Map();
    this.#partsWrittenAt = performance.now();
    void this.#enqueue(() => this.#isKept && writeParts(this.stored.id, parts)).catch(warnNotKept);
  }

  #enqueue<T>(action: () => T | Promise<T>): Promise<T> {
    const done = (this.#queue ?? Promise.resolve()).then(action);
    this.#queue = done.catch(() => {});
    return done;
  }

  async #keep(record: SessionRecord): Promise<void> {
    try {
      this.#unlock ??= await lock(this.stored.id);
      // A session without a fingerprint is a new one, which has its file.
      this.stored.head ??= await readTimeout(fingerprint(this.#file as Blob));
      this.#isKept = true;
      await this.#write(record);
    } catch (error) {
      warnNotKept(error);
      // What was kept before is out of date.
      if (this.#isKept) await this.#remove().catch(() => {});
      throw error;
    }
  }

  async #write(record: SessionRecord): Promise<void> {
    const written = { ...this.stored, savedAt: Date.now(), record };
    try {
      // Bytes can be sent again. That the later steps began must not be forgotten.
      await write(written, record.phase !== "sending");
    } catch (error) {
      if ((error as Partial<Error> | undefined)?.name !== "DataCloneError" || !written.handle) throw error;
      // Not every browser keeps handles.
      this.stored.handle = undefined;
      await this.#write(record);
    }
  }

  #remove(): Promise<unknown> {
    this.#isKept = false;
    return remove(this.stored.id);
  }
}
