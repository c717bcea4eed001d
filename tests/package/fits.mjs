// Serves an app with the packed package in one of the places that it must fit: node fits.mjs PLACE SANDBOX
// Prints one line of JSON when it is ready: `url`, and `emitted`, how many wasm files a build has. SANDBOX is the address of the sandbox's
// app, whose paths are then beside the app's own.
import { PLACES } from "./fits/places.mjs";

const [place, sandbox] = process.argv.slice(2);
if (!Object.hasOwn(PLACES, place ?? "") || !sandbox) {
  console.error(`usage: node fits.mjs PLACE http://127.0.0.1:8787\nplaces: ${Object.keys(PLACES).join(", ")}`);
  process.exit(2);
}
console.log(JSON.stringify(await PLACES[place](sandbox)));
