// What an upload ended with: the ids to copy, or the error with what to do about it.

import { copyButton } from "./copy.js";
import { bytes, count } from "./words.js";

/** The ids of a result, each with its copy button, then what it took. */
export function results(result) {
  const ids = [
    ["mediaUploadId", result.mediaUploadId, "works once"],
    ["mediaId", result.mediaId, result.reusable ? "can be used again" : ""],
    ["key", !result.mediaId && result.key, ""],
  ].filter(([, value]) => value);
  const list = element("dl", "ids");
  for (const [name, value, note] of ids) {
    const row = element("div");
    const term = element("dt", "", name);
    if (note) term.append(element("small", "", note));
    const cell = element("dd");
    cell.append(element("code", "", value), copyButton(value, name));
    row.append(term, cell);
    list.append(row);
  }
  return [list, element("p", "facts", facts(result))];
}

function facts(result) {
  if (result.alreadyThere) return `${bytes(result.bytes)}, nothing sent`;
  const again = result.attempts - result.parts;
  return [
    `${bytes(result.bytes)} in ${count(result.parts, "part")}`,
    again > 0 ? `${count(again, "request")} sent again` : "none sent again",
    result.bytes > 1_000_000 ? `${bytes((result.bytes / result.elapsedMs) * 1000)}/s on the whole` : "",
    result.verified ? "every byte checked against what the store says of it" : "",
    result.linksExpireAt ? `its links work until ${new Date(result.linksExpireAt).toLocaleString()}` : "",
  ].filter(Boolean).join(" · ");
}

/** Code, message, hint; a CORS rule within the hint in a block to copy. */
export function problem(error) {
  const message = element("p", "message");
  message.append(element("code", "code", error.code), ` ${error.message}`);
  const { before, rule, after } = splitHint(hintOf(error));
  const out = [message];
  if (before) out.push(element("p", "hint", before));
  if (rule) {
    const block = element("div", "rule");
    const pre = element("pre", "", rule);
    pre.tabIndex = 0;
    block.append(pre, copyButton(rule, "the rule"));
    out.push(block);
    if (after) out.push(element("p", "hint", after));
  }
  const where = [
    error.step && `step: ${error.step}`,
    error.partNumber && `part ${error.partNumber}`,
    error.status && `HTTP ${error.status}`,
    error.vendor?.code && `its code: ${error.vendor.code}`,
    error.vendor?.message && `its words: ${error.vendor.message}`,
    error.vendor?.requestId && `request ${error.vendor.requestId}`,
  ].filter(Boolean);
  if (where.length) out.push(element("p", "facts", where.join(" · ")));
  return out;
}

/** What the message doesn't say already. */
export function hintOf({ code, hint }) {
  return code === "invalid-options" ? "" : (hint ?? "");
}

/** Tells the sentences of a hint from the JSON or XML document between them. */
export function splitHint(hint) {
  const start = hint.search(/[[{<]\s*["{<[A-Z]/);
  const end = Math.max(hint.lastIndexOf("]"), hint.lastIndexOf("}"), hint.lastIndexOf(">")) + 1;
  if (start < 0 || end <= start) return { before: hint };
  let rule = hint.slice(start, end);
  try {
    rule = JSON.stringify(JSON.parse(rule), null, 2).replace(/\[[^[\]{}]+\]/g, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"));
  } catch {
    if (!rule.startsWith("<CORS")) return { before: hint };
  }
  return { before: hint.slice(0, start).trim(), rule, after: hint.slice(end).trim().replace(/^[.,;]\s*/, "") };
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
