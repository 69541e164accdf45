import { type ErrorFields, GateError } from "./error.js";
import { failure, fieldsOf, isKind } from "./kinds.js";
import { completeReply } from "./reply.js";
import type { Choice, Delta, EndDelta, OutcomeName, Reply, ToolCall, Usage } from "./types.js";

/** The most of one answer that is kept, in characters; as the gate has it. */
const LARGEST = 32 << 20;
/** A gate gives no more choices, and no more tool calls in one. */
const MOST = 128;

const OUTCOMES: Record<string, OutcomeName> = { length: "length", tool_calls: "tool_calls", function_call: "tool_calls", content_filter: "filtered" };
/** How answers end that end with an error. */
const FAILED: Record<string, OutcomeName> = { truncated: "truncated", overloaded: "overloaded", empty: "empty", cancelled: "aborted", over_budget: "over_budget" };
const STATUS: Record<string, number> = { invalid_request_error: 400, authentication_error: 401, permission_error: 403, not_found_error: 404, rate_limit_error: 429, insufficient_quota: 429 };

type Json = Record<string, unknown>;

/** What one message says. */
export interface Step {
  deltas: Delta[];
  /** The last message of the answer: how it ended. */
  end?: EndDelta | GateError;
}

/** One answer, message by message. */
export class SocketAnswer {
  readonly #began = performance.now();
  readonly #choices: Choice[] = [];
  #head: Json = {};
  #size = 0;
  #firstTokenMs: number | undefined;
  #firstTextMs: number | undefined;

  /** A message that belongs to this answer. */
  handle(message: Json): Step {
    const deltas: Delta[] = [];
    for (const given of Array.isArray(message.choices) ? (message.choices as Json[]) : []) this.#choice(given, deltas);
    const { finish_reason: reason, error } = message;
    for (const delta of deltas) this.#size += sizeOf(delta);
    if (deltas.length > 0) this.#firstTokenMs ??= this.#now();
    if (deltas.some(({ type }) => type === "text")) this.#firstTextMs ??= this.#now();
    if (typeof message.id === "string") this.#head = message;
    if (typeof error === "object" && error !== null) return { deltas, end: this.fail(saidError(error as Json)) };
    if (typeof reason !== "string") {
      return this.#size <= LARGEST ? { deltas } : { deltas, end: this.fail(fieldsOf("reply_too_large", "The reply is larger than the limit.")) };
    }
    if (reason === "cancelled") return { deltas, end: this.fail(fieldsOf("cancelled", "The answer was cancelled.")) };
    // A last message without its error: it is not to be taken for a success.
    if (reason === "error") return { deltas, end: this.fail(fieldsOf("upstream_error", "The answer ended with an error.")) };
    const first = (this.#choices[0] ??= empty(0));
    first.finish_reason ??= reason;
    const usage = typeof message.usage === "object" && message.usage !== null ? (message.usage as Usage) : undefined;
    const reply = this.#reply(OUTCOMES[reason] ?? "complete", usage);
    return { deltas, end: { type: "end", outcome: reply.outcome, finish_reason: reason, ...(usage && { usage }), reply } };
  }

  /** The error with which the answer ends, and what there is of it. */
  fail(fields: ErrorFields): GateError {
    const outcome = FAILED[fields.code] ?? (fields.code.startsWith("timeout_") ? "timed_out" : "failed");
    return new GateError({ outcome, ...fields }, this.#choices.length > 0 ? this.#reply(outcome) : undefined);
  }

  /** Whether anything of the answer has come. */
  get hasBegun(): boolean {
    return this.#firstTokenMs !== undefined;
  }

  #choice(given: Json, deltas: Delta[]): void {
    if (typeof given !== "object" || given === null) return;
    const at = indexOf(given.index);
    if (at === undefined) return;
    const choice = (this.#choices[at] ??= empty(at));
    const { text, reasoning_content: reasoning, refusal, tool_calls: calls, finish_reason: reason, logprobs } = given;
    if (typeof reasoning === "string" && reasoning !== "") {
      choice.reasoning += reasoning;
      deltas.push({ type: "reasoning", text: reasoning, choice: at });
    }
    if (typeof text === "string" && text !== "") {
      choice.text += text;
      deltas.push({ type: "text", text, choice: at });
    }
    if (typeof refusal === "string" && refusal !== "") {
      choice.refusal = (choice.refusal ?? "") + refusal;
      deltas.push({ type: "refusal", text: refusal, choice: at });
    }
    for (const call of Array.isArray(calls) ? (calls as Json[]) : []) this.#toolCall(call, choice, deltas);
    if (typeof reason === "string") choice.finish_reason = reason;
    if (logprobs !== undefined && logprobs !== null) choice.logprobs = logprobs;
  }

  #toolCall(given: Json, choice: Choice, deltas: Delta[]): void {
    const at = typeof given === "object" && given !== null ? indexOf(given.index) : undefined;
    if (at === undefined) return;
    const { name, arguments: text } = (given.function ?? {}) as Json;
    const call: ToolCall = (choice.tool_calls[at] ??= { id: "", type: "function", function: { name: "", arguments: "" } });
    const delta: Delta = { type: "tool_call", choice: choice.index, index: at, arguments: typeof text === "string" ? text : "" };
    if (typeof given.id === "string") delta.id = call.id = given.id;
    if (typeof name === "string") delta.name = call.function.name = name;
    call.function.arguments += delta.arguments;
    deltas.push(delta);
  }

  #reply(outcome: OutcomeName, usage?: Usage): Reply {
    const { id, model, created } = this.#head;
    const timing = { firstTokenMs: this.#firstTokenMs, firstTextMs: this.#firstTextMs, totalMs: this.#now() };
    const choices = this.#choices.filter(Boolean).map((choice) => ({ ...choice, tool_calls: choice.tool_calls.filter(Boolean) }));
    const head = { id: id ?? "", model: model ?? "", ...(typeof created === "number" && { created }) };
    return completeReply({ ...head, outcome, choices, ...(usage && { usage }), notices: [], timing, extra: {} })!;
  }

  #now(): number {
    return performance.now() - this.#began;
  }
}

