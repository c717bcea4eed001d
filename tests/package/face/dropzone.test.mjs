// Files in: what browsers dispatch, and what an application gets of it. The DOM is jsdom's, with the parts of a drag that it lacks.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { JSDOM } from "jsdom";

import { core, createDropzone, reported, settle, UploadError } from "./harness.mjs";

let window, document, zone, child, stop, seen;

beforeEach(() => {
  ({ window } = new JSDOM('<main><div id="zone"><p>here</p><a href="#">help</a></div><p id="beside"></p></main>'));
  ({ document } = window);
  globalThis.document = document;
  zone = document.querySelector("#zone");
  child = zone.querySelector("p");
  seen = { files: [], rejected: [], over: [] };
});

afterEach(() => {
  stop?.();
  stop = undefined;
  delete globalThis.document;
});

function open(options = {}) {
  stop = createDropzone(zone, {
    onFiles: (files) => seen.files.push(files),
    onReject: (rejected) => seen.rejected.push(rejected),
    onDrag: (over) => seen.over.push(over),
    ...options,
  });
}

const file = (name, type = "") => new File(["x"], name, { type });

/** An item as Firefox and WebKit have it. */
const item = (picked, entry) => ({ kind: "file", type: picked?.type ?? "", getAsFile: () => picked, webkitGetAsEntry: () => entry });

function transfer(...items) {
  return { types: ["Files"], items, files: items.map((one) => one.getAsFile()), dropEffect: "move" };
}

/** Dispatches a drag event; gives it. Once it is over, its items are empty, as in browsers. */
function drag(type, target = zone, dataTransfer = transfer()) {
  const event = new window.Event(type, { bubbles: true, cancelable: true, composed: true });
  const live = { ...dataTransfer };
  Object.defineProperty(event, "dataTransfer", { value: live });
  target.dispatchEvent(event);
  const nothing = { getAsFile: () => null, webkitGetAsEntry: () => null, getAsFileSystemHandle: async () => null };
  for (const one of live.items) Object.assign(one, nothing);
  return Object.assign(event, { effect: live.dropEffect });
}

function paste(target, clipboardData) {
  const event = new window.Event("paste", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "clipboardData", { value: clipboardData });
  target.dispatchEvent(event);
  return event;
}

const paths = () => seen.files.flat().map(({ file, relativePath }) => relativePath || file.name);
const reasons = () => seen.rejected.flat().map(({ name, why }) => [name, why]);

/** Folders as the File and Directory Entries API has them: a file where the value is a File, an error where it is one. */
function entry(name, content) {
  if (content instanceof File) return { name, isFile: true, isDirectory: false, file: (resolve) => resolve(content) };
  if (content instanceof Error) return { name, isFile: true, isDirectory: false, file: (_, reject) => reject(content) };
  return {
    name,
    isFile: false,
    isDirectory: true,
    createReader() {
      const rest = Object.entries(content).map(([name, inside]) => entry(name, inside));
      return {
        readEntries(resolve, reject) {
          // Chromium's hundred at a time.
          const some = rest.splice(0, 100);
          const broken = some.find(({ name }) => name === "BROKEN LISTING");
          if (broken) reject(new Error("listing failed"));
          else resolve(some);
        },
      };
    },
  };
}

/** The same as File System Access has them. */
function handle(name, content) {
  if (content instanceof File) return { kind: "file", name, getFile: async () => content };
  if (content instanceof Error) return { kind: "file", name, getFile: () => Promise.reject(content) };
  return {
    kind: "directory",
    name,
    async *values() {
      for (const [name, inside] of Object.entries(content)) {
        if (name === "BROKEN LISTING") throw new Error("listing failed");
        yield handle(name, inside);
      }
    },
  };
}

const withHandle = (name, content) => ({
  ...item(content instanceof File ? content : null, undefined),
  getAsFileSystemHandle: async () => handle(name, content),
});
const withEntry = (name, content) => item(content instanceof File ? content : null, entry(name, content));

test("files that are dropped come in, and the page isn't replaced by them", async () => {
  open();
  assert.equal(drag("dragover").defaultPrevented, true);
  const [a, b] = [file("a.txt"), file("b.txt")];
  const event = drag("drop", child, transfer(item(a), item(b)));
  assert.equal(event.defaultPrevented, true);
  await settle();
  assert.deepEqual(seen.files, [
    [
      { file: a, relativePath: "" },
      { file: b, relativePath: "" },
    ],
  ]);
  assert.deepEqual(seen.rejected, []);
});

