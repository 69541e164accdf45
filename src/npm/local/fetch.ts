import { answer, type Chunk, wholeAnswer } from "./answer.js";
import { errorBody, errorResponse, LocalError, toLocalError } from "./error.js";
import { Queue } from "./queue.js";
import { readCall } from "./request.js";
import type { LocalBackend } from "./types.js";

/** How many calls may wait for a model: more than one device's user can have open, and each holds its request. */
const MAX_WAITING = 32;
/** One queue a backend, however many transports there are to it. */
const queues = new WeakMap<LocalBackend, Queue>();
const utf8 = new TextEncoder();

/**
 * A `fetch` that answers from a local model: it takes a POST with a chat-completions body, whatever its URL, and answers with an event stream
 * of OpenAI chunks, or with one completion where the body does not ask for a stream. It resolves at the model's first piece.
 *
 * A backend that is not ready answers 503 at once: a call never starts a download. Calls of one backend wait for each other.
 */
export function localFetch(backend: LocalBackend): typeof globalThis.fetch {
  return async (input, init) => {
    const from = typeof Request !== "undefined" && input instanceof Request ? input : undefined;
    const signal = init?.signal ?? from?.signal;
    signal?.throwIfAborted();
    const method = (init?.method ?? from?.method ?? "GET").toUpperCase();
    try {
      if (method !== "POST") throw new LocalError("method_not_allowed", "A local model takes POST only.");
      const availability = await backend.availability();
      if (availability !== "ready") {
        throw new LocalError("misconfigured", `The local model is not ready but ${availability}: prepare() it first; a call does not.`, "fallback");
      }
      const text = await (init?.body != null ? new Response(init.body).text() : from?.text());
      const call = await readCall(text ?? "", backend);
      const chunks = await begin(backend, (own) => answer(backend, call, own), signal);
      if (!call.stream) return Response.json(await wholeAnswer(backend, chunks));
      const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" };
      return new Response(eventStream(chunks, signal), { headers });
    } catch (error) {
      signal?.throwIfAborted();
      return errorResponse(toLocalError(error));
    }
  };
}

/** The chunks of a call whose turn it is, and that can be left at any moment. */
interface Running extends AsyncIterable<Chunk> {
  next(): Promise<IteratorResult<Chunk, void>>;
  leave(): void;
}

/** Waits for the turn and for the first chunk. Once `signal` aborts everything here fails with its reason, whatever the backend does. */
async function begin(backend: LocalBackend, start: (signal: AbortSignal) => AsyncGenerator<Chunk, void>, signal?: AbortSignal | null): Promise<Running> {
  let queue = queues.get(backend);
  if (!queue) queues.set(backend, (queue = new Queue(MAX_WAITING)));
  const endTurn = await queue.enter(signal);

  const own = new AbortController();
  const chunks = start(own.signal);
  let fail!: (reason: unknown) => void;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => {});
  const onAbort = () => {
    fail(signal!.reason);
    leave();
  };
  // The turn ends when the backend is at rest, not when the caller has gone: most libraries break at two generations at once.
  const rest = () => {
    signal?.removeEventListener("abort", onAbort);
    endTurn();
  };
  const leave = () => {
    own.abort(signal?.reason);
    chunks.return().then(rest, rest);
  };
  const next = async () => {
    try {
      // In this order: an answer that was left looks like one that has ended.
      const result = await Promise.race([failed, chunks.next()]);
      if (result.done) rest();
      return result;
    } catch (error) {
      if (!own.signal.aborted) rest();
      throw error;
    }
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();

  let first: IteratorResult<Chunk, void> | undefined = await next();
  const running: Running = {
    leave,
    next() {
      const kept = first;
      first = undefined;
      return kept ? Promise.resolve(kept) : next();
    },
    [Symbol.asyncIterator]: () => running,
  };
  return running;
}

/** The chunks as events. One is made for each read; a failure ends them with an error event, and no `[DONE]` behind it. */
function eventStream(chunks: Running, signal: AbortSignal | null | undefined): ReadableStream<Uint8Array> {
  const event = (data: string) => utf8.encode(`data: ${data}\n\n`);
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      try {
        const { value, done } = await chunks.next();
        controller.enqueue(event(done ? "[DONE]" : JSON.stringify(value)));
        if (done) controller.close();
      } catch (error) {
        if (signal?.aborted) return controller.error(error);
        controller.enqueue(event(JSON.stringify(errorBody(toLocalError(error)))));
        controller.close();
      }
    },
    cancel: () => chunks.leave(),
  };
  // Nothing is made ahead of the reader: a model that nobody reads should not run.
  return new ReadableStream(source, { highWaterMark: 0 });
}
