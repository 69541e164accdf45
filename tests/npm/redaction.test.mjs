// createGate({ redact }): what leaves the device, and what comes back. The upstream is a fetch that notes what it gets and echoes it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import OpenAI from "openai";
import { createGate, GateError } from "sluicegate";
import { localBackend } from "sluicegate/local";
import { createGate as createSlimGate } from "sluicegate/slim";
import { chunk, completion, failureOf, joined, ONE_ATTEMPT, readAll, sse, streamed, watchRejections } from "./lib.mjs";

const rejections = watchRejections();
const BASE = "http://upstream.test/v1";
const PHONES = ["13912345678", "13800138000"];
const TEXT = `电话${PHONES[0]},或 ${PHONES[1]} 🙂。`;
const MESSAGES = [{ role: "user", content: TEXT }];

/** An upstream that notes what it is sent, and answers with `answer(request)`. */
function upstream(answer) {
  const sent = [];
  const fetch = async (input, init) => {
    const request = new Request(input, init?.body instanceof ReadableStream ? { ...init, duplex: "half" } : init);
    const body = /multipart/.test(request.headers.get("content-type") ?? "") ? await request.formData() : await request.text();
    const noted = { url: request.url, headers: request.headers, body };
    sent.push(noted);
    return answer(noted);
  };
  return { sent, fetch };
}

/** Streams what the user said, `size` characters an event. */
function echo(size = 1, field = "content") {
  return ({ body }) => {
    const said = JSON.parse(body).messages.findLast(({ role }) => role === "user").content;
    if (!JSON.parse(body).stream) return Response.json(completion({ [field]: said }));
    const pieces = said.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    return streamed([...pieces.map((piece) => sse(chunk({ [field]: piece }))), sse(chunk({}, "stop"), "[DONE]")]);
  };
}

const withoutValues = (text) => PHONES.every((phone) => !text.includes(phone));

test("a stream gives back in deltas, and in the reply, what never left; the reply says how much", async () => {
  for (const size of [1, 2, 3, 7, 100]) {
    const { sent, fetch } = upstream(echo(size));
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
    const { deltas, end, error } = await readAll(gate.stream({ messages: MESSAGES }));
    assert.equal(error, undefined);
    assert.ok(withoutValues(sent[0].body), sent[0].body);
    assert.equal(joined(deltas, "text"), TEXT);
    assert.deepEqual([end.reply.text, end.reply.message.content, end.reply.choices[0].text], [TEXT, TEXT, TEXT]);
    assert.deepEqual(end.reply.redaction, { counts: [{ type: "PHONE_CN", action: "token", count: 2 }], restored: 2 });
    assert.ok(deltas.every(({ type, text }) => type !== "text" || text !== ""));
  }
});

test("batches are never empty, whatever waits", async () => {
  const { fetch } = upstream(echo(1));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
  let text = "";
  for await (const batch of gate.stream({ messages: MESSAGES }).batches()) {
    assert.ok(batch.length > 0);
    text += joined(batch, "text");
  }
  assert.equal(text, TEXT);
});

test("a whole answer comes back restored, in its reasoning too, and counts once", async () => {
  const { sent, fetch } = upstream(({ body }) => {
    const said = JSON.parse(body).messages[0].content;
    return Response.json(completion({ content: said, reasoning_content: said, refusal: said }));
  });
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
  const reply = await gate.chat({ messages: MESSAGES });
  assert.ok(withoutValues(sent[0].body));
  assert.deepEqual([reply.text, reply.reasoning, reply.choices[0].refusal, reply.message.reasoning_content], [TEXT, TEXT, TEXT, TEXT]);
  assert.equal(reply.redaction.restored, 6);
  assert.equal(gate.redactor.counts().restored, 6);
});

