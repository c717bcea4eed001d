// Counts tests, and prints each as a line of TAP.
let passed = 0;
let failed = 0;

export function result(ok, name, details = "") {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? "ok" : "not ok"} ${passed + failed} - ${name}`);
  if (!ok && details) console.log(details.trim().replace(/^/gm, "#   "));
}

export async function test(name, action) {
  try {
    await action();
    result(true, name);
  } catch (error) {
    result(false, name, error?.stack ?? String(error));
  }
}

/** Prints the last line, and gives the exit code. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
