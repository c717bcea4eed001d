import { kind, object } from "./check.js";
import { invalid } from "./error.js";
import { SHAPES } from "./providers/list.js";
import { nearest } from "./suggest.js";

/** The provider that `name` says, with its own options. */
export function providerOptions(value, at) {
  const name = object(value, at).name;
  if (!Object.hasOwn(SHAPES, name)) {
    const names = Object.keys(SHAPES);
    const meant = typeof name === "string" && nearest(name, names);
    const more = names.length === 1 ? 'This is an entry for one destination: import from "partway", which has all of them.' : undefined;
    throw invalid(
      `${at}.name must be one of ${names.map((known) => JSON.stringify(known)).join(", ")}, but is ${typeof name === "string" ? JSON.stringify(name) : kind(name)}.`,
      meant ? `Did you mean ${JSON.stringify(meant)}?` : more,
    );
  }
  return SHAPES[name](value, at);
}
