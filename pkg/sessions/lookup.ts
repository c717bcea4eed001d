import type { EngineError } from "../api/errors.ts";
import { randomId } from "../util/hex.ts";
import { timeout } from "../util/timeout.ts";
import { lock, lockedNow } from "./locks.ts";
import { Session, matchesFile, releasing } from "./session.ts";
import { type SessionIdentity, type StoredSession, type UnfinishedSession, all, count, list, listEach, read, remove } from "./store.ts";
import { watchUnloading } from "./unloading.ts";
import { warnNotKept } from "./warning.ts";

/** How long a session is kept whose record doesn't say when it expires. (A choice.) */
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** How long an upload waits to learn whether there is a session of it. (A choice.) */
const ANSWER_MS = 5000;

let isBegun = false;

/**
 * Gives what `action` gives; or `fallback`, and warns once, if storage or locks fail or don't answer: an upload doesn't wait for a disk
 * that is busy. `undo` gets a result that comes too late.
 */
async function withFallback<T>(fallback: T, action: () => Promise<T>, undo?: (late: T) => unknown): Promise<T> {
  const result = beginOnce().then(action);
  try {
    return await timeout(result, ANSWER_MS, () => new Error("storage or the file didn't answer in time"));
  } catch (error) {
    result.then(undo).catch(() => {});
    warnNotKept(error);
    return fallback;
  }
}

type FreshSession = StoredSession & Pick<UnfinishedSession, "record">;

function isFresh(session: StoredSession): session is FreshSession {
  const { record, savedAt = 0 } = session;
  return record !== undefined && Date.now() < (record.expiresAt ?? savedAt + WEEK_MS);
}

/** Removes what has expired. */
async function beginOnce(): Promise<void> {
  if (isBegun) return;
  isBegun = true;
  watchUnloading();
  for (const session of await all()) {
    const unlock = !isFresh(session) && (await lock(session.id));
    if (unlock) await remove(session.id).finally(unlock);
  }
}

/** The unfinished uploads of a destination that nobody works on, newest first. */
export function unfinishedSessions(place: string): Promise<UnfinishedSession[]> {
  return withFallback<UnfinishedSession[]>([], async () => {
    await Promise.all(releasing);
    const [sessions, isLocked] = await Promise.all([list(place), lockedNow()]);
    const free = sessions.filter((session): session is FreshSession => isFresh(session) && !isLocked(session.id));
    return Promise.all(newestFirst(free).map(async (session) => ({ ...session, parts: (await read(session.id))[1] })));
  });
}

function newestFirst<T extends StoredSession>(sessions: T[]): T[] {
  return sessions.sort((one, other) => other.startedAt - one.startedAt);
}

/** Says what an upload is. It isn't asked before it has to be: a file's date makes Chromium ask another process, and wait. */
type Identify = () => SessionIdentity;

/** Uploads that want to know whether they were begun before; those that come while others are looked up wait for the next round. */
let wanted: { identify: Identify; found: (sessions: StoredSession[] | undefined) => void }[] = [];
let isLooking = false;

/** The sessions of a file, together with those of all others that are asked for at the same time; `undefined` if none can be kept. */
function lookUp(identify: Identify): Promise<StoredSession[] | undefined> {
  return new Promise((found) => {
    wanted.push({ identify, found });
    if (!isLooking) void lookUpAll();
  });
}

async function lookUpAll(): Promise<void> {
  isLooking = true;
  while (wanted.length) {
    // Those that are asked for in this task come along.
    await null;
    const files = wanted;
    wanted = [];
    const sessions = await withFallback<StoredSession[][] | undefined>(undefined, async () => {
      await Promise.all(releasing);
      return (await count()) ? listEach(files.map(({ identify }) => identify())) : [];
    });
    for (const [index, { found }] of files.entries()) found(sessions && (sessions[index] ?? []));
  }
  isLooking = false;
}

/** The session of a file: the one that was left unfinished, if nobody works on it, or a new one; `undefined` if none can be kept. */
export async function findSession(
  file: Blob,
  identify: Identify,
  handle: FileSystemFileHandle | undefined,
): Promise<Session | undefined> {
  const candidates = await lookUp(identify);
  const startedAt = Date.now();
  const fresh = () => new Session(() => ({ ...identify(), id: randomId(), handle, startedAt }), file);
  if (!candidates?.length) return candidates && fresh();
  return withFallback<Session | undefined>(
    undefined,
    async () => {
      const wanted = intent(identify());
      for (const session of newestFirst(candidates)) {
        const isSame = intent(session) === wanted;
        const found =
          isSame && isFresh(session) && (await matchesFile(session, file)) && (await openSession(session.id).catch(() => undefined));
        if (found) return found;
      }
      return fresh();
    },
    (session) => session?.release(),
  );
}

/** What is to become of a file, as text. */
function intent({ settings, type, relativePath = "", meta = {} }: SessionIdentity): string {
  return JSON.stringify([settings, type, relativePath, meta]);
}

/** The session that an upload of this page left, if it is still kept and nobody else has it. */
export async function reopenSession(left: Session, file: Blob): Promise<Session | undefined> {
  return withFallback<Session | undefined>(
    undefined,
    async () => {
      await Promise.all(releasing);
      const session = await openSession(left.stored.id).catch(() => undefined);
      if (!session?.needsFile || (await session.matches(file))) return session;
      await session.release();
      return undefined;
    },
    (session) => session?.release(),
  );
}

/** Opens a session that was left unfinished. Rejects with an `EngineError` where it can't. */
export async function openSession(id: string): Promise<Session> {
  const unlock = await lock(id);
  if (!unlock) {
    throw {
      code: "already-running",
      message: "This upload is already running, here or in another tab.",
      hint: "Wait for it there, or cancel it there first.",
    } satisfies EngineError;
  }
  try {
    const [stored, parts] = await read(id);
    if (!stored) {
      throw {
        code: "session-expired",
        message: "This upload has no session any more: it was finished or discarded in the meantime.",
        hint: "Call unfinished() again; upload(file) starts a new upload.",
      } satisfies EngineError;
    }
    return new Session(stored, undefined, unlock, parts);
  } catch (error) {
    void unlock();
    throw error;
  }
}
