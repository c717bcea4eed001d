import type { Provider, UploadView, Uploader, Uploads } from "partway";
import type { Readable, UseUploads } from "partway/svelte";

import { uploadsOf } from "./dist/view.js";

export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P> {
  const { subscribe, getSnapshot, getServerSnapshot, find, ...actions } = uploadsOf(source);
  return { ...readable(subscribe, getSnapshot), ...actions };
}

export function useUpload<P extends Provider>(source: Uploader<P> | Uploads<P>, id: string): Readable<UploadView<P> | undefined> {
  const { subscribe, find } = uploadsOf(source);
  return readable(subscribe, () => find(id));
}

/** A store as Svelte's `$` reads it: it tells its value at once, and then each other one. */
function readable<T>(subscribe: Uploads["subscribe"], get: () => T): Readable<T> {
  return {
    subscribe(run) {
      let shown = get();
      run(shown);
      // A server reads the value, and nothing else.
      if (!globalThis.document) return () => {};
      return subscribe(() => {
        const next = get();
        if (next !== shown) run((shown = next));
      });
    },
  };
}
