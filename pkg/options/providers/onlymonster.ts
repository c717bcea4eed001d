import type { OnlymonsterProvider } from "partway";

import { invalidOptions } from "../../api/errors.ts";
import { boolean, checked, describe, nonEmptyString, number, oneOf, options } from "../checks.ts";
import { id, proxyOrKey, vendor } from "./vendor.ts";

/** Onlymonster's own pattern for `account_id`. */
function accountId(value: unknown, path: string): string {
  const text = id(value, path);
  if (!/^(0|[1-9]\d{0,18})$/.test(text)) {
    throw invalidOptions(
      `${path} must be a whole number of at most 19 digits, as text, but is ${describe(text)}.`,
      "Give Onlymonster's own `id` of the account, as its list of accounts has it.",
    );
  }
  return text;
}

export const onlymonster = options<OnlymonsterProvider>({
  required: { name: checked, accountId, exportType: oneOf("post", "message") },
  optional: {
    ...vendor,
    exportFanId: id,
    fanLink: nonEmptyString,
    pollTimeoutMs: number({ min: 1 }),
    stuckAfterMs: number({ min: 1 }),
    requestsPerSecond: number({ min: 0.01, max: 1000, whole: false }),
    stripEtagQuotes: boolean,
    token: nonEmptyString,
  },
  rule: proxyOrKey("token"),
});
