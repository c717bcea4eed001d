// One polite live region for the whole page: what began, arrived or failed; never progress.

const region = document.getElementById("announcer");
let waiting = [];
let timer = 0;

/** Says it soon, together with what else happens in the same moment. */
export function announce(text) {
  waiting.push(text);
  clearTimeout(timer);
  timer = setTimeout(() => {
    region.textContent = waiting.length > 4 ? `${waiting.slice(0, 3).join(". ")}, and ${waiting.length - 3} more.` : `${waiting.join(". ")}.`;
    waiting = [];
  }, 400);
}
