// The places that the package must fit: each an app in a folder, built where its tool builds, and served.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";

import { app, here, node, vitePath } from "../project.mjs";
import { command, sample } from "../readme.mjs";
import { host } from "./host.mjs";
import { installed } from "./install.mjs";

const PAGE = ["shared/destination.js", "shared/show.js", "page/main.js", "page/index.html"];
const WORKER = ["destination", "show", "watch"].map((name) => `shared/${name}.js`).concat(["main.js", "worker.js", "index.html"].map((name) => `worker/${name}`));

/** Where the package's module is without a bundler. */
const MODULE = "/node_modules/partway/s3.js";

/** What is served of a place: `url`, and the wasm files that a build emitted. Each gets the address of the sandbox's app. */
export const PLACES = {
  async "import map"(sandbox) {
    const folder = await plain("import-map", PAGE);
    await edit(`${folder}index.html`, (html) => html.replace("<head>", `<head>\n${sample("import-map.html")}`));
    return { url: await host({ folder, sandbox }) };
  },

  async "module worker"(sandbox) {
    const folder = await plain("module-worker", WORKER);
    await edit(`${folder}worker.js`, byAddress);
    return { url: await host({ folder, sandbox }) };
  },

  /** The page's policy allows the worker's file alone, which the page names. */
  async "strict policy"(sandbox) {
    const { folder, url } = await policed(sandbox, "strict-policy", "worker-src 'self'");
    await cp(`${folder}node_modules/partway/dist/hash_worker.js`, `${folder}own-worker.js`);
    return { url: `${url}?options=${encodeURIComponent(JSON.stringify({ workerUrl: "/own-worker.js" }))}` };
  },

  async "policy without workers"(sandbox) {
    const { url } = await policed(sandbox, "no-workers", "worker-src 'none'");
    return { url };
  },

  /** The scripts come from another origin than the page. */
  async "other origin"(sandbox) {
    const folder = await plain("other-origin", PAGE);
    const requests = [];
    const scripts = await host({ folder, requests, headers: { "access-control-allow-origin": "*" } });
    await edit(`${folder}main.js`, byAddress);
    await edit(`${folder}index.html`, (html) => html.replace('src="main.js"', `src="${scripts}main.js" crossorigin`));
    return { url: await host({ folder, sandbox, requests }) };
  },

  async "vite worker"(sandbox) {
    const folder = await plain("vite-worker", WORKER);
    await writeFile(`${folder}vite.config.js`, sample("vite.config.js"));
    await runs([`${vitePath(5)}/bin/vite.js`, "build"], folder);
    return built(`${folder}dist/`, sandbox);
  },

  async "vite worker in dev"(sandbox) {
    const folder = await plain("vite-worker-dev", WORKER);
    await writeFile(`${folder}vite.config.js`, sample("vite.config.js"));
    const start = (port) => [`${vitePath(7)}/bin/vite.js`, "--host", "127.0.0.1", "--port", port, "--strictPort"];
    return served(folder, start, sandbox);
  },

  /** One HTML file: whatever else is asked for isn't there. */
  async "one file"(sandbox) {
    const folder = await plain("one-file", PAGE);
    const main = await readFile(`${folder}main.js`, "utf8");
    await writeFile(`${folder}single.js`, main.replace('import { Uploader } from "partway/s3";\n', sample("single.js")));
    await command("single.sh", folder);
    const script = (await readFile(`${folder}single.iife.js`, "utf8")).replaceAll("</script", "<\\/script");
    const only = `${folder}only/`;
    await mkdir(only);
    await edit(`${folder}index.html`, (html) => html.replace('<script type="module" src="main.js"></script>', () => `<script>${script}</script>`));
    await rename(`${folder}index.html`, `${only}index.html`);
    return { url: await host({ folder: only, sandbox }) };
  },

  async parcel(sandbox) {
    const folder = await installed("parcel", PAGE);
    await runs([`${folder}node_modules/parcel/lib/bin.js`, "build", "index.html", "--no-cache"], folder);
    return built(`${folder}dist/`, sandbox);
  },

  async sveltekit(sandbox) {
    const folder = await installed("sveltekit", ["shared/destination.js"]);
    const vite = `${folder}node_modules/vite/bin/vite.js`;
    await runs([vite, "build"], folder);
    const start = (port) => [vite, "preview", "--host", "127.0.0.1", "--port", port, "--strictPort"];
    return { ...(await served(folder, start, sandbox)), emitted: await wasms(`${folder}.svelte-kit/output/client/`) };
  },

  async "sveltekit dev"(sandbox) {
    const folder = await installed("sveltekit", ["shared/destination.js"]);
    const start = (port) => [`${folder}node_modules/vite/bin/vite.js`, "dev", "--host", "127.0.0.1", "--port", port, "--strictPort"];
    return served(folder, start, sandbox);
  },

  async next(sandbox) {
    const folder = await installed("next", ["shared/destination.js"]);
    const next = `${folder}node_modules/next/dist/bin/next`;
    await runs([next, "build"], folder);
    const start = (port) => [next, "start", "--hostname", "127.0.0.1", "--port", port];
    return { ...(await served(folder, start, sandbox)), emitted: await wasms(`${folder}.next/static/`) };
  },

  async "next dev"(sandbox) {
    const folder = await installed("next", ["shared/destination.js"]);
    const start = (port) => [`${folder}node_modules/next/dist/bin/next`, "dev", "--hostname", "127.0.0.1", "--port", port];
    return served(folder, start, sandbox);
  },
};

