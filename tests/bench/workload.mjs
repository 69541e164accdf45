/**
 * The streams that everybody is measured on: DeepSeek's form, half reasoning and half answer, English and Chinese mixed,
 * every event another text, every event of the same size. Runs in Node and in a page; the same seed gives the same bytes.
 */

/** Bytes of one event, `data: ` and the blank line included. */
export const EVENT_BYTES = 286;

/** Bytes of an event's text as it stands in the JSON: what keeps all events equally long. */
const TEXT_BYTES = 6;

const ENGLISH = [
  " model", " short", " water", " gates", " reads", " bytes", "first ", "think ", " where", " value", " token", " each ",
  " of it", " to be", " is in", "ation ", "ing a ", ", and ", ". The ", " 2,048",
];
const CHINESE = [..."我们先看这个问题的要点然后一步推理得出结论数据流式输出模型网关"];
const ESCAPED = ['\\n\\n- ', '\\"ok\\"', "\\n1. a", "\\t\\\\ab"];

/** A small generator of its own, so that a run can be repeated (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The next piece of text, already escaped for JSON, `TEXT_BYTES` long in UTF-8. */
function piece(below, ordinal) {
  // One ordinal in every other piece makes neighbours differ even where the vocabulary repeats itself.
  if (ordinal % 2 === 0) return `${CHINESE[below(CHINESE.length)]}${String(ordinal % 1000).padStart(3, "0")}`;
  const kind = below(10);
  if (kind === 0) return ESCAPED[below(ESCAPED.length)];
  if (kind < 5) return CHINESE[below(CHINESE.length)] + CHINESE[below(CHINESE.length)];
  return ENGLISH[below(ENGLISH.length)];
}

const encoder = new TextEncoder();

function frame(delta, finish, usage, filler) {
  return (
    `data: {"id":"5b2c7f3e-91d4-4c0a-8e6f-2a7d1c9b0e44","object":"chat.completion.chunk","created":1795360527,` +
    `"model":"deepseek-v4-pro","system_fingerprint":"fp_${filler}","choices":[{"index":0,"delta":${delta},` +
    `"logprobs":null,"finish_reason":${finish}}]${usage}}\n\n`
  );
}

const reasoningDelta = (text) => `{"content":null,"reasoning_content":"${text}"}`;
const answerDelta = (text) => `{"content":"${text}","reasoning_content":null}`;

/** The fingerprint that brings an event to `EVENT_BYTES`. */
function fillerFor() {
  const bare = encoder.encode(frame(answerDelta("x".repeat(TEXT_BYTES)), "null", "", "")).length;
  return "a49d71b8a1prod0623fp8kvcache00".repeat(4).slice(0, EVENT_BYTES - bare);
}

/**
 * A whole stream of `events` events of text, then the finish with usage and `[DONE]`.
 *
 * @returns {{events: number, bytes: number, frames: Uint8Array[], payloads: string[], expected: string}} `frames` has one event each (the last one also
 *   carries the end), `payloads` the JSON texts, `expected` what every contender must make of it (see {@link joined}).
 */
export function stream(events, seed = 18) {
  const below = random(seed);
  const filler = fillerFor();
  const frames = [];
  const payloads = [];
  let reasoning = "";
  let text = "";
  for (let ordinal = 0; ordinal < events; ordinal += 1) {
    const escaped = piece(below, ordinal);
    const plain = JSON.parse(`"${escaped}"`);
    const thinks = ordinal < events / 2;
    if (thinks) reasoning += plain;
    else text += plain;
    const frameText = frame(thinks ? reasoningDelta(escaped) : answerDelta(escaped), "null", "", filler);
    const bytes = encoder.encode(frameText);
    if (bytes.length !== EVENT_BYTES) throw new Error(`event ${ordinal} has ${bytes.length} bytes: ${frameText}`);
    frames.push(bytes);
    payloads.push(frameText.slice(6, -2));
  }
  const usage = `,"usage":{"prompt_tokens":18,"completion_tokens":${events},"total_tokens":${events + 18}}`;
  const last = frame(answerDelta(""), '"stop"', usage, filler);
  payloads.push(last.slice(6, -2));
  frames.push(encoder.encode(`${last}data: [DONE]\n\n`));
  const bytes = frames.reduce((sum, part) => sum + part.length, 0);
  return { events, bytes, frames, payloads, expected: joined(reasoning, text) };
}

/** Reasoning and answer as one text, so that one comparison checks both. */
export const joined = (reasoning, text) => `${reasoning}\n---\n${text}`;

/** The same bytes, `perChunk` events to a network chunk. */
export function inChunks(frames, perChunk) {
  const chunks = [];
  for (let at = 0; at < frames.length; at += perChunk) {
    const group = frames.slice(at, at + perChunk);
    const chunk = new Uint8Array(group.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of group) {
      chunk.set(part, offset);
      offset += part.length;
    }
    chunks.push(chunk);
  }
  return chunks;
}

/** A `fetch` that answers every call with these chunks, one per read. */
export function fakeFetch(chunks) {
  return async () => {
    let at = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (at < chunks.length) controller.enqueue(chunks[at++]);
        else controller.close();
      },
    });
    return new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } });
  };
}
