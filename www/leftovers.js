// What a reload, a crash or a closed browser left unfinished, at every destination.

import { announce } from "./announce.js";
import { hintOf } from "./outcome.js";
import { discard, unfinished } from "./uploaders.js";
import * as words from "./words.js";

const section = document.getElementById("left");
const list = document.getElementById("left-list");
const template = document.getElementById("left-template");

/**
 * Shows the list and keeps it fresh. `known` is the promise of the destinations by their names, `chosen()` gives the settings,
 * `isShown(left, label)` tells what stands on the page already, `goOn(destination, left, file)` goes on, and rejects where it can't.
 * Gives the function to call when it may have changed.
 */
export function leftovers({ known, chosen, isShown, goOn }) {
  let timer;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  };

  async function refresh() {
    const destinations = [...(await known).values()];
    const found = await Promise.all(
      destinations.map(async (destination) => (await unfinished(destination, chosen())).map((left) => ({ left, destination }))),
    );
    const shown = found.flat().filter(({ left, destination }) => !isShown(left, destination.label));
    shown.sort((one, other) => other.left.startedAt.localeCompare(one.left.startedAt));
    draw(shown);
  }

  /** Rows that stay keep their element, so that the focus and what is being done in them stays too. */
  function draw(shown) {
    const before = new Map([...list.children].map((element) => [element.dataset.key, element]));
    const busy = [...before.values()].filter(({ ariaBusy }) => ariaBusy === "true");
    const rows = shown.map(({ left, destination }) => before.get(key(left)) ?? row(left, destination));
    const all = [...new Set([...busy, ...rows])];
    if (all.length === before.size && all.every((element, index) => list.children[index] === element)) return;
    const focused = list.contains(document.activeElement) && document.activeElement;
    list.replaceChildren(...all);
    section.hidden = all.length === 0;
    if (!focused) return;
    const next = list.contains(focused) ? focused : list.querySelector("input:not([hidden]), button:not([hidden])");
    (next ?? document.getElementById("files")).focus();
  }

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
        announce(done);
      } catch (error) {
        part(".warning").textContent = [error.message, hintOf(error)].filter(Boolean).join(" ");
        part(".warning").hidden = false;
        // A handle that may not be read is no use: any way to the file will do.
        part("label").hidden = input.hidden = false;
      }
      element.ariaBusy = "false";
      soon();
    };
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = "";
      if (file) attempt(() => goOn(destination, left, file), `${name} goes on`);
    });
    part("[data-do=on]").addEventListener("click", () => attempt(() => goOn(destination, left), `${name} goes on`));
    part("[data-do=discard]").addEventListener("click", () => attempt(() => discard(destination, chosen(), id), `${name} is discarded`));
    return element;
  }

  document.addEventListener("visibilitychange", soon);
  soon();
  return soon;
}

const key = ({ id, sent }) => `${id} ${sent}`;
