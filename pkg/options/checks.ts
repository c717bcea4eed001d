import { invalidOptions } from "../api/errors.ts";
import { closestMatch } from "./closest-match.ts";

/**
 * Checks a value, and gives the one to use or throws "invalid-options". `path` names the value in messages, and `owner` is the object
 * that it was given in, if it was in one. A message describes a value that was found by its type only: it may be a secret.
 */
export interface Check<T> {
  (value: unknown, path: string, owner?: object): T;
  /** The options' names, where it checks an object of a table. */
  readonly names?: readonly string[];
  /** Never there. It makes the compiler insist on all values of a type: a check that accepts fewer than an option has is an error. */
  readonly accepts?: (value: T) => void;
}

type RequiredKeys<Options> = { [Key in keyof Options]-?: undefined extends Options[Key] ? never : Key }[keyof Options];

/** A check for each of these options, and for nothing else. */
export type Checks<Options, Keys extends keyof Options = keyof Options> = {
  readonly [Key in Keys]-?: Check<Exclude<Options[Key], undefined>>;
};

/** The options of an interface, each with its check, and what concerns several of them. */
type OptionTable<Options> = {
  optional: Checks<Options, Exclude<keyof Options, RequiredKeys<Options>>>;
  /** Says where an option belongs that isn't one here. */
  place?: (name: string) => string | undefined;
  rule?: (options: Options, path: string) => void;
} & ([RequiredKeys<Options>] extends [never] ? { required?: never } : { required: Checks<Options, RequiredKeys<Options>> });

/**
 * Checks an object with the options of a table and no others. An option that is `undefined` counts as missing. The result is a plain
 * copy, so that what was checked is what is used.
 */
export function options<Options>({ required, optional, place, rule }: OptionTable<Options>): Check<Options> {
  // The compiler can't follow which option belongs to which check.
  const checks = { ...required, ...optional } as Record<string, Check<unknown>>;
  const names = Object.keys(checks);
  const check = (value: unknown, path: string): Options => {
    const given = object(value, path);
    for (const key of Object.keys(given)) {
      if (given[key] !== undefined && !names.includes(key)) throw unknownOption(key, path, names, place?.(key));
    }
    const copy: Record<string, unknown> = {};
    for (const [key, checkOne] of Object.entries(checks)) {
      if (given[key] !== undefined) copy[key] = checkOne(given[key], join(path, key), given);
      else if (required && key in required) throw invalidOptions(`${join(path, key)} is missing.`);
    }
    rule?.(copy as Options, path);
    return copy as Options;
  };
  return Object.assign(check, { names });
}

/** A value that has been checked before. */
export function checked<T>(value: unknown): T {
  return value as T;
}

export function string(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrongType(value, path, "a string");
  return value;
}

export function nonEmptyString(value: unknown, path: string): string {
  const text = string(value, path);
  if (text.trim() === "") throw invalidOptions(`${path} must not be empty.`);
  return text;
}

export function boolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw wrongType(value, path, "true or false");
  return value;
}

export function number({ min = 0, max = Number.MAX_SAFE_INTEGER, whole = true } = {}): Check<number> {
  const expected = `a${whole ? " whole" : ""} number from ${min} to ${max}`;
  return (value, path) => {
    if (typeof value !== "number") throw wrongType(value, path, expected);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value)))
      throw invalidOptions(`${path} must be ${expected}, but is ${value}.`);
    return value;
  };
}

export function oneOf<const T extends string>(...values: T[]): Check<T> {
  const expected = values.map((value) => JSON.stringify(value)).join(", ");
  return (value, path) => {
    if (!(values as unknown[]).includes(value)) throw invalidOptions(`${path} must be one of ${expected}, but is ${describe(value)}.`);
    return value as T;
  };
}

/** The `literal`, or what `check` accepts. */
export function orLiteral<const L extends string | false | null, T>(literal: L, check: Check<T>): Check<L | T> {
  return (value, path, owner) => (value === literal ? literal : check(value, path, owner));
}

/** What `one` accepts for values that pass the test, and what `other` accepts for all others. */
export function either<A, B>(test: (value: unknown) => boolean, one: Check<A>, other: Check<B>): Check<A | B> {
  return (value, path, owner) => (test(value) ? one : other)(value, path, owner);
}

/** A function that is called as a method of its owner. What it takes and gives can't be checked before it is called. */
export function method<F>(value: unknown, path: string, owner?: object): F {
  if (typeof value !== "function") throw wrongType(value, path, "a function");
  return value.bind(owner);
}

/** A function that is called without a `this`, as the browser's own functions must be. */
export function detached<F>(value: unknown, path: string): F {
  return method(value, path);
}

export function list<T>(check: Check<T>): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongType(value, path, "an array");
    return value.map((item, index) => check(item, `${path}[${index}]`, value));
  };
}

export function record<T>(check: Check<T>): Check<Record<string, T>> {
  return (value, path) => {
    const given = object(value, path);
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, check(item, `${path}[${JSON.stringify(key)}]`, given)]));
  };
}

export function object(value: unknown, path: string): Record<string, unknown> {
  if (value === undefined && !path) throw invalidOptions("The options are missing.");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(value, path || "the options", "an object");
  return value as Record<string, unknown>;
}

export function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key;
}

/** A text as it is, and anything else by its type. For options that hold no secret. */
export function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeName(value);
}

/** What kind of value it is. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "not given";
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

function wrongType(value: unknown, path: string, expected: string): Error {
  return invalidOptions(`${path} must be ${expected}, but is ${typeName(value)}.`);
}

function unknownOption(key: string, path: string, known: string[], place: string | undefined): Error {
  const meant = closestMatch(key, known);
  return invalidOptions(
    `${join(path, key)} is not an option.`,
    place || (meant ? `Did you mean ${join(path, meant)}?` : `Known here: ${known.join(", ")}.`),
  );
}
