// The Worker as `wrangler dev` runs it from the checked-in wrangler.jsonc, with the page's files.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startUpstream } from "../upstream/index.mjs";
import { ROOT, events } from "./gate.mjs";

let child;
let folder;
let upstream;
let url;
let output = "";

before(async () => {
  upstream = await startUpstream({ dialect: "deepseek" });
  folder = await mkdtemp(join(tmpdir(), "sluicegate-wrangler-"));
  // The configuration as it is, over a page of one file: the real page is tested in a browser.
  await mkdir(join(folder, "worker"), { recursive: true });
  await cp(join(ROOT, "worker/wrangler.jsonc"), join(folder, "worker/wrangler.jsonc"));
  await cp(join(ROOT, "worker/build"), join(folder, "worker/build"), { recursive: true });
  await mkdir(join(folder, "build/www"), { recursive: true });
  await writeFile(join(folder, "build/www/index.html"), "<!doctype html><title>Page</title>");
  await writeFile(join(folder, "build/www/page.js"), "export {};");
  const config = { upstreams: [{ name: "scripted", dialect: "deepseek", base_url: upstream.url, models: ["*"], scripted: true }], development: true };
  await writeFile(join(folder, "vars.env"), `GATE_CONFIG='${JSON.stringify(config)}'\n`);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  child = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules/wrangler/bin/wrangler.js"), "dev", "--config", join(folder, "worker/wrangler.jsonc"), "--env-file", join(folder, "vars.env"),
      "--port", String(port), "--ip", "127.0.0.1", "--show-interactive-dev-session=false", "--persist-to", join(folder, "state"),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" } },
  );
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const until = Date.now() + 60_000;
  while (!(await fetch(`${url}/healthz`).catch(() => null))?.ok) {
    if (Date.now() > until || child.exitCode !== null) throw new Error(`wrangler dev did not start: ${output}`);
    await delay(200);
  }
});

after(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGTERM");
    await Promise.race([new Promise((resolve) => child.once("exit", resolve)), delay(5_000).then(() => child.kill("SIGKILL"))]);
  }
  await upstream?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

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

test("the built Worker offers `fetch` and nothing else to those who bind it", async () => {
  assert.ok(existsSync(join(ROOT, "worker/build/index.js")));
  const built = await readFile(join(ROOT, "worker/build/index.js"), "utf8");
  const methods = [...built.matchAll(/\.prototype\.(\w+)\s*=/g)].map(([, name]) => name).filter((name) => !name.startsWith("__"));
  assert.deepEqual([...new Set(methods)], ["fetch"]);
  const exported = /export\{([^}]*)\};?\s*$/.exec(built)[1].split(",").map((name) => name.split(" as ").at(-1).trim());
  // Durable Objects, which only this Worker reaches, and the worker crate's own data classes, with nothing to call.
  assert.deepEqual(exported.sort(), ["ContainerStartupOptions", "LiveStream", "MinifyConfig", "R2Range", "RouteHealth", "default"]);
});
