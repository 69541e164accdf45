// What a model's name demands of a body, beyond what its vendor does: `undefined`, or the text of a 400 body in the vendor's form
// and words. Each holds for as long as the body is as it is, and no longer: a repaired one is answered.

import { countPrompt } from "./answer.mjs";
import { refusal } from "./errors.mjs";
import { refuseReasoning, wantReasoning } from "./validate.mjs";

/** The first demand that the body does not meet. */
export function refuseDemanded(body, dialect, beta, traits) {
  for (const [key, check] of Object.entries(CHECKS)) {
    if (traits[key] === undefined) continue;
    const text = check(body, dialect, traits[key], beta);
    if (text !== undefined) return text;
  }
  return undefined;
}

const CHECKS = {
  "rejects-prefill": prefill,
  unsupported,
  "only-default": onlyDefault,
  "at-most": (body, dialect, { field, bound }) => (body[field] > bound ? outOfRange(dialect, field, body[field], bound, "at most") : undefined),
  "at-least": (body, dialect, { field, bound }) => (has(body, field) && body[field] < bound ? outOfRange(dialect, field, body[field], bound, "at least") : undefined),
  context,
  "refuses-reasoning": (body, dialect, _, beta) => refuseReasoning(body.messages ?? [], dialect, beta),
  "wants-reasoning": (body, dialect) => wantReasoning(body.messages ?? [], dialect),
};

function prefill({ messages, model }, dialect) {
  const last = messages?.at(-1);
  if (last?.role !== "assistant") return undefined;
  if (dialect === "siliconflow") return refusal(dialect, "The last message must be a user message.");
  if (dialect === "openai") return refusal(dialect, "This model does not support assistant message prefill. The conversation must end with a user message.");
  if (last.prefix === true) return refusal(dialect, `${model} does not support prefix mode: the last message must be a user message.`);
  return refusal(
    dialect,
    `The last message of ${model} must be a user message, or an assistant message with prefix mode on (refer to https://api-docs.deepseek.com/guides/chat_prefix_completion).`,
  );
}

function unsupported(body, dialect, field) {
  if (!has(body, field)) return undefined;
  const instead = field === "max_tokens" ? " Use 'max_completion_tokens' instead." : "";
  return inWords(dialect, field, "unsupported_parameter", {
    openai: `Unsupported parameter: '${field}' is not supported with this model.${instead}`,
    deepseek: `${body.model} does not support the parameter ${field}`,
    siliconflow: `The parameter ${field} is not supported by this model.`,
  });
}

function onlyDefault(body, dialect, field) {
  if (!has(body, field) || body[field] === 1) return undefined;
  return inWords(dialect, field, "unsupported_value", {
    openai: `Unsupported value: '${field}' does not support ${JSON.stringify(body[field])} with this model. Only the default (1) value is supported.`,
    deepseek: `${body.model} does not support this ${field}: only 1 is allowed`,
    siliconflow: `The parameter ${field} of this model can only be 1.`,
  });
}

function outOfRange(dialect, field, value, bound, side) {
  const [low, high] = side === "at most" ? [field.startsWith("max_") ? 1 : 0, bound] : [bound, Math.max(bound, 1_000_000)];
  const kind = Number.isInteger(value) ? "integer" : "decimal";
  const [sign, code] = side === "at most" ? ["<=", `${kind}_above_max_value`] : [">=", `${kind}_below_min_value`];
  const tokens = field.startsWith("max_") && side === "at most";
  return inWords(dialect, field, tokens ? "invalid_value" : code, {
    openai: tokens
      ? `${field} is too large: ${value}. This model supports at most ${bound} completion tokens, whereas you provided ${value}.`
      : `Invalid '${field}': ${kind} ${side === "at most" ? "above maximum" : "below minimum"} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
    deepseek: `Invalid ${field} value, the valid range of ${field} is [${low}, ${high}]`,
    siliconflow: `The value of ${field} must be ${side} ${bound}, got ${value}.`,
  });
}

function context(body, dialect, size) {
  const prompt = countPrompt(body);
  const asked = Number(body.max_completion_tokens ?? body.max_tokens) || 0;
  if (prompt + asked <= size) return undefined;
  if (dialect === "siliconflow" && prompt >= size) return refusal(dialect, `length of prompt_tokens (${prompt}) must be less than max_seq_len (${size}).`);
  if (dialect === "siliconflow") return refusal(dialect, `max_total_tokens (${prompt + asked}) must be less than or equal to max_seq_len (${size}).`);
  const counted = `you requested ${prompt + asked} tokens (${prompt} in the messages, ${asked} in the completion)`;
  const message = `This model's maximum context length is ${size} tokens. However, ${counted}. Please reduce the length of the messages or completion.`;
  return refusal(dialect, message, dialect === "openai" ? { param: "messages", code: "context_length_exceeded" } : {});
}

function has(body, field) {
  return body[field] !== undefined && body[field] !== null;
}

function inWords(dialect, field, code, words) {
  return refusal(dialect, words[dialect], dialect === "openai" ? { param: field, code } : {});
}