/** How much of memory a delta takes, in characters. */
export function sizeOf(delta: Delta): number {
  return 32 + ("text" in delta ? delta.text.length : "arguments" in delta ? delta.arguments.length : 0);
}

/** The fields of an error that the gate tells of. */
export function saidError(error: Json): ErrorFields {
  const code = textOf(error.code) ?? "upstream_error";
  const message = textOf(error.message) ?? "The gate answered with an error.";
  const known = isKind(code) ? fieldsOf(code, message) : undefined;
  const { param, vendor, retry_after_ms: wait, party, next_step: next, retryable } = error;
  return {
    code,
    message,
    status: known?.status ?? STATUS[String(error.type)] ?? 502,
    party: textOf(party) ?? known?.party ?? "upstream",
    nextStep: textOf(next) ?? known?.nextStep ?? "Look at the message.",
    retryable: typeof retryable === "boolean" ? retryable : (known?.retryable ?? false),
    ...(typeof param === "string" && { param }),
    ...(typeof wait === "number" && { retryAfterMs: wait }),
    ...(typeof vendor === "object" && vendor !== null && { vendor }),
  };
}

/** The error of a socket that was closed, by its code. `isAnswering`: in the middle of an answer. */
export function closedError(code: number, reason: string, isAnswering: boolean): ErrorFields {
  const said = reason.replaceAll(" ", "_");
  const words = `The socket was closed with ${code}`;
  const more = { 4401: "unauthorized", 4403: "forbidden", 1008: "rate_limit_exceeded", 1009: "payload_too_large", 1003: "unsupported_media_type", 1007: "invalid_request", 1013: "overloaded" } as const;
  const kind = isKind(said) ? said : more[code as keyof typeof more];
  if (kind) return fieldsOf(kind, `${words}.`);
  if (isAnswering) return fieldsOf("truncated", `${words} before the answer was whole.`);
  return { ...fieldsOf("network", `${words}.`), nextStep: "Open another socket." };
}

/** The error of a message that is none of the protocol. */
export function strange(message: string): GateError {
  return failure("protocol", message, { nextStep: "Check that the address is a gate's /v1/stream." });
}

function empty(index: number): Choice {
  return { index, text: "", reasoning: "", tool_calls: [], finish_reason: null };
}

function indexOf(given: unknown): number | undefined {
  const index = given ?? 0;
  return typeof index === "number" && Number.isInteger(index) && index >= 0 && index < MOST ? index : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
