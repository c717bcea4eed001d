import { filled, list, number, shape, string } from "../check.js";
import { id, proxied, vendor } from "./vendor.js";

export const apifansly = shape(
  {
    ...vendor,
    accountId: id,
    formInputs: list(shape({ type: number(), value: string }, { required: ["type", "value"] })),
    pollTimeoutMs: number({ min: 1 }),
    pollIntervalMs: number({ min: 1, max: 24 * 60 * 60 * 1000 }),
    apiKey: filled,
  },
  { required: ["accountId"], rule: proxied("apiKey") },
);
