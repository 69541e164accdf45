// The endpoints that are no completions: embeddings, rerank, images, speech, transcriptions, responses, messages, each in its vendor's form.
//
// They misbehave by the same names as chat does, where that can be: what replaces the head (`status-429`, `html-200`, `error-200`, …),
// and `cut-N`, `eof-N`, `stall-N`, `error-in-stream-N`: after N events of a stream, or after N bytes of a whole body, whose length is
// stated unless the model's name has `no-length` in it.

import { createHash } from "node:crypto";
import { headersOf } from "./dialects.mjs";
import { inStreamError, refusal } from "./errors.mjs";
import { EventWriter, writeCut } from "./framing.mjs";

/** What each path is. DeepSeek has Anthropic's protocol at a base of its own. */
export const RELAYED = {
  "/embeddings": "embeddings",
  "/rerank": "rerank",
  "/images/generations": "images",
  "/audio/speech": "speech",
  "/audio/transcriptions": "transcriptions",
  "/audio/translations": "translations",
  "/responses": "responses",
  "/messages": "messages",
};

/** What a vendor has not got. */
const LACKS = {
  openai: [],
  deepseek: ["embeddings", "rerank", "images", "speech", "transcriptions", "translations"],
  siliconflow: ["translations", "responses"],
};

/** Whether a vendor has this. */
export function has(dialect, kind) {
  return !LACKS[dialect].includes(kind);
}

/** The fields of a form: `{ name: text | { filename, type, bytes } }`, of names that come more than once the last. Browsers' form only. */
export function readForm(bytes, type = "") {
  const [, quoted, plain] = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (!boundary) return undefined;
  const fields = {};
  const text = bytes.toString("latin1");
  const parts = `\r\n${text}`.split(`\r\n--${boundary}`);
  if (!parts.at(-1).startsWith("--")) return undefined;
  for (const part of parts.slice(1, -1)) {
    const end = part.indexOf("\r\n\r\n");
    const head = Buffer.from(part.slice(2, end), "latin1").toString();
    const content = Buffer.from(part.slice(end + 4), "latin1");
    const name = /\bname="([^"]*)"/.exec(head)?.[1];
    const filename = /\bfilename="([^"]*)"/.exec(head)?.[1];
    fields[name] = filename === undefined ? content.toString() : { filename, type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim(), bytes: content };
  }
  return fields;
}

/** The body of a call as the log shows it: of files how long they are and what they hash to. */
export function shownForm(fields) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? value : { filename: value.filename, type: value.type, size: value.bytes.length, sha256: hash(value.bytes) }]),
  );
}

/** A vector of a text, the same each time, of length one. */
export function vectorOf(text, size = 8) {
  const digest = createHash("sha256").update(String(text)).digest();
  const numbers = Array.from({ length: size }, (_, at) => digest[at % 32] - 128);
  const length = Math.hypot(...numbers) || 1;
  return numbers.map((number) => Math.fround(number / length));
}

/** The sound of a text: 44 bytes that look like a header, then noise that hashes to what it says. */
export function soundOf(text, size = 4096) {
  const noise = Buffer.alloc(size);
  for (let at = 0; at < size; at += 32) createHash("sha256").update(`${text} ${at}`).digest().copy(noise, at);
  return Buffer.concat([Buffer.from("ID3\x04\x00\x00\x00\x00\x00\x00", "latin1"), noise]);
}

/** What a recording says. */
export function transcriptOf(bytes) {
  return `A recording of ${bytes.length} bytes says ${hash(bytes).slice(0, 8)}.`;
}

/** What a model says in answer. */
export function spokenAnswer(kind, body) {
  return `You said ${textOf(kind === "responses" ? body.input : body.messages)}`;
}

/** Answers a checked call. */
export async function answerRelayed(call) {
  const { kind, body, dialect } = call;
  const refused = refuse(kind, body, dialect);
  if (refused !== undefined) return whole(call, 400, "application/json", Buffer.from(refused));
  const json = (value) => whole(call, 200, "application/json", Buffer.from(JSON.stringify(value)));
  switch (kind) {
    case "embeddings":
      return json(embeddings(body));
    case "rerank":
      return json(rerank(body, call.id));
    case "images":
      return body.stream === true ? stream(call, imageEvents(body)) : json(images(body, dialect));
    case "speech":
      return body.stream_format === "sse" ? stream(call, speechEvents(body)) : whole(call, 200, "audio/mpeg", soundOf(body.input));
    case "transcriptions":
    case "translations":
      return transcript(call);
    case "responses":
      return body.stream === true ? stream(call, responseEvents(body, call.id)) : json(responseOf(body, call.id));
    default:
      return body.stream === true ? stream(call, messageEvents(body, call.id)) : json(messageOf(body, call.id));
  }
}

