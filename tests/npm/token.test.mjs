// Access tokens that the package gets and renews by itself, against a gate and a token endpoint on the loopback.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import OpenAI from "openai";
import { createGate, GateError } from "sluicegate";
import { createTokens, exchangeToken, GateError as TokenError } from "sluicegate/token";
import { CHAT, chunk, completion, failureOf, ONE_ATTEMPT, readAll, soon, sse, watchRejections } from "./lib.mjs";

const rejections = watchRejections();

/** What the stand-in does; set anew for each test. */
let peer;
/** What it saw. */
let seen;
const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const { pathname } = new URL(request.url, "http://gate.test");
  const token = request.headers.authorization?.replace(/^Bearer /, "");
  seen.push({ path: pathname, url: request.url, token, method: request.method, headers: request.headers, body });
  if (pathname.endsWith("/token")) return peer.token(response, seen.at(-1));
  if (!peer.takes(token, pathname)) return json(response, 401, { error: { message: "expired", code: "unauthorized", type: "authentication_error" } });
  if (peer.answers) return peer.answers(response, seen.at(-1));
  if (pathname === "/v1/models") return json(response, 200, { object: "list", data: [{ id: "m" }] });
  if (pathname === "/v1/embeddings") return json(response, 200, { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: [1] }], usage: {} });
  if (!JSON.parse(body).stream) return json(response, 200, completion({ content: "hi" }));
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(sse(chunk({ content: "hi" }), chunk({}, "stop"), "[DONE]"));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const ORIGIN = `http://127.0.0.1:${server.address().port}`;
after(() => (server.closeAllConnections(), server.close()));

const now = { steady: performance.now.bind(performance), wall: Date.now };
const shift = { steady: 0, wall: 0 };
performance.now = () => now.steady() + shift.steady;
Date.now = () => now.wall() + shift.wall;
/** Lets so many seconds pass, on both clocks. */
const pass = (seconds) => ((shift.steady += seconds * 1000), (shift.wall += seconds * 1000));

beforeEach(() => {
  let made = 0;
  Object.assign(shift, { steady: 0, wall: 0 });
  seen = [];
  peer = {
    expires: 3600,
    token: (response) => json(response, 200, { access_token: `token-${++made}`, token_type: "Bearer", expires_in: peer.expires }),
    takes: () => true,
  };
});

function json(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
const endpoint = `${ORIGIN}/api/token`;
const gateWith = (token, more) => createGate({ baseUrl: `${ORIGIN}/v1`, model: "m", ...ONE_ATTEMPT, token, ...more });
const exchanges = () => seen.filter(({ path }) => path.endsWith("/token"));
const tokens = () => seen.filter(({ path }) => path.startsWith("/v1/")).map(({ token }) => token);

test("a token is got before the first call, by one POST, and serves all kinds of calls", async () => {
  const gate = await gateWith({ endpoint, headers: { "x-session": "s" } });
  assert.equal(seen.length, 0, "nothing is asked for before it is needed");
  assert.equal((await gate.chat({ messages: CHAT })).text, "hi");
  assert.equal((await gate.stream({ messages: CHAT }).reply()).text, "hi");
  assert.deepEqual(await gate.models(), [{ id: "m" }]);
  const openai = new OpenAI({ baseURL: `${ORIGIN}/v1`, apiKey: "placeholder", fetch: gate.fetch, maxRetries: 0 });
  assert.equal((await openai.chat.completions.create({ model: "m", messages: CHAT })).choices[0].message.content, "hi");
  assert.equal((await openai.embeddings.create({ model: "m", input: "x", encoding_format: "float" })).data.length, 1);
  assert.deepEqual(tokens(), Array(5).fill("token-1"));
  const [{ method, headers, body, path }, ...others] = exchanges();
  assert.deepEqual([method, path, headers["content-type"], headers["x-session"], headers.authorization], ["POST", "/api/token", "application/json", "s", undefined]);
  assert.deepEqual(JSON.parse(body), { grant_type: "client_credentials" });
  assert.equal(others.length, 0);
});

test("twenty calls at once share one exchange, and so do twenty that are refused together", async () => {
  const gate = await gateWith({ endpoint });
  const many = () => Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? gate.chat({ messages: CHAT }) : gate.models())));
  await many();
  assert.equal(exchanges().length, 1);
  peer.takes = (token) => token !== "token-1";
  await many();
  assert.equal(exchanges().length, 2);
  assert.equal(tokens().filter((token) => token === "token-2").length, 20);
  await many();
  assert.equal(exchanges().length, 2);
});

