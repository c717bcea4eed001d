/** The package's public entry: what `index.d.ts` declares. */
export { UploadError } from "./api/errors.ts";
export { Uploader } from "./api/uploader.ts";
export { version } from "./util/version.ts";
export { load } from "./wasm/load.ts";
