// What createGate gives: options, chat, models, usage, listeners, headers.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { createGate, GateError } from "sluicegate";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { CHAT, chunk, completion, failureOf, ONE_ATTEMPT, readAll, sse, streamed, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
const upstream = await startUpstream();
after(() => upstream.close());
beforeEach(() => upstream.reset());

const BASE = "http://gate.test/v1";
const answering = (message = { content: "hi" }, more) => async () => Response.json(completion(message, more));

test("options that are missing or wrong are refused at once, with the option's name", async () => {
  const refused = [
    [undefined, "baseUrl"],
    [{}, "baseUrl"],
    [{ baseUrl: "" }, "baseUrl"],
    [{ baseUrl: 5 }, "baseUrl"],
    [{ baseUrl: BASE, dialect: "claude" }, "dialect"],
    [{ baseUrl: BASE, dialect: 5 }, "dialect"],
    [{ baseUrl: BASE, thinkTags: "on" }, "thinkTags"],
    [{ baseUrl: BASE, model: {} }, "model"],
    [{ baseUrl: BASE, fetch: "fetch" }, "fetch"],
    [{ baseUrl: BASE, apiKey: 7 }, "apiKey"],
    [{ baseUrl: BASE, headers: { "no name": "x" } }, "headers"],
    [{ baseUrl: BASE, budgets: { idle: -1 } }, "budgets.idle"],
    [{ baseUrl: BASE, budgets: { firstToken: "1s" } }, "budgets.firstToken"],
    [{ baseUrl: BASE, budgets: { total: NaN } }, "budgets.total"],
  ];
  for (const [options, param] of refused) {
    const error = await failureOf(createGate(options));
    assert.ok(error instanceof GateError && error instanceof Error, `${param}: ${error?.stack}`);
    assert.deepEqual([error.name, error.code, error.param, error.status, error.party, error.retryable], ["GateError", "invalid_request", param, 400, "caller", false]);
    assert.ok(error.message && error.nextStep);
  }
});

test("chat gives the whole reply", async () => {
  const gate = await createGate({ baseUrl: upstream.url, model: "scripted-r1" });
  const reply = await gate.chat({ messages: CHAT });
  const expected = expectedAnswer({ model: "scripted-r1", messages: CHAT });
  assert.equal(reply.text, expected.text);
  assert.equal(reply.reasoning, expected.reasoning);
  assert.deepEqual(reply.message, { role: "assistant", content: expected.text, reasoning_content: expected.reasoning });
  assert.deepEqual([reply.outcome, reply.finish_reason, reply.model], ["complete", "stop", "scripted-r1"]);
  assert.deepEqual([reply.created, reply.system_fingerprint], [1795000000, "fp_scripted"]);
  assert.equal(reply.usage.total_tokens, expected.usage.total_tokens);
  assert.equal(reply.usage.completion_tokens_details.reasoning_tokens, expected.usage.completion_tokens_details.reasoning_tokens);
  assert.ok(reply.requestId);
  assert.ok(reply.timing.totalMs >= reply.timing.headMs);
  assert.deepEqual([reply.notices, reply.tool_calls, reply.choices.length], [[], [], 1]);
  assert.equal(upstream.requests[0].body.stream ?? false, false);
});

test("chat asks for tools, and the reply's message goes back as it is", async () => {
  const gate = await createGate({ baseUrl: upstream.url, model: "scripted-v4", dialect: "deepseek" });
  const tools = ["weather", "clock"].map((name) => ({ type: "function", function: { name, parameters: { type: "object", properties: { place: { type: "string" } } } } }));
  const messages = [{ role: "user", content: "Use each tool for 北京." }];
  const first = await gate.chat({ messages, tools });
  assert.deepEqual([first.outcome, first.finish_reason, first.message.content], ["tool_calls", "tool_calls", null]);
  assert.deepEqual(first.tool_calls.map((call) => call.function.name), ["weather", "clock"]);
  const results = first.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: `${call.function.name} says 22 °C` }));
  const second = await gate.chat({ messages: [...messages, first.message, ...results], tools });
  assert.match(second.text, /22 °C/);
  assert.equal(second.outcome, "complete");
});

