// What the scripted model says: a deterministic, readable answer to a request, as tokens. No clock, no randomness, no
// dialect's bytes; `expectedAnswer` gives the same as whole texts, for tests to compare with.

import { createHash } from "node:crypto";
import { contentText, readDialogue } from "./dialogue.mjs";
import { isReasoningModel, traitsOf } from "./misbehave.mjs";
import { rewritten } from "./private.mjs";
import { demoAnswer, demoReasoning, longText, numberedText, PREFACE, UNRELATED, UTF8_TEXT } from "./script.mjs";
import { toolCallsFor, valueFor } from "./tools.mjs";
import { countTokens, excerpt, isChinese, pieces, tokens } from "./tokens.mjs";

const ENDLESS_TOKENS = 100_000;
const ECHO_CHARS = 80;

/**
 * Plans the answer to a chat or completion body.
 *
 * Gives `{ choices: [{ index, reasoning, content, toolCalls, finish }], promptTokens, cachedTokens }`, where `reasoning`
 * and `content` are functions that start an iteration over tokens, and `toolCalls` are whole calls.
 */
export function planAnswer(body, { dialect = "openai", beta = false, traits = traitsOf(body.model ?? "") } = {}) {
  const prompts = promptsOf(body);
  const copies = Math.min(Math.max(Number(body.n) || 1, 1), 8);
  const choices = [];
  for (const prompt of prompts) {
    for (let copy = 0; copy < copies; copy += 1) {
      choices.push({ index: choices.length, ...planChoice(body, prompt, copy, { dialect, beta, traits }) });
    }
  }
  const promptTokens = countPrompt(body);
  return { choices, promptTokens, cachedTokens: Math.floor((promptTokens - 1) / 64) * 64 };
}

/**
 * What the scripted upstream will have said once its stream is over, provided nothing cuts it:
 * `{ text, reasoning, tool_calls, finish_reason, usage, choices }`, the first four being those of the first choice.
 */
export function expectedAnswer(body, options = {}) {
  const plan = planAnswer(body, options);
  const choices = plan.choices.map((choice) => ({
    index: choice.index,
    text: [...choice.content()].join(""),
    reasoning: [...choice.reasoning()].join(""),
    tool_calls: choice.toolCalls,
    finish_reason: choice.finish,
  }));
  const { text, reasoning, tool_calls, finish_reason } = choices[0];
  return { text, reasoning, tool_calls, finish_reason, usage: usageOf(plan, countOutput(plan)), choices };
}

/** Token counts of a whole plan: `{ reasoning, content, tool, completion }`, the last being their sum. */
export function countOutput(plan) {
  let reasoning = 0;
  let content = 0;
  let tool = 0;
  for (const choice of plan.choices) {
    for (const _ of choice.reasoning()) reasoning += 1;
    for (const _ of choice.content()) content += 1;
    for (const call of choice.toolCalls) for (const _ of argumentPieces(call)) tool += 1;
  }
  return { reasoning, content, tool, completion: reasoning + content + tool };
}

/** The usage object that all dialects share; `reasoning` is part of `completion`. */
export function usageOf(plan, { reasoning, completion }) {
  return {
    prompt_tokens: plan.promptTokens,
    completion_tokens: completion,
    total_tokens: plan.promptTokens + completion,
    prompt_tokens_details: { cached_tokens: plan.cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoning },
    prompt_cache_hit_tokens: plan.cachedTokens,
    prompt_cache_miss_tokens: plan.promptTokens - plan.cachedTokens,
  };
}

/** The pieces in which a tool call's arguments are streamed. */
export function* argumentPieces(call) {
  yield* pieces(call.function.arguments, 6);
}

function promptsOf(body) {
  if (body.messages !== undefined) return [null];
  return Array.isArray(body.prompt) && body.prompt.every((prompt) => typeof prompt === "string") ? body.prompt : [body.prompt];
}

/** The tokens of a request's prompt. */
export function countPrompt(body) {
  if (body.messages === undefined) return Math.max(1, promptsOf(body).reduce((sum, prompt) => sum + countTokens(String(prompt ?? "")), 0));
  let count = 3;
  for (const message of body.messages) count += 4 + countTokens(contentText(message?.content)) + countTokens(JSON.stringify(message?.tool_calls ?? ""));
  return count + (body.tools?.length ? countTokens(JSON.stringify(body.tools)) : 0);
}

function planChoice(body, prompt, copy, context) {
  const { traits, dialect } = context;
  const voiceOf = ({ question, toolResult }) => ({ question, echo: excerpt(question, ECHO_CHARS), chinese: isChinese(question), copy, toolResult });
  const whole = (asked) => wholeSpeech(body, prompt, voiceOf(asked), traits);
  const asked = prompt === null ? readDialogue(body.messages, context, (asked) => whole(asked)()) : { question: String(prompt ?? ""), said: "" };
  const toolCalls = prompt === null && !asked.toolResult ? toolCallsFor(body, asked.question, traits) : [];
  const voice = voiceOf(asked);

  const thinks = prompt === null && thinking(body) && (!asked.prefixed || (asked.saidReasoning && !asked.said));
  let reasoning = thinks ? list(tokens(traits.echo ? `The user wrote: ${asked.question}` : demoReasoning(voice, toolCalls))) : list([]);
  if (thinks && asked.saidReasoning) reasoning = list(without(reasoning(), asked.saidReasoning));
  let content = toolCalls.length ? list([]) : speech(whole(asked), asked, traits);
  let finish = toolCalls.length ? "tool_calls" : "stop";
  ({ reasoning, content } = inlineThinking(traits, voice, reasoning, content));

  const stops = [body.stop ?? []].flat().filter((stop) => typeof stop === "string" && stop);
  if (stops.length) content = untilStop(content, stops);
  const limit = body.max_completion_tokens ?? body.max_tokens;
  if (Number.isInteger(limit) && limit > 0) ({ reasoning, content, finish } = bounded(reasoning, content, finish, limit, dialect));
  if (traits.length > 0) ({ reasoning, content, finish } = bounded(reasoning, content, finish, traits.length));

  const short = traits.insufficient ?? traits["content-filter"];
  if (short !== undefined) content = first(content, short);
  if (traits["empty-stop"]) content = reasoning = list([]);
  if (traits.insufficient !== undefined) finish = "insufficient_system_resource";
  if (traits["content-filter"] !== undefined) finish = "content_filter";
  if (traits.finish !== undefined) finish = traits.finish;
  if (traits["null-finish"]) finish = null;
  return { reasoning, content, toolCalls, finish };
}

