// The entries for one destination each: the names of `partway`, and its options for that destination alone.
import * as apifansly from "partway/apifansly";
import * as inline from "partway/inline";
import * as form from "partway/form";
import * as ofauth from "partway/ofauth";
import * as onlymonster from "partway/onlymonster";
import * as plan from "partway/plan";
import * as s3 from "partway/s3";
import * as s3Inline from "partway/s3-inline";
import type { Provider, Upload, UploadResult, UploaderOptions } from "partway/s3";

declare const file: File;

const storage: UploaderOptions = {
  provider: {
    name: "s3",
    bucket: "b",
    region: "eu-central-1",
    key: ({ name }) => name,
    getCredentials: async () => ({ accessKeyId: "a", secretAccessKey: "s", sessionToken: "t", expiration: "2999-01-01T00:00:00Z" }),
  },
  concurrency: 4,
};
const uploader: s3.Uploader = new s3.Uploader(storage);
const upload: Upload = uploader.upload(file, { onProgress: ({ fraction }) => fraction });
export const result: Promise<UploadResult> = upload.done;
export const destination: Provider = storage.provider;

export const key: Promise<string> = upload.done.then(({ key }) => key);
export const group: s3.UploadGroup = uploader.group([file], { each: () => ({ provider: { key: "own" } }) });

new ofauth.Uploader({ provider: { name: "ofauth", baseUrl: "/api" } }).close();
new onlymonster.Uploader({ provider: { name: "onlymonster", accountId: "1", exportType: "post" } }).close();
new apifansly.Uploader({ provider: { name: "apifansly", accountId: "a" } }).close();
new plan.Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } }).close();
new form.Uploader({ provider: { name: "form", url: "/api/upload" } }).close();
export const error: Error = new s3.UploadError("server", "No.", { retryable: true });
export const loaded: Promise<void> = s3.load();
export const released: string = s3.version;

// With the engine in the script: the same classes by their types.
export const same: s3.Uploader = new s3Inline.Uploader(storage);
export const whole: import("partway").Uploader = new inline.Uploader(storage);

// @ts-expect-error another entry's destination
new s3Inline.Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } });
// @ts-expect-error another entry's destination
new ofauth.Uploader({ provider: { name: "s3", bucket: "b", region: "r", key: "k", getCredentials: storage.provider.getCredentials } });
// @ts-expect-error a provider is needed
new s3.Uploader({});
// @ts-expect-error misspelt
new plan.Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) }, concurency: 3 });
// @ts-expect-error an option of another destination
uploader.upload(file, { provider: { vaultUpload: {} } });
// @ts-expect-error no such entry
export type Missing = import("partway/gcs").Uploader;
