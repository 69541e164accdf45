// Limits under many clients at once, over several isolates: never more than the bound, nobody left without an answer, and who is refused
// is told when to come back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { admin, bearer, makeKey, send, startAccess } from "./access.mjs";
import { content, events } from "./gate.mjs";

const CLIENTS = 64;
const ISOLATES = 4;

let upstream;
let gate;

before(async () => {
  upstream = await startUpstream();
  // A unit of money a token, so that sums can be seen.
  gate = await startAccess(upstream, { isolates: ISOLATES, price: { input: 1_000_000, output: 1_000_000 }, settings: { currency: "EUR" } });
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const minute = 60_000;

/** Begins in the first half of a minute, so that what is counted is counted in one window. */
async function early() {
  const rest = minute - (Date.now() % minute);
  if (rest < 25_000) await delay(rest + 50);
}

function ask(at, key, body) {
  return send(gate.urls[at % ISOLATES], "POST", "/v1/chat/completions", { headers: bearer(key), body: { model: "scripted-chat", messages: [{ role: "user", content: "Hello" }], ...body }, timeout: 60_000 });
}

/** What `CLIENTS` clients get who ask `rounds` times each, one after the other. */
async function storm(key, rounds, body) {
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const answers = [];
    for (let round = 0; round < rounds; round += 1) answers.push(await ask(client + round, key, body));
    return answers;
  });
  return (await Promise.all(clients)).flat();
}

/**
 * By how much `most` may be surpassed: what is set aside for a prompt is an estimate, and calls that are let in before the first is settled
 * may each be off by as much as this one is, at most by the whole prompt.
 */
const off = (admitted) => CLIENTS * Math.max(...admitted.map(({ json }) => json.usage.prompt_tokens));

/** That a refusal is one: of a kind, with the time to wait until a minute, a day or a month is over. */
function checkRefusal(answer, code = "rate_limit_exceeded", most = 60) {
  assert.equal(answer.status, 429, answer.text);
  assert.equal(answer.json.error.code, code, answer.text);
  const wait = Number(answer.headers["retry-after"]);
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= most, `retry-after: ${answer.headers["retry-after"]}`);
  return wait;
}

test("of 256 requests of 64 clients at four places, as many are let in as the limit says and not one more", { timeout: 120_000 }, async (context) => {
  await early();
  const limit = 100;
  const { id, key } = await makeKey(gate.url, { role: "developer", limits: { requests_per_minute: limit } });
  const before = upstream.requests.length;
  const answers = await storm(key, 4);
  const admitted = answers.filter(({ status }) => status === 200);
  const refusals = answers.filter(({ status }) => status !== 200);
  context.diagnostic(`${admitted.length} of ${limit} admitted`);
  assert.equal(answers.length, 4 * CLIENTS);
  assert.ok(admitted.length <= limit, `${admitted.length} were let in`);
  // Some of the limit may lie with an isolate that nobody asks any more: an eighth of what was left, at each.
  assert.ok(admitted.length >= limit * 0.8, `only ${admitted.length} were let in`);
  assert.equal(upstream.requests.length - before, admitted.length);
  for (const refusal of refusals) checkRefusal(refusal);
  for (const { headers } of admitted) {
    assert.equal(headers["x-ratelimit-limit-requests"], String(limit));
    assert.ok(Number(headers["x-ratelimit-remaining-requests"]) < limit);
    assert.match(headers["x-ratelimit-reset-requests"], /^(\d+m)?\d+(\.\d+)?(s|ms)$/);
  }
  const usage = await admin(gate.url, "GET", `/admin/keys/${id}/usage`);
  const meter = usage.data[0].meters.find(({ unit, window }) => unit === "requests" && window === "minute");
  assert.equal(meter.limit, limit);
  // Isolates tell what they let in a little later.
  assert.ok(meter.used > 0 && meter.used <= limit && meter.used + meter.remaining === limit, JSON.stringify(meter));
});

test("after the minute the key is good again", { timeout: 150_000 }, async () => {
  await early();
  const { key } = await makeKey(gate.url, { role: "developer", limits: { requests_per_minute: 2 } });
  const one = async () => (await ask(0, key)).status;
  assert.deepEqual([await one(), await one()], [200, 200]);
  const wait = checkRefusal(await ask(0, key));
  const rest = minute - (Date.now() % minute);
  assert.ok(Math.abs(wait * 1_000 - rest) <= 1_500, `${wait} s, the minute ends in ${rest} ms`);
  await delay(Math.max(wait * 1_000, rest) + 100);
  assert.equal(await one(), 200);
});

test("limits of a model and of an endpoint are their own", { timeout: 90_000 }, async () => {
  await early();
  const { key } = await makeKey(gate.url, {
    role: "developer",
    limits: { requests_per_minute: 6, models: { "scripted-r1": { requests_per_minute: 1 } }, routes: { completions: { requests_per_minute: 2 } } },
  });
  const chat = (model) => ask(0, key, { model });
  assert.equal((await chat("scripted-r1")).status, 200);
  checkRefusal(await chat("scripted-r1"));
  assert.equal((await chat("scripted-chat")).status, 200);
  const completion = () => send(gate.url, "POST", "/v1/completions", { headers: bearer(key), body: { model: "scripted-chat", prompt: "Hello" } });
  assert.deepEqual([(await completion()).status, (await completion()).status], [200, 200]);
  checkRefusal(await completion());
  // What the model's and the endpoint's limit refused was not counted at the key's.
  assert.deepEqual([(await chat("scripted-chat")).status, (await chat("scripted-chat")).status], [200, 200]);
  checkRefusal(await chat("scripted-chat"));
});

