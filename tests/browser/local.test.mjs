// A real model in Chromium: wllama (llama.cpp in wasm) with SmolLM2-135M behind the package's adapter, most of it with the network off. What
// the model says is not looked at, but how it comes.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { cp, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { localModel } from "../../scripts/lib.mjs";
import { openPage, startChromium } from "./chromium.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".wasm": "application/wasm" };
// What a page has to allow at least, and no more. Isolated, as threads need it.
const HEADERS = {
  "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const folder = await mkdtemp(join(tmpdir(), "sluicegate-local-"));
after(() => rm(folder, { recursive: true, force: true }));
await build({ entryPoints: [join(here, "local/main.js")], bundle: true, format: "esm", platform: "browser", target: "es2022", outdir: folder, logLevel: "error" });
await writeFile(join(folder, "index.html"), '<!doctype html><meta charset="utf-8"><title>local</title><script type="module" src="/main.js"></script>');
await cp(join(here, "../../dist/npm/sluicegate.wasm"), join(folder, "sluicegate.wasm"));
const library = dirname(createRequire(import.meta.url).resolve("@wllama/wllama/esm/index.js"));
await symlink(join(library, "wasm/wllama.wasm"), join(folder, "wllama.wasm"));
await symlink(localModel.path, join(folder, "model.gguf"));
await writeFile(join(folder, "corrupt.gguf"), Buffer.concat([Buffer.from("GGUF"), Buffer.alloc(100_000, 7)]));

const asked = [];
const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  asked.push(`${request.method} ${path}`);
  if (path === "/ping") return response.writeHead(204).end();
  const file = join(folder, path === "/" ? "index.html" : path);
  const info = await stat(file).catch(() => undefined);
  if (!info) return response.writeHead(404).end();
  response.writeHead(200, { ...HEADERS, "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": info.size });
  if (request.method === "HEAD") return response.end();
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => new Promise((resolve) => (server.close(resolve), server.closeAllConnections())));
const { context, close } = await startChromium();
after(close);
const { page, errors } = await openPage(context, `http://127.0.0.1:${server.address().port}/`);
await page.waitForFunction(() => globalThis.isReady, undefined, { timeout: 20_000 }).catch(() => assert.fail(errors.join("\n")));

const call = (name, ...args) => page.evaluate(([name, args]) => globalThis[name](...args.map((arg) => arg ?? undefined)), [name, args]);
const CHAT = [{ role: "user", content: "Say hello." }];
const downloads = () => asked.filter((each) => each.endsWith(".gguf")).length;

/** What every complete stream of the model has; gives its text. */
function checkStream({ value, error }, finish) {
  assert.equal(error, undefined);
  const all = value.events ?? value;
  const chunks = all.map(({ data }) => data);
  assert.equal(chunks.pop(), "[DONE]");
  const deltas = chunks.filter(({ choices }) => choices.length > 0).map(({ choices }) => choices[0]);
  assert.deepEqual(deltas[0].delta, { role: "assistant", content: "" });
  const finishes = deltas.map(({ finish_reason }) => finish_reason).filter(Boolean);
  assert.deepEqual(finishes.length, 1);
  if (finish) assert.equal(finishes[0], finish);
  assert.deepEqual([...new Set(chunks.map(({ model, object }) => `${model} ${object}`))], ["smollm2-135m chat.completion.chunk"]);
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
  const { usage } = chunks.at(-1);
  assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  const text = deltas.map(({ delta }) => delta.content ?? "").join("");
  assert.ok(text.length > 0);
  return { text, usage, pieces: deltas.length, took: all.at(-1).at - all[0].at };
}

