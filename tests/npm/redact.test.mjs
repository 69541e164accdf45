// sluicegate/redact by itself: what crosses between JavaScript and the core. What is found, and how it is written, is tested natively.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { GateError as MainGateError } from "sluicegate";
import { createRedactor, GateError } from "sluicegate/redact";
import { failureOf } from "./lib.mjs";

const KEY = new Uint8Array(32).fill(7);
const PHONE = "13912345678";
const TEXTS = ["", "🙂", `电话${PHONE}。`, `🙂🙂 call ${PHONE}, or 13800138000 🙂`, `${PHONE}`, `a\r\n${PHONE}\ud83d`];

test("a text loses what is private, says where it was in JavaScript's own units, and gets it back", async () => {
  const redactor = await createRedactor({ key: KEY });
  const text = `🙂 call ${PHONE} or ${PHONE}, not 12345`;
  const redacted = redactor.redact(text);
  assert.ok(!redacted.text.includes(PHONE));
  assert.equal(redacted.findings.length, 2);
  for (const { type, start, end, rule, score, action, replacement } of redacted.findings) {
    assert.equal(text.slice(start, end), PHONE);
    assert.deepEqual([type, action, typeof rule], ["PHONE_CN", "token", "string"]);
    assert.ok(score >= 0.5 && score <= 1 && redacted.text.includes(replacement));
  }
  assert.equal(rebuilt(text, redacted.findings), redacted.text);
  assert.equal(redactor.restore(redacted.text), text);
  const { counts, restored } = redactor.counts();
  assert.deepEqual([counts, restored], [[{ type: "PHONE_CN", action: "token", count: 2 }], 2]);
});

test("what is typed is looked at without a trace: no token, no count", async () => {
  const redactor = await createRedactor({ key: KEY });
  const [{ start, end, replacement }] = redactor.find(`门${PHONE}`);
  assert.deepEqual([start, end, replacement], [1, 12, undefined]);
  assert.deepEqual(redactor.counts(), { counts: [], restored: 0 });
  const [token] = (await createRedactor({ key: KEY })).redact("13800138000").findings;
  assert.equal(redactor.redact("13800138000").findings[0].replacement, token.replacement);
});

test("in pieces the same comes out as for the whole, for every split, also within a character, out and back", async () => {
  for (const text of TEXTS) {
    const redactor = await createRedactor({ key: KEY });
    const masked = redactor.redact(text).text;
    const whole = redactor.restore(masked);
    for (let at = 0; at <= text.length; at++) {
      assert.equal(await through(redactor.stream(), [text.slice(0, at), text.slice(at)]), masked, `${JSON.stringify(text)} at ${at}`);
    }
    assert.equal(await through(redactor.stream(), text.split("")), masked);
    for (let at = 0; at <= masked.length; at++) {
      assert.equal(await through(redactor.restoreStream(), [masked.slice(0, at), masked.slice(at)]), whole, `${masked} at ${at}`);
    }
    assert.equal(await through(redactor.restoreStream(), masked.split("")), whole);
    redactor.close();
  }
});

test("a stream says how much it holds back, and nothing once it is over", async () => {
  const stream = (await createRedactor()).stream();
  const reading = new Response(stream.readable.pipeThrough(new TextEncoderStream())).text();
  const writer = stream.writable.getWriter();
  assert.equal(stream.held, 0);
  await writer.write(`tel ${PHONE.slice(0, 6)}`);
  assert.ok(stream.held >= 6, `${stream.held}`);
  await writer.close();
  assert.equal(stream.held, 0);
  assert.equal(await reading, `tel ${PHONE.slice(0, 6)}`);
});

test("a value is written into JSON with its escapes where the text is JSON", async () => {
  const redactor = await createRedactor();
  const { text } = redactor.redact(PHONE);
  assert.equal(JSON.parse(redactor.restore(JSON.stringify({ a: text }), { json: true })).a, PHONE);
  assert.equal(JSON.parse(await through(redactor.restoreStream({ json: true }), [...JSON.stringify({ a: text })])).a, PHONE);
});

