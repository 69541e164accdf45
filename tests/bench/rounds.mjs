/** Interleaved rounds: A B C, A B C, … so that whatever slows the machine down slows everybody down. */

/**
 * Measures each task in every round.
 *
 * @param tasks `{name, run, expected}`: `run()` does the work once and gives its text, which has to equal `expected`
 * @param options `rounds`; `ms`, the least time of one measurement; `clock`, a function that gives microseconds spent so far; `collect`, called before each measurement;
 *   `progress`, called with a line now and then
 * @returns a list of `{name, samples}`, in microseconds per run, or `{name, failed}` for a task that could not do its work: the others are still worth measuring
 */
export async function interleave(tasks, { rounds, ms, clock, collect, progress }) {
  const entries = [];
  for (const task of tasks) entries.push(await warmed(task, ms, clock));
  for (let round = 0; round < rounds; round += 1) {
    for (const { task, runs, samples } of entries.filter(({ failed }) => !failed)) {
      collect?.();
      samples.push((await measure(task, runs, clock)) / runs);
    }
    progress?.(`round ${round + 1} of ${rounds}`);
  }
  return entries.map(({ task: { name }, samples, failed }) => (failed ? { name, failed } : { name, samples }));
}

async function warmed(task, ms, clock) {
  try {
    return { task, runs: await warm(task, ms, clock), samples: [] };
  } catch (error) {
    return { task, failed: String(error.message).split("\n")[0] || "failed" };
  }
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
