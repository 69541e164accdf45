import { readBatch } from "./batch.js";
import { GateError, type ErrorFields, toGateError } from "./error.js";
import { completeReply } from "./reply.js";
import type { CallOptions, Delta, GateStream, Reply } from "./types.js";
import type { Bindings } from "./wasm.js";

/** What the core is asked to send. */
export interface Prepared {
  bindings: Bindings;
  /** The request, a JSON text. */
  body: string;
  /** For `CallOptions` in `src/js/src/convert.rs`. */
  options: object;
  fetch: typeof globalThis.fetch | undefined;
}

/** One call of the core, read as deltas. */
export class Stream implements GateStream {
  #prepare: () => Promise<Prepared>;
  #signal: AbortSignal | undefined;
  #onEnd: (reply: Reply | undefined, error: GateError | undefined) => void;
  #opening: Promise<{ bindings: Bindings; call: InstanceType<Bindings["Call"]>; header: number }> | undefined;
  #reading = false;
  #ended: { reply: Reply } | { error: GateError } | undefined;
  #cancelled = false;

  constructor(
    prepare: () => Promise<Prepared>,
    signal: CallOptions["signal"],
    onEnd: (reply: Reply | undefined, error: GateError | undefined) => void,
  ) {
    this.#prepare = prepare;
    this.#signal = signal;
    this.#onEnd = onEnd;
  }

  [Symbol.asyncIterator](): AsyncIterator<Delta, void, undefined> {
    let batch: Delta[] = [];
    let at = 0;
    const next = async (): Promise<IteratorResult<Delta, void>> => {
      batch = (await this.#next()) ?? [];
      at = 0;
      return at < batch.length ? { value: batch[at++]!, done: false } : { value: undefined, done: true };
    };
    return {
      // A delta that is already here costs no trip through the core.
      next: () => (at < batch.length ? Promise.resolve({ value: batch[at++]!, done: false }) : next()),
      return: async () => {
        this.cancel();
        return { value: undefined, done: true };
      },
    };
  }

  async *batches(): AsyncGenerator<Delta[], void, undefined> {
    try {
      for (let batch = await this.#next(); batch; batch = await this.#next()) yield batch;
    } finally {
      this.cancel();
    }
  }

  async reply(): Promise<Reply> {
    while (await this.#next());
    if (this.#ended && "reply" in this.#ended) return this.#ended.reply;
    throw this.#ended?.error ?? toGateError(undefined);
  }

  cancel(): void {
    this.#cancelled = true;
    void this.#opening?.then(({ call }) => {
      if (!this.#ended) call.cancel();
    });
  }

  /** The next batch; undefined behind the last one. Throws once, at the end of a call that failed. */
  async #next(): Promise<Delta[] | undefined> {
    if (this.#ended) return undefined;
    if (this.#reading) throw new TypeError("sluicegate: a stream has one reader; wait for its last read before the next.");
    this.#reading = true;
    try {
      this.#opening ??= this.#open();
      const { bindings, call, header } = await this.#opening;
      // The batch is read when it is delivered: the next pull writes over it.
      const batch = await new Promise<Delta[] | undefined>((resolve) => {
        call.pull((count: number) => resolve(count > 0 ? readBatch(bindings, header) : undefined));
      });
      if (batch) return batch;
      return [this.#finish(call)];
    } catch (error) {
      throw this.#fail(toGateError(error));
    } finally {
      this.#reading = false;
    }
  }

  async #open() {
    const { bindings, body, options, fetch } = await this.#prepare();
    const call = new bindings.Call(body, options, fetch);
    const cancel = () => call.cancel();
    if (this.#cancelled || this.#signal?.aborted) cancel();
    else this.#signal?.addEventListener("abort", cancel, { once: true });
    const onEnd = this.#onEnd;
    this.#onEnd = (reply, error) => {
      this.#signal?.removeEventListener("abort", cancel);
      onEnd(reply, error);
    };
    return { bindings, call, header: call.header() };
  }

  #finish(call: InstanceType<Bindings["Call"]>): Delta {
    const reply = completeReply(call.reply());
    const failure = call.error() as ErrorFields | undefined;
    call.free();
    if (failure) {
      if (failure.code === "cancelled" && this.#signal?.aborted) failure.cause = this.#signal.reason;
      throw new GateError(failure, reply);
    }
    this.#ended = { reply: reply! };
    this.#onEnd(reply, undefined);
    const { outcome, finish_reason, usage } = reply!;
    return { type: "end", outcome, finish_reason, usage, reply: reply! };
  }

  #fail(error: GateError): GateError {
    this.#ended = { error };
    this.#onEnd(error.partial, error);
    return error;
  }
}
