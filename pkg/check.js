import { invalid } from "./error.js";
import { nearest } from "./suggest.js";

/*
 * Each checker takes a value, where it stands, and the object that it stands in. It gives the value to use, or throws "invalid-options".
 * A message names what was found by its type only: it may be a secret.
 */

export function string(value, at) {
  if (typeof value !== "string") throw wrong(value, at, "a string");
  return value;
}

export function filled(value, at) {
  if (string(value, at).trim() === "") throw invalid(`${at} must not be empty.`);
  return value;
}

export function boolean(value, at) {
  if (typeof value !== "boolean") throw wrong(value, at, "true or false");
  return value;
}

export function number({ min = 0, max = Number.MAX_SAFE_INTEGER, whole = true } = {}) {
  const wanted = `a${whole ? " whole" : ""} number from ${min} to ${max}`;
  return (value, at) => {
    if (typeof value !== "number") throw wrong(value, at, wanted);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value))) throw invalid(`${at} must be ${wanted}, but is ${value}.`);
    return value;
  };
}

export function oneOf(...values) {
  const wanted = values.map((value) => JSON.stringify(value)).join(", ");
  return (value, at) => {
    if (!values.includes(value))
      throw invalid(`${at} must be one of ${wanted}, but is ${typeof value === "string" ? JSON.stringify(value) : kind(value)}.`);
    return value;
  };
}

export function either(test, one, other) {
  return (value, at, owner) => (test(value) ? one : other)(value, at, owner);
}

export function nullable(checker) {
  return either(
    (value) => value === null,
    (value) => value,
    checker,
  );
}

/** Called as a method of the object that it was given in. */
export function method(value, at, owner) {
  return func(value, at).bind(owner);
}

/** Called without a `this`, as the browser's own functions want it. */
export function detached(value, at) {
  return func(value, at).bind(undefined);
}

function func(value, at) {
  if (typeof value !== "function") throw wrong(value, at, "a function");
  return value;
}

export function list(checker) {
  return (value, at) => {
    if (!Array.isArray(value)) throw wrong(value, at, "an array");
    return value.map((item, index) => checker(item, `${at}[${index}]`, value));
  };
}

export function record(checker) {
  return (value, at) =>
    Object.fromEntries(
      Object.entries(object(value, at)).map(([key, item]) => [key, checker(item, `${at}[${JSON.stringify(key)}]`, value)]),
    );
}

/** An object with these keys and no others; what is `undefined` counts as not given. Gives a plain copy of what is known. */
export function shape(checkers, { required = [], rule } = {}) {
  const known = Object.keys(checkers);
  return (value, at) => {
    object(value, at);
    for (const key of Object.keys(value)) {
      if (value[key] !== undefined && !known.includes(key)) throw unknown(key, at, known);
    }
    const copy = {};
    for (const key of known) {
      if (value[key] !== undefined) copy[key] = checkers[key](value[key], join(at, key), value);
      else if (required.includes(key)) throw invalid(`${join(at, key)} is missing.`);
    }
    rule?.(copy, at);
    return copy;
  };
}

export function object(value, at) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(value, at || "the options", "an object");
  return value;
}

export function join(at, key) {
  return at ? `${at}.${key}` : key;
}

export function kind(value) {
  if (value === null) return "null";
  if (value === undefined) return "not given";
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

function wrong(value, at, wanted) {
  return invalid(`${at} must be ${wanted}, but is ${kind(value)}.`);
}

function unknown(key, at, known) {
  const meant = nearest(key, known);
  return invalid(`${join(at, key)} is not an option.`, meant ? `Did you mean ${join(at, meant)}?` : `Known here: ${known.join(", ")}.`);
}
