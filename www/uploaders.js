// One Uploader for each destination and choice of settings, so that all its uploads share their slots.

import { Uploader } from "partway";

const kept = new Map();

/** Starts `file`, or the file behind a handle, towards `destination`. Throws what the package throws for wrong options. */
export function start(destination, settings, file, callbacks) {
  const entry = entryFor(destination, settings);
  return follow(entry, entry.uploader.upload(file, callbacks));
}

/** What was left unfinished on the way to `destination`. */
export function unfinished(destination, settings) {
  return entryFor(destination, settings).uploader.unfinished();
}

/** Goes on with what was left unfinished under `id`. */
export async function goOn(destination, settings, id, file, callbacks) {
  const left = await find(destination, settings, id);
  return follow(entryFor(destination, settings), await left.resume(file, callbacks));
}

/** Gives up what was left unfinished under `id`. */
export async function discard(destination, settings, id) {
  await (await find(destination, settings, id)).discard();
}

async function find(destination, settings, id) {
  const found = (await unfinished(destination, settings)).find((left) => left.id === id);
  if (!found) throw new Error("There is nothing left to go on with: it was finished or discarded meanwhile.");
  return found;
}

function entryFor(destination, settings) {
  const id = JSON.stringify([destination.id, settings]);
  return kept.get(id) ?? open(id, destination, settings);
}

function follow(entry, upload) {
  entry.live += 1;
  const settled = () => {
    entry.live -= 1;
    if (entry.live === 0 && ![...kept.values()].includes(entry)) entry.uploader.close();
  };
  upload.done.then(settled, settled);
  return upload;
}

/** Uploaders with other settings than these end with their last upload. */
function open(id, destination, settings) {
  for (const [other, { live, uploader }] of kept) {
    if (JSON.parse(other)[0] !== destination.id) continue;
    kept.delete(other);
    if (live === 0) uploader.close();
  }
  const entry = { uploader: new Uploader({ ...destination.options(), ...settings }), live: 0 };
  kept.set(id, entry);
  return entry;
}
