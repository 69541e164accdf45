// A streamed call whose connection breaks goes on over another, against the built Worker in workerd, behind a proxy that breaks connections.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { createGate } from "sluicegate";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { startGate } from "../worker/gate.mjs";
import { CHAT, failureOf, joined, readAll, soon, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
let upstream;
let worker;
let proxy;

/**
 * Hands bytes on between its clients and the Worker. Of each connection that asks for a stream it hands on so many bytes of the answer's
 * body as `plan` says for it, and then breaks it (`reset`) or ends it (`end`); `refuse` breaks so many connections at once.
 */
async function startProxy(port) {
  const state = { plan: [], how: "reset", refuse: 0, requests: [] };
  const server = createServer((client) => {
    client.on("error", () => {});
    if (state.refuse > 0) {
      state.refuse--;
      state.requests.push("refused");
      return client.resetAndDestroy();
    }
    const origin = connect(port, "127.0.0.1");
    const both = [client, origin];
    for (const [at, socket] of both.entries()) socket.on("error", () => {}).on("close", () => both[1 - at].destroy());
    let left = Infinity;
    let body = false;
    client.on("data", (bytes) => {
      const [, request] = /^((?:GET|POST|DELETE) \S+)/.exec(bytes.toString("latin1")) ?? [];
      if (request) {
        const last = /^last-event-id: (.*)$/im.exec(bytes.toString("latin1").split("\r\n\r\n")[0])?.[1];
        state.requests.push(last ? `${request} behind ${last}` : request);
        body = false;
        left = request.startsWith("DELETE") ? Infinity : (state.plan.shift() ?? Infinity);
      }
      origin.write(bytes);
    });
    origin.on("data", (bytes) => {
      let from = 0;
      if (!body) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end >= 0) [body, from] = [true, end + 4];
      }
      if (bytes.length - from < left) {
        left -= bytes.length - from;
        return client.write(bytes);
      }
      client.write(bytes.subarray(0, from + left), () => {
        if (state.how === "end") client.end();
        else client.resetAndDestroy();
        origin.resetAndDestroy();
      });
      left = Infinity;
      origin.removeAllListeners("data");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  state.url = `http://127.0.0.1:${server.address().port}/v1`;
  state.reset = (more) => Object.assign(state, { plan: [], how: "reset", refuse: 0, requests: [], ...more });
  state.close = () => new Promise((resolve) => server.close(resolve));
  return state;
}

before(async () => {
  upstream = await startUpstream({ dialect: "openai" });
  worker = await startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"] }],
      callers: { credentials: "ignore" },
      development: true,
    },
  });
  proxy = await startProxy(worker.port);
});
after(async () => {
  assert.deepEqual(await rejections(), []);
  await worker?.stop();
  await upstream?.close();
  await proxy?.close();
});

// Each connection of its own: one of a pool may be broken before it is used.
const fresh = (url, init) => fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), connection: "close" } });
const gateOf = (more) => createGate({ baseUrl: proxy.url, apiKey: "key-of-the-test", resume: true, fetch: fresh, ...more });
const answer = (model) => expectedAnswer({ model, messages: CHAT }, { dialect: "openai" }).text;
const asked = (model) => upstream.requests.filter((request) => request.model === model);
const visits = () => proxy.requests.filter((request) => request.startsWith("GET"));
const events = ({ timeline }) => timeline.map(({ event }) => event);
const seconds = 5_000;

for (const how of ["reset", "end"]) {
  test(`a stream is the same whatever number of bytes its connection breaks behind (${how})`, async () => {
    const gate = await gateOf();
    for (const [at, bytes] of [1, 180, 333, 500, 777, 1_234, 2_500, 4_000].entries()) {
      const model = `gpt-${how[0]}${at}+rate-400`;
      proxy.reset({ plan: [bytes], how });
      const { deltas, end, error } = await readAll(gate.stream({ model, messages: CHAT }));
      const context = `broken behind ${bytes} bytes: ${proxy.requests.join(", ")}`;
      assert.equal(error, undefined, context);
      assert.equal(joined(deltas, "text"), answer(model), context);
      assert.equal(end.reply.text, answer(model), context);
      assert.deepEqual([end.outcome, end.reply.attempts, asked(model).length, visits().length], ["complete", 1, 1, 1], context);
      assert.deepEqual(deltas.filter(({ type }) => type === "notice").map(({ code }) => code), ["resumed"], context);
      assert.ok(events(end.reply).includes("resumed"), context);
      assert.ok(end.usage.completion_tokens > 0, context);
    }
  });
}

test("a connection that breaks again and again loses nothing", async () => {
  const model = "gpt-again+rate-300+long-100";
  proxy.reset({ plan: Array.from({ length: 12 }, (_, at) => 700 + 90 * at) });
  const reply = await (await gateOf()).stream({ model, messages: CHAT }).reply();
  assert.equal(reply.text, answer(model));
  assert.equal(asked(model).length, 1);
  assert.ok(visits().length >= 10, proxy.requests.join(", "));
});

test("a network that is away for a while is waited for", async () => {
  const model = "gpt-away+rate-300";
  proxy.reset({ plan: [900] });
  const gate = await gateOf();
  const deltas = [];
  for await (const delta of gate.stream({ model, messages: CHAT })) {
    if (deltas.push(delta) === 1) proxy.refuse = 2;
  }
  assert.equal(joined(deltas, "text"), answer(model));
  assert.equal(proxy.requests.filter((request) => request === "refused").length, 2);
  assert.equal(asked(model).length, 1);
});