/** An app of nothing but files. */
async function plain(name, files) {
  const folder = await app(name);
  for (const file of files) await cp(`${here}fixtures/${file}`, folder + file.split("/").at(-1));
  return folder;
}

/** A page without a bundler under the README's policy, but for what that says of workers. */
async function policed(sandbox, name, workers) {
  const folder = await plain(name, PAGE);
  await edit(`${folder}main.js`, byAddress);
  const { destinations } = await (await fetch(`${sandbox}/config.json`)).json();
  const { endpoint, endpoints = [] } = destinations.map(({ provider }) => provider).find(({ name }) => name === "s3");
  const stores = [endpoint, ...endpoints].map((address) => new URL(address).origin).join(" ");
  const policy = sample("policy.txt").trim().replace(/https:\S+/, stores).replace(/worker-src [^;]+/, workers);
  const url = await host({ folder, sandbox, headers: { "content-security-policy": `default-src 'none'; ${policy}` } });
  return { folder, url };
}

async function built(folder, sandbox) {
  return { url: await host({ folder, sandbox }), emitted: await wasms(folder) };
}

/** What a tool's own server serves. `start`: its arguments of node, given a port. */
async function served(folder, start, sandbox) {
  const port = await freePort();
  const server = spawn(process.execPath, start(String(port)), { cwd: folder, env: ENV, stdio: ["ignore", "ignore", "inherit"] });
  process.on("exit", () => server.kill());
  server.on("exit", (code) => {
    console.error(`the app's server ended with ${code}`);
    process.exit(1);
  });
  const upstream = `http://127.0.0.1:${port}`;
  while (!(await fetch(upstream).then(({ ok }) => ok, () => false))) await new Promise((resolve) => setTimeout(resolve, 100));
  return { url: await host({ upstream, sandbox }) };
}

/** Tools ask nobody, and tell nobody. */
const ENV = { ...process.env, CI: "1", NEXT_TELEMETRY_DISABLED: "1", PARCEL_WORKERS: "0" };

async function runs(args, cwd) {
  const { ok, stdout, stderr } = await node(args, { cwd, env: ENV });
  if (!ok) throw new Error(`${args.join(" ")}: ${stdout}${stderr}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** How many files are wasm, by what is in them. */
async function wasms(folder) {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const contents = await Promise.all(entries.map(({ parentPath, path, name }) => readFile(`${parentPath ?? path}/${name}`)));
  return contents.filter((content) => content.length > 4 && content.readUInt32BE(0) === 0x0061736d).length;
}

async function edit(path, change) {
  const before = await readFile(path, "utf8");
  const after = change(before);
  if (after === before) throw new Error(`${path} has nothing to change`);
  await writeFile(path, after);
}

function byAddress(script) {
  return script.replace('"partway/s3"', JSON.stringify(MODULE));
}
