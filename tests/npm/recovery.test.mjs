// What the package does about failures: against scripted upstreams, and what each of them saw.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import OpenAI from "openai";
import { createGate, GateError } from "sluicegate";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { CHAT, chunk, completion, failureOf, joined, readAll, soon, sse, streamed, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
const [first, second] = [await startUpstream(), await startUpstream()];
after(() => Promise.all([first.close(), second.close()]));
beforeEach(() => [first, second].forEach((upstream) => upstream.reset()));

const BASE = "http://gate.test/v1";
const CHAT_URL = `${first.url}/chat/completions`;
const hostOf = (upstream) => new URL(upstream.url).host;
const retry = { firstMs: 20, capMs: 40 };
const gateTo = (model, more) => createGate({ baseUrl: first.url, model, retry, ...more });
const withSecond = (model, more) => gateTo(model, { fallback: [{ baseUrl: second.url, model: "scripted-chat" }], ...more });
const answer = (model = "scripted-chat") => expectedAnswer({ model, messages: CHAT }).text;
const events = ({ timeline }) => timeline.map(({ event }) => event);
const codes = (deltas) => deltas.filter(({ type }) => type === "notice").map(({ code }) => code);
const post = (body) => ({ method: "POST", body: JSON.stringify(body) });
/** A fetch that answers with one thing after the other, and remembers what it was called with and when. */
function scripted(...answers) {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url, at: performance.now(), headers: new Headers(init.headers), body: JSON.parse(init.body), signal: init.signal });
    return answers[Math.min(calls.length, answers.length) - 1](init);
  };
  return { fetch, calls };
}
const whole = (content = "hi") => () => Response.json(completion({ content }));
const status = (code, headers) => () => Response.json({ error: { message: "no" } }, { status: code, headers });
const stream = (...texts) => () => streamed([sse(...texts.map((content) => chunk({ content })), chunk({}, "stop"), "[DONE]")]);
const broken = (...texts) => () => streamed(texts.map((content) => sse(chunk({ content }))), { end: (controller) => controller.error(new Error("reset")) });

test("a 429 is waited out as long as it says and not less, and the reply tells of it", async () => {
  const { fetch, calls } = scripted(status(429, { "retry-after-ms": "150" }), whole());
  const reply = await (await createGate({ baseUrl: BASE, model: "m", fetch })).chat({ messages: CHAT });
  assert.equal(reply.text, "hi");
  assert.ok(calls[1].at - calls[0].at >= 149, `${calls[1].at - calls[0].at} ms`);
  assert.deepEqual([reply.source, reply.attempts, reply.notices.map(({ code }) => code)], ["gate.test", 2, ["retried"]]);
  assert.deepEqual(events(reply), ["sent", "failed", "waiting", "sent", "ended"]);
  const [sent, failed] = reply.timeline;
  assert.deepEqual([sent.at, sent.attempt, sent.route, sent.model, failed.detail], [0, 0, "gate.test", "m", "rate_limited"]);
});

test("a notice of a retry is delivered while it is waited for", async () => {
  const gate = await gateTo("scripted-chat+status-503-once", { retry: { firstMs: 2_000 } });
  let sent;
  const deltas = [];
  for await (const delta of gate.stream({ messages: CHAT })) {
    if (delta.type === "notice") sent ??= first.requests.length;
    deltas.push(delta);
  }
  assert.equal(sent, 1);
  assert.deepEqual(codes(deltas), ["retried"]);
  assert.equal(joined(deltas, "text"), answer());
  assert.equal(first.requests.length, 2);
});

test("what fails on one route is answered by the next, with its own key and model and without the gate's headers", async () => {
  for (const words of ["status-401", "status-503", "reset", "html-524", "empty-stop", "status-402", "status-404"]) {
    [first, second].forEach((upstream) => upstream.reset());
    const gate = await withSecond(`scripted-chat+${words}`, {
      apiKey: "first-key",
      headers: { "x-own": "gate" },
      fallback: [{ baseUrl: second.url, apiKey: "second-key", model: "scripted-chat" }],
    });
    const { deltas, end, error } = await readAll(gate.stream({ messages: CHAT }, { headers: { "x-call": "1" } }));
    assert.equal(error, undefined, `${words}: ${error?.stack}`);
    assert.equal(joined(deltas, "text"), answer(), words);
    assert.deepEqual([end.reply.source, end.reply.model], [hostOf(second), "scripted-chat"], words);
    assert.ok(codes(deltas).includes("fell_back"), words);
    const { headers, body } = second.requests.at(-1);
    assert.deepEqual([body.model, headers["x-own"], headers["x-call"]], ["scripted-chat", undefined, undefined], words);
    assert.notEqual(headers.authorization, first.requests.at(-1).headers.authorization);
    assert.deepEqual([gate.usage().calls, gate.usage().failures], [1, 0]);
  }
});

