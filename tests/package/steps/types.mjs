// The declarations under `tsc --strict`, by the current compiler and the one before, and both ways of resolving a package.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";

import { provide } from "../frameworks.mjs";
import { app, here, node, root } from "../project.mjs";
import { test } from "../report.mjs";

const COMPILERS = ["typescript", "typescript5"];
const RESOLUTIONS = [
  ["bundler", "esnext"],
  ["nodenext", "nodenext"],
];

export async function types() {
  const folder = await app("types", undefined);
  await cp(`${here}types`, `${folder}types`, { recursive: true });
  // The declarations of `partway/vue` name its types.
  await provide("vue", folder);

  const check = (compiler, [resolution, module]) =>
    node([`${here}node_modules/${compiler}/bin/tsc`, "--project", "types", "--moduleResolution", resolution, "--module", module], {
      cwd: folder,
    });

  for (const compiler of COMPILERS) {
    for (const way of RESOLUTIONS) {
      await test(`types: right uses compile, wrong ones don't (${compiler}, ${way[0]})`, async () => {
        const { ok, stdout, stderr } = await check(compiler, way);
        assert.ok(ok, stdout + stderr);
      });
    }
  }

  for (const compiler of COMPILERS) {
    await test(`types: what require gives has the same (${compiler})`, async () => {
      const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
      const { ok, stdout, stderr } = await node([`${here}node_modules/${compiler}/bin/tsc`, ...options, "types/required.cts"], {
        cwd: folder,
      });
      assert.ok(ok, stdout + stderr);
    });
  }

  await test("types: every sample of the README compiles", async () => {
    const readme = await readFile(`${root}pkg/README.md`, "utf8");
    const samples = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, sample]) => sample);
    assert.ok(samples.length > 8, `${samples.length} samples`);
    await mkdir(`${folder}readme`);
    for (const [index, sample] of samples.entries()) {
      const body = /^import .*Uploader/m.test(sample) ? sample : `import { Uploader } from "partway";\n${sample}`;
      await writeFile(`${folder}readme/sample${index + 1}.js`, body);
    }
    const options = {
      checkJs: true,
      strict: true,
      noImplicitAny: false,
      useUnknownInCatchVariables: false,
      noEmit: true,
      target: "es2022",
      module: "esnext",
      moduleResolution: "bundler",
      types: [],
    };
    await writeFile(`${folder}readme/tsconfig.json`, JSON.stringify({ compilerOptions: options, include: ["*.js", "../types/*.d.ts"] }));
    const { ok, stdout, stderr } = await node([`${here}node_modules/typescript/bin/tsc`, "--project", "readme"], { cwd: folder });
    assert.ok(ok, stdout + stderr);
  });

  await test("types: the samples can fail", async () => {
    await cp(`${folder}node_modules/partway/index.d.ts`, `${folder}index.d.ts.kept`);
    try {
      await rm(`${folder}node_modules/partway/index.d.ts`);
      const { ok, stdout } = await check("typescript", RESOLUTIONS[0]);
      assert.equal(ok, false);
      assert.match(stdout, /right\.ts.*TS7016/s);
    } finally {
      await cp(`${folder}index.d.ts.kept`, `${folder}node_modules/partway/index.d.ts`);
    }
  });
}
