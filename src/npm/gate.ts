import { GateError, withGateErrors } from "./error.js";
import { gateFetch } from "./fetch.js";
import { listModels } from "./models.js";
import { type Prepared, Stream } from "./stream.js";
import type { CallOptions, ChatRequest, Gate, GateEvents, GateOptions, GateStream, Notice, Reply, UsageTotals } from "./types.js";
import { load } from "./wasm.js";

/**
 * Makes a gate to one OpenAI-compatible API: a Sluicegate Worker, or a vendor where a key may be at hand (a server, never a page).
 *
 * @throws GateError `invalid_request` when an option is missing or of the wrong type.
 */
export async function createGate(options: GateOptions): Promise<Gate> {
  const baseUrl = checkBaseUrl(options?.baseUrl);
  checkTypes(options);
  const bindings = await load();
  withGateErrors(() => bindings.checkOptions({ ...coreOptions(undefined), url: baseUrl }));
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

  /** Headers of one request, as pairs; the later ones win. */
  async function headers(own: Headers, call: CallOptions | undefined): Promise<[string, string][]> {
    const all = new Headers(own);
    const key = await keyOf(options.apiKey);
    if (key) {
      try {
        all.set("authorization", `Bearer ${key}`);
      } catch {
        // The platform's own error quotes the key.
        throw invalid("apiKey", "The key has characters that a header cannot have.");
      }
    }
    addHeaders(all, options.headers);
    addHeaders(all, call?.headers);
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
    const own = new Headers({ "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" });
    return {
      bindings,
      body: toJson(request),
      options: { ...coreOptions(call), url: `${baseUrl}/chat/completions`, headers: await headers(own, call), stream },
      fetch: options.fetch,
    };
  }

  function start(request: ChatRequest, stream: boolean, call: CallOptions | undefined): Stream {
    const onEnd = (reply: Reply | undefined, error: GateError | undefined) => {
      const timing = reply?.timing ?? { totalMs: 0 };
      settle({ outcome: error?.outcome ?? reply?.outcome ?? "failed", usage: reply?.usage, timing, error }, reply?.notices ?? []);
    };
    return new Stream(() => prepare(request, stream, call), call?.signal ?? undefined, onEnd);
  }

  return {
    chat: (request, call) => start(request, false, call).reply(),
    stream: (request, call): GateStream => start(request, true, call),
    fetch: gateFetch(bindings, baseUrl, () => coreOptions(undefined), headers, options.fetch, settle),
    async models(call) {
      const own = await headers(new Headers({ accept: "application/json" }), call);
      const budgets = { ...options.budgets, ...call?.budgets };
      return listModels(bindings, options.fetch ?? globalThis.fetch, `${baseUrl}/models`, own, { ...call, budgets });
    },
    usage: () => ({ ...totals }),
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
  };
}

function checkBaseUrl(baseUrl: unknown): string {
  const expected = 'a string such as "https://gate.example.com/v1", or in a page "/v1", is expected';
  if (typeof baseUrl !== "string" || baseUrl === "") throw invalid("baseUrl", `The gate's base URL is missing: ${expected}.`);
  try {
    new URL(baseUrl, globalThis.location?.href);
  } catch {
    throw invalid("baseUrl", `The gate's base URL is not an address: ${expected}.`);
  }
  return baseUrl.replace(/\/+$/, "");
}

/** What TypeScript checks for those who use it; the core checks the values. */
function checkTypes(options: GateOptions): void {
  const given = options as unknown as Record<string, unknown>;
  const expected = { dialect: "string", model: "string", thinkTags: "string", headers: "object", budgets: "object", fetch: "function" };
  for (const [name, type] of Object.entries(expected)) {
    const value = given[name];
    if (value !== undefined && (typeof value !== type || value === null)) throw invalid(name, `The option is not valid: expected is a value of type ${type}.`);
  }
  if (!["undefined", "string", "function"].includes(typeof options.apiKey)) {
    throw invalid("apiKey", "The option is not valid: expected is a string, or a function that gives one.");
  }
  for (const [name, value] of Object.entries(options.budgets ?? {})) {
    if (value !== undefined && typeof value !== "number") throw invalid(`budgets.${name}`, "The option is not valid: expected is a number of milliseconds.");
  }
  addHeaders(new Headers(), options.headers);
}

function addHeaders(all: Headers, given: Record<string, string> | undefined): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    try {
      all.set(name, value);
    } catch {
      throw invalid("headers", "A header has a name or a value that is not valid in HTTP.");
    }
  }
}

async function keyOf(apiKey: GateOptions["apiKey"]): Promise<string | undefined> {
  if (typeof apiKey !== "function") return apiKey;
  let cause: unknown;
  try {
    const key = await apiKey();
    if (key === undefined || typeof key === "string") return key;
  } catch (error) {
    cause = error;
  }
  throw new GateError({
    code: "unauthorized",
    message: "The apiKey function gave no key.",
    status: 401,
    party: "caller",
    nextStep: "Look at the cause, and make the function give a string.",
    retryable: false,
    param: "apiKey",
    cause,
  });
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

