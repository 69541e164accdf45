import { readBatch } from "./batch.js";
import { type ErrorFields, GateError, withGateErrors } from "./error.js";
import { completeReply } from "./reply.js";
import type { ReplyStreamOptions } from "./reply-stream.js";
import type { Delta } from "./types.js";
import type { Bindings } from "./wasm.js";

/** Bytes to deltas, synchronously: what `replyStream` is made of. */
export class ReplyReader {
  #bindings: Bindings;
  #stream: InstanceType<Bindings["ReplyStream"]>;
  #header: number;
  #memory = new Uint8Array(0);

  constructor(bindings: Bindings, options: ReplyStreamOptions) {
    this.#bindings = bindings;
    this.#stream = withGateErrors(() => new bindings.ReplyStream({ ...options }));
    this.#header = this.#stream.header();
  }

  feed(chunk: Uint8Array): Delta[] {
    const at = this.#stream.reserve(chunk.length);
    // Memory that has grown leaves the old view empty.
    if (this.#memory.buffer !== this.#bindings.memory.buffer) this.#memory = new Uint8Array(this.#bindings.memory.buffer);
    this.#memory.set(chunk, at);
    return this.#stream.feed(chunk.length) > 0 ? readBatch(this.#bindings, this.#header) : [];
  }

  /** The last deltas and the end. Throws what went wrong, if something did. */
  finish(): Delta[] {
    const deltas = this.#stream.finish() > 0 ? readBatch(this.#bindings, this.#header) : [];
    const reply = completeReply(this.#stream.reply())!;
    const failure = this.#stream.error() as ErrorFields | undefined;
    this.#stream.free();
    if (failure) throw new GateError(failure, reply);
    const { outcome, finish_reason, usage } = reply;
    return [...deltas, { type: "end", outcome, finish_reason, usage, reply }];
  }
}
