// The page: files and a destination in, uploads out.

import { version } from "partway";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { Cells } from "./cells.js";
import { code } from "./code.js";
import { destinations } from "./destinations.js";
import { intake, sourceOf } from "./intake.js";
import { leftovers } from "./leftovers.js";
import { recall, remember } from "./memory.js";
import { network } from "./network.js";
import { offline } from "./offline.js";
import { settings } from "./settings.js";
import { show } from "./summary.js";
import { theme } from "./theme.js";
import { goOn, start } from "./uploaders.js";
import { count } from "./words.js";

const byId = (id) => document.getElementById(id);
const select = byId("destination");
const list = byId("uploads");
const input = byId("files");
const cards = new Set();
let changes = 0;
let seenStages = "[]";

const chosen = settings(byId("settings-form"));
const showCode = code();
const specimen = new Cells(byId("specimen"), 30);
const known = destinations().then(offer, complain);

byId("version").textContent = version;
showSpecimen();
theme(byId("theme"), () => {
  specimen.draw();
  for (const card of cards) card.cells.draw();
});
network({ busy, changes: () => changes });
offline(byId("offline"));
const leftChanged = leftovers({ known, chosen, isShown, goOn: follow });
intake({ input, sample: byId("sample"), veil: byId("drop-veil"), words: () => `Drop to send to ${select.selectedOptions[0]?.label ?? "…"}`, take });

select.addEventListener("change", choose);
byId("pause-all").addEventListener("click", () => all("pause"));
byId("resume-all").addEventListener("click", () => all("resume"));
byId("clear").addEventListener("click", () => {
  for (const card of cards) if (card.ended) drop(card);
  input.focus();
});
window.addEventListener("beforeunload", (event) => {
  if (busy()) event.preventDefault();
});

function offer(found) {
  select.replaceChildren(...found.map(({ id, label }) => new Option(label, id)));
  const before = recall("destination", "");
  if (found.some(({ id }) => id === before)) select.value = before;
  const byName = new Map(found.map((destination) => [destination.id, destination]));
  describe(byName);
  return byName;
}

function complain(error) {
  const trouble = byId("trouble");
  trouble.textContent = `There is no destination to send to: ${error.message}. Start the page with “cargo xtask demo”, and load it again.`;
  trouble.hidden = false;
  byId("destination-note").textContent = "";
  return new Map();
}

async function choose() {
  remember("destination", select.value);
  describe(await known);
}

function describe(byName) {
  const destination = byName.get(select.value);
  byId("destination-note").textContent = destination.note;
  showCode(destination);
}

/** The newest stand first. */
async function take(files) {
  const destination = (await known).get(select.value);
  if (!destination) return;
  const options = chosen();
  add(files.map((file) => card(file, destination, (callbacks) => start(destination, options, sourceOf(file), callbacks))));
  announce(`${count(files.length, "file")} added, to ${destination.label}`);
}

/** What was left unfinished stands among the others once it goes on; rejects where it can't. */
async function follow(destination, left, file) {
  const options = chosen();
  let tries = 0;
  const added = card(left, destination, (callbacks) => {
    tries += 1;
    // Without the file there is only what is kept, also for another try.
    return file && tries > 1 ? start(destination, options, file, callbacks) : goOn(destination, options, left.id, file, callbacks);
  });
  if (!(await added.begun)) throw added.state.error;
  add([added]);
}

function card(file, destination, begin) {
  return new Card(file, destination.label, { begin: (_, callbacks) => begin(callbacks), changed: refresh, removed: remove });
}

function add(added) {
  for (const one of added) cards.add(one);
  list.prepend(...added.map(({ element }) => element));
  refresh();
}

/** Whether it stands on the page, where it can be tried again. */
function isShown(left, label) {
  return [...cards].some(({ file, state }) => file.name === left.name && file.size === left.size && state.label === label && state.status !== "done");
}

function busy() {
  return [...cards].some(({ ended }) => !ended);
}

function all(action) {
  const fits = { pause: ({ status }) => status !== "paused", resume: ({ status }) => status === "paused" }[action];
  for (const card of cards) if (!card.ended && !card.state.stopping && fits(card.state)) card[action]();
}

function remove(card) {
  const next = card.element.nextElementSibling ?? card.element.previousElementSibling;
  drop(card);
  (next?.querySelector(".name") ?? input).focus();
}

function drop(card) {
  cards.delete(card);
  card.element.remove();
  refresh();
}

/** By a timer, not by frames: the title of a tab in the background goes on. */
let timer;
function refresh() {
  changes += 1;
  const stages = JSON.stringify([...cards].map(({ state }) => state.status));
  if (stages !== seenStages) leftChanged();
  seenStages = stages;
  timer ??= setTimeout(() => {
    timer = undefined;
    show(cards);
  }, 100);
}

/** A strip as it looks halfway, for the empty page. */
function showSpecimen() {
  for (let part = 1; part <= 21; part += 1) specimen.arrive(part, part === 9 || part === 14 ? 2 : 1);
  specimen.show({ total: 40, done: 21, inFlight: 6 });
}
