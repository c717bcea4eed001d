// Serves an app with the packed package by one of the Vites, or built by another bundler:
// node serve.mjs 5|6|7|8|esbuild|rollup|webpack dev|preview PORT [SANDBOX [ENTRY]]
// Prints one line of JSON when it is ready. SANDBOX is the address of the sandbox's app, whose paths are then proxied; ENTRY is what the
// app imports.
import { BUNDLERS, build } from "./bundlers.mjs";
import { VITES, app, viteBuild } from "./project.mjs";

const [version, mode, port, sandbox, entry = "partway"] = process.argv.slice(2);

const bundler = BUNDLERS.includes(version) && mode === "preview" ? version : undefined;
if (!(bundler || VITES.includes(version)) || !["dev", "preview"].includes(mode) || !/^\d+$/.test(port ?? "")) {
  console.error("usage: node serve.mjs 5|6|7|8|esbuild|rollup|webpack dev|preview PORT [http://127.0.0.1:8787 [partway/s3]]");
  process.exit(2);
}

const vite = await import(`vite${bundler ? VITES.at(-1) : version}`);
const folder = await app(`served-${version}-${mode}-${entry.replace("/", "-")}`, "vite", entry);
const proxy = sandbox && Object.fromEntries(["/api", "/config.json", "/objects", "/control"].map((path) => [path, sandbox]));
const place = { host: "127.0.0.1", port: Number(port), strictPort: port !== "0", ...(proxy && { proxy }) };
const common = { root: folder, configFile: false, logLevel: "error" };

let server;
if (mode === "dev") {
  server = await vite.createServer({ ...common, server: place });
  await server.listen();
} else {
  await (bundler ? build(bundler, folder, entry) : viteBuild(version, folder));
  server = await vite.preview({ ...common, preview: place });
}
console.log(JSON.stringify({ version: vite.version, url: server.resolvedUrls.local[0] }));
