// How an unfinished answer goes on: by DeepSeek's prefix, behind a last assistant message, or by an anchor in a user's words.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { expectedAnswer, startUpstream } from "./index.mjs";
import { assemble, post } from "./raw.mjs";

let upstream;
let root;
before(async () => {
  upstream = await startUpstream();
  root = upstream.url.slice(0, -3);
});
after(() => upstream.close());

const user = (content) => ({ role: "user", content });
const assistant = (content, extra) => ({ role: "assistant", content, ...extra });
const QUESTIONS = ["Hello there", "给我讲讲 🙂 这个"];
const ask = (model, messages, extra) => expectedAnswer({ model, messages, ...extra });
const full = (model, question) => ask(model, [user(question)]).text;

// Other people's words: plain, quoted, fenced, escaped, in Chinese, with no word that says what it is about.
const WORDINGS = [
  (anchor) => `Continue exactly where you stopped. Begin with these last words, then go on:\n${anchor}`,
  (anchor) => `The connection broke. Repeat "${anchor}" and go on from there.`,
  (anchor) => `<anchor>${anchor}</anchor>`,
  (anchor) => `Your answer ended with ${JSON.stringify(anchor)}. Start with it, word for word.`,
  (anchor) => `请从以下文字接着写：「${anchor}」`,
  (anchor) => `${anchor.trim()} …`,
];

test("an anchor is repeated and the answer goes on, whatever words ask for it and wherever it was cut", () => {
  for (const question of QUESTIONS) {
    const whole = full("m", question);
    const characters = Array.from(whole);
    for (let cut = 12; cut < characters.length; cut += 7) {
      const said = characters.slice(0, cut).join("");
      const anchor = characters.slice(Math.max(0, cut - 30), cut).join("");
      for (const [at, wording] of WORDINGS.entries()) {
        const { text } = ask("m", [user(question), assistant(said), user(wording(anchor))]);
        assert.ok(whole.endsWith(text), `${cut} ${at}: ${text.slice(0, 60)}`);
        const repeated = said.length - (whole.length - text.length);
        assert.ok(repeated >= anchor.trim().length && repeated <= anchor.length + 10, `${cut} ${at}: ${repeated} of ${anchor.length}`);
      }
    }
  }
});

test("an answer of which only a word or two was said is known by all of it", () => {
  const whole = full("m", QUESTIONS[0]);
  assert.equal(ask("m", [user(QUESTIONS[0]), assistant("## A"), user("Go on behind: ## A")]).text, whole);
});

test("another question is not taken for a continuation", () => {
  const said = full("m", QUESTIONS[0]).slice(0, 60);
  const next = "And how does that work?";
  for (const earlier of [said, full("m", QUESTIONS[0]), "Something that this model never said, at some length"]) {
    assert.equal(ask("m", [user(QUESTIONS[0]), assistant(earlier), user(next)]).text, full("m", next));
  }
  const quotes = "What do you mean by \"never said, at some length\"?";
  assert.equal(ask("m", [user(QUESTIONS[0]), assistant("Something that this model never said, at some length"), user(quotes)]).text, full("m", quotes));
});

test("an answer that was continued is continued again, joined or turn by turn", () => {
  const whole = full("m+numbered-60", QUESTIONS[0]);
  const cuts = [whole.slice(0, 80), whole.slice(80, 150)];
  const anchorOf = (text) => text.slice(-20);
  const first = [user(QUESTIONS[0]), assistant(cuts[0]), user(`go on behind ${anchorOf(cuts[0])}`)];
  const joined = [user(QUESTIONS[0]), assistant(cuts.join("")), user(`go on behind ${anchorOf(cuts[1])}`)];
  const turns = [...first, assistant(cuts[1]), user(`go on behind ${anchorOf(cuts[1])}`)];
  const raw = [...first, assistant(anchorOf(cuts[0]) + cuts[1]), user(`go on behind ${anchorOf(cuts[1])}`)];
  for (const messages of [joined, turns, raw]) assert.ok((cuts.join("") + whole.slice(150)).endsWith(ask("m+numbered-60", messages).text));
  for (const messages of [joined, turns, raw]) assert.equal(ask("m+numbered-60", messages).text.slice(-(whole.length - 150)), whole.slice(150));
});

