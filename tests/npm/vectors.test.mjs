// The vectors that the native suites run too, through the package. What they mean stands in the READMEs beside them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createGate } from "sluicegate";
import { sseStream } from "sluicegate/sse";
import { completion, failureOf, ONE_ATTEMPT, readAll, streamed, vectors } from "./lib.mjs";

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const RANDOM_CUTS = 3;

/** Runs every case and reports all that fail, by name. */
async function check(cases, least, verdict) {
  assert.ok(cases.length >= least, `only ${cases.length} vectors were found`);
  const wrong = [];
  for (const each of cases) await verdict(each).catch((error) => wrong.push(`${each.name}: ${error.message}`));
  assert.deepEqual(wrong, [], `seed ${SEED}`);
}

test("every event stream vector comes out as it says, whole, byte by byte, and cut at random", async () => {
  const random = randomOf(SEED);
  await check(vectors("sse"), 50, async (each) => {
    const bytes = each.input_base64 === undefined ? Buffer.from(each.input) : Buffer.from(each.input_base64, "base64");
    const ways = [[bytes], cut(bytes, () => 1)];
    for (let i = 0; i < RANDOM_CUTS; i++) ways.push(cut(bytes, () => 1 + Math.floor(random() * 12)));
    const expected = expectedItems(each);
    for (const chunks of ways) assert.deepEqual(await decode(each, chunks), expected, `in ${chunks.length} chunks`);
  });
});

async function decode({ options = {} }, chunks) {
  const got = { events: [], comments: [], retries: [] };
  const stream = ReadableStream.from(chunks).pipeThrough(
    sseStream({
      maxEventBytes: options.max_event,
      lenient: options.lenient ?? true,
      onComment: (text) => got.comments.push(text),
      onRetry: (millis) => got.retries.push(millis),
    }),
  );
  try {
    for await (const event of stream) got.events.push(event);
  } catch (error) {
    got.error = error.code;
  }
  return got;
}

function expectedItems({ items, error }) {
  const of = (name) => items.filter((item) => name in item).map((item) => item[name]);
  const events = of("event").map(({ type, data, id = "" }) => ({ type, data, id }));
  return { events, comments: of("comment"), retries: of("retry"), ...(error && { error }) };
}

test("every reply vector comes out as it says, through a stream of the gate", async () => {
  // What depends on limits that the package does not offer, and causes that belong to the core's own clock, stay native.
  const cases = vectors("reply").filter((each) => !each.options?.reply_bytes && !each.options?.parts && CAUSES[each.cause]);
  await check(cases, 100, async (each) => {
    const events = each.events.map((event) => (typeof event === "string" ? frame(event) : `event: ${event.event}\n${frame(event.data)}`));
    const body = events.join("");
    const fetch = async () => CAUSES[each.cause](body);
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: "http://gate.test/v1", model: "m", thinkTags: each.options?.think_tags, fetch });
    const { deltas, end, error } = await readAll(gate.stream({ messages: [{ role: "user", content: "x" }] }));
    const reply = end?.reply ?? error.partial;
    assert.equal(error?.code, each.error ?? undefined);
    assert.equal(error ? error.outcome : end.outcome, each.outcome);
    assert.equal(reply.finish_reason, each.finish_reason);
    assert.deepEqual(merged(deltas), each.deltas.map(withoutBlanks));
    assert.deepEqual(deltas.filter((delta) => delta.type === "notice").map((delta) => delta.code), each.notices ?? []);
    assert.deepEqual(reply.notices.map((notice) => notice.code), each.notices ?? []);
    assert.deepEqual(plainUsage(reply.usage), each.usage ?? undefined);
    if ("vendor_code" in each) assert.equal(error.vendor?.code, each.vendor_code ?? undefined);
    if (each.calls) assert.deepEqual(reply.tool_calls.map((call) => [call.id, call.function.name, call.function.arguments]), each.calls);
  });
});

const CAUSES = {
  done: (body) => streamed([Buffer.from(body)]),
  eof: (body) => streamed([Buffer.from(body)]),
  unterminated: (body) => streamed([Buffer.from(body.slice(0, -1))]),
  reset: (body) => streamed([Buffer.from(body)], { end: (controller) => controller.error(new TypeError("reset")) }),
};

function frame(data) {
  return `${data.split("\n").map((line) => `data: ${line}\n`).join("")}\n`;
}

/** Deltas as the vectors have them: neighbours of one kind merged, nothing else. */
function merged(deltas) {
  const out = [];
  for (const delta of deltas) {
    if (delta.type === "notice" || delta.type === "end") continue;
    const field = delta.type === "tool_call" ? "arguments" : "text";
    const last = out.at(-1);
    const goesOn = last && ["type", "choice", "index"].every((name) => last[name] === delta[name]) && !delta.id && !delta.name;
    if (goesOn) last[field] += delta[field];
    else out.push({ ...delta });
  }
  return out;
}

