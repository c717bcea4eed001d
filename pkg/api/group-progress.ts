import type { GroupProgress, Progress, UploadStatus } from "partway";

/** The span that the rate is taken over, as for one upload (src/model/progress.rs). */
const WINDOW_MS = 5_000;
/** There is no rate before this time has passed, as for one upload. */
const SETTLED_MS = 500;
/** Samples of the rate that are closer than this are one. */
const SAMPLE_MS = 50;
/** A first report with more bytes than this tells of parts that were there before: within a frame, no more were sent. (A choice.) */
const FIRST_BYTES = 1 << 20;

const STATUSES = "queued checking opening sending completing processing paused waiting done failed cancelled".split(" ");

/** What a group knows of one of its uploads. */
export interface Share {
  status: UploadStatus;
  progress: Progress | undefined;
  /** Bytes of the file, once they are known. */
  size: number;
}

/** The sums over a group's uploads. Each change costs the same, however many there are. */
export class Tally {
  #files = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<UploadStatus, number>;
  #sent = 0;
  #total = 0;
  /** Bytes that are still to be sent, of files that aren't at their end. */
  #left = 0;
  /** Parts: all, those uploaded, those in flight. */
  #parts = [0, 0, 0] as [total: number, done: number, inFlight: number];
  /** All bytes that were sent in this page. */
  #moved = 0;
  /** Times, and the value of `moved` then; oldest first. */
  #samples: [at: number, moved: number][] = [];

  /** How many files aren't at their end. */
  open = 0;

  /** Adds a share (1), or takes it away (-1). */
  count({ status, progress, size }: Share, sign: 1 | -1): void {
    const { sent, total, parts } = progress ?? { sent: 0, total: size };
    this.#files[status] += sign;
    this.#sent += sign * sent;
    this.#total += sign * total;
    if (parts) {
      this.#parts[0] += sign * parts.total;
      this.#parts[1] += sign * parts.done;
      this.#parts[2] += sign * parts.inFlight;
    }
    if (status !== "done" && status !== "failed" && status !== "cancelled") {
      this.open += sign;
      this.#left += sign * (total - sent);
    }
  }

  /** Counts the bytes between two reports of an upload for the rate. */
  move(before: Progress | undefined, { sent, parts }: Progress): void {
    const bytes = sent - (before?.sent ?? 0);
    if (bytes > 0 && (before || !parts.done || bytes <= FIRST_BYTES)) this.#moved += bytes;
  }

  progress(now: number): GroupProgress {
    const [sent, files, [total, done, inFlight]] = [this.#sent, { ...this.#files }, this.#parts];
    const rate = this.#rate(now);
    return {
      sent,
      total: this.#total,
      fraction: this.#total ? sent / this.#total : Number(files.done > 0 && !this.open),
      rate,
      eta: rate && this.#left / rate,
      parts: { total, done, inFlight },
      processing: null,
      files,
    };
  }

  #rate(now: number): number | null {
    const samples = this.#samples;
    if (this.open === this.#files.queued + this.#files.paused + this.#files.waiting) samples.length = 0;
    while (samples.length > 1 && now - samples[1]![0] >= WINDOW_MS) samples.shift();
    const last = samples.at(-1);
    if (last && samples.length > 1 && now - last[0] < SAMPLE_MS) last[1] = this.#moved;
    else samples.push([now, this.#moved]);
    const [since, moved] = samples[0]!;
    return now - since >= SETTLED_MS ? ((this.#moved - moved) * 1000) / (now - since) : null;
  }
}
