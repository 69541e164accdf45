// What an upstream gets of private data, and what a caller gets back, through the built Worker: a model that repeats, reformats, translates
// around and invents placeholders; every way in which an answer can end; and that nothing of it is left anywhere afterwards.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { assertNowhere, sightings } from "./canary.mjs";
import { content, events, startGate } from "./gate.mjs";

const SECRET = "a secret of the tests, of 32 characters or more";
/** Written by hand: numbers of no one, an address at a domain for examples. */
const CANARIES = { phone: "13812345678", second: "15998765432" };
const { phone: PHONE, second: SECOND } = CANARIES;
/** Others, with check digits by python-stdnum 2.x: the identity card is the example of GB 11643. */
const PLANTED = {
  ...CANARIES,
  identity: "11010519491231002X",
  card: "6222021234567890128",
  account: "DE89370400440532013000",
  mail: "zhang.san@corp-canary.cn",
  key: "sk-proj-Qm7vX2kLp9RtYw4ZnB8sDf3HcJ6gTq1E",
};
const ALL = `我的电话是 ${PHONE}，另一个 ${SECOND}；身份证号 ${PLANTED.identity}，银行卡号 ${PLANTED.card}，账号 ${PLANTED.account}，邮箱 ${PLANTED.mail}，密钥 ${PLANTED.key}。`;
const TOKEN = /⟦[^⟦⟧]*⟧/gu;

let upstream;
let folder;
const gates = [];
const gateWith = async (config = {}, options = {}) => {
  const gate = await startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"] }],
      callers: { credentials: "ignore" },
      redaction: { secret: "REDACTION_KEY" },
      recovery: { retry: { first_ms: 20 }, breaker: false },
      development: true,
      ...config,
    },
    secrets: { REDACTION_KEY: SECRET },
    ...options,
  });
  gates.push(gate);
  return gate;
};
const user = (text) => [{ role: "user", content: text }];
/** Asks, and gives what came: as a stream or whole. */
async function say(gate, model, messages, { stream = false, headers, ...more } = {}) {
  const response = await gate.chat({ model, messages, stream, ...more }, { headers });
  const head = { status: response.status, redacted: response.headers.get("x-sluicegate-redacted"), notice: response.headers.get("x-sluicegate-notice"), timing: response.headers.get("server-timing"), id: response.headers.get("x-request-id"), stream: response.headers.get("x-sluicegate-stream") };
  if (response.headers.get("content-type").includes("event-stream")) {
    const { list, text, error, done } = await events(response);
    const deltas = list.flatMap((event) => event.choices ?? []);
    const calls = deltas.flatMap(({ delta }) => delta?.tool_calls ?? []).reduce((all, call) => ((all[call.index] = (all[call.index] ?? "") + (call.function?.arguments ?? "")), all), []);
    const reasoning = deltas.map(({ delta }) => delta?.reasoning_content ?? "").join("");
    return { ...head, raw: text, text: content(list), reasoning, calls, error, done, finish: deltas.findLast((choice) => choice.finish_reason)?.finish_reason, usage: list.findLast((event) => event.usage)?.usage };
  }
  const raw = await response.text();
  const { choices: [choice] = [], usage, error } = JSON.parse(raw);
  const message = choice?.message;
  return { ...head, raw, text: message?.content, reasoning: message?.reasoning_content, calls: (message?.tool_calls ?? []).map((call) => call.function.arguments), error, finish: choice?.finish_reason, usage };
}
const sent = (model) => upstream.journal.findLast((entry) => entry.model === model)?.body;
const asked = (model) => JSON.stringify(sent(model)?.messages);
const tokensIn = (text) => text.match(TOKEN) ?? [];

