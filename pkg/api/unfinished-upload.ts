import type * as Declared from "partway";
import type { UploadOptions } from "partway";

import { destinationKey } from "../sessions/destination-key.ts";
import { needsBytes } from "../sessions/needs-bytes.ts";
import { sessions } from "../sessions/port.ts";
import type { Session } from "../sessions/session.ts";
import { checkFile, isHandle, openHandle } from "../sessions/source.ts";
import type { StoredPart, UnfinishedSession } from "../sessions/store.ts";
import { UploadError, invalidOptions, toUploadError } from "./errors.ts";
import { Upload, type UploadContext } from "./upload.ts";

/** The uploads that an uploader can resume. */
export async function unfinished(context: UploadContext): Promise<Declared.UnfinishedUpload[]> {
  if (!context.resume) return [];
  const kept = await sessions();
  if (!kept) return [];
  const found = await kept.unfinishedSessions(destinationKey(context.provider, context.resume.scope));
  return found.map((session) => new UnfinishedUpload(membersOf(context, session, () => kept.openSession(session.id))));
}

export interface UnfinishedUpload extends Declared.UnfinishedUpload {}

/** It is a class with a tag of its own because frameworks wrap or copy plain objects. */
export class UnfinishedUpload {
  constructor(members: Declared.UnfinishedUpload) {
    Object.freeze(Object.assign(this, members));
  }

  get [Symbol.toStringTag](): string {
    return "UnfinishedUpload";
  }
}

type Open = () => Promise<Session>;

function membersOf(context: UploadContext, session: UnfinishedSession, open: Open): Declared.UnfinishedUpload {
  const { id, name, size, relativePath = "", meta = {}, startedAt, handle, record } = session;
  return {
    id,
    name,
    size,
    sent: record.phase === "sending" ? sentOf(session) : size,
    meta,
    relativePath,
    startedAt: new Date(startedAt).toISOString(),
    needsFile: !handle && needsBytes(record),
    resume: (file, options) => resume(context, open, file, options).catch(rethrow),
    discard: () => discard(context, open).catch(rethrow),
  };
}

/** Bytes of the file that were sent. What `transform` made of it may have another size. */
function sentOf({ size, record, parts }: UnfinishedSession): number {
  const sent = parts.reduce(addLength, 0);
  return record.output ? Math.round((sent * size) / record.size) : sent;
}

function addLength(sum: number, { start, end }: StoredPart): number {
  return sum + end - start + 1;
}

function rethrow(error: unknown): never {
  throw toUploadError(error);
}

async function resume(
  context: UploadContext,
  open: Open,
  file: File | FileSystemFileHandle | undefined,
  options: UploadOptions | undefined,
): Promise<Upload> {
  if (file !== undefined) checkFile(file);
  const session = await open();
  try {
    const blob = await blobOf(session, file);
    const upload = start(context, blob, session, options);
    context.join?.(upload);
    return upload;
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** The file to go on with, which must be the one that the upload began with. */
async function blobOf(session: Session, file: File | FileSystemFileHandle | undefined): Promise<Blob> {
  if (file === undefined && !session.needsFile) return new Blob();
  const picked = file ?? session.stored.handle;
  if (!picked) throw invalidOptions("This upload needs its file: resume(file).", "`needsFile` is true: let the user pick the file again.");
  const blob = isHandle(picked) ? await openHandle(picked) : picked;
  if (!(await session.matches(blob))) {
    throw new UploadError("file-changed", `This file differs from ${session.stored.name} as it was when its upload started.`, {
      step: "check",
      hint: "Pick the same file, unchanged; or discard this upload and start a new one.",
    });
  }
  return blob;
}

async function discard(context: UploadContext, open: Open): Promise<void> {
  const session = await open();
  session.isUnwanted = true;
  await start(context, new Blob(), session).done.catch(async (error: unknown) => {
    await session.release();
    if (session.isKept) throw error;
  });
}

/** Resumes with the settings that the upload began with, whatever the file's name and the uploader's options are now. */
function start(context: UploadContext, blob: Blob, session: Session, options?: UploadOptions): Upload {
  const { name, type, settings, relativePath = "", meta = {} } = session.stored;
  const provider = { ...JSON.parse(settings), ...options?.provider };
  return new Upload(context, blob, { filename: name, contentType: type, relativePath, meta, ...options, provider }, session);
}
