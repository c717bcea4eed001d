// An app's own origin: its files, or the server of its framework, with the sandbox's paths beside them.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request as send } from "node:http";
import { connect } from "node:net";
import { extname, normalize } from "node:path";

const SANDBOX = /^\/(api\/|config\.json|objects\/|control\/)/;

/** The paths of all that was asked for, whichever origin it came from. */
export const REQUESTS = "/-/requests";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".map": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves on a free port of its own. `folder` or `upstream`: the files, or the address of the server that has them. `sandbox`: the address of
 * the sandbox's app. `headers`: more headers of each answer. `requests` collects the paths of what was asked for.
 */
export async function host({ folder, upstream, sandbox, headers = {}, requests = [] }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://host");
    if (pathname === REQUESTS) return response.setHeader("content-type", "application/json").end(JSON.stringify(requests));
    if (sandbox && SANDBOX.test(pathname)) return void pass(sandbox, request, response);
    requests.push(pathname);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (upstream) pass(upstream, request, response);
    else void file(folder, pathname, response);
  });
  if (upstream) server.on("upgrade", (request, socket, head) => join(new URL(upstream), request, socket, head));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}/`;
}

async function file(folder, pathname, response) {
  const name = normalize(decodeURIComponent(pathname)).replace(/\/$/, "/index.html");
  try {
    const content = await readFile(folder + name.slice(1));
    response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream").end(content);
  } catch {
    response.writeHead(404, { "content-type": "text/plain" }).end(`There is no ${name}.`);
  }
}

function pass(target, request, response) {
  const { hostname, port } = new URL(target);
  const { method, url, headers } = request;
  const passed = send({ hostname, port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  passed.on("error", (error) => (response.headersSent ? response.destroy() : response.writeHead(502).end(String(error))));
  response.on("close", () => passed.destroy());
  request.pipe(passed);
}

/** A WebSocket of a dev server. */
function join({ hostname, port }, { method, url, rawHeaders }, socket, head) {
  const other = connect(Number(port), hostname, () => {
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let index = 0; index < rawHeaders.length; index += 2) lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
    other.write(`${lines.join("\r\n")}\r\n\r\n`);
    other.write(head);
    socket.pipe(other).pipe(socket);
  });
  for (const [end, rest] of [
    [socket, other],
    [other, socket],
  ]) {
    end.on("error", () => rest.destroy());
  }
}