before(async () => {
  upstream = await startUpstream({ dialect: "openai" });
  folder = await mkdtemp(join(tmpdir(), "sluicegate-state-"));
});
after(async () => {
  await Promise.all(gates.map((gate) => gate.stop()));
  await upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a round trip", () => {
  let gate;
  before(async () => {
    gate = await gateWith();
  });

  for (const stream of [false, true]) {
    const way = stream ? "stream" : "unary";

    test(`${way}: the upstream gets tokens, the caller its own values, with the usage as it came`, async () => {
      const model = `chat+echo+${way}`;
      const text = `请打电话 ${PHONE} 或 ${SECOND}，谢谢。再说一次：${PHONE}`;
      const got = await say(gate, model, user(text), { stream, stream_options: stream ? { include_usage: true } : undefined });
      assert.deepEqual([got.status, got.text, got.finish], [200, text, "stop"]);
      assert.deepEqual(sightings(CANARIES, { upstream: asked(model) }), []);
      const [first, second, again] = tokensIn(asked(model));
      assert.ok(first && second && first === again && first !== second, asked(model));
      assert.equal(got.redacted, "PHONE_CN=3");
      assert.match(got.timing, /\bredact;dur=\d+/);
      const { usage } = expectedAnswer(sent(model), { dialect: "openai" });
      assert.deepEqual([got.usage.prompt_tokens, got.usage.completion_tokens], [usage.prompt_tokens, usage.completion_tokens]);
      const line = await gate.settled(got.id);
      assert.deepEqual([line.redacted, line.restored], [{ PHONE_CN: { token: 3 } }, 3]);
    });

    test(`${way}: every kind is given back, but for keys, which no model gets to see`, async () => {
      const model = `chat+echo+all-${way}`;
      const got = await say(gate, model, user(ALL), { stream });
      assert.deepEqual(sightings(PLANTED, { upstream: asked(model) }), []);
      assert.equal(got.text, ALL.replace(PLANTED.key, "***密钥***"));
    });

    const others = (text) => text.replace(TOKEN, "");
    const restored = { spaced: `打 ${PHONE} 吧`, fullwidth: `打 ${PHONE} 吧`, bold: `打 **${PHONE}** 吧`, ticked: `打 \`${PHONE}\` 吧`, lower: `打 ${PHONE} 吧`, upper: `打 ${PHONE} 吧` };
    for (const [style, wanted] of Object.entries(restored)) {
      test(`${way}: a placeholder that comes back ${style} is given back`, async () => {
        assert.equal((await say(gate, `chat+echo-${style}+${way}`, user(`打 ${PHONE} 吧`), { stream })).text, wanted);
      });
    }

    test(`${way}: placeholders in a translation, in another order, are given back`, async () => {
      const got = await say(gate, `chat+echo-translated+${way}`, user(`先打 ${PHONE}，再打 ${SECOND}`), { stream });
      assert.equal(got.text, `In English: they wrote ${SECOND} after ${PHONE}, and nothing else of note.`);
    });

    test(`${way}: placeholders that the model invented stay what they are`, async () => {
      const got = await say(gate, `chat+echo-forged+${way}`, user(`打 ${PHONE} 吧`), { stream });
      assert.equal(got.text.split(PHONE).length, 2, got.text);
      assert.equal(tokensIn(got.text).length, 3, got.text);
      assert.ok(others(got.text).startsWith(`打 ${PHONE} 吧`), got.text);
    });

    test(`${way}: what the page has masked already is left alone, and restored by nobody here`, async () => {
      const model = `chat+echo+page-${way}`;
      const foreign = "⟦邮箱1·ab12⟧";
      const text = `给 ${foreign} 写信，或打 ${PHONE}`;
      const got = await say(gate, model, user(text), { stream });
      assert.equal(got.text, text);
      assert.ok(asked(model).includes(foreign));
      assert.equal(tokensIn(asked(model)).length, 2);
      assert.equal(got.redacted, "PHONE_CN=1");
    });

    test(`${way}: reasoning is given back, tool arguments only where the policy says so`, async () => {
      const thought = await say(gate, `deepseek-reasoner+echo+${way}`, user(`想想 ${PHONE}`), { stream });
      assert.equal(thought.reasoning, `The user wrote: 想想 ${PHONE}`);
      const tools = [{ type: "function", function: { name: "dial", parameters: { type: "object", properties: { number: { type: "string" } } } } }];
      const kept = await say(gate, `chat+echo+tools-${way}`, user(`Use the tool: ${PHONE}`), { stream, tools });
      assert.equal(kept.finish, "tool_calls");
      assert.equal(JSON.parse(kept.calls[0]).number, `Use the tool: ${tokensIn(asked(`chat+echo+tools-${way}`))[0]}`);
      const open = await gateWith({ redaction: { restore: { tool_arguments: true } } });
      const given = await say(open, `chat+echo+tools-${way}`, user(`Use the tool: ${PHONE}`), { stream, tools });
      assert.deepEqual(JSON.parse(given.calls[0]), { number: `Use the tool: ${PHONE}` });
    });
  }

  test("a whole conversation is masked: parts, tool calls and their results, names", async () => {
    const model = "chat+echo+dialogue";
    const call = { id: "call_1", type: "function", function: { name: "look", arguments: JSON.stringify({ who: PLANTED.mail }) } };
    const messages = [
      { role: "system", content: `Their number is ${SECOND}.` },
      { role: "user", content: [{ type: "text", text: `一 ${PHONE}` }, { type: "text", text: "二" }] },
      { role: "assistant", content: `稍等 ${PHONE}`, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: JSON.stringify({ card: PLANTED.card, rows: [{ note: `打 ${SECOND}` }] }) },
      { role: "user", content: `谢谢 ${PLANTED.mail}` },
    ];
    const got = await say(gate, model, messages);
    assert.equal(got.text, `谢谢 ${PLANTED.mail}`);
    assert.deepEqual(sightings(PLANTED, { upstream: sent(model) }), []);
    assert.deepEqual([sent(model).messages[2].tool_calls[0].function.name, sent(model).messages.length], ["look", 5]);
    assert.equal(JSON.parse(sent(model).messages[3].content).rows.length, 1);
    assert.equal(got.redacted, "PHONE_CN=4, EMAIL=2, BANKCARD=1");
  });

  test("an answer in JSON stays JSON", async () => {
    for (const stream of [false, true]) {
      const got = await say(gate, "chat+json", user(`以 JSON 回答：打 ${PHONE} 吧`), { stream, response_format: { type: "json_object" } });
      assert.equal(JSON.parse(got.text).question, `以 JSON 回答：打 ${PHONE} 吧`);
    }
  });

  test("nothing of it depends on how the bytes come", async () => {
    const text = `一 ${PHONE} 二 ${SECOND} 三`;
    for (const words of ["bytes", "chunks-2", "chunks-3", "chunks-5", "chunks-7", "chunks-11", "crlf+chunks-3", "cr+bytes", "bom+bytes", "no-done", "no-blank", "keepalive"]) {
      const got = await say(gate, `chat+echo+${words}`, user(text), { stream: true });
      assert.deepEqual([got.text, got.finish, got.done], [text, "stop", true], words);
    }
  });

  test("/v1/completions is masked and given back as well", async () => {
    const model = "chat+echo+legacy";
    for (const stream of [false, true]) {
      const response = await gate.fetch("/v1/completions", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model, prompt: `Say ${PHONE}`, stream }) });
      const text = stream ? (await events(response)).list.map((event) => event.choices?.[0]?.text ?? "").join("") : (await response.json()).choices[0].text;
      assert.equal(text, `Say ${PHONE}`);
      assert.deepEqual(sightings(CANARIES, { upstream: sent(model) }), []);
    }
  });

  test("an answer that breaks off in the middle of a token and is gone on with elsewhere is given back whole", async () => {
    const text = `一 ${PHONE} 二 ${SECOND} 三`;
    for (let at = 1; at < 12; at += 1) {
      const got = await say(gate, `chat+echo+cut-${at}-first-of-2`, user(text), { stream: true });
      assert.deepEqual([got.text, got.finish, got.done], [text, "stop", true], `cut after ${at}`);
    }
  });

  test("a whole answer to a stream request is given back too", async () => {
    const odd = await say(gate, "chat+echo+wrong-type", user(`打 ${PHONE}`), { stream: true });
    assert.equal(odd.text, `打 ${PHONE}`);
  });

  test("what is held when the answer ends by its length, or in an error, goes out as it is", async () => {
    const text = `打 ${PHONE} 吧`;
    for (let most = 1; most < 12; most += 1) {
      const short = await say(gate, "chat+echo+short", user(text), { stream: true, max_tokens: most });
      if (short.finish !== "length") break;
      const masked = expectedAnswer(sent("chat+echo+short"), { dialect: "openai" }).text;
      const token = tokensIn(asked("chat+echo+short"))[0];
      // A token that lacks its last bracket is whole enough to be given back.
      const written = [token, token.slice(0, -1), token.slice(1, -1)].map((form) => short.text.replace(PHONE, form));
      assert.ok(written.includes(masked), `${most}: ${short.text}`);
      assert.equal(short.done, true);
    }
    const failed = await say(gate, "chat+echo+quotes-in-stream-3", user(text), { stream: true });
    assert.ok(failed.error?.vendor?.message, failed.raw);
    assert.deepEqual([failed.done, failed.text.startsWith("打 ")], [false, true], failed.raw);
  });

  test("a caller who leaves in the middle takes the map along", async () => {
    const model = "chat+endless+rate-200+left";
    const controller = new AbortController();
    const response = await gate.chat({ model, messages: user(`打 ${PHONE}`), stream: true }, { signal: controller.signal });
    await response.body.getReader().read();
    controller.abort();
    const until = Date.now() + 5_000;
    while (upstream.journal.findLast((entry) => entry.model === model).end !== "aborted") {
      assert.ok(Date.now() < until, "the upstream's request goes on");
      await delay(20);
    }
    assert.equal((await say(gate, "chat+echo+next", user(`打 ${SECOND}`))).text, `打 ${SECOND}`);
  });
});

