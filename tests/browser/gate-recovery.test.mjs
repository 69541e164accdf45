// The package's recovery in Chromium: what an app sees of two upstreams that fail, by the gate itself and by the openai SDK with its fetch, and what
// the upstreams see. Then a real model on the device (SmolLM2 in wllama) as the last resort, without a network and with one that is of no use.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { localModel } from "../../scripts/lib.mjs";
import { expectedAnswer, fingerprint, startUpstream } from "../upstream/index.mjs";
import { openPage, startChromium } from "./chromium.mjs";
import { crossOrigin, serve } from "./serve.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const MESSAGES = [{ role: "user", content: "Count, please." }];
// With time between the tokens: a browser that hears of a broken connection drops what it has not handed out yet.
const LONG = "numbered-60+slow-drip-4";
const RETRY = { firstMs: 20, capMs: 40 };
const ALL = ["stream", "chat", "sdkStream", "sdkWhole"];
const STREAMS = ["stream", "sdkStream"];
const WHOLES = ["chat", "sdkWhole"];
const OK = [200, "done"];
// What the page has to allow at least, besides the upstreams.
const HEADERS = { "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; connect-src 'self' http://127.0.0.1:*; img-src data:" };

const folder = await mkdtemp(join(tmpdir(), "sluicegate-recovery-"));
after(() => rm(folder, { recursive: true, force: true }));
await build({ entryPoints: [join(here, "recovery/main.js")], bundle: true, format: "esm", platform: "browser", target: "es2022", outdir: folder, logLevel: "error" });
await cp(join(here, "recovery/index.html"), join(folder, "index.html"));
await cp(join(here, "../../dist/npm/sluicegate.wasm"), join(folder, "sluicegate.wasm"));
await symlink(join(dirname(createRequire(import.meta.url).resolve("@wllama/wllama/esm/index.js")), "wasm/wllama.wasm"), join(folder, "wllama.wasm"));
await symlink(localModel.path, join(folder, "model.gguf"));
const site = await serve(folder, undefined, { headers: HEADERS });
after(() => site.close());
const { context, close } = await startChromium();
after(close);
const { page, errors } = await openPage(context, site.url);
await page.waitForFunction(() => globalThis.isReady, undefined, { timeout: 20_000 }).catch(() => assert.fail(errors.join("\n")));

const call = (name, ...args) => page.evaluate(([name, args]) => globalThis[name](...args.map((arg) => arg ?? undefined)), [name, args]);

/** What both upstreams say to the same question, whatever else their names ask for. */
const answer = (words) => expectedAnswer({ model: ["scripted-chat", words].filter(Boolean).join("+"), messages: MESSAGES }, { dialect: "openai" });
const ANCHOR = (messages) => messages.length === MESSAGES.length + 2 && messages.at(-1).role === "user";
const PREFILL = (messages) => messages.length === MESSAGES.length + 1 && messages.at(-1).role === "assistant";

/**
 * One row a scenario, played in each of its `ways`. `primary` and `fallback` are misbehaviours in the words of tests/upstream, `answer` words that both share,
 * `schedule` what the primary does whatever it is asked; `gate` are further options of the gate. What is expected: `saw` [status, end] of each request
 * that the two got; `by` which of them answered; `notices` (each once) and `timeline` as the app has them (first tokens apart, which only streams have, and waits, which may be drawn as 0); `error` the code instead of
 * the whole answer; `waits` the least milliseconds before the primary's second request; `within` the most for the whole call; `continues` [which request
 * in order of time asked for the rest, in what form].
 */
