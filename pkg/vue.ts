import type { Provider, UploadView, Uploader, Uploads } from "partway";
import type { UseUploads } from "partway/vue";
import { type ComputedRef, type MaybeRefOrGetter, type ShallowRef, computed, onScopeDispose, shallowRef, toValue } from "vue";

import { uploadsOf } from "./dist/view.js";

export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P> {
  const { subscribe, getSnapshot, getServerSnapshot, find, ...actions } = uploadsOf(source);
  const snapshot = follow(subscribe, getSnapshot);
  return {
    uploads: computed(() => snapshot.value.uploads),
    progress: computed(() => snapshot.value.progress),
    unfinished: computed(() => snapshot.value.unfinished),
    ...actions,
  };
}

export function useUpload<P extends Provider>(
  source: Uploader<P> | Uploads<P>,
  id: MaybeRefOrGetter<string>,
): ComputedRef<UploadView<P> | undefined> {
  const { subscribe, getSnapshot, find } = uploadsOf(source);
  const snapshot = follow(subscribe, getSnapshot);
  return computed(() => (snapshot.value, find(toValue(id))));
}

/** A snapshot in a reference, until the component is unmounted. A server renders a component once, and unmounts none. */
function follow<T>(subscribe: Uploads["subscribe"], getSnapshot: () => T): ShallowRef<T> {
  const snapshot = shallowRef(getSnapshot());
  if (globalThis.document) onScopeDispose(subscribe(() => (snapshot.value = getSnapshot())));
  return snapshot;
}
