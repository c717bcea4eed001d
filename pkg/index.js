export { load } from "./core.js";
export { UploadError } from "./error.js";
export { Uploader } from "./uploader.js";
export { version } from "./version.js";
