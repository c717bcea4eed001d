/*
 * Sessions of uploads in IndexedDB: `sessions` by their id, and the parts that arrived by [id, number]. What these functions promise
 * holds once the transaction is complete. They reject where storage is off, full, or hangs.
 */

const NAME = "partway";
const VERSION = 1;
/** `open` may wait for ever, for other tabs or for a damaged disk: an upload doesn't wait with it. */
const OPEN_MS = 2000;

let opening;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    const timer = setTimeout(() => reject(new Error("IndexedDB doesn't open")), OPEN_MS);
    const settle = (action) => () => {
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
      // A later release of this package in another tab waits for this connection to go.
      database.onversionchange = database.onclose = () => {
        database.close();
        opening = undefined;
      };
      resolve(database);
    });
  });
}

const SESSIONS = ["sessions"];
const PARTS = ["parts"];
const BOTH = ["sessions", "parts"];

/** `action` gets the stores named, makes requests of them, all at once, and gives a list of these; their results are given back. */
async function transact(names, mode, action, options) {
  const transaction = (await (opening ??= open())).transaction(names, mode, options);
  return new Promise((resolve, reject) => {
    const requests = action(...names.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => resolve(requests.map(({ result }) => result));
    transaction.onabort = () => reject(transaction.error);
  });
}

/** All keys that begin so: an array sorts after every other key. */
function beginning(...key) {
  return IDBKeyRange.bound(key, [...key, []]);
}

/** The sessions of a place, and of one file there where it is said. */
export async function list(place, ...file) {
  const [sessions] = await transact(SESSIONS, "readonly", (sessions) => [sessions.index("file").getAll(beginning(place, ...file))]);
  return sessions;
}

export async function all() {
  const [sessions] = await transact(SESSIONS, "readonly", (sessions) => [sessions.getAll()]);
  return sessions;
}

/** The session, if it is there, and its parts. */
export function read(id) {
  return transact(BOTH, "readonly", (sessions, parts) => [sessions.get(id), parts.getAll(beginning(id))]);
}

/**
 * Puts the session in the place of the one before. What the browser has taken survives its own end; `strict`, about five times
 * slower, survives a loss of power too.
 */
export function write(session, strict) {
  return transact(SESSIONS, "readwrite", (sessions) => [sessions.put(session)], { durability: strict ? "strict" : "relaxed" });
}

export function writePart(id, number, part) {
  return transact(PARTS, "readwrite", (parts) => [parts.put(part, [id, number])]);
}

export function remove(id) {
  return transact(BOTH, "readwrite", (sessions, parts) => [sessions.delete(id), parts.delete(beginning(id))]);
}
