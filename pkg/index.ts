/** The package's public entry: what `index.d.ts` declares. */
export { createDropzone } from "./api/dropzone.ts";
export { UploadError } from "./api/errors.ts";
export { load } from "./api/load.ts";
export { Uploader } from "./api/uploader.ts";
export { createUploads } from "./dist/view.js";
export { version } from "./util/version.ts";
