// Reads a dialogue: what is asked, how much of the answer was said already, and how the rest is asked for.

const CONTINUE = /^\W*(?:please )?(?:continue|carry on|go on|resume|keep going)|接着|继续/i;
/** A shorter quotation is an accident, unless it is all that was said. */
const MIN_QUOTE = 6;
/** Turns of one answer; more are not followed back. */
const MAX_TURNS = 64;

/** The text of a message's content, parts joined. */
export function contentText(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part === "string" ? part : part?.type === "text" ? String(part.text ?? "") : "")).join("");
}

/**
 * Finds the question of a dialogue, and how much of the answer was said already.
 *
 * Gives `{ question, toolResult, said, prefixed, saidReasoning, request }`. `request` says how the rest is asked for: `undefined` (it
 * is not), `"prefill"` (the last message is an assistant's) or `{ anchor }` (a user asks for it): the end of `said` that the
 * user quotes, "" if none. A user asks for it who quotes the end of an unfinished answer, whatever the words around it, or who
 * says "continue". `whole(question)` gives the tokens of the whole answer to what is asked, to know an unfinished one by.
 */
export function readDialogue(messages, { beta, dialect }, whole) {
  const last = messages.at(-1);
  const prefixed = last?.role === "assistant" && last.prefix === true && (beta || dialect !== "deepseek");
  const saidReasoning = prefixed && typeof last.reasoning_content === "string" ? last.reasoning_content : "";
  return { ...unfinished(messages, messages.length, whole, MAX_TURNS), prefixed, saidReasoning };
}

/** Reads the first `count` messages. */
function unfinished(messages, count, whole, turns) {
  const last = messages[count - 1];
  const before = messages[count - 2];
  if (last?.role === "assistant" && count > 1 && turns > 0) {
    const asked = unfinished(messages, count - 1, whole, turns - 1);
    if (!asked.isAsked) return asked;
    return { ...asked, said: asked.said + withoutAnchor(contentText(last.content), asked.request?.anchor), request: "prefill" };
  }
  if (last?.role === "user" && before?.role === "assistant" && !before.tool_calls?.length && turns > 0) {
    const text = contentText(last.content);
    const goesOn = CONTINUE.test(text);
    if (goesOn || quotedEnd(contentText(before.content), text)) {
      const asked = unfinished(messages, count - 1, whole, turns - 1);
      const anchor = quotedEnd(asked.said, text);
      if (asked.request && (anchor ? isUnfinished(whole(asked), asked.said) || goesOn : goesOn)) return { ...asked, request: { anchor } };
    }
  }
  return fresh(messages, count);
}

function fresh(messages, count) {
  const isAsked = messages[count - 1]?.role === "user" || messages[count - 1]?.role === "tool";
  let user = count - 1;
  while (user > 0 && messages[user]?.role !== "user") user -= 1;
  const toolResult = messages[count - 1]?.role === "tool" ? contentText(messages[count - 1].content) : undefined;
  return { question: contentText(messages[user]?.content), toolResult, said: "", request: undefined, isAsked };
}

/** The longest end of `said` that `text` quotes, as it is or escaped as in JSON; blanks at its end may be left out. */
export function quotedEnd(said, text) {
  const visible = said.trimEnd();
  let longest = 0;
  for (const quoting of [text, text.replace(/\\([nt"\\])/g, (_, mark) => ({ n: "\n", t: "\t" })[mark] ?? mark)]) {
    // What quotes an end quotes every shorter one: a binary search finds the longest.
    let [low, high] = [longest, visible.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (quoting.includes(visible.slice(visible.length - middle))) low = middle;
      else high = middle - 1;
    }
    longest = low;
  }
  if (longest === 0 || longest < Math.min(MIN_QUOTE, visible.length)) return "";
  const start = visible.length - longest;
  const insideCharacter = (said.charCodeAt(start) & 0xfc00) === 0xdc00;
  return said.slice(insideCharacter ? start + 1 : start);
}

/** Whether an answer begins with what was said, and has more to say. */
function isUnfinished(answer, said) {
  let rest = said;
  for (const token of answer) {
    if (!rest.startsWith(token)) return said !== "" && token.startsWith(rest);
    rest = rest.slice(token.length);
  }
  return false;
}

function withoutAnchor(text, anchor) {
  return anchor && text.startsWith(anchor) ? text.slice(anchor.length) : text;
}
