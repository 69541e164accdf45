// Clients that people use, unchanged, through a Worker that redacts: they send and get plain text, the upstream gets none of what is
// private. Then two judges by other people: canarywire, which attacks a gateway between itself and itself, and chunk-invariance.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { assertNowhere } from "../worker/canary.mjs";
import { startGate } from "../worker/gate.mjs";
import { aiCompatibleClient } from "./ai-sdk.mjs";
import { WIRE_TOOLS } from "./cases.mjs";
import { langchainOpenAiClient } from "./langchain.mjs";
import { openaiClient } from "./openai.mjs";

const here = dirname(fileURLToPath(import.meta.url));
/** Nobody's: written by hand. */
const CANARIES = { phone: "13812345678", second: "15998765432" };
const TEXT = `请联系 ${CANARIES.phone}，或者 ${CANARIES.second}；再次：${CANARIES.phone}`;
const MODEL = "scripted-chat+echo";

/** Runs `work` with a Worker that redacts, before a scripted upstream. */
async function beforeScripted(redaction, work) {
  const upstream = await startUpstream({ dialect: "openai" });
  try {
    await before(upstream.url, redaction, (gate) => work(gate, upstream));
  } finally {
    await upstream.close();
  }
}

/** Runs `work` with a Worker that redacts before an upstream at `url`. */
async function before(url, redaction, work) {
  const gate = await startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: url, models: ["*"] }],
      callers: { credentials: "ignore" },
      redaction: { secret: "REDACTION_KEY", ...redaction },
      development: true,
    },
    secrets: { REDACTION_KEY: "a secret of the tests, of 32 characters or more" },
  });
  try {
    return await work(gate);
  } finally {
    await gate.stop();
  }
}

for (const create of [openaiClient, aiCompatibleClient, langchainOpenAiClient]) {
  test(`${create.name}: text, usage and tool calls are as without a gate, and the upstream has seen nothing`, { timeout: 30_000 }, async () => {
    await beforeScripted({ restore: { tool_arguments: true } }, async (gate, upstream) => {
      const client = create({ baseUrl: `${gate.url}/v1`, apiKey: "unused" });
      for (const way of ["unary", "stream"]) {
        const messages = [{ role: "user", content: TEXT }];
        const got = await client[way](MODEL, messages);
        assert.deepEqual([got.text, got.finish], [TEXT, "stop"], way);
        const { usage } = expectedAnswer(upstream.journal.at(-1).body);
        assert.equal(got.usage.completion, usage.completion_tokens, way);
        const asked = `Use the tool for ${CANARIES.phone}.`;
        const called = await client[way](MODEL, [{ role: "user", content: asked }], { tools: true });
        const plain = expectedAnswer({ model: MODEL, messages: [{ role: "user", content: asked }], tools: WIRE_TOOLS });
        assert.deepEqual(called.calls.map(({ name, arguments: given }) => [name, given]), plain.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]), way);
      }
      await assertNowhere(CANARIES, { gates: [gate], upstreams: [upstream] });
    });
  });
}

const python = process.env.SLUICEGATE_PYTHON;
const withPython = { timeout: 180_000, skip: python ? false : "no Python 3 on this machine" };

/** Runs a Python program to its end; gives its code and output. */
async function ran(args, env = {}, cwd = here) {
  const child = spawn(python, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { code, output };
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

test("openai for Python: the same", withPython, async () => {
  await beforeScripted({}, async (gate, upstream) => {
    const { code, output } = await ran([join(here, "python/redaction.py")], { BASE_URL: `${gate.url}/v1`, EXPECTED: JSON.stringify({ model: MODEL, text: TEXT }) });
    assert.equal(code, 0, output);
    assert.match(output, /2 calls were whole/);
    await assertNowhere(CANARIES, { gates: [gate], upstreams: [upstream] });
  });
});

test("chunk-invariance: the pieces of an upstream's answer make no difference to what is given back or hidden", withPython, async () => {
  const port = await freePort();
  const texts = [
    { says: "号码是{0}，另一个 {1}。", becomes: `号码是${CANARIES.phone}，另一个 ${CANARIES.second}。` },
    { says: "**{0}** and `{1}`, not ⟦手机号9·zzzz⟧", becomes: `**${CANARIES.phone}** and \`${CANARIES.second}\`, not ⟦手机号9·zzzz⟧` },
    { says: "新号码 18600001234 与{0}", becomes: `新号码 ***手机号*** 与${CANARIES.phone}` },
  ];
  await before(`http://127.0.0.1:${port}/v1`, { answers: "mask" }, async (gate) => {
    const { code, output } = await ran([join(here, "python/chunks.py")], { BASE_URL: `${gate.url}/v1`, PORT: `${port}`, TEXTS: JSON.stringify(texts), PROMPT: TEXT });
    assert.equal(code, 0, output);
    assert.ok(Number(/(\d+) splits/.exec(output)?.[1]) > 60, output);
  });
});

test("canarywire: no canary reaches the upstream, every one comes back, wherever the stream is cut", withPython, async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluicegate-canarywire-"));
  const port = await freePort();
  const capture = `http://127.0.0.1:${port}`;
  const serving = spawn(python, ["-m", "canarywire", "serve", "--listen", `127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let served = "";
  for (const stream of [serving.stdout, serving.stderr]) stream.on("data", (chunk) => (served += chunk));
  try {
    for (let left = 200; ; left -= 1) {
      if (await fetch(capture).then(() => true, () => false)) break;
      assert.ok(left > 0 && serving.exitCode === null, `canarywire does not listen: ${served}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await before(`${capture}/v1`, { packs: ["all", "cn", "us"], restore: { tool_arguments: true } }, async (gate) => {
      await writeFile(join(folder, "canarywire.yaml"), JSON.stringify({ seed: 20261123, capture: { url: capture }, target: { base_url: gate.url } }));
      const { code, output } = await ran(["-m", "canarywire", "run", "--config", "canarywire.yaml", "--out", "out"], {}, folder);
      const report = await readFile(join(folder, "out/report.md"), "utf8").catch(() => "");
      assert.equal(code, 0, `${output}\n${report.slice(0, 6_000)}`);
    });
  } finally {
    serving.kill("SIGTERM");
    if (serving.exitCode === null) await once(serving, "close");
    await rm(folder, { recursive: true, force: true });
  }
});