test("a token is renewed before its end, beside the call that still uses it, and one that ended is never sent", async () => {
  const gate = await gateWith({ endpoint });
  const call = () => gate.chat({ messages: CHAT });
  await call();
  pass(3530);
  await call();
  assert.equal(exchanges().length, 1, "70 s before its end it is good");
  pass(15);
  await call();
  assert.ok(await soon(() => exchanges().length === 2), "55 s before its end the next one is asked for");
  assert.deepEqual(tokens(), ["token-1", "token-1", "token-1"]);
  await sleep(20);
  await call();
  assert.equal(tokens().at(-1), "token-2");
  pass(3601);
  await call();
  assert.deepEqual([tokens().at(-1), exchanges().length], ["token-3", 3]);
});

test("short lives are renewed at four fifths, and waited for in their last moments", async () => {
  peer.expires = 30;
  const gate = await gateWith({ endpoint });
  const call = () => gate.chat({ messages: CHAT });
  await call();
  pass(23);
  await call();
  assert.equal(exchanges().length, 1);
  pass(1.5);
  await call();
  assert.ok(await soon(() => exchanges().length === 2));
  await sleep(20);
  pass(29);
  await call();
  assert.equal(tokens().at(-1), "token-3", "a second before its end a token may end on the way");
});

test("clocks that are set back or stand still do not prolong a token, and one that agrees with nobody is fine", async () => {
  const gate = await gateWith({ endpoint });
  const call = () => gate.chat({ messages: CHAT });
  await call();
  shift.wall -= 30 * 86_400_000;
  shift.steady += 3_601_000;
  await call();
  assert.equal(tokens().at(-1), "token-2", "the wall clock was set back");
  shift.wall += 3_601_000;
  await call();
  assert.equal(tokens().at(-1), "token-3", "the steady clock slept");
  shift.wall -= 86_400_000;
  await call();
  await call();
  assert.deepEqual([tokens().at(-1), exchanges().length], ["token-3", 3], "time that goes back asks for nothing");
});

test("an early renewal that fails costs no call, is not tried by each, and is tried again", async () => {
  const gate = await gateWith({ endpoint });
  const call = () => gate.chat({ messages: CHAT });
  await call();
  const { token } = peer;
  peer.token = (response) => json(response, 500, "{}");
  pass(3545);
  for (let at = 0; at < 5; at++) {
    await call();
    await sleep(10);
  }
  assert.equal(exchanges().length, 2);
  pass(31);
  peer.token = token;
  await call();
  assert.ok(await soon(() => exchanges().length === 3));
  await sleep(20);
  await call();
  assert.equal(tokens().at(-1), "token-2");
});

test("in its last moments a token still serves if there is no other, and after its end the failure is told", async () => {
  const gate = await gateWith({ endpoint });
  await gate.chat({ messages: CHAT });
  peer.token = (response) => json(response, 503, "{}", { "retry-after": "7" });
  pass(3595);
  await gate.chat({ messages: CHAT });
  assert.equal(tokens().at(-1), "token-1");
  pass(6);
  const error = await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([error.code, error.retryable, error.retryAfterMs, error.vendor], ["overloaded", true, 7000, { status: 503 }]);
  assert.equal(tokens().length, 2);
});

