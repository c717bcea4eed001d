import { S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { pool } from "../store.js";

export async function run(files, { hosts, partSize, concurrency, single }) {
  const client = new S3Client({
    region: "us-east-1",
    endpoint: hosts[0],
    forcePathStyle: true,
    credentials: { accessKeyId: "bench", secretAccessKey: "bench", sessionToken: "bench" },
  });
  const send = async (file) => {
    const params = { Bucket: "bucket", Key: file.name, Body: file };
    const upload = new Upload({ client, params, queueSize: single ? 1 : concurrency, ...(single ? {} : { partSize }) });
    upload.on("httpUploadProgress", ({ loaded, total }) => (window.fraction = loaded / total));
    await upload.done();
  };
  await pool(files, single ? concurrency : 1, send);
}
