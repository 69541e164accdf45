// What streams through: the same bytes, at once, and no longer than someone listens.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { content, events, startGate } from "./gate.mjs";

describe("streams", () => {
  let upstream;
  let gate;
  before(async () => {
    upstream = await startUpstream({ dialect: "openai" });
    gate = await startGate({ config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"] }],
      development: true,
    } });
  });
  after(async () => {
    await gate?.stop();
    await upstream?.close();
  });

  const body = (model, more = {}) => ({ model, stream: true, messages: [{ role: "user", content: "Hello, 世界" }], ...more });

  test("what the caller asked for streams through byte for byte", async () => {
    for (const model of ["gpt-x", "gpt-x+crlf", "gpt-x+bytes", "gpt-x+chunks-7", "gpt-x+split-utf8", "gpt-x+keepalive", "gpt-x+bom"]) {
      const request = body(model, { stream_options: { include_usage: true } });
      const direct = await fetch(`${upstream.url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
      const through = await gate.chat(request);
      // The ids are counted by the scripted upstream, the keep-alive comments by its clock.
      const plain = (text) => text.replace(/"(id|system_fingerprint)":"[^"]*"/g, "").replace(/"created":\d+/g, "").replace(/: keep-alive(\r?\n)+/g, "");
      assert.equal(plain(await through.text()), plain(await direct.text()), model);
    }
  });

  test("every text arrives whole, however its bytes are cut", async () => {
    for (const trait of ["split-utf8", "bytes", "chunks-3", "chunks-1000", "cr", "crlf+chunks-5", "no-blank", "no-done", "big-event"]) {
      const request = body(`gpt-x+${trait}`);
      const { list, done } = await events(await gate.chat(request));
      assert.equal(content(list), expectedAnswer(request, { dialect: "openai" }).text, trait);
      assert.ok(done, trait);
    }
  });

  test("token counts are asked for and known, and shown only to those who asked", async () => {
    const unasked = await gate.chat(body("gpt-x"));
    const { list } = await events(unasked);
    assert.ok(!list.some((event) => event.usage || event.choices?.length === 0));
    assert.equal(upstream.requests.at(-1).body.stream_options.include_usage, true);
    const line = await gate.settled(unasked.headers.get("x-request-id"));
    assert.ok(line.usage.completion_tokens > 0 && line.usage.prompt_tokens > 0);

    const asked = await events(await gate.chat(body("gpt-x", { stream_options: { include_usage: true } })));
    assert.deepEqual(asked.list.at(-2).choices, []);
    assert.ok(asked.list.at(-2).usage.total_tokens > 0);
  });

  test("the first events arrive while the upstream still writes", async () => {
    const response = await gate.chat(body("gpt-x+slow-drip-100+long-20"));
    const reader = response.body.getReader();
    const started = Date.now();
    await reader.read();
    assert.ok(Date.now() - started < 1_000);
    await reader.cancel();
  });

  for (const [trait, what] of [["endless+rate-50", "while it streams"], ["stall-3", "while the upstream is silent"], ["slow-first-8000", "before the first token"]]) {
    test(`a caller who leaves ${what} ends the upstream's work within a second`, async () => {
      const model = `gpt-x+${trait}`;
      const abort = new AbortController();
      const response = await gate.chat(body(model), { signal: abort.signal });
      const reader = response.body.getReader();
      if (trait !== "slow-first-8000") await reader.read();
      const left = Date.now();
      abort.abort();
      const seen = upstream.requests.findLast((request) => request.model === model);
      while (!seen.aborted && Date.now() - left < 5_000) await delay(10);
      assert.ok(seen.aborted, "the upstream was told");
      assert.ok(Date.now() - left < 1_000, `after ${Date.now() - left} ms`);
      const line = await gate.settled(response.headers.get("x-request-id"));
      assert.deepEqual([line.outcome, line.error], ["aborted", "cancelled"]);
    });
  }

  test("a caller who leaves before the head ends the upstream's work within a second", async () => {
    for (const stream of [true, false]) {
      const model = `gpt-x+silence+chunks-${stream ? 1 : 2}`;
      const body = JSON.stringify({ model, stream, messages: [{ role: "user", content: "Hello" }] });
      const socket = connect(gate.port, "127.0.0.1");
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      let seen;
      while (!(seen = upstream.requests.findLast((request) => request.model === model))) await delay(10);
      const left = Date.now();
      // workerd on its own notices a reset only; a caller who just closes its side may still be reading, as far as it knows.
      socket.resetAndDestroy();
      while (!seen.aborted && Date.now() - left < 5_000) await delay(10);
      assert.ok(seen.aborted && Date.now() - left < 1_000, `stream ${stream}, after ${Date.now() - left} ms`);
    }
  });

  test("a silent stream gets comments, which no reader takes for events", async () => {
    const { list, text } = await events(await gate.chat(body("gpt-x+slow-first-1500+bom")));
    assert.match(text, /^:\n\n(:\n\n)*data: /);
    assert.equal(content(list), expectedAnswer(body("gpt-x"), { dialect: "openai" }).text);
  });

  test("a caller who reads slowly holds the upstream back, and gets everything", async () => {
    const model = "gpt-x+long-60000";
    const response = await gate.chat(body(model));
    await delay(500);
    const { list, done } = await events(response);
    assert.ok(done);
    assert.ok(content(list).length > 100_000);
  });

  test("two hundred streams at once keep apart", async () => {
    await Promise.all(Array.from({ length: 200 }, async (_, index) => {
      const words = `canary-${index}-${"x".repeat(index % 7)}`;
      const { list, done } = await events(await gate.chat({ model: "gpt-x+echo", stream: true, messages: [{ role: "user", content: words }] }));
      assert.ok(done);
      assert.equal(content(list), words);
    }));
  });
});

test("a server that keeps the connection open after [DONE] does not keep the caller", async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const config = {
    upstreams: [{ name: "open", dialect: "openai", base_url: `http://127.0.0.1:${server.address().port}/v1`, models: ["*"] }],
    development: true,
  };
  const gate = await startGate({ config });
  try {
    const started = Date.now();
    const response = await gate.chat({ model: "m", stream: true });
    const { done, error } = await events(response);
    assert.ok(done && !error);
    assert.ok(Date.now() - started < 3_000);
    assert.equal((await gate.settled(response.headers.get("x-request-id"))).outcome, "complete");
  } finally {
    await gate.stop();
    server.closeAllConnections();
    server.close();
  }
});

test("a connection to the upstream is used again when an answer is over, whole or streamed", async () => {
  let connections = 0;
  const whole = JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }] });
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => {
      if (JSON.parse(text).stream) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end('data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
      } else {
        response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
        response.end(whole);
      }
    });
  });
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const config = {
    upstreams: [{ name: "one", dialect: "openai", base_url: `http://127.0.0.1:${server.address().port}/v1`, models: ["*"] }],
    development: true,
  };
  const gate = await startGate({ config });
  try {
    for (const stream of [false, false, true, false, true, true]) {
      const response = await gate.chat({ model: "m", stream });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      // A stream's end may reach the caller before the call has let go of the connection.
      await gate.settled(response.headers.get("x-request-id"));
    }
    assert.equal(connections, 1);
  } finally {
    await gate.stop();
    server.closeAllConnections();
    server.close();
  }
});
