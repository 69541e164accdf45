import { readBatch } from "./batch.js";
import { GateError, type ErrorFields, toGateError } from "./error.js";
import { completeReply } from "./reply.js";
import type { Answer } from "./redaction.js";
import type { CoreOptions } from "./routes.js";
import type { Delta, GateStream, Reply } from "./types.js";
import type { Bindings } from "./wasm.js";

/** What the core is asked to send. */
export interface Prepared {
  bindings: Bindings;
  /** The request, a JSON text. */
  body: string;
  options: CoreOptions;
  health: InstanceType<Bindings["Health"]>;
  /** What gives back what was hidden in the request. */
  answer?: Answer | undefined;
}

/** One call of the core, read as deltas. */
export class Stream implements GateStream {
  #prepare: (signal: AbortSignal) => Promise<Prepared>;
  #signal: AbortSignal | undefined;
  #onEnd: (reply: Reply | undefined, error: GateError | undefined) => void;
  #opening: Promise<{ bindings: Bindings; call: InstanceType<Bindings["Call"]>; header: number }> | undefined;
  #answer: Answer | undefined;
  #unrenewed: (() => unknown) | undefined;
  #call: InstanceType<Bindings["Call"]> | undefined;
  #reading = false;
  #ended: { reply: Reply } | { error: GateError } | undefined;
  #cancelled = false;
  /** Ends what a call waits for before it is made. */
  readonly #leaving = new AbortController();
  #cancelling = false;
  /** The error of a call that was cancelled between two reads, for the next one. */
  #untold: GateError | undefined;

  constructor(
    prepare: (signal: AbortSignal) => Promise<Prepared>,
    signal: AbortSignal | undefined,
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
        batch = [];
        return this.#leave();
      },
    };
  }

  batches(): AsyncIterable<Delta[]> {
    const next = async (): Promise<IteratorResult<Delta[], void>> => {
      const batch = await this.#next();
      return batch ? { value: batch, done: false } : { value: undefined, done: true };
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: async () => this.#leave() }) };
  }

  async reply(): Promise<Reply> {
    while (await this.#next(false));
    if (this.#ended && "reply" in this.#ended) return this.#ended.reply;
    throw this.#ended?.error ?? toGateError(undefined);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#leaving.abort();
    const call = this.#call;
    // An abort listener of the caller's own fetch may come here while the core is at work.
    if (!call || this.#ended || this.#cancelling) return;
    this.#cancelling = true;
    call.cancel();
    this.#cancelling = false;
    // A read that is under way ends the call; without one nobody else would.
    if (this.#reading) return;
    try {
      this.#finish(call);
    } catch (error) {
      this.#drop();
      this.#untold = this.#fail(toGateError(error));
    }
  }

  /** The reader has left the loop: whatever the call comes to, nobody asks any more. */
  #leave(): IteratorReturnResult<undefined> {
    this.cancel();
    this.#untold = undefined;
    return { value: undefined, done: true };
  }

  /** The next batch; undefined behind the last one. Throws once, at the end of a call that failed. `isRead`: somebody looks at the deltas. */
  async #next(isRead = true): Promise<Delta[] | undefined> {
    if (this.#untold) {
      const error = this.#untold;
      this.#untold = undefined;
      throw error;
    }
    if (this.#ended) return undefined;
    if (this.#reading) throw new TypeError("sluicegate: a stream has one reader; wait for its last read before the next.");
    this.#reading = true;
    try {
      this.#opening ??= this.#open();
      const { bindings, call, header } = await this.#opening;
      // The batch is read when it is delivered: the next pull writes over it.
      for (;;) {
        const batch = await new Promise<Delta[] | undefined>((resolve) => {
          call.pull((count: number) => resolve(count > 0 ? readBatch(bindings, header) : undefined));
        });
        if (!batch) return this.#last(call, isRead);
        const deltas = (isRead && this.#answer?.batch(batch)) || batch;
        // All of it may be held back.
        if (deltas.length > 0) return deltas;
      }
    } catch (error) {
      this.#drop();
      throw this.#fail(toGateError(error));
    } finally {
      this.#reading = false;
    }
  }

  async #open() {
    const cancel = () => this.cancel();
    if (this.#signal?.aborted) cancel();
    else this.#signal?.addEventListener("abort", cancel, { once: true });
    const onEnd = this.#onEnd;
    this.#onEnd = (reply, error) => {
      this.#signal?.removeEventListener("abort", cancel);
      onEnd(reply, error);
    };
    const { bindings, body, options, health, answer } = await this.#prepare(this.#leaving.signal);
    this.#answer = answer;
    this.#unrenewed = options.unrenewed;
    const call = new bindings.Call(body, options, health);
    this.#call = call;
    if (this.#cancelled) call.cancel();
    return { bindings, call, header: call.header() };
  }

  /** The last batch. An error waits for the next read if there is something left to say. */
  #last(call: InstanceType<Bindings["Call"]>, isRead: boolean): Delta[] {
    const rest = (isRead && !this.#cancelled && this.#answer?.rest()) || [];
    try {
      return [...rest, this.#finish(call)];
    } catch (error) {
      if (rest.length === 0) throw error;
      this.#untold = this.#fail(toGateError(error));
      return rest;
    }
  }

  #finish(call: InstanceType<Bindings["Call"]>): Delta {
    const answer = this.#answer;
    const reply = completeReply(call.reply(), answer && ((choices) => answer.choices(choices)));
    const failure = call.error() as ErrorFields | undefined;
    call.free();
    this.#call = undefined;
    if (answer && reply) reply.redaction = answer.close();
    if (failure) {
      if (failure.code === "cancelled" && this.#signal?.aborted) failure.cause = this.#signal.reason;
      // A refused key says what to do about it; why there was no other says more.
      else if (failure.status === 401) failure.cause = this.#unrenewed?.();
      throw new GateError(answer?.error(failure) ?? failure, reply);
    }
    this.#ended = { reply: reply! };
    this.#onEnd(reply, undefined);
    const { outcome, finish_reason, usage } = reply!;
    return { type: "end", outcome, finish_reason, usage, reply: reply! };
  }

  /** Ends a call whose answer could not be read on: it must not go on unread. */
  #drop(): void {
    this.#call?.cancel();
    this.#call?.free();
    this.#call = undefined;
  }

  #fail(error: GateError): GateError {
    this.#ended = { error };
    this.#call = undefined;
    this.#onEnd(error.partial, error);
    return error;
  }
}
