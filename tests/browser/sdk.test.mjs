// The package and real SDKs with its fetch, in Chromium, against the scripted upstream behind the page's own origin.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CHAT, MODELS, tagFor, TOOL_CHAT, WIRE_TOOLS } from "../clients/cases.mjs";
import { plainCall, plainUsage } from "../clients/openai.mjs";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { openPage, startChromium } from "./chromium.mjs";
import { serve } from "./serve.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "sluicegate-browser-"));
after(() => rm(folder, { recursive: true, force: true }));
await build({ entryPoints: [join(here, "sdk/main.js")], bundle: true, format: "esm", platform: "browser", target: "es2022", outdir: folder, logLevel: "error" });
await cp(join(here, "sdk/index.html"), join(folder, "index.html"));
await cp(join(here, "../../dist/npm/sluicegate.wasm"), join(folder, "sluicegate.wasm"));
const upstream = await startUpstream();
after(() => upstream.close());
const server = await serve(folder, upstream.url);
after(() => server.close());
const { context, close } = await startChromium();
after(close);
const { page, errors } = await openPage(context, server.url);
await page.waitForFunction(() => globalThis.isReady, undefined, { timeout: 20_000 }).catch(() => assert.fail(errors.join("\n")));

const call = (name, ...args) => page.evaluate(([name, args]) => globalThis[name](...args.map((arg) => arg ?? undefined)), [name, args]);

/** Whether the upstream sees, within a second, a request with this word of which `holds` is true. */
async function seen(tag, holds = () => true) {
  for (const end = Date.now() + 1000; Date.now() < end; await sleep(5)) {
    if (upstream.requests.some((request) => JSON.stringify(request.body).includes(tag) && holds(request))) return true;
  }
  return false;
}

const aborted = (tag) => seen(tag, (request) => request.aborted);

function plain(body) {
  const { text, reasoning, tool_calls, usage } = expectedAnswer(body);
  return { text, reasoning, calls: tool_calls.map(plainCall), usage: plainUsage(usage) };
}

for (const client of ["openaiClient", "aiCompatibleClient", "langchainOpenAiClient"]) {
  describe(client, () => {
    for (const way of ["unary", "stream"]) {
      test(`${way}: text, reasoning and usage arrive as the model gave them`, async () => {
        const { value, error } = await call("callClient", client, way, MODELS.reasoning, CHAT);
        assert.equal(error, undefined);
        const expected = plain({ model: MODELS.reasoning, messages: CHAT });
        assert.deepEqual([value.text, value.reasoning, value.usage, value.finish], [expected.text, expected.reasoning, expected.usage, "stop"]);
      });

      test(`${way}: parallel tool calls keep their ids, names and arguments`, async () => {
        const { value, error } = await call("callClient", client, way, MODELS.reasoning, TOOL_CHAT, { tools: true });
        assert.equal(error, undefined);
        assert.deepEqual(value.calls, plain({ model: MODELS.reasoning, messages: TOOL_CHAT, tools: WIRE_TOOLS }).calls);
      });
    }

    test("an abort in the middle of a stream reaches the upstream within a second", async () => {
      const tag = tagFor(client);
      await call("callClient", client, "stream", MODELS.endless, [{ role: "user", content: tag }], {}, 3);
      assert.ok(await aborted(tag));
    });

    for (const model of [MODELS.errorInStream, MODELS.cut, MODELS.eof]) {
      test(`${model} is thrown, not taken for the end`, async () => {
        const { error } = await call("callClient", client, "stream", model, CHAT);
        assert.match(error?.message ?? "", /\w{3}/);
      });
    }
  });
}

describe("the gate itself", () => {
  test("streams reasoning and text", async () => {
    const { value } = await call("callGate", { model: MODELS.utf8, messages: CHAT });
    const expected = expectedAnswer({ model: MODELS.utf8, messages: CHAT });
    assert.deepEqual(value, { text: expected.text, reasoning: expected.reasoning, outcome: "complete" });
  });

  test("ends broken, refused and redirected calls with the same codes as in Node", async () => {
    const rows = { "cut-5": "truncated", "eof-5": "truncated", "status-503": "overloaded", redirect: "protocol", reset: "network", "html-524": "timeout_first_token", "empty-stop": "empty" };
    for (const [name, code] of Object.entries(rows)) {
      const { error } = await call("callGate", { model: `scripted-chat+${name}`, messages: CHAT });
      assert.equal(error?.code, code, name);
    }
  });

  test("cancels the upstream within a second when the loop is left, and when the page is closed", async () => {
    const tag = tagFor("leave");
    await call("callGate", { model: MODELS.endless, messages: [{ role: "user", content: tag }] }, 3);
    assert.ok(await aborted(tag));
    const other = await openPage(context, server.url);
    await other.page.waitForFunction(() => globalThis.isReady);
    const second = tagFor("close");
    await other.page.evaluate((request) => void globalThis.callGate(request), { model: MODELS.endless, messages: [{ role: "user", content: second }] });
    assert.ok(await seen(second));
    await other.page.close();
    assert.ok(await aborted(second));
  });

  test("answers fetch, lists models and counts", async () => {
    const before = (await call("gateUsage")).calls;
    const { value } = await call("fetchGate", "/v1/chat/completions", { model: "scripted-chat+cut-9", stream: true, messages: CHAT });
    assert.equal(value.status, 200);
    assert.match(value.text, /"code":"truncated"/);
    const refused = await call("fetchGate", "/v1/chat/completions", { messages: 5 });
    assert.equal(refused.value.status, 400);
    assert.ok((await call("listModels")).value.length > 0);
    assert.equal((await call("gateUsage")).calls, before + 2);
  });
});

test("the page reported no error of its own", () => {
  // The browser itself reports answers with a status of failure, and connections that broke.
  assert.deepEqual(errors.filter((error) => !/Failed to load resource|net::ERR_/.test(error)), []);
});
