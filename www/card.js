// One upload on the page: its state, its words, its bar, its cells and its buttons.

import { announce } from "./announce.js";
import { Cells } from "./cells.js";
import { problem, results } from "./outcome.js";
import * as words from "./words.js";

const template = document.getElementById("upload-template");
const ENDED = ["done", "failed", "cancelled"];
const BYTES_ON_THE_WAY = ["opening", "sending", "completing", "processing", "paused", "waiting"];

const ACTIONS = {
  pause: ({ status }) => ["queued", "checking", "opening", "sending", "waiting", "processing", "completing"].includes(status),
  resume: ({ status }) => status === "paused",
  again: ({ status }) => status === "failed" || status === "cancelled",
  cancel: ({ status }) => !ENDED.includes(status),
  remove: ({ status }) => ENDED.includes(status),
};

export class Card {
  /**
   * `upload` is what the package gave. `uploads` is the store that it stands in; `changed()` hears of what happens here alone,
   * `removed(card)` of the end.
   */
  constructor(upload, label, { uploads, changed, removed }) {
    const { id, file: { name } } = upload;
    this.id = id;
    this.name = name;
    this.uploads = uploads;
    this.changed = changed;
    this.removed = removed;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.cells = new Cells(this.part(".cells"));
    this.state = { label, again: 0, stopping: false };
    this.element.dataset.name = name;
    this.part(".name").textContent = name;
    this.part(".bar").setAttribute("aria-label", name);
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this[button.dataset.do]());
    }
    upload.addEventListener("part", ({ detail: { partNumber, attempts } }) => {
      this.state.again += attempts - 1;
      this.cells.arrive(partNumber, attempts);
    });
    this.show(upload);
  }

  get file() {
    return this.view.file;
  }

  get ended() {
    return ENDED.includes(this.state.status);
  }

  pause() {
    this.uploads.pause(this.id);
  }

  resume() {
    this.uploads.resume(this.id);
  }

  again() {
    Object.assign(this.state, { again: 0, stopping: false });
    this.cells.clear();
    this.uploads.retry(this.id);
  }

  cancel() {
    this.state.stopping = true;
    this.#draw();
    this.changed();
    this.uploads.cancel(this.id);
  }

  remove() {
    this.removed(this);
  }

  /** Shows the upload as it is now, unless it is shown already. */
  show(view) {
    if (view === this.view) return;
    const before = this.state.status;
    this.view = view;
    const { status, progress, result, error } = view;
    Object.assign(this.state, { status, progress, result, error });
    if (status !== before) this.#enter(status);
    this.#draw();
  }

  #enter(status) {
    const { result, error } = this.state;
    const { dataset } = this.element;
    delete dataset.result;
    delete dataset.error;
    const outcome = this.part(".outcome");
    if (status === "done") {
      dataset.result = JSON.stringify(result);
      outcome.replaceChildren(...results(result));
      const { total } = this.state.progress.parts;
      this.cells.show({ total, done: total, inFlight: 0 });
      announce(`${this.name} arrived`);
    } else if (this.ended) {
      const { code, message, hint } = error;
      dataset.error = JSON.stringify({ code, message, hint });
      outcome.replaceChildren(...(status === "failed" ? problem(error) : []));
      this.state.stopping = false;
      this.cells.show({ ...this.state.progress.parts, inFlight: 0 });
      announce(status === "failed" ? `${this.name} failed: ${message}` : `${this.name} cancelled`);
    } else outcome.replaceChildren();
  }

  #draw() {
    const { element, state } = this;
    const { progress, status } = state;
    element.dataset.status = status;
    this.#write(".status", words.status(state));
    this.#write(".percent", BYTES_ON_THE_WAY.includes(status) ? words.percent(progress.fraction) : "");
    if (!this.ended) this.cells.show(status === "sending" ? progress.parts : { ...progress.parts, inFlight: 0 });
    this.#bar();
    this.#numbers();
    this.#buttons();
  }

  #bar() {
    const bar = this.part(".bar");
    bar.hidden = this.ended;
    bar.firstElementChild.style.inlineSize = `${this.state.progress.fraction * 100}%`;
    bar.setAttribute("aria-valuenow", Math.floor(this.state.progress.fraction * 100));
    bar.setAttribute("aria-valuetext", words.status(this.state));
  }

  /** Rate and time to go change too often to be read: twice a second will do. */
  #numbers() {
    const { progress, status, again, label } = this.state;
    const now = performance.now();
    if (status === this.shownStatus && now - this.shownAt < 500) return;
    this.shownStatus = status;
    this.shownAt = now;
    const sending = status === "sending";
    this.part(".numbers").hidden = status === "done";
    this.#write(".numbers", words.line(
      this.ended ? words.bytes(this.file.size) : `${words.bytes(progress.sent)} of ${words.bytes(this.file.size)}`,
      `to ${label}`,
      sending && progress.rate !== null && `${words.bytes(progress.rate)}/s`,
      sending && progress.eta !== null && words.toGo(progress.eta),
      !this.ended && again > 0 && `${words.count(again, "request")} sent again`,
    ));
  }

  /** A button that goes away while it has the focus hands it to the next one. */
  #buttons() {
    const again = this.part("[data-do=again]");
    // Where it may have arrived, nothing invites to send it twice.
    const advised = this.state.status === "failed" && this.state.error.code !== "outcome-unknown";
    again.textContent = advised ? "Try again" : "Upload again";
    again.classList.toggle("primary", advised);
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.setAttribute("aria-label", `${button.textContent} ${this.name}`);
      button.hidden = !ACTIONS[button.dataset.do](this.state);
      button.disabled = Boolean(this.state.stopping) && !this.ended;
    }
    if (focused && (focused.hidden || focused.disabled)) (this.part("[data-do]:not([hidden], :disabled)") ?? this.part(".name")).focus();
  }

  #write(selector, text) {
    const target = this.part(selector);
    if (target.textContent !== text) target.textContent = text;
  }
}