test("a value has one token over all turns, whatever the gate is asked by; a session that is cleared forgets", async () => {
  const { sent, fetch } = upstream(echo());
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
  const reply = await gate.chat({ messages: MESSAGES });
  await gate.chat({ messages: [...MESSAGES, reply.message, ...MESSAGES] });
  const [first, second] = sent.map(({ body }) => JSON.parse(body).messages);
  assert.deepEqual(second.map(({ content }) => content), Array(3).fill(first[0].content));
  const { text } = gate.redact(TEXT);
  assert.equal(text, first[0].content);
  assert.equal(gate.restore(text), TEXT);
  gate.redactor.session.clear();
  assert.equal(gate.restore(text), text);
});

test("tool arguments keep their tokens, unless the policy gives them back, escaped, in pieces of any size", async () => {
  const call = (args) => ({ tool_calls: [{ index: 0, ...args }] });
  for (const given of [false, true]) {
    const { fetch } = upstream(({ body }) => {
      const text = JSON.stringify({ to: JSON.parse(body).messages[0].content });
      const first = call({ id: "c1", type: "function", function: { name: "dial", arguments: "" } });
      const pieces = [...text].map((piece) => chunk(call({ function: { arguments: piece } })));
      return streamed([sse(chunk(first), ...pieces, chunk({}, "tool_calls"), "[DONE]")]);
    });
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: { restore: { tool_arguments: given } }, fetch });
    const { deltas, end } = await readAll(gate.stream({ messages: MESSAGES }));
    const expected = given ? TEXT : gate.redact(TEXT).text;
    assert.equal(JSON.parse(joined(deltas, "tool_call", "arguments")).to, expected);
    assert.equal(JSON.parse(end.reply.tool_calls[0].function.arguments).to, expected);
    assert.equal(JSON.parse(end.reply.message.tool_calls[0].function.arguments).to, expected);
    assert.deepEqual(deltas.filter(({ name }) => name).map(({ id, name }) => [id, name]), [["c1", "dial"]]);
  }
});

test("an answer that breaks off gives out what was held before its error", async () => {
  const { fetch } = upstream(() => streamed([sse(chunk({ content: "so ⟦" }))]));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
  const { deltas, error } = await readAll(gate.stream({ messages: MESSAGES }));
  assert.equal(joined(deltas, "text"), "so ⟦");
  assert.deepEqual([error.code, error.partial.text, error.partial.redaction.restored], ["truncated", "so ⟦", 0]);
});

test("an error's words lose what is private in them for good, for who catches it and who listens", async () => {
  const { fetch } = upstream(() => Response.json({ error: { message: `no account for ${PHONES[0]}`, code: "nope" } }, { status: 400 }));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch });
  const heard = [];
  gate.on("end", ({ error }) => heard.push(error));
  const error = await failureOf(gate.chat({ messages: MESSAGES }));
  const response = await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ model: "m", messages: MESSAGES }) });
  const text = await response.text();
  assert.match(error.vendor.message, /no account for \*\*\*.+\*\*\*/);
  assert.match(JSON.parse(text).error.message, /\*\*\*/);
  for (const said of [JSON.stringify(error), text, ...heard.map((each) => JSON.stringify(each))]) assert.ok(withoutValues(said), said);
  assert.equal(heard.length, 2);
});

test("the openai SDK: whole and streamed answers, embeddings, files; nothing private in what leaves", async () => {
  const { sent, fetch } = upstream((noted) => {
    if (noted.url.endsWith("/chat/completions")) return echo(3)(noted);
    if (noted.url.endsWith("/files")) return Response.json({ id: "f", object: "file" });
    return Response.json({ object: "list", data: [{ object: "embedding", index: 0, embedding: [0.5] }], model: "m" });
  });
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, apiKey: "k", redact: true, fetch });
  const openai = new OpenAI({ apiKey: "sdk", baseURL: BASE, fetch: gate.fetch, maxRetries: 0 });
  const whole = await openai.chat.completions.create({ model: "m", messages: MESSAGES });
  assert.equal(whole.choices[0].message.content, TEXT);
  let text = "";
  for await (const event of await openai.chat.completions.create({ model: "m", messages: MESSAGES, stream: true })) text += event.choices[0]?.delta.content ?? "";
  assert.equal(text, TEXT);
  const { data } = await openai.embeddings.create({ model: "m", input: [TEXT, "x"], encoding_format: "float" });
  assert.deepEqual(data[0].embedding, [0.5]);
  const lines = `${JSON.stringify({ custom_id: "1", method: "POST", url: "/v1/chat/completions", body: { model: "m", messages: MESSAGES } })}\n`;
  await openai.files.create({ purpose: "batch", file: new File([lines], `${PHONES[0]}.jsonl`, { type: "application/jsonl" }) });
  for (const { body, url } of sent) {
    if (!(body instanceof FormData)) assert.ok(withoutValues(body), `${url}: ${body}`);
  }
  const file = sent.at(-1).body.get("file");
  assert.equal(sent.at(-1).body.get("purpose"), "batch");
  assert.ok(withoutValues(file.name) && file.name.endsWith(".jsonl"));
  const masked = await file.text();
  assert.ok(withoutValues(masked));
  assert.equal(gate.restore(JSON.parse(masked).body.messages[0].content), TEXT);
});

