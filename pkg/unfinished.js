import { UploadError, invalid, toUploadError } from "./error.js";
import { placeOf } from "./place.js";
import { takeUp, waiting } from "./session.js";
import { checkFile, isHandle, open } from "./source.js";
import { Upload } from "./upload.js";

/** What an uploader can go on with. `host` is its side, as for an `Upload`. */
export async function unfinished(host) {
  if (!host.resume) return [];
  const sessions = await waiting(placeOf(host.provider, host.resume.scope));
  return sessions.map((session) => offer(host, session));
}

/** A class for frameworks' sake: they wrap or copy plain objects. */
class UnfinishedUpload {
  constructor(members) {
    Object.freeze(Object.assign(this, members));
  }

  get [Symbol.toStringTag]() {
    return "UnfinishedUpload";
  }
}

function offer(host, { id, name, size, startedAt, handle, record, parts }) {
  return new UnfinishedUpload({
    id,
    name,
    size,
    sent: record.phase === "sending" ? parts.reduce((sum, { start, end }) => sum + end - start + 1, 0) : size,
    startedAt: new Date(startedAt).toISOString(),
    needsFile: !handle && needsBytes(record),
    resume: (file, options) => resume(host, id, file, options).catch(fail),
    discard: () => discard(host, id).catch(fail),
  });
}

/** Where the destination has all of the bytes, only the rest of its protocol is left. */
function needsBytes({ phase }) {
  return phase !== "settling";
}

function fail(error) {
  throw toUploadError(error);
}

async function resume(host, id, file, options) {
  if (file !== undefined) checkFile(file);
  const session = await takeUp(id);
  try {
    if (file === undefined && !needsBytes(session.stored.record)) return goOn(host, new Blob(), session, options);
    const picked = file ?? session.stored.handle;
    if (!picked) throw invalid("This upload needs its file: resume(file).", "`needsFile` tells. Let the user pick it again.");
    const blob = isHandle(picked) ? await open(picked) : picked;
    if (!(await session.isOf(blob))) {
      throw new UploadError("file-changed", `This is not ${session.stored.name} as it was when its upload began.`, {
        step: "check",
        hint: "Pick the same file, unchanged; or discard this upload and begin a new one.",
      });
    }
    return goOn(host, blob, session, options);
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function discard(host, id) {
  const session = await takeUp(id);
  session.isUnwanted = true;
  await goOn(host, new Blob(), session).done.catch(async (error) => {
    await session.release();
    if (session.isKept) throw error;
  });
}

/** As it was begun, whatever the file is called now and however the uploader is set. */
function goOn(host, blob, session, options) {
  const { name, type, settings } = session.stored;
  const provider = { ...JSON.parse(settings), ...options?.provider };
  return new Upload(host, blob, { filename: name, contentType: type, ...options, provider }, session);
}
