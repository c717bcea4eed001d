// The engine itself, in Node: the fake one of the face's tests has its exports, and it accepts the options that the face does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import * as fake from "../face/fake/partway.js";
import { root } from "../project.mjs";
import { test } from "../report.mjs";

/** What wasm-bindgen's glue has for its own ways of loading, which the face doesn't use. */
const LOADING = ["default", "initSync"];
/** What its classes have for its own use. */
const INTERNAL = ["constructor", "__destroy_into_raw"];

const WITH_FUNCTIONS = { s3: { getCredentials: fails }, plan: { open: fails } };

async function fails() {
  throw new Error("not in this test");
}

export async function engine() {
  const glue = await import(`${root}pkg/dist/partway.js`);

  await test("engine: the fake one exports what the glue does", () => {
    const names = Object.keys(glue).filter((name) => !LOADING.includes(name));
    assert.deepEqual(
      Object.keys(fake)
        .filter((name) => name !== "core")
        .sort(),
      names.sort(),
    );
    for (const name of names.filter((name) => !isClass(glue[name]))) assert.equal(fake[name].length, glue[name].length, name);
  });

  await test("engine: the fake one's classes have the methods of the glue's, with as many parameters", () => {
    const names = Object.keys(glue).filter((name) => isClass(glue[name]));
    assert.deepEqual(names.sort(), ["Engine", "Task"]);
    for (const name of names) assert.deepEqual(methods(fake[name]), methods(glue[name]), name);
    assert.equal(fake.Engine.length, glue.Engine.length);
  });

  await glue.start(await WebAssembly.compile(await readFile(`${root}pkg/dist/partway_bg.wasm`)));
  const accepted = JSON.parse(await readFile(`${root}tests/options/taken.json`, "utf8"));
  // The base of a page's relative URLs.
  globalThis.location = { href: "https://app.example/", origin: "https://app.example" };

  await test(`engine: all of the ${accepted.length} options that the face accepts`, async () => {
    assert.ok(accepted.length > 30);
    for (const options of accepted) {
      // A new instance has made no call that a rate limit would count.
      glue.__wbg_reset_state();
      const error = await ends(glue, withFunctions(options));
      assert.ok(
        ["application", "unauthorized", "file-rejected"].includes(error.code),
        `${JSON.stringify(options)}: ${error.code}, ${error.message}`,
      );
    }
  });

  await test("engine: what it doesn't accept ends otherwise", async () => {
    assert.throws(() => new glue.Engine({ provider: { name: "plan" }, concurrency: "many" }), { code: "invalid-options" });
    const provider = { name: "onlymonster", baseUrl: "/api", accountId: 1001, exportType: "post" };
    assert.equal((await ends(glue, { provider })).code, "invalid-options");
  });
}

/** How an upload of one byte ends whose requests and functions all fail. */
async function ends(glue, options) {
  const fetch = async () => Response.json({}, { status: 401 });
  // One attempt, unless the options say how many.
  const engine = new glue.Engine({ retry: { attempts: 1 }, ...options, fetch });
  const source = { file: new Blob(["x"]), name: "a.mp4", size: 1, type: "video/mp4" };
  const error = await new Promise((resolve, reject) => {
    engine.start(source, options.provider, {}, (type, detail) => {
      if (type === "error") resolve(detail);
      else if (type === "complete") reject(new Error("it succeeded"));
    });
  });
  // Not within the engine's call of the listener.
  await new Promise((resolve) => setImmediate(resolve));
  engine.free();
  return error;
}

function withFunctions({ provider, ...options }) {
  return { ...options, provider: { ...provider, ...WITH_FUNCTIONS[provider.name] } };
}

function isClass(value) {
  return /^class\b/.test(String(value));
}

/** The names of a class's methods and how many parameters they have, inherited ones too. */
function methods(constructor) {
  const found = {};
  for (let { prototype } = constructor; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (!INTERNAL.includes(name)) found[name] ??= prototype[name].length;
    }
  }
  return Object.fromEntries(Object.entries(found).sort());
}
