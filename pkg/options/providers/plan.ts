import type { PlanProvider } from "partway";

import { checked, method, options } from "../checks.ts";

export const plan = options<PlanProvider>({
  required: { name: checked, open: method },
  optional: { sign: method, list: method, complete: method, abort: method },
});