const SCENARIOS = [
  {
    what: "429 with Retry-After, once: waited for, as long as it asks",
    primary: "status-429-retry-1-once",
    saw: [[[429, "done"], OK], []], by: 0, waits: 1_000,
    notices: ["retried"], timeline: "sent failed:rate_limited sent ended:complete",
  },
  {
    what: "429 for ever: once more, then the fallback",
    primary: "status-429-retryms-100",
    saw: [[[429, "done"], [429, "done"]], [OK]], by: 1, waits: 100,
    notices: ["retried", "fell_back"], timeline: "sent failed:rate_limited sent failed:rate_limited sent ended:complete",
  },
  {
    what: "429 with a longer wait than an app is left waiting: the fallback at once",
    primary: "status-429-retry-30",
    saw: [[[429, "done"]], [OK]], by: 1, within: 3_000,
    notices: ["fell_back"], timeline: "sent failed:rate_limited sent ended:complete",
  },
  {
    what: "500, once: asked again",
    primary: "status-500-once",
    saw: [[[500, "done"], OK], []], by: 0,
    notices: ["retried"], timeline: "sent failed:upstream_error sent ended:complete",
  },
  {
    what: "503 for ever: the fallback",
    primary: "status-503",
    saw: [[[503, "done"], [503, "done"]], [OK]], by: 1,
    notices: ["retried", "fell_back"], timeline: "sent failed:overloaded sent failed:overloaded sent ended:complete",
  },
  {
    what: "503 of both for ever: the last error, after a bounded number of requests",
    primary: "status-503", fallback: "status-503",
    saw: [[[503, "done"], [503, "done"]], [[503, "done"], [503, "done"], [503, "done"]]], by: 1, error: "overloaded",
    notices: ["retried", "fell_back"],
    timeline: "sent failed:overloaded sent failed:overloaded sent failed:overloaded sent failed:overloaded sent failed:overloaded ended:overloaded",
  },
  {
    what: "silence: left for the fallback when its time is over",
    primary: "silence", gate: { budgets: { patience: 300 } }, ways: STREAMS,
    saw: [[[undefined, "aborted"]], [OK]], by: 1, within: 3_000,
    notices: ["fell_back"], timeline: "sent failed:timeout_connect sent ended:complete",
  },
  {
    what: "silence of a whole answer: left when the answer's time is over",
    primary: "silence", gate: { budgets: { answer: 300 } }, ways: WHOLES,
    saw: [[[undefined, "aborted"]], [OK]], by: 1, within: 3_000,
    notices: ["fell_back"], timeline: "sent failed:timeout_first_token sent ended:complete",
  },
  {
    what: "a slow first token, all defaults: the fallback answers within 15 s",
    primary: "slow-first-30000", ways: STREAMS,
    saw: [[[200, "aborted"]], [OK]], by: 1, within: 15_000,
    notices: ["fell_back"], timeline: "sent failed:timeout_first_token sent ended:complete",
  },
  {
    what: "cut after 40 of 60 tokens: the same upstream is asked for the rest",
    answer: LONG, primary: "cut-40-once", ways: STREAMS,
    saw: [[[200, "dropped"], OK], []], by: 0, continues: [1, ANCHOR],
    notices: ["retried", "continued"], timeline: "sent failed:truncated sent continued:anchor ended:complete",
  },
  {
    what: "cut, and then down: the fallback is asked for the rest",
    answer: LONG, schedule: ["cut-40", "status-503", "status-503"], ways: STREAMS,
    saw: [[[200, "dropped"], [503, "done"]], [OK]], by: 1, continues: [2, ANCHOR],
    notices: ["retried", "fell_back", "continued"], timeline: "sent failed:truncated sent continued:anchor failed:overloaded sent continued:anchor ended:complete",
  },
  {
    what: "a stall after 40 of 60 tokens: the fallback is asked for the rest",
    answer: LONG, primary: "stall-40", gate: { budgets: { idle: 400 } }, ways: STREAMS,
    saw: [[[200, "aborted"]], [OK]], by: 1, continues: [1, ANCHOR],
    notices: ["fell_back", "continued"], timeline: "sent failed:timeout_idle sent continued:anchor ended:complete",
  },
  {
    what: "a stall behind keep-alive comments: they prove the socket and no progress",
    answer: LONG, primary: "keepalive-stall-40", gate: { budgets: { contentIdle: 500 } }, ways: STREAMS,
    saw: [[[200, "aborted"]], [OK]], by: 1, continues: [1, ANCHOR],
    notices: ["fell_back", "continued"], timeline: "sent failed:timeout_content_idle sent continued:anchor ended:complete",
  },
  {
    what: "a malformed chunk after 40 of 60 tokens: asked for the rest",
    answer: LONG, primary: "malformed-40-once", ways: STREAMS,
    saw: [[[200, undefined], OK], []], by: 0, continues: [1, ANCHOR],
    notices: ["retried", "continued"], timeline: "sent failed:protocol sent continued:anchor ended:complete",
  },
  {
    what: "a fallback that refuses prefill: asked for the rest in words",
    answer: LONG, primary: "stall-40", fallback: "rejects-prefill", gate: { budgets: { idle: 400 } }, next: { continuation: "prefill" }, ways: STREAMS,
    saw: [[[200, "aborted"]], [[400, "done"], OK]], by: 1, continues: [2, ANCHOR],
    notices: ["fell_back", "continued"], timeline: "sent failed:timeout_idle sent continued:prefill failed:invalid_request sent continued:anchor ended:complete",
  },
  {
    what: "a fallback that takes prefill: asked for the rest by it",
    answer: LONG, primary: "stall-40", gate: { budgets: { idle: 400 } }, next: { continuation: "prefill" }, ways: STREAMS,
    saw: [[[200, "aborted"]], [OK]], by: 1, continues: [1, PREFILL],
    notices: ["fell_back", "continued"], timeline: "sent failed:timeout_idle sent continued:prefill ended:complete",
  },
  {
    what: "a cut where going on is switched off: one clear error, and what there is",
    answer: LONG, primary: "cut-40", gate: { continuation: false }, ways: STREAMS,
    saw: [[[200, "dropped"]], []], by: 0, error: "truncated", partial: true,
    timeline: "sent failed:truncated ended:truncated",
  },
  {
    what: "a missing [DONE]: a whole answer",
    primary: "no-done", ways: STREAMS,
    saw: [[OK], []], by: 0, notices: ["missing_done"], timeline: "sent ended:complete",
  },
  {
    what: "a prompt that is too long, everywhere: the app's to mend",
    primary: "context-overflow",
    saw: [[[400, "done"]], []], by: 0, error: "context_overflow", timeline: "sent failed:context_overflow ended:failed",
  },
  {
    what: "a prompt that is too long for the primary: a longer context elsewhere",
    primary: "context-overflow", gate: { context: 8_000 }, next: { context: 128_000 },
    saw: [[[400, "done"]], [OK]], by: 1,
    notices: ["fell_back"], timeline: "sent failed:context_overflow sent ended:complete",
  },
  {
    what: "a content filter: an answer like any other",
    primary: "content-filter",
    saw: [[OK], []], by: 0, finish: "content_filter", timeline: "sent ended:filtered",
  },
  {
    what: "a whole answer that breaks off: asked again",
    primary: "cut-3-once", ways: WHOLES,
    saw: [[[200, "dropped"], OK], []], by: 0,
    notices: ["retried"], timeline: "sent failed:truncated sent ended:complete",
  },
  {
    what: "an answer that is given up for want of resources, and says what it took: that is not counted",
    primary: "insufficient-5", ways: WHOLES,
    saw: [[OK, OK], [OK]], by: 1,
    notices: ["retried", "fell_back"], timeline: "sent failed:overloaded sent failed:overloaded sent ended:complete",
  },
  {
    what: "a hedge: the second request wins, the first is let go",
    primary: "slow-first-3000", gate: { hedge: { afterMs: 200, sharePercent: 100 } }, ways: STREAMS,
    saw: [[[200, "aborted"]], [OK]], by: 1, within: 2_500,
    notices: ["hedged"], timeline: "sent sent hedged dropped ended:complete",
  },
];

