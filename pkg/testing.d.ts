import type { Meta, Provider, UploadError, UploadErrorCode, UploadResult } from "partway";

/**
 * A double of the package for an application's own tests: the same classes, checks and types, and in the place of the WebAssembly an
 * engine that plays a script. It sends and loads nothing, and runs in jsdom too. Of the application's functions it calls `transform` and
 * `key`.
 *
 * ```js
 * import { afterEach, vi } from "vitest";
 * import { script } from "partway/testing";
 *
 * vi.mock("partway", () => import("partway/testing"));
 * afterEach(() => script.reset());
 *
 * test("a failed upload can be tried again", async () => {
 *   script.next({ progress: [0.3], error: "network" });
 *   render(<Files />);
 *   await userEvent.upload(screen.getByLabelText("Files"), new File(["x"], "a.txt"));
 *   await userEvent.click(await screen.findByText("Try again"));
 *   await screen.findByText("a.txt: done");
 * });
 * ```
 *
 * An application that imports `partway/s3` mocks that. In Jest: `jest.mock("partway", () => require("partway/testing"))`.
 *
 * @module
 */
export * from "partway";

/** What happens to one upload. Without a word it succeeds. */
export interface Script {
  /** Where progress is reported, as fractions of the file; a success reports the whole at the end. @defaultValue `[0.5, 1]` */
  progress?: number[] | undefined;
  /** Whether it stays at the last of these until `script.release()`. @defaultValue `false` */
  hold?: boolean | undefined;
  /** Fails in the place of a result: a code, or an error with details of its own. */
  error?: UploadErrorCode | UploadError | undefined;
  /** Members of the result, besides those that it has anyway. */
  result?: Partial<UploadResult> | undefined;
}

/** A file for which a script is asked. */
export interface ScriptedFile {
  name: string;
  size: number;
  type: string;
}

/** An upload that began. */
export interface StartedUpload extends ScriptedFile {
  /** The application's data of the file; an empty object where it gave none. */
  meta: Meta;
  /** The file's path in the folder that was dropped or picked; empty where there is none. */
  relativePath: string;
  /** The object's key, for a provider with a `key`: what that is, or what it gave. It is there once the upload is `"sending"`. */
  key?: string;
  /** The provider's options, with those of the upload. */
  provider: Provider;
}

/**
 * Says what the uploads of a test do.
 *
 * ```js
 * script.next({ progress: [0.4], hold: true });
 * const upload = uploader.upload(file); // stays at 40 %
 * upload.pause();
 * upload.resume();
 * script.release();
 * await upload.done;
 * ```
 */
export const script: {
  /** The uploads that began since the last `reset()`, in their order. Tries again are among them. */
  readonly started: readonly StartedUpload[];
  /** The scripts of the next uploads, one for each. */
  next(...scripts: (Script | ((file: ScriptedFile) => Script))[]): void;
  /** The script of every upload that `next` has none for. */
  always(script: Script | ((file: ScriptedFile) => Script)): void;
  /** Lets uploads that are held go on: those of files with this name, or all. */
  release(name?: string): void;
  /** Forgets scripts and what began, and releases what is held. */
  reset(): void;
};
