// What the page makes of a call's timeline and notices: no DOM, so it runs in Node.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { FAULTS, SCHEDULES } from "../upstream/faults.mjs";

const www = fileURLToPath(new URL("../../www/", import.meta.url));
let model;

const gateStub = {
  name: "gate-stub",
  setup(build) {
    build.onResolve({ filter: /^sluicegate$/ }, () => ({ path: "sluicegate", namespace: "stub" }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, () => ({ contents: "export class GateError extends Error {}", loader: "js" }));
  },
};

before(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: 'export * from "./chat.ts"; export * from "./trace.ts"; export * from "./notice.ts"; export * from "./faults.ts"; export { en } from "./i18n/en.ts"; export { zh } from "./i18n/zh.ts";',
      resolveDir: www, loader: "ts",
    },
    bundle: true, write: false, format: "esm", platform: "node", plugins: [gateStub], logLevel: "warning",
  });
  model = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
});

const sent = (at, attempt, route = "a", name = "m") => ({ at, event: "sent", attempt, route, model: name });
const first = (at, attempt) => ({ at, event: "first_token", attempt });
const failed = (at, attempt, detail) => ({ at, event: "failed", attempt, detail });
const ended = (at, detail = "complete") => ({ at, event: "ended", detail });
const chart = (here, gate = []) => model.chartOf({ here, gate });
const row = ({ route, from, to, end, detail, segments, marks }) => [route, from, to, end, detail, segments.map(({ kind, from, to }) => `${kind} ${from}-${to}`).join(" "), marks.map(({ kind, at }) => `${kind} ${at}`).join(" ")];

/** Moments, and what is drawn of them: route, from, to, end, detail, segments, marks. */
const DRAWN = [
  ["a retry after a wait", [sent(0, 0), failed(60, 0, "rate_limited"), { at: 60, event: "waiting", route: "a", detail: "2000" }, sent(2060, 1), first(2300, 1), ended(4000)], [
    ["a", 0, 60, "failed", "rate_limited", "first 0-60 pause 60-2060", "failed 60"],
    ["a", 2060, 4000, "ended", "complete", "first 2060-2300 stream 2300-4000", ""],
  ]],
  ["a fallback past a route whose breaker is open", [sent(0, 0), failed(40, 0, "overloaded"), { at: 40, event: "skipped", route: "b", detail: "circuit_open" }, sent(40, 1, "c"), first(90, 1), ended(100)], [
    ["a", 0, 40, "failed", "overloaded", "first 0-40", "failed 40"],
    ["b", 40, 40, "skipped", "circuit_open", "", ""],
    ["c", 40, 100, "ended", "complete", "first 40-90 stream 90-100", ""],
  ]],
  ["an answer that is gone on with", [sent(0, 0), first(10, 0), failed(50, 0, "truncated"), sent(50, 1), { at: 50, event: "continued", attempt: 1, detail: "anchor" }, first(70, 1), ended(90)], [
    ["a", 0, 50, "failed", "truncated", "first 0-10 stream 10-50", "failed 50"],
    ["a", 50, 90, "ended", "complete", "first 50-70 stream 70-90", "continued 50"],
  ]],
  ["a hedge whose second request is faster", [sent(0, 0), sent(30, 1, "b"), { at: 30, event: "hedged", attempt: 1, route: "b" }, { at: 45, event: "dropped", attempt: 0, route: "a" }, first(45, 1), ended(80)], [
    ["a", 0, 45, "dropped", "", "first 0-45", ""],
    ["b", 30, 80, "ended", "complete", "first 30-45 stream 45-80", ""],
  ]],
  ["a wait that the end cuts short", [sent(0, 0), failed(5, 0, "overloaded"), { at: 5, event: "waiting", route: "a", detail: "9000" }, ended(25, "aborted")], [
    ["a", 0, 5, "failed", "overloaded", "first 0-5 pause 5-25", "failed 5"],
  ]],
  ["a request that is changed, and a credential that is renewed", [sent(0, 0), failed(5, 0, "invalid_request"), { at: 5, event: "repaired", route: "a", detail: "temperature" }, sent(5, 1), failed(9, 1, "authentication"), { at: 9, event: "refreshed", route: "a" }, sent(12, 2), ended(20)], [
    ["a", 0, 5, "failed", "invalid_request", "first 0-5", "failed 5 repaired 5"],
    ["a", 5, 9, "failed", "authentication", "first 5-9", "failed 9 refreshed 9"],
    ["a", 12, 20, "ended", "complete", "first 12-20", ""],
  ]],
];

