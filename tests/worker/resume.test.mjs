// A stream whose connection breaks goes on: over another connection, from the event after the last one, until somebody aborts it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { content, events, startGate } from "./gate.mjs";

const RESUME = { "x-sluicegate-resume": "1" };
const GRACE = 1_500;
const KEEP = 1_500;

let upstream;
const config = (more) => ({
  upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"] }],
  callers: { credentials: "ignore" },
  resume: { grace_ms: 20_000, keep_ms: 20_000, bytes: 64 << 10 },
  development: true,
  ...more,
});
const ask = (model, more = {}) => ({ model, stream: true, messages: [{ role: "user", content: "Hello, 世界" }], ...more });
const seenOf = (model) => upstream.requests.findLast((request) => request.model === model);
const until = async (holds, what, within = 5_000) => {
  const end = Date.now() + within;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await delay(10);
  }
};

/** What a reader knows after some bytes, as the standard has it: an event counts at its blank line. */
function dispatched(text) {
  const list = [];
  for (const block of text.replace(/^\ufeff/, "").replace(/\r\n|\r/g, "\n").split("\n\n").slice(0, -1)) {
    const lines = block.split("\n");
    const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
    const id = lines.findLast((line) => line.startsWith("id:"));
    if (data.length) list.push({ data: data.join("\n"), id: id && Number(id.slice(3)) });
  }
  return list;
}

/** Sends a request on a connection of its own, which a pause does not age, reads some bytes of the answer's body and breaks it. */
async function broken(gate, { method = "POST", path = "/v1/chat/completions", headers = {}, body, bytes }) {
  const sent = httpRequest({ host: "127.0.0.1", port: gate.port, method, path, agent: false, headers: { "content-type": "application/json", ...headers } });
  sent.on("error", () => {});
  sent.end(body && JSON.stringify(body));
  const [response] = await once(sent, "response");
  const chunks = [];
  let size = 0;
  await new Promise((resolve) => {
    const enough = () => size >= bytes && (response.destroy(), sent.socket.resetAndDestroy(), resolve());
    response.on("error", () => {}).on("close", resolve).on("data", (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      enough();
    });
    enough();
  });
  const text = Buffer.concat(chunks).subarray(0, bytes).toString("latin1");
  return { status: response.statusCode, id: response.headers["x-sluicegate-stream"], text };
}

const stream = (gate, id, last, headers = {}) =>
  gate.fetch(`/v1/streams/${id}`, { headers: { ...headers, ...(last === undefined ? {} : { "last-event-id": String(last) }) } });
// The ids are counted by the scripted upstream.
const plain = (data) => data.replace(/"(id|system_fingerprint|trace_id)":"[^"]*"/g, "");
const utf8 = (latin1) => Buffer.from(latin1, "latin1").toString();

async function assertGone(response, what) {
  assert.equal(response.status, 410, what);
  const { error } = await response.json();
  assert.deepEqual([error.code, error.party], ["stream_gone", "caller"], what);
}

before(async () => {
  upstream = await startUpstream({ dialect: "openai" });
});
after(() => upstream?.close());

