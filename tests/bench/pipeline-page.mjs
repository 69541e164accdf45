/** The page's side of the pipeline bench; bundled, loaded in Chromium, driven from `pipeline.mjs`. */
import { rivals } from "./contenders.mjs";
import { ourClient } from "./ours.mjs";
import { pipelineMeasurements } from "./tasks.mjs";

/**
 * @param options `rounds`, `ms`, and `ours`: a map from our entries' names to the URLs of their bundles, or `null`
 */
globalThis.runPipelineBench = async ({ rounds, ms, ours }) => {
  const contenders = [...rivals];
  if (ours) contenders.unshift(await ourClient((specifier) => import(ours[specifier])));
  return pipelineMeasurements(contenders, {
    rounds,
    ms,
    // A page cannot read its CPU time; the loop never waits, so the clock on the wall is as good while nothing else runs.
    clock: () => performance.now() * 1000,
    collect: globalThis.gc,
    progress: (line) => console.info(line),
  });
};
