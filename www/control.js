// The sandbox's control API.

/** Calls `/control/{what}`; rejects with the sandbox's own words where it refuses. */
export async function control(method, what, body) {
  const options = body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
  const answer = await fetch(`/control/${what}`, { method, ...options });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The sandbox answered ${answer.status}: ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : {};
}
