// How a model does: what this isolate knows of its places, and whether they are there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { bearer, makeKey, send, startAccess } from "./access.mjs";

let upstream;
let gate;
let key;

before(async () => {
  upstream = await startUpstream();
  const second = { name: "second", dialect: "openai", base_url: "http://127.0.0.1:9/v1", secret: "SECOND", models: ["nowhere", "both"] };
  const first = { name: "first", dialect: "openai", base_url: upstream.url, models: ["m", "fails", "both", "a/b"] };
  const recovery = { retry: { tries: 1 }, continuation: false, breaker: { failures: 2 } };
  gate = await startAccess(upstream, { settings: { upstreams: [first, second], recovery }, env: { SECOND: "a-secret-of-the-second" } });
  ({ key } = await makeKey(gate.url));
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const status = (model, credential = key) => send(gate.url, "GET", `/v1/models/${model}/status`, { headers: bearer(credential) });
const call = (model, body = {}) => send(gate.url, "POST", "/v1/chat/completions", { headers: bearer(key), body: { model, messages: [{ role: "user", content: "Hello" }], ...body } });
const probes = () => upstream.journal.filter(({ method, path }) => method === "GET" && path.endsWith("/models")).length;

test("of a model that nobody called, its upstream is asked, once for many questions", async () => {
  upstream.reset();
  for (let round = 0; round < 5; round += 1) {
    const { status: code, json } = await status("m");
    assert.deepEqual([code, json.object, json.model, json.reachable], [200, "model.status", "m", true]);
    assert.deepEqual(json.places.map(({ upstream: name, breaker }) => [name, breaker]), [["first", "closed"]]);
    assert.deepEqual(json.places[0].first_token_ms, { p50: null, p90: null, p99: null, samples: 0 });
  }
  assert.equal(probes(), 1);
});

test("a model's id may have a slash", async () => {
  assert.equal((await status("a%2Fb")).json.model, "a/b");
  assert.equal((await status("a/b")).json.model, "a/b");
});

test("times to the first token are those of the streams that came", async () => {
  for (let round = 0; round < 3; round += 1) assert.equal((await call("m", { stream: true })).status, 200);
  const { first_token_ms: times } = (await status("m")).json.places[0];
  assert.equal(times.samples, 3);
  assert.ok(times.p50 >= 0 && times.p50 <= times.p90 && times.p90 <= times.p99, JSON.stringify(times));
});

test("a place whose breaker is open is not reachable, and says when it is looked at again", async () => {
  upstream.reset();
  const plan = upstream.schedule("status-500", { model: "fails" });
  for (let round = 0; round < 3; round += 1) await call("fails");
  plan?.stop?.();
  const { json } = await status("fails");
  const [place] = json.places;
  assert.deepEqual([json.reachable, json.status, place.breaker, place.reachable], [false, "unavailable", "open", false]);
  assert.ok(place.retry_after_ms > 0 && place.retry_after_ms <= 30_000, String(place.retry_after_ms));
  assert.equal((await status("m")).json.reachable, true);
});

test("one place of two is enough to be reachable, and not enough to be well", async () => {
  const { json } = await status("both");
  assert.deepEqual([json.reachable, json.status], [true, "degraded"]);
  assert.deepEqual(json.places.map(({ upstream: name, reachable }) => [name, reachable]), [["first", true], ["second", false]]);
  assert.deepEqual([(await status("nowhere")).json.reachable, (await status("nowhere")).json.status], [false, "unavailable"]);
});

test("calls that run are counted, and no longer when they are over", async () => {
  upstream.reset();
  upstream.schedule("slow-head-800");
  const running = [call("m"), call("m")];
  while (upstream.journal.length < 2) await delay(20);
  assert.deepEqual((await status("m")).json.queue, { running: 2, waiting: 0 });
  assert.equal((await status("both")).json.queue.running, 0);
  for (const answer of await Promise.all(running)) assert.equal(answer.status, 200);
  assert.deepEqual((await status("m")).json.queue, { running: 0, waiting: 0 });
});

test("no address and no secret is told", async () => {
  const { text } = await status("both");
  for (const hidden of ["127.0.0.1", "http", upstream.url, "SECOND", "a-secret-of-the-second"]) assert.ok(!text.includes(hidden), hidden);
});

test("who may not use a model is not told of it, and a model that is not there has no status", async () => {
  const { key: other } = await makeKey(gate.url, { models: ["m"] });
  assert.equal((await status("m", other)).status, 200);
  const refused = await status("both", other);
  assert.deepEqual([refused.status, refused.json.error.code], [403, "forbidden"]);
  const missing = await status("no-such-model");
  assert.deepEqual([missing.status, missing.json.error.code], [404, "model_not_found"]);
  assert.equal((await send(gate.url, "GET", "/v1/models/m/status", {})).status, 401);
  assert.equal((await send(gate.url, "POST", "/v1/models/m/status", { headers: bearer(key), body: {} })).status, 405);
});
