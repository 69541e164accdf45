/**
 * Our pipeline without the network: the core's `ReplyStream` behind the same reader of batches that the package's streams use.
 *
 * No entry of the package exports it, so this is bundled from the sources of the TypeScript face; the wasm is the built one.
 */
import { readBatch } from "../../src/npm/batch.ts";
import { load, setSource } from "../../src/npm/wasm.ts";
import { joined } from "./workload.mjs";

/** @param wasm the bytes of `dist/npm/sluicegate.wasm` */
export async function startPipeline(wasm) {
  setSource(() => wasm);
  const bindings = await load();
  return ({ chunks }) => run(bindings, chunks);
}

function run(bindings, chunks) {
  const { memory, ReplyStream } = bindings;
  const stream = new ReplyStream({});
  const header = stream.header();
  let view = new Uint8Array(memory.buffer);
  let reasoning = "";
  let text = "";
  const add = (count) => {
    if (count === 0) return;
    for (const delta of readBatch(bindings, header)) {
      if (delta.type === "text") text += delta.text;
      else if (delta.type === "reasoning") reasoning += delta.text;
    }
  };
  for (const chunk of chunks) {
    const at = stream.reserve(chunk.length);
    // Memory that has grown leaves the old view empty.
    if (view.buffer !== memory.buffer) view = new Uint8Array(memory.buffer);
    view.set(chunk, at);
    add(stream.feed(chunk.length));
  }
  add(stream.finish());
  const failure = stream.error();
  stream.free();
  if (failure) throw new Error(`the pipeline says ${JSON.stringify(failure)}`);
  return joined(reasoning, text);
}
