// Many streams at once through one Worker whose two upstreams fail now and then: every stream ends in a typed outcome, nothing hangs, and the memory
// that a wave of streams takes is there for the next one.
//
//   node --test tests/worker/soak.test.mjs             (it prints its figures)
//   SOAK_STREAMS=1000 SOAK_WAVES=20 node --test …      (for longer)
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { content, startGate } from "./gate.mjs";

const STREAMS = Number(process.env.SOAK_STREAMS ?? 1_000);
const WAVES = Number(process.env.SOAK_WAVES ?? 5);
/** Waves until the heaps have their size. */
const WARM = 2;
/** How much more than after the warm waves may be resident after the last one: what the collectors have not come to yet. */
const GROWTH = 1.2;
/** Collects early, so that garbage is not taken for a leak. */
const V8 = ["--heap-growing-percent=10", "--max-semi-space-size=4"];

// One request in twenty fails, in one of five ways, at either upstream.
const FAULTS = ["cut-5", "stall-5", "error-in-stream-5", "reset", "status-503"];
const SHARE = 0.05;

/** All streams of a wave are open before the first has its first token. */
const OPENING_MS = 1_500;
const MODEL = `gpt-x+numbered-12+slow-first-${OPENING_MS}`;
const MESSAGES = [{ role: "user", content: "Count, please." }];
const BODY = JSON.stringify({ model: MODEL, stream: true, messages: MESSAGES });
const WHOLE = expectedAnswer({ model: MODEL, messages: MESSAGES }, { dialect: "openai" }).text;

// A stall is found out soon; the others leave a busy machine the time to open a thousand streams.
const BUDGETS = { connect_ms: 20_000, first_token_ms: 20_000, patience_ms: 20_000, idle_ms: 1_500, content_idle_ms: 1_500, total_ms: 40_000 };
/** Longer than any call may take. */
const HANGS_MS = 45_000;

test(`${WAVES} waves of ${STREAMS} streams with ${SHARE * 100} % faults: each ends in a typed outcome, and memory stays flat`, { timeout: WAVES * HANGS_MS }, async (t) => {
  const servers = await Promise.all(["openai", "openai"].map((dialect) => startUpstream({ dialect })));
  const schedules = servers.flatMap((server, at) =>
    FAULTS.map((words, fault) => server.schedule({ words, chance: SHARE / FAULTS.length, seed: 10 * at + fault + 1 })),
  );
  const upstreams = servers.map(({ url }, at) => ({ name: ["primary", "fallback"][at], dialect: "openai", base_url: url, models: ["*"] }));
  const recovery = {
    retry: { first_ms: 20 },
    // A wave begins at once, and what fails at once is told before any stream of it has succeeded: to a breaker, that is an outage.
    breaker: { failures: 0, ratio_percent: 0 },
  };
  const gate = await startGate({
    config: { upstreams, budgets: BUDGETS, recovery, callers: { credentials: "ignore" }, log: "requests", development: true },
    v8: V8,
  });
  t.after(async () => {
    await gate.stop();
    await Promise.all(servers.map((server) => server.close()));
  });

  await wave(gate.port, 20);
  const fresh = residentBytes(gate.pid);
  const resident = [];
  const ends = new Map();
  let open = 0;
  for (let at = 0; at < WAVES; at += 1) {
    const started = performance.now();
    const { kinds, whileOpen } = await wave(gate.port, STREAMS, () => residentBytes(gate.pid));
    if (at === 0) open = whileOpen;
    for (const [kind, count] of kinds) ends.set(kind, (ends.get(kind) ?? 0) + count);
    await delay(200);
    resident.push(residentBytes(gate.pid));
    t.diagnostic(`wave ${at + 1}: ${seconds(started)} s, ${listed(kinds)}; ${mebi(whileOpen)} MiB resident while open, ${mebi(resident.at(-1))} after`);
  }

  const faults = schedules.reduce((sum, schedule) => sum + schedule.faults, 0);
  const lines = gate.logs.filter((line) => line.route === "chat_completions").slice(20);
  const logged = tally(lines.map((line) => line.error ?? line.outcome));
  t.diagnostic(`${faults} faults; ${lines.filter((line) => line.attempts > 1).length} calls of more than one attempt; the log says ${listed(logged)}`);
  t.diagnostic(`per open stream, the first wave: ${((open - fresh) / STREAMS / 1024).toFixed(0)} KiB`);

  const total = STREAMS * WAVES;
  assert.ok(faults > (total * SHARE) / 2, "the upstreams did fail");
  const untyped = [...ends.keys()].filter((kind) => /^(?:no |two |wrong|socket)/.test(kind));
  assert.deepEqual(untyped, [], "a stream without a typed end");
  assert.equal([...ends.values()].reduce((sum, count) => sum + count, 0), total);
  assert.equal(lines.length, total, "one line in the log for each");
  assert.deepEqual(sorted(logged), sorted(new Map([...ends].map(([kind, count]) => [kind === "whole" ? "complete" : kind, count]))), "the log and the callers agree");
  assert.ok(ends.get("whole") > total * 0.99, "two upstreams that each fail one time in twenty rarely fail a call together");
  const warm = Math.max(...resident.slice(0, WARM));
  assert.ok(resident.at(-1) < warm * GROWTH, `resident after the waves, in MiB: ${resident.map(mebi).join(", ")}`);
});

