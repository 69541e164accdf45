// Local models: the fetch that answers from one, and the four backends against small libraries made after the published ones.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, describe, test } from "node:test";
import { setImmediate as tick } from "node:timers/promises";
import { createGate } from "sluicegate";
import { isLocalBackend, localBackend, localFetch } from "sluicegate/local";
import { promptApi } from "sluicegate/local/prompt-api";
import { transformers } from "sluicegate/local/transformers";
import { webLlm } from "sluicegate/local/web-llm";
import { wllama } from "sluicegate/local/wllama";
import { failureOf, readAll, soon, watchRejections } from "./lib.mjs";
import { FakeModel, fakeLanguageModel, fakeTransformers, fakeWebLlm, fakeWllama } from "./local-fakes.mjs";

const rejections = watchRejections();
after(async () => assert.deepEqual(await rejections(), []));

const URL = "http://local.test/v1/chat/completions";
const CHAT = [{ role: "user", content: "Say hello." }];

const post = (body, signal) => ({ method: "POST", body: JSON.stringify(body), signal });
const ask = (backend, body = {}, signal) => (backend.fetch ?? localFetch(backend))(URL, post({ messages: CHAT, stream: true, ...body }, signal));

/** The `data` of all events of a stream, JSON read. */
async function events(response) {
  const text = await response.text();
  assert.match(text, /^(data: [^\n]+\n\n)*$/);
  return text.split("\n\n").slice(0, -1).map((event) => event.slice(6)).map((data) => (data === "[DONE]" ? data : JSON.parse(data)));
}

const textOf = (all) => all.map((event) => event.choices?.[0]?.delta?.content ?? "").join("");
const finishOf = (all) => all.map((event) => event.choices?.[0]?.finish_reason).find(Boolean);
const noticeOf = (all) => all.find((event) => event.sluicegate)?.sluicegate;

/** A backend of the app's own that gives these pieces, and notes what is done with it. */
function backendOf(pieces, more = {}) {
  const seen = { requests: [], pulled: 0, running: 0, most: 0, left: 0, prepared: 0 };
  const backend = {
    id: "own",
    model: "own-model",
    seen,
    availability: async () => "ready",
    prepare: async () => void (seen.prepared += 1),
    async *stream(request, signal) {
      seen.requests.push(request);
      seen.most = Math.max(seen.most, (seen.running += 1));
      try {
        for (const piece of pieces) {
          await tick();
          signal.throwIfAborted();
          if (piece instanceof Error) throw piece;
          seen.pulled += 1;
          yield typeof piece === "function" ? await piece(signal) : piece;
        }
      } finally {
        seen.running -= 1;
        seen.left += 1;
      }
    },
    ...more,
  };
  return backend;
}

const chunkOf = (delta, finish_reason = null, more = {}) => ({ id: "x", model: "theirs", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }], ...more });
const forever = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
const many = (count) => Array.from({ length: count }, (_, at) => ` ${at}`);

