import { ReplyReader } from "./reply-reader.js";
import type { Delta, GateOptions } from "./types.js";
import { load } from "./wasm.js";

/** Options of {@link replyStream}. */
export type ReplyStreamOptions = Pick<GateOptions, "thinkTags">;

/**
 * A TransformStream from the bytes of an OpenAI-compatible event stream to batches of deltas, one batch per chunk, for apps that
 * fetch by themselves. The last batch holds the `end` delta; a stream that did not end well fails with a GateError.
 *
 * ```ts
 * for await (const deltas of response.body.pipeThrough(replyStream())) …
 * ```
 */
export function replyStream(options: ReplyStreamOptions = {}): TransformStream<Uint8Array, Delta[]> {
  let reader: ReplyReader;
  return new TransformStream({
    async start() {
      reader = new ReplyReader(await load(), options);
    },
    transform(chunk, controller) {
      const deltas = reader.feed(chunk);
      if (deltas.length > 0) controller.enqueue(deltas);
    },
    flush(controller) {
      controller.enqueue(reader.finish());
    },
  });
}
