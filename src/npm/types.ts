/**
 * The package's types.
 *
 * Names that travel on the wire keep their wire form (`max_tokens`, `finish_reason`, `tool_calls`, `usage.prompt_tokens`);
 * names that are ours are camelCase (`baseUrl`, `retryAfterMs`).
 */

import type { GateError } from "./error.js";

/** Which vendor's form of the OpenAI-compatible protocol the base URL speaks. A Sluicegate Worker speaks `openai`. */
export type Dialect = "openai" | "deepseek" | "siliconflow";

/** Parameter sets for common uses; a field that the request sets itself wins over the preset's. */
export type Preset = "creative" | "reasoning" | "realtime";

/**
 * Time budgets of one call, in milliseconds. A call that runs out of one ends with `timed_out` and says which. While the app itself is busy
 * between two reads, only `total` runs.
 */
export interface Budgets {
  /** From sending to the response head (streams only). Default 60,000. */
  connect?: number;
  /** From sending to the first token. Default 60,000. */
  firstToken?: number;
  /** Between two network chunks, once the answer has begun. Default 30,000. */
  idle?: number;
  /** Between two tokens; keep-alive comments do not count. Default 60,000. */
  contentIdle?: number;
  /** The whole call. Default 600,000. */
  total?: number;
}

/** What {@link createGate} takes. */
export interface GateOptions {
  /** The API's base, with its version: `https://gate.example.com/v1`, or `/v1` for the page's own origin. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. Never put a vendor's key into a page: point `baseUrl` at a Worker instead. */
  apiKey?: string | (() => string | Promise<string>);
  /** Default `openai`. */
  dialect?: Dialect;
  /** Used when a request names no model. */
  model?: string;
  /** Extra request headers. */
  headers?: Record<string, string>;
  /** Time budgets; what is left out keeps its default. */
  budgets?: Budgets;
  /**
   * Inline reasoning: `auto` moves a leading `<think>…</think>` from the text to the reasoning; `open` takes a stream that
   * starts inside the thinking (no opening tag); `off` leaves tags alone. Default `auto`.
   */
  thinkTags?: "auto" | "open" | "off";
  /** Replaces `globalThis.fetch` (tests, proxies). */
  fetch?: typeof globalThis.fetch;
}

/** One part of a message. */
export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }
  | { type: string; [field: string]: unknown };

/** A call of a tool that the model asks for. */
export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
  /** What a vendor adds, and wants back in the next turn. */
  [field: string]: unknown;
}

/** One message of a conversation. Fields that a vendor adds pass through. */
export interface Message {
  role: "system" | "developer" | "user" | "assistant" | "tool" | (string & {});
  content?: string | ContentPart[] | null;
  reasoning_content?: string | null;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
  name?: string;
  [field: string]: unknown;
}

/** A chat request, in the OpenAI vocabulary. Fields that are not listed pass to the upstream untouched. */
export interface ChatRequest {
  messages: Message[];
  model?: string;
  preset?: Preset;
  temperature?: number | null;
  top_p?: number | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  stop?: string | string[] | null;
  n?: number | null;
  seed?: number | null;
  tools?: unknown[];
  tool_choice?: unknown;
  response_format?: unknown;
  stream_options?: { include_usage?: boolean } | null;
  [field: string]: unknown;
}

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call; the upstream request is aborted at once. */
  signal?: AbortSignal | null;
  /** Extra request headers of this call. */
  headers?: Record<string, string>;
  /** Time budgets of this call; they go before the gate's. */
  budgets?: Budgets;
}

/** Token counts, in the wire's names. Counts that the upstream did not give are left out. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number };
  completion_tokens_details?: { reasoning_tokens?: number };
  [field: string]: unknown;
}

/** How a reply ended. */
export type OutcomeName =
  | "complete" | "length" | "tool_calls" | "filtered" | "truncated" | "overloaded" | "empty" | "aborted" | "timed_out"
  | "over_budget" | "failed";

