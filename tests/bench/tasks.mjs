/** The measurements of the pipeline bench, the same in Node and in a page. */
import { fakeFetch, inChunks, stream } from "./workload.mjs";
import { interleave } from "./rounds.mjs";

/** Events to a network chunk: a token at a time, and a burst as HTTP/2 or a busy reader delivers it. */
export const EVENTS_PER_CHUNK = [1, 16];
export const EVENTS = 2_000;

/**
 * @returns a list of `{measure, perChunk, results: [{name, note, samples} or {name, note, failed}]}`, samples in microseconds per event
 */
export async function pipelineMeasurements(contenders, { events = EVENTS, ...options }) {
  const workload = stream(events);
  const measurements = [];
  for (const perChunk of EVENTS_PER_CHUNK) {
    const chunks = inChunks(workload.frames, perChunk);
    const input = { chunks, payloads: workload.payloads };
    const fetch = fakeFetch(chunks);
    const kinds = {
      pipeline: ({ pipeline }) => pipeline && (() => pipeline(input)),
      "end to end": ({ endToEnd }) => endToEnd?.(fetch),
    };
    for (const [measure, runOf] of Object.entries(kinds)) {
      const tasks = contenders
        .map((contender) => ({ name: contender.name, run: runOf(contender), expected: workload.expected }))
        .filter(({ run }) => run);
      options.progress?.(`${measure}, ${perChunk} event(s) a chunk: warming up`);
      const results = (await interleave(tasks, options)).map(({ name, failed, samples }) => {
        const { note } = contenders.find((contender) => contender.name === name);
        return failed ? { name, note, failed } : { name, note, samples: samples.map((micros) => micros / events) };
      });
      measurements.push({ measure, perChunk, results });
    }
  }
  return measurements;
}
