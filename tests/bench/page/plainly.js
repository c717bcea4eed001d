import { complete, create, fileUrl, partUrl, pool, ranges } from "./store.js";

const ATTEMPTS = 8;

/** `Retry-After` where the answer has one, else 500 ms doubled at each attempt, and a random share of it. */
async function put(url, body, attempt = 1) {
  let response;
  try {
    response = await fetch(url, { method: "PUT", body });
  } catch (error) {
    if (attempt === ATTEMPTS) throw error;
  }
  if (response?.ok) return response.headers.get("etag");
  if (attempt === ATTEMPTS) throw new Error(`${url} answered ${response.status}`);
  const asked = Number(response?.headers.get("retry-after") ?? 0) * 1000;
  await new Promise((resolve) => setTimeout(resolve, asked || Math.random() * 500 * 2 ** (attempt - 1)));
  return put(url, body, attempt + 1);
}

/** `check` may look at each part's bytes and ETag. */
export async function plainly(files, { hosts, partSize, concurrency, single }, check = async () => {}) {
  const host = (index) => hosts[index % hosts.length];
  if (single) {
    await pool(files, concurrency, async (file) => {
      const checked = check(file);
      const etag = await put(fileUrl(host(0), file.name), file);
      (await checked)?.(etag);
    });
    return;
  }
  for (const file of files) {
    const uploadId = await create(host(0), file.name);
    const parts = [];
    await pool(ranges(file.size, partSize), concurrency, async ({ partNumber, start, end }) => {
      const body = file.slice(start, end);
      const checked = check(body);
      const etag = await put(partUrl(host(partNumber - 1), file.name, uploadId, partNumber), body);
      (await checked)?.(etag);
      parts.push({ partNumber, etag });
    });
    await complete(host(0), file.name, uploadId, parts);
  }
}
