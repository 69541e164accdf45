/**
 * The package's types.
 *
 * Names that travel on the wire keep their wire form (`max_tokens`, `finish_reason`, `tool_calls`, `usage.prompt_tokens`);
 * names that are ours are camelCase (`baseUrl`, `retryAfterMs`).
 */

import type { GateError } from "./error.js";
import type { TokenOptions } from "./token-types.js";
import type { RedactCounts, Redacted, RedactOptions, Redactor } from "./redact-types.js";

/** Which vendor's form of the OpenAI-compatible protocol the base URL speaks. A Sluicegate Worker speaks `openai`. */
export type Dialect = "openai" | "deepseek" | "siliconflow";

/** Parameter sets for common uses; a field that the request sets itself wins over the preset's. */
export type Preset = "creative" | "reasoning" | "realtime";

/**
 * Time budgets, in milliseconds. An attempt that runs out of one is left for another route, or gone on with; where nothing helps, the call
 * ends with `timed_out` and says which. While the app itself is busy between two reads, only `total` runs. `Infinity` switches one off.
 */
export interface Budgets {
  /**
   * From sending to the response head (streams only).
   *
   * ### Default: 60,000
   * Some servers send it only with the first token.
   */
  connect?: number;
  /** From sending to the first token. ### Default: 60,000 */
  firstToken?: number;
  /** Between two network chunks, once the answer has begun. ### Default: 30,000 */
  idle?: number;
  /** Between two tokens; keep-alive comments do not count. ### Default: 60,000 */
  contentIdle?: number;
  /**
   * The slowest acceptable rate, in tokens (events with content) per minute; 0 for none.
   *
   * ### Default: 4
   * A large model on a CPU gives more; what is slower only keeps timers alive.
   */
  rate?: number;
  /** From sending to the end of a whole answer (`chat`), while another healthy route could answer. ### Default: 120,000 */
  answer?: number;
  /**
   * How long a route is waited for, for its first token or for the time that it asks for with `Retry-After`, while another healthy
   * route could answer.
   *
   * ### Default: 10,000
   */
  patience?: number;
  /** The whole call, with all its attempts and waits. ### Default: 600,000 */
  total?: number;
}

/**
 * When a failed request is sent again. Only what is worth it is: limits, overload, network faults and broken answers, never the caller's
 * own mistakes; and what all calls of a gate send again is bounded to a fifth of what they send.
 */
export interface RetryOptions {
  /** The longest wait before the first retry; it doubles with each, and is drawn between 0 and that. ### Default: 1,000 */
  firstMs?: number;
  /** The longest wait that is drawn; what an upstream asks for may be longer. ### Default: 60,000 */
  capMs?: number;
  /** How often one route is asked, the first time included; at most twice while another is left. ### Default: 3 */
  tries?: number;
  /** How many requests one call makes at most, over all routes; 64 at most. ### Default: 8 */
  attempts?: number;
}

/** When a route is left alone because it keeps failing: by the gate's calls together, for each upstream and model. */
export interface BreakerOptions {
  /** Consecutive failures that open it. ### Default: 5 */
  failures?: number;
  /** The share of failures within the window that opens it, in percent. ### Default: 50 */
  ratioPercent?: number;
  /** Calls within the window from which on the share counts. ### Default: 20 */
  least?: number;
  /** The window's length. ### Default: 60,000 */
  windowMs?: number;
  /** How long the route is left alone; then one call finds out whether it works again. ### Default: 30,000 */
  openMs?: number;
}

/** What happens to an answer that breaks off in the middle. It is never given out as a whole one. */
export interface ContinuationOptions {
  /** How often one answer is gone on with, on the same route or another. ### Default: 3 */
  most?: number;
  /**
   * How often an answer that ended with `length` is gone on with.
   *
   * ### Default: 0
   * Whoever sets `max_tokens` means it.
   */
  length?: number;
  /**
   * Whether the answer may begin anew where nothing else helps: a notice `restarted` then says that what came before is to be forgotten.
   * Not for `gate.fetch`, whose readers know no such thing.
   *
   * ### Default: false
   */
  replace?: boolean;
  /** How, where the base URL goes on with it. Default: as the dialect has it. */
  by?: ContinueBy;
}

