// The vendors' bytes: headers, the shape of each chunk, and whole answers.

import { argumentPieces, countOutput, usageOf } from "./answer.mjs";
import { isReasoningModel } from "./misbehave.mjs";

const CREATED = 1_795_000_000;

export const DIALECTS = ["openai", "deepseek", "siliconflow"];

const MODELS = {
  openai: { owner: "openai", ids: ["gpt-scripted", "gpt-scripted-mini", "deepseek-r1"] },
  deepseek: { owner: "deepseek", ids: ["deepseek-flash", "deepseek-v4-pro"] },
  siliconflow: { owner: "", ids: ["deepseek-ai/DeepSeek-R1", "Pro/deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V4-Flash", "Qwen/Qwen3-8B"] },
};

/** The vendor's response headers; `id` is 32 hex digits. */
export function headersOf(dialect, id) {
  if (dialect === "deepseek") return { "x-request-id": id, "x-ds-trace-id": id, vary: "origin, access-control-request-method", server: "scripted" };
  if (dialect === "siliconflow") return { "x-siliconcloud-trace-id": `ti_${id.slice(0, 18)}` };
  return {
    "x-request-id": `req_${id}`,
    "openai-processing-ms": "42",
    "openai-version": "2020-10-01",
    "openai-organization": "scripted",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "6ms",
  };
}

/** The body of `GET /models`. */
export function modelList(dialect) {
  const { owner, ids } = MODELS[dialect];
  return { object: "list", data: ids.map((id) => (dialect === "deepseek" ? { id, object: "model", owned_by: owner } : { id, object: "model", created: CREATED, owned_by: owner })) };
}

/** What is the same in every chunk of one answer. */
export function metaOf(dialect, body, id, kind) {
  const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const prefix = kind === "chat" ? "chatcmpl" : "cmpl";
  return {
    dialect,
    kind,
    body,
    id: dialect === "deepseek" ? uuid : dialect === "siliconflow" ? id : `${prefix}-${id.slice(0, 29)}`,
    created: CREATED,
    model: body.model,
    fingerprint: dialect === "siliconflow" ? "" : dialect === "deepseek" ? "fp_scripted_prod0820_fp8" : "fp_scripted",
    reasons: isReasoningModel(body.model),
  };
}

/**
 * The events of a streamed answer: `{ data, token, last }`, in order, without `[DONE]`; `token` is the kind of those that a
 * misbehaviour counts (`reasoning`, `content`, `tool`), `last` the one with a choice's finish reason. Choices are interleaved.
 */
export function* streamEvents(plan, meta) {
  const include = meta.body.stream_options?.include_usage === true;
  const counts = { reasoning: 0, completion: 0 };
  const steps = plan.choices.map((choice) => (meta.kind === "chat" ? chatSteps(choice, meta) : textSteps(choice, meta)));
  let open = steps.length;
  while (open > 0) {
    for (const [at, iterator] of steps.entries()) {
      if (!iterator) continue;
      const { value, done } = iterator.next();
      if (done) {
        steps[at] = undefined;
        open -= 1;
        continue;
      }
      if (value.token) counts.completion += 1;
      if (value.token === "reasoning") counts.reasoning += 1;
      const counted = meta.dialect === "siliconflow" || (meta.dialect === "deepseek" && value.last && open === 1);
      const usage = counted ? vendorUsage(meta.dialect, usageOf(plan, counts)) : include ? null : undefined;
      yield { data: render(meta, [value.choice], usage), token: value.token || undefined, last: Boolean(value.last) };
    }
  }
  if (include && meta.dialect !== "siliconflow") yield { data: render(meta, [], vendorUsage(meta.dialect, usageOf(plan, counts))), token: undefined, last: false };
}