describe("a real model in Chromium", () => {
  test("what is not there says so, and nothing is downloaded unasked", async () => {
    assert.equal(await call("availability", "real"), "downloadable");
    // Headless Chromium without a GPU has neither of these.
    assert.equal(await call("availability", "promptApi"), "unavailable");
    assert.equal(await call("availability", "webLlm"), "unavailable");
    const { value } = await call("ask", { messages: CHAT, stream: true });
    assert.deepEqual([value.status, value.json.error.code, value.json.error.retryable], [503, "misconfigured", false]);
    assert.equal(downloads(), 0);
  });

  test("a load from a wrong wasm, and a file that is no model, fail instead of hanging or passing", async () => {
    const wrong = await call("prepare", "wrongWasm");
    assert.match(wrong.error?.message ?? "", /\w/);
    assert.ok(wrong.ms < 30_000);
    const corrupt = await call("prepare", "corrupt");
    assert.match(corrupt.error?.message ?? "", /\w/);
    assert.equal(await call("availability", "corrupt"), "downloadable");
    const before = downloads();
    assert.ok((await call("prepare", "corrupt")).error);
    assert.ok(downloads() > before, "the broken file was kept");
  });

  test("prepare() tells how far it is, to the last byte", async () => {
    const { value: progress, error } = await call("prepare", "real");
    assert.equal(error, undefined);
    const { size } = await stat(localModel.path);
    assert.ok(progress.length > 0);
    assert.ok(progress.every(({ loaded }, at) => at === 0 || loaded >= progress[at - 1].loaded));
    assert.deepEqual(progress.at(-1), { loaded: size, total: size });
    assert.equal(await call("availability", "real"), "ready");
    await context.setOffline(true);
    assert.equal(await call("isOnline"), false);
  });

  test("offline: it streams, and comes as it is made", async () => {
    const { text, usage, pieces, took } = checkStream(await call("ask", { messages: [{ role: "system", content: "Be brief." }, ...CHAT], stream: true, max_tokens: 24, temperature: 0 }));
    assert.ok(usage.completion_tokens <= 24 && text.length < 400);
    if (usage.completion_tokens > 8) assert.ok(pieces > 5 && took > 50, `${pieces} pieces in ${took} ms`);
  });

  test("offline: a limit ends it with length; a whole answer is one completion", async () => {
    checkStream(await call("ask", { messages: CHAT, stream: true, max_tokens: 3 }), "length");
    const { value } = await call("ask", { messages: CHAT, max_tokens: 4 });
    assert.deepEqual([value.status, value.json.object, value.json.choices[0].message.role], [200, "chat.completion", "assistant"]);
    assert.equal(value.json.choices[0].finish_reason, "length");
    assert.ok(value.json.choices[0].message.content.length > 0);
  });

  test("offline: it keeps to a JSON schema and to a stop string", async () => {
    const schema = { type: "object", properties: { greeting: { enum: ["hello"] } }, required: ["greeting"], additionalProperties: false };
    const json = await call("ask", { messages: CHAT, max_tokens: 40, response_format: { type: "json_schema", json_schema: { name: "g", schema } } });
    assert.deepEqual(JSON.parse(json.value.json.choices[0].message.content), { greeting: "hello" });
    const { text } = checkStream(await call("ask", { messages: CHAT, stream: true, max_tokens: 40, response_format: { type: "json_schema", json_schema: { name: "g", schema } }, stop: ["ello"] }), "stop");
    assert.match(text, /"h$/);
  });

  test("offline: the gate reads it as any reply", async () => {
    const { value, error } = await call("gateStream", { messages: CHAT, max_tokens: 6 });
    assert.equal(error, undefined);
    const end = value.pop();
    assert.deepEqual([end.type, end.model], ["end", "smollm2-135m"]);
    assert.equal(value.filter(({ type }) => type === "text").map(({ text }) => text).join(""), end.text);
    assert.ok(end.usage.completion_tokens > 0);
  });

  test("offline: an abort ends the call at once, and the model is free for the next", async () => {
    const long = { messages: [{ role: "user", content: "Count from one to five hundred, in words." }], stream: true, max_tokens: 400 };
    const { error } = await call("ask", long, 4);
    assert.equal(error?.name, "AbortError");
    const next = await call("ask", { messages: CHAT, stream: true, max_tokens: 3 });
    checkStream(next);
    assert.ok(next.ms < 15_000, `the next call took ${next.ms} ms`);
  });

  test("offline: calls at once wait for each other; one that aborts leaves the queue", async () => {
    for (const name of ["first", "second", "third"]) await call("begin", name, { messages: CHAT, stream: true, max_tokens: 6 });
    await call("abort", "second");
    const [first, second, third] = await Promise.all(["first", "second", "third"].map((name) => call("result", name)));
    assert.equal(second.error?.name, "AbortError");
    checkStream(first);
    checkStream(third);
    assert.ok(third.value[0].at >= first.value.at(-1).at, "they ran at the same time");
  });

  test("offline: what is over the context is left out, and that is said", async () => {
    const turns = Array.from({ length: 20 }, () => [{ role: "user", content: "The quick brown fox jumps over the lazy dog. ".repeat(2) }, { role: "assistant", content: "Yes." }]).flat();
    const answer = await call("ask", { messages: [...turns, ...CHAT], stream: true, max_tokens: 3 });
    const notice = answer.value.events[0].data;
    assert.deepEqual([notice.choices, notice.sluicegate.code], [[], "request_changed"]);
    checkStream({ value: answer.value.events.slice(1) });
    // One turn that is too long for the model is its error, told as such.
    const over = await call("ask", { messages: [{ role: "user", content: "word ".repeat(400) }], stream: true });
    assert.equal(over.value.json?.error.code, "context_overflow", JSON.stringify(over.value).slice(0, 300));
    checkStream(await call("ask", { messages: CHAT, stream: true, max_tokens: 2 }));
  });

  test("disposed of in the middle of an answer, it is gone, and comes back from the browser's own storage", async () => {
    await call("begin", "running", { messages: CHAT, stream: true, max_tokens: 200 });
    await page.waitForTimeout(300);
    assert.equal((await call("dispose", "real")).error, undefined);
    const { value, error } = await call("result", "running");
    assert.ok(error || value.at(-1)?.data.error || value.length === 0, "it ended as if nothing had happened");
    assert.equal(await call("availability", "real"), "downloadable");
    await context.setOffline(false);
    const before = downloads();
    assert.equal((await call("prepare", "real")).error, undefined);
    assert.equal(downloads(), before, "it was downloaded again");
    checkStream(await call("ask", { messages: CHAT, stream: true, max_tokens: 12 }));
  });

  test("the page's policy was kept to", () => {
    assert.deepEqual(errors.filter((error) => /Content Security Policy|Unhandled|Uncaught/i.test(error)), []);
  });
});
