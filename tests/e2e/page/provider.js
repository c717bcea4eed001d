// The functions that options as JSON can't hold: the backend's side of `s3`, `plan` and `form`, as a customer writes it.

async function call(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

/** Ways in which a plan can be wrong. */
const WRONG = {
  gap: (plan) => (plan.parts[1].byteRange.start += 1),
  overlap: (plan) => (plan.parts[1].byteRange.start -= 1),
  short: (plan) => (plan.parts.at(-1).byteRange.end -= 1),
  long: (plan) => (plan.parts.at(-1).byteRange.end += 1),
  headless: (plan) => (plan.parts[0].byteRange.start = 1),
  empty: (plan) => (plan.parts = []),
};

/**
 * `alter`: { plan: "gap" | … } changes the plan; { noSign } leaves `sign` out; { partSize } makes the backend plan with it;
 * { form: "job" | "policy" } reads the server's replies, or asks it for a policy; { folders } has keys with the file's folder;
 * { transform: "inverted" | "salted" } changes the bytes, the second to others each time;
 * { throws: "open" | "sign" | "complete" | "getCredentials" } has that function throw; { beforeRequest: { name: value } } adds headers.
 */
export function withFunctions(options, alter, seen) {
  const made = { ...options, provider: { ...options.provider } };
  const { provider } = made;
  /** Notes which file a function got. */
  const shown = (name, file) => file?.meta && seen.files?.push([name, file.meta, file.relativePath]);
  const guarded = (name, run) => async (...values) => {
    seen.calls.push(name);
    shown(name, values.at(-1));
    if (alter.throws === name) throw new TypeError(`${name} of the page threw`);
    return run(...values);
  };
  if (provider.name === "s3") {
    if (alter.folders) provider.key = ({ meta, relativePath }) => `${alter.folders}/${meta.index}/${relativePath}`;
    provider.key ??= ({ name }) => `e2e/${crypto.randomUUID()}-${name}`;
    provider.getCredentials = guarded("getCredentials", () => call("/api/credentials"));
  }
  if (provider.name === "plan") {
    const reference = ({ uploadId, key }) => ({ uploadId, key });
    provider.open = guarded("open", async ({ name, size, type }) => {
      const plan = await call("/api/plan/open", { name, size, type });
      if (alter.plan) WRONG[alter.plan](plan);
      return plan;
    });
    if (!alter.noSign) provider.sign = guarded("sign", (plan, partNumbers) => call("/api/plan/sign", { plan: reference(plan), partNumbers }));
    provider.list = guarded("list", (plan) => call("/api/plan/list", { plan: reference(plan) }));
    provider.complete = guarded("complete", (plan, parts) => call("/api/plan/complete", { plan: reference(plan), parts }));
    provider.abort = guarded("abort", (plan) => call("/api/plan/abort", { plan: reference(plan) }));
  }
  if (provider.name === "form" && alter.form === "job") {
    provider.parse = (reply, { status, headers }) => {
      seen.calls.push(`parse:${status}:${headers.get("Content-Type")}`);
      return { poll: reply.job };
    };
    provider.job = ({ state, progress, result, error }) => ({ state, progress, result: result && { ...result, media: { at: result.key } }, error });
  }
  if (provider.name === "form" && alter.form === "policy") {
    provider.fields = guarded("fields", async ({ name, size, type }) => (await call("/api/policy", { name, size, type })).fields);
  }
  if (alter.transform) {
    made.transform = async (file) => {
      const salt = crypto.getRandomValues(new Uint8Array(alter.transform === "salted" ? 16 : 0));
      const output = new File([salt, new Uint8Array(await file.arrayBuffer()).map((byte) => ~byte)], `${file.name}.x`, { type: "application/x-inverted" });
      const digest = await crypto.subtle.digest("SHA-256", await output.arrayBuffer());
      seen.outputs.push(Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""));
      return output;
    };
  }
  if (alter.beforeRequest) {
    made.beforeRequest = (request) => {
      seen.calls.push(`beforeRequest:${request.step}`);
      shown("beforeRequest", request.file);
      if (alter.beforeRequest.throws) throw new TypeError("beforeRequest of the page threw");
      for (const [name, value] of Object.entries(alter.beforeRequest.headers ?? {})) request.headers.set(name, value);
    };
  }
  return made;
}
