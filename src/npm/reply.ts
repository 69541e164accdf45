import type { Choice, Message, Reply, Usage } from "./types.js";

/** Token counts as the core read them: prompt, answer, both, cached, reasoning. */
interface Counted {
  usage?: Usage;
  counts?: [number, number, number, number | null, number | null];
}

/** Puts the counts into the usage as the upstream sent it, under OpenAI's names whatever the vendor calls them. */
export function completeUsage<T extends Counted>({ counts, ...rest }: T): Omit<T, "counts"> {
  const { usage } = rest;
  if (usage && counts) {
    const [prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens] = counts;
    Object.assign(usage, { prompt_tokens, completion_tokens, total_tokens });
    if (cached_tokens !== null) usage.prompt_tokens_details = { ...usage.prompt_tokens_details, cached_tokens };
    if (reasoning_tokens !== null) usage.completion_tokens_details = { ...usage.completion_tokens_details, reasoning_tokens };
  }
  return rest;
}

/** Adds to a reply of the core what repeats its first choice. `restored` gives the choices as the caller gets them. */
export function completeReply(core: unknown, restored?: (choices: Choice[]) => Choice[]): Reply | undefined {
  if (core === undefined) return undefined;
  const reply = completeUsage(core as Omit<Reply, "text" | "reasoning" | "tool_calls" | "finish_reason" | "message"> & Counted);
  if (restored) reply.choices = restored(reply.choices);
  for (const choice of reply.choices) choice.finish_reason ??= null;
  const first: Choice = reply.choices[0] ?? { index: 0, text: "", reasoning: "", tool_calls: [], finish_reason: null };
  const { text, reasoning, tool_calls, finish_reason } = first;
  const message: Message = { role: "assistant", content: text === "" && tool_calls.length > 0 ? null : text };
  if (reasoning !== "") message.reasoning_content = reasoning;
  if (tool_calls.length > 0) message.tool_calls = tool_calls;
  return { ...reply, text, reasoning, tool_calls, finish_reason, message };
}