test("bodies of every kind are read, and keep their kind", async () => {
  const json = JSON.stringify({ input: TEXT });
  const bytes = new TextEncoder().encode(json);
  const form = new FormData();
  form.append("note", TEXT);
  form.append("file", new Blob([json], { type: "application/json" }), "a.json");
  const multipart = await new Response(form).blob();
  const headers = { "content-type": "application/json" };
  const bodies = {
    text: { body: json, headers },
    "text without a type": { body: json },
    bytes: { body: bytes, headers },
    buffer: { body: bytes.buffer, headers },
    blob: { body: new Blob([json], { type: "application/json" }) },
    stream: { body: new Blob([json]).stream(), headers, duplex: "half" },
    pairs: { body: new URLSearchParams({ q: TEXT }) },
    "a form": { body: form },
    "a form as bytes": { body: await multipart.arrayBuffer(), headers: { "content-type": multipart.type } },
    "plain text": { body: TEXT, headers: { "content-type": "text/plain" } },
    lines: { body: `${json}\n${json}\n`, headers: { "content-type": "application/jsonl" } },
  };
  for (const [name, init] of Object.entries(bodies)) {
    for (const as of ["arguments", "Request"]) {
      const { sent, fetch } = upstream(() => Response.json({ ok: true }));
      const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, redact: true, fetch });
      const own = { method: "POST", ...init, ...(name === "stream" && { body: new Blob([json]).stream() }) };
      const response = as === "Request" ? await gate.fetch(new Request(`${BASE}/any`, own)) : await gate.fetch(`${BASE}/any`, own);
      assert.deepEqual(await response.json(), { ok: true }, name);
      const { body } = sent[0];
      const parts = body instanceof FormData ? [body.get("note"), await body.get("file").text()] : [body];
      const decoded = name === "pairs" ? [new URLSearchParams(body).get("q")] : parts;
      assert.equal(gate.redactor.counts().counts[0].count, body instanceof FormData || name === "lines" ? 4 : 2, name);
      for (const part of decoded) assert.ok(withoutValues(part) && part.includes("⟦"), `${name}: ${part}`);
    }
  }
});

test("what is not text passes as it is; what says that it is and cannot be read stops the request", async () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 1]);
  const { sent, fetch } = upstream(() => Response.json({ text: "ok" }));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, redact: true, fetch });
  const form = (type, name) => {
    const body = new FormData();
    body.append("file", new Blob([png], { type }), name);
    return { method: "POST", body };
  };
  await gate.fetch(`${BASE}/files`, form("image/png", "a.png"));
  assert.deepEqual(new Uint8Array(await sent[0].body.get("file").arrayBuffer()), png);
  const refused = {
    "bytes that are no UTF-8": { method: "POST", body: png, headers: { "content-type": "application/json" } },
    "a text file that is no UTF-8": form("text/plain", "a"),
    "a file that is called text": form("", "notes.txt"),
    "two bytes a character": { method: "POST", body: new Uint8Array([0xff, 0xfe, 0x31, 0]) },
    "a compressed body": { method: "POST", body: png, headers: { "content-encoding": "gzip" } },
    "a multipart body that is none": { method: "POST", body: "--x", headers: { "content-type": "multipart/form-data; boundary=x" } },
  };
  for (const [name, init] of Object.entries(refused)) {
    const response = await gate.fetch(`${BASE}/files`, name.includes("multipart") ? { ...init, body: new TextEncoder().encode(init.body) } : init);
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code, response.headers.get("x-should-retry")], [500, "redaction_failed", "false"], name);
  }
  assert.equal(sent.length, 1);
  assert.equal(gate.usage().failures, Object.keys(refused).length);
});

