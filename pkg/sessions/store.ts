/*
 * Sessions of uploads in IndexedDB: `sessions` by their id, and the uploaded parts by [id, number]. What these functions promise holds
 * once the transaction is complete. They reject if storage is off, full, or hangs.
 *
 * The names of the database, its stores and the members of a session are a format: pages of other releases read it.
 */

import type { Meta } from "partway";

/** What identifies the upload that a session belongs to: a file, where it goes, and what becomes of it there. */
export interface SessionIdentity {
  /** The destination's key. */
  place: string;
  settings: string;
  name: string;
  size: number;
  type: string;
  lastModified: number;
  relativePath?: string;
  meta?: Meta;
}

/** What the engine keeps of an upload. The rest is its own. */
export interface SessionRecord {
  phase: string;
  /** Bytes that are sent. */
  size: number;
  /** What is sent in the file's place. */
  output?: { name: string; type: string };
  expiresAt?: number;
  [rest: string]: unknown;
}

/** A part that the destination has; both positions are inclusive. */
export interface StoredPart {
  start: number;
  end: number;
  [rest: string]: unknown;
}

export interface StoredSession extends SessionIdentity {
  id: string;
  handle?: FileSystemFileHandle | undefined;
  /** The file's fingerprint, from when the session is first written. */
  head?: string;
  /** Milliseconds since 1970, as is `savedAt`. */
  startedAt: number;
  savedAt?: number;
  record?: SessionRecord;
}

/** A session that can be resumed, with its parts. */
export interface UnfinishedSession extends StoredSession {
  record: SessionRecord;
  parts: StoredPart[];
}

const NAME = "partway";
const VERSION = 1;
/** `open` may wait for ever, for other tabs or for a damaged disk. An upload doesn't wait with it. (A choice.) */
const OPEN_MS = 2000;

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    const timer = setTimeout(() => reject(new Error("IndexedDB didn't open in time")), OPEN_MS);
    const settle = (action: () => void) => () => {
      clearTimeout(timer);
      action();
    };
    request.onupgradeneeded = () => {
      request.result.createObjectStore("sessions", { keyPath: "id" }).createIndex("file", ["place", "name", "size", "lastModified"]);
      request.result.createObjectStore("parts");
    };
    request.onerror = settle(() => reject(request.error));
    request.onsuccess = settle(() => {
      const database = request.result;
      // A later release of this package in another tab waits until this connection is closed.
      database.onversionchange = database.onclose = () => {
        database.close();
        opening = undefined;
      };
      resolve(database);
    });
  });
}

type StoreName = "sessions" | "parts";
const SESSIONS: StoreName[] = ["sessions"];
const PARTS: StoreName[] = ["parts"];
const BOTH: StoreName[] = ["sessions", "parts"];

/** The results of requests. */
type Results<Requests extends IDBRequest[]> = {
  [Index in keyof Requests]: Requests[Index] extends IDBRequest<infer Result> ? Result : never;
};

/** Runs a transaction. `action` gets the stores, and makes all its requests at once; their results are given back. */
async function transact<const Requests extends IDBRequest[]>(
  names: StoreName[],
  mode: IDBTransactionMode,
  action: (...stores: IDBObjectStore[]) => Requests,
  options?: IDBTransactionOptions,
): Promise<Results<Requests>> {
  const transaction = (await (opening ??= open())).transaction(names, mode, options);
  return new Promise((resolve, reject) => {
    const requests = action(...names.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => resolve(requests.map(({ result }) => result) as Results<Requests>);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** All keys that begin with these: an array sorts after every other key. */
function startingWith(...key: IDBValidKey[]): IDBKeyRange {
  return IDBKeyRange.bound(key, [...key, []]);
}

/** The sessions of a destination. */
export async function list(place: string): Promise<StoredSession[]> {
  const [sessions] = await transact(SESSIONS, "readonly", (sessions) => [sessions.index("file").getAll(startingWith(place))]);
  return sessions;
}

/** How many sessions there are. */
export async function count(): Promise<number> {
  const [sessions] = await transact(SESSIONS, "readonly", (sessions) => [sessions.count()]);
  return sessions;
}

/** The sessions of each of these files. */
export function listEach(files: SessionIdentity[]): Promise<StoredSession[][]> {
  return transact(SESSIONS, "readonly", (sessions) =>
    files.map(({ place, name, size, lastModified }) => sessions.index("file").getAll(startingWith(place, name, size, lastModified))),
  );
}

export async function all(): Promise<StoredSession[]> {
  const [sessions] = await transact(SESSIONS, "readonly", (sessions) => [sessions.getAll()]);
  return sessions;
}

/** The session, if there is one, and its parts. */
export function read(id: string): Promise<[session: StoredSession | undefined, parts: StoredPart[]]> {
  return transact(BOTH, "readonly", (sessions, parts) => [sessions.get(id), parts.getAll(startingWith(id))]);
}

/**
 * Writes the session over the one before. What the browser has accepted survives the end of the browser; with `isStrict`, which takes
 * about five times as long, it survives a loss of power too.
 */
export function write(session: StoredSession, isStrict: boolean): Promise<unknown> {
  return transact(SESSIONS, "readwrite", (sessions) => [sessions.put(session)], { durability: isStrict ? "strict" : "relaxed" });
}

export function writeParts(id: string, parts: Map<number, StoredPart>): Promise<unknown> {
  return transact(PARTS, "readwrite", (store) => Array.from(parts, ([number, part]) => store.put(part, [id, number])));
}

export function remove(id: string): Promise<unknown> {
  return transact(BOTH, "readwrite", (sessions, parts) => [sessions.delete(id), parts.delete(startingWith(id))]);
}