test("a stream that is gone is gone on with by asking the model", async () => {
  const model = "gpt-gone+rate-300";
  proxy.reset({ plan: [900] });
  let id;
  const forgetful = async (url, init) => {
    // Somebody else ends it in between.
    if (init.method === "GET") await worker.fetch(`/v1/streams/${id}`, { method: "DELETE", headers: { authorization: "Bearer key-of-the-test" } });
    const response = await fresh(url, init);
    id ??= response.headers.get("x-sluicegate-stream");
    return response;
  };
  const { deltas } = await readAll((await gateOf({ fetch: forgetful })).stream({ model, messages: CHAT }));
  assert.equal(visits().length, 1);
  assert.equal(asked(model).length, 2, "the ordinary recovery");
  assert.ok(joined(deltas, "text").length > 0);
});

for (const [name, leave] of [
  ["the signal", async (stream, controller) => (controller.abort(), failureOf(stream.reply()))],
  ["cancel()", async (stream) => (stream.cancel(), failureOf(stream.reply()))],
  ["leaving the loop", async (stream) => stream[Symbol.asyncIterator]().return()],
]) {
  test(`an abort by ${name} is seen by the upstream at once, and cannot be resumed`, async () => {
    const model = `gpt-${name.replace(/\W/g, "")}+endless+rate-100`;
    proxy.reset();
    let id;
    const noting = async (url, init) => {
      const response = await fresh(url, init);
      id ??= response.headers.get("x-sluicegate-stream");
      return response;
    };
    const controller = new AbortController();
    const stream = (await gateOf({ fetch: noting })).stream({ model, messages: CHAT }, { signal: controller.signal });
    const reading = stream[Symbol.asyncIterator]();
    for (let count = 0; count < 5; count++) await reading.next();
    await leave(stream, controller);
    assert.ok(await soon(() => asked(model)[0].aborted, 2_000), "the upstream was told");
    assert.deepEqual(proxy.requests.slice(1), [`DELETE /v1/streams/${id}`]);
    const again = await worker.fetch(`/v1/streams/${id}`, { headers: { authorization: "Bearer key-of-the-test", "last-event-id": "1" } });
    assert.equal(again.status, 410);
  });
}

test("an abort while the connection is away is told as soon as it can be, and nothing is resumed", async () => {
  const model = "gpt-offline+endless+rate-100";
  proxy.reset({ plan: [900] });
  const controller = new AbortController();
  const stream = (await gateOf()).stream({ model, messages: CHAT }, { signal: controller.signal });
  let first = true;
  const error = await failureOf((async () => {
    for await (const _ of stream) {
      if (first) [first, proxy.refuse] = [false, 1];
      if (proxy.requests.includes("refused")) break;
      void soon(() => proxy.requests.includes("refused"), seconds).then(() => controller.abort());
    }
  })());
  assert.equal(error.code, "cancelled");
  assert.ok(await soon(() => asked(model)[0].aborted, 2_000), "the upstream was told");
  assert.equal(visits().length, 0);
  assert.equal(proxy.requests.filter((request) => request.startsWith("DELETE")).length, 1);
});

test("without the option nothing is kept, and whole answers are not asked to be", async () => {
  const seen = [];
  const noting = (url, init) => (seen.push(new Headers(init.headers).get("x-sluicegate-resume")), fresh(url, init));
  proxy.reset();
  await (await gateOf({ resume: undefined, fetch: noting })).stream({ model: "gpt-x", messages: CHAT }).reply();
  const gate = await gateOf({ fetch: noting });
  await gate.chat({ model: "gpt-x", messages: CHAT });
  await gate.stream({ model: "gpt-x", messages: CHAT }).reply();
  assert.deepEqual(seen, [null, null, "1"]);
  assert.equal((await failureOf(gateOf({ resume: "yes" }))).param, "resume");
});

test("the openai SDK reads a broken stream through gate.fetch as if it were whole", async () => {
  const gate = await gateOf();
  const client = new OpenAI({ baseURL: proxy.url, apiKey: "unused", fetch: gate.fetch, maxRetries: 0 });
  for (const [at, bytes] of [1, 400, 1_500, 4_000].entries()) {
    const model = `gpt-sdk-${at}+rate-400`;
    proxy.reset({ plan: [bytes, 1_000] });
    const stream = await client.chat.completions.create({ model, messages: CHAT, stream: true });
    let text = "";
    for await (const part of stream) text += part.choices[0]?.delta?.content ?? "";
    assert.equal(text, answer(model), `broken behind ${bytes} bytes: ${proxy.requests.join(", ")}`);
    assert.equal(asked(model).length, 1);
    assert.equal(visits().length, 2, proxy.requests.join(", "));
  }
});

test("an SDK's abort ends the upstream's work", async () => {
  const model = "gpt-sdk+endless+rate-100";
  proxy.reset();
  const gate = await gateOf();
  const client = new OpenAI({ baseURL: proxy.url, apiKey: "unused", fetch: gate.fetch, maxRetries: 0 });
  let count = 0;
  for await (const _ of await client.chat.completions.create({ model, messages: CHAT, stream: true })) if (++count === 5) break;
  assert.ok(await soon(() => asked(model)[0].aborted, 2_000), "the upstream was told");
  assert.equal(visits().length, 0);
});
