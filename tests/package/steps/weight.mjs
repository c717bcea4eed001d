// What an app weighs with the package, built by Vite and compressed as a server does it: the README's table says it.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants } from "node:zlib";

import { ENTRIES, app, root, viteBuild } from "../project.mjs";
import { test } from "../report.mjs";

/** The app's own part is nothing but this. */
const MAIN = (entry) => `import { UploadError, Uploader, load, version } from "${entry}";\nObject.assign(globalThis, { UploadError, Uploader, load, version });\n`;

/** How much the README's figures may be off, in kilobytes and in parts of the whole: they are rounded, and bundlers differ. (A choice.) */
const TOLERANCE = { kilobytes: 1, share: 0.02 };

/** With the standard library as it is shipped the wasm has its messages, and is up to a fifth larger (xtask/src/package/sizes.rs). */
const SHIPPED = { mark: "called `Option::unwrap()`", share: 0.2 };

export async function weight() {
  const readme = await readFile(`${root}pkg/README.md`, "utf8");
  const [, section] = readme.split("## What a page loads");
  const rows = [...section.matchAll(/^\| `([\w/-]+)` \| (\d+) KB \| (?:(\d+) KB|nothing) \| (\d+) KB \|$/gm)].map(([, entry, ...figures]) => [entry, ...figures.map((figure) => Number(figure ?? 0))]);
  const hashing = Number(/What hashes, (\d+) KB more/.exec(section)?.[1]);

  await test("weight: the README has a row for each entry, and its sums are right", () => {
    assert.deepEqual(rows.map(([entry]) => entry.split("/").at(-1)).sort(), ["partway", ...ENTRIES, "s3-inline"].sort());
    for (const [entry, page, file, both] of rows) assert.equal(page + file, both, entry);
    const [, both, page] = /What it costs to load:\*\* (\d+) KB .* of which (\d+) KB/.exec(readme).map(Number);
    assert.deepEqual([page, both], rows.filter(([entry]) => entry === "partway/s3").map(([, page, , both]) => [page, both])[0]);
  });

  for (const [entry, ...stated] of rows) {
    await test(`weight: an app with ${entry} loads what the README says`, async () => {
      const { page, file, hash, isShipped } = await measure(entry);
      const found = [page, file, page + file];
      const report = `measured: | \`${entry}\` | ${found.map((bytes) => `${(bytes / 1000).toFixed(1)} KB`).join(" | ")} |, ${(hash / 1000).toFixed(1)} KB to hash`;
      for (const [index, kilobytes] of stated.entries()) assert.ok(fits(found[index], kilobytes, isShipped), report);
      assert.ok(entry.endsWith("inline") ? hash === 0 : fits(hash, hashing, isShipped), report);
    });
  }
}

function fits(bytes, kilobytes, isShipped) {
  const [less, more] = [kilobytes * TOLERANCE.share, kilobytes * (isShipped ? SHIPPED.share : TOLERANCE.share)];
  const difference = bytes / 1000 - kilobytes;
  return difference >= -Math.max(less, TOLERANCE.kilobytes) && difference <= Math.max(more, TOLERANCE.kilobytes);
}

/** Bytes that come with the page, with the first file, and with the first that is hashed. */
async function measure(entry) {
  const folder = await app(`weight-${entry.replace("/", "-")}`, "vite", entry);
  await writeFile(`${folder}main.js`, MAIN(entry));
  await viteBuild(8, folder);
  const html = await readFile(`${folder}dist/index.html`, "utf8");
  const sizes = { page: 0, file: 0, hash: 0, isShipped: false };
  for (const name of await readdir(`${folder}dist/assets`)) {
    const content = await readFile(`${folder}dist/assets/${name}`);
    if (name.endsWith(".wasm")) {
      sizes.file += compressed(content);
      sizes.isShipped = content.includes(SHIPPED.mark);
    } else if (html.includes(name)) sizes.page += compressed(content);
    else if (content.includes("createObjectStore")) sizes.file += compressed(content);
    else if (content.includes("hashed on the page itself")) sizes.hash += compressed(content);
  }
  return sizes;
}

function compressed(content) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  return brotliCompressSync(content, { params }).length;
}
