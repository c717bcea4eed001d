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

/** Options of an {@link Uploader}: those of `partway`, for this destination. */
export interface UploaderOptions extends partway.UploaderOptions {
  provider: Provider;
}

/** The shared engine: options, slots, pace, queue. */
export class Uploader extends partway.Uploader {
  constructor(options: UploaderOptions);
}