test("every kind of moment becomes what is drawn for it", () => {
  for (const [name, moments, rows] of DRAWN) assert.deepEqual(chart(moments).rows.map(row), rows, name);
});

test("a hedge is marked, pauses are summed, and whoever answered is named", () => {
  const hedged = chart(DRAWN[3][1]);
  assert.deepEqual(hedged.rows.map(({ hedge }) => hedge), [false, true]);
  assert.deepEqual([hedged.attempts, hedged.last.route], [2, "b"]);
  assert.deepEqual([chart(DRAWN[0][1]).paused, chart(DRAWN[1][1]).attempts], [2000, 2]);
});

test("one attempt without an event is quiet, at the gate too, and whatever its end", () => {
  assert.ok(chart([sent(0, 0), first(10, 0), ended(20)], [sent(0, 0), first(5, 0), ended(15)]).quiet);
  assert.ok(chart([sent(0, 0), failed(10, 0, "network"), ended(10, "failed")]).quiet);
  assert.ok(!chart([sent(0, 0), first(10, 0), ended(20)], DRAWN[0][1]).quiet);
});

test("what happened at the gate begins with the page's last request, and counts as the attempts", () => {
  const here = [sent(0, 0, "page"), failed(100, 0, "network"), sent(600, 1, "page"), first(900, 1), ended(5000)];
  const both = chart(here, DRAWN[0][1]);
  assert.deepEqual(both.rows.map(({ inner, from }) => [inner, from]), [[false, 0], [false, 600], [true, 600], [true, 2660]]);
  assert.equal(both.total, 5000);
  assert.equal(both.attempts, 3);
  assert.ok(chart([sent(0, 0), ended(10)], DRAWN[0][1]).total >= 4000, "the axis holds what lies beyond the page's own end");
});

test("connecting has a part of its own only where it can be seen", () => {
  const trace = { here: [sent(0, 0), first(500, 0), ended(1000)], gate: [] };
  assert.deepEqual(model.chartOf({ ...trace, headMs: 200 }).rows[0].segments.map(({ kind }) => kind), ["connect", "first", "stream"]);
  assert.deepEqual(model.chartOf({ ...trace, headMs: 5 }).rows[0].segments.map(({ kind }) => kind), ["first", "stream"]);
});

test("a trace is read from replies and from errors, and nonsense is left out", () => {
  assert.equal(model.traceOf({}), undefined);
  assert.equal(model.traceOf({ timeline: "x", upstreamTimeline: [null, {}, { at: "1", event: "sent" }] }), undefined);
  assert.deepEqual(model.traceOf({ timeline: [sent(0, 0)], upstreamTimeline: [ended(1)], timing: { headMs: 3, totalMs: 9 } }), { here: [sent(0, 0)], gate: [ended(1)], headMs: 3 });
  assert.deepEqual(model.traceOf({ timeline: [sent(0, 0)], partial: { upstreamTimeline: [ended(1)] } }), { here: [sent(0, 0)], gate: [ended(1)] });
  assert.deepEqual(chart([failed(3, 7, "x"), { at: 4, event: "waiting" }, { at: 5, event: "unheard-of" }]).rows, []);
});

