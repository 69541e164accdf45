// The Worker as `wrangler dev` runs it from the checked-in wrangler.jsonc, with the page's files.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { ROOT, events } from "./gate.mjs";
import { startWrangler } from "./wrangler.mjs";

const ADMIN_KEY = "an-administrator-for-tests-only";

let gate;
let upstream;
let url;

before(async () => {
  upstream = await startUpstream({ dialect: "deepseek" });
  const config = {
    upstreams: [{ name: "scripted", dialect: "deepseek", base_url: upstream.url, models: ["*"], scripted: true }],
    access: { root: "ROOT_SECRET", bootstrap: "ADMIN_KEY", anonymous: {} },
    development: true,
  };
  gate = await startWrangler({ config, secrets: { ADMIN_KEY, ROOT_SECRET: "0123456789abcdef".repeat(4) } });
  url = gate.url;
});

after(async () => {
  await gate?.stop();
  await upstream?.close();
});

test("the page comes with the headers that keep it to itself", async () => {
  const page = await fetch(`${url}/`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>Page/);
  const policy = page.headers.get("content-security-policy");
  for (const rule of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"]) {
    assert.ok(policy.includes(rule), rule);
  }
  const expected = {
    "cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(page.headers.get(name), value, name);
  assert.match(page.headers.get("permissions-policy"), /camera=\(\)/);
  const script = await fetch(`${url}/page.js`);
  assert.match(script.headers.get("content-type"), /javascript/);
  assert.ok(script.headers.get("content-security-policy"));
});

test("a path without a file is 404 in the API's shape", async () => {
  const response = await fetch(`${url}/nothing.js`);
  assert.equal(response.status, 404);
  assert.equal((await response.json()).error.code, "not_found");
});

test("the page's own origin may use the API", async () => {
  const response = await fetch(`${url}/v1/models`, { headers: { origin: url, "sec-fetch-site": "same-origin" } });
  assert.equal(response.status, 200);
});

test("a stream passes, and a caller who leaves is noticed within a second", async () => {
  const ask = (model, init) => fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hello" }] }),
    ...init,
  });
  const { done, error } = await events(await ask("deepseek-r1"));
  assert.ok(done && !error);
  for (const model of ["deepseek-r1+rate-50+long-2000", "deepseek-r1+stall-3"]) {
    const abort = new AbortController();
    const response = await ask(model, { signal: abort.signal });
    await response.body.getReader().read();
    const seen = upstream.requests.findLast((request) => request.model === model);
    const left = Date.now();
    abort.abort();
    while (!seen.aborted && Date.now() - left < 5_000) await delay(10);
    assert.ok(seen.aborted && Date.now() - left < 1_000, `${model}: after ${Date.now() - left} ms`);
  }
});

test("a stream goes on over another connection, as its objects are set up", async () => {
  const first = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-sluicegate-resume": "1" },
    body: JSON.stringify({ model: "deepseek-r1+rate-100", stream: true, messages: [{ role: "user", content: "Hello" }] }),
  });
  const reader = first.body.getReader();
  await reader.read();
  await reader.cancel();
  const rest = await fetch(`${url}/v1/streams/${first.headers.get("x-sluicegate-stream")}`, { headers: { "last-event-id": "1" } });
  const text = await rest.text();
  assert.equal(/^id: (\d+)$/m.exec(text)[1], "2");
  assert.match(text, /data: \[DONE\]\nid: \d+\n\n$/);
});

test("a key that an administrator makes is kept in the database, and opens the gate", async () => {
  const admin = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const made = await fetch(`${url}/admin/keys`, { method: "POST", headers: admin, body: JSON.stringify({ name: "app", role: "developer" }) });
  assert.equal(made.status, 201);
  const { id, key } = await made.json();
  const list = await (await fetch(`${url}/admin/keys`, { headers: admin })).json();
  assert.deepEqual(list.data.map((record) => record.id), [id]);
  assert.ok(!JSON.stringify(list).includes(key));
  const models = (authorization) => fetch(`${url}/v1/models`, { headers: { authorization } });
  assert.equal((await models(`Bearer ${key}`)).status, 200);
  assert.equal((await models(`Bearer ${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`)).status, 401);
});

test("a refusal that left its request's body unread does not cost the next caller anything", async () => {
  const post = async (key) => (await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "deepseek-flash", messages: [{ role: "user", content: "Hello" }] }),
  })).status;
  const statuses = [];
  for (let at = 0; at < 12; at += 1) statuses.push(await post("wrong"), await post(ADMIN_KEY));
  assert.deepEqual([...new Set(statuses.filter((_, at) => at % 2))], [200]);
  assert.deepEqual([...new Set(statuses.filter((_, at) => at % 2 === 0))], [401]);
});

test("the built Worker offers `fetch` and nothing else to those who bind it", async () => {
  assert.ok(existsSync(join(ROOT, "worker/build/index.js")));
  const built = await readFile(join(ROOT, "worker/build/index.js"), "utf8");
  const methods = [...built.matchAll(/\.prototype\.(\w+)\s*=/g)].map(([, name]) => name).filter((name) => !name.startsWith("__"));
  assert.deepEqual([...new Set(methods)], ["fetch"]);
  const exported = /export\{([^}]*)\};?\s*$/.exec(built)[1].split(",").map((name) => name.split(" as ").at(-1).trim());
  // Durable Objects, which only this Worker reaches, and the worker crate's own data classes, with nothing to call.
  assert.deepEqual(exported.sort(), ["ContainerStartupOptions", "KeyLimits", "LiveStream", "MinifyConfig", "R2Range", "RouteHealth", "Socket", "default"]);
});
