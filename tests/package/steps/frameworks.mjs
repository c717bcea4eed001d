// The hooks: what an app with them is built of, and what they give on a server.
import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";

import { APPS, buildApp, buildSample, provide } from "../frameworks.mjs";
import { app, here, node } from "../project.mjs";
import { test } from "../report.mjs";

export async function frameworks() {
  await test("frameworks: an app with hooks has one engine, one face and one store", async () => {
    const { folder, said } = await buildApp("react19");
    assert.deepEqual(said.filter((line) => /warn|directive/i.test(line)), []);
    const names = await readdir(`${folder}dist/assets`);
    assert.deepEqual(names.filter((name) => name.endsWith(".wasm")).length, 1, names.join(" "));
    const scripts = await Promise.all(names.filter((name) => name.endsWith(".js")).map((name) => readFile(`${folder}dist/assets/${name}`, "utf8")));
    const times = (pattern) => scripts.join("\n").match(pattern)?.length ?? 0;
    assert.equal(times(/is not an option/g), 1, "the face");
    assert.equal(times(/getServerSnapshot: ?\(\) ?=>/g), 1, "the store");
    assert.equal(times(/nested more than/g), 1, "the drop zone");
  });

  for (const [name, file] of [["react19", "react.jsx"], ["vue", "files.vue"], ["svelte", "files.svelte"]]) {
    await test(`frameworks: the README's ${file} builds, without a warning`, async () => {
      const { folder, said } = await buildSample(name, file);
      assert.deepEqual(said.filter((line) => /warn|a11y|directive/i.test(line)), []);
      const names = (await readdir(`${folder}dist/assets`)).filter((name) => name.endsWith(".js"));
      const scripts = await Promise.all(names.map((name) => readFile(`${folder}dist/assets/${name}`, "utf8")));
      assert.ok(scripts.some((script) => script.includes("Try again")), names.join(" "));
    });
  }

  await test("frameworks: an app without drop zone and store has none of them", async () => {
    const folder = await app("frameworks-none", "vite");
    const { build } = await import("vite");
    await build({ root: folder, configFile: false, logLevel: "error" });
    for (const name of (await readdir(`${folder}dist/assets`)).filter((name) => name.endsWith(".js"))) {
      const script = await readFile(`${folder}dist/assets/${name}`, "utf8");
      assert.doesNotMatch(script, /dragenter|getServerSnapshot/, name);
    }
  });

  for (const name of Object.keys(APPS)) {
    await test(`frameworks: ${name}: a server renders an empty list, and nothing begins`, () => renders(name));
  }
}

/** Components as each framework renders them on a server, with what may not be touched there. */
const SERVERS = {
  react: `
    import { createElement as h } from "react";
    import { renderToString } from "react-dom/server";
    import { useUpload, useUploads } from "partway/react";
    const Files = () => {
      const { uploads, progress, unfinished, add } = useUploads(uploader);
      return h("p", null, [uploads.length, progress.fraction, unfinished.length, typeof add, typeof useUpload(uploader, "1")].join(" "));
    };
    const html = renderToString(h(Files));`,
  vue: `
    import { createSSRApp, h } from "vue";
    import { renderToString } from "vue/server-renderer";
    import { useUpload, useUploads } from "partway/vue";
    const Files = {
      setup() {
        const { uploads, progress, unfinished, add } = useUploads(uploader);
        const upload = useUpload(uploader, "1");
        return () => h("p", [uploads.value.length, progress.value.fraction, unfinished.value.length, typeof add, typeof upload.value].join(" "));
      },
    };
    const html = await renderToString(createSSRApp(Files));`,
  svelte: `
    import { get } from "svelte/store";
    import { useUpload, useUploads } from "partway/svelte";
    const files = useUploads(uploader);
    const { uploads, progress, unfinished } = get(files);
    const html = "<p>" + [uploads.length, progress.fraction, unfinished.length, typeof files.add, typeof get(useUpload(uploader, "1"))].join(" ") + "</p>";`,
};

async function renders(name) {
  const folder = await app(`frameworks-server-${name}`, undefined);
  await provide(name, folder);
  const source = `
    import { Uploader } from "partway";
    const uploader = new Uploader({ provider: { name: "ofauth", baseUrl: "/api" } });
    uploader.unfinished = () => console.log("touched");
    const group = uploader.group;
    uploader.group = (...given) => Object.assign(group.apply(uploader, given), { unfinished: () => console.log("touched") });
    ${SERVERS[APPS[name].folder]}
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(html);`;
  await writeFile(`${folder}server.mjs`, source);
  const { ok, stdout, stderr } = await node(["server.mjs"], { cwd: folder, env: { ...process.env, NODE_PATH: `${here}node_modules` } });
  assert.ok(ok, stderr);
  assert.equal(stdout.trim(), "<p>0 0 0 function undefined</p>");
}
