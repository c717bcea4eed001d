// The store's calls, as a page or its backend makes them: the same for all contestants that leave them to the application.

export const address = (host, name) => `${host}/bucket/${encodeURIComponent(name)}`;

/** What a presigned URL carries, for a day; the target checks no signature. */
const SIGNED = [
  "X-Amz-Algorithm=AWS4-HMAC-SHA256",
  "X-Amz-Credential=bench%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
  `X-Amz-Date=${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`,
  "X-Amz-Expires=86400",
  "X-Amz-SignedHeaders=host",
  `X-Amz-Signature=${"0".repeat(64)}`,
].join("&");

export const fileUrl = (host, name) => `${address(host, name)}?${SIGNED}`;

const told = async (response) => {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  return response.text();
};

export async function create(host, name) {
  const text = await told(await fetch(`${address(host, name)}?uploads`, { method: "POST" }));
  return /<UploadId>(.*?)<\/UploadId>/.exec(text)[1];
}

export const partUrl = (host, name, uploadId, partNumber) => `${fileUrl(host, name)}&partNumber=${partNumber}&uploadId=${uploadId}`;

/** `parts`: { partNumber, etag }, in any order. */
export async function complete(host, name, uploadId, parts) {
  const list = [...parts]
    .sort((one, other) => one.partNumber - other.partNumber)
    .map(({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
  await told(await fetch(`${address(host, name)}?uploadId=${uploadId}`, { method: "POST", body }));
}

export const abort = (host, name, uploadId) => fetch(`${address(host, name)}?uploadId=${uploadId}`, { method: "DELETE" });

/** The first byte of each part and the one after its last. */
export function ranges(size, partSize) {
  const count = Math.max(1, Math.ceil(size / partSize));
  return Array.from({ length: count }, (_, index) => ({ partNumber: index + 1, start: index * partSize, end: Math.min(size, (index + 1) * partSize) }));
}

/** Runs `work` over `items`, so many at once. */
export async function pool(items, concurrency, work) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
