// Real SDKs against the scripted upstream, or against whatever BASE_URL or FETCH_MODULE puts in front of it: see setup.mjs.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { expectedAnswer } from "../upstream/index.mjs";
import { aiCompatibleClient, aiDeepSeekClient } from "./ai-sdk.mjs";
import { CHAT, MODELS, tagFor, TOOL_CHAT, WIRE_TOOLS } from "./cases.mjs";
import { langchainDeepSeekClient, langchainOpenAiClient } from "./langchain.mjs";
import { openaiClient, plainCall, plainUsage } from "./openai.mjs";
import { connect } from "./setup.mjs";

const connection = await connect();
after(() => connection.close());

const CLIENTS = [openaiClient, aiCompatibleClient, aiDeepSeekClient, langchainOpenAiClient, langchainDeepSeekClient];

for (const create of CLIENTS) {
  const client = create(connection);
  describe(client.name, () => suite(client));
}

function suite(client) {
  for (const way of ["unary", "stream"]) {
    test(`${way}: text, finish and usage arrive as the model gave them`, async () => {
      const got = await client[way](MODELS.chat, CHAT);
      const expected = plain({ model: MODELS.chat, messages: CHAT });
      assert.equal(got.text, expected.text);
      assert.equal(got.finish, "stop");
      assert.ok(expected.usage.cached > 0);
      assert.deepEqual({ ...got.usage, reasoning: got.usage.reasoning ?? 0 }, await readable(client, expected.usage));
    });

    test(`${way}: reasoning and its token count stay apart from the text`, async () => {
      const got = await client[way](MODELS.reasoning, CHAT);
      const expected = plain({ model: MODELS.reasoning, messages: CHAT });
      assert.equal(got.text, expected.text);
      assert.equal(got.reasoning, expected.reasoning);
      assert.ok(expected.usage.reasoning > 0);
      assert.deepEqual(got.usage, await readable(client, expected.usage));
    });

    test(`${way}: characters that are cut apart on the wire come out whole`, async () => {
      const got = await client[way](MODELS.utf8, CHAT);
      assert.equal(got.text, plain({ model: MODELS.utf8, messages: CHAT }).text);
    });

    test(`${way}: parallel tool calls keep their ids, names and arguments`, async () => {
      const got = await client[way](MODELS.reasoning, TOOL_CHAT, { tools: true });
      const expected = plain({ model: MODELS.reasoning, messages: TOOL_CHAT, tools: WIRE_TOOLS });
      assert.equal(expected.calls.length, 2);
      assert.deepEqual(got.calls, expected.calls);
      assert.equal(got.finish, "tool_calls");
    });

    test(`${way}: a refusal is the SDK's typed error with status and message`, async () => {
      for (const [model, status, words] of [[MODELS.overflow, 400, /maximum context length/], [MODELS.limited, 429, /Rate limit/]]) {
        const error = await failure(client[way](model, CHAT));
        assert.ok(client.isTyped(error), `${error?.stack}`);
        assert.equal(client.statusOf(error), status);
        assert.match(error.message, connection.gated ? /\w{3}/ : words);
      }
    });
  }

  test("a tool's result goes back and is answered", async () => {
    const text = await client.roundTrip(MODELS.chat, TOOL_CHAT, (name) => `${name} says 22 °C`);
    assert.match(text, /clock says 22 °C/);
  });

  test("the SDK's own retry gets the answer after one refusal", async () => {
    const messages = [{ role: "user", content: `retry ${tagFor(client.name)}` }];
    const got = await client.unary(MODELS.onceLimited, messages, { maxRetries: 2 });
    assert.equal(got.text, plain({ model: MODELS.onceLimited, messages }).text);
  });

  test("an abort in the middle of a stream reaches the upstream", async () => {
    const tag = tagFor(client.name);
    const controller = new AbortController();
    let seen = 0;
    const onText = () => {
      seen += 1;
      if (seen === 3) controller.abort();
    };
    // Some SDKs throw on an abort and some just end: both will do.
    const ended = client.stream(MODELS.endless, [{ role: "user", content: `abort ${tag}` }], { signal: controller.signal, onText }).catch(() => {});
    const record = await connection.request(tag, (found) => found.aborted);
    await ended;
    assert.ok(seen >= 3);
    assert.equal(record?.aborted, true);
  });

  const breaks = { "an error inside the stream": MODELS.errorInStream, "a stream that is cut": MODELS.cut };
  // SDKs alone take a clean end without a finish for a success; nothing that stands in front of the upstream may let that pass.
  if (connection.gated) breaks["a stream that ends without a finish"] = MODELS.eof;
  for (const [what, model] of Object.entries(breaks)) {
    test(`${what} is thrown, not taken for the end`, async () => {
      const error = await failure(client.stream(model, CHAT));
      assert.ok(error instanceof Error || typeof error?.message === "string", `${JSON.stringify(error)}`);
      assert.match(error.message, /\w{3}/);
    });
  }
}

function plain(body) {
  const { text, reasoning, tool_calls, usage } = expectedAnswer(body);
  return { text, reasoning, calls: tool_calls.map(plainCall), usage: plainUsage(usage) };
}

/** The usage as far as the client reads it: hits are in DeepSeek's own field only where the upstream spoke its dialect. */
async function readable(client, usage) {
  if (!client.readsOnlyHits) return usage;
  const { dialect } = (await connection.requests()).at(-1);
  return dialect === "openai" ? { ...usage, cached: 0 } : usage;
}

async function failure(promise) {
  const outcome = await promise.then((value) => ({ value }), (error) => ({ error }));
  if ("value" in outcome) assert.fail(`succeeded with ${JSON.stringify(outcome.value).slice(0, 300)}`);
  return outcome.error;
}
