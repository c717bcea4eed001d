// What a reload, a crash or a closed browser left unfinished, at every destination.

import { announce } from "./announce.js";
import { hintOf } from "./outcome.js";
import * as words from "./words.js";

const section = document.getElementById("left");
const list = document.getElementById("left-list");
const template = document.getElementById("left-template");

/**
 * Gives the function that shows the list, of `{left, destination}`. `goOn(destination, left, file)` goes on with one, and rejects where it
 * can't.
 */
export function leftovers({ goOn }) {
  /** Rows that stay keep their element, so that the focus and what is being done in them stays too. */
  return function show(found) {
    const sorted = found.toSorted((one, other) => other.left.startedAt.localeCompare(one.left.startedAt));
    const before = new Map([...list.children].map((element) => [element.dataset.key, element]));
    const busy = [...before.values()].filter(({ ariaBusy }) => ariaBusy === "true");
    const rows = sorted.map(({ left, destination }) => before.get(key(left)) ?? row(left, destination));
    const all = [...new Set([...busy, ...rows])];
    if (all.length === before.size && all.every((element, index) => list.children[index] === element)) return;
    const focused = list.contains(document.activeElement) && document.activeElement;
    list.replaceChildren(...all);
    section.hidden = all.length === 0;
    if (!focused) return;
    const next = list.contains(focused) ? focused : list.querySelector("input:not([hidden]), button:not([hidden])");
    (next ?? document.getElementById("files")).focus();
  };

  function row(left, destination) {
    const element = template.content.firstElementChild.cloneNode(true);
    const part = (selector) => element.querySelector(selector);
    const { id, name, size, sent } = left;
    Object.assign(element.dataset, { key: key(left), name });
    part(".name").textContent = name;
    part(".numbers").textContent = words.line(
      `${words.bytes(sent)} of ${words.bytes(size)} at ${destination.label}`,
      `begun ${words.when(new Date(left.startedAt))}`,
    );
    part(".bar span").style.inlineSize = `${size ? (sent / size) * 100 : 0}%`;
    const input = part("input");
    input.id = `left-${id}`;
    part("label").htmlFor = input.id;
    part("label span").textContent = `, ${name}`;
    part("label").hidden = input.hidden = !left.needsFile;
    part("[data-do=on]").hidden = left.needsFile;
    for (const button of element.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent}: ${name}`);

    const attempt = async (action, done) => {
      if (element.ariaBusy === "true") return;
      element.ariaBusy = "true";
      part(".warning").hidden = true;
      try {
        await action();
        element.remove();
        section.hidden = list.childElementCount === 0;
        announce(done);
      } catch (error) {
        part(".warning").textContent = [error.message, hintOf(error)].filter(Boolean).join(" ");
        part(".warning").hidden = false;
        // A handle that may not be read is no use: any way to the file will do.
        part("label").hidden = input.hidden = false;
      }
      element.ariaBusy = "false";
    };
    input.addEventListener("change", (event) => {
      // It isn't a new file, which the page's drop zone would take it for.
      event.stopPropagation();
      const [file] = input.files;
      input.value = "";
      if (file) attempt(() => goOn(destination, left, file), `${name} goes on`);
    });
    part("[data-do=on]").addEventListener("click", () => attempt(() => goOn(destination, left), `${name} goes on`));
    part("[data-do=discard]").addEventListener("click", () => attempt(() => left.discard(), `${name} is discarded`));
    return element;
  }
}

const key = ({ id, sent }) => `${id} ${sent}`;
