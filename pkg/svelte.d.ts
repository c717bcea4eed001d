import type { Provider, UploadView, Uploader, Uploads, UploadsSnapshot } from "partway";

/**
 * Stores for Svelte 4 and 5, to be read with `$`.
 *
 * ```svelte
 * <script>
 *   import { Uploader } from "partway";
 *   import { useUploads } from "partway/svelte";
 *
 *   const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api/ofauth" } });
 *   const files = useUploads(uploader);
 * </script>
 *
 * <input type="file" multiple onchange={(event) => files.add(event.currentTarget.files)} />
 * <progress value={$files.progress.fraction}></progress>
 * {#each $files.uploads as { id, file, status, error } (id)}
 *   <p>
 *     {file.name}: {error?.message ?? status}
 *     {#if status === "failed"}<button onclick={() => files.retry(id)}>Try again</button>{/if}
 *   </p>
 * {/each}
 * ```
 *
 * @module
 */

/** A store as Svelte reads it with `$`. */
export interface Readable<T> {
  /** Calls `run` with the value at once, and with each later one until the function that it returns is called. */
  subscribe(run: (value: T) => void): () => void;
}

/** What {@link useUploads} returns: a store of snapshots, and what can be done with the uploads. */
export interface UseUploads<P extends Provider = Provider>
  extends Readable<UploadsSnapshot<P>>, Omit<Uploads<P>, "subscribe" | "getSnapshot" | "getServerSnapshot" | "find"> {}

/**
 * The uploads of an Uploader as a store, which changes at most once for each frame of the page.
 *
 * All components that pass the same Uploader see the same list, and it outlives them: uploads go on while no component shows them. Make
 * the Uploader in a module of its own if several components use it. For a list of its own, pass what `createUploads(uploader)` gave.
 */
export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P>;

/**
 * One of the uploads as a store, which changes only when this one changes. Its value is `undefined` once it was removed.
 *
 * ```svelte
 * <script>
 *   let { id } = $props();
 *   const upload = $derived(useUpload(uploader, id));
 * </script>
 * <progress value={$upload?.progress.fraction}></progress>
 * ```
 */
export function useUpload<P extends Provider>(source: Uploader<P> | Uploads<P>, id: string): Readable<UploadView<P> | undefined>;