/** A second request while the first is still silent; the first token wins, and the loser is cancelled. Streams only. */
export interface HedgeOptions {
  /** How long the first token is waited for; until the percentile is known, if one is set. ### Default: 5,000 */
  afterMs?: number;
  /** After this percentile of the route's recent times to the first token instead (1 to 100, 20 samples at least). ### Default: none */
  percentile?: number;
  /** At most this share of the calls is hedged, in percent: what it may cost more. ### Default: 5 */
  sharePercent?: number;
}

/** How a broken answer is gone on with: `prefix` as DeepSeek has it, `prefill` of the assistant's message, `anchor` by its last words. */
export type ContinueBy = "prefix" | "prefill" | "anchor";

/** Gives the key for a call. `refresh`: the last one was refused, and a new one is needed. */
export type KeySource = (context: { refresh: boolean }) => string | Promise<string>;

/** One OpenAI-compatible API, and what is known of its model. */
export interface RouteOptions {
  /** The API's base, with its version: `https://gate.example.com/v1`, or `/v1` for the page's own origin. */
  baseUrl: string;
  /**
   * Sent as `Authorization: Bearer …`. Never put a vendor's key into a page: point `baseUrl` at a Worker instead.
   *
   * A function is asked for each request. After a 401 it is asked once more with `refresh: true`, once for all calls that run into it
   * together; a key that is a string cannot be renewed.
   */
  apiKey?: string | KeySource;
  /**
   * Access tokens in place of a key, got and renewed by the gate: before they end, and once where one is refused (401). An endpoint of the app
   * (`{ endpoint: "/api/token" }`), a function, or on a server a key with its secret. Never in storage, addresses, errors or logs.
   */
  token?: TokenOptions;
  /** Default `openai`. */
  dialect?: Dialect;
  /** The model to ask for. */
  model?: string;
  /** Extra request headers. */
  headers?: Record<string, string>;
  /** Time budgets; what is left out is as the gate has it, or keeps its default. */
  budgets?: Budgets;
  /**
   * Inline reasoning: `auto` moves a leading `<think>…</think>` from the text to the reasoning; `open` takes a stream that
   * starts inside the thinking (no opening tag); `off` leaves tags alone. Default `auto`.
   */
  thinkTags?: "auto" | "open" | "off";
  /** How many tokens prompt and answer may have together. Longer prompts go elsewhere. Default: not known. */
  context?: number;
  /** Whether the model takes images; if not, requests with images go elsewhere. Default true. */
  vision?: boolean;
  /** Whether the model takes tools; if not, requests with tools go elsewhere. Default true. */
  tools?: boolean;
  /** How a broken answer is gone on with here; `false`: not at all. Default: as the dialect has it. */
  continuation?: ContinueBy | false;
  /**
   * Whether the API keeps a streamed answer for a caller whose connection breaks, as a Sluicegate Worker does: the gate then asks for the rest
   * of it by itself, for 14 to 28 seconds, before it goes on in another way. A call that is cancelled is ended there at once.
   *
   * ### Default: false
   * Others do not know the headers that it takes, and a vendor may refuse them to a page.
   */
  resume?: boolean;
  /** Replaces `globalThis.fetch`, or the gate's (tests, proxies). */
  fetch?: typeof globalThis.fetch;
}

/** A model on the user's device, as the `sluicegate/local/*` entries make them. Only one that is ready answers; a call starts no download. */
export interface LocalModel {
  readonly id: string;
  readonly model: string;
  availability(): Promise<string>;
  stream(request: never, signal: AbortSignal): AsyncIterable<unknown>;
  readonly context?: number;
  readonly vision?: boolean;
  readonly tools?: boolean;
  /** Those of `sluicegate/local/*` have it; `localBackend()` of `sluicegate/local` adds it to one of your own. */
  fetch?: typeof globalThis.fetch;
}