/** Opens streams, reads them to their ends, and counts how they ended. `measure` is called when all are open. */
async function wave(port, streams, measure) {
  const agent = new Agent({ maxSockets: Infinity });
  let heads = 0;
  let whileOpen = 0;
  const began = () => {
    heads += 1;
    // Those whose request failed come later, if at all.
    if (measure && heads === Math.floor(streams * 0.9)) whileOpen = measure();
  };
  const calls = [];
  for (let at = 0; at < streams; at += 1) {
    calls.push(call(agent, port, began));
    // A backlog that overflows would be measured as slowness.
    if (at % 50 === 49) await delay(10);
  }
  const kinds = tally(await Promise.all(calls));
  agent.destroy();
  return { kinds, whileOpen };
}

/** Makes a call and says how it ended: `whole`, or the code of its one error; anything else is not a typed end. */
function call(agent, port, began) {
  return new Promise((resolve) => {
    const asked = request(
      { agent, port, host: "127.0.0.1", method: "POST", path: "/v1/chat/completions", headers: { "content-type": "application/json" } },
      (response) => {
        began();
        let text = "";
        response.setEncoding("utf8").on("data", (part) => (text += part));
        response.on("end", () => resolve(response.statusCode === 200 ? endOf(text) : (JSON.parse(text).error?.code ?? "no error in a refusal")));
        response.on("error", (error) => resolve(`socket: ${error.code}`));
      },
    );
    asked.setTimeout(HANGS_MS, () => {
      resolve("no end in time");
      asked.destroy();
    });
    asked.on("error", (error) => resolve(`socket: ${error.code}`));
    asked.end(BODY);
  });
}

function endOf(text) {
  const data = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  const done = data.at(-1) === "[DONE]";
  const list = data.filter((each) => each !== "[DONE]").map((each) => JSON.parse(each));
  const errors = list.filter((event) => event.error);
  if (errors.length > 1) return "two errors";
  if (errors.length === 1) return done ? "two ends" : errors[0].error.code;
  if (!done) return "no end";
  return content(list) === WHOLE ? "whole" : "wrong text";
}

const tally = (kinds) => kinds.reduce((counts, kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1), new Map());
const sorted = (counts) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
const listed = (counts) => sorted(counts).map(([kind, count]) => `${count} ${kind}`).join(", ");
const mebi = (bytes) => Math.round(bytes / 2 ** 20);
const seconds = (since) => ((performance.now() - since) / 1_000).toFixed(1);

/** Resident memory of a process. */
function residentBytes(pid) {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}