describe("the policy", () => {
  test("off unless configured: bytes and heads are as they were", async () => {
    const gate = await gateWith({ redaction: false });
    const got = await say(gate, "chat+echo+off", user(`打 ${PHONE}`));
    assert.deepEqual([got.redacted, got.text], [null, `打 ${PHONE}`]);
    assert.doesNotMatch(got.timing, /redact/);
    assert.ok(asked("chat+echo+off").includes(PHONE));
    upstream.reset();
  });

  test("irreversible: the upstream and the caller get labels", async () => {
    const gate = await gateWith({ redaction: { mode: "irreversible" } });
    for (const stream of [false, true]) {
      const got = await say(gate, "chat+echo+labels", user(`打 ${PHONE}`), { stream });
      assert.deepEqual([got.text, got.redacted], ["打 ***手机号***", "PHONE_CN=1"]);
    }
  });

  test("block: 400 that names the place and the entity, and nothing is sent", async () => {
    const gate = await gateWith({ redaction: { entities: { PHONE_CN: "block" } } });
    const got = await say(gate, "chat+echo+blocked", [{ role: "system", content: "Be brief." }, ...user(`打 ${PHONE}`)]);
    assert.deepEqual([got.status, got.error.code, got.error.param], [400, "private_data", "messages[1].content"]);
    assert.match(got.error.message, /PHONE_CN/);
    assert.equal(sent("chat+echo+blocked"), undefined);
    const line = await gate.settled(got.id);
    assert.deepEqual([line.error, line.redacted], ["private_data", { PHONE_CN: { block: 1 } }]);
  });

  test("local_only: nowhere but to a trusted upstream, and to that as it is", async () => {
    const at = (name, trusted, ids) => ({ name, dialect: "openai", base_url: upstream.url, models: ids, trusted });
    const own = "chat+echo+own";
    const gate = await gateWith({
      upstreams: [at("far", false, ["chat+echo+far", "chat+echo+both"]), at("near", true, [own, "chat+echo+both"])],
      redaction: { entities: { PHONE_CN: "local_only" } },
    });
    const refused = await say(gate, "chat+echo+far", user(`打 ${PHONE}`));
    assert.deepEqual([refused.status, refused.error.code], [403, "local_only"]);
    assert.equal(sent("chat+echo+far"), undefined);
    for (const model of [own, "chat+echo+both"]) {
      const got = await say(gate, model, user(`打 ${PHONE}`));
      assert.deepEqual([got.status, got.text], [200, `打 ${PHONE}`]);
      assert.equal((await gate.settled(got.id)).upstream, "near");
      assert.ok(asked(model).includes(PHONE));
    }
    const plain = await say(gate, "chat+echo+far", user("打电话"));
    assert.equal(plain.status, 200);
    upstream.reset();
  });

  test("a trusted upstream reads what others do not, unless another could answer the same call", async () => {
    const at = (name, trusted, ids) => ({ name, dialect: "openai", base_url: upstream.url, models: ids, trusted });
    const gate = await gateWith({ upstreams: [at("near", true, ["chat+echo+one", "chat+echo+two"]), at("far", false, ["chat+echo+two"])] });
    const alone = await say(gate, "chat+echo+one", user(`打 ${PHONE}`));
    assert.deepEqual([alone.text, alone.redacted], [`打 ${PHONE}`, null]);
    assert.ok(asked("chat+echo+one").includes(PHONE));
    const shared = await say(gate, "chat+echo+two", user(`打 ${PHONE}`));
    assert.deepEqual([shared.text, shared.redacted], [`打 ${PHONE}`, "PHONE_CN=1"]);
    assert.ok(!asked("chat+echo+two").includes(PHONE));
    upstream.reset();
  });

  test("errors that quote what was sent are hidden for good, whoever was trusted with it", async () => {
    const config = (trusted) => ({ upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"], trusted }] });
    for (const trusted of [false, true]) {
      const gate = await gateWith(config(trusted));
      for (const stream of [false, true]) {
        const got = await say(gate, "chat+echo+quotes-400", user(`打 ${PHONE}`), { stream });
        assert.deepEqual([got.status, got.error.code], [400, "invalid_request"]);
        assert.deepEqual(sightings(CANARIES, { error: got.raw }), [], `trusted: ${trusted}`);
        assert.match(got.error.vendor.message, trusted ? /打 \*\*\*手机号\*\*\*/ : /⟦手机号1/);
      }
      const late = await say(gate, "chat+numbered-9+quotes-in-stream-3", user(`打 ${PHONE}`), { stream: true });
      assert.ok(late.error.vendor.message.startsWith("Invalid value: 打 "), late.raw);
      assert.deepEqual([sightings(CANARIES, { stream: late.raw }), late.done], [[], false], `trusted: ${trusted}`);
    }
    upstream.reset();
  });

  test("answers: mask hides what the model brings of its own", async () => {
    const gate = await gateWith({ redaction: { answers: "mask", entities: { PHONE_CN: "keep" } } });
    const got = await say(gate, "chat+echo+kept", user(`打 ${PHONE}`));
    assert.equal(got.text, `打 ${PHONE}`);
    upstream.reset();
  });
});

describe("the key", () => {
  test("one caller has the same tokens in every isolate, another one others", async () => {
    const gate = await gateWith({}, { isolates: 2 });
    const masked = async (url, headers) => {
      await (await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ model: "chat+echo+keyed", messages: user(`打 ${PHONE}`) }) })).text();
      return tokensIn(asked("chat+echo+keyed"))[0];
    };
    const [here, there] = gate.urls;
    const alice = { authorization: "Bearer alice" };
    const first = await masked(here, alice);
    assert.equal(await masked(there, alice), first);
    assert.equal(await masked(here, alice), first);
    assert.notEqual(await masked(here, { authorization: "Bearer bob" }), first);
  });

  test("without a secret an isolate has a key of its own, and keeps it", async () => {
    const gate = await gateWith({ redaction: {} });
    const masked = async () => ((await say(gate, "chat+echo+unkeyed", user(`打 ${PHONE}`))), tokensIn(asked("chat+echo+unkeyed"))[0]);
    assert.equal(await masked(), await masked());
  });

  test("a secret that is named and not set, or too short, stops every call", async () => {
    for (const secrets of [{}, { REDACTION_KEY: "" }, { REDACTION_KEY: "short" }]) {
      const gate = await gateWith({}, { secrets });
      const got = await say(gate, "chat+echo+keyless", user(`打 ${PHONE}`));
      assert.deepEqual([got.status, got.error.code, got.error.param], [503, "misconfigured", "redaction.secret"]);
      assert.equal((await (await gate.fetch("/healthz")).json()).status, "degraded");
    }
    assert.equal(sent("chat+echo+keyless"), undefined);
  });
});

