/*
 * Holds the code against `index.d.ts`, and the face's types of the engine against the generated ones. Nothing imports this module: it
 * is for the compiler, which fails when an export, a member or a parameter exists on one side only.
 */
import type * as Declared from "partway";
import type * as DeclaredForReact from "partway/react";
import type * as DeclaredForSvelte from "partway/svelte";
import type * as DeclaredForTesting from "partway/testing";
import type * as DeclaredForVue from "partway/vue";

import type { UnfinishedUpload } from "./api/unfinished-upload.ts";
import type { DETAILS } from "./api/errors.ts";
import type { UploadGroup } from "./api/group.ts";
import type { Upload } from "./api/upload.ts";
import type * as Generated from "./dist/partway.js";
import type { PROVIDERS } from "./entry.ts";
import type * as Actual from "./index.ts";
import type { Check } from "./options/checks.ts";
import type * as ForReact from "./react.ts";
import type * as ForSvelte from "./svelte.ts";
import type * as ForTesting from "./testing.ts";
import type * as ForVue from "./vue.ts";
import type { Engine, Task } from "./wasm/glue.ts";

/** Whether two types are the same, not only assignable to each other. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** A function may return more than is declared. Everything else must be as declared: parameters, types, `readonly` and `?`. */
type SameMember<A, D, Key extends keyof A & keyof D> = [A[Key], D[Key]] extends [
  (...values: infer Given) => unknown,
  (...values: infer Expected) => unknown,
]
  ? [A[Key]] extends [D[Key]]
    ? Equal<Given, Expected>
    : false
  : Equal<Pick<A, Key>, Pick<D, Key>>;

/** The names of the members that differ. The tag is for frameworks, which ask for it by its symbol, and isn't declared. */
type Difference<A, D> =
  | Exclude<keyof A, keyof D | typeof Symbol.toStringTag>
  | Exclude<keyof D, keyof A>
  | { [Key in keyof A & keyof D]: SameMember<A, D, Key> extends true ? never : Key }[keyof A & keyof D];

/** As many parameters: the generated ones have no types of their own. */
type SameArity<A extends (...values: never[]) => unknown, B extends (...values: never[]) => unknown> = Equal<
  Parameters<A>["length"],
  Parameters<B>["length"]
>;

/** What the generated glue exports for its own ways of loading, which the face doesn't use. */
type GluesOwn = "default" | "initSync";

/** The names that only one of two modules exports. */
type OnOneSide<A, B> = Exclude<keyof A, keyof B> | Exclude<keyof B, keyof A>;

type None<T extends never> = T;
type All<T extends true[]> = T;

export type Differences = [
  None<OnOneSide<typeof Actual, typeof Declared>>,
  None<OnOneSide<typeof ForReact, typeof DeclaredForReact>>,
  None<OnOneSide<typeof ForVue, typeof DeclaredForVue>>,
  None<OnOneSide<typeof ForSvelte, typeof DeclaredForSvelte>>,
  None<OnOneSide<typeof ForTesting, typeof DeclaredForTesting>>,
  None<Difference<Actual.Uploader, Declared.Uploader>>,
  None<Difference<Upload, Declared.Upload>>,
  None<Difference<UploadGroup, Declared.UploadGroup>>,
  None<Difference<UnfinishedUpload, Declared.UnfinishedUpload>>,
  None<Difference<Actual.UploadError, Declared.UploadError>>,
];

export type Holds = All<
  [
    // The declared one has the provider's name apart, for the compiler to find the provider by.
    Equal<ConstructorParameters<typeof Actual.Uploader>, [options: Declared.UploaderOptions]>,
    Equal<ConstructorParameters<typeof Declared.Uploader>["length"], 1>,
    Equal<ConstructorParameters<typeof Actual.UploadError>, ConstructorParameters<typeof Declared.UploadError>>,
    Equal<typeof Actual.load, typeof Declared.load>,
    Equal<typeof Actual.createDropzone, typeof Declared.createDropzone>,
    Equal<typeof Actual.createUploads, typeof Declared.createUploads>,
    Equal<typeof ForReact, typeof DeclaredForReact>,
    Equal<typeof ForVue, typeof DeclaredForVue>,
    Equal<typeof ForSvelte, typeof DeclaredForSvelte>,
    Equal<keyof typeof ForTesting.script, keyof typeof DeclaredForTesting.script>,
    // An overloaded function's parameters are those of its last overload, so these are compared whole.
    Equal<Upload["addEventListener"], Declared.Upload["addEventListener"]>,
    Equal<Upload["removeEventListener"], Declared.Upload["removeEventListener"]>,
    Equal<UploadGroup["addEventListener"], Declared.UploadGroup["addEventListener"]>,
    Equal<UploadGroup["removeEventListener"], Declared.UploadGroup["removeEventListener"]>,
    // The details that an error has as properties; the other two have a treatment of their own.
    Equal<(typeof DETAILS)[number], Exclude<keyof Declared.UploadErrorDetails, "retryable" | "cause">>,

    Equal<typeof PROVIDERS, { [Name in Declared.Provider["name"]]: Check<Extract<Declared.Provider, { name: Name }>> }>,

    Equal<Exclude<keyof typeof Generated, GluesOwn>, "Engine" | "Task" | "__wbg_reset_state" | "mediaType" | "onFatal" | "start" | "stir" | "version">,
    Equal<keyof Generated.Engine, keyof Engine>,
    Equal<keyof Generated.Task, keyof Task>,
    SameArity<Generated.Engine["start"], Engine["start"]>,
    SameArity<Generated.Task["notify"], Task["notify"]>,
    Equal<ConstructorParameters<typeof Generated.Engine>["length"], 2>,
  ]
>;
