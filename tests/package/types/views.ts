// The store, the drop zone, the hooks and the double for tests: right uses, and wrong ones.
import { type DropzoneOptions, type FileEntry, Uploader, type Uploads, createDropzone, createUploads } from "partway";
import * as s3 from "partway/s3";
import { useUpload as useReactUpload, useUploads as useReactUploads } from "partway/react";
import { useUpload as useSvelteUpload, useUploads as useSvelteUploads } from "partway/svelte";
import * as testing from "partway/testing";
import { useUpload as useVueUpload, useUploads as useVueUploads } from "partway/vue";

declare const element: HTMLElement;
declare const input: HTMLInputElement;
declare const getCredentials: () => Promise<{ accessKeyId: string; secretAccessKey: string }>;

const uploader = new Uploader({ provider: { name: "s3", bucket: "b", region: "r", key: ({ relativePath }) => relativePath, getCredentials } });
const narrow = new s3.Uploader({ provider: { name: "s3", bucket: "b", region: "r", key: "k", getCredentials } });
const uploads = createUploads(uploader);

export const stop: () => void = uploads.subscribe(() => {
  const { uploads: views, progress, unfinished } = uploads.getSnapshot();
  for (const { id, file, meta, relativePath, status, progress, error, result } of views) {
    // A result of S3 has a key.
    console.log(id, file.name, meta.album, relativePath, status, progress.fraction, error?.code, result?.key.length);
  }
  console.log(progress.files.done, progress.eta, unfinished[0]?.resume(), uploads.find("1")?.status);
});
uploads.add(input.files, { meta: { album: 1 }, provider: { partSize: 8_000_000 } })[0]?.id;
uploads.add([new File([], "a"), { file: new File([], "b"), relativePath: "x/b" }]);
uploads.remove("1");
uploads.clear();
for (const action of [uploads.pause, uploads.resume, uploads.retry]) action("1");
uploads.pause();
export const ended: Promise<void> = uploads.cancel();
export const any: Uploads = createUploads(new Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } }));

const options: DropzoneOptions = {
  onFiles: (files: FileEntry[]) => void uploads.add(files),
  onReject: (rejected) => rejected.map(({ name, why }) => `${name}: ${why}`),
  onDrag: (over: boolean) => element.classList.toggle("over", over),
  accept: "image/*",
  multiple: true,
  folders: false,
  paste: true,
  button: element,
};
export const undo: () => void = createDropzone(element, options);
export const undoNarrow: () => void = s3.createDropzone(element, { onFiles: s3.createUploads(narrow).add, accept: undefined });

export function components(): void {
  const { uploads: list, add, pause, progress } = useReactUploads(uploader);
  add(input.files);
  pause(list[0]?.id);
  console.log(progress.fraction, list[0]?.result?.key.length, useReactUpload(uploader, "1")?.status, useReactUploads(uploads).clear);

  const vue = useVueUploads(narrow);
  console.log(vue.uploads.value[0]?.result?.key.length, vue.progress.value.fraction, useVueUpload(narrow, () => "1").value?.status);

  const svelte = useSvelteUploads(uploader);
  svelte.retry();
  const unsubscribe: () => void = svelte.subscribe(({ uploads }) => uploads[0]?.result?.key.length);
  useSvelteUpload(uploads, "1").subscribe((view) => view?.progress.fraction);
  unsubscribe();
}

testing.script.next({ progress: [0.5], hold: true }, ({ name }) => (name ? { error: "network" } : { result: { key: "k" } }));
testing.script.always({ error: new testing.UploadError("server", "No.") });
testing.script.release("a");
testing.script.reset();
const [begun] = testing.script.started;
export const told: (string | undefined)[] = [begun?.provider.name, begun?.relativePath, begun?.key, begun?.meta.album as string];
export const double: testing.Uploader = new testing.Uploader({ provider: { name: "plan", open: async () => ({ parts: [] }) } });

// @ts-expect-error a snapshot doesn't change
uploads.getSnapshot().uploads[0].status = "done";
// @ts-expect-error nor its list
uploads.getSnapshot().uploads.push();
// @ts-expect-error an option of another destination
uploads.add([], { provider: { vaultUpload: {} } });
// @ts-expect-error one file is no list
uploads.add(new File([], "a"));
// @ts-expect-error files go somewhere
createDropzone(element, {});
// @ts-expect-error an element, not its name
createDropzone("#zone", options);
// @ts-expect-error misspelt
createDropzone(element, { ...options, onDrop: () => {} });
// @ts-expect-error an upload has an id
useReactUpload(uploader);
// @ts-expect-error no uploader
useReactUploads({});
// @ts-expect-error no such code
testing.script.next({ error: "unknown" });
