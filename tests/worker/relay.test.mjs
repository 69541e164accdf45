// The endpoints that are no completions, through the built Worker: every byte of an answer, what fails, what is refused, what is logged.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { soundOf, transcriptOf, vectorOf } from "../upstream/relay.mjs";
import { bearer, makeKey, send, startAccess } from "./access.mjs";
import { startGate } from "./gate.mjs";

const KEY = "sk-canary-0123456789abcdef";

let upstream;
let gate;

/** A gate in front of the scripted upstream, as three vendors. */
async function start() {
  const root = new URL(upstream.url).origin;
  const at = (name, dialect, models, more = {}) => ({ name, dialect, base_url: `${root}/${dialect}/v1`, models, secret: "KEY", ...more });
  return startGate({
    config: {
      upstreams: [
        at("open", "openai", ["m", "both", "bge*", "whisper*", "tts*", { id: "alias", upstream_id: "vendor/real" }]),
        at("flow", "siliconflow", ["both", "spare*"]),
        at("deep", "deepseek", ["deep*"]),
        at("few", "openai", ["few"], { endpoints: ["chat_completions"] }),
      ],
      recovery: { retry: { first_ms: 10, cap_ms: 20 } },
      callers: { credentials: "ignore" },
      limits: { request_body: 20_000, audio_body: 40_000 },
      development: true,
    },
    secrets: { KEY },
  });
}

