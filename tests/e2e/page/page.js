// What the tests drive: `window.e2e.start(…)` begins an upload, `window.e2e.report(id)` tells all about it as JSON.
import { Uploader, UploadError, load, version } from "partway";
import { withFunctions } from "./provider.js";

const files = document.querySelector("#files");
const uploaders = new Map();
const uploads = [];
const signals = [];
const noise = [];

addEventListener("error", (event) => noise.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => noise.push(`unhandled rejection: ${event.reason?.stack ?? event.reason}`));

/** What of an error is worth a look. */
function told(error) {
  if (error === undefined || error === null) return null;
  const { name, message, code, retryable, step, status, partNumber, vendor, hint } = error;
  const cause = error.cause === undefined ? null : String(error.cause?.message ?? error.cause);
  return { isUploadError: error instanceof UploadError, name, message, code, retryable, step, status, partNumber, vendor, hint, cause };
}

function uploader(name, options, alter, seen) {
  if (!uploaders.has(name)) uploaders.set(name, new Uploader(withFunctions(options, alter, seen)));
  return uploaders.get(name);
}

/** A place for what is seen of an upload, and the options that fill it. */
function watch({ upload: uploadOptions = {}, listeners = {}, signal }) {
  const seen = { statuses: [], progress: [], parts: [], completes: 0, errors: [], events: {}, calls: [], outputs: [], result: null, error: null, settled: false };
  const listen = (note) => (value) => {
    note(value);
    if (listeners.throws) throw new Error("a listener of the page threw");
  };
  const controller = new AbortController();
  const id = uploads.push({ seen, upload: null }) - 1;
  signals.push(controller);
  const watched = {
    onStatus: listen((status) => seen.statuses.push(status)),
    onPart: listen((part) => seen.parts.push(part)),
    onComplete: listen(() => (seen.completes += 1)),
    onError: listen((error) => seen.errors.push(error.code)),
    ...(listeners.noProgress ? {} : { onProgress: listen(({ sent, total, fraction, parts, processing }) => seen.progress.push({ sent, total, fraction, parts, processing })) }),
    ...(signal ? { signal: controller.signal } : {}),
    ...uploadOptions,
  };
  return { id, seen, watched };
}

/** `late`: the status from which on somebody listens to progress. */
function follow(id, handle, late) {
  const { seen } = uploads[id];
  uploads[id].upload = handle;
  for (const type of ["progress", "part", "status", "complete", "error"]) {
    if (type === "progress" && late) continue;
    handle.addEventListener(type, () => (seen.events[type] = (seen.events[type] ?? 0) + 1));
  }
  if (late) {
    const listen = ({ detail }) => {
      if (detail !== late) return;
      handle.removeEventListener("status", listen);
      handle.addEventListener("progress", ({ detail: { sent, total, fraction, parts, processing } }) => seen.progress.push({ sent, total, fraction, parts, processing }));
    };
    handle.addEventListener("status", listen);
  }
  handle.done.then(
    (result) => (seen.result = result),
    (error) => (seen.error = told(error)),
  ).finally(() => (seen.settled = true));
}

/**
 * `file`: a number in the input's list, or { text, name?, type? } for a Blob or File made here.
 * `uploader`: a name; the options count when it is first used. `alter`: names of changes, see provider.js.
 * `listeners`: { throws: true } has every callback throw, { noProgress } listens to no progress, { late: status } from then on. `signal`: true gives the upload one, for `abort(id)`.
 */
function start({ file = 0, uploader: name = `alone-${uploads.length}`, options, alter = {}, ...how }) {
  const { id, seen, watched } = watch(how);
  try {
    follow(id, uploader(name, options, alter, seen).upload(picked(file), watched), how.listeners?.late);
  } catch (error) {
    seen.error = told(error);
    seen.thrown = true;
    seen.settled = true;
  }
  return id;
}

/** As `start`, with the newest of what is unfinished, and without its file. */
async function goOn({ options, alter = {}, ...how }) {
  const { id, seen, watched } = watch(how);
  const [left] = await uploader(`left-${id}`, options, alter, seen).unfinished();
  follow(id, await left.resume(undefined, watched));
  return id;
}

/**
 * Uploads all files of the input as one group, each from a folder of its own and with its number as `meta`, to the group's end.
 * `own`: options of single files, by their number.
 */
async function group({ options, alter = {}, group: shared = {}, own = {} }) {
  const seen = { calls: [], files: [] };
  const entries = Array.from(files.files, (file) => ({ file, relativePath: `album/${file.name}` }));
  const each = (_, index) => ({ meta: { index }, ...own[index] });
  const events = [];
  const made = uploader(`group-${uploads.length}`, options, alter, seen).group(entries, { ...shared, each, onProgress: (progress) => events.push(progress) });
  const { results, errors } = await made.done;
  return { ...seen, results, errors: errors.map(({ upload, error }) => [upload.meta.index, told(error)]), events };
}

/** Has an upload tried again; gives its result. */
async function retry(id) {
  const { upload } = uploads[id];
  upload.retry();
  return upload.done;
}

/** What is told of the uploads that are unfinished. */
async function unfinished(options) {
  const left = await new Uploader(withFunctions(options, {}, { calls: [] })).unfinished();
  return left.map(({ name, meta, relativePath }) => ({ name, meta, relativePath }));
}

function picked(file) {
  if (typeof file === "number") return files.files[file];
  const { text, name, type = "" } = file;
  return name === undefined ? new Blob([text], { type }) : new File([text], name, { type });
}

window.e2e = {
  start,
  goOn,
  group,
  retry,
  unfinished,
  report(id) {
    const { seen, upload } = uploads[id];
    return JSON.stringify({ ...seen, status: upload?.status ?? null, last: upload?.progress ?? null });
  },
  /** The SHA-256 of each output of `transform`. */
  outputs: (id) => uploads[id].seen.outputs,
  pause: (id) => uploads[id].upload.pause(),
  resume: (id) => uploads[id].upload.resume(),
  cancel: (id) => uploads[id].upload.cancel(),
  notify: (id, update) => uploads[id].upload.notify(update),
  abort: (id) => signals[id].abort(),
  close: (name) => uploaders.get(name).close(),
  /** What the constructor throws, or null. */
  refused(options) {
    try {
      new Uploader(options).close();
      return null;
    } catch (error) {
      return told(error);
    }
  },
  load: () => load(),
  version,
  noise: () => noise.splice(0),
};
document.documentElement.dataset.ready = "yes";