test("fields that the package does not know are kept: of the answer in extra, of a tool call on the call", async () => {
  const message = { content: null, tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { sign: 1 } }] };
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch: answering(message, { timings: { ms: 3 }, service_tier: null }) });
  const reply = await gate.chat({ messages: CHAT });
  assert.deepEqual(reply.extra.timings, { ms: 3 });
  assert.deepEqual(reply.message.tool_calls[0].extra_content, { sign: 1 });
});

test("fields that the package does not know go to the upstream untouched", async () => {
  let sent;
  const fetch = async (url, init) => ((sent = JSON.parse(init.body)), Response.json(completion({ content: "x" })));
  const gate = await createGate({ baseUrl: BASE, fetch });
  await gate.chat({ model: "m", messages: CHAT, guided_json: { a: [1, null] }, repetition_penalty: 1.1 });
  assert.deepEqual([sent.guided_json, sent.repetition_penalty], [{ a: [1, null] }, 1.1]);
});

test("a request that is wrong is refused before anything is sent, with its field", async () => {
  let sent = 0;
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", fetch: async () => (sent++, Response.json({})) });
  const circular = {};
  circular.self = circular;
  const refused = [
    [{ messages: [] , temperature: "hot" }, "temperature"],
    [{ messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
    [{}, "messages"],
    [undefined, "request"],
    [{ messages: CHAT, circular }, "request"],
  ];
  for (const [request, param] of refused) {
    for (const error of [await failureOf(gate.chat(request)), (await readAll(gate.stream(request))).error]) {
      assert.deepEqual([error.code, error.param, error.partial], ["invalid_request", param, undefined], error.stack);
    }
  }
  const nameless = await createGate({ baseUrl: BASE, fetch: async () => (sent++, Response.json({})) });
  assert.equal((await failureOf(nameless.chat({ messages: CHAT }))).param, "model");
  assert.equal(sent, 0);
});

test("a preset fills what the request leaves open, and is not sent itself", async () => {
  const gate = await createGate({ baseUrl: upstream.url, model: "scripted-chat" });
  await gate.chat({ messages: CHAT, preset: "creative", top_p: 0.5 });
  const { body } = upstream.requests[0];
  assert.deepEqual([body.temperature, body.max_tokens, body.top_p, body.preset], [0.9, 1024, 0.5, undefined]);
  assert.equal((await failureOf(gate.chat({ messages: CHAT, preset: "wild" }))).param, "preset");
});

test("what the gate changes in a request is told by a notice", async () => {
  const told = [];
  const gate = await createGate({ baseUrl: BASE, model: "deepseek-r1", dialect: "siliconflow", fetch: answering() });
  gate.on("notice", (notice) => told.push(notice.code));
  const messages = [...CHAT, { role: "assistant", content: "a", reasoning_content: "secret thought" }, { role: "user", content: "b" }];
  const reply = await gate.chat({ messages });
  assert.deepEqual(reply.notices.map((notice) => notice.code), ["request_changed"]);
  assert.match(reply.notices[0].detail, /reasoning_content/);
  const response = await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ messages }) });
  await response.text();
  assert.deepEqual(told, ["request_changed", "request_changed"]);
});

test("several choices come apart", async () => {
  const gate = await createGate({ baseUrl: upstream.url, model: "scripted-r1" });
  const expected = expectedAnswer({ model: "scripted-r1", messages: CHAT, n: 3 });
  for (const reply of [await gate.chat({ messages: CHAT, n: 3 }), await gate.stream({ messages: CHAT, n: 3 }).reply()]) {
    assert.deepEqual(reply.choices.map((choice) => [choice.index, choice.text, choice.reasoning]), expected.choices.map((choice) => [choice.index, choice.text, choice.reasoning]));
    assert.equal(reply.text, expected.text);
  }
});