test("a silent route is left for the next when patience is over, and its request is aborted", async () => {
  const gate = await withSecond("scripted-chat+silence", { budgets: { patience: 150 } });
  const began = performance.now();
  const reply = await gate.stream({ messages: CHAT }).reply();
  assert.equal(reply.text, answer());
  assert.ok(performance.now() - began < 2_000);
  assert.ok(await soon(() => first.requests[0].aborted));
  assert.deepEqual([first.requests.length, reply.attempts, reply.source], [1, 2, hostOf(second)]);
  assert.deepEqual(reply.timeline.filter(({ event }) => event === "failed").map(({ detail }) => detail.startsWith("timeout_")), [true]);
});

test("a whole answer that takes too long is left for the next by the answer budget", async () => {
  const gate = await withSecond("scripted-chat+silence", { budgets: { answer: 100 } });
  assert.equal((await gate.chat({ messages: CHAT })).source, hostOf(second));
});

test("a key that a function gives is renewed once for all calls that were refused together", async () => {
  let asked = 0;
  let refreshed = 0;
  const apiKey = async ({ refresh }) => {
    asked++;
    if (refresh) refreshed++;
    return refreshed ? "new" : "old";
  };
  const seen = [];
  const fetch = async (_, init) => {
    const key = new Headers(init.headers).get("authorization");
    seen.push(key);
    await new Promise((resolve) => setTimeout(resolve, seen.length * 5));
    return key === "Bearer new" ? whole()() : status(401)();
  };
  const gate = await createGate({ baseUrl: BASE, model: "m", apiKey, fetch });
  const replies = await Promise.all(Array.from({ length: 5 }, () => gate.chat({ messages: CHAT })));
  assert.equal(refreshed, 1);
  assert.deepEqual(seen.filter((key) => key === "Bearer new").length, 5);
  assert.equal(seen.length, 10);
  assert.ok(replies.every((reply) => reply.attempts === 2 && events(reply).includes("refreshed")));
  await gate.chat({ messages: CHAT });
  assert.deepEqual([refreshed, seen.length, asked], [1, 11, 7]);
});

test("a function that gives the refused key again, throws, or gives none ends the call with the 401, asked once", async () => {
  for (const renewed of [() => "old", () => Promise.reject(new Error("x")), () => undefined]) {
    let refreshed = 0;
    const { fetch, calls } = scripted(status(401));
    const gate = await createGate({ baseUrl: BASE, model: "m", fetch, apiKey: ({ refresh }) => (refresh ? (refreshed++, renewed()) : "old") });
    const error = await failureOf(gate.chat({ messages: CHAT }));
    assert.deepEqual([error.vendor?.status ?? error.status, refreshed, calls.length, error.attempts], [401, 1, 1, 1]);
  }
});

test("a key that stays refused is renewed once, and a string never", async () => {
  let refreshed = 0;
  const { fetch, calls } = scripted(status(401));
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch, apiKey: ({ refresh }) => (refresh ? `new-${++refreshed}` : "old") });
  await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([refreshed, calls.length], [1, 2]);
  const fixed = scripted(status(401));
  await failureOf((await createGate({ baseUrl: BASE, model: "m", fetch: fixed.fetch, apiKey: "k" })).chat({ messages: CHAT }));
  assert.equal(fixed.calls.length, 1);
});

test("the key function of a fallback is asked when the call gets there, and renewed as well", async () => {
  const asked = [];
  const apiKey = ({ refresh }) => (asked.push(refresh), refresh ? "new" : "old");
  const other = scripted(status(401), whole("other"));
  const { fetch } = scripted(whole("own"), status(404));
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch, fallback: [{ baseUrl: "http://other.test/v1", apiKey, fetch: other.fetch }] });
  assert.equal((await gate.chat({ messages: CHAT })).text, "own");
  assert.deepEqual(asked, []);
  const reply = await gate.chat({ messages: CHAT });
  assert.deepEqual([reply.text, reply.source, asked], ["other", "other.test", [false, true]]);
  assert.deepEqual(other.calls.map(({ url, headers }) => [url, headers.get("authorization")]), ["old", "new"].map((key) => ["http://other.test/v1/chat/completions", `Bearer ${key}`]));
});

