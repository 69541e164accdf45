import type { Choice, Message, Reply } from "./types.js";

/** Adds to a reply of the core what repeats its first choice. */
export function completeReply(core: unknown): Reply | undefined {
  if (core === undefined) return undefined;
  const reply = core as Omit<Reply, "text" | "reasoning" | "tool_calls" | "finish_reason" | "message">;
  for (const choice of reply.choices) choice.finish_reason ??= null;
  const first: Choice = reply.choices[0] ?? { index: 0, text: "", reasoning: "", tool_calls: [], finish_reason: null };
  const { text, reasoning, tool_calls, finish_reason } = first;
  const message: Message = { role: "assistant", content: text === "" && tool_calls.length > 0 ? null : text };
  if (reasoning !== "") message.reasoning_content = reasoning;
  if (tool_calls.length > 0) message.tool_calls = tool_calls;
  return { ...reply, text, reasoning, tool_calls, finish_reason, message };
}
