/**
 * The npm package in the bench: the only file here that knows how the package is called.
 * (`ours-pipeline.mjs` knows what lies below it, `ours-worker.mjs` the Worker. When a build is missing, the tables show the others only.)
 */
import { joined } from "./workload.mjs";

const BASE_URL = "http://upstream.invalid/v1";
const MODEL = "deepseek-v4-pro";
const MESSAGES = [{ role: "user", content: "Why do gates leak?" }];

export const OUR_NAME = "sluicegate";
/** What the bench imports, by the conditions of the place that it runs in. */
export const OUR_ENTRY = "sluicegate";
/** Bundled from the sources, see there. */
export const OUR_PIPELINE = "ours-pipeline.mjs";
export const OUR_WASM = "sluicegate.wasm";

/**
 * The package as contenders (see `contenders.mjs`).
 *
 * @param parts `gate`, the package's main entry; `pipeline`, the module `ours-pipeline.mjs`; `wasm`, the built wasm's bytes
 */
export async function ourClients({ gate: { createGate }, pipeline: { startPipeline }, wasm }) {
  return [
    { name: OUR_NAME, pipeline: await startPipeline(wasm), endToEnd: (fetch) => deltaByDelta(createGate, fetch) },
    { name: `${OUR_NAME}, batches()`, note: "a batch of deltas per network chunk", endToEnd: (fetch) => batchByBatch(createGate, fetch) },
  ];
}

/** A build that does not even load: it stands in the tables as what it is. */
export function broken(error) {
  const fail = () => {
    throw error;
  };
  return { name: OUR_NAME, pipeline: fail, endToEnd: () => fail };
}

/** As the README shows it. */
function deltaByDelta(createGate, fetch) {
  let opened;
  return async () => {
    const gate = await (opened ??= createGate({ baseUrl: BASE_URL, model: MODEL, fetch }));
    const seen = collector();
    for await (const delta of gate.stream({ messages: MESSAGES })) seen.add(delta);
    return seen.end();
  };
}

/** As a page does that draws once per chunk. */
function batchByBatch(createGate, fetch) {
  let opened;
  return async () => {
    const gate = await (opened ??= createGate({ baseUrl: BASE_URL, model: MODEL, fetch }));
    const seen = collector();
    for await (const batch of gate.stream({ messages: MESSAGES }).batches()) for (const delta of batch) seen.add(delta);
    return seen.end();
  };
}

function collector() {
  let reasoning = "";
  let text = "";
  return {
    add(delta) {
      if (delta.type === "text") text += delta.text;
      else if (delta.type === "reasoning") reasoning += delta.text;
    },
    end: () => joined(reasoning, text),
  };
}
