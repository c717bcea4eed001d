import { method, shape, string } from "../check.js";

export const plan = shape({ name: string, open: method, sign: method, list: method, complete: method, abort: method }, { required: ["open"] });