describe("a stream that can be resumed", () => {
  let gate;
  before(async () => {
    gate = await startGate({ config: config() });
  });
  after(() => gate?.stop());

  const open = (model, { headers, ...more } = {}) => gate.chat(ask(model, more), { headers: { ...RESUME, ...headers } });

  test("events are numbered from one, and the response names the stream", async () => {
    const response = await open("gpt-x");
    assert.match(response.headers.get("x-sluicegate-stream"), /^[0-9a-f]{64}$/);
    const list = dispatched(await response.text());
    assert.deepEqual(list.map(({ id }) => id), list.map((_, at) => at + 1));
    assert.equal(list.at(-1).data, "[DONE]");
    const without = dispatched(await (await gate.chat(ask("gpt-x"))).text());
    assert.deepEqual(list.map(({ data }) => plain(data)), without.map(({ data }) => plain(data)));
    assert.ok(without.every(({ id }) => id === undefined), "nobody else gets numbers");
  });

  for (const traits of ["rate-400", "rate-400+crlf", "cr", "chunks-7", "bytes+long-12", "split-utf8+keepalive", "rate-400+bom", "no-blank", "no-done", "cut-20"]) {
    test(`broken after any number of bytes it goes on without a lost or repeated event: ${traits}`, async () => {
      const model = `gpt-x+${traits}`;
      const unbroken = await broken(gate, { body: ask(model), bytes: Infinity });
      const whole = dispatched(utf8(unbroken.text)).map(({ data }) => plain(data));
      await Promise.all([0, 1, 200, 333, 777, 2_500, 4_000].map(async (bytes) => {
        const first = await broken(gate, { headers: RESUME, body: ask(model), bytes });
        assert.equal(first.status, 200);
        const got = dispatched(utf8(first.text));
        const headers = got.length ? { "last-event-id": String(got.at(-1).id) } : {};
        const rest = await broken(gate, { method: "GET", path: `/v1/streams/${first.id}`, headers, bytes: Infinity });
        const list = [...got, ...dispatched(utf8(rest.text))];
        assert.deepEqual(list.map(({ data }) => plain(data)), whole, `broken after ${bytes} bytes`);
        assert.deepEqual(list.map(({ id }) => id), list.map((_, at) => at + 1), `broken after ${bytes} bytes`);
      }));
    });
  }

  test("a connection that breaks again and again loses nothing", async () => {
    const model = "gpt-x+rate-200+long-150";
    let part = await broken(gate, { headers: RESUME, body: ask(model), bytes: 1_000 });
    const { id } = part;
    const list = dispatched(utf8(part.text));
    for (let round = 0; list.at(-1)?.data !== "[DONE]"; round++) {
      assert.ok(round < 200);
      const headers = list.length ? { "last-event-id": String(list.at(-1).id) } : {};
      part = await broken(gate, { method: "GET", path: `/v1/streams/${id}`, headers, bytes: 1_000 + 700 * round });
      list.push(...dispatched(utf8(part.text)));
    }
    assert.deepEqual(list.map((event) => event.id), list.map((_, at) => at + 1));
    assert.equal(content(list.slice(0, -1).map(({ data }) => JSON.parse(data))), expectedAnswer(ask(model), { dialect: "openai" }).text);
    assert.equal(upstream.requests.filter((request) => request.model === model).length, 1);
  });

  test("the query says it too, for an EventSource, whose header goes before", async () => {
    const { id } = await broken(gate, { headers: RESUME, body: ask("gpt-x"), bytes: 10 });
    const first = async (path, headers) => dispatched(await (await gate.fetch(path, { headers })).text())[0].id;
    assert.equal(await first(`/v1/streams/${id}?after=7`), 8);
    assert.equal(await first(`/v1/streams/${id}?after=7`, { "last-event-id": "9" }), 10);
  });

  test("whoever has everything of a finished stream is told with 204 not to come back", async () => {
    const response = await open("gpt-x");
    const last = dispatched(await response.text()).at(-1).id;
    const end = await stream(gate, response.headers.get("x-sluicegate-stream"), last);
    assert.equal(end.status, 204);
  });

  test("while somebody listens and the upstream is silent there are comments", async () => {
    const { id } = await broken(gate, { headers: RESUME, body: ask("gpt-x+stall-3"), bytes: 10 });
    const response = await stream(gate, id, 0);
    const reader = response.body.getReader();
    let text = "";
    while (!text.includes("\n\n:\n\n")) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  });

  test("an abort ends the upstream's work at once, tells the reader, and cannot be resumed", async () => {
    const model = "gpt-x+endless+rate-100";
    const response = await open(model);
    const id = response.headers.get("x-sluicegate-stream");
    const reading = response.text();
    await delay(100);
    const left = Date.now();
    assert.equal((await gate.fetch(`/v1/streams/${id}`, { method: "DELETE" })).status, 204);
    await until(() => seenOf(model).aborted, "the upstream was told");
    assert.ok(Date.now() - left < 2_000);
    assert.equal(JSON.parse(dispatched(await reading).at(-1).data).error.code, "cancelled");
    await assertGone(await stream(gate, id, 0));
    await assertGone(await gate.fetch(`/v1/streams/${id}`, { method: "DELETE" }));
    const line = await gate.settled(response.headers.get("x-request-id"));
    assert.deepEqual([line.outcome, line.error], ["aborted", "cancelled"]);
  });

  test("an abort of a stream that is over drops its log", async () => {
    const response = await open("gpt-x");
    await response.text();
    const id = response.headers.get("x-sluicegate-stream");
    assert.equal((await gate.fetch(`/v1/streams/${id}`, { method: "DELETE" })).status, 204);
    await assertGone(await stream(gate, id, 0));
  });

  test("an abort after the connection broke ends the upstream's work at once", async () => {
    const model = "gpt-x+endless+rate-101";
    const { id } = await broken(gate, { headers: RESUME, body: ask(model), bytes: 500 });
    const left = Date.now();
    assert.equal((await gate.fetch(`/v1/streams/${id}`, { method: "DELETE" })).status, 204);
    await until(() => seenOf(model).aborted, "the upstream was told");
    assert.ok(Date.now() - left < 2_000);
  });

  test("another caller gets nothing, and cannot abort it", async () => {
    const own = { authorization: "Bearer first-caller" };
    const { id, text } = await broken(gate, { headers: { ...RESUME, ...own }, body: ask("gpt-x+rate-100"), bytes: 500 });
    for (const headers of [{}, { authorization: "Bearer other-caller" }, { "x-api-key": "first-caller" }]) {
      await assertGone(await stream(gate, id, 0, headers));
      await assertGone(await gate.fetch(`/v1/streams/${id}`, { method: "DELETE", headers }));
    }
    const rest = await stream(gate, id, dispatched(utf8(text)).at(-1).id, own);
    assert.equal(dispatched(await rest.text()).at(-1).data, "[DONE]");
  });

  test("an unknown id gets 410, whatever it looks like", async () => {
    for (const id of ["0".repeat(64), "f".repeat(64), "x", "a/b", "%00", "..%2f"]) await assertGone(await stream(gate, id, 0), id);
  });

  test("a number that cannot be is the caller's fault", async () => {
    const { id } = await broken(gate, { headers: RESUME, body: ask("gpt-x"), bytes: 500 });
    for (const last of ["-1", "one", "1.5", "99999999999999999999999", "100000"]) {
      const response = await stream(gate, id, last);
      assert.equal(response.status, 400, last);
      assert.equal((await response.json()).error.param, "last-event-id", last);
    }
  });

  test("a second reader takes over from the first, which is told", async () => {
    const model = "gpt-x+rate-60";
    const first = await open(model);
    const id = first.headers.get("x-sluicegate-stream");
    const reading = first.text();
    await delay(300);
    const second = await stream(gate, id, 0);
    const told = dispatched(await reading).at(-1);
    assert.equal(JSON.parse(told.data).error.code, "stream_gone");
    assert.equal(told.id, undefined, "which is no event of the stream");
    const list = dispatched(await second.text());
    assert.deepEqual(list.map((event) => event.id), list.map((_, at) => at + 1));
    assert.equal(list.at(-1).data, "[DONE]");
  });

  test("a log holds so much: what is older cannot be resumed, and that is said", async () => {
    // About 200 KB, of which 64 KiB are kept, read by nobody.
    const model = "gpt-x+long-1000+rate-5000";
    const { id, text } = await broken(gate, { headers: RESUME, body: ask(model), bytes: 2_000 });
    const last = dispatched(utf8(text)).at(-1).id;
    await until(() => seenOf(model).finished, "the upstream has answered");
    const response = await stream(gate, id, last);
    await assertGone(response);
    const error = (await (await stream(gate, id, last)).json()).error;
    assert.equal(error.param, "last-event-id");
    assert.match(error.message, /dropped/);
  });

  test("a slow reader holds the upstream back and loses nothing, however small the log", async () => {
    const model = "gpt-x+long-6000";
    const response = await open(model);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (let at = 0; ; at++) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      if (at < 20) await delay(20);
    }
    const list = dispatched(text);
    assert.deepEqual(list.map((event) => event.id), list.map((_, at) => at + 1));
    assert.equal(list.at(-1).data, "[DONE]");
    assert.equal(content(list.slice(0, -1).map(({ data }) => JSON.parse(data))), expectedAnswer(ask(model), { dialect: "openai" }).text);
  });

  test("one event that is larger than the log arrives whole", async () => {
    const list = dispatched(await (await open("gpt-x+big-event")).text());
    assert.ok(list.some(({ data }) => data.length > 1_000_000));
    assert.equal(list.at(-1).data, "[DONE]");
  });

  test("a caller who leaves before the answer begins ends the upstream's work", async () => {
    const model = "gpt-x+silence+rate-7";
    const sent = httpRequest({ host: "127.0.0.1", port: gate.port, method: "POST", path: "/v1/chat/completions", agent: false, headers: { "content-type": "application/json", ...RESUME } });
    sent.on("error", () => {}).end(JSON.stringify(ask(model)));
    await until(() => seenOf(model), "the upstream was asked");
    // workerd on its own notices a reset only.
    sent.socket.resetAndDestroy();
    await until(() => seenOf(model).aborted, "the upstream was told", 2_000);
  });

  test("failures come as they come without it, and there is nothing to resume", async () => {
    for (const [model, status, code] of [["gpt-x+status-429", 429, "rate_limited"], ["gpt-x+reset", 502, "network"], ["gpt-x+error-200", 502, "upstream_error"]]) {
      const response = await open(model);
      assert.deepEqual([response.status, (await response.json()).error.code], [status, code], model);
      assert.equal(response.headers.get("x-sluicegate-stream"), null);
    }
    const refused = await gate.chat({ model: "gpt-x", stream: true, messages: 7 }, { headers: RESUME });
    assert.equal(refused.status, 400);
    const odd = await gate.chat(ask("gpt-x"), { headers: { "x-sluicegate-resume": "yes" } });
    assert.deepEqual([odd.status, (await odd.json()).error.param], [400, "x-sluicegate-resume"]);
  });

  test("a whole answer is no stream", async () => {
    const response = await gate.chat({ ...ask("gpt-x"), stream: false }, { headers: RESUME });
    assert.equal(response.headers.get("x-sluicegate-stream"), null);
    assert.equal(response.headers.get("x-sluicegate-notice"), null);
    assert.equal((await response.json()).object, "chat.completion");
  });

  test("there is one log line for a call, with the caller's id for it", async () => {
    const response = await open("gpt-x", { headers: { "x-request-id": "resumable-7" } });
    assert.equal(response.headers.get("x-request-id"), "resumable-7");
    await response.text();
    const line = await gate.settled("resumable-7");
    assert.deepEqual([line.outcome, line.route, line.stream], ["complete", "chat_completions", true]);
    await delay(100);
    assert.equal(gate.logs.filter(({ id }) => id === "resumable-7").length, 1);
  });

  test("text completions can be resumed as well", async () => {
    const body = { model: "gpt-x+rate-200", prompt: "Hello", stream: true };
    const { id, text } = await broken(gate, { path: "/v1/completions", headers: RESUME, body, bytes: 1_000 });
    const got = dispatched(utf8(text));
    const list = [...got, ...dispatched(await (await stream(gate, id, got.at(-1).id)).text())];
    const said = list.slice(0, -1).map(({ data }) => JSON.parse(data).choices[0]?.text ?? "").join("");
    assert.equal(said, dispatched(await (await gate.fetch("/v1/completions", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).text())
      .slice(0, -1).map(({ data }) => JSON.parse(data).choices[0]?.text ?? "").join(""));
  });

  test("the path takes GET and DELETE only", async () => {
    for (const method of ["POST", "PUT", "HEAD"]) {
      const response = await gate.fetch("/v1/streams/x", { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, DELETE, OPTIONS"], method);
    }
  });

  test("a hundred streams keep apart, each broken once", async () => {
    await Promise.all(Array.from({ length: 100 }, async (_, at) => {
      const words = `canary-${at} ${"word ".repeat(20)}`;
      const body = { model: "gpt-x+echo+rate-100", stream: true, messages: [{ role: "user", content: words }] };
      const { id, text } = await broken(gate, { headers: RESUME, body, bytes: 700 + at * 10 });
      const got = dispatched(utf8(text));
      const rest = await stream(gate, id, got.at(-1)?.id);
      assert.equal(rest.status, 200, words);
      const list = [...got, ...dispatched(await rest.text())];
      assert.equal(content(list.slice(0, -1).map(({ data }) => JSON.parse(data))), words);
    }));
  });
});

describe("a stream that nobody reads", () => {
  let gate;
  before(async () => {
    gate = await startGate({ config: config({ resume: { grace_ms: GRACE, keep_ms: KEEP } }) });
  });
  after(() => gate?.stop());

  test("when nobody comes back, the upstream's work is ended after the grace", async () => {
    const model = "gpt-x+endless+rate-102";
    const { id } = await broken(gate, { headers: RESUME, body: ask(model), bytes: 500 });
    const left = Date.now();
    await delay(GRACE / 3);
    assert.ok(!seenOf(model).aborted, "not at once");
    await until(() => seenOf(model).aborted, "the upstream was told");
    assert.ok(Date.now() - left < GRACE + 1_000);
    await assertGone(await stream(gate, id, 0));
  });

  test("who comes back within the grace keeps it alive", async () => {
    const model = "gpt-x+endless+rate-103";
    let { id, text } = await broken(gate, { headers: RESUME, body: ask(model), bytes: 500 });
    for (let round = 0; round < 5; round++) {
      await delay(GRACE / 3);
      const headers = { "last-event-id": String(dispatched(utf8(text)).at(-1).id) };
      const part = await broken(gate, { method: "GET", path: `/v1/streams/${id}`, headers, bytes: 2_000 });
      assert.equal(part.status, 200, `round ${round}`);
      text = part.text;
    }
    assert.ok(!seenOf(model).aborted);
  });

  test("a finished stream is kept for a while, and then it is gone", async () => {
    const response = await gate.chat(ask("gpt-x"), { headers: RESUME });
    const whole = await response.text();
    const id = response.headers.get("x-sluicegate-stream");
    assert.equal(await (await stream(gate, id, 0)).text(), whole);
    await delay(KEEP + 200);
    await assertGone(await stream(gate, id, 0));
  });
});

test("pages of listed origins may ask for it, read the stream's id, and abort", async () => {
  const origin = "https://app.example.com";
  const gate = await startGate({ config: config({ cors: { origins: [origin] } }) });
  try {
    const preflight = async (path, method, names) => {
      const response = await gate.fetch(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": method, "access-control-request-headers": names } });
      return [response.headers.get("access-control-allow-methods"), response.headers.get("access-control-allow-headers")];
    };
    assert.deepEqual(await preflight("/v1/chat/completions", "POST", "x-sluicegate-resume"), ["POST, OPTIONS", "x-sluicegate-resume"]);
    assert.deepEqual(await preflight("/v1/streams/x", "DELETE", "last-event-id"), ["GET, DELETE, OPTIONS", "last-event-id"]);
    const response = await gate.chat(ask("gpt-x"), { headers: { ...RESUME, origin } });
    assert.match(response.headers.get("access-control-expose-headers"), /x-sluicegate-stream/);
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    await response.text();
    const again = await stream(gate, response.headers.get("x-sluicegate-stream"), 0, { origin });
    assert.equal(again.headers.get("access-control-allow-origin"), origin);
    await again.text();
  } finally {
    await gate.stop();
  }
});

test("without the binding the call is made all the same, and says that it cannot be resumed", async () => {
  const gate = await startGate({ config: config(), state: false });
  try {
    const response = await gate.chat(ask("gpt-x"), { headers: RESUME });
    assert.equal(response.headers.get("x-sluicegate-notice"), "resume_unavailable");
    assert.equal(response.headers.get("x-sluicegate-stream"), null);
    const { text, done } = await events(response);
    assert.ok(done && !/^id:/m.test(text));
    await assertGone(await stream(gate, "0".repeat(64), 0));
    assert.equal((await (await gate.fetch("/healthz")).json()).off.resume, "no binding LIVE_STREAMS");
  } finally {
    await gate.stop();
  }
});
