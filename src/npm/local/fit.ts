import type { Message } from "../types.js";
import { LocalError } from "./error.js";
import type { LocalBackend, LocalRequest } from "./types.js";

/** Tokens that a chat template puts around a message, at most. */
const TOKENS_PER_MESSAGE = 8;

/** About how many tokens a text has: rather too many than too few, since small models' vocabularies know little but English. */
export function estimateTokens(text: string): number {
  let ascii = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 128) ascii += 1;
  return Math.ceil(ascii / 3 + (text.length - ascii) * 1.5);
}

function estimate(messages: Message[]): number {
  return messages.reduce((sum, { content, tool_calls }) => {
    const text = typeof content === "string" ? content : JSON.stringify(content ?? "");
    return sum + TOKENS_PER_MESSAGE + estimateTokens(tool_calls ? text + JSON.stringify(tool_calls) : text);
  }, 0);
}

/**
 * Leaves out the oldest turns of a conversation that does not fit the backend's context; the system message and the last turn stay. Gives
 * how many messages were left out. Room for the answer: `max_tokens`, up to half the context; a quarter where that is not given.
 */
export async function fit(request: LocalRequest, backend: LocalBackend): Promise<number> {
  const { context, count } = backend;
  if (!context) return 0;
  const room = context - Math.floor(Math.min(request.max_tokens ?? context / 4, context / 2));
  const size = async (messages: Message[]) => (count ? count.call(backend, messages) : estimate(messages));
  if ((await size(request.messages)) <= room) return 0;

  const head = request.messages[0]?.role === "system" ? 1 : 0;
  // A turn begins with a message of the user; what stands before the first one goes with the first.
  const starts = request.messages.flatMap(({ role }, at) => (at > head && role === "user" ? [at] : []));
  const from = (start: number) => [...request.messages.slice(0, head), ...request.messages.slice(start)];
  // The first start that fits, by halving: each count may cost a pass over the whole text.
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await size(from(starts[middle]!))) <= room) high = middle;
    else low = middle + 1;
  }
  const start = starts[low] ?? head;
  const left = from(start);
  // An estimate is no reason to refuse: the model itself may find that it fits.
  if (count && (await size(left)) >= context) {
    throw new LocalError("context_overflow", `The last turn does not fit the local model's context of ${context} tokens.`, "messages");
  }
  request.messages = left;
  return start - head;
}