function refuse(kind, body, dialect) {
  if (typeof body.model !== "string" || !body.model) return refusal(dialect, "you must provide a model parameter", { param: "model" });
  const required = { embeddings: "input", rerank: "documents", images: "prompt", speech: "input", transcriptions: "file", translations: "file", responses: "input", messages: "messages" }[kind];
  if (body[required] === undefined) return refusal(dialect, `Missing required parameter: '${required}'.`, { param: required, code: "missing_required_parameter" });
  if (kind === "embeddings" && dialect === "siliconflow" && Array.isArray(body.input) && body.input.length > 32) return refusal(dialect, "input batch size 33 > maximum allowed batch size 32");
  if (kind === "messages" && !Number.isInteger(body.max_tokens)) return JSON.stringify({ type: "error", error: { type: "invalid_request_error", message: "max_tokens: Field required" } });
  return undefined;
}

function embeddings({ input, model, encoding_format: format, dimensions = 8 }) {
  const inputs = typeof input === "string" || typeof input[0] === "number" ? [input] : input;
  const data = inputs.map((text, index) => {
    const vector = vectorOf(Array.isArray(text) ? text.join(" ") : text, dimensions);
    const embedding = format === "base64" ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, text) => sum + (Array.isArray(text) ? text.length : text.split(/\s+/).length), 0);
  return { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function rerank({ query, documents, top_n: most = documents.length, return_documents: given = false }, id) {
  const words = new Set(query.toLowerCase().split(/\W+/));
  const text = (document) => (typeof document === "string" ? document : document.text);
  const score = (document) => text(document).toLowerCase().split(/\W+/).filter((word) => words.has(word)).length / (words.size || 1);
  const results = documents
    .map((document, index) => ({ ...(given && { document: { text: text(document) } }), index, relevance_score: score(document) }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, most);
  const tokens = [query, ...documents.map(text)].reduce((sum, part) => sum + part.split(/\s+/).length, 0);
  return { id, results, meta: { billed_units: { input_tokens: tokens, output_tokens: 0, search_units: 0, classifications: 0 }, tokens: { input_tokens: tokens, output_tokens: 0 } } };
}

function images({ prompt, n, batch_size: count = n ?? 1, response_format: format }, dialect) {
  const one = (at) => (format === "b64_json" ? { b64_json: picture(prompt, at) } : { url: `https://pictures.invalid/${hash(`${prompt} ${at}`).slice(0, 16)}.png` });
  const list = Array.from({ length: count }, (_, at) => one(at));
  if (dialect === "siliconflow") return { images: list, timings: { inference: 0.42 }, seed: 42, created: 1_700_000_000, data: list };
  return { created: 1_700_000_000, data: list, usage: { input_tokens: 7, output_tokens: 100 * count, total_tokens: 7 + 100 * count, input_tokens_details: { text_tokens: 7, image_tokens: 0 } } };
}

const picture = (prompt, at) => Buffer.from(hash(`${prompt} ${at}`).repeat(8)).toString("base64");

function imageEvents({ prompt }) {
  const usage = { total_tokens: 107, input_tokens: 7, output_tokens: 100 };
  return [
    { type: "image_generation.partial_image", b64_json: picture(prompt, 0), partial_image_index: 0 },
    { type: "image_generation.completed", b64_json: picture(prompt, 1), usage },
  ];
}

function speechEvents({ input }) {
  const sound = soundOf(input);
  const pieces = [];
  for (let at = 0; at < sound.length; at += 1024) pieces.push({ type: "speech.audio.delta", audio: sound.subarray(at, at + 1024).toString("base64") });
  return [...pieces, { type: "speech.audio.done", usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } }];
}

function transcript(call) {
  const { body } = call;
  const text = transcriptOf(body.file.bytes);
  const bytes = (kind, value) => whole(call, 200, kind, Buffer.from(value));
  if (body.stream === "true") {
    const words = text.split(/(?<= )/).map((delta) => ({ type: "transcript.text.delta", delta }));
    return stream(call, [...words, { type: "transcript.text.done", text, usage: { type: "tokens", input_tokens: 14, output_tokens: 31, total_tokens: 45 } }]);
  }
  if (body.response_format === "text") return bytes("text/plain; charset=utf-8", `${text}\n`);
  if (body.response_format === "vtt") return bytes("text/vtt", `WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n${text}\n`);
  return bytes("application/json", JSON.stringify({ text, usage: { type: "tokens", input_tokens: 14, output_tokens: 31, total_tokens: 45 } }));
}

const USAGE = { input_tokens: 36, input_tokens_details: { cached_tokens: 8 }, output_tokens: 87, output_tokens_details: { reasoning_tokens: 16 }, total_tokens: 123 };

function responseOf(body, id, over = {}) {
  const text = spokenAnswer("responses", body);
  const message = { id: `msg_${id}`, type: "message", status: "completed", role: "assistant", content: [{ type: "output_text", text, annotations: [], logprobs: [] }] };
  return {
    id: `resp_${id}`, object: "response", created_at: 1_700_000_000, status: "completed", background: false, error: null, incomplete_details: null,
    instructions: body.instructions ?? null, max_output_tokens: body.max_output_tokens ?? null, model: body.model, output: [message], parallel_tool_calls: true,
    previous_response_id: null, reasoning: { effort: null, summary: null }, store: true, temperature: 1, text: { format: { type: "text" } }, tool_choice: "auto", tools: [],
    top_p: 1, truncation: "disabled", usage: USAGE, user: null, metadata: {}, ...over,
  };
}

function responseEvents(body, id) {
  const begun = responseOf(body, id, { status: "in_progress", output: [], usage: null });
  const done = responseOf(body, id);
  const [item] = done.output;
  const [part] = item.content;
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const events = [
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
    ...part.text.split(/(?<= )/).map((delta) => ({ type: "response.output_text.delta", ...at, delta, logprobs: [] })),
    { type: "response.output_text.done", ...at, text: part.text, logprobs: [] },
    { type: "response.content_part.done", ...at, part },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: done },
  ];
  return events.map((event, sequence_number) => ({ ...event, sequence_number }));
}

function messageOf(body, id) {
  const content = [{ type: "text", text: spokenAnswer("messages", body) }];
  return { id: `msg_${id}`, type: "message", role: "assistant", model: body.model, content, stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 25, cache_creation_input_tokens: 0, cache_read_input_tokens: 5, output_tokens: 15 } };
}

