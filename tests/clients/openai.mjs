// The openai package.

import OpenAI, { APIError } from "openai";
import { WIRE_TOOLS } from "./cases.mjs";

export function openaiClient({ baseUrl, apiKey, fetch }) {
  const client = (maxRetries = 0) => new OpenAI({ baseURL: baseUrl, apiKey, fetch, maxRetries, dangerouslyAllowBrowser: true });
  return {
    name: "openai",
    async unary(model, messages, { tools = false, maxRetries } = {}) {
      const reply = await client(maxRetries).chat.completions.create({ model, messages, ...(tools && { tools: WIRE_TOOLS }) });
      const { message, finish_reason } = reply.choices[0];
      return { text: message.content ?? "", reasoning: message.reasoning_content ?? "", calls: (message.tool_calls ?? []).map(plainCall), finish: finish_reason, usage: plainUsage(reply.usage) };
    },
    async stream(model, messages, { tools = false, signal, onText } = {}) {
      const stream = await client().chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true }, ...(tools && { tools: WIRE_TOOLS }) }, { signal });
      const got = { text: "", reasoning: "", calls: [], finish: null, usage: undefined };
      for await (const chunk of stream) {
        if (chunk.usage) got.usage = plainUsage(chunk.usage);
        const [choice] = chunk.choices;
        if (!choice) continue;
        got.reasoning += choice.delta.reasoning_content ?? "";
        got.finish = choice.finish_reason ?? got.finish;
        for (const { index, id, function: call } of choice.delta.tool_calls ?? []) {
          got.calls[index] ??= { id, type: "function", function: { name: call.name, arguments: "" } };
          got.calls[index].function.arguments += call.arguments ?? "";
        }
        if (choice.delta.content) {
          got.text += choice.delta.content;
          onText?.();
        }
      }
      return { ...got, calls: got.calls.map(plainCall) };
    },
    async roundTrip(model, messages, run) {
      const first = await client().chat.completions.create({ model, messages, tools: WIRE_TOOLS });
      const { message } = first.choices[0];
      const results = message.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: run(call.function.name) }));
      const { role, content, tool_calls } = message;
      const second = await client().chat.completions.create({ model, messages: [...messages, { role, content, tool_calls }, ...results], tools: WIRE_TOOLS });
      return second.choices[0].message.content;
    },
    isTyped: (error) => error instanceof APIError,
    statusOf: (error) => error.status,
  };
}

/** A tool call without the wire's wrapping, arguments parsed. */
export function plainCall(call) {
  return { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) };
}

/** Usage in one form for all clients. */
export function plainUsage(usage) {
  return {
    prompt: usage.prompt_tokens,
    completion: usage.completion_tokens,
    total: usage.total_tokens,
    cached: usage.prompt_tokens_details?.cached_tokens,
    reasoning: usage.completion_tokens_details?.reasoning_tokens,
  };
}
