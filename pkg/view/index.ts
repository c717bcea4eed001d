/** What all entries share, and load as one script beside them: what takes files in, and what shows uploads. */
export { dropzone } from "./dropzone.ts";
export { createUploads, uploadsOf } from "./uploads.ts";