function messageEvents(body, id) {
  const done = messageOf(body, id);
  const { output_tokens: _, ...input } = done.usage;
  return [
    { type: "message_start", message: { ...done, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    ...done.content[0].text.split(/(?<= )/).map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 15 } },
    { type: "message_stop" },
  ];
}

async function stream(call, events) {
  const { connection, traits, dialect, kind } = call;
  const type = traits["wrong-type"] ? "text/plain; charset=utf-8" : "text/event-stream; charset=utf-8";
  connection.head(200, { ...headersOf(dialect, call.id), "content-type": type, "cache-control": "no-cache" });
  const writer = new EventWriter(connection, traits);
  await connection.sleep(traits["slow-first"]);
  for (const [at, event] of events.entries()) {
    if (at === traits["error-in-stream"]) {
      const error = kind === "messages" ? { type: "error", error: { type: "overloaded_error", message: "Overloaded" } } : JSON.parse(inStreamError(dialect));
      await writer.event(JSON.stringify(error), { type: "error" });
      return connection.end();
    }
    for (const action of ["cut", "eof", "stall"]) if (at === traits[action]) return connection.stop(action);
    await connection.sleep(traits["slow-drip"] ?? call.pace);
    await writer.event(JSON.stringify(event), { type: event.type, final: at === events.length - 1 });
  }
  connection.end();
}

async function whole(call, status, type, bytes) {
  const { connection, traits, dialect } = call;
  const length = /no-length/.test(call.body.model) ? {} : { "content-length": bytes.length };
  connection.head(status, { ...headersOf(dialect, call.id), "content-type": type, ...length });
  for (const action of ["cut", "eof", "stall"]) {
    if (traits[action] === undefined || status !== 200) continue;
    await connection.write(bytes.subarray(0, traits[action]));
    // A body cannot end before the length that it states.
    return connection.stop(action === "eof" && "content-length" in length ? "cut" : action);
  }
  await writeCut(connection, bytes, traits);
  connection.end();
}

const hash = (what) => createHash("sha256").update(what).digest("hex");

function textOf(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return textOf(value.at(-1));
  return textOf(value?.text ?? value?.content ?? "");
}
