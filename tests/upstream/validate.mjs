// Refuses what the vendors refuse, roughly, in their words: `undefined`, or the text of a 400 body.

import { contentText } from "./dialogue.mjs";
import { refusal } from "./errors.mjs";
import { refusesReasoning, wantsReasoning } from "./misbehave.mjs";

const RANGES = {
  temperature: [0, 2],
  top_p: [0, 1],
};
const MAX_TOKENS = { openai: 128_000, deepseek: 393_216, siliconflow: 163_840 };
const MAX_STOPS = { openai: 4, deepseek: 16, siliconflow: 4 };
const ROLES = new Set(["system", "developer", "user", "assistant", "tool", "function"]);

/** Checks a chat body. */
export function refuseChat(body, dialect, beta) {
  return refuseModel(body, dialect) ?? refuseMessages(body, dialect, beta) ?? refuseParameters(body, dialect) ?? refuseFormat(body, dialect);
}

/** Checks a completion body. */
export function refuseCompletion(body, dialect, beta) {
  if (dialect === "deepseek" && !beta) {
    return refusal(dialect, "completions api is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")");
  }
  const model = refuseModel(body, dialect);
  if (model) return model;
  if (body.prompt === undefined) return missing(dialect, "prompt");
  return refuseParameters(body, dialect);
}

function refuseModel(body, dialect) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return refusal(dialect, "The body is not a JSON object.");
  if (typeof body.model === "string" && body.model) return undefined;
  if (dialect === "openai") return refusal(dialect, "you must provide a model parameter", { param: "model" });
  return missing(dialect, "model");
}

function refuseMessages(body, dialect, beta) {
  const { messages, model } = body;
  if (messages === undefined) return missing(dialect, "messages");
  if (!Array.isArray(messages) || messages.length === 0) {
    if (dialect === "openai") return refusal(dialect, "Invalid 'messages': expected an array with minimum length 1.", { param: "messages", code: "empty_array" });
    return refusal(dialect, "Empty input messages");
  }
  const strict = dialect !== "openai";
  for (const [at, message] of messages.entries()) {
    if (!ROLES.has(message?.role)) {
      return refusal(dialect, `Invalid value: '${message?.role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`, { param: `messages[${at}].role`, code: "invalid_value" });
    }
    if (!isListOrNothing(message.tool_calls)) return wrongType(dialect, `messages[${at}].tool_calls`);
    if (message.role === "tool" && !answersCall(messages, at)) {
      return refusal(dialect, "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'", { param: `messages[${at}].role` });
    }
  }
  const refused = strict && refusesReasoning(model) ? refuseReasoning(messages, dialect, beta) : undefined;
  const thinks = body.thinking?.type !== "disabled" && body.enable_thinking !== false;
  const wanted = strict && wantsReasoning(model) && thinks ? wantReasoning(messages, dialect) : undefined;
  return refused ?? wanted ?? (dialect === "deepseek" ? refusePrefix(messages, beta) : undefined);
}

/** Refuses reasoning that is sent back; a prefix that goes on may have its own. */
export function refuseReasoning(messages, dialect, beta) {
  if (!messages.some((message) => reasons(message) && !(beta && message.prefix))) return undefined;
  return refusal(dialect, "The reasoning_content is an intermediate result for display purposes only and will not be included in the context for inference. Please remove the reasoning_content from your message to reduce network traffic.");
}

/** Refuses tool calls that come back without the reasoning that led to them. */
export function wantReasoning(messages, dialect) {
  if (!messages.some((message) => message.role === "assistant" && message.tool_calls?.length > 0 && !reasons(message))) return undefined;
  return refusal(dialect, "The `reasoning_content` in the thinking mode must be passed back to the API.");
}

function reasons({ reasoning_content }) {
  return reasoning_content !== undefined && reasoning_content !== null;
}

/** DeepSeek goes on behind a prefix at its beta base only, and only behind a last message of the assistant. */
function refusePrefix(messages, beta) {
  if (!messages.some((message) => message.prefix === true)) return undefined;
  if (!beta) return refusal("deepseek", "prefix is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")");
  const last = messages.at(-1);
  if (last.role === "assistant" && last.prefix === true) return undefined;
  return refusal("deepseek", "The last message must have role `assistant` when prefix is on, and only the last message can have it.");
}

function answersCall(messages, at) {
  for (let before = at - 1; before >= 0; before -= 1) {
    if (messages[before]?.role === "tool") continue;
    return messages[before]?.role === "assistant" && messages[before].tool_calls?.some((call) => call?.id === messages[at].tool_call_id);
  }
  return false;
}

function refuseParameters(body, dialect) {
  for (const [field, [low, high]] of Object.entries(RANGES)) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== "number" || value < low || value > high) {
      if (dialect === "openai") return refusal(dialect, `Invalid '${field}': expected a number between ${low} and ${high}, but got ${value} instead.`, { param: field, code: "decimal_above_max_value" });
      return refusal(dialect, `Invalid ${field} value, the valid range of ${field} is [${low}, ${high}]`);
    }
  }
  for (const field of ["max_tokens", "max_completion_tokens"]) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (!Number.isInteger(value) || value < 1 || value > MAX_TOKENS[dialect]) {
      return refusal(dialect, `Invalid ${field} value, the valid range of ${field} is [1, ${MAX_TOKENS[dialect]}]`, { param: field, code: dialect === "openai" ? "integer_out_of_range" : undefined });
    }
  }
  if (!isListOrNothing(body.tools)) return wrongType(dialect, "tools");
  if (Array.isArray(body.stop) && body.stop.length > MAX_STOPS[dialect]) {
    return refusal(dialect, `Invalid 'stop': array too long. Expected an array with maximum length ${MAX_STOPS[dialect]}, but got an array with length ${body.stop.length} instead.`, { param: "stop", code: "array_above_max_length" });
  }
  if (Array.isArray(body.tools) && body.tools.length > 128) {
    return refusal(dialect, "Invalid 'tools': array too long. Expected an array with maximum length 128.", { param: "tools", code: "array_above_max_length" });
  }
  return undefined;
}

function refuseFormat(body, dialect) {
  const type = body.response_format?.type;
  if (dialect === "deepseek" && type === "json_schema") return refusal(dialect, "This response_format type is unavailable now");
  if (type === "json_object" && !body.messages.some((message) => /json/i.test(contentText(message.content)))) {
    if (dialect === "deepseek") return refusal(dialect, "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.");
    if (dialect === "openai") return refusal(dialect, "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", { param: "messages" });
  }
  return undefined;
}

function isListOrNothing(value) {
  return value === undefined || value === null || Array.isArray(value);
}

function wrongType(dialect, field) {
  return refusal(dialect, `Invalid type for '${field}': expected an array.`, { param: field, code: dialect === "openai" ? "invalid_type" : undefined });
}

function missing(dialect, field) {
  if (dialect === "openai") return refusal(dialect, `Missing required parameter: '${field}'.`, { param: field, code: "missing_required_parameter" });
  if (dialect === "deepseek") return refusal(dialect, `Failed to deserialize the JSON body into the target type: missing field \`${field}\` at line 1 column 2`);
  return refusal(dialect, `Field required: ${field}`);
}
