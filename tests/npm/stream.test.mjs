// gate.stream: deltas, ends, readers, cancels, budgets, and fetch functions that misbehave.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createGate, GateError } from "sluicegate";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { CHAT, chunk, completion, failureOf, joined, ONE_ATTEMPT, readAll, soon, sse, streamed, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
const upstream = await startUpstream();
after(() => upstream.close());
beforeEach(() => upstream.reset());

const BASE = "http://gate.test/v1";
const ENDLESS = { model: "scripted-r1+endless+rate-200", messages: CHAT };
const gateTo = (fetch, more) => createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", fetch, ...more });
const fresh = (options) => createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url, ...options });
const sawAbort = () => soon(() => upstream.requests.at(-1)?.aborted);

test("deltas come in order, reasoning first, and the end has the whole reply", async () => {
  const gate = await fresh();
  const request = { model: "scripted-r1", messages: CHAT };
  const { deltas, end, error } = await readAll(gate.stream(request));
  assert.equal(error, undefined);
  const expected = expectedAnswer(request);
  const types = deltas.map((delta) => delta.type).filter((type, at, all) => type !== all[at - 1]);
  assert.deepEqual(types, ["reasoning", "text", "end"]);
  assert.equal(joined(deltas, "text"), expected.text);
  assert.equal(joined(deltas, "reasoning"), expected.reasoning);
  assert.ok(deltas.slice(0, -1).every((delta) => delta.choice === 0));
  assert.deepEqual([end.type, end.outcome, end.finish_reason], ["end", "complete", "stop"]);
  assert.deepEqual(end.usage, end.reply.usage);
  assert.equal(end.usage.total_tokens, expected.usage.total_tokens);
  const { reply } = end;
  assert.deepEqual([reply.text, reply.reasoning, reply.message.reasoning_content], [expected.text, expected.reasoning, expected.reasoning]);
  assert.deepEqual([reply.created, reply.notices, reply.extra.system_fingerprint], [1795000000, [], undefined]);
  const { headMs, firstTokenMs, firstTextMs, totalMs } = reply.timing;
  assert.ok(0 <= headMs && headMs <= firstTokenMs && firstTokenMs <= firstTextMs && firstTextMs <= totalMs);
  assert.ok(reply.requestId);
});

test("tool calls stream in pieces that add up", async () => {
  const tools = ["weather", "clock"].map((name) => ({ type: "function", function: { name, parameters: { type: "object", properties: { place: { type: "string" } } } } }));
  const request = { model: "scripted-r1", messages: [{ role: "user", content: "Use each tool for 北京." }], tools };
  const { deltas, end } = await readAll((await fresh()).stream(request));
  const expected = expectedAnswer(request).tool_calls;
  assert.deepEqual(end.reply.tool_calls, expected);
  assert.equal(end.outcome, "tool_calls");
  for (const [index, call] of expected.entries()) {
    const pieces = deltas.filter((delta) => delta.type === "tool_call" && delta.index === index);
    assert.ok(pieces.length > 2);
    assert.deepEqual([pieces[0].id, pieces[0].name, joined(pieces, "tool_call", "arguments")], [call.id, call.function.name, call.function.arguments]);
    assert.ok(pieces.slice(1).every((piece) => !("id" in piece) && !("name" in piece)));
  }
});

test("batches and reply read the same answer", async () => {
  const gate = await fresh({ model: "scripted-r1+chunks-100" });
  const expected = expectedAnswer({ model: "scripted-r1", messages: CHAT });
  const deltas = [];
  for await (const batch of gate.stream({ messages: CHAT }).batches()) {
    assert.ok(Array.isArray(batch) && batch.length > 0);
    deltas.push(...batch);
  }
  assert.equal(joined(deltas, "text"), expected.text);
  assert.equal(deltas.at(-1).type, "end");
  const stream = gate.stream({ messages: CHAT });
  assert.equal((await stream.reply()).text, expected.text);
  assert.equal((await stream.reply()).text, expected.text);
});

test("reply goes on where the reader stopped reading, and has it all", async () => {
  const stream = (await fresh()).stream({ model: "scripted-r1", messages: CHAT });
  const { value } = await stream[Symbol.asyncIterator]().next();
  assert.equal(value.type, "reasoning");
  assert.equal((await stream.reply()).text, expectedAnswer({ model: "scripted-r1", messages: CHAT }).text);
});

