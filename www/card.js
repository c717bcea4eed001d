// One upload on the page: its state, its words, its bar, its cells and its buttons.

import { announce } from "./announce.js";
import { Cells } from "./cells.js";
import { problem, results } from "./outcome.js";
import * as words from "./words.js";

const template = document.getElementById("upload-template");
const NOTHING = (total) => ({ sent: 0, total, fraction: 0, rate: null, eta: null, processing: null, parts: { total: 0, done: 0, inFlight: 0 } });
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
  /** `begin(file, callbacks)` starts the upload and gives it, or a promise of it; `changed(card)` hears of every change, `removed(card)` of the end. */
  constructor(file, label, { begin, changed, removed }) {
    this.file = file;
    this.begin = begin;
    this.changed = changed;
    this.removed = removed;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.cells = new Cells(this.part(".cells"));
    this.state = { label };
    this.element.dataset.name = file.name;
    this.part(".name").textContent = file.name;
    this.part(".bar").setAttribute("aria-label", file.name);
    for (const button of this.element.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this[button.dataset.do]());
    }
    this.again();
  }

  get ended() {
    return ENDED.includes(this.state.status);
  }

  /** Uploads the same file once more, from its beginning. */
  again() {
    const { element, state, file } = this;
    delete element.dataset.result;
    delete element.dataset.error;
    this.part(".outcome").replaceChildren();
    this.cells.clear();
    Object.assign(state, { status: "queued", progress: NOTHING(file.size), again: 0, result: null, error: null, stopping: false });
    this.begun = this.#begin({
      onStatus: (status) => this.#status(status),
      onProgress: (progress) => this.#progress(progress),
      onPart: ({ partNumber, attempts }) => this.#arrived(partNumber, attempts),
      onComplete: (result) => this.#complete(result),
      onError: (error) => this.#fail(error),
    });
    this.#now();
  }

  async #begin(callbacks) {
    try {
      return await this.begin(this.file, callbacks);
    } catch (error) {
      this.#fail(error);
    }
  }

  async pause() {
    (await this.begun)?.pause();
  }

  async resume() {
    (await this.begun)?.resume();
  }

  async cancel() {
    this.state.stopping = true;
    this.#now();
    (await this.begun)?.cancel();
  }

  remove() {
    this.removed(this);
  }

  /** An end is shown when its result or error is there, not before. */
  #status(status) {
    if (ENDED.includes(status)) return;
    this.state.status = status;
    this.element.dataset.status = status;
    this.#soon();
  }

  #progress(progress) {
    this.state.progress = progress;
    this.#soon();
  }

  #arrived(partNumber, attempts) {
    this.state.again += attempts - 1;
    this.cells.arrive(partNumber, attempts);
    this.#soon();
  }

  #complete(result) {
    Object.assign(this.state, { status: "done", result });
    this.element.dataset.result = JSON.stringify(result);
    this.part(".outcome").replaceChildren(...results(result));
    const { total } = this.state.progress.parts;
    this.cells.show({ total, done: total, inFlight: 0 });
    announce(`${this.file.name} arrived`);
    this.#now();
  }

  #fail(error) {
    const { code, message, hint } = error;
    const status = code === "cancelled" ? "cancelled" : "failed";
    Object.assign(this.state, { status, error, stopping: false });
    this.element.dataset.error = JSON.stringify({ code, message, hint });
    if (status === "failed") this.part(".outcome").replaceChildren(...problem(error));
    this.cells.show({ ...this.state.progress.parts, inFlight: 0 });
    announce(status === "failed" ? `${this.file.name} failed: ${message}` : `${this.file.name} cancelled`);
    this.#now();
  }

  /** Progress and status may come often: they are drawn once a frame. */
  #soon() {
    this.frame ??= requestAnimationFrame(() => this.#now());
  }

  #now() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.#draw();
    this.changed(this);
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
      button.setAttribute("aria-label", `${button.textContent} ${this.file.name}`);
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
