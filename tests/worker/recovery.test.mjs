// What a caller sees of upstreams that fail, and what the upstreams see: the openai SDK in front of the Worker, which has a primary and a
// fallback. The SDK's own retries are off, so that every second request is the gate's.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { startGate } from "./gate.mjs";

const MESSAGES = [{ role: "user", content: "Count, please." }];
const LONG = "numbered-60";
const whole = (words) => expectedAnswer({ model: `gpt-x+${words}`, messages: MESSAGES }, { dialect: "openai" });

const RETRY = { first_ms: 20 };
const OK = [200, "done"];
const ANCHOR = (messages) => messages.length === MESSAGES.length + 2 && messages.at(-1).role === "user";
const PREFILL = (messages) => messages.length === MESSAGES.length + 1 && messages.at(-1).role === "assistant";

/**
 * One row a scenario. `primary` and `fallback` are misbehaviours in the words of tests/upstream; `answer` words that both share.
 * `config`, `models` (fields of each upstream's entry) and `budgets` go into the gate's configuration. Then what is expected: `saw` [status,
 * end] of each request that the primary and the fallback got; `by` who answered, and `attempts`, `notices` in the answer's head (a stream's head goes out
 * before most of what can happen); `logged` the upstream in the log, where it differs from `by`; `error` [status, code] instead of the whole
 * answer; `waits` the least milliseconds before the n-th request of the primary; `within` the most for the whole call.
 */
