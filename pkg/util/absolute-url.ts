/** The absolute form of an address, relative to the page; the address unchanged if it can't be parsed. */
export function absoluteUrl(address: string): string {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    return address;
  }
}
