// What tests of recovery lean on: schedules, the journal, chosen breaks, tokens, demands, and the list of faults.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { FAULTS, FAULT_HEADER, fingerprint, MISBEHAVIOURS, PRIVATE_FAULTS, RECOVERY_FAULTS, expectedAnswer, startUpstream, statusBody, traitsOf } from "./index.mjs";
import { assemble, post } from "./raw.mjs";
import { chanceAt, Occasions } from "./schedule.mjs";

let upstream;
let root;
before(async () => {
  upstream = await startUpstream({ keepAlive: 5, faults: true });
  root = upstream.url.slice(0, -3);
});
beforeEach(() => upstream.reset());
after(() => upstream.close());

const BASES = [["openai", "/v1"], ["deepseek", "/deepseek"], ["siliconflow", "/siliconflow/v1"]];
const TOOLS = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
const chat = (model, extra = {}) => ({ model, stream: true, messages: [{ role: "user", content: "Hello there" }], ...extra });
const say = (body, options = {}) => post(options.base ?? upstream.url, body, options);
const statuses = async (count, body, options) => {
  const seen = [];
  for (let at = 0; at < count; at += 1) seen.push((await say(body, options)).status);
  return seen;
};
async function until(holds) {
  for (const end = Date.now() + 3000; !holds() && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a name says which calls misbehave", async () => {
  const W = 200;
  const F = 503;
  const cases = [
    ["-once", [F, W, W, W, W, W]],
    ["-times-2", [F, F, W, W, W, W]],
    ["-from-3", [W, W, F, F, F, F]],
    ["-from-2-times-2", [W, F, F, W, W, W]],
    ["-every-3", [W, W, F, W, W, F]],
    ["-first-of-2", [F, W, F, W, F, W]],
    ["-every-2-times-2", [W, F, W, F, W, W]],
    ["-chance-0", [W, W, W, W, W, W]],
    ["-chance-100", [F, F, F, F, F, F]],
    ["-flap-0-60", [W, W, W, W, W, W]],
    ["-flap-60-1", [F, F, F, F, F, F]],
  ];
  for (const [words, expected] of cases) assert.deepEqual(await statuses(6, chat(`status-503${words}`)), expected, words);
});

test("a chance is the same for the same seed, and about as large as it says", async () => {
  const drawn = (seed) => Array.from({ length: 10_000 }, (_, call) => chanceAt(seed, call + 1) < 0.05);
  for (const seed of [1, 2, 77]) {
    const share = drawn(seed).filter(Boolean).length;
    assert.ok(share > 400 && share < 600, `${share}`);
  }
  assert.notDeepEqual(drawn(1), drawn(2));
  const first = await statuses(40, chat("status-500-chance-30-seed-9"));
  assert.deepEqual(first, Array.from({ length: 40 }, (_, at) => (chanceAt(9, at + 1) < 0.3 ? 500 : 200)));
  upstream.reset();
  assert.deepEqual(await statuses(40, chat("status-500-chance-30-seed-9")), first);
});

test("a flapping server is bad and good in turns, from its first call", () => {
  const occasions = new Occasions();
  const at = [0, 999, 1000, 2999, 3000, 3999, 4000];
  assert.deepEqual(at.map((now) => occasions.due("s", traitsWhen("flap-1-2"), 5000 + now)), [true, true, false, false, true, true, false]);
});

test("a server misbehaves by a schedule, whatever the model is called", async () => {
  const schedule = upstream.schedule("status-429-retry-2-times-2");
  const answers = [await say(chat("any")), await say(chat("other")), await say(chat("any"))];
  assert.deepEqual(answers.map(({ status, headers }) => [status, headers["retry-after"]]), [[429, "2"], [429, "2"], [200, undefined]]);
  assert.deepEqual([schedule.calls, schedule.faults], [3, 2]);
  upstream.reset();
  upstream.schedule({ words: "status-500", every: 2, times: 1 });
  assert.deepEqual(await statuses(4, chat("m")), [200, 500, 200, 200]);
  upstream.reset();
  upstream.schedule(["status-429", null, "status-503", "cut-3"]);
  assert.deepEqual(await statuses(3, chat("m")), [429, 200, 503]);
  assert.equal((await say(chat("m"))).ended, false);
  assert.deepEqual(await statuses(2, chat("m")), [200, 200]);
});

test("a schedule can be for some models only, and ends when told", async () => {
  const one = upstream.schedule("status-503", { model: "primary" });
  upstream.schedule("status-500", { model: /^exact$/, path: "/v1/chat" });
  assert.deepEqual([await statuses(1, chat("a-primary")), await statuses(1, chat("exact")), await statuses(1, chat("inexact"))], [[503], [500], [200]]);
  one.stop();
  assert.deepEqual(await statuses(1, chat("a-primary")), [200]);
});

