import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { expectedAnswer, MISBEHAVIOURS, PRIVATE_FAULTS, RECOVERY_FAULTS, startUpstream, statusBody, traitsOf } from "./index.mjs";
import { assemble, dataOf, post } from "./raw.mjs";

let upstream;
let root;
before(async () => {
  upstream = await startUpstream({ keepAlive: 5 });
  root = upstream.url.slice(0, -3);
});
after(() => upstream.close());

const TOOLS = ["weather", "clock"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } } },
}));
const chat = (model, extra = {}) => ({ model, stream: true, messages: [{ role: "user", content: "Hello there" }], ...extra });
const say = (body, options = {}) => post(options.base ?? upstream.url, body, options);
const spoken = (model, extra) => expectedAnswer(chat(model, extra));
/** Waits for something that a loaded machine may do late; the assertion after it decides. */
async function until(holds) {
  for (const end = Date.now() + 3000; !holds() && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a plain model streams role, content, finish and [DONE] in the OpenAI shape", async () => {
  const answer = await say(chat("gpt-scripted", { stream_options: { include_usage: true } }));
  assert.equal(answer.status, 200);
  assert.match(answer.headers["content-type"], /^text\/event-stream/);
  assert.match(answer.headers["x-request-id"], /^req_/);
  const got = assemble(answer.text);
  const expected = spoken("gpt-scripted");
  assert.deepEqual(got.chunks[0].choices[0].delta, { role: "assistant", content: "", refusal: null });
  assert.equal(got.text, expected.text);
  assert.equal(got.finish, "stop");
  assert.equal(got.done, true);
  assert.deepEqual(got.chunks.at(-1).choices, []);
  assert.equal(got.usage.completion_tokens, expected.usage.completion_tokens);
  assert.ok(got.chunks.slice(0, -1).every((chunk) => chunk.usage === null));
});

test("a reasoning model thinks first, with DeepSeek's nulls and its usage on the finish chunk", async () => {
  const body = chat("deepseek-reasoner");
  const got = assemble((await say(body, { base: `${root}/deepseek` })).text);
  const expected = expectedAnswer(body, { dialect: "deepseek" });
  assert.deepEqual(got.chunks[0].choices[0].delta, { role: "assistant", content: null, reasoning_content: "" });
  assert.equal(got.chunks[1].choices[0].delta.content, null);
  assert.equal(got.reasoning, expected.reasoning);
  assert.equal(got.text, expected.text);
  assert.deepEqual(got.chunks.at(-1).usage, expected.usage);
  assert.ok(got.usage.completion_tokens_details.reasoning_tokens > 5);
  assert.equal(got.usage.prompt_cache_hit_tokens + got.usage.prompt_cache_miss_tokens, got.usage.prompt_tokens);
  const firstContent = got.chunks.findIndex((chunk) => chunk.choices[0].delta.content);
  assert.ok(got.chunks.slice(firstContent).every((chunk) => !chunk.choices[0].delta.reasoning_content));
});

test("SiliconFlow sends usage on every chunk and its trace id", async () => {
  const answer = await say(chat("deepseek-ai/DeepSeek-R1"), { base: `${root}/siliconflow/v1` });
  assert.match(answer.headers["x-siliconcloud-trace-id"], /^ti_/);
  assert.ok(assemble(answer.text).chunks.every((chunk) => chunk.usage.total_tokens >= chunk.usage.prompt_tokens && chunk.system_fingerprint === ""));
});

test("every dialect lists its models and answers unknown routes in its own error shape", async () => {
  const ids = async (path) => (await (await fetch(root + path)).json()).data.map((model) => model.id);
  assert.ok((await ids("/deepseek/models")).includes("deepseek-flash"));
  assert.ok((await ids("/siliconflow/v1/models?sub_type=chat")).includes("deepseek-ai/DeepSeek-R1"));
  assert.ok((await ids("/v1/models")).length > 0);
  const lost = await fetch(`${root}/siliconflow/v1/nothing`);
  assert.equal(lost.status, 404);
  assert.equal(typeof (await lost.json()), "string");
  assert.equal((await (await fetch(`${root}/deepseek/nothing`)).json()).error.message, "Not Found");
});