const calls = (server) => server.journal.filter(({ method }) => method === "POST");

/** Two upstreams, the gate over them, and how to end it. `next` are further fields of the fallback, `rest` what stands behind it. */
let gates = 0;
async function stage({ answer: common, primary, fallback, schedule, gate = {}, next = {}, rest = [], key }) {
  const servers = await Promise.all([startUpstream({ key }), startUpstream()]);
  const origins = await Promise.all(servers.map((server) => crossOrigin(server.url)));
  if (schedule) servers[0].schedule(schedule);
  const model = (words) => ["scripted-chat", common, words].filter(Boolean).join("+");
  const name = `gate-${gates++}`;
  await call("makeGate", name, { baseUrl: origins[0].url, model: model(primary), retry: RETRY, fallback: [{ baseUrl: origins[1].url, model: model(fallback), ...next }, ...rest], ...gate });
  const body = { messages: MESSAGES, model: model(primary) };
  return { servers, name, hosts: origins.map(({ url }) => new URL(url).host), play: (way, abortAfter) => call("play", name, way, body, abortAfter), body, async stop() {
    await call("forgetGate", name);
    await Promise.all([...origins, ...servers].map((server) => server.close()));
  } };
}

/** What a server saw, once it has noticed that the last of it is over. */
async function seen(server, wanted) {
  for (const until = Date.now() + 2_000; ; ) {
    const ends = calls(server).map(({ status, end }, at) => [status, wanted[at]?.[1] === undefined && end !== "open" ? undefined : end]);
    if ((ends.length >= wanted.length && !ends.some(([, end]) => end === "open")) || Date.now() > until) return ends;
    await delay(20);
  }
}