test("a schedule that would do nothing is an error", () => {
  for (const plan of ["nonsense", "", [undefined], {}, { words: "cut-3", sometimes: 1 }, { words: "cut-3", chance: 5 }, { words: "cut-3", bad: 5 }, [null, "nope"]]) {
    assert.throws(() => upstream.schedule(plan), TypeError, JSON.stringify(plan));
  }
});

test("a header asks for the same as a name", async () => {
  assert.deepEqual(await statuses(2, chat("m"), { headers: { [FAULT_HEADER]: "status-503-once+crlf" } }), [503, 200]);
});

test("the journal has what was sent and how it ended", async () => {
  const faults = (entry) => entry.faults.join();
  await say(chat("m"), { headers: { authorization: "Bearer secret", "x-note": "n" } });
  await say(chat("m+numbered-60+cut-40"));
  await say(chat("m+numbered-60+eof-7"));
  await say(chat("deepseek-r1+status-503"));
  await say(chat("m", { stream: false }));
  const [whole, cut, eof, refused, unary] = upstream.journal;
  const { completion_tokens: count } = expectedAnswer(chat("m")).usage;
  assert.deepEqual([whole.end, whole.tokens, whole.sent.content, whole.status], ["done", count, count, 200]);
  assert.deepEqual([cut.end, cut.tokens, faults(cut)], ["dropped", 40, "numbered,cut"]);
  assert.deepEqual([eof.end, eof.tokens], ["early", 7]);
  assert.deepEqual([refused.end, refused.tokens, refused.status, refused.bytes], ["done", 0, 503, statusBody("openai", 503).text.length]);
  assert.deepEqual([unary.end, unary.tokens], ["done", count]);
  assert.equal(whole.headers.authorization, fingerprint("Bearer secret"));
  assert.doesNotMatch(JSON.stringify(upstream.journal), /Bearer secret/);
  assert.deepEqual([whole.headers["x-note"], whole.method, whole.path, whole.body.model], ["n", "POST", "/v1/chat/completions", "m"]);
  for (const { at, firstTokenAt = at, lastTokenAt = at, endedAt } of upstream.journal) assert.ok(at <= firstTokenAt && firstTokenAt <= lastTokenAt && lastTokenAt <= endedAt);
  for (let at = 1; at < upstream.journal.length; at += 1) assert.ok(upstream.journal[at].at >= upstream.journal[at - 1].at);
  const told = (await (await fetch(`${root}/__journal`)).json()).journal;
  assert.deepEqual(told.map(({ end }) => end), ["done", "dropped", "early", "done", "done"]);
});

test("the journal knows when the client left", async () => {
  await say(chat("slow-drip-5000"), { stopAfter: 1 });
  const [entry] = upstream.journal;
  await until(() => entry.end !== "open");
  assert.equal(entry.end, "aborted");
  assert.ok(entry.abortedAt >= entry.at && entry.abortedAt <= performance.now());
});

test("the journal keeps the latest 200 bodies and the latest 10,000 entries", async () => {
  for (let round = 0; round < 6; round += 1) await Promise.all(Array.from({ length: 40 }, () => say(chat("status-500"))));
  assert.equal(upstream.journal.length, 240);
  assert.equal(upstream.journal.filter((entry) => entry.body !== undefined).length, 200);
  assert.equal(upstream.journal.at(-1).body.model, "status-500");
  const { Journal } = await import("./journal.mjs");
  const journal = new Journal();
  for (let at = 0; at < 10_005; at += 1) journal.add({ at, body: "b" }, 1);
  assert.deepEqual([journal.entries.length, journal.entries[0].at], [10_000, 5]);
});

test("streams break at the place that the name says", async () => {
  const at = async (model, extra) => assemble((await say(chat(model, extra), { timeout: 300 })).text);
  const r1 = await at("deepseek-r1+cut-reasoning-5");
  assert.deepEqual([r1.chunks.length - 1, r1.text, r1.finish], [5, "", null]);
  const late = await at("deepseek-r1+cut-reasoning-9999");
  assert.deepEqual([late.reasoning, late.text], [expectedAnswer(chat("deepseek-r1")).reasoning, ""]);
  assert.equal((await at("m+cut-reasoning-5")).finish, "stop", "no reasoning, no break in it");
  const text = await at("deepseek-r1+numbered-60+stall-text-3");
  assert.equal(text.text, "n1 n2 n3");
  const tool = await at("m+cut-tool-2", { tools: TOOLS, tool_choice: "required" });
  assert.equal(tool.calls[0].function.arguments.length, 12);
  assert.throws(() => JSON.parse(tool.calls[0].function.arguments));
  assert.equal((await at("m+eof-text-2+numbered-9")).text, "n1 n2");
});

