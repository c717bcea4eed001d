import { apifansly } from "./apifansly.js";
import { ofauth } from "./ofauth.js";
import { onlymonster } from "./onlymonster.js";
import { plan } from "./plan.js";
import { s3 } from "./s3.js";

/** The options of each destination, by its name. In an entry for one of them this list has that one alone (xtask/src/package/entries.rs). */
export const SHAPES = { ofauth, onlymonster, apifansly, s3, plan };
