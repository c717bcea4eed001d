// The face's sources: the compiler accepts them, it finds each difference from the declarations, and their
// imports make no circle.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { posix } from "node:path";

import { here, node, root } from "../project.mjs";
import { test } from "../report.mjs";

const PKG = `${root}pkg/`;
const COMPILERS = ["typescript", "typescript5"];

/** A change on one side only, and what the compiler must name. */
const CHANGES = [
  ["a method that only the declarations have", "index.d.ts", "  close(): void;", "  close(): void;\n  flush(): void;", /flush/],
  ["a method that only the code has", "api/upload.ts", "  pause(): void {", "  flush(): void {}\n\n  pause(): void {", /"flush"/],
  ["a parameter more in the declarations", "index.d.ts", "  pause(): void;", "  pause(reason?: string): void;", /"pause"/],
  ["a member that is read only in the code alone", "index.d.ts", "  readonly status: UploadStatus;", "  status: UploadStatus;", /"status"/],
  [
    "an export that only the code has",
    "index.ts",
    "export { version }",
    'export { hex } from "./util/hex.ts";\nexport { version }',
    /"hex"/,
  ],
  ["another parameter of load()", "api/load.ts", "load(source?: WasmSource)", "load(source?: string)", /contract\.ts.*false/s],
  [
    "an uploader's option without a check",
    "index.d.ts",
    "  stallMs?: number | undefined;",
    "  stallMs?: number | undefined;\n  idleMs?: number;",
    /idleMs/,
  ],
  ["an upload's option without a check", "options/upload.ts", "    filename: nonEmptyString,\n", "", /filename/],
  ["a group's option without a check", "options/upload.ts", "maxTotalBytes: number(), ", "", /maxTotalBytes/],
  ["a method of a group that only the code has", "api/group.ts", "  pause(): void {", "  flush(): void {}\n\n  pause(): void {", /"flush"/],
  ["a provider's option without a check", "options/providers/s3.ts", "    ifNoneMatch: boolean,\n", "", /ifNoneMatch/],
  ["a check without an option", "options/providers/plan.ts", "abort: method }", "abort: method, close: method }", /close/],
  [
    "a check without an option of all vendors",
    "options/providers/vendor.ts",
    "baseUrl: nonEmptyString,",
    "baseUrl: nonEmptyString, proxyUrl: nonEmptyString,",
    /proxyUrl/,
  ],
  [
    "an option that is required in the declarations alone",
    "index.d.ts",
    "  connectionId?: string | undefined;",
    "  connectionId: string;",
    /ofauth\.ts.*connectionId/s,
  ],
  [
    "an option that is required by its check alone",
    "options/providers/s3.ts",
    "    region,\n",
    "    region,\n    endpoint: url,\n",
    /endpoint/,
  ],
  ["a value that its check refuses", "options/uploader.ts", 'oneOf("auto", "fetch", "xhr")', 'oneOf("auto", "fetch")', /xhr/],
  ["a value that only its check accepts", "options/uploader.ts", '"require"),', '"require", "always"),', /always/],
  ["a provider without checks", "entry.ts", "apifansly, s3, plan, form };", "apifansly, s3, form };", /contract\.ts.*false/s],
  ["a retryable code that isn't declared", "index.d.ts", '  | "stalled"\n', "", /stalled/],
  [
    "a detail of errors that only the declarations have",
    "index.d.ts",
    "  hint?: string | undefined;\n  cause",
    "  hint?: string | undefined;\n  url?: string;\n  cause",
    /contract\.ts.*false/s,
  ],
  [
    "a method that only the wasm exports",
    "dist/partway.d.ts",
    "    pause(): void;",
    "    pause(): void;\n    flush(): void;",
    /contract\.ts.*false/s,
  ],
  ["a method that the wasm doesn't export", "dist/partway.d.ts", "    resume(): void;\n", "", /resume/],
  [
    "a parameter more in the wasm",
    "dist/partway.d.ts",
    "sink: Function)",
    "sink: Function, more: any)",
    /Expected|Target signature|glue\.ts/,
  ],
  [
    "a function that only the wasm exports",
    "dist/partway.d.ts",
    "export function version(",
    "export function name(): string;\nexport function version(",
    /contract\.ts.*false/s,
  ],
  [
    "an option of drop zones without a check",
    "index.d.ts",
    "  paste?: boolean | undefined;",
    "  paste?: boolean | undefined;\n  limit?: number;",
    /dropzone\.ts.*limit/s,
  ],
  ["an action that only the declarations have", "index.d.ts", "  clear(): void;", "  clear(): void;\n  shuffle(): void;", /shuffle/],
  ["another parameter of a hook", "react.ts", "id: string)", "id: number)", /./],
  ["an export that only a hook's code has", "vue.ts", "function follow<", "export function follow<", /"follow"/],
  ["a method of scripts that only the declarations have", "testing.d.ts", "  reset(): void;", "  reset(): void;\n  stop(): void;", /contract\.ts.*false/s],
];

