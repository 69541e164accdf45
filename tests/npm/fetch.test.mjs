// gate.fetch: what an SDK sees.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { createGate } from "sluicegate";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { CHAT, chunk, completion, failureOf, ONE_ATTEMPT, soon, sse, streamed, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
const upstream = await startUpstream();
after(() => upstream.close());
beforeEach(() => upstream.reset());

const BASE = "http://gate.test/v1";
const CHAT_URL = `${BASE}/chat/completions`;
const ENDLESS = { model: "scripted-r1+endless+rate-200", messages: CHAT, stream: true };
const gateTo = (fetch, more) => createGate({ ...ONE_ATTEMPT, baseUrl: BASE, fetch, ...more });
const post = (body, more) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...more });
const sawAbort = () => soon(() => upstream.requests.at(-1)?.aborted);

test("other routes and methods pass as they are, but for the gate's key and headers", async () => {
  const seen = [];
  const answer = new Response("answer");
  const gate = await gateTo(async (...args) => (seen.push(args), answer), { apiKey: "k", headers: { "x-gate": "1" } });
  const calls = [
    [`${BASE}/models`, undefined],
    [`${BASE}/embeddings`, post({ input: "x" })],
    [CHAT_URL, { method: "GET" }],
    [new URL(`${BASE}/files`), post({})],
    [new Request(`${BASE}/audio/speech`, post({})), undefined],
  ];
  for (const [input, init] of calls) {
    assert.equal(await gate.fetch(input, init), answer);
    const [sentInput, { headers, ...rest }] = seen.at(-1);
    const { headers: own, ...given } = init ?? {};
    assert.deepEqual([sentInput, rest], [input, given]);
    const expected = new Headers(own ?? input.headers);
    expected.set("authorization", "Bearer k");
    expected.set("x-gate", "1");
    assert.deepEqual([...new Headers(headers)], [...expected]);
  }
  assert.deepEqual(gate.usage().calls, 0);
});

test("another host gets neither the gate's key nor its headers", async () => {
  const seen = [];
  const gate = await gateTo(async (url, init) => (seen.push(new Headers(init?.headers)), Response.json(completion({ content: "x" }))), {
    apiKey: "GATE-SECRET",
    headers: { "x-gate": "1" },
  });
  const own = { "content-type": "application/json", authorization: "Bearer other" };
  for (const url of ["http://elsewhere.test/v1/chat/completions", `${new URL(BASE).origin}/v2/chat/completions`, `${BASE}x/chat/completions`, "http://elsewhere.test/v1/files"]) {
    await gate.fetch(url, post({ model: "m", messages: CHAT }, { headers: own }));
    assert.deepEqual([seen.at(-1).get("authorization"), seen.at(-1).get("x-gate")], ["Bearer other", null], url);
  }
});

test("a body that is no valid request is answered with a 400 in OpenAI's shape, and nothing is sent", async () => {
  let sent = 0;
  const gate = await gateTo(async () => (sent++, new Response()));
  const bodies = ["{", "", "[]", '{"model":"m","messages":[{"role":"user","content":5}]}', '{"messages":[{"role":"user","content":"x"}]}'];
  const params = [null, null, null, "messages[0].content", "model"];
  for (const [at, body] of bodies.entries()) {
    const response = await gate.fetch(CHAT_URL, { method: "POST", body });
    assert.deepEqual([response.status, response.headers.get("content-type"), response.headers.get("x-should-retry")], [400, "application/json", "false"]);
    const { error } = await response.json();
    assert.deepEqual([error.code, error.param ?? null, typeof error.message, typeof error.type], ["invalid_request", params[at], "string", "string"], body);
  }
  assert.equal(sent, 0);
  assert.deepEqual([gate.usage().calls, gate.usage().failures], [5, 5]);
});

test("a whole answer comes out byte for byte, with its status and headers", async () => {
  const text = `\n\n  ${JSON.stringify(completion({ content: "hé 🙂" }), null, 2)}\n`;
  const gate = await gateTo(async () => new Response(text, { headers: { "content-type": "application/json", "x-request-id": "r-1", "content-encoding": "gzip" } }));
  const response = await gate.fetch(CHAT_URL, post({ model: "m", messages: CHAT }));
  assert.deepEqual([response.status, response.headers.get("x-request-id"), response.headers.get("content-encoding")], [200, "r-1", null]);
  assert.equal(await response.text(), text);
});

