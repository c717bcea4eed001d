/** The name among `known` that `name` was probably meant to be, if there is one. */
export function closestMatch(name: string, known: string[]): string | undefined {
  const wanted = normalized(name);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, normalized(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** How many letters to insert, delete, replace, or swap with the next one. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  let before = row;
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      // All are there: each row is longer than `other` by one.
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1));
      if (one[i - 2] === other[j - 1] && one[i - 1] === other[j - 2]) next[j] = Math.min(next[j]!, before[j - 2]! + 1);
    }
    [before, row] = [row, next];
  }
  return row[other.length]!;
}
