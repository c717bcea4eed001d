// An app with the packed package's hooks, built by Vite and served with the sandbox behind it:
// node frameworks.mjs react18|react19|vue|svelte PORT SANDBOX
// Prints one line of JSON when it is ready.
import { cp, rm, writeFile } from "node:fs/promises";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import vue from "@vitejs/plugin-vue";
import { build, preview } from "vite";

import { app, here } from "./project.mjs";
import { sample } from "./readme.mjs";

/** The folder of each app's sources, Vite's plugins for it, and the packages that the app has: by name, and where they are. */
export const APPS = {
  react18: { folder: "react", plugins: () => [], packages: { react: "react18", "react-dom": "react-dom18", scheduler: "react-dom18/node_modules/scheduler" } },
  react19: { folder: "react", plugins: () => [], packages: { react: "react", "react-dom": "react-dom", scheduler: "scheduler" } },
  vue: { folder: "vue", plugins: () => [vue()], packages: named("vue", "@vue", "csstype", "entities", "estree-walker", "@babel/parser", "@babel/types", "@babel/helper-string-parser", "@babel/helper-validator-identifier") },
  svelte: {
    folder: "svelte",
    plugins: () => [svelte({ configFile: false })],
    packages: named("svelte", "clsx", "devalue", "esm-env"),
  },
};

/** Packages under their own names. */
function named(...names) {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** Builds an app with the tarball; gives its folder and what Vite said. */
export async function buildApp(name) {
  const folder = await app(`frameworks-${name}`, undefined);
  for (const part of ["common", APPS[name].folder]) await cp(`${here}fixtures/frameworks/${part}`, folder, { recursive: true });
  return { folder, said: await built(name, folder) };
}

/** Builds an app that is a component of the README's. */
export async function buildSample(name, file) {
  const folder = await app(`frameworks-readme-${name}`, undefined);
  const files = {
    "index.html": '<script type="module" src="main.js"></script>',
    "main.js": `import * as component from "./${file}";\nglobalThis.component = component;\n`,
    "uploader.js": sample("uploader.js").replace("{ provider }", '{ provider: { name: "s3" } }'),
    [file]: sample(file),
  };
  for (const [path, text] of Object.entries(files)) await writeFile(folder + path, text);
  return { folder, said: await built(name, folder) };
}

/** Builds the app in a folder; gives what Vite said. */
async function built(name, folder) {
  await provide(name, folder);
  // React's StrictMode does something in development alone.
  process.env.NODE_ENV = "development";
  const said = [];
  const note = (line) => void said.push(line);
  const customLogger = { info: note, warn: note, warnOnce: note, error: note, clearScreen() {}, hasErrorLogged: () => false, hasWarned: false };
  await build({ root: folder, configFile: false, customLogger, plugins: APPS[name].plugins(), build: { target: "es2022" } });
  return said;
}

/** Gives an app the packages of its framework. */
export async function provide(name, folder) {
  for (const [dependency, place] of Object.entries(APPS[name].packages)) {
    await rm(`${folder}node_modules/${dependency}`, { recursive: true, force: true });
    await cp(`${here}node_modules/${place}`, `${folder}node_modules/${dependency}`, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const [name, port, sandbox] = process.argv.slice(2);
  if (!Object.hasOwn(APPS, name) || !/^\d+$/.test(port ?? "") || !sandbox) {
    console.error("usage: node frameworks.mjs react18|react19|vue|svelte PORT http://127.0.0.1:8787");
    process.exit(2);
  }
  const { folder } = await buildApp(name);
  const proxy = Object.fromEntries(["/api", "/config.json", "/objects", "/control"].map((path) => [path, sandbox]));
  const server = await preview({
    root: folder,
    configFile: false,
    logLevel: "error",
    preview: { host: "127.0.0.1", port: Number(port), strictPort: port !== "0", proxy },
  });
  console.log(JSON.stringify({ url: server.resolvedUrls.local[0] }));
}