test("a good stream comes out byte for byte, however it is chunked", async () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const bytes = new Uint8Array([...new TextEncoder().encode(": hello\r\n\r\n"), ...sse(chunk({ role: "assistant", content: "" }), chunk({ content: "hé 🙂" }), chunk({}, "stop"), { choices: [], usage }, "[DONE]")]);
  for (const size of [1, 2, 7, 64, bytes.length]) {
    const chunks = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
    const gate = await gateTo(async () => streamed(chunks, { headers: { "x-request-id": "r-2" } }));
    const response = await gate.fetch(CHAT_URL, post({ model: "m", messages: CHAT, stream: true, stream_options: { include_usage: true } }));
    assert.deepEqual([response.status, response.headers.get("content-type"), response.headers.get("x-request-id")], [200, "text/event-stream", "r-2"]);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
    assert.equal(gate.usage().total_tokens, 3);
  }
});

test("usage that only the gate asked for is counted and not handed on", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const request = { model: "scripted-chat", messages: CHAT, stream: true };
  const text = await (await gate.fetch(`${upstream.url}/chat/completions`, post(request))).text();
  assert.equal(upstream.requests[0].body.stream_options.include_usage, true);
  assert.ok(!/"usage":\{/.test(text));
  assert.ok(text.endsWith("data: [DONE]\n\n"));
  assert.equal(gate.usage().total_tokens, expectedAnswer(request).usage.total_tokens);
});

test("a stream that breaks ends with an error event and without [DONE]", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const response = await gate.fetch(`${upstream.url}/chat/completions`, post({ model: "scripted-chat+cut-5", messages: CHAT, stream: true }));
  const events = (await response.text()).trim().split("\n\n");
  assert.equal(JSON.parse(events.at(-1).slice("data: ".length)).error.code, "truncated");
  assert.ok(!events.includes("data: [DONE]"));
  assert.deepEqual([gate.usage().calls, gate.usage().failures], [1, 1]);
});

test("a refusal is answered with our error, and headers that tell an SDK when to try again", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const response = await gate.fetch(`${upstream.url}/chat/completions`, post({ model: "scripted-chat+status-429-retryms-6500", messages: CHAT }));
  const { error } = await response.json();
  assert.deepEqual([response.status, error.code, error.vendor.status], [429, "rate_limited", 429]);
  assert.deepEqual(["retry-after", "retry-after-ms", "x-should-retry"].map((name) => response.headers.get(name)), ["7", "6500", "true"]);
});

test("what fetch rejects with is what comes out, and what takes too long is a 504", async () => {
  const why = new TypeError("fetch failed");
  for (const fetch of [() => Promise.reject(why), () => { throw why; }]) {
    assert.equal(await failureOf((await gateTo(fetch)).fetch(CHAT_URL, post({ model: "m", messages: CHAT }))), why);
  }
  const gate = await gateTo(() => new Promise(() => {}), { budgets: { total: 20 } });
  const response = await gate.fetch(CHAT_URL, post({ model: "m", messages: CHAT }));
  assert.deepEqual([response.status, (await response.json()).error.code], [504, "timeout_total"]);
});

test("a Request object is read like a URL with init, and init goes before it", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const url = `${upstream.url}/chat/completions`;
  const request = new Request(url, post({ model: "scripted-chat", messages: CHAT }, { headers: { "x-own": "1", "content-type": "application/json" } }));
  assert.equal((await (await gate.fetch(request)).json()).choices[0].message.content, expectedAnswer({ model: "scripted-chat", messages: CHAT }).text);
  assert.equal(upstream.requests[0].headers["x-own"], "1");
  assert.equal(request.bodyUsed, true);
  const other = new Request(url, post({ model: "no", messages: CHAT }));
  await (await gate.fetch(other, { body: JSON.stringify({ model: "scripted-chat", messages: CHAT }), headers: { "x-own": "2" } })).json();
  assert.deepEqual([upstream.requests[1].body.model, upstream.requests[1].headers["x-own"]], ["scripted-chat", "2"]);
});

