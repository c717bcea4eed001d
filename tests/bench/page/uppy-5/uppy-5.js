import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { calls, uppy } from "../uppy.js";

export function run(files, settings) {
  const store = calls(settings);
  return uppy(Uppy, AwsS3, files, {
    limit: settings.concurrency,
    shouldUseMultipart: !settings.single,
    getChunkSize: () => settings.partSize,
    getUploadParameters: async ({ name }) => ({ method: "PUT", url: store.signedFile(name), headers: {} }),
    createMultipartUpload: async ({ name }) => ({ uploadId: await store.create(name), key: name }),
    signPart: async (_, { key, uploadId, partNumber }) => ({ url: store.signed(key, uploadId, partNumber) }),
    listParts: async () => [],
    abortMultipartUpload: async (_, { key, uploadId }) => void (await store.abort(key, uploadId)),
    async completeMultipartUpload(_, { key, uploadId, parts }) {
      await store.complete(key, uploadId, parts.map(({ PartNumber, ETag }) => ({ partNumber: PartNumber, etag: ETag })));
      return { location: store.address(key) };
    },
  });
}
