// Web Locks as one page sees them: exclusive, `ifAvailable`, and `drop()` for what a browser does when the page is gone.
const holders = new Map();

/** Milliseconds that letting go takes. */
export const pace = { ms: 0 };

export const locks = {
  request(name, { ifAvailable }, callback) {
    if (!ifAvailable) throw new Error("only asked for where it is available");
    return Promise.resolve().then(async () => {
      if (holders.has(name)) return callback(null);
      const mine = {};
      holders.set(name, mine);
      try {
        return await callback({ name, mode: "exclusive" });
      } finally {
        // Not within a microtask: in a browser another process grants the lock.
        await new Promise((resolve) => (pace.ms ? setTimeout(resolve, pace.ms) : setImmediate(resolve)));
        if (holders.get(name) === mine) holders.delete(name);
      }
    });
  },
  async query() {
    return { held: [...holders.keys()].map((name) => ({ name })), pending: [] };
  },
};

/** The page that had them is gone. */
export const drop = () => holders.clear();
/** Another tab has it. */
export const hold = (name) => holders.set(name, {});
export const held = () => [...holders.keys()];
