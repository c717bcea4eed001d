// What the page remembers of a visitor's choices. Works without storage too.

/** The remembered text, or `otherwise`. */
export function recall(name, otherwise) {
  try {
    return localStorage.getItem(`partway.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, text) {
  try {
    localStorage.setItem(`partway.${name}`, text);
  } catch {
    // Storage is off or full: the choice holds until the page is closed.
  }
}
