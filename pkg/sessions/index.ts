/** What keeps and finds sessions. The face loads this module with the first file; all entries of the package share it. */
export { findSession, openSession, reopenSession, unfinishedSessions } from "./lookup.ts";
