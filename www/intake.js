// Files in: by the file input, by dropping files or folders anywhere, by pasting, or made up.

/** Handles of dropped files, where the browser gives them: with one, nothing need be picked again after a reload. */
const handles = new WeakMap();

/** What to upload for a file that came in: its handle, or the file itself. */
export const sourceOf = (file) => handles.get(file) ?? file;

/** Calls `take(files)` with what comes in; `words()` is what the veil says while something is dragged over the page. */
export function intake({ input, sample, veil, words, take }) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) take(files);
  });

  sample.addEventListener("click", () => take([madeUp()]));

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
  });

  const dragsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const lift = () => { veil.hidden = true; };
  document.addEventListener("dragover", (event) => {
    if (!dragsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    veil.firstElementChild.textContent = words();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) lift();
  });
  document.addEventListener("drop", async (event) => {
    if (!dragsFiles(event)) return;
    event.preventDefault();
    lift();
    const files = await dropped(event.dataTransfer);
    if (files.length) take(files);
  });
}

/** Handles and entries must be asked for before the event is over; folders are walked after it. */
async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  if (items.length && items[0].getAsFileSystemHandle) {
    const given = await Promise.all(items.map((item) => item.getAsFileSystemHandle()));
    return (await Promise.all(given.map(open))).flat();
  }
  return fromEntries(transfer);
}

async function open(handle) {
  if (handle.kind === "file") {
    const file = await handle.getFile();
    handles.set(file, handle);
    return [file];
  }
  const found = [];
  for await (const inside of handle.values()) if (!inside.name.startsWith(".")) found.push(inside);
  return (await Promise.all(found.map(open))).flat();
}

async function fromEntries(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.length || entries.includes(null) || entries.includes(undefined)) return [...transfer.files];
  return (await Promise.all(entries.map(walk))).flat();
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some.filter(({ name }) => !name.startsWith(".")));
  }
  return (await Promise.all(found.map(walk))).flat();
}

let made = 0;

/** A file of chance, named as a video so that every destination takes it. */
function madeUp() {
  made += 1;
  const pieces = Array.from({ length: 1000 }, () => crypto.getRandomValues(new Uint8Array(64_000)));
  return new File(pieces, `test-file-${made}.mp4`, { type: "video/mp4" });
}