describe("a stream that could be resumed", () => {
  const resume = { "x-sluicegate-resume": "1" };

  test("is not, where something is to be given back: the map is kept nowhere", async () => {
    const gate = await gateWith();
    const got = await say(gate, "chat+echo+kept", user(`打 ${PHONE}`), { stream: true, headers: resume });
    assert.deepEqual([got.text, got.stream], [`打 ${PHONE}`, null]);
    assert.match(got.notice, /\bresume_unavailable\b/);
    const plain = await say(gate, "chat+echo+kept", user("打电话"), { stream: true, headers: resume });
    assert.ok(plain.stream);
  });

  test("is, with labels: its log has nothing else", async () => {
    const gate = await gateWith({ redaction: { mode: "irreversible" } });
    const got = await say(gate, "chat+echo+logged", user(`打 ${PHONE}`), { stream: true, headers: resume });
    assert.deepEqual([got.text, got.redacted], ["打 ***手机号***", "PHONE_CN=1"]);
    const again = await gate.fetch(`/v1/streams/${got.stream}`);
    const { text, list } = await events(again);
    assert.equal(content(list), "打 ***手机号***");
    assert.deepEqual(sightings(CANARIES, { log: text }), []);
  });
});

test("no planted value is anywhere after a run: output, stored state, journals, errors, health", async () => {
  const gate = await gateWith({}, { storage: folder });
  upstream.reset();
  const bodies = [];
  const ask = async (model, options = {}) => {
    const got = await say(gate, model, user(ALL), options);
    if (got.error) bodies.push(got.raw);
    return got;
  };
  for (const stream of [false, true]) {
    for (const words of ["echo", "quotes-400", "quotes-503", "quotes-in-stream-3", "status-500", "cut-3", "eof-3", "malformed-3", "error-200", "html-200", "length-3", "reset"]) await ask(`chat+${words}+swept`, { stream });
  }
  await ask("chat+echo+swept-live", { stream: true, headers: { "x-sluicegate-resume": "1" } });
  // Bodies that are refused, by us.
  for (const body of [`{"model":"chat","messages":[{"role":"user","content":"${PHONE}`, JSON.stringify({ model: "chat", messages: [{ role: PHONE, content: PHONE }] }), JSON.stringify({ messages: user(PHONE) }), JSON.stringify({ model: "chat", [PHONE]: 1, messages: PHONE })]) {
    const response = await gate.chat(body);
    assert.ok(response.status >= 400 || response.status === 200);
    if (response.status >= 400) bodies.push(await response.text());
    else await response.text();
  }
  const health = await (await gate.fetch("/healthz")).text();
  await delay(200);
  assert.ok(upstream.journal.length > 20 && gate.logs.length > 20 && bodies.length > 10);
  await assertNowhere(PLANTED, { gates: [gate], upstreams: [upstream], folders: [folder], more: { health, bodies, metrics: await (await gate.fetch("/metrics")).text() } });
  // The search finds what is there.
  assert.equal(sightings(CANARIES, { base64: Buffer.from(`x ${PHONE} y`).toString("base64"), wide: Buffer.from(PHONE, "utf16le"), plain: { a: [SECOND] } }).length, 3);
});

