/** The name among `known` that `name` was probably meant to be, if any. */
export function nearest(name, known) {
  const wanted = plain(name);
  let best;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const found = distance(wanted, plain(candidate));
    if (found < least) [best, least] = [candidate, found];
  }
  return best;
}

function plain(name) {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[other.length];
}
