// The clients that people use, unchanged and with their own retries off, through a Worker whose primary fails: they notice nothing of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { startGate } from "../worker/gate.mjs";
import { aiCompatibleClient } from "./ai-sdk.mjs";
import { langchainOpenAiClient } from "./langchain.mjs";
import { openaiClient } from "./openai.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const MESSAGES = [{ role: "user", content: "Hello, 门 and 🙂." }];
/** What is asked for, what both upstreams answer, and what the primary does about it; then [primary's, fallback's] requests of a stream and of a whole answer. */
const RECOVERIES = {
  limited: { answer: "scripted-chat", primary: "status-429-retryms-50-first-of-2", stream: [2, 0], unary: [2, 0] },
  cut: { answer: "scripted-chat+numbered-60", primary: "cut-40-first-of-2", stream: [2, 0] },
  dead: { answer: "scripted-chat+numbered-12", primary: "status-503", stream: [2, 1], unary: [2, 1] },
};
const wanted = ({ answer }) => expectedAnswer({ model: answer, messages: MESSAGES });

/** Runs `work` with the address of a Worker over two upstreams; then both must have got what the calls of `ways` lead to. */
async function through(ways, work) {
  const servers = [await startUpstream(), await startUpstream()];
  const models = (isPrimary) => Object.entries(RECOVERIES).map(([id, { answer, primary }]) => ({ id, upstream_id: isPrimary ? `${answer}+${primary}` : answer }));
  const upstreams = servers.map(({ url }, at) => ({ name: ["primary", "fallback"][at], dialect: "openai", base_url: url, models: models(at === 0) }));
  const gate = await startGate({ config: { upstreams, recovery: { retry: { first_ms: 20 }, breaker: false }, callers: { credentials: "ignore" }, development: true, log: "off" } });
  try {
    await work(`${gate.url}/v1`);
    for (const [id, recovery] of Object.entries(RECOVERIES)) {
      const names = [`${recovery.answer}+${recovery.primary}`, recovery.answer];
      const made = servers.map(({ journal }, at) => journal.filter(({ method, model }) => method === "POST" && model === names[at]).length);
      const sum = [0, 1].map((at) => ways.reduce((all, way) => all + (recovery[way]?.[at] ?? 0), 0));
      assert.deepEqual(made, sum, `what the upstreams saw of ${id}`);
    }
  } finally {
    await gate.stop();
    await Promise.all(servers.map((server) => server.close()));
  }
}

for (const create of [openaiClient, aiCompatibleClient, langchainOpenAiClient]) {
  test(`${create.name}: a rate limit, a cut and a dead primary are recovered from`, { timeout: 30_000 }, async () => {
    await through(["stream", "unary"], async (baseUrl) => {
      const client = create({ baseUrl, apiKey: "unused" });
      for (const [id, recovery] of Object.entries(RECOVERIES)) {
        for (const way of ["stream", "unary"].filter((way) => recovery[way])) {
          const got = await client[way](id, MESSAGES);
          const { text, usage } = wanted(recovery);
          assert.deepEqual([got.text, got.finish], [text, "stop"], `${id}, ${way}`);
          // That of the answer. Of one in two parts it is what the second says: a stream that breaks tells none.
          if (id === "cut") assert.ok(got.usage.completion > 0 && got.usage.completion < usage.completion_tokens);
          else assert.equal(got.usage.completion, usage.completion_tokens, `${id}, ${way}`);
        }
      }
    });
  });
}

const python = process.env.SLUICEGATE_PYTHON;
test("openai for Python: the same", { timeout: 60_000, skip: python ? false : "no Python 3 on this machine" }, async () => {
  await through(["stream", "unary"], async (baseUrl) => {
    const expected = Object.entries(RECOVERIES).map(([id, recovery]) => ({ id, text: wanted(recovery).text, streams: ["stream", "unary"].filter((way) => recovery[way]).map((way) => way === "stream") }));
    const child = spawn(python, [join(here, "python/recovery.py")], { env: { ...process.env, BASE_URL: baseUrl, EXPECTED: JSON.stringify({ messages: MESSAGES, calls: expected }) }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const [code] = await once(child, "close");
    assert.equal(code, 0, output);
    assert.match(output, /5 calls were whole/);
  });
});
