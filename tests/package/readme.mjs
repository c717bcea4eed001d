// What the package's README tells its users to write.
import { readFile } from "node:fs/promises";

import { samples } from "../readme/samples.mjs";
import { root } from "./project.mjs";

const named = new Map(samples(await readFile(`${root}pkg/README.md`, "utf8")));

/** The sample of that name: what stands after the language in its first line. */
export function sample(name) {
  const text = named.get(name);
  if (text === undefined) throw new Error(`pkg/README.md has no sample called ${name}; it has ${[...named.keys()].join(", ")}`);
  return text;
}