test("the key goes into the header, as text or from a function, sync or async, asked for each call", async () => {
  let asked = 0;
  for (const apiKey of ["k-1", () => `k-${++asked && 1}`, async () => `k-${++asked && 1}`]) {
    const gate = await createGate({ baseUrl: upstream.url, model: "scripted-chat", apiKey });
    await gate.chat({ messages: CHAT });
    await gate.stream({ messages: CHAT }).reply();
  }
  assert.equal(asked, 4);
  assert.deepEqual(new Set(upstream.requests.map((request) => request.headers.authorization)), new Set(["Bearer k-1"]));
});

test("a key function that fails, or a key that no header can hold, is an error that says so and shows no key", async () => {
  const why = new Error("no network");
  for (const apiKey of [() => Promise.reject(why), () => { throw why; }]) {
    const gate = await createGate({ baseUrl: upstream.url, model: "m", apiKey });
    for (const error of [await failureOf(gate.chat({ messages: CHAT })), await failureOf(gate.models()), await failureOf(gate.fetch(`${upstream.url}/chat/completions`, { method: "POST", body: "{}" }))]) {
      assert.deepEqual([error.code, error.param, error.cause], ["unauthorized", "apiKey", why]);
    }
  }
  const gate = await createGate({ baseUrl: upstream.url, model: "m", apiKey: "sk-secret\nx" });
  const error = await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([error.code, error.param], ["invalid_request", "apiKey"]);
  assert.ok(!`${error.stack} ${error.cause?.stack}`.includes("sk-secret"));
  assert.equal(upstream.requests.length, 0);
});

test("headers: the call's before the gate's, the gate's before the key's", async () => {
  const gate = await createGate({ baseUrl: upstream.url, model: "scripted-chat", apiKey: "k", headers: { "X-One": "gate", "x-two": "gate" } });
  await gate.chat({ messages: CHAT }, { headers: { "x-one": "call" } });
  await gate.chat({ messages: CHAT }, { headers: { Authorization: "Other 1" } });
  const [first, second] = upstream.requests.map((request) => request.headers);
  assert.deepEqual([first["x-one"], first["x-two"], first.authorization, first["content-type"]], ["call", "gate", "Bearer k", "application/json"]);
  assert.equal(second.authorization, "Other 1");
});

test("models lists what the base URL has", async () => {
  const gate = await createGate({ baseUrl: `${upstream.url}/`, apiKey: "k" });
  const models = await gate.models();
  assert.ok(models.length > 0 && models.every((model) => typeof model.id === "string"));
  assert.equal(upstream.requests[0].headers.authorization, "Bearer k");
});

test("models fails with the same errors as a call", async () => {
  const stuck = () => new Promise(() => {});
  const rows = [
    [async () => new Response('"Invalid token"', { status: 401 }), "authentication"],
    [async () => new Response('{"error":{"code":7,"message":"busy"}}', { status: 503, headers: { "x-request-id": "r-1" } }), "overloaded"],
    [async () => new Response("<html>"), "protocol"],
    [async () => Promise.reject(new TypeError("refused")), "network"],
    [() => { throw new TypeError("refused"); }, "network"],
    [stuck, "timeout_connect"],
  ];
  for (const [fetch, code] of rows) {
    const gate = await createGate({ baseUrl: BASE, fetch, budgets: { connect: 30 } });
    const error = await failureOf(gate.models());
    assert.ok(error instanceof GateError, error?.stack);
    assert.equal(error.code, code);
    if (code === "overloaded") assert.equal(error.requestId, "r-1");
  }
  const gate = await createGate({ baseUrl: BASE, fetch: stuck });
  const reason = new Error("enough");
  const error = await failureOf(gate.models({ signal: AbortSignal.abort(reason) }));
  assert.deepEqual([error.code, error.name, error.cause], ["cancelled", "AbortError", reason]);
});