test("a body is cut after any byte, streamed or not", async () => {
  for (const stream of [true, false]) {
    // A schedule, since the model's name is part of the answer. Ids differ from call to call, but not in length.
    const body = chat("m+numbered-3", { stream });
    const broken = async (words) => {
      upstream.schedule([words]);
      return say(body);
    };
    const bytes = (await say(body)).bytes.length;
    for (let count = 0; count <= bytes; count += stream ? 97 : 61) {
      const cut = await broken(`cut-bytes-${count}`);
      assert.deepEqual([cut.status, cut.bytes.length, cut.ended], [200, count, false]);
      const eof = await broken(`eof-bytes-${count}`);
      assert.deepEqual([eof.status, eof.bytes.length, eof.ended], [200, count, true]);
    }
    assert.equal((await broken(`cut-bytes-${bytes}`)).ended, false, "at the last byte, too");
    assert.equal((await broken(`cut-bytes-${bytes + 1}`)).ended, true, "not behind it");
  }
  const stalled = await say(chat("m+stall-bytes-700+bytes"), { timeout: 300 });
  assert.deepEqual([stalled.bytes.length, stalled.error], [700, "timeout"]);
});

test("tokens trickle after a good start, and comments come before a late one", async () => {
  const start = performance.now();
  await say(chat("m+numbered-8+trickle-5-40"));
  assert.ok(performance.now() - start >= 119);
  const answer = await say(chat("m+keepalive-first-60+numbered-2"));
  assert.match(answer.text, /^(?:: keep-alive\n\n){2,}data: /);
  assert.match((await say(chat("m+keepalive-first-60", { stream: false }))).text, /^\n{2,}\{/);
});

test("length ends after N tokens, again and again, and the pieces are the answer", () => {
  const whole = expectedAnswer(chat("m+numbered-100")).text;
  const body = chat("m+numbered-100+length-40");
  const ends = [];
  let said = "";
  for (let turn = 0; turn < 3; turn += 1) {
    const tail = said ? [{ role: "assistant", content: said, prefix: true }] : [];
    const { text, finish_reason } = expectedAnswer({ ...body, messages: [...body.messages, ...tail] });
    said += text;
    ends.push(finish_reason);
  }
  assert.deepEqual([said, ends], [whole, ["length", "length", "stop"]]);
});

test("only the accepted tokens are taken, and they change when told", async () => {
  const own = await startUpstream({ key: "a" });
  try {
    const with_ = (token) => ({ base: own.url, headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([await statuses(1, chat("m"), with_("a")), await statuses(1, chat("m"), with_("b"))], [[200], [401]]);
    own.accept("b", "c");
    assert.deepEqual([await statuses(1, chat("m"), with_("a")), await statuses(1, chat("m"), with_("b")), await statuses(1, chat("m"), with_("c"))], [[401], [200], [200]]);
    own.accept();
    assert.deepEqual(await statuses(1, chat("m"), { base: own.url }), [200]);
    own.reset();
    assert.deepEqual([await statuses(1, chat("m"), with_("a")), await statuses(1, chat("m"), with_("b"))], [[200], [401]]);
  } finally {
    await own.close();
  }
});

test("a name wants its token, and refuses others in the vendor's form", async () => {
  for (const [dialect, path] of BASES) {
    const refused = await say(chat("m+wants-token-Fresh_1.2"), { base: root + path, headers: { authorization: "Bearer stale" } });
    assert.deepEqual([refused.status, refused.text], [401, statusBody(dialect, 401).text]);
    assert.equal((await say(chat("m+wants-token-Fresh_1.2"), { base: root + path, headers: { authorization: "Bearer Fresh_1.2" } })).status, 200);
  }
});

const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } };
const turn = (extra) => [{ role: "user", content: "a" }, { role: "assistant", content: "", tool_calls: [call], ...extra }, { role: "tool", tool_call_id: "call_1", content: "x" }];
const DEMANDS = [
  ["unsupported-seed", { seed: 5 }, {}, /seed/, "unsupported_parameter", "seed"],
  ["unsupported-max_tokens", { max_tokens: 5 }, { max_completion_tokens: 5 }, /max_tokens/, "unsupported_parameter", "max_tokens"],
  ["only-default-temperature", { temperature: 0.7 }, { temperature: 1 }, /temperature/, "unsupported_value", "temperature"],
  ["at-most-max_tokens-100", { max_tokens: 101 }, { max_tokens: 100 }, /max_tokens.*100/, "invalid_value", "max_tokens"],
  ["at-most-temperature-0.5", { temperature: 0.6 }, { temperature: 0.5 }, /temperature.*0\.5/, "decimal_above_max_value", "temperature"],
  ["at-least-max_tokens-256", { max_tokens: 255 }, { max_tokens: 256 }, /max_tokens.*256/, "integer_below_min_value", "max_tokens"],
  ["context-200", { max_tokens: 500 }, { max_tokens: 50 }, /200/, "context_length_exceeded", "messages"],
  ["refuses-reasoning", { messages: turn({ reasoning_content: "r" }) }, { messages: turn() }, /reasoning_content/, null, null],
  ["wants-reasoning", { messages: turn() }, { messages: turn({ reasoning_content: "r" }) }, /reasoning_content/, null, null],
  ["rejects-prefill", { messages: [...turn(), { role: "assistant", content: "## A" }] }, { messages: turn() }, /user message/, null, null],
];

test("a body is refused for one thing, and answered once that is repaired", async () => {
  for (const [name, bad, good, words, code, param] of DEMANDS) {
    for (const [dialect, path] of BASES) {
      const answer = await say(chat(`m+${name}`, bad), { base: root + path });
      assert.equal(answer.status, 400, `${dialect} ${name}`);
      const body = JSON.parse(answer.text);
      assert.match(dialect === "siliconflow" ? body.message : body.error.message, words);
      if (dialect === "siliconflow") assert.equal(body.code, 20015);
      if (dialect === "openai") assert.deepEqual([body.error.code, body.error.param], [code, param], name);
      assert.equal((await say(chat(`m+${name}`, good), { base: root + path })).status, 200, `${dialect} ${name}, repaired`);
      assert.equal((await say(chat(`m+${name}-times-0`, bad), { base: root + path })).status, 200, `${dialect} ${name}, not asked for`);
    }
  }
});

test("an overflow is told with the prompt's own numbers", async () => {
  const body = chat("m+context-200", { max_tokens: 500 });
  const { prompt_tokens: prompt } = expectedAnswer(chat("m")).usage;
  const message = async (path) => JSON.stringify(JSON.parse((await say(body, { base: root + path })).text));
  assert.match(await message("/v1"), new RegExp(`maximum context length is 200 tokens. However, you requested ${prompt + 500} tokens \\(${prompt} in the messages, 500 in the completion\\)`));
  assert.match(await message("/siliconflow/v1"), new RegExp(`\\(${prompt + 500}\\).*max_seq_len \\(200\\)`));
});

test("the list of faults has every misbehaviour, and each model's name asks for it", async () => {
  const answer = await fetch(`${root}/faults`);
  const { faults, header, schedules } = await answer.json();
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual([faults, header], [JSON.parse(JSON.stringify(FAULTS)), FAULT_HEADER]);
  assert.deepEqual(faults.map(({ id }) => id), [...MISBEHAVIOURS, ...RECOVERY_FAULTS, ...PRIVATE_FAULTS].map(({ name }) => name));
  for (const { words, title } of schedules) {
    const found = traitsOf(`m+cut-9${words}+crlf`, (key) => key !== "cut" || !words);
    assert.deepEqual([Object.keys(found).includes("cut"), found.crlf, Boolean(title.en && title.zh)], [words === "", true, true], words);
  }
  assert.equal(new Set(faults.map(({ id }) => id)).size, faults.length);
  for (const { id, title, sees, group, words, model } of faults) {
    for (const each of [title, sees]) assert.ok(each?.en.length > 10 && /\p{Script=Han}/u.test(each.zh), id);
    assert.ok(group && model.endsWith(words), id);
    const key = Object.keys(traitsOf(`${[...MISBEHAVIOURS, ...RECOVERY_FAULTS, ...PRIVATE_FAULTS].find(({ name }) => name === id).example}`));
    assert.equal(key.length, 1, id);
    assert.ok(key[0] in traitsOf(model), id);
  }
});

test("the list of faults is served when asked for, on loopback only", async () => {
  const own = await startUpstream();
  try {
    assert.equal((await fetch(`${own.url.slice(0, -3)}/faults`)).status, 404);
  } finally {
    await own.close();
  }
  await assert.rejects(startUpstream({ faults: true, host: "0.0.0.0" }), /loopback/);
});

test("new words leave the old ones as they were", () => {
  for (const { name, example } of MISBEHAVIOURS) assert.deepEqual(Object.keys(traitsOf(example)), [name.replace(/-(?:N+|MS|X|NAME)$/, "")], name);
  assert.deepEqual(traitsOf("keepalive-stall-5+cut-bytes-9+bytes"), { "cut-bytes": 9, "keepalive-stall": 5, bytes: true });
  assert.deepEqual(Object.keys(traitsOf("recording-length-once")), ["recording"]);
});

function traitsWhen(words) {
  let found;
  traitsOf(`cut-1-${words}`, (_key, _times, when) => (found = when));
  return found;
}
