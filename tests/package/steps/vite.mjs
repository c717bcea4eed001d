// An empty Vite app that imports the package, of each major version that is in use.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createInterface } from "node:readline";

import { VITES, app, here, viteBuild, wasmText } from "../project.mjs";
import { test } from "../report.mjs";

export async function vite() {
  for (const version of VITES) {
    await test(`vite ${version}: a build emits the wasm once, and the copy apart`, () => build(version, "partway"));
    await test(`vite ${version}: so does one with an entry for one destination`, () => build(version, "partway/s3"));
    await test(`vite ${version}: the dev server gives the module, and the copy where the wasm isn't`, () =>
      serve(version, "dev", checkDev));
    await test(`vite ${version}: the built app is served with its wasm`, () => serve(version, "preview", checkPreview));
  }
}

async function build(version, imported) {
  const engine = imported.split("/").at(-1);
  const folder = await app(`vite${version}-build-${engine}`, "vite", imported);
  const { stdout, stderr } = await viteBuild(version, folder);
  assert.doesNotMatch(stdout + stderr, /warn/i);
  const names = await readdir(`${folder}dist/assets`);
  const wasms = names.filter((name) => name.endsWith(".wasm"));
  assert.equal(wasms.length, 1, names.join(" "));
  const emitted = await readFile(`${folder}dist/assets/${wasms[0]}`);
  assert.ok(emitted.equals(await readFile(`${folder}node_modules/partway/dist/${engine}_bg.wasm`)));

  const html = await readFile(`${folder}dist/index.html`, "utf8");
  const [, entry] = /src="\/assets\/([^"]+\.js)"/.exec(html);
  const scripts = names.filter((name) => name.endsWith(".js"));
  const copies = [];
  const text = await wasmText(`${folder}node_modules/partway/dist/${engine}_inline.js`);
  for (const name of scripts) if ((await readFile(`${folder}dist/assets/${name}`, "utf8")).includes(text)) copies.push(name);
  assert.equal(copies.length, 1, `one script holds the copy: ${scripts.join(" ")}`);
  assert.notEqual(copies[0], entry);
  assert.ok(!html.includes(copies[0]), "the page doesn't load the copy");
  const script = await readFile(`${folder}dist/assets/${entry}`, "utf8");
  assert.ok(script.includes(wasms[0]));
  assert.ok(!script.includes("FileReaderSync"), "what hashes is a script of its own");
  const worker = await readFile(`${folder}node_modules/partway/dist/hash_worker.js`, "utf8");
  const workers = [];
  for (const name of scripts) if ((await readFile(`${folder}dist/assets/${name}`, "utf8")) === worker) workers.push(name);
  assert.equal(workers.length, 1, `the worker's file is emitted as it is: ${scripts.join(" ")}`);
  assert.doesNotMatch(script, new RegExp(`import\\s*[^(]*["']\\./${copies[0]}`), "nor does its script");
}

async function serve(version, mode, check) {
  const server = spawn(process.execPath, [`${here}serve.mjs`, version, mode, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(server, "exit");
  try {
    const [line] = await Promise.race([
      once(createInterface(server.stdout), "line"),
      exited.then(([code]) => Promise.reject(new Error(`serve.mjs ended with ${code}`))),
    ]);
    const { url, version: running } = JSON.parse(line);
    assert.ok(running.startsWith(`${version}.`));
    await check(url);
  } finally {
    server.kill();
    await exited;
  }
}

async function get(url, type) {
  const response = await fetch(url);
  assert.equal(response.status, 200, String(url));
  assert.match(response.headers.get("content-type"), type, String(url));
  return response;
}

async function checkDev(url) {
  const main = await (await get(new URL("main.js", url), /javascript/)).text();
  const [, path] = /from "([^"]*partway[^"]*)"/.exec(main);
  const module = await get(new URL(path, url), /javascript/);
  const text = await module.text();
  const [, wasm] = /new URL\("([^"]*partway_bg\.wasm[^"]*)"/.exec(text);
  const answer = await fetch(new URL(wasm, module.url));
  const isWasm = answer.ok && Buffer.from(await answer.arrayBuffer()).readUInt32BE(0) === 0x0061736d;
  if (isWasm) return;
  const [, copy] = /import\("([^"]*inline[^"]*)"\)/.exec(text);
  const inline = await (await get(new URL(copy, module.url), /javascript/)).text();
  assert.match(inline, /AGFzbQ/);
}

async function checkPreview(url) {
  const html = await (await get(url, /html/)).text();
  const [, entry] = /src="(\/assets\/[^"]+\.js)"/.exec(html);
  const script = await (await get(new URL(entry, url), /javascript/)).text();
  const [wasm] = /\/assets\/partway_bg-[^"'`]+\.wasm/.exec(script);
  await get(new URL(wasm, url), /application\/wasm/);
}
