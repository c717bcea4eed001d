// The tarball as npm would publish it: its files, and what a server sees of it.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";

import { app, here, manifest, node } from "../project.mjs";
import { test } from "../report.mjs";

const FILES = ["README.md", "dist/inline.js", "dist/partway_bg.wasm", "index.d.ts", "index.js", "index.js.map", "package.json"];

export async function packed() {
  const folder = await app("node", undefined);
  const installed = `${folder}node_modules/partway/`;

  await test("packed: the files that are meant, and licences, and no others", async () => {
    const entries = await readdir(installed, { recursive: true, withFileTypes: true });
    const found = entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.replaceAll("//", "/").replace(installed, ""));
    assert.deepEqual(found.filter((name) => !name.startsWith("LICENSE")).sort(), FILES);
  });

  await test("packed: the manifest is what bundlers and compilers want", async () => {
    const { type, sideEffects, exports, dependencies, scripts } = JSON.parse(await readFile(`${installed}package.json`, "utf8"));
    assert.equal(type, "module");
    assert.equal(sideEffects, false);
    assert.equal(Object.keys(exports["."])[0], "types");
    assert.deepEqual([dependencies, scripts], [undefined, undefined]);
    for (const target of [...Object.values(exports["."]), exports["./partway_bg.wasm"]]) await readFile(installed + target);
  });

  await test("packed: nothing in it names a folder of the machine that built it", async () => {
    const home = process.env.HOME;
    for (const name of FILES) {
      const text = await readFile(installed + name, "latin1");
      for (const folder of [here, home, ".cargo/registry"])
        assert.ok(!folder || folder === "/" || !text.includes(folder), `${name} names ${folder}`);
    }
  });

  await test("packed: bundlers see one address of the wasm, and one lazy copy", async () => {
    const text = await readFile(`${installed}index.js`, "utf8");
    assert.deepEqual(text.match(/new URL\([^)]*import\.meta\.url\)/g), ['new URL("./dist/partway_bg.wasm",import.meta.url)']);
    assert.equal(text.match(/import\.meta/g).length, 1);
    assert.deepEqual(text.match(/import\([^)]*\)/g), ['import("./dist/inline.js")']);
  });

  const script = async (name, lines) => {
    await writeFile(`${folder}${name}.mjs`, lines);
    const { ok, stdout, stderr } = await node([`${name}.mjs`], { cwd: folder });
    assert.ok(ok, stderr + stdout);
    return stdout.trim();
  };

  await test("packed: a server can import it, and nothing happens then", async () => {
    const output = await script(
      "server",
      `
      const touched = [];
      for (const name of ["window", "document", "self", "location", "XMLHttpRequest", "indexedDB", "fetch"]) {
        Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
      }
      for (const name of Object.getOwnPropertyNames(WebAssembly)) {
        if (name !== "constructor") Object.defineProperty(WebAssembly, name, { configurable: true, get: () => void touched.push(name) });
      }
      const { Uploader, UploadError, load, version } = await import("partway");
      new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(JSON.stringify({ touched, version, types: [typeof Uploader, typeof UploadError, typeof load] }));
      `,
    );
    assert.deepEqual(JSON.parse(output), { touched: [], version: manifest.version, types: ["function", "function", "function"] });
  });

  await test("packed: wrong options throw without the wasm", async () => {
    const output = await script(
      "options",
      `
      import { Uploader, UploadError } from "partway";
      try {
        new Uploader({ provider: { name: "s4" } });
      } catch (error) {
        console.log(error instanceof UploadError, error.code);
      }
      `,
    );
    assert.equal(output, "true invalid-options");
  });

  await test("packed: face and wasm are of one piece: a file goes in parts to where a plan says", async () => {
    const output = await script(
      "upload",
      `
      import { createServer } from "node:http";
      import { Uploader, UploadError } from "partway";
      const stored = new Map();
      const server = createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        stored.set(request.url, Buffer.concat(chunks).toString());
        response.setHeader("etag", '"' + request.url.slice(1) + '"').end();
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const base = "http://127.0.0.1:" + server.address().port;
      let completed;
      const uploader = new Uploader({
        provider: {
          name: "plan",
          open: async ({ size }) => ({
            uploadId: "u",
            parts: [
              { partNumber: 1, uploadUrl: base + "/1", byteRange: { start: 0, end: 2 } },
              { partNumber: 2, byteRange: { start: 3, end: size - 1 } },
            ],
          }),
          sign: async (plan, partNumbers) => partNumbers.map((partNumber) => ({ partNumber, uploadUrl: base + "/" + partNumber })),
          complete: async (plan, parts) => {
            completed = parts;
            return { mediaId: "7" };
          },
        },
        integrity: "off",
        retry: { attempts: 1 },
        accept: false,
      });
      const statuses = [];
      const upload = uploader.upload(new Blob(["abcdefg"]), { filename: "a.txt", onStatus: (status) => statuses.push(status) });
      const { mediaId, bytes, parts } = await upload.done;
      const refused = await uploader.upload(new Blob(["x"]), { provider: { open: () => Promise.reject(new UploadError("forbidden", "No.")) } }).done.catch((error) => error);
      uploader.close();
      server.close();
      server.closeAllConnections();
      console.log(JSON.stringify({ mediaId, bytes, parts, completed, statuses, stored: Object.fromEntries([...stored].sort()), refused: [refused instanceof UploadError, refused.code] }));
      `,
    );
    assert.deepEqual(JSON.parse(output), {
      mediaId: "7",
      bytes: 7,
      parts: 2,
      completed: [
        { partNumber: 1, etag: '"1"' },
        { partNumber: 2, etag: '"2"' },
      ],
      statuses: ["checking", "opening", "sending", "completing", "done"],
      stored: { "/1": "abc", "/2": "defg" },
      refused: [true, "forbidden"],
    });
  });

  await test("packed: the wasm runs from the file, and from the copy where there is no file", async () => {
    const output = await script(
      "load",
      `
      import { readFile } from "node:fs/promises";
      const one = await import("partway");
      await one.load(await readFile(new URL(import.meta.resolve("partway/partway_bg.wasm"))));
      const other = await import(import.meta.resolve("partway") + "?other");
      await other.load();
      console.log("both");
      `,
    );
    assert.equal(output, "both");
  });
}
