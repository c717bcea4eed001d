// What the servers saw: requests and failures by route, from the sandbox's log.

import { control } from "./control.js";
import { bytes, count } from "./words.js";

const EVERY_MS = 1500;
const LATE_MS = 2500;
/** HTTP/1.1: six connections to a host, for the page's own questions too. */
const CROWDED = "Waiting for a free connection: a browser keeps six to a server, and uploads have them all.";
const words = document.getElementById("traffic-words");
const table = document.querySelector("#traffic table");

/** Reads the log while the panel is open and uploads are under way or have changed; `hits` gets how many requests each kind of fault hit. */
export function traffic({ panel, busy, changes, hits }) {
  let seen = -1;
  const refresh = async () => {
    const late = setTimeout(() => { words.textContent = CROWDED; }, LATE_MS);
    const log = await control("GET", "log").catch(() => null);
    clearTimeout(late);
    if (!log) return;
    draw(log);
    hits(struck(log));
  };
  const tick = async () => {
    if (panel.open && !document.hidden && (busy() || changes() !== seen)) {
      seen = changes();
      await refresh();
    }
    setTimeout(tick, EVERY_MS);
  };
  panel.addEventListener("toggle", () => { seen = -1; });
  document.getElementById("clear-log").addEventListener("click", async () => {
    await control("DELETE", "log").catch(() => null);
    await refresh();
  });
  tick();
  return { refresh };
}

/** How many requests each kind of fault hit, by its name in the log. */
export function struck({ requests }) {
  const counts = new Map();
  for (const name of requests.flatMap(({ faults }) => faults)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** An answer that was lost on its way is a failure too, whatever its status. */
function failed({ status, endedMs, faults }) {
  return endedMs !== null && (!status || status >= 400 || faults.some((name) => /^(reset|stall)/.test(name)));
}

/** Requests by route. */
export function tally({ requests, maxInFlight }) {
  const routes = new Map();
  for (const request of requests) {
    const { route } = request;
    const row = routes.get(route) ?? { route, sent: 0, failed: 0, copies: 0, bytes: 0, atOnce: maxInFlight?.[route] ?? 0 };
    row.sent += 1;
    row.bytes += request.bytes;
    if (request.copy) row.copies += 1;
    if (failed(request)) row.failed += 1;
    routes.set(route, row);
  }
  return [...routes.values()].sort((a, b) => a.route.localeCompare(b.route));
}

function draw(log) {
  const rows = tally(log);
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  table.hidden = rows.length === 0;
  words.textContent = rows.length
    ? [count(sum("sent"), "request"), `${sum("failed")} failed`, `${bytes(sum("bytes"))} taken in`, sum("copies") && `${count(sum("copies"), "copy", "copies")} dropped`].filter(Boolean).join(" · ")
    : "No requests yet.";
  table.tBodies[0].replaceChildren(...rows.map(({ route, sent, failed, atOnce }) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.append(...route.split(/(?<=:)|(?=[A-Z])/).flatMap((piece) => [piece, document.createElement("wbr")]));
    line.append(head, ...[sent, failed, atOnce].map((value) => {
      const cell = document.createElement("td");
      cell.textContent = value;
      return cell;
    }));
    line.classList.toggle("failing", failed > 0);
    return line;
  }));
}
