// One Uploader for each destination and choice of settings, so that all its uploads share their slots, with a store of what it uploads.

import { Uploader, createUploads } from "partway";

const kept = new Map();

/** The store for `destination` with these settings. Throws what the package throws for wrong options. `changed` is called after each change. */
export function storeFor(destination, settings, changed) {
  const key = JSON.stringify([destination.id, settings]);
  const known = kept.get(key);
  if (known) return known.uploads;
  // What is under way with other settings ends as it began. Only one store for each destination lists what was left unfinished.
  for (const entry of kept.values()) if (entry.destination.id === destination.id) entry.isCurrent = false;
  const uploads = createUploads(new Uploader({ ...destination.options(), ...settings }));
  kept.set(key, { destination, uploads, isCurrent: true });
  uploads.subscribe(changed);
  return uploads;
}

/** The states of all stores, each with its destination. */
export function snapshots() {
  return [...kept.values()].map(({ destination, uploads, isCurrent }) => {
    const { uploads: views, unfinished } = uploads.getSnapshot();
    return { destination, uploads, views, unfinished: isCurrent ? unfinished : [] };
  });
}
