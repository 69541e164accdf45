// What upstreams and callers do seldom: answers of another kind than asked for, readers that pause.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { startGate } from "./gate.mjs";

const chunk = (delta, finish = null) => `data: ${JSON.stringify({ id: "c1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const whole = { id: "c1", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };

let upstream;
let gate;

before(async () => {
  upstream = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      if (JSON.parse(body).model === "whole") return response.setHeader("content-type", "application/json").end(JSON.stringify(whole));
      response.setHeader("content-type", "text/event-stream");
      // More than all buffers on the way hold.
      const text = "x".repeat(60_000);
      for (let i = 0; i < 400; i++) response.write(chunk({ content: text }));
      response.end(`${chunk({}, "stop")}data: [DONE]\n\n`);
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  gate = await startGate({
    config: {
      upstreams: [
        { name: "odd", dialect: "openai", base_url: `http://127.0.0.1:${upstream.address().port}/v1`, models: ["*"] },
        { name: "keyless", dialect: "openai", base_url: "https://api.example.com/v1", secret: "NOT_SET", models: ["other"] },
      ],
      budgets: { idle_ms: 700, content_idle_ms: 700 },
      development: true,
    },
  });
});

after(async () => {
  await gate?.stop();
  upstream?.close();
});

test("a stream request that the upstream answers whole is answered as a stream", async () => {
  const response = await gate.chat({ model: "whole", stream: true, messages: [{ role: "user", content: "Hi" }] });
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  const events = (await response.text()).split("\n\n").filter(Boolean).map((event) => event.replace(/^data: /, ""));
  assert.equal(events.pop(), "[DONE]");
  const [{ choices, usage, object }] = events.map((event) => JSON.parse(event));
  assert.deepEqual([object, choices[0].delta.content, choices[0].finish_reason, usage.total_tokens], ["chat.completion.chunk", "Hello", "stop", 2]);
});

test("a caller who pauses longer than the idle budgets gets the whole answer, and nobody is blamed", { timeout: 30_000 }, async () => {
  const body = JSON.stringify({ model: "long", stream: true, messages: [{ role: "user", content: "Hi" }] });
  const socket = connect(gate.port, "127.0.0.1");
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost:${gate.port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
  await once(socket, "readable");
  // The socket's own buffers fill up, then the Worker's write waits.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  let text = "";
  socket.setEncoding("latin1").on("data", (part) => (text = (text + part).slice(-2_000)));
  let size = 0;
  socket.on("data", (part) => (size += part.length));
  await once(socket, "end");
  assert.ok(text.includes("data: [DONE]"), text.slice(-500));
  assert.ok(size > 20_000_000, `${size} bytes`);
});

test("health says which upstream lacks its secret", async () => {
  const health = await (await gate.fetch("/healthz")).json();
  assert.equal(health.status, "degraded");
  assert.deepEqual(health.upstreams.map(({ name, secret }) => [name, secret]), [["odd", undefined], ["keyless", "missing"]]);
});
