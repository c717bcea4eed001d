// What frameworks do with the package's objects: a proxy in their place would break their private members.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { produce, setAutoFreeze } from "immer";
import { compileModule } from "svelte/compiler";
import { isReactive, reactive, ref, shallowReactive } from "vue";

import { ENDED, RESULT, createUploads } from "./harness.mjs";
import { begun, core, empty, file, kept, plan, reload, settle, until } from "./storage.mjs";

/** Svelte's own proxy, by its compiler: what `$state(value)` gives. */
async function state(value) {
  const { js } = compileModule("export function state(value) { let held = $state(value); return held; }", {
    filename: "state.svelte.js",
    generate: "client",
  });
  const module = new URL("../node_modules/.svelte-state.mjs", import.meta.url);
  const { writeFile } = await import("node:fs/promises");
  await writeFile(module, js.code);
  return (await import(module.href)).state(value);
}

const HOLDERS = [
  ["Vue's ref", async (value) => ref(value).value],
  ["Vue's reactive", async (value) => reactive({ value }).value],
  ["Vue's shallowReactive", async (value) => shallowReactive({ value }).value],
  ["Svelte's $state", (value) => state(value)],
  ["Svelte's $state of an object", async (value) => (await state({ value })).value],
  ["Immer's produce", async (value) => produce({ list: [] }, (draft) => void draft.list.push(value)).list[0]],
  ["a change by Immer", async (value) => produce({ value, other: 1 }, (draft) => void ((draft.other = 2), draft.value)).value],
];

beforeEach(async () => {
  setAutoFreeze(true);
  await empty();
});

for (const [what, hold] of HOLDERS) {
  test(`${what} leaves an Uploader and an Upload as they are`, async () => {
    const uploader = await hold(plan());
    const { upload, task, sink } = await begun(uploader);
    const held = await hold(upload);
    assert.equal(held, upload);
    assert.equal(isReactive(held), false);
    assert.equal(held.status, "queued");
    held.pause();
    held.addEventListener("complete", () => {});
    sink("complete", RESULT);
    assert.deepEqual(await held.done, ENDED);
    assert.deepEqual(task.calls, [["pause"]]);
    uploader.close();
    await settle();
  });

  test(`${what} can hold a snapshot of a store, and read all of it`, async () => {
    const uploads = createUploads(plan());
    uploads.subscribe(() => {});
    const changed = new Promise((resolve) => uploads.subscribe(resolve));
    const picked = file();
    const [upload] = uploads.add([picked], { meta: { album: ["summer"] } });
    await changed;
    await until(() => core.tasks.some(({ source }) => source.file === picked));
    const held = await hold(uploads.getSnapshot());
    const [view] = held.uploads;
    assert.deepEqual([view.id, view.file.name, view.meta.album[0], view.progress.parts.total], [upload.id, "a.mp4", "summer", 0]);
    assert.deepEqual([held.progress.files.queued, held.unfinished.length], [1, 0]);
  });

  test(`${what} leaves an UnfinishedUpload as it is`, async () => {
    await kept(plan());
    await reload();
    const [left] = await plan().unfinished();
    const held = await hold(left);
    assert.equal(held, left);
    assert.ok(Object.isFrozen(held));
    const { resume, name } = held;
    assert.equal(name, "a.mp4");
    await resume(file());
    await settle();
    assert.ok(core.tasks.at(-1).options.kept);
  });
}

test("each says what it is", async () => {
  const uploader = plan();
  const { upload, sink } = await begun(uploader);
  sink("complete", RESULT);
  await kept(plan());
  await reload();
  const [left] = await plan().unfinished();
  const names = [uploader, upload, left].map((value) => Object.prototype.toString.call(value));
  assert.deepEqual(names, ["[object Uploader]", "[object Upload]", "[object UnfinishedUpload]"]);
});
