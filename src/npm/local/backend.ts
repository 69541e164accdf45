import { localFetch } from "./fetch.js";
import { Loader, type Report } from "./loader.js";
import { Queue } from "./queue.js";
import type { LocalAvailability, LocalModel, LocalParameter, LocalRequest } from "./types.js";

/** What the backends differ in; `T` is what they load. */
export interface Parts<T> {
  id: string;
  model: string;
  /** What there is while nothing is loaded. `ready` if loading needs no download and no wait that one would notice. */
  probe(): Promise<LocalAvailability>;
  load(report: Report, signal: AbortSignal): Promise<T>;
  unload(loaded: T): unknown;
  /** The iterator may be left at any point, and ends only when the library is at rest. */
  generate(loaded: T, request: LocalRequest, signal: AbortSignal): AsyncIterable<string | object>;
  /** Whether this error means that what is loaded is of no use any more. */
  isFatal?(error: unknown): boolean;
  parameters: readonly LocalParameter[];
  context?: number | undefined;
  /** The context, where only what is loaded knows it. */
  contextOf?(loaded: T): number | undefined;
  count?(loaded: T, messages: LocalRequest["messages"]): Promise<number>;
  vision?: boolean | undefined;
  tools?: boolean | undefined;
  json?: boolean | undefined;
}

/** A backend out of its parts: loads are joined, generations wait for each other, and none runs while the model goes. */
export function makeBackend<T>(parts: Parts<T>): LocalModel {
  const loader = new Loader(parts.load, parts.unload);
  // Calls that come by `fetch` have waited already, and been counted.
  const queue = new Queue(Infinity);
  let closing = new AbortController();

  const availability = async (): Promise<LocalAvailability> => {
    if (loader.value !== undefined) return "ready";
    return loader.isLoading ? "downloading" : parts.probe();
  };

  async function* stream(request: LocalRequest, signal: AbortSignal): AsyncGenerator<string | object, void, undefined> {
    const own = new AbortController();
    const sources = [signal, closing.signal];
    const stop = () => own.abort(sources.find((source) => source.aborted)?.reason);
    const leave = await queue.enter(signal);
    for (const source of sources) source.addEventListener("abort", stop);
    try {
      if (sources.some(({ aborted }) => aborted)) stop();
      if (loader.value === undefined && (await parts.probe()) === "ready") await loader.prepare({ signal: own.signal });
      own.signal.throwIfAborted();
      if (loader.value === undefined) throw new Error("The model is not loaded: prepare() it first.");
      yield* parts.generate(loader.value, request, own.signal);
      own.signal.throwIfAborted();
    } catch (error) {
      if (parts.isFatal?.(error)) await loader.clear();
      throw error;
    } finally {
      for (const source of sources) source.removeEventListener("abort", stop);
      leave();
    }
  }

  const { id, model, context, parameters, vision = false, tools = false, json = false, contextOf, count } = parts;
  const backend: LocalModel = {
    ...{ id, model, vision, tools, json, parameters, availability, stream },
    prepare: (options) => loader.prepare(options),
    async dispose() {
      closing.abort(new Error("The local model was disposed of."));
      const leave = await queue.enter();
      try {
        await loader.clear();
      } finally {
        closing = new AbortController();
        leave();
      }
    },
    get context() {
      return context ?? (loader.value !== undefined ? contextOf?.(loader.value) : undefined);
    },
    get count() {
      const loaded = loader.value;
      return count && loaded !== undefined ? (messages: LocalRequest["messages"]) => count(loaded, messages) : undefined;
    },
    fetch: (input, init) => transport(input, init),
  };
  const transport = localFetch(backend);
  return backend;
}

/**
 * Hands on what a library streams. Whoever leaves early, or aborts, makes it `stop`; what it still has to say is read to its end, since a
 * library that is left in the middle of a generation hangs at the next one.
 */
export async function* drained<C extends object>(chunks: AsyncIterable<C>, stop: () => unknown, signal: AbortSignal): AsyncGenerator<C, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  signal.addEventListener("abort", stop);
  let atRest = false;
  try {
    if (signal.aborted) stop();
    while (!signal.aborted) {
      const { value, done } = await iterator.next().catch((error: unknown) => {
        atRest = true;
        throw error;
      });
      atRest = done === true;
      if (atRest) return;
      if (!signal.aborted) yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    while (!atRest) {
      // Again at each step: a stop before the library has begun is one that it forgets.
      await stop();
      atRest = await iterator.next().then(({ done }) => done === true, () => true);
    }
  }
}
