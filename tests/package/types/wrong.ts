// Nothing here must compile. A line without an error below its mark is an error itself.
import { load, Uploader, UploadError } from "partway";
import type { Provider, UnfinishedUpload, Upload, UploadErrorCode, UploadOptions, UploadPlan } from "partway";

declare const file: File;
declare const upload: Upload;
declare const uploader: Uploader;
declare const left: UnfinishedUpload;

// @ts-expect-error a provider is needed
new Uploader({});
// @ts-expect-error options are needed
new Uploader();
// @ts-expect-error no such provider
new Uploader({ provider: { name: "ofaut" } });
// @ts-expect-error misspelt
new Uploader({ provider: { name: "ofauth" }, concurency: 3 });
// @ts-expect-error a number or "auto"
new Uploader({ provider: { name: "ofauth" }, concurrency: "many" });
// @ts-expect-error no such transport
new Uploader({ provider: { name: "ofauth" }, transport: "http" });
// @ts-expect-error `true` is no rule
new Uploader({ provider: { name: "ofauth" }, accept: true });
// @ts-expect-error a list
new Uploader({ provider: { name: "ofauth" }, accept: { types: "video/*" } });
// @ts-expect-error milliseconds are numbers
new Uploader({ provider: { name: "ofauth" }, retry: { baseMs: "500" } });
// @ts-expect-error yes or no, or whose
new Uploader({ provider: { name: "ofauth" }, resume: "anna" });
// @ts-expect-error a scope is text
new Uploader({ provider: { name: "ofauth" }, resume: { scope: 7 } });
// @ts-expect-error the scope is missing
new Uploader({ provider: { name: "ofauth" }, resume: {} });
// @ts-expect-error not in this version
uploader.diagnose();

// @ts-expect-error a promise of a list
for (const one of uploader.unfinished()) void one;
// @ts-expect-error it takes nothing
uploader.unfinished("ofauth");
// @ts-expect-error a file, not its name
left.resume("clip.mp4");
// @ts-expect-error a promise of an upload
left.resume(file).pause();
// @ts-expect-error misspelt
left.resume(file, { onprogress: () => {} });
// @ts-expect-error read only
left.sent = 5;
// @ts-expect-error text, as ISO 8601
left.startedAt.getTime();
// @ts-expect-error nothing comes of it
left.discard().then((result) => result.code);

// @ts-expect-error accountId and exportType are needed
export const onlymonster: Provider = { name: "onlymonster", baseUrl: "/api" };
// @ts-expect-error ids are text
export const numeric: Provider = { name: "apifansly", accountId: 2002 };
// @ts-expect-error no such export
export const story: Provider = { name: "onlymonster", accountId: "1", exportType: "story" };
// @ts-expect-error one of another provider
export const mixed: Provider = { name: "ofauth", accountId: "1" };
// @ts-expect-error no key
export const keyless: Provider = {
  name: "s3",
  bucket: "b",
  region: "r",
  getCredentials: async () => ({ accessKeyId: "", secretAccessKey: "" }),
};
export const halfCredentials: Provider = {
  name: "s3",
  bucket: "b",
  region: "r",
  key: "k",
  // @ts-expect-error no secret
  getCredentials: async () => ({ accessKeyId: "" }),
};
export const halfOfSts: Provider = {
  name: "s3",
  bucket: "b",
  region: "r",
  key: "k",
  // @ts-expect-error neither spelling
  getCredentials: async () => ({ access_key_id: "a" }),
};
// @ts-expect-error a plan has to be opened
export const closed: Provider = { name: "plan" };
// @ts-expect-error parts are no text
export const partless: Provider = { name: "plan", open: async () => ({ parts: "none" }) };
interface Other {
  chunks: number;
}
// @ts-expect-error an interface without parts is no plan
export const other: Provider = { name: "plan", open: async (): Promise<Other> => ({ chunks: 1 }) };
export const numbered: Provider = {
  name: "s3",
  bucket: "b",
  region: "r",
  // @ts-expect-error a key is text, in the end
  key: async () => 7,
  getCredentials: async () => ({ accessKeyId: "", secretAccessKey: "" }),
};
// @ts-expect-error bytes from and to
export const plan: UploadPlan = { parts: [{ partNumber: 1, byteRange: { start: 0 } }] };

