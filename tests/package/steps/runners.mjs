// The tarball under test runners: Jest, which has no `import.meta`, and DOMs that have less than browsers.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import { app, here, node } from "../project.mjs";
import { test } from "../report.mjs";

const JEST_JSDOM = `${here}node_modules/jest-environment-jsdom`;
const jest = (environment) => [`${here}node_modules/jest/bin/jest.js`, "--rootDir", ".", "--env", environment, "--no-cache"];
const vitest = (environment) => [`${here}node_modules/vitest/vitest.mjs`, "run", "--root", ".", "--environment", environment];

/** The command, and how an upload of the environment's own File ends: it arrives, or is refused in words that have these in them. */
const RUNNERS = {
  "Jest with Node": [jest("node")],
  "Jest with jsdom": [jest(JEST_JSDOM), ["TextDecoder", "Blob.prototype.arrayBuffer"]],
  "Jest with jsdom that Node lends its classes": [jest("./lent.cjs")],
  "Vitest with Node": [vitest("node")],
  "Vitest with jsdom": [vitest("jsdom"), ["Blob.prototype.arrayBuffer"]],
  "Vitest with jsdom that Node lends its classes": [[...vitest("jsdom"), "--config", "vitest.lent.mjs"]],
  "Vitest with happy-dom": [vitest("happy-dom")],
};

export async function runners() {
  const folder = await app("runners", "runners");
  const stored = [];
  const server = createServer((request, response) => store(request, response, stored));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const env = { ...process.env, CI: "1", NO_COLOR: "1", JEST_JSDOM, SERVER: `http://127.0.0.1:${server.address().port}` };

  for (const [name, [command, missing]] of Object.entries(RUNNERS)) {
    await test(`runners: ${name}: it imports, and an upload ${missing ? "says what is missing" : "arrives"}`, async () => {
      stored.length = 0;
      const { ok, stdout, stderr } = await node(command, { cwd: folder, env });
      assert.ok(ok, stdout + stderr);
      const [, text] = /ending (\{.*\})/.exec(stdout + stderr) ?? assert.fail(stdout + stderr);
      const ending = JSON.parse(text);
      if (missing) {
        assert.deepEqual([ending.isUploadError, ending.code], [true, "internal"], text);
        for (const word of missing) assert.ok(ending.message.includes(word), text);
        assert.match(ending.hint, /test runner/);
        assert.deepEqual(stored, []);
      } else {
        assert.deepEqual(ending, { mediaId: "7", bytes: 5 });
        assert.deepEqual(stored, ["hello"]);
      }
    });
  }
  server.close();
  server.closeAllConnections();

  await test("runners: the README lends jsdom what the fixtures lend it", async () => {
    const readme = await readFile(`${here}../../pkg/README.md`, "utf8");
    for (const fixture of ["lent.mjs", "lent.cjs"]) {
      const code = (await readFile(`${here}fixtures/runners/${fixture}`, "utf8")).replace(/^\/\/.*\n/, "");
      const lines = code.replace(/process\.env\.JEST_JSDOM \?\? /, "");
      assert.ok(readme.includes(lines.trim()), fixture);
    }
  });
}

/** A store that takes anything from anywhere: DOMs hold to CORS. */
async function store(request, response, stored) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (request.method === "PUT") stored.push(Buffer.concat(chunks).toString());
  const any = ["origin", "methods", "headers"].map((name) => [`access-control-allow-${name}`, "*"]);
  response.writeHead(request.method === "OPTIONS" ? 204 : 200, { ...Object.fromEntries(any), etag: '"e"' }).end();
}
