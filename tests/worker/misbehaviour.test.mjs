// Every way in which the scripted upstream misbehaves, as a caller of the Worker sees it, and as the log has it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MISBEHAVIOURS, startUpstream } from "../upstream/index.mjs";
import { events, startGate } from "./gate.mjs";

// Wide enough for a busy machine, with the slow models slower still, and the endless one not faster than a model.
const BUDGETS = { connect_ms: 3_000, first_token_ms: 4_000, idle_ms: 2_500, content_idle_ms: 4_000, total_ms: 8_000 };
const SLOW = { "slow-head-1500": "slow-head-9500", "slow-first-3000": "slow-first-9500", "slow-drip-500": "slow-drip-300+long-500", "rate-50": "rate-200", endless: "endless+rate-100" };

// Streams: [outcome in the log, error code, HTTP status]. 200 with a code means an error event as the last of the stream.
const ok = (outcome) => [outcome, undefined, 200];
const STREAMS = {
  "status-429": ["failed", ["rate_limited", "concurrency_limited"], 429],
  "recording-chinese": ok("length"),
  "keepalive-stall-5": ["timed_out", "timeout_content_idle", 200],
  "keepalive-forever": ["timed_out", "timeout_first_token", 200],
  "error-in-stream-5": [["failed", "truncated", "overloaded"], ["upstream_error", "overloaded"], 200],
  "error-event-5": [["failed", "truncated", "overloaded"], ["upstream_error", "overloaded"], 200],
  "error-200": [["failed", "overloaded"], ["upstream_error", "overloaded"], [502, 503]],
  "html-524": ["failed", ["upstream_error", "protocol", "timeout_connect", "timeout_first_token"], [502, 504]],
  "html-200": ["failed", "protocol", 502],
  "context-overflow": ["failed", "context_overflow", 400],
  redirect: ["failed", "protocol", 502],
  reset: ["failed", "network", 502],
  silence: ["timed_out", "timeout_connect", 504],
  "slow-head-1500": ["timed_out", "timeout_connect", 504],
  "slow-first-3000": ["timed_out", "timeout_first_token", 200],
  "slow-drip-500": ["timed_out", "timeout_total", 200],
  "rate-50": ok("complete"),
  "long-2000": ok("complete"),
  endless: ["timed_out", "timeout_total", 200],
  "cut-12": ["truncated", "truncated", 200],
  "eof-12": ["truncated", "truncated", 200],
  "stall-12": ["timed_out", "timeout_idle", 200],
  "malformed-5": [["truncated", "failed"], "protocol", 200],
  "done-no-finish": ["truncated", "truncated", 200],
  "no-done": ok("complete"),
  "no-blank": ok("complete"),
  "null-finish": ["truncated", "truncated", 200],
  "empty-stop": ["empty", "empty", 200],
  insufficient: ["overloaded", "overloaded", 200],
  "content-filter": ok("filtered"),
  "finish-eos": ok("complete"),
  "think-unclosed": ok("complete"),
  "think-open": ok("complete"),
  "think-tags": ok("complete"),
  "reasoning-only": ok("complete"),
  "big-event": ok("complete"),
  "huge-event": [["failed", "truncated"], "event_too_large", 200],
  "split-utf8": ok("complete"),
  bytes: ok("complete"),
  "chunks-7": ok("complete"),
  crlf: ok("complete"),
  cr: ok("complete"),
  bom: ok("complete"),
  "wrong-type": ok("complete"),
  "headers-big": ok("complete"),
  echo: ok("complete"),
  keepalive: ok("complete"),
};

