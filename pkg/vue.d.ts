import type { ComputedRef, MaybeRefOrGetter } from "vue";

import type { Provider, UploadView, Uploader, Uploads, UploadsSnapshot } from "partway";

/**
 * Composables for Vue 3.3 and later.
 *
 * ```vue
 * <script setup>
 * import { Uploader } from "partway";
 * import { useUploads } from "partway/vue";
 *
 * const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api/ofauth" } });
 * const { uploads, progress, add, retry } = useUploads(uploader);
 * </script>
 *
 * <template>
 *   <input type="file" multiple @change="add($event.target.files)" />
 *   <progress :value="progress.fraction" />
 *   <p v-for="{ id, file, status, error } in uploads" :key="id">
 *     {{ file.name }}: {{ error?.message ?? status }}
 *     <button v-if="status === 'failed'" @click="retry(id)">Try again</button>
 *   </p>
 * </template>
 * ```
 *
 * @module
 */

/** What {@link useUploads} returns: each member of a snapshot as a reference, and what can be done with the uploads. */
export interface UseUploads<P extends Provider = Provider>
  extends Omit<Uploads<P>, "subscribe" | "getSnapshot" | "getServerSnapshot" | "find"> {
  uploads: ComputedRef<UploadsSnapshot<P>["uploads"]>;
  progress: ComputedRef<UploadsSnapshot<P>["progress"]>;
  unfinished: ComputedRef<UploadsSnapshot<P>["unfinished"]>;
}

/**
 * The uploads of an Uploader, for a component that shows them: its references change at most once for each frame of the page.
 *
 * All components that pass the same Uploader see the same list, and it outlives them: uploads go on while no component shows them. Make
 * the Uploader in a module of its own if several components use it. For a list of its own, pass what `createUploads(uploader)` gave.
 *
 * A server renders the list as it is there: empty.
 */
export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P>;

/**
 * One of the uploads. The reference changes only when this one changes; it is `undefined` once it was removed.
 *
 * ```js
 * const upload = useUpload(uploader, () => props.id);
 * ```
 */
export function useUpload<P extends Provider>(
  source: Uploader<P> | Uploads<P>,
  id: MaybeRefOrGetter<string>,
): ComputedRef<UploadView<P> | undefined>;