test("usage sums up all calls, of whatever kind", async () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 2 } };
  const answers = [
    () => Response.json(completion({ content: "a" }, { usage })),
    () => streamed([sse(chunk({ content: "a" }), chunk({}, "stop"), { choices: [], usage }, "[DONE]")]),
    () => new Response("no", { status: 500 }),
    () => Response.json(completion({ content: "a" }, { usage })),
    () => streamed([sse(chunk({ content: "a" }), chunk({}, "stop"), { choices: [], usage }, "[DONE]")]),
  ];
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", fetch: async () => answers.shift()() });
  await gate.chat({ messages: CHAT });
  await gate.stream({ messages: CHAT }).reply();
  await failureOf(gate.chat({ messages: CHAT }));
  await (await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ messages: CHAT }) })).json();
  await (await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ messages: CHAT, stream: true }) })).text();
  assert.deepEqual(gate.usage(), { calls: 5, failures: 1, prompt_tokens: 40, completion_tokens: 20, total_tokens: 60, cached_tokens: 16, reasoning_tokens: 8 });
  gate.usage().calls = 99;
  assert.equal(gate.usage().calls, 5);
});

test("listeners hear of each end until they stop listening, and one that throws harms no call", async (t) => {
  const gate = await createGate({ baseUrl: BASE, model: "m", fetch: answering() });
  const ends = [];
  const uncaught = [];
  // The test runner takes an uncaught error for a failure of the test, so it is caught where it is thrown.
  t.mock.method(globalThis, "queueMicrotask", (task) => {
    try {
      task();
    } catch (error) {
      uncaught.push(error.message);
    }
  });
  const stop = gate.on("end", (end) => ends.push(end));
  const stopThrowing = gate.on("end", () => { throw new Error("a listener's bug"); });
  assert.equal((await gate.chat({ messages: CHAT })).text, "hi");
  assert.equal((await gate.stream({ messages: CHAT }).reply()).text, "hi");
  stopThrowing();
  await failureOf(gate.chat({ messages: "no" }));
  stop();
  await gate.chat({ messages: CHAT });
  assert.deepEqual(ends.map((end) => [end.outcome, end.error?.code]), [["complete", undefined], ["complete", undefined], ["failed", "invalid_request"]]);
  assert.ok(ends[0].timing.totalMs >= 0 && ends[2].error instanceof GateError);
  assert.deepEqual(uncaught, ["a listener's bug", "a listener's bug"]);
});

test("think tags are reasoning, or left alone, as the gate is told", async () => {
  const content = "<think>plan</think>answer";
  for (const [thinkTags, expected] of [["auto", ["plan", "answer"]], [undefined, ["plan", "answer"]], ["off", ["", content]]]) {
    const gate = await createGate({ baseUrl: BASE, model: "m", thinkTags, fetch: answering({ content }) });
    const { reasoning, text } = await gate.chat({ messages: CHAT });
    assert.deepEqual([reasoning, text], expected);
  }
  const gate = await createGate({ baseUrl: BASE, model: "m", thinkTags: "open", fetch: answering({ content: "plan</think>answer" }) });
  assert.equal((await gate.chat({ messages: CHAT })).reasoning, "plan");
});

test("an error tells what the vendor said, and when to try again", async () => {
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url, model: "scripted-chat+status-429-retry-7" });
  const error = await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([error.code, error.status, error.retryable, error.retryAfterMs, error.party, error.outcome], ["rate_limited", 429, true, 7000, "upstream", "failed"]);
  assert.match(error.vendor.message, /Rate limit/);
  assert.equal(error.vendor.status, 429);
  assert.equal(error.requestId, error.vendor.traceId);
});

test("no rejection of all that went unhandled", async () => assert.deepEqual(await rejections(), []));