/** The whole answer as one object. */
export function wholeAnswer(plan, meta) {
  const chat = meta.kind === "chat";
  const choices = plan.choices.map((choice) => {
    const text = [...choice.content()].join("");
    if (!chat) return { text, index: choice.index, logprobs: null, finish_reason: choice.finish };
    const reasoning = [...choice.reasoning()].join("");
    const message = { role: "assistant", content: text || (choice.toolCalls.length ? (meta.dialect === "openai" ? null : "") : "") };
    if (reasoning || (meta.reasons && meta.dialect !== "openai")) message.reasoning_content = reasoning;
    if (meta.dialect === "openai") message.refusal = null;
    if (choice.toolCalls.length) message.tool_calls = choice.toolCalls.map((call, index) => (meta.dialect === "openai" ? call : { index, ...call }));
    return { index: choice.index, message, logprobs: meta.body.logprobs ? { content: [...choice.content()].map((token) => logprob(token, meta)) } : null, finish_reason: choice.finish };
  });
  return {
    id: meta.id,
    object: chat ? "chat.completion" : "text_completion",
    created: meta.created,
    model: meta.model,
    choices,
    usage: vendorUsage(meta.dialect, usageOf(plan, countOutput(plan))),
    system_fingerprint: meta.fingerprint,
  };
}

function* chatSteps(choice, meta) {
  const { dialect } = meta;
  const vendor = dialect !== "openai";
  const index = choice.index;
  const logged = (token) => (meta.body.logprobs ? { content: [logprob(token, meta)] } : null);
  const step = (delta, { finish = null, token = false, text, last = false } = {}) => ({
    choice: { index, delta: dialect === "siliconflow" ? { ...delta, role: "assistant" } : delta, logprobs: text === undefined ? null : logged(text), finish_reason: finish },
    token,
    last,
  });

  if (meta.reasons) yield step({ role: "assistant", content: null, reasoning_content: "" });
  else yield step(vendor ? { role: "assistant", content: "" } : { role: "assistant", content: "", refusal: null });
  for (const text of choice.reasoning()) yield step({ content: null, reasoning_content: text }, { token: "reasoning" });
  for (const text of choice.content()) yield step(meta.reasons ? { content: text, reasoning_content: null } : { content: text }, { token: "content", text });
  yield* toolSteps(choice.toolCalls, dialect, step);
  const last = dialect === "openai" ? {} : meta.reasons ? { content: "", reasoning_content: null } : { content: "" };
  yield step(last, { finish: choice.finish, last: true });
}

/** The heads of all calls, then their arguments in turns, so that pieces of parallel calls are interleaved by index. */
function* toolSteps(calls, dialect, step) {
  for (const [index, call] of calls.entries()) {
    yield step({ tool_calls: [{ index, id: call.id, type: "function", function: { name: call.function.name, arguments: "" } }] });
  }
  const streams = calls.map((call) => argumentPieces(call));
  for (let open = streams.length; open > 0; ) {
    for (const [index, stream] of streams.entries()) {
      const piece = stream?.next();
      if (!piece) continue;
      if (piece.done) {
        streams[index] = undefined;
        open -= 1;
        continue;
      }
      const call = dialect === "siliconflow" ? { index, id: null, type: null, function: { name: "", arguments: piece.value } } : { index, function: { arguments: piece.value } };
      yield step({ tool_calls: [call] }, { token: "tool" });
    }
  }
}

function* textSteps(choice) {
  for (const text of choice.content()) yield { choice: { text, index: choice.index, logprobs: null, finish_reason: null }, token: "content" };
  yield { choice: { text: "", index: choice.index, logprobs: null, finish_reason: choice.finish }, token: false, last: true };
}

function render(meta, choices, usage) {
  const chunk = {
    id: meta.id,
    object: meta.kind === "chat" ? "chat.completion.chunk" : "text_completion",
    created: meta.created,
    model: meta.model,
    system_fingerprint: meta.fingerprint,
    choices,
  };
  if (usage !== undefined) chunk.usage = usage;
  return JSON.stringify(chunk);
}

function vendorUsage(dialect, usage) {
  if (dialect !== "openai") return usage;
  const { prompt_cache_hit_tokens: _hit, prompt_cache_miss_tokens: _miss, ...rest } = usage;
  return rest;
}

function logprob(token, meta) {
  const bytes = [...Buffer.from(token)];
  const top = Array.from({ length: Math.min(Number(meta.body.top_logprobs) || 0, 20) }, (_, rank) => (rank === 0 ? { token, logprob: -0.125, bytes } : { token: `alt${rank}`, logprob: -2.5 - rank, bytes: [...Buffer.from(`alt${rank}`)] }));
  return { token, logprob: -0.125, bytes, top_logprobs: top };
}
