// Puts the fakes in the place of what the build generates.
const FAKES = { "./dist/partway.js": "./partway.js", "./dist/inline.js": "./inline.js" };

export async function resolve(specifier, context, next) {
  const fake = FAKES[specifier];
  return fake ? { url: new URL(fake, import.meta.url).href, shortCircuit: true } : next(specifier, context);
}
