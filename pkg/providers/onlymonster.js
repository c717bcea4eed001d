import { boolean, filled, number, oneOf, shape } from "../check.js";
import { invalid } from "../error.js";
import { id, proxied, vendor } from "./vendor.js";

/** Onlymonster's own pattern for `account_id`. */
function account(value, at) {
  if (!/^(0|[1-9]\d{0,18})$/.test(id(value, at))) throw invalid(`${at} must be a whole number of at most 19 digits, as text.`);
  return value;
}

export const onlymonster = shape(
  {
    ...vendor,
    accountId: account,
    exportType: oneOf("post", "message"),
    exportFanId: id,
    fanLink: filled,
    pollTimeoutMs: number({ min: 1 }),
    stuckAfterMs: number({ min: 1 }),
    requestsPerSecond: number({ min: 0.01, max: 1000, whole: false }),
    stripEtagQuotes: boolean,
    token: filled,
  },
  { required: ["accountId", "exportType"], rule: proxied("token") },
);