const counts = ({ prompt_tokens, completion_tokens, total_tokens }) => [prompt_tokens, completion_tokens, total_tokens];
const told = (timeline) => timeline.map(({ event, detail }) => (["failed", "continued", "ended", "skipped"].includes(event) ? `${event}:${detail}` : event));

async function play(scenario, way) {
  const { saw, by, notices = [], timeline, error, partial, waits, within, continues, finish } = scenario;
  const { servers, hosts, play, stop } = await stage(scenario);
  try {
    const got = await play(way);
    const detail = JSON.stringify(got);
    const streams = STREAMS.includes(way);
    const wanted = answer([scenario.answer, finish && scenario.primary].filter(Boolean).join("+"));
    if (error) {
      assert.equal(got.error?.code, error, detail);
      if (way === "stream") assert.equal(got.error.partial ?? "", got.text);
      if (partial) assert.ok(got.text.length > 20 && wanted.text.startsWith(got.text), detail);
    } else {
      assert.equal(got.error, undefined, detail);
      assert.equal(got.text, wanted.text, detail);
      assert.equal(got.whole ?? got.text, wanted.text);
      assert.equal(got.finish, finish ?? "stop");
      if (way === "sdkStream") assert.equal(got.ids, 1, "one answer has one id");
      if (!continues) assert.deepEqual(counts(got.usage), counts(wanted.usage));
      assert.deepEqual(got.end.usage, got.usage);
    }
    for (const [at, server] of servers.entries()) assert.deepEqual(await seen(server, saw[at]), saw[at], `the ${["primary", "fallback"][at]} saw; ${detail}`);
    const requests = saw.flat().length;
    assert.deepEqual([got.end.source, got.end.attempts], [hosts[by], requests], detail);
    if (way === "sdkWhole" && !error) assert.deepEqual(got.head, [hosts[by], String(requests)]);
    assert.deepEqual([...new Set(got.heard)], notices, detail);
    if (way === "stream") assert.deepEqual([...new Set(got.notices)], notices, "as deltas, too");
    const events = told(got.end.timeline);
    assert.equal(events.filter((event) => !["first_token", "waiting"].includes(event)).join(" "), timeline, detail);
    assert.equal(events.includes("first_token"), streams && !(error && !partial), detail);
    assert.ok(got.end.timeline.every(({ at }, index, all) => index === 0 || at >= all[index - 1].at));
    if (waits) {
      const [first, second] = calls(servers[0]);
      assert.ok(second.at - first.at >= waits, `only ${second.at - first.at} ms`);
    }
    if (within) assert.ok(got.ms < within, `${got.ms} ms`);
    if (continues) {
      const [number, holds] = continues;
      const made = servers.flatMap(calls).sort((one, other) => one.at - other.at);
      assert.ok(holds(made[number].body.messages), JSON.stringify(made[number].body.messages));
    }
  } finally {
    await stop();
  }
}

describe("two upstreams that fail", { concurrency: 4 }, () => {
  for (const scenario of SCENARIOS) {
    for (const way of scenario.ways ?? ALL) test(`${way}: ${scenario.what}`, { timeout: 30_000 }, () => play(scenario, way));
  }
});

