/** The page's side of the pipeline bench; bundled, loaded in Chromium, driven from `pipeline.mjs`. */
import { rivals } from "./contenders.mjs";
import { broken, ourClients } from "./ours.mjs";
import { pipelineMeasurements } from "./tasks.mjs";

/**
 * @param options `rounds`, `ms`, and `ours`: the URLs of our parts (`gate`, `pipeline`, `wasm`), or `null`
 */
globalThis.runPipelineBench = async ({ rounds, ms, ours }) => {
  const contenders = [...(ours ? await loaded(ours).catch((error) => [broken(error)]) : []), ...rivals];
  return pipelineMeasurements(contenders, {
    rounds,
    ms,
    // A page cannot read its CPU time; the loop never waits, so the clock on the wall is as good while nothing else runs.
    clock: () => performance.now() * 1000,
    collect: globalThis.gc,
    progress: (line) => console.info(line),
  });
};

async function loaded({ gate, pipeline, wasm }) {
  const bytes = await (await fetch(wasm)).arrayBuffer();
  return ourClients({ gate: await import(gate), pipeline: await import(pipeline), wasm: bytes });
}
