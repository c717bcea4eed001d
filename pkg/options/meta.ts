import type { Meta } from "partway";

import { UploadError, invalidOptions } from "../api/errors.ts";
import { object, typeName } from "./checks.ts";

/** Characters of JSON. (A choice: it is written with the session at each of an upload's steps, and `unfinished()` reads all sessions.) */
const MAX_META = 16_384;

/** Gives a copy that nobody can change. */
export function meta(value: unknown, path: string): Meta {
  const given = object(value, path);
  let text: string;
  try {
    text = JSON.stringify(given, function (this: Record<string, unknown>, key) {
      // What `toJSON` made of it is in the parameter that isn't taken.
      const item = this[key];
      if (isJson(item) || (item === undefined && !Array.isArray(this))) return item;
      throw invalidOptions(
        `${path} must be plain JSON, but ${JSON.stringify(key)} in it is ${item === null || typeof item !== "object" ? typeName(item) : `a ${item.constructor?.name}`}.`,
        "Give strings, finite numbers, booleans, null, and arrays and plain objects of these.",
      );
    });
  } catch (error) {
    throw error instanceof UploadError ? error : invalidOptions(`${path} must be plain JSON, but refers to itself.`);
  }
  if (text.length > MAX_META) {
    throw invalidOptions(
      `${path} must have at most ${MAX_META} characters as JSON, but has ${text.length}.`,
      "Give an id, and keep the rest where the id finds it.",
    );
  }
  return JSON.parse(text, (_, item: unknown) => Object.freeze(item));
}

function isJson(item: unknown): boolean {
  if (typeof item === "number") return Number.isFinite(item);
  if (item === null || typeof item === "string" || typeof item === "boolean" || Array.isArray(item)) return true;
  if (typeof item !== "object") return false;
  // A plain object, of any realm.
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