test("tokens are set aside before and settled after: 64 clients use no more than the limit and what estimates are off", { timeout: 120_000 }, async (context) => {
  await early();
  const limit = 4_000;
  const { key } = await makeKey(gate.url, { role: "developer", limits: { tokens_per_minute: limit } });
  const answers = await storm(key, 2, { max_tokens: 40 });
  const admitted = answers.filter(({ status }) => status === 200);
  const used = admitted.reduce((sum, { json }) => sum + json.usage.total_tokens, 0);
  context.diagnostic(`${used} of ${limit} tokens, ${admitted.length} of ${answers.length} requests`);
  assert.ok(used > limit / 2 && used <= limit + off(admitted), `${used} tokens`);
  assert.ok(admitted.length < answers.length);
  for (const refusal of answers.filter(({ status }) => status !== 200)) checkRefusal(refusal);
});

test("no more streams at once than allowed, and one that ends makes room", { timeout: 90_000 }, async () => {
  const limit = 4;
  const { key } = await makeKey(gate.url, { role: "developer", limits: { concurrent_streams: limit } });
  const aborts = [];
  const open = async (at) => {
    const abort = new AbortController();
    const response = await fetch(`${gate.urls[at % ISOLATES]}/v1/chat/completions`, {
      method: "POST",
      headers: { ...bearer(key), "content-type": "application/json" },
      body: JSON.stringify({ model: "scripted-chat+rate-20+long-2000", stream: true, messages: [{ role: "user", content: "Hello" }] }),
      signal: abort.signal,
    });
    aborts.push(abort);
    return response;
  };
  const responses = await Promise.all(Array.from({ length: 16 }, (_, at) => open(at)));
  assert.equal(responses.filter(({ status }) => status === 200).length, limit);
  for (const response of responses.filter(({ status }) => status !== 200)) {
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [429, "concurrency_limit_exceeded"]);
    assert.ok(Number(response.headers.get("retry-after")) >= 1);
  }
  for (const abort of aborts) abort.abort();
  const until = Date.now() + 20_000;
  let response;
  do {
    await delay(250);
    response = await open(0);
  } while (response.status !== 200 && Date.now() < until);
  assert.equal(response.status, 200, "none of the streams that ended made room");
  aborts.at(-1).abort();
});

test("a budget that is gone ends the stream midway, with an event that says so, and refuses what comes after", { timeout: 90_000 }, async () => {
  // A token costs one: the prompt's few, and then what is left for the answer, which would be twice as long.
  const budget = 200;
  const { id, key } = await makeKey(gate.url, { role: "developer", limits: { spend_per_day: budget } });
  const response = await fetch(`${gate.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...bearer(key), "content-type": "application/json" },
    body: JSON.stringify({ model: "scripted-chat+long-400+rate-200", stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  const { list, error, done } = await events(response);
  assert.ok(content(list).length > 0);
  assert.ok(error && !done, "the stream went on to its end");
  assert.equal(error.type, "insufficient_quota");
  const pieces = list.filter((event) => event.choices?.[0]?.delta?.content).length;
  assert.ok(pieces > budget / 2 && pieces <= budget, `${pieces} pieces came`);
  checkRefusal(await ask(0, key, { model: "scripted-chat" }), "insufficient_quota", 86_400);
  const [{ meters }] = (await admin(gate.url, "GET", `/admin/keys/${id}/usage`)).data;
  const meter = meters.find(({ unit, window }) => unit === "spend" && window === "day");
  assert.deepEqual([meter.limit, meter.used + meter.remaining], [budget, budget]);
});

test("64 clients with a budget spend it and no more", { timeout: 120_000 }, async (context) => {
  const budget = 3_000;
  const { key } = await makeKey(gate.url, { role: "developer", limits: { spend_per_month: budget } });
  const answers = await storm(key, 2, { max_tokens: 30 });
  const admitted = answers.filter(({ status }) => status === 200);
  const spent = admitted.reduce((sum, { json }) => sum + json.usage.total_tokens, 0);
  context.diagnostic(`${spent} of ${budget} spent by ${admitted.length} of ${answers.length} requests`);
  assert.ok(spent > budget / 2 && spent <= budget + off(admitted), `${spent} was spent`);
  assert.ok(admitted.length < answers.length);
  for (const refusal of answers.filter(({ status }) => status !== 200)) checkRefusal(refusal, "insufficient_quota", 31 * 86_400);
});

test("limits outlast the process, since the objects keep them", { timeout: 60_000 }, async () => {
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const storage = await mkdtemp(join(tmpdir(), "sluicegate-limits-"));
  let own = await startAccess(upstream, { storage });
  try {
    const { key } = await makeKey(own.url, { role: "developer", limits: { requests_per_day: 3 } });
    const one = async () => (await send(own.url, "POST", "/v1/chat/completions", { headers: bearer(key), body: { model: "scripted-chat", messages: [{ role: "user", content: "Hello" }] } })).status;
    assert.deepEqual([await one(), await one(), await one(), await one()], [200, 200, 200, 429]);
    await own.stop();
    own = await startAccess(upstream, { storage });
    assert.equal(await one(), 429);
  } finally {
    await own.stop();
    await rm(storage, { recursive: true, force: true });
  }
});