test("a gate that does not redact says so, and loads nothing; one with a faulty policy is not made", async () => {
  const gate = await createGate({ baseUrl: BASE });
  assert.equal(gate.redactor, undefined);
  for (const use of [() => gate.redact("x"), () => gate.restore("x")]) assert.throws(use, { code: "misconfigured", param: "redact" });
  const wrong = await failureOf(createGate({ baseUrl: BASE, redact: "yes" }));
  assert.ok(wrong instanceof GateError);
  assert.deepEqual([wrong.code, wrong.param], ["misconfigured", "redact"]);
});

test("the slim entry redacts with the wasm that it is given", async () => {
  const wasm = (name) => readFile(new URL(import.meta.resolve(`sluicegate/${name}.wasm`)));
  const { sent, fetch } = upstream(echo());
  const gate = await createSlimGate({ ...ONE_ATTEMPT, wasm: wasm("sluicegate"), baseUrl: BASE, model: "m", redact: { wasm: wasm("redact") }, fetch });
  assert.equal((await gate.chat({ messages: MESSAGES })).text, TEXT);
  assert.ok(withoutValues(sent[0].body));
});

test("what a policy blocks stops the call before anything is sent, and the value is in no word of it", async () => {
  const { sent, fetch } = upstream(echo());
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: { entities: { PHONE_CN: "block" } }, fetch });
  const heard = [];
  gate.on("end", ({ error }) => heard.push(error.code));
  const error = await failureOf(gate.chat({ messages: MESSAGES }));
  assert.deepEqual([error.code, error.status, error.param], ["private_data", 400, "messages[0].content"]);
  assert.match(error.message, /PHONE_CN/);
  const openai = new OpenAI({ apiKey: "sdk", baseURL: BASE, fetch: gate.fetch, maxRetries: 2 });
  const refused = await failureOf(openai.chat.completions.create({ model: "m", messages: MESSAGES }));
  assert.deepEqual([refused.status, refused.code, refused.param], [400, "private_data", "messages[0].content"]);
  for (const each of [error, refused]) assert.ok(withoutValues(`${each.message} ${each.stack} ${JSON.stringify(each)}`));
  assert.deepEqual([sent.length, heard], [0, ["private_data", "private_data"]]);
});

/** A model on the device that answers what it was asked, and notes it. */
function local(availability = "ready") {
  const asked = [];
  const backend = localBackend({
    id: "fake",
    model: "tiny",
    availability: async () => availability,
    async *stream({ messages }) {
      asked.push(messages.at(-1).content);
      yield `heard ${messages.at(-1).content}`;
    },
  });
  return { asked, backend };
}

test("what only the device may read goes to a local model as it is, and nowhere else", async () => {
  const redact = { entities: { PHONE_CN: "local_only" } };
  const { sent, fetch } = upstream(echo());
  const { asked, backend } = local();
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact, fetch, fallback: [{ baseUrl: "http://spare.test/v1" }, backend] });
  const reply = await gate.stream({ messages: MESSAGES }).reply();
  assert.deepEqual([reply.text, reply.source, sent.length, asked], [`heard ${TEXT}`, "local:fake", 0, [TEXT]]);
  assert.deepEqual(reply.redaction.counts, [{ type: "PHONE_CN", action: "local_only", count: 2 }]);
  const openai = new OpenAI({ apiKey: "sdk", baseURL: BASE, fetch: gate.fetch, maxRetries: 0 });
  const { choices } = await openai.chat.completions.create({ model: "m", messages: MESSAGES });
  assert.deepEqual([choices[0].message.content, sent.length], [`heard ${TEXT}`, 0]);
  // Other requests of the same gate go where they always go.
  await gate.chat({ messages: [{ role: "user", content: "hello" }] });
  assert.equal(sent.length, 1);
});

