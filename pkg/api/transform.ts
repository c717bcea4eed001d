import type { Meta, UploaderOptions } from "partway";

import { describe } from "../options/checks.ts";
import { type Source, isBlob } from "../sessions/source.ts";

type Transform = NonNullable<UploaderOptions["transform"]>;

/** What the application's `transform` gives in the place of a file, as the engine gets it; `undefined` if that is the file itself. */
export async function transformed(
  transform: Transform,
  { file, name, type }: Source,
  meta: Meta,
  isRenamed: boolean,
): Promise<Source | undefined> {
  const output: unknown = await transform(file as File, meta);
  if (output === file) return undefined;
  // The engine says whose function it was.
  if (!isBlob(output)) throw new Error(`it must return a Blob or a File, but returned ${output === undefined ? "nothing" : describe(output)}.`);
  const own = (output as Partial<File>).name;
  return { file: output, name: isRenamed ? name : own || name, size: output.size, type: output.type || type };
}
