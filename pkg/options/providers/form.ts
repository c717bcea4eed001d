import type { FormProvider } from "partway";

import { boolean, checked, either, method, nonEmptyString, number, oneOf, options, record, string } from "../checks.ts";

type FieldsFunction = Extract<FormProvider["fields"], (...values: never[]) => unknown>;

export const form = options<FormProvider>({
  required: { name: checked, url: nonEmptyString },
  optional: {
    method: oneOf("POST", "PUT"),
    fields: either<FieldsFunction, Record<string, string>>((value) => typeof value === "function", method, record(string)),
    fileField: nonEmptyString,
    headers: record(string),
    repeatable: boolean,
    parse: method,
    job: method,
    pollTimeoutMs: number({ min: 1 }),
    pollIntervalMs: number({ min: 1, max: 24 * 60 * 60 * 1000 }),
  },
});
