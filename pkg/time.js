/** What the promise gives; rejects with `late()` where it gives nothing for so long. */
export function inTime(promise, ms, late) {
  let timer;
  const overdue = new Promise((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  return Promise.race([promise, overdue]).finally(() => clearTimeout(timer));
}
