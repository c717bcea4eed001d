import { ENTRY } from "../entry.ts";

/** Shared by all copies of this module: each entry has its own. */
const ENTRIES = Symbol.for("partway.entries");

/** Warns once when this page has engines of two entries. The same entry again is a module that was reloaded, or its other build. */
export function noteEngine(): void {
  const page = globalThis as { [ENTRIES]?: Set<string> };
  const entries = (page[ENTRIES] ??= new Set());
  if (!entries.has(ENTRY) && entries.add(ENTRY).size === 2) {
    console.warn(`partway: ${[...entries].join(" and ")} have an engine each, and share no slots. Import everything from one of them; partway has all destinations.`);
  }
}
