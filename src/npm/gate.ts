import { GateError } from "./error.js";
import { gateFetch } from "./fetch.js";
import { type Prepared, Stream } from "./stream.js";
import type { CallOptions, ChatRequest, Gate, GateEvents, GateOptions, GateStream, Reply, UsageTotals } from "./types.js";
import { load } from "./wasm.js";

/**
 * Makes a gate to one OpenAI-compatible API: a Sluicegate Worker, or a vendor where a key may be at hand (a server, never a page).
 *
 * @throws GateError `invalid_request` when an option is missing or of the wrong type.
 */
export async function createGate(options: GateOptions): Promise<Gate> {
  const baseUrl = checkBaseUrl(options?.baseUrl);
  const bindings = await load();
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
    for (const listener of listeners[event]) listener(value);
  }

  function account(end: GateEvents["end"]): void {
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
    emit("end", end);
  }

  /** Headers of one request, as pairs; the later ones win. */
  async function headers(own: Record<string, string>, call: CallOptions | undefined): Promise<[string, string][]> {
    const key = typeof options.apiKey === "function" ? await options.apiKey() : options.apiKey;
    const all = new Headers(own);
    if (key) all.set("authorization", `Bearer ${key}`);
    for (const given of [options.headers, call?.headers]) {
      for (const [name, value] of Object.entries(given ?? {})) all.set(name, value);
    }
    return [...all];
  }

  /** What the core needs to know of every call. */
  function coreOptions(call: CallOptions | undefined) {
    return {
      dialect: options.dialect,
      model: options.model,
      thinkTags: options.thinkTags,
      budgets: { ...options.budgets, ...call?.budgets },
    };
  }

  async function prepare(request: ChatRequest, stream: boolean, call: CallOptions | undefined): Promise<Prepared> {
    const own = { "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" };
    return {
      bindings,
      body: toJson(request),
      options: { ...coreOptions(call), url: `${baseUrl}/chat/completions`, headers: await headers(own, call), stream },
      fetch: options.fetch,
    };
  }

  function start(request: ChatRequest, stream: boolean, call: CallOptions | undefined): Stream {
    const onEnd = (reply: Reply | undefined, error: GateError | undefined) => {
      for (const notice of reply?.notices ?? []) emit("notice", notice);
      const timing = reply?.timing ?? { totalMs: 0 };
      account({ outcome: error?.outcome ?? reply?.outcome ?? "failed", usage: reply?.usage, timing, error });
    };
    return new Stream(() => prepare(request, stream, call), call?.signal, onEnd);
  }

  return {
    chat: (request, call) => start(request, false, call).reply(),
    stream: (request, call): GateStream => start(request, true, call),
    fetch: gateFetch(bindings, () => ({ ...coreOptions(undefined), model: undefined }), headers, options.fetch, account),
    async models(call) {
      const send = options.fetch ?? globalThis.fetch;
      const response = await send(`${baseUrl}/models`, { headers: await headers({ accept: "application/json" }, call), signal: call?.signal });
      const body = (await response.json().catch(() => undefined)) as
        | { data?: { id: string }[]; error?: { message?: string; code?: string } }
        | undefined;
      if (response.ok && Array.isArray(body?.data)) return body.data;
      throw new GateError({
        code: body?.error?.code ?? "upstream_error",
        message: body?.error?.message ?? `The list of models could not be read: HTTP ${response.status}.`,
        status: response.status,
        party: "upstream",
        nextStep: "Check the base URL.",
        retryable: response.status >= 500,
        requestId: response.headers.get("x-request-id") ?? undefined,
      });
    },
    usage: () => ({ ...totals }),
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
  };
}

function checkBaseUrl(baseUrl: unknown): string {
  if (typeof baseUrl === "string" && baseUrl !== "") return baseUrl.replace(/\/+$/, "");
  throw invalid("baseUrl", "The gate's base URL is missing: a string such as \"/v1\" or \"https://gate.example.com/v1\" is expected.");
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

function invalid(param: string, message: string, cause?: unknown): GateError {
  const nextStep = "Correct the named field and send again.";
  return new GateError({ code: "invalid_request", message, status: 400, party: "caller", nextStep, retryable: false, param, cause });
}

