/* The files of what was dropped or pasted, those in folders too. */
import type { FileEntry } from "partway";

import { messageOf } from "../util/message-of.ts";

/** A file that came in. `file` is what it is judged by, `entry` what the application gets. */
export interface Incoming {
  file: File;
  entry: FileEntry;
}

/** Something that came in and isn't taken. */
export interface Rejected {
  name: string;
  why: string;
}

/** How deep folders may be nested: a link to a folder around it would never end. (A choice: beyond what people file by hand.) */
const MAX_DEPTH = 32;

/** What systems write into folders by themselves. */
const SYSTEM_FILES = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/** File System Access (WICG), which TypeScript's library doesn't have in full. */
interface WithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}
interface Listing {
  values(): AsyncIterable<FileSystemHandle>;
}

/** An item of a DataTransfer, by all ways that a browser has. */
interface Item {
  handle: Promise<FileSystemHandle | null | undefined> | undefined;
  entry: FileSystemEntry | null | undefined;
  file: File | null;
}

/** Whether files are among what is dragged or pasted. Their names and number aren't known before the drop. */
export function hasFiles(transfer: DataTransfer | null): transfer is DataTransfer {
  return transfer?.types.includes("Files") ?? false;
}

/** A file that was picked, or lay in no folder unless the browser says otherwise. */
export function incoming(file: File, relativePath = file.webkitRelativePath || "", source: FileEntry["file"] = file): Incoming {
  return { file, entry: { file: source, relativePath } };
}

/**
 * Reads all files of a DataTransfer. It must be called within the event: the browser empties the list of items afterwards. What can't be
 * read is rejected, and the others go on.
 */
export function readTransfer(transfer: DataTransfer, takesFolders: boolean): Promise<(Incoming | Rejected)[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file").map(capture);
  const found = items.length ? items.map((item) => readItem(item, takesFolders)) : [...transfer.files].map((file) => incoming(file));
  return Promise.all(found).then((all) => all.flat());
}

function capture(item: DataTransferItem & WithHandle): Item {
  return {
    handle: item.getAsFileSystemHandle?.().catch(() => undefined),
    entry: item.webkitGetAsEntry?.(),
    file: item.getAsFile(),
  };
}

/** A handle is kept over a reload, so that the file needn't be picked again. Not all that is dropped has one. */
async function readItem(item: Item, takesFolders: boolean): Promise<(Incoming | Rejected)[]> {
  const handle = await item.handle;
  const { entry, file } = item;
  const folder = (handle?.kind === "directory" && handle) || (entry?.isDirectory && entry);
  if (folder && !takesFolders) return [{ name: folder.name, why: "Folders aren't taken, only files." }];
  if (handle) return readHandle(handle, "", 0);
  if (folder) return readEntry(folder as FileSystemEntry, "", 0);
  return file ? [incoming(file)] : [{ name: entry?.name ?? "", why: "It can't be read." }];
}

async function readHandle(handle: FileSystemHandle, folder: string, depth: number): Promise<(Incoming | Rejected)[]> {
  const path = folder + handle.name;
  if (handle.kind === "directory") {
    const children: FileSystemHandle[] = [];
    return readFolder(path, depth, children, readHandle, async () => {
      for await (const child of (handle as unknown as Listing).values()) children.push(child);
    });
  }
  return readFile(path, async () => incoming(await (handle as FileSystemFileHandle).getFile(), folder && path, handle as FileSystemFileHandle));
}

async function readEntry(entry: FileSystemEntry, folder: string, depth: number): Promise<(Incoming | Rejected)[]> {
  const path = folder + entry.name;
  if (entry.isDirectory) {
    const children: FileSystemEntry[] = [];
    return readFolder(path, depth, children, readEntry, async () => {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      // Chromium gives a hundred at a time, and an empty list at the end (File and Directory Entries API, "readEntries").
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) return;
        children.push(...some);
      }
    });
  }
  return readFile(path, async () => {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return incoming(file, folder && path);
  });
}

async function readFile(path: string, open: () => Promise<Incoming>): Promise<(Incoming | Rejected)[]> {
  try {
    return [await open()];
  } catch (error) {
    return [unreadable(path, error)];
  }
}

/** Lists a folder into `children`, and reads these. What was listed before an error is read all the same. */
async function readFolder<T extends { name: string }>(
  path: string,
  depth: number,
  children: T[],
  read: (child: T, folder: string, depth: number) => Promise<(Incoming | Rejected)[]>,
  list: () => Promise<void>,
): Promise<(Incoming | Rejected)[]> {
  if (depth === MAX_DEPTH) return [{ name: path, why: `Folders are nested more than ${MAX_DEPTH} deep here.` }];
  const failed: Rejected[] = [];
  await list().catch((error: unknown) => failed.push(unreadable(path, error)));
  const wanted = children.filter(({ name }) => !SYSTEM_FILES.has(name)).sort(byName);
  if (depth === 0 && !wanted.length && !failed.length) return [{ name: path, why: "The folder is empty." }];
  const found = await Promise.all(wanted.map((child) => read(child, `${path}/`, depth + 1)));
  return [...found.flat(), ...failed];
}

/** As file managers sort: 2.jpg before 10.jpg. File systems list in no order. */
function byName(one: { name: string }, other: { name: string }): number {
  return one.name.localeCompare(other.name, undefined, { numeric: true });
}

function unreadable(name: string, error: unknown): Rejected {
  return { name, why: `It can't be read: ${messageOf(error)}` };
}
