import type { Provider } from "partway";

import { invalidOptions } from "../api/errors.ts";
import { PROVIDERS } from "../entry.ts";
import { type Check, describe, object } from "./checks.ts";
import { closestMatch } from "./closest-match.ts";

const CHECKS: Readonly<Record<string, ((value: unknown, path: string) => Provider) & Pick<Check<Provider>, "names">>> = PROVIDERS;

/** The options of the provider that `name` says. */
export function checkProvider(value: unknown, path: string): Provider {
  const { name } = object(value, path);
  const check = typeof name === "string" && Object.hasOwn(CHECKS, name) && CHECKS[name];
  if (check) return check(value, path);
  const names = Object.keys(CHECKS);
  const meant = typeof name === "string" && closestMatch(name, names);
  if (name === undefined) throw invalidOptions(`${path}.name is missing.`, `Write name: ${oneOf(names)}.`);
  const whole = names.length === 1 ? 'This is an entry for one destination: import from "partway", which has all of them.' : undefined;
  throw invalidOptions(
    `${path}.name must be one of ${names.map((known) => JSON.stringify(known)).join(", ")}, but is ${describe(name)}.`,
    meant ? `Did you mean ${JSON.stringify(meant)}?` : whole,
  );
}

/** Says where an option belongs that was given beside `provider`, if providers have it. */
export function placeInProvider(option: string): string | undefined {
  const names = Object.keys(CHECKS).filter((name) => CHECKS[name]?.names?.includes(option));
  return names.length ? `It belongs in the provider: { name: ${oneOf(names)}${option === "name" ? "" : `, ${option}`} }.` : undefined;
}

function oneOf(names: string[]): string {
  return names.map((name) => JSON.stringify(name)).join(" or ");
}

/** The uploader's provider, with the settings of one file over it. What isn't among these stays the same: credentials are shared by it. */
export function mergeProvider(provider: Provider, settings: object | undefined): Provider {
  if (!settings) return provider;
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const merged = { ...provider, ...given };
  if (merged.name !== provider.name) {
    throw invalidOptions(
      `provider.name can't differ from the uploader's, ${JSON.stringify(provider.name)}.`,
      "Make a second Uploader for the other provider.",
    );
  }
  const same = Object.entries(provider).filter(([name]) => !(name in given));
  return { ...checkProvider(merged, "provider"), ...Object.fromEntries(same) };
}