/** Whether this request gets reasoning: by the model's name, unless the request switches it off. */
function thinking(body) {
  if (body.thinking?.type === "disabled" || body.enable_thinking === false) return false;
  return isReasoningModel(body.model ?? "");
}

/** The answer, or as much of it as is still to be said, in the way that the model's name asks for. */
function speech(whole, { said, request }, traits) {
  if (!said || !request) return whole;
  const rest = () => without(whole(), said);
  if (request === "prefill") return traits["echoes-prefill"] ? join(list(tokens(said)), rest) : rest;
  if (traits["continue-restart"]) return whole;
  if (traits["continue-unrelated"]) return list(tokens(UNRELATED));
  if (traits["continue-bare"]) return rest;
  const anchored = join(list(tokens(request.anchor)), rest);
  return traits["continue-preface"] ? join(list(tokens(PREFACE)), anchored) : anchored;
}

function wholeSpeech(body, prompt, voice, traits) {
  if (traits.echo) return list(pieces(voice.question, 3));
  if (traits["echo-as"]) return list(pieces(rewritten(traits["echo-as"], voice.question), 3));
  if (traits.endless) return () => longText(ENDLESS_TOKENS);
  if (traits.long !== undefined) return () => longText(Math.min(traits.long, ENDLESS_TOKENS));
  if (traits.numbered !== undefined) return () => numberedText(Math.min(traits.numbered, ENDLESS_TOKENS));
  if (traits["big-event"]) return list(["big event. ".repeat(95_326)]);
  if (traits["huge-event"]) return list(["huge event. ".repeat(873_814)]);
  if (traits["split-utf8"]) return list(tokens(UTF8_TEXT));
  const format = body.response_format;
  if (format?.type === "json_object") return list(tokens(JSON.stringify({ answer: voice.chinese ? "示例回答" : "a scripted answer", question: voice.echo }, null, 1)));
  if (format?.type === "json_schema") return list(tokens(JSON.stringify(valueFor(format.json_schema?.schema, voice.echo))));
  if (prompt !== null && typeof body.suffix === "string") return list(tokens("    return scripted()\n"));
  return list(tokens(demoAnswer(voice)));
}

function inlineThinking(traits, voice, reasoning, content) {
  const mode = traits["think-tags"] ? "tags" : traits["think-open"] ? "open" : traits["think-unclosed"] ? "unclosed" : undefined;
  if (traits["reasoning-only"]) return { reasoning: join(reasoning, content), content: list([]) };
  if (!mode) return { reasoning, content };
  const thoughts = list(tokens(demoReasoning(voice, [])));
  const open = mode === "open" ? [] : ["<th", "ink>", "\n"];
  const close = mode === "unclosed" ? [] : ["\n</", "think", ">", "\n\n"];
  return { reasoning: list([]), content: join(list(open), thoughts, list(close), mode === "unclosed" ? list([]) : content) };
}

/** The budget counts the reasoning, except at SiliconFlow. */
function bounded(reasoning, content, finish, limit, dialect) {
  if (dialect === "siliconflow") return hasMore(content, limit) ? { reasoning, content: first(content, limit), finish: "length" } : { reasoning, content, finish };
  if (hasMore(reasoning, limit)) return { reasoning: first(reasoning, limit), content: list([]), finish: "length" };
  let left = limit;
  for (const _ of reasoning()) left -= 1;
  return hasMore(content, left) ? { reasoning, content: first(content, left), finish: "length" } : { reasoning, content, finish };
}

function untilStop(content, stops) {
  const text = [...content()].join("");
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length ? list(tokens(text.slice(0, Math.min(...found)))) : content;
}

/** Leaves out what was said, if the answer begins with it; a different beginning is followed by the whole answer. */
function* without(iterable, said) {
  let held = [];
  let rest = said;
  const iterator = iterable[Symbol.iterator]();
  for (let step = iterator.next(); !step.done; step = iterator.next()) {
    held.push(step.value);
    if (rest.startsWith(step.value)) {
      rest = rest.slice(step.value.length);
      if (rest) continue;
      held = [];
    } else if (step.value.startsWith(rest)) {
      held = [step.value.slice(rest.length)];
    }
    break;
  }
  yield* held.filter(Boolean);
  yield* { [Symbol.iterator]: () => iterator };
}

/** A stable id for a request's tool calls. */
export function digest(value) {
  return createHash("sha256").update(JSON.stringify(value) ?? "").digest("hex");
}

function list(items) {
  const array = Array.isArray(items) ? items : [...items];
  return () => array;
}

function join(...lists) {
  return function* () {
    for (const items of lists) yield* items();
  };
}

function first(items, count) {
  return function* () {
    let left = count;
    if (left <= 0) return;
    for (const item of items()) {
      yield item;
      if (--left === 0) return;
    }
  };
}

function hasMore(items, count) {
  let seen = 0;
  for (const _ of items()) if (++seen > count) return true;
  return false;
}