test("bodies of every kind are read", async () => {
  const text = JSON.stringify({ model: "m", messages: CHAT });
  const bytes = new TextEncoder().encode(text);
  for (const body of [text, bytes, bytes.buffer, new Blob([text]), new Blob([text]).stream()]) {
    let sent;
    const gate = await gateTo(async (url, init) => ((sent = init.body), Response.json(completion({ content: "x" }))));
    await (await gate.fetch(new URL(CHAT_URL), { method: "post", body, duplex: "half" })).json();
    assert.equal(sent, text);
  }
});

test("the SDK's headers give way to the gate's, and without a key of the gate its own stays", async () => {
  const seen = [];
  const fetch = async (url, { headers }) => (seen.push(new Headers(headers)), Response.json(completion({ content: "x" })));
  const sdk = post({ model: "m", messages: CHAT }, { headers: { authorization: "Bearer placeholder", "x-sdk": "1", "x-both": "sdk", "content-length": "5" } });
  await (await gateTo(fetch, { apiKey: async () => "real", headers: { "x-both": "gate" } })).fetch(CHAT_URL, sdk);
  await (await gateTo(fetch)).fetch(CHAT_URL, sdk);
  assert.deepEqual(["authorization", "x-sdk", "x-both", "content-length", "content-type"].map((name) => seen[0].get(name)), ["Bearer real", "1", "gate", null, "application/json"]);
  assert.equal(seen[1].get("authorization"), "Bearer placeholder");
});

test("what else the caller's init says reaches the fetch", async () => {
  let seen;
  const gate = await gateTo(async (url, init) => ((seen = init), Response.json(completion({ content: "x" }))));
  const dispatcher = {};
  await gate.fetch(CHAT_URL, post({ model: "m", messages: CHAT }, { credentials: "include", dispatcher, redirect: "follow" }));
  assert.deepEqual([seen.credentials, seen.dispatcher === dispatcher, seen.redirect, seen.method], ["include", true, "manual", "POST"]);
  assert.ok(seen.signal instanceof AbortSignal);
});

test("an abort by the SDK's signal is its reason, before, at the head, and in the middle, and reaches the upstream", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const url = `${upstream.url}/chat/completions`;
  const reason = new Error("stop");
  assert.equal(await failureOf(gate.fetch(url, post(ENDLESS, { signal: AbortSignal.abort(reason) }))), reason);
  assert.equal(upstream.requests.length, 0);

  const early = new AbortController();
  const silent = failureOf(gate.fetch(url, post({ ...ENDLESS, model: "scripted-chat+silence" }, { signal: early.signal })));
  assert.ok(await soon(() => upstream.requests.length === 1));
  early.abort(reason);
  assert.equal(await silent, reason);
  assert.ok(await sawAbort());

  for (const reads of [0, 3]) {
    upstream.reset();
    const controller = new AbortController();
    const response = await gate.fetch(url, post(ENDLESS, { signal: controller.signal }));
    const reader = response.body.getReader();
    for (let at = 0; at < reads; at++) assert.equal((await reader.read()).done, false);
    const pending = reads ? failureOf(reader.read().then(async () => { for (;;) await reader.read(); })) : undefined;
    controller.abort(reason);
    if (pending) assert.equal(await pending, reason);
    else assert.equal(await failureOf(reader.read()), reason);
    assert.ok(await sawAbort());
  }
  assert.deepEqual([gate.usage().calls, gate.usage().failures], [3, 3]);
});

test("a reader that cancels the body cancels the upstream within a second, and counts", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  for (const reads of [0, 2]) {
    upstream.reset();
    const reader = (await gate.fetch(`${upstream.url}/chat/completions`, post(ENDLESS))).body.getReader();
    for (let at = 0; at < reads; at++) await reader.read();
    const pending = reader.read();
    await reader.cancel();
    await pending;
    assert.ok(await sawAbort());
  }
  assert.ok(await soon(() => gate.usage().calls === 2));
});

test("the text completions route is read too", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url });
  const whole = await (await gate.fetch(`${upstream.url}/completions`, post({ model: "scripted-chat", prompt: "hello" }))).json();
  assert.equal(whole.object, "text_completion");
  const text = await (await gate.fetch(`${upstream.url}/completions`, post({ model: "scripted-chat+eof-3", prompt: "hello", stream: true }))).text();
  assert.match(text, /"truncated"/);
});

test("no rejection of all that went unhandled", async () => assert.deepEqual(await rejections(), []));
