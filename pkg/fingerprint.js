const SAMPLE = 64 * 1024;

/** Tells files apart that have name, size and time in common: SHA-256 of the first and the last 64 KiB and of the size, in hex. */
export async function fingerprint(blob) {
  const sample = new Blob([blob.slice(0, SAMPLE), blob.slice(-SAMPLE), String(blob.size)]);
  const digest = await crypto.subtle.digest("SHA-256", await sample.arrayBuffer());
  return hex(new Uint8Array(digest));
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