before(async () => {
  upstream = await startUpstream({ key: KEY });
  gate = await start();
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const post = (path, body, headers = {}) =>
  gate.fetch(path, {
    method: "POST",
    headers: body instanceof FormData ? headers : { "content-type": "application/json", ...headers },
    body: body instanceof FormData ? body : JSON.stringify(body),
  });

const logOf = (response) => gate.settled(response.headers.get("x-request-id"));
const errorOf = async (response) => (await response.json()).error;

function form(fields, bytes = Buffer.from("RIFF\r\n--x\u0000WAVE"), name = "a \"b\" 声.wav") {
  const data = new FormData();
  for (const [key, value] of Object.entries(fields)) data.append(key, value);
  data.append("file", new Blob([bytes], { type: "audio/wav" }), name);
  return data;
}

test("embeddings: floats and base64, an alias spliced, everything else as it came", async () => {
  const response = await post("/v1/embeddings", { model: "alias", input: ["one", "two"], unheard: { "of": 1 } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(response.headers.get("x-sluicegate-upstream"), "open");
  const { data, usage } = await response.json();
  assert.deepEqual(data.map(({ embedding }) => embedding), [vectorOf("one"), vectorOf("two")]);
  assert.deepEqual(upstream.requests.at(-1).body, { model: "vendor/real", input: ["one", "two"], unheard: { of: 1 } });
  assert.equal(upstream.requests.at(-1).headers.authorization, `Bearer ${KEY}`);
  assert.equal(upstream.requests.at(-1).headers["x-api-key"], undefined);
  const line = await logOf(response);
  assert.deepEqual([line.route, line.outcome, line.usage], ["embeddings", "complete", { prompt_tokens: usage.prompt_tokens, completion_tokens: 0, total_tokens: usage.total_tokens }]);

  const packed = await (await post("/v1/embeddings", { model: "both", input: "one", encoding_format: "base64" })).json();
  assert.deepEqual([...new Float32Array(Uint8Array.from(Buffer.from(packed.data[0].embedding, "base64")).buffer)], vectorOf("one"));
});

test("rerank, images and speech", async () => {
  const ranked = await (await post("/v1/rerank", { model: "both", query: "a red apple", documents: ["green", "the red apple"], top_n: 1 })).json();
  assert.deepEqual(ranked.results.map(({ index }) => index), [1]);
  const drawn = await (await post("/v1/images/generations", { model: "both", prompt: "a cat", n: 2 })).json();
  assert.equal(drawn.data.length, 2);
  const spoken = await post("/v1/audio/speech", { model: "tts-1", input: "Hello", voice: "alloy" });
  assert.equal(spoken.headers.get("content-type"), "audio/mpeg");
  assert.equal(spoken.headers.get("x-content-type-options"), "nosniff");
  assert.deepEqual(Buffer.from(await spoken.arrayBuffer()), soundOf("Hello"));
  assert.equal(upstream.requests.at(-1).headers.accept, "*/*");
});

test("a recording arrives whole, under the upstream's model, in a form written anew", async () => {
  const bytes = Buffer.from(Array.from({ length: 30_000 }, (_, at) => (at * 7) % 256));
  const response = await post("/v1/audio/transcriptions", form({ model: "alias", language: "de", "timestamp_granularities[]": "word" }, bytes));
  assert.equal(response.status, 200);
  assert.equal((await response.json()).text, transcriptOf(bytes));
  const { body, headers } = upstream.requests.at(-1);
  assert.match(headers["content-type"], /^multipart\/form-data; boundary=/);
  assert.deepEqual([body.model, body.language, body.file.size, body.file.type], ["vendor/real", "de", 30_000, "audio/wav"]);
  const line = await logOf(response);
  assert.deepEqual([line.route, line.usage.total_tokens], ["audio", 45]);

  const text = await post("/v1/audio/translations", form({ model: "whisper-1", response_format: "text" }));
  assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.match(await text.text(), /^A recording of/);
  const subtitles = await post("/v1/audio/transcriptions", form({ model: "whisper-1", response_format: "vtt" }));
  assert.equal(subtitles.headers.get("content-type"), "text/vtt; charset=utf-8");
});

test("forms that are too large, cut off or none are refused before anything is sent", async () => {
  const before = upstream.requests.length;
  const large = await post("/v1/audio/transcriptions", form({ model: "whisper-1" }, Buffer.alloc(50_000)));
  assert.deepEqual([large.status, (await errorOf(large)).code], [413, "payload_too_large"]);
  const plain = await post("/v1/audio/transcriptions", { model: "whisper-1" });
  assert.deepEqual([plain.status, (await errorOf(plain)).code], [415, "unsupported_media_type"]);
  const json = await post("/v1/embeddings", form({ model: "m" }));
  assert.equal(json.status, 415);
  const cut = await gate.fetch("/v1/audio/transcriptions", {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body: "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF",
  });
  assert.deepEqual([cut.status, (await errorOf(cut)).param], [400, "body"]);
  const missing = new FormData();
  missing.set("model", "whisper-1");
  const none = await post("/v1/audio/transcriptions", missing);
  assert.deepEqual([none.status, (await errorOf(none)).param], [400, "file"]);
  const nobody = await post("/v1/audio/transcriptions", form({}));
  assert.deepEqual([nobody.status, (await errorOf(nobody)).param], [400, "model"]);
  assert.equal(upstream.requests.length, before);
});

test("responses and messages, whole and streamed, byte for byte", async () => {
  const root = new URL(upstream.url).origin;
  for (const [path, body] of [
    ["/v1/responses", { model: "m", input: "Count to three, please." }],
    ["/v1/messages", { model: "m", max_tokens: 64, messages: [{ role: "user", content: "Count to three, please." }] }],
  ]) {
    for (const stream of [false, true]) {
      const response = await post(path, { ...body, stream });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      const direct = await fetch(`${root}/openai${path}`, { method: "POST", headers: { authorization: `Bearer ${KEY}` }, body: JSON.stringify({ ...body, stream }) });
      // Every call has its own id.
      const plain = (bytes) => bytes.replace(/(resp|msg)_[0-9a-f]{32}/g, "$1");
      assert.equal(plain(text), plain(await direct.text()));
      assert.match(response.headers.get("content-type"), stream ? /^text\/event-stream/ : /^application\/json/);
      const line = await logOf(response);
      assert.equal(line.outcome, "complete");
      assert.deepEqual([line.usage.prompt_tokens, line.usage.completion_tokens], path === "/v1/responses" ? [36, 87] : [30, 15]);
    }
  }
});

test("Anthropic's headers: the version, betas, and the key where its clients send theirs", async () => {
  const body = { model: "m", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] };
  await (await post("/v1/messages", body)).text();
  let sent = upstream.requests.at(-1).headers;
  assert.deepEqual([sent["anthropic-version"], sent["anthropic-beta"], sent["x-api-key"], sent.authorization], ["2023-06-01", undefined, KEY, `Bearer ${KEY}`]);
  await (await post("/v1/messages", body, { "anthropic-version": "2024-01-01", "anthropic-beta": "a-1,b-2", "x-api-key": "the-callers" })).text();
  sent = upstream.requests.at(-1).headers;
  assert.deepEqual([sent["anthropic-version"], sent["anthropic-beta"], sent["x-api-key"]], ["2024-01-01", "a-1,b-2", KEY]);
  // DeepSeek has it at another base.
  const response = await post("/v1/messages", { ...body, model: "deep" });
  assert.equal(response.status, 200);
  assert.equal(upstream.requests.at(-1).path, "/deepseek/anthropic/v1/messages");
  await response.text();
  // Nowhere else.
  await (await post("/v1/embeddings", { model: "m", input: "x" }, { "anthropic-beta": "a" })).text();
  assert.equal(upstream.requests.at(-1).headers["anthropic-beta"], undefined);
});

test("501 where no upstream of the model has the endpoint, and nothing is sent", async () => {
  const before = upstream.requests.length;
  for (const [path, body] of [
    ["/v1/embeddings", { model: "few", input: "x" }],
    ["/v1/responses", { model: "spare", input: "x" }],
    ["/v1/rerank", { model: "deep", query: "q", documents: ["a"] }],
    ["/v1/messages", { model: "few", max_tokens: 1, messages: [{ role: "user", content: "x" }] }],
  ]) {
    const response = await post(path, body);
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.code, error.type], [501, "not_supported", "api_error"]);
    assert.ok(error.message.includes(path), error.message);
    assert.equal(response.headers.get("x-should-retry"), "false");
  }
  const unknown = await post("/v1/embeddings", { model: "nobody's", input: "x" });
  assert.deepEqual([unknown.status, (await errorOf(unknown)).code], [404, "model_not_found"]);
  assert.equal(upstream.requests.length, before);
});

test("a place without the endpoint is left out of the ladder, and the next one answers", async () => {
  const response = await post("/v1/audio/translations", form({ model: "both" }));
  assert.equal(response.headers.get("x-sluicegate-upstream"), "open");
  await response.text();
});

describe("what fails", () => {
  const input = { input: "x" };
  // What all calls of an isolate may retry together is soon used up by calls that fail on purpose.
  beforeEach(async () => {
    await gate.stop();
    gate = await start();
  });

  test("is asked again, or elsewhere, as a chat is", async () => {
    const again = await post("/v1/embeddings", { model: "bge-status-500-once", ...input });
    assert.deepEqual([again.status, again.headers.get("x-sluicegate-attempts")], [200, "2"]);
    await again.text();
    for (const fault of ["html-200-once", "error-200-once", "reset-once", "cut-40-once", "no-length-eof-40-once"]) {
      const response = await post("/v1/embeddings", { model: `bge-${fault}`, ...input });
      assert.equal(response.status, 200, fault);
      assert.equal((await response.json()).data.length, 1, fault);
    }
    const limited = await post("/v1/embeddings", { model: "bge-status-429-retry-1-once", ...input });
    assert.equal(limited.status, 200);
    await limited.text();
  });

  test("and fails everywhere is an error in OpenAI's shape, never half an answer and never a page", async () => {
    for (const [fault, status, code] of [
      ["status-429-retry-700", 429, "rate_limited"],
      ["status-400", 400, "invalid_request"],
      ["html-200", 502, "protocol"],
      ["html-524", 504, "timeout_first_token"],
      ["cut-40", 502, "truncated"],
      ["no-length-eof-40", 502, "truncated"],
      ["redirect", 502, "protocol"],
    ]) {
      const response = await post("/v1/embeddings", { model: `bge-${fault}`, ...input });
      assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
      const error = await errorOf(response);
      assert.deepEqual([response.status, error.code], [status, code], fault);
    }
    for (const fault of ["cut-100", "no-length-cut-100"]) {
      const response = await post("/v1/audio/speech", { model: `tts-${fault}`, input: "Hello" });
      assert.deepEqual([response.status, (await errorOf(response)).code], [502, "truncated"], fault);
    }
  });

  test("in a stream: before a word it is begun anew, after one it ends with an error event", async () => {
    for (const [path, body] of [
      ["/v1/responses", { input: "Count to three, please.", stream: true }],
      ["/v1/messages", { max_tokens: 64, messages: [{ role: "user", content: "Count to three, please." }], stream: true }],
    ]) {
      for (const fault of ["cut-3-once", "eof-2-once", "error-in-stream-2-once"]) {
        const text = await (await post(path, { model: `whisper-${fault}`, ...body })).text();
        assert.equal(text.match(/^event: (response\.created|message_start)$/gm).length, 1, fault);
        assert.match(text, /^event: (response\.completed|message_stop)$/m);
        assert.doesNotMatch(text, /^event: error$/m);
      }
      for (const [fault, code] of [["cut-7", "truncated"], ["eof-7", "truncated"], ["error-in-stream-7", path === "/v1/messages" ? "overloaded" : "upstream_error"]]) {
        const response = await post(path, { model: `whisper-${fault}`, ...body });
        const text = await response.text();
        const last = text.trimEnd().split("\n\n").at(-1);
        assert.match(last, /^event: error\ndata: /, fault);
        const data = JSON.parse(last.slice("event: error\ndata: ".length));
        assert.deepEqual([data.type, data.code, data.error.code], ["error", code, code], fault);
        const line = await logOf(response);
        assert.equal(line.error, code);
      }
    }
  });
});

test("an upstream's page is never handed on as one, nor are its headers", async () => {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html", "set-cookie": "a=b", "content-disposition": "inline" });
    response.end("<script>alert(1)</script>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const other = await startGate({
    config: { upstreams: [{ name: "evil", dialect: "openai", base_url: `http://127.0.0.1:${server.address().port}/v1`, models: ["*"] }], recovery: { retry: { tries: 1 } }, development: true },
  });
  try {
    for (const [path, body] of [["/v1/audio/speech", { model: "m", input: "x" }], ["/v1/embeddings", { model: "m", input: "x" }]]) {
      const response = await other.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      assert.equal(response.status, 502);
      assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
      assert.equal(response.headers.get("set-cookie"), null);
      assert.doesNotMatch(await response.text(), /<script>/);
    }
  } finally {
    await other.stop();
    server.close();
  }
});

