// A button that copies a text and says so.

import { announce } from "./announce.js";

export function copyButton(text, what) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${what}`);
  button.addEventListener("click", () => copy(button, text, what));
  return button;
}

/** Copies, and lets `button` say for a moment whether that worked. */
export async function copy(button, text, what) {
  const worked = await navigator.clipboard.writeText(text).then(() => true, () => false);
  button.textContent = worked ? "Copied" : "Not allowed";
  announce(worked ? `Copied ${what}` : `The browser didn’t allow to copy ${what}`);
  setTimeout(() => { button.textContent = "Copy"; }, 1600);
}
