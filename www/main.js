// The page: files and a destination in, uploads out.

import { version } from "partway";
import { announce } from "./announce.js";
import { Card } from "./card.js";
import { Cells } from "./cells.js";
import { code } from "./code.js";
import { destinations } from "./destinations.js";
import { intake } from "./intake.js";
import { leftovers } from "./leftovers.js";
import { recall, remember } from "./memory.js";
import { network } from "./network.js";
import { offline } from "./offline.js";
import { settings } from "./settings.js";
import { show } from "./summary.js";
import { theme } from "./theme.js";
import { snapshots, storeFor } from "./uploaders.js";
import { count } from "./words.js";

const byId = (id) => document.getElementById(id);
const select = byId("destination");
const list = byId("uploads");
const input = byId("files");
/** The uploads on the page, by their ids. */
const cards = new Map();
let changes = 0;

const chosen = settings(byId("settings-form"));
const showCode = code();
const specimen = new Cells(byId("specimen"), 30);
const known = destinations().then(offer, complain);

byId("version").textContent = version;
showSpecimen();
theme(byId("theme"), () => {
  specimen.draw();
  for (const card of cards.values()) card.cells.draw();
});
network({ busy, changes: () => changes });
offline(byId("offline"));
const showLeft = leftovers({ goOn });
known.then((destinations) => {
  for (const destination of destinations.values()) storeFor(destination, chosen(), refresh);
});
intake({ sample: byId("sample"), veil: byId("drop-veil"), words: () => `Drop to send to ${select.selectedOptions[0]?.label ?? "…"}`, take, refuse });

select.addEventListener("change", choose);
byId("pause-all").addEventListener("click", () => all("pause"));
byId("resume-all").addEventListener("click", () => all("resume"));
byId("clear").addEventListener("click", () => {
  for (const { uploads } of snapshots()) uploads.clear();
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

/** What came in, towards the chosen destination. The newest stand first. */
async function take(entries) {
  byId("refused").hidden = true;
  const destination = (await known).get(select.value);
  if (!destination) return;
  const uploads = storeFor(destination, chosen(), refresh);
  const added = uploads.add(entries);
  add(added.map((upload) => card(upload, destination, uploads)));
  announce(`${count(added.length, "file")} added, to ${destination.label}`);
}

/** What can't be taken, with the reasons. */
function refuse(rejected) {
  const some = rejected.slice(0, 5).map(({ name, why }) => `${name}: ${why}`);
  if (rejected.length > some.length) some.push(`And ${count(rejected.length - some.length, "other")}.`);
  byId("refused").textContent = some.join(" ");
  byId("refused").hidden = false;
}

/** What was left unfinished stands among the others once it goes on; rejects where it can't. */
async function goOn(destination, left, file) {
  const upload = await left.resume(file);
  add([card(upload, destination, storeFor(destination, chosen(), refresh))]);
}

function card(upload, destination, uploads) {
  return new Card(upload, destination.label, { uploads, changed: soon, removed: remove });
}

function add(added) {
  for (const one of added) cards.set(one.id, one);
  list.prepend(...added.map(({ element }) => element));
  soon();
}

function busy() {
  return [...cards.values()].some(({ ended }) => !ended);
}

function all(action) {
  const fits = { pause: ({ status }) => status !== "paused", resume: ({ status }) => status === "paused" }[action];
  for (const card of cards.values()) if (!card.ended && !card.state.stopping && fits(card.state)) card[action]();
}

function remove(card) {
  const next = card.element.nextElementSibling ?? card.element.previousElementSibling;
  card.uploads.remove(card.id);
  drop(card);
  (next?.querySelector(".name") ?? input).focus();
}

function drop(card) {
  cards.delete(card.id);
  card.element.remove();
  soon();
}

/** Shows all stores as they are now. Each calls it after a change, at most once a frame. */
function refresh() {
  const states = snapshots();
  const shown = new Map(states.flatMap(({ views }) => views.map((view) => [view.id, view])));
  for (const card of [...cards.values()]) {
    const view = shown.get(card.id);
    if (view) card.show(view);
    // One that was added since stands in the next snapshot.
    else if (card.ended) drop(card);
  }
  showLeft(states.flatMap(({ destination, unfinished }) => unfinished.map((left) => ({ left, destination }))));
  soon();
}

/** By a timer, not by frames: the title of a tab in the background goes on. */
let timer;
function soon() {
  changes += 1;
  timer ??= setTimeout(() => {
    timer = undefined;
    show([...cards.values()]);
  }, 100);
}

/** A strip as it looks halfway, for the empty page. */
function showSpecimen() {
  for (let part = 1; part <= 21; part += 1) specimen.arrive(part, part === 9 || part === 14 ? 2 : 1);
  specimen.show({ total: 40, done: 21, inFlight: 6 });
}
