// When progress is reported: at the page's next frame, or by a timer where there is none.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { begun, core, planUploader } from "./harness.mjs";

afterEach(() => {
  delete globalThis.requestAnimationFrame;
  delete globalThis.cancelAnimationFrame;
});

/** A page that paints when it is told to, or never. */
function page() {
  const painting = [];
  const cancelled = [];
  globalThis.requestAnimationFrame = (paint) => painting.push(paint);
  globalThis.cancelAnimationFrame = (id) => cancelled.push(id);
  return { painting, cancelled };
}

test("all that wait for a frame share one, and the next one is another", async () => {
  await begun(planUploader());
  const { painting } = page();
  const frame = core.nextFrame();
  assert.equal(core.nextFrame(), frame);
  assert.equal(painting.length, 1);
  painting[0]();
  await frame;
  const next = core.nextFrame();
  assert.notEqual(next, frame);
  assert.equal(painting.length, 1, "a frame that comes at once is left out");
  while (painting.length === 1) await new Promise((resolve) => setTimeout(resolve, 1));
  painting[1]();
  await next;
});

test("a page that isn't shown paints none: a timer goes in its place, and the frame is given up", async () => {
  await begun(planUploader());
  const { painting, cancelled } = page();
  await core.nextFrame();
  assert.deepEqual([painting.length, cancelled], [1, [1]]);
});

test("a worker without frames has the timer alone", async () => {
  await begun(planUploader());
  await core.nextFrame();
});