test("the answer is in the question's language and quotes a bounded part of it", () => {
  const english = spoken("m", { messages: [{ role: "user", content: `word ${"long ".repeat(200)}` }] });
  assert.match(english.text, /^## A short answer/);
  assert.ok(english.text.length < 700);
  const chinese = spoken("m", { messages: [{ role: "user", content: "我的手机是 [PHONE_1]" }] });
  assert.match(chinese.text, /简短回答/);
  assert.match(chinese.text, /我的手机是 \[PHONE_1\]/);
  for (const part of [/^- /m, /^\| /m, /^```js$/m, /\$c = /]) assert.match(english.text, part);
});

test("max_tokens ends with length, counts reasoning except at SiliconFlow, and the rest can be asked for", () => {
  const whole = spoken("m");
  const start = spoken("m", { max_tokens: 20 });
  assert.equal(start.finish_reason, "length");
  assert.equal(start.usage.completion_tokens, 20);
  const user = chat("m").messages[0];
  for (const tail of [
    [{ role: "assistant", content: start.text, prefix: true }],
    [{ role: "assistant", content: start.text }],
    [{ role: "assistant", content: start.text }, { role: "user", content: "Continue exactly where you stopped." }],
  ]) {
    assert.equal(start.text + spoken("m", { messages: [user, ...tail] }).text, whole.text);
  }
  assert.equal(spoken("deepseek-r1", { max_tokens: 5 }).text, "");
  assert.notEqual(expectedAnswer(chat("deepseek-r1", { max_tokens: 5 }), { dialect: "siliconflow" }).text, "");
});

test("stop sequences, n and logprobs are honoured", async () => {
  assert.equal(spoken("m", { stop: ["You wrote"] }).text, "## A short answer\n\n");
  const many = await say(chat("m", { n: 2, stream: false, logprobs: true, top_logprobs: 2 }));
  const { choices } = JSON.parse(many.text);
  assert.equal(choices.length, 2);
  assert.notEqual(choices[0].message.content, choices[1].message.content);
  assert.equal(choices[0].logprobs.content[0].top_logprobs.length, 2);
  const streamed = assemble((await say(chat("m", { n: 2 }))).text);
  assert.deepEqual([...new Set(streamed.chunks.map((chunk) => chunk.choices[0].index))], [0, 1]);
  assert.equal(streamed.text, choices[0].message.content);
});

test("two tools are called in parallel, their arguments interleaved by index", async () => {
  for (const [base, dialect] of [[upstream.url, "openai"], [`${root}/deepseek`, "deepseek"], [`${root}/siliconflow/v1`, "siliconflow"]]) {
    const body = chat("deepseek-v4-pro", { tools: TOOLS, messages: [{ role: "user", content: "use a tool 🙂" }] });
    const expected = expectedAnswer(body, { dialect });
    const got = assemble((await say(body, { base })).text);
    assert.equal(got.finish, "tool_calls");
    assert.deepEqual(got.calls, expected.tool_calls);
    assert.equal(JSON.parse(got.calls[1].function.arguments).city, "use a tool 🙂");
    const order = got.chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []).map((call) => call.index);
    assert.deepEqual(order.slice(0, 6), [0, 1, 0, 1, 0, 1]);
    const unary = JSON.parse((await say({ ...body, stream: false }, { base })).text).choices[0].message;
    assert.deepEqual(unary.tool_calls.map(({ index: _, ...call }) => call), expected.tool_calls);
    assert.equal(unary.reasoning_content, expected.reasoning);
  }
});

test("a tool's result is answered with words", () => {
  const [call] = spoken("m", { tools: TOOLS, tool_choice: "required" }).tool_calls;
  const answer = spoken("m", {
    tools: TOOLS,
    messages: [{ role: "user", content: "tool?" }, { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: call.id, content: "22 °C" }],
  });
  assert.match(answer.text, /22 °C/);
  assert.equal(answer.finish_reason, "stop");
});

test("completions answer prompts in order, streamed and not; DeepSeek wants its beta base", async () => {
  const whole = JSON.parse((await say({ model: "m", prompt: ["one", "two"] }, { path: "/completions" })).text);
  assert.equal(whole.object, "text_completion");
  assert.match(whole.choices[1].text, /"two"/);
  const streamed = assemble((await say({ model: "m", prompt: "one", stream: true }, { path: "/completions" })).text);
  assert.equal(streamed.text, whole.choices[0].text);
  const plain = await say({ model: "m", prompt: "x" }, { path: "/completions", base: `${root}/deepseek` });
  assert.equal(plain.status, 400);
  const beta = await say({ model: "m", prompt: "def a():", suffix: "# end" }, { path: "/completions", base: `${root}/deepseek/beta` });
  assert.equal(JSON.parse(beta.text).choices[0].text, "    return scripted()\n");
});

test("bodies are refused as the vendors refuse them", async () => {
  const refused = async (body, path, pattern) => {
    const answer = await say(body, { base: root + path });
    assert.equal(answer.status, 400, `${path} ${JSON.stringify(body)}`);
    assert.match(answer.text, pattern);
    return JSON.parse(answer.text);
  };
  await refused("{nonsense", "/v1", /could not parse/);
  assert.equal((await refused({ model: "m" }, "/v1", /messages/)).error.param, "messages");
  assert.equal((await refused({ model: "m" }, "/siliconflow/v1", /messages/)).code, 20015);
  await refused(chat("m", { temperature: 3 }), "/deepseek", /valid range of temperature/);
  const back = [{ role: "user", content: "a" }, { role: "assistant", content: "b", reasoning_content: "c" }, { role: "user", content: "d" }];
  await refused(chat("deepseek-ai/DeepSeek-R1", { messages: back }), "/siliconflow/v1", /reasoning_content/);
  const [call] = spoken("m", { tools: TOOLS, tool_choice: "required" }).tool_calls;
  const turn = [{ role: "user", content: "a" }, { role: "assistant", content: "", tool_calls: [call] }, { role: "tool", tool_call_id: call.id, content: "x" }];
  await refused(chat("deepseek-v4-pro", { messages: turn }), "/deepseek", /must be passed back/);
  turn[1].reasoning_content = "thoughts";
  assert.equal((await say(chat("deepseek-v4-pro", { messages: turn }), { base: `${root}/deepseek` })).status, 200);
});

test("whatever JSON comes in, the answer is an answer or a refusal", async () => {
  const odd = [null, 5, "x", [], {}, [[]], { a: null }, [null], true];
  const fields = ["messages", "model", "tools", "tool_choice", "stop", "n", "max_tokens", "response_format", "stream_options", "logprobs", "thinking"];
  const inMessage = ["role", "content", "tool_calls", "reasoning_content", "prefix"];
  const bodies = [...odd];
  for (const value of odd) {
    for (const field of fields) bodies.push({ ...chat("deepseek-v4-pro"), [field]: value });
    for (const field of inMessage) {
      bodies.push({ ...chat("m"), messages: [{ role: "assistant", content: "a", [field]: value }, { role: "tool", tool_call_id: "x", content: "b" }] });
      bodies.push({ ...chat("m"), messages: [{ role: "user", content: "a" }, { role: "assistant", content: "b", [field]: value }] });
    }
    bodies.push({ ...chat("m"), tool_choice: "required", tools: [{ type: "function", function: { name: "f", parameters: value } }] });
  }
  for (const base of [upstream.url, `${root}/deepseek/beta`, `${root}/siliconflow/v1`]) {
    for (const body of bodies) {
      const { status } = await say(body, { base });
      assert.ok(status === 200 || status === 400, `${status} for ${JSON.stringify(body)}`);
    }
  }
});

test("a body over 48 MiB is refused as too large", async () => {
  const answer = await say(`{"model":"m","messages":"${"x".repeat(49 << 20)}"}`);
  assert.equal(answer.status, 413);
});

test("a wrong key is refused in the vendor's shape", async () => {
  const locked = await startUpstream({ key: "right", dialect: "siliconflow" });
  try {
    const wrong = await say(chat("m"), { base: locked.url, headers: { authorization: "Bearer wrong" } });
    assert.equal(wrong.status, 401);
    assert.equal(wrong.text, '"Invalid token"');
    const object = await say(chat("m"), { base: `${locked.url.slice(0, -3)}/deepseek` });
    assert.equal(JSON.parse(object.text).error.type, "authentication_error");
    assert.equal((await say(chat("m"), { base: locked.url, headers: { authorization: "Bearer right" } })).status, 200);
  } finally {
    await locked.close();
  }
});

test("status names answer each status in each dialect's own body", async () => {
  for (const status of [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 524]) {
    for (const [path, dialect] of [["/v1", "openai"], ["/deepseek", "deepseek"], ["/siliconflow/v1", "siliconflow"]]) {
      const answer = await say(chat(`deepseek-r1+status-${status}`), { base: root + path });
      assert.equal(answer.status, status);
      assert.equal(answer.text, statusBody(dialect, status).text);
    }
  }
});

test("retry hints come as seconds, milliseconds or a date", async () => {
  assert.equal((await say(chat("status-429-retry-7"))).headers["retry-after"], "7");
  assert.equal((await say(chat("status-429-retryms-250"))).headers["retry-after-ms"], "250");
  const ahead = Date.parse((await say(chat("status-503-date"))).headers["retry-after"]) - Date.now();
  assert.ok(ahead > 1000 && ahead <= 3000, `${ahead}`);
});

test("limited failures stop failing, per name and scenario", async () => {
  const statuses = async (model, count, headers) => {
    const seen = [];
    for (let at = 0; at < count; at += 1) seen.push((await say(chat(model), { headers })).status);
    return seen;
  };
  assert.deepEqual(await statuses("status-503-once", 2), [503, 200]);
  assert.deepEqual(await statuses("status-503-once", 2, { "x-scenario": "other" }), [503, 200]);
  assert.deepEqual(await statuses("status-429-retry-1-times-2", 3), [429, 429, 200]);
  const cut = [await say(chat("cut-3-once")), await say(chat("cut-3-once"))];
  assert.deepEqual(cut.map((answer) => answer.ended), [false, true]);
});

test("streams break where the name says", async () => {
  const at = async (model) => {
    const answer = await say(chat(model), { timeout: 400 });
    return { ...answer, count: dataOf(answer.text).filter((data) => /"content":"[^"]/.test(data)).length };
  };
  const cut = await at("cut-5");
  assert.deepEqual([cut.count, cut.ended], [5, false]);
  assert.notEqual(cut.error, "timeout");
  const eof = await at("eof-5");
  assert.deepEqual([eof.count, eof.ended, /finish_reason":"/.test(eof.text), /DONE/.test(eof.text)], [5, true, false, false]);
  const stall = await at("stall-5");
  assert.deepEqual([stall.count, stall.error], [5, "timeout"]);
  const alive = await at("keepalive-stall-5");
  assert.equal(alive.count, 5);
  assert.match(alive.text, /(?:: keep-alive\n\n){5}$/);
  assert.match((await at("keepalive-forever")).text, /^(?:: keep-alive\n\n){5,}$/);
  assert.equal((await at("silence")).status, undefined);
  const malformed = await at("malformed-5");
  assert.throws(() => assemble(malformed.text));
  assert.equal(malformed.count, 6);
  assert.equal((await at("reset")).status, undefined);
});

test("streams end oddly where the name says", async () => {
  const got = async (model, base) => {
    const answer = await say(chat(model), { base });
    return { ...assemble(answer.text), raw: answer.text };
  };
  assert.deepEqual(await got("no-done").then(({ finish, done }) => [finish, done]), ["stop", false]);
  assert.deepEqual(await got("done-no-finish").then(({ finish, done }) => [finish, done]), [null, true]);
  assert.deepEqual(await got("null-finish").then(({ finish, done }) => [finish, done]), [null, true]);
  assert.match((await got("no-blank")).raw, /data: \[DONE\]\n$/);
  assert.doesNotMatch((await got("no-blank")).raw, /\n\n$/);
  assert.equal((await got("finish-eos")).finish, "eos");
  assert.equal((await got("insufficient")).finish, "insufficient_system_resource");
  assert.equal((await got("content-filter")).finish, "content_filter");
  assert.deepEqual(await got("empty-stop").then(({ finish, text }) => [finish, text]), ["stop", ""]);
  assert.match((await got("error-in-stream-4")).raw, /data: \{"error":\{[^\n]*\n\n$/);
  assert.match((await got("error-in-stream-4", `${root}/siliconflow/v1`)).raw, /data: \{"code":50508,[^\n]*\n\n$/);
  assert.match((await got("error-event-4")).raw, /event: error\ndata: /);
});

test("line ends, cuts and marks change the bytes and not the text", async () => {
  const brief = { max_tokens: 40 };
  const expected = spoken("deepseek-reasoner", brief);
  for (const name of ["crlf", "cr", "bytes", "chunks-7", "bom", "split-utf8", "crlf+chunks-5", "crlf+bytes"]) {
    const answer = await say(chat(`deepseek-reasoner+${name}`, brief));
    const got = assemble(answer.text.replace(/^\ufeff/, ""));
    assert.equal(got.text, name === "split-utf8" ? spoken("deepseek-reasoner+split-utf8", brief).text : expected.text, name);
    assert.equal(got.reasoning, expected.reasoning, name);
  }
  assert.doesNotMatch((await say(chat("cr"))).text, /\n/);
  const split = await say(chat("split-utf8"));
  assert.ok(split.chunks.some((chunk) => (chunk[0] & 0xc0) === 0x80), "some network chunk begins inside a character");
  assert.ok((await say(chat("bytes", { max_tokens: 10 }))).chunks.length > 1000);
});

test("inline thinking, reasoning alone, echo and big events say what expectedAnswer says", async () => {
  for (const name of ["think-tags", "think-open", "think-unclosed", "reasoning-only+r1", "echo", "echo+r1", "big-event", "huge-event", "long-500"]) {
    const got = assemble((await say(chat(name))).text);
    const expected = spoken(name);
    assert.equal(got.text, expected.text, name);
    assert.equal(got.reasoning, expected.reasoning, name);
  }
  assert.equal(spoken("echo").text, "Hello there");
  assert.ok(spoken("huge-event").text.length >= 10 << 20);
  assert.doesNotMatch(spoken("think-open").text, /<think>/);
});

test("recordings are replayed byte for byte", async () => {
  const file = readFileSync(new URL("../vectors/recordings/stream-chinese.sse", import.meta.url));
  for (const model of ["recording-chinese", "recording-stream-chinese+chunks-11"]) {
    const answer = await say(chat(model));
    assert.ok(answer.bytes.equals(file));
    assert.equal(answer.headers["content-type"], "text/event-stream");
  }
  assert.equal((await say(chat("recording-error-400"))).status, 400);
  assert.equal(JSON.parse((await say(chat("recording-unary"))).text).object, "chat.completion");
});

test("odd heads come as named", async () => {
  assert.deepEqual(await say(chat("error-200")).then((answer) => [answer.status, answer.headers["content-type"]]), [200, "application/json"]);
  assert.match((await say(chat("html-200"))).headers["content-type"], /^text\/html/);
  assert.equal((await say(chat("html-524"))).status, 524);
  assert.equal((await say(chat("context-overflow"))).status, 400);
  assert.equal((await say(chat("redirect"))).headers.location, "/v1/chat/completions");
  assert.match((await say(chat("wrong-type"))).headers["content-type"], /^text\/plain/);
  assert.ok(JSON.stringify((await say(chat("headers-big"))).headers).length > 8000);
});

test("a DeepSeek that keeps alive sends comments before a stream and blank lines before JSON", async () => {
  assert.match((await say(chat("deepseek-r1+keepalive"))).text, /^(?:: keep-alive\n\n){3}data: /);
  const unary = (await say(chat("deepseek-r1+keepalive", { stream: false }))).text;
  assert.match(unary, /^\n\n\n\{/);
  assert.equal(JSON.parse(unary).choices[0].message.content, spoken("deepseek-r1").text);
});

test("slow names are slow, and a rate is kept", async () => {
  const timed = async (model, extra) => {
    const start = performance.now();
    const answer = await say(chat(model, extra));
    return { ms: performance.now() - start, answer };
  };
  assert.ok((await timed("slow-head-80")).ms >= 79);
  assert.ok((await timed("slow-first-80")).ms >= 79);
  assert.ok((await timed("slow-drip-10", { max_tokens: 10 })).ms >= 90);
  assert.ok((await timed("rate-100", { max_tokens: 10 })).ms >= 90);
});

test("a client that leaves is noticed at once, and nothing stays behind", async () => {
  for (const model of ["endless", "long-5000+rate-1000", "slow-drip-5000"]) {
    upstream.reset();
    const answer = await say(chat(model), { stopAfter: 1 });
    assert.equal(answer.ended, false);
    await until(() => upstream.requests[0].aborted);
    assert.deepEqual([upstream.requests[0].model, upstream.requests[0].aborted, upstream.requests[0].finished], [model, true, false]);
    assert.ok(Date.now() - upstream.requests[0].abortedAt < 1000);
  }
});

test("close returns quickly while streams hang", async () => {
  const own = await startUpstream();
  const hanging = ["silence", "stall-2", "keepalive-forever"].map((model) => say(chat(model), { base: own.url }));
  await until(() => own.requests.length === hanging.length);
  const start = performance.now();
  await own.close();
  assert.ok(performance.now() - start < 1000);
  await Promise.all(hanging);
});

test("a client that reads nothing does not fill the memory", async () => {
  const body = JSON.stringify(chat("huge-event", { n: 8 }));
  const own = await startUpstream();
  const controller = new AbortController();
  await fetch(`${own.url}/chat/completions`, { method: "POST", body, signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(own.requests[0].finished, false);
  controller.abort();
  await until(() => own.requests[0].aborted);
  assert.equal(own.requests[0].aborted, true);
  await own.close();
});

test("the log can be read and reset over HTTP", async () => {
  await say(chat("deepseek-r1", { seed: 5 }), { headers: { "x-scenario": "log" } });
  const { requests } = await (await fetch(`${root}/__requests`)).json();
  const last = requests.at(-1);
  assert.deepEqual([last.method, last.path, last.model, last.body.seed, last.headers["x-scenario"], last.finished], ["POST", "/v1/chat/completions", "deepseek-r1", 5, "log", true]);
  await fetch(`${root}/__reset`, { method: "POST" });
  assert.equal((await (await fetch(`${root}/__requests`)).json()).requests.length, 0);
});

test("what will be said can be asked over HTTP", async () => {
  const body = chat("deepseek-r1", { max_tokens: 5 });
  for (const dialect of ["openai", "siliconflow"]) {
    const answer = await fetch(`${root}/__expected?dialect=${dialect}`, { method: "POST", body: JSON.stringify(body) });
    assert.deepEqual(await answer.json(), JSON.parse(JSON.stringify(expectedAnswer(body, { dialect }))));
  }
  assert.equal((await fetch(`${root}/__expected`, { method: "POST", body: "{" })).status, 400);
});

test("the log is bounded", async () => {
  const own = await startUpstream();
  for (let round = 0; round < 26; round += 1) await Promise.all(Array.from({ length: 40 }, () => say(chat("status-500"), { base: own.url })));
  assert.equal(own.requests.length, 1000);
  await own.close();
});

test("the benchmark's stream has 18 events of about 286 bytes", async () => {
  for (const model of ["bench-18", "bench-18-burst"]) {
    const answer = await say(chat(model));
    const events = dataOf(answer.text);
    assert.equal(events.length, 19);
    assert.equal(events.at(-1), "[DONE]");
    for (const data of events.slice(0, -2)) assert.equal(data.length + 8, 286);
    assert.equal(assemble(answer.text).finish, "stop");
  }
  assert.equal((await say(chat("bench-18"))).text, (await say(chat("bench-18-burst"))).text);
  assert.equal(JSON.parse((await say(chat("bench-unary", { stream: false }))).text).object, "chat.completion");
});

test("the README lists every misbehaviour as the data describes it", () => {
  const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
  for (const { name, en } of [...MISBEHAVIOURS, ...RECOVERY_FAULTS, ...PRIVATE_FAULTS]) assert.ok(readme.includes(`| \`${name}\` | ${en} |`), name);
});

test("every listed example is recognised and described in two languages", () => {
  for (const { name, example, en, zh } of [...MISBEHAVIOURS, ...RECOVERY_FAULTS, ...PRIVATE_FAULTS]) {
    assert.equal(Object.keys(traitsOf(example)).length, 1, name);
    assert.equal(Object.keys(traitsOf(`deepseek-ai/DeepSeek-R1+${example}-times-3`)).length, 1, name);
    assert.ok(en.length > 10 && /\p{Script=Han}/u.test(zh), name);
  }
  for (const innocent of ["deepseek-ai/DeepSeek-R1", "deepseek-flash", "gpt-5-mini", "secret-reset2", "precut-5", "qwen-max-2025", "gpt-context-pro", "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B"]) assert.deepEqual(traitsOf(innocent), {}, innocent);
});
