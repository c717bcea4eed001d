// All that the package needs of a browser, found in its sources: the face's, the engine's glue, the engine's list of the platform's
// interfaces, and what the compilers of the wasm are told.
import { readFile } from "node:fs/promises";

import { root } from "../project.mjs";
import { interfaceOf } from "./compat.mjs";
import { glueMembers, used as usedByScripts } from "./typescript.mjs";

/** wasm-opt's flags by the data's words. */
const WASM = {
  "bulk-memory": "wasm bulk-memory-operations",
  multivalue: "wasm multi-value",
  // The data has the proposal as the object that came with it.
  "mutable-globals": "wasm api.Global",
  "nontrapping-float-to-int": "wasm non-trapping-float-to-int-conversions",
  "reference-types": "wasm reference-types",
  "sign-ext": "wasm sign-extension-operations",
  simd: "wasm fixed-width-SIMD",
};

/** web-sys's dictionaries and enumerations: no objects of a browser's. */
const NO_INTERFACE = /(Init|Credentials|ResponseType)$/;

/** Members that the glue names of another interface: it reads a Response's `body`, and writes a RequestInit's. */
const OF_OTHERS = new Set(["dom Request.body"]);

/** Each feature, as `compat` takes it, with the files that use it. */
export async function used() {
  const found = usedByScripts();
  for (const feature of [...(await byWebSys()), ...(await byWasm())]) found.set(feature, (found.get(feature) ?? new Set()).add("wasm"));
  return found;
}

/** The interfaces that the engine has by web-sys, with those of their members that the glue names. */
async function byWebSys() {
  const [, list] = /^web-sys = \{[^[]*features = \[([^\]]*)\]/m.exec(await readFile(`${root}Cargo.toml`, "utf8"));
  const members = glueMembers();
  return [...list.matchAll(/"(\w+)"/g)].flatMap(([, rust]) => {
    const found = interfaceOf(rust);
    if (!found && !NO_INTERFACE.test(rust)) throw new Error(`MDN's data has no interface called ${rust}`);
    if (!found) return [];
    const named = found.members.filter((name) => members.has(name)).map((name) => `dom ${found.name}.${name}`);
    return [`dom ${found.name}`, ...named.filter((feature) => !OF_OTHERS.has(feature))];
  });
}

async function byWasm() {
  const source = await readFile(`${root}xtask/src/package/wasm.rs`, "utf8");
  const flags = [...source.matchAll(/"--enable-([\w-]+)"/g)].map(([, flag]) => flag);
  return flags.map((flag) => WASM[flag] ?? assertKnown(flag));
}

function assertKnown(flag) {
  throw new Error(`wasm-opt is told --enable-${flag}: tests/package/browsers/used.mjs must know what MDN's data calls it`);
}