describe("a fetch over a local model", () => {
  test("answers a stream of OpenAI chunks: role, text, one finish, [DONE], all of one id and the backend's model", async () => {
    const response = await ask(backendOf(["Hel", "", "lo 门 🙂"]));
    assert.deepEqual([response.status, response.headers.get("content-type")], [200, "text/event-stream; charset=utf-8"]);
    const all = await events(response);
    assert.equal(all.pop(), "[DONE]");
    assert.deepEqual(all.map(({ choices }) => choices[0].delta), [{ role: "assistant", content: "" }, { content: "Hel" }, { content: "lo 门 🙂" }, {}]);
    assert.deepEqual(all.map(({ choices }) => choices[0].finish_reason), [null, null, null, "stop"]);
    assert.deepEqual([...new Set(all.map(({ model, object }) => `${model} ${object}`))], ["own-model chat.completion.chunk"]);
    assert.equal(new Set(all.map(({ id }) => id)).size, 1);
    assert.ok(Math.abs(all[0].created - Date.now() / 1000) < 5);
  });

  test("passes OpenAI chunks on as the backend's own: reasoning, tool calls, usage, timings; ids and names are ours", async () => {
    const call = { index: 0, id: "a", type: "function", function: { name: "f", arguments: "{}" } };
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const pieces = [chunkOf({ role: "assistant", content: null }), chunkOf({ reasoning_content: "hm" }, null, { timings: { n: 1 } }), chunkOf({ tool_calls: [call] }), chunkOf({}, "tool_calls"), chunkOf({}, null, { choices: [], usage })];
    const backend = () => backendOf(pieces, { tools: true });
    const tools = [{ type: "function", function: { name: "f" } }];
    const all = await events(await ask(backend(), { tools }));
    assert.deepEqual(all.slice(0, -1).map(({ choices }) => choices[0]?.delta), [{ role: "assistant", content: "" }, { reasoning_content: "hm" }, { tool_calls: [call] }, {}, undefined]);
    assert.deepEqual([all[1].timings, all.at(-2).usage, finishOf(all), all[1].model], [{ n: 1 }, usage, "tool_calls", "own-model"]);
    const whole = await (await ask(backend(), { tools, stream: false })).json();
    assert.deepEqual(whole.choices, [{ index: 0, message: { role: "assistant", content: null, reasoning_content: "hm", tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }] }, finish_reason: "tool_calls" }]);
    assert.deepEqual(whole.usage, usage);
  });

  test("answers one completion where no stream is asked for", async () => {
    const response = await ask(backendOf(["Hel", "lo"]), { stream: undefined, temperature: 1 });
    assert.match(response.headers.get("content-type"), /^application\/json/);
    const { id, created, ...rest } = await response.json();
    assert.ok(id && created);
    assert.deepEqual(rest, {
      object: "chat.completion",
      model: "own-model",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
      sluicegate: { code: "request_changed", detail: "The local model does not take temperature." },
    });
  });

  test("a backend that is not ready answers 503 in our form, and nothing is started", async () => {
    for (const availability of ["downloadable", "downloading", "unavailable"]) {
      const backend = backendOf(["x"], { availability: async () => availability });
      const response = await ask(backend);
      assert.deepEqual([response.status, response.headers.get("x-should-retry")], [503, "false"]);
      const { error } = await response.json();
      assert.deepEqual([error.code, error.retryable, error.party], ["misconfigured", false, "operator"]);
      assert.match(error.message, new RegExp(availability));
      assert.deepEqual([backend.seen.prepared, backend.seen.requests.length], [0, 0]);
    }
  });

  test("every code is one of the project's, with its status, party and next step", async () => {
    const table = readFileSync(new globalThis.URL("../../docs/errors.md", import.meta.url), "utf8");
    const long = [{ role: "user", content: "x".repeat(50) }];
    const rows = [
      [backendOf([]), {}, { messages: 5 }],
      [backendOf([], { context: 10, count: async () => 99 }), {}, { messages: long }],
      [backendOf([]), { method: "GET", body: undefined }, {}],
      [backendOf([]), {}, { messages: long, tools: [{}] }],
      [backendOf([chunkOf({ content: "x" })]), {}, { messages: long }],
      [backendOf([new Error("broken")]), {}, { messages: long }],
      [backendOf([], { availability: async () => "unavailable" }), {}, { messages: long }],
    ];
    const codes = [];
    for (const [backend, init, body] of rows) {
      const response = await localFetch(backend)(URL, { ...post(body), ...init });
      const { error } = await response.json();
      codes.push(error.code);
      // Between them stands what the gate does about it.
      const row = table.split("\n").find((line) => line.startsWith(`| \`${error.code}\` |`)) ?? "";
      assert.ok(row.startsWith(`| \`${error.code}\` | ${response.status} | ${error.party} | ${error.retryable ? "yes" : "no"} |`), error.code);
      assert.ok(row.endsWith(`| ${error.next_step} |`), error.code);
      assert.equal(response.headers.get("x-should-retry"), String(error.retryable));
    }
    assert.deepEqual(codes, ["invalid_request", "context_overflow", "method_not_allowed", "not_supported", "truncated", "upstream_error", "misconfigured"]);
  });

  test("what is wrong in a request is refused by its field", async () => {
    const user = (content) => ({ messages: [{ role: "user", content }] });
    const rows = [
      [{ messages: undefined }, "messages"],
      [{ messages: [] }, "messages"],
      [{ messages: [null] }, "messages[0]"],
      [{ messages: [{ content: "x" }] }, "messages[0]"],
      [user(5), "messages[0].content"],
      [user([{ text: "x" }]), "messages[0].content[0]"],
      [{ max_tokens: 0 }, "max_tokens"],
      [{ max_tokens: "5" }, "max_tokens"],
      [{ stop: [5] }, "stop"],
    ];
    for (const [body, param] of rows) {
      const response = await ask(backendOf(["x"]), body);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code, error.param], [400, "invalid_request", param]);
    }
    for (const text of ["", "{", "[]", "5", "null"]) {
      const response = await localFetch(backendOf(["x"]))(URL, { method: "POST", body: text });
      assert.equal((await response.json()).error.code, "invalid_request");
    }
  });

  test("what a backend cannot take is refused, not dropped: images, tools, formats, more than one answer", async () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
    const rows = [
      [{ messages: [{ role: "user", content: [{ type: "text", text: "x" }, image] }] }, "messages[0].content[1]"],
      [{ messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages[0].content[0]"],
      [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
      [{ messages: [...CHAT, { role: "assistant", tool_calls: [{ id: "a" }] }] }, "messages[1]"],
      [{ messages: [...CHAT, { role: "tool", tool_call_id: "a", content: "x" }] }, "messages[1]"],
      [{ response_format: { type: "json_object" } }, "response_format"],
      [{ n: 2 }, "n"],
    ];
    for (const [body, param] of rows) {
      const response = await ask(backendOf(["x"]), body);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code, error.param], [501, "not_supported", param]);
    }
    // The same, taken by one that can.
    const able = backendOf(["x"], { vision: true, tools: true, json: true });
    for (const [body] of rows.filter(([, param]) => !["n", "messages[0].content[0]"].includes(param))) assert.equal((await ask(able, { ...body, stream: false })).status, 200);
    // A local call does not go to the network for a picture.
    const remote = await ask(able, { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }] }] });
    assert.equal((await remote.json()).error.code, "not_supported");
    // No tools are asked for.
    for (const body of [{ tools: [] }, { tools: [{}], tool_choice: "none" }, { response_format: { type: "text" } }, { n: 1, tools: null }]) {
      assert.equal((await ask(backendOf(["x"]), body)).status, 200);
    }
  });

  test("messages come to the backend plain: text joined, one system message and first, other models' fields gone", async () => {
    const backend = backendOf(["x"]);
    const messages = [
      { role: "developer", content: "A" },
      { role: "user", content: [{ type: "text", text: "b" }, { type: "text", text: "c" }] },
      { role: "assistant", content: null, reasoning_content: "secret", annotations: [] },
      { role: "system", content: "D" },
      { role: "user", content: "e", name: "n" },
    ];
    const all = await events(await ask(backend, { messages }));
    assert.deepEqual(backend.seen.requests[0].messages, [
      { role: "system", content: "A\n\nD" },
      { role: "user", content: "bc" },
      { role: "assistant", content: "" },
      { role: "user", content: "e", name: "n" },
    ]);
    assert.match(noticeOf(all).detail, /first/);
  });

  test("parameters reach a backend that takes them; for one that does not they are left out, and that is said", async () => {
    const body = { temperature: 0.5, top_p: 0.9, seed: 7, max_completion_tokens: 50, max_tokens: 60, stop: "END", frequency_penalty: null };
    const able = backendOf(["x"], { parameters: ["temperature", "top_p", "seed", "max_tokens", "stop"] });
    assert.equal(noticeOf(await events(await ask(able, body))), undefined);
    const { messages, ...rest } = able.seen.requests[0];
    assert.deepEqual(rest, { temperature: 0.5, top_p: 0.9, seed: 7, max_tokens: 50, stop: ["END"] });
    const plain = backendOf(["x"], { parameters: ["temperature"] });
    const all = await events(await ask(plain, body));
    assert.deepEqual(plain.seen.requests[0], { messages, temperature: 0.5 });
    assert.deepEqual(all[0].choices, []);
    assert.deepEqual(noticeOf(all), { code: "request_changed", detail: "The local model does not take top_p, seed." });
  });

  test("stop strings hold at every split of the text, and the backend is stopped", async () => {
    const text = "aab ENaENENDaab";
    const cases = [[["END"], "aab ENaEN"], [["ENDa", "b "], "aa"], [["zz", "aEN"], "aab EN"], [["ENEND", "END"], "aab ENa"], [["nothing"], text], [["aab"], ""], [["ENDaabX"], text]];
    for (const [stop, expected] of cases) {
      for (let first = 0; first <= text.length; first++) {
        for (const second of [first, first + 1, first + 3]) {
          const backend = backendOf([text.slice(0, first), text.slice(first, second), text.slice(second)]);
          const all = await events(await ask(backend, { stop }));
          assert.deepEqual([textOf(all), finishOf(all), all.at(-1)], [expected, "stop", "[DONE]"], `${stop} at ${first}, ${second}`);
          assert.equal(backend.seen.running, 0);
        }
      }
    }
    const chunks = backendOf([chunkOf({ content: "one STO" }), chunkOf({ content: "P two" }), chunkOf({ content: forever })]);
    const all = await events(await ask(chunks, { stop: "STOP" }));
    assert.deepEqual([textOf(all), finishOf(all), chunks.seen.left], ["one ", "stop", 1]);
  });

  test("stop strings are found where a plain search finds them first, in all texts and words of two letters", async () => {
    const words = (length) => Array.from({ length: 2 ** length }, (_, bits) => Array.from({ length }, (_, at) => "ab"[(bits >> at) & 1]).join(""));
    for (const word of [...words(3), ...words(4), "ababb"]) {
      const stop = [word, "bba"];
      for (const text of words(7)) {
        const found = stop.filter((each) => text.includes(each)).map((each) => ({ from: text.indexOf(each), to: text.indexOf(each) + each.length }));
        found.sort((one, other) => one.to - other.to || one.from - other.from);
        const pieces = [text.slice(0, 2), text.slice(2, 3), text.slice(3)];
        assert.equal(textOf(await events(await ask(backendOf(pieces), { stop }))), found.length ? text.slice(0, found[0].from) : text, `${stop} in ${pieces}`);
      }
    }
  });

  test("stop strings are found in linear time", async () => {
    const stop = `${"a".repeat(20_000)}b`;
    const backend = backendOf(Array.from({ length: 400 }, () => "a".repeat(1000)));
    const started = performance.now();
    const all = await events(await ask(backend, { stop: [stop] }));
    assert.equal(textOf(all).length, 400_000);
    assert.ok(performance.now() - started < 3000);
  });

  test("max_tokens holds where the backend does not keep to it, and the backend is stopped", async () => {
    const backend = backendOf(many(1000));
    const all = await events(await ask(backend, { max_tokens: 5 }));
    assert.deepEqual([textOf(all), finishOf(all)], [" 0 1 2 3 4", "length"]);
    assert.deepEqual([backend.seen.pulled, backend.seen.left], [5, 1]);
    const long = await events(await ask(backendOf(["a long piece of text that no model has as one token, ", "more, ", "more"]), { max_tokens: 8 }));
    assert.deepEqual([textOf(long), finishOf(long)], ["a long piece of text that no model has as one token, ", "length"]);
  });

  test("the oldest turns are left out of a conversation over the context; system and last turn stay; a notice says so", async () => {
    const turn = (at) => [{ role: "user", content: `${at}`.repeat(30) }, { role: "assistant", content: "ok".repeat(15) }];
    const messages = [{ role: "system", content: "sys" }, ...turn(1), ...turn(2), ...turn(3), { role: "user", content: "last" }];
    const count = async (list) => list.reduce((sum, { content }) => sum + content.length, 0);
    for (const [context, left] of [[1000, 0], [188, 0], [187, 2], [130, 2], [100, 4], [60, 6], [9, 6]]) {
      const backend = backendOf(["x"], { context, count });
      const all = await events(await ask(backend, { messages, max_tokens: 1 }));
      assert.deepEqual(backend.seen.requests[0].messages, [messages[0], ...messages.slice(1 + left)], `context ${context}`);
      assert.equal(noticeOf(all)?.detail, left ? `The oldest ${left} messages were left out: the local model's context is ${context} tokens.` : undefined);
    }
    // Estimated, the same way round; an estimate alone refuses nothing.
    const rough = backendOf(["x"], { context: 70 });
    await ask(rough, { messages });
    assert.deepEqual(rough.seen.requests[0].messages.map(({ role }) => role), ["system", "user"]);
    const tiny = backendOf(["x"], { context: 5 });
    assert.equal((await ask(tiny, { messages })).status, 200);
    // Counted, it does: the model could not begin.
    const refused = await ask(backendOf(["x"], { context: 5, count }), { messages });
    assert.deepEqual([refused.status, (await refused.json()).error.code], [400, "context_overflow"]);
  });

  test("a long conversation is fitted with few counts", async () => {
    let counts = 0;
    const messages = Array.from({ length: 2001 }, (_, at) => ({ role: at % 2 ? "assistant" : "user", content: "x" }));
    const count = async (list) => ((counts += 1), list.length);
    const backend = backendOf(["x"], { context: 100, count });
    await ask(backend, { messages });
    assert.equal(backend.seen.requests[0].messages.length, 75);
    assert.ok(counts < 20, `${counts} counts`);
  });

  test("nothing is made ahead of the reader", async () => {
    const backend = backendOf(many(1000));
    const response = await ask(backend);
    const reader = response.body.getReader();
    for (let read = 0; read < 10; read++) await reader.read();
    for (let turn = 0; turn < 20; turn++) await tick();
    assert.ok(backend.seen.pulled <= 11, `${backend.seen.pulled} pieces were made for 10 reads`);
    await reader.cancel();
    assert.ok(await soon(() => backend.seen.running === 0));
  });

  test("an abort ends the call with its reason and reaches the backend: before, while waiting for the first piece, in the stream, unary", async () => {
    const reason = new Error("enough");
    const early = backendOf(["x"]);
    assert.equal(await failureOf(ask(early, {}, AbortSignal.abort(reason))), reason);
    assert.equal(early.seen.requests.length, 0);

    for (const [pieces, stream] of [[[forever], true], [["a", forever], false]]) {
      const controller = new AbortController();
      const backend = backendOf(pieces);
      const answer = ask(backend, { stream }, controller.signal);
      assert.ok(await soon(() => backend.seen.running === 1));
      controller.abort(reason);
      assert.equal(await failureOf(answer), reason);
      assert.ok(await soon(() => backend.seen.running === 0));
    }

    const controller = new AbortController();
    const backend = backendOf(["a", "b", forever]);
    const reader = (await ask(backend, {}, controller.signal)).body.getReader();
    for (let read = 0; read < 3; read++) await reader.read();
    const next = reader.read();
    await tick();
    controller.abort(reason);
    assert.equal(await failureOf(next), reason);
    assert.ok(await soon(() => backend.seen.running === 0));
  });

  test("an abort is heard though the backend does not hear it", async () => {
    let release;
    const deaf = backendOf(["a", () => new Promise((resolve) => (release = resolve))]);
    const controller = new AbortController();
    const reader = (await ask(deaf, {}, controller.signal)).body.getReader();
    await reader.read();
    await reader.read();
    const next = reader.read();
    assert.ok(await soon(() => release));
    controller.abort(new Error("enough"));
    assert.equal((await failureOf(next)).message, "enough");
    // The next call waits until it is at rest.
    const second = ask(deaf);
    for (let turn = 0; turn < 10; turn++) await tick();
    assert.equal(deaf.seen.requests.length, 1);
    release("late");
    assert.equal((await second).status, 200);
    assert.equal(deaf.seen.most, 1);
  });

  test("calls of one backend wait for each other, in order; whoever aborts leaves the queue", async () => {
    const backend = backendOf(["a", "b"]);
    const order = [];
    const first = await ask(backend);
    const controller = new AbortController();
    const rest = [1, 2, 3].map((name) => ask(backend, {}, name === 2 ? controller.signal : undefined).then(async (response) => (await events(response), order.push(name))));
    rest[1].catch(() => {});
    for (let turn = 0; turn < 5; turn++) await tick();
    assert.equal(backend.seen.requests.length, 1);
    controller.abort(new Error("no patience"));
    assert.equal((await failureOf(rest[1])).message, "no patience");
    await first.body.cancel();
    await Promise.all([rest[0], rest[2]]);
    assert.deepEqual([order, backend.seen.most, backend.seen.requests.length], [[1, 3], 1, 3]);
  });

  test("another transport to the same backend waits in the same queue; a queue has a bound", async () => {
    const backend = backendOf(["a", forever]);
    const first = await localFetch(backend)(URL, post({ messages: CHAT, stream: true }));
    const controller = new AbortController();
    const waiting = Array.from({ length: 32 }, () => localFetch(backend)(URL, post({ messages: CHAT }, controller.signal)));
    const refused = waiting.map((each) => each.catch((error) => error));
    for (let turn = 0; turn < 50; turn++) await tick();
    const over = await localFetch(backend)(URL, post({ messages: CHAT }));
    assert.deepEqual([over.status, (await over.json()).error.code], [429, "concurrency_limited"]);
    controller.abort(new Error("all"));
    await Promise.all(refused);
    await first.body.cancel();
    assert.equal(backend.seen.requests.length, 1);
  });

  test("a failure before the first piece is an answer, one behind it an error event without [DONE]; the model goes on", async () => {
    const failure = Object.assign(new Error(`it broke ${"x".repeat(2000)}`), { name: "DeviceError" });
    const early = await ask(backendOf([failure]));
    assert.equal(early.status, 502);
    const { error } = await early.json();
    assert.match(error.vendor.message, /^DeviceError: it broke x+$/);
    assert.equal(error.vendor.message.length, 512);

    let broken = true;
    const backend = backendOf(["a", "b"], {
      async *stream() {
        yield "a";
        if (broken) throw failure;
        yield "b";
      },
    });
    const all = await events(await ask(backend));
    assert.deepEqual([textOf(all), finishOf(all), all.at(-1).error.code], ["a", undefined, "upstream_error"]);
    broken = false;
    assert.equal(textOf(await events(await ask(backend))), "ab");
    for (const [name, message] of [["QuotaExceededError", "too big"], ["ContextWindowSizeExceededError", ""], ["Error", "the request exceeds the available context size"]]) {
      const response = await ask(backendOf([Object.assign(new Error(message), { name })]));
      assert.equal((await response.json()).error.code, "context_overflow", name);
    }
    // Thrown, whatever it is.
    for (const thrown of [undefined, null, "words", 5]) {
      const odd = backendOf([], {
        async *stream() {
          throw thrown;
        },
      });
      assert.equal((await (await ask(odd)).json()).error.code, "upstream_error");
    }
  });

  test("a backend that ends its chunks without a finish reason was cut: never a success", async () => {
    const all = await events(await ask(backendOf([chunkOf({ content: "a" }), chunkOf({ content: "b" })])));
    assert.deepEqual([textOf(all), finishOf(all), all.at(-1).error.code], ["ab", undefined, "truncated"]);
    const whole = await ask(backendOf([chunkOf({ content: "a" })]), { stream: false });
    assert.deepEqual([whole.status, (await whole.json()).error.code], [502, "truncated"]);
  });

  test("a Request is taken as well as an init", async () => {
    const request = new Request(URL, post({ messages: CHAT, stream: true }));
    assert.equal(textOf(await events(await localFetch(backendOf(["hi"]))(request))), "hi");
  });

  test("a gate over it reads the reply like any other, and its refusals by their codes", async () => {
    const gate = (backend) => createGate({ baseUrl: "http://local.test/v1", model: "any", fetch: localFetch(backend) });
    const { deltas, end } = await readAll((await gate(backendOf(["Hel", "lo"]))).stream({ messages: CHAT }));
    assert.deepEqual([deltas.map(({ text }) => text ?? "").join(""), end.outcome, end.reply.model], ["Hello", "complete", "own-model"]);
    const reply = await (await gate(backendOf(["Hel", "lo"]))).chat({ messages: CHAT, temperature: 0.5 });
    assert.equal(reply.text, "Hello");
    const noticed = await readAll((await gate(backendOf(["Hel", "lo"]))).stream({ messages: CHAT, temperature: 0.5 }));
    assert.deepEqual([noticed.end.outcome, noticed.end.reply.text], ["complete", "Hello"]);
    const broken = await readAll((await gate(backendOf(["Hel", new Error("x")]))).stream({ messages: CHAT }));
    assert.deepEqual([broken.error.code, broken.error.partial.text], ["upstream_error", "Hel"]);
    const away = await failureOf((await gate(backendOf([], { availability: async () => "downloadable" }))).chat({ messages: CHAT }));
    assert.deepEqual([away.code, away.retryable, away.status], ["misconfigured", false, 503]);
  });

  test("isLocalBackend knows one by its members; localBackend gives it a fetch", async () => {
    const backend = backendOf(["x"]);
    assert.equal(isLocalBackend(backend), true);
    for (const value of [undefined, null, 5, "wllama", {}, () => {}, { ...backend, id: "" }, { ...backend, model: 5 }, { ...backend, stream: undefined }]) assert.equal(isLocalBackend(value), false);
    assert.equal(localBackend(backend), backend);
    assert.equal(textOf(await events(await backend.fetch(URL, post({ messages: CHAT, stream: true })))), "x");
  });
});