/** What {@link createGate} takes. Its `model` is used when a request names none. */
export interface GateOptions extends Omit<RouteOptions, "continuation"> {
  /**
   * Where calls go when the base URL fails, in order: further APIs, lighter models, and last, models on the device. Each is asked only for what
   * its model can take. A further API is asked for its own `model`, if it has one, and gets its own key and headers and none of the gate's or
   * the call's.
   *
   * ### Default: none
   */
  fallback?: (RouteOptions | LocalModel)[];
  /** When a failed request is sent again; `false`: to no route twice. */
  retry?: RetryOptions | false;
  /** When a route that keeps failing is left alone; `false`: never. */
  breaker?: BreakerOptions | false;
  /** What happens to answers that break off; `false`: they end there, with an error and what there is of them. */
  continuation?: ContinuationOptions | false;
  /**
   * A second request while the first is silent.
   *
   * ### Default: none
   * It costs more.
   */
  hedge?: HedgeOptions | false;
  /**
   * Hides what is private in requests before they leave the device, and gives it back in the answers: `true`, or a policy. What it takes is
   * loaded only then. See `docs/redaction.md`.
   *
   * ### Default: false
   */
  redact?: boolean | RedactOptions;
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
  /** Time budgets of this call; they go before the gate's and the routes'. */
  budgets?: Budgets;
  /** As in {@link GateOptions}, for this call; what is left out is as the gate has it. */
  retry?: RetryOptions | false;
  /** As in {@link GateOptions}, for this call. */
  continuation?: ContinuationOptions | false;
  /** As in {@link GateOptions}, for this call. */
  hedge?: HedgeOptions | false;
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

/** One thing that a call went through. */
export interface TimelineEvent {
  /** Milliseconds since the call was made. */
  at: number;
  /**
   * `sent`, `first_token`, `failed` (the detail is the error's code), `waiting` (its length in milliseconds), `skipped` (why), `repaired` (the
   * field), `refreshed`, `resumed` (the last event's id), `continued` (how), `hedged`, `dropped`, `ended` (the outcome).
   */
  event: string;
  /** The attempt's number, from 0, if it is about one. */
  attempt?: number;
  /** The route's source, if it is about one. */
  route?: string;
  model?: string;
  detail?: string;
}

/**
 * One piece of a streamed answer. A notice says what the gate did about a failure as it does it (`retried`, `resumed`, `fell_back`,
 * `continued`, `restarted`, `hedged`, `request_changed`), what was odd about the answer, or what a Sluicegate Worker on the way says of its own part (`upstream`).
 */
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
  /** The route that answered: its host, or `local:` and the backend's id. Missing where no call was made (`replyStream`). */
  source?: string;
  /** How many requests were made. */
  attempts?: number;
  /** What the call went through. */
  timeline?: TimelineEvent[];
  /** The same of a Sluicegate Worker on the way, if it had to do something about a failure. */
  upstreamTimeline?: TimelineEvent[];
  /** What was hidden and given back, where the gate redacts. */
  redaction?: RedactCounts;
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
  end: { outcome: OutcomeName; usage?: Usage; timing: Timing; error?: GateError; source?: string; attempts?: number; timeline?: TimelineEvent[] };
}

/** The gate: see {@link createGate}. */
export interface Gate {
  /** One whole answer. */
  chat(request: ChatRequest, options?: CallOptions): Promise<Reply>;
  /** One answer as it comes. Nothing is sent before the first read. */
  stream(request: ChatRequest, options?: CallOptions): GateStream;
  /**
   * A `fetch` for any SDK that takes one. Calls to the chat and completion routes get the gate's budgets, recovery, typed ends and
   * checks; their bodies come out in the OpenAI form, and a stream that breaks for good ends with an error event instead of silence.
   * `x-sluicegate-source` and `x-sluicegate-attempts` say who answered. Calls to other addresses than the base URL have no fallback, and
   * requests for other routes pass as they are.
   */
  fetch: typeof globalThis.fetch;
  /** The models that the base URL lists. */
  models(options?: CallOptions): Promise<Model[]>;
  /** What hides and gives back, where the gate redacts: one session for all its calls, so that a value has one token over all turns. */
  redactor: Redactor | undefined;
  /** As the calls do it with a text of a request. @throws GateError `misconfigured` where the gate does not redact. */
  redact(text: string): Redacted;
  /** As the calls do it with a text of an answer. */
  restore(text: string): string;
  /** What this gate has used so far. */
  usage(): UsageTotals;
  /** Listens; the return value stops listening. */
  on<K extends keyof GateEvents>(event: K, listener: (value: GateEvents[K]) => void): () => void;
}
