// What the package's README tells its users to write.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

import { samples } from "../readme/samples.mjs";
import { here, root } from "./project.mjs";

const named = new Map(samples(await readFile(`${root}pkg/README.md`, "utf8")));

/** The sample of that name: what stands after the language in its first line. */
export function sample(name) {
  const text = named.get(name);
  if (text === undefined) throw new Error(`pkg/README.md has no sample called ${name}; it has ${[...named.keys()].join(", ")}`);
  return text;
}

/** Runs a sample that is one command line of a tool. What it warns of fails it. */
export async function command(name, folder) {
  const [program, ...args] = sample(name).trim().split(" ");
  const { stdout, stderr } = await promisify(execFile)(`${here}node_modules/.bin/${program}`, [...args, "--log-level=warning"], { cwd: folder });
  if (stdout + stderr) throw new Error(`${name}: ${stdout}${stderr}`);
}