export async function source() {
  for (const compiler of COMPILERS) {
    await test(`source: tsc has nothing to say (${compiler})`, async () => {
      const { ok, stdout, stderr } = await compile(compiler, PKG);
      assert.ok(ok, stdout + stderr);
    });
  }

  const folder = `${root}target/package-tests/source/`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of await sources()) await cp(PKG + name, folder + name);
  for (const name of ["package.json", "tsconfig.json"]) await cp(PKG + name, folder + name);

  for (const [what, file, from, to, named] of CHANGES) {
    await test(`source: tsc finds ${what}`, async () => {
      const before = await readFile(folder + file, "utf8");
      assert.ok(before.includes(from), `${file} has no ${from}`);
      await writeFile(
        folder + file,
        before.replace(from, () => to),
      );
      try {
        const { ok, stdout } = await compile(COMPILERS[0], folder);
        assert.equal(ok, false, "it compiles");
        assert.match(stdout, named);
      } finally {
        await writeFile(folder + file, before);
      }
    });
  }

  await test("source: the changes alone make it fail", async () => {
    const { ok, stdout } = await compile(COMPILERS[0], folder);
    assert.ok(ok, stdout);
  });

  await test("source: no circle of imports", async () => {
    const imports = new Map();
    for (const name of (await sources()).filter((name) => !name.startsWith("dist/"))) {
      const text = await readFile(PKG + name, "utf8");
      const found = [...text.matchAll(/(?:^|\n)(?:import|export)[^;"]*?"(\.[^"]+\.ts)"/g)].map(([, specifier]) => specifier);
      imports.set(
        name,
        found.map((specifier) => posix.join(posix.dirname(name), specifier)),
      );
    }
    assert.deepEqual(circle(imports), undefined);
    // The check finds a circle.
    assert.deepEqual(
      circle(
        new Map([
          ["a", ["b"]],
          ["b", ["c", "d"]],
          ["c", []],
          ["d", ["a"]],
        ]),
      ),
      ["a", "b", "d", "a"],
    );
    assert.ok(imports.get("index.ts").includes("api/uploader.ts") && imports.get("api/upload.ts").includes("sessions/port.ts"));
  });
}

function compile(compiler, folder) {
  return node([`${here}node_modules/${compiler}/bin/tsc`, "--project", folder]);
}

/** The TypeScript files, declarations included. */
async function sources() {
  const names = await readdir(PKG, { recursive: true });
  return names.map((name) => name.replaceAll("\\", "/")).filter((name) => name.endsWith(".ts"));
}

/** The files of a circle, the first one once more at the end. */
function circle(imports) {
  const done = new Set();
  const visit = (name, path) => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of imports.get(name) ?? []) {
      const found = visit(next, [...path, name]);
      if (found) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const name of imports.keys()) {
    const found = visit(name, []);
    if (found) return found;
  }
  return undefined;
}
