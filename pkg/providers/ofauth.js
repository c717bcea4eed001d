import { boolean, filled, nullable, oneOf, shape } from "../check.js";
import { id, proxied, vendor } from "./vendor.js";

export const ofauth = shape(
  {
    ...vendor,
    connectionId: id,
    vaultUpload: shape({ mode: oneOf("message"), userId: nullable(id) }),
    skipExisting: boolean,
    apiKey: filled,
  },
  { rule: proxied("apiKey") },
);
