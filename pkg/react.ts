import type { Provider, UploadView, Uploader, Uploads } from "partway";
import type { UseUploads } from "partway/react";
import { useSyncExternalStore } from "react";

import { uploadsOf } from "./dist/view.js";

export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P> {
  const { subscribe, getSnapshot, getServerSnapshot, find, ...actions } = uploadsOf(source);
  return { ...useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot), ...actions };
}

export function useUpload<P extends Provider>(source: Uploader<P> | Uploads<P>, id: string): UploadView<P> | undefined {
  const { subscribe, find } = uploadsOf(source);
  return useSyncExternalStore(
    subscribe,
    () => find(id),
    () => undefined,
  );
}
