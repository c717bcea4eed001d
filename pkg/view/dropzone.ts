import type { DropzoneOptions } from "partway";

import { report } from "../util/report.ts";
import { acceptedBy } from "./accept.ts";
import { bindButton, isFileInput } from "./picker.ts";
import { type Incoming, type Rejected, hasFiles, incoming, readTransfer } from "./transfer.ts";

/** Events that a dropzone has taken: one around it leaves them alone. */
const taken = new WeakSet<Event>();

/** Where text is written: a paste there may be meant for the text. */
const EDITABLE = "input, textarea, [contenteditable]";

/**
 * Takes files that are dropped on an element, pasted, or picked. `preload` is called when files may come soon. Gives the function that
 * undoes it.
 */
export function dropzone(element: HTMLElement, options: DropzoneOptions, preload: () => void): () => void {
  const { onFiles, onReject, onDrag, accept, multiple = true, folders = true, paste = false, button } = options;
  const isAccepted = acceptedBy(accept);
  const { ownerDocument: document } = element;
  let isUndone = false;
  const cleanups: (() => void)[] = [];

  function on<E extends Event>(target: EventTarget, type: string, listener: (event: E) => void): void {
    target.addEventListener(type, listener as EventListener);
    cleanups.push(() => target.removeEventListener(type, listener as EventListener));
  }

  function call<T>(callback: ((value: T) => void) | undefined, value: T): void {
    try {
      callback?.(value);
    } catch (error) {
      report(error);
    }
  }

  /** Tells the accepted files from the others, and gives both to the application. */
  function sort(found: readonly (Incoming | Rejected)[]): void {
    if (isUndone) return;
    const files: Incoming["entry"][] = [];
    const rejected: Rejected[] = [];
    for (const one of found) {
      if ("why" in one) rejected.push(one);
      else {
        const name = one.entry.relativePath || one.file.name;
        if (!isAccepted(one.file)) rejected.push({ name, why: `Only ${accept} is accepted.` });
        else if (!multiple && files.length > 0) rejected.push({ name, why: "Only one file at a time is accepted." });
        else files.push(one.entry);
      }
    }
    if (files.length > 0) call(onFiles, files);
    if (rejected.length > 0) call(onReject, rejected);
  }

  function take(event: Event, transfer: DataTransfer): void {
    taken.add(event);
    event.preventDefault();
    preload();
    void readTransfer(transfer, folders).then(sort);
  }

  /** The innermost target that files are dragged over. A child is entered before its parent is left, so only the last one counts. */
  let over: EventTarget | null = null;
  function setOver(target: EventTarget | null): void {
    const isChange = (over === null) !== (target === null);
    over = target;
    if (isChange) call(onDrag, target !== null);
  }

  on<DragEvent>(element, "dragenter", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
    preload();
    if (taken.has(event)) return setOver(null);
    taken.add(event);
    event.preventDefault();
    setOver(event.target);
  });
  on<DragEvent>(element, "dragover", (event) => {
    if (taken.has(event) || !hasFiles(event.dataTransfer)) return;
    taken.add(event);
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  on<DragEvent>(element, "dragleave", ({ target }) => target === over && setOver(null));
  on<DragEvent>(element, "drop", (event) => {
    setOver(null);
    if (!taken.has(event) && hasFiles(event.dataTransfer)) take(event, event.dataTransfer);
  });

  // A target that was removed while files were over it tells nobody that they left.
  on<DragEvent>(document, "dragenter", (event) => event.composedPath().includes(element) || setOver(null));
  // A browser opens a file that is dropped beside the element in place of the page, and ends its uploads.
  for (const type of ["dragover", "drop"]) {
    on<DragEvent>(document, type, (event) => {
      if (event.defaultPrevented || !hasFiles(event.dataTransfer) || isFileInput(event.target)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }

  if (paste) {
    on<ClipboardEvent>(document, "paste", (event) => {
      const { clipboardData: data, target } = event;
      if (taken.has(event) || event.defaultPrevented || !hasFiles(data)) return;
      // A cell of a spreadsheet is copied as a picture, and as the text that is meant where text is written.
      if ((target as Element | null)?.closest?.(EDITABLE) && data.types.some((type) => type.startsWith("text/"))) return;
      take(event, data);
    });
  }

  const pick = (event: Event): void => {
    if (!isFileInput(event.target) || taken.has(event)) return;
    taken.add(event);
    const input = event.target;
    const files = [...(input.files ?? [])];
    // So that the same file can be picked again. Other listeners still see it.
    setTimeout(() => (input.value = ""));
    sort(files.map((file) => incoming(file)));
  };
  on(element, "change", pick);
  on(element, "focusin", preload);

  if (button) {
    let own: HTMLInputElement | undefined;
    on(button, "focusin", preload);
    const unbind = bindButton(button, () => {
      preload();
      own ??= Object.assign(document.createElement("input"), { type: "file", accept: accept ?? "", multiple, onchange: pick });
      (element.querySelector<HTMLInputElement>('input[type="file"]') ?? own).click();
    });
    cleanups.push(unbind);
  }

  return () => {
    isUndone = true;
    for (const cleanup of cleanups) cleanup();
    setOver(null);
  };
}
