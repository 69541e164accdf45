import type { Usage } from "../types.js";
import { LocalError } from "./error.js";
import { estimateTokens } from "./fit.js";
import type { LocalCall } from "./request.js";
import { StopFinder } from "./stop.js";
import type { LocalBackend } from "./types.js";

interface ChunkDelta {
  role?: string;
  content?: string | null;
  reasoning_content?: string | null;
  tool_calls?: { index?: number; id?: string; function?: { name?: string; arguments?: string } }[];
}

interface ChunkChoice {
  index?: number;
  delta?: ChunkDelta;
  finish_reason?: string | null;
}

/** One chunk of an answer, in the OpenAI form. */
export interface Chunk {
  choices?: ChunkChoice[];
  usage?: Usage | null;
  sluicegate?: { code: string; detail: string };
  [field: string]: unknown;
}

let answers = 0;

/** The fields that all chunks of an answer, and a whole answer, have in common. */
export function answerHead(backend: LocalBackend): { id: string; created: number; model: string } {
  const created = Math.floor(Date.now() / 1000);
  return { id: `local-${created.toString(36)}-${(answers += 1)}`, created, model: backend.model };
}

/**
 * What a backend streams, as OpenAI chunks: what was changed in the request (if anything was), the role, deltas, one finish reason, the usage
 * where it is known. Nothing is given before the backend's first piece. A backend that ends its chunks without a finish reason was cut.
 */
export async function* answer(backend: LocalBackend, call: LocalCall, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
  const head = { ...answerHead(backend), object: "chat.completion.chunk" };
  const chunk = (delta: ChunkDelta, finish_reason: string | null = null): Chunk => ({ ...head, choices: [{ index: 0, delta, finish_reason }] });
  const limiter = new Limiter(call);
  let finish: string | undefined;
  let isText = true;
  let usage: Usage | undefined;

  const pieces = backend.stream(call.request, signal)[Symbol.asyncIterator]();
  try {
    for (let isFirst = true; finish === undefined || !isText; isFirst = false) {
      const { value: piece, done } = await pieces.next();
      if (signal.aborted) return;
      if (isFirst) {
        if (call.changes.length > 0) yield { ...head, choices: [], sluicegate: { code: "request_changed", detail: call.changes.join(" ") } };
        yield chunk({ role: "assistant", content: "" });
      }
      if (done) break;
      if (typeof piece === "string") {
        const text = limiter.push(piece);
        if (text !== "") yield chunk({ content: text });
        finish = limiter.finish;
        continue;
      }
      isText = false;
      const { choices, usage: counted, ...rest } = piece as Chunk;
      usage = counted ?? usage;
      const [choice] = choices ?? [];
      if (!choice || finish !== undefined) continue;
      const { role, content, ...others } = choice.delta ?? {};
      const text = limiter.push(content ?? "", Boolean(content));
      const delta = { ...others, ...(text !== "" && { content: text }) };
      if (Object.keys(delta).length > 0) yield { ...rest, ...head, choices: [{ ...choice, index: 0, delta, finish_reason: null }] };
      // A stop string of ours ends it whatever comes: no reason to wait for the usage.
      if (limiter.finish !== undefined) {
        finish = limiter.finish;
        break;
      }
      finish = choice.finish_reason ?? undefined;
    }
  } finally {
    // Not on the way of an answer that is complete; it is what makes a backend stop.
    await pieces.return?.();
  }
  if (finish === undefined && !isText) throw new LocalError("truncated", "The local model stopped in the middle of its answer.");
  const rest = limiter.flush();
  if (rest !== "") yield chunk({ content: rest });
  yield chunk({}, finish ?? "stop");
  if (usage) yield { ...head, choices: [], usage };
}

/** Keeps to `stop` and `max_tokens` where the backend does not. */
class Limiter {
  finish: "stop" | "length" | undefined;
  #stops: StopFinder;
  #left: number;

  constructor({ stop, maxTokens }: LocalCall) {
    this.#stops = new StopFinder(stop);
    this.#left = maxTokens;
  }

  push(piece: string, counts = true): string {
    if (counts && this.#left !== Infinity) {
      // Libraries that do not count hand out about one token at a time; a longer piece counts for what it may be.
      this.#left -= Math.max(1, Math.floor(estimateTokens(piece) / 2));
    }
    const { text, stopped } = this.#stops.push(piece);
    if (stopped) this.finish = "stop";
    else if (this.#left <= 0) this.finish = "length";
    return text;
  }

  flush(): string {
    return this.finish === "stop" ? "" : this.#stops.flush();
  }
}

/** The whole answer of these chunks. */
export async function wholeAnswer(backend: LocalBackend, chunks: AsyncIterable<Chunk>): Promise<object> {
  let content = "";
  let reasoning = "";
  let finish_reason: string | null = null;
  const calls: { id: string; type: "function"; function: { name: string; arguments: string } }[] = [];
  const more: Pick<Chunk, "usage" | "sluicegate"> = {};
  for await (const { choices, usage, sluicegate } of chunks) {
    if (usage) more.usage = usage;
    if (sluicegate) more.sluicegate = sluicegate;
    const [choice] = choices ?? [];
    content += choice?.delta?.content ?? "";
    reasoning += choice?.delta?.reasoning_content ?? "";
    finish_reason = choice?.finish_reason ?? finish_reason;
    for (const { index = 0, id, function: called } of choice?.delta?.tool_calls ?? []) {
      const call = (calls[index] ??= { id: id ?? `call_${index}`, type: "function", function: { name: "", arguments: "" } });
      call.function.name ||= called?.name ?? "";
      call.function.arguments += called?.arguments ?? "";
    }
  }
  const tool_calls = calls.filter(Boolean);
  const message = {
    role: "assistant",
    content: content === "" && tool_calls.length > 0 ? null : content,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
  return { ...answerHead(backend), object: "chat.completion", choices: [{ index: 0, message, finish_reason }], ...more };
}
