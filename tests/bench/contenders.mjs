/**
 * The clients that are compared, each in the way its own documentation uses it, in Node and in a page alike.
 *
 * A contender is `{name, pipeline?, endToEnd?}`. `pipeline({chunks, payloads})` takes the bytes (or, for the floor, the JSON
 * texts) to the assembled text and knows no fetch. `endToEnd(fetch)` sets a client up once and gives the function that makes
 * one call with it. Both come out with {@link joined} text, so that the bench can see that all did the same work.
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { jsonSchema, parseJsonEventStream, streamText } from "ai";
import { createParser } from "eventsource-parser";
import OpenAI from "openai";
import { Stream } from "openai/streaming";
import { joined } from "./workload.mjs";

/** Never reached: the fetch is a fake. */
const BASE_URL = "http://upstream.invalid/v1";
const MODEL = "deepseek-v4-pro";
const MESSAGES = [{ role: "user", content: "Why do gates leak?" }];

/** Adds up what one parsed chunk carries. */
function collector() {
  let reasoning = "";
  let text = "";
  return {
    add(chunk) {
      const delta = chunk.choices[0]?.delta;
      if (delta?.reasoning_content) reasoning += delta.reasoning_content;
      if (delta?.content) text += delta.content;
    },
    end: () => joined(reasoning, text),
  };
}

/** Decoder, parser and JSON, as the parser's documentation joins them. */
function parserLoop() {
  const seen = collector();
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent({ data }) {
      if (data !== "[DONE]") seen.add(JSON.parse(data));
    },
  });
  return {
    feed: (bytes) => parser.feed(decoder.decode(bytes, { stream: true })),
    end: seen.end,
  };
}

async function drain(body, each) {
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) each(part.value);
}

function streamOf(chunks) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < chunks.length) controller.enqueue(chunks[at++]);
      else controller.close();
    },
  });
}

const call = { method: "POST", body: JSON.stringify({ model: MODEL, messages: MESSAGES, stream: true }) };

const jsonParse = {
  name: "JSON.parse alone",
  note: "the floor: payloads already cut and decoded",
  pipeline({ payloads }) {
    const seen = collector();
    for (const payload of payloads) seen.add(JSON.parse(payload));
    return seen.end();
  },
};

const handWritten = {
  name: "reader loop, split, JSON.parse",
  note: "what people write by hand; no SSE rules",
  endToEnd: (fetch) => async () => {
    const seen = collector();
    const decoder = new TextDecoder();
    let rest = "";
    const response = await fetch(`${BASE_URL}/chat/completions`, call);
    await drain(response.body, (bytes) => {
      const events = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
      rest = events.pop();
      for (const event of events) if (event !== "data: [DONE]") seen.add(JSON.parse(event.slice(6)));
    });
    return seen.end();
  },
};

const eventsourceParser = {
  name: "eventsource-parser + JSON.parse",
  pipeline({ chunks }) {
    const loop = parserLoop();
    for (const chunk of chunks) loop.feed(chunk);
    return loop.end();
  },
  endToEnd: (fetch) => async () => {
    const loop = parserLoop();
    const response = await fetch(`${BASE_URL}/chat/completions`, call);
    await drain(response.body, loop.feed);
    return loop.end();
  },
};

const openai = {
  name: "openai SDK",
  note: "pipeline: its Stream.fromSSEResponse",
  async pipeline({ chunks }) {
    const seen = collector();
    const response = new Response(streamOf(chunks));
    for await (const chunk of Stream.fromSSEResponse(response, new AbortController())) seen.add(chunk);
    return seen.end();
  },
  endToEnd(fetch) {
    const client = new OpenAI({ baseURL: BASE_URL, apiKey: "none", fetch, dangerouslyAllowBrowser: true });
    return async () => {
      const seen = collector();
      const chunks = await client.chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true });
      for await (const chunk of chunks) seen.add(chunk);
      return seen.end();
    };
  },
};

const anything = jsonSchema({});

const aiSdk = {
  name: "AI SDK",
  note: "pipeline: its parseJsonEventStream without a schema",
  async pipeline({ chunks }) {
    const seen = collector();
    await drain(parseJsonEventStream({ stream: streamOf(chunks), schema: anything }), (part) => {
      if (!part.success) throw part.error;
      seen.add(part.value);
    });
    return seen.end();
  },
  endToEnd(fetch) {
    const provider = createOpenAICompatible({ name: "bench", baseURL: BASE_URL, apiKey: "none", fetch });
    const model = provider(MODEL);
    return async () => {
      let reasoning = "";
      let text = "";
      for await (const part of streamText({ model, messages: MESSAGES }).stream) {
        if (part.type === "reasoning-delta") reasoning += part.text;
        else if (part.type === "text-delta") text += part.text;
        else if (part.type === "error") throw part.error;
      }
      return joined(reasoning, text);
    };
  },
};

/** Everybody but ourselves, cheapest first. */
export const rivals = [jsonParse, handWritten, eventsourceParser, openai, aiSdk];