const MESSAGES = [{ role: "system", content: "S" }, { role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }];

/** Each backend over its library: `make(model, options)` gives the backend; `asked` what the library got of {@link MESSAGES}. */
const BACKENDS = {
  "prompt-api": {
    make(model, options) {
      globalThis.LanguageModel = fakeLanguageModel(model);
      return promptApi(options);
    },
    asked: ({ prompts }) => prompts,
    unit: 1,
  },
  transformers: { make: (model, options) => transformers({ ...fakeTransformers(model), model: "hub/m", ...options }), asked: ({ messages }) => messages, unit: 400, stopsLoading: false },
  "web-llm": { make: (model, options) => webLlm({ create: fakeWebLlm(model).CreateMLCEngine, model: "m", ...options }), asked: ({ messages }) => messages, unit: 1, stopsLoading: false },
  wllama: { make: (model, options) => wllama({ Wllama: fakeWllama(model).Wllama, wasm: "/w.wasm", model: "https://x.test/a/tiny.gguf?v=1", ...options }), asked: ({ messages }) => messages, unit: 400 },
};

const gpu = { requestAdapter: async () => ({}) };
const withGpu = (value) => Object.defineProperty(globalThis, "navigator", { value: { gpu: value }, configurable: true });
globalThis.Worker ??= class Worker {};
withGpu(gpu);
afterEach(() => {
  delete globalThis.LanguageModel;
  withGpu(gpu);
});

