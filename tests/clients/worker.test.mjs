// The same suites through the built Worker: what the SDKs get of the upstream with the gate in between.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startUpstream } from "../upstream/index.mjs";
import { startGate } from "../worker/gate.mjs";

const here = dirname(fileURLToPath(import.meta.url));
let upstream;
let gate;

before(async () => {
  upstream = await startUpstream();
  gate = await startGate({
    config: {
      upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: ["*"], scripted: true }],
      callers: { credentials: "ignore" },
      development: true,
      log: "off",
    },
  });
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

/** Runs a suite in a process of its own, against the Worker; its output is shown if it fails. */
async function passes(program, args) {
  // Without it, a node:test below this one would report to this one's runner instead of by its exit code.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  void NODE_TEST_CONTEXT;
  const child = spawn(program, args, {
    env: { ...env, BASE_URL: `${gate.url}/v1`, UPSTREAM_URL: new URL(upstream.url).origin },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  assert.equal(code, 0, output.slice(-20_000));
  const passed = Number(/^. pass (\d+)|Ran (\d+) tests/m.exec(output)?.slice(1).find(Boolean));
  assert.ok(passed > 5, `only ${passed} tests ran`);
}

test("openai, AI SDK and LangChain.js through the Worker", { timeout: 240_000 }, async () => {
  await passes(process.execPath, ["--test", "--test-reporter=spec", join(here, "clients.test.mjs")]);
});

const python = process.env.SLUICEGATE_PYTHON;
test("openai for Python through the Worker", { timeout: 120_000, skip: python ? false : "no Python 3 on this machine" }, async () => {
  await passes(python, ["-m", "unittest", "discover", "-s", join(here, "python")]);
});
