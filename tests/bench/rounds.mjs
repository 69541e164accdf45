/** Interleaved rounds: A B C, A B C, … so that whatever slows the machine down slows everybody down. */

/**
 * Measures each task in every round.
 *
 * @param tasks `{name, run, expected}`: `run()` does the work once and gives its text, which has to equal `expected`
 * @param options `rounds`; `ms`, the least time of one measurement; `clock`, a function that gives microseconds spent so far; `collect`, called before each measurement;
 *   `progress`, called with a line now and then
 * @returns a map from a task's name to its samples, in microseconds per run
 */
export async function interleave(tasks, { rounds, ms, clock, collect, progress }) {
  const samples = new Map(tasks.map(({ name }) => [name, []]));
  const repeats = new Map();
  for (const task of tasks) repeats.set(task, await warm(task, ms, clock));
  for (let round = 0; round < rounds; round += 1) {
    for (const task of tasks) {
      collect?.();
      const spent = await measure(task, repeats.get(task), clock);
      samples.get(task.name).push(spent / repeats.get(task));
    }
    progress?.(`round ${round + 1} of ${rounds}`);
  }
  return samples;
}

/** Runs until the optimising compilers have settled, and says how many runs fill `ms`. */
async function warm(task, ms, clock) {
  let runs = 1;
  for (;;) {
    const spent = await measure(task, runs, clock);
    if (spent >= 2 * ms * 1000) return Math.max(1, Math.ceil((runs * ms * 1000) / spent));
    runs *= 2;
  }
}

async function measure({ name, run, expected }, runs, clock) {
  const before = clock();
  for (let at = 0; at < runs; at += 1) {
    const text = await run();
    // Inside the measurement on purpose: joining the pieces of a lazily built string belongs to its cost.
    if (text !== expected) throw new Error(`${name} made another text: ${difference(text, expected)}`);
  }
  return clock() - before;
}

function difference(text, expected) {
  let at = 0;
  while (at < expected.length && text[at] === expected[at]) at += 1;
  return `${text.length} instead of ${expected.length} characters, first at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`;
}
