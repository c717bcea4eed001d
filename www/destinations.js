// Where files can go: what the server's configuration names, made into options of the package.

/** Vendors name URLs of their own host in replies; a page without keys calls them through its proxy. */
const VENDOR_BASE = { ofauth: "https://api.ofauth.com" };

const NOTES = {
  ofauth: "To the OFAuth vault. Back comes a mediaUploadId that works once, and a media id where the vault gives one.",
  onlymonster: "Parts go straight to Onlymonster’s store. Back comes a media id, after its processing.",
  apifansly: "One form with the whole file, no parts. Back comes a media id, after its processing.",
  s3: "Straight to a bucket, signed in this page with temporary credentials. Back comes the key.",
  form: "One form to your own server, fields and file. Back comes what it answers.",
  plan: "Your own server plans and signs, this page sends the bytes. Back comes the key.",
};

/** Reads `/config.json` into a list of {id, label, note, provider, vendorBase, options}. */
export async function destinations() {
  const answer = await fetch("/config.json");
  if (!answer.ok) throw new Error(`/config.json answered ${answer.status}`);
  const config = await answer.json();
  return config.destinations.map(({ label, provider }) => ({
    id: provider.name,
    label,
    note: NOTES[provider.name],
    provider,
    vendorBase: VENDOR_BASE[provider.name],
    options: () => options(provider, config),
  }));
}

function options(provider, config) {
  if (provider.name === "s3") {
    const getCredentials = () => post(config.credentialsUrl, {});
    return { provider: { ...provider, key: ({ name }) => `uploads/${crypto.randomUUID()}-${name}`, getCredentials } };
  }
  if (provider.name === "plan") return { provider: { ...provider, ...backend(config.planUrl) } };
  const base = VENDOR_BASE[provider.name];
  if (!base) return { provider };
  const mapUrl = (url) => (url.startsWith(`${base}/`) ? provider.baseUrl + url.slice(base.length) : url);
  return { provider, mapUrl };
}

/** The five calls of a backend that plans and signs. */
function backend(url) {
  const place = ({ uploadId, key }) => ({ uploadId, key });
  return {
    open: ({ name, size, type }) => post(`${url}/open`, { name, size, type }),
    sign: (plan, partNumbers) => post(`${url}/sign`, { plan: place(plan), partNumbers }),
    list: (plan) => post(`${url}/list`, { plan: place(plan) }),
    complete: (plan, parts) => post(`${url}/complete`, { plan: place(plan), parts }),
    abort: (plan) => post(`${url}/abort`, { plan: place(plan) }),
  };
}

async function post(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : undefined;
}
