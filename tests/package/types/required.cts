// The package as CommonJS has it.
import partway = require("partway");
import s3 = require("partway/s3");
import type { Upload } from "partway";

declare const file: File;

const uploader = new partway.Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
export const upload: Upload = uploader.upload(file, { onError: ({ hint }) => console.error(hint) });
export const error: partway.UploadError = new s3.UploadError("server", "No.");
export const loaded: Promise<void> = s3.load();

// @ts-expect-error another entry's destination
new s3.Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
// @ts-expect-error options are needed
new partway.Uploader();
