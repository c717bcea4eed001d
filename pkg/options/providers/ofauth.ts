import type { OfauthProvider } from "partway";

import { boolean, checked, nonEmptyString, oneOf, options, orLiteral } from "../checks.ts";
import { id, proxyOrKey, vendor } from "./vendor.ts";

type VaultUpload = NonNullable<OfauthProvider["vaultUpload"]>;

export const ofauth = options<OfauthProvider>({
  required: { name: checked },
  optional: {
    ...vendor,
    connectionId: id,
    vaultUpload: options<VaultUpload>({ optional: { mode: oneOf("message"), userId: orLiteral(null, id) } }),
    skipExisting: boolean,
    apiKey: nonEmptyString,
  },
  rule: proxyOrKey("apiKey"),
});