// Whole answers, where they differ. What concerns events has no effect on them.
const WHOLE = {
  "slow-drip-500": ok("complete"),
  // The recording is of a stream.
  "recording-chinese": ["failed", "protocol", 502],
  "keepalive-stall-5": ["timed_out", "timeout_total", 504],
  "keepalive-forever": ["timed_out", "timeout_total", 504],
  "error-in-stream-5": [["failed", "overloaded"], ["upstream_error", "overloaded"], [502, 503]],
  "error-event-5": [["failed", "overloaded"], ["upstream_error", "overloaded"], [502, 503]],
  silence: ["timed_out", "timeout_total", 504],
  "slow-head-1500": ["timed_out", "timeout_total", 504],
  "slow-first-3000": ["timed_out", "timeout_total", 504],
  endless: ok("complete"),
  "cut-12": ["truncated", "truncated", 502],
  "eof-12": ["truncated", "truncated", 502],
  "stall-12": ["timed_out", "timeout_total", 504],
  "malformed-5": ["truncated", "truncated", 502],
  "done-no-finish": ok("complete"),
  "null-finish": ["truncated", "truncated", 502],
  "empty-stop": ["empty", "empty", 502],
  insufficient: ["overloaded", "overloaded", 503],
  "huge-event": ok("complete"),
};

const isOneOf = (actual, wanted, what) => assert.ok([wanted].flat().includes(actual), `${what}: ${actual}, expected ${wanted}`);

for (const dialect of ["openai", "deepseek", "siliconflow"]) {
  describe(`an upstream that speaks ${dialect}`, { concurrency: 8 }, () => {
    let upstream;
    let gate;
    before(async () => {
      upstream = await startUpstream({ dialect });
      const config = {
        upstreams: [{ name: "scripted", dialect, base_url: upstream.url, models: ["*"], scripted: true }],
        budgets: BUDGETS,
        // One attempt at one route: what recovery makes of these is in recovery.test.mjs.
        recovery: { retry: { tries: 1 }, continuation: false, breaker: false },
        limits: { reply_body: 64 << 20 },
        development: true,
      };
      gate = await startGate({ config });
    });
    after(async () => {
      await gate?.stop();
      await upstream?.close();
    });

    for (const { example } of MISBEHAVIOURS) {
      const model = `deepseek-chat+${SLOW[example] ?? example}`;
      test(`stream, ${example}`, async () => {
        const [outcome, code, status] = STREAMS[example] ?? assert.fail(`${example} is new: say what a caller sees`);
        const response = await gate.chat({ model, stream: true });
        const id = response.headers.get("x-request-id");
        isOneOf(response.status, status, "status");
        if (response.status === 200) {
          assert.match(response.headers.get("content-type"), /^text\/event-stream/);
          const { list, error, done, text } = await events(response);
          if (code) {
            assert.ok(error, `no error event in ${text.slice(-300)}`);
            isOneOf(error.code, code, "code");
            assert.equal(list.at(-1).error, error, "the error is the last event");
            assert.ok(!list.includes("[DONE]"), "a stream that failed has no [DONE]");
          } else {
            assert.equal(error, undefined);
            assert.ok(done, `no [DONE] in ${text.slice(-300)}`);
            assert.equal(list.filter((event) => event === "[DONE]").length, 1);
          }
        } else {
          await refused(response, code);
        }
        const line = await gate.settled(id);
        isOneOf(line.outcome, outcome, "outcome");
        if (code) isOneOf(line.error, code, "code in the log");
        else assert.equal(line.error, undefined);
        assert.equal(line.status, response.status);
      });

      test(`whole answer, ${example}`, async () => {
        const [outcome, code, status] = WHOLE[example] ?? STREAMS[example];
        const response = await gate.chat({ model });
        const id = response.headers.get("x-request-id");
        isOneOf(response.status, status, "status");
        assert.match(response.headers.get("content-type"), /^application\/json/);
        if (code) {
          await refused(response, code);
        } else {
          const body = await response.json();
          assert.ok(body.choices[0].finish_reason);
        }
        const line = await gate.settled(id);
        isOneOf(line.outcome, outcome, "outcome");
        assert.equal(line.status, response.status);
      });
    }
  });
}

async function refused(response, code) {
  const { error } = await response.json();
  isOneOf(error.code, code, "code");
  assert.equal(typeof error.message, "string");
  assert.equal(typeof error.type, "string");
  assert.ok("param" in error);
  assert.match(response.headers.get("x-should-retry"), /^(true|false)$/);
  assert.equal(response.headers.get("cache-control"), "no-store");
}
