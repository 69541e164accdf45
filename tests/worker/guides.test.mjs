// The guides' paths: their bodies and answers, as their programs send and read them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { events, startGate } from "./gate.mjs";

const PROMPT = "Hello, 世界";
const PHONE = "13812345678";

describe("the guides' paths", () => {
  let upstream;
  let gate;
  let masking;
  before(async () => {
    upstream = await startUpstream({ dialect: "openai" });
    const upstreams = [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["first", { id: "r1", upstream_id: "deepseek-r1" }, "*"] }];
    gate = await startGate({ config: { upstreams, development: true, recovery: { retry: { tries: 1 }, continuation: false, breaker: false } } });
    masking = await startGate({ config: { upstreams, development: true, redaction: {} } });
  });
  after(async () => {
    await gate?.stop();
    await masking?.stop();
    await upstream?.close();
  });

  const post = (path, body, at = gate) =>
    at.fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: typeof body === "string" ? body : JSON.stringify(body) });
  const expected = (model, more = {}) => expectedAnswer({ model, messages: [{ role: "user", content: PROMPT }], ...more });
  const counts = ({ prompt_tokens, completion_tokens, total_tokens }) => ({ prompt_tokens, completion_tokens, total_tokens });

  test("guide B's program reads a whole answer", async () => {
    const response = await post("/v1/models/r1/infer", { prompt: PROMPT });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type"), /^application\/json/);
    const answer = await response.json();
    const { text, finish_reason, reasoning, usage } = expected("deepseek-r1", { max_tokens: 2048 });
    assert.match(answer.id, /^infer-./);
    assert.deepEqual([answer.object, answer.model], ["text_completion", "r1"]);
    assert.ok(Math.abs(answer.created - Date.now() / 1000) < 60);
    const [choice] = answer.choices;
    assert.deepEqual([choice.text, choice.index, choice.logprobs, choice.finish_reason], [text, 0, null, finish_reason]);
    assert.equal(choice.reasoning_content ?? "", reasoning);
    assert.deepEqual(counts(answer.usage), counts(usage));
  });

  test("guide B's program reads a stream", async () => {
    const { list, done } = await events(await post("/v1/models/r1/infer", { prompt: PROMPT, stream: true }));
    assert.ok(done);
    const pieces = list.slice(0, -1);
    assert.ok(pieces.every((piece) => /^infer-/.test(piece.id) && piece.object === "text_completion" && piece.model === "r1"));
    const { text, finish_reason, usage } = expected("deepseek-r1", { max_tokens: 2048 });
    assert.equal(pieces.map((piece) => piece.choices[0].text).join(""), text);
    const last = pieces.at(-1);
    assert.deepEqual([last.choices[0].text, last.choices[0].finish_reason], ["", finish_reason]);
    assert.deepEqual(counts(last.usage), counts(usage));
    assert.ok(pieces.slice(0, -1).every((piece) => piece.choices[0].finish_reason === null && piece.usage === undefined));
  });

  test("an answer names the model that gave it, where that is another one than was asked for", async () => {
    const upstreams = [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["lighter", "*"] }];
    const recovery = { retry: { tries: 1 }, breaker: false };
    const falling = await startGate({ config: { upstreams, development: true, recovery, fallbacks: { "*": ["lighter"] } } });
    try {
      const whole = await (await post("/v1/models/status-500/infer", { prompt: PROMPT }, falling)).json();
      assert.equal(whole.model, "lighter");
      const { list } = await events(await post("/v1/complete", { model: "status-500", prompt: PROMPT, stream: true }, falling));
      assert.deepEqual([...new Set(list.filter((piece) => piece.model).map((piece) => piece.model))], ["lighter"]);
    } finally {
      await falling.stop();
    }
  });

  test("guide A's program reads a whole answer of the first model there is", async () => {
    const answer = await (await post("/v1/complete", { prompt: PROMPT })).json();
    assert.match(answer.id, /^cmpl-./);
    assert.deepEqual([answer.model, answer.choices[0].text], ["first", expected("first").text]);
    const stream = await events(await post("/v1/complete", { prompt: PROMPT, stream: true, model: "r1" }));
    assert.equal(stream.list.slice(0, -1).map((piece) => piece.choices[0].text).join(""), expected("deepseek-r1").text);
  });

  test("an error names the guide's field", async () => {
    for (const [path, body, param] of [
      ["/v1/models/r1/infer", {}, "prompt"],
      ["/v1/models/r1/infer", { prompt: "Hi", temperature: 1.5 }, "temperature"],
      ["/v1/models/r1/infer", { prompt: "Hi", stop_sequences: ["a", 1] }, "stop_sequences[1]"],
      ["/v1/models/r1/infer", { prompt: "Hi", stop_sequences: ["a", "b", "c", "d", "e"] }, "stop_sequences[4]"],
      ["/v1/models/r1/infer", { prompt: "Hi", model: "r2" }, "model"],
      ["/v1/models/r1/infer", { prompt: "Hi", api_base: "http://evil.test" }, "api_base"],
      ["/v1/complete", { inputs: [{ type: "image", data: "https://example.com/a.png" }] }, "inputs[0].data"],
      ["/v1/complete", '{"prompt":"a","prompt":"b"}', "prompt"],
    ]) {
      const response = await post(path, body);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.code, error.param], [400, "invalid_request", param], JSON.stringify(body));
    }
    assert.equal((await gate.fetch("/v1/complete")).status, 405);
    assert.equal((await post("/v1/models/%2e%2e/infer", { prompt: "Hi" })).status, 404);
  });

  test("an answer that breaks is no answer", async () => {
    for (const stream of [true, false]) {
      for (const fault of stream ? ["cut-3", "eof-3", "error-in-stream-3", "done-no-finish", "empty-stop", "status-500"] : ["empty-stop", "status-500", "reset"]) {
        const response = await post("/v1/complete", { model: `gpt-x+${fault}`, prompt: PROMPT, stream });
        const text = await response.text();
        assert.ok(!/^data: \[DONE\]$/m.test(text), `${fault} ${stream}`);
        assert.ok(/"error":\s*\{/.test(text), `${fault} ${stream}`);
      }
    }
  });

  test("what was hidden is given back, whole and in a stream", async () => {
    const prompt = `Call ${PHONE}.`;
    const echo = (stream) => post("/v1/complete", { model: "gpt-x+echo", prompt, stream }, masking);
    const response = await echo(false);
    assert.match(response.headers.get("x-sluicegate-redacted") ?? "", /PHONE_CN=1/);
    assert.equal((await response.json()).choices[0].text, prompt);
    const { list, done } = await events(await echo(true));
    assert.equal(list.slice(0, -1).map((piece) => piece.choices[0].text).join(""), prompt);
    assert.ok(done);
  });
});
