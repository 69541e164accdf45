// The page's conversation model, figures and texts: no DOM, so they run in Node.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const www = fileURLToPath(new URL("../../www/", import.meta.url));
let model;

/** Stands for the package: the model needs only the error class from it, to recognise it. */
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
      contents: 'export * from "./chat.ts"; export * from "./errors.ts"; export * from "./figures.ts"; export { en } from "./i18n/en.ts"; export { zh } from "./i18n/zh.ts"; export { GateError } from "sluicegate"; export { groupModels } from "./view/menu.ts";',
      resolveDir: www, loader: "ts",
    },
    bundle: true, write: false, format: "esm", platform: "node", plugins: [gateStub], logLevel: "warning",
  });
  model = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
});

const text = (value) => ({ type: "text", text: value, choice: 0 });
const reasoning = (value) => ({ type: "reasoning", text: value, choice: 0 });
const end = (more = {}) => ({ type: "end", outcome: "complete", finish_reason: "stop", reply: { timing: { totalMs: 5 }, tool_calls: [], requestId: "r1" }, ...more });
const failure = (code = "truncated") => ({ code, detail: "", at: 0 });

function answered(chat, question, reply, now = 0) {
  const answer = chat.ask(question, "m", now);
  chat.apply(answer, text(reply), now);
  chat.apply(answer, end(), now);
  return answer;
}

const shown = (chat) => chat.path().map((turn) => turn.text);

test("regenerating adds a version beside the old one, and the pager turns between them", () => {
  const chat = new model.Chat();
  const first = answered(chat, "q", "one");
  const second = chat.regenerate(first, "m", 1);
  chat.apply(second, text("two"), 1);
  chat.apply(second, end(), 1);
  assert.deepEqual(shown(chat), ["q", "two"]);
  assert.equal(chat.siblings(second).length, 2);
  chat.turnTo(second, -1);
  assert.deepEqual(shown(chat), ["q", "one"]);
  chat.turnTo(first, -1);
  assert.deepEqual(shown(chat), ["q", "one"]);
});

test("editing a question starts a branch and keeps the other with all that followed", () => {
  const chat = new model.Chat();
  answered(chat, "q1", "a1");
  answered(chat, "q2", "a2");
  const [question] = chat.path();
  const answer = chat.edit(question, "q1b", "m", 1);
  assert.deepEqual(chat.messages(answer, ""), [{ role: "user", content: "q1b" }]);
  assert.deepEqual(shown(chat), ["q1b", ""]);
  chat.turnTo(chat.path()[0], -1);
  assert.deepEqual(shown(chat), ["q1", "a1", "q2", "a2"]);
});

test("a regeneration that fails goes back to the old answer and says why there", () => {
  const chat = new model.Chat();
  const old = answered(chat, "q", "good");
  const empty = chat.regenerate(old, "m", 1);
  assert.equal(chat.fail(empty, failure("rate_limited"), 2), old);
  assert.deepEqual(shown(chat), ["q", "good"]);
  assert.equal(chat.siblings(old).length, 1);
  assert.equal(old.retryFailure.code, "rate_limited");
  const partial = chat.regenerate(old, "m", 3);
  assert.equal(old.retryFailure, undefined);
  chat.apply(partial, text("half"), 3);
  assert.equal(chat.fail(partial, failure(), 4), old);
  assert.equal(chat.siblings(old).length, 2);
  chat.turnTo(old, 1);
  assert.deepEqual(shown(chat), ["q", "half"]);
});

test("a first answer that fails keeps what arrived, and an empty retry leaves no empty version", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  chat.apply(answer, reasoning("hm"), 0);
  chat.apply(answer, text("par"), 0);
  assert.equal(chat.fail(answer, failure(), 9), answer);
  assert.deepEqual([answer.phase, answer.reasoning, answer.text], ["failed", "hm", "par"]);
  const retry = chat.regenerate(answer, "m", 10);
  assert.equal(chat.fail(retry, failure("network"), 11), answer);
  assert.equal(answer.failure.code, "network");
  assert.equal(chat.siblings(answer).length, 1);
});

test("the time of the reasoning runs from its first piece to the first word, a stop or an error, and is never nothing", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 0);
  chat.apply(answer, reasoning("a"), 1_000);
  chat.apply(answer, reasoning("b"), 3_000);
  assert.equal(answer.reasoningMs, undefined);
  chat.apply(answer, text("x"), 16_000);
  chat.apply(answer, text("y"), 99_000);
  assert.equal(answer.reasoningMs, 15_000);
  const stopped = chat.ask("q", "m", 0);
  chat.apply(stopped, reasoning("a"), 500);
  chat.stop(stopped, 500);
  assert.equal(stopped.reasoningMs, 1);
  assert.equal(stopped.phase, "stopped");
});

