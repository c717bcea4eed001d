import type { Provider, UnfinishedUpload, Upload, UploadView, Uploader, Uploads, UploadsSnapshot } from "partway";

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
    snapshot = take(uploads, found.filter((left) => !uploads.some((shown) => isSameFile(shown, left))));
    for (const listener of [...listeners]) listener();
  }

  function view({ id, file, meta, relativePath, status, progress, error, result }: Upload<P>): UploadView<P> {
    const made = Object.freeze({ id, file, meta, relativePath, status, progress, error, result });
    views.set(id, made);
    return made;
  }

  group.addEventListener("change", ({ detail: changed }) => {
    for (const { id } of changed) views.delete(id);
    publish();
    // Its session may have gone, or may have stayed for another try.
    if (changed.some(isAtEnd)) void refresh();
  });

  let refreshing: Promise<void> | undefined;
  let isStale = false;

  /** Looks again for what was left unfinished; one look at a time, and one more if something happened meanwhile. */
  async function refresh(): Promise<void> {
    isStale = true;
    refreshing ??= (async () => {
      while (isStale) {
        isStale = false;
        found = (await uploader.unfinished()).map(leftover);
      }
      refreshing = undefined;
      publish();
    })();
    return refreshing;
  }

  /** As it is, but an upload that goes on joins the others. */
  function leftover(left: UnfinishedUpload<P>): UnfinishedUpload<P> {
    return Object.freeze({
      ...left,
      async resume(...given: Parameters<UnfinishedUpload<P>["resume"]>) {
        const upload = await left.resume(...given);
        group.add([upload]);
        return upload;
      },
      discard: () => left.discard().finally(refresh),
    });
  }

  function named(id: string): Upload<P> | undefined {
    return group.uploads.find((upload) => upload.id === id);
  }

  const onVisible = (): unknown => document.visibilityState === "visible" && refresh();

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
      if (upload) group.remove(upload);
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

const stores = new WeakMap<object, unknown>();

/** The store that all components share which were given this Uploader; or the store that they were given. */
export function uploadsOf<P extends Provider>(source: Uploader<P> | Uploads<P>): Uploads<P> {
  if ("getSnapshot" in source) return source;
  const uploads = (stores.get(source) as Uploads<P> | undefined) ?? createUploads(source);
  stores.set(source, uploads);
  return uploads;
}
