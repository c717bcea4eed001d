let isWarned = false;

/** Says once that sessions can't be kept. The upload goes on. */
export function warnNotKept(error: unknown): void {
  if (!isWarned) console.warn("partway: uploads can't be resumed after a reload, because their sessions can't be kept:", error);
  isWarned = true;
}