test("the next turn carries answers without their reasoning, unless they called tools", () => {
  const chat = new model.Chat();
  const first = chat.ask("q1", "m", 0);
  chat.apply(first, reasoning("secret thought"), 0);
  chat.apply(first, text("a1"), 0);
  chat.apply(first, end(), 0);
  const second = chat.ask("q2", "m", 0);
  assert.deepEqual(chat.messages(second, "be brief"), [
    { role: "system", content: "be brief" }, { role: "user", content: "q1" }, { role: "assistant", content: "a1" }, { role: "user", content: "q2" },
  ]);
  const message = { role: "assistant", content: null, reasoning_content: "why", tool_calls: [{ id: "1" }] };
  chat.apply(second, end({ reply: { timing: { totalMs: 1 }, tool_calls: [{ id: "1" }], message } }), 0);
  assert.deepEqual(chat.messages(chat.ask("q3", "m", 0), "")[3], message);
});

test("a conversation survives a reload, an answer under way as stopped", () => {
  const chat = new model.Chat();
  answered(chat, "q1", "a1");
  const live = chat.ask("q2", "m", 100);
  chat.apply(live, reasoning("thinking"), 200);
  const again = model.Chat.load(JSON.parse(JSON.stringify(chat.save(5_200))));
  assert.deepEqual(shown(again), ["q1", "a1", "q2", ""]);
  assert.deepEqual([again.path()[3].phase, again.path()[3].reasoningMs], ["stopped", 5_000]);
  assert.equal(live.phase, "thinking");
  assert.equal(again.ask("q3", "m", 0).id, live.id + 2);
  for (const damaged of [null, 7, {}, { version: 2 }, { version: 1, turns: 3 }]) assert.deepEqual(model.Chat.load(damaged).path(), []);
});

test("figures are counted while the answer comes and exact once the usage is known", () => {
  const chat = new model.Chat();
  const answer = chat.ask("q", "m", 1_000);
  for (let index = 0; index <= 100; index += 1) chat.apply(answer, text("x "), 1_500 + index * 10);
  const live = model.figuresOf(answer, 2_500);
  assert.deepEqual([live.firstTokenMs, live.tokens, live.exact, live.totalMs], [500, 101, false, 1_500]);
  assert.equal(Math.round(live.speed), 100);
  assert.deepEqual(model.paceOf(answer, 48), [100, 100, 100, 100]);
  chat.apply(answer, end({ usage: { prompt_tokens: 3, completion_tokens: 41, total_tokens: 44 }, reply: { timing: { firstTokenMs: 400, totalMs: 1_400 }, tool_calls: [] } }), 2_600);
  const final = model.figuresOf(answer, 9_999);
  assert.deepEqual([final.firstTokenMs, final.tokens, final.exact, final.totalMs, final.speed], [400, 41, true, 1_400, 40]);
});

test("every code of the core has its party and a text in each language", async () => {
  const source = await readFile(new URL("../../src/error.rs", import.meta.url), "utf8");
  const codes = [...source.matchAll(/^\s+\w+ = "([a-z_]+)", (\w+), (?:true|false), \d+,/gm)].map((found) => [found[1], found[2].toLowerCase()]);
  assert.ok(codes.length > 25, "the table of codes was not found");
  assert.deepEqual(model.PARTY, Object.fromEntries(codes));
  for (const dictionary of [model.en, model.zh]) {
    assert.deepEqual(Object.keys(dictionary.errors).sort(), codes.map(([code]) => code).sort());
    for (const [what, next] of Object.values(dictionary.errors)) assert.ok(what.length > 3 && next.length > 3);
  }
  assert.deepEqual(Object.keys(model.zh.text).sort(), Object.keys(model.en.text).sort());
  assert.equal(model.zh.examples.length, model.en.examples.length);
});

test("an error keeps its code, wait and request id; anything else counts as the gate's own", () => {
  const error = Object.assign(new model.GateError("slow down"), { code: "rate_limited", party: "upstream", status: 429, retryAfterMs: 2_000, requestId: "r9" });
  assert.deepEqual(model.failureOf(error, 1_000), { code: "rate_limited", detail: "slow down", at: 1_000, party: "upstream", status: 429, requestId: "r9", retryAt: 3_000 });
  assert.equal(model.failureOf(new TypeError("x"), 0).code, "internal");
});

test("models are grouped by vendor, and those without one by their owner", () => {
  const models = ["deepseek-ai/DeepSeek-R1", "Pro/deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3.2", "echo"].map((id) => ({ id }));
  const groups = model.groupModels([...models, { id: "deepseek-flash", owned_by: "scripted" }]);
  assert.deepEqual(groups.map((group) => [group.label || group.key, group.ids.length]), [["deepseek-ai", 2], ["Pro/deepseek-ai", 1], ["groupOther", 1], ["scripted", 1]]);
});