test("what only the device may read goes nowhere while no local model is ready, nor by another route or to another address", async () => {
  const redact = { entities: { PHONE_CN: "local_only" } };
  const { sent, fetch } = upstream(echo());
  for (const fallback of [[], [local("downloadable").backend]]) {
    const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact, fetch, fallback });
    const error = await failureOf(gate.chat({ messages: MESSAGES }));
    assert.deepEqual([error.code, error.status], ["local_only", 403]);
    assert.match(error.message, /PHONE_CN/);
  }
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact, fetch, fallback: [local().backend] });
  const body = JSON.stringify({ model: "m", messages: MESSAGES, input: TEXT });
  for (const url of [`${BASE}/embeddings`, "http://elsewhere.test/v1/chat/completions"]) {
    const response = await gate.fetch(url, { method: "POST", body });
    assert.deepEqual([response.status, (await response.json()).error.code], [403, "local_only"], url);
  }
  assert.equal(sent.length, 0);
});

test("a local model that stands in for the network gets what the network would have got", async () => {
  const { asked, backend } = local();
  const fetch = async () => {
    throw new TypeError("offline");
  };
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: true, fetch, fallback: [backend] });
  const { text } = await gate.chat({ messages: MESSAGES });
  assert.ok(withoutValues(asked[0]));
  assert.equal(text, `heard ${TEXT}`);
});

test("private data that is new in an answer is hidden where the policy says so, and ours is given back", async () => {
  const other = "18612345678";
  const { fetch } = upstream(({ body }) => streamed([...`${JSON.parse(body).messages[0].content} or ${other}`].map((content) => sse(chunk({ content }))).concat(sse(chunk({}, "stop")))));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, model: "m", redact: { answers: "mask", language: "en" }, fetch });
  const { deltas, end } = await readAll(gate.stream({ messages: MESSAGES }));
  assert.equal(joined(deltas, "text"), `${TEXT} or ***PHONE***`);
  assert.equal(end.reply.text, `${TEXT} or ***PHONE***`);
  assert.deepEqual(end.reply.redaction.counts.at(-1), { type: "PHONE_CN", action: "label", count: 1 });
});

test("an answer that is begun anew forgets what was held of the old one", async () => {
  let calls = 0;
  const { fetch } = upstream(() => (calls++ === 0 ? streamed([sse(chunk({ content: '{"a":"⟦手' }))]) : streamed([sse(chunk({ content: '{"a":1}' }), chunk({}, "stop"), "[DONE]")])));
  const gate = await createGate({ baseUrl: BASE, model: "m", redact: true, fetch, retry: { firstMs: 1, capMs: 1 }, continuation: { replace: true } });
  // JSON that breaks off is not gone on with.
  const { deltas } = await readAll(gate.stream({ messages: MESSAGES, response_format: { type: "json_object" } }));
  const restarted = deltas.findIndex(({ code }) => code === "restarted");
  assert.ok(restarted >= 0, JSON.stringify(deltas));
  assert.equal(joined(deltas.slice(restarted), "text"), '{"a":1}');
});

test("cancelling a stream cancels the upstream's, behind the restoring too", async () => {
  let cancelled = 0;
  const { fetch } = upstream(() => streamed([sse(chunk({ content: "a" }))], { end: () => new Promise(() => {}), onCancel: () => void cancelled++ }));
  const gate = await createGate({ ...ONE_ATTEMPT, baseUrl: BASE, redact: true, fetch });
  const response = await gate.fetch(`${BASE}/chat/completions`, { method: "POST", body: JSON.stringify({ model: "m", messages: MESSAGES, stream: true }) });
  const reader = response.body.getReader();
  await reader.cancel();
  assert.equal(cancelled, 1);
});

test("no rejection of all that went unhandled", async () => assert.deepEqual(await rejections(), []));