test("a drag without files is left alone", async () => {
  open();
  const text = { types: ["text/plain"], items: [], files: [] };
  for (const type of ["dragenter", "dragover", "drop"]) assert.equal(drag(type, zone, text).defaultPrevented, false, type);
  assert.deepEqual(seen.over, []);
});

test("the drag state doesn't flicker from child to child", () => {
  open();
  drag("dragenter", zone);
  // Browsers enter the next target before they leave the one before.
  drag("dragenter", child);
  drag("dragleave", zone);
  drag("dragenter", zone);
  drag("dragleave", child);
  assert.deepEqual(seen.over, [true]);
  drag("dragleave", zone);
  assert.deepEqual(seen.over, [true, false]);
  drag("dragenter", zone);
  drag("drop", zone);
  assert.deepEqual(seen.over, [true, false, true, false]);
});

test("the drag state ends where the target was removed under the files", () => {
  open();
  drag("dragenter", child);
  child.remove();
  drag("dragenter", document.querySelector("#beside"));
  assert.deepEqual(seen.over, [true, false]);
});

for (const [api, make] of [
  ["handles", withHandle],
  ["entries", withEntry],
]) {
  test(`${api}: a folder comes with every file, paths included, whatever their number`, async () => {
    open();
    // Listed in another order than that of their names.
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`${249 - index}.jpg`, file(`${249 - index}.jpg`)]));
    drag("drop", zone, transfer(make("album", { "cover.jpg": file("cover.jpg"), summer: many, empty: {}, ".DS_Store": file(".DS_Store") }), make("loose.txt", file("loose.txt"))));
    await settle();
    assert.equal(seen.files.length, 1);
    assert.deepEqual(paths(), ["album/cover.jpg", ...Array.from({ length: 250 }, (_, index) => `album/summer/${index}.jpg`), "loose.txt"]);
    assert.deepEqual(seen.rejected, []);
    const [{ file: first }] = seen.files[0];
    assert.equal(api === "handles" ? first.kind : first.name, api === "handles" ? "file" : "cover.jpg");
  });

  test(`${api}: what can't be read is rejected, and the others go on`, async () => {
    open();
    drag("drop", zone, transfer(make("top", { "a.txt": file("a.txt"), "b.txt": new Error("gone"), inner: { "c.txt": file("c.txt") } })));
    await settle();
    assert.deepEqual(paths(), ["top/a.txt", "top/inner/c.txt"]);
    assert.deepEqual(reasons(), [["top/b.txt", "It can't be read: gone"]]);
  });

  test(`${api}: a folder that can't be listed is rejected`, async () => {
    open();
    drag("drop", zone, transfer(make("top", { inner: { "BROKEN LISTING": {} }, "a.txt": file("a.txt") })));
    await settle();
    assert.deepEqual(paths(), ["top/a.txt"]);
    assert.deepEqual(reasons(), [["top/inner", "It can't be read: listing failed"]]);
  });

  test(`${api}: a folder that has itself in it ends`, async () => {
    open();
    const circle = { "a.txt": file("a.txt") };
    circle.again = circle;
    drag("drop", zone, transfer(make("top", circle)));
    await settle();
    assert.equal(paths().length, 32);
    assert.match(reasons()[0][1], /nested more than 32 deep/);
  });

  test(`${api}: an empty folder that is dropped is rejected, and one within another isn't`, async () => {
    open();
    drag("drop", zone, transfer(make("nothing", { ".DS_Store": file(".DS_Store") }), make("album", { empty: {}, "a.txt": file("a.txt") })));
    await settle();
    assert.deepEqual(paths(), ["album/a.txt"]);
    assert.deepEqual(reasons(), [["nothing", "The folder is empty."]]);
  });

  test(`${api}: without \`folders\` a folder is rejected`, async () => {
    open({ folders: false });
    drag("drop", zone, transfer(make("album", { "a.txt": file("a.txt") }), make("b.txt", file("b.txt"))));
    await settle();
    assert.deepEqual(paths(), ["b.txt"]);
    assert.deepEqual(reasons(), [["album", "Folders aren't taken, only files."]]);
  });
}

test("an item without a handle comes in by its entry or its file", async () => {
  open();
  const failing = { ...item(file("a.txt")), getAsFileSystemHandle: () => Promise.reject(new Error("no handle")) };
  const none = { ...withEntry("folder", { "b.txt": file("b.txt") }), getAsFileSystemHandle: async () => null };
  drag("drop", zone, transfer(failing, none));
  await settle();
  assert.deepEqual(paths(), ["a.txt", "folder/b.txt"]);
});