test("think tags split over deltas are reasoning", async () => {
  for (const [model, thinkTags] of [["scripted-chat+think-tags", "auto"], ["scripted-chat+think-open", "open"]]) {
    const { deltas, end } = await readAll((await fresh({ thinkTags })).stream({ model, messages: CHAT }));
    assert.ok(end.reply.reasoning.length > 10 && end.reply.text.length > 10);
    assert.ok(!/<\/?think/.test(joined(deltas, "text") + joined(deltas, "reasoning")), model);
  }
});

test("an answer that is no stream comes as deltas all the same", async () => {
  const gate = await gateTo(async () => Response.json(completion({ content: "hi", reasoning_content: "hm" })));
  const { deltas, end } = await readAll(gate.stream({ messages: CHAT }));
  assert.deepEqual(deltas.slice(0, -1), [{ type: "reasoning", text: "hm", choice: 0 }, { type: "text", text: "hi", choice: 0 }]);
  assert.equal(end.reply.text, "hi");
});

test("nothing is sent before the first read", async () => {
  const gate = await fresh();
  gate.stream({ model: "scripted-chat", messages: CHAT });
  await sleep(30);
  assert.equal(upstream.requests.length, 0);
});

test("a second reader is an error for it and not for the first", async () => {
  const stream = (await fresh()).stream({ model: "scripted-r1+slow-first-50", messages: CHAT });
  const first = stream.reply();
  for (const read of [() => stream.reply(), () => stream[Symbol.asyncIterator]().next(), async () => { for await (const _ of stream.batches()); }]) {
    assert.match((await failureOf(read())).message, /one reader/);
  }
  assert.equal((await first).outcome, "complete");
});

test("what was received before a break is in the error's partial reply", async () => {
  const { deltas, error } = await readAll((await fresh()).stream({ model: "scripted-chat+cut-12", messages: CHAT }));
  assert.deepEqual([error.code, error.outcome], ["truncated", "truncated"]);
  assert.ok(error.partial.text.length > 0);
  assert.equal(error.partial.text, joined(deltas, "text"));
  assert.deepEqual([error.partial.finish_reason, error.partial.outcome], [null, "truncated"]);
  assert.ok(deltas.every((delta) => delta.type !== "end"));
});

test("a failed stream throws once, then is over; its reply fails again", async () => {
  const stream = (await fresh()).stream({ model: "scripted-chat+status-503", messages: CHAT });
  const iterator = stream[Symbol.asyncIterator]();
  const error = await failureOf(iterator.next());
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  assert.equal(await failureOf(stream.reply()), error);
});

test("an abort before the call sends nothing", async () => {
  const reason = new Error("changed my mind");
  const gate = await fresh();
  for (const call of [() => gate.chat(ENDLESS, { signal: AbortSignal.abort(reason) }), () => gate.stream(ENDLESS, { signal: AbortSignal.abort(reason) }).reply()]) {
    const error = await failureOf(call());
    assert.ok(error instanceof GateError);
    assert.deepEqual([error.code, error.name, error.cause, error.outcome, error.status], ["cancelled", "AbortError", reason, "aborted", 499]);
  }
  assert.equal(upstream.requests.length, 0);
  assert.deepEqual(gate.usage().failures, 2);
});

test("an abort in the middle reaches the upstream within a second, while reading and between reads", async () => {
  const gate = await fresh();
  for (const pause of [false, true]) {
    upstream.reset();
    const controller = new AbortController();
    const reason = new Error("stop");
    let seen = 0;
    let partial = "";
    const error = await failureOf(
      (async () => {
        for await (const delta of gate.stream(ENDLESS, { signal: controller.signal })) {
          partial += delta.text;
          if (++seen === 5 && !pause) setTimeout(() => controller.abort(reason), 0);
          if (seen === 5 && pause) {
            controller.abort(reason);
            assert.ok(await sawAbort());
          }
        }
      })(),
    );
    assert.deepEqual([error.code, error.name, error.cause], ["cancelled", "AbortError", reason]);
    assert.ok((error.partial.reasoning + error.partial.text).startsWith(partial.slice(0, 20)));
    assert.ok(await sawAbort());
  }
});

test("an abort while the upstream is silent ends chat and stream at once", async () => {
  const gate = await fresh({ model: "scripted-r1+silence" });
  for (const call of [(options) => gate.chat({ messages: CHAT }, options), (options) => gate.stream({ messages: CHAT }, options).reply()]) {
    upstream.reset();
    const controller = new AbortController();
    const answer = failureOf(call({ signal: controller.signal }));
    assert.ok(await soon(() => upstream.requests.length === 1));
    controller.abort();
    const error = await answer;
    assert.deepEqual([error.code, error.cause.name], ["cancelled", "AbortError"]);
    assert.ok(await sawAbort());
  }
});

