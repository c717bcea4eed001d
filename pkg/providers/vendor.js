import { boolean, filled, string } from "../check.js";
import { invalid } from "../error.js";

/** What the options of every vendor have. */
export const vendor = { name: string, baseUrl: filled, dangerouslyExposeSecrets: boolean };

/** Ids are text: a number loses digits beyond 2^53. */
export function id(value, at) {
  if (typeof value === "number")
    throw invalid(`${at} must be a string, but is a number.`, "Write it in quotes: numbers beyond 2^53 lose digits.");
  return filled(value, at);
}

/** A vendor's key in a page is a key given away, so it takes a word of its own; and without a proxy there is no way but such a key. */
export function proxied(keyName) {
  return (provider, at) => {
    if (provider.dangerouslyExposeSecrets) return;
    if (provider[keyName] !== undefined) {
      throw invalid(
        `${at}.${keyName} would be readable by everyone who opens the page.`,
        `Let a proxy add it and give its address as ${at}.baseUrl; for a trial, set ${at}.dangerouslyExposeSecrets to true.`,
      );
    }
    if (provider.baseUrl === undefined) {
      throw invalid(
        `${at}.baseUrl is missing.`,
        'Give the address of your proxy, which adds the vendor\'s key: "/api/uploads", for example.',
      );
    }
  };
}
