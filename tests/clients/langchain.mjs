// LangChain.js, with its models for OpenAI and for DeepSeek.

import { ContextOverflowError } from "@langchain/core/errors";
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { ChatDeepSeek } from "@langchain/deepseek";
import { ChatOpenAI } from "@langchain/openai";
import { APIError } from "openai";
import { WIRE_TOOLS } from "./cases.mjs";

export function langchainOpenAiClient(connection) {
  return langchainClient("@langchain/openai", ChatOpenAI, connection);
}

export function langchainDeepSeekClient(connection) {
  return langchainClient("@langchain/deepseek", ChatDeepSeek, connection);
}

function langchainClient(name, Model, { baseUrl, apiKey, fetch }) {
  const bound = (model, { tools = false, maxRetries = 0 } = {}) => {
    const chat = new Model({ model, apiKey, maxRetries, configuration: { baseURL: baseUrl, fetch } });
    return tools ? chat.bindTools(WIRE_TOOLS) : chat;
  };
  return {
    name,
    async unary(model, messages, options) {
      return plain(await bound(model, options).invoke(messages.map(toMessage)));
    },
    async stream(model, messages, { signal, onText, ...options } = {}) {
      let whole;
      for await (const chunk of await bound(model, options).stream(messages.map(toMessage), { signal })) {
        whole = whole === undefined ? chunk : whole.concat(chunk);
        if (chunk.content) onText?.();
      }
      // A cancelled stream of LangChain ends without an error.
      signal?.throwIfAborted();
      return plain(whole);
    },
    async roundTrip(model, messages, run) {
      const chat = bound(model, { tools: true });
      const asked = messages.map(toMessage);
      const reply = await chat.invoke(asked);
      const results = reply.tool_calls.map((call) => new ToolMessage({ tool_call_id: call.id, content: run(call.name) }));
      return (await chat.invoke([...asked, new AIMessage({ content: reply.content, tool_calls: reply.tool_calls }), ...results])).content;
    },
    isTyped: (error) => error instanceof APIError || ContextOverflowError.isInstance(error),
    statusOf: (error) => error.status ?? error.cause?.status,
  };
}

function toMessage({ role, content }) {
  return role === "system" ? new SystemMessage(content) : new HumanMessage(content);
}

function plain(message) {
  const usage = message.usage_metadata;
  return {
    text: message.content,
    reasoning: message.additional_kwargs.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map((call) => ({ id: call.id, name: call.name, arguments: call.args })),
    finish: message.response_metadata.finish_reason,
    usage: usage && {
      prompt: usage.input_tokens,
      completion: usage.output_tokens,
      total: usage.total_tokens,
      cached: usage.input_token_details?.cache_read,
      reasoning: usage.output_token_details?.reasoning,
    },
  };
}