describe("calls that share a gate", () => {
  test("a breaker opens after five failures, lets one call in to see, and closes when that is answered", async () => {
    const { servers, name, hosts, play, body, stop } = await stage({ primary: "status-500-times-6", gate: { retry: false, breaker: { openMs: 700 } } });
    try {
      const sources = async (count, way = "chat") => (await Promise.all(Array.from({ length: count }, () => play(way)))).map(({ error, text }) => (assert.equal(error, undefined), assert.equal(text, answer().text)));
      for (let round = 0; round < 5; round++) await sources(1, round % 2 ? "sdkWhole" : "chat");
      const opened = performance.now();
      await sources(6, "stream");
      await sources(2, "sdkStream");
      assert.equal(calls(servers[0]).length, 5, "an open breaker lets nothing through");
      assert.equal((await play("chat")).end.timeline[0].detail, "circuit_open");
      await delay(opened + 750 - performance.now());
      await sources(5);
      assert.equal(calls(servers[0]).length, 6, "one of five calls is the probe");
      await sources(5);
      assert.equal(calls(servers[0]).length, 6, "a probe that fails opens it again");
      await delay(750);
      const end = await play("stream");
      assert.deepEqual([end.end.source, end.end.attempts], [hosts[0], 1]);
      for (let round = 0; round < 3; round++) assert.equal((await play("chat")).end.source, hosts[0]);
      assert.deepEqual(calls(servers[0]).map(({ status }) => status), [500, 500, 500, 500, 500, 500, 200, 200, 200, 200]);
      const usage = await call("usage", name);
      assert.deepEqual([usage.calls, usage.failures, usage.completion_tokens], [28, 0, 28 * answer().usage.completion_tokens], JSON.stringify(body));
    } finally {
      await stop();
    }
  });

  test("a key that a function gives is renewed once for five calls that were refused together", async () => {
    const { servers, name, play, stop } = await stage({ key: "new", gate: { keys: ["old", "new", "newer"] } });
    try {
      const got = await Promise.all(["stream", "chat", "sdkStream", "sdkWhole", "stream"].map((way) => play(way)));
      for (const { error, text } of got) assert.deepEqual([error, text], [undefined, answer().text]);
      assert.equal(await call("refreshed", name), 1);
      const keys = calls(servers[0]).map(({ headers, status }) => [headers.authorization, status]);
      const sent = (key, status) => keys.filter((each) => each[0] === fingerprint(`Bearer ${key}`) && each[1] === status).length;
      assert.deepEqual([sent("old", 401), sent("new", 200), keys.length, calls(servers[1]).length], [5, 5, 10, 0]);
      assert.ok((await play("chat")).end.timeline.every(({ event }) => event !== "refreshed"));
      assert.equal(sent("new", 200), 5);
      assert.equal(calls(servers[0]).length, 11);
    } finally {
      await stop();
    }
  });

  for (const way of ALL) {
    test(`${way}: an abort during a wait ends the call at once, and sends nothing more`, async () => {
      const { servers, play, stop } = await stage({ primary: "status-429-retry-1" });
      try {
        const got = await play(way, 400);
        assert.ok(got.ms < 900, `${got.ms} ms`);
        assert.ok(got.error?.code === "cancelled" || /abort/i.test(got.error?.message), JSON.stringify(got));
        assert.equal(got.end.outcome, "aborted");
        await delay(1_200);
        assert.deepEqual(servers.map((server) => calls(server).length), [1, 0]);
      } finally {
        await stop();
      }
    });
  }
});

