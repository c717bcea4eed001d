// One Uploader for each destination and choice of settings, so that all its uploads share their slots.

import { Uploader } from "partway";

const kept = new Map();

/** Starts `file` towards `destination`. Throws what the package throws for wrong options. */
export function start(destination, settings, file, callbacks) {
  const id = JSON.stringify([destination.id, settings]);
  const entry = kept.get(id) ?? open(id, destination, settings);
  const upload = entry.uploader.upload(file, callbacks);
  entry.live += 1;
  const settled = () => {
    entry.live -= 1;
    if (entry.live === 0 && kept.get(id) !== entry) entry.uploader.close();
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
