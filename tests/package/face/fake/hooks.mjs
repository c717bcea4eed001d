// Puts the fakes in the place of what the build generates. A module that is imported with `?fresh=…` gets its own copies of what
// it imports, as on a page of its own.
const FAKES = { "./dist/partway.js": "./partway.js", "./dist/partway_inline.js": "./inline.js" };
/** Where the wasm is said to be on a server, and not in a file. */
const SERVED = { "./own.js": "./own.js" };

export async function resolve(specifier, context, next) {
  const fake = FAKES[specifier] ?? (/&served$/.test(context.parentURL ?? "") ? SERVED[specifier] : undefined);
  if (fake) return { url: new URL(fake, import.meta.url).href, shortCircuit: true };
  const fresh = /\?fresh=.*/.exec(context.parentURL ?? "");
  return next(fresh && /^\.\.?\//.test(specifier) ? specifier + fresh[0] : specifier, context);
}