test("leaving the loop cancels the upstream within a second, and counts", async () => {
  const gate = await fresh();
  const ends = [];
  gate.on("end", (end) => ends.push([end.outcome, end.error.code]));
  for (const pick of [(stream) => stream, (stream) => stream.batches()]) {
    upstream.reset();
    const stream = gate.stream(ENDLESS);
    for await (const _ of pick(stream)) break;
    assert.ok(await sawAbort());
    assert.equal((await failureOf(stream.reply())).code, "cancelled");
    for await (const _ of stream) assert.fail("a delta behind the end");
  }
  assert.deepEqual(ends, [["aborted", "cancelled"], ["aborted", "cancelled"]]);
  assert.equal(gate.usage().calls, 2);
});

test("cancel ends a call before, during and after it", async () => {
  const gate = await fresh();
  const before = gate.stream(ENDLESS);
  before.cancel();
  assert.equal((await readAll(before)).error.code, "cancelled");
  assert.equal(upstream.requests.length, 0);
  const during = gate.stream(ENDLESS);
  setTimeout(() => during.cancel(), 60);
  assert.equal((await readAll(during)).error.code, "cancelled");
  assert.ok(await sawAbort());
  const after = gate.stream({ model: "scripted-chat", messages: CHAT });
  const reply = await after.reply();
  after.cancel();
  assert.equal(await after.reply(), reply);
});

test("a call's budgets go before the gate's", async () => {
  const gate = await fresh({ model: "scripted-chat+slow-first-5000", budgets: { total: 4000 } });
  const { error } = await readAll(gate.stream({ messages: CHAT }, { budgets: { firstToken: 50 } }));
  assert.deepEqual([error.code, error.outcome, error.budget, error.cause], ["timeout_first_token", "timed_out", "first_token", undefined]);
  assert.ok(await sawAbort());
  assert.equal((await failureOf(gate.chat({ messages: CHAT }, { budgets: { total: 50 } }))).code, "timeout_total");
  assert.equal((await failureOf(gate.chat({ messages: CHAT }, { budgets: { idle: 0 } }))).param, "budgets.idle");
  const patient = await fresh({ budgets: { connect: Infinity, firstToken: Infinity, idle: 1e12, contentIdle: Infinity, total: Infinity } });
  assert.equal((await patient.chat({ model: "scripted-chat", messages: CHAT })).outcome, "complete");
  assert.equal((await patient.stream({ model: "scripted-chat", messages: CHAT }).reply()).outcome, "complete");
});

test("time that the app takes between two reads is not the upstream's", async () => {
  const budgets = { idle: 150, contentIdle: 200 };
  const gate = await fresh({ budgets });
  const request = { model: "scripted-chat+rate-200+long-40", messages: CHAT };
  let text = "";
  for await (const delta of gate.stream(request)) {
    if (text === "") await sleep(500);
    if (delta.type === "text") text += delta.text;
  }
  assert.equal(text, expectedAnswer(request).text);
  const response = await gate.fetch(`${upstream.url}/chat/completions`, { method: "POST", body: JSON.stringify({ ...request, stream: true }) });
  const reader = response.body.getReader();
  await reader.read();
  await sleep(500);
  let bytes = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += Buffer.from(read.value);
  assert.match(bytes, /data: \[DONE\]\n\n$/);
  // But whoever never comes back does not keep the connection for ever.
  const stream = (await fresh({ budgets: { ...budgets, total: 400 } })).stream(ENDLESS);
  await stream[Symbol.asyncIterator]().next();
  assert.ok(await soon(() => upstream.requests.at(-1).aborted));
  assert.equal((await failureOf(stream.reply())).code, "timeout_total");
});

test("every deadline is kept, also where a timer fires early", async () => {
  const gate = await gateTo(() => new Promise(() => {}), { budgets: { total: 20 } });
  const errors = await Promise.all(Array.from({ length: 300 }, () => failureOf(gate.chat({ messages: CHAT }))));
  assert.ok(errors.every((error) => error.code === "timeout_total"));
});

test("a fetch that ignores its signal hangs no call, and its late answer is not left open", async () => {
  let answer;
  let discarded = false;
  const fetch = () => new Promise((resolve) => (answer = resolve));
  const gate = await gateTo(fetch, { budgets: { connect: 30 } });
  assert.equal((await readAll(gate.stream({ messages: CHAT }))).error.code, "timeout_connect");
  answer(streamed([], { end: () => {}, onCancel: () => (discarded = true) }));
  assert.ok(await soon(() => discarded));
  const controller = new AbortController();
  const cancelled = failureOf(gate.chat({ messages: CHAT }, { signal: controller.signal }));
  await sleep(5);
  controller.abort();
  assert.equal((await cancelled).code, "cancelled");
});