test("the axis has between two and six marks, whatever its length", () => {
  for (let total = 1; total < 1e7; total = Math.ceil(total * 1.37)) {
    const ticks = model.ticksOf(total);
    assert.ok(ticks.length >= 2 && ticks.length <= 6, `${total}: ${ticks}`);
    assert.ok(ticks.at(-1) <= total);
  }
});

test("notices are read, the Worker's as well as the package's, and others are none of recovery's", () => {
  const read = (code, detail) => model.noticeOf(code, detail, 1000);
  assert.deepEqual(read("retried", "rate_limited, after 2000 ms"), { kind: "retried", inner: false, detail: "rate_limited, after 2000 ms", code: "rate_limited", until: 3000 });
  assert.deepEqual(read("upstream", "fell_back: scripted-b org/mini: timeout_first_token"), { kind: "fell_back", inner: true, detail: "scripted-b org/mini: timeout_first_token", route: "scripted-b", model: "org/mini", code: "timeout_first_token" });
  assert.equal(read("upstream", "retried: truncated, after 0 ms").until, undefined);
  assert.equal(read("restarted", "truncated").code, "truncated");
  assert.equal(read("upstream", "continued").kind, "continued");
  for (const [code, detail] of [["missing_done", ""], ["upstream", "news: x"], ["upstream", ""]]) assert.equal(read(code, detail), undefined);
});

const text = (value) => ({ type: "text", text: value, choice: 0 });
const notice = (code, detail) => ({ type: "notice", code, detail });
const end = (more = {}) => ({ type: "end", outcome: "complete", finish_reason: "stop", reply: { model: "m", timing: { totalMs: 5 }, tool_calls: [] }, ...more });

test("a seam lies where the text broke off, holds what led there, and how it was joined", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  chat.apply(answer, notice("retried", "overloaded, after 10 ms"), 0);
  assert.equal(answer.notice.kind, "retried");
  assert.equal(answer.seams, undefined, "before the first word there is no seam");
  chat.apply(answer, text("one "), 1);
  chat.apply(answer, notice("upstream", "retried: truncated, after 0 ms"), 2);
  chat.apply(answer, notice("upstream", "fell_back: b m: truncated"), 2);
  chat.apply(answer, text("two"), 3);
  chat.apply(answer, notice("upstream", "continued: by prefix"), 4);
  chat.apply(answer, notice("request_changed", "temperature: dropped"), 4);
  chat.apply(answer, end(), 5);
  assert.deepEqual(answer.seams.map(({ at, notices }) => [at, notices.map(({ kind }) => kind)]), [[4, ["retried", "fell_back", "continued"]]]);
  assert.equal(answer.text, "one two");
  assert.equal(answer.notice, undefined, "nothing is under way any more");
});

test("an answer that broke off in its reasoning has no seam in its text", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  chat.apply(answer, { type: "reasoning", text: "hm", choice: 0 }, 1);
  chat.apply(answer, notice("upstream", "retried: truncated, after 0 ms"), 2);
  chat.apply(answer, text("one"), 3);
  chat.apply(answer, notice("upstream", "continued: by prefix"), 4);
  assert.equal(answer.seams, undefined);
});

test("an answer that begins anew forgets what it said", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  chat.apply(answer, text("wrong"), 1);
  chat.apply(answer, notice("restarted", "truncated"), 2);
  chat.apply(answer, text("right"), 3);
  assert.deepEqual([answer.text, answer.seams], ["right", undefined]);
});

