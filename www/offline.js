// A line that says so while there is no network. `navigator.onLine` is sure of itself only where it says no.

import { announce } from "./announce.js";

export function offline(line) {
  const show = () => { line.hidden = navigator.onLine; };
  addEventListener("offline", () => {
    show();
    announce("Offline. Uploads wait");
  });
  addEventListener("online", () => {
    show();
    announce("The network is back, uploads go on");
  });
  show();
}