test("a 401 leads to one exchange and one more request, on every way", async () => {
  const ways = [
    ["chat", (gate) => gate.chat({ messages: CHAT })],
    ["stream", (gate) => gate.stream({ messages: CHAT }).reply()],
    ["models", (gate) => gate.models()],
    ["fetch", (gate) => gate.fetch(`${ORIGIN}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ model: "m", messages: CHAT }) }).then(ok)],
    ["another route", (gate) => gate.fetch(`${ORIGIN}/v1/embeddings`, { method: "POST", body: "{}" }).then(ok)],
    ["a Request", (gate) => gate.fetch(new Request(`${ORIGIN}/v1/models`)).then(ok)],
  ];
  const ok = (response) => assert.equal(response.status, 200);
  for (const [name, way] of ways) {
    const before = exchanges().length;
    const gate = await gateWith({ endpoint });
    const [one, two] = [`token-${before + 1}`, `token-${before + 2}`];
    peer.takes = (token) => token === two;
    seen.push({ path: name });
    await way(gate);
    const own = seen.slice(seen.findIndex(({ path }) => path === name) + 1);
    assert.deepEqual(own.map(({ path, token }) => (path.endsWith("/token") ? "exchange" : token)), ["exchange", one, "exchange", two], name);
  }
});

test("a token that stays refused ends the call with its 401; a body that is read once is not sent twice", async () => {
  peer.takes = () => false;
  const gate = await gateWith({ endpoint });
  const error = await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([error.status, tokens(), exchanges().length], [401, ["token-1", "token-2"], 2]);
  assert.equal((await failureOf(gate.models())).status, 401);
  seen = [];
  const body = new ReadableStream({ pull: (controller) => (controller.enqueue(new TextEncoder().encode("{}")), controller.close()) });
  const response = await gate.fetch(`${ORIGIN}/v1/embeddings`, { method: "POST", body, duplex: "half" });
  assert.deepEqual([response.status, seen.length], [401, 1]);
});

test("a refused token that cannot be renewed ends the call with the 401, and its cause says why", async () => {
  const gate = await gateWith({ endpoint });
  await gate.chat({ messages: CHAT });
  peer.takes = () => false;
  peer.token = (response) => json(response, 403, { error: "access_denied", error_description: "session token-1 is over" });
  for (const start of [() => gate.chat({ messages: CHAT }), async () => (await readAll(gate.stream({ messages: CHAT }))).error ?? assert.fail()]) {
    seen = [];
    const error = await start().catch((error) => error);
    const cause = error.cause ?? error;
    assert.deepEqual([error.status, cause.code, cause.status, cause.param, cause.vendor], [401, "unauthorized", 401, "token", { status: 403, code: "access_denied" }]);
    assert.equal(exchanges().length, 1);
  }
});

test("what a token endpoint answers wrongly is told for what it is, before anything is sent to the gate", async () => {
  const cases = [
    ["400", (response) => json(response, 400, { error: "invalid_client" }), "unauthorized", false],
    ["401 in OpenAI's shape", (response) => json(response, 401, { error: { message: "no", code: "unauthorized" } }), "unauthorized", false],
    ["429", (response) => json(response, 429, "", { "retry-after": "2" }), "rate_limited", true],
    ["500", (response) => json(response, 500, "<html>"), "upstream_error", true],
    ["HTML", (response) => json(response, 200, "<html>"), "protocol", true],
    ["a list", (response) => json(response, 200, "[]"), "protocol", true],
    ["nothing", (response) => json(response, 204, ""), "protocol", true],
    ["no token", (response) => json(response, 200, { expires_in: 5 }), "protocol", true],
    ["a token with a line end", (response) => json(response, 200, { access_token: "a\r\nb: c", expires_in: 5 }), "protocol", true],
    ["a token that is no string", (response) => json(response, 200, { access_token: { a: 1 }, expires_in: 5 }), "protocol", true],
    ["a token beyond measure", (response) => json(response, 200, { access_token: "a".repeat(20_000) }), "protocol", true],
    ["an answer beyond measure", (response) => json(response, 200, JSON.stringify({ access_token: "a", pad: "p".repeat(70_000) })), "protocol", true],
    ["another type", (response) => json(response, 200, { access_token: "a", token_type: "mac", expires_in: 5 }), "protocol", true],
    ["a life of nothing", (response) => json(response, 200, { access_token: "a", expires_in: 0 }), "protocol", true],
    ["a life in words", (response) => json(response, 200, { access_token: "a", expires_in: "soon" }), "protocol", true],
    ["a redirect", (response) => json(response, 302, "", { location: "/login" }), "protocol", true],
    ["a broken connection", (response) => response.destroy(), "network", true],
  ];
  for (const [name, token, code, retryable] of cases) {
    seen = [];
    peer.token = token;
    const gate = await gateWith({ endpoint });
    for (const error of [await failureOf(gate.chat({ messages: CHAT })), (await readAll(gate.stream({ messages: CHAT }))).error, await failureOf(gate.models()), await failureOf(gate.fetch(`${ORIGIN}/v1/models`))]) {
      assert.ok(error instanceof GateError, `${name}: ${error?.stack}`);
      assert.deepEqual([error.code, error.retryable, error.param], [code, retryable, "token"], name);
    }
    assert.deepEqual(seen.map(({ path }) => path), Array(4).fill("/api/token"), name);
    assert.deepEqual([gate.usage().calls, gate.usage().failures], [2, 2], name);
  }
});

test("expires_in may be missing, a number in a string, or in the package's own words", async () => {
  const forms = [["just-text", Infinity], [{ accessToken: "a", expiresIn: 100 }, 100], [{ access_token: "a", expires_in: "100" }, 100], [{ accessToken: "a" }, Infinity]];
  for (const [form, life] of forms) {
    let asked = 0;
    const source = createTokens(() => (asked++, form));
    await source.get();
    pass(99);
    await source.get();
    pass(5);
    await source.get();
    assert.equal(asked, life === Infinity ? 1 : 2, JSON.stringify(form));
    pass(1e9);
    await source.get();
    assert.equal(asked, life === Infinity ? 1 : 3, JSON.stringify(form));
  }
});

test("a slow endpoint holds no call that is cancelled, and the exchange goes on for the others", async () => {
  let answer;
  peer.token = (response) => (answer = () => json(response, 200, { access_token: "late", expires_in: 60 }));
  const gate = await gateWith({ endpoint });
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const [chat, models, fetched] = controllers.map(({ signal }) => signal);
  const left = gate.stream({ messages: CHAT });
  const waiting = [
    failureOf(gate.chat({ messages: CHAT }, { signal: chat })),
    failureOf(gate.models({ signal: models })),
    failureOf(gate.fetch(`${ORIGIN}/v1/chat/completions`, { method: "POST", body: JSON.stringify({ model: "m", messages: CHAT }), signal: fetched })),
    failureOf(left.reply()),
  ];
  const other = gate.chat({ messages: CHAT });
  await soon(() => answer);
  controllers.forEach((controller) => controller.abort());
  left.cancel();
  for (const error of await Promise.all(waiting)) assert.equal(error.name, "AbortError");
  assert.deepEqual(tokens(), []);
  answer();
  assert.equal((await other).text, "hi");
  assert.deepEqual([tokens(), exchanges().length], [["late"], 1]);
  assert.equal((await failureOf(gate.chat({ messages: CHAT }, { signal: AbortSignal.abort() }))).code, "cancelled");
});

test("an endpoint that never answers is given up after its time, and its request aborted", async () => {
  let gone = false;
  peer.token = (response) => response.on("close", () => (gone = true));
  const gate = await gateWith({ endpoint, timeoutMs: 50 });
  const error = await failureOf(gate.chat({ messages: CHAT }));
  assert.deepEqual([error.code, error.retryable, error.param], ["timeout_connect", true, "token"]);
  assert.ok(await soon(() => gone));
});

test("a function gives tokens, is asked once for all, and its own failure is the cause", async () => {
  let asked = 0;
  const gate = await gateWith(async ({ signal }) => {
    assert.ok(signal instanceof AbortSignal);
    asked++;
    await sleep(10);
    return { accessToken: `own-${asked}`, expiresIn: 60 };
  });
  await Promise.all(Array.from({ length: 20 }, () => gate.chat({ messages: CHAT })));
  assert.deepEqual([asked, new Set(tokens())], [1, new Set(["own-1"])]);
  peer.takes = (token) => token === "own-2";
  await gate.chat({ messages: CHAT });
  assert.equal(asked, 2);
  const cause = new Error("no session");
  const error = await failureOf((await gateWith(() => Promise.reject(cause))).chat({ messages: CHAT }));
  assert.deepEqual([error.code, error.param, error.cause], ["unauthorized", "token", cause]);
  const own = new GateError({ code: "quota_exceeded", message: "m", status: 402, party: "caller", nextStep: "n", retryable: false });
  assert.equal(await failureOf((await gateWith(() => { throw own; })).chat({ messages: CHAT })), own);
});

test("a function that gives the refused token again ends the call with the 401", async () => {
  peer.takes = () => false;
  let asked = 0;
  const gate = await gateWith(() => (asked++, "same"));
  assert.equal((await failureOf(gate.chat({ messages: CHAT }))).status, 401);
  assert.deepEqual([asked, tokens()], [2, ["same"]]);
});

test("a server's key with its secret signs each exchange by the strict profile, and never sends the secret", async () => {
  const apiSecret = "sgs_secretsecretsecretsecretsecretsecret";
  const gate = await gateWith({ endpoint: `${ORIGIN}/auth/token`, apiKey: "key_abcdefgh12345678", apiSecret });
  await gate.chat({ messages: CHAT });
  peer.takes = (token) => token !== "token-1";
  await gate.chat({ messages: CHAT });
  const ids = exchanges().map(({ token, headers, body }) => {
    const [head, claims, tag, ...rest] = token.split(".");
    assert.deepEqual(rest, []);
    assert.deepEqual(JSON.parse(Buffer.from(head, "base64url")), { alg: "HS256", typ: "client-assertion+jwt" });
    const { iss, sub, aud, iat, exp, jti, ...others } = JSON.parse(Buffer.from(claims, "base64url"));
    assert.deepEqual([iss, sub, aud, others], ["key_abcdefgh12345678", "key_abcdefgh12345678", ORIGIN, {}]);
    assert.ok(Number.isInteger(iat) && Math.abs(iat - Date.now() / 1000) < 5 && exp - iat <= 300 && exp > iat);
    // Node's own HMAC is what judges WebCrypto's.
    assert.equal(tag, createHmac("sha256", apiSecret).update(`${head}.${claims}`).digest("base64url"));
    assert.ok(!JSON.stringify([headers, body]).includes(apiSecret));
    return jti;
  });
  assert.deepEqual([ids.length, new Set(ids).size], [2, 2]);
  assert.ok(ids.every((id) => id.length >= 16));
});

test("a clock that is off is set right by the endpoint's own, once", async () => {
  const ahead = 900;
  const isAccepted = ({ token }) => Math.abs(JSON.parse(Buffer.from(token.split(".")[1], "base64url")).iat - Date.now() / 1000 - ahead) < 30;
  const date = () => ({ date: new Date(Date.now() + ahead * 1000).toUTCString() });
  peer.token = (response, request) => (isAccepted(request) ? json(response, 200, { access_token: "t", expires_in: 60 }, date()) : json(response, 401, {}, date()));
  const gate = await gateWith({ endpoint, apiKey: "key_a", apiSecret: "s" });
  await gate.chat({ messages: CHAT });
  assert.equal(exchanges().length, 2);
  pass(70);
  await gate.chat({ messages: CHAT });
  assert.equal(exchanges().length, 3, "the difference is remembered");
  peer.token = (response) => json(response, 401, {}, date());
  seen = [];
  pass(70);
  assert.equal((await failureOf(gate.chat({ messages: CHAT }))).code, "unauthorized");
  assert.equal(exchanges().length, 1);
});

test("a server's key alone goes as the bearer of the exchange, and to nothing else", async () => {
  const gate = await gateWith({ endpoint, apiKey: "sgk_live_key" });
  await gate.chat({ messages: CHAT });
  assert.deepEqual([exchanges()[0].token, tokens()], ["sgk_live_key", ["token-1"]]);
});

test("an app's endpoint answers with an exchange of its own each time", async () => {
  const key = { endpoint: `${ORIGIN}/auth/token`, apiKey: "key_a", apiSecret: "s" };
  const [one, two] = [await exchangeToken(key), await exchangeToken(key)];
  assert.deepEqual([one.access_token, two.access_token, one.token_type], ["token-1", "token-2", "Bearer"]);
  assert.ok(one.expires_in > 3590 && one.expires_in <= 3600 && Number.isInteger(one.expires_in));
  peer.token = (response) => json(response, 200, { access_token: "x" });
  assert.deepEqual(await exchangeToken(key), { access_token: "x", token_type: "Bearer" });
  peer.token = () => {};
  assert.equal((await failureOf(exchangeToken(key, { signal: AbortSignal.timeout(20) }))).code, "cancelled");
  assert.equal((await failureOf(exchangeToken({ ...key, timeoutMs: 20 }))).code, "timeout_connect");
  assert.equal((await failureOf(exchangeToken({}))).param, "token.endpoint");
});

test("in a page a secret is refused, unless one insists", async () => {
  const secrets = [[{ endpoint, apiKey: "key_a", apiSecret: "very-secret" }, "token.apiSecret"], [{ endpoint, apiKey: "very-secret" }, "token.apiKey"]];
  for (const [name, value] of [["document", {}], ["importScripts", () => {}]]) {
    globalThis[name] = value;
    try {
      for (const [token, param] of secrets) {
        const error = await failureOf(gateWith(token));
        assert.deepEqual([error.code, error.param], ["invalid_request", param], name);
        assert.ok(!inspect(error).includes("very-secret"));
        await gateWith({ ...token, dangerouslyAllowBrowser: true });
      }
      await gateWith({ endpoint });
    } finally {
      delete globalThis[name];
    }
  }
});

test("options that are wrong are refused at once, with the option's name", async () => {
  const refused = [
    [7, "token"],
    [null, "token"],
    [{}, "token.endpoint"],
    [{ endpoint: "/api/token" }, "token.endpoint"],
    [{ endpoint: "ftp://a/b" }, "token.endpoint"],
    [{ endpoint: "https://user:word@a.test/" }, "token.endpoint"],
    [{ endpoint, headers: { "no name": "x" } }, "token.headers"],
    [{ endpoint, fetch: 1 }, "token.fetch"],
    [{ endpoint, timeoutMs: 0 }, "token.timeoutMs"],
    [{ endpoint, timeoutMs: "1s" }, "token.timeoutMs"],
    [{ endpoint, apiKey: "" }, "token.apiKey"],
    [{ endpoint, apiSecret: "s" }, "token.apiKey"],
    [{ endpoint, apiKey: "k", apiSecret: 5 }, "token.apiSecret"],
    [{ endpoint, apiKey: "k", apiSecret: "s", audience: 1 }, "token.audience"],
  ];
  for (const [token, param] of refused) {
    const error = await failureOf(gateWith(token));
    assert.ok(error instanceof GateError, String(error?.stack));
    assert.deepEqual([error.code, error.param], ["invalid_request", param]);
  }
  assert.equal((await failureOf(gateWith({ endpoint }, { apiKey: "k" }))).param, "token");
  const fallback = await failureOf(createGate({ baseUrl: `${ORIGIN}/v1`, fallback: [{ baseUrl: "http://x.test", apiKey: "k", token: { endpoint } }] }));
  assert.equal(fallback.param, "fallback[0].token");
  assert.throws(() => createTokens({ endpoint: 5 }), TokenError);
});

test("one source serves a gate, a fallback and the app, and its token goes to nobody else", async () => {
  const source = createTokens({ endpoint });
  const fallback = [{ baseUrl: `${ORIGIN}/v1/spare`, model: "m", token: source }];
  const gate = await gateWith(source, { fallback });
  assert.equal(await source.get(), "token-1");
  peer.takes = (token, path) => path.includes("spare") && token === "token-2";
  assert.equal((await gate.chat({ messages: CHAT })).text, "hi");
  assert.equal(exchanges().length, 2);
  assert.equal(seen.at(-1).path, "/v1/spare/chat/completions");
  seen = [];
  peer.takes = () => true;
  const plain = await createGate({ baseUrl: `${ORIGIN}/other/v1`, model: "m", token: source, ...ONE_ATTEMPT });
  await plain.fetch(`${ORIGIN}/v1/models`);
  assert.deepEqual(seen.map(({ token }) => token), [undefined]);
});

test("without a token the next route answers, at once, and on a device without a network nobody is asked for one", async () => {
  peer.token = (response) => json(response, 503, "{}");
  const local = { id: "x", model: "y", availability: async () => "ready", fetch: async () => Response.json(completion({ content: "local" })) };
  local.stream = async function* () {};
  const gate = await gateWith({ endpoint }, { fallback: [{ baseUrl: `${ORIGIN}/v1/spare`, apiKey: "k", model: "m" }, local] });
  const { text, timeline, notices } = await gate.chat({ messages: CHAT });
  assert.deepEqual([text, seen.map(({ path }) => path)], ["hi", ["/api/token", "/v1/spare/chat/completions"]]);
  assert.deepEqual(notices.map(({ code }) => code), ["fell_back"]);
  assert.deepEqual(timeline.map(({ event }) => event), ["sent", "failed", "sent", "ended"]);
  seen = [];
  Object.defineProperty(globalThis, "navigator", { value: { onLine: false }, configurable: true });
  try {
    assert.equal((await gate.chat({ messages: CHAT })).text, "local");
  } finally {
    delete globalThis.navigator;
  }
  assert.deepEqual(seen, []);
});

test("the rest of a stream is asked for with the token of then", async () => {
  const answered = [];
  peer.answers = (response, { method, token, path }) => {
    answered.push(`${method} ${path} ${token}`);
    response.writeHead(200, { "content-type": "text/event-stream", "x-sluicegate-stream": "abc" });
    const event = (id, data) => `id: ${id}\ndata: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
    if (method === "POST") {
      response.write(event(1, chunk({ content: "one " })));
      pass(3601);
      return void setTimeout(() => response.destroy(), 20);
    }
    return response.end(event(2, chunk({ content: "two" })) + event(3, chunk({}, "stop")) + event(4, "[DONE]"));
  };
  const gate = await createGate({ baseUrl: `${ORIGIN}/v1`, model: "m", resume: true, token: { endpoint }, budgets: { total: 1e9, idle: 1e9, contentIdle: 1e9, firstToken: 1e9, connect: 1e9, patience: 1e9, rate: 0 } });
  assert.equal((await gate.stream({ messages: CHAT }).reply()).text, "one two");
  assert.deepEqual(answered, ["POST /v1/chat/completions token-1", "GET /v1/streams/abc token-2"]);
});

test("an apiKey function is treated alike: it holds no cancelled call, and its key is renewed for models and other routes too", async () => {
  const gate = await createGate({ baseUrl: `${ORIGIN}/v1`, model: "m", apiKey: () => new Promise(() => {}) });
  const stream = gate.stream({ messages: CHAT });
  const waiting = [failureOf(gate.chat({ messages: CHAT }, { signal: AbortSignal.timeout(20) })), failureOf(stream.reply())];
  stream.cancel();
  for (const error of await Promise.all(waiting)) assert.equal(error.code, "cancelled");
  peer.takes = (token) => token === "new";
  const renewing = await createGate({ baseUrl: `${ORIGIN}/v1`, apiKey: async ({ refresh }) => (refresh ? "new" : "old") });
  assert.equal((await renewing.models()).length, 1);
  assert.equal((await renewing.fetch(`${ORIGIN}/v1/embeddings`, { method: "POST", body: new URLSearchParams("a=b") })).status, 200);
  assert.deepEqual(tokens(), ["old", "new", "new"]);
});

test("no token and no secret is in an error, an address, a listing of the gate, or a log", async () => {
  const apiSecret = "sgs_canary";
  const said = [];
  const { log, warn, error: complain } = console;
  Object.assign(console, { log: (...all) => said.push(all), warn: (...all) => said.push(all), error: (...all) => said.push(all) });
  try {
    peer.token = (response) => json(response, 200, { access_token: "canary-token", expires_in: 60 });
    const source = createTokens({ endpoint, apiKey: "key_a", apiSecret });
    const gate = await gateWith(source);
    await gate.chat({ messages: CHAT });
    peer.takes = () => false;
    const errors = [await failureOf(gate.chat({ messages: CHAT })), (await readAll(gate.stream({ messages: CHAT }))).error, await failureOf(gate.models())];
    peer.token = (response, { token }) => json(response, 401, { error: { message: `bad ${token}`, code: token } });
    errors.push(await failureOf(gate.chat({ messages: CHAT })), await failureOf(source.get()));
    const text = inspect([said, gate, source, errors], { depth: 20, showHidden: true, getters: true }) + JSON.stringify([gate, source, errors]) + seen.map(({ url }) => url).join();
    assert.ok(!text.includes("canary"), text.slice(Math.max(0, text.indexOf("canary") - 200), text.indexOf("canary") + 50));
    for (const { token } of exchanges()) assert.ok(!text.includes(token.split(".")[2]));
  } finally {
    Object.assign(console, { log, warn, error: complain });
  }
});

test("no promise was left rejected", async () => assert.deepEqual(await rejections(), []));
