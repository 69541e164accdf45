// `sluicegate/socket` against a gate's side that is played by another implementation of WebSockets, on the loopback.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import { WebSocket as Undici } from "undici";
import { WebSocket as Ws, WebSocketServer } from "ws";
import { GateError, openSocket } from "sluicegate/socket";
import { createTokens } from "sluicegate/token";
import { failureOf, joined, readAll, soon, watchRejections } from "./lib.mjs";

const rejections = watchRejections();

/** What the gate's side does; set anew for each test. */
let peer;
/** What it saw: upgrades, requests for tickets, messages, closes. */
let seen;
const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => peer.protocol(offered), maxPayload: 256 << 10 });
const server = createServer(async (request, response) => {
  for await (const _ of request);
  seen.posts.push({ url: request.url, headers: request.headers, authorization: request.headers.authorization });
  peer.ticket(response, request);
});
server.on("upgrade", (request, socket, head) => {
  seen.upgrades.push({ url: request.url, offered: request.headers["sec-websocket-protocol"]?.split(/, ?/) });
  if (peer.refusal) return socket.end(`HTTP/1.1 ${peer.refusal} No\r\ncontent-length: 0\r\n\r\n`);
  if (peer.silent) return;
  sockets.handleUpgrade(request, socket, head, (client) => {
    const { closes, messages } = seen;
    const say = (message) => client.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    client.on("close", (code) => closes.push(code));
    client.on("error", () => {});
    client.on("message", (data) => {
      const message = JSON.parse(data);
      messages.push(message);
      peer.answer(message, say, client);
    });
    peer.client = client;
    peer.open?.(say, client);
  });
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const HOST = `127.0.0.1:${server.address().port}`;
const url = `ws://${HOST}/v1/stream`;
after(() => (sockets.close(), sockets.clients.forEach((client) => client.terminate()), server.closeAllConnections(), server.close()));
afterEach(() => sockets.clients.forEach((client) => client.terminate()));

const HEAD = { id: "cmpl-1", object: "text_completion", created: 7, model: "deepseek-r1" };
const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const piece = (text, more) => ({ choices: [{ text, index: 0, ...more }] });
const last = (reason = "stop") => ({ ...HEAD, choices: [{ text: "", index: 0, logprobs: null, finish_reason: reason }], finish_reason: reason, usage: USAGE });
const failed = (code, more) => ({ choices: [{ text: "", index: 0, finish_reason: "error" }], finish_reason: "error", error: { message: `It is ${code}.`, type: "x", param: null, code, ...more } });

beforeEach(() => {
  seen = { upgrades: [], posts: [], messages: [], closes: [] };
  peer = {
    protocol: (offered) => (offered.has("sluicegate.v1") ? "sluicegate.v1" : false),
    ticket: (response) => json(response, 200, { ticket: "tick.et_-1", expires_in: 30 }),
    answer(message, say) {
      if (message.type === "ping") return say({ type: "pong" });
      if (message.type === "cancel") return say({ choices: [{ text: "", index: 0, finish_reason: "cancelled" }], finish_reason: "cancelled" });
      for (const word of ["Hello", " ", message.prompt ?? ""]) say(piece(word));
      say(last());
    },
  };
});

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
const open = (more) => openSocket({ url, WebSocket: Undici, ...more });
const requests = () => seen.messages.filter(({ type }) => type === undefined);
const words = () => seen.messages.map(({ type }) => type ?? "request");

test("an answer streams in deltas and ends with the whole reply, whoever's WebSocket it is", async () => {
  for (const WebSocket of [Undici, Ws]) {
    const socket = await open({ WebSocket });
    assert.equal(socket.isOpen, true);
    const { deltas, end, error } = await readAll(socket.stream({ model: "deepseek-r1", prompt: "gate 门", max_tokens: 20 }));
    assert.equal(error, undefined, error?.stack);
    assert.equal(joined(deltas, "text"), "Hello gate 门");
    assert.deepEqual(requests().at(-1), { model: "deepseek-r1", prompt: "gate 门", max_tokens: 20, stream: true });
    const { type, outcome, finish_reason, usage, reply } = end;
    assert.deepEqual([type, outcome, finish_reason, usage], ["end", "complete", "stop", USAGE]);
    assert.deepEqual([reply.text, reply.id, reply.model, reply.created, reply.message], ["Hello gate 门", "cmpl-1", "deepseek-r1", 7, { role: "assistant", content: "Hello gate 门" }]);
    assert.ok(reply.timing.totalMs >= reply.timing.firstTextMs);
    socket.close();
    assert.deepEqual([socket.isOpen, (await socket.closed).code], [false, 1000]);
  }
  assert.deepEqual(seen.upgrades.map(({ url, offered }) => [url, offered]), Array(2).fill(["/v1/stream", ["sluicegate.v1"]]));
  assert.equal(seen.posts.length, 0);
});

test("reasoning, refusals, tool calls and several choices come as what they are", async () => {
  peer.answer = (_, say) => {
    say(piece("", { reasoning_content: "hm" }));
    say(piece("", { tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"x":' } }] }));
    say(piece("", { tool_calls: [{ index: 0, function: { arguments: "1}" } }] }));
    say({ choices: [{ text: "two", index: 1 }, { text: "one", index: 0, refusal: "no" }] });
    say(last("tool_calls"));
  };
  const { deltas, end } = await readAll((await open()).stream({ messages: [{ role: "user", content: "x" }] }));
  assert.deepEqual(deltas.slice(0, -1), [
    { type: "reasoning", text: "hm", choice: 0 },
    { type: "tool_call", choice: 0, index: 0, arguments: '{"x":', id: "a", name: "f" },
    { type: "tool_call", choice: 0, index: 0, arguments: "1}" },
    { type: "text", text: "two", choice: 1 },
    { type: "text", text: "one", choice: 0 },
    { type: "refusal", text: "no", choice: 0 },
  ]);
  assert.deepEqual([end.outcome, end.reply.reasoning, end.reply.choices.map(({ text }) => text)], ["tool_calls", "hm", ["one", "two"]]);
  assert.deepEqual(end.reply.tool_calls, [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }]);
});

test("the finish reason is the outcome", async () => {
  for (const [reason, outcome] of [["stop", "complete"], ["length", "length"], ["content_filter", "filtered"], ["tool_calls", "tool_calls"], ["eos", "complete"]]) {
    peer.answer = (_, say) => (say(piece("x")), say(last(reason)));
    const reply = await (await open()).stream({ prompt: "x" }).reply();
    assert.deepEqual([reply.outcome, reply.finish_reason], [outcome, reason]);
  }
});

test("a socket answers many requests one after the other, also after one that failed", async () => {
  const socket = await open();
  for (const prompt of ["a", "b", "c"]) assert.equal((await socket.stream({ prompt }).reply()).text, `Hello ${prompt}`);
  const { answer } = peer;
  peer.answer = (_, say) => say(failed("invalid_request", { param: "prompt" }));
  const error = await failureOf(socket.stream({ prompt: 5 }).reply());
  assert.deepEqual([error.code, error.param, error.status, error.message], ["invalid_request", "prompt", 400, "It is invalid_request."]);
  peer.answer = answer;
  assert.equal((await socket.stream({ prompt: "d" }).reply()).text, "Hello d");
  assert.deepEqual([seen.upgrades.length, requests().length, seen.closes], [1, 5, []]);
});

test("nothing is sent before the first read, and two at a time are refused", async () => {
  peer.answer = (_, say) => say(piece("x"));
  const socket = await open();
  const first = socket.stream({ prompt: "a" });
  const second = socket.stream({ prompt: "b" });
  assert.equal((await first[Symbol.asyncIterator]().next()).value.text, "x");
  const error = await failureOf(second.reply());
  assert.deepEqual([error.code, error.retryable, requests().length], ["concurrency_limited", true, 1]);
});

test("leaving the loop cancels, and the next request waits for the end of the cancelled answer", async () => {
  let end;
  peer.answer = (message, say) => {
    if (message.type === "cancel") return void (end = () => (say(piece("stale")), say({ choices: [], finish_reason: "cancelled" })));
    say(piece(`from ${message.prompt}`));
    if (message.prompt === "b") say(last());
  };
  const socket = await open();
  for await (const _ of socket.stream({ prompt: "a" })) break;
  const next = socket.stream({ prompt: "b" }).reply();
  assert.ok(await soon(() => end));
  assert.deepEqual(words(), ["request", "cancel"]);
  end();
  assert.equal((await next).text, "from b");
  assert.deepEqual(words(), ["request", "cancel", "request"]);
});

test("a signal and cancel() end an answer at once, with what there is of it", async () => {
  peer.answer = ({ type, prompt }, say) => (type === "cancel" ? say({ finish_reason: "cancelled" }) : say(piece(`from ${prompt}`)));
  const socket = await open();
  for (const how of ["signal", "cancel"]) {
    const controller = new AbortController();
    const stream = socket.stream({ prompt: how }, { signal: controller.signal });
    const reading = readAll(stream);
    assert.ok(await soon(() => requests().at(-1)?.prompt === how));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (how === "signal") controller.abort(new Error("enough"));
    else stream.cancel();
    const { deltas, error } = await reading;
    assert.deepEqual([error.code, error.name, error.outcome, error.partial.text], ["cancelled", "AbortError", "aborted", `from ${how}`]);
    assert.equal(error.cause?.message, how === "signal" ? "enough" : undefined);
    assert.equal(deltas.length, 1);
  }
  const error = await failureOf(socket.stream({ prompt: "never" }, { signal: AbortSignal.abort() }).reply());
  assert.equal(error.code, "cancelled");
  assert.ok(await soon(() => words().length === 4));
  assert.deepEqual(words(), ["request", "cancel", "request", "cancel"]);
  assert.equal(socket.isOpen, true);
});

test("errors of the gate keep their code, words and wait, and what had come before", async () => {
  const cases = [
    ["rate_limited", { retry_after_ms: 1500, retryable: true }, { status: 429, retryAfterMs: 1500, retryable: true, outcome: "failed" }],
    ["truncated", {}, { status: 502, outcome: "truncated", retryable: true }],
    ["timeout_idle", {}, { status: 504, outcome: "timed_out" }],
    ["over_budget", { party: "caller", next_step: "Wait." , type: "insufficient_quota" }, { status: 429, outcome: "over_budget", party: "caller", nextStep: "Wait." }],
    ["something_new", { type: "permission_error" }, { status: 403, outcome: "failed", retryable: false }],
  ];
  const socket = await open();
  for (const [code, said, expected] of cases) {
    peer.answer = (_, say) => (say(piece("so far")), say(failed(code, said)));
    const { deltas, error } = await readAll(socket.stream({ prompt: "x" }));
    assert.ok(error instanceof GateError);
    assert.deepEqual([error.code, error.message, error.partial.text, joined(deltas, "text")], [code, `It is ${code}.`, "so far", "so far"]);
    for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${code}: ${name}`);
  }
  peer.answer = (_, say) => say({ error: { message: "plain" } });
  assert.equal((await failureOf(socket.stream({ prompt: "x" }).reply())).code, "upstream_error");
  peer.answer = (_, say) => say({ choices: [], finish_reason: "error" });
  assert.equal((await failureOf(socket.stream({ prompt: "x" }).reply())).code, "upstream_error", "an end with an error is no success");
});

test("a close in the middle of an answer is never taken for its end, and its code says what it was", async () => {
  const cases = [
    [4401, "unauthorized"], [4403, "forbidden"], [1008, "rate_limit_exceeded"], [1009, "payload_too_large"], [1003, "unsupported_media_type"],
    [1013, "overloaded"], [1000, "truncated"], [1001, "truncated"], [1011, "truncated"], [undefined, "truncated"],
  ];
  for (const [code, expected] of cases) {
    for (const WebSocket of [Undici, Ws]) {
      peer.answer = (_, say, client) => (say(piece("so far")), code ? client.close(code, "bye") : client.terminate());
      const socket = await open({ WebSocket });
      const { error } = await readAll(socket.stream({ prompt: "x" }));
      assert.deepEqual([error.code, error.partial?.text], [expected, "so far"], String(code));
      assert.equal((await socket.closed).code, code ?? 1006);
      const later = await failureOf(socket.stream({ prompt: "y" }).reply());
      assert.ok(later instanceof GateError && !socket.isOpen);
    }
  }
});

test("a close before anything came is a network fault that may be tried again; a reason that is a code goes before", async () => {
  peer.answer = (_, __, client) => client.terminate();
  const error = await failureOf((await open()).stream({ prompt: "x" }).reply());
  assert.deepEqual([error.code, error.retryable], ["network", true]);
  peer.answer = (_, __, client) => client.close(1008, "forbidden");
  assert.equal((await failureOf((await open()).stream({ prompt: "x" }).reply())).code, "forbidden");
});

test("an idle socket that the gate closes says so to the next request", async () => {
  const socket = await open();
  peer.client.close(1000, "idle");
  assert.deepEqual(await socket.closed, { code: 1000, reason: "idle" });
  const error = await failureOf(socket.stream({ prompt: "x" }).reply());
  assert.deepEqual([error.code, error.nextStep], ["network", "Open another socket."]);
});

test("close() cancels what is under way", async () => {
  peer.answer = (_, say) => say(piece("x"));
  const socket = await open();
  const reading = readAll(socket.stream({ prompt: "x" }));
  await soon(() => requests().length);
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.close();
  assert.equal((await reading).error.code, "cancelled");
  assert.ok(await soon(() => seen.closes.includes(1000)));
});

test("a ticket goes as a subprotocol that nobody echoes, and is in no address", async () => {
  await open({ ticket: "abc.DEF-1_2" });
  await open({ ticket: async () => "abc.DEF-1_2", protocols: ["own"] });
  assert.deepEqual(seen.upgrades.map(({ offered }) => offered), [["sluicegate.v1", "sluicegate.ticket.abc.DEF-1_2"], ["sluicegate.v1", "own", "sluicegate.ticket.abc.DEF-1_2"]]);
  assert.ok(seen.upgrades.every(({ url }) => url === "/v1/stream"));
  peer.protocol = (offered) => [...offered].at(-1);
  const error = await failureOf(open({ ticket: "canary" }));
  assert.ok(["protocol", "network"].includes(error.code) && !inspect(error, { depth: 9 }).includes("canary"));
});

test("with a token the ticket is asked for beside the socket, once more after a 401", async () => {
  await open({ token: "access-token" });
  assert.deepEqual([seen.posts[0].url, seen.posts[0].authorization], ["/auth/ticket", "Bearer access-token"]);
  assert.deepEqual(seen.upgrades[0].offered, ["sluicegate.v1", "sluicegate.ticket.tick.et_-1"]);
  let made = 0;
  const token = createTokens(() => `token-${++made}`);
  seen.posts = [];
  peer.ticket = (response, { headers }) => (headers.authorization === "Bearer token-2" ? json(response, 200, { ticket: "t" }) : json(response, 401, { error: { code: "unauthorized" } }));
  await open({ token });
  await open({ token });
  assert.deepEqual(seen.posts.map(({ authorization }) => authorization.slice(-1)), ["1", "2", "2"]);
  await open({ token: () => "token-2", ticketEndpoint: `http://${HOST}/other/ticket` });
  assert.equal(seen.posts.at(-1).url, "/other/ticket");
  const error = await failureOf(open({ token: "token-9" }));
  assert.deepEqual([error.code, error.vendor.status, seen.upgrades.length], ["unauthorized", 401, 4]);
});

test("an app's own endpoint gives tickets as well", async () => {
  await open({ ticket: { endpoint: `http://${HOST}/api/ticket`, headers: { "x-session": "s" } } });
  const [{ url, headers, authorization }] = seen.posts;
  assert.deepEqual([url, headers["x-session"], authorization, seen.upgrades[0].offered[1]], ["/api/ticket", "s", undefined, "sluicegate.ticket.tick.et_-1"]);
  for (const [answer, code] of [[{}, "protocol"], [{ ticket: "a b" }, "protocol"], [{ ticket: 5 }, "protocol"]]) {
    peer.ticket = (response) => json(response, 200, answer);
    assert.equal((await failureOf(open({ ticket: { endpoint: `http://${HOST}/api/ticket` } }))).code, code);
  }
  const cause = new Error("no session");
  assert.equal((await failureOf(open({ ticket: () => Promise.reject(cause) }))).cause, cause);
});

test("a socket that does not open says why, as far as the platform knows", async () => {
  peer.refusal = 401;
  assert.equal((await failureOf(open())).code, "network");
  for (const [status, code] of [[401, "unauthorized"], [403, "forbidden"], [429, "rate_limited"], [503, "overloaded"], [404, "network"]]) {
    peer.refusal = status;
    assert.equal((await failureOf(open({ WebSocket: Ws }))).code, code);
  }
  peer.refusal = undefined;
  peer.protocol = () => false;
  assert.ok(["network", "protocol"].includes((await failureOf(open())).code), "a server that does not speak the protocol");
  assert.equal((await failureOf(openSocket({ url: "ws://127.0.0.1:9/v1/stream", WebSocket: Undici }))).code, "network");
});

test("opening is given up after its time and with its signal, whatever it waits for", async () => {
  peer.silent = true;
  for (const WebSocket of [Undici, Ws]) assert.equal((await failureOf(open({ WebSocket, timeoutMs: 50 }))).code, "timeout_connect");
  peer.ticket = () => {};
  for (const more of [{}, { token: "t" }, { ticket: () => new Promise(() => {}) }]) {
    const controller = new AbortController();
    const opening = failureOf(open({ ...more, signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    assert.equal((await opening).name, "AbortError");
  }
  assert.equal((await failureOf(open({ signal: AbortSignal.abort() }))).code, "cancelled");
});

test("a reader who falls behind makes the gate pause, and go on when it was read", async () => {
  const text = "x".repeat(50_000);
  let isPaused = false;
  let sent = 0;
  peer.answer = ({ type }, say) => {
    if (type === "pause") isPaused = true;
    else if (type === "resume") isPaused = false;
    else if (type !== undefined) return;
    const more = () => {
      if (isPaused || sent >= 40) return;
      say(piece(text));
      if (++sent === 40) say(last());
      else setTimeout(more, 1);
    };
    more();
  };
  const stream = (await open()).stream({ prompt: "x" });
  const reader = stream[Symbol.asyncIterator]();
  await reader.next();
  assert.ok(await soon(() => isPaused));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(sent < 20, `${sent} pieces were sent to a reader who does not read`);
  let length = text.length;
  for (let next = await reader.next(); !next.done; next = await reader.next()) if (next.value.type === "text") length += next.value.text.length;
  assert.equal(length, 40 * text.length);
  assert.ok(words().filter((word) => word === "pause").length < 10);
});

test("what comes regardless of a pause ends at the bound, is cancelled, and leaves the socket of use", async () => {
  peer.answer = (message, say) => {
    if (message.type === "cancel") return say({ finish_reason: "cancelled" });
    if (message.type) return;
    for (let at = 0; at < 30; at++) say(piece("x".repeat(message.prompt === "much" ? 10_000 : 1)));
    if (message.prompt !== "much") say(last());
  };
  const socket = await open({ maxBuffer: 100_000 });
  const reader = socket.stream({ prompt: "much" })[Symbol.asyncIterator]();
  await reader.next();
  assert.ok(await soon(() => words().includes("cancel")));
  const { error } = await readAll({ [Symbol.asyncIterator]: () => reader });
  assert.equal(error.code, "reply_too_large");
  assert.equal((await socket.stream({ prompt: "little" }).reply()).text.length, 30);
});

test("silence is asked about, and ends the socket if nobody answers", async () => {
  peer.answer = ({ type }, say) => type === "ping" && say({ type: "pong" });
  const lively = (await open({ idleMs: 120 })).stream({ prompt: "x" });
  const reading = readAll(lively);
  await new Promise((resolve) => setTimeout(resolve, 400));
  lively.cancel();
  assert.equal((await reading).error.code, "cancelled", "a gate that answers pings is alive");
  assert.ok(words().includes("ping"));
  peer.answer = () => {};
  const socket = await open({ idleMs: 120 });
  const error = await failureOf(socket.stream({ prompt: "x" }).reply());
  assert.deepEqual([error.code, error.outcome, socket.isOpen], ["timeout_idle", "timed_out", false]);
});

test("pings of the gate are answered, also between requests", async () => {
  await open();
  peer.client.send('{"type":"ping"}');
  assert.ok(await soon(() => words().includes("pong")));
});

test("what is no message of the protocol ends the socket", async () => {
  for (const strange of ["<html>", "5", "null", Buffer.from([1, 2])]) {
    peer.answer = (_, say) => say(strange);
    const socket = await open();
    assert.equal((await failureOf(socket.stream({ prompt: "x" }).reply())).code, "protocol", inspect(strange));
    assert.equal(socket.isOpen, false);
  }
  peer.answer = (_, say) => {
    for (const odd of [[], {}, { choices: {} }, { choices: [null, 5, { text: 5, index: -1 }, { text: "no", index: 1e9 }, { tool_calls: [null, { index: "x" }] }] }, { type: "news" }, piece("yes")]) say(odd);
    say(last());
  };
  assert.equal((await (await open()).stream({ prompt: "x" }).reply()).text, "yes");
});

test("a request with a type of its own is still a request", async () => {
  const socket = await open();
  assert.equal((await socket.stream({ prompt: "x", type: "cancel" }).reply()).text, "Hello x");
  const circular = {};
  circular.self = circular;
  for (const request of [undefined, null, "x", [], circular, { n: 1n }]) {
    assert.deepEqual([(await failureOf(socket.stream(request).reply())).param], ["request"]);
  }
});

test("options that are wrong are refused before anything is sent, with the option's name", async () => {
  const refused = [
    [undefined, "url"],
    [{}, "url"],
    [{ url: "/v1/stream" }, "url"],
    [{ url: "ftp://a/b" }, "url"],
    [{ url: "wss://user:word@a.test/" }, "url"],
    [{ WebSocket: 5 }, "WebSocket"],
    [{ protocols: "own" }, "protocols"],
    [{ protocols: ["a b"] }, "protocols"],
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ idleMs: "1" }, "idleMs"],
    [{ maxBuffer: NaN }, "maxBuffer"],
    [{ ticket: "a b" }, "ticket"],
    [{ ticket: "" }, "ticket"],
    [{ ticket: 5 }, "ticket"],
    [{ ticket: { endpoint: 5 } }, "ticket.endpoint"],
    [{ ticket: "t", token: "t" }, "ticket"],
    [{ token: "a\nb" }, "token"],
    [{ token: 5 }, "token"],
    [{ token: { endpoint: "nowhere" } }, "token.endpoint"],
  ];
  for (const [given, param] of refused) {
    const isWhole = given === undefined || param === "url";
    const error = await failureOf(openSocket(isWhole ? given && { WebSocket: Undici, ...given } : { url, WebSocket: Undici, ...given }));
    assert.ok(error instanceof GateError, String(error?.stack));
    assert.deepEqual([error.code, error.param], ["invalid_request", param], inspect(given));
  }
  if (globalThis.WebSocket === undefined) assert.equal((await failureOf(openSocket({ url }))).param, "WebSocket");
  assert.deepEqual([seen.upgrades.length, seen.posts.length], [0, 0]);
});

test("codes that are made here say the same as those of the core", () => {
  const table = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  const source = readFileSync(new URL("../../src/npm/kinds.ts", import.meta.url), "utf8");
  const kinds = [...source.matchAll(/^ {2}(\w+): \[(\d+), "(\w+)", (true|false), "(.*)"\],$/gm)];
  assert.ok(kinds.length >= 15);
  for (const [, code, status, party, retryable, step] of kinds) {
    const row = new RegExp(`^\\| \`${code}\` \\| ${status} \\| ${party} \\| ${retryable === "true" ? "yes" : "no"} \\| \\w+ \\| (.*) \\|$`, "m").exec(table);
    assert.equal(row?.[1], step, code);
  }
});

test("no promise was left rejected", async () => assert.deepEqual(await rejections(), []));
