import type { DropzoneOptions } from "partway";

import { dropzone } from "../dist/view.js";
import { checkDropzoneOptions } from "../options/dropzone.ts";
import { invalidOptions } from "./errors.ts";
import { load } from "./load.ts";

export function createDropzone(element: HTMLElement, options: DropzoneOptions): () => void {
  if (typeof (element as Partial<HTMLElement> | null | undefined)?.matches !== "function") {
    throw invalidOptions("createDropzone() takes an element first.", "Call it when the page has the element: in an effect of a component, for example.");
  }
  // Whoever uploads gets the error of a load that failed.
  return dropzone(element, checkDropzoneOptions(options), () => void load().catch(() => {}));
}