test("a name makes it go on badly: with a preface, from the start, without the anchor, with something else", () => {
  const whole = full("m", QUESTIONS[0]);
  const said = whole.slice(0, 100);
  const anchor = said.slice(-20);
  const went = (model) => ask(model, [user(QUESTIONS[0]), assistant(said), user(`<${anchor}>`)]).text;
  assert.equal(went("m"), anchor + whole.slice(100));
  assert.equal(went("m+continue-preface"), `Sure, continuing:\n${anchor}${whole.slice(100)}`);
  assert.equal(went("m+continue-restart"), whole);
  assert.equal(went("m+continue-bare"), whole.slice(100));
  assert.ok(!whole.includes(went("m+continue-unrelated").slice(0, 20)));
  const variants = ["preface", "restart", "bare", "unrelated"].map((name) => `m+continue-${name}`);
  for (const model of variants) assert.equal(full(model, QUESTIONS[0]), whole, "only when asked to go on");
});

test("behind a last assistant message the answer goes on from any character", () => {
  for (const question of QUESTIONS) {
    const whole = full("m", question);
    const characters = Array.from(whole);
    for (let cut = 1; cut < characters.length; cut += 1) {
      const said = characters.slice(0, cut).join("");
      assert.equal(said + ask("m", [user(question), assistant(said)]).text, whole);
    }
    const said = whole.slice(0, 50);
    assert.equal(ask("m+echoes-prefill", [user(question), assistant(said)]).text, whole);
  }
});

test("DeepSeek goes on behind a prefix at its beta base, over HTTP", async () => {
  const whole = full("deepseek-flash", QUESTIONS[0]);
  const body = (messages) => ({ model: "deepseek-flash", stream: true, messages: [user(QUESTIONS[0]), ...messages] });
  for (let cut = 1; cut < whole.length - 1; cut += 41) {
    const said = whole.slice(0, cut);
    const got = assemble((await post(`${root}/deepseek/beta`, body([assistant(said, { prefix: true })]))).text);
    assert.deepEqual([said + got.text, got.reasoning, got.finish], [whole, "", "stop"]);
  }
});

test("DeepSeek goes on inside the reasoning that a prefix brings", () => {
  const model = "deepseek-flash";
  const whole = ask(model, [user(QUESTIONS[0])]);
  const options = { dialect: "deepseek", beta: true };
  const tail = assistant("", { prefix: true, reasoning_content: whole.reasoning.slice(0, 25) });
  const rest = expectedAnswer({ model, messages: [user(QUESTIONS[0]), tail] }, options);
  assert.deepEqual([whole.reasoning.slice(0, 25) + rest.reasoning, rest.text], [whole.reasoning, whole.text]);
  const behind = assistant(whole.text.slice(0, 30), { prefix: true, reasoning_content: whole.reasoning });
  const last = expectedAnswer({ model, messages: [user(QUESTIONS[0]), behind] }, options);
  assert.deepEqual([last.reasoning, last.text], ["", whole.text.slice(30)]);
});

test("a prefix in the wrong place is refused in DeepSeek's form", async () => {
  const cases = [
    ["/deepseek", [user("a"), assistant("b", { prefix: true })], /only available when using beta api/],
    ["/deepseek/v1", [user("a"), assistant("b", { prefix: true })], /only available when using beta api/],
    ["/deepseek/beta", [{ ...user("a"), prefix: true }], /last message/],
    ["/deepseek/beta", [user("a"), assistant("b", { prefix: true }), user("c")], /last message/],
  ];
  for (const [path, messages, words] of cases) {
    const answer = await post(root + path, { model: "deepseek-flash", messages });
    const { error } = JSON.parse(answer.text);
    assert.equal(answer.status, 400, path);
    assert.match(error.message, words);
    assert.deepEqual([error.type, error.param, error.code], ["invalid_request_error", null, "invalid_request_error"]);
  }
});

test("a cut answer is continued on another server, token for token", async () => {
  const other = await startUpstream({ dialect: "deepseek" });
  try {
    const question = user("Count for me");
    const whole = full("m+numbered-60", question.content);
    const start = assemble((await post(upstream.url, { model: "m+numbered-60+cut-40", stream: true, messages: [question] })).text).text;
    assert.equal(start.split(" ").length, 40);
    const rest = await post(`${other.url.slice(0, -3)}/beta`, { model: "m+numbered-60", stream: true, messages: [question, assistant(start, { prefix: true })] });
    assert.equal(start + assemble(rest.text).text, whole);
    assert.deepEqual([upstream.journal.at(-1).tokens, other.journal.at(-1).tokens], [40, 20]);
  } finally {
    await other.close();
  }
});
