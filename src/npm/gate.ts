import { type GateError, invalid, withGateErrors } from "./error.js";
import { gateFetch } from "./fetch.js";
import { listModels } from "./models.js";
import { Routes } from "./routes.js";
import { type Prepared, Stream } from "./stream.js";
import { off, redactionFor } from "./redaction-loader.js";
import type { CallOptions, ChatRequest, Gate, GateEvents, GateOptions, GateStream, Notice, Reply, UsageTotals } from "./types.js";
import { load } from "./wasm.js";

/**
 * Makes a gate to one OpenAI-compatible API: a Sluicegate Worker, or a vendor where a key may be at hand (a server, never a page).
 *
 * @throws GateError `invalid_request` when an option is missing or of the wrong type.
 */
export async function createGate(options: GateOptions): Promise<Gate> {
  const routes = await Routes.open(options);
  const bindings = await load();
  withGateErrors(() => bindings.checkOptions(routes.all()));
  const redaction = await redactionFor(options.redact);
  const health = withGateErrors(() => new bindings.Health(options.breaker));
  const listeners: { [K in keyof GateEvents]: Set<(value: GateEvents[K]) => void> } = { notice: new Set(), end: new Set() };
  const totals: UsageTotals = {
    calls: 0,
    failures: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    cached_tokens: 0,
    reasoning_tokens: 0,
  };

  function emit<K extends keyof GateEvents>(event: K, value: GateEvents[K]): void {
    for (const listener of [...listeners[event]]) {
      try {
        listener(value);
      } catch (error) {
        // As for a listener of the platform: an uncaught error, and the call goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Counts a call that is over, and tells the listeners. */
  function settle(end: GateEvents["end"], notices: Notice[]): void {
    totals.calls++;
    if (end.error) totals.failures++;
    const { usage } = end;
    if (usage) {
      totals.prompt_tokens += usage.prompt_tokens;
      totals.completion_tokens += usage.completion_tokens;
      totals.total_tokens += usage.total_tokens;
      totals.cached_tokens += usage.prompt_tokens_details?.cached_tokens ?? 0;
      totals.reasoning_tokens += usage.completion_tokens_details?.reasoning_tokens ?? 0;
    }
    for (const notice of notices) emit("notice", notice);
    emit("end", end);
  }

  async function prepare(request: ChatRequest, stream: boolean, call: CallOptions | undefined, signal: AbortSignal): Promise<Prepared> {
    const headers = new Headers({ "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" });
    const given = toJson(request);
    const { body, localOnly, answer } = redaction ? redaction.request(given) : { body: given };
    const core = await routes.forCall({ headers, path: "/chat/completions" }, call, localOnly, signal);
    return { bindings, body, options: { ...core, stream }, health, answer };
  }

  function start(request: ChatRequest, stream: boolean, call: CallOptions | undefined): Stream {
    const onEnd = (reply: Reply | undefined, error: GateError | undefined) => {
      const { timing = { totalMs: 0 }, usage, source, attempts, timeline, notices = [] } = reply ?? {};
      settle({ outcome: error?.outcome ?? reply?.outcome ?? "failed", usage, timing, error, source, attempts, timeline }, notices);
    };
    return new Stream((signal) => prepare(request, stream, call, signal), call?.signal ?? undefined, onEnd);
  }

  const send = gateFetch(bindings, health, routes, options.fetch, settle, redaction);
  const refused = (error: GateError) => settle({ outcome: "failed", timing: { totalMs: 0 }, error }, []);
  return {
    chat: (request, call) => start(request, false, call).reply(),
    stream: (request, call): GateStream => start(request, true, call),
    fetch: redaction ? redaction.fetch(send, refused) : send,
    async models(call) {
      const own = new Headers({ accept: "application/json" });
      const budgets = { ...options.budgets, ...call?.budgets };
      const send = (url: string, init: RequestInit) => routes.send(options.fetch ?? globalThis.fetch, url, init, own, { ...call, signal: init.signal! });
      return listModels(bindings, send, `${routes.baseUrl}/models`, { ...call, budgets });
    },
    redactor: redaction?.redactor,
    redact(text) {
      if (!redaction) throw off();
      return redaction.redactor.redact(text);
    },
    restore(text) {
      if (!redaction) throw off();
      return redaction.redactor.restore(text);
    },
    usage: () => ({ ...totals }),
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
  };
}

function toJson(request: ChatRequest): string {
  try {
    const text = JSON.stringify(request);
    if (typeof text === "string") return text;
  } catch (error) {
    throw invalid("request", "The request cannot be written as JSON.", error);
  }
  throw invalid("request", "The request must be an object.");
}