test("a cut stream is gone on with, and nothing is lost or said twice", async () => {
  const gate = await gateTo("scripted-chat+cut-5-once");
  const { deltas, end, error } = await readAll(gate.stream({ messages: CHAT }));
  assert.equal(error, undefined, error?.stack);
  assert.equal(joined(deltas, "text"), answer());
  assert.deepEqual([end.reply.text, end.reply.attempts, end.outcome], [answer(), 2, "complete"]);
  assert.ok(codes(deltas).includes("continued"));
  assert.ok(events(end.reply).includes("continued"));
});

test("a cut stream is gone on with in the bytes that an SDK reads", async () => {
  const gate = await gateTo("scripted-chat");
  const client = new OpenAI({ apiKey: "k", baseURL: first.url, fetch: gate.fetch, maxRetries: 0 });
  let text = "";
  const ids = new Set();
  for await (const part of await client.chat.completions.create({ model: "scripted-chat+cut-5-once", messages: CHAT, stream: true })) {
    text += part.choices[0]?.delta.content ?? "";
    ids.add(part.id);
  }
  assert.equal(text, answer());
  assert.equal(ids.size, 1);
  assert.equal(first.requests.length, 2);
});

test("without continuation a cut stream ends with one error, and what there is", async () => {
  const gate = await withSecond("scripted-chat+cut-5", { continuation: false, retry: false });
  const { deltas, error } = await readAll(gate.stream({ messages: CHAT }));
  assert.ok(error instanceof GateError);
  assert.deepEqual([error.code, error.attempts, second.requests.length], ["truncated", 1, 0]);
  assert.equal(error.partial.text, joined(deltas, "text"));
  assert.equal(events(error).at(-1), "ended");
});

test("gate.fetch gives a normal answer when a fallback answers, and says who did", async () => {
  const gate = await withSecond("scripted-chat+status-503", { retry: false });
  for (const streams of [false, true]) {
    const response = await gate.fetch(`${CHAT_URL}?x=1`, post({ model: "scripted-chat+status-503", messages: CHAT, stream: streams }));
    assert.deepEqual([response.status, response.headers.get("x-sluicegate-source"), response.headers.get("x-sluicegate-attempts")], [200, hostOf(second), "2"]);
    const text = await response.text();
    if (streams) assert.ok(text.endsWith("data: [DONE]\n\n"));
    else assert.equal(JSON.parse(text).choices[0].message.content, answer());
  }
});

test("gate.fetch keeps the query, and another address has no fallback", async () => {
  const own = scripted(status(503));
  const other = scripted(whole());
  const gate = await createGate({ baseUrl: BASE, model: "m", retry: false, fetch: own.fetch, fallback: [{ baseUrl: "http://other.test/v1", fetch: other.fetch }] });
  const body = { model: "m", messages: CHAT };
  assert.equal((await gate.fetch(`${BASE}/chat/completions?version=2`, post(body))).status, 200);
  assert.deepEqual([own.calls[0].url, other.calls[0].url], [`${BASE}/chat/completions?version=2`, "http://other.test/v1/chat/completions"]);
  assert.equal((await gate.fetch("http://elsewhere.test/v1/chat/completions", post(body))).status, 503);
  assert.equal(other.calls.length, 1);
});

test("a cancel during a wait sends nothing more and ends the call at once", async () => {
  const gate = await gateTo("scripted-chat+status-429-retry-30");
  const controller = new AbortController();
  const iterator = gate.stream({ messages: CHAT }, { signal: controller.signal })[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value.code, "retried");
  const waiting = failureOf(iterator.next());
  controller.abort();
  assert.equal((await waiting).code, "cancelled");
  assert.equal(first.requests.length, 1);

  const other = await gateTo("scripted-chat+status-429-retry-30");
  const idle = other.stream({ messages: CHAT });
  await idle[Symbol.asyncIterator]().next();
  idle.cancel();
  assert.equal((await failureOf(idle.reply())).code, "cancelled");

  const late = new AbortController();
  const fetched = failureOf(gate.fetch(CHAT_URL, { ...post({ model: "scripted-chat+status-429-retry-30", messages: CHAT }), signal: late.signal }));
  assert.ok(await soon(() => first.requests.length === 3));
  await new Promise((resolve) => setTimeout(resolve, 30));
  late.abort();
  assert.equal((await fetched).name, "AbortError");
  assert.equal(first.requests.length, 3);
});

test("a cancel while a key is renewed ends the call at once", async () => {
  const { fetch, calls } = scripted(status(401));
  let asked = false;
  const apiKey = ({ refresh }) => (refresh ? ((asked = true), new Promise(() => {})) : "old");
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch, apiKey });
  const controller = new AbortController();
  const failing = failureOf(gate.chat({ messages: CHAT }, { signal: controller.signal }));
  assert.ok(await soon(() => asked));
  controller.abort();
  assert.equal((await failing).code, "cancelled");
  assert.equal(calls.length, 1);
});