/** The package leaves out what the core gives as an empty or missing string. */
function withoutBlanks(delta) {
  return Object.fromEntries(Object.entries(delta).filter(([name, value]) => !(["id", "name"].includes(name) && (value === null || value === ""))));
}

function plainUsage(usage) {
  if (!usage) return undefined;
  const { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details, completion_tokens_details, prompt_cache_miss_tokens } = usage;
  const all = {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    cached_tokens: prompt_tokens_details?.cached_tokens,
    cache_miss_tokens: prompt_cache_miss_tokens,
    reasoning_tokens: completion_tokens_details?.reasoning_tokens,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
}

test("every request vector is sent, or refused, as it says, through the gate's fetch", async () => {
  // The package has the default limits, and takes the model and the replay policy from the request alone.
  const cases = vectors("request").filter((each) => !each.failure && ["chat_completions", "completions"].includes(each.endpoint ?? "chat_completions") && !each.by && !each.limits && each.with_stream === undefined && !each.with_preset && !each.replay && fits(each));
  await check(cases, 190, async (each) => {
    let sent;
    const fetch = async (url, init) => {
      sent = { url, body: init.body };
      return init.body.includes('"stream":true') ? streamed([]) : Response.json(completion({ content: "x" }));
    };
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: "http://gate.test/v1", dialect: each.dialect, model: each.model, fetch });
    const route = each.endpoint === "completions" ? "/completions" : "/chat/completions";
    const text = each.body_text ?? JSON.stringify(each.body);
    const response = await gate.fetch(`http://gate.test/v1${route}`, { method: "POST", body: text });
    if (each.error) {
      const { error } = await response.json();
      assert.equal(sent, undefined);
      assert.deepEqual([error.code, error.param ?? undefined], [each.error, each.param]);
      assert.ok(response.status >= 400 && response.status < 500);
      return;
    }
    await response.text();
    assert.ok(sent, "nothing was sent");
    if (each.built_text !== undefined) assert.equal(sent.body, each.built_text);
    if (each.built !== undefined) assert.deepEqual(JSON.parse(sent.body), each.built);
    if (each.changed === false) assert.equal(sent.body, text);
    assert.ok(sent.url.endsWith(route));
  });
});

/** Whether the gate builds the same as the vector's target: its own model, and usage asked for in every stream. */
function fits({ model, body, body_text, add_usage, built, built_text, error }) {
  if (error) return true;
  let asked = body;
  try {
    asked ??= JSON.parse(body_text);
  } catch {
    return false;
  }
  if (model !== undefined && asked.model !== undefined) return false;
  if (model === undefined && typeof asked.model !== "string") return false;
  const streams = built?.stream ?? /"stream"\s*:\s*true/.test(built_text ?? body_text ?? JSON.stringify(body));
  return streams === (add_usage ?? false) || asked.stream_options?.include_usage === true;
}

test("every failure vector is the error that it says, from a fetch's answer", async () => {
  const { now } = Date;
  await check(vectors("failures"), 80, async (each) => {
    Date.now = each.now_unix_ms === undefined ? now : () => each.now_unix_ms;
    const headers = { "content-type": "application/json", ...each.headers };
    const fetch = async () => new Response(each.body, { status: each.status, headers });
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: "http://gate.test/v1", model: "m", fetch });
    const request = { messages: [{ role: "user", content: "x" }] };
    for (const error of [await failureOf(gate.chat(request)), (await readAll(gate.stream(request))).error]) {
      assert.equal(error.code, each.code);
      assert.equal(error.outcome, each.code === "overloaded" ? "overloaded" : "failed");
      if ("retry_after_ms" in each) assert.equal(error.retryAfterMs, each.retry_after_ms ?? undefined);
      if ("param" in each) assert.equal(error.param, each.param ?? undefined);
      if ("vendor_code" in each) assert.equal(error.vendor.code, each.vendor_code ?? undefined);
      if ("vendor_message" in each) assert.equal(error.vendor.message, each.vendor_message ?? undefined);
      if ("trace_id" in each) assert.equal(error.requestId, each.trace_id);
    }
    const response = await gate.fetch("http://gate.test/v1/chat/completions", { method: "POST", body: JSON.stringify({ model: "m", ...request }) });
    assert.equal((await response.json()).error.code, each.code);
  });
  Date.now = now;
});

function cut(bytes, size) {
  const chunks = [];
  for (let at = 0; at < bytes.length; ) {
    const step = size();
    chunks.push(new Uint8Array(bytes.subarray(at, at + step)));
    at += step;
  }
  return chunks;
}

/** A small generator (mulberry32): reproducible from its seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
