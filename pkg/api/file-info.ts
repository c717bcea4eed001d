import type { FileInfo, Meta, Provider } from "partway";

import type { Source } from "../sessions/source.ts";

/** The functions that have no parameter but the file. */
const OF_FILE = new Set(["key", "open", "fields"]);

/**
 * A file as the application's functions get it. `sent` is what is sent of it, which may change; `keptDate` gives the date of a file that
 * isn't at hand.
 */
export function fileInfo(
  file: Blob,
  sent: Omit<Source, "file">,
  relativePath: string,
  meta: Meta,
  keptDate: () => number | undefined,
): FileInfo {
  const info = {
    get name() {
      return sent.name;
    },
    get size() {
      return sent.size;
    },
    get type() {
      return sent.type;
    },
    // Chromium asks another process for it, and waits.
    get lastModified() {
      return (file as Partial<File>).lastModified ?? keptDate() ?? 0;
    },
    relativePath,
    meta,
  };
  // As JSON it would be an empty object.
  return Object.freeze(Object.defineProperty(info, "file", { value: file })) as typeof info & Pick<FileInfo, "file">;
}

/** The provider with functions that get the file. `getCredentials` isn't for one file, and stays the same. */
export function withFile(provider: Provider, info: FileInfo): Provider {
  const bind = ([name, value]: [string, unknown]): [string, unknown] => [
    name,
    typeof value !== "function" || name === "getCredentials"
      ? value
      : (...given: unknown[]): unknown => (OF_FILE.has(name) ? value(info) : value(...given, info)),
  ];
  return Object.fromEntries(Object.entries(provider).map(bind)) as unknown as Provider;
}