test("a hedge answers for a slow route, and the loser is aborted", async () => {
  const hedge = { afterMs: 60, sharePercent: 100 };
  const gate = await withSecond("scripted-chat+slow-first-3000", { hedge });
  const { deltas, end } = await readAll(gate.stream({ messages: CHAT }));
  assert.equal(joined(deltas, "text"), answer());
  assert.deepEqual([end.reply.source, end.reply.attempts], [hostOf(second), 2]);
  assert.ok(codes(deltas).includes("hedged"));
  assert.ok(await soon(() => first.requests[0].aborted));

  const response = await gate.fetch(CHAT_URL, post({ model: "scripted-chat+slow-first-3000", messages: CHAT, stream: true }));
  const text = (await response.text()).split("\n\n").filter((event) => event.startsWith("data: {")).map((event) => JSON.parse(event.slice(6)).choices[0]?.delta.content ?? "").join("");
  assert.equal(text, answer());

  // A fast route is not hedged, and a call may say no.
  const fast = await withSecond("scripted-chat", { hedge });
  assert.equal((await fast.stream({ messages: CHAT }).reply()).attempts, 1);
  const slow = await withSecond("scripted-chat+slow-first-300", { hedge });
  assert.equal((await slow.stream({ messages: CHAT }, { hedge: false }).reply()).attempts, 1);
});

test("a route is left out for what its model cannot take", async () => {
  const image = [{ role: "user", content: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] }];
  const own = scripted(whole("own"));
  const other = scripted(whole("other"));
  const gate = await createGate({ baseUrl: BASE, model: "m", vision: false, fetch: own.fetch, fallback: [{ baseUrl: "http://other.test/v1", fetch: other.fetch }] });
  const reply = await gate.chat({ messages: image });
  assert.deepEqual([reply.text, reply.source, own.calls.length], ["other", "other.test", 0]);
  assert.equal(reply.timeline.find(({ event }) => event === "skipped").detail, "vision");
});

test("a breaker leaves a dead route alone after five failures, and false switches it off", async () => {
  for (const [breaker, asked] of [[undefined, 5], [{ failures: 2 }, 2], [false, 8]]) {
    const own = scripted(status(500));
    const other = scripted(whole());
    const gate = await createGate({ baseUrl: BASE, model: "m", breaker, retry: false, fetch: own.fetch, fallback: [{ baseUrl: "http://other.test/v1", fetch: other.fetch }] });
    for (let call = 0; call < 8; call++) assert.equal((await gate.chat({ messages: CHAT })).source, "other.test");
    assert.equal(own.calls.length, asked, JSON.stringify(breaker));
  }
});

const localModel = (availability, more) => ({ id: "tiny", model: "tiny-1", availability, async *stream() {}, fetch: whole("local"), ...more });

test("a local model answers last, when it is ready and not before", async () => {
  const state = { now: "downloadable" };
  const { fetch } = scripted(status(503));
  const gate = await createGate({ baseUrl: BASE, model: "m", retry: false, breaker: false, fetch, fallback: [localModel(async () => state.now)] });
  assert.equal((await failureOf(gate.chat({ messages: CHAT }))).code, "overloaded");
  state.now = "ready";
  const reply = await gate.chat({ messages: CHAT });
  assert.deepEqual([reply.text, reply.source, reply.timeline.at(-2).model], ["local", "local:tiny", "tiny-1"]);
  assert.equal((await (await gate.fetch(`${BASE}/chat/completions`, post({ model: "m", messages: CHAT }))).json()).choices[0].message.content, "local");
});

test("a local model that does not say whether it is ready holds a call up for 50 ms at most, and its last answer counts", async () => {
  const { fetch } = scripted(status(503));
  let calls = 0;
  const availability = () => (calls++ === 0 ? Promise.resolve("ready") : new Promise(() => {}));
  const gate = await createGate({ baseUrl: BASE, model: "m", retry: false, breaker: false, fetch, fallback: [localModel(availability)] });
  assert.equal((await gate.chat({ messages: CHAT })).source, "local:tiny");
  const began = performance.now();
  assert.equal((await gate.chat({ messages: CHAT })).source, "local:tiny");
  assert.ok(performance.now() - began < 500);
});

test("without a network only a ready local model is asked", async (t) => {
  const { fetch, calls } = scripted(whole("net"));
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { onLine: false } });
  t.after(() => (before ? Object.defineProperty(globalThis, "navigator", before) : delete globalThis.navigator));
  const state = { now: "ready" };
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch, fallback: [localModel(async () => state.now)] });
  assert.deepEqual([(await gate.chat({ messages: CHAT })).text, calls.length], ["local", 0]);
  state.now = "unavailable";
  assert.equal((await gate.chat({ messages: CHAT })).text, "net");
});