// @ts-expect-error fields are text
export const field: Provider = { name: "form", url: "/", fields: { album: 7 } };
// @ts-expect-error no such state
export const judged: Provider = { name: "form", url: "/", job: () => ({ state: "done" }) };
// @ts-expect-error no member of a result
export const parsed: Provider = { name: "form", url: "/", parse: () => ({ id: "7" }) };
// @ts-expect-error what a server answers isn't known
export const answered: Provider = { name: "form", url: "/", parse: (reply) => ({ mediaId: reply.id }) };

// @ts-expect-error not a path
uploader.upload("clip.mp4");
// @ts-expect-error one at a time
uploader.upload([file]);
// @ts-expect-error misspelt
export const options: UploadOptions = { onprogress: () => {} };
uploader.upload(file, {
  // @ts-expect-error no such member
  onProgress: (progress) => progress.percent,
});
// @ts-expect-error a controller is no signal
uploader.upload(file, { signal: new AbortController() });

// @ts-expect-error read only
upload.status = "done";
// @ts-expect-error no such status
export const finished = upload.status === "finished";
// @ts-expect-error a status is needed
upload.notify({ media_id: "1" });
// @ts-expect-error a status is needed in a payload too
upload.notify({ type: "vault.media_upload.updated", payload: { media_upload_id: "1" } });
// @ts-expect-error the detail of "progress" is no text
upload.addEventListener("progress", (event: CustomEvent<string>) => event.detail);
// @ts-expect-error nor is it where it is taken away
upload.removeEventListener("progress", (event: CustomEvent<string>) => event.detail);
// @ts-expect-error may be missing
upload.done.then(({ mediaId }) => mediaId.length);
// @ts-expect-error media is not described
upload.done.then(({ media }) => media.id);

const ofauth = new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
// @ts-expect-error misspelt
ofauth.upload(file, { provider: { vaultUplod: {} } });
// @ts-expect-error an option of another provider
ofauth.upload(file, { provider: { bucket: "b" } });
// @ts-expect-error a wrong type
ofauth.upload(file, { provider: { skipExisting: "no" } });
// @ts-expect-error the provider stays
ofauth.upload(file, { provider: { name: "ofauth" } });
// @ts-expect-error misspelt, whichever the provider
uploader.upload(file, { provider: { vaultUplod: {} } });
// @ts-expect-error misspelt in the provider itself
new Uploader({ provider: { name: "ofauth", baseUrll: "/api" } });
// @ts-expect-error of OFAuth, there may be media instead
ofauth.upload(file).done.then(({ mediaUploadId }) => mediaUploadId.length);
// @ts-expect-error OFAuth has no key
ofauth.upload(file).done.then(({ key }) => key.length);
// @ts-expect-error data of the application's are an object
uploader.upload(file, { meta: "summer" });
// @ts-expect-error nothing is known of them
uploader.upload(file, { meta: { album: 1 } }).meta.album.length;
// @ts-expect-error may be missing
upload.error.code;
// @ts-expect-error may be missing
upload.result.bytes;
// @ts-expect-error a list
uploader.group(file);
// @ts-expect-error misspelt
uploader.group([file], { maxfiles: 3 });
// @ts-expect-error of one upload
uploader.group([file], { onComplete: () => {} });
// @ts-expect-error `each` gives options
uploader.group([file], { each: () => ({ filenme: "x" }) });
// @ts-expect-error read only
uploader.group().progress = null;
// @ts-expect-error it never rejects, and has both
uploader.group().done.then((results) => results.length);
// @ts-expect-error no such code
export const code: UploadErrorCode = "unknown";
// @ts-expect-error the code comes first
export const error = new UploadError("It failed.");
// @ts-expect-error there is nothing to load from
load(null);