test("to go on asks for the rest behind what was said, and joins text, usage and times", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  const usage = (completion) => ({ prompt_tokens: 3, completion_tokens: completion, total_tokens: 3 + completion });
  chat.apply(answer, text("half "), 1);
  chat.apply(answer, end({ outcome: "length", finish_reason: "length", usage: usage(2), reply: { model: "m", timing: { firstTokenMs: 1, totalMs: 10 }, tool_calls: [] } }), 10);
  assert.ok(chat.canGoOn(answer));
  chat.goOn(answer);
  assert.ok(model.isLive(answer) && !chat.canGoOn(answer));
  assert.deepEqual(chat.messages(answer, "", "Go on"), [{ role: "user", content: "q" }, { role: "assistant", content: "half " }, { role: "user", content: "Go on" }]);
  chat.apply(answer, text("whole"), 12);
  chat.apply(answer, end({ usage: usage(4), reply: { model: "m", timing: { firstTokenMs: 2, totalMs: 20 }, tool_calls: [] } }), 32);
  assert.equal(answer.text, "half whole");
  assert.deepEqual([answer.usage.completion_tokens, answer.usage.prompt_tokens, answer.timing.totalMs, answer.timing.firstTokenMs], [6, 6, 30, 1]);
  assert.deepEqual(answer.seams, [{ at: 5, notices: [] }]);
  assert.deepEqual(chat.path().map((turn) => turn.text), ["q", "half whole"]);
  assert.ok(!chat.canGoOn(answer));
});

test("only an answer that lacks its end, has text and stands last can go on", () => {
  const failure = { code: "truncated", detail: "", at: 0 };
  const chat = new model.Chat();
  const empty = chat.ask("q", "m", 0);
  chat.fail(empty, failure, 1);
  assert.ok(!chat.canGoOn(empty));
  const partial = chat.ask("q", "m", 2);
  chat.apply(partial, text("some"), 3);
  chat.fail(partial, failure, 4, { here: [], gate: [] });
  assert.ok(chat.canGoOn(partial));
  chat.goOn(partial);
  assert.equal(partial.failure, undefined);
  assert.equal(chat.fail(partial, failure, 5), partial, "what it had said is not given up for an older answer");
  chat.ask("next", "m", 6);
  assert.ok(!chat.canGoOn(partial));
});

test("seams and traces survive a reload, and older conversations do without", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0, { id: "cut-N", words: "cut-12", title: { en: "", zh: "" }, sees: { en: "", zh: "" } });
  chat.apply(answer, text("a"), 1);
  chat.apply(answer, notice("retried", "truncated, after 0 ms"), 2);
  chat.apply(answer, end({ reply: { model: "m2", timing: { totalMs: 5 }, tool_calls: [], timeline: [sent(0, 0), ended(5)] } }), 3);
  const [, again] = model.Chat.load(JSON.parse(JSON.stringify(chat.save(9)))).path();
  assert.deepEqual([again.seams, again.trace, again.answeredBy, again.fault.words], [answer.seams, answer.trace, "m2", "cut-12"]);
});

test("every fault can be chosen, found by its own words, and asked for by a model's name", () => {
  for (const fault of FAULTS) {
    assert.ok(model.matches(fault, fault.id, "") && model.matches(fault, fault.title.zh.slice(0, 4), ""), fault.id);
    for (const { words } of SCHEDULES) {
      const chosen = model.choose(fault, words);
      assert.equal(chosen.words, model.takesSchedule(fault) ? fault.example + words : fault.words);
      assert.equal(model.withFault("m", chosen), `m+${chosen.words}`);
    }
    for (const need of model.lacking(fault)) assert.ok(model.en.needs[need] && model.zh.needs[need], need);
  }
  assert.equal(model.withFault("m", undefined), "m");
  assert.ok(!model.matches(FAULTS[0], "no-such-fault", ""));
  const unset = { temperature: null, maxTokens: null };
  assert.deepEqual(model.requestFields("unsupported-temperature", unset), { temperature: 0.9 });
  assert.deepEqual(model.requestFields("unsupported-temperature", { ...unset, temperature: 0.2 }), {});
  assert.deepEqual(model.requestFields("context-2048", unset), { max_tokens: 4096 });
  assert.deepEqual(model.requestFields("context-overflow", unset), {});
});

test("both languages say the same things", () => {
  const shape = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value).sort() : typeof value);
  for (const key of Object.keys(model.en)) assert.deepEqual(shape(model.zh[key]), shape(model.en[key]), key);
});
