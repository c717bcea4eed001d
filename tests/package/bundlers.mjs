// An app built by esbuild, Rollup or webpack, with the lines that the README has for each.
import { execFile } from "node:child_process";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

import { build as esbuild } from "esbuild";
import webpack from "webpack";

import { here } from "./project.mjs";
import { command, sample } from "./readme.mjs";

const run = promisify(execFile);

const BUILDERS = {
  async esbuild(folder, entry) {
    const engine = entry.split("/").at(1) ?? entry;
    const lines = sample("app.js").replaceAll("partway/s3_bg", `partway/${engine}_bg`).replaceAll('"partway/s3"', `"${entry}"`);
    await writeFile(`${folder}app.js`, `${lines}import "./main.js";\n`);
    await command("esbuild.sh", folder);
  },

  async rollup(folder) {
    await rename(`${folder}main.js`, `${folder}app.js`);
    await writeFile(`${folder}rollup.config.js`, sample("rollup.config.js"));
    for (const scope of ["@rollup", "@web"]) await symlink(`${here}node_modules/${scope}`, `${folder}node_modules/${scope}`);
    await run(`${here}node_modules/.bin/rollup`, ["--config", "--failAfterWarnings", "--silent"], { cwd: folder });
  },

  async webpack(folder) {
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry: { app: "./main.js" },
      output: { path: `${folder}assets`, publicPath: "/assets/" },
      performance: false,
    });
    const stats = await new Promise((done, fail) => compiler.run((error, result) => (error ? fail(error) : done(result))));
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  },
};

export const BUNDLERS = Object.keys(BUILDERS);

const ESBUILD = { bundle: true, format: "esm", logLevel: "silent" };

/** Builds a fixture's app into `dist`: its page, and `assets` with `app.js` and what that loads. */
export async function build(bundler, folder, entry) {
  await BUILDERS[bundler](folder, entry);
  await mkdir(`${folder}dist`);
  await rename(`${folder}assets`, `${folder}dist/assets`);
  const page = await readFile(`${folder}index.html`, "utf8");
  await writeFile(`${folder}dist/index.html`, page.replace("/main.js", "/assets/app.js"));
}

/** As esbuild does it where nobody told it anything. */
export async function plainEsbuild(folder, format) {
  const { outputFiles } = await esbuild({ ...ESBUILD, format, entryPoints: [`${folder}main.js`], outdir: `${folder}dist`, write: false });
  return outputFiles.map(({ path, text }) => ({ name: path.split("/").at(-1), text }));
}
