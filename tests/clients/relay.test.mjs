// The SDKs of OpenAI and of Anthropic for everything that is no completion: through the built Worker, which has a key for the upstream.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { APIError, toFile } from "openai";
import { startUpstream } from "../upstream/index.mjs";
import { soundOf, spokenAnswer, transcriptOf, vectorOf } from "../upstream/relay.mjs";
import { startGate } from "../worker/gate.mjs";

const KEY = "sk-upstream-0123456789";
const QUESTION = "Count to three, please.";
let upstream;
let gate;
let openai;
let anthropic;

before(async () => {
  upstream = await startUpstream({ key: KEY });
  gate = await startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"], secret: "KEY" }],
      callers: { credentials: "ignore" },
      recovery: { retry: { first_ms: 10, cap_ms: 20 } },
      development: true,
      log: "off",
    },
    secrets: { KEY },
  });
  openai = new OpenAI({ baseURL: `${gate.url}/v1`, apiKey: "callers-own", maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gate.url, apiKey: "callers-own", maxRetries: 0 });
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

/** What a call fails with. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}

describe("openai", () => {
  test("embeddings, which the SDK asks for in Base64 and decodes", async () => {
    const { data, usage } = await openai.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] });
    assert.equal(upstream.requests.at(-1).body.encoding_format, "base64");
    assert.deepEqual(data.map(({ embedding }) => [...embedding]), [vectorOf("one"), vectorOf("two")]);
    assert.equal(usage.prompt_tokens, 2);
  });

  test("images", async () => {
    const { data } = await openai.images.generate({ model: "dall-e-3", prompt: "a cat", n: 2 });
    assert.equal(data.length, 2);
    assert.match(data[0].url, /^https:/);
    const types = [];
    for await (const event of await openai.images.generate({ model: "gpt-image-1", prompt: "a cat", stream: true })) types.push(event.type);
    assert.deepEqual(types, ["image_generation.partial_image", "image_generation.completed"]);
  });

  test("speech, byte for byte, and as events", async () => {
    const response = await openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hello" });
    assert.equal(response.headers.get("content-type"), "audio/mpeg");
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), soundOf("Hello"));
    const events = await openai.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hello", stream_format: "sse" });
    assert.match(await events.text(), /speech\.audio\.done/);
  });

  test("transcriptions and translations of a file, whole, as text, and streamed", async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251));
    const file = () => toFile(bytes, "声音.wav", { type: "audio/wav" });
    const said = await openai.audio.transcriptions.create({ model: "whisper-1", file: await file(), language: "zh" });
    assert.equal(said.text, transcriptOf(bytes));
    assert.equal(upstream.requests.at(-1).body.language, "zh");
    assert.equal(await openai.audio.translations.create({ model: "whisper-1", file: await file(), response_format: "text" }), `${transcriptOf(bytes)}\n`);
    let text = "";
    for await (const event of await openai.audio.transcriptions.create({ model: "gpt-4o-transcribe", file: await file(), stream: true })) {
      if (event.type === "transcript.text.delta") text += event.delta;
    }
    assert.equal(text, transcriptOf(bytes));
  });

  test("responses, whole and streamed", async () => {
    const body = { model: "gpt-scripted", input: QUESTION };
    const whole = await openai.responses.create(body);
    assert.deepEqual([whole.output_text, whole.usage.total_tokens], [spokenAnswer("responses", body), 123]);
    const stream = openai.responses.stream(body);
    let text = "";
    stream.on("response.output_text.delta", ({ delta }) => (text += delta));
    const last = await stream.finalResponse();
    assert.deepEqual([text, last.status], [spokenAnswer("responses", body), "completed"]);
  });

  test("a streamed response that breaks off before a word is begun anew, behind one it is thrown", async () => {
    const body = { input: QUESTION };
    const again = await openai.responses.stream({ model: `gpt-cut-3-once`, ...body }).finalResponse();
    assert.equal(again.status, "completed");
    for (const fault of ["cut-7", "eof-7"]) {
      const error = await failure(async () => {
        for await (const event of await openai.responses.create({ model: `gpt-${fault}`, stream: true, ...body })) void event;
      });
      assert.ok(error instanceof APIError, `${fault}: ${error}`);
      assert.equal(error.code, "truncated");
    }
  });

  test("what no upstream has is a typed error", async () => {
    const few = await startGate({
      config: { upstreams: [{ name: "few", dialect: "deepseek", base_url: upstream.url, models: ["*"], secret: "KEY" }], callers: { credentials: "ignore" }, development: true, log: "off" },
      secrets: { KEY },
    });
    try {
      const client = new OpenAI({ baseURL: `${few.url}/v1`, apiKey: "x" });
      const error = await failure(() => client.embeddings.create({ model: "m", input: "x" }));
      assert.ok(error instanceof APIError);
      assert.deepEqual([error.status, error.code], [501, "not_supported"]);
    } finally {
      await few.stop();
    }
  });
});

describe("@anthropic-ai/sdk", () => {
  const body = { model: "claude-scripted", max_tokens: 64, messages: [{ role: "user", content: QUESTION }] };

  test("messages, whole and streamed; the gate's key goes up, the caller's does not", async () => {
    const whole = await anthropic.messages.create(body);
    assert.deepEqual([whole.content[0].text, whole.stop_reason, whole.usage.output_tokens], [spokenAnswer("messages", body), "end_turn", 15]);
    const { headers } = upstream.requests.at(-1);
    assert.equal(headers["x-api-key"], KEY);
    assert.match(headers["anthropic-version"], /^\d{4}-\d\d-\d\d$/);
    const stream = anthropic.messages.stream(body);
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const last = await stream.finalMessage();
    assert.deepEqual([text, last.content[0].text, last.usage.input_tokens, last.usage.output_tokens], [spokenAnswer("messages", body), text, 25, 15]);
  });

  test("a stream that breaks off before a word is begun anew, behind one it is thrown", async () => {
    for (const fault of ["cut-3-once", "eof-2-once", "error-in-stream-2-once"]) {
      const last = await anthropic.messages.stream({ ...body, model: `claude-${fault}` }).finalMessage();
      assert.equal(last.content[0].text, spokenAnswer("messages", body), fault);
    }
    for (const [fault, code] of [["cut-5", "truncated"], ["eof-5", "truncated"], ["error-in-stream-5", "overloaded"]]) {
      const error = await failure(() => anthropic.messages.stream({ ...body, model: `claude-${fault}` }).finalMessage());
      assert.ok(error instanceof Anthropic.APIError, `${fault}: ${error}`);
      assert.equal(error.error.error.code, code);
    }
  });

  test("refusals are the SDK's typed errors", async () => {
    for (const [fault, type, status] of [["status-429-retry-700", Anthropic.RateLimitError, 429], ["status-400", Anthropic.BadRequestError, 400]]) {
      const error = await failure(() => anthropic.messages.create({ ...body, model: `claude-${fault}` }));
      assert.ok(error instanceof type, `${fault}: ${error}`);
      assert.equal(error.status, status);
    }
  });
});
