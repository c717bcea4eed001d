// The panel that breaks the network. It is there only where the server lets itself be broken.

import { announce } from "./announce.js";
import { control } from "./control.js";
import { SWITCHES, request } from "./faults.js";
import { recall, remember } from "./memory.js";
import { traffic } from "./traffic.js";
import { count } from "./words.js";

const page = (id) => document.getElementById(id);

/** `busy()` tells whether uploads are under way, `changes()` counts what happened to them. */
export async function network({ busy, changes }) {
  const standing = await control("GET", "faults").catch(() => null);
  if (!standing) return;
  const panel = page("network");
  const rows = SWITCHES.map(row);
  page("faults").append(...rows.map(({ element }) => element));
  page("seed").value = recall("seed", "7");
  const log = traffic({ panel, busy, changes, hits: (counts) => rows.forEach(({ struck }) => struck(counts)) });

  const chosen = () => new Map(rows.filter(({ toggle }) => toggle.checked).map(({ id, level }) => [id, level()]));
  const showState = () => {
    const { size } = chosen();
    page("network-state").textContent = size ? `${count(size, "fault")} on` : "all well";
    panel.classList.toggle("broken", size > 0);
    page("mend").disabled = size === 0 && page("network-foreign").hidden;
    for (const { refresh } of rows) refresh();
  };
  const tell = async (call, ...given) => {
    page("network-trouble").hidden = true;
    try {
      return await control(call, ...given);
    } catch (error) {
      page("network-trouble").textContent = error.message;
      page("network-trouble").hidden = false;
    }
  };
  const apply = async () => {
    page("network-foreign").hidden = true;
    showState();
    remember("seed", page("seed").value);
    remember("faults", JSON.stringify([...chosen()]));
    await tell("PUT", "faults", request(chosen(), page("seed").valueAsNumber || 0));
  };
  const mended = () => {
    for (const { toggle } of rows) toggle.checked = false;
    page("network-foreign").hidden = true;
    showState();
  };

  for (const { element } of rows) element.addEventListener("change", apply);
  page("seed").addEventListener("change", apply);
  page("mend").addEventListener("click", async () => {
    mended();
    await tell("DELETE", "faults");
    announce("The network is mended");
    page("seed").focus();
  });
  page("reset").addEventListener("click", async () => {
    if (busy() && !confirm("Uploads are under way, and a reset makes them fail. Reset the sandbox?")) return;
    mended();
    await tell("POST", "reset");
    await log.refresh();
    announce("The sandbox is reset");
  });

  restore(standing, rows);
  showState();
  panel.hidden = false;
  panel.open = matchMedia("(min-width: 62rem)").matches;
}

/** Shows the switches as they were left if the sandbox still has those faults, else says that others are set. */
function restore(standing, rows) {
  if (!standing.faults?.length && !standing.skewMs) return;
  const left = new Map(JSON.parse(recall("faults", "[]")));
  const ours = request(left, 0);
  if (ours.faults.length === standing.faults.length && ours.skewMs === standing.skewMs) {
    for (const { id, set } of rows) if (left.has(id)) set(left.get(id));
    return;
  }
  page("network-foreign").textContent = `${count(standing.faults.length, "fault")} set from elsewhere. A switch here replaces them.`;
  page("network-foreign").hidden = false;
}

function row({ id, hit, label, note, levels }) {
  const element = document.createElement("div");
  element.className = "fault";
  element.innerHTML = `
    <label><input type="checkbox" role="switch" id="fault-${id}" aria-describedby="fault-${id}-note"><span>${label}</span></label>
    <span class="hits"></span>
    <select aria-label="${label}: how much">${levels.map(([name], index) => `<option value="${index}">${name}</option>`).join("")}</select>
    <p class="note" id="fault-${id}-note">${note}</p>`;
  const toggle = element.querySelector("input");
  const select = element.querySelector("select");
  if (levels.length) select.selectedIndex = Math.floor((levels.length - 1) / 2);
  return {
    id, element, toggle,
    level: () => select.selectedIndex,
    set: (level) => {
      toggle.checked = true;
      select.selectedIndex = level;
    },
    struck: (counts) => { element.querySelector(".hits").textContent = counts.has(hit) ? `${counts.get(hit)} hit` : ""; },
    refresh: () => { select.hidden = !toggle.checked || !levels.length; },
  };
}
