/**
 * The npm package in the bench: the only file here that knows how it is called.
 *
 * (`ours-worker.mjs` knows the Worker. When a build is missing, the tables show the others only.)
 */
import { joined } from "./workload.mjs";

const BASE_URL = "http://upstream.invalid/v1";
const MODEL = "deepseek-v4-pro";
const MESSAGES = [{ role: "user", content: "Why do gates leak?" }];

export const OUR_NAME = "sluicegate";

/**
 * The package as a contender (see `contenders.mjs`).
 *
 * @param {(specifier: string) => Promise<object>} load imports an entry of the built package, by the conditions of the place that it runs in
 */
export async function ourClient(load) {
  const { createGate } = await load("sluicegate");
  const { ReplyStream } = await load("sluicegate/slim");
  // Making a gate instantiates the wasm that the pipeline below needs as well.
  await createGate({ baseUrl: BASE_URL });
  return {
    name: OUR_NAME,
    pipeline: ReplyStream && ((input) => ourPipeline(ReplyStream, input)),
    endToEnd: (fetch) => ourEndToEnd(createGate, fetch),
  };
}

/** Bytes in, assembled text out: one crossing per network chunk. */
function ourPipeline(ReplyStream, { chunks }) {
  const stream = new ReplyStream();
  try {
    let reasoning = "";
    let text = "";
    for (const chunk of chunks) {
      for (const delta of stream.feed(chunk)) {
        if (delta.type === "text") text += delta.text;
        else if (delta.type === "reasoning") reasoning += delta.text;
      }
    }
    stream.finish();
    return joined(reasoning, text);
  } finally {
    stream.free?.();
  }
}

/** The whole gate over a fake fetch, in the form that the README shows. */
function ourEndToEnd(createGate, fetch) {
  const gate = createGate({ baseUrl: BASE_URL, model: MODEL, fetch });
  return async () => {
    let reasoning = "";
    let text = "";
    for await (const delta of (await gate).stream({ messages: MESSAGES })) {
      if (delta.type === "text") text += delta.text;
      else if (delta.type === "reasoning") reasoning += delta.text;
    }
    return joined(reasoning, text);
  };
}
