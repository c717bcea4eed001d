// Serves the samples of the package's README: node tests/readme/serve.mjs SANDBOX
// SANDBOX is the address of the sandbox's app, whose store stands in for AWS. `cargo xtask package` must have packed the package.
// Prints one line of JSON when it is ready. /s3 is the README's page for S3, /plan a page around its module for a backend, /recipes one
// that tries what its recipes make of a file.
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { samples } from "./samples.mjs";
import { serveSts } from "./sts.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}target/readme/`;
const user = { id: "u1" };

const [sandbox] = process.argv.slice(2);
if (!sandbox) {
  console.error("usage: node serve.mjs http://127.0.0.1:8787");
  process.exit(2);
}

const { destinations } = await (await fetch(`${sandbox}/config.json`)).json();
const store = destinations.map(({ provider }) => provider).find(({ name }) => name === "s3");

/** The store's own names and address in the place of the README's: nothing else of a sample is changed. */
function placed(text) {
  const region = `region: ${JSON.stringify(store.region)}`;
  return text
    .replaceAll('"media"', JSON.stringify(store.bucket))
    .replace('name: "s3",', `name: "s3", endpoint: ${JSON.stringify(store.endpoint)},`)
    .replaceAll('region: "eu-central-1"', region);
}

async function install() {
  const { version } = JSON.parse(await readFile(`${root}pkg/package.json`, "utf8"));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}package.json`, JSON.stringify({ private: true, type: "module" }));
  const tarball = `${root}pkg/partway-${version}.tgz`;
  await promisify(execFile)("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", tarball], { cwd: folder });
  await symlink(fileURLToPath(new URL("node_modules/@aws-sdk", import.meta.url)), `${folder}node_modules/@aws-sdk`);
  const texts = samples(await readFile(`${root}pkg/README.md`, "utf8"));
  for (const [name, text] of texts) await writeFile(`${folder}${name}`, placed(text));
  await writeFile(`${folder}session.mjs`, `export const signedIn = async () => (${JSON.stringify(user)});`);
}

/** What the SDK reads from the environment on a server. */
async function serverKeys() {
  const keys = await (await fetch(`${sandbox}/api/credentials`, { method: "POST" })).json();
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ENDPOINT_URL_STS: await serveSts(keys),
    UPLOAD_ROLE_ARN: "arn:aws:iam::123456789012:role/upload",
  });
}

await install();
await serverKeys();
const { credentials } = await import(`${folder}credentials.mjs`);
const { POST } = await import(`${folder}plan-route.mjs`);

const TYPES = { ".js": "text/javascript", ".html": "text/html", ".wasm": "application/wasm" };
const IMPORTS = { "partway/s3": "/node_modules/partway/s3.js", "partway/plan": "/node_modules/partway/plan.js" };
const importMap = `<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;

const PLAN_PAGE = `<input type="file" id="file"><output id="state"></output>
<script type="module">
  import { uploader } from "/plan-page.js";
  document.querySelector("#file").onchange = ({ target }) =>
    uploader.upload(target.files[0]).done.then(
      ({ key, verified }) => (document.querySelector("#state").value = (verified ? "Stored as " : "Unverified: ") + key),
      (error) => (document.querySelector("#state").value = error.message),
    );
</script>`;

const RECIPES_PAGE = `<output id="state"></output>
<script type="module">
  import { compressed } from "/compressed.js";
  import { encrypted, newIv } from "/encrypted.js";
  import { photo } from "/photo.js";

  const told = [];
  const tell = ({ name, type }, ...more) => told.push([name, type, ...more].join(" "));

  const text = "a line\\n".repeat(10_000);
  const gzip = await compressed(new File([text], "log.txt"));
  const plain = await new Response(gzip.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  tell(gzip, plain === text && gzip.size < 1_000);

  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const meta = JSON.parse(JSON.stringify({ iv: newIv() }));
  const secret = await encrypted(key)(new File([text], "log.txt"), meta);
  const again = await crypto.subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(meta.iv) }, key, await secret.arrayBuffer());
  tell(secret, new TextDecoder().decode(again) === text);

  const canvas = new OffscreenCanvas(300, 200);
  canvas.getContext("2d").fillRect(0, 0, 300, 200);
  const jpeg = await photo(new File([await canvas.convertToBlob()], "dot.dot.png", { type: "image/png" }), 150);
  const picture = await createImageBitmap(jpeg);
  tell(jpeg, picture.width, picture.height);
  document.querySelector("#state").value = told.join("; ");
</script>`;

/** What the README's route answers. */
async function planned(url, method, body) {
  const response = await POST(new Request(new URL(url, "http://page"), { method: "POST", body }), { params: Promise.resolve({ method }) });
  return { status: response.status, json: response.ok ? await response.json() : null };
}

async function answer({ method, url }, body) {
  if (method === "POST" && url === "/api/credentials") return { json: await credentials(user) };
  const called = /^\/api\/plan\/(\w+)$/.exec(url)?.[1];
  if (method === "POST" && called) return planned(url, called, body);
  if (url === "/s3") return { html: importMap + (await readFile(`${folder}page.html`, "utf8")) };
  if (url === "/plan") return { html: importMap + PLAN_PAGE };
  if (url === "/recipes") return { html: RECIPES_PAGE };
  return { file: `${folder}${new URL(url, "http://page").pathname.slice(1)}` };
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  try {
    const { status = 200, json, html, file } = await answer(request, body);
    response.statusCode = status;
    const content = json !== undefined ? JSON.stringify(json) : (html ?? (await readFile(file)));
    response.setHeader("content-type", json !== undefined ? "application/json" : html ? "text/html" : (TYPES[extname(file)] ?? "text/plain"));
    response.end(content);
  } catch (error) {
    response.statusCode = error.code === "ENOENT" ? 404 : 500;
    response.end(String(error));
  }
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