for (const [id, { make, asked, unit, stopsLoading = true }] of Object.entries(BACKENDS)) {
  describe(id, () => {
    test("is a local backend; it downloads when it is prepared and never else", async () => {
      const model = new FakeModel();
      const backend = make(model);
      assert.ok(isLocalBackend(backend));
      assert.equal(backend.id, id);
      assert.equal(await backend.availability(), "downloadable");
      assert.equal((await ask(backend)).status, 503);
      assert.match((await failureOf(backend.stream({ messages: CHAT }, new AbortController().signal).next())).message, /prepare/);
      assert.equal(model.loads, 0);
    });

    test("prepare() tells its progress, is joined, and is quick when done", async () => {
      const model = new FakeModel();
      const backend = make(model);
      const progress = [[], []];
      const both = progress.map((list) => backend.prepare({ onProgress: (each) => list.push(each) }));
      await tick();
      await tick();
      assert.equal(await backend.availability(), "downloading");
      await Promise.all(both);
      assert.deepEqual(progress[0].map(({ loaded }) => loaded), [0, 1, 2, 3, 4].map((step) => (step * unit) / 4));
      assert.deepEqual([progress[1], progress[0].at(-1).total, model.unloads], [progress[0], unit, 0]);
      await backend.prepare({ onProgress: () => assert.fail("nothing is loaded") });
      assert.deepEqual([await backend.availability(), model.loads], ["ready", 1]);
    });

    test("one who leaves a load does not end it for the others; when all have left it is given up, and can be begun again", async () => {
      const model = new FakeModel();
      const backend = make(model);
      const controller = new AbortController();
      const reason = new Error("not now");
      const leaving = backend.prepare({ signal: controller.signal });
      const staying = backend.prepare();
      await tick();
      controller.abort(reason);
      assert.equal(await failureOf(leaving), reason);
      await staying;
      assert.equal(await backend.availability(), "ready");
      await backend.dispose();

      const second = new FakeModel();
      const other = make(second);
      const alone = new AbortController();
      const given = other.prepare({ signal: alone.signal });
      await tick();
      alone.abort(reason);
      assert.equal(await failureOf(given), reason);
      await other.prepare();
      assert.deepEqual([await other.availability(), second.loads], ["ready", 2]);
      if (stopsLoading) assert.equal(second.givenUp, 1);
      // What cannot be stopped is freed when it comes.
      else assert.equal(second.unloads, 1);
    });

    test("a load that fails rejects with the library's error, and can be tried again", async () => {
      const model = Object.assign(new FakeModel(), { failLoads: 1 });
      const backend = make(model);
      assert.equal((await failureOf(backend.prepare())).message, "no such file");
      assert.equal(await backend.availability(), "downloadable");
      await backend.prepare();
      assert.equal(await backend.availability(), "ready");
    });

    test("dispose() in the middle of a load ends it for all who wait", async () => {
      const model = new FakeModel();
      const backend = make(model);
      const waiting = [backend.prepare(), backend.prepare()].map(failureOf);
      await tick();
      await backend.dispose();
      assert.deepEqual((await Promise.all(waiting)).map(({ name }) => name), ["AbortError", "AbortError"]);
      assert.equal(await backend.availability(), "downloadable");
      await backend.prepare();
      assert.equal(await backend.availability(), "ready");
    });

    test("streams an answer: text, one finish, [DONE]", async () => {
      const model = new FakeModel();
      const backend = make(model);
      await backend.prepare();
      const all = await events(await ask(backend, { messages: MESSAGES }));
      assert.deepEqual([textOf(all), finishOf(all), all.at(-1)], ["Hello world", "stop", "[DONE]"]);
      assert.deepEqual(asked(model.requests[0]).map(({ role, content }) => ({ role, content })), MESSAGES);
      assert.equal(all[0].model, backend.model);
      const usage = all.at(-2).usage;
      if (id !== "prompt-api") assert.deepEqual([usage.total_tokens > usage.prompt_tokens, usage.completion_tokens > 0], [true, true]);
      assert.equal((await (await ask(backend, { stream: false })).json()).choices[0].message.content, "Hello world");
    });

    test("a limit on the tokens ends with length; a stop string ends it where it stands", async () => {
      const backend = make(Object.assign(new FakeModel(), { endless: true }));
      await backend.prepare();
      const cut = await events(await ask(backend, { max_tokens: 2 }));
      assert.deepEqual([textOf(cut), finishOf(cut)], ["Hello", "length"]);
      const stopped = await events(await ask(backend, { stop: ["o w"] }));
      assert.deepEqual([textOf(stopped), finishOf(stopped)], ["Hell", "stop"]);
    });

    test("an abort, and a body that is left, stop the library; the next call runs alone", async () => {
      const model = Object.assign(new FakeModel(), { endless: true });
      const backend = make(model);
      await backend.prepare();
      const controller = new AbortController();
      const reader = (await ask(backend, {}, controller.signal)).body.getReader();
      for (let read = 0; read < 4; read++) await reader.read();
      controller.abort(new Error("enough"));
      assert.equal((await failureOf(reader.read())).message, "enough");
      assert.ok(await soon(() => model.running === 0));
      assert.ok(model.stopped >= 1 || id === "prompt-api");

      const second = (await ask(backend)).body.getReader();
      await second.read();
      await second.cancel();
      // At once: it has to wait until the library is at rest.
      const third = ask(backend);
      await soon(() => model.running === 0);
      model.endless = false;
      await (await third).body.cancel();
      assert.equal(textOf(await events(await ask(backend))), "Hello world");
      assert.equal(model.most, 1);
    });

    test("an abort is heard between two pieces, however long the next one takes", async () => {
      const model = Object.assign(new FakeModel(), { stallAt: 1 });
      const backend = make(model);
      await backend.prepare();
      const controller = new AbortController();
      const reader = (await ask(backend, {}, controller.signal)).body.getReader();
      for (let read = 0; read < 2; read++) await reader.read();
      const next = reader.read();
      for (let turn = 0; turn < 5; turn++) await tick();
      controller.abort(new Error("enough"));
      assert.equal((await failureOf(next)).message, "enough");
      assert.ok(await soon(() => model.running === 0));
      model.stallAt = Infinity;
      assert.equal(textOf(await events(await ask(backend))), "Hello world");
    });

    test("an abort before the library has begun is not forgotten", async () => {
      const model = Object.assign(new FakeModel(), { endless: true });
      const backend = make(model);
      await backend.prepare();
      for (let turns = 0; turns < 6; turns++) {
        const controller = new AbortController();
        const answer = ask(backend, {}, controller.signal).catch((error) => error);
        for (let turn = 0; turn < turns; turn++) await tick();
        controller.abort(new Error("enough"));
        await answer;
        assert.ok(await soon(() => model.running === 0), `after ${turns} turns`);
      }
      model.endless = false;
      assert.equal(textOf(await events(await ask(backend))), "Hello world");
    });

    test("calls wait for each other, by fetch and by stream()", async () => {
      const model = new FakeModel();
      const backend = make(model);
      await backend.prepare();
      const direct = async () => {
        let text = "";
        for await (const piece of backend.stream({ messages: CHAT }, new AbortController().signal)) text += typeof piece === "string" ? piece : (piece.choices[0]?.delta.content ?? "");
        return text;
      };
      const texts = await Promise.all([ask(backend).then(events).then(textOf), direct(), ask(backend).then(events).then(textOf), direct()]);
      assert.deepEqual(texts, Array(4).fill("Hello world"));
      assert.equal(model.most, 1);
    });

    test("an error of the library ends the stream with an error event, and the next call works", async () => {
      const model = Object.assign(new FakeModel(), { failAt: 2 });
      const backend = make(model);
      await backend.prepare();
      const all = await events(await ask(backend));
      assert.deepEqual([textOf(all), finishOf(all), all.at(-1).error.code], ["Hello", undefined, "upstream_error"]);
      assert.match(all.at(-1).error.vendor.message, /the device is lost/);
      model.failAt = Infinity;
      assert.equal(textOf(await events(await ask(backend))), "Hello world");
    });

    test("dispose() stops what runs and frees the model, which can be prepared again", async () => {
      const model = Object.assign(new FakeModel(), { endless: true });
      const backend = make(model);
      await backend.prepare();
      const reader = (await ask(backend)).body.getReader();
      await reader.read();
      const waiting = ask(backend);
      // The turn of the second call comes when the first is read to its end.
      const rest = (async () => {
        let text = "";
        for (let step; !(step = await reader.read()).done; ) text += new TextDecoder().decode(step.value);
        return text;
      })();
      await tick();
      await backend.dispose();
      assert.match(await rest, /"error"/);
      const second = await waiting;
      // The browser's own model cannot be taken away: the next call has it again.
      assert.equal(second.status === 200, id === "prompt-api");
      await second.body.cancel();
      assert.ok(await soon(() => model.running === 0));
      assert.ok(model.unloads > 0);
      assert.equal(await backend.availability(), id === "prompt-api" ? "ready" : "downloadable");
      model.endless = false;
      await backend.prepare();
      assert.equal(textOf(await events(await ask(backend))), "Hello world");
      await backend.dispose();
      await backend.dispose();
    });
  });
}

