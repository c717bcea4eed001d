import type { SessionRecord } from "./store.ts";

/** The destination has all bytes in the phase "settling": only its processing is left. */
export function needsBytes(record: SessionRecord | undefined): boolean {
  return record?.phase !== "settling";
}
