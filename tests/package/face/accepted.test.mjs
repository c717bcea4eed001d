import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Uploader } from "./harness.mjs";

const taken = JSON.parse(await readFile(new URL("../../options/taken.json", import.meta.url), "utf8"));
const FUNCTIONS = { s3: { getCredentials: async () => ({}) }, plan: { open: async () => ({ parts: [] }) } };

// The engine is held against the same list (tests/simulation/tests/suite/options.rs).
for (const options of taken) {
  test(`taken: ${JSON.stringify(options)}`, () => {
    new Uploader({ ...options, provider: { ...options.provider, ...FUNCTIONS[options.provider.name] } });
  });
}
