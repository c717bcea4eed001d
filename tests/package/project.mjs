// Where things are, and how an app with the packed package is made.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const here = fileURLToPath(new URL(".", import.meta.url));
export const root = fileURLToPath(new URL("../../", import.meta.url));
export const manifest = JSON.parse(await readFile(`${root}pkg/package.json`, "utf8"));
export const tarball = `${root}pkg/partway-${manifest.version}.tgz`;

export const VITES = ["5", "6", "7", "8"];

/** The entries for one destination each, as a page imports them: `partway/s3`. */
export const ENTRIES = names().filter((name) => `./${name}_bg.wasm` in manifest.exports);

/** Those that have the engine in the script, each with the entry that it is otherwise: `s3-inline` and `s3`. */
export const INLINE = new Map([["inline", "index"], ...ENTRIES.map((name) => [`${name}-inline`, name])]);

/** The entries without an engine of their own. */
export const VIEWS = names().filter((name) => !ENTRIES.includes(name) && !INLINE.has(name));

function names() {
  return Object.keys(manifest.exports)
    .filter((path) => /^\.\/\w+$/.test(path))
    .map((path) => path.slice(2));
}

/** An empty folder under target/ with the tarball installed as its only dependency, and a fixture's files, which import that entry. */
export async function app(name, fixture, entry = "partway") {
  const folder = `${root}target/package-tests/${name}/`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (fixture) {
    await cp(`${here}fixtures/${fixture}`, folder, { recursive: true });
    const main = await readFile(`${folder}main.js`, "utf8").catch(() => undefined);
    if (main) await writeFile(`${folder}main.js`, main.replace('from "partway"', `from "${entry}"`));
  }
  await writeFile(`${folder}package.json`, JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", tarball], { cwd: folder });
  return folder;
}

/** The beginning of the text in an inline copy of a wasm: enough to tell it from another. */
export async function wasmText(path) {
  const [, text] = /"([^"]{4000})/.exec(await readFile(path, "utf8"));
  return text;
}

export function vitePath(version) {
  return `${here}node_modules/vite${version}`;
}

/** `vite build` as on the command line, without a configuration. */
export async function viteBuild(version, folder) {
  return run(process.execPath, [`${vitePath(version)}/bin/vite.js`, "build"], { cwd: folder });
}

/** Runs a program of node's to its end; gives its output, and never throws. */
export async function node(args, options) {
  return run(process.execPath, args, { maxBuffer: 1 << 26, ...options }).then(
    ({ stdout, stderr }) => ({ ok: true, stdout, stderr }),
    ({ stdout = "", stderr = "", message }) => ({ ok: false, stdout, stderr: stderr || message }),
  );
}
