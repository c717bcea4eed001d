// The code that uploads to the chosen destination, to take away.

import { copy } from "./copy.js";

const GIVES = { ofauth: "mediaUploadId", onlymonster: "mediaId", apifansly: "mediaId", s3: "key", plan: "key", form: "mediaId" };

/** What a configuration in JSON can't say: options of the provider that are functions. */
const CALLBACKS = {
  s3: [
    "key: ({ name }) => `uploads/${crypto.randomUUID()}-${name}`,",
    'getCredentials: () => post("/api/credentials", {}),',
  ],
  plan: [
    'open: (file) => post("/api/plan/open", file),',
    'sign: (plan, partNumbers) => post("/api/plan/sign", { plan, partNumbers }),',
    'list: (plan) => post("/api/plan/list", { plan }),',
    'complete: (plan, parts) => post("/api/plan/complete", { plan, parts }),',
    'abort: (plan) => post("/api/plan/abort", { plan }),',
  ],
};

const POST = `
async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(\`\${url} answered \${answer.status}\`);
  return answer.status === 204 ? undefined : answer.json();
}`;

/** Shows the code and lets it be copied; returns the function that changes the destination. */
export function code() {
  const text = document.getElementById("code-text");
  const button = document.getElementById("code-copy");
  button.addEventListener("click", () => copy(button, text.textContent, "the code"));
  return ({ provider, vendorBase }) => { text.textContent = snippet(provider, vendorBase); };
}

function snippet({ name, ...given }, vendorBase) {
  const callbacks = CALLBACKS[name] ?? [];
  const fields = [
    `name: ${JSON.stringify(name)},`,
    ...Object.entries(given).map(([option, value]) => `${option}: ${JSON.stringify(value)},`),
    ...callbacks,
  ];
  return [
    `import { Uploader } from "partway/${name}"; // or "partway": all destinations`,
    "",
    "const uploader = new Uploader({",
    "  provider: {",
    ...fields.map((field) => `    ${field}`),
    "  },",
    ...(vendorBase ? [`  mapUrl: (url) => url.replace("${vendorBase}", "${given.baseUrl}"),`] : []),
    "});",
    "const upload = uploader.upload(file, {",
    "  onProgress: (p) => { bar.value = p.fraction; },",
    "});",
    `const { ${GIVES[name]} } = await upload.done;`,
    "",
    "// After a reload the same file goes on where it stopped.",
    "// To list what was left: await uploader.unfinished()",
    ...(callbacks.length ? [POST] : []),
  ].join("\n");
}
