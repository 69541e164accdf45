/**
 * Our pipeline without the network: what `replyStream()` of `sluicegate/sse` is made of, called directly, so that no stream's
 * machinery is measured along with it. Bundled from the sources of the TypeScript face; the wasm is the built one.
 */
import { ReplyReader } from "../../src/npm/reply-reader.ts";
import { load, setSource } from "../../src/npm/wasm.ts";
import { joined } from "./workload.mjs";

/** @param wasm the bytes of `dist/npm/sluicegate.wasm` */
export async function startPipeline(wasm) {
  setSource(() => wasm);
  const bindings = await load();
  return ({ chunks }) => run(bindings, chunks);
}

function run(bindings, chunks) {
  const reader = new ReplyReader(bindings, {});
  let reasoning = "";
  let text = "";
  const add = (deltas) => {
    for (const delta of deltas) {
      if (delta.type === "text") text += delta.text;
      else if (delta.type === "reasoning") reasoning += delta.text;
    }
  };
  for (const chunk of chunks) add(reader.feed(chunk));
  add(reader.finish());
  return joined(reasoning, text);
}
