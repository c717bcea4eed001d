// All uploads together: one line of words, one bar, the title of the tab and the wordmark.

import * as words from "./words.js";

const page = {
  section: document.getElementById("overview"),
  words: document.getElementById("overview-words"),
  bar: document.getElementById("overview-bar"),
  wordmark: document.getElementById("wordmark"),
  empty: document.getElementById("empty"),
  pauseAll: document.getElementById("pause-all"),
  resumeAll: document.getElementById("resume-all"),
  clear: document.getElementById("clear"),
};

/** Adds up the cards. A cancelled or failed upload counts with neither its bytes nor its rate. */
export function total(cards) {
  const sum = { live: 0, paused: 0, done: 0, failed: 0, bytes: 0, sent: 0, rate: 0 };
  for (const { state, file, ended } of cards) {
    if (state.status === "cancelled") continue;
    if (state.status === "failed") {
      sum.failed += 1;
      continue;
    }
    if (state.status === "paused") sum.paused += 1;
    else if (ended) sum.done += 1;
    else sum.live += 1;
    sum.bytes += file.size;
    sum.sent += state.status === "done" ? file.size : state.progress.sent;
    if (state.status === "sending") sum.rate += state.progress.rate ?? 0;
  }
  return { ...sum, fraction: sum.bytes ? sum.sent / sum.bytes : 0 };
}

export function show(cards) {
  const sum = total(cards);
  const going = sum.live + sum.paused > 0;
  page.section.hidden = cards.length === 0;
  page.empty.hidden = cards.length > 0;
  page.words.textContent = sentence(sum);
  page.bar.hidden = !going;
  page.bar.firstElementChild.style.inlineSize = `${sum.fraction * 100}%`;
  page.bar.setAttribute("aria-valuenow", Math.floor(sum.fraction * 100));
  page.bar.setAttribute("aria-valuetext", page.words.textContent);
  buttons({ pauseAll: sum.live > 0, resumeAll: sum.paused > 0, clear: cards.some(({ ended }) => ended) });
  page.wordmark.style.setProperty("--fill", going ? `${sum.fraction * 100}%` : "");
  page.wordmark.classList.toggle("full", !going && sum.done > 0 && sum.failed === 0);
  document.title = going ? `${words.percent(sum.fraction)} · Partway` : "Partway";
}

/** A button that goes away while it has the focus hands it to another one. */
function buttons(wanted) {
  const focused = document.activeElement;
  const all = Object.keys(wanted).map((name) => page[name]);
  for (const [name, shown] of Object.entries(wanted)) page[name].hidden = !shown;
  if (all.includes(focused) && focused.hidden) all.find(({ hidden }) => !hidden)?.focus();
}

function sentence(sum) {
  const left = sum.bytes - sum.sent;
  return words.line(
    sum.live && `${sum.live} under way`,
    sum.paused && `${sum.paused} paused`,
    sum.done && `${sum.done} arrived`,
    sum.failed && `${sum.failed} failed`,
    sum.live && `${words.bytes(sum.sent)} of ${words.bytes(sum.bytes)}`,
    sum.rate && `${words.bytes(sum.rate)}/s`,
    sum.rate && left && words.toGo(left / sum.rate),
  );
}