/** When things happened, in milliseconds since the call was made. */
export interface Timing {
  /** The response head. */
  headMs?: number;
  /** The first token: text, reasoning or tool call. */
  firstTokenMs?: number;
  /** The first token of the answer itself, after the reasoning. */
  firstTextMs?: number;
  /** The end. */
  totalMs: number;
}

/** One piece of a streamed answer. */
export type Delta =
  | { type: "text"; text: string; choice: number }
  | { type: "reasoning"; text: string; choice: number }
  | { type: "refusal"; text: string; choice: number }
  | { type: "tool_call"; choice: number; index: number; id?: string; name?: string; arguments: string }
  | { type: "notice"; code: string; detail: string }
  | EndDelta;

/** The last delta of every stream that succeeded. A stream that did not throws a {@link GateError} instead. */
export interface EndDelta {
  type: "end";
  outcome: OutcomeName;
  finish_reason: string | null;
  usage?: Usage;
  /** The whole reply, assembled. */
  reply: Reply;
}

/** One of the choices of a reply. */
export interface Choice {
  index: number;
  text: string;
  reasoning: string;
  refusal?: string;
  tool_calls: ToolCall[];
  finish_reason: string | null;
  logprobs?: unknown;
}

/** A whole reply. `text`, `reasoning`, `tool_calls` and `finish_reason` are those of the first choice. */
export interface Reply {
  id: string;
  model: string;
  /** When the upstream says that it answered, in seconds since 1970. */
  created?: number;
  system_fingerprint?: string;
  text: string;
  reasoning: string;
  tool_calls: ToolCall[];
  finish_reason: string | null;
  outcome: OutcomeName;
  choices: Choice[];
  usage?: Usage;
  notices: Notice[];
  timing: Timing;
  /** The `x-request-id` of the answer, or the vendor's trace id. */
  requestId?: string;
  /** The message to append to the conversation, reasoning included (the next request replays it only where the model wants it). */
  message: Message;
  /** Fields of the answer that this package does not know, kept as they came. */
  extra: Record<string, unknown>;
}

/** A stream of deltas. Leaving the loop cancels the upstream request. */
export interface GateStream extends AsyncIterable<Delta> {
  [Symbol.asyncIterator](): AsyncIterator<Delta, void, undefined>;
  /** The same stream, a batch of deltas per network chunk: the cheaper way to drive a page. */
  batches(): AsyncIterable<Delta[]>;
  /** Reads to the end and gives the whole reply. */
  reply(): Promise<Reply>;
  /** Cancels the call. */
  cancel(): void;
}

/** Sums over all calls of one gate. */
export interface UsageTotals {
  calls: number;
  failures: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
}

/** Something about a call that is no error and that one may want to know: what the gate changed in the request, what was odd about the reply. */
export interface Notice {
  code: string;
  detail: string;
}

/** One entry of a list of models. */
export interface Model {
  id: string;
  [field: string]: unknown;
}

/** What a gate tells its listeners. A listener that throws is reported as an uncaught error and disturbs no call. */
export interface GateEvents {
  notice: Notice;
  end: { outcome: OutcomeName; usage?: Usage; timing: Timing; error?: GateError };
}

/** The gate: see {@link createGate}. */
export interface Gate {
  /** One whole answer. */
  chat(request: ChatRequest, options?: CallOptions): Promise<Reply>;
  /** One answer as it comes. Nothing is sent before the first read. */
  stream(request: ChatRequest, options?: CallOptions): GateStream;
  /**
   * A `fetch` for any SDK that takes one. Calls to the chat and completion routes get the gate's budgets, typed ends and
   * checks; their bodies come out in the OpenAI form, and a stream that breaks ends with an error event instead of silence.
   * Other requests pass as they are.
   */
  fetch: typeof globalThis.fetch;
  /** The models that the base URL lists. */
  models(options?: CallOptions): Promise<Model[]>;
  /** What this gate has used so far. */
  usage(): UsageTotals;
  /** Listens; the return value stops listening. */
  on<K extends keyof GateEvents>(event: K, listener: (value: GateEvents[K]) => void): () => void;
}