test("a body that ignores the abort hangs no call either", async () => {
  let cancelled = false;
  const gate = await gateTo(async () => streamed([sse(chunk({ content: "a" }))], { end: () => new Promise(() => {}), onCancel: () => ((cancelled = true), new Promise(() => {})) }), { budgets: { idle: 30 } });
  const { deltas, error } = await readAll(gate.stream({ messages: CHAT }));
  assert.deepEqual([deltas[0].text, error.code, cancelled], ["a", "timeout_idle", true]);
});

test("whatever a fetch throws, rejects with, or gives is one error", async () => {
  const why = new Error("no route");
  const used = new Response("{}");
  await used.text();
  const rows = [
    [() => { throw why; }, (error) => error.cause === why],
    [() => Promise.reject(why), (error) => error.cause === why],
    [() => Promise.reject(undefined), () => true],
    [async () => undefined, (error) => /no Response/.test(error.cause.message)],
    [async () => ({ ok: true, body: "text" }), (error) => /no Response/.test(error.cause.message)],
    [async () => used, (error) => /in use/.test(error.cause.message)],
  ];
  for (const [fetch, holds] of rows) {
    const gate = await gateTo(fetch);
    for (const error of [await failureOf(gate.chat({ messages: CHAT })), (await readAll(gate.stream({ messages: CHAT }))).error]) {
      assert.equal(error.code, "network", error.stack);
      assert.ok(holds(error), `${fetch}: ${error.cause}`);
    }
  }
  const gate = await gateTo(async () => streamed(["text, no bytes"]));
  const { error } = await readAll(gate.stream({ messages: CHAT }));
  assert.deepEqual([error.code, error.cause.name], ["truncated", "TypeError"]);
});

test("a fetch that cancels the call itself does no harm", async () => {
  const controller = new AbortController();
  const fetch = (url, { signal }) => {
    signal.addEventListener("abort", () => stream.cancel());
    controller.abort();
    return new Promise((_, reject) => reject(signal.reason));
  };
  const stream = (await gateTo(fetch)).stream({ messages: CHAT }, { signal: controller.signal });
  assert.equal((await readAll(stream)).error.code, "cancelled");
});

test("a slow or hostile answer does not disturb the calls beside it", async () => {
  const gate = await fresh();
  const models = ["scripted-r1", "scripted-r1+chunks-40", "scripted-chat+cut-3", "scripted-r1+split-utf8", "scripted-chat+status-500", "scripted-chat+big-event"];
  const calls = Array.from({ length: 30 }, (_, at) => models[at % models.length]);
  const ends = await Promise.all(calls.map((model) => readAll(gate.stream({ model, messages: CHAT }))));
  const code = { "scripted-chat+cut-3": "truncated", "scripted-chat+status-500": "upstream_error" };
  ends.forEach(({ end, error }, at) => {
    assert.equal(error?.code, code[calls[at]]);
    if (calls[at].startsWith("scripted-r1+split")) assert.equal(end.reply.text, expectedAnswer({ model: calls[at], messages: CHAT }).text);
  });
});

test("thousands of calls, finished, failed and left, keep the core's memory flat", async () => {
  // The memory is not exported; every module that is instantiated here is caught instead.
  const body = () => streamed([sse(chunk({ content: "x".repeat(2000) })), sse(chunk({}, "stop"), "[DONE]")]);
  const gate = await gateTo(async (url) => body(url));
  const measure = async (calls) => {
    for (let at = 0; at < calls; at++) {
      const stream = gate.stream({ messages: CHAT });
      if (at % 4 === 0) for await (const _ of stream) break;
      else if (at % 4 === 1) await failureOf(gate.chat({ messages: "no" }));
      else if (at % 4 === 2) await (await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ stream: true, messages: CHAT }) })).body.cancel();
      else await stream.reply();
    }
    return memoryOf().buffer.byteLength;
  };
  const warm = await measure(400);
  assert.equal(await measure(2000), warm);
  assert.equal(gate.usage().calls, 2400);
});

/** The core's memory, seen through the one function that hands it around: the instance's exports. */
let memory;
function memoryOf() {
  assert.ok(memory, "the core's memory was not seen");
  return memory;
}
{
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...args) {
      super(...args);
      memory ??= this.exports.memory;
    }
  };
}

test("no rejection of all that went unhandled", async () => assert.deepEqual(await rejections(), []));
