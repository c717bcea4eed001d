import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { calls, uppy } from "../uppy.js";

export function run(files, settings) {
  const store = calls(settings);
  const url = ({ method, key, uploadId, partNumber }) => {
    if (partNumber) return store.signed(key, uploadId, partNumber);
    if (uploadId) return `${store.address(key)}?uploadId=${uploadId}`;
    return method === "POST" ? `${store.address(key)}?uploads` : store.signedFile(key);
  };
  return uppy(Uppy, AwsS3, files, {
    limit: settings.concurrency,
    shouldUseMultipart: !settings.single,
    getChunkSize: () => settings.partSize,
    generateObjectKey: ({ name }) => name,
    signRequest: (request) => ({ url: url(request) }),
  });
}
