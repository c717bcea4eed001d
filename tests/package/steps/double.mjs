// The double for applications' tests, as these use it: a React component under Vitest and Jest, in jsdom.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

import { transform } from "esbuild";

import { provide } from "../frameworks.mjs";
import { app, here, node } from "../project.mjs";
import { test } from "../report.mjs";

const JEST_JSDOM = `${here}node_modules/jest-environment-jsdom`;
const RUNNERS = {
  Vitest: [`${here}node_modules/vitest/vitest.mjs`, "run", "--root", ".", "--environment", "jsdom"],
  Jest: [`${here}node_modules/jest/bin/jest.js`, "--rootDir", ".", "--env", JEST_JSDOM, "--no-cache"],
};

export async function double() {
  const folder = await app("double", "testing");
  await provide("react19", folder);
  const { code } = await transform(await readFile(`${folder}files.mjs`, "utf8"), { format: "cjs" });
  await writeFile(`${folder}files.cjs`, code);
  for (const [name, command] of Object.entries(RUNNERS)) {
    await test(`double: a component's tests under ${name}`, async () => {
      const env = { ...process.env, CI: "1", NO_COLOR: "1" };
      const { ok, stdout, stderr } = await node(command, { cwd: folder, env });
      assert.ok(ok, stdout + stderr);
      assert.match(stdout + stderr, /Tests:?\s+12 passed/);
      assert.doesNotMatch(stdout + stderr, /not wrapped in act/);
    });
  }

  await test("double: it has no wasm, and every name of the package", async () => {
    const script = await readFile(`${folder}node_modules/partway/testing.js`, "utf8");
    assert.doesNotMatch(script, /import\.meta|\.wasm"|_inline/);
    const names = `
      import * as partway from "partway";
      import * as testing from "partway/testing";
      console.log(JSON.stringify([Object.keys(partway), Object.keys(testing).filter((name) => name !== "script")]));`;
    await writeFile(`${folder}names.mjs`, names);
    const { stdout, stderr } = await node(["names.mjs"], { cwd: folder });
    const [real, doubled] = JSON.parse(stdout || assert.fail(stderr));
    assert.deepEqual(doubled, real);
  });
}
