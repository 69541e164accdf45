// The AI SDK, with its provider for OpenAI-compatible APIs and its own for DeepSeek.

import { createDeepSeek } from "@ai-sdk/deepseek";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { TOOLS } from "./cases.mjs";

const FINISH = { "tool-calls": "tool_calls" };

export function aiCompatibleClient({ baseUrl, apiKey, fetch }) {
  const provider = createOpenAICompatible({ name: "gate", baseURL: baseUrl, apiKey, fetch, includeUsage: true });
  return aiClient("ai with @ai-sdk/openai-compatible", (model) => provider.chatModel(model));
}

export function aiDeepSeekClient({ deepseekUrl, apiKey, fetch }) {
  const provider = createDeepSeek({ baseURL: deepseekUrl, apiKey, fetch });
  // It reads DeepSeek's own `prompt_cache_hit_tokens` and nothing else.
  return { ...aiClient("ai with @ai-sdk/deepseek", (model) => provider(model)), readsOnlyHits: true };
}

function aiClient(name, modelOf) {
  const tools = (run) => Object.fromEntries(TOOLS.map((each) => [each.name, tool({ description: each.description, inputSchema: jsonSchema(each.parameters), ...(run && { execute: () => run(each.name) }) })]));
  const settings = (model, messages, { tools: wanted, maxRetries = 0, run } = {}) => ({ model: modelOf(model), messages, allowSystemInMessages: true, maxRetries, ...((wanted || run) && { tools: tools(run) }) });
  return {
    name,
    async unary(model, messages, options) {
      return plain(await generateText(settings(model, messages, options)));
    },
    async stream(model, messages, { signal, onText, ...options } = {}) {
      const result = streamText({ ...settings(model, messages, options), abortSignal: signal, onError: () => {} });
      for await (const part of result.fullStream) {
        if (part.type === "error") throw part.error;
        if (part.type === "abort") throw signal.reason;
        if (part.type === "text-delta") onText?.();
      }
      const [text, reasoningText, toolCalls, finishReason, usage] = await Promise.all([result.text, result.reasoningText, result.toolCalls, result.finishReason, result.usage]);
      return plain({ text, reasoningText, toolCalls, finishReason, usage });
    },
    async roundTrip(model, messages, run) {
      const result = await generateText({ ...settings(model, messages, { run }), stopWhen: stepCountIs(2) });
      return result.text;
    },
    isTyped: (error) => APICallError.isInstance(error),
    statusOf: (error) => error.statusCode,
  };
}

function plain({ text, reasoningText, toolCalls, finishReason, usage }) {
  return {
    text,
    reasoning: reasoningText ?? "",
    calls: toolCalls.map((call) => ({ id: call.toolCallId, name: call.toolName, arguments: call.input })),
    finish: FINISH[finishReason] ?? finishReason,
    usage: {
      prompt: usage.inputTokens,
      completion: usage.outputTokens,
      total: usage.totalTokens,
      cached: usage.inputTokenDetails?.cacheReadTokens,
      reasoning: usage.outputTokenDetails?.reasoningTokens,
    },
  };
}