test("`accept` is judged by type and extension, with a reason", async () => {
  open({ accept: "image/*, .PDF,text/plain" });
  const taken = [file("a.png", "image/png"), file("b.pdf"), file("c", "text/plain;charset=utf-8"), file("d.gif", "IMAGE/GIF")];
  const others = [file("e.mp4", "video/mp4"), file("f"), file("g.txt", "text/plainer"), file("pdf")];
  drag("drop", zone, transfer(...[...taken, ...others].map((one) => item(one))));
  await settle();
  assert.deepEqual(seen.files[0].map(({ file }) => file), taken);
  assert.deepEqual(reasons(), others.map(({ name }) => [name, "Only image/*, .PDF,text/plain is accepted."]));
});

test("without `multiple` the first one that is accepted is taken", async () => {
  open({ multiple: false, accept: ".txt" });
  drag("drop", zone, transfer(item(file("a.png")), item(file("b.txt")), item(file("c.txt"))));
  await settle();
  assert.deepEqual(paths(), ["b.txt"]);
  assert.deepEqual(reasons(), [
    ["a.png", "Only .txt is accepted."],
    ["c.txt", "Only one file at a time is accepted."],
  ]);
});

test("of drop zones within each other the inner one takes a drop, and shows it", async () => {
  const outer = { files: [], over: [] };
  const stopOuter = createDropzone(document.querySelector("main"), { onFiles: (files) => outer.files.push(files), onDrag: (over) => outer.over.push(over) });
  open();
  drag("dragenter", document.querySelector("#beside"));
  drag("dragenter", zone);
  drag("dragleave", document.querySelector("#beside"));
  drag("dragover", zone);
  assert.deepEqual([outer.over, seen.over], [[true, false], [true]]);
  drag("drop", zone, transfer(item(file("a.txt"))));
  await settle();
  assert.deepEqual([paths(), outer.files], [["a.txt"], []]);
  stopOuter();
});

test("a file that is dropped beside it doesn't replace the page; on a file input it does what it did", () => {
  open();
  const beside = document.querySelector("#beside");
  const event = drag("dragover", beside);
  assert.deepEqual([event.defaultPrevented, event.effect], [true, "none"]);
  assert.equal(drag("drop", beside).defaultPrevented, true);
  const input = beside.appendChild(document.createElement("input"));
  input.type = "file";
  assert.equal(drag("drop", input).defaultPrevented, false);
  assert.deepEqual(seen.files, []);
});

test("pasted files come in, unless text is meant", async () => {
  open({ paste: true });
  const input = document.querySelector("#beside").appendChild(document.createElement("input"));
  const both = { ...transfer(item(file("cells.png"))), types: ["text/plain", "Files"] };
  assert.equal(paste(input, both).defaultPrevented, false);
  assert.equal(paste(document.body, { types: ["text/plain"], items: [], files: [] }).defaultPrevented, false);
  assert.equal(paste(document.body, both).defaultPrevented, true);
  assert.equal(paste(input, transfer(item(file("shot.png")))).defaultPrevented, true);
  await settle();
  assert.deepEqual(paths(), ["cells.png", "shot.png"]);
});

test("without `paste` nothing is taken from the clipboard", () => {
  open();
  assert.equal(paste(document.body, transfer(item(file("shot.png")))).defaultPrevented, false);
});

test("an input within it brings files in, those of a folder with their paths, and is emptied", async () => {
  const input = zone.appendChild(document.createElement("input"));
  input.type = "file";
  open({ accept: ".txt" });
  const inFolder = Object.defineProperty(file("b.txt"), "webkitRelativePath", { value: "folder/b.txt" });
  const emptied = [];
  Object.defineProperty(input, "files", { value: [file("a.txt"), inFolder, file("c.png")] });
  Object.defineProperty(input, "value", { set: (value) => emptied.push(value) });
  input.dispatchEvent(new window.Event("change", { bubbles: true }));
  assert.deepEqual(paths(), ["a.txt", "folder/b.txt"]);
  assert.deepEqual(reasons(), [["c.png", "Only .txt is accepted."]]);
  assert.deepEqual(emptied, [], "other listeners still see its files");
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(emptied, [""]);
});

/** The inputs whose dialog was opened. */
function dialogs() {
  const opened = [];
  window.HTMLInputElement.prototype.click = function () {
    opened.push(this);
  };
  return opened;
}

test("a button opens a dialog for what is accepted", () => {
  const opened = dialogs();
  const button = document.body.appendChild(document.createElement("button"));
  open({ button, accept: "image/*", multiple: false });
  button.click();
  assert.equal(button.hasAttribute("role"), false);
  assert.deepEqual(opened.map(({ type, accept, multiple, isConnected }) => ({ type, accept, multiple, isConnected })), [
    { type: "file", accept: "image/*", multiple: false, isConnected: false },
  ]);
  Object.defineProperty(opened[0], "files", { value: [file("a.png", "image/png")] });
  opened[0].dispatchEvent(new window.Event("change"));
  assert.deepEqual(paths(), ["a.png"]);
});

