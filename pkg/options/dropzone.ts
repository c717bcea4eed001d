import type { DropzoneOptions } from "partway";

import { invalidOptions } from "../api/errors.ts";
import { boolean, method, options, string } from "./checks.ts";

function element(value: unknown, path: string): HTMLElement {
  if (typeof (value as Partial<HTMLElement> | null)?.matches !== "function") throw invalidOptions(`${path} must be an element of the page.`);
  return value as HTMLElement;
}

const dropzoneOptions = options<DropzoneOptions>({
  required: { onFiles: method },
  optional: { onReject: method, onDrag: method, accept: string, multiple: boolean, folders: boolean, paste: boolean, button: element },
});

/** Checks the options of a drop zone, and copies them. */
export function checkDropzoneOptions(given: unknown): DropzoneOptions {
  return dropzoneOptions(given, "");
}
