// Every misbehaviour of the scripted upstream, through each way into the package: the table is tests/vectors/misbehaviours.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { createGate } from "sluicegate";
import { MISBEHAVIOURS, startUpstream } from "../upstream/index.mjs";
import { CHAT, failureOf, joined, ONE_ATTEMPT, readAll, watchRejections } from "./lib.mjs";

const cases = JSON.parse(readFileSync(new URL("../vectors/misbehaviours.json", import.meta.url)));
const rejections = watchRejections();
const upstream = await startUpstream();
// The first call of a process takes its time.
await (await createGate({ baseUrl: upstream.url })).chat({ model: "scripted-r1", messages: CHAT });
after(() => upstream.close());

const isTimed = (each) => Boolean(each.stream.budgets ?? each.unary.budgets);

test("the table has every misbehaviour", () => {
  const known = new Set(cases.map((each) => each.name));
  assert.deepEqual(MISBEHAVIOURS.map((each) => each.example).filter((example) => !known.has(example)), []);
});

// What ends by a budget waits and costs nothing: together. What is to succeed must not run out of time: one after the other.
describe("misbehaviours that end by a time budget", { concurrency: 10 }, () => cases.filter(isTimed).forEach((each) => suite(each)));
describe("misbehaviours that end by themselves", () => cases.filter((each) => !isTimed(each)).forEach((each) => suite(each)));

test("no rejection of all that went unhandled", async () => {
  assert.deepEqual(await rejections(), []);
});

function suite({ name, model: words = name, stream, unary }) {
  const model = `scripted-r1+${words}`;
  const open = ({ budgets }) => createGate({ ...ONE_ATTEMPT, baseUrl: upstream.url, budgets });

  test(`${name}: stream`, async () => {
    const gate = await open(stream);
    const { deltas, end, error } = await readAll(gate.stream({ model, messages: CHAT }));
    checkEnd(stream, end?.reply, error);
    const reply = end?.reply ?? error.partial;
    if (reply) {
      assert.equal(joined(deltas, "text"), reply.text);
      assert.equal(joined(deltas, "reasoning"), reply.reasoning);
    }
    assert.equal(gate.usage().failures, stream.error ? 1 : 0);
  });

  test(`${name}: chat`, async () => {
    const gate = await open(unary);
    const answer = gate.chat({ model, messages: CHAT });
    if (unary.error) checkEnd(unary, undefined, await failureOf(answer));
    else checkEnd(unary, await answer, undefined);
  });

  test(`${name}: fetch, stream`, async () => checkFetched(await open(stream), stream, { model, messages: CHAT, stream: true }));
  test(`${name}: fetch`, async () => checkFetched(await open(unary), unary, { model, messages: CHAT }));
}

function checkEnd(expected, reply, error) {
  assert.equal(error?.code, expected.error, error?.stack);
  assert.equal(error ? error.outcome : reply.outcome, expected.outcome);
  if (!error) return;
  assert.equal(error.name, "GateError");
  assert.equal(error.budget, expected.error.startsWith("timeout_") && expected.outcome === "timed_out" ? expected.error.slice(8) : undefined);
  assert.ok(error.message && error.nextStep && error.party);
}

async function checkFetched(gate, expected, body) {
  let ended;
  gate.on("end", (end) => (ended = end));
  const answer = gate.fetch(`${upstream.url}/chat/completions`, { method: "POST", body: JSON.stringify(body) });
  if (expected.error === "network") {
    // As fetch itself, which is what SDKs expect.
    assert.ok((await failureOf(answer)) instanceof TypeError);
  } else {
    const response = await answer;
    assert.equal(response.status, expected.status);
    const text = await response.text();
    const events = text.split(/\r\n\r\n|\n\n|\r\r/).filter((event) => event.trim() !== "");
    const isStream = body.stream && response.status === 200;
    if (expected.error && isStream) {
      const last = JSON.parse(events.at(-1).replace(/^data: /, ""));
      assert.equal(last.error.code, expected.error);
      assert.ok(!events.includes("data: [DONE]"), "a stream that broke says [DONE]");
    } else if (expected.error) {
      assert.equal(JSON.parse(text).error.code, expected.error);
    } else if (isStream) {
      assert.equal(events.at(-1).trim(), "data: [DONE]");
    } else {
      JSON.parse(text);
    }
  }
  assert.equal(ended.outcome, expected.outcome);
  assert.equal(ended.error?.code, expected.error);
}
