// MDN's browser-compat-data: the versions of browsers that have a feature.
import { createRequire } from "node:module";

const data = createRequire(import.meta.url)("@mdn/browser-compat-data");

/** The browsers by the README's names for them. Safari is also iOS's. */
export const BROWSERS = { Chrome: ["chrome", "chrome_android", "edge"], Firefox: ["firefox", "firefox_android"], Safari: ["safari", "safari_ios"] };

/** Mixins, and interfaces that have a member by another one: where the data has it, the first that does. */
const HOLDERS = {
  AbstractWorker: ["Worker"],
  Body: ["Response"],
  Console: ["console"],
  FileSystemFileHandle: ["FileSystemFileHandle", "FileSystemHandle"],
  MessageEventTarget: ["Worker"],
  NavigatorID: ["Navigator"],
  NavigatorLocks: ["Navigator"],
  NavigatorOnLine: ["Navigator"],
  ParentNode: ["Element"],
  ReadableStreamGenericReader: ["ReadableStreamDefaultReader"],
  WindowOrWorkerGlobalScope: ["Window"],
};

/** What every object of a document inherits from. */
const ANCESTORS = ["Element", "Node", "EventTarget"];

/** Members of dictionaries and of results, which are as old as what takes or gives them. */
const MEMBERS = {
  "AddEventListenerOptions.signal": "api.EventTarget.addEventListener.options_parameter.options_signal_parameter",
  "ErrorOptions.cause": "javascript.builtins.Error.Error.options_cause_parameter",
  "ImportMeta.url": "javascript.operators.import_meta",
  "Instance.exports": "webassembly.api.Instance",
  "LockInfo.name": "api.LockManager.query",
  "LockManagerSnapshot.held": "api.LockManager.query",
  "PromiseFulfilledResult.status": "javascript.builtins.Promise.allSettled",
  "PromiseFulfilledResult.value": "javascript.builtins.Promise.allSettled",
  "PromiseRejectedResult.reason": "javascript.builtins.Promise.allSettled",
  "PromiseRejectedResult.status": "javascript.builtins.Promise.allSettled",
  "ReadableStreamReadDoneResult.value": "api.ReadableStreamDefaultReader.read",
  "ReadableStreamReadValueResult.value": "api.ReadableStreamDefaultReader.read",
  "WebAssemblyInstantiatedSource.instance": "webassembly.api.instantiate_static",
  "WebAssemblyInstantiatedSource.module": "webassembly.api.instantiate_static",
};

/** Interfaces of the compiler's that go by another name when a script runs. */
const NAMES = { CallableFunction: "Function", PromiseLike: "Promise", ReadonlyArray: "Array", ReadonlyMap: "Map", ReadonlySet: "Set" };

const TYPED_ARRAY = /^(Int|Uint|Float|BigInt|BigUint)\d+(Clamped)?Array$/;

/** The data on a feature, found by the compiler's words for it; nothing where there is none. */
export function compat(feature) {
  const [library, name] = feature.split(" ");
  if (library === "syntax") return at(`javascript.${name}`);
  if (library === "wasm") return at(`webassembly.${name}`);
  if (MEMBERS[name]) return at(MEMBERS[name]);
  const [holder, member] = name.includes(".") ? name.split(".") : ["", name];
  return library === "es" ? ofLanguage(holder, member) : ofPlatform(holder, member);
}

function ofLanguage(holder, member) {
  const owner = holder && (NAMES[holder] ?? holder.replace(/Constructor$/, ""));
  // As old as its class.
  const path = owner && member !== "prototype" ? `${owner}.${member}` : owner || member;
  const inherited = TYPED_ARRAY.test(owner) ? `TypedArray.${member}` : undefined;
  return at(`javascript.builtins.${path}`) ?? (inherited && at(`javascript.builtins.${inherited}`));
}

function ofPlatform(holder, member) {
  if (!holder) return at(`api.${member}`) ?? at(`api.Window.${member}`) ?? at(`api.EventTarget.${member}`) ?? at(`webassembly.api.${member}`) ?? ofEvent("Window", member);
  if (holder === "WebAssembly") return at(`webassembly.api.${member}`) ?? at(`webassembly.api.${member}_static`);
  for (const one of [...(HOLDERS[holder] ?? [holder]), ...ANCESTORS]) {
    const found = at(`api.${one}.${member}`) ?? at(`api.${one}.${member}_static`) ?? ofEvent(one, member);
    if (found) return found;
  }
  return undefined;
}

/** A handler, `onmessage`, is as old as its event. */
function ofEvent(holder, member) {
  return member.startsWith("on") ? at(`api.${holder}.${member.slice(2)}_event`) : undefined;
}

function at(path) {
  return path.split(".").reduce((node, key) => node?.[key], data)?.__compat;
}

/** The first version of a browser from which on it has the feature: a list of numbers; nothing where it hasn't. */
export function since({ support }, browser) {
  const statements = [support[browser] ?? []].flat();
  const whole = statements.find((one) => !one.prefix && !one.alternative_name && !one.flags && !one.partial_implementation && !one.version_removed);
  const version = whole?.version_added;
  return typeof version === "string" && version !== "preview" ? version.replace("≤", "").split(".").map(Number) : undefined;
}

/** Whether one version is later than another. */
export function isLater([major, minor = 0], [otherMajor, otherMinor = 0]) {
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

/** The members of an interface that the data has, and its own name, by that of web-sys: `XmlHttpRequest`. */
export function interfaceOf(rust) {
  const name = Object.keys(data.api).find((key) => key.toLowerCase() === rust.toLowerCase());
  return name && { name, members: Object.keys(data.api[name]).filter((key) => key !== "__compat") };
}
