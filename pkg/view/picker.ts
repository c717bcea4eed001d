/* The button of a dropzone, and the file dialog that it opens. */

/** Elements that a click or a key of their own already makes a button. */
const NATIVE = "button, input, a[href], summary, label";
/** What answers to clicks within a button that is an area. */
const INTERACTIVE = `${NATIVE}, select, textarea, [contenteditable], [role="button"]`;

/**
 * Has `button` call `open` at a click, and at Enter and Space where it isn't a button by itself: it gets the semantics of one then. Gives
 * the function that undoes it.
 */
export function bindButton(button: HTMLElement, open: () => void): () => void {
  const onClick = ({ target }: Event): void => {
    const nearest = (target as Element).closest(INTERACTIVE);
    const isOther = nearest && nearest !== button && button.contains(nearest);
    // A label opens its own input.
    if (!isOther && !(button as Partial<HTMLLabelElement>).control) open();
  };
  button.addEventListener("click", onClick);
  if (button.matches(NATIVE)) return () => button.removeEventListener("click", onClick);

  const added = Object.entries({ role: "button", tabindex: "0" }).filter(([name]) => !button.hasAttribute(name));
  for (const [name, value] of added) button.setAttribute(name, value);
  const onKey = (event: KeyboardEvent): void => {
    if (event.target !== button || event.repeat || (event.key !== "Enter" && event.key !== " ")) return;
    // Space would scroll the page.
    event.preventDefault();
    open();
  };
  button.addEventListener("keydown", onKey);
  return () => {
    button.removeEventListener("click", onClick);
    button.removeEventListener("keydown", onKey);
    for (const [name] of added) button.removeAttribute(name);
  };
}

/** Whether this is `<input type="file">`. */
export function isFileInput(target: EventTarget | null): target is HTMLInputElement {
  return (target as Element | null)?.matches?.('input[type="file"]') ?? false;
}
