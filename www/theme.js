// Light, dark, or as the system has it; remembered.

import { recall, remember } from "./memory.js";

const THEMES = ["system", "light", "dark"];

/** `changed` is called when the colours on screen are other ones than before. */
export function theme(button, changed) {
  let current = recall("theme", "system");
  const show = () => {
    document.documentElement.dataset.theme = current;
    button.textContent = `Theme: ${current}`;
    changed();
  };
  button.addEventListener("click", () => {
    current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length];
    remember("theme", current);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  show();
}