describe("what is special", () => {
  test("prompt-api: no API is unavailable; a model that is there is ready without prepare()", async () => {
    const none = promptApi();
    assert.equal(await none.availability(), "unavailable");
    assert.match((await failureOf(none.prepare())).message, /Prompt API/);
    globalThis.LanguageModel = { availability: async () => Promise.reject(new DOMException("forbidden", "NotAllowedError")) };
    assert.equal(await none.availability(), "unavailable");
    const model = new FakeModel();
    await BACKENDS["prompt-api"].make(model).prepare();
    const later = promptApi({ name: "nano" });
    assert.equal(await later.availability(), "ready");
    const all = await events(await ask(later));
    assert.deepEqual([textOf(all), all[0].model], ["Hello world", "nano"]);
  });

  test("prompt-api: its own count and window fit the history; JSON goes as a constraint, a begun answer as a prefix, a picture as a blob", async () => {
    const model = new FakeModel();
    globalThis.LanguageModel = fakeLanguageModel(model, { window: 40 });
    const backend = promptApi({ vision: true });
    await backend.prepare();
    assert.equal(backend.context, 40);
    const long = [{ role: "user", content: "x".repeat(60) }, { role: "assistant", content: "y" }, ...CHAT];
    assert.match(noticeOf(await events(await ask(backend, { messages: long }))).detail, /oldest 2 messages/);
    const schema = { type: "object", properties: { a: { type: "string" } } };
    await events(await ask(backend, { response_format: { type: "json_schema", json_schema: { name: "n", schema } } }));
    await events(await ask(backend, { response_format: { type: "json_object" } }));
    assert.deepEqual(model.requests.slice(1).map(({ responseConstraint }) => responseConstraint), [schema, { type: "object" }]);
    await events(await ask(backend, { messages: [...CHAT, { role: "assistant", content: "He" }] }));
    assert.deepEqual(model.requests.at(-1).prompts.at(-1), { role: "assistant", content: "He", prefix: true });
    await events(await ask(backend, { messages: [{ role: "system", content: "Speak." }] }));
    assert.deepEqual(model.requests.at(-1).prompts, [{ role: "user", content: "Speak." }]);
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${btoa("PNG!")}` } };
    await events(await ask(backend, { messages: [{ role: "user", content: [{ type: "text", text: "?" }, image] }] }));
    const [text, picture] = model.requests.at(-1).prompts[0].content;
    assert.deepEqual([text, picture.type, picture.value.type, await picture.value.text()], [{ type: "text", value: "?" }, "image", "image/png", "PNG!"]);
    const broken = { type: "image_url", image_url: { url: "data:image/png;base64,*" } };
    assert.equal((await (await ask(backend, { messages: [{ role: "user", content: [broken] }] })).json()).error.code, "invalid_request");
  });

  test("web-llm and transformers on WebGPU: a browser without an adapter is unavailable", async () => {
    const all = () => [BACKENDS["web-llm"].make(new FakeModel()), BACKENDS.transformers.make(new FakeModel(), { options: { device: "webgpu" } })];
    for (const value of [undefined, { requestAdapter: async () => null }, { requestAdapter: async () => Promise.reject(new Error("no")) }]) {
      withGpu(value);
      for (const backend of all()) assert.equal(await backend.availability(), "unavailable");
      assert.equal(await BACKENDS.transformers.make(new FakeModel()).availability(), "downloadable");
    }
  });

  test("web-llm: an engine of the app's own is ready, and is not unloaded", async () => {
    const model = new FakeModel();
    const backend = webLlm({ engine: fakeWebLlm(model).engine, model: "m" });
    assert.equal(await backend.availability(), "ready");
    assert.equal(textOf(await events(await ask(backend))), "Hello world");
    await backend.dispose();
    assert.equal(model.unloads, 0);
  });

  test("web-llm: parameters, JSON and the app's own settings reach it; a lost device has to be loaded anew", async () => {
    const model = new FakeModel();
    const seen = [];
    const { CreateMLCEngine } = fakeWebLlm(model);
    const create = (...args) => (seen.push(args), CreateMLCEngine(...args));
    const told = [];
    const backend = webLlm({ create, model: "m", config: { logLevel: "SILENT", initProgressCallback: (report) => told.push(report.progress) }, chatOptions: { context_window_size: 77 } });
    await backend.prepare();
    assert.deepEqual([seen[0][0], seen[0][1].logLevel, seen[0][2], backend.context, told.length], ["m", "SILENT", { context_window_size: 77 }, 77, 5]);
    await events(await ask(backend, { temperature: 0, max_tokens: 20, stop: "x", seed: 1, response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } } }));
    const { messages, ...rest } = model.requests[0];
    assert.equal(messages.length, 1);
    assert.deepEqual(rest, { temperature: 0, max_tokens: 20, stop: ["x"], seed: 1, stream: true, stream_options: { include_usage: true }, response_format: { type: "json_object", schema: '{"type":"object"}' } });
    Object.assign(model, { failAt: 1, failure: Object.assign(new Error("gone"), { name: "DeviceLostError" }) });
    await events(await ask(backend));
    assert.deepEqual([await backend.availability(), model.unloads], ["downloadable", 1]);
  });

  test("wllama: careful parameters, the app's own before them, one slot always, no CDN, the file's name as the model", async () => {
    const model = new FakeModel();
    const library = fakeWllama(model);
    const backend = wllama({ load: async () => library, wasm: "/w.wasm", model: "https://x.test/a/Tiny-Q4.gguf#x", context: 512, parameters: { n_threads: 2, n_batch: 32, n_parallel: 4 } });
    await backend.prepare();
    const { parameters, compat, config } = library.Wllama.last;
    const { n_ctx, n_batch, n_ubatch, n_parallel, n_threads, n_gpu_layers } = parameters;
    assert.deepEqual({ n_ctx, n_batch, n_ubatch, n_parallel, n_threads, n_gpu_layers }, { n_ctx: 512, n_batch: 32, n_ubatch: 64, n_parallel: 1, n_threads: 2, n_gpu_layers: 0 });
    assert.deepEqual([compat, config.allowOffline, backend.model, backend.context], [null, true, "Tiny-Q4", 512]);
  });

  test("wllama: a file that does not load is an error though the library says nothing, and leaves the cache", async () => {
    const library = fakeWllama(new FakeModel());
    const backend = wllama({ ...library, wasm: "/w.wasm", model: "/m.gguf" });
    library.breakFile();
    assert.match((await failureOf(backend.prepare())).message, /cannot be loaded/);
    assert.deepEqual([library.deleted, await backend.availability()], [["/m.gguf"], "downloadable"]);
    library.breakFile(false);
    await backend.prepare();
    assert.equal(await backend.availability(), "ready");
  });

  test("wllama: a load that stands still fails, instead of hanging; it can be left before", async () => {
    const make = (stallMs) => wllama({ ...fakeWllama(new FakeModel()), wasm: "/missing.wasm", model: "/m.gguf", stallMs });
    assert.match((await failureOf(make(20).prepare())).message, /wasm/);
    const controller = new AbortController();
    const left = make(60_000).prepare({ signal: controller.signal });
    await tick();
    controller.abort(new Error("enough"));
    assert.equal((await failureOf(left)).message, "enough");
  });

  test("wllama: a trap of the wasm frees the model; a picture goes as bytes", async () => {
    const model = Object.assign(new FakeModel(), { failAt: 1, failure: Object.assign(new Error("unreachable"), { name: "RuntimeError" }) });
    const backend = BACKENDS.wllama.make(model, { vision: true });
    await backend.prepare();
    assert.equal((await events(await ask(backend))).at(-1).error.code, "upstream_error");
    assert.deepEqual([await backend.availability(), model.unloads], ["downloadable", 1]);
    model.failAt = Infinity;
    await backend.prepare();
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${btoa("PNG!")}` } };
    await events(await ask(backend, { messages: [{ role: "user", content: [image] }] }));
    const [part] = model.requests.at(-1).messages[0].content;
    assert.deepEqual([part.type, Buffer.from(part.data).toString()], ["image", "PNG!"]);
  });

  test("transformers: the app's options and sampling reach it; a prompt over the context is fitted by its tokenizer", async () => {
    const model = new FakeModel();
    const library = fakeTransformers(model);
    const backend = transformers({ load: async () => library, model: "hub/m", options: { dtype: "q4" }, context: 40, maxTokens: 9 });
    await backend.prepare();
    assert.deepEqual([library.asked.task, library.asked.id, library.asked.options.dtype], ["text-generation", "hub/m", "q4"]);
    const long = [{ role: "user", content: "x".repeat(60) }, { role: "assistant", content: "y" }, ...CHAT];
    const all = await events(await ask(backend, { messages: long, temperature: 0.5, top_p: 0.9 }));
    assert.match(noticeOf(all).detail, /top_p.*oldest 2 messages/);
    assert.deepEqual(model.requests[0], { messages: CHAT, max_new_tokens: 9, do_sample: true, temperature: 0.5 });
    assert.deepEqual(all.at(-2).usage, { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 });
    await events(await ask(backend, { temperature: 0 }));
    assert.equal(model.requests[1].do_sample, false);
  });

  test("a backend without its library is refused when it is made", () => {
    for (const make of [() => webLlm({ model: "m" }), () => wllama({ wasm: "w", model: "m" }), () => transformers({ model: "m" })]) assert.throws(make, TypeError);
  });
});
