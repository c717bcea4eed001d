// The face's modules with a fake engine.
import { readdir } from "node:fs/promises";

import { here, node } from "../project.mjs";
import { result } from "../report.mjs";

export async function face() {
  const files = (await readdir(`${here}face`)).filter((name) => name.endsWith(".test.mjs")).map((name) => `face/${name}`);
  const { ok, stdout, stderr } = await node(["--import", "./face/fake/register.mjs", "--test", "--test-reporter=tap", ...files], {
    cwd: here,
  });
  const lines = stdout.split("\n");
  let failed = false;
  for (const [index, line] of lines.entries()) {
    const [, no, name] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    failed ||= no !== undefined;
    result(no === undefined, `face: ${name}`, no && diagnosis(lines.slice(index + 1)));
  }
  if (!ok && !failed) result(false, "face: the test runner", stderr || stdout);
}

/** The YAML block below a failed line. */
function diagnosis(lines) {
  return lines
    .slice(
      1,
      lines.findIndex((line) => line.trim() === "..."),
    )
    .join("\n");
}
