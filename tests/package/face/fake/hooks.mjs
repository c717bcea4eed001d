// Runs the sources of the face, with fakes in place of generated files. A module that is imported with `?fresh=…` gets
// its own copies of what it imports, as on a page of its own.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

const FAKES = { "./dist/partway.js": "./partway.js", "./dist/partway_inline.js": "./inline.js", "../dist/hash_source.js": "./source.js" };
/** What the build bundles is run from its sources. */
const SOURCES = {
  "./dist/hashing.js": "../../../../pkg/hashing/page.ts",
  "./dist/sessions.js": "../../../../pkg/sessions/index.ts",
  "./dist/view.js": "../../../../pkg/view/index.ts",
  "../dist/view.js": "../../../../pkg/view/index.ts",
};
/** Where the wasm is on a server, and not in a file. */
const SERVED = { "../entry.ts": "./entry.js" };

export async function resolve(specifier, context, next) {
  const [fresh = ""] = /\?fresh=.*/.exec(context.parentURL ?? "") ?? [];
  if (FAKES[specifier]) return { url: new URL(FAKES[specifier], import.meta.url).href, shortCircuit: true };
  if (SOURCES[specifier]) return { url: new URL(SOURCES[specifier], import.meta.url).href + fresh, shortCircuit: true };
  const served = fresh.endsWith("&served") && SERVED[specifier];
  if (served) return { url: new URL(served, import.meta.url).href + fresh, shortCircuit: true };
  return next(/^\.\.?\//.test(specifier) ? specifier + fresh : specifier, context);
}

export async function load(url, context, next) {
  const { pathname } = new URL(url);
  if (!pathname.endsWith(".ts")) return next(url, context);
  const file = fileURLToPath(url.replace(/\?.*/, ""));
  const { code } = await transform(await readFile(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "es2022",
    sourcefile: file,
    sourcemap: "inline",
  });
  return { format: "module", source: code, shortCircuit: true };
}