const SCENARIOS = [
  {
    what: "429 with Retry-After, once: waited for, as long as it asks",
    primary: "status-429-retry-1-once",
    saw: [[[429, "done"], OK], []],
    by: "primary", attempts: 2, notices: ["retried"], waits: 1_000,
  },
  {
    what: "429 for ever: once more, then the fallback",
    primary: "status-429-retryms-200",
    saw: [[[429, "done"], [429, "done"]], [OK]],
    by: "fallback", attempts: 3, notices: ["retried", "fell_back"], waits: 200,
  },
  {
    what: "429 with a longer wait than a caller is left waiting: the fallback at once",
    primary: "status-429-retry-30",
    saw: [[[429, "done"]], [OK]],
    by: "fallback", attempts: 2, notices: ["fell_back"], within: 3_000,
  },
  {
    what: "500, once: asked again",
    primary: "status-500-once",
    saw: [[[500, "done"], OK], []],
    by: "primary", attempts: 2, notices: ["retried"],
  },
  {
    what: "503 of the primary for ever: the fallback",
    primary: "status-503",
    saw: [[[503, "done"], [503, "done"]], [OK]],
    by: "fallback", attempts: 3, notices: ["retried", "fell_back"],
  },
  {
    what: "503 of both for ever: the last error, after a bounded number of requests",
    primary: "status-503", fallback: "status-503",
    saw: [[[503, "done"], [503, "done"]], [[503, "done"], [503, "done"], [503, "done"]]],
    by: "fallback", attempts: 5, error: [503, "overloaded"],
  },
  {
    what: "a reset before any answer, once: asked again",
    primary: "reset-once",
    saw: [[[undefined, "dropped"], OK], []],
    by: "primary", attempts: 2, notices: ["retried"],
  },
  {
    what: "silence: left for the fallback when its time is over",
    primary: "silence", budgets: { patience_ms: 300 },
    saw: [[[undefined, "aborted"]], [OK]],
    by: "fallback", attempts: 2, notices: ["fell_back"], within: 3_000, streamsOnly: true,
  },
  {
    what: "a slow first token, all defaults: the fallback answers within 15 s",
    primary: "slow-first-30000",
    saw: [[[200, "aborted"]], [OK]],
    by: "primary", attempts: 1, logged: ["fallback", 2], within: 15_000, streamsOnly: true,
  },
  {
    what: "cut after 40 of 60 tokens: the same upstream is asked for the rest",
    answer: LONG, primary: "cut-40-once",
    saw: [[[200, "dropped"], OK], []],
    by: "primary", attempts: 1, logged: ["primary", 2], continues: [1, ANCHOR], streamsOnly: true,
  },
  {
    what: "cut, and then down: the fallback is asked for the rest",
    answer: LONG, schedule: ["cut-40", "status-503", "status-503"],
    saw: [[[200, "dropped"], [503, "done"]], [OK]],
    by: "primary", attempts: 1, logged: ["fallback", 3], continues: [2, ANCHOR], streamsOnly: true,
  },
  {
    what: "a stall after 40 of 60 tokens: the fallback is asked for the rest",
    answer: LONG, primary: "stall-40", budgets: { idle_ms: 400 },
    saw: [[[200, "aborted"]], [OK]],
    by: "primary", attempts: 1, logged: ["fallback", 2], continues: [1, ANCHOR], streamsOnly: true,
  },
  {
    what: "a malformed chunk after 40 of 60 tokens: asked for the rest",
    answer: LONG, primary: "malformed-40-once",
    saw: [[[200, undefined], OK], []],
    by: "primary", attempts: 1, logged: ["primary", 2], continues: [1, ANCHOR], streamsOnly: true,
  },
  {
    what: "a fallback that rejects prefill: asked for the rest in words",
    answer: LONG, primary: "stall-40", fallback: "rejects-prefill", budgets: { idle_ms: 400 }, models: { continuation: "prefill" },
    saw: [[[200, "aborted"]], [[400, "done"], OK]],
    by: "primary", attempts: 1, logged: ["fallback", 3], continues: [2, ANCHOR], streamsOnly: true,
  },
  {
    what: "a fallback that takes prefill: asked for the rest by it",
    answer: LONG, primary: "stall-40", budgets: { idle_ms: 400 }, models: { continuation: "prefill" },
    saw: [[[200, "aborted"]], [OK]],
    by: "primary", attempts: 1, logged: ["fallback", 2], continues: [1, PREFILL], streamsOnly: true,
  },
  {
    what: "a cut where going on is switched off: one clear error",
    answer: LONG, primary: "cut-40", recovery: { continuation: false },
    saw: [[[200, "dropped"]], []],
    by: "primary", attempts: 1, error: [200, "truncated"], streamsOnly: true,
  },
  {
    what: "a missing [DONE]: a whole answer",
    primary: "no-done",
    saw: [[OK], []],
    by: "primary", attempts: 1,
  },
  {
    what: "a prompt that is too long, everywhere: the caller's to mend",
    primary: "context-overflow",
    saw: [[[400, "done"]], []],
    by: "primary", attempts: 1, error: [400, "context_overflow"],
  },
  {
    what: "a prompt that is too long for the primary: a longer context elsewhere",
    primary: "context-overflow", models: [{ context: 8_000 }, { context: 128_000 }],
    saw: [[[400, "done"]], [OK]],
    by: "fallback", attempts: 2, notices: ["fell_back"],
  },
  {
    what: "a content filter: an answer like any other",
    primary: "content-filter",
    saw: [[OK], []],
    by: "primary", attempts: 1, finish: "content_filter",
  },
  {
    what: "a whole answer that breaks off: asked again",
    primary: "cut-3-once",
    saw: [[[200, "dropped"], OK], []],
    by: "primary", attempts: 2, notices: ["retried"], wholeOnly: true,
  },
  {
    what: "a field that the model refuses: left out, and said so",
    primary: "unsupported-temperature", body: { temperature: 0.5 },
    saw: [[[400, "done"], OK], []],
    by: "primary", attempts: 2, notices: ["request_changed:temperature"],
  },
  {
    what: "a refused key: the fallback, at once",
    primary: "status-401",
    saw: [[[401, "done"]], [OK]],
    by: "fallback", attempts: 2, notices: ["fell_back"],
  },
  {
    what: "a secret that is not set: the fallback, and nothing is sent to the primary",
    secret: "MISSING",
    saw: [[], [OK]],
    by: "fallback", attempts: 2, notices: ["fell_back"],
  },
  {
    what: "a hedge: the second request wins, the first is let go",
    primary: "slow-first-3000", recovery: { hedge: { after_ms: 200, share_percent: 100 } },
    saw: [[[200, "aborted"]], [OK]],
    by: "primary", attempts: 1, logged: ["fallback", 2], within: 2_500, streamsOnly: true,
  },
  {
    what: "a hedge before any head: who is first is who answers",
    primary: "slow-head-3000", recovery: { hedge: { after_ms: 200, share_percent: 100 } },
    saw: [[[undefined, "aborted"]], [OK]],
    by: "fallback", attempts: 2, logged: ["fallback", 2], within: 2_500, streamsOnly: true,
  },
  {
    what: "an answer that ends by its length, where more is wanted: gone on with",
    answer: LONG, primary: "length-20-once", recovery: { continuation: { length: 2 } },
    saw: [[OK, OK], []],
    by: "primary", attempts: 1, logged: ["primary", 2], continues: [1, ANCHOR], streamsOnly: true,
  },
];

