// Partway by `plan`, with the options that the bench names, or by `s3`.
import { Uploader, load } from "/pkg/index.js";
import { abort, complete, create, fileUrl, partUrl, ranges } from "../store.js";

export const prepare = () => load();

function plan({ hosts, partSize, single }) {
  const host = (index) => hosts[index % hosts.length];
  if (single) {
    return {
      name: "plan",
      open: async ({ name, size }) => ({ parts: [{ partNumber: 1, uploadUrl: fileUrl(host(0), name), byteRange: { start: 0, end: size - 1 } }] }),
    };
  }
  return {
    name: "plan",
    async open({ name, size }) {
      const uploadId = await create(host(0), name);
      const parts = ranges(size, partSize).map(({ partNumber, start, end }) => ({
        partNumber,
        uploadUrl: partUrl(host(partNumber - 1), name, uploadId, partNumber),
        byteRange: { start, end: end - 1 },
      }));
      return { uploadId, key: name, parts };
    },
    complete: ({ key, uploadId }, parts) => complete(host(0), key, uploadId, parts),
    abort: ({ key, uploadId }) => abort(host(0), key, uploadId),
  };
}

const s3 = ({ hosts, partSize }) => ({
  name: "s3",
  bucket: "bucket",
  region: "us-east-1",
  ...(hosts.length > 1 ? { endpoints: hosts } : { endpoint: hosts[0] }),
  forcePathStyle: true,
  key: ({ name }) => name,
  getCredentials: async () => ({ accessKeyId: "bench", secretAccessKey: "bench", sessionToken: "bench" }),
  ...(partSize ? { partSize } : {}),
});

export async function run(files, settings) {
  const { provider, options, concurrency } = settings;
  const uploader = new Uploader({
    provider: provider === "s3" ? s3(settings) : plan(settings),
    accept: false,
    ...(concurrency ? { concurrency } : {}),
    ...options,
  });
  // Somebody looks at the progress, as with every contestant.
  if (settings.group) {
    const group = uploader.group(files);
    group.addEventListener("progress", ({ detail }) => (window.fraction = detail.fraction));
    const { errors } = await group.done;
    if (errors.length > 0) throw errors[0].error;
    return;
  }
  const uploads = files.map((file) => uploader.upload(file, { onProgress: ({ fraction }) => (window.fraction = fraction) }));
  const results = await Promise.all(uploads.map(({ done }) => done));
  window.verified = results.filter(({ verified }) => verified).length;
}