test("a button opens the page's own input, if the drop zone has one", () => {
  const opened = dialogs();
  const own = zone.appendChild(document.createElement("input"));
  own.type = "file";
  const button = document.body.appendChild(document.createElement("button"));
  open({ button });
  button.click();
  assert.deepEqual(opened, [own]);
});

test("an area becomes a button for keyboards and screen readers, until it is undone", () => {
  const opened = dialogs();
  open({ button: zone });
  assert.deepEqual([zone.getAttribute("role"), zone.tabIndex], ["button", 0]);
  const press = (key, target = zone, more = {}) => {
    const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  assert.deepEqual([press("Enter"), press(" "), press("a"), press("Enter", zone.querySelector("a")), press(" ", zone, { repeat: true })], [true, true, false, false, false]);
  assert.equal(opened.length, 2);
  child.click();
  assert.equal(opened.length, 3);
  zone.querySelector("a").click();
  assert.equal(opened.length, 3, "a link in it keeps its own click");
  stop();
  assert.deepEqual([zone.hasAttribute("role"), zone.hasAttribute("tabindex")], [false, false]);
});

test("a label opens its own input once", () => {
  const opened = dialogs();
  const label = zone.appendChild(document.createElement("label"));
  label.append(Object.assign(document.createElement("input"), { type: "file" }));
  open({ button: label });
  label.dispatchEvent(new window.Event("click", { bubbles: true }));
  assert.deepEqual(opened, []);
});

test("the engine is loaded once files are dragged over it, or the focus comes to it", async () => {
  for (const [name, happen] of [
    ["drag", () => drag("dragenter", child)],
    ["focus", () => child.dispatchEvent(new window.Event("focusin", { bubbles: true }))],
    ["button", (button) => button.dispatchEvent(new window.Event("focusin", { bubbles: true }))],
  ]) {
    const fresh = await import(`../../../pkg/index.ts?fresh=${name}`);
    core.forget();
    const button = document.body.appendChild(document.createElement("button"));
    const undo = fresh.createDropzone(zone, { onFiles() {}, button });
    drag("dragover", zone);
    await settle();
    assert.equal(core.starts.length, 0, "not before");
    happen(button);
    while (core.starts.length === 0) await settle();
    undo();
  }
});

test("what was undone stays so", async () => {
  const button = document.body.appendChild(document.createElement("button"));
  const opened = dialogs();
  open({ paste: true, button });
  drag("drop", zone, transfer(item(file("a.txt"))));
  drag("dragenter", zone);
  stop();
  await settle();
  assert.deepEqual(seen.files, [], "a folder that is still being read");
  assert.deepEqual(seen.over, [true, false]);
  for (const type of ["dragenter", "dragover", "drop"]) assert.equal(drag(type, zone, transfer(item(file("b.txt")))).defaultPrevented, false, type);
  assert.equal(paste(document.body, transfer(item(file("c.png")))).defaultPrevented, false);
  button.click();
  await settle();
  assert.deepEqual([seen.files, seen.over, opened], [[], [true, false], []]);
});

test("a callback that throws is reported, and nothing else stops", async () => {
  const errors = await reported(async () => {
    open({
      onFiles() {
        throw new Error("mine");
      },
      accept: ".txt",
    });
    drag("drop", zone, transfer(item(file("a.txt")), item(file("b.png"))));
    await settle();
  });
  assert.deepEqual(errors.map(({ message }) => message), ["mine"]);
  assert.equal(seen.rejected.length, 1);
});

test("wrong options throw, in words", () => {
  const refused = (...given) => {
    try {
      createDropzone(...given);
    } catch (error) {
      assert.ok(error instanceof UploadError);
      return [error.code, `${error.message} ${error.hint ?? ""}`];
    }
    return assert.fail("it took them");
  };
  const onFiles = () => {};
  assert.match(refused(null, { onFiles })[1], /createDropzone\(\) takes an element first\. Call it when the page has/);
  assert.match(refused(zone, {})[1], /onFiles is missing/);
  assert.match(refused(zone, { onFiles, onDrop() {} })[1], /onDrop is not an option\. Did you mean onDrag/);
  assert.match(refused(zone, { onFiles, button: "#b" })[1], /button must be an element/);
  assert.match(refused(zone, { onFiles, accept: ["image/*"] })[1], /accept must be a string/);
});
