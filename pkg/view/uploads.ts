import type { Provider, UnfinishedUpload, Upload, UploadView, Uploader, Uploads, UploadsSnapshot } from "partway";

import { report } from "../util/report.ts";

/** A store for views, on a group of its own, which reports its changes once a frame. */
export function createUploads<P extends Provider>(uploader: Uploader<P>): Uploads<P> {
  const group = uploader.group();
  const listeners = new Set<() => void>();
  /** The views of the group's uploads, until they change. */
  const views = new Map<string, UploadView<P>>();
  let found: readonly UnfinishedUpload<P>[] = [];
  const initial = take([], []);
  let snapshot = initial;

  function take(uploads: UploadsSnapshot<P>["uploads"], unfinished: UploadsSnapshot<P>["unfinished"]): UploadsSnapshot<P> {
    return Object.freeze({ uploads: Object.freeze(uploads), progress: group.progress, unfinished: Object.freeze(unfinished) });
  }

  function publish(): void {
    const uploads = group.uploads.map((upload) => views.get(upload.id) ?? view(upload));
    const unfinished = found.filter((left) => !uploads.some((shown) => isSameFile(shown, left)));
    snapshot = take(keep(snapshot.uploads, uploads), keep(snapshot.unfinished, unfinished));
    for (const listener of [...listeners]) {
      try {
        listener();
      } catch (error) {
        report(error);
      }
    }
  }

  function view({ id, file, meta, relativePath, status, progress, error, result }: Upload<P>): UploadView<P> {
    const made = Object.freeze({ id, file, meta, relativePath, status, progress, error, result });
    views.set(id, made);
    return made;
  }

  group.addEventListener("change", ({ detail: changed }) => {
    for (const { id } of changed) views.delete(id);
    publish();
    // A session may have stayed for another try, or one that is listed has gone.
    if (changed.some((upload) => upload.error || (found.length > 0 && isAtEnd(upload)))) void refresh();
  });

  let refreshing: Promise<void> | undefined;
  let isStale = false;

  /** Looks again for what was left unfinished: one look at a time, and one more if something happened meanwhile. */
  function refresh(): Promise<void> {
    isStale = true;
    return (refreshing ??= look().finally(() => (refreshing = undefined)));
  }

  async function look(): Promise<void> {
    while (isStale) {
      isStale = false;
      const lefts = await group.unfinished();
      const before = found;
      found = keep(before, lefts.map((left) => before.find((known) => isSame(known, left)) ?? leftover(left)));
      if (found !== before) publish();
    }
  }

  function leftover(left: UnfinishedUpload<P>): UnfinishedUpload<P> {
    return Object.freeze({ ...left, discard: () => left.discard().finally(refresh) });
  }

  function named(id: string): Upload<P> | undefined {
    return group.uploads.find((upload) => upload.id === id);
  }

  const onVisible = (): unknown => document.visibilityState === "visible" && refresh();
  // Whoever shows the uploads shows why one failed: the console needn't.
  void group.done;

  return {
    subscribe(listener) {
      // One of its own, so that a listener may subscribe twice.
      const own = (): void => listener();
      if (listeners.size === 0) {
        void refresh();
        // Other tabs end and discard uploads too.
        globalThis.document?.addEventListener("visibilitychange", onVisible);
      }
      listeners.add(own);
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) globalThis.document?.removeEventListener("visibilitychange", onVisible);
      };
    },
    getSnapshot: () => snapshot,
    getServerSnapshot: () => initial,
    find: (id) => views.get(id),
    add: (files, options) => (files ? group.add(files, options) : []),
    remove(id) {
      const upload = named(id);
      if (!upload) return;
      group.remove(upload);
      // Its session, if it has one, goes with it.
      void upload.done.catch(() => {}).then(refresh);
    },
    clear() {
      for (const upload of group.uploads) if (isAtEnd(upload)) group.remove(upload);
    },
    pause: (id) => (id === undefined ? group : named(id))?.pause(),
    resume: (id) => (id === undefined ? group : named(id))?.resume(),
    retry: (id) => (id === undefined ? group : named(id))?.retry(),
    cancel: async (id) => (id === undefined ? group : named(id))?.cancel(),
  };
}

function isAtEnd({ status }: { status: string }): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

/** Whether what was left unfinished stands among the uploads, where it can be tried again. */
function isSameFile({ file }: { file: { name: string; size: number } }, { name, size }: { name: string; size: number }): boolean {
  return file.name === name && file.size === size;
}

function isSame(one: UnfinishedUpload, other: UnfinishedUpload): boolean {
  return one.id === other.id && one.sent === other.sent && one.needsFile === other.needsFile;
}

/** The list before, if it has the same items. */
function keep<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  return before.length === now.length && now.every((item, index) => item === before[index]) ? before : now;
}

const stores = new WeakMap<object, unknown>();

/** The store that all components share which were given this Uploader; or the store that they were given. */
export function uploadsOf<P extends Provider>(source: Uploader<P> | Uploads<P>): Uploads<P> {
  if ("getSnapshot" in source) return source;
  const uploads = (stores.get(source) as Uploads<P> | undefined) ?? createUploads(source);
  stores.set(source, uploads);
  return uploads;
}
