export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A random id of 24 hexadecimal digits. */
export function randomId(): string {
  return hex(crypto.getRandomValues(new Uint8Array(12)));
}
