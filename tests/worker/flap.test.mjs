// A primary that flaps, or is dead, under steady traffic: every caller gets a whole answer, the primary is left alone while its breaker is open, and sees one
// request in each of the breaker's times, however many isolates there are. On a shortened clock: a breaker that is open for a second, not thirty.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { content, events, startGate } from "./gate.mjs";

const OPEN_MS = 1_000;
const MESSAGES = [{ role: "user", content: "Hello" }];
/** One answer of either upstream, told apart by their lengths. */
const [LONG, SHORT] = ["numbered-30", "numbered-12"];
const expected = (words) => expectedAnswer({ model: `m+${words}`, messages: MESSAGES }, { dialect: "openai" });
const ANSWERS = { primary: expected(LONG), fallback: expected(SHORT) };

async function stage({ breaker, ...options } = {}) {
  const servers = { primary: await startUpstream(), fallback: await startUpstream() };
  const upstreams = Object.entries(servers).map(([name, { url }]) => ({ name, dialect: "openai", base_url: url, models: [{ id: "m", upstream_id: `m+${name === "primary" ? LONG : SHORT}` }] }));
  const gate = await startGate({
    // The ratio of a window is off: it opens a breaker earlier than the count that is looked at here.
    config: { upstreams, recovery: { retry: { first_ms: 20, tries: 1 }, breaker: { open_ms: OPEN_MS, ratio_percent: 0, ...breaker } }, callers: { credentials: "ignore" }, development: true },
    ...options,
  });
  return { ...servers, gate, async stop() {
    await gate.stop();
    await Promise.all(Object.values(servers).map((server) => server.close()));
  } };
}

/** Calls every `everyMs` for `ms`, streams and whole answers, at each of `urls` in turn: what each caller got. */
async function traffic(urls, ms, everyMs) {
  const calls = [];
  const end = performance.now() + ms;
  for (let number = 0; performance.now() < end; number++, await delay(everyMs)) calls.push(ask(urls[number % urls.length], number % 2 === 0));
  return Promise.all(calls);
}

async function ask(url, stream) {
  const body = JSON.stringify({ model: "m", messages: MESSAGES, stream, ...(stream && { stream_options: { include_usage: true } }) });
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const got = { status: response.status, id: response.headers.get("x-request-id"), by: response.headers.get("x-sluicegate-upstream") };
  if (!stream) {
    const { choices, usage } = await response.json();
    return { ...got, text: choices?.[0].message.content, usage };
  }
  const { list, done, error } = await events(response);
  return { ...got, text: content(list), usage: list.find((event) => event.usage)?.usage, done, error };
}

/** Each caller got a whole answer of one of the two, with its usage and no other, and so says the log. */
async function areWhole(gate, got) {
  for (const { status, id, by, text, usage, error, done = true } of got) {
    assert.deepEqual([status, error, done], [200, undefined, true]);
    assert.equal(text, ANSWERS[by].text);
    assert.equal(usage.completion_tokens, ANSWERS[by].usage.completion_tokens);
    const line = await gate.settled(id);
    assert.deepEqual([line.upstream, line.outcome, line.usage.total_tokens], [by, "complete", usage.total_tokens]);
  }
}

const asked = (server) => server.journal.filter(({ method }) => method === "POST");

/**
 * The probes among these requests, as a breaker makes them that opens when so many `failures` came in a row: all that are sent while it is open. Each says how long
 * before it the breaker opened for the last time.
 */
function probesOf(journal, failures = 5) {
  const happened = journal.flatMap((entry) => [{ at: entry.at, entry }, { at: entry.endedAt, entry, isOver: true }]).sort((one, other) => one.at - other.at);
  let [row, openedAt, probes] = [0, undefined, []];
  for (const { at, entry, isOver } of happened) {
    const isFailure = entry.status >= 500;
    if (!isOver) {
      // At first, what the gate had sent before it heard of the last failure.
      if (openedAt === undefined || at - openedAt < 50) continue;
      entry.sinceOpen = at - openedAt;
      probes.push(entry);
    } else if (probes.includes(entry)) {
      openedAt = isFailure ? at : undefined;
      row = 0;
    } else {
      row = isFailure ? row + 1 : 0;
      if (row === failures && openedAt === undefined) openedAt = at;
    }
  }
  return probes;
}

test("a primary that flaps: all callers get whole answers, and each time of an open breaker sees one probe", { timeout: 60_000 }, async () => {
  const { primary, fallback, gate, stop } = await stage();
  try {
    primary.schedule({ words: "status-503", bad: 1_700, good: 1_300 });
    const got = await traffic([gate.url], 15_000, 40);
    await areWhole(gate, got);
    const probes = probesOf(asked(primary));
    const [failed, good] = [true, false].map((wanted) => probes.filter(({ status }) => (status >= 500) === wanted).length);
    assert.ok(failed > 0 && good > 1, `${failed} probes failed, ${good} did not`);
    for (const { sinceOpen } of probes) assert.ok(sinceOpen >= OPEN_MS - 20, `a probe after ${sinceOpen} ms`);
    const failures = asked(primary).filter(({ status }) => status >= 500).length;
    // Five failures open it, in each of the bad times; then a probe a second.
    assert.ok(failures <= 6 * (5 + 2 + 2), `${failures} failures`);
    assert.equal(got.filter(({ by }) => by === "fallback").length, asked(fallback).length);
    assert.ok(got.filter(({ by }) => by === "primary").length > 50, "it is used while it works");
  } finally {
    await stop();
  }
});

test("what failed attempts say that they took is in no answer's usage and in no log line", async () => {
  const { primary, gate, stop } = await stage();
  try {
    // It ends with a usage of its own.
    primary.schedule("insufficient-5");
    const got = await ask(gate.url, false);
    await areWhole(gate, [got]);
    assert.deepEqual([got.by, primary.journal.map(({ status, tokens, end }) => [status, tokens > 0, end])], ["fallback", [[200, true, "done"]]]);
  } finally {
    await stop();
  }
});

test("a dead primary sees one probe in each time of the breaker in all, not one of each isolate", { timeout: 60_000 }, async () => {
  const { primary, gate, stop } = await stage({ isolates: 3 });
  try {
    primary.schedule("status-503");
    const warm = await traffic(gate.urls, 1_500, 30);
    const before = asked(primary).length;
    const began = performance.now();
    const got = await traffic(gate.urls, 8_000, 30);
    const took = performance.now() - began;
    await areWhole(gate, [...warm, ...got]);
    assert.ok([...warm, ...got].every(({ by }) => by === "fallback"));
    const probes = asked(primary).slice(before);
    assert.ok(before <= 5 + 2 * 3, `${before} before all knew`);
    assert.ok(probes.length <= took / OPEN_MS + 1, `${probes.length} probes in ${Math.round(took)} ms`);
    assert.ok(probes.length >= 2, "it is asked whether it works again");
    for (const [at, probe] of probes.entries()) assert.ok(at === 0 || probe.at - probes[at - 1].at >= OPEN_MS - 20, `${probes.map((each) => Math.round(each.at - began))}`);
    // And back: all isolates hear of the one probe that was answered.
    primary.reset();
    await delay(200);
    await traffic(gate.urls, 3_000, 30);
    const last = await traffic(gate.urls, 600, 30);
    assert.ok(last.every(({ by }) => by === "primary"), `${last.map(({ by }) => by)}`);
  } finally {
    await stop();
  }
});
