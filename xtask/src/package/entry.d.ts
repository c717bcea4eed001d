import * as partway from "./index.js";

/**
 * `partway` with one destination alone: the same names, and less to load.
 *
 * ```js
 * import { Uploader } from "partway/NAME";
 * ```
 *
 * A page takes one entry throughout, and one with several destinations takes `partway`: each entry has an engine and classes of its
 * own. `instanceof UploadError` knows the errors of all.
 *
 * @module
 */
export * from "./index.js";

/** Where files go. */
export type Provider = partway.OPTIONS;

/** The class of an {@link Uploader}, and its type: that of `partway`, for this destination. */
export const Uploader: { new (options: UploaderOptions): Uploader; readonly prototype: Uploader };
export type Uploader = partway.Uploader<Provider>;

/** The types of `partway`, for this destination. */
export type UploaderOptions = partway.UploaderOptions<Provider>;
export type UploadOptions = partway.UploadOptions<Provider>;
export type Upload = partway.Upload<Provider>;
export type UploadEvents = partway.UploadEvents<Provider>;
export type UploadResult = partway.UploadResultOf<Provider>;
export type UnfinishedUpload = partway.UnfinishedUpload<Provider>;
export type GroupOptions = partway.GroupOptions<Provider>;
export type UploadGroup = partway.UploadGroup<Provider>;
export type UploadGroupEvents = partway.UploadGroupEvents<Provider>;
