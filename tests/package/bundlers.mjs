// An app built by esbuild, Rollup or webpack, with the configuration that the README has for each.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";

import { importMetaAssets } from "@web/rollup-plugin-import-meta-assets";
import resolve from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import webpack from "webpack";

const BUILDERS = {
  /** esbuild --bundle --format=esm --splitting --loader:.wasm=file --public-path=/ --outdir=dist main.js */
  async esbuild(folder, entry) {
    const engine = entry.split("/").at(1) ?? entry;
    const main = await readFile(`${folder}main.js`, "utf8");
    await writeFile(
      `${folder}main.js`,
      `import { load as take } from "${entry}";\nimport wasm from "partway/${engine}_bg.wasm";\ntake(wasm);\n${main}`,
    );
    await esbuild({
      ...ESBUILD,
      entryPoints: [`${folder}main.js`],
      outdir: `${folder}dist`,
      splitting: true,
      loader: { ".wasm": "file" },
      publicPath: "/",
    });
  },

  async rollup(folder) {
    const onwarn = ({ message }) => {
      throw new Error(message);
    };
    const bundle = await rollup({ input: `${folder}main.js`, plugins: [resolve(), importMetaAssets()], onwarn });
    await bundle.write({ dir: `${folder}dist` });
    await bundle.close();
  },

  async webpack(folder) {
    const compiler = webpack({
      mode: "production",
      context: folder,
      entry: "./main.js",
      output: { path: `${folder}dist` },
      performance: false,
    });
    const stats = await new Promise((done, fail) => compiler.run((error, result) => (error ? fail(error) : done(result))));
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  },
};

export const BUNDLERS = Object.keys(BUILDERS);

const ESBUILD = { bundle: true, format: "esm", logLevel: "silent" };

/** Builds a fixture's app into `dist`, with its page. */
export async function build(bundler, folder, entry) {
  await BUILDERS[bundler](folder, entry);
  await mkdir(`${folder}dist`, { recursive: true });
  await cp(`${folder}index.html`, `${folder}dist/index.html`);
}

/** As esbuild does it where nobody told it anything. */
export async function plainEsbuild(folder, format) {
  const { outputFiles } = await esbuild({ ...ESBUILD, format, entryPoints: [`${folder}main.js`], outdir: `${folder}dist`, write: false });
  return outputFiles.map(({ path, text }) => ({ name: path.split("/").at(-1), text }));
}
