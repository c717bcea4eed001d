// The settings form. What isn't chosen, or can't be meant, isn't passed on, so that the package's defaults hold.

import { recall, remember } from "./memory.js";

const NAMES = ["concurrency", "transport", "integrity", "resume"];

/** What is not meant as the text that it is. */
const MEANT = { concurrency: Number, resume: (text) => text === "on" };

/** Fills the form with what is remembered; returns a function that reads it as options of the package. */
export function settings(form) {
  const remembered = new URLSearchParams(recall("settings", ""));
  for (const name of NAMES) if (remembered.has(name)) form.elements[name].value = remembered.get(name);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    if (form.reportValidity()) remember("settings", new URLSearchParams(new FormData(form)).toString());
  });
  return () => {
    const chosen = {};
    for (const name of NAMES) {
      const field = form.elements[name];
      if (!field.value || field.value === "auto" || !field.checkValidity()) continue;
      chosen[name] = MEANT[name]?.(field.value) ?? field.value;
    }
    return chosen;
  };
}
