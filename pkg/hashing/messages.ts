/* What the page and its workers say to each other. */

/** What is to be computed of bytes of a Blob. */
export interface Wanted {
  md5: boolean;
  crc64: boolean;
}

/** Bytes of a Blob, from `start` to before `end`. */
export interface Part {
  blob: Blob;
  start: number;
  end: number;
}

/** From the page: a job, by a number that its answer has too; without a `part` it isn't wanted any more. */
export interface Request extends Partial<Wanted> {
  id: number;
  part?: Part;
}

/**
 * From a worker. Without an `id` it tells that the worker lives: once that it has begun, and then that it makes progress. With one it
 * answers a job: with the digests, as the wasm has them, or with nothing where the bytes can't be read.
 */
export interface Reply {
  id?: number;
  digests?: Uint8Array;
}
