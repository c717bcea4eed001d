// The ways to break the network, in the words of people, and what the sandbox is told for each.

const ALL = ["store:*", "ofauth:*", "onlymonster:*", "apifansly:*", "form:*", "plan:*", "credentials"];
/** The requests that carry a file's bytes. */
const BYTES = ["store:UploadPart", "store:PutObject", "ofauth:part", "ofauth:single", "apifansly:upload", "form:upload", "store:PostObject"];
const STORE = ["store:UploadPart", "store:PutObject"];

const on = (routes, effect, probability = 1) => routes.map((route) => ({ route, skip: 0, times: null, probability, effect }));
const chances = [["some", 0.1], ["a third", 0.33], ["most", 0.7]];
const often = (effect, routes = BYTES) => (probability) => ({ faults: on(routes, effect, probability) });

/** Each: what the switch says, how far it goes (the middle is where it starts), what it asks the sandbox for, and what the log calls a hit. */
export const SWITCHES = [
  {
    id: "slow", hit: "bandwidth", label: "Slow line", note: "All connections share one line.",
    levels: [["2 MB/s", 2_000_000], ["500 kB/s", 500_000], ["1 Mbit/s", 125_000]],
    build: (bytesPerSecond) => ({ faults: on(BYTES, { kind: "bandwidth", bytesPerSecond, shared: true }) }),
  },
  {
    id: "latency", hit: "latency", label: "Long way", note: "Every request takes longer.",
    levels: [["0.2 s", 200], ["0.8 s", 800], ["3 s", 3000]],
    build: (ms) => ({ faults: on(ALL, { kind: "latency", ms }) }),
  },
  {
    id: "busy", hit: "status", label: "Server busy", note: "Answers 503, come back in a second.",
    levels: chances,
    build: often({ kind: "status", status: 503, headers: { "retry-after": "1" }, body: "", cors: true }),
  },
  {
    id: "cut", hit: "reset:before", label: "Line cut", note: "It breaks before anything took effect.",
    levels: chances,
    build: often({ kind: "reset", when: "before" }),
  },
  {
    id: "lost", hit: "reset:after", label: "Answer lost", note: "It took effect, the page never hears.",
    levels: chances,
    build: often({ kind: "reset", when: "after" }),
  },
  {
    id: "stall", hit: "stall:body", label: "Silence", note: "Stops halfway, until you mend it.",
    levels: chances,
    build: often({ kind: "stall", when: "body" }),
  },
  {
    id: "expired", hit: "expired", label: "Expired links", note: "The store refuses, without CORS.",
    levels: chances,
    build: often({ kind: "expired" }, STORE),
  },
  {
    id: "etag", hit: "hide-etag", label: "Hidden ETag", note: "The CORS rule doesn’t expose it.",
    levels: [],
    build: () => ({ faults: on(["store:*"], { kind: "hide-etag" }) }),
  },
  {
    id: "clock", label: "Wrong clock", note: "The servers’ time isn’t yours.",
    levels: [["20 min behind", -1_200_000], ["20 min ahead", 1_200_000]],
    build: (skewMs) => ({ faults: [], skewMs }),
  },
];

/** What the sandbox is told for the switches that are on: a map from id to the index of the level. */
export function request(state, seed) {
  const built = SWITCHES.filter(({ id }) => state.has(id)).map(({ id, levels, build }) => build(levels[state.get(id)]?.[1]));
  return { seed, skewMs: built.reduce((sum, { skewMs = 0 }) => sum + skewMs, 0), faults: built.flatMap(({ faults }) => faults) };
}
