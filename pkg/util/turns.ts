/*
 * Many uploads may be asked for at once. What has to be done for each of them before the engine has it is done in turns, with pauses in
 * which the page can paint and answer its user.
 */

/** How long turns may keep the thread before they pause: what is being sent meanwhile needs the thread too. (A choice: as long as a small request takes.) */
const BUDGET_MS = 2;

type Waiting = (() => void)[];
/** First turns: Chromium asks another process for a file's size, and waits. */
const first: Waiting = [];
/** Last turns: the engine gets the file. */
const last: Waiting = [];
let isRunning = false;

/**
 * Resolves when it is the caller's turn, in the order of the calls: at once, unless others have kept the thread for too long. Last turns go
 * before first ones, so that files are sent while others are still looked at.
 */
export function turn(isLast = false): Promise<void> {
  return new Promise((resolve) => {
    (isLast ? last : first).push(resolve);
    if (!isRunning) void run();
  });
}

async function run(): Promise<void> {
  isRunning = true;
  let began = performance.now();
  for (let resolve; (resolve = last.shift() ?? first.shift()); ) {
    resolve();
    await null;
    if (performance.now() - began > BUDGET_MS) {
      await nextTask();
      began = performance.now();
    }
  }
  isRunning = false;
}

/** Resolves in another task. Not by a timer, which a page that isn't shown would wait a second for. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (!globalThis.MessageChannel) return void setTimeout(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