describe("with redaction", () => {
  const PHONE = "13812345678";
  let hiding;
  before(async () => {
    const root = new URL(upstream.url).origin;
    hiding = await startGate({
      config: {
        upstreams: [{ name: "open", dialect: "openai", base_url: `${root}/openai/v1`, models: ["*"], secret: "KEY" }],
        redaction: {},
        development: true,
      },
      secrets: { KEY },
    });
  });
  after(() => hiding?.stop());
  const send = (path, body) => hiding.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

  test("what is private is hidden in every field and given back where text comes back", async () => {
    for (const [path, body] of [
      ["/v1/embeddings", { input: [`Call ${PHONE}.`] }],
      ["/v1/rerank", { query: PHONE, documents: ["a", { text: PHONE }] }],
      ["/v1/images/generations", { prompt: `A card with ${PHONE}` }],
      ["/v1/audio/speech", { input: `Call ${PHONE}.`, voice: "alloy" }],
    ]) {
      const response = await send(path, { model: "m", ...body });
      assert.equal(response.status, 200, path);
      await response.arrayBuffer();
      assert.doesNotMatch(JSON.stringify(upstream.requests.at(-1).body), new RegExp(PHONE), path);
    }
    for (const [path, body] of [
      ["/v1/responses", { input: `Call ${PHONE}.` }],
      ["/v1/messages", { max_tokens: 64, system: `I am ${PHONE}.`, messages: [{ role: "user", content: `Call ${PHONE}.` }] }],
    ]) {
      for (const stream of [false, true]) {
        const response = await send(path, { model: "m", ...body, stream });
        const text = await response.text();
        assert.equal(response.status, 200, text);
        assert.doesNotMatch(JSON.stringify(upstream.requests.at(-1).body), new RegExp(PHONE), path);
        const said = stream
          ? [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data)).map(({ delta }) => (typeof delta === "string" ? delta : delta?.text) ?? "").join("")
          : JSON.stringify(JSON.parse(text).output ?? JSON.parse(text).content);
        assert.ok(said.includes(`Call ${PHONE}.`), `${path} ${stream}: ${said}`);
      }
    }
  });

  test("sound comes back byte for byte", async () => {
    const response = await send("/v1/audio/speech", { model: "m", input: `Call ${PHONE}.`, voice: "alloy" });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), soundOf(upstream.requests.at(-1).body.input));
  });

  test("a recording, which cannot be searched, goes to nobody who is not trusted", async () => {
    const before = upstream.requests.length;
    const response = await hiding.fetch("/v1/audio/transcriptions", { method: "POST", body: form({ model: "m" }) });
    const error = await errorOf(response);
    assert.deepEqual([response.status, error.code, error.param], [403, "local_only", "file"]);
    assert.equal(upstream.requests.length, before);
  });
});