test("what a Worker on the way says of its part is told as notices and kept as its timeline", async () => {
  const told = [`: sluicegate {"notice":"continued","detail":"by \\"prefix\\""}\n\n`, `: sluicegate {"timeline":[{"at":0,"event":"sent"}]}\n\n`, `: sluicegate {"timeline":[{"at":1,"event":"sent"}]}\n\n`, ": sluicegate {broken\n\n", ": other\n\n"];
  const comments = told.map((text) => new TextEncoder().encode(text));
  const chunks = [sse(chunk({ content: "a" })), ...comments, sse(chunk({ content: "b" }), chunk({}, "stop"), "[DONE]")];
  for (const size of [1, 1000]) {
    const bytes = Buffer.concat(chunks);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => new Uint8Array(bytes.subarray(at * size, (at + 1) * size)));
    const gate = await createGate({ baseUrl: BASE, model: "m", fetch: async () => streamed(pieces) });
    const { deltas, end } = await readAll(gate.stream({ messages: CHAT }));
    assert.equal(joined(deltas, "text"), "ab");
    assert.deepEqual(deltas.filter(({ type }) => type === "notice"), [{ type: "notice", code: "upstream", detail: 'continued: by "prefix"' }]);
    assert.deepEqual(end.reply.upstreamTimeline, [{ at: 1, event: "sent" }]);
    assert.deepEqual(end.reply.notices, [{ code: "upstream", detail: 'continued: by "prefix"' }]);
  }
});

test("calls override the gate's options, and listeners hear who answered", async () => {
  const { fetch, calls } = scripted(status(500), whole());
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch, retry: false });
  const ends = [];
  gate.on("end", (end) => ends.push(end));
  const reply = await gate.chat({ messages: CHAT }, { retry: { firstMs: 1, tries: 2 } });
  assert.deepEqual([reply.attempts, calls.length], [2, 2]);
  assert.deepEqual([ends[0].source, ends[0].attempts, ends[0].timeline], ["gate.test", 2, reply.timeline]);
  const more = scripted(broken("a"), stream("b"));
  const other = await createGate({ baseUrl: BASE, model: "m", fetch: more.fetch });
  assert.equal((await failureOf(other.stream({ messages: CHAT }, { continuation: false, retry: false }).reply())).code, "truncated");
});

test("options of recovery that are wrong are refused at once, with their names", async () => {
  const refused = [
    [{ budgets: { rate: -1 } }, "budgets.rate"],
    [{ budgets: { answer: "1" } }, "budgets.answer"],
    [{ budgets: { patience: 0 } }, "budgets.patience"],
    [{ budgets: 5 }, "budgets"],
    [{ retry: { tries: 0 } }, "retry.tries"],
    [{ retry: { attempts: 1000 } }, "retry.attempts"],
    [{ retry: true }, "retry"],
    [{ breaker: { failures: "many" } }, "breaker.failures"],
    [{ continuation: { replace: "yes" } }, "continuation.replace"],
    [{ continuation: { by: "magic" } }, "continuation"],
    [{ hedge: { percentile: 101 } }, "hedge.percentile"],
    [{ context: "long" }, "context"],
    [{ vision: 1 }, "vision"],
    [{ fallback: {} }, "fallback"],
    [{ fallback: [null] }, "fallback[0]"],
    [{ fallback: [{}] }, "fallback[0].baseUrl"],
    [{ fallback: [{ baseUrl: BASE }, { baseUrl: BASE, dialect: "x" }] }, "fallback[1].dialect"],
    [{ fallback: [{ baseUrl: BASE, budgets: { idle: -1 } }] }, "fallback[0].budgets.idle"],
    [{ fallback: [{ baseUrl: BASE, fetch: 5 }] }, "fallback[0].fetch"],
    [{ fallback: [localModel(async () => "ready", { fetch: undefined })] }, "fallback[0].fetch"],
  ];
  for (const [options, param] of refused) {
    const error = await failureOf(createGate({ baseUrl: BASE, ...options }));
    assert.deepEqual([error.name, error.code, error.param], ["GateError", "invalid_request", param]);
  }
  await createGate({ baseUrl: BASE, retry: false, breaker: false, continuation: false, hedge: {}, budgets: { rate: 0, total: Infinity }, fallback: [] });
});

test("no rejection of all that went unhandled", async () => assert.deepEqual(await rejections(), []));
