// The tarball as npm would publish it: its files, and what loads on a server.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";

import { ENTRIES, INLINE, VIEWS, app, here, manifest, node } from "../project.mjs";
import { test } from "../report.mjs";

/** Each entry's script, and the engine that it loads. */
const SCRIPTS = [["index", "partway"], ...ENTRIES.map((name) => [name, name])];
const FILES = [
  "README.md",
  "dist/hash_worker.js",
  "dist/hashing.js",
  "dist/hashing_inline.js",
  "dist/sessions.js",
  "dist/view.js",
  "package.json",
  ...VIEWS.flatMap((name) => ["cjs", "d.cts", "d.ts", "js"].map((extension) => `${name}.${extension}`)),
  ...SCRIPTS.flatMap(([script, engine]) => [
    ...["cjs", "d.cts", "d.ts", "js", "js.map"].map((extension) => `${script}.${extension}`),
    ...["bg.wasm", "inline.cjs", "inline.js"].map((rest) => `dist/${engine}_${rest}`),
  ]),
  ...[...INLINE.keys()].flatMap((name) => [`${name}.d.ts`, `${name}.js`]),
].sort();

/** For each entry: what it must be told, and how an upload ends that reached its destination's own code. */
const REACHED = {
  ofauth: ['{ baseUrl: "http://127.0.0.1/api" }', "unauthorized"],
  onlymonster: ['{ baseUrl: "http://127.0.0.1/api", accountId: "1", exportType: "post" }', "unauthorized"],
  apifansly: ['{ baseUrl: "http://127.0.0.1/api", accountId: "a" }', "unauthorized"],
  s3: ['{ bucket: "bucket", region: "us-east-1", key: "k", getCredentials() { throw new Error("none") } }', "application"],
  form: ['{ url: "http://127.0.0.1/api" }', "unauthorized"],
  plan: ['{ open() { throw new Error("none") } }', "application"],
};

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
    const packed = JSON.parse(await readFile(`${installed}package.json`, "utf8"));
    const { type, sideEffects, exports, dependencies, scripts, peerDependencies, peerDependenciesMeta } = packed;
    assert.equal(type, "module");
    assert.equal(sideEffects, false);
    assert.deepEqual([dependencies, scripts], [undefined, undefined]);
    // Whoever has no React gets none.
    const optional = Object.fromEntries(Object.keys(peerDependencies).map((name) => [name, { optional: true }]));
    assert.deepEqual(peerDependenciesMeta, optional);
    for (const target of Object.values(exports)) {
      if (typeof target !== "object") {
        await readFile(installed + target);
        continue;
      }
      // The first that fits is taken.
      assert.deepEqual(
        [Object.keys(target), Object.keys(target.require)],
        [
          ["require", "types", "default"],
          ["types", "default"],
        ],
      );
      for (const path of [...Object.values(target.require), target.types, target.default]) await readFile(installed + path);
    }
  });

  await test("packed: nothing in it names a folder of the machine that built it", async () => {
    const home = process.env.HOME;
    for (const name of FILES) {
      const text = await readFile(installed + name, "latin1");
      for (const folder of [here, home, ".cargo/registry"])
        assert.ok(!folder || folder === "/" || !text.includes(folder), `${name} names ${folder}`);
    }
  });

  for (const [name, engine] of SCRIPTS) {
    await test(`packed: bundlers see one address of a wasm in ${name}.js, one lazy copy, what keeps sessions and what hashes`, async () => {
      const text = await readFile(`${installed}${name}.js`, "utf8");
      assert.deepEqual(text.match(/new URL\([^)]*import\.meta\.url\)/g), [`new URL("./dist/${engine}_bg.wasm",import.meta.url)`]);
      assert.equal(text.match(/import\.meta/g).length, 1);
      const shared = [...text.matchAll(/\bfrom"([^"]*)"/g)].map(([, path]) => path);
      assert.deepEqual(shared, ["./dist/view.js", "./dist/view.js"], "drop zone and store are a script of their own");
      assert.deepEqual(text.match(/import\([^)]*\)/g).sort(), ['import("./dist/hashing.js")', 'import("./dist/sessions.js")', `import("./dist/${engine}_inline.js")`].sort());
    });
  }

  for (const [name, engine] of SCRIPTS) {
    await test(`packed: ${name}.cjs has no import.meta, and one lazy copy`, async () => {
      const text = await readFile(`${installed}${name}.cjs`, "utf8");
      assert.doesNotMatch(text, /import\.meta|\bimport\(/);
      assert.deepEqual(text.match(/require\([^)]*\)/g), [`require("./dist/${engine}_inline.cjs")`]);
    });
  }

  for (const [name, entry] of INLINE) {
    await test(`packed: ${name}.js has no address and loads nothing later`, async () => {
      const text = await readFile(`${installed}${name}.js`, "utf8");
      const engine = entry === "index" ? "partway" : entry;
      const imported = [...text.matchAll(/\bfrom"([^"]*)"/g)].map(([, path]) => path);
      assert.deepEqual([...new Set(imported)].sort(), ["./dist/hashing_inline.js", "./dist/view.js", `./dist/${engine}_inline.js`].sort());
      for (const path of [`${name}.js`, ...imported]) assert.doesNotMatch(await readFile(installed + path, "utf8"), /import\.meta|\bimport\(/, path);
      const { require, ...own } = manifest.exports[`./${name}`];
      assert.deepEqual(require, manifest.exports[entry === "index" ? "." : `./${entry}`].require);
      assert.deepEqual(own, { types: `./${name}.d.ts`, default: `./${name}.js` });
    });
  }

  await test("packed: what takes files in and shows uploads stands by itself, once", async () => {
    const view = await readFile(`${installed}dist/view.js`, "utf8");
    assert.doesNotMatch(view, /\bfrom"|import\(|import\.meta/);
    assert.match(view, /dragenter.*getServerSnapshot:\(\)=>|getServerSnapshot:\(\)=>.*dragenter/s);
    for (const name of ["index", ...VIEWS]) assert.doesNotMatch(await readFile(`${installed}${name}.js`, "utf8"), /dragenter|getServerSnapshot:\(\)=>/, name);
  });

  const script = async (name, lines) => {
    await writeFile(`${folder}${name}.mjs`, lines);
    const { ok, stdout, stderr } = await node([`${name}.mjs`], { cwd: folder });
    assert.ok(ok, stderr + stdout);
    return stdout.trim();
  };

  for (const [how, taken] of [
    ["import", 'await import("partway")'],
    ["require", '(await import("node:module")).createRequire(import.meta.url)("partway")'],
  ]) {
    await test(`packed: a server can ${how} it, and nothing happens then`, async () => {
      const output = await script(
        `server-${how}`,
        `
        const touched = [];
        const names = ["window", "document", "self", "location", "navigator", "XMLHttpRequest", "indexedDB", "fetch"];
        for (const name of [...names, "TextDecoder", "TextEncoder", "crypto", "Blob", "File", "Headers", "Response", "Request"]) {
          Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
        }
        for (const name of Object.getOwnPropertyNames(WebAssembly)) {
          if (name !== "constructor") Object.defineProperty(WebAssembly, name, { configurable: true, get: () => void touched.push(name) });
        }
        const { Uploader, UploadError, load, version } = ${taken};
        new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
        await new Promise((resolve) => setTimeout(resolve, 50));
        console.log(JSON.stringify({ touched, version, types: [typeof Uploader, typeof UploadError, typeof load] }));
        `,
      );
      assert.deepEqual(JSON.parse(output), { touched: [], version: manifest.version, types: ["function", "function", "function"] });
    });
  }

  await test("packed: an UploadError is one, whichever entry it came from and however that was loaded", async () => {
    const output = await script(
      "errors",
      `
      import { createRequire } from "node:module";
      const entries = ${JSON.stringify(SCRIPTS.map(([name]) => (name === "index" ? "partway" : `partway/${name}`)))};
      const require = createRequire(import.meta.url);
      const classes = [];
      for (const entry of entries) classes.push((await import(entry)).UploadError, require(entry).UploadError);
      const all = classes.every((One) => classes.every((Other) => new One("server", "x") instanceof Other));
      console.log(new Set(classes).size, all, new Error("x") instanceof classes[0]);
      `,
    );
    assert.equal(output, `${2 * SCRIPTS.length} true false`);
  });

  await test("packed: a page that was read as JSON is said as one, soon", async () => {
    const output = await script(
      "page",
      `
      import { Uploader } from "partway";
      let calls = 0;
      const getCredentials = async () => {
        calls += 1;
        return JSON.parse("<!doctype html>");
      };
      const uploader = new Uploader({ provider: { name: "s3", bucket: "bucket", region: "us-east-1", key: "k", getCredentials }, retry: { baseMs: 1 } });
      const page = await uploader.upload(new Blob(["x"]), { filename: "a.txt" }).done.catch((error) => error);
      const asked = calls;
      const settings = { getCredentials: async () => undefined.accessKeyId };
      const mistake = await uploader.upload(new Blob(["x"]), { filename: "a.txt", provider: settings }).done.catch((error) => error);
      console.log(JSON.stringify({ asked, page: [page.code, page.message, page.hint], mistake: [mistake.code, mistake.message] }));
      `,
    );
    const { asked, page, mistake } = JSON.parse(output);
    assert.equal(asked, 3);
    assert.equal(page[0], "application");
    assert.match(page[1], /HTML page/);
    assert.match(page[2], /response\.ok/);
    assert.equal(mistake[0], "application");
    assert.match(mistake[1], /`getCredentials` has a mistake: Cannot read properties of undefined/);
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

  for (const entry of ENTRIES) {
    await test(`packed: partway/${entry} has its destination, and no other`, async () => {
      const [options, code] = REACHED[entry];
      const other = ENTRIES.find((name) => name !== entry);
      const output = await script(
        `entry-${entry}`,
        `
        import { Uploader, version } from "partway/${entry}";
        const uploader = new Uploader({
          provider: { name: "${entry}", ...${options} },
          fetch: async () => Response.json({}, { status: 401 }),
          accept: false,
        });
        const reached = await uploader.upload(new Blob(["x"]), { filename: "a.mp4" }).done.catch(({ code }) => code);
        uploader.close();
        let refused;
        try {
          new Uploader({ provider: { name: "${other}" } });
        } catch ({ code, message, hint }) {
          refused = [code, message.includes('"${entry}"'), hint.includes('"partway"')];
        }
        console.log(JSON.stringify({ reached, refused, version }));
        `,
      );
      assert.deepEqual(JSON.parse(output), { reached: code, refused: ["invalid-options", true, true], version: manifest.version });
    });
  }

  for (const [name, engine] of SCRIPTS) {
    const entry = name === "index" ? "partway" : `partway/${name}`;
    await test(`packed: the wasm of ${entry} runs from the file, and from the copy where there is no file`, async () => {
      const output = await script(
        `load-${engine}`,
        `
        import { readFile } from "node:fs/promises";
        let warned = 0;
        console.warn = () => void (warned += 1);
        const one = await import("${entry}");
        await one.load(await readFile(new URL(import.meta.resolve("partway/${engine}_bg.wasm"))));
        const other = await import(import.meta.resolve("${entry}") + "?other");
        await other.load();
        const { createRequire } = await import("node:module");
        await createRequire(import.meta.url)("${entry}").load();
        await (await import("partway/${name === "index" ? "inline" : `${name}-inline`}")).load();
        console.log("all four, " + warned + " warnings");
        `,
      );
      // The same entry again, as a reload of the module has it, has nothing to be warned of.
      assert.equal(output, "all four, 0 warnings");
    });
  }

  await test("packed: engines of two entries are warned of, once, when the second one is loaded", async () => {
    const output = await script(
      "two-engines",
      `
      const warned = [];
      console.warn = (line) => void warned.push(line);
      const [whole, s3, plan] = [await import("partway"), await import("partway/s3"), await import("partway/plan")];
      await s3.load();
      await s3.load();
      const before = warned.length;
      await whole.load();
      await (await import(import.meta.resolve("partway") + "?reloaded")).load();
      await plan.load();
      console.log(JSON.stringify({ before, warned }));
      `,
    );
    const { before, warned } = JSON.parse(output);
    assert.deepEqual([before, warned.length], [0, 1]);
    assert.match(warned[0], /^partway: partway\/s3 and partway have an engine each, and share no slots\. Import everything from one of them; partway has all/);
  });
}
