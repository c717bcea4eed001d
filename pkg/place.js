/** Whose storage it is. */
const ACCOUNT = ["connectionId", "accountId", "bucket", "region"];
/** What becomes of one file there: an upload goes on only as it was begun. */
const SETTINGS = ["vaultUpload", "exportType", "exportFanId", "fanLink", "formInputs", "key", "headers"];

/** Where a provider takes files to, as text: what is unfinished there is found by it. Holds no secret. */
export function placeOf(provider, scope) {
  const address = provider.endpoints?.[0] ?? provider.endpoint ?? provider.baseUrl;
  return JSON.stringify([provider.name, address && absolute(address), ...ACCOUNT.map((name) => provider[name]), scope]);
}

/** The provider's settings of one file, as text. Holds no function and no secret. */
export function settingsOf(provider) {
  return JSON.stringify(Object.fromEntries(SETTINGS.map((name) => [name, provider[name]])));
}

/** The whole of an address that the page may have written in short; as it is where that can't be told. */
export function absolute(address) {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    return address;
  }
}