describe("names, by the model", () => {
  const NAMES = join(import.meta.dirname, "../../models/ner");
  const text = "昨天周建国和赵敏华一起吃了饭。Yesterday Michael Thompson met Laura Bennett in the office.";
  const redaction = { secret: "REDACTION_KEY", names_model: true };

  test("are hidden and given back once an isolate has loaded its weights, which it does for the first request", async () => {
    const gate = await gateWith({ redaction }, { assets: NAMES });
    for (const model of ["chat+echo+names-1", "chat+echo+names-2"]) {
      const answer = await say(gate, model, user(text), { stream: true });
      assert.equal(answer.status, 200);
      for (const name of ["周建国", "Michael Thompson", "Laura Bennett"]) assert.ok(!asked(model).includes(name), `${name} in ${asked(model)}`);
      assert.ok(answer.text.includes("周建国") && answer.text.includes("Michael Thompson"), answer.text);
    }
    const without = await gateWith({}, { assets: NAMES });
    await say(without, "chat+echo+names-3", user(text));
    assert.ok(asked("chat+echo+names-3").includes("Michael Thompson"), "not asked for");
  });

  test("nothing is sent where the weights cannot be had", async () => {
    for (const options of [{}, { assets: folder }]) {
      const gate = await gateWith({ redaction }, options);
      const answer = await say(gate, "chat+echo+names-4", user(text));
      assert.equal(answer.status, 503);
      assert.equal(answer.error.code, "misconfigured");
      assert.equal(answer.error.param, "redaction.names_model");
      assert.equal(sent("chat+echo+names-4"), undefined);
    }
  });
});
