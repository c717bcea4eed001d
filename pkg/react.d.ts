import type { Provider, UploadView, Uploader, Uploads, UploadsSnapshot } from "partway";

/**
 * Hooks for React 18 and 19.
 *
 * ```jsx
 * import { Uploader } from "partway";
 * import { useUploads } from "partway/react";
 *
 * const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api/ofauth" } });
 *
 * function Files() {
 *   const { uploads, progress, add, retry } = useUploads(uploader);
 *   return (
 *     <>
 *       <input type="file" multiple onChange={(event) => add(event.target.files)} />
 *       <progress value={progress.fraction} />
 *       {uploads.map(({ id, file, status, error }) => (
 *         <p key={id}>
 *           {file.name}: {error?.message ?? status}
 *           {status === "failed" && <button onClick={() => retry(id)}>Try again</button>}
 *         </p>
 *       ))}
 *     </>
 *   );
 * }
 * ```
 *
 * @module
 */

/** What {@link useUploads} returns: a snapshot of the uploads, and what can be done with them. The functions stay the same. */
export interface UseUploads<P extends Provider = Provider>
  extends UploadsSnapshot<P>, Omit<Uploads<P>, "subscribe" | "getSnapshot" | "getServerSnapshot" | "find"> {}

/**
 * The uploads of an Uploader, for a component that shows them: it is rendered again when something changes, at most once for each frame of
 * the page.
 *
 * All components that pass the same Uploader see the same list, and it outlives them: uploads go on while no component shows them. Make
 * the Uploader outside of components, or in `useState(() => new Uploader(…))`. For a list of its own, pass what `createUploads(uploader)`
 * gave.
 *
 * A server renders an empty list.
 */
export function useUploads<P extends Provider>(source: Uploader<P> | Uploads<P>): UseUploads<P>;

/**
 * One of the uploads: a component that shows it is rendered again only when this one changes. `undefined` once it was removed.
 *
 * ```jsx
 * function File({ id }) {
 *   const upload = useUpload(uploader, id);
 *   return upload && <progress value={upload.progress.fraction} />;
 * }
 * ```
 */
export function useUpload<P extends Provider>(source: Uploader<P> | Uploads<P>, id: string): UploadView<P> | undefined;