describe("a model on the device as the last resort", () => {
  const TYPES = ["end", "text"];
  const local = { rest: ["local"], gate: { retry: false } };
  const SHORT = { messages: MESSAGES, max_tokens: 6, temperature: 0 };
  const downloads = () => site.asked.filter((path) => path.endsWith(".gguf")).length;
  const ask = (name, way, model) => call("play", name, way, { ...SHORT, model });

  /** An answer of the local model, told as any other. */
  function isLocal(got, way) {
    assert.equal(got.error, undefined, JSON.stringify(got));
    assert.ok(got.text.length > 0 && got.usage.completion_tokens > 0 && got.usage.completion_tokens <= 6, JSON.stringify(got));
    assert.equal(got.finish, "length");
    const last = got.end.timeline.filter(({ event }) => event === "sent").at(-1);
    assert.deepEqual([got.end.source, got.end.usage, last.route, last.model], ["local:wllama", got.usage, "local:wllama", "smollm2-135m"]);
    if (way === "stream") assert.deepEqual(got.types.filter((type) => type !== "notice"), TYPES);
    if (way.startsWith("sdk")) assert.deepEqual(got.head, ["local:wllama", String(got.end.attempts)]);
    return told(got.end.timeline).filter((event) => event !== "first_token").join(" ");
  }

  test("one that was not prepared is never started inside a call: the error is the network's", async () => {
    const { servers, name, stop } = await stage({ primary: "status-503", fallback: "status-401", ...local });
    try {
      for (const way of ALL) {
        const got = await ask(name, way, "scripted-chat+status-503");
        assert.equal(got.error?.code, "authentication", JSON.stringify(got));
        assert.ok(got.end.timeline.every(({ route }) => !route?.startsWith("local:")), JSON.stringify(got.end));
      }
      await context.setOffline(true);
      const got = await ask(name, "stream", "scripted-chat+status-503");
      assert.ok(got.error && got.end.source !== "local:wllama", JSON.stringify(got));
      await context.setOffline(false);
      assert.deepEqual([await call("availability"), downloads()], ["downloadable", 0]);
      assert.ok(calls(servers[0]).length > 0);
    } finally {
      await context.setOffline(false);
      await stop();
    }
  });

  test("prepared once, it is ready", { timeout: 60_000 }, async () => {
    await call("prepare");
    assert.equal(await call("availability"), "ready");
  });

  test("with a network that works it is not asked", async () => {
    const { play, hosts, stop } = await stage(local);
    try {
      assert.equal((await play("stream")).end.source, hosts[0]);
    } finally {
      await stop();
    }
  });

  test("with a network on which all fails, it answers, and with open breakers at once", { timeout: 120_000 }, async () => {
    const { servers, name, stop } = await stage({ primary: "status-503", fallback: "status-500", ...local, gate: { retry: false, breaker: { failures: 4 } } });
    try {
      for (const way of ALL) assert.equal(isLocal(await ask(name, way, "scripted-chat+status-503"), way), `sent failed:overloaded sent failed:upstream_error sent ended:length`);
      const before = servers.map((server) => calls(server).length);
      assert.deepEqual(before, [4, 4]);
      for (const way of ALL) assert.equal(isLocal(await ask(name, way, "scripted-chat+status-503"), way), "skipped:circuit_open skipped:circuit_open sent ended:length");
      assert.deepEqual(servers.map((server) => calls(server).length), before);
      const usage = await call("usage", name);
      assert.deepEqual([usage.calls, usage.failures], [8, 0]);
      assert.ok(usage.completion_tokens <= 8 * 6);
    } finally {
      await stop();
    }
  });

  test("with the network switched off it answers, and nothing else is tried", { timeout: 120_000 }, async () => {
    const { servers, name, stop } = await stage(local);
    try {
      await context.setOffline(true);
      for (const way of ALL) assert.equal(isLocal(await ask(name, way, "scripted-chat"), way), "sent ended:length");
      await context.setOffline(false);
      assert.deepEqual(servers.map((server) => calls(server).length), [0, 0]);
      assert.notEqual((await ask(name, "stream", "scripted-chat")).end.source, "local:wllama");
    } finally {
      await context.setOffline(false);
      await stop();
    }
  });

  test("a network that goes away in the middle of a stream: the model on the device goes on with what there is", { timeout: 120_000 }, async () => {
    const { servers, hosts, name, stop } = await stage({ primary: "numbered-200+slow-drip-20", ...local });
    try {
      const body = { messages: MESSAGES, model: "scripted-chat+numbered-200+slow-drip-20", max_tokens: 24, temperature: 0 };
      await call("begin", "going", name, "stream", body);
      while (!(calls(servers[0])[0]?.tokens >= 8)) await delay(5);
      await context.setOffline(true);
      for (const server of servers) await server.close();
      const got = await call("result", "going");
      const detail = JSON.stringify(got);
      assert.equal(got.error, undefined, detail);
      assert.match(got.text, /^n1 n2 n3 /);
      assert.equal(got.text.match(/n1 n2 n3 /g).length, 1, "nothing is said twice");
      assert.deepEqual([got.end.source, got.whole], ["local:wllama", got.text]);
      const events = told(got.end.timeline).filter((event) => event !== "waiting");
      assert.deepEqual(events.slice(0, 3), ["sent", "first_token", "failed:truncated"], detail);
      assert.ok(events.includes("continued:anchor"), detail);
      assert.deepEqual([...new Set(got.end.timeline.filter(({ event }) => event === "sent").map(({ route }) => route))], [...hosts, "local:wllama"]);
    } finally {
      await context.setOffline(false);
      await stop();
    }
  });

  test("a model that was disposed of is out of the ladder", async () => {
    const { name, stop } = await stage({ primary: "status-503", fallback: "status-503", ...local });
    try {
      await call("dispose");
      assert.equal((await ask(name, "chat", "scripted-chat+status-503")).error?.code, "overloaded");
    } finally {
      await stop();
    }
  });
});

test("the page reported no error of its own", () => {
  // The browser itself reports answers with a status of failure, and connections that broke.
  assert.deepEqual(errors.filter((error) => !/Failed to load resource|net::ERR_/.test(error)), []);
});
