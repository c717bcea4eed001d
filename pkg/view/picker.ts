/* The button of a dropzone, and the file dialog that it opens. */

/** Elements that a click or a key of their own already makes a button. */
const NATIVE = "button, input, a[href], summary, label";
/** What answers to clicks within a button that is an area. */
const INTERACTIVE = `${NATIVE}, select, textarea, [contenteditable], [role="button"]`;

/** Has `button` call `open` at a click, and at Enter and Space where it isn't a button by itself: it gets the semantics of one then. */
export function bindButton(button: HTMLElement, open: () => void, signal: AbortSignal): void {
  button.addEventListener(
    "click",
    ({ target }) => {
      const nearest = (target as Element).closest(INTERACTIVE);
      const isOther = nearest && nearest !== button && button.contains(nearest);
      // A label opens its own input.
      if (!isOther && !(button as Partial<HTMLLabelElement>).control) open();
    },
    { signal },
  );
  if (button.matches(NATIVE)) return;
  addAttribute(button, "role", "button", signal);
  addAttribute(button, "tabindex", "0", signal);
  button.addEventListener(
    "keydown",
    (event) => {
      if (event.target !== button || event.repeat || (event.key !== "Enter" && event.key !== " ")) return;
      // Space would scroll the page.
      event.preventDefault();
      open();
    },
    { signal },
  );
}

/** An attribute that the page didn't set itself, until the signal. */
function addAttribute(element: HTMLElement, name: string, value: string, signal: AbortSignal): void {
  if (element.hasAttribute(name)) return;
  element.setAttribute(name, value);
  signal.addEventListener("abort", () => element.removeAttribute(name));
}

/** Whether this is `<input type="file">`. */
export function isFileInput(target: EventTarget | null): target is HTMLInputElement {
  return (target as Element | null)?.matches?.('input[type="file"]') ?? false;
}
