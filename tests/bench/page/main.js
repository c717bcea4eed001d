// What the bench drives: `prepare` loads a contestant, `run` has it send what the input holds, and both are waited for.

const input = document.querySelector("#files");
let contestant;
let longest = 0;
let long = 0;

// Tasks of 50 ms and more are all that browsers tell of.
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    longest = Math.max(longest, duration);
    long += 1;
  }
}).observe({ type: "longtask" });

window.bench = {
  async prepare(name, settings) {
    contestant = await import(`/bundles/${name}.js`);
    await contestant.prepare?.(settings);
  },
  async run(settings) {
    const files = Array.from(input.files);
    [longest, long] = [0, 0];
    const start = performance.now();
    await contestant.run(files, settings);
    const milliseconds = performance.now() - start;
    // The observer hears of a task once it is over.
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { milliseconds, longestTask: longest, longTasks: long };
  },
};
document.documentElement.dataset.ready = "yes";
