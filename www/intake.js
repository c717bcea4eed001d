// Files in: by the file input, by dropping files or folders anywhere, by pasting, or made up.

import { createDropzone } from "partway";

/**
 * Calls `take(entries)` with what comes in, and `refuse(rejected)` with what can't be taken; `words()` is what the veil says while files
 * are dragged over the page.
 */
export function intake({ sample, veil, words, take, refuse }) {
  createDropzone(document.documentElement, {
    paste: true,
    onFiles: take,
    onReject: refuse,
    onDrag(over) {
      veil.firstElementChild.textContent = words();
      veil.hidden = !over;
    },
  });
  sample.addEventListener("click", () => take([{ file: madeUp(), relativePath: "" }]));
}

let made = 0;

/** A file of chance, named as a video so that every destination takes it. */
function madeUp() {
  made += 1;
  const pieces = Array.from({ length: 1000 }, () => crypto.getRandomValues(new Uint8Array(64_000)));
  return new File(pieces, `test-file-${made}.mp4`, { type: "video/mp4" });
}
