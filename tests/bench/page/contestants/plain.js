// What an experienced developer writes in an hour: a pool of fetch PUTs that tries again.
import { plainly } from "../plainly.js";

export const run = (files, settings) => plainly(files, settings);
