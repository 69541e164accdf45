// A batch of prompts: results in their order, none lost for another's sake, rights and limits by the operation that was asked for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startUpstream } from "../upstream/index.mjs";
import { bearer, makeKey, send, startAccess } from "./access.mjs";

let upstream;
let gate;

before(async () => {
  upstream = await startUpstream();
  const recovery = { retry: { tries: 1 }, continuation: false, breaker: false };
  gate = await startAccess(upstream, { settings: { recovery } });
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const prompts = (count) => Array.from({ length: count }, (_, at) => `prompt number ${at}`);
const batch = (key, body, headers = {}) => send(gate.url, "POST", "/v1/batch", { headers: { ...bearer(key), ...headers }, body });

test("32 prompts are answered in their order", async () => {
  const { key } = await makeKey(gate.url);
  upstream.reset();
  // What comes last is not what was asked last: the first of every three is slow.
  upstream.schedule({ words: "slow-head-120", firstOf: 3 });
  const { status, json } = await batch(key, { model: "m+echo", prompts: prompts(32) });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(json.map(({ choices }) => choices[0].text), prompts(32));
  assert.equal(new Set(json.map(({ id }) => id)).size, 32);
});

test("no more than six prompts are asked at once", async () => {
  const { key } = await makeKey(gate.url);
  upstream.reset();
  assert.equal((await batch(key, { model: "m+echo+slow-head-60", prompts: prompts(20) })).status, 200);
  const turns = upstream.journal.flatMap(({ at, endedAt }) => [[at, 1], [endedAt, -1]]).sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  let running = 0;
  const most = Math.max(...turns.map(([, change]) => (running += change)));
  assert.ok(most > 1 && most <= 6, String(most));
});

test("a prompt that fails has its error in its place and loses no other", async () => {
  const { key } = await makeKey(gate.url);
  upstream.reset();
  upstream.schedule({ words: "status-500", every: 3 });
  const { status, json } = await batch(key, { model: "m+echo", prompts: ["a", "", "c", "d", "e", "f", "g"] });
  assert.equal(status, 200);
  assert.equal(json.length, 7);
  assert.deepEqual([json[1].error.code, json[1].error.param, json[1].choices[0].finish_reason], ["invalid_request", "prompts[1]", "error"]);
  const failed = json.filter(({ error }) => error);
  assert.equal(failed.length, 3, JSON.stringify(json));
  for (const [at, text] of ["a", "", "c", "d", "e", "f", "g"].entries()) {
    assert.equal(json[at].choices[0].text, json[at].error ? "" : text);
  }
});

test("a prompt that all are at fault of, and what is left of the limits, are said of the batch", async () => {
  const { key } = await makeKey(gate.url, { limits: { requests_per_minute: 40, tokens_per_minute: 1_000_000 } });
  upstream.reset();
  const refused = await batch(key, { model: "m+echo", prompts: ["", ""] });
  assert.deepEqual([refused.status, refused.json.error.code, refused.json.error.param], [400, "invalid_request", "prompts"]);
  const { status, headers } = await batch(key, { model: "m+echo", prompts: prompts(5) });
  assert.equal(status, 200);
  assert.equal(headers["x-ratelimit-limit-requests"], "40");
  assert.equal(Number(headers["x-ratelimit-remaining-requests"]), 35);
});

test("where the guide's default of 2048 tokens is more than a key has, its program is answered all the same", async () => {
  const { key } = await makeKey(gate.url, { limits: { tokens_per_minute: 500 } });
  upstream.reset();
  const infer = (body) => send(gate.url, "POST", "/v1/models/m+echo/infer", { headers: bearer(key), body });
  const short = await infer({ prompt: "Hello" });
  assert.equal(short.status, 200, short.text);
  const asked = await infer({ prompt: "Hello", max_tokens: 2048 });
  assert.deepEqual([asked.status, asked.json.error.code], [413, "request_exceeds_limit"]);
});

test("faults of the batch itself are its answer, and nobody is asked", async () => {
  const { key } = await makeKey(gate.url);
  upstream.reset();
  for (const [body, param] of [
    [{}, "prompts"], [{ prompts: [] }, "prompts"], [{ prompts: prompts(33) }, "prompts"], [{ prompts: ["a", 1] }, "prompts[1]"],
    [{ prompts: ["a"], stream: true }, "stream"], [{ prompts: ["a"], prompt: "b" }, "prompt"],
  ]) {
    const { status, json } = await batch(key, body);
    assert.deepEqual([status, json.error.code, json.error.param], [400, "invalid_request", param], JSON.stringify(body));
  }
  assert.equal((await batch(key, "prompts=a", { "content-type": "text/plain" })).status, 415);
  assert.equal(upstream.journal.length, 0);
});

test("rights go by the batch, and models by each prompt", async () => {
  const only = (endpoint) => makeKey(gate.url, { endpoints: [endpoint] }).then(({ key }) => key);
  const [batches, completes] = [await only("batch"), await only("complete")];
  assert.equal((await batch(batches, { model: "m+echo", prompts: ["a", "b"] })).status, 200);
  assert.equal((await send(gate.url, "POST", "/v1/complete", { headers: bearer(batches), body: { model: "m", prompt: "a" } })).status, 403);
  assert.equal((await batch(completes, { model: "m", prompts: ["a"] })).status, 403);
  const { key } = await makeKey(gate.url, { models: ["allowed*"] });
  const refused = await batch(key, { model: "other", prompts: ["a", "b"] });
  assert.deepEqual([refused.status, refused.json.error.code, refused.json.error.param], [403, "forbidden", "model"]);
  assert.equal((await send(gate.url, "POST", "/v1/batch", { body: { prompts: ["a"] } })).status, 401);
});

test("what a caller sends as a context of the gate's own is nobody's right", async () => {
  const { key } = await makeKey(gate.url, { endpoints: ["complete"] });
  const headers = { via: "batch", caller: JSON.stringify({ key: "key_bootstrap", via: "Key" }) };
  assert.equal((await batch(key, { prompts: ["a"] }, headers)).status, 403);
});

test("each prompt counts against the limits; where all are over, so is the batch", async () => {
  const { key } = await makeKey(gate.url, { limits: { requests_per_day: 3 } });
  const { status, json } = await batch(key, { model: "m+echo", prompts: prompts(8) });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.filter(({ error }) => !error).length, 3);
  assert.ok(json.filter(({ error }) => error).every(({ error }) => error.code === "rate_limit_exceeded"), JSON.stringify(json));
  const over = await batch(key, { model: "m+echo", prompts: prompts(4) });
  assert.deepEqual([over.status, over.json.error.code], [429, "rate_limit_exceeded"]);
});
