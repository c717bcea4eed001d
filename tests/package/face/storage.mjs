// A browser's storage and locks for the tests of saved sessions, and a page that can be reloaded.
import assert from "node:assert/strict";

import "fake-indexeddb/auto";
import { webcrypto } from "node:crypto";

import { Uploader, begun, core, file, settle, until } from "./harness.mjs";
import { drop, held, hold, locks, pace } from "./fake/locks.mjs";

Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks } });
globalThis.crypto ??= webcrypto;

export { held, hold, pace };

export const RECORD = { version: 1, provider: "plan", phase: "sending", size: 3, begunAt: 1 };

export function plan(options = {}) {
  return new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) }, ...options });
}

/** An upload of which the engine has kept a record, and parts. */
export async function kept(uploader, picked = file(), { record = RECORD, parts = [], options } = {}) {
  const started = await begun(uploader, picked, options);
  const { keep, keepPart } = started.task.options;
  await keep(record);
  const { length } = (await database()).parts;
  for (const [index, part] of parts.entries()) keepPart(index + 1, part);
  await written(length + parts.length);
  return started;
}

/** Waits until the database has so many parts. */
export async function written(count) {
  const deadline = performance.now() + 5000;
  while ((await database()).parts.length !== count) assert.ok(performance.now() < deadline, `${count} parts weren't written`);
}

/** The page is loaded again: nothing of what ran goes on, and the browser lets go of its locks. */
export async function reload() {
  await settle();
  drop();
  core.forget();
}

/** What the database has. */
export async function database() {
  const opened = await asked(indexedDB.open("partway"));
  const stores = opened.transaction(["sessions", "parts"]);
  const [sessions, parts] = await Promise.all(["sessions", "parts"].map((name) => asked(stores.objectStore(name).getAll())));
  opened.close();
  return { sessions, parts };
}

/** Puts a session there that is changed so. */
export async function change(id, changes) {
  const opened = await asked(indexedDB.open("partway"));
  const sessions = opened.transaction("sessions", "readwrite").objectStore("sessions");
  await asked(sessions.put({ ...(await asked(sessions.get(id))), ...changes }));
  opened.close();
}

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** As a browser is that was never here. */
export async function empty() {
  drop();
  core.forget();
  if ((await indexedDB.databases()).length === 0) return;
  const opened = await asked(indexedDB.open("partway"));
  const stores = opened.transaction(["sessions", "parts"], "readwrite");
  await Promise.all(["sessions", "parts"].map((name) => asked(stores.objectStore(name).clear())));
  opened.close();
}

/** What `console.warn` gets while `action` runs. */
export async function warned(action) {
  const original = console.warn;
  const seen = [];
  console.warn = (...values) => seen.push(values);
  try {
    await action();
  } finally {
    console.warn = original;
  }
  return seen;
}

export { begun, core, file, settle, until };