test("a request body is masked as an object or as text", async () => {
  const redactor = await createRedactor();
  const request = { messages: [{ role: "user", content: `tel ${PHONE}` }] };
  const { text, changed, localOnly, counts } = redactor.maskBody(request);
  assert.deepEqual([changed, localOnly, counts], [true, false, [{ type: "PHONE_CN", action: "token", count: 1 }]]);
  assert.equal(redactor.restore(JSON.parse(text).messages[0].content), request.messages[0].content);
  assert.equal(redactor.maskBody(JSON.stringify(request)).text, text);
  assert.equal(redactor.maskBody(`tel ${PHONE}`, { format: "text" }).text, redactor.redact(`tel ${PHONE}`).text);
  const clean = redactor.maskBody({ messages: [] });
  assert.deepEqual([clean.changed, clean.text, clean.counts], [false, '{"messages":[]}', []]);
});

test("a session that is cleared gives nothing back; a redactor that is closed does nothing, nor do its streams", async () => {
  const redactor = await createRedactor({ key: KEY });
  const { text } = redactor.redact(PHONE);
  redactor.session.clear();
  assert.equal(redactor.restore(text), text);
  const stream = redactor.stream();
  redactor.close();
  redactor.close();
  for (const use of [() => redactor.redact("x"), () => redactor.find("x"), () => redactor.stream(), () => redactor.session.clear()]) {
    assert.throws(use, { code: "redaction_failed" });
  }
  assert.equal((await failureOf(through(stream, [PHONE]))).code, "redaction_failed");
});

test("a session goes on in the next redactor of the same key", async () => {
  const [first, second] = [await createRedactor({ key: KEY }), await createRedactor({ key: KEY })];
  const { text } = first.redact(PHONE);
  second.session.import(first.session.export());
  assert.equal(second.restore(text), PHONE);
  assert.equal(second.redact(PHONE).text, text);
  assert.throws(() => second.session.import("{"), GateError);
});

test("names are searched for once their weights are loaded: bytes, a response, or an address", async () => {
  const address = new URL(import.meta.resolve("sluicegate/names.bin"));
  const weights = await readFile(address);
  for (const source of [weights, weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length), new Response(weights), address, address.href]) {
    const redactor = await createRedactor();
    assert.equal(redactor.hasNames, false);
    await redactor.loadNames(source);
    assert.equal(redactor.hasNames, true);
    const text = "昨天王建国和李秀英在北京讨论了合同。";
    const { text: masked, findings } = redactor.redact(text);
    assert.ok(findings.some(({ type, start, end }) => type === "PERSON" && text.slice(start, end) === "王建国"), JSON.stringify(findings));
    assert.equal(redactor.restore(masked), text);
  }
  const redactor = await createRedactor();
  assert.ok((await failureOf(redactor.loadNames(new Uint8Array(64)))) instanceof GateError);
  assert.equal(redactor.hasNames, false);
});

test("a fault in the policy is named, as the one error class of the package", async () => {
  assert.equal(GateError, MainGateError);
  for (const [options, param] of [[{ key: new Uint8Array(31) }, "key"], [{ key: "secret" }, "key"], [{ entities: { NOSUCH: "mask" } }, "entities.NOSUCH"], [{ mode: "maybe" }, "mode"], [{ unknown: 1 }, "unknown"]]) {
    const error = await failureOf(createRedactor(options));
    assert.ok(error instanceof GateError);
    assert.deepEqual([error.code, error.param], ["misconfigured", param]);
  }
  const loop = {};
  loop.self = loop;
  const redactor = await createRedactor();
  assert.throws(() => redactor.maskBody(loop), { code: "redaction_failed" });
  for (const wrong of [undefined, null, 1, {}]) assert.throws(() => redactor.redact(wrong), TypeError);
});

/** The text with its findings replaced. */
function rebuilt(text, findings) {
  let out = "";
  let at = 0;
  for (const { start, end, replacement } of findings) {
    out += text.slice(at, start) + replacement;
    at = end;
  }
  return out + text.slice(at);
}

async function through(stream, pieces) {
  const source = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  let out = "";
  for await (const piece of source.pipeThrough(stream)) out += piece;
  return out;
}
