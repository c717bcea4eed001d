import type { Provider } from "partway";

import { absoluteUrl } from "../util/absolute-url.ts";

type KeyOf<Union> = Union extends unknown ? keyof Union : never;
type OptionOf<Union, Key> = Union extends unknown ? (Key extends keyof Union ? Union[Key] : never) : never;

/** Whichever provider it is: an option that it doesn't have is undefined. */
type AnyProvider = { [Key in KeyOf<Provider>]?: OptionOf<Provider, Key> };

/** The options that say whose storage it is. */
const ACCOUNT = ["connectionId", "accountId", "bucket", "region"] as const satisfies KeyOf<Provider>[];
/** The options that say what becomes of one file. An upload is resumed with those that it began with. */
const SETTINGS = [
  "vaultUpload",
  "exportType",
  "exportFanId",
  "fanLink",
  "formInputs",
  "key",
  "headers",
] as const satisfies KeyOf<Provider>[];

/** Where a provider sends files to, as text: unfinished uploads are found by it. It holds no secret. */
export function destinationKey(provider: Provider, scope: string | undefined): string {
  const options: AnyProvider = provider;
  // A query may hold a key.
  const address = options.endpoints?.[0] ?? options.endpoint ?? options.baseUrl ?? options.url?.split("?")[0];
  return JSON.stringify([provider.name, address && absoluteUrl(address), ...ACCOUNT.map((name) => options[name]), scope]);
}

/** The provider's settings of one file, as text. It holds no function and no secret. */
export function settingsKey(provider: Provider): string {
  // A form's headers are no settings: they may be keys.
  const options: AnyProvider = provider.name === "form" ? {} : provider;
  return JSON.stringify(Object.fromEntries(SETTINGS.map((name) => [name, options[name]])));
}
