// The guides' programs in Python, against the Worker in workerd and as `wrangler dev` runs it: what they print is what they got.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { expectedAnswer, startUpstream } from "../upstream/index.mjs";
import { startGate } from "../worker/gate.mjs";
import { startWrangler } from "../worker/wrangler.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const python = process.env.SLUICEGATE_PYTHON;
const skip = python ? false : "no Python 3 on this machine";
const ADMIN_KEY = "an-administrator-for-tests-only";
const SECRETS = { ADMIN_KEY, ROOT_SECRET: "0123456789abcdef".repeat(4) };
const MODELS = ["r1", "deepseek-r1", "deepseek-r1-multimodal", "deepseek-r1+status-500"];

/** What the upstream says to a prompt. */
function answerTo(model, prompt, parameters = {}) {
  return expectedAnswer({ model, messages: [{ role: "user", content: prompt }], ...parameters });
}

const PLACES = {
  "workerd": async (settings) => {
    const gate = await startGate({ ...settings, db: true, datasets: true });
    return { url: gate.url, stop: gate.stop };
  },
  "wrangler dev": startWrangler,
};

for (const [place, start] of Object.entries(PLACES)) {
  describe(`against ${place}`, { skip }, () => {
    let upstream;
    let gate;

    before(async () => {
      upstream = await startUpstream();
      gate = await start({
        config: {
          upstreams: [{ name: "scripted", dialect: "openai", base_url: upstream.url, models: MODELS, scripted: true }],
          access: { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY", anonymous: { endpoints: ["batch", "stream"] } },
          // What breaks on purpose is not to close the way for what follows.
          recovery: { retry: { attempts: 1 } },
          development: true,
        },
        secrets: SECRETS,
      });
    });

    after(async () => {
      await gate?.stop();
      await upstream?.close();
    });

    /** A key of the gate's own making, for programs that were written for the guides. */
    async function keyFor(name) {
      const response = await fetch(`${gate.url}/admin/keys`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ name, role: "developer", guide_compatible: true }),
      });
      assert.equal(response.status, 201, await response.clone().text());
      return response.json();
    }

    /** Runs a program; gives what it printed, by step. */
    async function runs(program) {
      const { key, secret } = await keyFor(program);
      const child = spawn(python, [join(here, "python", program)], {
        env: { ...process.env, HOST: new URL(gate.url).host, API_KEY: key, API_SECRET: secret, PYTHONWARNINGS: "error" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [output, errors] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
      child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
      const [code] = await once(child, "close");
      assert.equal(code, 0, `${output}\n${errors}`);
      const steps = new Map();
      for (const line of output.trim().split("\n")) {
        const { step, ...found } = JSON.parse(line);
        steps.set(step, found);
      }
      return steps;
    }

    test("guide A's program gets what it asked for", { timeout: 120_000 }, async () => {
      const got = await runs("guide_a.py");
      for (const step of ["complete", "complete with the key itself"]) {
        const { answer } = got.get(step);
        const { text } = answerTo(answer.model, "Name one river.");
        assert.equal(answer.choices[0].text, text, step);
        assert.equal(answer.choices[0].finish_reason, "stop");
        assert.ok(answer.usage.total_tokens > 0);
      }
      const [edited, unknown] = [got.get("an edited token"), got.get("an unknown key")];
      assert.equal(edited.status, 401);
      assert.deepEqual(edited, unknown);

      const { statuses, is_open } = got.get("breaker");
      assert.deepEqual(statuses.filter((status) => status >= 500).length, 5);
      assert.ok(is_open);

      const { text, finish_reason, messages, usage } = got.get("stream");
      assert.equal(text, answerTo("deepseek-r1", "Why is the sky blue?").text);
      assert.equal(finish_reason, "stop");
      assert.ok(messages > 3 && usage.completion_tokens > 0);
      assert.deepEqual(got.get("stream, asyncio").answers, ["First: one?", "Second: two?"].map((prompt) => answerTo("deepseek-r1", prompt).text));

      const { answers } = got.get("batch");
      assert.equal(answers.length, 32);
      for (const [number, answer] of answers.entries()) {
        assert.equal(answer.choices[0].text, answerTo(answer.model, `Question number ${number}: what is it?`).text, `prompt ${number}`);
      }
      const { status, error } = got.get("batch of 33");
      assert.deepEqual([status, error.code, error.param], [400, "invalid_request", "prompts"]);

      assert.match(got.get("dataset").dataset_id, /^ds_/);
      const seen = upstream.requests.findLast(({ model }) => model === "deepseek-r1-multimodal");
      const { content } = seen.body.messages.at(-1);
      assert.deepEqual(content.map(({ type }) => type), ["text", "image_url"]);
      assert.match(content[1].image_url.url, /^data:image\/png;base64,iVBOR/);
      assert.equal(got.get("multimodal").answer.choices[0].finish_reason, "stop");
    });

    test("guide B's program gets what it asked for", { timeout: 120_000 }, async () => {
      upstream.reset();
      const got = await runs("guide_b.py");
      assert.deepEqual(got.get("token"), { type: "Bearer", expires_in: 86_400, parts: 3 });
      const shape = ({ id, object, created, model, choices, usage }) => {
        assert.match(id, /^infer-/);
        assert.equal(object, "text_completion");
        assert.ok(Math.abs(created - Date.now() / 1_000) < 120);
        assert.equal(model, "r1");
        assert.deepEqual(Object.keys(choices[0]).filter((name) => name !== "reasoning_content").sort(), ["finish_reason", "index", "logprobs", "text"]);
        if (usage) assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
      };
      const { answer } = got.get("infer");
      shape(answer);
      assert.equal(answer.choices[0].text, answerTo("r1", "Explain tides in one sentence.", { max_tokens: 2048 }).text);
      const parameters = got.get("infer with parameters").answer;
      shape(parameters);
      assert.equal(parameters.choices[0].text, answerTo("r1", "Explain tides in one sentence.", { max_tokens: 512, stop: ["\n\n"] }).text);
      const sent = upstream.requests.filter(({ model }) => model === "r1").map(({ body }) => [body.temperature, body.max_tokens, body.top_p]);
      assert.deepEqual(sent.slice(0, 2), [[0.7, 2048, 0.9], [0.3, 512, 0.85]]);

      const streamed = got.get("infer, streamed");
      shape(streamed.first);
      assert.match(streamed.type, /^text\/event-stream/);
      assert.equal(streamed.text, answerTo("r1", "解释潮汐。", { max_tokens: 2048 }).text);
      assert.deepEqual([streamed.finish, streamed.usage.length, streamed.done], [["stop"], 1, true]);

      const { status } = got.get("status");
      assert.equal(status.model ?? status.id, "r1");
      assert.ok(status.reachable === true || status.status === "available" || status.status === "ready", JSON.stringify(status));

      const refused = ["a temperature out of range", "an empty prompt"].map((step) => got.get(step));
      assert.deepEqual(refused.map(({ status: code, error }) => [code, error.code, error.param]), [
        [400, "invalid_request", "temperature"],
        [400, "invalid_request", "prompt"],
      ]);
      const wrong = got.get("a wrong token");
      assert.deepEqual([wrong.status, wrong.error.code], [401, "unauthorized"]);
    });
  });
}
