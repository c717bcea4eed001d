import type { ApifanslyProvider } from "partway";

import { checked, list, nonEmptyString, number, options, string } from "../checks.ts";
import { id, proxyOrKey, vendor } from "./vendor.ts";

type FormInput = NonNullable<ApifanslyProvider["formInputs"]>[number];

export const apifansly = options<ApifanslyProvider>({
  required: { name: checked, accountId: id },
  optional: {
    ...vendor,
    formInputs: list(options<FormInput>({ required: { type: number(), value: string }, optional: {} })),
    pollTimeoutMs: number({ min: 1 }),
    pollIntervalMs: number({ min: 1, max: 24 * 60 * 60 * 1000 }),
    apiKey: nonEmptyString,
  },
  rule: proxyOrKey("apiKey"),
});