async function stage({ answer, primary, fallback, schedule, recovery, budgets, models = {}, secret }) {
  const servers = await Promise.all([startUpstream({ dialect: "openai" }), startUpstream({ dialect: "openai" })]);
  if (schedule) servers[0].schedule(schedule);
  const entries = [primary, fallback].map((words, at) => ({
    name: ["primary", "fallback"][at],
    dialect: "openai",
    base_url: servers[at].url,
    ...(secret && at === 0 && { secret }),
    models: [{ id: "m", upstream_id: ["gpt-x", answer, words].filter(Boolean).join("+"), ...(Array.isArray(models) ? models[at] : models) }],
  }));
  const gate = await startGate({
    config: { upstreams: entries, recovery: { retry: RETRY, ...recovery }, ...(budgets && { budgets }), callers: { credentials: "ignore" }, development: true },
  });
  const client = new OpenAI({ baseURL: `${gate.url}/v1`, apiKey: "unused", maxRetries: 0 });
  return { servers, gate, client, async stop() {
    await gate.stop();
    await Promise.all(servers.map((server) => server.close()));
  } };
}

/** Calls through the SDK: `{ text, finish, usage, error, headers }`, an error's headers being those of its answer. */
async function call(client, stream, body, options) {
  const got = { text: "", finish: null, usage: undefined, error: undefined, headers: undefined };
  try {
    const asked = client.chat.completions.create({ model: "m", messages: MESSAGES, ...(stream && { stream, stream_options: { include_usage: true } }), ...body }, options);
    const { data, response } = await asked.withResponse();
    got.headers = response.headers;
    if (!stream) {
      const [{ message, finish_reason }] = data.choices;
      return Object.assign(got, { text: message.content, finish: finish_reason, usage: data.usage });
    }
    for await (const { choices, usage } of data) {
      got.usage = usage ?? got.usage;
      got.text += choices[0]?.delta.content ?? "";
      got.finish = choices[0]?.finish_reason ?? got.finish;
    }
  } catch (error) {
    got.error = error;
    got.headers ??= error.headers;
  }
  return got;
}

const calls = (server) => server.journal.filter(({ method }) => method === "POST");

/** What a server saw, once it has noticed that the last of it is over. */
async function seen(server, wanted) {
  for (const until = Date.now() + 2_000; ; ) {
    const ends = calls(server).map(({ status, end }, at) => [status, wanted[at]?.[1] === undefined && end !== "open" ? undefined : end]);
    if ((ends.length >= wanted.length && !ends.some(([, end]) => end === "open")) || Date.now() > until) return ends;
    await delay(20);
  }
}

async function play(scenario, stream) {
  const { saw, by, attempts, notices, error, waits, within, continues, body, logged = [by, attempts] } = scenario;
  const { servers, gate, client, stop } = await stage(scenario);
  try {
    const started = Date.now();
    const got = await call(client, stream, body);
    const took = Date.now() - started;
    const line = await gate.settled(got.headers?.get("x-request-id"));
    const context = JSON.stringify({ text: got.text, error: got.error, line });

    if (error) {
      assert.equal(got.error?.code, error[1], context);
      if (error[0] !== 200) assert.equal(got.error.status, error[0]);
    } else {
      assert.equal(got.error, undefined, context);
      const wanted = whole([scenario.answer, scenario.finish && scenario.primary].filter(Boolean).join("+"));
      assert.equal(got.text, wanted.text, context);
      assert.equal(got.finish, scenario.finish ?? "stop");
    }
    for (const [at, server] of servers.entries()) assert.deepEqual(await seen(server, saw[at]), saw[at], `the ${["primary", "fallback"][at]} saw; ${context}`);

    assert.equal(got.headers.get("x-sluicegate-upstream"), by);
    assert.equal(got.headers.get("x-sluicegate-attempts"), String(attempts));
    assert.deepEqual((got.headers.get("x-sluicegate-notice") ?? "").split(", ").filter((code) => code && code !== "credential_ignored"), error ? noticed(got) : notices ?? []);
    if (waits) {
      const [first, second] = calls(servers[0]);
      assert.ok(second.at - first.at >= waits, `only ${second.at - first.at} ms`);
    }
    if (within) assert.ok(took < within, `${took} ms`);
    if (continues) {
      const [number, holds] = continues;
      const made = servers.flatMap(calls).sort((one, other) => one.at - other.at);
      assert.ok(holds(made[number].body.messages), JSON.stringify(made[number].body.messages));
    }

    assert.deepEqual([line.upstream, line.attempts], logged);
    assert.equal(line.error, error?.[1]);
    // The usage of the answer, and no other.
    if (!error && !continues && got.usage && line.outcome === "complete") {
      assert.equal(line.usage.total_tokens, got.usage.total_tokens);
      assert.equal(got.usage.completion_tokens, whole(scenario.answer ?? "").usage.completion_tokens);
    }
    if (line.attempts === 1) assert.equal(line.timeline, undefined);
    else assert.equal(line.timeline.filter(({ event }) => event === "sent").length, line.attempts);
    assert.ok(!JSON.stringify(line).includes(MESSAGES[0].content));
  } finally {
    await stop();
  }
}

