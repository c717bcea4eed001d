import type { UploadErrorCode } from "partway";

/** The codes of failures after which the same `upload(file)` may succeed later: the ones that are `true` in `codes!` (src/error.rs). */
export const RETRYABLE: ReadonlySet<UploadErrorCode> = new Set([
  "rate-limited",
  "session-expired",
  "url-expired",
  "integrity-mismatch",
  "network",
  "stalled",
  "server",
  "processing-failed",
  "processing-timeout",
  "already-running",
  "internal",
] satisfies UploadErrorCode[]);
