import type { ApifanslyProvider, OfauthProvider, OnlymonsterProvider } from "partway";

import { invalidOptions } from "../../api/errors.ts";
import { type Checks, boolean, nonEmptyString } from "../checks.ts";

/** The options that every vendor's provider has. */
type VendorOptions = Pick<OfauthProvider, Exclude<keyof OfauthProvider & keyof OnlymonsterProvider & keyof ApifanslyProvider, "name">>;

export const vendor: Checks<VendorOptions> = { baseUrl: nonEmptyString, dangerouslyExposeSecrets: boolean };

/** An id is text: a number loses digits beyond 2^53. */
export function id(value: unknown, path: string): string {
  if (typeof value === "number")
    throw invalidOptions(`${path} must be a string, but is a number.`, "Write it in quotes: numbers beyond 2^53 lose digits.");
  return nonEmptyString(value, path);
}

/**
 * Everyone who opens the page can read a vendor's key in it, so it needs an option of its own. Without such a key there must be a
 * proxy, which adds one.
 */
export function proxyOrKey<Key extends string>(
  keyName: Key,
): (provider: VendorOptions & { [K in Key]?: string | undefined }, path: string) => void {
  return (provider, path) => {
    if (provider.dangerouslyExposeSecrets) return;
    if (provider[keyName] !== undefined) {
      throw invalidOptions(
        `${path}.${keyName} would be readable by everyone who opens the page.`,
        `Let a proxy add it and give its address as ${path}.baseUrl; for a trial, set ${path}.dangerouslyExposeSecrets to true.`,
      );
    }
    if (provider.baseUrl === undefined) {
      throw invalidOptions(
        `${path}.baseUrl is missing.`,
        'Give the address of your proxy, which adds the vendor\'s key: "/api/uploads", for example.',
      );
    }
  };
}
