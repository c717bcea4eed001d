// The folders of apps that bring tools of their own: installed once by their lock files, and used again as long as these are the same.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

import { here, root, tarball } from "../project.mjs";

const run = promisify(execFile);

/** The folder of a fixture's app, with what its lock file names, the tarball, the fixture's files and those of `shared`. */
export async function installed(name, shared = []) {
  const [fixture, folder] = [`${here}fixtures/${name}/`, `${root}target/package-tests/fits/${name}/`];
  const lock = await readFile(`${fixture}package-lock.json`, "utf8");
  const stamp = `${folder}node_modules/.installed-lock.json`;
  if ((await readFile(stamp, "utf8").catch(() => "")) !== lock) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const file of ["package.json", "package-lock.json", ".npmrc"]) await cp(fixture + file, folder + file);
    // Not `npm ci`: it fails where a registry has the binaries for this platform only.
    await run("npm", ["install", "--no-save", "--no-audit", "--no-fund"], { cwd: folder });
    await writeFile(stamp, lock);
  }
  // What an earlier run left: sources that aren't there any more, output, and caches that know another tarball.
  for (const file of await readdir(folder)) if (file !== "node_modules") await rm(folder + file, { recursive: true, force: true });
  await rm(`${folder}node_modules/.cache`, { recursive: true, force: true });
  await rm(`${folder}node_modules/.vite`, { recursive: true, force: true });
  await cp(fixture, folder, { recursive: true });
  for (const file of shared) await cp(`${here}fixtures/${file}`, folder + file.split("/").at(-1));
  await unpack(folder);
  return folder;
}

/** Does what `npm install` does with a tarball that depends on nothing. */
async function unpack(folder) {
  const own = `${folder}node_modules/partway`;
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { recursive: true });
  await run("tar", ["--extract", "--gzip", "--strip-components=1", "--directory", own, "--file", tarball]);
}