/** Of an error only that it says what was tried. */
const noticed = ({ headers }) => (headers.get("x-sluicegate-notice") ?? "").split(", ").filter((code) => code && code !== "credential_ignored");

describe("recovery", { concurrency: 4 }, () => {
  for (const scenario of SCENARIOS) {
    if (!scenario.wholeOnly) test(`stream: ${scenario.what}`, { timeout: 30_000 }, () => play(scenario, true));
    if (!scenario.streamsOnly) test(`whole answer: ${scenario.what}`, { timeout: 30_000 }, () => play(scenario, false));
  }

  test("a secret that is not set is the caller's answer where nobody else answers, by its path, however often", async () => {
    const { servers, gate, client, stop } = await stage({ secret: "MISSING", models: [{ id: "alone" }, {}] });
    try {
      for (let round = 0; round < 8; round += 1) {
        const { error, headers } = await call(client, round % 2 === 0, { model: "alone" });
        assert.deepEqual([error.status, error.code, error.param], [503, "misconfigured", "upstreams[0].secret"]);
        const line = await gate.settled(headers.get("x-request-id"));
        assert.deepEqual([line.error, line.param, line.status], ["misconfigured", "upstreams[0].secret", 503]);
      }
      assert.deepEqual(servers.map((server) => calls(server).length), [0, 0]);
    } finally {
      await stop();
    }
  });

  test("a caller who leaves during a wait ends it: nothing more is sent", async () => {
    const { servers, gate, stop } = await stage({ primary: "status-429-retry-1" });
    try {
      // By a reset: workerd on its own does not notice an orderly close before it has something to write.
      const body = JSON.stringify({ model: "m", messages: MESSAGES, stream: true });
      const socket = connect(gate.port, "127.0.0.1");
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      await seen(servers[0], [[429, "done"]]);
      await delay(300);
      socket.resetAndDestroy();
      await delay(1_500);
      assert.deepEqual(servers.map((server) => calls(server).length), [1, 0]);
      assert.equal(gate.logs.at(-1)?.outcome, "aborted");
    } finally {
      await stop();
    }
  });

  test("a caller who leaves between two attempts of a stream ends it: nothing more is sent", async () => {
    const { servers, gate, client, stop } = await stage({ answer: LONG, schedule: ["cut-40", "status-503"], fallback: "status-429-retry-2" });
    try {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 600);
      await call(client, true, {}, { signal: abort.signal });
      await delay(2_500);
      assert.deepEqual(servers.map((server) => calls(server).length), [2, 1]);
      assert.equal(gate.logs.at(-1)?.outcome, "aborted");
    } finally {
      await stop();
    }
  });

  for (const [on_cancel, end] of [["abort", "aborted"], [{ drain_ms: 5_000 }, "done"]]) {
    test(`a caller who leaves, and ${JSON.stringify(on_cancel)}: the upstream's work is ${end}`, async () => {
      const { servers, gate, client, stop } = await stage({ answer: "numbered-60+slow-drip-20", recovery: { on_cancel } });
      try {
        const stream = await client.chat.completions.create({ model: "m", messages: MESSAGES, stream: true });
        for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
        assert.deepEqual(await seen(servers[0], [[200, end]]), [[200, end]]);
        const deadline = Date.now() + 2_000;
        while (!gate.logs.length && Date.now() < deadline) await delay(20);
        const line = gate.logs.at(-1);
        assert.equal(line.outcome, "aborted");
        if (end === "done") assert.equal(line.usage.completion_tokens, 60);
      } finally {
        await stop();
      }
    });
  }
});