describe("with keys", () => {
  let open;
  let keyed;
  before(async () => {
    open = await startUpstream();
    // A unit of money a token.
    keyed = await startAccess(open, { price: { input: 1_000_000, output: 1_000_000 }, settings: { currency: "EUR" } });
  });
  after(async () => {
    await keyed?.stop();
    await open?.close();
  });
  const ask = (path, body, headers) => send(keyed.url, "POST", path, { headers, body: { model: "scripted-chat", ...body } });

  test("a key for some endpoints gets no further, by whichever header it comes", async () => {
    const { key } = await makeKey(keyed.url, { role: "developer", endpoints: ["embeddings", "messages"] });
    const message = { max_tokens: 9, messages: [{ role: "user", content: "Hi" }] };
    assert.equal((await ask("/v1/embeddings", { input: "x" }, bearer(key))).status, 200);
    assert.equal((await ask("/v1/messages", message, { "x-api-key": key })).status, 200);
    assert.equal((await ask("/v1/messages", message, {})).status, 401);
    for (const [path, body] of [["/v1/rerank", { query: "q", documents: ["a"] }], ["/v1/responses", { input: "x" }], ["/v1/audio/speech", { input: "x" }]]) {
      const refused = await ask(path, body, bearer(key));
      assert.deepEqual([refused.status, refused.json.error.code], [403, "forbidden"], path);
      assert.equal((await ask(path, body, { "x-api-key": key })).status, 403, path);
    }
    assert.ok(open.requests.every(({ headers }) => !JSON.stringify(headers).includes(key)));
  });

  test("tokens and spend are counted by what the answer says, and a limit of a route holds", async () => {
    const limits = { spend_per_day: 20, routes: { embeddings: { requests_per_day: 2 } } };
    const { key } = await makeKey(keyed.url, { role: "developer", limits });
    const body = { input: "one two three four five six seven" };
    for (let call = 0; call < 2; call += 1) {
      const counted = await ask("/v1/embeddings", body, bearer(key));
      assert.equal(counted.status, 200, counted.text);
    }
    const refused = await ask("/v1/embeddings", { input: "x" }, bearer(key));
    assert.deepEqual([refused.status, refused.json.error.code], [429, "rate_limit_exceeded"], refused.text);
    // 7 and 7 are spent; these are 5 more, by the count of the upstream, which leaves 1.
    const documents = ["c d", "e"];
    const ranked = await ask("/v1/rerank", { query: "a b", documents }, bearer(key));
    assert.equal(ranked.status, 200, ranked.text);
    const spent = await ask("/v1/rerank", { query: "a b", documents }, bearer(key));
    assert.deepEqual([spent.status, spent.json.error.code], [429, "insufficient_quota"], spent.text);
  });
});

describe("an upstream that is faster than the gate", () => {
  test("keeps no other request waiting, and its caller's leaving is noticed", async () => {
    const endless = await startUpstream();
    const fast = await startAccess(endless, { models: ["scripted-chat+endless"] });
    try {
      const { key } = await makeKey(fast.url, { role: "developer" });
      const leaving = new AbortController();
      const body = JSON.stringify({ model: "scripted-chat+endless", stream: true, messages: [{ role: "user", content: "Hello" }] });
      const headers = { ...bearer(key), "content-type": "application/json" };
      const response = await fetch(`${fast.url}/v1/chat/completions`, { method: "POST", headers, body, signal: leaving.signal });
      const reading = response.body.pipeTo(new WritableStream()).catch(() => {});
      const record = endless.requests.at(-1);
      for (let asked = 0; asked < 10; asked += 1) {
        assert.equal((await send(fast.url, "GET", "/v1/models", { headers: bearer(key) })).status, 200);
      }
      assert.ok(!record.finished, "all ten are answered before the stream is over");
      leaving.abort();
      await reading;
      while (!record.aborted && !record.finished) await delay(10);
      assert.ok(record.aborted, "and it is left before its end");
    } finally {
      await fast.stop();
      await endless.close();
    }
  });
});
