// The openai packages for Node and for Python with virtual keys of the gate: what counts, and the typed errors of what does not.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import OpenAI, { AuthenticationError, PermissionDeniedError, RateLimitError } from "openai";
import { startUpstream } from "../upstream/index.mjs";
import { admin, exchange, makeKey, startAccess } from "../worker/access.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const MESSAGES = [{ role: "user", content: "Hello" }];
const DAILY = { limits: { requests_per_day: 1 } };

let upstream;
let gate;
let credentials;

before(async () => {
  upstream = await startUpstream();
  gate = await startAccess(upstream, { models: ["scripted-chat", "scripted-r1"] });
  const made = async (settings) => (await makeKey(gate.url, settings)).key;
  const disabled = await makeKey(gate.url, { role: "developer" });
  await admin(gate.url, "POST", `/admin/keys/${disabled.id}/disable`);
  const KEY = await made({ role: "developer" });
  credentials = {
    KEY,
    TOKEN: await exchange(gate.url, KEY),
    DISABLED: disabled.key,
    NARROW: await made({ role: "developer", models: ["scripted-c*"] }),
    AUDITOR: await made({ role: "auditor" }),
    LIMITED: await made({ role: "developer", ...DAILY }),
    LIMITED_TOO: await made({ role: "developer", ...DAILY }),
  };
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

const client = (apiKey) => new OpenAI({ baseURL: `${gate.url}/v1`, apiKey, maxRetries: 0 });
const ask = (apiKey, body) => client(apiKey).chat.completions.create({ model: "scripted-chat", messages: MESSAGES, ...body });

test("openai for Node with a key, and with a token in its place", async () => {
  for (const name of ["KEY", "TOKEN"]) {
    const models = [];
    for await (const model of client(credentials[name]).models.list()) models.push(model.id);
    assert.deepEqual(models.sort(), ["scripted-chat", "scripted-r1"]);
    assert.equal((await ask(credentials[name])).choices[0].finish_reason, "stop");
    let finish;
    for await (const chunk of await ask(credentials[name], { stream: true })) finish = chunk.choices[0]?.finish_reason ?? finish;
    assert.equal(finish, "stop");
  }
});

test("openai for Node gets the error of the right class", async () => {
  const is = (type, status, code) => (error) => error instanceof type && error.status === status && error.code === code;
  await assert.rejects(ask("sgk_live_wrong"), is(AuthenticationError, 401, "unauthorized"));
  await assert.rejects(ask(credentials.DISABLED), is(AuthenticationError, 401, "unauthorized"));
  await assert.rejects(ask(credentials.NARROW, { model: "scripted-r1" }), is(PermissionDeniedError, 403, "forbidden"));
  await assert.rejects(ask(credentials.AUDITOR), is(PermissionDeniedError, 403, "forbidden"));
  assert.ok(await ask(credentials.LIMITED_TOO));
  await assert.rejects(ask(credentials.LIMITED_TOO), is(RateLimitError, 429, "rate_limit_exceeded"));
});

test("a key that is limited to some models lists those alone", async () => {
  const models = [];
  for await (const model of client(credentials.NARROW).models.list()) models.push(model.id);
  assert.deepEqual(models, ["scripted-chat"]);
  await assert.rejects(client(credentials.NARROW).models.retrieve("scripted-r1"), PermissionDeniedError);
});

const python = process.env.SLUICEGATE_PYTHON;
test("openai for Python with a key, a token, and what does not count", { timeout: 120_000, skip: python ? false : "no Python 3 on this machine" }, async () => {
  const child = spawn(python, [join(here, "python/keys.py")], { env: { ...process.env, ...credentials, BASE_URL: `${gate.url}/v1` }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  assert.equal(code, 0, output);
  assert.match(output, /all as it should be/);
});
